//! The header fields that keep our own pages safe: what our own checks ask
//! of others.

use std::sync::LazyLock;

use super::assets::{STYLE, THEME};
use crate::surface::Reply;

/// Nothing but our own files and the two pieces named by their hash, no markup
/// from strings (Trusted Types), nobody may frame us.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "default-src 'none'; script-src 'self' {}; style-src {}; img-src 'self'; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
        THEME.source(),
        STYLE.source()
    )
});

/// None of these is used, so no injected frame or script may ask for them.
const PERMISSIONS: &str = "accelerometer=(), autoplay=(), browsing-topics=(), camera=(), \
    display-capture=(), encrypted-media=(), fullscreen=(), geolocation=(), gyroscope=(), \
    magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), \
    publickey-credentials-get=(), screen-wake-lock=(), usb=(), xr-spatial-tracking=(), \
    clipboard-read=(), clipboard-write=(self)";

/// Two years; over plain HTTP the field must not be sent (RFC 6797 section 7.2).
const TRANSPORT: &str = "max-age=63072000; includeSubDomains";

/// Adds them to whatever a page answers.
pub(super) fn protect(reply: Reply, scheme: &str) -> Reply {
    let is_image = reply
        .headers
        .iter()
        .any(|(name, value)| *name == "content-type" && value.starts_with("image/"));
    let reply = reply
        .with("content-security-policy", POLICY.as_str())
        .with("permissions-policy", PERMISSIONS)
        .with("referrer-policy", "no-referrer")
        .with("x-content-type-options", "nosniff")
        .with("x-frame-options", "DENY")
        .with("cross-origin-opener-policy", "same-origin")
        .with("cross-origin-embedder-policy", "require-corp")
        // The social card is there to be shown elsewhere.
        .with(
            "cross-origin-resource-policy",
            if is_image {
                "cross-origin"
            } else {
                "same-origin"
            },
        );
    match scheme {
        "https" => reply.with("strict-transport-security", TRANSPORT),
        _ => reply,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(reply: &Reply, name: &str) -> Option<String> {
        reply
            .headers
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.to_string())
    }

    #[test]
    fn the_policy_allows_nothing_unsafe() {
        let reply = protect(Reply::empty(200), "https");
        let policy = field(&reply, "content-security-policy").unwrap();
        assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"));
        assert!(policy.starts_with("default-src 'none'"));
    }

    #[test]
    fn transport_security_is_promised_over_https_only() {
        let name = "strict-transport-security";
        assert!(field(&protect(Reply::empty(200), "https"), name).is_some());
        assert!(field(&protect(Reply::empty(200), "http"), name).is_none());
    }
}
