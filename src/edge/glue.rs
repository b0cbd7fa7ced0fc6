//! What `glue.js` does beside us, as Rust calls it: the crossings that calls
//! make often, each made once.

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use worker::web_sys::{Request, Response};
use worker::{Env, worker_sys};

/// Answers one request: with a response, or with a promise of one. The text is
/// its verb and URL with a space between, in the lines after that what
/// [`fields`] answers, or nothing. The body is there when it was read ahead.
pub type Handler = dyn Fn(Request, Env, worker_sys::Context, String, Option<Vec<u8>>) -> JsValue;

#[wasm_bindgen(module = "/src/edge/glue.js")]
extern "C" {
    /// Names the header fields that [`fields`] answers, one per line, and
    /// gives the function that answers.
    pub fn prepare(names: &str, handler: JsValue);

    /// Reads the body, unless it is large or of unknown length, and has the
    /// request answered.
    pub fn arrive(request: Request, env: Env, context: worker_sys::Context) -> JsValue;

    /// The wanted fields, one per line: `:value`, or nothing.
    pub fn fields(request: &Request) -> String;

    /// An answer; `lines` are names and values of its header fields in turn.
    #[wasm_bindgen(catch)]
    pub fn reply(status: u16, lines: &str, body: &[u8]) -> Result<Response, JsValue>;

    /// The same; whatever had the same `key` before had the same body.
    #[wasm_bindgen(catch, js_name = replyKept)]
    pub fn reply_kept(
        status: u16,
        lines: &str,
        key: usize,
        body: &[u8],
    ) -> Result<Response, JsValue>;

    /// Writes a line to the console.
    pub fn line(text: &str);

    /// Asks the object of `CLIENTS` that bears `name`.
    #[wasm_bindgen(catch)]
    pub async fn ask(env: &Env, name: &str, path: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_name = post)]
    async fn post_json(
        env: &Env,
        binding: &str,
        name: &str,
        url: &str,
        json: &[u8],
    ) -> Result<JsValue, JsValue>;

    /// A request to the outside and its answer.
    pub type Exchange;

    /// Sends a request, with a body as POST; `lines` as in [`reply`]. Of the
    /// answer's body at most `cap` bytes are kept.
    #[wasm_bindgen(catch, constructor)]
    pub fn new(
        url: &str,
        lines: &str,
        body: Option<&[u8]>,
        cap: usize,
    ) -> Result<Exchange, JsValue>;

    /// Resolves once the answer is there: what follows may be asked then.
    #[wasm_bindgen(method, getter)]
    pub fn ended(this: &Exchange) -> Promise;

    #[wasm_bindgen(method, getter)]
    pub fn status(this: &Exchange) -> u16;

    /// Its header fields, as in [`reply`].
    #[wasm_bindgen(method, getter)]
    pub fn lines(this: &Exchange) -> String;

    #[wasm_bindgen(method, getter)]
    pub fn body(this: &Exchange) -> Vec<u8>;

    /// Whether the body went on behind the cap.
    #[wasm_bindgen(method, getter)]
    pub fn truncated(this: &Exchange) -> bool;

    /// Ends it before its end.
    #[wasm_bindgen(method, js_name = drop)]
    pub fn give_up(this: &Exchange);

    /// A TCP connection.
    pub type Line;

    /// Begins to connect to an address.
    #[wasm_bindgen(catch, constructor)]
    pub fn new(host: &str, port: u16) -> Result<Line, JsValue>;

    /// Resolves once it stands.
    #[wasm_bindgen(method, getter)]
    pub fn opened(this: &Line) -> Promise;

    /// The next bytes, a `Uint8Array`; an empty one at the end.
    #[wasm_bindgen(method)]
    pub fn read(this: &Line) -> Promise;

    /// Sends bytes; nobody is told how that went.
    #[wasm_bindgen(method)]
    pub fn write(this: &Line, bytes: &[u8]);

    /// Ends what we have to say.
    #[wasm_bindgen(method)]
    pub fn shut(this: &Line) -> Promise;

    #[wasm_bindgen(method)]
    pub fn close(this: &Line);

    /// Whether a signature by ECDSA is right: `r` and `s` of `signature`, each
    /// as long as a coordinate, of `message` by the key `point`.
    #[wasm_bindgen(catch)]
    pub async fn verify(
        curve: &str,
        hash: &str,
        point: &[u8],
        signature: &[u8],
        message: &[u8],
    ) -> Result<JsValue, JsValue>;

    /// Whether a model is bound as `AI`.
    #[wasm_bindgen(js_name = hasModel)]
    pub fn has_model(env: &Env) -> bool;

    /// Has the model `name` do `task` with `text`; its answer is a string.
    #[wasm_bindgen(catch, js_name = askModel)]
    pub async fn ask_model(
        env: &Env,
        name: &str,
        task: &str,
        text: &str,
    ) -> Result<JsValue, JsValue>;
}

/// Sends JSON to the object of `binding` that bears `name`, which has to
/// answer that all is well.
pub async fn post(
    env: &Env,
    binding: &str,
    name: &str,
    url: &str,
    json: &str,
) -> worker::Result<()> {
    let status = post_json(env, binding, name, url, json.as_bytes())
        .await?
        .as_f64();
    match status {
        Some(200.0..300.0) => Ok(()),
        _ => Err(worker::Error::RustError(format!(
            "{binding} answered {}",
            status.unwrap_or_default()
        ))),
    }
}

/// Header fields as they cross: names and values in turn, a line each. No
/// value of ours has a line break; one that had would end there.
pub fn lines<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut lines = String::with_capacity(256);
    for (name, value) in fields {
        let value = value.split('\n').next().unwrap_or_default();
        for part in [name, "\n", value, "\n"] {
            lines.push_str(part);
        }
    }
    lines
}
