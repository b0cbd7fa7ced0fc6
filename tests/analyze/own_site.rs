//! Our own pages, analyzed by ourselves: what we ask of others we do.

use crate::support::{House, Request};

use super::*;

/// A page of ours as it goes over the wire.
fn own(path: &str) -> String {
    let seen = House::new().ask(&Request::new("GET", path).over_https());
    let headers: Vec<(&str, &str)> = seen
        .headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    response(&format!("{} OK", seen.status), &headers, &seen.body)
}

#[test]
fn our_own_site_gets_the_best_grade_and_no_complaint_about_its_headers() {
    run(async {
        let authority = Authority::new();
        let stage = Stage::new().trusting(&authority);
        good_host(&stage.net, &authority);
        let site = Site::new()
            .on("/", own("/"))
            .on("/robots.txt", own("/robots.txt"))
            .on("/llms.txt", own("/llms.txt"))
            .on(
                "/.well-known/security.txt",
                own("/.well-known/security.txt"),
            );
        stage.net.https(
            &format!("{IP}:443"),
            authority.serves(&Leaf::of(HOST)),
            site,
        );
        let report = stage.analyze(HOST).await.expect("a report");
        let score = &report["headerScore"];
        assert_eq!(score["grade"], "A+", "{score:#}");
        let taken = |row: &&Value| row["modifier"].as_i64() < Some(0);
        let rows = score["rows"].as_array().expect("rows");
        assert_eq!(rows.iter().find(taken), None);
        let complaints: Vec<&Value> = report["findings"]
            .as_array()
            .expect("findings")
            .iter()
            .filter(|finding| {
                let topic = finding["id"].as_str().unwrap_or_default();
                // Compression is the platform's, which is not here.
                topic.starts_with("http.")
                    && topic != "http.compression"
                    && matches!(finding["state"].as_str(), Some("fail" | "warn"))
            })
            .collect();
        assert!(complaints.is_empty(), "{complaints:#?}");
    });
}
