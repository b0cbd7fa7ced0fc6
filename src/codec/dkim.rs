//! DKIM key records (RFC 6376 section 3.6.1, RFC 8301, RFC 8463).

use ::base64::Engine;
use ::base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::der::{self, Outline};
use super::format::{Format, NotThis, Reading, Scribe, quoted, rules};
use super::tags::{self, Tag, TagRules};
use super::x509::Key;
use super::{Kind, txt, x509};

/// What there is to know about the kind `dkim`.
pub const FORMAT: Format = Format {
    kind: Kind::Dkim,
    title: "DKIM key record",
    reference: "RFC 6376",
    // The key of RFC 8463 appendix A.
    example: "v=DKIM1; k=ed25519; t=y; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    fields: &[
        ("valid", "whether verifiers can use the record"),
        ("keyType", "`k`: rsa (the default) or ed25519"),
        (
            "key",
            "`algorithm`, `bits` and `exponent` of the public key; null when revoked or unreadable",
        ),
        (
            "revoked",
            "`p` is empty: signatures with this selector must fail",
        ),
        ("hashes", "`h`: hash algorithms accepted; null means all"),
        ("services", "`s`: service types; `*` means all"),
        ("testing", "`t=y`: verifiers treat failing mail as unsigned"),
        (
            "sameDomain",
            "`t=s`: the identity must be of the very domain, not of one below it",
        ),
        ("remark", "`n`: a note for people"),
    ],
    rules: RULES,
    sniff: |text| {
        txt::records(text)
            .iter()
            .map(|record| likelihood(&record.value))
            .max()
            .unwrap_or(0)
    },
    read: |text, _| txt::read(text, is_dkim, SEVERAL, parse),
};

/// One key record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Dkim {
    /// Whether verifiers can use the record.
    pub valid: bool,
    /// `rsa`, `ed25519` or what was given.
    pub key_type: String,
    /// The public key; None when revoked or unreadable.
    pub key: Option<Key>,
    /// Whether `p` is empty.
    pub revoked: bool,
    /// `h`; None means all.
    pub hashes: Option<Vec<String>>,
    /// `s`.
    pub services: Vec<String>,
    /// `t=y`.
    pub testing: bool,
    /// `t=s`.
    pub same_domain: bool,
    /// `n`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

/// Reads one record, strings already joined.
///
/// # Errors
/// [`NotThis`] when there is neither `v=DKIM1` in front nor a `p` tag.
pub fn parse(text: &str) -> Result<Reading<Dkim>, NotThis> {
    if !is_dkim(text) {
        return Err(NotThis(
            "a DKIM key record has a tag `p=` with the public key and usually begins \
             with `v=DKIM1`.",
        ));
    }
    let mut scribe = Scribe::new(text);
    let tags = tags::read(
        text,
        &TagRules {
            malformed: MALFORMED,
            repeated: REPEATED,
            several: &[],
        },
        &mut scribe,
    );
    let mut reader = Reader {
        valid: !scribe.has(MALFORMED) && !scribe.has(REPEATED),
        scribe,
        tags,
    };
    reader.version();
    let dkim = reader.record(text);
    Ok(Reading::new(dkim, reader.scribe))
}

fn is_dkim(text: &str) -> bool {
    likelihood(text) > 0
}

fn likelihood(text: &str) -> u8 {
    if tags::has_version(text, VERSION) {
        return 98;
    }
    let has = |name: &str| {
        text.split(';').take(16).any(|tag| {
            tag.split_once('=')
                .is_some_and(|(tag, _)| tag.trim() == name)
        })
    };
    match (has("p"), has("k") || has("h")) {
        (true, true) => 80,
        (true, false) if text.contains("p=M") => 60,
        _ => 0,
    }
}

struct Reader<'a> {
    scribe: Scribe<'a>,
    tags: Vec<Tag<'a>>,
    valid: bool,
}

