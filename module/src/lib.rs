//! netrecon as the WebAssembly module that workerd loads: its entry points are those that
//! `netrecon::edge` exports.
//!
//! A crate of its own, since cargo leaves link-time optimization out, without a word, where
//! one crate is built as a library for others and as a `cdylib` at once.

use netrecon as _;
