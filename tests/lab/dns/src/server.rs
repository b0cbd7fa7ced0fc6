//! Sockets: one server per tier of authority and one for the stub resolver, each keeping the log.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use hickory_server::{
    Server,
    net::{runtime::Time, xfer::Protocol},
    proto::rr::RecordType,
    server::{Request, RequestHandler, ResponseHandler, ResponseInfo},
    zone_handler::ZoneHandler,
};
use tokio::net::{TcpListener, UdpSocket};

use crate::{
    authority::Authority,
    control::{Control, Question},
    mischief::Mischief,
    resolver::Resolver,
    store::Store,
    zones::{Internet, Tier},
};

/// Where the system's stub resolver asks.
const STUB: (&str, u16) = ("127.0.0.1", 53);
const TCP_IDLE: Duration = Duration::from_secs(10);
const TCP_QUEUE: usize = 64;

/// A running server; dropped, it stops.
pub type Running = Box<dyn Send>;

/// Starts the authoritative servers of every tier.
pub async fn authoritative(
    internet: Internet,
    mischief: &Arc<Mischief>,
    control: &Arc<Control>,
) -> Result<Vec<Running>> {
    let mut authorities: BTreeMap<Tier, Authority> = internet
        .tiers
        .keys()
        .map(|tier| (*tier, Authority::default()))
        .collect();
    for zone in internet.zones {
        let authority = authorities
            .get_mut(&zone.tier)
            .context("a zone without servers")?;
        if zone.in_pieces {
            authority.in_pieces.insert(zone.origin.clone());
        }
        let handlers: Vec<Arc<dyn ZoneHandler>> =
            vec![mischief.clone(), Arc::new(Store(zone.handler))];
        authority.catalog.upsert(zone.origin, handlers);
    }

    let mut running: Vec<Running> = Vec::new();
    for (tier, authority) in authorities {
        let addresses = internet.tiers.get(&tier).into_iter().flatten();
        let face = Face {
            name: tier.face(),
            inner: authority,
            control: control.clone(),
        };
        running.push(listen(face, addresses.map(|address| (*address, 53))).await?);
    }
    Ok(running)
}

/// Starts the stub's resolver.
pub async fn stub(resolver: Arc<Resolver>, control: &Arc<Control>) -> Result<Running> {
    let face = Face {
        name: "stub",
        inner: Shared(resolver),
        control: control.clone(),
    };
    listen(face, [(STUB.0.parse()?, STUB.1)]).await
}

async fn listen<H: RequestHandler>(
    handler: H,
    addresses: impl IntoIterator<Item = (IpAddr, u16)>,
) -> Result<Running> {
    let mut server = Server::new(handler);
    for address in addresses {
        let place = || format!("port {} of {}", address.1, address.0);
        server.register_socket(UdpSocket::bind(address).await.with_context(place)?);
        let listener = TcpListener::bind(address).await.with_context(place)?;
        server.register_listener(listener, TCP_IDLE, TCP_QUEUE);
    }
    Ok(Box::new(server))
}

/// Writes each question into the log before it is answered, and holds zone transfers back by the
/// lab's delay: they are the one thing the Worker asks an authority itself.
struct Face<H> {
    name: &'static str,
    inner: H,
    control: Arc<Control>,
}

#[async_trait::async_trait]
impl<H: RequestHandler> RequestHandler for Face<H> {
    async fn handle_request<R: ResponseHandler, T: Time>(
        &self,
        request: &Request,
        response_handle: R,
    ) -> ResponseInfo {
        let transport = if request.protocol() == Protocol::Udp {
            "udp"
        } else {
            "tcp"
        };
        if let Some(question) = question(self.name, transport, request) {
            self.control.record(question);
        }
        let transfer = request
            .request_info()
            .is_ok_and(|info| info.query.query_type() == RecordType::AXFR);
        if transfer {
            tokio::time::sleep(self.control.delay()).await;
        }
        self.inner
            .handle_request::<R, T>(request, response_handle)
            .await
    }
}

/// The log line for a request with exactly one question.
pub fn question(
    face: &'static str,
    transport: &'static str,
    request: &Request,
) -> Option<Question> {
    let info = request.request_info().ok()?;
    let name = info.query.name().to_string();
    Some(Question {
        face,
        transport,
        name: if name == "." {
            name
        } else {
            name.trim_end_matches('.').to_owned()
        },
        r#type: info.query.query_type().to_string(),
        dnssec_ok: request
            .edns
            .as_ref()
            .is_some_and(|edns| edns.flags().dnssec_ok),
        checking_disabled: request.metadata.checking_disabled,
    })
}

/// The resolver, shared with the DoH front.
struct Shared(Arc<Resolver>);

#[async_trait::async_trait]
impl RequestHandler for Shared {
    async fn handle_request<R: ResponseHandler, T: Time>(
        &self,
        request: &Request,
        response_handle: R,
    ) -> ResponseInfo {
        self.0
            .handle_request::<R, T>(request, response_handle)
            .await
    }
}
