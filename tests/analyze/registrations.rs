//! What registries say, and what that is called.

use super::*;

const DOMAIN: &str = "https://rdap.org/domain/good.net";

/// A good host whose domain is registered like this.
async fn registered(change: impl Fn(&mut Value)) -> Value {
    let stage = Stage::new();
    good_zone(&stage.net);
    stage.net.address(HOST, IP);
    let mut answer = json!({
        "objectClassName": "domain",
        "ldhName": HOST,
        "status": ["client transfer prohibited"],
        "events": [{ "eventAction": "expiration", "eventDate": "2028-11-26T00:00:00Z" }],
        "nameservers": [{ "ldhName": "ns1.hoster.net" }, { "ldhName": "ns2.hoster.net" }],
        "secureDNS": { "delegationSigned": false },
    });
    change(&mut answer);
    stage.net.file(DOMAIN, 200, &[], &answer.to_string());
    stage.analyze(HOST).await.unwrap()
}

#[test]
fn a_sound_registration_is_told_with_its_registrar_and_network() {
    run(async {
        let stage = Stage::new();
        good_zone(&stage.net);
        stage.net.address(HOST, IP);
        let report = stage.analyze(HOST).await.unwrap();
        for id in ["expiry", "status", "name_servers"] {
            assert_eq!(
                state(&report, &format!("registration.{id}")),
                "pass",
                "{id}"
            );
        }
        let title = |id: &str| finding(&report, id)["title"].as_str().unwrap().to_owned();
        assert!(title("registration.registrar").contains("Good Registrar for 10 years"));
        assert_eq!(
            title("registration.abuse_contact"),
            "Complaints go to abuse@good.net."
        );
        assert!(title("registration.network").contains("NET-93, held by EDGE, registered in US"));
        let asked: Vec<&Value> = report["thirdParties"]
            .as_array()
            .unwrap()
            .iter()
            .map(|party| &party["host"])
            .collect();
        assert!(asked.contains(&&json!("rdap.org")), "{asked:?}");
    });
}

#[test]
fn one_thing_wrong_with_a_registration_is_one_finding() {
    run(async {
        for (pointer, value, id, expected) in [
            (
                "/events/0/eventDate",
                json!("2026-12-01T00:00:00Z"),
                "expiry",
                "warn",
            ),
            (
                "/events/0/eventDate",
                json!("2026-11-01T00:00:00Z"),
                "expiry",
                "fail",
            ),
            (
                "/events/0/eventDate",
                json!("soon"),
                "expiry",
                "inconclusive",
            ),
            // A registry that forgets the offset means UTC.
            (
                "/events/0/eventDate",
                json!("2028-11-26T00:00:00"),
                "expiry",
                "pass",
            ),
            (
                "/events/0/eventDate",
                json!("2028-11-26 00:00:00"),
                "expiry",
                "pass",
            ),
            ("/events/0/eventDate", json!("2028-11-26"), "expiry", "pass"),
            ("/status", json!(["active"]), "status", "warn"),
            ("/status", json!(["active", "locked"]), "status", "pass"),
            ("/status", json!(["clientHold"]), "status", "fail"),
            ("/status", json!(["redemption period"]), "status", "fail"),
            ("/status", json!([]), "status", "inconclusive"),
            (
                "/nameservers/0/ldhName",
                json!("ns.elsewhere.net"),
                "name_servers",
                "warn",
            ),
            ("/nameservers", json!([]), "name_servers", "inconclusive"),
            ("/secureDNS/delegationSigned", json!(true), "dnssec", "warn"),
            (
                "/secureDNS/delegationSigned",
                json!(null),
                "dnssec",
                "inconclusive",
            ),
            (
                "/secureDNS/delegationSigned",
                json!(false),
                "dnssec",
                "info",
            ),
        ] {
            let report =
                registered(|answer| *answer.pointer_mut(pointer).unwrap() = value.clone()).await;
            let id = format!("registration.{id}");
            assert_eq!(state(&report, &id), expected, "{pointer} {value}");
        }
    });
}

