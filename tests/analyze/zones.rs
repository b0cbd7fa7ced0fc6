//! The zone behind the host: its servers, its signatures, its owner's wish.

use super::*;

async fn analyzed(prepare: impl FnOnce(&Internet)) -> Value {
    let stage = Stage::new();
    stage.net.address(HOST, IP);
    good_zone(&stage.net);
    prepare(&stage.net);
    stage.analyze(HOST).await.unwrap()
}

#[test]
fn an_open_zone_transfer_is_found_in_one_message_and_in_many() {
    run(async {
        for kind in [Zone::Open, Zone::OpenInPieces] {
            let report = analyzed(|net| net.name_server("199.43.133.53:53", HOST, kind)).await;
            let found = finding(&report, "dns.zone_transfer");
            assert_eq!(
                (&found["state"], &found["severity"]),
                (&json!("fail"), &json!("high"))
            );
            assert_eq!(found["reproduce"], "dig @'ns2.hoster.net' good.net AXFR");
            assert_eq!(
                found["evidence"][0]["pointer"],
                "/probes/zone/servers/1/direct/outcome"
            );
        }
    });
}

#[test]
fn a_transfer_that_is_refused_or_cut_off_is_closed() {
    run(async {
        for kind in [Zone::Closed, Zone::Closing] {
            let report = analyzed(|net| {
                net.name_server("199.43.135.53:53", HOST, kind);
                net.name_server("199.43.133.53:53", HOST, kind);
            })
            .await;
            assert_eq!(state(&report, "dns.zone_transfer"), "pass");
            assert_eq!(state(&report, "dns.lame"), "pass");
        }
    });
}

#[test]
fn a_server_that_does_not_know_the_zone_is_lame() {
    run(async {
        let report = analyzed(|net| net.name_server("199.43.133.53:53", HOST, Zone::Lame)).await;
        assert_eq!(state(&report, "dns.lame"), "fail");
        assert_eq!(state(&report, "dns.zone_transfer"), "pass");
    });
}

#[test]
fn a_name_server_inside_is_not_spoken_to() {
    run(async {
        let stage = Stage::new();
        stage.net.address(HOST, IP);
        good_zone(&stage.net);
        stage.net.address("ns2.hoster.net", "10.0.0.53");
        let report = stage.analyze(HOST).await.unwrap();
        assert_eq!(state(&report, "dns.name_servers"), "warn");
        let inside = |at: &std::net::SocketAddr| at.ip().to_string() == "10.0.0.53";
        assert!(!stage.net.connected.borrow().iter().any(inside));
    });
}

#[test]
fn one_server_one_network_and_odd_timers_are_told() {
    run(async {
        let report = analyzed(|net| {
            net.says(
                HOST,
                Rtype::NS,
                Says::Records(vec![Data::Ns(String::from("ns1.hoster.net"))]),
            );
            net.says(
                HOST,
                Rtype::SOA,
                Says::Records(vec![Data::Soa([10, 20, 30, 1_000_000])]),
            );
        })
        .await;
        assert_eq!(state(&report, "dns.name_servers"), "warn");
        let title = finding(&report, "dns.soa")["title"].as_str().unwrap();
        for part in ["refresh 10", "retry 20", "expire 30", "1000000"] {
            assert!(title.contains(part), "{title}");
        }
        let report = analyzed(|net| net.address("ns2.hoster.net", "199.43.135.99")).await;
        assert_eq!(state(&report, "dns.name_server_networks"), "warn");
    });
}

#[test]
fn an_alias_that_ends_nowhere_is_reported_without_a_connection() {
    run(async {
        let stage = Stage::new();
        good_zone(&stage.net);
        let gone = || Says::Alias(String::from("gone.herokuapp.com"), Rcode::NXDOMAIN);
        stage.net.says("shop.good.net", Rtype::A, gone());
        stage.net.says("shop.good.net", Rtype::AAAA, gone());
        let report = stage.analyze("shop.good.net").await.unwrap();
        let found = finding(&report, "dns.alias");
        assert_eq!(
            (&found["state"], &found["severity"]),
            (&json!("fail"), &json!("high"))
        );
        assert!(
            found["title"].as_str().unwrap().contains("Heroku"),
            "{found}"
        );
        assert_eq!(state(&report, "tls.trust"), "not_applicable");
        let web = |at: &std::net::SocketAddr| at.port() != 53;
        assert!(!stage.net.connected.borrow().iter().any(web));
    });
}

#[test]
fn an_alias_that_leads_inside_is_refused_whatever_became_of_it() {
    run(async {
        for inside in ["metadata.google.internal", "localhost", "db.corp"] {
            for code in [Rcode::NXDOMAIN, Rcode::SERVFAIL, Rcode::NOERROR] {
                let stage = Stage::new();
                let says = || Says::Alias(inside.to_owned(), code);
                stage.net.says("shop.good.net", Rtype::A, says());
                stage.net.says("shop.good.net", Rtype::AAAA, says());
                let error = stage.analyze("shop.good.net").await.unwrap_err();
                assert_eq!(error.reason, Some("resolution"), "{inside} {code}");
                assert!(stage.net.connected.borrow().is_empty());
            }
        }
    });
}

