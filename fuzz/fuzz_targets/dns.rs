//! No answer of a resolver or name server upsets its reader: whatever the
//! bytes, there is one typed exchange, bounded and fit to be shown.

#![no_main]

use libfuzzer_sys::fuzz_target;
use netrecon::guard::text;
use netrecon::probe::dns::{self, Rtype, Status};

const NAME: &str = "a.lab-good.com";
const TYPES: [Rtype; 8] = [
    Rtype::A,
    Rtype::TXT,
    Rtype::MX,
    Rtype::SOA,
    Rtype::CAA,
    Rtype::HTTPS,
    Rtype::DNSKEY,
    Rtype::NAPTR,
];

fuzz_target!(|input: (u8, bool, &[u8])| {
    let (which, framed, bytes) = input;
    let rtype = TYPES[usize::from(which) % TYPES.len()];
    let Some(query) = dns::query(NAME, rtype) else {
        return;
    };
    // Behind our own header and question, records are reached sooner.
    let answer = match framed {
        true => {
            let question = query.get(12..12 + NAME.len() + 6).unwrap_or_default();
            let header = [0, 0, 0x81, 0x80, 0, 1, 0, 4, 0, 1, 0, 1];
            [header.as_slice(), question, bytes].concat()
        }
        false => bytes.to_vec(),
    };
    let exchange = dns::read(NAME, rtype, &query, &answer);
    assert_eq!(
        exchange.failure.is_some(),
        exchange.status == Status::Unanswered
    );
    assert!(exchange.records.len() <= 100);
    let shown = serde_json::to_string(&exchange).expect("an exchange can be shown");
    assert!(!text::has_invisible(&shown));
});
