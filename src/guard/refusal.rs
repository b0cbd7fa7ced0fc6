//! What a refusal says outward (a class) and inward (the rule).

use crate::error::{Code, Error};

/// Why a target is refused, as far as the caller may know.
///
/// [`Class::Resolution`] is one reason for "does not resolve" and for
/// "resolves to something that is not public": two would make this service an
/// oracle for what resolves where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Not a host name, address or URL that every parser reads alike.
    Malformed,
    /// A scheme other than http and https.
    Scheme,
    /// A user name or password in the URL.
    UserInfo,
    /// A port that is not on the list.
    Port,
    /// A name that is not in the public DNS, or never leads outside.
    Name,
    /// An address that is not public, or not written in its one plain form.
    Address,
    /// Gives no address that may be connected to.
    Resolution,
    /// Not among the targets that the operator allows.
    Allowlist,
    /// A host of this service.
    Owner,
}

impl Class {
    /// The class as `reason` in bodies and events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Class::Malformed => "malformed",
            Class::Scheme => "scheme",
            Class::UserInfo => "user_info",
            Class::Port => "port",
            Class::Name => "name",
            Class::Address => "address",
            Class::Resolution => "resolution",
            Class::Allowlist => "allowlist",
            Class::Owner => "owner",
        }
    }

    /// One sentence that says what to send instead.
    const fn advice(self) -> &'static str {
        match self {
            Class::Malformed => {
                "Send a plain host name such as example.com or a URL such as https://example.com/path."
            }
            Class::Scheme => "Send a URL that begins with https:// or http://.",
            Class::UserInfo => "Send the URL without a user name or password.",
            Class::Port => "Send the URL without a port, or with one that this service probes.",
            Class::Name => "Send a host name that is registered in the public DNS.",
            Class::Address => {
                "Send a public address in its usual form, or the host name that leads to it."
            }
            Class::Resolution => "Send a host name that has public addresses, and only those.",
            Class::Allowlist => "Send one of the targets that this service is set up to probe.",
            Class::Owner => "Send a target that is not this service itself.",
        }
    }
}

/// The guard's no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Refusal {
    /// What the caller may read.
    pub class: Class,
    /// The precise rule, `topic.rule`; for the event only.
    pub rule: &'static str,
}

impl Refusal {
    pub(super) const fn new(class: Class, rule: &'static str) -> Self {
        Refusal { class, rule }
    }
}

impl std::fmt::Display for Refusal {
    /// The outward face only, so that printing one gives nothing away.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "refused: {}", self.class.as_str())
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Error {
            reason: Some(refusal.class.as_str()),
            ..Error::new(Code::TargetRefused, refusal.class.advice())
        }
        .because(refusal.rule)
    }
}