#[test]
fn caa_is_found_at_the_closest_name_above() {
    run(async {
        let stage = Stage::new();
        stage.net.address("a.b.good.net", IP);
        stage.net.says(
            "good.net",
            Rtype::CAA,
            Says::Records(vec![Data::Issue(String::from("ca.net"))]),
        );
        let report = stage.analyze("a.b.good.net").await.unwrap();
        let found = finding(&report, "dns.caa");
        assert_eq!(found["state"], "pass");
        assert!(
            found["title"]
                .as_str()
                .unwrap()
                .contains("CAA records at good.net let ca.net"),
            "{found}"
        );
    });
}

#[test]
fn a_bogus_answer_is_told_by_asking_without_validation() {
    run(async {
        let stage = Stage::new();
        // This resolver gives no reason with its SERVFAIL.
        stage.net.says(
            HOST,
            Rtype::A,
            Says::Bogus(vec![Data::Ip(IP.parse().unwrap())]),
        );
        stage.net.says(HOST, Rtype::AAAA, Says::Bogus(vec![]));
        let report = stage.analyze(HOST).await.unwrap();
        let found = finding(&report, "dns.dnssec");
        assert_eq!(
            (&found["state"], &found["confidence"]),
            (&json!("fail"), &json!("high"))
        );
        assert!(stage.net.connected.borrow().is_empty());
    });
}

#[test]
fn the_address_leads_back_to_the_host() {
    run(async {
        let report = analyzed(|net| {
            let name = Data::Ptr(HOST.to_owned());
            net.says(
                "14.215.184.93.in-addr.arpa",
                Rtype::PTR,
                Says::Records(vec![name]),
            );
            net.texts(
                "14.215.184.93.origin.asn.cymru.com",
                &["15133 | 93.184.215.0/24 | US | arin | 2008-06-02"],
            );
        })
        .await;
        assert_eq!(state(&report, "dns.reverse"), "pass");
        assert!(
            finding(&report, "dns.origin")["title"]
                .as_str()
                .unwrap()
                .starts_with("AS15133 ")
        );
    });
}

#[test]
fn an_owner_who_wants_no_probes_is_left_alone() {
    run(async {
        for (at, host) in [
            ("_netrecon.good.net", HOST),
            ("_netrecon.good.net", "www.good.net"),
        ] {
            let stage = Stage::new();
            stage.net.address(host, IP);
            good_zone(&stage.net);
            stage.net.texts(at, &["v=netrecon1; probes=none"]);
            let error = stage.analyze(host).await.unwrap_err();
            assert_eq!(error.code, netrecon::error::Code::TargetRefused);
            assert_eq!(error.reason, Some("opt_out"));
            assert!(stage.net.connected.borrow().is_empty(), "{host}");
        }
    });
}

#[test]
fn an_owner_who_allows_dns_only_gets_dns_only() {
    run(async {
        let stage = Stage::new();
        stage.net.address(HOST, IP);
        good_zone(&stage.net);
        stage
            .net
            .texts("_netrecon.good.net", &["v=netrecon1; probes=passive"]);
        let report = stage.analyze(HOST).await.unwrap();
        assert!(stage.net.connected.borrow().is_empty());
        assert_eq!(state(&report, "dns.resolves"), "pass");
        for id in ["tls.trust", "http.hsts", "exposure.git"] {
            assert_eq!(state(&report, id), "not_applicable", "{id}");
        }
        assert_eq!(state(&report, "dns.zone_transfer"), "not_applicable");
        assert_eq!(report["coverage"]["ratio"], 1.0);
    });
}

#[test]
fn the_web_server_is_asked_over_both_families() {
    run(async {
        let v6 = "[2606:2800:21f:cb07::1]:443";
        let page = |status| Site::new().on("/", response(status, &[], "hello"));
        for (other, wanted) in [
            (Some("200 OK"), "pass"),
            (Some("503 Service Unavailable"), "warn"),
            (None, "fail"),
        ] {
            let authority = Authority::new();
            let stage = Stage::new().trusting(&authority);
            good_zone(&stage.net);
            stage.net.address(HOST, IP);
            stage.net.address(HOST, IP6);
            let leaf = Leaf::of(HOST);
            let serves = || authority.serves(&leaf);
            stage
                .net
                .https(&format!("{IP}:443"), serves(), page("200 OK"));
            if let Some(status) = other {
                stage.net.https(v6, serves(), page(status));
            }
            let report = stage.analyze(HOST).await.unwrap();
            assert_eq!(state(&report, "dns.ipv6_parity"), wanted, "{other:?}");
        }
    });
}

#[test]
fn name_servers_of_one_network_are_told_from_those_of_two() {
    run(async {
        for (second, wanted) in [("64500", "info"), ("64501", "pass")] {
            let report = analyzed(|net| {
                let mapped = |number| format!("{number} | 199.43.0.0/16 | US | arin | 1994-01-01");
                for (server, number) in [("53.135.43.199", "64500"), ("53.133.43.199", second)] {
                    let name = format!("{server}.origin.asn.cymru.com");
                    net.texts(&name, &[&mapped(number)]);
                }
            })
            .await;
            assert_eq!(state(&report, "dns.name_server_as"), wanted, "{second}");
        }
    });
}

#[test]
fn what_the_resolver_adds_to_an_answer_is_told() {
    run(async {
        let report = analyzed(|net| {
            net.says(HOST, Rtype::MX, Says::Code(Rcode::NOERROR, vec![3]));
        })
        .await;
        let found = finding(&report, "dns.extended_errors");
        assert_eq!(found["state"], "warn");
        assert!(found["title"].as_str().unwrap().contains("3 Stale Answer"));
    });
}
