//! Which DMARC policy holds for a domain: its own, or the one that the tree
//! walk finds above it (RFC 9989 section 4.10), and whether the receivers of
//! its reports in other organizations have agreed to get them.

use std::rc::Rc;

use futures_util::future::join_all;
use serde::Serialize;

use crate::codec::dmarc::{self, Dmarc, Policy};
use crate::codec::{Problem, Severity};
use crate::guard::text::clean;
use crate::probe::dns::{Exchange, Resolver, Rtype};

/// Names asked above the domain. RFC 9989 walks up to eight; a public name
/// rarely has more than four labels.
const CLIMB_LIMIT: usize = 4;

/// Report receivers whose consent is looked up.
const RECEIVER_LIMIT: usize = 2;

/// Report receivers that are told of.
const TOLD_LIMIT: usize = 8;

/// The policy that holds.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The name whose record decides; `None` when there is none.
    pub domain: Option<String>,
    /// Its record.
    pub record: Option<Dmarc>,
    /// The record as published.
    pub text: String,
    /// Codes and sentences of what is wrong with it.
    pub problems: Vec<(&'static str, String)>,
    /// How many records stand at the domain itself.
    pub own: usize,
    /// What was asked above the domain, the closest first.
    pub climb: Vec<Rc<Exchange>>,
    /// Report receivers in other organizations.
    pub receivers: Vec<Receiver>,
    /// Why it is not known, where it is not: the resolver's clause.
    pub unsure: Option<String>,
}

/// A receiver of reports in another organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Receiver {
    /// Its domain.
    pub domain: String,
    /// Where its consent would stand (RFC 9990 section 3).
    pub asked: String,
    /// Whether it is there; `None` when nobody could say, or was asked.
    pub authorised: Option<bool>,
}

impl Found {
    /// Whether the policy comes from a name above.
    pub fn is_inherited(&self, domain: &str) -> bool {
        self.domain.as_deref().is_some_and(|at| at != domain)
    }

    /// What receivers do with mail of this domain that fails.
    pub fn policy(&self, domain: &str) -> Option<Policy> {
        let effective = self.record.as_ref()?.effective.as_ref()?;
        Some(match self.is_inherited(domain) {
            true => effective.subdomains,
            false => effective.domain,
        })
    }
}

/// One readable record among the texts of an answer.
struct Published {
    record: Dmarc,
    text: String,
    problems: Vec<(&'static str, String)>,
}

fn published(exchange: &Exchange) -> Vec<Published> {
    exchange
        .texts()
        .filter_map(|text| {
            let reading = dmarc::parse(text).ok()?;
            Some(Published {
                record: reading.value,
                text: text.to_owned(),
                problems: faults(reading.problems),
            })
        })
        .collect()
}

/// What is wrong with how a record is written, the gravest first. What is a
/// fact of its policy is another check's matter.
fn faults(mut problems: Vec<Problem>) -> Vec<(&'static str, String)> {
    problems
        .retain(|problem| problem.severity > Severity::Info && problem.code != "dmarc.no_reports");
    problems.sort_by_key(|problem| std::cmp::Reverse(problem.severity));
    problems
        .into_iter()
        .map(|problem| (problem.code, problem.message))
        .collect()
}

/// Several records at one name count as none.
fn single(exchange: &Exchange) -> Option<Published> {
    let mut found = published(exchange);
    let one = found.pop()?;
    found.is_empty().then_some(one)
}

/// Finds the policy of `domain`; `apex` is the zone that it belongs to.
pub async fn find(resolver: &Resolver, domain: &str, apex: Option<&str>) -> Found {
    let own = resolver
        .ask_first(&format!("_dmarc.{domain}"), Rtype::TXT)
        .await;
    if !own.is_conclusive() {
        return Found {
            unsure: Some(own.clause()),
            ..Found::default()
        };
    }
    let mut found = Found {
        own: published(&own).len(),
        ..Found::default()
    };
    match single(&own) {
        Some(one) => found.settle(domain, one),
        None => found.climb(resolver, domain).await,
    }
    found.receivers = receivers(resolver, &found, domain, apex).await;
    found
}

/// Parents, the closest first, down to the top level; from a name with more
/// than eight labels the walk goes on with seven (RFC 9989 section 4.10).
fn parents(domain: &str) -> Vec<&str> {
    let mut names: Vec<&str> = std::iter::successors(Some(domain), |name| {
        name.split_once('.').map(|(_, parent)| parent)
    })
    .skip(1)
    .filter(|name| name.split('.').count() <= 7)
    .collect();
    let beyond = names.len().saturating_sub(CLIMB_LIMIT);
    names.drain(..beyond);
    names
}

impl Found {
    fn settle(&mut self, domain: &str, one: Published) {
        self.domain = Some(domain.to_owned());
        self.record = Some(one.record);
        self.text = one.text;
        self.problems = one.problems;
    }

