//! A report's findings as CSV and as Markdown.
//!
//! Both formats are opened by programs that interpret text: a spreadsheet
//! runs formulas, a Markdown viewer follows links and embeds images. Text
//! that may come from a target is disarmed for each.

use std::fmt::Write;

use crate::report::{Finding, Report};

use super::mark::{scalar, severity_name, state_name};

/// RFC 4180, with a line for each finding.
pub(super) fn csv(report: &Report) -> String {
    let mut out =
        String::from("host,time,id,state,severity,title,evidence,fix,reference,reproduce\r\n");
    for finding in &report.findings {
        let fields = [
            report.target.host.as_str(),
            &report.time,
            &finding.id,
            state_name(finding.state),
            severity_name(finding.severity),
            &finding.title,
            &evidence(finding),
            finding.fix.as_deref().unwrap_or_default(),
            &finding.reference,
            &finding.reproduce,
        ];
        let line: Vec<String> = fields.into_iter().map(cell).collect();
        out.push_str(&line.join(","));
        out.push_str("\r\n");
    }
    out
}

/// A quoted cell. One that a spreadsheet would run as a formula gets an
/// apostrophe in front (CWE-1236).
fn cell(text: &str) -> String {
    let armed = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    format!(
        "\"{}{}\"",
        if armed { "'" } else { "" },
        text.replace('"', "\"\"")
    )
}

/// A document for a ticket or a chat.
pub(super) fn markdown(report: &Report) -> String {
    let mut out = String::new();
    let Report {
        target,
        coverage,
        vantage,
        ..
    } = report;
    // Writing to a String cannot fail.
    let _ = writeln!(out, "# netrecon report: {}\n", code(&target.host));
    let _ = writeln!(
        out,
        "{} at {}, seen from {} through {}; {} of {} probes answered.\n",
        code(&target.used),
        code(&report.time),
        code(&vantage.colo),
        code(&vantage.resolver),
        coverage.completed,
        coverage.attempted,
    );
    for finding in &report.findings {
        let _ = writeln!(
            out,
            "## {}: {}\n\n- finding: {}, severity {}",
            state_name(finding.state),
            plain(&finding.title),
            code(&finding.id),
            severity_name(finding.severity),
        );
        for evidence in &finding.evidence {
            let _ = writeln!(
                out,
                "- evidence: {} is {}",
                code(&evidence.pointer),
                code(&scalar(&evidence.value))
            );
        }
        if let Some(fix) = &finding.fix {
            let _ = writeln!(out, "- fix: {}", plain(fix));
        }
        let _ = writeln!(out, "- reference: {}", plain(&finding.reference));
        if !finding.reproduce.is_empty() {
            let _ = writeln!(out, "- reproduce: {}", code(&finding.reproduce));
        }
        out.push('\n');
    }
    out
}

fn evidence(finding: &Finding) -> String {
    let parts: Vec<String> = finding
        .evidence
        .iter()
        .map(|evidence| format!("{} = {}", evidence.pointer, scalar(&evidence.value)))
        .collect();
    parts.join("; ")
}

/// A code span whose fence is longer than any run of backticks inside
/// (CommonMark 6.1), so that nothing in it is markup.
fn code(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let space = if text.starts_with('`') || text.ends_with('`') || text.is_empty() {
        " "
    } else {
        ""
    };
    format!("{fence}{space}{text}{space}{fence}")
}

/// Prose with every character that Markdown gives a meaning escaped.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_control() => out.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '!' | '#' | '|' | '~' | '&' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spreadsheet_runs_nothing() {
        assert_eq!(cell("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\"");
        for armed in ["+1", "-1", "@sum", "\t=1"] {
            assert!(cell(armed).starts_with("\"'"), "{armed:?}");
        }
        assert_eq!(cell("plain"), "\"plain\"");
    }

    #[test]
    fn markdown_follows_and_embeds_nothing() {
        assert_eq!(plain("![x](http://e)<b>"), "\\!\\[x\\](http://e)\\<b\\>");
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code("a\nb"), "`a b`");
    }
}
