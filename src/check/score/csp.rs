//! MDN's rule for the Content-Security-Policy, merged over every policy that
//! is enforced, in headers and `meta` elements alike.

use std::collections::{BTreeMap, BTreeSet};

use super::Site;

/// Directive to sources, in lower case.
pub(super) type Merged = BTreeMap<String, BTreeSet<String>>;

const BROAD: [&str; 8] = [
    "ftp:",
    "http:",
    "https:",
    "*",
    "http://*",
    "http://*.*",
    "https://*",
    "https://*.*",
];

/// Directives that may stand twice without making the policy invalid.
const MAY_REPEAT: [&str; 2] = ["report-uri", "report-to"];

/// The shortest policy that MDN reads, in bytes.
const SHORTEST: usize = 6;

/// What `meta` elements may not set.
const HEADER_ONLY: [&str; 3] = ["frame-ancestors", "report-uri", "sandbox"];

/// The outcome, and the merged policy where there is one.
pub(super) fn judge(site: &Site<'_>) -> (&'static str, Option<Merged>) {
    let headers: Vec<&str> = site.page.fields_named("content-security-policy").collect();
    let in_page = site.journey.contents.as_ref();
    let metas: Vec<&str> = in_page
        .map(|contents| contents.policies.iter().map(String::as_str).collect())
        .unwrap_or_default();
    let all: Vec<&str> = headers.iter().chain(&metas).copied().collect();
    let Some((merged, repeats)) = merge(&all) else {
        return ("csp-header-invalid", None);
    };
    let says_something = |policies: &[&str], ignored: &[&str]| {
        merge(policies)
            .is_some_and(|(merged, _)| merged.keys().any(|name| !ignored.contains(&name.as_str())))
    };
    if !says_something(&headers, &[]) && !says_something(&metas, &HEADER_ONLY) {
        let reported = site.page.field("content-security-policy-report-only");
        let outcome = match reported {
            Some(_) => "csp-not-implemented-but-reporting-enabled",
            None => "csp-not-implemented",
        };
        return (outcome, None);
    }
    let outcome = grade(&merged, site.is_secure());
    const PASSES: [&str; 4] = [
        "csp-implemented-with-no-unsafe",
        "csp-implemented-with-no-unsafe-default-src-none",
        "csp-implemented-with-unsafe-inline-in-style-src-only",
        "csp-implemented-with-insecure-scheme-in-passive-content-only",
    ];
    match repeats && PASSES.contains(&outcome) {
        true => ("csp-implemented-but-duplicate-directives", Some(merged)),
        false => (outcome, Some(merged)),
    }
}

/// Every policy in one, and whether one says twice where to report to;
/// `None` where a policy is invalid to MDN.
fn merge(policies: &[&str]) -> Option<(Merged, bool)> {
    let (mut merged, mut repeats) = (Merged::new(), false);
    for (at, policy) in policies.iter().enumerate() {
        let policy = policy.trim();
        if policy.len() < SHORTEST {
            return None;
        }
        let mut seen = BTreeSet::new();
        for part in policy.split(';') {
            let mut words = part.split_whitespace().map(str::to_ascii_lowercase);
            let Some(name) = words.next() else { continue };
            if !seen.insert(name.clone()) {
                match MAY_REPEAT.contains(&name.as_str()) {
                    true => repeats = true,
                    false => return None,
                }
            }
            let given: BTreeSet<String> = words.collect();
            // A source counts when every policy has it. A directive that only
            // a later policy has is closed by MDN, whatever it lists.
            let sources: BTreeSet<String> = match (at, merged.get(&name)) {
                (0, _) => given,
                (_, Some(before)) => before.intersection(&given).cloned().collect(),
                (_, None) => BTreeSet::new(),
            };
            merged.insert(name, sources);
        }
    }
    for sources in merged.values_mut().filter(|sources| sources.is_empty()) {
        sources.insert(String::from("'none'"));
    }
    Some((merged, repeats))
}

