//! One TCP conversation with an authoritative server (RFC 7766): does it know
//! the zone, and does it give all of it away (AXFR, RFC 5936)?
//!
//! Other questions about the zone ride on the connection ([`super::riders`]).
//!
//! Records that come are counted and forgotten: that a zone is open is the
//! finding, what it holds is none of our business.

use std::time::Duration;

use domain::base::iana::Rcode;
use domain::base::{Message, MessageBuilder, Name};
use serde::Serialize;
use std::str::FromStr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Failure;
use super::dns::{self, Exchange, Rtype};
use super::net::{Line, Net};
use super::riders::{Rider, Riders};
use crate::guard::Guard;

/// Until the connection stands.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);

/// Until one answer is there.
const ANSWER_LIMIT: Duration = Duration::from_secs(3);

/// Messages of a transfer that are read: enough to know that it is one.
const MESSAGE_LIMIT: usize = 4;

/// Ids of our two questions; those of riders count on from the third.
const SOA_ID: u16 = 0x6e72;
const AXFR_ID: u16 = 0x6e73;
const RIDER_ID: u16 = 0x6e74;

/// The RD bit in the third octet of a message.
const RECURSION_DESIRED: u8 = 0x01;

/// What a server said of a zone.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Transfer {
    /// The address that was spoken to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Whether it answered with authority for the zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authoritative: Option<bool>,
    /// The response code of that answer.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub rcode: String,
    /// What came of asking for the whole zone.
    pub outcome: Outcome,
}

/// What came of asking for the whole zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Records came: at least this many.
    Open(usize),
    /// The server declined, with a response code or by closing.
    Closed(String),
    /// It could not be asked.
    Failed(Failure),
}

/// Speaks to a server at its first address, if that may be spoken to. What it
/// says to riders they are told.
pub async fn probe(
    net: &Net,
    guard: &Guard,
    zone: &str,
    (server, v4): (&str, &Exchange),
    riders: &Riders,
) -> Transfer {
    let mut said = Transfer {
        address: None,
        authoritative: None,
        rcode: String::new(),
        outcome: Outcome::Failed(Failure::TimedOut),
    };
    let failed = |said: Transfer, failure: Failure| Transfer {
        outcome: Outcome::Failed(failure),
        ..said
    };
    let Some(ip) = v4.addresses().next() else {
        return failed(said, Failure::Blocked("the server has no address"));
    };
    let Ok(address) = guard.judge_name_server(server, ip) else {
        let why = Failure::Skipped("the server's address may not be connected to");
        return failed(said, why);
    };
    let line = match net.connect_beside(&address, CONNECT_LIMIT).await {
        Ok(line) => line,
        Err(failure) => return failed(said, failure),
    };
    said.address = Some(address.ip().to_string());
    let taken = riders.take();
    let carries = !taken.is_empty();
    let own = Rider::new(server, Rtype::AAAA);
    let soa = (Rider::new(zone, Rtype::SOA), SOA_ID);
    let others = taken.into_iter().chain([own]).zip(RIDER_ID..);
    let mut talk = Talk {
        line,
        carries,
        riders,
        // What it knows of the zone comes first: it may close at the rest.
        questions: [soa].into_iter().chain(others).filter_map(ride).collect(),
    };
    let limit = CONNECT_LIMIT + ANSWER_LIMIT;
    // What was said until then stands.
    let _ = net.within(limit, talk.hold(net, zone, &mut said)).await;
    talk.settle();
    said
}

/// A question as it is sent: nothing is asked recursively.
fn ride((rider, id): (Rider, u16)) -> Option<(u16, Rider, Vec<u8>)> {
    let mut query = dns::query(&rider.name, rider.rtype)?;
    query
        .get_mut(..2)?
        .copy_from_slice(id.to_be_bytes().as_slice());
    *query.get_mut(2)? &= !RECURSION_DESIRED;
    Some((id, rider, query))
}

struct Talk<'a> {
    line: Line,
    riders: &'a Riders,
    /// Whether all riders are on this one.
    carries: bool,
    /// Riders by id, each with its message; answered ones leave.
    questions: Vec<(u16, Rider, Vec<u8>)>,
}

