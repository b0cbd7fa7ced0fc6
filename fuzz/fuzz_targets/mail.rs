//! No record or policy of a stranger's domain upsets its reader.

#![no_main]

use libfuzzer_sys::fuzz_target;
use netrecon::codec::{bimi, dkim, dmarc, mta_sts, spf, tls_rpt};

const BEGINNINGS: [&str; 7] = [
    "",
    "v=spf1 ",
    "v=DMARC1; ",
    "v=DKIM1; ",
    "v=STSv1; ",
    "v=TLSRPTv1; ",
    "v=BIMI1; ",
];

fuzz_target!(|input: (u8, &str)| {
    let (which, rest) = input;
    let text = format!("{}{rest}", BEGINNINGS[usize::from(which) % BEGINNINGS.len()]);
    if let Ok(reading) = spf::parse(&text) {
        assert!(reading.value.terms.len() <= 128);
    }
    if let Ok(reading) = dmarc::parse(&text) {
        assert!(!reading.value.valid || reading.value.effective.is_some());
    }
    let _ = dkim::parse(&text);
    let _ = tls_rpt::parse(&text);
    let _ = bimi::parse(&text);
    let _ = mta_sts::parse_record(&text);
    if let Ok(reading) = mta_sts::parse_policy(&text) {
        assert!(reading.value.mx.len() <= 128);
        reading.value.allows("mx1.lab-good.com");
    }
});
