//! The header score: MDN's HTTP Observatory, rule by rule, over what was
//! measured here. Outcomes and what they add are data, in
//! `data/header_score.tsv`; the rules are this file and [`csp`].
//!
//! Nothing is judged anew: where MDN's rule and our findings differ in
//! strictness, this file follows MDN, so that the numbers can be compared.
//! The differences that remain are in `docs/header-score.md`.

mod csp;
mod scripts;

use std::sync::LazyLock;

use crate::codec::set_cookie::{Cookie, SameSite};
use crate::guard::Scheme;
use crate::probe::http::{End, Hop, Journey};
use crate::probe::http1::Response;
use crate::probe::plan::Probes;
use crate::report::{HeaderScore, ScoreRow};

/// The table's version as it stands in the report.
pub const VERSION: &str = "mdn-http-observatory 1.4.8, algorithm 4";

/// From here on bonuses count.
const BONUS_FROM: i32 = 90;

/// Half a year as MDN and many operators count it: 180 days.
pub(super) const HALF_A_YEAR: u64 = 15_552_000;

/// Our own outcome, for what could not be asked.
const NOT_MEASURED: &str = "not-measured";

/// Grades by score, from the best down (MDN's `GRADE_CHART`).
const GRADES: &[(u32, &str)] = &[
    (100, "A+"),
    (90, "A"),
    (85, "A-"),
    (80, "B+"),
    (70, "B"),
    (65, "B-"),
    (60, "C+"),
    (50, "C"),
    (45, "C-"),
    (40, "D+"),
    (30, "D"),
    (25, "D-"),
    (0, "F"),
];

/// A line of the table.
struct Line {
    rule: &'static str,
    result: &'static str,
    modifier: i32,
    why: &'static str,
}

static TABLE: LazyLock<Vec<Line>> = LazyLock::new(|| table(include_str!("data/header_score.tsv")));

fn table(text: &'static str) -> Vec<Line> {
    let mut rule = "";
    let mut lines = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[') {
            rule = name.trim_end_matches(']');
            continue;
        }
        let mut parts = line.split('\t');
        if let (Some(result), Some(Ok(modifier)), Some(why)) =
            (parts.next(), parts.next().map(str::parse), parts.next())
        {
            lines.push(Line {
                rule,
                result,
                modifier,
                why,
            });
        }
    }
    lines
}

/// The score of the page, or `None` where no page was had that MDN would
/// score.
pub(super) fn of(probes: &Probes) -> Option<HeaderScore> {
    let site = Site::of(probes)?;
    // MDN scores no error page, but those that ask who is there.
    if site.page.status >= 400 && !matches!(site.page.status, 401 | 403) {
        return None;
    }
    let (csp, policy) = csp::judge(&site);
    let hsts = hsts(&site);
    let rows = vec![
        row("content-security-policy", csp),
        row("cookies", cookies(&site, hsts)),
        row("cross-origin-resource-sharing", cors(&site)),
        row("redirection", redirection(&site)),
        row("referrer-policy", referrer(&site)),
        row("strict-transport-security", hsts),
        row("subresource-integrity", scripts::judge(&site)),
        row("x-content-type-options", sniffing(&site)),
        row("x-frame-options", framing(&site, policy.as_ref())),
        row("cross-origin-resource-policy", embedding(&site)),
    ];
    let score = sum(rows.iter().map(|row| row.modifier));
    Some(HeaderScore {
        version: String::from(VERSION),
        score,
        grade: grade(score).to_owned(),
        rows,
    })
}

/// Bonuses count only where, without them, the score is at least 90.
fn sum(modifiers: impl Iterator<Item = i32>) -> u32 {
    let (mut without, mut with) = (100, 100);
    for modifier in modifiers {
        with += modifier;
        without += modifier.min(0);
    }
    let score = if without >= BONUS_FROM { with } else { without };
    u32::try_from(score).unwrap_or(0)
}

