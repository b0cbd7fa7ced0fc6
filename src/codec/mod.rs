//! Formats people paste: one file each, text in, an explanation out.
//!
//! Pure: nothing is fetched, nothing is verified against the outside, nothing
//! is kept. Every format reads by the grammar of its standard, says what is
//! wrong at which characters, and never repeats a secret. The checks use the
//! typed functions (`spf::parse`, `certificate::Certificate::from_der`);
//! the tool `decode` uses [`decode`].
//!
//! Bounds: any text up to [`TEXT_LIMIT`] ends in an answer of at most
//! [`OUTPUT_LIMIT`] bytes or in a typed error; lists, nesting and problems
//! are capped, and every reader is linear in the text.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Error;
use crate::guard::Guard;

pub mod alt_svc;
pub mod authentication_results;
pub mod base64;
pub mod bimi;
mod blocks;
mod bound;
pub mod caa;
pub mod certificate;
pub mod cidr;
pub mod csp;
pub mod csr;
pub mod data_uri;
mod der;
pub mod dkim;
pub mod dmarc;
mod format;
mod header;
pub mod hex;
pub mod host;
pub mod hsts;
pub mod http_head;
pub mod ip;
pub mod json;
pub mod jwk;
pub mod jwt;
pub(crate) mod moment;
pub mod mta_sts;
pub mod ocsp;
mod octets;
mod pem;
pub mod permissions_policy;
pub mod private_key;
mod script;
pub mod sct;
mod secret;
pub mod security_txt;
pub mod set_cookie;
pub mod spf;
mod structured;
mod sweep;
mod tags;
pub mod tls_rpt;
pub mod tlsa;
mod txt;
pub mod ulid;
pub mod unix_time;
pub mod url;
pub mod uuid;
pub mod verdict;
pub mod x509;

pub use bound::OUTPUT_LIMIT;
pub use format::{Format, NotThis, Reading, Rule};

/// The longest text read, in bytes.
pub const TEXT_LIMIT: usize = 64 * 1024;

macro_rules! kinds {
    ($($variant:ident $name:ident,)*) => {
        /// A format that can be decoded.
        // A variant's comment would go into the schema that models read; its name says it all.
        #[allow(missing_docs)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        #[schemars(inline)]
        pub enum Kind {
            $($variant,)*
        }

        impl Kind {
            /// Every kind, in the order of the documentation.
            pub const ALL: &[Kind] = &[$(Kind::$variant),*];

            /// The name used in arguments and answers.
            pub const fn as_str(self) -> &'static str {
                match self { $(Kind::$variant => stringify!($name),)* }
            }

            /// The kind of this name.
            pub fn parse(name: &str) -> Option<Kind> {
                Kind::ALL.iter().copied().find(|kind| kind.as_str() == name)
            }

            /// What there is to know about the format.
            pub const fn format(self) -> &'static Format {
                match self { $(Kind::$variant => &$name::FORMAT,)* }
            }
        }
    };
}

kinds! {
    Certificate certificate,
    Csr csr,
    PrivateKey private_key,
    Jwt jwt,
    Jwk jwk,
    Spf spf,
    Dmarc dmarc,
    Dkim dkim,
    MtaSts mta_sts,
    TlsRpt tls_rpt,
    Bimi bimi,
    Caa caa,
    Tlsa tlsa,
    Csp csp,
    Hsts hsts,
    SetCookie set_cookie,
    PermissionsPolicy permissions_policy,
    SecurityTxt security_txt,
    AltSvc alt_svc,
    AuthenticationResults authentication_results,
    HttpHead http_head,
    Url url,
    Host host,
    Ip ip,
    Cidr cidr,
    DataUri data_uri,
    Base64 base64,
    Hex hex,
    Json json,
    Uuid uuid,
    Ulid ulid,
    UnixTime unix_time,
}

impl Kind {
    /// Every problem that decoding as this kind can raise.
    pub fn rules(self) -> impl Iterator<Item = &'static Rule> {
        let borrowed: &[Kind] = match self {
            Kind::HttpHead => http_head::BORROWED,
            _ => &[],
        };
        let of = |kind: &Kind| kind.format().rules.iter().copied();
        of(&self).chain(borrowed.iter().flat_map(of).collect::<Vec<_>>())
    }
}

/// How much something matters.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Severity {
    /// Nothing to act on.
    None,
    /// Worth knowing.
    Info,
    /// Should be tidied up.
    Low,
    /// Weakens or partly breaks what the text is for.
    Medium,
    /// Breaks it, or endangers someone.
    High,
}

/// How sure a statement is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Confidence {
    /// A guess among several that fit.
    Low,
    /// Probably so.
    Medium,
    /// Unmistakable, or named by the caller.
    High,
}

/// A stretch of the text as given, in Unicode characters (not bytes):
/// `start` inclusive, `end` exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Span {
    /// Characters before it.
    pub start: u32,
    /// Characters before its end.
    pub end: u32,
}

/// Something wrong at a place in the text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Problem {
    /// Dotted code, listed in `docs/decode.md`.
    pub code: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong, in one sentence.
    pub message: String,
    /// Where in the text as given.
    pub span: Span,
    /// The section of the standard that says so.
    pub reference: &'static str,
}

