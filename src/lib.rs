//! netrecon: read-only network diagnostics, open to the internet.
//!
//! One call walks down through the rooms and never back up:
//!
//! [`surface`] (how a caller reaches a tool) → [`gate`] (identify, judge,
//! spend, run, record) → [`tool`] → [`probe`] (what we ask the outside) →
//! [`check`] (what the answers mean) → [`report`]; beside the path stand
//! [`codec`] (formats), [`guard`] (what a caller may make us touch) and
//! [`pulse`] (counters). Everything here is plain Rust that compiles and
//! tests natively; only `edge` knows Cloudflare.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod check;
pub mod codec;
pub mod config;
pub mod error;
pub mod gate;
pub mod guard;
pub mod port;
pub mod probe;
pub mod pulse;
pub mod report;
pub mod surface;
pub mod tool;

#[cfg(target_arch = "wasm32")]
mod edge;