#[test]
fn a_zone_below_the_registered_domain_is_asked_about_by_its_parent() {
    run(async {
        let stage = Stage::new();
        good_zone(&stage.net);
        stage.net.says(
            "deep.good.net",
            Rtype::NS,
            Says::Records(vec![Data::Ns(String::from("ns1.hoster.net"))]),
        );
        stage.net.address("deep.good.net", IP);
        stage
            .net
            .file("https://rdap.org/domain/deep.good.net", 404, &[], "{}");
        let report = stage.analyze("deep.good.net").await.unwrap();
        assert_eq!(report["probes"]["registration"]["domain"]["name"], HOST);
        assert_eq!(state(&report, "registration.expiry"), "pass");
        assert_eq!(
            state(&report, "registration.name_servers"),
            "not_applicable"
        );
        assert_eq!(
            finding(&report, "registration.expiry")["reproduce"],
            "curl -sSL https://rdap.org/domain/good.net"
        );
    });
}

#[test]
fn registries_that_fail_or_know_nothing_are_held_against_nobody() {
    run(async {
        for (status, body) in [(500, "{}"), (200, "<html>"), (404, "{}")] {
            let stage = Stage::new();
            good_zone(&stage.net);
            stage.net.address(HOST, IP);
            stage.net.file(DOMAIN, status, &[], body);
            let report = stage.analyze(HOST).await.unwrap();
            assert_eq!(
                state(&report, "registration.expiry"),
                "inconclusive",
                "{status} {body}"
            );
            assert_eq!(state(&report, "registration.network"), "info");
        }
    });
}

#[test]
fn an_operator_who_switches_registries_off_gets_reports_without_them() {
    run(async {
        let stage = Stage::new().with("RDAP_URL", "off");
        good_zone(&stage.net);
        stage.net.address(HOST, IP);
        let report = stage.analyze(HOST).await.unwrap();
        for id in ["expiry", "registrar", "network"] {
            assert_eq!(
                state(&report, &format!("registration.{id}")),
                "not_applicable",
                "{id}"
            );
        }
        assert!(!report["thirdParties"].to_string().contains("registration"));
        let looked_up = stage
            .call("lookup", json!({ "name": HOST, "records": ["RDAP"] }))
            .await
            .unwrap();
        assert_eq!(looked_up["registration"]["status"], "not_applicable");
        assert!(
            !looked_up["thirdParties"]
                .to_string()
                .contains("registration")
        );
    });
}

#[test]
fn a_network_without_a_handle_is_called_by_its_name() {
    run(async {
        let stage = Stage::new();
        good_zone(&stage.net);
        stage.net.address(HOST, IP);
        let network = json!({ "objectClassName": "ip network", "name": "EDGE", "country": "US" });
        let url = format!("https://rdap.org/ip/{IP}");
        stage.net.file(&url, 200, &[], &network.to_string());
        let report = stage.analyze(HOST).await.unwrap();
        assert_eq!(report["probes"]["registration"]["network"]["name"], "EDGE");
        assert_eq!(state(&report, "registration.network"), "info");
    });
}

#[test]
fn the_age_of_a_domain_is_told_in_days_before_it_is_told_in_years() {
    run(async {
        for (created, age) in [
            ("2026-08-14T00:00:00Z", "for 100 days."),
            ("2025-11-01T00:00:00Z", "for 1 year."),
        ] {
            let report = registered(|answer| {
                let event = json!({ "eventAction": "registration", "eventDate": created });
                answer["events"].as_array_mut().unwrap().push(event);
            })
            .await;
            let title = finding(&report, "registration.registrar")["title"]
                .as_str()
                .unwrap();
            assert!(title.ends_with(age), "{title}");
        }
    });
}
