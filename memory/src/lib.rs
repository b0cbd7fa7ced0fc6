//! Where netrecon's memory comes from: a tenth of WebAssembly's time under short calls was
//! std's own allocator.
//!
//! A crate of its own, since an allocator is generic and so compiled where it is named: here
//! for speed, as every call goes through it hundreds of times, while the rest is for size. And
//! the only one with `unsafe`, which an allocator cannot be without.

mod shelves;

pub use shelves::Shelves;

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static MEMORY: Shelves<talc::wasm::WasmDynamicTalc> =
    Shelves::before(talc::wasm::new_wasm_dynamic_allocator());
