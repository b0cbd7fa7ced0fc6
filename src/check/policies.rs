//! What headers ask of a browser beside the Content-Security-Policy: guessing
//! types, framing, referrers, features, isolation.

use super::http::{self, Page};
use super::{Case, Check};
use crate::codec::csp::{self, source::Source};
use crate::codec::permissions_policy;
use crate::guard::text::clean;
use crate::report::{Finding, Severity, counted};

checks! {
    NOSNIFF {
        id: "http.content_type_options",
        about: "Whether browsers are told not to guess content types.",
        reference: "WHATWG Fetch, X-Content-Type-Options",
        reproduce: "curl -sSL -D - -o /dev/null {page} | grep -i x-content-type-options",
        maps_to: [
            "mdn-observatory:x-content-type-options",
            "internet.nl:web_appsecpriv_x_content_type_options",
        ],
    }

    FRAMING {
        id: "http.frame_options",
        about: "Who may show the page in a frame, where its buttons could be put under other people's. \
            frame-ancestors of an enforced Content-Security-Policy decides; only without it do browsers \
            look at X-Frame-Options.",
        reference: "W3C CSP Level 3 section 6.4.2; RFC 7034",
        reproduce: "curl -sSL -D - -o /dev/null {page} | grep -iE 'frame-ancestors|x-frame-options'",
        maps_to: [
            "mdn-observatory:x-frame-options",
            "internet.nl:web_appsecpriv_x_frame_options",
            "cwe:1021",
        ],
    }

    REFERRER {
        id: "http.referrer_policy",
        about: "What other sites learn of the address that a visitor comes from. Without a policy browsers \
            tell other sites the origin only, so none is no fault; one that tells more is.",
        reference: "W3C Referrer Policy section 3",
        reproduce: "curl -sSL -D - -o /dev/null {page} | grep -i referrer-policy",
        maps_to: [
            "mdn-observatory:referrer-policy",
            "internet.nl:web_appsecpriv_referrer_policy",
            "cwe:200",
        ],
    }

    FEATURES {
        id: "http.permissions_policy",
        about: "Whether camera, microphone, place and the like are kept from embedded pages.",
        reference: "W3C Permissions Policy section 5.2",
        reproduce: "curl -sSL -D - -o /dev/null {page} | grep -i permissions-policy",
        maps_to: [],
    }

    OPENER {
        id: "http.opener_policy",
        about: "Whether the page is kept apart from windows of other origins (Cross-Origin-Opener-Policy).",
        reference: "WHATWG HTML section 7.1.3",
        reproduce: "curl -sSL -D - -o /dev/null {page} | grep -i cross-origin-opener-policy",
        maps_to: [],
    }

    EMBEDDER {
        id: "http.embedder_policy",
        about: "Whether the page embeds only what agrees to it (Cross-Origin-Embedder-Policy).",
        reference: "WHATWG HTML section 7.1.4",
        reproduce: "curl -sSL -D - -o /dev/null {page} | grep -i cross-origin-embedder-policy",
        maps_to: [],
    }

    RESOURCE {
        id: "http.resource_policy",
        about: "Who may embed this very answer (Cross-Origin-Resource-Policy).",
        reference: "WHATWG Fetch section 3.7",
        reproduce: "curl -sSL -D - -o /dev/null {page} | grep -i cross-origin-resource-policy",
        maps_to: ["mdn-observatory:cross-origin-resource-policy"],
    }
}

pub(super) fn run(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some(page) = http::arrived(case, CHECKS, findings) else {
        return;
    };
    nosniff(case, &page, findings);
    framing(case, &page, findings);
    referrer(case, &page, findings);
    features(case, &page, findings);
    isolation(case, &page, &COOP, findings);
    isolation(case, &page, &COEP, findings);
    isolation(case, &page, &CORP, findings);
}

fn nosniff(case: &Case<'_>, page: &Page<'_>, findings: &mut Vec<Finding>) {
    let first = page
        .field("x-content-type-options")
        .and_then(|value| value.split(',').next());
    let evidence = page.header("x-content-type-options");
    match first {
        Some(word) if word.trim().eq_ignore_ascii_case("nosniff") => {
            case.pass(NOSNIFF, "Browsers are told not to guess content types.")
        }
        _ => case
            .warn(NOSNIFF, Severity::Low, "Browsers may guess content types.")
            .evidence(page.at("status"))
            .fix("Send \"X-Content-Type-Options: nosniff\"."),
    }
    .evidence(evidence)
    .add(findings);
}

