//! Permissions-Policy, a structured field dictionary.

use std::collections::BTreeMap;

use serde::Serialize;

use super::format::{Format, NotThis, Reading, Scribe, quoted, rules};
use super::structured::{self, Item, Member};
use super::{Kind, header};

/// What there is to know about the kind `permissions_policy`.
pub const FORMAT: Format = Format {
    kind: Kind::PermissionsPolicy,
    title: "Permissions-Policy header",
    reference: "W3C Permissions Policy",
    example: "Permissions-Policy: geolocation=(self \"https://maps.example\"), camera=*, microphone=(), fullscreen=none",
    fields: &[
        (
            "valid",
            "whether browsers heed the header; one syntax error makes it void",
        ),
        (
            "features",
            "each feature: `name`, `allowed` (`none`, `all` or `list`), `self` and `origins`",
        ),
    ],
    rules: RULES,
    sniff,
    read: |text, _| parse(text).map(Reading::untyped),
};

/// One header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PermissionsPolicy {
    /// Whether browsers heed the header.
    pub valid: bool,
    /// By name; the last of a name counts.
    pub features: Vec<Feature>,
}

/// One feature's allowlist.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Feature {
    /// The feature.
    pub name: String,
    /// `none`, `all` or `list`.
    pub allowed: &'static str,
    /// Whether the page's own origin is listed.
    #[serde(rename = "self")]
    pub own: bool,
    /// Other origins listed.
    pub origins: Vec<String>,
}

/// Reads one or several fields, with or without their name.
///
/// # Errors
/// [`NotThis`] when nothing in it looks like a feature.
pub fn parse(text: &str) -> Result<Reading<PermissionsPolicy>, NotThis> {
    let mut scribe = Scribe::new(text);
    let mut features: BTreeMap<String, Feature> = BTreeMap::new();
    let mut valid = true;
    for field in header::fields(text, HEADERS) {
        if field.name.is_none() && !looks_right(field.value) {
            return Err(NotThis(
                "Permissions-Policy is a list such as `geolocation=(), camera=(self)`.",
            ));
        }
        match structured::dictionary(field.value) {
            Ok(entries) => {
                for (name, member) in entries {
                    let feature = feature(&mut scribe, name, &member);
                    if features.insert(name.to_owned(), feature).is_some() {
                        scribe.flag(
                            REPEATED,
                            name,
                            format!("{} is given twice; the last one counts.", quoted(name)),
                        );
                    }
                }
            }
            Err(fault) => {
                valid = false;
                let part = if fault.part.is_empty() {
                    field.value
                } else {
                    fault.part
                };
                scribe.flag(
                    SYNTAX,
                    part,
                    format!("Here {}; browsers ignore the whole header.", fault.why),
                );
                old_syntax(&mut scribe, field.value);
            }
        }
    }
    let policy = PermissionsPolicy {
        valid,
        features: features.into_values().collect(),
    };
    Ok(Reading::new(policy, scribe))
}

fn feature(scribe: &mut Scribe, name: &str, member: &Member) -> Feature {
    if RETIRED.contains(&name) {
        scribe.flag(
            RETIRED_FEATURE,
            name,
            format!("{} was given up; browsers ignore it.", quoted(name)),
        );
    } else if !FEATURES.contains(&name) {
        scribe.flag(
            UNKNOWN_FEATURE,
            name,
            format!(
                "{} is no feature that browsers are known to control.",
                quoted(name)
            ),
        );
    }
    let mut feature = Feature {
        name: name.to_owned(),
        allowed: "none",
        ..Feature::default()
    };
    let items: &[Item] = match member {
        Member::Item(item) if item.part() == name => {
            scribe.flag(
                NO_VALUE,
                name,
                "A feature without a list allows nobody; write `=()` to say so.",
            );
            &[]
        }
        Member::Item(item) => std::slice::from_ref(item),
        Member::List(items) => items,
    };
    for item in items {
        allow(scribe, &mut feature, item);
    }
    if feature.allowed == "all" && SENSITIVE.contains(&name) {
        let part = items.first().map_or(name, Item::part);
        scribe.flag(
            OPEN_TO_ALL,
            part,
            format!("Every embedded site may use {}.", quoted(name)),
        );
    }
    feature
}