impl<'a> Reader<'a> {
    fn tag(&self, name: &str) -> Option<Tag<'a>> {
        tags::find(&self.tags, name)
    }

    /// `v` is recommended, must be first and exactly DKIM1.
    fn version(&mut self) {
        let first = self.tags.first().map(|tag| tag.name);
        if let Some(tag) = self.tag("v")
            && (first != Some("v") || tag.value != VERSION)
        {
            self.valid = false;
            self.scribe.flag(
                VERSION_RULE,
                tag.whole,
                "`v=DKIM1` must come first and be written so; verifiers discard the \
                 record otherwise.",
            );
        }
    }

    fn record(&mut self, text: &'a str) -> Dkim {
        let key_type = self
            .tag("k")
            .map_or("rsa", |tag| tag.value)
            .to_ascii_lowercase();
        let hashes = self.list("h");
        let flags = self.list("t").unwrap_or_default();
        let services = self.list("s").unwrap_or_else(|| vec!["*".to_owned()]);
        let has = |flag: &str| flags.iter().any(|given| given == flag);
        self.judge_lists(hashes.as_deref(), &services);
        let key = self.key(text, &key_type);
        self.unknown();
        if let Some(tag) = self.tag("t").filter(|_| has("y")) {
            self.scribe.flag(
                TESTING,
                tag.whole,
                "Testing: verifiers treat mail that fails as if it were not signed.",
            );
        }
        let revoked = self.tag("p").is_some_and(|tag| tag.value.is_empty());
        Dkim {
            valid: self.valid && !revoked,
            key_type,
            key,
            revoked,
            hashes,
            services,
            testing: has("y"),
            same_domain: has("s"),
            remark: self.tag("n").map(|tag| tag.value.to_owned()),
        }
    }

    fn list(&self, name: &str) -> Option<Vec<String>> {
        let tag = self.tag(name)?;
        Some(
            tag.value
                .split(':')
                .map(|word| word.trim().to_ascii_lowercase())
                .take(16)
                .collect(),
        )
    }

    fn judge_lists(&mut self, hashes: Option<&[String]>, services: &[String]) {
        if let (Some(hashes), Some(tag)) = (hashes, self.tag("h")) {
            if !hashes.iter().any(|hash| hash == "sha256") {
                self.valid = false;
                self.scribe.flag(
                    NO_SHA256,
                    tag.whole,
                    "SHA-256 is not accepted; signatures with SHA-1 must not be verified.",
                );
            } else if hashes.iter().any(|hash| hash == "sha1") {
                self.scribe.flag(SHA1, tag.whole, "SHA-1 is still listed.");
            }
        }
        if let Some(tag) = self.tag("s").filter(|_| {
            !services
                .iter()
                .any(|service| service == "*" || service == "email")
        }) {
            self.valid = false;
            self.scribe
                .flag(NOT_FOR_MAIL, tag.whole, "The key is not for email.");
        }
    }

    fn key(&mut self, text: &'a str, key_type: &str) -> Option<Key> {
        let Some(tag) = self.tag("p") else {
            self.valid = false;
            self.scribe.flag(
                NO_KEY,
                self.tags.first().map_or(text, |tag| tag.whole),
                "There is no `p` with the public key.",
            );
            return None;
        };
        if tag.value.is_empty() {
            self.scribe.flag(
                REVOKED,
                tag.whole,
                "The key is revoked: mail signed with this selector fails.",
            );
            return None;
        }
        let plain: String = tag
            .value
            .chars()
            .filter(|c| !c.is_ascii_whitespace())
            .collect();
        let Ok(octets) = STANDARD.decode(plain) else {
            self.valid = false;
            self.scribe.flag(
                BAD_BASE64,
                tag.value,
                "`p` is not base 64: characters are missing or foreign.",
            );
            return None;
        };
        if matches!(
            der::outline(&octets),
            Outline::Pkcs8 | Outline::Pkcs1 | Outline::Sec1
        ) {
            self.valid = false;
            self.scribe.flag(
                PRIVATE_KEY,
                tag.value,
                "This is the private key: treat it as disclosed and make a new pair.",
            );
            return None;
        }
        match key_type {
            "rsa" => self.rsa(tag, &octets),
            "ed25519" => self.ed25519(tag, &octets),
            _ => {
                self.valid = false;
                let part = self.tag("k").map_or(tag.whole, |tag| tag.value);
                self.scribe.flag(
                    UNKNOWN_TYPE,
                    part,
                    format!("{} is no key type of DKIM.", quoted(key_type)),
                );
                None
            }
        }
    }

    /// RFC 6376 says RSAPublicKey, its errata and practice say
    /// SubjectPublicKeyInfo; verifiers take both.
    fn rsa(&mut self, tag: Tag<'a>, octets: &[u8]) -> Option<Key> {
        let key = match Key::of_spki(octets) {
            Some(key) if key.algorithm == "RSA" && key.bits > 0 => Some(key),
            Some(_) => None,
            None => Key::of_rsa_public_key(octets),
        };
        let Some(key) = key else {
            self.valid = false;
            self.scribe.flag(
                BAD_KEY,
                tag.value,
                "`p` holds no RSA public key, or one that was cut off.",
            );
            return None;
        };
        if key.bits < 1024 {
            self.valid = false;
            self.scribe.flag(
                TOO_SHORT,
                tag.value,
                format!(
                    "{} bits: verifiers must not accept fewer than 1024.",
                    key.bits
                ),
            );
        } else if key.bits < 2048 {
            self.scribe.flag(
                SHORT,
                tag.value,
                format!("{} bits: signers should use at least 2048.", key.bits),
            );
        }
        Some(key)
    }

    fn ed25519(&mut self, tag: Tag<'a>, octets: &[u8]) -> Option<Key> {
        if octets.len() == 32 {
            return Some(Key::plain("Ed25519", 256));
        }
        self.valid = false;
        let why = match Key::of_spki(octets) {
            Some(_) => {
                "`p` must hold the bare 32 octets of an Ed25519 key, not a SubjectPublicKeyInfo."
            }
            None => "`p` must hold the 32 octets of an Ed25519 key.",
        };
        self.scribe.flag(BAD_KEY, tag.value, why);
        None
    }

    fn unknown(&mut self) {
        for tag in &self.tags {
            match tag.name {
                "v" | "k" | "p" | "h" | "s" | "t" | "n" => {}
                "g" => self
                    .scribe
                    .flag(HISTORIC_TAG, tag.whole, "`g` is historic and ignored."),
                _ => self.scribe.flag(
                    UNKNOWN_TAG,
                    tag.whole,
                    format!("DKIM keys have no tag {}; it is ignored.", quoted(tag.name)),
                ),
            }
        }
    }
}