fn framing(case: &Case<'_>, page: &Page<'_>, findings: &mut Vec<Finding>) {
    const FIX: &str = "Send \"Content-Security-Policy: frame-ancestors 'none'\", or the origins that may frame the page.";
    // Policies in the page itself cannot say this; every header that does
    // must allow a frame.
    let limits: Vec<bool> = page
        .response
        .fields_named("content-security-policy")
        .filter_map(|value| csp::parse(value).ok())
        .flat_map(|reading| reading.value.policies)
        .filter_map(|policy| {
            policy
                .directive("frame-ancestors")
                .map(|d| limits(&d.values))
        })
        .collect();
    let options = frame_options(page);
    let by_policy = page.header("content-security-policy");
    let by_option = page.header("x-frame-options");
    match (limits.is_empty(), options.first().map(String::as_str)) {
        (false, _) if limits.contains(&true) => case
            .pass(FRAMING, "frame-ancestors says who may frame the page.")
            .evidence(by_policy),
        (false, _) => case
            .warn(FRAMING, Severity::Medium, "frame-ancestors lets anybody frame the page; X-Frame-Options is not looked at beside it.")
            .evidence(by_policy)
            .fix(FIX),
        (true, Some(_)) if options.len() > 1 && options.iter().any(|word| is_frame_option(word)) => case
            .pass(FRAMING, "X-Frame-Options has values that differ, so that browsers show the page in no frame.")
            .evidence(by_option),
        (true, Some("deny" | "sameorigin")) => case
            .pass(FRAMING, "X-Frame-Options keeps other sites from framing the page.")
            .evidence(by_option),
        (true, Some(word)) => {
            let title = match word.starts_with("allow-from") {
                true => "X-Frame-Options is ALLOW-FROM, which browsers ignore: anybody may frame the page.",
                false => "X-Frame-Options is no value that browsers know: anybody may frame the page.",
            };
            case.warn(FRAMING, Severity::Medium, title).evidence(by_option).fix(FIX)
        }
        (true, None) => case
            .warn(FRAMING, Severity::Medium, "Anybody may frame the page.")
            .evidence(page.at("status"))
            .fix(FIX),
    }
    .add(findings);
}

/// The values of all fields as one set (WHATWG HTML, "check a navigation
/// response's adherence to X-Frame-Options"), in lower case.
fn frame_options(page: &Page<'_>) -> Vec<String> {
    let mut words: Vec<String> = page
        .response
        .fields_named("x-frame-options")
        .flat_map(|value| value.split(','))
        .map(|word| word.trim().to_ascii_lowercase())
        .filter(|word| !word.is_empty())
        .collect();
    words.sort_unstable();
    words.dedup();
    words
}

fn is_frame_option(word: &str) -> bool {
    matches!(word, "deny" | "allowall" | "sameorigin")
}

fn limits(values: &[String]) -> bool {
    values.iter().all(|value| match Source::read(value) {
        Source::Scheme(_) => false,
        Source::Host(host) => host.host != "*",
        _ => true,
    })
}

fn referrer(case: &Case<'_>, page: &Page<'_>, findings: &mut Vec<Finding>) {
    const QUIET: [&str; 4] = [
        "no-referrer",
        "same-origin",
        "strict-origin",
        "strict-origin-when-cross-origin",
    ];
    const LOUD: [&str; 4] = [
        "unsafe-url",
        "no-referrer-when-downgrade",
        "origin",
        "origin-when-cross-origin",
    ];
    let in_page = page
        .journey
        .contents
        .as_ref()
        .and_then(|c| c.referrer.as_deref())
        .map(of_today);
    let values: Vec<&str> = page
        .response
        .fields_named("referrer-policy")
        .chain(in_page)
        .collect();
    // The last word that a browser knows counts.
    let last = values
        .iter()
        .flat_map(|value| value.split(','))
        .map(|word| word.trim().to_ascii_lowercase())
        .rfind(|word| QUIET.contains(&word.as_str()) || LOUD.contains(&word.as_str()));
    let fix = "Send \"Referrer-Policy: strict-origin-when-cross-origin\" or a stricter one.";
    match last {
        _ if values.is_empty() => case.info(
            REFERRER,
            "No Referrer-Policy is sent; browsers tell other sites the origin only.",
        ),
        Some(word) if QUIET.contains(&word.as_str()) => case.pass(
            REFERRER,
            format!("Other sites learn at most the origin ({word})."),
        ),
        Some(word) => {
            let title = match word.as_str() {
                "unsafe-url" => "Every site that the page links to learns its whole address.",
                "no-referrer-when-downgrade" => {
                    "Every HTTPS site that the page links to learns its whole address."
                }
                _ => "Sites over plain HTTP learn the origin that a visitor comes from.",
            };
            let severity = match word.starts_with("origin") {
                true => Severity::Info,
                false => Severity::Low,
            };
            case.warn(REFERRER, severity, title).fix(fix)
        }
        None => case
            .warn(
                REFERRER,
                Severity::Low,
                "The Referrer-Policy is none that browsers know.",
            )
            .fix(fix),
    }
    .evidence(page.header("referrer-policy"))
    .evidence(page.at("contents/referrer"))
    .add(findings);
}

/// A word of a `meta` element in its present spelling (WHATWG HTML section
/// 4.2.5.1).
fn of_today(word: &str) -> &str {
    const OLD: [(&str, &str); 4] = [
        ("never", "no-referrer"),
        ("default", "strict-origin-when-cross-origin"),
        ("always", "unsafe-url"),
        ("origin-when-crossorigin", "origin-when-cross-origin"),
    ];
    let known = OLD
        .iter()
        .find(|(old, _)| word.trim().eq_ignore_ascii_case(old));
    known.map_or(word, |(_, today)| today)
}

