//! The host's own records besides its addresses: services, authorities.

use super::*;

#[test]
fn an_https_record_that_only_leads_on_says_where_to() {
    run(async {
        let told = async |records: &[&'static str]| {
            let report = analyzed(|net| publish(net, Rtype::HTTPS, records)).await;
            let found = finding(&report, "dns.https_record");
            found["title"].as_str().unwrap().to_owned()
        };
        assert_eq!(
            told(&["000003737663076578616d706c6500"]).await,
            "An HTTPS record makes the host an alias of svc.example."
        );
        // The same protocols at two targets are told once.
        let two = ["00010000010006026833026832", "00020000010006026833026832"];
        assert_eq!(
            told(&two).await,
            "An HTTPS record tells browsers about h3,h2."
        );
    });
}

#[test]
fn a_critical_property_is_known_or_stops_every_authority() {
    run(async {
        for (digits, wanted) in [
            // 128 issuevmc "ca.net"
            ("80086973737565766d6363612e6e6574", "info"),
            // 128 tbs "unknown"
            ("8003746273756e6b6e6f776e", "warn"),
        ] {
            let report = analyzed(|net| publish(net, Rtype::CAA, &[digits])).await;
            assert_eq!(state(&report, "dns.caa"), wanted, "{digits}");
        }
    });
}

#[test]
fn the_command_for_caa_asks_where_the_record_stands() {
    run(async {
        let stage = Stage::new();
        stage.net.address("a.b.good.net", IP);
        let issue = Data::Issue(String::from("ca.net"));
        let says = Says::Records(vec![issue]);
        stage.net.says("b.good.net", Rtype::CAA, says);
        let report = stage.analyze("a.b.good.net").await.unwrap();
        assert_eq!(
            finding(&report, "dns.caa")["reproduce"],
            "dig b.good.net CAA +short"
        );
    });
}

#[test]
fn one_system_is_not_concluded_of_a_server_that_nobody_announces() {
    run(async {
        let report = analyzed(|net| {
            let nowhere = Says::Code(Rcode::NXDOMAIN, vec![]);
            net.says("53.133.43.199.origin.asn.cymru.com", Rtype::TXT, nowhere);
        })
        .await;
        assert_eq!(state(&report, "dns.name_server_as"), "inconclusive");
    });
}

#[test]
fn rfc_9460_section_8_a_record_that_clients_discard_tells_browsers_nothing() {
    run(async {
        for (digits, wanted, words) in [
            // mandatory=port, and no port.
            (
                "000100000000020003000100030268 33",
                "warn",
                "a key that is not there",
            ),
            (
                "0001000000000400000001000100030268 33",
                "warn",
                "lists itself",
            ),
            (
                "0001000000000400010001000100030268 33",
                "warn",
                "twice or out of order",
            ),
            ("0001000003000301020300", "warn", "malformed"),
            // The same key twice.
            ("00010000010003026833000100030268 33", "warn", "wire format"),
            (
                "000100000000020 29b0001000302683 3029b0000",
                "info",
                "not registered",
            ),
            ("0000 00", "info", "is not there"),
        ] {
            let digits: &'static str = digits.replace(' ', "").leak();
            let report = analyzed(|net| publish(net, Rtype::HTTPS, &[digits])).await;
            assert_eq!(state(&report, "dns.https_record"), wanted, "{digits}");
            let told = title(&report, "dns.https_record");
            assert!(told.contains(words), "{told}");
            assert!(!told.contains("h3"), "{told}");
        }
    });
}
