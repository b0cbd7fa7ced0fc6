//! Answers that servers do give and that nobody means: fields sent twice,
//! codings nobody asked for, redirects for who keeps cookies, one answer for
//! every path. What is said of them is what browsers make of them, or that it
//! is not known.

use super::*;

const HTML: (&str, &str) = ("Content-Type", "text/html; charset=utf-8");

/// The report of a host that serves this site over HTTPS, and what it says on
/// plain HTTP.
async fn told(secure: Site, plain: Site) -> Value {
    let authority = Authority::new();
    let stage = Stage::new().trusting(&authority);
    good_host(&stage.net, &authority);
    let config = authority.serves(&Leaf::of(HOST));
    stage.net.https(&format!("{IP}:443"), config, secure);
    stage.net.http(&format!("{IP}:80"), plain);
    stage.analyze(HOST).await.unwrap()
}

async fn served(site: Site) -> Value {
    told(site, to_https()).await
}

/// A page with these fields.
fn page(fields: &[(&str, &str)], body: &str) -> Site {
    Site::new().on("/", response("200 OK", &[&[HTML], fields].concat(), body))
}

fn redirect(to: &str, fields: &[(&str, &str)]) -> String {
    response("302 Found", &[&[("Location", to)], fields].concat(), "")
}

/// WHATWG HTML, "The X-Frame-Options header": the values of all fields are one
/// set, and several that contradict each other forbid every frame.
#[test]
fn frame_options_that_are_sent_twice_are_one_set_of_values() {
    run(async {
        const NAME: &str = "X-Frame-Options";
        for (fields, expected) in [
            (&[(NAME, "SAMEORIGIN"), (NAME, "SAMEORIGIN")][..], "pass"),
            (&[(NAME, "SAMEORIGIN, SAMEORIGIN")], "pass"),
            (&[(NAME, "DENY"), (NAME, "SAMEORIGIN")], "pass"),
            (&[(NAME, "ALLOWALL, DENY")], "pass"),
            (&[(NAME, "ALLOWALL")], "warn"),
            (&[(NAME, "none, any")], "warn"),
        ] {
            let report = served(page(fields, "")).await;
            assert_eq!(state(&report, "http.frame_options"), expected, "{fields:?}");
        }
    });
}

/// MDN's HTTP client joins fields of one name, and its rules know single words.
#[test]
fn the_score_of_a_field_that_is_sent_twice_is_the_one_that_mdn_gives() {
    run(async {
        let twice = page(
            &[
                ("X-Frame-Options", "SAMEORIGIN"),
                ("X-Frame-Options", "SAMEORIGIN"),
                ("X-Content-Type-Options", "nosniff"),
                ("X-Content-Type-Options", "nosniff"),
            ],
            "",
        );
        let report = served(twice).await;
        let rows = report["headerScore"]["rows"].as_array().unwrap();
        let result = |rule: &str| {
            let row = rows.iter().find(|row| row["rule"] == rule).unwrap();
            row["result"].as_str().unwrap().to_owned()
        };
        assert_eq!(result("x-frame-options"), "x-frame-options-header-invalid");
        let sniffing = result("x-content-type-options");
        assert_eq!(sniffing, "x-content-type-options-header-invalid");
        assert_eq!(state(&report, "http.content_type_options"), "pass");
    });
}

#[test]
fn of_a_page_that_could_not_be_read_it_is_not_said_what_it_pulls_in() {
    run(async {
        for coding in ["br", "gzip", "zstd", "x-unknown"] {
            let report = served(page(&[("Content-Encoding", coding)], "\u{1}noise")).await;
            for id in ["http.mixed_content", "http.subresource_integrity"] {
                assert_eq!(state(&report, id), "inconclusive", "{id} of {coding}");
            }
            assert_eq!(state(&report, "http.status"), "pass");
        }
        // Cut off before what would have been seen.
        let cut = |body: &str| {
            let head =
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 90000\r\n\r\n";
            Site::new()
                .on("/", format!("{head}{body}"))
                .closing_after(1)
        };
        let report = served(cut("<title>x</title>")).await;
        for id in [
            "http.mixed_content",
            "http.subresource_integrity",
            "http.compression",
        ] {
            assert_eq!(state(&report, id), "inconclusive", "{id}");
        }
        // What was seen was seen.
        let report = served(cut("<script src=http://cdn.net/a.js></script>")).await;
        assert_eq!(state(&report, "http.mixed_content"), "fail");
        assert_eq!(state(&report, "http.subresource_integrity"), "warn");
    });
}

