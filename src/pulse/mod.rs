//! Counters: what was called, how it ended, how long it took, per UTC day.
//!
//! A count travels from the client's object to the tally object in numbered
//! batches and from there, by alarm only, into KV. Everything here is pure;
//! the objects in `edge` store what these types serialize to.

mod counter;
mod outcome;

pub use counter::{Batch, Count, Counter, Deltas, day_of};
pub use outcome::Outcome;