    async fn climb(&mut self, resolver: &Resolver, domain: &str) {
        let parents = parents(domain);
        let asked = parents.iter().map(|parent| async move {
            resolver
                .ask_first(&format!("_dmarc.{parent}"), Rtype::TXT)
                .await
        });
        self.climb = join_all(asked).await;
        if let Some(unsure) = self.climb.iter().find(|exchange| !exchange.is_conclusive()) {
            self.unsure = Some(unsure.clause());
        }
        let records: Vec<(&str, Published)> = parents
            .iter()
            .copied()
            .zip(&self.climb)
            .filter_map(|(parent, exchange)| Some((parent, single(exchange)?)))
            .collect();
        let Some((at, one)) = deciding(records, domain) else {
            return;
        };
        // What stands above a marked organization does not matter, and a top
        // level is none.
        let marked = one.record.public_suffix == 'n';
        let matters = |name: &str| name.contains('.') && (!marked || name.len() > at.len());
        let mut asked = parents.iter().zip(&self.climb);
        if !asked.any(|(name, exchange)| matters(name) && !exchange.is_conclusive()) {
            self.unsure = None;
            self.settle(&at, one);
        }
    }
}

/// The organizational domain's record, else that of the public suffix above
/// it (RFC 9989 section 4.10.2). `records` are in order, the closest first.
fn deciding(records: Vec<(&str, Published)>, domain: &str) -> Option<(String, Published)> {
    let mut last: Option<(String, Published)> = None;
    for (parent, one) in records {
        match one.record.public_suffix {
            'n' => return Some((parent.to_owned(), one)),
            // The organization is one label below: the closer record, if it
            // is there, else this one speaks for it.
            'y' => {
                let below = |name: &str| {
                    name.strip_suffix(parent)
                        .and_then(|rest| rest.strip_suffix('.'))
                        .is_some_and(|label| !label.contains('.'))
                };
                let organization = last.take().filter(|(name, _)| below(name));
                let is_own = below(domain);
                return match organization {
                    Some(organization) if !is_own => Some(organization),
                    _ => Some((parent.to_owned(), one)),
                };
            }
            _ => last = Some((parent.to_owned(), one)),
        }
    }
    last
}

async fn receivers(
    resolver: &Resolver,
    found: &Found,
    domain: &str,
    apex: Option<&str>,
) -> Vec<Receiver> {
    let Some((at, record)) = found.domain.as_deref().zip(found.record.as_ref()) else {
        return Vec::new();
    };
    let organization = apex.unwrap_or(at);
    let mut others: Vec<&str> = record
        .aggregate_reports
        .iter()
        .chain(&record.failure_reports)
        .filter_map(|uri| uri.domain.as_deref())
        .filter(|other| {
            ![at, domain, organization]
                .iter()
                .any(|own| related(other, own))
        })
        .collect();
    others.sort_unstable();
    others.dedup();
    others.truncate(TOLD_LIMIT);
    let told = others.into_iter().enumerate();
    join_all(told.map(|(nth, other)| async move {
        let asked = format!("{at}._report._dmarc.{other}");
        let authorised = match nth < RECEIVER_LIMIT {
            true => consent(resolver, at, other, &asked).await?,
            false => None,
        };
        Some(Receiver {
            domain: clean(other, 255),
            asked: clean(&asked, 255),
            authorised,
        })
    }))
    .await
    .into_iter()
    .flatten()
    .collect()
}

/// What `other` says where it is `asked`, if anybody could say; nothing at
/// all where both are one organization's, which owes itself no consent.
async fn consent(resolver: &Resolver, at: &str, other: &str, asked: &str) -> Option<Option<bool>> {
    let answer = resolver.ask(asked, Rtype::TXT).await;
    let consents = |text: &str| {
        let version = text.split(';').next().unwrap_or_default();
        version.replace([' ', '\t'], "") == "v=DMARC1"
    };
    if !answer.is_conclusive() {
        return Some(None);
    }
    if answer.texts().any(consents) {
        return Some(Some(true));
    }
    match shares_organization(resolver, at, other).await {
        Some(true) => None,
        Some(false) => Some(Some(false)),
        None => Some(None),
    }
}

/// Whether the longest name above both is an organization's, by its record
/// (RFC 9989 section 4.10.2); `None` when nobody could say.
async fn shares_organization(resolver: &Resolver, one: &str, other: &str) -> Option<bool> {
    let Some(above) = above_both(one, other) else {
        return Some(false);
    };
    let answer = resolver.ask(&format!("_dmarc.{above}"), Rtype::TXT).await;
    let own = || single(&answer).is_some_and(|found| found.record.public_suffix != 'y');
    answer.is_conclusive().then(own)
}

/// The longest name of two labels or more that both lie below.
fn above_both<'a>(one: &'a str, other: &str) -> Option<&'a str> {
    std::iter::successors(one.split_once('.'), |(_, above)| above.split_once('.'))
        .map(|(_, above)| above)
        .take_while(|above| above.contains('.'))
        .find(|above| related(other, above) && other.len() > above.len())
}

