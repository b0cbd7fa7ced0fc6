//! Prints event lines for a person: `tail [--summary] [FILE...]` reads the
//! files, or standard input, as `wrangler tail --format json` or a console
//! wrote them. With `--summary` the indicators follow when the stream ends.

use std::fs::File;
use std::io::{BufRead, BufReader, Write, stdin, stdout};
use std::process::ExitCode;

use netrecon::pulse::{Level, Lines, Summary};
use netrecon::tool::Registry;

fn main() -> ExitCode {
    let (flags, files): (Vec<String>, Vec<String>) = std::env::args()
        .skip(1)
        .partition(|word| word.starts_with("--"));
    let summary = flags.iter().any(|flag| flag == "--summary");
    if flags.iter().any(|flag| flag != "--summary") {
        eprintln!("Usage: scripts/tail [--summary] [FILE...]");
        return ExitCode::from(2);
    }
    let mut seen = Summary::default();
    let read = match files.is_empty() {
        true => follow(stdin().lock(), &mut seen),
        false => files
            .iter()
            .try_for_each(|file| follow(BufReader::new(File::open(file)?), &mut seen)),
    };
    if summary {
        print!("{}", summed(&seen));
    }
    match read {
        // Whoever read our lines has read enough.
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            eprintln!("netrecon: {e}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

fn follow(input: impl BufRead, summary: &mut Summary) -> std::io::Result<()> {
    let mut lines = Lines::default();
    let mut out = stdout().lock();
    for line in input.split(b'\n') {
        let line = line?;
        for seen in lines.feed(&String::from_utf8_lossy(&line)) {
            summary.add(&seen);
            writeln!(out, "{seen}")?;
            out.flush()?;
        }
    }
    Ok(())
}

fn summed(summary: &Summary) -> String {
    let registry = Registry::new();
    let names = |open_only: bool| -> Vec<&str> {
        let tools = registry.tools().iter();
        tools
            .filter(|tool| tool.open_world || !open_only)
            .map(|tool| tool.name)
            .collect()
    };
    let mut out = String::from("\n");
    for indicator in summary.indicators(&names(false), &names(true)) {
        let state = match indicator.state {
            Level::Quiet => "quiet",
            Level::Watch => "WATCH",
            Level::Alert => "ALERT",
        };
        out.push_str(&format!(
            "{state}  {:<20} {}\n",
            indicator.id, indicator.why
        ));
    }
    for (client, calls, longest) in summary.loops() {
        out.push_str(&format!(
            "client {client} looped in {calls} calls, at most {longest} in a row\n"
        ));
    }
    out
}
