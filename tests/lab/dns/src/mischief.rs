//! Names whose answers no zone file can hold: they flip from one question to the next, refuse, never
//! answer, or answer what a test has just staged. A handler in front of the zones (and of the resolver, so that a flip is exactly
//! one question of the client, whatever the resolver asks behind it) that passes on every name it
//! does not own.

use std::{collections::HashMap, net::IpAddr, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use hickory_server::{
    dnssec::NxProofKind,
    proto::{
        op::ResponseCode,
        rr::{LowerName, Name, RData, Record, RecordType, TSigResponseContext},
    },
    server::{Request, RequestInfo},
    zone_handler::{
        AuthLookup, AxfrPolicy, LookupControlFlow, LookupError, LookupOptions, LookupRecords,
        Nsec3QueryInfo, ZoneHandler, ZoneTransfer, ZoneType,
    },
};
use serde::Deserialize;

use crate::control::Control;

/// How long a silent name keeps a question before it is dropped for good: longer than any client
/// waits, short enough that nothing piles up.
const SILENCE: Duration = Duration::from_secs(60);

/// One entry of `mischief` in `zones.json`.
#[derive(Clone, Debug, Deserialize)]
pub struct Prank {
    /// The full name.
    pub name: String,
    /// What it does.
    #[serde(flatten)]
    pub act: Act,
}

/// What a mischievous name does.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "act", rename_all = "camelCase")]
pub enum Act {
    /// Answers with the next list of addresses at every question, TTL 0, starting over at the end
    /// or staying at the last one.
    Flip {
        /// The answers in order; an empty list is NODATA.
        answers: Vec<Vec<IpAddr>>,
        /// Stay at the last list instead of starting over.
        #[serde(default)]
        stay: bool,
    },
    /// REFUSED by the authority, which a resolver turns into SERVFAIL.
    Refuse,
    /// No answer at all.
    Silent,
}

/// The names and their acts.
pub struct Mischief {
    root: LowerName,
    zone_type: ZoneType,
    acts: HashMap<LowerName, Act>,
    control: Arc<Control>,
}

impl Mischief {
    /// Reads the names; fails on one that is not a domain name.
    pub fn new(pranks: &[Prank], control: Arc<Control>) -> Result<Self> {
        let acts = pranks
            .iter()
            .map(|prank| Ok((lower_name(&prank.name)?, prank.act.clone())))
            .collect::<Result<_>>()?;
        Ok(Self {
            root: Name::root().into(),
            zone_type: ZoneType::Primary,
            acts,
            control,
        })
    }

    /// The flipping names only: what stands before the resolver, which must meet refusal and
    /// silence at the authority like any other resolver.
    pub fn before_resolver(&self) -> Self {
        let acts = self
            .acts
            .iter()
            .filter(|(_, act)| matches!(act, Act::Flip { .. }));
        Self {
            root: self.root.clone(),
            zone_type: ZoneType::External,
            acts: acts
                .map(|(name, act)| (name.clone(), act.clone()))
                .collect(),
            control: self.control.clone(),
        }
    }

    /// The set of a name's next turn: the sets come in order, and then from the start again or the
    /// last one for good. An empty set is NODATA.
    fn turn<T: Clone>(
        &self,
        name: &LowerName,
        kind: RecordType,
        sets: &[Vec<T>],
        stay: bool,
    ) -> Vec<T> {
        let turn = self.control.turn(name, kind);
        let last = sets.len().saturating_sub(1);
        let position = if stay {
            turn.min(last)
        } else {
            turn % sets.len().max(1)
        };
        sets.get(position).cloned().unwrap_or_default()
    }

    /// What a test has staged for a name, or nothing.
    fn staged(&self, name: &LowerName, kind: RecordType) -> LookupControlFlow<AuthLookup> {
        match self.control.staged(name) {
            Some(turns) if self.zone_type == ZoneType::External => {
                answer(name, kind, self.turn(name, kind, &turns, true))
            }
            _ => LookupControlFlow::Skip,
        }
    }
}

/// The records of one type, TTL 0.
fn answer(name: &LowerName, kind: RecordType, set: Vec<RData>) -> LookupControlFlow<AuthLookup> {
    let records = set
        .into_iter()
        .filter(|data| data.record_type() == kind)
        .map(|data| Record::from_rdata(name.into(), 0, data))
        .collect();
    LookupControlFlow::Break(Ok(AuthLookup::answers(
        LookupRecords::Section(records),
        None,
    )))
}

#[async_trait::async_trait]
impl ZoneHandler for Mischief {
    fn zone_type(&self) -> ZoneType {
        self.zone_type
    }

    fn axfr_policy(&self) -> AxfrPolicy {
        AxfrPolicy::Deny
    }

    fn origin(&self) -> &LowerName {
        &self.root
    }

    async fn lookup(
        &self,
        name: &LowerName,
        rtype: RecordType,
        _request_info: Option<&RequestInfo<'_>>,
        _options: LookupOptions,
    ) -> LookupControlFlow<AuthLookup> {
        let Some(act) = self.acts.get(name) else {
            return self.staged(name, rtype);
        };
        match act {
            Act::Flip { .. } if !rtype.is_ip_addr() => LookupControlFlow::Skip,
            Act::Flip { answers, stay } => {
                let addresses = self.turn(name, rtype, answers, *stay);
                answer(
                    name,
                    rtype,
                    addresses.into_iter().map(RData::from).collect(),
                )
            }
            Act::Refuse => refused(),
            Act::Silent => {
                tokio::time::sleep(SILENCE).await;
                refused()
            }
        }
    }

    async fn search(
        &self,
        request: &Request,
        options: LookupOptions,
    ) -> (LookupControlFlow<AuthLookup>, Option<TSigResponseContext>) {
        let flow = match request.request_info() {
            Ok(info) => {
                let query = info.query;
                self.lookup(query.name(), query.query_type(), Some(&info), options)
                    .await
            }
            Err(error) => LookupControlFlow::Break(Err(error)),
        };
        (flow, None)
    }

    async fn nsec_records(
        &self,
        _name: &LowerName,
        _options: LookupOptions,
    ) -> LookupControlFlow<AuthLookup> {
        LookupControlFlow::Skip
    }

    async fn nsec3_records(
        &self,
        _info: Nsec3QueryInfo<'_>,
        _options: LookupOptions,
    ) -> LookupControlFlow<AuthLookup> {
        LookupControlFlow::Skip
    }

    async fn zone_transfer(
        &self,
        _request: &Request,
        _options: LookupOptions,
        _now: u64,
    ) -> Option<(
        Result<ZoneTransfer, LookupError>,
        Option<TSigResponseContext>,
    )> {
        None
    }

    fn nx_proof_kind(&self) -> Option<&NxProofKind> {
        None
    }
}

fn refused() -> LookupControlFlow<AuthLookup> {
    LookupControlFlow::Break(Err(LookupError::ResponseCode(ResponseCode::Refused)))
}

/// A fully qualified name in lower case.
pub fn lower_name(text: &str) -> Result<LowerName> {
    let mut name = Name::from_utf8(text).with_context(|| format!("not a domain name: {text}"))?;
    name.set_fqdn(true);
    Ok(name.into())
}
