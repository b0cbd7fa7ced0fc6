//! DNS over HTTPS in wire format (RFC 8484): one question, one typed answer.
//!
//! A failed measurement and a negative answer are different things here:
//! [`Status`] tells "there is none" from "nobody could say". The same question
//! is never sent twice in one call.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::str::FromStr;
use std::time::Duration;

use domain::base::iana::{OptRcode, Rtype as WireType};
use domain::base::message::RecordSection;
use domain::base::opt::{Opt, OptRecord, UnknownOptData};
use domain::base::{Message, MessageBuilder, Name};
use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, Shared};
use schemars::JsonSchema;
use serde::Serialize;

use super::Failure;
use super::net::Net;
use super::rdata::{self, Data};
use super::slots::Priority;
use crate::guard::text::clean;
use crate::port::Ask;

/// A record type.
pub type Rtype = WireType;

/// One query's share of time.
const LIMIT: Duration = Duration::from_secs(4);

/// The largest DNS message there is.
const MESSAGE_CAP: usize = 65_535;

/// Records kept per section.
const RECORD_LIMIT: usize = 100;

const MEDIA_TYPE: &str = "application/dns-message";

/// The CD bit in the fourth octet of a message.
const CHECKING_DISABLED: u8 = 0x10;

/// How a question was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Status {
    /// There are records of this type.
    Answer,
    /// The name exists without records of this type.
    NoData,
    /// The name does not exist.
    NxDomain,
    /// The resolver could not find out: DNSSEC bogus, or servers broken.
    ServFail,
    /// Another response code than the above.
    Refused,
    /// The resolver gave only a part of the answer.
    Truncated,
    /// The resolver itself answered nothing that could be read.
    Unanswered,
}

/// One question with what came back.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Exchange {
    /// The name that was asked for, without the final dot.
    pub name: String,
    /// The type that was asked for.
    #[serde(rename = "type", serialize_with = "mnemonic")]
    #[schemars(with = "String")]
    pub rtype: Rtype,
    /// How it was answered.
    pub status: Status,
    /// Response code with its extension (RFC 6891), e.g. `NOERROR`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rcode: String,
    /// Header flags that were set: `aa`, `tc`, `rd`, `ra`, `ad`, `cd`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<&'static str>,
    /// The answer section: aliases first, then records of the type.
    pub records: Vec<Record>,
    /// How many records the answer had besides those listed: at most 100 are read.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unread: usize,
    /// RRSIG records of the answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signatures: Vec<Record>,
    /// The authority section of a negative answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authority: Vec<Record>,
    /// Extended errors (RFC 8914).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extended: Vec<ExtendedError>,
    /// Why nothing came back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// One resource record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Record {
    /// Its owner.
    pub name: String,
    /// Its type.
    #[serde(rename = "type", serialize_with = "mnemonic")]
    #[schemars(with = "String")]
    pub rtype: Rtype,
    /// Seconds it may be kept.
    pub ttl: u32,
    /// Its data as members.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub data: Data,
    /// Its data in presentation form.
    pub text: String,
}

/// An extended DNS error (RFC 8914).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct ExtendedError {
    /// The info code.
    pub code: u16,
    /// Its registered purpose, where it has one.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub purpose: &'static str,
    /// What the resolver added.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
}

fn mnemonic<S: serde::Serializer>(rtype: &Rtype, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(rtype)
}

impl Exchange {
    /// Whether the resolver said what there is, be it nothing.
    pub fn is_conclusive(&self) -> bool {
        matches!(
            self.status,
            Status::Answer | Status::NoData | Status::NxDomain
        )
    }

    /// Whether the resolver validated the answer (RFC 4035 section 3.2.3).
    pub fn is_authenticated(&self) -> bool {
        self.flags.contains(&"ad")
    }

    /// Data of the records of the asked type.
    pub fn data(&self) -> impl Iterator<Item = &Data> {
        self.records
            .iter()
            .filter(|r| r.rtype == self.rtype)
            .map(|r| &r.data)
    }