fn allow(scribe: &mut Scribe, feature: &mut Feature, item: &Item) {
    match item {
        Item::Token("*") => feature.allowed = "all",
        Item::Token("self") => feature.own = true,
        Item::Token("src") => return,
        Item::Token("none") => {
            scribe.flag(
                NONE_TOKEN,
                item.part(),
                "There is no `none`; an empty list `()` forbids the feature.",
            );
            return;
        }
        Item::Token(token) => {
            scribe.flag(
                BAD_MEMBER,
                token,
                format!(
                    "{} is neither `self` nor `*`; origins stand in double quotes.",
                    quoted(token)
                ),
            );
            return;
        }
        Item::Text(origin, part) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            if !host
                .is_some_and(|host| !host.is_empty() && !host.trim_end_matches('/').contains('/'))
            {
                scribe.flag(
                    BAD_MEMBER,
                    part,
                    "An origin is a scheme and a host, such as \"https://example.com\".",
                );
            }
            feature.origins.push(origin.clone());
        }
    }
    if feature.allowed == "none" {
        feature.allowed = "list";
    }
}

/// Feature-Policy separated with semicolons and quoted with apostrophes.
fn old_syntax(scribe: &mut Scribe, value: &str) {
    if value.contains("'none'")
        || value.contains("'self'")
        || (value.contains(';') && !value.contains('('))
    {
        scribe.flag(
            OLD_SYNTAX,
            value,
            "This is the syntax of Feature-Policy; write `geolocation=(), camera=(self)`.",
        );
    }
}

fn looks_right(value: &str) -> bool {
    value.split([',', ';']).take(64).any(|part| {
        let name = part.trim().split(['=', ' ']).next().unwrap_or_default();
        let rest = part
            .trim()
            .get(name.len()..)
            .unwrap_or_default()
            .trim_start();
        (rest.starts_with('=') || rest.starts_with('\''))
            && (FEATURES.contains(&name) || rest.starts_with("=("))
    })
}

fn sniff(text: &str) -> u8 {
    if header::is_named(text, HEADERS) {
        return 98;
    }
    let value = text.trim();
    let first = value.split(['=', ' ', ',']).next().unwrap_or_default();
    match (FEATURES.contains(&first), looks_right(value)) {
        (true, true) => 90,
        (false, true) if value.contains("=(") && structured::dictionary(value).is_ok() => 70,
        _ => 0,
    }
}

const HEADERS: &[&str] = &["permissions-policy", "permissions-policy-report-only"];

/// What a stranger's frame should not have by default.
const SENSITIVE: &[&str] = &[
    "bluetooth",
    "camera",
    "clipboard-read",
    "display-capture",
    "geolocation",
    "hid",
    "local-fonts",
    "microphone",
    "midi",
    "payment",
    "publickey-credentials-get",
    "serial",
    "usb",
    "window-management",
];

/// Features of the W3C list of policy-controlled features.
#[rustfmt::skip]
const FEATURES: &[&str] = &[
    "accelerometer", "all-screens-capture", "ambient-light-sensor", "aria-notify", "attribution-reporting", "autofill",
    "autoplay", "battery", "bluetooth", "browsing-topics", "camera", "captured-surface-control", "ch-device-memory",
    "ch-downlink", "ch-dpr", "ch-ect", "ch-rtt", "ch-save-data", "ch-ua", "ch-ua-arch", "ch-ua-bitness",
    "ch-ua-form-factors", "ch-ua-full-version", "ch-ua-full-version-list", "ch-ua-high-entropy-values", "ch-ua-mobile",
    "ch-ua-model", "ch-ua-platform", "ch-ua-platform-version", "ch-ua-wow64", "ch-viewport-height", "ch-viewport-width",
    "ch-width", "clipboard-read", "clipboard-write", "compute-pressure", "conversion-measurement",
    "controlled-frame", "cross-origin-isolated", "deferred-fetch", "deferred-fetch-minimal", "device-attributes",
    "digital-credentials-create", "digital-credentials-get", "direct-sockets", "direct-sockets-private",
    "display-capture", "encrypted-media", "execution-while-not-rendered", "execution-while-out-of-viewport",
    "focus-without-user-activation", "fullscreen", "gamepad", "geolocation", "gyroscope", "hid",
    "identity-credentials-get", "idle-detection", "interest-cohort", "join-ad-interest-group", "keyboard-map",
    "language-detector", "language-model", "local-fonts", "local-network", "local-network-access", "loopback-network",
    "magnetometer", "mediasession", "microphone", "midi", "monetization", "navigation-override", "on-device-speech-recognition",
    "otp-credentials", "payment", "picture-in-picture", "private-aggregation", "private-state-token-issuance",
    "private-state-token-redemption", "publickey-credentials-create", "publickey-credentials-get", "rewriter",
    "run-ad-auction", "screen-wake-lock", "serial", "shared-storage", "shared-storage-select-url", "smart-card",
    "speaker-selection", "storage-access", "sub-apps", "summarizer", "sync-xhr", "translator", "unload", "usb",
    "usb-unrestricted", "vertical-scroll", "web-share", "window-management", "writer", "xr-spatial-tracking",
];