fn features(case: &Case<'_>, page: &Page<'_>, findings: &mut Vec<Finding>) {
    const POWERFUL: [&str; 6] = [
        "camera",
        "microphone",
        "geolocation",
        "display-capture",
        "payment",
        "usb",
    ];
    let values: Vec<&str> = page.response.fields_named("permissions-policy").collect();
    if values.is_empty() {
        return case
            .info(
                FEATURES,
                "No Permissions-Policy is sent; embedded pages get what their frames allow.",
            )
            .evidence(page.at("status"))
            .add(findings);
    }
    let evidence = page.header("permissions-policy");
    let policy = permissions_policy::parse(&values.join(", "));
    let Some(policy) = policy
        .ok()
        .map(|reading| reading.value)
        .filter(|policy| policy.valid)
    else {
        return case
            .warn(
                FEATURES,
                Severity::Low,
                "The Permissions-Policy cannot be read; browsers ignore it.",
            )
            .evidence(evidence)
            .fix("Write it as a structured field, for example \"camera=(), microphone=()\".")
            .add(findings);
    };
    let open: Vec<String> = policy
        .features
        .iter()
        .filter(|feature| feature.allowed == "all" && POWERFUL.contains(&feature.name.as_str()))
        .map(|feature| clean(&feature.name, 40))
        .collect();
    match open.is_empty() {
        true => case.pass(
            FEATURES,
            format!(
                "A Permissions-Policy rules {}.",
                counted(policy.features.len(), "feature", "features")
            ),
        ),
        false => case
            .warn(
                FEATURES,
                Severity::Low,
                format!(
                    "The Permissions-Policy keeps {} from nobody; every embedded page may be given it by its frame.",
                    open.join(", ")
                ),
            )
            .fix("Allow such features to yourself and to origins that need them."),
    }
    .evidence(evidence)
    .add(findings);
}

/// One header that keeps pages of different origins apart.
struct Isolation {
    check: &'static Check,
    field: &'static str,
    /// Whether it is a structured field (RFC 9651), which may have parameters.
    is_structured: bool,
    /// Values that browsers know, and what they do.
    known: &'static [(&'static str, &'static str)],
    without: &'static str,
}

const COOP: Isolation = Isolation {
    check: OPENER,
    field: "cross-origin-opener-policy",
    is_structured: true,
    known: &[
        (
            "same-origin",
            "Windows of other origins cannot reach the page.",
        ),
        (
            "same-origin-allow-popups",
            "Windows of other origins cannot reach the page, but those it opens.",
        ),
        (
            "noopener-allow-popups",
            "Whoever opens the page cannot reach it.",
        ),
        (
            "unsafe-none",
            "Windows of other origins that open the page keep hold of it, by choice.",
        ),
    ],
    without: "No Cross-Origin-Opener-Policy is sent; windows of other origins that open the page keep hold of it.",
};

const COEP: Isolation = Isolation {
    check: EMBEDDER,
    field: "cross-origin-embedder-policy",
    is_structured: true,
    known: &[
        ("require-corp", "The page embeds only what agrees to it."),
        (
            "credentialless",
            "The page embeds what does not agree to it without credentials.",
        ),
        ("unsafe-none", "The page embeds anything, by choice."),
    ],
    without: "No Cross-Origin-Embedder-Policy is sent; the page is not isolated.",
};

const CORP: Isolation = Isolation {
    check: RESOURCE,
    field: "cross-origin-resource-policy",
    is_structured: false,
    known: &[
        ("same-origin", "Only the same origin may embed the answer."),
        ("same-site", "Only the same site may embed the answer."),
        ("cross-origin", "Everybody may embed the answer, by choice."),
    ],
    without: "No Cross-Origin-Resource-Policy is sent; everybody may embed the answer.",
};

fn isolation(case: &Case<'_>, page: &Page<'_>, header: &Isolation, findings: &mut Vec<Finding>) {
    let value = page.response.joined(header.field);
    let value = value.as_deref().filter(|value| !value.is_empty());
    let word = value.map(|value| match header.is_structured {
        // A parameter such as report-to follows a semicolon.
        true => value.split(';').next().unwrap_or_default().trim(),
        false => value,
    });
    let known = word.map(|word| header.known.iter().find(|(known, _)| *known == word));
    let open = ["unsafe-none", "cross-origin"];
    match known {
        None => case
            .info(header.check, header.without)
            .evidence(page.at("status")),
        Some(Some((word, title))) if open.contains(word) => case.info(header.check, *title),
        Some(Some((_, title))) => case.pass(header.check, *title),
        Some(None) => case
            .warn(
                header.check,
                Severity::Low,
                format!(
                    "{} is no value that browsers know; they ignore it.",
                    header.field
                ),
            )
            .fix(format!(
                "Send one of {}.",
                header
                    .known
                    .iter()
                    .map(|(word, _)| *word)
                    .collect::<Vec<_>>()
                    .join(", ")
            )),
    }
    .evidence(page.header(header.field))
    .add(findings);
}