    /// Addresses of an A or AAAA answer.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.data().filter_map(|data| match data {
            Data::Address { address } => Some(*address),
            _ => None,
        })
    }

    /// Whether there certainly is no address.
    pub fn leads_nowhere(&self) -> bool {
        self.is_conclusive() && self.addresses().next().is_none()
    }

    /// Why no address is known in either family, though there may be one; `v6`
    /// where it was asked for.
    pub fn why_unknown(v4: &Exchange, v6: Option<&Exchange>) -> Option<String> {
        let exchanges = || std::iter::once(v4).chain(v6);
        let known = exchanges().any(|exchange| exchange.addresses().next().is_some());
        let unsure = exchanges().find(|exchange| !exchange.is_conclusive());
        unsure.filter(|_| !known).map(|exchange| exchange.clause())
    }

    /// Targets of an NS, PTR or CNAME answer.
    pub fn targets(&self) -> impl Iterator<Item = &str> {
        self.data().filter_map(|data| match data {
            Data::Name { target } => Some(target.as_str()),
            _ => None,
        })
    }

    /// Values of a TXT answer.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.data().filter_map(|data| match data {
            Data::Txt { value, .. } => Some(value.as_str()),
            _ => None,
        })
    }

    /// Names that the asked one is an alias of, in order.
    pub fn aliases(&self) -> impl Iterator<Item = &str> {
        let aliasing = |record: &&Record| record.rtype == Rtype::CNAME;
        self.records
            .iter()
            .filter(aliasing)
            .filter_map(|record| match &record.data {
                Data::Name { target } => Some(target.as_str()),
                _ => None,
            })
    }

    /// A clause for titles: why this exchange gives no conclusion.
    pub fn clause(&self) -> String {
        match (&self.failure, self.status) {
            (Some(failure), _) => format!("the resolver gave no answer: {}", failure.clause()),
            (None, Status::Truncated) => {
                String::from("the resolver gave only a part of the answer")
            }
            (None, _) => match self.extended.first() {
                Some(error) => format!(
                    "the resolver answered {} ({} {})",
                    self.rcode, error.code, error.purpose
                ),
                None => format!("the resolver answered {}", self.rcode),
            },
        }
    }

    fn failed(name: &str, rtype: Rtype, failure: Failure) -> Exchange {
        Exchange {
            failure: Some(failure),
            ..Exchange::empty(name, rtype, Status::Unanswered)
        }
    }

    fn empty(name: &str, rtype: Rtype, status: Status) -> Exchange {
        Exchange {
            name: name.to_owned(),
            rtype,
            status,
            rcode: String::new(),
            flags: Vec::new(),
            records: Vec::new(),
            unread: 0,
            signatures: Vec::new(),
            authority: Vec::new(),
            extended: Vec::new(),
            failure: None,
        }
    }
}

/// One question: name, type, whether validation is switched off.
type Question = (String, Rtype, bool);

type Pending = Shared<LocalBoxFuture<'static, Rc<Exchange>>>;

/// The resolver of one call. Cheap to clone.
#[derive(Clone)]
pub struct Resolver {
    net: Net,
    asked: Rc<RefCell<HashMap<Question, Pending>>>,
}

impl Resolver {
    /// A resolver that has been asked nothing yet.
    pub fn new(net: Net) -> Resolver {
        Resolver {
            net,
            asked: Rc::default(),
        }
    }

    /// Asks for `name` (ASCII, no final dot). A question that was asked
    /// before in this call is answered from memory.
    pub async fn ask(&self, name: &str, rtype: Rtype) -> Rc<Exchange> {
        self.question(name, rtype, false, Priority::Normal).await
    }

    /// Asks before others: something waits for the answer.
    pub async fn ask_first(&self, name: &str, rtype: Rtype) -> Rc<Exchange> {
        self.question(name, rtype, false, Priority::First).await
    }

    /// Asks after others, if the call's share of subrequests allows.
    pub async fn ask_extra(&self, name: &str, rtype: Rtype) -> Rc<Exchange> {
        self.question(name, rtype, false, Priority::Extra).await
    }

    /// Asks with what everybody else has left over.
    pub async fn ask_last(&self, name: &str, rtype: Rtype) -> Rc<Exchange> {
        self.question(name, rtype, false, Priority::Last).await
    }

    /// Takes what a zone's own server said: whoever asks from now on gets it.
    /// What was asked before stands.
    pub fn learn(&self, exchange: Exchange) {
        let key = (exchange.name.to_ascii_lowercase(), exchange.rtype, false);
        let known = std::future::ready(Rc::new(exchange)).boxed_local().shared();
        self.asked.borrow_mut().entry(key).or_insert(known);
    }

    /// Whether a question was asked, or learned the answer of.
    pub fn knows(&self, name: &str, rtype: Rtype) -> bool {
        let key = (name.to_ascii_lowercase(), rtype, false);
        self.asked.borrow().contains_key(&key)
    }

