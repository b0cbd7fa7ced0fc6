//! What a caller gets of a report: as much as fits into the bound of the
//! detail it asked for. The whole report is stored under its id.
//!
//! The bounds hold by construction. Sizes are counted before anything is put
//! together; the steps give up the least telling parts first, and the last
//! one fills what room there is, gravest findings first, and names the rest.

use std::cell::OnceCell;
use std::cmp::Reverse;

use serde::Serialize;
use serde_json::{Value, json};

use super::cut::{self, Cut};
use crate::guard::text;
use crate::report::{Evidence, Finding, Report, State};

/// What one detail may cost, and how a report is fitted into it.
pub(super) struct Bound {
    /// Bytes of the answer as compact JSON.
    limit: usize,
    /// Tried in turn before the last resort.
    steps: &'static [Step],
    /// How the rest is had where the report was stored, before its id.
    more: &'static str,
    /// And where it was not.
    more_unstored: &'static str,
}

/// About 4,000 tokens.
pub(super) const SUMMARY: Bound = Bound {
    limit: 14_000,
    steps: &[
        Step::of(MUCH, Form::Whole, Form::Whole),
        Step::of(SOME, Form::Whole, Form::Whole),
        Step::of(SOME, Form::Line, Form::Line).without_rows(),
        Step::of(LITTLE, Form::Line, Form::Line).without_rows(),
        Step::of(LITTLE, Form::Line, Form::Name).without_rows(),
    ],
    more: "the whole of each record, header and certificate: call again with detail \"full\", or open /api/report/",
    more_unstored: "the whole of each record, header and certificate: call again with detail \"full\"",
};

/// About 10,000 tokens: measurements are what is asked for, so findings
/// without fault give way before them.
pub(super) const FULL: Bound = Bound {
    limit: 35_000,
    steps: &[
        Step::of(ALL, Form::Whole, Form::Whole),
        Step::of(MOST, Form::Whole, Form::Whole),
        Step::of(MOST, Form::Brief, Form::Brief),
        Step::of(MOST, Form::Line, Form::Line),
        Step::of(MUCH, Form::Line, Form::Line),
        Step::of(SOME, Form::Line, Form::Line),
        Step::of(LITTLE, Form::Line, Form::Name).without_rows(),
    ],
    more: "what does not fit here: lookup has all records of one name, the whole report is at /api/report/",
    more_unstored: "what does not fit here: lookup has all records of one name",
};

/// How much of the report stays.
struct Step {
    /// Nothing is cut when absent.
    cut: Option<Cut>,
    /// Findings that are facts only, or inconclusive.
    facts: Form,
    /// Findings that pass or do not apply.
    fine: Form,
    /// Whether the header score keeps its rows.
    rows: bool,
}

impl Step {
    const fn of(cut: Option<Cut>, facts: Form, fine: Form) -> Step {
        Step {
            cut,
            facts,
            fine,
            rows: true,
        }
    }

    const fn without_rows(self) -> Step {
        Step {
            rows: false,
            ..self
        }
    }
}

const ALL: Option<Cut> = None;
const MOST: Option<Cut> = keep(24, 64, 600, false);
const MUCH: Option<Cut> = keep(8, 24, 200, true);
const SOME: Option<Cut> = keep(4, 8, 120, true);
const LITTLE: Option<Cut> = keep(2, 0, 80, true);

const fn keep(items: usize, fields: usize, characters: usize, plain: bool) -> Option<Cut> {
    Some(Cut {
        items,
        fields,
        characters,
        plain,
    })
}

/// How a finding is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// As it is.
    Whole,
    /// Without command and mappings, its evidence shortened.
    Brief,
    /// Its conclusion only.
    Line,
    /// By id, among the parts left out.
    Name,
}

/// Fits `report` into `bound`; what is cut or left out is told in `omitted`.
pub(super) fn of(report: Report, bound: &Bound) -> Report {
    let parts = Parts::of(report);
    let mut steps = bound.steps.iter();
    let shape = steps
        .find_map(|step| parts.fitted(step, bound))
        .unwrap_or_else(|| parts.crammed(bound));
    parts.assembled(shape)
}

/// What becomes of each part.
struct Shape {
    forms: Vec<Form>,
    /// Whether the header score keeps its rows.
    rows: bool,
    /// The measurements, where not all of them stay.
    probes: Option<Value>,
    omitted: Vec<String>,
}

/// A report taken apart, and what each part costs.
struct Parts {
    /// The report without findings, measurements and notes.
    frame: Report,
    frame_size: usize,
    /// Of it, the rows of the header score.
    rows_size: usize,
    findings: Vec<Measured>,
    probes: Value,
}

/// A finding and how many bytes it takes in each form, its comma included;
/// counted once somebody asks.
struct Measured {
    finding: Finding,
    whole: OnceCell<usize>,
    brief: OnceCell<usize>,
    line: OnceCell<usize>,
}

