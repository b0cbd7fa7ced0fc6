//! What `glue.js` does beside us, as Rust calls it: the crossings that every
//! call makes, each made once.

use wasm_bindgen::prelude::*;
use worker::web_sys::{Request, Response};

#[wasm_bindgen(module = "/src/edge/glue.js")]
extern "C" {
    /// Names the header fields that [`fields`] answers, one per line.
    pub fn wanted(names: &str);

    /// Verb and URL, with a space between.
    pub fn place(request: &Request) -> String;

    /// The wanted fields, one per line: `:value`, or nothing.
    pub fn fields(request: &Request) -> String;

    /// The whole body.
    #[wasm_bindgen(catch)]
    pub async fn body(request: &Request) -> Result<js_sys::Uint8Array, JsValue>;

    /// An answer; `lines` are names and values of its header fields in turn.
    #[wasm_bindgen(catch)]
    pub fn reply(status: u16, lines: &str, body: &[u8]) -> Result<Response, JsValue>;
}
