//! The floor that Rust on Workers sets: a Worker that does nothing but read and
//! answer, and one that asks a Durable Object in between. No more code than that
//! may be here, since the Worker is measured against it.

use std::sync::LazyLock;

use worker::{
    Context, DurableObject, Env, Method, Request, Response, Result, State, durable_object, event,
};

const ANSWER: &str = r#"{"answer":"fixed","reads":"the body as JSON","does":"nothing else"}"#;

/// A fixed JSON as long as the Worker's longest constant answer, its tool list.
static LONG: LazyLock<String> =
    LazyLock::new(|| format!("{{\"long\":\"{}\"}}", "x".repeat(32_000)));

/// GET: `ok`. POST: reads the body as JSON, answers a fixed JSON: on `/object`
/// after one call of a Durable Object that stores nothing, on `/long` a long one.
#[event(fetch)]
async fn fetch(mut request: Request, env: Env, _context: Context) -> Result<Response> {
    if request.method() == Method::Get {
        return Response::ok("ok");
    }
    request.json::<serde_json::Value>().await?;
    if request.path() == "/object" {
        let object = env
            .durable_object("OBJECT")?
            .id_from_name("client")?
            .get_stub()?;
        object
            .fetch_with_str("https://object/")
            .await?
            .text()
            .await?;
    }
    let mut response = match request.path().as_str() {
        "/long" => Response::ok(LONG.as_str())?,
        _ => Response::ok(ANSWER)?,
    };
    response
        .headers_mut()
        .set("content-type", "application/json")?;
    Ok(response)
}

/// Answers and stores nothing.
#[durable_object]
pub struct BareObject {}

impl DurableObject for BareObject {
    fn new(_state: State, _env: Env) -> Self {
        Self {}
    }

    async fn fetch(&self, _request: Request) -> Result<Response> {
        Response::ok("ok")
    }
}
