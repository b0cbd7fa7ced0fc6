//! What the guard makes of URLs, for comparison with another parser: reads JSON
//! lines `{"url", "base"}` and prints for each what would be asked, as
//! `{"url", "host", "port"}`, or `null` for a refusal. With `base` the URL is
//! the `Location` of a redirect from there.

use std::io::{self, BufRead, Write};
use std::process::ExitCode;

use netrecon::guard::{Guard, PublicUrl, Refusal};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Line {
    url: String,
    base: Option<String>,
}

fn main() -> ExitCode {
    match answer(io::stdin().lock(), io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("verdicts: {error}");
            ExitCode::from(2)
        }
    }
}

fn answer(input: impl BufRead, output: impl Write) -> io::Result<()> {
    let guard = Guard::default();
    let mut output = io::BufWriter::new(output);
    for line in input.lines() {
        let line: Line = serde_json::from_str(&line?)?;
        let verdict = match verdict(&guard, &line) {
            Ok(url) => json!({ "url": url.as_str(), "host": url.host(), "port": url.port() }),
            Err(_) => Value::Null,
        };
        writeln!(output, "{verdict}")?;
    }
    output.flush()
}

fn verdict(guard: &Guard, line: &Line) -> Result<PublicUrl, Refusal> {
    match &line.base {
        Some(base) => guard.redirect(&guard.validate_fetch_url(base)?, &line.url),
        None => guard.validate_fetch_url(&line.url),
    }
}
