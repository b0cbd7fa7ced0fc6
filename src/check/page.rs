//! What the page pulls in: scripts from elsewhere, and anything over plain
//! HTTP.

use std::collections::BTreeSet;

use super::http::{self, Page};
use super::{Case, Check, Draft};
use crate::codec::csp;
use crate::guard::Scheme;
use crate::guard::text::clean;
use crate::probe::html::{Contents, Counts, Script};
use crate::report::{Confidence, Finding, Severity, counted};

checks! {
    INTEGRITY {
        id: "http.subresource_integrity",
        about: "Whether scripts from other sites are pinned by a hash, so that whoever changes them there does \
            not change them here. The first 256 KiB of the page are read; scripts that scripts add are not \
            seen.",
        when: [
            Fail "A pinned script of another origin is not asked for by CORS (no crossorigin), so that browsers block it.",
            Warn "A script from another site is not pinned.",
            Inconclusive "No such script is in what came of a page that broke off or could not be decoded.",
        ],
        reference: "W3C Subresource Integrity section 3",
        reproduce: "curl -sSL {page} | grep -io '<script[^>]*src=[^>]*>'",
        maps_to: ["mdn-observatory:subresource-integrity", "cwe:353"],
    }

    MIXED {
        id: "http.mixed_content",
        about: "Whether a page over HTTPS asks for anything over plain HTTP. Browsers block scripts, styles and \
            frames and images of a srcset, ask for other images and media over HTTPS instead, and send forms as they are. The first 256 KiB of the page are read.",
        when: [
            Fail "Scripts, styles, frames or forms.",
            Warn "Images or media.",
            Inconclusive "Nothing is in what came of a page that broke off or could not be decoded.",
            Pass "Nothing, or upgrade-insecure-requests is set.",
        ],
        reference: "W3C Mixed Content section 3",
        reproduce: "curl -sSL {page} | grep -ioE '(src|srcset|href|action|formaction|data|poster)=[^>]*http://[^ >]*|url\\(.?http://[^)]*'",
        maps_to: ["cwe:311"],
    }
}

/// Names listed in a title.
const NAMED: usize = 3;

pub(super) fn run(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some(page) = http::arrived(case, CHECKS, findings) else {
        return;
    };
    match &page.journey.contents {
        Some(contents) => {
            integrity(case, &page, contents, findings);
            mixed(case, &page, contents, findings);
        }
        None => {
            for check in CHECKS {
                no_page(case, &page, check, findings);
            }
        }
    }
}

fn no_page(case: &Case<'_>, page: &Page<'_>, check: &Check, findings: &mut Vec<Finding>) {
    case.not_applicable(check, "The answer is no HTML page.")
        .evidence(page.header("content-type"))
        .add(findings);
}

fn integrity(case: &Case<'_>, page: &Page<'_>, contents: &Contents, findings: &mut Vec<Finding>) {
    let foreign: Vec<&Script> = contents
        .scripts
        .iter()
        .filter(|script| is_foreign(case, page, script))
        .collect();
    let open: Vec<&Script> = foreign
        .iter()
        .filter(|script| !script.integrity)
        .copied()
        .collect();
    let blocked: Vec<&Script> = contents
        .scripts
        .iter()
        .filter(|script| script.blocked)
        .collect();
    let evidence = page.at("contents/foreignScripts");
    let part = read_part(page, contents);
    if !blocked.is_empty() {
        let hosts = blocked.iter().filter_map(|script| script.host.as_deref());
        let title = format!(
            "{} pinned by a hash and not asked for by CORS, so that browsers block {}, from {}.",
            counted(blocked.len(), "script is", "scripts are"),
            if blocked.len() == 1 { "it" } else { "them" },
            listed(hosts)
        );
        return case
            .fail(INTEGRITY, Severity::Medium, title)
            .fix("Add crossorigin=\"anonymous\" beside the integrity attribute, and have the script sent with Access-Control-Allow-Origin.")
            .evidence(evidence)
            .add(findings);
    }
    if open.is_empty()
        && let Some(why) = unseen(page)
    {
        return in_part(case, INTEGRITY, page, why).add(findings);
    }
    if foreign.is_empty() {
        let title = format!("{} loads no script from another site.", part.subject());
        case.pass(INTEGRITY, title).confidence(part.confidence())
    } else if open.is_empty() {
        case.pass(INTEGRITY, format!("{} pinned by a hash{}.", counted(foreign.len(), "script from another site is", "scripts from other sites are all"), part.aside()))
            .confidence(part.confidence())
    } else {
        let hosts = open.iter().filter_map(|script| script.host.as_deref());
        case.warn(
            INTEGRITY,
            Severity::Low,
            format!("{} not pinned by a hash, from {}.", counted(open.len(), "script from another site is", "scripts from other sites are"), listed(hosts)),
        )
        .fix("Add an integrity attribute with the script's SHA-384, and crossorigin=\"anonymous\", or serve the script yourself.")
    }
    .evidence(evidence)
    .evidence(page.at("contents/scriptCount"))
    .add(findings);
}

/// How much of a page is behind what is said of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Whole,
    /// What lies within the cap.
    Beginning,
    /// As many addresses as are looked at.
    Most,
}

