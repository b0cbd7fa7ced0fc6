//! A tier's authority: hickory's catalog, put right in two things it does in its own way.
//!
//! - A question for the NS set of a delegated zone is a referral: the parent is not authoritative
//!   for it, so the set belongs into the authority section and AA is not set (RFC 1034 section
//!   4.3.2, RFC 2181 section 6.1). Otherwise a resolver would take the parent's word for the
//!   child's.
//! - A zone transfer may come in any number of messages (RFC 5936 section 2.2). The catalog sends
//!   one; a client that was only ever tried against that reads one and stops. Zones that ask for it
//!   are sent in pieces.

use std::collections::HashSet;

use anyhow::Result;
use hickory_server::{
    net::runtime::Time,
    proto::{
        op::{Message, Metadata, ResponseCode},
        rr::{LowerName, Record, RecordType},
    },
    server::{Request, RequestHandler, ResponseHandler, ResponseInfo},
    zone_handler::{Catalog, LookupOptions, MessageResponseBuilder},
};

use crate::capture::{capture, respond, unsent};

/// Records per message of a transfer in pieces.
const PIECE: usize = 3;

/// The zones of one tier.
#[derive(Default)]
pub struct Authority {
    /// The zones.
    pub catalog: Catalog,
    /// Those whose transfer comes in pieces.
    pub in_pieces: HashSet<LowerName>,
}

impl Authority {
    async fn answer(&self, request: &Request) -> Result<Message> {
        let mut message = capture(&self.catalog, request).await?;
        if self.refers(&message) {
            let answers = std::mem::take(&mut message.answers);
            message.authorities.extend(answers);
            message.metadata.authoritative = false;
        }
        Ok(message)
    }

    /// Whether an answer is about the NS set of a zone below the one it comes from.
    fn refers(&self, message: &Message) -> bool {
        let found = message
            .answers
            .iter()
            .chain(&message.authorities)
            .find(|record| record.record_type() == RecordType::NS);
        let (Some(ns), Some(query)) = (found, message.queries.first()) else {
            return false;
        };
        let asked = LowerName::from(query.name());
        let apexes = self
            .catalog
            .find(&asked)
            .into_iter()
            .flatten()
            .map(|handler| handler.origin());
        message.metadata.response_code == ResponseCode::NoError
            && !apexes
                .into_iter()
                .any(|apex| *apex == LowerName::from(&ns.name))
    }

    async fn records(&self, request: &Request) -> Option<Vec<Record>> {
        let info = request.request_info().ok()?;
        let zone = info.query.name();
        if info.query.query_type() != RecordType::AXFR || !self.in_pieces.contains(zone) {
            return None;
        }
        let options = LookupOptions::from_edns(request.edns.as_ref());
        for handler in self.catalog.find(zone)? {
            if let Some((Ok(transfer), _)) = handler.zone_transfer(request, options, 0).await {
                return Some(transfer.iter().cloned().collect());
            }
        }
        None
    }
}

#[async_trait::async_trait]
impl RequestHandler for Authority {
    async fn handle_request<R: ResponseHandler, T: Time>(
        &self,
        request: &Request,
        mut response_handle: R,
    ) -> ResponseInfo {
        let Some(records) = self.records(request).await else {
            return match self.answer(request).await {
                Ok(message) => respond(request, &message, response_handle).await,
                Err(error) => {
                    eprintln!("an authority failed: {error:#}");
                    unsent(request)
                }
            };
        };
        let mut metadata = Metadata::response_from_request(&request.metadata);
        metadata.authoritative = true;
        let mut sent = unsent(request);
        for piece in records.chunks(PIECE) {
            let builder = MessageResponseBuilder::new(&request.queries, None);
            let response = builder.build(metadata, piece, [], [], []);
            match response_handle.send_response(response).await {
                Ok(info) => sent = info,
                Err(error) => {
                    eprintln!("the transfer broke off: {error}");
                    break;
                }
            }
        }
        sent
    }
}
