//! What browsers make of what a page sends and names: what they refuse, block
//! and pass over is said to be so.

use super::claims::{page, served};
use super::*;

#[test]
fn a_cookie_that_browsers_refuse_gives_nothing_away() {
    run(async {
        let refused = ("Set-Cookie", "sid=1; Partitioned; SameSite=Lax");
        let kept = ("Set-Cookie", "a=1; Secure; SameSite=Lax");
        for (fields, expected) in [
            (&[refused][..], "not_applicable"),
            (&[refused, kept], "pass"),
        ] {
            let report = served(page(fields, "")).await;
            for id in ["secure", "http_only", "same_site"] {
                let found = finding(&report, &format!("http.cookie_{id}"));
                assert_eq!(found["state"], expected, "{found}");
                let title = found["title"].as_str().unwrap();
                assert!(title.contains("efuse") && title.contains("sid"), "{title}");
            }
        }
        let silent = ("Set-Cookie", "__Host-a=1; Path=/app; Secure");
        let report = served(page(&[silent], "")).await;
        assert_eq!(state(&report, "http.cookie_prefix"), "fail");
        assert_eq!(state(&report, "http.cookie_same_site"), "not_applicable");
    });
}

#[test]
fn a_policy_is_graded_by_what_browsers_let_through() {
    run(async {
        for (policy, words) in [
            // Whoever makes a blob runs scripts already.
            (
                "script-src 'self' blob:; object-src 'none'; base-uri 'none'",
                "it is strong.",
            ),
            // A word about scripts alone (CSP Level 3 section 6.7.1.1).
            (
                "script-src 'nonce-r4nd0m' 'strict-dynamic' https:; object-src 'strict-dynamic' https:; base-uri 'none'",
                "useful: plug-ins are not limited.",
            ),
            (
                "default-src 'none'; base-uri *",
                "useful: the base address is not fixed.",
            ),
            ("default-src 'none'; base-uri 'self'", "it is strong."),
        ] {
            let report = served(page(&[("Content-Security-Policy", policy)], "")).await;
            let title = title(&report, "http.csp");
            assert!(title.contains(words), "{policy}: {title}");
        }
    });
}

#[test]
fn a_resource_policy_with_a_parameter_is_none_that_browsers_know() {
    run(async {
        // It is compared as it stands (Fetch section 3.7).
        let policy = "same-origin; report-to=\"a\"";
        let fields = [("Cross-Origin-Resource-Policy", policy)];
        let report = served(page(&fields, "")).await;
        assert_eq!(state(&report, "http.resource_policy"), "warn");
    });
}

#[test]
fn images_of_a_set_are_blocked_and_not_asked_for_over_https() {
    run(async {
        const MIXED: &str = "http.mixed_content";
        for (body, blocked) in [
            ("<img src=http://a.net/a.png>", false),
            ("<img srcset='http://a.net/a.png 1x'>", true),
            (
                "<picture><source srcset=http://a.net/a.webp><img src=/a></picture>",
                true,
            ),
        ] {
            let report = served(page(&[], body)).await;
            assert_eq!(state(&report, MIXED), "warn", "{body}");
            let title = title(&report, MIXED);
            assert_eq!(title.contains("block"), blocked, "{title}");
        }
    });
}
