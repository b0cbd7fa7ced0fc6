//! DMARC policy records (RFC 9989, which replaced RFC 7489).

use std::collections::BTreeSet;

use serde::Serialize;

use super::format::{Format, NotThis, Reading, Rule, Scribe, address_hint, quoted, rules};
use super::tags::{self, Tag, TagRules};
use super::{Kind, txt};

/// What there is to know about the kind `dmarc`.
pub const FORMAT: Format = Format {
    kind: Kind::Dmarc,
    title: "DMARC policy record",
    reference: "RFC 9989",
    example: "v=DMARC1; p=quarantine; sp=none; pct=50; rua=mailto:dmarc@example.com!10m",
    fields: &[
        (
            "valid",
            "whether receivers apply a policy from this record at all",
        ),
        ("policy", "`p`: wished handling for the domain itself"),
        ("subdomainPolicy", "`sp`, when given"),
        ("nonexistentPolicy", "`np`, when given"),
        (
            "effective",
            "what holds after defaults and `t`, for `domain`, `subdomains` and `nonexistent` names",
        ),
        (
            "testing",
            "`t=y`: receivers are asked to apply the next weaker policy",
        ),
        (
            "publicSuffix",
            "`psd`: `y`, `n` or `u` (unknown, the default)",
        ),
        ("dkimAlignment", "`adkim`: `relaxed` or `strict`"),
        ("spfAlignment", "`aspf`: `relaxed` or `strict`"),
        (
            "aggregateReports",
            "`rua`: each `uri`, with `domain` when it is a mail address",
        ),
        ("failureReports", "`ruf`: likewise"),
        ("failureOptions", "`fo`: when failure reports are sent"),
        (
            "ignored",
            "tags without effect: removed from DMARC or never defined",
        ),
    ],
    rules: RULES,
    sniff: |text| if txt::any(text, is_dmarc) { 98 } else { 0 },
    read: |text, _| txt::read(text, is_dmarc, SEVERAL, parse),
};

/// What the domain owner wishes for mail that fails (RFC 9989 section 4.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// Deliver and report.
    None,
    /// Treat as suspicious.
    Quarantine,
    /// Refuse.
    Reject,
}

/// How closely an authenticated domain must match the author's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Alignment {
    /// Same organizational domain.
    Relaxed,
    /// Same domain.
    Strict,
}

/// Where reports go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportUri {
    /// As written, without a size suffix.
    pub uri: String,
    /// Domain of a `mailto:`; must authorise reports when it is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
}

/// What holds after defaults and `t`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Effective {
    /// For the domain itself.
    pub domain: Policy,
    /// For names below it that exist.
    pub subdomains: Policy,
    /// For names below it that do not exist.
    pub nonexistent: Policy,
}

/// One DMARC record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Dmarc {
    /// Whether receivers apply a policy from this record (RFC 9989
    /// section 4.10.1).
    pub valid: bool,
    /// `p`, when valid.
    pub policy: Option<Policy>,
    /// `sp`, when valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subdomain_policy: Option<Policy>,
    /// `np`, when valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonexistent_policy: Option<Policy>,
    /// None when the record is not valid.
    pub effective: Option<Effective>,
    /// `t=y`.
    pub testing: bool,
    /// `y`, `n` or `u`.
    pub public_suffix: char,
    /// `adkim`.
    pub dkim_alignment: Alignment,
    /// `aspf`.
    pub spf_alignment: Alignment,
    /// `rua`, valid ones.
    pub aggregate_reports: Vec<ReportUri>,
    /// `ruf`, valid ones.
    pub failure_reports: Vec<ReportUri>,
    /// `fo`.
    pub failure_options: Vec<String>,
    /// Names of tags without effect.
    pub ignored: Vec<String>,
}

