//! What a finding says is what was measured: no pass over what was not seen,
//! nothing that browsers would not do.

use super::*;

const HTML: (&str, &str) = ("Content-Type", "text/html");

async fn staged(site: Site) -> Stage {
    let authority = Authority::new();
    let stage = Stage::new().trusting(&authority);
    good_host(&stage.net, &authority);
    let config = authority.serves(&Leaf::of(HOST));
    stage.net.https(&format!("{IP}:443"), config, site);
    stage
}

pub(super) async fn served(site: Site) -> Value {
    staged(site).await.analyze(HOST).await.unwrap()
}

pub(super) fn page(fields: &[(&str, &str)], body: &str) -> Site {
    let fields: Vec<_> = [HTML].iter().chain(fields).copied().collect();
    Site::new().on("/", response("200 OK", &fields, body))
}

fn shares(origin: &str, with_credentials: bool) -> String {
    let mut fields = vec![HTML, ("Access-Control-Allow-Origin", origin)];
    if with_credentials {
        fields.push(("Access-Control-Allow-Credentials", "true"));
    }
    response("200 OK", &fields, "")
}

const LOOKALIKE: &str = "https://good.net.netrecongood.net";

#[test]
fn an_origin_that_only_looks_like_the_sites_own_and_null_are_tried_on_the_same_connection() {
    run(async {
        let plain = staged(page(&[], "")).await;
        let report = plain.analyze(HOST).await.unwrap();
        assert_eq!(state(&report, "http.cors"), "pass");
        let http = &report["probes"]["http"];
        assert_eq!(http["nullOrigin"]["origin"], "null");
        assert_eq!(http["lookalikeOrigin"]["origin"], LOOKALIKE);
        for (origin, with_credentials, expected, severity) in [
            (LOOKALIKE, true, "fail", "high"),
            (LOOKALIKE, false, "warn", "low"),
            ("null", true, "fail", "medium"),
            ("null", false, "warn", "low"),
        ] {
            let answer = shares(origin, with_credentials);
            let stage = staged(page(&[], "").for_origin(origin, answer)).await;
            let report = stage.analyze(HOST).await.unwrap();
            let cors = finding(&report, "http.cors");
            assert_eq!(cors["state"], expected, "{cors}");
            assert_eq!(cors["severity"], severity, "{cors}");
            assert_eq!(stage.subrequests.get(), plain.subrequests.get());
        }
    });
}

#[test]
fn what_was_not_tried_of_origins_is_not_said_to_be_refused() {
    run(async {
        let report = served(page(&[], "").closing_after(1)).await;
        let cors = finding(&report, "http.cors");
        assert_eq!(cors["state"], "pass");
        assert_eq!(cors["confidence"], "medium");
        let title = title(&report, "http.cors");
        assert!(title.contains("not tried"), "{title}");
    });
}

#[test]
fn permission_given_twice_is_none_to_a_browser_and_that_of_a_redirect_is_no_pages() {
    run(async {
        let twice = response(
            "200 OK",
            &[
                ("Access-Control-Allow-Origin", "*"),
                ("Access-Control-Allow-Origin", "https://netrecon.invalid"),
                ("Access-Control-Allow-Credentials", "true"),
            ],
            "",
        );
        let report = served(page(&[], "").for_strangers(twice)).await;
        let cors = finding(&report, "http.cors");
        assert_eq!(cors["state"], "pass", "{cors}");

        let away = response(
            "302 Found",
            &[
                ("Location", "https://www.good.net/"),
                ("Access-Control-Allow-Origin", "*"),
            ],
            "",
        );
        let report = served(Site::new().on("/", away)).await;
        assert_eq!(state(&report, "http.cors"), "not_applicable");
    });
}

#[test]
fn a_pinned_script_that_is_not_asked_for_by_cors_is_blocked_and_no_pass() {
    run(async {
        const SRI: &str = "http.subresource_integrity";
        for (script, expected) in [
            (
                "<script src=https://cdn.net/a.js integrity=sha384-a>",
                "fail",
            ),
            (
                "<script src=https://cdn.good.net/a.js integrity=sha384-a>",
                "fail",
            ),
            (
                "<script src=https://cdn.net/a.js integrity=sha384-a crossorigin=''>",
                "pass",
            ),
            (
                "<script type=module src=https://cdn.net/a.js integrity=sha384-a>",
                "pass",
            ),
            ("<script src=/a.js integrity=sha384-a>", "pass"),
        ] {
            let report = served(page(&[], &format!("{script}</script>"))).await;
            assert_eq!(state(&report, SRI), expected, "{script}");
        }
    });
}

