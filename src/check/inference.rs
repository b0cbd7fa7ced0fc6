//! Whose network, firewall and machines the host stands on, inferred from
//! names, header fields, cookies and the announcing network. The signs are
//! data, in `data/inference.tsv`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::http;
use super::{Case, Check};
use crate::report::{Confidence, Finding};

checks! {
    CDN {
        id: "inference.cdn",
        about: "Which content delivery network the host stands behind, by signs that its provider documents. A \
            sign can be imitated, and a network need not show one.",
        reference: "src/check/data/inference.tsv",
        reproduce: "dig {host} CNAME +short; curl -sSI {page}",
        maps_to: [],
    }

    WAF {
        id: "inference.waf",
        about: "Which web application firewall answers for the host. What it lets through may differ for \
            others.",
        reference: "src/check/data/inference.tsv",
        reproduce: "curl -sSI {page}",
        maps_to: ["owasp:WSTG-INFO-10"],
    }

    HOSTING {
        id: "inference.hosting",
        about: "On whose machines or platform the host runs, as far as it shows.",
        reference: "src/check/data/inference.tsv",
        reproduce: "dig {host} CNAME +short; curl -sSI {page}",
        maps_to: [],
    }
}

/// Where a sign stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Alias,
    Field,
    Cookie,
    Asn,
}

/// One line of the data.
#[derive(Debug)]
struct Sign {
    kind: &'static str,
    place: Place,
    sign: &'static str,
    whose: &'static str,
}

static SIGNS: LazyLock<Vec<Sign>> = LazyLock::new(|| {
    let text = include_str!("data/inference.tsv");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(sign).collect()
});

fn sign(line: &'static str) -> Option<Sign> {
    let mut parts = line.split('\t');
    Some(Sign {
        kind: parts.next()?,
        place: match parts.next()? {
            "alias" => Place::Alias,
            "field" => Place::Field,
            "cookie" => Place::Cookie,
            "asn" => Place::Asn,
            _ => return None,
        },
        sign: parts.next()?,
        whose: parts.next()?,
    })
}

pub(super) fn run(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let view = View::of(case);
    for (check, kind, what) in [
        (CDN, "cdn", "content delivery network"),
        (WAF, "waf", "web application firewall"),
        (HOSTING, "hosting", "hoster"),
    ] {
        one(case, check, &view, kind, what, findings);
    }
}

fn one(
    case: &Case<'_>,
    check: &Check,
    view: &View,
    kind: &str,
    what: &str,
    findings: &mut Vec<Finding>,
) {
    let mut seen: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for sign in SIGNS.iter().filter(|sign| sign.kind == kind) {
        if let Some(pointer) = view.shows(sign) {
            seen.entry(sign.whose).or_default().push(pointer);
        }
    }
    if seen.is_empty() {
        let draft = match view.is_blind() {
            true => case.inconclusive(check, "neither names nor answers of the host are known"),
            false => case.info(check, format!("No {what} shows itself.")),
        };
        return draft.add(findings);
    }
    let named: Vec<&str> = seen.keys().copied().collect();
    let mut draft = case.info(check, format!("Signs of a {what}: {}.", named.join(", ")));
    // Two signs of one provider in different places are hard to come by
    // otherwise.
    let sure = seen.values().any(|pointers| {
        pointers
            .first()
            .is_some_and(|first| pointers.iter().any(|other| other != first))
    });
    draft = draft.confidence(if sure {
        Confidence::High
    } else {
        Confidence::Medium
    });
    let mut pointers: Vec<&str> = seen.values().flatten().copied().collect();
    pointers.dedup();
    for pointer in pointers.into_iter().take(4) {
        draft = draft.evidence(pointer);
    }
    draft.add(findings);
}

/// What signs are looked for in, with where it stands in the report.
struct View {
    aliases: Vec<String>,
    fields: Vec<(String, String, String)>,
    cookies: Vec<String>,
    cookies_at: String,
    asn: Option<u32>,
}

