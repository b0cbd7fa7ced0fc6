//! An address gets one verdict in every place and spelling, and an IPv4
//! address that is refused is refused inside every IPv6 address.

#![no_main]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use libfuzzer_sys::fuzz_target;
use netrecon::guard::Guard;

fuzz_target!(|input: (u32, u128, u16)| {
    let (v4, v6, port) = input;
    let guard = Guard::default();
    let public = |ip: IpAddr| guard.judge_address(ip, 443).is_ok();
    let by_url = |host: String| guard.validate_fetch_url(&format!("https://{host}/")).is_ok();

    let plain = Ipv4Addr::from_bits(v4);
    let verdict = public(plain.into());
    assert_eq!(by_url(plain.to_string()), verdict);
    assert_eq!(guard.judge_address(plain.into(), port).is_ok(), verdict && matches!(port, 80 | 443));
    for odd in [format!("{v4}"), format!("0x{v4:x}"), format!("0{v4:o}")] {
        // One part that is its own dotted quad does not exist.
        assert!(!by_url(odd));
    }

    let ip = Ipv6Addr::from_bits(v6);
    assert_eq!(by_url(format!("[{ip}]")), public(ip.into()));
    assert!(v6 >> 125 == 1 || !public(ip.into()));
    for carrier in carriers(u128::from(v4), v6) {
        let ip = Ipv6Addr::from_bits(carrier);
        assert!(verdict || !public(ip.into()), "{plain} in {ip}");
    }
});

/// `v4` inside each form that carries one, the rest filled from `noise`.
fn carriers(v4: u128, noise: u128) -> [u128; 8] {
    let low = noise & u128::from(u64::MAX);
    [
        v4,
        (0xffff << 32) | v4,
        (0xffff << 48) | v4,
        (0x0064_ff9b << 96) | v4,
        (0x2002 << 112) | (v4 << 80) | low,
        (0x2001_0000 << 96) | (low << 32) | (!v4 & 0xffff_ffff),
        (noise >> 64 << 64) | (0x0000_5efe << 32) | v4,
        (noise >> 64 << 64) | (0x0200_5efe << 32) | v4,
    ]
}