#[test]
fn what_is_said_of_a_page_that_was_read_in_part_is_said_of_that_part() {
    run(async {
        let long = format!("<p>{}</p>", "x".repeat(300_000));
        let report = served(page(&[], &long)).await;
        for id in ["http.subresource_integrity", "http.mixed_content"] {
            let found = finding(&report, id);
            assert_eq!(found["state"], "pass", "{found}");
            assert_eq!(found["confidence"], "medium", "{found}");
            let title = title(&report, id);
            assert!(title.contains("256 KiB"), "{title}");
        }
        // However much else the page names.
        let many = "<img srcset='/a.png 1x, https://a.net/b.png 2x'><script src=/x.js></script>"
            .repeat(300);
        let body = format!("{many}<iframe src=http://a.net/></iframe>");
        let report = served(page(&[], &body)).await;
        assert_eq!(state(&report, "http.mixed_content"), "fail");
        let body = format!("{many}<script src=https://cdn.net/a.js></script>");
        let report = served(page(&[], &body)).await;
        assert_ne!(
            title(&report, "http.subresource_integrity"),
            "The page loads no script from another site."
        );
        let images = "<img src=http://a.net/a.png>".repeat(40);
        let report = served(page(&[], &images)).await;
        let title = title(&report, "http.mixed_content");
        assert!(title.contains("40 images"), "{title}");
    });
}

#[test]
fn a_chain_that_stops_below_an_issuer_nobody_knows_is_incomplete_and_no_pass() {
    run(async {
        let authority = Authority::deep();
        let stage = Stage::new().trusting(&authority);
        good_host(&stage.net, &authority);
        let report = stage.analyze(HOST).await.unwrap();
        assert_eq!(
            report["probes"]["tls"]["trust"]["reason"],
            "incomplete_chain"
        );
        let trust = finding(&report, "tls.trust");
        assert_eq!(
            (&trust["state"], &trust["confidence"]),
            (&json!("fail"), &json!("medium"))
        );
        let chain = finding(&report, "tls.chain");
        assert_eq!(chain["state"], "warn", "{chain}");
        let title = title(&report, "tls.chain");
        assert!(
            title.contains("CN=Test Upper") && title.contains("http://ca.net/i.der"),
            "{title}"
        );
    });
}

#[test]
fn no_version_of_http_is_named_where_none_was_seen() {
    run(async {
        let stage = Stage::new();
        stage.net.address(HOST, "104.16.1.1");
        stage.net.file(
            "https://good.net/",
            200,
            &[("content-type", "text/html")],
            "hi",
        );
        let report = stage.analyze(HOST).await.unwrap();
        assert_eq!(state(&report, "http.protocol"), "inconclusive");
        assert!(report["probes"]["http"]["https"]["page"]["httpVersion"].is_null());
    });
}

#[test]
fn caches_are_said_to_keep_what_they_may_keep() {
    run(async {
        const COOKIE: (&str, &str) = ("Set-Cookie", "a=1; Secure");
        for (status, fields, expected) in [
            // No cache keeps a 401 unasked (RFC 9110 section 15.1).
            ("401 Unauthorized", &[][..], "pass"),
            ("401 Unauthorized", &[("Cache-Control", "public")], "warn"),
            (
                "401 Unauthorized",
                &[("Cache-Control", "max-age=60")],
                "warn",
            ),
            ("200 OK", &[COOKIE], "warn"),
            // It was never said what that means in a response (RFC 9111 section 5.4).
            ("200 OK", &[COOKIE, ("Pragma", "no-cache")], "warn"),
            // The field is kept out, the answer is not.
            (
                "200 OK",
                &[
                    COOKIE,
                    ("Cache-Control", "max-age=60, no-cache=\"Set-Cookie\""),
                ],
                "warn",
            ),
            (
                "200 OK",
                &[
                    COOKIE,
                    ("Cache-Control", "private=\"a, no-store\", max-age=60"),
                ],
                "warn",
            ),
            ("200 OK", &[COOKIE, ("Cache-Control", "No-Cache")], "pass"),
        ] {
            let fields: Vec<_> = [HTML].iter().chain(fields).copied().collect();
            let report = served(Site::new().on("/", response(status, &fields, ""))).await;
            assert_eq!(
                state(&report, "http.cache"),
                expected,
                "{status} {fields:?}"
            );
        }
    });
}