impl Parts {
    fn of(mut frame: Report) -> Parts {
        let findings = std::mem::take(&mut frame.findings);
        let findings = findings.into_iter().map(Measured::new).collect();
        let probes = std::mem::take(&mut frame.probes);
        frame.omitted = Vec::new();
        let rows_size = frame
            .header_score
            .as_ref()
            .map_or(0, |score| size(&score.rows));
        Parts {
            rows_size,
            // `omitted` is written with its name and a comma once it has items.
            frame_size: size(&frame) + 12,
            frame,
            findings,
            probes,
        }
    }

    /// The shape of one step, if the report fits in it.
    fn fitted(&self, step: &Step, bound: &Bound) -> Option<Shape> {
        let forms: Vec<Form> = self
            .findings
            .iter()
            .map(|measured| step.form(measured.finding.state))
            .collect();
        let mut omitted = self.notes(&forms, step.rows, usize::MAX);
        if step.cut.is_some() || !omitted.is_empty() {
            omitted.insert(0, self.way_to_the_rest(bound));
        }
        let shown = self.shown(&forms);
        let fixed = self.frame_size(step.rows) + shown + size(&omitted);
        if fixed > bound.limit {
            return None;
        }
        let probes = step.cut.map(|cut| cut::measurements(&self.probes, cut));
        let shown = probes.as_ref().unwrap_or(&self.probes);
        if fixed + size(shown) > bound.limit {
            return None;
        }
        // A bound that cut nothing has nothing to tell.
        if omitted.len() == 1 && *shown == self.probes {
            omitted.clear();
        }
        Some(Shape {
            forms,
            rows: step.rows,
            probes,
            omitted,
        })
    }

    /// The last resort: findings get most of the room, gravest first, then
    /// measurements what is left of it.
    fn crammed(&self, bound: &Bound) -> Shape {
        let names_limit = bound.limit / 10;
        // The ways to the rest and to the measurements that had to go.
        let notes_limit = 1_200;
        let spare = bound
            .limit
            .saturating_sub(self.frame_size(false) + names_limit + notes_limit);
        let forms = self.gravest_first(spare * 3 / 4);
        let shown = self.shown(&forms);
        let mut omitted = vec![self.way_to_the_rest(bound)];
        omitted.extend(self.notes(&forms, false, names_limit));
        let mut probes = LITTLE.map_or(Value::Null, |cut| cut::measurements(&self.probes, cut));
        let gone = cut::shed(&mut probes, spare.saturating_sub(shown));
        if !gone.is_empty() {
            omitted.push(format!("measurements: {}", listed(&gone, notes_limit / 2)));
        }
        Shape {
            forms,
            rows: false,
            probes: Some(probes),
            omitted,
        }
    }

    /// Bytes of all findings in these forms.
    fn shown(&self, forms: &[Form]) -> usize {
        let findings = self.findings.iter().zip(forms);
        findings.map(|(measured, form)| measured.size(*form)).sum()
    }

    fn frame_size(&self, rows: bool) -> usize {
        match rows {
            true => self.frame_size,
            false => self.frame_size - self.rows_size + 2,
        }
    }

    /// Forms for all findings within `room`: failures and warnings in brief
    /// while they fit, then as lines, then by name. By severity, since a
    /// report may have been given in any order.
    fn gravest_first(&self, room: usize) -> Vec<Form> {
        let mut forms = vec![Form::Name; self.findings.len()];
        let mut order: Vec<usize> = (0..self.findings.len())
            .filter(|at| is_grave(self.findings[*at].finding.state))
            .collect();
        order.sort_by_key(|at| Reverse(self.findings[*at].finding.severity));
        let mut left = room;
        // A line for each comes before more than a line for any.
        for at in &order {
            let line = self.findings[*at].size(Form::Line);
            if line <= left {
                left -= line;
                forms[*at] = Form::Line;
            }
        }
        for at in order {
            if forms[at] != Form::Line {
                continue;
            }
            let [line, brief] = [Form::Line, Form::Brief].map(|form| self.findings[at].size(form));
            if brief.saturating_sub(line) <= left {
                left -= brief.saturating_sub(line);
                forms[at] = Form::Brief;
            }
        }
        forms
    }