#[test]
fn a_coding_that_changes_nothing_is_no_compression() {
    run(async {
        let report = served(page(
            &[("Content-Encoding", "identity")],
            &"x".repeat(20_000),
        ))
        .await;
        assert_eq!(state(&report, "http.compression"), "warn");
    });
}

#[test]
fn one_answer_for_every_path_is_no_file() {
    run(async {
        for (kind, body) in [
            ("application/json", r#"{"name":"api","status":"ok"}"#),
            ("text/plain", "ok"),
            ("text/plain", "# Welcome\nContact: mailto:a@good.net\n"),
        ] {
            let everything = response("200 OK", &[("Content-Type", kind)], body);
            let report = served(Site::new().otherwise(everything)).await;
            for (id, expected) in [
                ("llms_txt", "info"),
                ("mcp_server_card", "not_applicable"),
                ("robots_txt", "info"),
                ("sitemap", "info"),
                ("security_txt", "warn"),
            ] {
                let id = format!("files.{id}");
                assert_eq!(state(&report, &id), expected, "{id} of {body}");
                assert!(
                    !title(&report, &id).contains("not valid"),
                    "{}",
                    title(&report, &id)
                );
            }
        }
    });
}

#[test]
fn a_circle_that_a_cookie_might_end_is_not_held_against_the_host() {
    run(async {
        let report = served(Site::new().on("/", redirect("/", &[]))).await;
        assert_eq!(state(&report, "http.redirects"), "fail");
        let asks_back = redirect("/", &[("Set-Cookie", "seen=1; Secure")]);
        let report = served(Site::new().on("/", asks_back)).await;
        assert_eq!(state(&report, "http.redirects"), "inconclusive");
        assert!(title(&report, "http.redirects").contains("cookie"));
    });
}

#[test]
fn who_is_led_back_to_plain_http_does_not_end_on_https() {
    run(async {
        let away = Site::new().on("/", redirect("http://good.net/plain", &[]));
        let plain = to_https().on("/plain", response("200 OK", &[HTML], "plain"));
        let report = told(away, plain).await;
        assert_eq!(state(&report, "http.https_redirect"), "fail");
        assert_eq!(state(&report, "http.redirects"), "fail");

        let circle = Site::new().on("/", redirect("/", &[]));
        let report = told(circle, to_https()).await;
        assert_eq!(state(&report, "http.https_redirect"), "inconclusive");
    });
}

#[test]
fn an_error_on_plain_http_is_no_page_that_is_served_there() {
    run(async {
        let refuses = Site::new().otherwise(response("403 Forbidden", &[], "no"));
        let report = told(page(&[], ""), refuses).await;
        assert_eq!(state(&report, "http.https_redirect"), "warn");
        assert!(title(&report, "http.https_redirect").contains("403"));
    });
}

#[test]
fn a_redirect_that_we_do_not_follow_is_told_from_one_that_nobody_should() {
    run(async {
        for (to, expected) in [
            ("https://good.net:8443/", "inconclusive"),
            ("https://user@good.net/", "inconclusive"),
            ("/a page", "inconclusive"),
            ("https://10.0.0.1/", "fail"),
            ("https://intranet/", "fail"),
            ("ftp://good.net/", "fail"),
        ] {
            let report = served(Site::new().on("/", redirect(to, &[]))).await;
            assert_eq!(state(&report, "http.redirects"), expected, "{to}");
        }
    });
}

#[test]
fn a_cookie_that_is_being_deleted_is_none() {
    run(async {
        for cookie in [
            "session=; Max-Age=0; Path=/",
            "session=deleted; expires=Thu, 01 Jan 1970 00:00:01 GMT; path=/",
            "session=x; Max-Age=-1; Expires=Wed, 01 Jan 2031 00:00:00 GMT",
        ] {
            let report = served(page(&[("Set-Cookie", cookie)], "")).await;
            for id in ["secure", "http_only", "same_site", "prefix"] {
                let id = format!("http.cookie_{id}");
                assert_eq!(state(&report, &id), "not_applicable", "{id} of {cookie}");
            }
        }
        let kept = "session=x; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:01 GMT";
        let report = served(page(&[("Set-Cookie", kept)], "")).await;
        assert_eq!(state(&report, "http.cookie_secure"), "warn");
    });
}

/// WHATWG HTML section 4.2.5.1, "referrer": old words that still count.
#[test]
fn old_words_of_a_referrer_policy_in_the_page_are_known() {
    run(async {
        for (word, expected) in [
            ("never", "pass"),
            ("default", "pass"),
            ("always", "warn"),
            ("origin-when-crossorigin", "warn"),
            ("nonsense", "warn"),
        ] {
            let meta = format!("<meta name=referrer content={word}>");
            let report = served(page(&[], &meta)).await;
            assert_eq!(state(&report, "http.referrer_policy"), expected, "{word}");
            let known = !title(&report, "http.referrer_policy").contains("none that browsers know");
            assert_eq!(known, word != "nonsense", "{word}");
        }
        // The header's words are others.
        let report = served(page(&[("Referrer-Policy", "always")], "")).await;
        assert!(title(&report, "http.referrer_policy").contains("none that browsers know"));
    });
}

#[test]
fn a_promise_that_browsers_do_not_keep_is_no_pass() {
    run(async {
        const HSTS: &str = "Strict-Transport-Security";
        // RFC 6797 section 6.1.1: zero has browsers forget the host.
        let report = served(page(&[(HSTS, "max-age=0")], "")).await;
        assert_eq!(state(&report, "http.hsts"), "fail");
        let report = served(page(&[(HSTS, "max-age=300")], "")).await;
        assert_eq!(state(&report, "http.hsts"), "warn");
        assert!(
            title(&report, "http.hsts").contains("300 seconds"),
            "{}",
            title(&report, "http.hsts")
        );

        // Section 8.1: only over a connection without errors.
        let stage = Stage::new();
        stage.net.address(HOST, IP);
        let config = internet::self_signed(&Leaf::of(HOST));
        let site = page(&[(HSTS, "max-age=63072000")], "");
        stage.net.https(&format!("{IP}:443"), config, site);
        let report = stage.analyze(HOST).await.unwrap();
        assert_eq!(state(&report, "http.hsts"), "warn");
        assert!(title(&report, "http.hsts").contains("certificate"));
    });
}

#[test]
fn a_long_file_of_variables_and_one_with_a_key_in_it_are_recognised() {
    run(async {
        let long: String = (0..1000).map(|n| format!("NAME_{n}=a value\n")).collect();
        let key = "APP_KEY=1\nSIGNING_KEY=\"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg==\n-----END PRIVATE KEY-----\"\nDB=x\n";
        for body in [
            long.as_str(),
            key,
            "db_host=db\ndb_password='a\nb'\n",
            "\u{feff}A=1\n",
        ] {
            let site = page(&[], "").on("/.env", response("200 OK", &[], body));
            let report = served(site).await;
            assert_eq!(state(&report, "exposure.env"), "fail", "{:.40}", body);
        }
        for body in [
            "a sentence with = in it\n",
            "A=1\nand then prose\n",
            "ok\nA=\"b\n",
        ] {
            let site = page(&[], "").on("/.env", response("200 OK", &[], body));
            let report = served(site).await;
            assert_eq!(state(&report, "exposure.env"), "pass", "{body}");
        }
    });
}

#[test]
fn a_path_at_which_the_server_fails_is_not_known_to_be_shut() {
    run(async {
        for status in [
            "429 Too Many Requests",
            "503 Service Unavailable",
            "500 Oops",
        ] {
            let site = page(&[], "").otherwise(response(status, &[], "later"));
            let report = served(site).await;
            assert_eq!(state(&report, "exposure.git"), "inconclusive", "{status}");
        }
        let site = page(&[], "").otherwise(response("403 Forbidden", &[], "no"));
        assert_eq!(state(&served(site).await, "exposure.git"), "pass");
    });
}

#[test]
fn a_stranger_who_is_kept_out_has_learned_nothing_of_what_may_be_shared() {
    run(async {
        for (status, expected) in [
            ("429 Too Many Requests", "inconclusive"),
            ("503 Service Unavailable", "inconclusive"),
            ("403 Forbidden", "pass"),
        ] {
            let site = page(&[], "").for_strangers(response(status, &[], "no"));
            let report = served(site).await;
            assert_eq!(state(&report, "http.cors"), expected, "{status}");
        }
    });
}

#[test]
fn shared_caches_heed_their_own_age_and_what_has_run_out() {
    run(async {
        const CACHE: &str = "Cache-Control";
        let cookie = ("Set-Cookie", "a=1; Secure");
        for (field, expected) in [
            ((CACHE, "max-age=0, s-maxage=600"), "warn"),
            ((CACHE, "max-age=600, s-maxage=0"), "pass"),
            ((CACHE, "max-age=0"), "pass"),
            (("Expires", "Thu, 19 Nov 1981 08:52:00 GMT"), "pass"),
            (("Expires", "0"), "pass"),
            (("Expires", "Wed, 01 Jan 2031 00:00:00 GMT"), "warn"),
        ] {
            let report = served(page(&[cookie, field], "")).await;
            assert_eq!(state(&report, "http.cache"), expected, "{field:?}");
        }
    });
}

#[test]
fn without_the_record_it_is_not_known_that_nothing_advertises_http3() {
    run(async {
        let authority = Authority::new();
        let stage = Stage::new().trusting(&authority);
        good_host(&stage.net, &authority);
        let https = Says::Code(Rcode::SERVFAIL, vec![]);
        stage.net.says(HOST, Rtype::HTTPS, https);
        let report = stage.analyze(HOST).await.unwrap();
        assert_eq!(state(&report, "http.http3"), "inconclusive");
        let report = stage.analyze(IP).await.unwrap();
        assert_eq!(state(&report, "http.http3"), "info");
    });
}

/// RFC 9112 section 5.2: a user agent replaces the fold with spaces.
#[test]
fn a_folded_field_is_one_line() {
    run(async {
        let folded = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\
            Content-Security-Policy: default-src 'none';\r\n\tbase-uri 'none'\r\n\r\n";
        let report = served(Site::new().on("/", String::from(folded))).await;
        assert_eq!(state(&report, "http.status"), "pass");
        assert_eq!(state(&report, "http.csp"), "pass");
        let shown =
            &report["probes"]["http"]["https"]["page"]["headers"]["content-security-policy"];
        assert_eq!(shown, &json!(["default-src 'none'; base-uri 'none'"]));
    });
}

/// RFC 9116 section 2.5.2.
#[test]
fn a_security_txt_that_belongs_elsewhere_is_told() {
    run(async {
        let here = "https://good.net/.well-known/security.txt";
        let there = "https://www.good.net/.well-known/security.txt";
        for (places, expected) in [
            (&[here][..], "pass"),
            (&[there, here], "pass"),
            (&[there], "warn"),
            (&[], "pass"),
        ] {
            let mut body =
                String::from("Contact: mailto:a@good.net\nExpires: 2027-06-01T00:00:00Z\n");
            for place in places {
                body.push_str(&format!("Canonical: {place}\n"));
            }
            let text = response("200 OK", &[("Content-Type", "text/plain")], &body);
            let site = page(&[], "").on("/.well-known/security.txt", text);
            let report = served(site).await;
            assert_eq!(state(&report, "files.security_txt"), expected, "{places:?}");
        }
    });
}

#[test]
fn a_command_asks_where_the_answer_came_from() {
    run(async {
        let command = |report: &Value, id: &str| finding(report, id)["reproduce"].to_string();
        // Plain HTTP is all there is.
        let stage = Stage::new();
        good_zone(&stage.net);
        stage.net.address(HOST, IP);
        stage.net.http(&format!("{IP}:80"), page(&[], ""));
        let report = stage.analyze(HOST).await.unwrap();
        for (id, part) in [
            ("http.csp", " 'http://good.net/'"),
            ("files.robots_txt", "curl -sS http://good.net/robots.txt"),
            ("exposure.git", "curl -sS 'http://good.net/.git/HEAD'"),
        ] {
            let command = command(&report, id);
            assert!(command.contains(part), "{command}");
        }
        // curl would break off at the certificate.
        let config = internet::self_signed(&Leaf::of(HOST));
        stage.net.https(&format!("{IP}:443"), config, page(&[], ""));
        let report = stage.analyze("https://good.net/?a={host}").await.unwrap();
        for (id, part) in [
            ("http.csp", "-k 'https://good.net/?a={host}'"),
            ("http.hsts", "-k 'https://good.net/?a={host}'"),
            ("files.robots_txt", "-k https://good.net/robots.txt"),
        ] {
            let command = command(&report, id);
            assert!(command.contains(part), "{command}");
        }
        let report = served(page(&[], "")).await;
        let command = command(&report, "http.csp");
        assert!(
            command.contains("/dev/null 'https://good.net/'"),
            "{command}"
        );
    });
}
