//! SPF as receivers evaluate it (RFC 7208 section 4.6.4): every record that
//! the first one includes or redirects to is read, lookups are counted over
//! all of them, and so are those that come to nothing.
//!
//! Without a sender nothing can be matched, so every term is followed, as if
//! none had matched before. Terms with macros count and are not asked.

use std::collections::BTreeSet;
use std::rc::Rc;

use futures_util::future::join_all;
use serde::Serialize;

use crate::codec::spf::{self, Name, Qualifier, Spf, Term};
use crate::guard::text::clean;
use crate::probe::dns::{Exchange, Resolver, Rtype, Status};

/// Lookups after which receivers give up.
pub const LOOKUP_LIMIT: usize = 10;

/// Lookups without an answer after which they do.
pub const VOID_LIMIT: usize = 2;

/// Mail servers of one `mx` beyond which receivers answer permerror.
const MX_LIMIT: usize = 10;

/// Characters kept of a name or record of somebody else's.
const TEXT_LIMIT: usize = 255;

/// What an evaluation came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Walk {
    /// Terms that cost a lookup, over all records. Counting ends with the
    /// record that goes beyond [`LOOKUP_LIMIT`].
    pub lookups: usize,
    /// Names whose lookup came to nothing.
    pub void: Vec<String>,
    /// Records that were included or redirected to, in order.
    pub records: Vec<Included>,
    /// What makes receivers answer permerror.
    pub faults: Vec<Fault>,
    /// Terms whose name depends on the sender.
    pub dynamic: usize,
    /// Why counting ended early, where it did: the resolver's clause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsure: Option<String>,
}

/// A record of another domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Included {
    /// Where it stands.
    pub domain: String,
    /// The record.
    pub record: String,
    /// Terms in it that cost a lookup.
    pub lookups: usize,
    /// Its rule for everybody else.
    #[serde(skip)]
    pub all: Option<Qualifier>,
    /// The domain whose record continues it.
    #[serde(skip)]
    pub redirect: Option<String>,
}

/// What makes the whole evaluation fail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "fault", content = "domain")]
pub enum Fault {
    /// A record includes itself, directly or by others.
    Loop(String),
    /// An included domain has no record.
    Missing(String),
    /// An included domain has several.
    Several(String),
    /// An included record has errors.
    Invalid(String),
    /// `mx` of a domain with more than [`MX_LIMIT`] mail servers.
    Servers(String),
}

impl Fault {
    /// A clause for titles.
    pub fn clause(&self) -> String {
        match self {
            Fault::Loop(domain) => format!("{domain} includes itself"),
            Fault::Missing(domain) => format!("{domain} is included and has no SPF record"),
            Fault::Several(domain) => format!("{domain} is included and has several SPF records"),
            Fault::Invalid(domain) => {
                format!("the record of {domain}, which is included, has errors")
            }
            Fault::Servers(domain) => {
                format!("mx leads to {domain}, which has more than {MX_LIMIT} mail servers")
            }
        }
    }
}

/// One record with the names that led to it.
struct Node {
    trail: Vec<String>,
    record: Spf,
}

impl Node {
    fn domain(&self) -> &str {
        self.trail.last().map_or("", String::as_str)
    }
}

/// One lookup and, when what it finds is a record to go on with, its trail.
struct Step {
    name: String,
    rtype: Rtype,
    trail: Option<Vec<String>>,
}

/// The SPF records among texts: what begins with a space is none (RFC 7208
/// section 4.5).
pub fn records(txt: &Exchange) -> Vec<Spf> {
    txt.texts()
        .filter(|text| !text.starts_with(char::is_whitespace))
        .filter_map(|text| spf::parse(text).ok())
        .map(|reading| reading.value)
        .collect()
}

/// The one record that receivers evaluate: of several none counts.
fn sole(txt: &Exchange) -> Option<Spf> {
    let mut records = records(txt);
    records
        .pop()
        .filter(|record| records.is_empty() && record.valid)
}

/// Whether these texts hold a record that [`walk`] evaluates.
pub fn is_walked(txt: &Exchange) -> bool {
    sole(txt).is_some()
}

