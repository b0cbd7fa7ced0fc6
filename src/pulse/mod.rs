//! Counters and indicators: what was called, how it ended, how long it took,
//! per UTC day; and what of it an operator should look at.
//!
//! A count travels from the client's object to one of the tally's shards, from
//! there to the collector in numbered batches, and by alarm only into KV.
//! Everything here is pure; the objects in `edge` store what these types
//! serialize to.

mod counter;
mod heard;
mod hour;
mod indicator;
mod line;
mod odds;
mod outcome;
mod record;
mod route;

pub use counter::{Batch, Count, Counter, Deltas, UNKNOWN, day_of, hour_of};
pub use heard::{Heard, Hearing};
pub use hour::{Hour, LOOP};
pub use indicator::{Indicator, Level, Point, indicators};
pub use line::{Lines, Seen, Summary};
pub use outcome::Outcome;
pub use record::Record;
pub use route::{COLLECTOR, SHARDS, client_wait_ms, shard_of, shard_wait_ms};
