//! Decodes without a Worker: reads JSON lines `{"text", "kind"?}` from the
//! standard input and writes for each what the tool `decode` answers, or
//! `{"error", "field", "message"}`. `decode [NOW_MS]` sets the clock, so that
//! answers about expiry stay the same.
//!
//! The tests that hold `decode` against other implementations run this.

use std::io::{BufRead, Write};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use netrecon::codec::{self, Context, Kind};
use netrecon::guard::Guard;
use serde::Deserialize;

#[derive(Deserialize)]
struct Line {
    text: String,
    kind: Option<Kind>,
}

fn main() -> ExitCode {
    let guard = Guard::default();
    let context = Context {
        guard: &guard,
        now_ms: clock(),
    };
    match answer_all(&context) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("decode: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The first argument, or else now.
fn clock() -> u64 {
    let given = std::env::args().nth(1).and_then(|ms| ms.parse().ok());
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = since.map_or(0, |since| since.as_millis());
    given.unwrap_or(u64::try_from(now).unwrap_or(u64::MAX))
}

fn answer_all(context: &Context) -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let Line { text, kind } = serde_json::from_str(&line?)?;
        match codec::decode(&text, kind, context) {
            Ok(decoded) => serde_json::to_writer(&mut out, &decoded)?,
            Err(error) => serde_json::to_writer(&mut out, &error)?,
        }
        out.write_all(b"\n")?;
    }
    Ok(())
}
