//! The zone behind the host: its servers, its signatures, its owner's wish.

use super::*;

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
            Says::Bogus(vec![Data::Ip(IP.parse().unwrap())], vec![]),
        );
        stage
            .net
            .says(HOST, Rtype::AAAA, Says::Bogus(vec![], vec![]));
        let digest = Data::Hex(Rtype::DS, "e8110d020001");
        stage.net.says(HOST, Rtype::DS, Says::Records(vec![digest]));
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
fn a_redirect_does_not_lead_to_a_host_whose_owner_wants_no_probes() {
    run(async {
        for wish in ["none", "passive"] {
            let authority = Authority::new();
            let stage = Stage::new().trusting(&authority);
            good_host(&stage.net, &authority);
            stage.net.address("www.other.net", "93.184.215.77");
            let record = format!("v=netrecon1; probes={wish}");
            stage.net.texts("_netrecon.other.net", &[&record]);
            let away = [("Location", "https://www.other.net/")];
            let site = Site::new().on("/", response("302 Found", &away, ""));
            let serves = authority.serves(&Leaf::of(HOST));
            stage.net.https(&format!("{IP}:443"), serves, site);
            let report = stage.analyze(HOST).await.unwrap();
            let journey = &report["probes"]["http"]["https"];
            assert_eq!(journey["end"], "redirect_unwanted");
            assert_eq!(journey["unfollowed"], "https://www.other.net/");
            assert_eq!(state(&report, "http.redirects"), "inconclusive");
            let connected = stage.net.connected.borrow();
            let there = |at: &&std::net::SocketAddr| at.ip().to_string() == "93.184.215.77";
            assert_eq!(connected.iter().find(there), None, "{wish}");
        }
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

#[test]
fn a_name_server_that_is_an_alias_or_cannot_be_asked_for_is_no_pass() {
    run(async {
        let report = analyzed(|net| {
            let real = Data::Ip("199.43.133.53".parse().unwrap());
            let alias = Data::Alias(String::from("real.hoster.net"), Box::new(real));
            net.says("ns2.hoster.net", Rtype::A, Says::Records(vec![alias]));
        })
        .await;
        let found = finding(&report, "dns.name_servers");
        assert_eq!(found["state"], "warn", "{found}");
        assert!(
            found["title"].as_str().unwrap().contains("is an alias"),
            "{found}"
        );
        let report = analyzed(|net| {
            let broken = || Says::Code(Rcode::SERVFAIL, vec![22]);
            net.says("ns2.hoster.net", Rtype::A, broken());
            net.says("ns2.hoster.net", Rtype::AAAA, broken());
        })
        .await;
        assert_eq!(state(&report, "dns.name_servers"), "inconclusive");
    });
}

#[test]
fn a_third_name_server_may_be_one_of_ipv6_alone() {
    run(async {
        let report = analyzed(|net| {
            let names = ["ns1.hoster.net", "ns2.hoster.net", "ns3.hoster.net"];
            let named = names.map(|name| Data::Ns(name.to_owned()));
            net.says(HOST, Rtype::NS, Says::Records(named.to_vec()));
            net.address("ns3.hoster.net", "2001:500:8f::54");
        })
        .await;
        assert_eq!(state(&report, "dns.name_servers"), "pass");
    });
}

#[test]
fn three_servers_of_four_in_one_network_are_not_called_all() {
    run(async {
        let report = analyzed(|net| {
            let named = (1..5).map(|n| Data::Ns(format!("ns{n}.hoster.net")));
            net.says(HOST, Rtype::NS, Says::Records(named.collect()));
            for n in 1..4 {
                net.address(&format!("ns{n}.hoster.net"), &format!("199.43.135.{n}"));
            }
        })
        .await;
        let found = finding(&report, "dns.name_server_networks");
        assert!(
            found["title"].as_str().unwrap().starts_with("3 of 4 "),
            "{found}"
        );
    });
}

#[test]
fn what_one_server_said_is_shown_by_that_server() {
    run(async {
        let report = analyzed(|net| net.name_server("199.43.135.53:53", HOST, Zone::Silent)).await;
        for (id, member) in [
            ("dns.zone_transfer", "outcome"),
            ("dns.lame", "authoritative"),
        ] {
            let found = finding(&report, id);
            assert_eq!(found["state"], "pass", "{found}");
            let pointer = format!("/probes/zone/servers/1/direct/{member}");
            assert_eq!(found["evidence"][0]["pointer"], pointer, "{found}");
            let command = found["reproduce"].as_str().unwrap();
            assert!(command.starts_with("dig @'ns2.hoster.net'"), "{command}");
        }
    });
}

#[test]
fn an_alias_below_an_alias_lies_in_the_zone_above_both() {
    run(async {
        let stage = Stage::new();
        good_zone(&stage.net);
        // What `*.good.net. CNAME edge.cdn.net.` makes of both names.
        let cdn = || Says::Records(vec![Data::Cname(String::from("edge.cdn.net"))]);
        let at = Data::Ip(IP.parse().unwrap());
        let leads = Data::Alias(String::from("edge.cdn.net"), Box::new(at));
        let host = "www.shop.good.net";
        stage.net.says(host, Rtype::A, Says::Records(vec![leads]));
        stage.net.says(host, Rtype::NS, cdn());
        stage.net.says("shop.good.net", Rtype::SOA, cdn());
        let report = stage.analyze(host).await.unwrap();
        assert_eq!(report["probes"]["zone"]["apex"], HOST);
        assert_eq!(state(&report, "dns.soa"), "pass");
    });
}

#[test]
fn caa_is_found_however_far_above_the_host_it_stands() {
    run(async {
        let stage = Stage::new();
        let host = "a.b.c.d.good.net";
        stage.net.address(host, IP);
        let issue = Data::Issue(String::from("ca.net"));
        stage.net.says(HOST, Rtype::CAA, Says::Records(vec![issue]));
        let report = stage.analyze(host).await.unwrap();
        let found = finding(&report, "dns.caa");
        assert_eq!(found["state"], "pass", "{found}");
        assert!(
            found["title"].as_str().unwrap().contains("at good.net"),
            "{found}"
        );
    });
}

#[test]
fn a_name_that_nobody_made_may_exist_without_an_address() {
    run(async {
        let nobody = "netrecon-0102030405060708.good.net";
        // A wildcard of another type; an alias that leads nowhere.
        for says in [
            Says::Code(Rcode::NOERROR, vec![]),
            Says::Alias(String::from("gone.cdn.net"), Rcode::NXDOMAIN),
        ] {
            let report = analyzed(|net| net.says(nobody, Rtype::A, says)).await;
            assert_eq!(state(&report, "dns.wildcard"), "info");
        }
    });
}

#[test]
fn an_alias_of_a_name_that_is_there_is_not_for_anybody_to_claim() {
    run(async {
        let stage = Stage::new();
        good_zone(&stage.net);
        let empty = || Says::Alias(String::from("empty.herokuapp.com"), Rcode::NOERROR);
        stage.net.says("shop.good.net", Rtype::A, empty());
        stage.net.says("shop.good.net", Rtype::AAAA, empty());
        let report = stage.analyze("shop.good.net").await.unwrap();
        let found = finding(&report, "dns.alias");
        assert_eq!(
            (&found["state"], &found["severity"]),
            (&json!("fail"), &json!("medium"))
        );
        assert!(
            found["title"].as_str().unwrap().contains("has no address"),
            "{found}"
        );
    });
}

#[test]
fn any_name_of_a_reverse_entry_may_lead_back() {
    run(async {
        let report = analyzed(|net| {
            let names = ["other.good.net", HOST].map(|name| Data::Ptr(name.to_owned()));
            let at = "14.215.184.93.in-addr.arpa";
            net.says(at, Rtype::PTR, Says::Records(names.to_vec()));
        })
        .await;
        let found = finding(&report, "dns.reverse");
        assert_eq!(found["state"], "pass", "{found}");
        assert!(
            found["title"]
                .as_str()
                .unwrap()
                .contains("back to good.net"),
            "{found}"
        );
    });
}

#[test]
fn the_wish_of_an_owner_holds_for_names_far_below() {
    run(async {
        for at in ["_netrecon.good.net", "_netrecon.b.c.d.good.net"] {
            let stage = Stage::new();
            stage.net.address("a.b.c.d.good.net", IP);
            stage.net.texts(at, &["v=netrecon1; probes=none"]);
            let error = stage.analyze("a.b.c.d.good.net").await.unwrap_err();
            assert_eq!(error.reason, Some("opt_out"), "{at}");
        }
    });
}

#[test]
fn the_extended_error_that_is_told_is_the_one_that_is_shown() {
    run(async {
        let report = analyzed(|net| {
            net.says(HOST, Rtype::MX, Says::Code(Rcode::NOERROR, vec![29, 3]));
        })
        .await;
        let found = finding(&report, "dns.extended_errors");
        assert!(found["title"].as_str().unwrap().contains("3 Stale Answer"));
        let shown = &found["evidence"][1];
        assert_eq!(shown["pointer"], "/probes/dns/mx/extended/1/purpose");
        assert_eq!(shown["value"], "Stale Answer");
    });
}