impl Talk<'_> {
    async fn hold(&mut self, net: &Net, zone: &str, said: &mut Transfer) -> Result<(), Failure> {
        let riders = self
            .questions
            .iter()
            .filter_map(|(_, _, wire)| framed(wire));
        let last = question(zone, Rtype::AXFR, AXFR_ID);
        let wire: Vec<u8> = riders.chain(last).flatten().collect();
        if let Err(failure) = self.send(&wire).await {
            said.outcome = Outcome::Failed(failure);
            return Ok(());
        }
        let mut records = 0;
        let mut decided = false;
        for _ in 0..MESSAGE_LIMIT + self.questions.len() {
            if decided && self.questions.is_empty() {
                return Ok(());
            }
            let bytes = match net.within(ANSWER_LIMIT, self.receive()).await {
                Ok(bytes) => bytes,
                Err(_) if decided => return Ok(()),
                Err(failure) => {
                    said.outcome = ended(records, said.authoritative, failure);
                    return Ok(());
                }
            };
            let Ok(message) = Message::from_octets(bytes.as_slice()) else {
                continue;
            };
            let counts = message.header_counts();
            let code = message.header().rcode();
            let id = message.header().id();
            if id == SOA_ID && said.authoritative.is_none() {
                let knows = message.header().aa() && code == Rcode::NOERROR && counts.ancount() > 0;
                said.authoritative = Some(knows);
                said.rcode = code.to_string();
            }
            match id {
                AXFR_ID if decided => {}
                AXFR_ID if code != Rcode::NOERROR => {
                    said.outcome = Outcome::Closed(code.to_string());
                    decided = true;
                }
                AXFR_ID => {
                    records += usize::from(counts.ancount());
                    // A lone SOA may be all that one may have (RFC 5936
                    // section 2.2): a second record makes it a transfer.
                    if records > 1 && said.authoritative.is_some() {
                        said.outcome = Outcome::Open(records);
                        decided = true;
                    }
                }
                id => self.answered(id, &bytes),
            }
        }
        if !decided {
            let failure = Failure::malformed("more messages than were asked for");
            said.outcome = ended(records, said.authoritative, failure);
        }
        Ok(())
    }

    /// A rider's answer; a refusal, or one without authority as a referral is
    /// one, is none.
    fn answered(&mut self, id: u16, bytes: &[u8]) {
        let Some(at) = self.questions.iter().position(|(own, _, _)| *own == id) else {
            return;
        };
        let (_, rider, query) = self.questions.swap_remove(at);
        let exchange = dns::read(&rider.name, rider.rtype, &query, bytes);
        if exchange.flags.contains(&"aa") && exchange.is_conclusive() {
            self.riders.hear(exchange);
        }
        if self.questions.is_empty() {
            self.settle();
        }
    }

    fn settle(&self) {
        if self.carries {
            self.riders.settle();
        }
    }

    async fn send(&mut self, wire: &[u8]) -> Result<(), Failure> {
        self.line.write_all(wire).await.map_err(broken)?;
        self.line.flush().await.map_err(broken)
    }

    /// One message behind its two-octet length.
    async fn receive(&mut self) -> Result<Vec<u8>, Failure> {
        let length = self.line.read_u16().await.map_err(broken)?;
        let mut message = vec![0; usize::from(length)];
        self.line.read_exact(&mut message).await.map_err(broken)?;
        Ok(message)
    }
}

/// What a conversation that ends early came to: a server that answered the
/// first question and then closed has declined the second.
fn ended(records: usize, authoritative: Option<bool>, failure: Failure) -> Outcome {
    match failure {
        _ if records > 1 => Outcome::Open(records),
        Failure::Unreachable(_) if authoritative.is_some() => {
            Outcome::Closed(String::from("closed"))
        }
        failure => Outcome::Failed(failure),
    }
}

fn broken(error: std::io::Error) -> Failure {
    crate::port::NetError::Failed(error.to_string()).into()
}

/// A question behind its length; nothing is asked recursively.
fn question(zone: &str, rtype: Rtype, id: u16) -> Option<Vec<u8>> {
    let name = Name::<Vec<u8>>::from_str(zone).ok()?;
    let mut builder = MessageBuilder::new_vec();
    builder.header_mut().set_id(id);
    let mut question = builder.question();
    question.push((name, rtype)).ok()?;
    framed(&question.finish())
}

/// A message behind its length, as TCP carries it (RFC 1035 section 4.2.2).
fn framed(message: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(message.len()).ok()?;
    Some([length.to_be_bytes().as_slice(), message].concat())
}
