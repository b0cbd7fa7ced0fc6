//! Networks that serve one address from many places: data in
//! `data/anycast.txt`.

/// The network's name, if its system is one of them.
pub(super) fn network(asn: u32) -> Option<&'static str> {
    entries()
        .find(|(number, _)| *number == asn)
        .map(|(_, network)| network)
}

/// Number and name of each line.
fn entries() -> impl Iterator<Item = (u32, &'static str)> {
    include_str!("../data/anycast.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('|'))
        .filter_map(|(number, network)| Some((number.trim().parse().ok()?, network.trim())))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_line_is_a_system_with_a_name_and_none_is_there_twice() {
        let text = include_str!("../data/anycast.txt");
        let lines = text
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty());
        assert_eq!(lines.count(), entries().count());
        let numbers: BTreeSet<u32> = entries().map(|(number, _)| number).collect();
        assert_eq!(numbers.len(), entries().count());
        assert!(entries().all(|(number, name)| number > 0 && !name.is_empty()));
    }

    #[test]
    fn a_known_network_is_named_and_an_unknown_one_is_not() {
        assert_eq!(network(13335), Some("Cloudflare"));
        assert_eq!(network(64496), None);
    }
}