    /// Asks with validation switched off (the CD bit, RFC 4035 section
    /// 3.2.2): what a resolver calls bogus is answered then.
    pub async fn ask_unvalidated(&self, name: &str, rtype: Rtype) -> Rc<Exchange> {
        self.question(name, rtype, true, Priority::Normal).await
    }

    async fn question(
        &self,
        name: &str,
        rtype: Rtype,
        unvalidated: bool,
        priority: Priority,
    ) -> Rc<Exchange> {
        let key = (name.to_ascii_lowercase(), rtype, unvalidated);
        let known = self.asked.borrow().get(&key).cloned();
        let pending = match known {
            Some(pending) => pending,
            None => {
                let (net, name) = (self.net.clone(), key.0.clone());
                let pending = async move {
                    Rc::new(exchange(&net, &name, rtype, unvalidated, priority).await)
                }
                .boxed_local()
                .shared();
                self.asked.borrow_mut().insert(key, pending.clone());
                pending
            }
        };
        pending.await
    }
}

async fn exchange(
    net: &Net,
    name: &str,
    rtype: Rtype,
    unvalidated: bool,
    priority: Priority,
) -> Exchange {
    let Some(mut query) = query(name, rtype) else {
        return Exchange::failed(
            name,
            rtype,
            Failure::malformed("not a name that DNS can carry"),
        );
    };
    if unvalidated && let Some(flags) = query.get_mut(3) {
        *flags |= CHECKING_DISABLED;
    }
    let ask = Ask {
        endpoint: &net.config().doh,
        suffix: "",
        media_type: MEDIA_TYPE,
        body: Some(&query),
        cap: MESSAGE_CAP,
    };
    let answer = match net.ask(ask, priority, LIMIT).await {
        Ok(answer) => answer,
        Err(failure) => return Exchange::failed(name, rtype, failure),
    };
    if answer.status != 200 || answer.truncated {
        let how = format!("HTTP status {} from the resolver", answer.status);
        return Exchange::failed(name, rtype, Failure::Unreachable(how));
    }
    read(name, rtype, &query, &answer.body)
}

/// A query with id 0 (RFC 8484 section 4.1), recursion desired and, by EDNS,
/// room for a large answer and a wish for DNSSEC records. `None` when `name`
/// cannot be put into wire form.
pub fn query(name: &str, rtype: Rtype) -> Option<Vec<u8>> {
    let name = Name::<Vec<u8>>::from_str(name).ok()?;
    let mut builder = MessageBuilder::new_vec();
    builder.header_mut().set_rd(true);
    let mut question = builder.question();
    question.push((name, rtype)).ok()?;
    let mut additional = question.additional();
    additional
        .opt(|opt| {
            opt.set_udp_payload_size(4096);
            opt.set_dnssec_ok(true);
            Ok(())
        })
        .ok()?;
    Some(additional.finish())
}

/// Reads an answer to `query`. Never fails: what cannot be read is a
/// [`Status::Unanswered`] that says why.
pub fn read(name: &str, rtype: Rtype, query: &[u8], answer: &[u8]) -> Exchange {
    match parse(name, rtype, query, answer) {
        Ok(exchange) => exchange,
        Err(how) => Exchange::failed(name, rtype, Failure::malformed(how)),
    }
}

fn parse(name: &str, rtype: Rtype, query: &[u8], answer: &[u8]) -> Result<Exchange, &'static str> {
    let query = Message::from_slice(query).map_err(|_| "short query")?;
    let message = Message::from_octets(answer).map_err(|_| "short message")?;
    let header = message.header();
    if !header.qr() {
        return Err("a query instead of an answer");
    }
    if header.id() != query.header().id() {
        return Err("an answer with another id");
    }
    if message.sole_question().ok() != query.sole_question().ok() {
        return Err("an answer to another question");
    }
    let broken = |_| "a message that breaks the wire format";
    let mut answer = message.answer().map_err(broken)?;
    let mut records = section(&mut answer)?;
    let behind = answer.next_section().map_err(broken)?;
    let mut behind = behind.ok_or("a message without a second section")?;
    let authority = section(&mut behind)?;
    let opt = opt(behind);
    let rcode = match &opt {
        Some(opt) => opt.rcode(header),
        None => header.rcode().into(),
    };
    let signs = |record: &mut Record| record.rtype == Rtype::RRSIG && rtype != Rtype::RRSIG;
    let signatures: Vec<_> = records.extract_if(.., signs).collect();
    records.truncate(RECORD_LIMIT);
    let status = match rcode {
        _ if header.tc() => Status::Truncated,
        OptRcode::NOERROR if records.iter().any(|r| r.rtype == rtype) => Status::Answer,
        OptRcode::NOERROR => Status::NoData,
        OptRcode::NXDOMAIN => Status::NxDomain,
        OptRcode::SERVFAIL => Status::ServFail,
        _ => Status::Refused,
    };
    let listed = records.len() + signatures.len();
    Ok(Exchange {
        unread: usize::from(message.header_counts().ancount()).saturating_sub(listed),
        rcode: rcode.to_string(),
        flags: flags(header),
        extended: opt.map(|opt| extended(opt.opt())).unwrap_or_default(),
        authority: match status {
            Status::NoData | Status::NxDomain => authority,
            _ => Vec::new(),
        },
        records,
        signatures,
        ..Exchange::empty(name, rtype, status)
    })
}