fn grade(policy: &Merged, over_https: bool) -> &'static str {
    let sources = |name: &str, or_default: bool| -> BTreeSet<String> {
        let fallback = or_default.then(|| policy.get("default-src")).flatten();
        let found = policy.get(name).or(fallback).cloned();
        found.unwrap_or_else(|| BTreeSet::from([String::from("*")]))
    };
    let mut scripts = sources("script-src", true);
    let mut styles = sources("style-src", true);
    let objects = sources("object-src", true);
    for list in [&mut scripts, &mut styles] {
        if has_nonce_or_hash(list) {
            list.remove("'unsafe-inline'");
        }
    }
    if scripts.contains("'strict-dynamic'") {
        if !has_nonce_or_hash(&scripts) {
            return "csp-header-invalid";
        }
        scripts.retain(|source| {
            !BROAD.iter().any(|broad| source.starts_with(broad))
                && source != "'self'"
                && source != "'unsafe-inline'"
        });
    }
    let broad = |list: &BTreeSet<String>| list.iter().any(|s| BROAD.contains(&s.as_str()));
    let inline =
        |list: &BTreeSet<String>| list.contains("'unsafe-inline'") || list.contains("data:");
    let plain = |source: &String| source.starts_with("http:") || source.starts_with("ftp:");

    let passive = ["img-src", "media-src"];
    let active = policy
        .iter()
        .filter(|(name, _)| !passive.contains(&name.as_str()) && *name != "script-src")
        .flat_map(|(_, list)| list);
    let passive_plain = passive.iter().any(|name| {
        let list = policy.get(*name).or_else(|| policy.get("default-src"));
        list.is_some_and(|list| list.iter().any(plain))
    });
    if broad(&scripts) || inline(&scripts) || broad(&objects) {
        "csp-implemented-with-unsafe-inline"
    } else if over_https && active.chain(&scripts).any(plain) {
        "csp-implemented-with-insecure-scheme"
    } else if scripts.contains("'unsafe-eval'") || styles.contains("'unsafe-eval'") {
        "csp-implemented-with-unsafe-eval"
    } else if over_https && passive_plain {
        "csp-implemented-with-insecure-scheme-in-passive-content-only"
    } else if broad(&styles) || inline(&styles) {
        "csp-implemented-with-unsafe-inline-in-style-src-only"
    } else if policy
        .get("default-src")
        .is_some_and(|list| list.len() == 1 && list.contains("'none'"))
    {
        "csp-implemented-with-no-unsafe-default-src-none"
    } else {
        "csp-implemented-with-no-unsafe"
    }
}

fn has_nonce_or_hash(list: &BTreeSet<String>) -> bool {
    ["'sha256-", "'sha384-", "'sha512-", "'nonce-"]
        .iter()
        .any(|start| list.iter().any(|source| source.starts_with(start)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(policy: &str) -> &'static str {
        match merge(&[policy]) {
            Some((merged, _)) => grade(&merged, true),
            None => "csp-header-invalid",
        }
    }

    /// Taken over from MDN's own tests of this rule.
    #[test]
    fn policies_come_out_as_with_mdn() {
        for (policy, expected) in [
            (
                "default-src 'none'",
                "csp-implemented-with-no-unsafe-default-src-none",
            ),
            ("default-src 'self'", "csp-implemented-with-no-unsafe"),
            ("default-src https:", "csp-implemented-with-unsafe-inline"),
            ("default-src *", "csp-implemented-with-unsafe-inline"),
            (
                "upgrade-insecure-requests",
                "csp-implemented-with-unsafe-inline",
            ),
            (
                "default-src 'none'; script-src 'unsafe-inline'",
                "csp-implemented-with-unsafe-inline",
            ),
            (
                "default-src 'none'; script-src 'unsafe-inline' 'nonce-abc'",
                "csp-implemented-with-no-unsafe-default-src-none",
            ),
            (
                "default-src 'none'; script-src 'strict-dynamic'",
                "csp-header-invalid",
            ),
            (
                "default-src 'self' 'unsafe-eval'",
                "csp-implemented-with-unsafe-eval",
            ),
            (
                "default-src 'self' http://a.net",
                "csp-implemented-with-insecure-scheme",
            ),
            (
                "default-src 'self'; img-src http:",
                "csp-implemented-with-insecure-scheme-in-passive-content-only",
            ),
            (
                "default-src 'none'; style-src data:",
                "csp-implemented-with-unsafe-inline-in-style-src-only",
            ),
            (
                "default-src 'none'; default-src 'self'",
                "csp-header-invalid",
            ),
            ("abc", "csp-header-invalid"),
        ] {
            assert_eq!(outcome(policy), expected, "{policy}");
        }
    }

    #[test]
    fn a_source_counts_when_every_policy_has_it() {
        let (merged, _) =
            merge(&["default-src 'self' *", "default-src 'self'; img-src *"]).unwrap();
        assert_eq!(merged["default-src"], BTreeSet::from(["'self'".to_owned()]));
        assert_eq!(merged["img-src"], BTreeSet::from(["'none'".to_owned()]));
    }
}
