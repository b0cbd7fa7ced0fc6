//! DKIM keys under selectors that large senders use. A selector cannot be
//! found out by asking DNS, so an absent key proves nothing, unless nothing at
//! all stands below `_domainkey` (RFC 8020).

use futures_util::future::join_all;

use crate::codec::dkim::{self, Dkim};
use crate::probe::dns::{Exchange, Resolver, Rtype, Status};
use crate::probe::riders::Riders;

/// Selectors that are tried, the most common first.
pub const SELECTORS: [&str; 14] = [
    "default",
    "google",
    "selector1",
    "selector2",
    "s1",
    "s2",
    "k1",
    "k2",
    "mail",
    "dkim",
    "fm1",
    "protonmail",
    "zoho",
    "20230601",
];

/// Of these, how many the resolver is asked for where the zone's own server
/// answered nothing: each is a subrequest then.
const ASKED_LIMIT: usize = 3;

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    /// Keys by selector.
    pub found: Vec<Key>,
    /// Selectors that were answered for.
    pub tried: Vec<&'static str>,
    /// Whether nothing stands below `_domainkey`.
    pub none_at_all: bool,
    /// Why selectors are missing, where they are: the resolver's clause.
    pub unsure: Option<String>,
}

/// One selector's record.
#[derive(Clone, Debug)]
pub struct Key {
    /// The selector.
    pub selector: &'static str,
    /// The record as published.
    pub text: String,
    /// What it says; `None` when it is no key record at all.
    pub record: Option<Dkim>,
}

/// Where the keys of all selectors would stand.
pub fn names(domain: &str) -> impl Iterator<Item = String> {
    SELECTORS.iter().map(move |selector| name(selector, domain))
}

fn name(selector: &str, domain: &str) -> String {
    format!("{selector}._domainkey.{domain}")
}

/// Looks for keys of `domain`, once the riders are settled. `wanted` says
/// whether questions that cost something may be asked.
pub async fn find(resolver: &Resolver, riders: &Riders, domain: &str, wanted: bool) -> Keys {
    let mut keys = Keys::default();
    if !riders.told_texts() && wanted {
        let parent = format!("_domainkey.{domain}");
        let parent = resolver.ask_extra(&parent, Rtype::TXT).await;
        if parent.status == Status::NxDomain {
            keys.none_at_all = true;
            return keys;
        }
    }
    let asked = SELECTORS
        .iter()
        .enumerate()
        .map(|(at, selector)| async move {
            let name = name(selector, domain);
            let worth = match riders.told_texts() {
                true => riders.leads_elsewhere(&name),
                false => at < ASKED_LIMIT,
            };
            match resolver.knows(&name, Rtype::TXT) || wanted && worth {
                true => Some((*selector, resolver.ask_extra(&name, Rtype::TXT).await)),
                false => None,
            }
        });
    for (selector, exchange) in join_all(asked).await.into_iter().flatten() {
        keys.take(selector, &exchange);
    }
    keys
}

impl Keys {
    fn take(&mut self, selector: &'static str, exchange: &Exchange) {
        if !exchange.is_conclusive() {
            self.unsure.get_or_insert_with(|| exchange.clause());
            return;
        }
        self.tried.push(selector);
        // A wildcard answers every selector with texts that are no keys.
        let text = exchange
            .texts()
            .find(|text| dkim::parse(text).is_ok())
            .or_else(|| exchange.texts().find(|text| is_meant_for_a_key(text)));
        if let Some(text) = text {
            self.found.push(Key {
                selector,
                text: text.to_owned(),
                record: dkim::parse(text).ok().map(|reading| reading.value),
            });
        }
    }
}

/// Whether somebody meant this for a key: it has a tag `p`, and no version of
/// something else in front.
fn is_meant_for_a_key(text: &str) -> bool {
    let mut tags = text
        .split(';')
        .filter_map(|tag| Some(tag.split_once('=')?.0.trim()));
    !text.trim_start().starts_with("v=") && tags.any(|tag| tag == "p")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn selectors_are_labels_and_each_is_tried_once() {
        let labels: BTreeSet<&str> = SELECTORS.into_iter().collect();
        assert_eq!(labels.len(), SELECTORS.len());
        assert!(labels.iter().all(|label| !label.contains('.')));
    }
}
