//! A name that passes is a name: canonical, and stable under case, a trailing
//! dot and another pass; what may be fetched may also be looked up.

#![no_main]

use libfuzzer_sys::fuzz_target;
use netrecon::guard::{Guard, LookupName};

fuzz_target!(|raw: &str| {
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
});
