//! Signatures: what is concluded of keys, digests, proofs and failures.

use super::*;

const DS_13: &str = "e8110d02000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const KEY_13: &str = "0101030d000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f";
const KEY_5: &str = "01010305000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f";
const DS_17: &str = "e8151102000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const KEY_17: &str = "01010311000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f";
const RRSIG: &str = "00010d0200000e106b359b006b0e0e00303904676f6f64036e657400010203040506";

/// The name below the zone that nobody has.
const NOBODY: &str = "netrecon-0102030405060708.good.net";

#[test]
fn a_digest_without_any_key_is_told_from_keys_that_nobody_could_give() {
    run(async {
        let report = analyzed(|net| publish(net, Rtype::DS, &[DS_13])).await;
        assert_eq!(state(&report, "dns.dnssec_algorithm"), "fail");
        let report = analyzed(|net| {
            publish(net, Rtype::DS, &[DS_13]);
            net.says(HOST, Rtype::DNSKEY, Says::Code(Rcode::SERVFAIL, vec![9]));
        })
        .await;
        assert_eq!(state(&report, "dns.dnssec_algorithm"), "inconclusive");
        assert!(title(&report, "dns.dnssec_algorithm").contains("DNSKEY Missing"));
        let report = analyzed(|net| {
            publish(net, Rtype::DS, &[DS_13]);
            publish(net, Rtype::DNSKEY, &[KEY_13]);
        })
        .await;
        assert_eq!(state(&report, "dns.dnssec_algorithm"), "pass");
    });
}

#[test]
fn only_the_algorithms_that_are_not_trusted_are_named_so() {
    run(async {
        let report = analyzed(|net| {
            publish(net, Rtype::DS, &[DS_13]);
            publish(net, Rtype::DNSKEY, &[KEY_13, KEY_5]);
        })
        .await;
        assert_eq!(state(&report, "dns.dnssec_algorithm"), "warn");
        let title = title(&report, "dns.dnssec_algorithm");
        assert!(
            title.contains("RSASHA1") && !title.contains("ECDSA"),
            "{title}"
        );
    });
}

#[test]
fn an_algorithm_that_hardly_anybody_knows_is_no_pass() {
    run(async {
        let report = analyzed(|net| {
            publish(net, Rtype::DS, &[DS_17]);
            publish(net, Rtype::DNSKEY, &[KEY_17]);
        })
        .await;
        assert_eq!(state(&report, "dns.dnssec_algorithm"), "warn");
        assert!(title(&report, "dns.dnssec_algorithm").contains("17"));
    });
}

#[test]
fn rfc_9824_a_compact_proof_gives_no_name_away() {
    run(async {
        let report = analyzed(|net| {
            let proof = Data::Hex(
                Rtype::NSEC,
                "0100196e65747265636f6e2d3031303230333034303530363037303804676f6f64036e657400000600000000000300110000000000000000000000000000000080",
            );
            let says = Says::Denied(Rcode::NOERROR, vec![(NOBODY.to_owned(), proof)]);
            net.says(NOBODY, Rtype::A, says);
        })
        .await;
        assert_eq!(state(&report, "dns.wildcard"), "pass");
        assert_eq!(state(&report, "dns.dnssec_denial"), "pass");
        assert!(title(&report, "dns.dnssec_denial").contains("cannot be walked"));
        let report = analyzed(|net| {
            let proof = Data::Hex(Rtype::NSEC, "0377777704676f6f64036e6574000006400000000003");
            let says = Says::Denied(Rcode::NXDOMAIN, vec![(HOST.to_owned(), proof)]);
            net.says(NOBODY, Rtype::A, says);
        })
        .await;
        assert_eq!(state(&report, "dns.dnssec_denial"), "info");
        assert!(title(&report, "dns.dnssec_denial").contains("can be walked"));
    });
}

#[test]
fn a_failure_that_passes_by_is_not_called_bogus() {
    run(async {
        let at = || Data::Ip(IP.parse().unwrap());
        let signed = || vec![at(), Data::Hex(Rtype::RRSIG, RRSIG)];
        for (records, extended, digest, wanted) in [
            // No authority was reached, the first time.
            (signed(), vec![22], true, "inconclusive"),
            (signed(), vec![23], true, "inconclusive"),
            // A zone without DS record is not validated at all.
            (vec![at()], vec![], false, "inconclusive"),
            (vec![at()], vec![9], false, "fail"),
            (signed(), vec![], true, "fail"),
            (vec![at()], vec![], true, "fail"),
            (signed(), vec![22, 7], true, "fail"),
        ] {
            let report = analyzed(|net| {
                net.says(HOST, Rtype::A, Says::Bogus(records, extended.clone()));
                net.says(HOST, Rtype::AAAA, Says::Bogus(vec![], extended.clone()));
                if digest {
                    publish(net, Rtype::DS, &[DS_13]);
                }
            })
            .await;
            let case = format!("{extended:?} {digest}");
            assert_eq!(state(&report, "dns.dnssec"), wanted, "{case}");
        }
    });
}

#[test]
fn a_signed_alias_of_an_unsigned_name_is_told() {
    const OF_CNAME: &str = "00050d0200000e106b359b006b0e0e00303904676f6f64036e657400010203040506";
    run(async {
        let report = analyzed(|net| {
            publish(net, Rtype::DS, &[DS_13]);
            let at = Data::Ip(IP.parse().unwrap());
            let leads = Data::Alias(String::from("edge.cdn.net"), Box::new(at));
            let records = vec![leads, Data::Hex(Rtype::RRSIG, OF_CNAME)];
            net.says(HOST, Rtype::A, Says::Records(records));
        })
        .await;
        assert_eq!(state(&report, "dns.dnssec"), "info");
        assert!(title(&report, "dns.dnssec").contains("what it leads to is not"));
    });
}