#[test]
fn an_address_has_no_promise_to_keep_and_half_a_year_is_mdns() {
    run(async {
        let stage = Stage::new();
        let authority = Authority::new();
        let config = authority.serves(&Leaf::of(HOST));
        stage.net.https(&format!("{IP}:443"), config, good_site());
        let report = stage.analyze(IP).await.unwrap();
        // RFC 6797 section 8.1.1.
        assert_eq!(state(&report, "http.hsts"), "not_applicable");
        assert_eq!(state(&report, "http.hsts_preload"), "not_applicable");

        let site = page(&[("Strict-Transport-Security", "max-age=15552000")], "");
        let report = served(site).await;
        assert_eq!(state(&report, "http.hsts"), "pass");
        let rows = report["headerScore"]["rows"].as_array().unwrap();
        let row = rows
            .iter()
            .find(|row| row["rule"] == "strict-transport-security");
        assert_eq!(
            row.unwrap()["result"],
            "hsts-implemented-max-age-at-least-six-months"
        );
    });
}

#[test]
fn a_token_against_forgery_is_no_session() {
    run(async {
        let cookie = "XSRF-TOKEN=1; Secure; SameSite=Lax";
        let report = served(page(&[("Set-Cookie", cookie)], "")).await;
        assert_eq!(state(&report, "http.cookie_http_only"), "pass");
    });
}

#[test]
fn a_file_that_is_kept_from_us_or_leads_on_is_not_said_to_be_missing() {
    run(async {
        let files = ["robots_txt", "sitemap", "llms_txt", "mcp_server_card"];
        for status in ["403 Forbidden", "429 Too Many Requests"] {
            let site = page(&[], "").otherwise(response(status, &[], "no"));
            let report = served(site).await;
            for id in files {
                let id = format!("files.{id}");
                assert_eq!(state(&report, &id), "inconclusive", "{id} {status}");
            }
        }
        let site = page(&[], "").otherwise(response("503 Service Unavailable", &[], ""));
        let report = served(site).await;
        assert_eq!(state(&report, "files.robots_txt"), "warn");
        assert_eq!(state(&report, "files.sitemap"), "inconclusive");

        let www = ("Location", "https://www.good.net/robots.txt");
        let away = response("301 Moved Permanently", &[www], "");
        let report = served(page(&[], "").on("/robots.txt", away)).await;
        let title = title(&report, "files.robots_txt");
        assert!(title.starts_with("robots.txt: A redirect"), "{title}");
    });
}

#[test]
fn a_header_sent_twice_is_read_as_browsers_read_it() {
    run(async {
        const COOP: &str = "Cross-Origin-Opener-Policy";
        const CORP: &str = "Cross-Origin-Resource-Policy";
        for (fields, id, expected) in [
            (
                &[(COOP, "same-origin"), (COOP, "same-origin")][..],
                "opener_policy",
                "warn",
            ),
            (
                &[(COOP, "same-origin; report-to=\"a\"")],
                "opener_policy",
                "pass",
            ),
            (
                &[(CORP, "same-origin"), (CORP, "same-origin")],
                "resource_policy",
                "warn",
            ),
            (&[(CORP, "same-origin")], "resource_policy", "pass"),
        ] {
            let report = served(page(fields, "")).await;
            assert_eq!(
                state(&report, &format!("http.{id}")),
                expected,
                "{fields:?}"
            );
        }
        let report = served(page(&[("Permissions-Policy", "camera=*")], "")).await;
        let title = title(&report, "http.permissions_policy");
        assert!(
            !title.contains("may use"),
            "a frame has to allow it too: {title}"
        );
    });
}