/// What a text says.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Decoded {
    /// What the text was read as.
    pub kind: Kind,
    /// How sure that is.
    pub confidence: Confidence,
    /// The next best guess of `auto`.
    pub runner_up: Option<Kind>,
    /// The members of the format.
    pub fields: Map<String, Value>,
    /// What is wrong, in order of position.
    pub problems: Vec<Problem>,
    /// What a reader should know that is not wrong.
    pub notes: Vec<String>,
}

/// What a reader may consult besides the text.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Judges the URLs, hosts and addresses that are explained.
    pub guard: &'a Guard,
    /// Now, in milliseconds since the Unix epoch.
    pub now_ms: u64,
}

impl Context<'_> {
    /// Now in whole seconds since the Unix epoch.
    pub(crate) fn now(&self) -> i64 {
        i64::try_from(self.now_ms / 1000).unwrap_or(i64::MAX)
    }
}

/// Explains `text` as `kind`, or as what it looks like most.
///
/// # Errors
/// `invalid_input` on `text` when it is empty, longer than [`TEXT_LIMIT`] or
/// like nothing known; on `kind` when it is not of the kind that was named.
pub fn decode(text: &str, kind: Option<Kind>, context: &Context) -> Result<Decoded, Error> {
    if text.len() > TEXT_LIMIT {
        return Err(Error::invalid("text", "Send at most 65536 bytes of text."));
    }
    if unmarked(text).trim().is_empty() {
        return Err(Error::invalid(
            "text",
            "Send the text to be decoded; this one is empty.",
        ));
    }
    match kind {
        Some(kind) => decode_as(text, kind, context),
        None => decode_auto(text, context),
    }
}

fn decode_as(text: &str, kind: Kind, context: &Context) -> Result<Decoded, Error> {
    let reading = read(text, kind, context).map_err(|NotThis(why)| {
        Error::invalid(
            "kind",
            format!("This text is not of kind {}: {why}", kind.as_str()),
        )
    })?;
    Ok(bound::decoded(
        unmarked(text),
        kind,
        (Confidence::High, None),
        reading,
    ))
}

/// Reads `text` as `kind`. A byte order mark in front belongs to no format;
/// only the standard of JSON speaks of it, and its reader does too.
fn read(text: &str, kind: Kind, context: &Context) -> format::Outcome {
    let bare = match kind {
        Kind::Json => text,
        _ => unmarked(text),
    };
    let mut reading = (kind.format().read)(bare, context)?;
    if bare.len() < text.len() {
        for Problem { span, .. } in &mut reading.problems {
            (span.start, span.end) = (span.start + 1, span.end + 1);
        }
        let note = "The byte order mark (U+FEFF) in front was passed over.";
        reading.notes.push(note.to_owned());
    }
    Ok(reading)
}

/// The text behind a byte order mark.
fn unmarked(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Tries the formats from the likeliest on; the first that can read the text
/// is the guess, the next likely one the runner-up.
fn decode_auto(text: &str, context: &Context) -> Result<Decoded, Error> {
    let mut likely: Vec<(u8, Kind)> = likelihoods(unmarked(text))
        .filter(|(likelihood, _)| *likelihood > 0)
        .collect();
    likely.sort_by_key(|(likelihood, kind)| (std::cmp::Reverse(*likelihood), *kind));
    for (at, (likelihood, kind)) in likely.iter().enumerate() {
        if let Ok(reading) = read(text, *kind, context) {
            let runner_up = likely.get(at + 1).map(|(_, kind)| *kind);
            let confidence = confidence_of(*likelihood);
            return Ok(bound::decoded(
                unmarked(text),
                *kind,
                (confidence, runner_up),
                reading,
            ));
        }
    }
    Err(Error::invalid(
        "text",
        "Nothing known was recognised in this text; name its `kind`, or paste the whole of it.",
    ))
}

/// How much a text looks like each kind, 0 (not at all) to 100. Most kinds
/// are told by the text's beginning, so that a long text is not gone through
/// for every one of them; the others hide anywhere, or show at their end.
fn likelihoods(text: &str) -> impl Iterator<Item = (u8, Kind)> {
    let begun = text.trim_start();
    let head = begun
        .get(..begun.floor_char_boundary(HEAD))
        .unwrap_or(begun);
    Kind::ALL.iter().map(move |kind| {
        let seen = match kind {
            Kind::Certificate | Kind::Csr | Kind::PrivateKey => text,
            Kind::Jwt | Kind::Jwk | Kind::Json | Kind::Base64 | Kind::Hex => text,
            _ => head,
        };
        ((kind.format().sniff)(seen), *kind)
    })
}

/// The beginning of a text, in bytes: longer than any sound record or header
/// field.
const HEAD: usize = 8 * 1024;

const fn confidence_of(likelihood: u8) -> Confidence {
    match likelihood {
        80.. => Confidence::High,
        50..80 => Confidence::Medium,
        _ => Confidence::Low,
    }
}

#[cfg(test)]
mod tests;
