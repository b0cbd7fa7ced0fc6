//! netrecon attacked the way agents attack it: arguments in and near every
//! schema, a million of them by `scripts/test fuzz`. The world that fails at
//! every port is in `tests/analyze/faults.rs`.
//!
//! `FUZZ_SEED` repeats a run, `FUZZ_CALLS` makes it longer.

#[path = "../support/dice.rs"]
mod dice;
#[path = "../support/mod.rs"]
mod support;

mod obeys;
mod schemas;