/// Evaluates the record of `domain`, if it has one that is valid.
pub async fn walk(resolver: &Resolver, domain: &str, txt: &Exchange) -> Option<Walk> {
    let record = sole(txt)?;
    let mut walk = Walk::default();
    let mut level = vec![Node {
        trail: vec![domain.to_owned()],
        record,
    }];
    while !level.is_empty() {
        let steps: Vec<Step> = level.iter().flat_map(|node| walk.count(node)).collect();
        if walk.lookups > LOOKUP_LIMIT {
            break;
        }
        let answers = join_all(
            steps
                .iter()
                .map(|step| resolver.ask_extra(&step.name, step.rtype)),
        )
        .await;
        level = steps
            .into_iter()
            .zip(answers)
            .filter_map(|(step, answer)| walk.take(step, &answer))
            .collect();
    }
    walk.void.sort_unstable();
    Some(walk)
}

/// The terms that a receiver comes to: `all` ends the record, and makes
/// `redirect` have no effect wherever that stands (RFC 7208 section 6.1).
fn reached(record: &Spf) -> impl Iterator<Item = &Term> {
    let end = record.terms.iter().position(|term| term.name == Name::All);
    record
        .terms
        .iter()
        .take(end.unwrap_or(record.terms.len()))
        .filter(move |term| end.is_none() || term.name != Name::Redirect)
}

/// A domain as it is asked for.
fn plain(domain: &str) -> String {
    domain.trim_end_matches('.').to_ascii_lowercase()
}

/// Terms of one record that cost a lookup.
fn lookups(record: &Spf) -> usize {
    reached(record).filter(|term| term.lookup).count()
}

impl Walk {
    /// How the record ends that `record` redirects to, over any number of
    /// records; `None` when that is not known, or there is no rule.
    pub fn redirected(&self, record: &Spf) -> Option<Qualifier> {
        let mut target = record.redirect.as_deref();
        for _ in 0..=LOOKUP_LIMIT {
            let name = plain(target?);
            let next = self.records.iter().find(|next| next.domain == name)?;
            if next.all.is_some() {
                return next.all;
            }
            target = next.redirect.as_deref();
        }
        None
    }

    /// Counts a record's lookups and says what to ask.
    fn count(&mut self, node: &Node) -> Vec<Step> {
        let mut steps = Vec::new();
        for term in reached(&node.record).filter(|term| term.lookup) {
            self.lookups += 1;
            let name = plain(term.domain.as_deref().unwrap_or(node.domain()));
            let rtype = match term.name {
                Name::Include | Name::Redirect => Rtype::TXT,
                Name::A | Name::Exists => Rtype::A,
                Name::Mx => Rtype::MX,
                // Whose address is reversed depends on the sender.
                _ => continue,
            };
            if name.contains('%') {
                self.dynamic += 1;
                continue;
            }
            if rtype == Rtype::TXT && node.trail.contains(&name) {
                self.faults.push(Fault::Loop(clean(&name, TEXT_LIMIT)));
                continue;
            }
            let trail = (rtype == Rtype::TXT)
                .then(|| node.trail.iter().cloned().chain([name.clone()]).collect());
            steps.push(Step { name, rtype, trail });
        }
        steps
    }

    /// Takes an answer; a record to go on with comes back.
    fn take(&mut self, step: Step, answer: &Rc<Exchange>) -> Option<Node> {
        let name = clean(&step.name, TEXT_LIMIT);
        if !answer.is_conclusive() {
            self.unsure.get_or_insert_with(|| answer.clause());
            return None;
        }
        if answer.status != Status::Answer {
            let known: BTreeSet<&String> = self.void.iter().collect();
            if !known.contains(&name) {
                self.void.push(name.clone());
            }
        }
        if step.rtype == Rtype::MX && answer.data().count() + answer.unread > MX_LIMIT {
            self.faults.push(Fault::Servers(name.clone()));
        }
        let trail = step.trail?;
        let mut records = records(answer);
        let Some(record) = records.pop() else {
            self.faults.push(Fault::Missing(name));
            return None;
        };
        if !records.is_empty() {
            self.faults.push(Fault::Several(name));
            return None;
        }
        let text = answer.texts().find(|text| spf::parse(text).is_ok());
        self.records.push(Included {
            domain: name.clone(),
            record: clean(text.unwrap_or_default(), 2 * TEXT_LIMIT),
            lookups: lookups(&record),
            all: record.all,
            redirect: record.redirect.clone(),
        });
        if !record.valid {
            self.faults.push(Fault::Invalid(name));
            return None;
        }
        Some(Node { trail, record })
    }
}
