//! The HTTP front on the loopback: DNS over HTTPS (RFC 8484, POST and GET) on `/dns-query`, and the
//! control endpoints of the name system. HTTP/1.1 without TLS, because that is what workerd's
//! `fetch` speaks to a loopback address.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use anyhow::{Context, Result, anyhow};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hickory_server::proto::rr::{LowerName, RData, RecordType, rdata::TXT};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, time::Instant};

use crate::{
    control::{Control, Turns},
    garble::{Answer, spoil},
    mischief::lower_name,
    resolver::{Resolver, parse},
    server::question,
};

const MESSAGE_TYPE: &str = "application/dns-message";
const MESSAGE_LIMIT: usize = 65_535;
const STAGE_LIMIT: usize = 1_048_576;

/// Serves until the process ends.
pub async fn serve(
    address: SocketAddr,
    resolver: Arc<Resolver>,
    control: Arc<Control>,
) -> Result<()> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| address.to_string())?;
    let front = Arc::new(Front { resolver, control });
    loop {
        let (stream, _) = listener.accept().await?;
        let front = front.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let front = front.clone();
                async move { Ok::<_, Infallible>(front.route(request).await) }
            });
            // A client that hangs up in the middle is no news here.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

struct Front {
    resolver: Arc<Resolver>,
    control: Arc<Control>,
}

type Reply = Response<Full<Bytes>>;

impl Front {
    async fn route(&self, request: Request<Incoming>) -> Reply {
        let query = request.uri().query().unwrap_or_default().to_owned();
        match (request.method(), request.uri().path()) {
            (&Method::POST | &Method::GET, "/dns-query") => self.dns_query(request).await,
            (&Method::GET, "/ready") => plain(StatusCode::OK, "ready\n"),
            (&Method::GET, "/queries") => json(&self.control.questions()),
            (&Method::POST, "/reset") => {
                self.control.reset();
                plain(StatusCode::NO_CONTENT, "")
            }
            (&Method::POST, "/delay") => self.set_delay(&query),
            (&Method::POST, "/flip") => self.hold(&query),
            (&Method::POST, "/answer") => self.stage(request).await,
            _ => plain(StatusCode::NOT_FOUND, "no such endpoint\n"),
        }
    }

    async fn dns_query(&self, request: Request<Incoming>) -> Reply {
        let due = Instant::now() + self.control.delay();
        let message = match message(request).await {
            Ok(message) => message,
            Err((status, why)) => return plain(status, why),
        };
        let Ok(request) = parse(message) else {
            return plain(StatusCode::BAD_REQUEST, "not a DNS message\n");
        };
        let Some(question) = question("doh", "https", &request) else {
            return plain(StatusCode::BAD_REQUEST, "not exactly one question\n");
        };
        let name = question.name.clone();
        self.control.record(question);

        let answer = match self
            .resolver
            .answer(&request)
            .await
            .and_then(|good| Ok(good.to_vec()?))
        {
            Ok(bytes) => spoil(&name, bytes),
            Err(error) => {
                eprintln!("{name}: {error:#}");
                return plain(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "the lab's resolver failed\n",
                );
            }
        };
        tokio::time::sleep_until(due + answer.hold).await;
        reply(answer)
    }

    fn set_delay(&self, query: &str) -> Reply {
        match parameter(query, "ms").and_then(|ms| ms.parse().ok()) {
            Some(ms) => {
                self.control.set_delay(ms);
                plain(StatusCode::NO_CONTENT, "")
            }
            None => plain(StatusCode::BAD_REQUEST, "send ms=WHOLE MILLISECONDS\n"),
        }
    }

