//! What the fuzz targets hold, whatever the input: one function per target.
//! The targets call these under libFuzzer; `tests/guard_fuzz.rs` calls them on
//! the seeds, the kept cases and what is bent from them, in every test run.

#![allow(dead_code)] // each target calls one of them

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netrecon::guard::{Guard, LookupName, MAX_URL, PublicUrl, text};

/// A URL that passes is canonical, public as far as its text says, and the
/// same to another pass; a redirect never leaves that.
pub fn url(raw: &str) {
    let guard = Guard::default();
    if let Ok(url) = guard.validate_fetch_url(raw) {
        assert_sound(&guard, &url);
    }
    if let Ok(url) = guard.validate_target(raw) {
        assert_sound(&guard, &url);
    }
    let from = guard
        .validate_fetch_url("https://www.example.com/a/b?c")
        .expect("is public");
    if let Ok(next) = guard.redirect(&from, raw) {
        assert_sound(&guard, &next);
    }
    if let Ok(sibling) = from.with_path(raw) {
        assert_sound(&guard, &sibling);
        assert_eq!(sibling.authority(), from.authority());
    }
}

fn assert_sound(guard: &Guard, url: &PublicUrl) {
    let text = url.as_str();
    assert!(text.len() <= MAX_URL);
    assert!(
        text.bytes()
            .all(|b| b.is_ascii_graphic() && b != b'\\' && b != b'#')
    );
    assert_eq!(guard.validate_fetch_url(text).as_ref(), Ok(url));
    assert!(!url.authority().contains(['@', '%', '/']));
    match url.ip() {
        Some(ip) => assert!(guard.judge_address(ip, url.port()).is_ok()),
        None => {
            let host = url.host();
            assert!(host.contains('.') && host.len() <= 253 && !host.ends_with('.'));
            let ldh = |b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.');
            assert!(host.bytes().all(ldh));
        }
    }
    let again = ::url::Url::parse(text).expect("parses");
    assert_eq!(again.as_str(), text);
}

/// A name that passes is a name: canonical, and stable under case, a trailing
/// dot and another pass; what may be fetched may also be looked up.
pub fn host(raw: &str) {
    let guard = Guard::default();
    let lookup = guard.validate_lookup_name(raw);
    if let Ok(LookupName::Name(name)) = &lookup {
        let text = name.as_str();
        assert!(text.len() <= 253 && !text.ends_with('.'));
        assert!(name.labels().all(|label| (1..=63).contains(&label.len())));
        let legal = |b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_');
        assert!(text.bytes().all(legal));
        for same in [text.to_owned(), text.to_uppercase(), format!("{text}.")] {
            assert_eq!(guard.validate_lookup_name(&same), lookup, "{same}");
        }
    }
    let Ok(url) = guard.validate_fetch_url(&format!("https://{raw}/")) else {
        return;
    };
    // A `/`, `?` or `:` in the input made it more than a host.
    if let (Some(name), false) = (url.name(), raw.contains(['/', '?', '#', ':'])) {
        let Ok(LookupName::Name(looked_up)) = lookup else {
            panic!("{raw:?} may be fetched but not looked up");
        };
        assert_eq!(looked_up.as_str(), name);
    }
}

/// An address gets one verdict in every place and spelling, and an IPv4
/// address that is refused is refused inside every IPv6 address.
pub fn address(v4: u32, v6: u128, port: u16) {
    let guard = Guard::default();
    let public = |ip: IpAddr| guard.judge_address(ip, 443).is_ok();
    let by_url = |host: String| {
        guard
            .validate_fetch_url(&format!("https://{host}/"))
            .is_ok()
    };

    let plain = Ipv4Addr::from_bits(v4);
    let verdict = public(plain.into());
    assert_eq!(by_url(plain.to_string()), verdict);
    assert_eq!(
        guard.judge_address(plain.into(), port).is_ok(),
        verdict && matches!(port, 80 | 443)
    );
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
}

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

/// Canonical text is stable, clean text is harmless and short, and no text
/// upsets the detector.
pub fn text(max: u8, raw: &str) {
    let max = usize::from(max);
    let canonical = text::canonical(raw);
    assert!(!text::has_invisible(&canonical));
    assert_eq!(text::canonical(&canonical), canonical);

    let clean = text::clean(raw, max);
    assert!(clean.chars().count() <= max);
    assert!(!text::has_invisible(&clean) && !clean.contains(char::is_control));
    assert_eq!(text::clean(&clean, max), clean);

    text::addresses_a_model(raw);
}
