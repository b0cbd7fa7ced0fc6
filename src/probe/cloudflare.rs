//! Which addresses belong to Cloudflare, where a Worker may not open sockets.

use std::net::IpAddr;
use std::sync::LazyLock;

use ipnet::IpNet;

static RANGES: LazyLock<Vec<IpNet>> = LazyLock::new(|| parse(include_str!("data/cloudflare.txt")));

fn parse(text: &str) -> Vec<IpNet> {
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

/// Whether `ip` lies in Cloudflare's published ranges.
pub fn owns(ip: IpAddr) -> bool {
    RANGES.iter().any(|range| range.contains(&ip))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_data_file_is_read() {
        let text = include_str!("data/cloudflare.txt");
        let lines = text.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(RANGES.len(), lines);
        assert!(text.contains("# Source: ") && text.contains("# Date: "));
    }

    #[test]
    fn addresses_inside_and_just_outside_are_told_apart() {
        for inside in [
            "104.16.0.0",
            "104.27.255.255",
            "2606:4700::1111",
            "2a06:98c7::1",
        ] {
            assert!(owns(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["104.28.0.0", "1.1.1.1", "93.184.215.14", "2a06:98c8::1"] {
            assert!(!owns(outside.parse().unwrap()), "{outside}");
        }
    }
}