impl Key {
    /// An RSAPublicKey of PKCS #1 without anything around it.
    fn of_rsa_public_key(octets: &[u8]) -> Option<Key> {
        let outer = der::element(octets, 0, octets.len())
            .filter(|outer| outer.tag == der::tag::SEQUENCE)?;
        let parts = der::children(octets, &outer.content);
        let integer = |nth: usize| {
            let part = parts
                .get(nth)
                .filter(|part| part.tag == der::tag::INTEGER)?;
            octets.get(part.content.clone())
        };
        let exponent = x509::small_integer(integer(1)?);
        let bits = x509::bit_length(integer(0)?);
        (bits > 0).then(|| Key {
            exponent,
            ..Key::plain("RSA", bits)
        })
    }
}

const VERSION: &str = "DKIM1";

rules! {
    PRIVATE_KEY = "dkim.private_key", High, "RFC 6376 section 3.6.1",
        "The record holds the private key.";
    VERSION_RULE = "dkim.version", High, "RFC 6376 section 3.6.1",
        "The version is misplaced or misspelt; verifiers discard the record.";
    NO_KEY = "dkim.no_key", High, "RFC 6376 section 3.6.1",
        "There is no public key.";
    BAD_BASE64 = "dkim.bad_base64", High, "RFC 6376 section 3.6.1",
        "The public key is not base 64.";
    BAD_KEY = "dkim.bad_key", High, "RFC 8463 section 4.2",
        "The public key cannot be read.";
    TOO_SHORT = "dkim.too_short", High, "RFC 8301 section 3.2",
        "The RSA key is too short to be accepted.";
    NO_SHA256 = "dkim.no_sha256", High, "RFC 8301 section 3.1",
        "SHA-256 is not accepted.";
    UNKNOWN_TYPE = "dkim.unknown_type", High, "RFC 6376 section 3.6.1",
        "The key type is unknown; verifiers ignore the record.";
    NOT_FOR_MAIL = "dkim.not_for_mail", High, "RFC 6376 section 3.6.1",
        "The service type leaves out email.";
    SEVERAL = "dkim.several_records", Medium, "RFC 6376 section 3.6.2.2",
        "A selector with several records has undefined results.";
    SHORT = "dkim.short", Medium, "RFC 8301 section 3.2",
        "The RSA key is shorter than recommended.";
    MALFORMED = "dkim.malformed", High, "RFC 6376 section 6.1.2",
        "Something between semicolons is no tag; verifiers ignore the record.";
    REPEATED = "dkim.repeated_tag", High, "RFC 6376 section 3.2",
        "A tag is given twice, which makes the whole list invalid.";
    REVOKED = "dkim.revoked", Low, "RFC 6376 section 3.6.1",
        "The key is revoked.";
    SHA1 = "dkim.sha1", Low, "RFC 8301 section 3.1",
        "SHA-1 is listed.";
    TESTING = "dkim.testing", Low, "RFC 6376 section 3.6.1",
        "The record is marked as a test.";
    HISTORIC_TAG = "dkim.historic_tag", Low, "RFC 6376 section 7.8",
        "A tag is historic.";
    UNKNOWN_TAG = "dkim.unknown_tag", Info, "RFC 6376 section 3.2",
        "A tag is not defined and ignored.";
}

