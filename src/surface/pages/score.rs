//! The header score: a grade, and the rows that it is the sum of.

use maud::{Markup, html};

use crate::report::{HeaderScore, ScoreRow, State};

use super::mark::{icon, state_name};

/// The grade in one word, for the top of a report.
pub(super) fn fact(score: &HeaderScore) -> Markup {
    html! {
        div {
            dt { "Header score" }
            dd { a href="#probe-score" { b { (score.grade) } } " · " (score.score) " points" }
        }
    }
}

/// The whole score.
pub(super) fn card(score: &HeaderScore) -> Markup {
    html! {
        section.probe #probe-score aria-labelledby="probe-score-title" {
            header { h2 #probe-score-title { "Header score" } }
            div.graded.(state_name(tone(&score.grade))) {
                b.grade { (score.grade) }
                div {
                    p { b { (score.score) } " points: 100, and what each row adds or takes" }
                    p.quiet { "Row by row as " (score.version) " counts; bonuses from 90 points on." }
                }
            }
            div.scroll tabindex="0" role="group" aria-label="Rows of the header score" {
                table.score {
                    thead { tr { th scope="col" { "Rule" } th scope="col" { "Outcome" } th scope="col" { "Points" } } }
                    tbody { @for row in &score.rows { (line(row)) } }
                }
            }
        }
    }
}

fn line(row: &ScoreRow) -> Markup {
    let sign = sign(row);
    html! {
        tr {
            th scope="row" { (row.rule) }
            td {
                span.(state_name(sign)) { (icon(sign)) span.unseen { (state_name(sign)) ": " } }
                " " (row.why) " " code.id { (row.result) }
            }
            td.points { (points(row.modifier)) }
        }
    }
}

fn points(modifier: i32) -> String {
    match modifier {
        0 => String::from("0"),
        n if n > 0 => format!("+{n}"),
        // A minus sign is as wide as a plus; a hyphen is not.
        n => format!("\u{2212}{}", n.unsigned_abs()),
    }
}

fn sign(row: &ScoreRow) -> State {
    match row.modifier {
        _ if row.result == "not-measured" => State::Inconclusive,
        ..-10 => State::Fail,
        -10..0 => State::Warn,
        0.. => State::Pass,
    }
}

fn tone(grade: &str) -> State {
    match grade.chars().next() {
        Some('A') => State::Pass,
        Some('B' | 'C') => State::Warn,
        _ => State::Fail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(result: &str, modifier: i32) -> ScoreRow {
        ScoreRow {
            rule: String::from("content-security-policy"),
            result: result.to_owned(),
            modifier,
            why: String::from("<b>"),
        }
    }

    #[test]
    fn a_row_says_what_it_adds_in_words_and_never_by_colour_alone() {
        let html = card(&HeaderScore {
            version: String::from("a table"),
            score: 70,
            grade: String::from("B"),
            rows: vec![
                row("csp-none", -25),
                row("csp-fine", 5),
                row("not-measured", 0),
            ],
        })
        .into_string();
        assert!(html.contains("<b class=\"grade\">B</b>"), "{html}");
        assert!(html.contains("\u{2212}25") && html.contains("+5"), "{html}");
        assert!(
            html.contains("fail: ") && html.contains("inconclusive: "),
            "{html}"
        );
        assert!(html.contains("&lt;b&gt;"), "{html}");
    }
}