    /// What is said of findings that are not shown whole; names take at most
    /// `room` bytes.
    fn notes(&self, forms: &[Form], rows: bool, room: usize) -> Vec<String> {
        let mut notes = Vec::new();
        if !rows && self.rows_size > 2 {
            notes.push(String::from("rows of the header score"));
        }
        if forms
            .iter()
            .any(|form| matches!(form, Form::Brief | Form::Line))
        {
            notes.push(String::from(
                "findings without evidence, reference or command have them in the whole report, which pointers refer to",
            ));
        }
        const GROUPS: [(&[State], &str); 4] = [
            (&[State::Fail, State::Warn], "to mend"),
            (&[State::Inconclusive], "that are inconclusive"),
            (&[State::Info], "that are facts only"),
            (
                &[State::Pass, State::NotApplicable],
                "that pass or do not apply",
            ),
        ];
        for (states, which) in GROUPS {
            let names: Vec<&str> = self
                .findings
                .iter()
                .zip(forms)
                .map(|(measured, form)| (&measured.finding, form))
                .filter(|(finding, form)| **form == Form::Name && states.contains(&finding.state))
                .map(|(finding, _)| finding.id.as_str())
                .collect();
            if !names.is_empty() {
                let room = (room / GROUPS.len()).saturating_sub(60);
                notes.push(format!("findings {which}: {}", listed(&names, room)));
            }
        }
        notes
    }

    fn way_to_the_rest(&self, bound: &Bound) -> String {
        match &self.frame.id {
            Some(id) => format!("{}{id}", bound.more),
            None => String::from(bound.more_unstored),
        }
    }

    fn assembled(self, shape: Shape) -> Report {
        let mut frame = self.frame;
        if let Some(score) = frame.header_score.as_mut().filter(|_| !shape.rows) {
            score.rows.clear();
        }
        let findings = self.findings.into_iter().zip(shape.forms);
        let findings = findings.filter_map(|(Measured { finding, .. }, form)| match form {
            Form::Whole => Some(finding),
            Form::Brief => Some(brief(&finding)),
            Form::Line => Some(line(&finding)),
            Form::Name => None,
        });
        Report {
            findings: findings.collect(),
            probes: shape.probes.unwrap_or(self.probes),
            omitted: shape.omitted,
            ..frame
        }
    }
}

impl Step {
    fn form(&self, state: State) -> Form {
        match state {
            State::Fail | State::Warn => Form::Whole,
            State::Info | State::Inconclusive => self.facts,
            State::Pass | State::NotApplicable => self.fine,
        }
    }
}

impl Measured {
    fn new(finding: Finding) -> Measured {
        Measured {
            finding,
            whole: OnceCell::new(),
            brief: OnceCell::new(),
            line: OnceCell::new(),
        }
    }

    fn size(&self, form: Form) -> usize {
        let finding = &self.finding;
        *match form {
            Form::Whole => self.whole.get_or_init(|| size(finding) + 1),
            Form::Brief => self.brief.get_or_init(|| size(&brief(finding)) + 1),
            Form::Line => self.line.get_or_init(|| size(&line(finding)) + 1),
            Form::Name => return 0,
        }
    }
}

fn is_grave(state: State) -> bool {
    matches!(state, State::Fail | State::Warn)
}

fn brief(finding: &Finding) -> Finding {
    Finding {
        evidence: finding.evidence.iter().take(2).map(glimpse).collect(),
        fix: finding.fix.as_deref().map(|fix| cut::shortened(fix, 320)),
        reference: finding.reference.clone(),
        ..titled(finding, 240)
    }
}

fn line(finding: &Finding) -> Finding {
    titled(finding, 160)
}

/// Its conclusion only, the title of so many characters.
fn titled(finding: &Finding, characters: usize) -> Finding {
    Finding {
        id: finding.id.clone(),
        state: finding.state,
        severity: finding.severity,
        confidence: finding.confidence,
        title: cut::shortened(&finding.title, characters),
        evidence: Vec::new(),
        fix: None,
        reference: String::new(),
        reproduce: String::new(),
        maps_to: Vec::new(),
    }
}

fn glimpse(evidence: &Evidence) -> Evidence {
    let value = match &evidence.value {
        value if size(value) <= 160 => value.clone(),
        Value::String(text) => json!(cut::shortened(text, 100)),
        other => json!(cut::shortened(&other.to_string(), 100)),
    };
    Evidence {
        pointer: cut::shortened(&evidence.pointer, 120),
        value,
    }
}

/// Names in order while they fit into `room` bytes, and how many more.
fn listed(names: &[impl AsRef<str>], room: usize) -> String {
    let mut list = String::new();
    for (at, name) in names.iter().enumerate() {
        let name = name.as_ref();
        if list.len() + name.len() + 2 > room {
            let more = names.len() - at;
            let and = if list.is_empty() { "" } else { " and " };
            return format!("{list}{and}{more} more");
        }
        if at > 0 {
            list.push_str(", ");
        }
        list.push_str(name);
    }
    list
}

/// Bytes of a value as compact JSON. One that has no JSON fits nowhere, and is small
/// enough to add up.
pub(super) fn size(value: &impl Serialize) -> usize {
    text::json::length(value).unwrap_or(0x00ff_ffff)
}

#[cfg(test)]
mod tests;