#[cfg(test)]
mod tests {
    use super::*;

    const RSA_1024: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB";

    #[test]
    fn the_record_of_rfc_6376_appendix_c_is_read() {
        let text = format!("v=DKIM1; p={RSA_1024}");
        let reading = parse(&text).unwrap();
        let key = reading.value.key.as_ref().unwrap();
        assert_eq!(
            (key.algorithm.as_str(), key.bits, key.exponent),
            ("RSA", 1024, Some(65537))
        );
        assert!(reading.value.valid && reading.has("dkim.short"));
    }

    #[test]
    fn a_key_may_be_folded_and_bare() {
        let folded = format!("k=rsa; p={}\n  {}", &RSA_1024[..40], &RSA_1024[40..]);
        assert_eq!(parse(&folded).unwrap().value.key.unwrap().bits, 1024);
        let spki = STANDARD.decode(RSA_1024).unwrap();
        let bare = STANDARD.encode(&spki[22..]);
        assert_eq!(
            parse(&format!("v=DKIM1; p={bare}"))
                .unwrap()
                .value
                .key
                .unwrap()
                .bits,
            1024
        );
    }

    #[test]
    fn unusable_records_are_invalid() {
        for (text, code) in [
            ("v=DKIM1; k=rsa", "dkim.no_key"),
            ("p=AAAA; k=rsa; v=DKIM1", "dkim.version"),
            ("v=DKIM1; p=@@", "dkim.bad_base64"),
            ("v=DKIM1; p=AAAA", "dkim.bad_key"),
            ("v=DKIM1; k=ed25519; p=AAAA", "dkim.bad_key"),
            ("v=DKIM1; k=dsa; p=AAAA", "dkim.unknown_type"),
            ("v=DKIM1; p=", "dkim.revoked"),
            ("v=DKIM1; h=sha1; p=AAAA", "dkim.no_sha256"),
        ] {
            let reading = parse(text).unwrap();
            assert!(
                !reading.value.valid && reading.has(code),
                "{text}: {:?}",
                reading.problems
            );
        }
    }

    #[test]
    fn a_private_key_in_the_record_is_not_described() {
        let private = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";
        let reading = parse(&format!("v=DKIM1; k=ed25519; p={private}")).unwrap();
        assert!(reading.has("dkim.private_key") && reading.value.key.is_none());
    }
}