impl View {
    fn of(case: &Case<'_>) -> View {
        let a = case.probes.records("a");
        let page = http::page(case);
        View {
            aliases: a
                .into_iter()
                .flat_map(|a| a.aliases())
                .map(|name| name.trim_end_matches('.').to_ascii_lowercase())
                .collect(),
            fields: page
                .iter()
                .flat_map(|page| {
                    page.response.fields.iter().map(|(name, value)| {
                        (name.clone(), value.to_ascii_lowercase(), page.header(name))
                    })
                })
                .collect(),
            cookies: page
                .iter()
                .flat_map(|page| page.journey.cookies(case.probes.now()))
                .map(|cookie| cookie.name)
                .collect(),
            cookies_at: page.map_or(String::new(), |page| {
                format!("/http/{}/cookies", page.member)
            }),
            asn: match &case.probes.origin {
                Some(Ok(origin)) if origin.asn != 0 => Some(origin.asn),
                _ => None,
            },
        }
    }

    fn is_blind(&self) -> bool {
        self.fields.is_empty() && self.asn.is_none() && self.aliases.is_empty()
    }

    /// Where in the report the sign shows.
    fn shows(&self, sign: &Sign) -> Option<&str> {
        match sign.place {
            Place::Alias => self
                .aliases
                .iter()
                .any(|name| name.ends_with(sign.sign))
                .then_some("/dns/a/records"),
            Place::Asn => {
                let number: u32 = sign.sign.parse().ok()?;
                (self.asn == Some(number)).then_some("/origin/asn")
            }
            Place::Cookie => self
                .cookies
                .iter()
                .any(|name| name.starts_with(sign.sign))
                .then_some(self.cookies_at.as_str()),
            Place::Field => {
                let (name, text) = sign.sign.split_once(": ").unwrap_or((sign.sign, ""));
                let text = text.to_ascii_lowercase();
                self.fields
                    .iter()
                    .find(|(known, value, _)| known == name && value.contains(&text))
                    .map(|(_, _, place)| place.as_str())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_read_and_well_formed() {
        let text = include_str!("data/inference.tsv");
        assert!(text.contains("# Source: ") && text.contains("# Date: "));
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(SIGNS.len(), lines.len());
        for (at, line) in lines.iter().enumerate() {
            assert_eq!(line.split('\t').count(), 4, "{line}");
            assert!(!lines[..at].contains(line), "twice: {line}");
        }
        for sign in SIGNS.iter() {
            assert!(["cdn", "waf", "hosting"].contains(&sign.kind), "{sign:?}");
            let lower = sign.sign == sign.sign.to_ascii_lowercase();
            match sign.place {
                Place::Alias => assert!(sign.sign.starts_with('.') && lower, "{sign:?}"),
                Place::Asn => assert!(sign.sign.parse::<u32>().is_ok(), "{sign:?}"),
                Place::Field => {
                    let name = sign.sign.split(':').next().unwrap();
                    assert_eq!(name, name.to_ascii_lowercase(), "{sign:?}");
                }
                Place::Cookie => assert!(!sign.sign.contains('='), "{sign:?}"),
            }
        }
    }

    #[test]
    fn a_sign_shows_in_its_own_place_only() {
        let view = View {
            aliases: vec![String::from("d111.cloudfront.net")],
            fields: vec![(
                String::from("server"),
                String::from("cloudflare"),
                String::from("/x"),
            )],
            cookies: vec![String::from("BIGipServerpool")],
            cookies_at: String::from("/c"),
            asn: Some(54113),
        };
        let shown = |kind: &str| -> Vec<&str> {
            let signs = SIGNS
                .iter()
                .filter(|sign| sign.kind == kind && view.shows(sign).is_some());
            signs.map(|sign| sign.whose).collect()
        };
        assert_eq!(shown("cdn"), ["Amazon CloudFront", "Cloudflare", "Fastly"]);
        assert_eq!(shown("waf"), ["F5 BIG-IP"]);
        assert_eq!(shown("hosting"), Vec::<&str>::new());
    }
}
