//! One thing about a host at a time: what is measured, what it is called.

use super::*;
use crate::internet::self_signed;

#[test]
fn a_good_host_has_nothing_to_mend() {
    run(async {
        let authority = Authority::new();
        let stage = Stage::new().trusting(&authority);
        good_host(&stage.net, &authority);
        let report = stage.analyze(HOST).await.unwrap();
        let wrong: Vec<&Value> = report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|finding| {
                ["fail", "warn", "inconclusive"].contains(&finding["state"].as_str().unwrap())
            })
            .map(|finding| &finding["id"])
            .collect();
        // The test's resolver validates nothing.
        assert_eq!(wrong, [&json!("dns.dnssec")]);
        assert_eq!(report["coverage"]["ratio"], 1.0, "{}", report["coverage"]);
        let best = &report["probes"]["tls"]["handshakes"]["best"];
        assert_eq!(best["version"], "TLSv1.3");
        assert_eq!(best["alpn"], "http/1.1");
        assert_eq!(best["keyProven"], true);
        assert_eq!(
            report["probes"]["tls"]["handshakes"]["only12"]["version"],
            "TLSv1.2"
        );
        assert_eq!(
            report["probes"]["tls"]["handshakes"]["only12"]["alpn"],
            "h2"
        );
        assert_eq!(
            report["probes"]["http"]["https"]["page"]["title"],
            "A good page"
        );
        assert_eq!(report["probes"]["http"]["http"]["end"], "met_https");
    });
}

#[test]
fn the_whole_call_stays_within_its_share_of_subrequests() {
    run(async {
        let authority = Authority::new();
        let stage = Stage::new().trusting(&authority);
        good_host(&stage.net, &authority);
        stage.analyze(HOST).await.unwrap();
        assert!(stage.subrequests.get() <= 40, "{}", stage.subrequests.get());
        let mut asked = stage.net.asked.borrow().clone();
        let all = asked.len();
        asked.sort();
        asked.dedup();
        assert_eq!(all, asked.len(), "the same question was sent twice");
        // The secure connection carries the page and the listed paths too; four
        // more are hellos.
        let web = |at: &&std::net::SocketAddr| at.port() != 53 && at.is_ipv4();
        assert_eq!(stage.net.connected.borrow().iter().filter(web).count(), 6);
    });
}

async fn trust_of(leaf: Leaf) -> Value {
    let authority = Authority::new();
    let stage = Stage::new().trusting(&authority);
    good_host(&stage.net, &authority);
    stage
        .net
        .https(&format!("{IP}:443"), authority.serves(&leaf), good_site());
    stage.analyze(HOST).await.unwrap()
}

#[test]
fn an_expired_certificate_is_told_as_expired() {
    run(async {
        let report = trust_of(Leaf {
            days: (-90, -2),
            ..Leaf::of(HOST)
        })
        .await;
        assert_eq!(report["probes"]["tls"]["trust"]["reason"], "expired");
        assert_eq!(state(&report, "tls.trust"), "fail");
        assert_eq!(
            finding(&report, "tls.expiry")["title"],
            "The certificate expired 2 days ago."
        );
        // What the host serves is still looked at.
        assert_eq!(state(&report, "http.content_type_options"), "pass");
    });
}

#[test]
fn a_missing_intermediate_is_told_from_an_unknown_issuer() {
    run(async {
        let report = trust_of(Leaf {
            with_intermediate: false,
            ..Leaf::of(HOST)
        })
        .await;
        assert_eq!(
            report["probes"]["tls"]["trust"]["reason"],
            "missing_intermediate"
        );

        let authority = Authority::new();
        let stage = Stage::new();
        good_host(&stage.net, &authority);
        let report = stage.analyze(HOST).await.unwrap();
        assert_eq!(report["probes"]["tls"]["trust"]["reason"], "unknown_issuer");
    });
}

#[test]
fn a_certificate_for_another_name_is_trusted_and_still_wrong() {
    run(async {
        let report = trust_of(Leaf::of("other.net")).await;
        let trust = &report["probes"]["tls"]["trust"];
        assert_eq!(
            (&trust["reason"], &trust["trusted"]),
            (&json!("trusted"), &json!(false))
        );
        assert_eq!(state(&report, "tls.name"), "fail");
        assert_eq!(
            finding(&report, "tls.name")["evidence"][0]["value"],
            json!(["other.net"])
        );
    });
}