#[test]
fn a_certificate_of_another_name_covers_nothing_by_a_wildcard() {
    run(async {
        let stage = staged(page(&[], "")).await;
        let authority = Authority::new();
        let config = authority.serves(&Leaf::of("other.net"));
        stage.net.https(&format!("{IP}:443"), config, good_site());
        let logged = json!([{
            "issuer_name": "CN=Log CA",
            "name_value": "good.net",
            "not_before": "2026-11-01T00:00:00",
            "not_after": "2027-01-30T00:00:00",
            "serial_number": "0abc",
        }]);
        stage.net.file(LOG_SEARCH, 200, &[], &logged.to_string());
        let report = stage.analyze(HOST).await.unwrap();
        let title = title(&report, "tls.ct");
        assert!(!title.contains("wildcard"), "{title}");
    });
}

#[test]
fn plain_http_that_leads_to_https_is_judged_by_the_whole_way() {
    run(async {
        let to = |place: &str| response("302 Found", &[("Location", place)], "");
        for (site, expected, words) in [
            (good_site(), "pass", "1 redirect leads to a page"),
            (
                Site::new().on("/", to("/a")).on("/a", to("/")),
                "fail",
                "circle",
            ),
            (
                Site::new().on("/", to("http://good.net/")),
                "fail",
                "circle",
            ),
        ] {
            let report = staged(site).await.analyze("http://good.net/").await;
            let report = report.unwrap();
            let found = finding(&report, "http.redirects");
            assert_eq!(found["state"], expected, "{found}");
            let title = title(&report, "http.redirects");
            assert!(title.contains(words), "{title}");
        }
    });
}

#[test]
fn plain_http_that_was_not_seen_does_not_meet_what_the_preload_list_asks_for() {
    run(async {
        const HSTS: &str = "Strict-Transport-Security";
        let listed = "max-age=31536000; includeSubDomains; preload";
        let stage = staged(page(&[(HSTS, listed)], "")).await;
        stage.net.serve(&format!("{IP}:80"), |stream| async move {
            let _open = stream;
            std::future::pending::<()>().await;
        });
        let report = stage.analyze(HOST).await.unwrap();
        let found = finding(&report, "http.hsts_preload");
        assert_eq!(found["state"], "inconclusive", "{found}");

        // Where nobody listens there is nothing to lead away from.
        let authority = Authority::new();
        let stage = Stage::new().trusting(&authority);
        good_zone(&stage.net);
        stage.net.address(HOST, IP);
        let config = authority.serves(&Leaf::of(HOST));
        let site = page(&[(HSTS, listed)], "");
        stage.net.https(&format!("{IP}:443"), config, site);
        let report = stage.analyze(HOST).await.unwrap();
        let found = finding(&report, "http.hsts_preload");
        assert_eq!(found["state"], "pass", "{found}");
    });
}

#[test]
fn a_listed_path_that_leads_to_the_same_path_elsewhere_was_not_seen() {
    run(async {
        let to = |place: &str| response("301 Moved Permanently", &[("Location", place)], "");
        let site = page(&[], "")
            .on("/.git/HEAD", to("https://www.good.net/.git/HEAD"))
            .on("/.DS_Store", to("//www.good.net/.DS_Store/"))
            .on("/.env", to("https://www.good.net/"))
            .on("/metrics", to("/metrics?a"))
            .on("/phpinfo.php", to("/phpinfo.php?to=https://www.good.net/"));
        let report = served(site).await;
        for (id, expected) in [
            ("phpinfo", "pass"),
            ("git", "info"),
            ("ds_store", "info"),
            ("env", "pass"),
            ("metrics", "pass"),
        ] {
            let id = format!("exposure.{id}");
            let found = finding(&report, &id);
            assert_eq!(found["state"], expected, "{found}");
            let title = title(&report, &id);
            assert_eq!(
                title.contains("www.good.net"),
                expected == "info",
                "{title}"
            );
        }
        let git = &report["probes"]["exposure"]["paths"][0];
        assert_eq!(git["leadsTo"], "https://www.good.net/.git/HEAD");
    });
}

#[test]
fn a_security_txt_over_plain_http_is_none_that_may_be_relied_on() {
    run(async {
        let stage = Stage::new();
        stage.net.address(HOST, IP);
        good_zone(&stage.net);
        stage.net.http(&format!("{IP}:80"), good_site());
        let report = stage.analyze(HOST).await.unwrap();
        let found = finding(&report, "files.security_txt");
        assert_eq!(found["state"], "warn", "{found}");
        let title = title(&report, "files.security_txt");
        assert!(title.contains("plain HTTP"), "{title}");
    });
}
