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
