//! MDN's rule for scripts from elsewhere and their integrity.

use super::Site;
use crate::probe::html::{Form, Script};

/// Best first, as MDN ranks them: the worst of all scripts counts.
const RANKS: [&str; 5] = [
    "sri-implemented-and-all-scripts-loaded-securely",
    "sri-implemented-and-external-scripts-loaded-securely",
    "sri-implemented-but-external-scripts-not-loaded-securely",
    "sri-not-implemented-but-external-scripts-loaded-securely",
    "sri-not-implemented-and-external-scripts-not-loaded-securely",
];

pub(super) fn judge(site: &Site<'_>) -> &'static str {
    let Some(contents) = &site.journey.contents else {
        return "sri-not-implemented-response-not-html";
    };
    if contents.script_count == 0 {
        return "sri-not-implemented-but-no-scripts-loaded";
    }
    let (mut worst, mut any_foreign): (Option<usize>, bool) = (None, false);
    for script in &contents.scripts {
        // MDN knows an address without a host as the site's own.
        let written = match script.host {
            Some(_) => script.form,
            None => Form::Relative,
        };
        let own = match written {
            Form::Relative => true,
            Form::SchemeRelative => false,
            Form::Absolute => is_own(site, script),
        };
        let secure = match written {
            Form::Relative => site.is_secure(),
            Form::SchemeRelative => false,
            Form::Absolute => script.secure,
        };
        any_foreign |= !own;
        let rank = match (own, script.integrity, secure) {
            (true, true, true) if worst.is_none() => Some(0),
            (true, _, _) | (false, true, true) => None,
            (false, true, false) => Some(2),
            (false, false, true) => Some(3),
            (false, false, false) => Some(4),
        };
        worst = worst.max(rank);
    }
    match worst.and_then(|rank| RANKS.get(rank)) {
        Some(worst) => worst,
        None if any_foreign => "sri-implemented-and-external-scripts-loaded-securely",
        None => "sri-not-implemented-but-all-scripts-loaded-from-secure-origin",
    }
}

/// Whether a script comes from the site's own registered domain. Registered
/// domains are zones, so the measured apex stands for a list of suffixes.
fn is_own(site: &Site<'_>, script: &Script) -> bool {
    let Some(host) = script.host.as_deref() else {
        return true;
    };
    let apex = site
        .probes
        .zone
        .as_ref()
        .map_or("", |zone| zone.apex.as_str());
    host == site.probes.host()
        || host == apex
        || (!apex.is_empty()
            && host
                .strip_suffix(apex)
                .is_some_and(|rest| rest.ends_with('.')))
}