#[test]
fn a_self_signed_certificate_is_told_as_such() {
    run(async {
        let authority = Authority::new();
        let stage = Stage::new().trusting(&authority);
        good_host(&stage.net, &authority);
        stage.net.https(
            &format!("{IP}:443"),
            self_signed(&Leaf::of(HOST)),
            good_site(),
        );
        let report = stage.analyze(HOST).await.unwrap();
        assert_eq!(report["probes"]["tls"]["trust"]["reason"], "self_signed");
    });
}

#[test]
fn a_server_with_only_one_version_is_described_by_both_handshakes() {
    run(async {
        let authority = Authority::new();
        for (version, has_13, has_12) in [
            (&rustls::version::TLS13, "pass", "declines"),
            (&rustls::version::TLS12, "warn", "offers"),
        ] {
            let stage = Stage::new().trusting(&authority);
            good_host(&stage.net, &authority);
            let config = authority.serves_versions(&Leaf::of(HOST), &[version]);
            stage.net.https(&format!("{IP}:443"), config, good_site());
            let report = stage.analyze(HOST).await.unwrap();
            assert_eq!(state(&report, "tls.version_13"), has_13);
            assert_eq!(state(&report, "tls.version_12"), "info");
            let only_12 = &report["probes"]["tls"]["handshakes"]["only12"];
            match has_12 {
                "offers" => assert_eq!(only_12["version"], "TLSv1.2"),
                _ => assert!(only_12["declined"].is_string(), "{only_12}"),
            }
            assert_eq!(report["coverage"]["ratio"], 1.0);
        }
    });
}

#[test]
fn a_redirect_into_a_private_network_is_not_followed() {
    run(async {
        let authority = Authority::new();
        let stage = Stage::new().trusting(&authority);
        good_host(&stage.net, &authority);
        stage.net.address("inside.net", "10.0.0.1");
        for location in [
            "http://169.254.169.254/latest/meta-data/",
            "https://inside.net/",
            "ftp://good.net/",
        ] {
            let site = Site::new().on(
                "/",
                response("302 Found", &[("Location", location)], "secret"),
            );
            stage.net.https(
                &format!("{IP}:443"),
                authority.serves(&Leaf::of(HOST)),
                site,
            );
            let report = stage.analyze(HOST).await.unwrap();
            assert_eq!(
                report["probes"]["http"]["https"]["end"], "redirect_refused",
                "{location}"
            );
            assert_eq!(report["probes"]["http"]["https"]["unfollowed"], location);
            assert_eq!(state(&report, "http.redirects"), "fail");
            assert!(!report.to_string().contains("secret"));
        }
        let known = [IP, IP6];
        let inside = |at: &&std::net::SocketAddr| {
            at.port() != 53 && !known.contains(&at.ip().to_string().as_str())
        };
        assert_eq!(stage.net.connected.borrow().iter().find(inside), None);
        assert!(stage.net.fetched.borrow().is_empty());
    });
}

#[test]
fn redirects_in_a_circle_and_back_to_plain_http_are_findings() {
    run(async {
        let authority = Authority::new();
        let stage = Stage::new().trusting(&authority);
        good_host(&stage.net, &authority);
        let there = response("302 Found", &[("Location", "/b")], "");
        let back = response("302 Found", &[("Location", "/")], "");
        let circle = Site::new().on("/", there).on("/b", back);
        stage.net.https(
            &format!("{IP}:443"),
            authority.serves(&Leaf::of(HOST)),
            circle,
        );
        let report = stage.analyze(HOST).await.unwrap();
        assert_eq!(report["probes"]["http"]["https"]["end"], "loop");
        assert_eq!(finding(&report, "http.redirects")["severity"], "high");

        let down = Site::new().on(
            "/",
            response("302 Found", &[("Location", "http://good.net/plain")], ""),
        );
        stage.net.https(
            &format!("{IP}:443"),
            authority.serves(&Leaf::of(HOST)),
            down,
        );
        stage.net.http(
            &format!("{IP}:80"),
            Site::new().otherwise(response("200 OK", &[], "plain")),
        );
        let report = stage.analyze(HOST).await.unwrap();
        assert_eq!(state(&report, "http.redirects"), "fail");
        assert_eq!(state(&report, "http.https_redirect"), "fail");
    });
}