/// Whether one name is the other or lies below it.
fn related(one: &str, other: &str) -> bool {
    let below = |name: &str, above: &str| {
        name.strip_suffix(above)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    below(one, other) || (below(other, one) && one.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(text: &str) -> Published {
        Published {
            record: dmarc::parse(text).map(|reading| reading.value).unwrap(),
            text: text.to_owned(),
            problems: Vec::new(),
        }
    }

    #[test]
    fn rfc_9989_section_4_10_parents_go_to_the_top_and_long_names_jump() {
        assert_eq!(parents("a.b.net"), ["b.net", "net"]);
        assert_eq!(parents("net"), Vec::<&str>::new());
        assert_eq!(
            parents("a.b.c.d.e.f.g.h.i.j.net").last(),
            Some(&"net"),
            "the top is always asked"
        );
        assert_eq!(parents("a.b.c.d.e.f.g.h.i.j.net").len(), CLIMB_LIMIT);
    }

    #[test]
    fn rfc_9989_section_4_10_2_the_organization_decides_before_the_suffix() {
        let walk = || {
            vec![
                ("b.suffix.org", record("v=DMARC1; p=quarantine")),
                ("suffix.org", record("v=DMARC1; p=reject; psd=y")),
                ("org", record("v=DMARC1; p=none")),
            ]
        };
        let (at, _) = deciding(walk(), "a.b.suffix.org").unwrap();
        assert_eq!(at, "b.suffix.org");
        let (at, _) = deciding(walk().split_off(1), "a.b.suffix.org").unwrap();
        assert_eq!(at, "suffix.org");
    }

    #[test]
    fn rfc_9989_section_4_10_2_without_marks_the_shortest_name_decides() {
        let walk = vec![
            ("b.c.net", record("v=DMARC1; p=none")),
            ("c.net", record("v=DMARC1; p=reject")),
        ];
        assert_eq!(deciding(walk, "a.b.c.net").unwrap().0, "c.net");
        let marked = vec![
            ("b.c.net", record("v=DMARC1; p=none; psd=n")),
            ("c.net", record("v=DMARC1; p=reject")),
        ];
        assert_eq!(deciding(marked, "a.b.c.net").unwrap().0, "b.c.net");
    }

    #[test]
    fn names_of_one_organization_need_no_consent() {
        assert!(related("mail.good.net", "good.net"));
        assert!(related("good.net", "www.good.net"));
        assert!(!related("good.net", "notgood.net"));
        assert!(!related("net", "good.net"));
    }
}
