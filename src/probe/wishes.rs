//! What a domain's owner wishes of us: a TXT record at `_netrecon.<name>`,
//! `v=netrecon1; probes=none` or `probes=passive`.
//!
//! The host's own name, the one above and those that could be its registered
//! domain are asked; the strictest wish counts, and one that cannot be read counts as `none`.

use std::rc::Rc;

use futures_util::future::join_all;

use super::dns::{Exchange, Resolver, Rtype};

/// Names asked from the host up, whatever their length.
const NEAR: usize = 2;

/// Labels of the longest name above those that is asked: registered domains
/// have two, or three.
const OWNER_LABELS: usize = 3;

/// What may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wish {
    /// Nothing was said.
    All,
    /// DNS only; nothing connects to the host.
    Passive,
    /// Nothing at all.
    None,
}

/// Asks the owner. An answer that could not be had is no wish: the host may
/// still be probed, as any other whose owner said nothing.
pub async fn of(resolver: &Resolver, host: &str) -> (Wish, Vec<Rc<Exchange>>) {
    let names: Vec<&str> = names(host).collect();
    let asked = names.iter().map(|name| async move {
        resolver
            .ask_first(&format!("_netrecon.{name}"), Rtype::TXT)
            .await
    });
    let exchanges = join_all(asked).await;
    let wish = exchanges
        .iter()
        .flat_map(|exchange| exchange.texts())
        .filter_map(read)
        .max();
    (wish.unwrap_or(Wish::All), exchanges)
}

/// The host, the name above it and those that may be its registered domain,
/// without the top level.
fn names(host: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(host), |name| {
        name.split_once('.').map(|(_, parent)| parent)
    })
    .filter(|name| name.contains('.'))
    .enumerate()
    .filter(|(at, name)| *at < NEAR || name.split('.').count() <= OWNER_LABELS)
    .map(|(_, name)| name)
}

/// Reads one record; `None` when it is not about us.
fn read(text: &str) -> Option<Wish> {
    let mut tags = text
        .split(';')
        .map(|tag| tag.split_once('=').unwrap_or((tag, "")));
    let (name, version) = tags.next()?;
    if !name.trim().eq_ignore_ascii_case("v")
        || !version.trim().to_ascii_lowercase().starts_with("netrecon")
    {
        return None;
    }
    let probes = tags.find(|(name, _)| name.trim().eq_ignore_ascii_case("probes"));
    let known = version.trim().eq_ignore_ascii_case("netrecon1");
    Some(
        match probes.map(|(_, value)| value.trim().to_ascii_lowercase()) {
            Some(value) if known && value == "passive" => Wish::Passive,
            Some(value) if known && value == "all" => Wish::All,
            // Somebody took the trouble to ask for less.
            _ => Wish::None,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_and_its_parents_are_asked_and_no_top_level() {
        assert_eq!(
            names("a.b.c.net").collect::<Vec<_>>(),
            ["a.b.c.net", "b.c.net", "c.net"]
        );
        assert_eq!(names("c.net").collect::<Vec<_>>(), ["c.net"]);
        assert_eq!(
            names("a.b.c.d.e.net").collect::<Vec<_>>(),
            ["a.b.c.d.e.net", "b.c.d.e.net", "d.e.net", "e.net"]
        );
    }

    #[test]
    fn a_wish_is_read_and_one_that_cannot_be_is_the_strictest() {
        assert_eq!(read("v=netrecon1; probes=none"), Some(Wish::None));
        assert_eq!(
            read(" V = NetRecon1 ;probes= Passive "),
            Some(Wish::Passive)
        );
        assert_eq!(read("v=netrecon1; probes=all"), Some(Wish::All));
        assert_eq!(read("v=netrecon1; probes=sometimes"), Some(Wish::None));
        assert_eq!(read("v=netrecon1"), Some(Wish::None));
        assert_eq!(read("v=netrecon2; probes=passive"), Some(Wish::None));
        assert_eq!(read("v=spf1 -all"), None);
        assert_eq!(read(""), None);
    }
}
