//! The validating resolver: hickory's recursor with the lab's root key as its only trust anchor,
//! plus the one thing it leaves out, an extended error (RFC 8914) that says why an answer failed.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
};

use anyhow::{Context, Result, anyhow};
use hickory_server::{
    net::{
        runtime::{Time, TokioRuntimeProvider},
        xfer::Protocol,
    },
    proto::{
        dnssec::rdata::DNSSECRData,
        op::{Edns, Message, Metadata, ResponseCode},
        rr::{Name, RData, Record, rdata::opt::EdnsOption},
    },
    resolver::recursor::{DnssecPolicyConfig, RecursiveConfig, RecursorOptions},
    server::{Request, RequestHandler, ResponseHandler, ResponseInfo},
    store::recursor::RecursiveZoneHandler,
    zone_handler::{Catalog, ZoneHandler, ZoneType},
};
use time::OffsetDateTime;

use crate::{
    capture::{capture, respond},
    mischief::Mischief,
    zones::{Internet, Tier},
};

/// The EDNS option code of an extended error.
const EXTENDED_ERROR: u16 = 15;

/// What RFC 8914 section 4 calls the reasons that can be told here.
#[derive(Clone, Copy)]
enum Reason {
    Bogus = 6,
    SignatureExpired = 7,
    RrsigsMissing = 10,
    NoReachableAuthority = 22,
}

impl Reason {
    fn text(self) -> &'static str {
        match self {
            Self::Bogus => "the signatures do not lead to the trust anchor",
            Self::SignatureExpired => "the signatures have expired",
            Self::RrsigsMissing => "the parent promises signatures, the zone has none",
            Self::NoReachableAuthority => "no name server of the zone gave an answer",
        }
    }

    fn option(self) -> EdnsOption {
        let code = (self as u16).to_be_bytes();
        EdnsOption::Unknown(
            EXTENDED_ERROR,
            [code.as_slice(), self.text().as_bytes()].concat(),
        )
    }
}

/// The resolver behind both faces.
pub struct Resolver {
    catalog: Catalog,
}

impl Resolver {
    /// Writes root hints and trust anchor into `state` (a test may hand them to other resolvers)
    /// and starts with an empty cache.
    pub async fn new(internet: &Internet, state: &Path, flips: Arc<Mischief>) -> Result<Self> {
        let hints = state.join("root.hints");
        let anchor = state.join("trust-anchor");
        fs::write(&hints, root_hints(internet)?).context("cannot write the root hints")?;
        fs::write(&anchor, &internet.trust_anchor).context("cannot write the trust anchor")?;

        let config = RecursiveConfig {
            roots: hints,
            dnssec_policy: DnssecPolicyConfig::ValidateWithStaticKey {
                path: Some(anchor),
                nsec3_soft_iteration_limit: None,
                nsec3_hard_iteration_limit: None,
                validation_cache_size: None,
            },
            options: RecursorOptions::default(),
        };
        let recursor = RecursiveZoneHandler::try_from_config(
            Name::root(),
            ZoneType::External,
            config,
            None,
            TokioRuntimeProvider::default(),
        )
        .await
        .map_err(|error| anyhow!(error))?;

        let mut catalog = Catalog::new();
        let chain: Vec<Arc<dyn ZoneHandler>> =
            vec![Arc::new(flips.before_resolver()), Arc::new(recursor)];
        catalog.upsert(Name::root().into(), chain);
        Ok(Self { catalog })
    }

    /// The whole answer to a question, with the extended error where one applies.
    pub async fn answer(&self, request: &Request) -> Result<Message> {
        let mut message = self.ask(request).await?;
        let failed = message.metadata.response_code == ResponseCode::ServFail;
        if failed && !request.metadata.checking_disabled && message.edns.is_some() {
            let reason = self.reason(request).await?;
            if let Some(edns) = &mut message.edns {
                edns.options_mut().insert(reason.option());
            }
        }
        Ok(message)
    }

    async fn ask(&self, request: &Request) -> Result<Message> {
        let mut message = capture(&self.catalog, request).await?;
        order_chain(&mut message);
        Ok(message)
    }

    /// Why a question failed: asks once more with checking disabled and looks at what comes.
    async fn reason(&self, request: &Request) -> Result<Reason> {
        let info = request.request_info().map_err(|error| anyhow!("{error}"))?;
        let mut unchecked = Message::query();
        unchecked.metadata.recursion_desired = true;
        unchecked.metadata.checking_disabled = true;
        unchecked.add_query(info.query.original().clone());
        let mut edns = Edns::new();
        edns.set_dnssec_ok(true);
        unchecked.set_edns(edns);

        let answer = self.ask(&parse(unchecked.to_vec()?)?).await?;
        if answer.metadata.response_code == ResponseCode::ServFail {
            return Ok(Reason::NoReachableAuthority);
        }
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let expirations: Vec<i64> = answer.all_sections().filter_map(expiration).collect();
        Ok(match expirations.as_slice() {
            [] => Reason::RrsigsMissing,
            some if some.iter().all(|expiration| *expiration < now) => Reason::SignatureExpired,
            _ => Reason::Bogus,
        })
    }
}

#[async_trait::async_trait]
impl RequestHandler for Resolver {
    async fn handle_request<R: ResponseHandler, T: Time>(
        &self,
        request: &Request,
        response_handle: R,
    ) -> ResponseInfo {
        let message = self.answer(request).await.unwrap_or_else(|error| {
            eprintln!("the resolver failed: {error:#}");
            let Metadata { id, op_code, .. } = request.metadata;
            Message::error_msg(id, op_code, ResponseCode::ServFail)
        });
        respond(request, &message, response_handle).await
    }
}

/// Puts the aliases before what they lead to. The recursor appends in the order of its errands, and
/// the system's stub resolver reads an answer only forwards.
fn order_chain(message: &mut Message) {
    let Some(query) = message.queries.first() else {
        return;
    };
    let mut owner = query.name().clone();
    let mut rest = std::mem::take(&mut message.answers);
    loop {
        let (here, elsewhere): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|record| record.name == owner);
        let next = here.iter().find_map(|record| match &record.data {
            RData::CNAME(target) => Some(target.0.clone()),
            _ => None,
        });
        message.answers.extend(here);
        rest = elsewhere;
        match next {
            Some(target) if !rest.is_empty() => owner = target,
            _ => break,
        }
    }
    message.answers.extend(rest);
}

/// A question that came over anything but a socket of the server's own.
pub fn parse(bytes: Vec<u8>) -> Result<Request> {
    let nobody = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Ok(Request::from_bytes(bytes, nobody, Protocol::Tcp)?)
}

fn root_hints(internet: &Internet) -> Result<String> {
    let roots = internet.tiers.get(&Tier::Root).context("no root servers")?;
    let lines = roots.iter().map(|address| {
        let kind = if address.is_ipv4() { "A" } else { "AAAA" };
        format!("a.root-servers.net. 3600000 IN {kind} {address}\n")
    });
    Ok(". 3600000 IN NS a.root-servers.net.\n"
        .chars()
        .chain(lines.collect::<String>().chars())
        .collect())
}

/// When a signature's time is over, in seconds since 1970.
fn expiration(record: &Record) -> Option<i64> {
    match &record.data {
        RData::DNSSEC(DNSSECRData::RRSIG(rrsig)) => Some(rrsig.input().sig_expiration.get().into()),
        _ => None,
    }
}