/// The records of a section, from which the next may be gone on to.
fn section(section: &mut RecordSection<'_, &[u8]>) -> Result<Vec<Record>, &'static str> {
    section
        .by_ref()
        .take(2 * RECORD_LIMIT)
        .map(|record| {
            let record = record.map_err(|_| "a record that breaks the wire format")?;
            let data = rdata::read(&record);
            Ok(Record {
                name: rdata::name(&record.owner()),
                rtype: record.rtype(),
                ttl: record.ttl().as_secs(),
                text: data.text(),
                data,
            })
        })
        .collect()
}

/// The OPT record behind the authority section.
fn opt<'a>(authority: RecordSection<'a, &'a [u8]>) -> Option<OptRecord<&'a [u8]>> {
    let additional = authority.next_section().ok()??;
    let opt = additional.limit_to::<Opt<_>>().next()?;
    opt.ok().map(OptRecord::from)
}

fn flags(header: domain::base::Header) -> Vec<&'static str> {
    [
        ("aa", header.aa()),
        ("tc", header.tc()),
        ("rd", header.rd()),
        ("ra", header.ra()),
        ("ad", header.ad()),
        ("cd", header.cd()),
    ]
    .into_iter()
    .filter_map(|(flag, set)| set.then_some(flag))
    .collect()
}

/// The extended errors of an OPT record: option 15, a code, then UTF-8 text.
fn extended(opt: &Opt<&[u8]>) -> Vec<ExtendedError> {
    const EXTENDED_ERROR: u16 = 15;
    opt.iter::<UnknownOptData<_>>()
        .filter_map(Result::ok)
        .filter(|option| option.code().to_int() == EXTENDED_ERROR)
        .filter_map(|option| match option.as_slice() {
            [high, low, text @ ..] => {
                let code = u16::from_be_bytes([*high, *low]);
                let text = String::from_utf8_lossy(text);
                Some(ExtendedError {
                    code,
                    purpose: purpose(code),
                    text: clean(text.trim_end_matches('\0'), 160),
                })
            }
            _ => None,
        })
        .take(8)
        .collect()
}

/// The registry of RFC 8914 section 4, as extended since.
const fn purpose(code: u16) -> &'static str {
    match code {
        0 => "Other Error",
        1 => "Unsupported DNSKEY Algorithm",
        2 => "Unsupported DS Digest Type",
        3 => "Stale Answer",
        4 => "Forged Answer",
        5 => "DNSSEC Indeterminate",
        6 => "DNSSEC Bogus",
        7 => "Signature Expired",
        8 => "Signature Not Yet Valid",
        9 => "DNSKEY Missing",
        10 => "RRSIGs Missing",
        11 => "No Zone Key Bit Set",
        12 => "NSEC Missing",
        13 => "Cached Error",
        14 => "Not Ready",
        15 => "Blocked",
        16 => "Censored",
        17 => "Filtered",
        18 => "Prohibited",
        19 => "Stale NXDOMAIN Answer",
        20 => "Not Authoritative",
        21 => "Not Supported",
        22 => "No Reachable Authority",
        23 => "Network Error",
        24 => "Invalid Data",
        25 => "Signature Expired before Valid",
        26 => "Too Early",
        27 => "Unsupported NSEC3 Iterations Value",
        28 => "Unable to conform to policy",
        29 => "Synthesized",
        30 => "Invalid Query Type",
        _ => "",
    }
}