fn grade(score: u32) -> &'static str {
    GRADES
        .iter()
        .find(|(from, _)| score >= *from)
        .map_or("F", |(_, grade)| grade)
}

fn row(rule: &str, result: &str) -> ScoreRow {
    let line = TABLE
        .iter()
        .find(|line| line.rule == rule && line.result == result);
    ScoreRow {
        rule: rule.to_owned(),
        result: result.to_owned(),
        modifier: line.map_or(0, |line| line.modifier),
        why: line
            .map_or("This could not be measured and changes nothing.", |line| {
                line.why
            })
            .to_owned(),
    }
}

/// What the rules look at.
struct Site<'a> {
    probes: &'a Probes,
    /// The journey whose page is scored.
    journey: &'a Journey,
    hop: &'a Hop,
    page: &'a Response,
}

impl<'a> Site<'a> {
    fn of(probes: &'a Probes) -> Option<Site<'a>> {
        [&probes.https, &probes.http]
            .into_iter()
            .find_map(|journey| {
                let journey = journey.as_ref()?.as_ref().ok()?;
                let (hop, page) = journey.page()?;
                Some(Site {
                    probes,
                    journey,
                    hop,
                    page,
                })
            })
    }

    fn is_secure(&self) -> bool {
        self.hop.url.scheme() == Scheme::Https
    }

    /// Whether the chain is trusted; a chain that could not be seen, where
    /// the platform's client fetched, was trusted by that client.
    fn is_trusted(&self) -> bool {
        self.probes
            .tls
            .verdict
            .as_ref()
            .is_none_or(|verdict| !verdict.is_refused())
    }

    /// A field in lower case, several of one name joined as MDN's HTTP client
    /// joins them.
    fn word(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self.page.fields_named(name).map(str::trim).collect();
        let value = values.join(", ");
        (!value.is_empty()).then(|| value.to_ascii_lowercase())
    }
}

fn hsts(site: &Site<'_>) -> &'static str {
    let secure = match &site.probes.https {
        Some(Ok(journey)) => journey.page().or_else(|| journey.last()),
        _ => None,
    };
    let Some((_, response)) = secure else {
        return "hsts-not-implemented-no-https";
    };
    if !site.is_trusted() {
        return "hsts-invalid-cert";
    }
    // Browsers heed the first of several fields; MDN takes them for invalid.
    let mut values = response.fields_named("strict-transport-security");
    let (value, is_single) = match (values.next(), values.next()) {
        (None, _) => return "hsts-not-implemented",
        (Some(value), second) => (value, second.is_none()),
    };
    let age = value.to_ascii_lowercase();
    let age = age
        .split(';')
        .filter_map(|part| part.trim().strip_prefix("max-age="))
        .next_back()
        .map(|digits| {
            let end = digits.find(|c: char| !c.is_ascii_digit());
            digits
                .get(..end.unwrap_or(digits.len()))
                .unwrap_or_default()
        });
    match age.map(str::parse::<u64>) {
        _ if !is_single || value.contains(',') => "hsts-header-invalid",
        None => "hsts-header-invalid",
        Some(Ok(age)) if age < HALF_A_YEAR => "hsts-implemented-max-age-less-than-six-months",
        Some(_) => "hsts-implemented-max-age-at-least-six-months",
    }
}

fn cookies(site: &Site<'_>, hsts: &str) -> &'static str {
    // MDN's jar refuses what breaks its prefix, and one that Heroku sets.
    let jar: Vec<Cookie> = site
        .journey
        .cookies(site.probes.now())
        .into_iter()
        .filter(|cookie| cookie.prefix.is_none() || cookie.accepted)
        .filter(|cookie| !cookie.name.is_empty() && cookie.name != "heroku-session-affinity")
        .collect();
    if jar.is_empty() {
        return "cookies-not-found";
    }
    let protected = hsts == "hsts-implemented-max-age-at-least-six-months";
    // Best first, as MDN ranks them: the worst of all cookies counts.
    const RANKS: [&str; 7] = [
        "cookies-without-secure-flag-but-protected-by-hsts",
        "cookies-without-secure-flag",
        "cookies-session-without-secure-flag-but-protected-by-hsts",
        "cookies-samesite-flag-invalid",
        "cookies-anticsrf-without-samesite-flag",
        "cookies-session-without-httponly-flag",
        "cookies-session-without-secure-flag",
    ];
    let mut worst: Option<usize> = None;
    let mut note = |broken: bool, rank: usize| {
        if broken {
            worst = worst.max(Some(rank));
        }
    };
    note(
        site.page
            .fields_named("set-cookie")
            .any(misstates_same_site),
        3,
    );
    for cookie in &jar {
        let name = cookie.name.to_ascii_lowercase();
        let session = name.contains("login") || name.contains("sess");
        let open = !cookie.secure;
        note(open && cookie.same_site == Some(SameSite::None), 3);
        note(open, usize::from(!protected));
        note(name.contains("csrf") && cookie.same_site.is_none(), 4);
        note(session && open, if protected { 2 } else { 6 });
        note(session && !cookie.http_only, 5);
    }
    match worst.and_then(|rank| RANKS.get(rank)) {
        Some(worst) => worst,
        None if jar.iter().all(|cookie| cookie.same_site.is_some()) => {
            "cookies-secure-with-httponly-sessions-and-samesite"
        }
        None => "cookies-secure-with-httponly-sessions",
    }
}

fn misstates_same_site(field: &str) -> bool {
    field.split(';').any(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let known = ["lax", "strict", "none"];
        name.trim().eq_ignore_ascii_case("samesite")
            && !known
                .iter()
                .any(|word| value.trim().eq_ignore_ascii_case(word))
    })
}

fn cors(site: &Site<'_>) -> &'static str {
    let foreign = site.probes.foreign.as_ref();
    let Some(Ok(response)) = foreign.map(|foreign| &foreign.any) else {
        return NOT_MEASURED;
    };
    let Some(allowed) = response.field("access-control-allow-origin") else {
        return "cross-origin-resource-sharing-not-implemented";
    };
    let credentials = response
        .field("access-control-allow-credentials")
        .is_some_and(|value| value.trim().eq_ignore_ascii_case("true"));
    if allowed.trim() == "*" {
        "cross-origin-resource-sharing-implemented-with-public-access"
    } else if credentials && allowed == crate::probe::errands::FOREIGN_ORIGIN {
        "cross-origin-resource-sharing-implemented-with-universal-access"
    } else {
        "cross-origin-resource-sharing-implemented-with-restricted-access"
    }
}

fn redirection(site: &Site<'_>) -> &'static str {
    let plain = match &site.probes.http {
        Some(Ok(journey)) => journey,
        _ => return NOT_MEASURED,
    };
    let mut route: Vec<&Hop> = plain.hops.iter().collect();
    match (&plain.end, &site.probes.https) {
        (End::Failed(_), _) if route.len() == 1 => return "redirection-not-needed-no-http",
        (End::Met, Some(Ok(secure))) => route.extend(&secure.hops),
        (End::Arrived | End::Met, _) => {}
        // A way without an end cannot be followed by MDN either.
        _ => return NOT_MEASURED,
    }
    let over_tls = |hop: &&Hop| hop.url.scheme() == Scheme::Https;
    let (Some(first), Some(second), Some(last)) = (route.first(), route.get(1), route.last())
    else {
        return "redirection-missing";
    };
    if route.iter().any(over_tls) && !site.is_trusted() {
        "redirection-invalid-cert"
    } else if !over_tls(last) {
        "redirection-not-to-https"
    } else if !over_tls(second) {
        "redirection-not-to-https-on-initial-redirection"
    } else if first.url.host() != second.url.host() {
        "redirection-off-host-from-http"
    } else {
        "redirection-to-https"
    }
}

fn referrer(site: &Site<'_>) -> &'static str {
    const PRIVATE: [&str; 4] = [
        "no-referrer",
        "same-origin",
        "strict-origin",
        "strict-origin-when-cross-origin",
    ];
    const UNSAFE: [&str; 4] = [
        "origin",
        "origin-when-cross-origin",
        "unsafe-url",
        "no-referrer-when-downgrade",
    ];
    let in_page = site
        .journey
        .contents
        .as_ref()
        .and_then(|c| c.referrer.as_deref());
    let values: Vec<&str> = site
        .page
        .fields_named("referrer-policy")
        .chain(in_page)
        .collect();
    if values.is_empty() {
        return "referrer-policy-not-implemented";
    }
    let words = values.iter().flat_map(|value| value.split(','));
    let last = words
        .map(|word| word.trim().to_ascii_lowercase())
        .rfind(|word| PRIVATE.contains(&word.as_str()) || UNSAFE.contains(&word.as_str()));
    match last {
        Some(word) if PRIVATE.contains(&word.as_str()) => "referrer-policy-private",
        Some(_) => "referrer-policy-unsafe",
        None => "referrer-policy-header-invalid",
    }
}

fn sniffing(site: &Site<'_>) -> &'static str {
    match site.word("x-content-type-options").as_deref() {
        Some("nosniff") => "x-content-type-options-nosniff",
        Some(_) => "x-content-type-options-header-invalid",
        None => "x-content-type-options-not-implemented",
    }
}

fn framing(site: &Site<'_>, policy: Option<&csp::Merged>) -> &'static str {
    if policy.is_some_and(|policy| policy.contains_key("frame-ancestors")) {
        return "x-frame-options-implemented-via-csp";
    }
    match site.word("x-frame-options").as_deref() {
        Some("deny" | "sameorigin") => "x-frame-options-sameorigin-or-deny",
        Some(word) if word.starts_with("allow-from") => "x-frame-options-allow-from-origin",
        Some(_) => "x-frame-options-header-invalid",
        None => "x-frame-options-not-implemented",
    }
}

fn embedding(site: &Site<'_>) -> &'static str {
    match site.word("cross-origin-resource-policy").as_deref() {
        Some("same-site") => "corp-implemented-with-same-site",
        Some("same-origin") => "corp-implemented-with-same-origin",
        Some("cross-origin") => "corp-implemented-with-cross-origin",
        Some(_) => "corp-header-invalid",
        None => "corp-not-implemented",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read_and_names_a_rule() {
        let text = include_str!("data/header_score.tsv");
        let lines = text
            .lines()
            .filter(|line| !line.starts_with(['#', '[']))
            .count();
        assert_eq!(TABLE.len(), lines);
        assert!(text.contains("# Source: ") && text.contains("# Date: "));
        for line in TABLE.iter() {
            assert!(
                !line.rule.is_empty() && line.why.ends_with('.'),
                "{}",
                line.result
            );
            let same = |other: &&Line| other.result == line.result;
            assert_eq!(TABLE.iter().filter(same).count(), 1, "{}", line.result);
        }
    }

    #[test]
    fn bonuses_count_from_ninety_on_and_nothing_falls_below_zero() {
        assert_eq!(sum([5, 10, -10].into_iter()), 105);
        assert_eq!(sum([5, 10, -15].into_iter()), 85);
        assert_eq!(sum([-50, -50, -20].into_iter()), 0);
        assert_eq!(sum([].into_iter()), 100);
    }

    #[test]
    fn grades_are_those_of_the_chart() {
        let of = |score| grade(score);
        assert_eq!((of(135), of(100), of(99), of(89)), ("A+", "A+", "A", "A-"));
        assert_eq!(
            (of(84), of(79), of(45), of(25), of(24)),
            ("B+", "B", "C-", "D-", "F")
        );
    }

    #[test]
    fn a_same_site_that_is_no_word_is_noticed() {
        assert!(misstates_same_site("a=1; SameSite=maybe"));
        assert!(misstates_same_site("a=1; samesite"));
        assert!(!misstates_same_site("a=1; SameSite= Lax ; Secure"));
    }
}
