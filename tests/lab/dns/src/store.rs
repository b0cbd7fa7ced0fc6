//! The zone store, put right where it falls short of the standards the lab must keep:
//!
//! - An NS set comes without the addresses of servers that lie inside the zone they serve, which
//!   could then never be found (RFC 9471).
//! - A wildcard answers for names that exist, and for names below names that exist; and a name it
//!   does cover is denied altogether when asked for a type it lacks (RFC 4592 section 2.2.1).

use std::collections::BTreeMap;
use std::sync::Arc;

use hickory_server::{
    dnssec::NxProofKind,
    proto::{
        op::ResponseCode,
        rr::{LowerName, Name, RData, Record, RecordSet, RecordType, RrKey, TSigResponseContext},
    },
    server::{Request, RequestInfo},
    store::in_memory::InMemoryZoneHandler,
    zone_handler::{
        AuthLookup, AxfrPolicy, LookupControlFlow, LookupError, LookupOptions, LookupRecords,
        Nsec3QueryInfo, ZoneHandler, ZoneTransfer, ZoneType,
    },
};

/// A zone served from memory.
pub struct Store(pub InMemoryZoneHandler);

type Records = BTreeMap<RrKey, Arc<RecordSet>>;

/// What a zone knows of a name.
enum Standing {
    /// It owns records, or names below it do.
    Exists,
    /// A wildcard stands in for it.
    Wildcard,
    /// There is no such name.
    Absent,
}

impl Store {
    /// Corrects the store's answer to a question.
    async fn correct(
        &self,
        name: &LowerName,
        asked: RecordType,
        flow: LookupControlFlow<AuthLookup>,
    ) -> LookupControlFlow<AuthLookup> {
        let records = self.0.records().await;
        let result = match flow {
            LookupControlFlow::Continue(Ok(AuthLookup::Records {
                answers,
                additionals,
            })) => match self.standing(&records, name) {
                Standing::Exists if synthesised(&records, name, asked, &answers) => {
                    Err(LookupError::NameExists)
                }
                Standing::Absent if synthesised(&records, name, asked, &answers) => {
                    Err(LookupError::ResponseCode(ResponseCode::NXDomain))
                }
                _ => {
                    let additionals = glue(&records, &answers).or(additionals);
                    Ok(AuthLookup::answers(answers, additionals))
                }
            },
            LookupControlFlow::Continue(Err(error)) if error.is_nx_domain() => {
                match self.standing(&records, name) {
                    Standing::Wildcard => Err(LookupError::NameExists),
                    _ => Err(error),
                }
            }
            flow => return flow,
        };
        LookupControlFlow::Continue(result)
    }

    fn standing(&self, records: &Records, name: &LowerName) -> Standing {
        let exists = |name: &LowerName| records.keys().any(|key| name.zone_of(&key.name));
        if exists(name) {
            return Standing::Exists;
        }
        let mut encloser = name.base_name();
        while !exists(&encloser) && encloser != *self.0.origin() {
            encloser = encloser.base_name();
        }
        let wildcard = encloser.prepend_label("*").map(LowerName::from);
        match wildcard {
            Ok(wildcard) if records.keys().any(|key| key.name == wildcard) => Standing::Wildcard,
            _ => Standing::Absent,
        }
    }
}

/// Whether an answer was made from a wildcard: it has the asked name, and the zone has no such set.
fn synthesised(
    records: &Records,
    name: &LowerName,
    asked: RecordType,
    answers: &LookupRecords,
) -> bool {
    let held = |kind| records.contains_key(&RrKey::new(name.clone(), kind));
    let owned = answers
        .iter()
        .next()
        .is_some_and(|record| record.name == **name);
    owned
        && asked != RecordType::ANY
        && !held(asked)
        && ![RecordType::CNAME, RecordType::NS].into_iter().any(held)
}

/// The addresses a zone holds for the servers of an NS set, be they below a cut or not.
fn glue(records: &Records, answers: &LookupRecords) -> Option<LookupRecords> {
    let kinds = [RecordType::A, RecordType::AAAA];
    let glue: Vec<Record> = answers
        .iter()
        .filter_map(name_server)
        .flat_map(|server| kinds.map(|kind| RrKey::new(LowerName::from(server), kind)))
        .filter_map(|key| records.get(&key))
        .flat_map(|set| set.records_without_rrsigs().cloned())
        .collect();
    answers
        .iter()
        .any(|record| name_server(record).is_some())
        .then_some(LookupRecords::Section(glue))
}

fn name_server(record: &Record) -> Option<&Name> {
    match &record.data {
        RData::NS(server) => Some(&server.0),
        _ => None,
    }
}

#[async_trait::async_trait]
impl ZoneHandler for Store {
    fn zone_type(&self) -> ZoneType {
        self.0.zone_type()
    }

    fn axfr_policy(&self) -> AxfrPolicy {
        self.0.axfr_policy()
    }

    fn origin(&self) -> &LowerName {
        self.0.origin()
    }

    async fn lookup(
        &self,
        name: &LowerName,
        rtype: RecordType,
        info: Option<&RequestInfo<'_>>,
        options: LookupOptions,
    ) -> LookupControlFlow<AuthLookup> {
        let flow = self.0.lookup(name, rtype, info, options).await;
        self.correct(name, rtype, flow).await
    }

    async fn search(
        &self,
        request: &Request,
        options: LookupOptions,
    ) -> (LookupControlFlow<AuthLookup>, Option<TSigResponseContext>) {
        let (flow, signer) = self.0.search(request, options).await;
        match request.request_info() {
            Ok(info) => {
                let query = info.query;
                (
                    self.correct(query.name(), query.query_type(), flow).await,
                    signer,
                )
            }
            Err(_) => (flow, signer),
        }
    }

    async fn nsec_records(
        &self,
        name: &LowerName,
        options: LookupOptions,
    ) -> LookupControlFlow<AuthLookup> {
        self.0.nsec_records(name, options).await
    }

    async fn nsec3_records(
        &self,
        info: Nsec3QueryInfo<'_>,
        options: LookupOptions,
    ) -> LookupControlFlow<AuthLookup> {
        // The catalog asks for a denial with every answer, also where nothing is denied; a
        // validator that finds one takes the answer for a wildcard's.
        let records = self.0.records().await;
        let held = |kind| records.contains_key(&RrKey::new(info.qname.clone(), kind));
        if !info.has_wildcard_match && (held(info.qtype) || held(RecordType::CNAME)) {
            return LookupControlFlow::Continue(Ok(AuthLookup::default()));
        }
        drop(records);
        self.0.nsec3_records(info, options).await
    }

    async fn zone_transfer(
        &self,
        request: &Request,
        options: LookupOptions,
        now: u64,
    ) -> Option<(
        Result<ZoneTransfer, LookupError>,
        Option<TSigResponseContext>,
    )> {
        self.0.zone_transfer(request, options, now).await
    }

    fn nx_proof_kind(&self) -> Option<&NxProofKind> {
        self.0.nx_proof_kind()
    }
}