/// Reads one record, strings already joined.
///
/// # Errors
/// [`NotThis`] when the text does not begin with `v=DMARC1` in any case.
pub fn parse(text: &str) -> Result<Reading<Dmarc>, NotThis> {
    if !is_dmarc(text) {
        return Err(NotThis(
            "a DMARC record begins with `v=DMARC1`, followed by a semicolon.",
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
        scribe,
        tags,
        sound: true,
    };
    let version_fits = reader.version();
    let dmarc = reader.record(text, version_fits);
    reader.advise(text, &dmarc);
    Ok(Reading::new(dmarc, reader.scribe))
}

fn is_dmarc(text: &str) -> bool {
    tags::has_version(text, VERSION)
}

struct Reader<'a> {
    scribe: Scribe<'a>,
    tags: Vec<Tag<'a>>,
    /// Whether `p`, `sp` and `np` are all valid where given.
    sound: bool,
}

impl<'a> Reader<'a> {
    fn tag(&self, name: &str) -> Option<Tag<'a>> {
        tags::find(&self.tags, name)
    }

    /// The version is case-sensitive, the name of its tag is not.
    fn version(&mut self) -> bool {
        let Some(first) = self.tags.first().copied() else {
            return false;
        };
        let fits = first.name.eq_ignore_ascii_case("v") && first.value == VERSION;
        if !fits {
            self.scribe.flag(
                VERSION_CASE,
                first.whole,
                "The version must be written `v=DMARC1` exactly; receivers ignore the \
                 record otherwise.",
            );
        }
        fits
    }

    fn record(&mut self, text: &'a str, version_fits: bool) -> Dmarc {
        let policy = self.policy("p");
        let subdomain_policy = self.policy("sp");
        let nonexistent_policy = self.policy("np");
        let testing = self.one_of("t", &["y", "n"]) == Some("y");
        let public_suffix = self.one_of("psd", &["y", "n", "u"]);
        let aggregate_reports = self.uris("rua");
        let failure_reports = self.uris("ruf");
        let mut dmarc = Dmarc {
            valid: false,
            policy,
            subdomain_policy,
            nonexistent_policy,
            effective: None,
            testing,
            public_suffix: public_suffix
                .and_then(|flag| flag.chars().next())
                .unwrap_or('u'),
            dkim_alignment: self.alignment("adkim"),
            spf_alignment: self.alignment("aspf"),
            aggregate_reports,
            failure_reports,
            failure_options: self.failure_options(),
            ignored: self.without_effect(),
        };
        self.decide(text, version_fits, &mut dmarc);
        dmarc
    }

    /// RFC 9989 section 4.10.1: a faulty policy counts as `none` when there
    /// is somewhere to report to, and as no record otherwise.
    fn decide(&mut self, text: &'a str, version_fits: bool, dmarc: &mut Dmarc) {
        let faulty = dmarc.policy.is_none() || !self.sound;
        let rescued = !dmarc.aggregate_reports.is_empty();
        if self.tag("p").is_none() {
            let version = self.tags.first().map_or(text, |tag| tag.whole);
            let (rule, message) = if rescued {
                (
                    NO_POLICY,
                    "There is no `p`; receivers act as if it were `p=none`.",
                )
            } else {
                (
                    NO_POLICY_NOR_REPORTS,
                    "There is neither `p` nor a valid `rua`; receivers ignore the record.",
                )
            };
            self.scribe.flag(rule, version, message);
        }
        dmarc.valid = version_fits && (!faulty || rescued);
        if dmarc.valid {
            dmarc.effective = Some(if faulty { NOTHING } else { effective(dmarc) });
        }
    }

    fn policy(&mut self, name: &str) -> Option<Policy> {
        let tag = self.tag(name)?;
        let policy = [
            ("none", Policy::None),
            ("quarantine", Policy::Quarantine),
            ("reject", Policy::Reject),
        ]
        .into_iter()
        .find_map(|(word, policy)| tag.value.eq_ignore_ascii_case(word).then_some(policy));
        if policy.is_none() {
            self.sound = false;
            self.scribe.flag(
                BAD_POLICY,
                tag.value,
                format!(
                    "{} is no policy; `{name}` is `none`, `quarantine` or `reject`.",
                    quoted(tag.value)
                ),
            );
        }
        policy
    }

    fn one_of(&mut self, name: &str, allowed: &[&'static str]) -> Option<&'static str> {
        let tag = self.tag(name)?;
        let found = allowed
            .iter()
            .find(|word| tag.value.eq_ignore_ascii_case(word));
        if found.is_none() {
            self.scribe.flag(
                BAD_VALUE,
                tag.value,
                format!(
                    "{} is no value of `{name}`, which is one of {}; the default holds.",
                    quoted(tag.value),
                    allowed.join(", ")
                ),
            );
        }
        found.copied()
    }

    fn alignment(&mut self, name: &str) -> Alignment {
        match self.one_of(name, &["r", "s"]) {
            Some("s") => Alignment::Strict,
            _ => Alignment::Relaxed,
        }
    }

    fn failure_options(&mut self) -> Vec<String> {
        let Some(tag) = self.tag("fo") else {
            return vec!["0".to_owned()];
        };
        let options: Vec<String> = tag
            .value
            .split(':')
            .map(|option| option.trim().to_ascii_lowercase())
            .take(8)
            .collect();
        if !options
            .iter()
            .all(|option| ["0", "1", "d", "s"].contains(&option.as_str()))
        {
            self.scribe.flag(
                BAD_VALUE,
                tag.value,
                "`fo` is made of 0, 1, d and s with colons; the default 0 holds.",
            );
            return vec!["0".to_owned()];
        }
        let has = |option: &str| options.iter().any(|given| given == option);
        let distinct: BTreeSet<&String> = options.iter().collect();
        if distinct.len() < options.len() || (has("0") && has("1")) {
            self.scribe.flag(
                MIXED_OPTIONS,
                tag.value,
                "0 and 1 exclude each other and nothing is given twice; the default 0 holds.",
            );
            return vec!["0".to_owned()];
        }
        options
    }

    fn uris(&mut self, name: &str) -> Vec<ReportUri> {
        let Some(tag) = self.tag(name) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for part in tag.value.split(',') {
            let part = part.trim();
            match self.uri(part) {
                Some(uri) if found.len() < URI_LIMIT => found.push(uri),
                _ => {}
            }
        }
        found
    }

    fn uri(&mut self, part: &'a str) -> Option<ReportUri> {
        let (uri, size) = match part.split_once('!') {
            Some((uri, _)) => (uri, part.get(uri.len()..)),
            None => (part, None),
        };
        if let Some(size) = size {
            self.scribe.flag(
                SIZE_LIMIT,
                size,
                "Size limits behind `!` were removed from DMARC.",
            );
        }
        let Some((scheme, rest)) = uri.split_once(':').filter(|(scheme, _)| is_scheme(scheme))
        else {
            let hint = address_hint(part);
            self.scribe
                .flag(BAD_URI, part, format!("{} is no URI{hint}.", quoted(part)));
            return None;
        };
        if uri.contains([' ', '\t']) {
            self.scribe.flag(BAD_URI, part, tags::SPACED_URI);
            return None;
        }
        if !scheme.eq_ignore_ascii_case("mailto") {
            self.scribe.flag(
                OTHER_SCHEME,
                part,
                "Receivers need only support `mailto:`; most send nowhere else.",
            );
            return Some(ReportUri {
                uri: uri.to_owned(),
                domain: None,
            });
        }
        let address = rest.split('?').next().unwrap_or_default();
        match address.rsplit_once('@') {
            Some((local, domain)) if !local.is_empty() && is_domain(domain) => Some(ReportUri {
                uri: uri.to_owned(),
                domain: Some(domain.to_ascii_lowercase()),
            }),
            _ => {
                self.scribe.flag(
                    BAD_URI,
                    part,
                    format!("{} is no mail address.", quoted(address)),
                );
                None
            }
        }
    }

    /// Tags that do nothing: those removed and those never defined.
    fn without_effect(&mut self) -> Vec<String> {
        let mut names = Vec::new();
        for tag in self.tags.iter().copied() {
            if let Some((_, rule, advice)) = REMOVED.iter().find(|(name, _, _)| *name == tag.name) {
                self.scribe.flag(rule, tag.whole, *advice);
            } else if KNOWN.contains(&tag.name) {
                continue;
            } else {
                let close = KNOWN
                    .iter()
                    .find(|known| known.eq_ignore_ascii_case(tag.name));
                let hint = close.map_or(String::new(), |known| format!("; `{known}` may be meant"));
                self.scribe.flag(
                    UNKNOWN_TAG,
                    tag.whole,
                    format!("DMARC has no tag {}{hint}.", quoted(tag.name)),
                );
            }
            names.push(tag.name.to_owned());
        }
        names
    }

    /// What is allowed and yet worth a word.
    fn advise(&mut self, text: &'a str, dmarc: &Dmarc) {
        let version = self.tags.first().map_or(text, |tag| tag.whole);
        if let (Some(Policy::None), Some(tag)) = (dmarc.policy, self.tag("p")) {
            self.scribe.flag(
                MONITORING,
                tag.whole,
                "Failing mail is delivered; the domain is only monitored.",
            );
        }
        for (name, policy) in [
            ("sp", dmarc.subdomain_policy),
            ("np", dmarc.nonexistent_policy),
        ] {
            if let (Some(tag), Some(below), Some(above)) = (self.tag(name), policy, dmarc.policy)
                && below < above
            {
                self.scribe.flag(
                    WEAKER_BELOW,
                    tag.whole,
                    "Names below the domain are protected less than the domain.",
                );
            }
        }
        if let Some(tag) = self.tag("t").filter(|_| dmarc.testing) {
            self.scribe.flag(
                TESTING,
                tag.whole,
                "Testing: receivers are asked to apply the next weaker policy.",
            );
        }
        if let Some(tag) = self.tag("psd").filter(|_| dmarc.public_suffix == 'y') {
            self.scribe.flag(
                PUBLIC_SUFFIX,
                tag.whole,
                "Declares the domain a public suffix, under which others register names.",
            );
        }
        if self.tag("rua").is_none() {
            self.scribe.flag(
                NO_REPORTS,
                version,
                "Without `rua` nobody tells the owner about failing mail.",
            );
        }
        if let Some(tag) = self.tag("fo").filter(|_| self.tag("ruf").is_none()) {
            self.scribe.flag(
                OPTIONS_UNUSED,
                tag.whole,
                "`fo` has no effect without `ruf`.",
            );
        }
        let second = self.tags.get(1).map(|tag| tag.name);
        if let Some(tag) = self.tag("p").filter(|_| second != Some("p")) {
            self.scribe.flag(
                POLICY_NOT_SECOND,
                tag.whole,
                "Receivers that follow RFC 7489 want `p` directly behind `v`.",
            );
        }
        if let Some((at, c)) = text
            .char_indices()
            .find(|(_, c)| !matches!(c, ' '..='~' | '\t' | '\r' | '\n'))
        {
            let part = text.get(at..at + c.len_utf8()).unwrap_or(text);
            self.scribe
                .flag(NOT_ASCII, part, "DMARC records are US-ASCII.");
        }
    }
}

fn effective(dmarc: &Dmarc) -> Effective {
    let weaken = |policy: Policy| match (dmarc.testing, policy) {
        (true, Policy::Reject) => Policy::Quarantine,
        (true, _) => Policy::None,
        (false, policy) => policy,
    };
    let domain = dmarc.policy.unwrap_or(Policy::None);
    let subdomains = dmarc.subdomain_policy.unwrap_or(domain);
    Effective {
        domain: weaken(domain),
        subdomains: weaken(subdomains),
        nonexistent: weaken(dmarc.nonexistent_policy.unwrap_or(subdomains)),
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}

fn is_domain(text: &str) -> bool {
    text.contains('.')
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        })
}

const VERSION: &str = "DMARC1";
const URI_LIMIT: usize = 32;
const KNOWN: &[&str] = &[
    "v", "p", "sp", "np", "t", "psd", "adkim", "aspf", "rua", "ruf", "fo",
];

const NOTHING: Effective = Effective {
    domain: Policy::None,
    subdomains: Policy::None,
    nonexistent: Policy::None,
};

/// Tags of RFC 7489 that RFC 9989 made historic.
const REMOVED: &[(&str, &Rule, &str)] = &[
    (
        "pct",
        REMOVED_TAG,
        "`pct` was removed: receivers apply the policy to all mail; `t=y` is for testing.",
    ),
    (
        "rf",
        REMOVED_TAG,
        "`rf` was removed: there is one report format.",
    ),
    ("ri", REMOVED_TAG, "`ri` was removed: reports come daily."),
];

rules! {
    VERSION_CASE = "dmarc.version_case", High, "RFC 9989 section 4.8",
        "The version is not written `v=DMARC1`; the record is ignored.";
    NO_POLICY_NOR_REPORTS = "dmarc.no_policy_nor_reports", High, "RFC 9989 section 4.10.1",
        "Neither policy nor report address: the record is ignored.";
    NO_POLICY = "dmarc.no_policy", Medium, "RFC 9989 section 4.10.1",
        "Without `p` the record counts as `p=none`.";
    BAD_POLICY = "dmarc.bad_policy", High, "RFC 9989 section 4.7",
        "A policy has a value that does not exist.";
    BAD_VALUE = "dmarc.bad_value", Medium, "RFC 9989 section 4.7",
        "A tag has a value that does not exist.";
    BAD_URI = "dmarc.bad_uri", Medium, "RFC 9989 section 4.7",
        "A report address is malformed.";
    OTHER_SCHEME = "dmarc.other_scheme", Medium, "RFC 9990 section 2",
        "A report address is not a mail address.";
    SEVERAL = "dmarc.several_records", High, "RFC 9989 section 4.10",
        "Receivers ignore all DMARC records where a name has more than one.";
    MALFORMED = "dmarc.malformed", Medium, "RFC 9989 section 4.8",
        "Something between semicolons is no tag.";
    REPEATED = "dmarc.repeated_tag", Medium, "RFC 6376 section 3.2",
        "A tag is given twice.";
    NOT_ASCII = "dmarc.not_ascii", Medium, "RFC 9989 section 4.8",
        "The record has characters outside printable US-ASCII.";
    REMOVED_TAG = "dmarc.removed_tag", Low, "RFC 9989 section 4.7",
        "A tag of RFC 7489 no longer exists.";
    SIZE_LIMIT = "dmarc.size_limit", Low, "RFC 9989 section 4.7",
        "A report address has a size limit, which no longer exists.";
    WEAKER_BELOW = "dmarc.weaker_below", Low, "RFC 9989 section 4.7",
        "Subdomains have a weaker policy than the domain.";
    UNKNOWN_TAG = "dmarc.unknown_tag", Low, "RFC 9989 section 4.7",
        "A tag is not defined and ignored.";
    NO_REPORTS = "dmarc.no_reports", Low, "RFC 9989 section 4.7",
        "No aggregate reports are asked for.";
    MIXED_OPTIONS = "dmarc.mixed_options", Low, "RFC 9989 section 4.7",
        "`fo` combines options that exclude each other.";
    OPTIONS_UNUSED = "dmarc.options_unused", Info, "RFC 9989 section 4.7",
        "`fo` without `ruf` does nothing.";
    MONITORING = "dmarc.monitoring", Info, "RFC 9989 section 4.7",
        "The policy is `none`.";
    TESTING = "dmarc.testing", Info, "RFC 9989 section 4.7",
        "The record is marked as a test.";
    PUBLIC_SUFFIX = "dmarc.public_suffix", Info, "RFC 9989 section 4.7",
        "The domain declares itself a public suffix.";
    POLICY_NOT_SECOND = "dmarc.policy_not_second", Info, "RFC 7489 section 6.4",
        "`p` does not follow `v` directly.";
}

#[cfg(test)]
mod tests;
