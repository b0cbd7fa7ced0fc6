//! A URL that passes is canonical, public as far as its text says, and the
//! same to another parser; a redirect never leaves that.

#![no_main]

use libfuzzer_sys::fuzz_target;
use netrecon::guard::{Guard, MAX_URL, PublicUrl};

fuzz_target!(|raw: &str| {
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
});

fn assert_sound(guard: &Guard, url: &PublicUrl) {
    let text = url.as_str();
    assert!(text.len() <= MAX_URL);
    assert!(text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\' && b != b'#'));
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
    let again = url::Url::parse(text).expect("parses");
    assert_eq!(again.as_str(), text);
}
