//! `lookup`: records as members and as text, registration, origin.

use super::*;

#[test]
fn the_default_asks_five_types_of_a_name() {
    run(async {
        let stage = Stage::new();
        stage.net.address(HOST, IP);
        stage.net.says(
            HOST,
            Rtype::MX,
            Says::Records(vec![Data::Mx(10, String::from("mx.good.net"))]),
        );
        let found = stage
            .call("lookup", json!({ "name": "GOOD.net" }))
            .await
            .unwrap();
        assert_eq!(found["name"], HOST);
        let types: Vec<&Value> = found["answers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|a| &a["type"])
            .collect();
        assert_eq!(types, ["A", "AAAA", "MX", "NS", "TXT"]);
        let a = &found["answers"][0];
        assert_eq!(a["status"], "answer");
        assert_eq!(a["records"][0]["data"], json!({ "address": IP }));
        assert_eq!(a["records"][0]["ttl"], 60);
        let mx = &found["answers"][2]["records"][0];
        assert_eq!(mx["text"], "10 mx.good.net.");
        assert_eq!(
            mx["data"],
            json!({ "preference": 10, "exchange": "mx.good.net" })
        );
        assert_eq!(found["answers"][1]["status"], "no_data");
        assert_eq!(stage.subrequests.get(), 5);
    });
}

#[test]
fn a_negative_answer_is_told_from_a_failed_one() {
    run(async {
        let stage = Stage::new();
        stage
            .net
            .says(HOST, Rtype::A, Says::Code(Rcode::NXDOMAIN, vec![]));
        stage
            .net
            .says(HOST, Rtype::MX, Says::Code(Rcode::SERVFAIL, vec![6]));
        stage
            .net
            .says(HOST, Rtype::TXT, Says::Code(Rcode::REFUSED, vec![18]));
        let found = stage
            .call(
                "lookup",
                json!({ "name": HOST, "records": ["A", "MX", "TXT"] }),
            )
            .await
            .unwrap();
        let status = |at: usize| found["answers"][at]["status"].as_str().unwrap();
        assert_eq!(
            (status(0), status(1), status(2)),
            ("nx_domain", "serv_fail", "refused")
        );
        assert_eq!(
            found["answers"][1]["extended"][0]["purpose"],
            "DNSSEC Bogus"
        );
        assert_eq!(found["answers"][0]["authority"][0]["type"], "SOA");
    });
}

#[test]
fn an_address_is_looked_up_in_reverse_with_its_origin_and_registration() {
    run(async {
        let stage = Stage::new();
        stage.net.says(
            "14.215.184.93.in-addr.arpa",
            Rtype::PTR,
            Says::Records(vec![]),
        );
        stage.net.texts(
            "14.215.184.93.origin.asn.cymru.com",
            &["15133 | 93.184.215.0/24 | US | arin | 2008-06-02"],
        );
        stage.net.texts(
            "as15133.asn.cymru.com",
            &["15133 | US | arin | 2007-03-19 | EDGECAST, US"],
        );
        let network = json!({
            "objectClassName": "ip network", "handle": "NET-93", "name": "EDGECAST-NET", "country": "US",
            "startAddress": "93.184.212.0", "endAddress": "93.184.215.255", "status": ["active"],
            "entities": [{ "roles": ["abuse"], "vcardArray": ["vcard", [["email", {}, "text", "abuse@edge.net"]]] }],
        });
        stage.net.file(
            "https://rdap.org/ip/93.184.215.14",
            302,
            &[("location", "https://rdap.arin.net/ip/93.184.215.14")],
            "",
        );
        stage.net.file(
            "https://rdap.arin.net/ip/93.184.215.14",
            200,
            &[],
            &network.to_string(),
        );
        let found = stage.call("lookup", json!({ "name": IP })).await.unwrap();
        assert_eq!(found["answers"][0]["type"], "PTR");
        assert_eq!(found["origin"][0]["asn"], 15133);
        assert_eq!(found["origin"][0]["holder"], "EDGECAST, US");
        let registration = &found["registration"];
        assert_eq!(
            (&registration["status"], &registration["holder"]),
            (&json!("found"), &json!("EDGECAST-NET"))
        );
        assert_eq!(registration["objectStatus"], json!(["active"]));
        assert_eq!(registration["abuse"], "abuse@edge.net");
        assert_eq!(
            registration["range"],
            json!(["93.184.212.0", "93.184.215.255"])
        );
    });
}

#[test]
fn registration_is_asked_for_the_zone_that_holds_the_name() {
    run(async {
        let stage = Stage::new();
        let domain = json!({
            "objectClassName": "domain", "ldhName": "GOOD.NET", "status": ["client transfer prohibited"],
            "events": [{ "eventAction": "expiration", "eventDate": "2027-01-01T00:00:00Z" }],
            "entities": [{ "roles": ["registrar"], "vcardArray": ["vcard", [["fn", {}, "text", "A Registrar"]]] }],
            "nameservers": [{ "ldhName": "NS1.GOOD.NET." }], "secureDNS": { "delegationSigned": false },
        });
        stage.net.file(
            "https://rdap.org/domain/good.net",
            200,
            &[],
            &domain.to_string(),
        );
        let found = stage
            .call(
                "lookup",
                json!({ "name": "www.deep.good.net", "records": ["RDAP"] }),
            )
            .await
            .unwrap();
        let registration = &found["registration"];
        assert_eq!(registration["registrar"], "A Registrar");
        assert_eq!(registration["expires"], "2027-01-01T00:00:00Z");
        assert_eq!(registration["nameServers"], json!(["ns1.good.net"]));
        assert_eq!(registration["delegationSigned"], false);
        assert_eq!(found["answers"], json!([]));
    });
}

#[test]
fn a_registry_that_redirects_inside_is_not_followed() {
    run(async {
        let stage = Stage::new();
        stage.net.file(
            "https://rdap.org/domain/good.net",
            302,
            &[("location", "http://169.254.169.254/")],
            "",
        );
        let found = stage
            .call("lookup", json!({ "name": HOST, "records": ["RDAP"] }))
            .await
            .unwrap();
        assert_eq!(found["registration"]["status"], "inconclusive");
        assert!(stage.net.fetched.borrow().is_empty());
    });
}

#[test]
fn what_an_address_cannot_have_is_not_asked() {
    run(async {
        let stage = Stage::new();
        let found = stage
            .call("lookup", json!({ "name": IP, "records": ["MX", "PTR"] }))
            .await
            .unwrap();
        assert_eq!(found["notApplicable"], json!(["MX"]));
        assert_eq!(stage.net.asked.borrow().len(), 1);
    });
}

#[test]
fn a_huge_answer_is_cut_and_says_so() {
    run(async {
        let stage = Stage::new();
        let texts: Vec<String> = (0..90).map(|n| format!("{n:0250}")).collect();
        stage
            .net
            .texts(HOST, &texts.iter().map(String::as_str).collect::<Vec<_>>());
        let found = stage
            .call("lookup", json!({ "name": HOST, "records": ["TXT"] }))
            .await
            .unwrap();
        assert!(
            found.to_string().len() <= 24_000,
            "{}",
            found.to_string().len()
        );
        assert!(
            found["omitted"][0]
                .as_str()
                .unwrap()
                .starts_with("records of TXT")
        );
    });
}

#[test]
fn an_answer_of_more_records_than_are_read_says_how_many_it_had_besides() {
    run(async {
        let stage = Stage::new();
        for (count, unread) in [(100, Value::Null), (101, json!(1)), (260, json!(160))] {
            let texts: Vec<String> = (0..count).map(|n| n.to_string()).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            stage.net.texts(HOST, &texts);
            let asked = json!({ "name": HOST, "records": ["TXT"] });
            let answer = &stage.call("lookup", asked).await.unwrap()["answers"][0];
            assert_eq!(answer["unread"], unread, "{count}");
            assert_eq!(answer["records"].as_array().unwrap().len(), 100);
        }
    });
}

#[test]
fn a_huge_proof_is_cut_too() {
    run(async {
        let stage = Stage::new();
        let digits: &'static str = Box::leak("ab".repeat(400).into_boxed_str());
        let proof = Data::Hex(Rtype::from_int(999), digits);
        let says = Says::Denied(Rcode::NXDOMAIN, vec![(HOST.to_owned(), proof); 90]);
        stage.net.says(HOST, Rtype::A, says);
        let asked = json!({ "name": HOST, "records": ["A"] });
        let found = stage.call("lookup", asked).await.unwrap();
        let size = found.to_string().len();
        assert!(size <= 24_000, "{size}");
        assert_eq!(found["answers"][0]["authority"][0]["type"], "SOA");
        assert!(!found["omitted"].as_array().unwrap().is_empty());
    });
}

#[test]
fn of_several_announcements_the_narrowest_counts() {
    run(async {
        let stage = Stage::new();
        let texts = [
            "3356 | 93.0.0.0/8 | US | arin | 1992-12-01",
            "15133 | 93.184.215.0/24 | US | arin | 2008-06-02",
        ];
        let at = "14.215.184.93.origin.asn.cymru.com";
        stage.net.texts(at, &texts);
        let asked = json!({ "name": IP, "records": ["ASN"] });
        let found = stage.call("lookup", asked).await.unwrap();
        assert_eq!(found["origin"][0]["asn"], 15133);
        assert_eq!(found["origin"][0]["prefix"], "93.184.215.0/24");
    });
}

#[test]
fn private_addresses_of_a_name_are_told_to_nobody() {
    run(async {
        let stage = Stage::new();
        stage.net.address(HOST, "10.1.2.3");
        let found = stage
            .call("lookup", json!({ "name": HOST, "records": ["ASN"] }))
            .await
            .unwrap();
        assert_eq!(found["origin"], json!([]));
        assert!(
            stage
                .net
                .asked
                .borrow()
                .iter()
                .all(|(name, _)| !name.contains("10.1.2.3") && !name.contains("3.2.1.10"))
        );
    });
}

#[test]
fn where_the_operator_wants_no_origin_asked_the_answer_says_so() {
    run(async {
        let stage = Stage::new().with("ORIGIN_AS", "off");
        let arguments = json!({ "name": IP, "records": ["PTR", "ASN"] });
        let answer = stage.call("lookup", arguments).await.unwrap();
        assert_eq!(answer["notApplicable"], json!(["ASN"]));
        assert!(answer.get("origin").is_none());
        assert!(!answer["thirdParties"].to_string().contains("cymru"));

        stage.net.address(HOST, IP);
        good_zone(&stage.net);
        let report = stage.analyze(HOST).await.unwrap();
        for id in ["dns.origin", "dns.anycast", "dns.name_server_as"] {
            assert_eq!(state(&report, id), "not_applicable", "{id}");
        }
        let asked = |(name, _): &(String, Rtype)| name.ends_with("cymru.com");
        assert!(!stage.net.asked.borrow().iter().any(asked));
    });
}

/// Whose registration is told of a name, in a world where `good.net` is
/// registered and nothing below it is.
async fn registered(name: &str, prepare: impl FnOnce(&Internet)) -> Value {
    let stage = Stage::new();
    let domain = |name: &str| json!({ "objectClassName": "domain", "ldhName": name }).to_string();
    let rdap = |name: &str| format!("https://rdap.org/domain/{name}");
    for known in [HOST, "cdn.net"] {
        stage.net.file(&rdap(known), 200, &[], &domain(known));
    }
    for unknown in ["www.good.net", "deep.good.net", "a.deep.good.net"] {
        stage.net.file(&rdap(unknown), 404, &[], "{}");
    }
    prepare(&stage.net);
    let asked = json!({ "name": name, "records": ["RDAP"] });
    stage.call("lookup", asked).await.unwrap()["registration"].clone()
}

#[test]
fn the_registration_of_an_alias_is_not_that_of_its_target() {
    run(async {
        let found = registered("www.good.net", |net| {
            let at = Data::Soa([7200, 3600, 1_209_600, 300]);
            let leads = || Data::Alias(String::from("cdn.net"), Box::new(at.clone()));
            net.says("www.good.net", Rtype::SOA, Says::Records(vec![leads()]));
            let cdn = Data::Cname(String::from("cdn.net"));
            net.says("www.good.net", Rtype::NS, Says::Records(vec![cdn]));
        })
        .await;
        assert_eq!(found["name"], HOST, "{found}");
    });
}

#[test]
fn registration_is_found_above_a_zone_that_no_registry_knows() {
    run(async {
        let found = registered("a.deep.good.net", |net| {
            let own = Data::Soa([7200, 3600, 1_209_600, 300]);
            let says = Says::Denied(Rcode::NOERROR, vec![(String::from("deep.good.net"), own)]);
            net.says("a.deep.good.net", Rtype::NS, says.clone());
            net.says("a.deep.good.net", Rtype::SOA, says);
        })
        .await;
        assert_eq!(found["name"], HOST, "{found}");
    });
}

#[test]
fn a_domain_whose_dns_is_broken_or_taken_away_is_still_registered() {
    run(async {
        let broken = Says::Code(Rcode::SERVFAIL, vec![22]);
        let own = Data::Soa([7200, 3600, 1_209_600, 300]);
        // The registry keeps it out of DNS.
        let held = Says::Denied(Rcode::NXDOMAIN, vec![(String::from("net"), own)]);
        for says in [broken, held] {
            let found = registered("www.good.net", |net| {
                net.says("www.good.net", Rtype::NS, says.clone());
                net.says("www.good.net", Rtype::SOA, says);
            })
            .await;
            assert_eq!(
                (&found["status"], &found["name"]),
                (&json!("found"), &json!(HOST)),
            );
        }
    });
}