/// Once proposed, never or no longer shipped.
const RETIRED: &[&str] = &[
    "conversion-measurement",
    "document-domain",
    "interest-cohort",
    "vibrate",
    "speaker",
    "window-placement",
    "vr",
    "wake-lock",
    "notifications",
    "push",
    "trust-token-redemption",
];

rules! {
    SYNTAX = "permissions_policy.syntax", High, "RFC 9651 section 4.2",
        "A syntax error makes the header void.";
    OLD_SYNTAX = "permissions_policy.old_syntax", High, "W3C Permissions Policy section 5.2",
        "The header is written like its predecessor Feature-Policy.";
    OPEN_TO_ALL = "permissions_policy.open_to_all", Medium, "W3C Permissions Policy section 4.8",
        "A sensitive feature is open to every embedded site.";
    NONE_TOKEN = "permissions_policy.none_token", Medium, "W3C Permissions Policy section 5.2",
        "`none` is no member of a list.";
    BAD_MEMBER = "permissions_policy.bad_member", Medium, "W3C Permissions Policy section 5.2",
        "A member of a list is ignored.";
    REPEATED = "permissions_policy.repeated_feature", Low, "RFC 9651 section 3.2",
        "A feature is given twice; the last one counts.";
    NO_VALUE = "permissions_policy.no_value", Low, "W3C Permissions Policy section 5.2",
        "A feature has no list.";
    RETIRED_FEATURE = "permissions_policy.retired_feature", Low, "W3C Policy Controlled Features",
        "A feature was given up.";
    UNKNOWN_FEATURE = "permissions_policy.unknown_feature", Low, "W3C Policy Controlled Features",
        "A feature is not known.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read() {
        let reading = parse(
            "geolocation=(self \"https://maps.example\"), camera=*, microphone=(), fullscreen=self",
        )
        .unwrap();
        let allowed: Vec<_> = reading
            .value
            .features
            .iter()
            .map(|f| (f.name.as_str(), f.allowed, f.own))
            .collect();
        assert_eq!(
            allowed,
            [
                ("camera", "all", false),
                ("fullscreen", "list", true),
                ("geolocation", "list", true),
                ("microphone", "none", false)
            ]
        );
        assert!(reading.has("permissions_policy.open_to_all"));
    }

    #[test]
    fn the_old_syntax_is_void_and_named() {
        let reading = parse("Permissions-Policy: geolocation 'none'; camera 'self'").unwrap();
        assert!(!reading.value.valid);
        assert!(
            reading.has("permissions_policy.syntax")
                && reading.has("permissions_policy.old_syntax")
        );
    }

    #[test]
    fn quoted_self_is_a_syntax_error() {
        let text = "camera=('self')";
        let reading = parse(text).unwrap();
        let syntax = reading
            .problems
            .iter()
            .find(|p| p.code == "permissions_policy.syntax")
            .unwrap();
        assert_eq!(
            &text[syntax.span.start as usize..syntax.span.end as usize],
            "'"
        );
    }

    #[test]
    fn none_is_an_empty_list() {
        let reading = parse("camera=none, interest-cohort=()").unwrap();
        assert_eq!(reading.value.features[0].allowed, "none");
        assert!(
            reading.has("permissions_policy.none_token")
                && reading.has("permissions_policy.retired_feature")
        );
    }
}