impl Part {
    fn subject(self) -> &'static str {
        match self {
            Part::Whole => "The page",
            Part::Beginning => "What is read of the page (256 KiB)",
            Part::Most => "The page, as far as its many addresses were looked at,",
        }
    }

    fn aside(self) -> &'static str {
        match self {
            Part::Whole => "",
            Part::Beginning => " in what is read of the page (256 KiB)",
            Part::Most => ", as far as the page's many addresses were looked at",
        }
    }

    fn confidence(self) -> Confidence {
        match self {
            Part::Whole => Confidence::High,
            _ => Confidence::Medium,
        }
    }
}

fn read_part(page: &Page<'_>, contents: &Contents) -> Part {
    match (page.response.truncated, contents.has_more) {
        (true, _) => Part::Beginning,
        (_, true) => Part::Most,
        _ => Part::Whole,
    }
}

/// That nothing was found, in a page that was seen in part.
fn in_part<'c, 'a>(case: &'c Case<'a>, check: &Check, page: &Page<'_>, why: &str) -> Draft<'c, 'a> {
    case.inconclusive(check, why)
        .evidence(page.at("incomplete"))
        .evidence(page.header("content-encoding"))
}

/// Why there may be more in the page than was seen, where that is so.
fn unseen(page: &Page<'_>) -> Option<&'static str> {
    match (page.response.undecoded, page.response.incomplete) {
        (true, _) => Some(
            "the page comes in a content coding that was not asked for, or does not hold to it",
        ),
        (false, true) => Some("the page broke off before its end"),
        (false, false) => None,
    }
}

/// Whether a script comes from another registered domain; the measured apex
/// of the host's zone stands for that.
fn is_foreign(case: &Case<'_>, page: &Page<'_>, script: &Script) -> bool {
    let Some(host) = script.host.as_deref() else {
        return false;
    };
    let apex = case.probes.zone.as_ref().map(|zone| zone.apex.as_str());
    let below = |apex: &str| {
        host == apex
            || host
                .strip_suffix(apex)
                .is_some_and(|rest| rest.ends_with('.'))
    };
    host != page.hop.url.host() && host != case.probes.host() && !apex.is_some_and(below)
}

fn mixed(case: &Case<'_>, page: &Page<'_>, contents: &Contents, findings: &mut Vec<Finding>) {
    if page.hop.url.scheme() != Scheme::Https {
        return case
            .not_applicable(MIXED, "The page itself comes over plain HTTP.")
            .evidence(page.at("status"))
            .add(findings);
    }
    let Counts {
        active,
        passive,
        sets,
        forms,
    } = contents.counts;
    let part = read_part(page, contents);
    let evidence = page.at("contents/plain");
    if contents.plain.is_empty()
        && let Some(why) = unseen(page)
    {
        return in_part(case, MIXED, page, why).add(findings);
    }
    let fix = "Ask for everything over HTTPS, or send \"Content-Security-Policy: upgrade-insecure-requests\".";
    if contents.plain.is_empty() {
        let title = format!("{} asks for nothing over plain HTTP.", part.subject());
        case.pass(MIXED, title).confidence(part.confidence())
    } else if upgrades(page) {
        case.pass(
            MIXED,
            format!(
                "The page names {} over HTTPS.",
                counted(
                    active + passive + sets + forms,
                    "plain HTTP address, and has browsers ask for it",
                    "plain HTTP addresses, and has browsers ask for them"
                ),
            ),
        )
    } else if active > 0 || forms > 0 {
        case.fail(
            MIXED,
            Severity::Medium,
            format!(
                "The page asks for {} over plain HTTP, which browsers block, and sends {} there.",
                counted(active, "active resource", "active resources"),
                counted(forms, "form", "forms"),
            ),
        )
        .fix(fix)
    } else {
        case.warn(
            MIXED,
            Severity::Low,
            format!(
                "The page asks for {} over plain HTTP{}.",
                counted(
                    passive + sets,
                    "image or other medium",
                    "images or other media"
                ),
                match sets {
                    0 => String::new(),
                    sets => format!(", of which browsers block {sets} (srcset)"),
                }
            ),
        )
        .fix(fix)
    }
    .evidence(evidence)
    .add(findings);
}

fn upgrades(page: &Page<'_>) -> bool {
    let in_page = page
        .journey
        .contents
        .iter()
        .flat_map(|c| &c.policies)
        .map(String::as_str);
    page.response
        .fields_named("content-security-policy")
        .chain(in_page)
        .filter_map(|value| csp::parse(value).ok())
        .flat_map(|reading| reading.value.policies)
        .any(|policy| policy.directive("upgrade-insecure-requests").is_some())
}

fn listed<'a>(hosts: impl Iterator<Item = &'a str>) -> String {
    let hosts: BTreeSet<&str> = hosts.collect();
    let mut named: Vec<String> = hosts
        .iter()
        .take(NAMED)
        .map(|host| clean(host, 80))
        .collect();
    if hosts.len() > NAMED {
        named.push(format!("{} more", hosts.len() - NAMED));
    }
    named.join(", ")
}