    /// `{"name": N, "turns": [["A 10.0.0.1", "TXT text"], ...]}` stages a name's answers.
    async fn stage(&self, request: Request<Incoming>) -> Reply {
        let body = Limited::new(request.into_body(), STAGE_LIMIT)
            .collect()
            .await;
        let staged = body.ok().and_then(|body| staged(&body.to_bytes()).ok());
        match staged {
            Some((name, turns)) => {
                self.control.stage(name, turns);
                plain(StatusCode::NO_CONTENT, "")
            }
            None => plain(
                StatusCode::BAD_REQUEST,
                "send {name, turns: [[\"TYPE DATA\", ...], ...]}\n",
            ),
        }
    }

    /// `name=NAME&to=POSITION` holds a flipping name, `to=auto` lets it flip.
    fn hold(&self, query: &str) -> Reply {
        let name = parameter(query, "name").and_then(|name| lower_name(name).ok());
        let position = parameter(query, "to").and_then(|to| match to {
            "auto" => Some(None),
            number => number.parse().ok().map(Some),
        });
        match (name, position) {
            (Some(name), Some(position)) => {
                self.control.hold(name, position);
                plain(StatusCode::NO_CONTENT, "")
            }
            _ => plain(
                StatusCode::BAD_REQUEST,
                "send name=NAME&to=POSITION or to=auto\n",
            ),
        }
    }
}

/// A name's answers as a test writes them. The data of TXT is the text as it is; that of the other
/// types is in presentation form.
fn staged(body: &[u8]) -> Result<(LowerName, Turns)> {
    #[derive(serde::Deserialize)]
    struct Stage {
        name: String,
        turns: Vec<Vec<String>>,
    }
    let stage: Stage = serde_json::from_slice(body)?;
    let turns = stage
        .turns
        .iter()
        .map(|set| set.iter().map(|line| record(line)).collect())
        .collect::<Result<_>>()?;
    Ok((lower_name(&stage.name)?, turns))
}

fn record(line: &str) -> Result<RData> {
    let (kind, data) = line.split_once(' ').context("a record is TYPE DATA")?;
    if kind == "TXT" {
        let strings = data.as_bytes().chunks(255).collect();
        return Ok(RData::TXT(TXT::from_bytes(strings)));
    }
    let kind: RecordType = kind.parse().ok().context("no such record type")?;
    RData::try_from_str(kind, data).map_err(|error| anyhow!("{error}"))
}

/// The DNS message in a DoH request, RFC 8484 section 4.1.
async fn message(request: Request<Incoming>) -> Result<Vec<u8>, (StatusCode, &'static str)> {
    if request.method() == Method::GET {
        let text = parameter(request.uri().query().unwrap_or_default(), "dns")
            .ok_or((StatusCode::BAD_REQUEST, "the parameter dns is missing\n"))?;
        return URL_SAFE_NO_PAD.decode(text).map_err(|_| {
            (
                StatusCode::BAD_REQUEST,
                "dns is not base64url without padding\n",
            )
        });
    }
    let media_type = request.headers().get(header::CONTENT_TYPE);
    if media_type.is_none_or(|value| value != MESSAGE_TYPE) {
        return Err((
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "send application/dns-message\n",
        ));
    }
    let body = Limited::new(request.into_body(), MESSAGE_LIMIT)
        .collect()
        .await;
    body.map(|body| body.to_bytes().to_vec())
        .map_err(|_| (StatusCode::PAYLOAD_TOO_LARGE, "at most 65535 bytes\n"))
}

fn parameter<'q>(query: &'q str, name: &str) -> Option<&'q str> {
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

fn reply(answer: Answer) -> Reply {
    let mut response = Response::builder()
        .status(answer.status)
        .header(header::CONTENT_TYPE, answer.media_type)
        .header(header::CACHE_CONTROL, "no-store");
    if let Some(location) = answer.location {
        response = response.header(header::LOCATION, location);
    }
    response.body(Full::from(answer.body)).unwrap_or_default()
}

fn plain(status: StatusCode, text: &'static str) -> Reply {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    response
}

fn json(value: &impl serde::Serialize) -> Reply {
    let body = serde_json::to_vec(value).unwrap_or_default();
    Response::builder()
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::from(body))
        .unwrap_or_default()
}