#[test]
fn an_open_git_repository_is_found_and_a_site_that_answers_everything_is_not_blamed() {
    run(async {
        let authority = Authority::new();
        let stage = Stage::new().trusting(&authority);
        good_host(&stage.net, &authority);
        let open = good_site().on(
            "/.git/HEAD",
            response("200 OK", &[], "ref: refs/heads/main\n"),
        );
        stage.net.https(
            &format!("{IP}:443"),
            authority.serves(&Leaf::of(HOST)),
            open,
        );
        let report = stage.analyze(HOST).await.unwrap();
        assert_eq!(state(&report, "exposure.git"), "fail");
        assert_eq!(state(&report, "exposure.env"), "pass");
        assert_eq!(
            finding(&report, "exposure.git")["reproduce"],
            "curl -sS 'https://good.net/.git/HEAD' | head -c 200"
        );

        let all = Site::new().otherwise(response("200 OK", &[], "<h1>welcome</h1>"));
        stage
            .net
            .https(&format!("{IP}:443"), authority.serves(&Leaf::of(HOST)), all);
        let report = stage.analyze(HOST).await.unwrap();
        assert_eq!(report["probes"]["exposure"]["answersEverything"], true);
        assert_eq!(state(&report, "exposure.git"), "pass");
    });
}

#[test]
fn a_server_that_closes_after_each_answer_is_asked_over_new_connections() {
    run(async {
        let authority = Authority::new();
        let stage = Stage::new().trusting(&authority);
        good_host(&stage.net, &authority);
        let site = good_site()
            .on("/.env", response("200 OK", &[], "APP_KEY=1\n"))
            .closing_after(1);
        stage.net.https(
            &format!("{IP}:443"),
            authority.serves(&Leaf::of(HOST)),
            site,
        );
        let report = stage.analyze(HOST).await.unwrap();
        assert_eq!(state(&report, "exposure.git"), "pass");
        assert_eq!(state(&report, "exposure.env"), "fail");
    });
}

#[test]
fn a_host_on_cloudflare_is_fetched_and_its_handshake_is_not_measurable() {
    run(async {
        let stage = Stage::new();
        stage.net.address(HOST, "104.16.1.1");
        stage.net.file(
            "https://good.net/",
            200,
            &[("strict-transport-security", "max-age=31536000")],
            "hi",
        );
        stage.net.file(
            "http://good.net/",
            301,
            &[("location", "https://good.net/")],
            "",
        );
        let report = stage.analyze(HOST).await.unwrap();
        assert!(stage.net.connected.borrow().is_empty());
        let best = &report["probes"]["tls"]["handshakes"]["best"];
        assert_eq!(best["failure"]["state"], "not_measurable");
        assert_eq!(state(&report, "tls.trust"), "inconclusive");
        assert_eq!(state(&report, "http.hsts"), "pass");
        assert_eq!(state(&report, "http.https_redirect"), "pass");
        assert!(report["coverage"]["ratio"].as_f64().unwrap() < 1.0);
    });
}

#[test]
fn a_report_only_policy_is_not_taken_for_an_enforced_one() {
    run(async {
        let authority = Authority::new();
        let stage = Stage::new().trusting(&authority);
        good_host(&stage.net, &authority);
        let headers = [("Content-Security-Policy-Report-Only", "default-src 'self'")];
        let site = Site::new().on("/", response("200 OK", &headers, ""));
        stage.net.https(
            &format!("{IP}:443"),
            authority.serves(&Leaf::of(HOST)),
            site,
        );
        let report = stage.analyze(HOST).await.unwrap();
        assert_eq!(state(&report, "http.csp"), "warn");
        assert!(
            finding(&report, "http.csp")["title"]
                .as_str()
                .unwrap()
                .contains("not enforced")
        );
    });
}

#[test]
fn an_address_is_analyzed_without_any_question_about_a_name() {
    run(async {
        let stage = Stage::new();
        stage.net.http(
            &format!("{IP}:80"),
            Site::new().otherwise(response("200 OK", &[], "plain")),
        );
        let report = stage.analyze(IP).await.unwrap();
        let about_addresses =
            |name: &str| name.ends_with(".in-addr.arpa") || name.ends_with(".cymru.com");
        assert!(
            stage
                .net
                .asked
                .borrow()
                .iter()
                .all(|(name, _)| about_addresses(name))
        );
        assert_eq!(state(&report, "dns.ipv6"), "not_applicable");
        assert_eq!(state(&report, "mail.spf"), "not_applicable");
        assert_eq!(state(&report, "http.https_redirect"), "fail");
        // The listed paths were asked where a web server answered.
        assert_eq!(state(&report, "exposure.git"), "pass");
        assert_eq!(state(&report, "dns.zone_transfer"), "not_applicable");
    });
}
