//! One TCP conversation with an authoritative server (RFC 7766): does it know
//! the zone, and does it give all of it away (AXFR, RFC 5936)?
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
use super::dns::{Exchange, Rtype};
use super::net::{Line, Net};
use crate::guard::Guard;

/// Until the connection stands.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);

/// Until one answer is there.
const ANSWER_LIMIT: Duration = Duration::from_secs(3);

/// Messages of a transfer that are read: enough to know that it is one.
const MESSAGE_LIMIT: usize = 4;

/// Ids of our two questions; one connection carries no others.
const SOA_ID: u16 = 0x6e72;
const AXFR_ID: u16 = 0x6e73;

/// What a server said of a zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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

/// Speaks to a server at its first address, if that may be spoken to.
pub async fn probe(net: &Net, guard: &Guard, zone: &str, server: &str, v4: &Exchange) -> Transfer {
    let nothing = |failure: Failure| Transfer {
        address: None,
        authoritative: None,
        rcode: String::new(),
        outcome: Outcome::Failed(failure),
    };
    let Some(ip) = v4.addresses().next() else {
        return nothing(Failure::Blocked("the server has no address"));
    };
    let Ok(address) = guard.judge_name_server(server, ip) else {
        return nothing(Failure::Skipped(
            "the server's address may not be connected to",
        ));
    };
    let mut talk = match net.connect(&address, CONNECT_LIMIT).await {
        Ok(line) => Talk { line },
        Err(failure) => return nothing(failure),
    };
    let said = Transfer {
        address: Some(address.ip().to_string()),
        ..nothing(Failure::TimedOut)
    };
    net.within(CONNECT_LIMIT + ANSWER_LIMIT, async {
        Ok(talk.hold(net, zone, said).await)
    })
    .await
    .unwrap_or_else(nothing)
}

struct Talk {
    line: Line,
}

impl Talk {
    async fn hold(&mut self, net: &Net, zone: &str, mut said: Transfer) -> Transfer {
        let questions = [
            question(zone, Rtype::SOA, SOA_ID),
            question(zone, Rtype::AXFR, AXFR_ID),
        ];
        let wire: Vec<u8> = questions.into_iter().flatten().flatten().collect();
        if let Err(failure) = self.send(&wire).await {
            return Transfer {
                outcome: Outcome::Failed(failure),
                ..said
            };
        }
        let mut records = 0;
        for _ in 0..MESSAGE_LIMIT {
            let bytes = match net.within(ANSWER_LIMIT, self.receive()).await {
                Ok(bytes) => bytes,
                Err(failure) => {
                    return Transfer {
                        outcome: ended(records, said.authoritative, failure),
                        ..said
                    };
                }
            };
            let Ok(message) = Message::from_octets(bytes) else {
                continue;
            };
            let counts = message.header_counts();
            let code = message.header().rcode();
            match message.header().id() {
                SOA_ID => {
                    let knows =
                        message.header().aa() && code == Rcode::NOERROR && counts.ancount() > 0;
                    said.authoritative = Some(knows);
                    said.rcode = code.to_string();
                }
                AXFR_ID if code != Rcode::NOERROR => {
                    return Transfer {
                        outcome: Outcome::Closed(code.to_string()),
                        ..said
                    };
                }
                AXFR_ID => {
                    records += usize::from(counts.ancount());
                    // A lone SOA may be all that one may have (RFC 5936
                    // section 2.2): a second record makes it a transfer.
                    if records > 1 && said.authoritative.is_some() {
                        return Transfer {
                            outcome: Outcome::Open(records),
                            ..said
                        };
                    }
                }
                _ => {}
            }
        }
        let outcome = ended(
            records,
            said.authoritative,
            Failure::malformed("more messages than were asked for"),
        );
        Transfer { outcome, ..said }
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
    let message = question.finish();
    let length = u16::try_from(message.len()).ok()?;
    Some([length.to_be_bytes().as_slice(), &message].concat())
}
