//! What every report obeys, whatever was measured.

use super::*;

async fn some_report(detail: &str) -> (Stage, Value) {
    let authority = Authority::new();
    let stage = Stage::new().trusting(&authority);
    good_host(&stage.net, &authority);
    let report = stage
        .call("analyze", json!({ "target": HOST, "detail": detail }))
        .await
        .unwrap();
    (stage, report)
}

/// The report as it is stored, which pointers of a cut one refer to.
fn whole(stage: &Stage, report: &Value) -> Value {
    let reports = stage.reports.0.borrow();
    serde_json::from_str(&reports[report["id"].as_str().unwrap()]).unwrap()
}

#[test]
fn every_pointer_of_every_finding_leads_to_its_value() {
    run(async {
        for detail in ["full", "summary"] {
            let (stage, report) = some_report(detail).await;
            let whole = whole(&stage, &report);
            let shown = if detail == "full" { &whole } else { &report };
            let mut pointers = 0;
            for finding in shown["findings"].as_array().unwrap() {
                for evidence in finding["evidence"].as_array().into_iter().flatten() {
                    let pointer = evidence["pointer"].as_str().unwrap();
                    assert!(
                        whole.pointer(pointer).is_some(),
                        "{} points at {pointer}",
                        finding["id"]
                    );
                    pointers += 1;
                }
            }
            assert!(detail == "summary" || pointers > 10);
        }
    });
}

/// The report as it was stored, which nothing is cut from.
fn stored(stage: &Stage, report: &Value) -> Value {
    let reports = stage.reports.0.borrow();
    serde_json::from_str(&reports[report["id"].as_str().unwrap()]).unwrap()
}

#[test]
fn every_check_is_answered_once() {
    run(async {
        let (stage, report) = some_report("full").await;
        let whole = stored(&stage, &report);
        let findings = whole["findings"].as_array().unwrap();
        let mut said: Vec<&str> = findings
            .iter()
            .map(|finding| finding["id"].as_str().unwrap())
            .collect();
        said.sort_unstable();
        let checks = netrecon::check::ALL.iter().copied().flatten();
        let mut known: Vec<&str> = checks.map(|check| check.id).collect();
        // Said only where there is something to say.
        known.retain(|id| !id.starts_with("content.") || said.contains(id));
        known.sort_unstable();
        assert_eq!(said, known);
    });
}

#[test]
fn commands_about_an_address_are_whole_too() {
    run(async {
        let stage = Stage::new();
        let report = stage.analyze(IP).await.unwrap();
        let whole = stored(&stage, &report);
        for finding in whole["findings"].as_array().unwrap() {
            let command = finding["reproduce"].as_str().unwrap();
            assert!(!command.contains(['{', '}']), "{command}");
        }
    });
}

#[test]
fn every_finding_has_its_whole_form() {
    run(async {
        let (stage, report) = some_report("full").await;
        for finding in whole(&stage, &report)["findings"].as_array().unwrap() {
            let id = finding["id"].as_str().unwrap();
            for member in ["title", "reference", "reproduce"] {
                let text = finding[member].as_str().unwrap();
                assert!(
                    !text.is_empty() && !text.contains(['{', '}']),
                    "{id}: {member} is {text:?}"
                );
            }
            let graded = ["warn", "fail"].contains(&finding["state"].as_str().unwrap());
            assert_eq!(graded, finding["severity"] != "none", "{id}");
            assert!(
                !graded || finding["fix"].is_string(),
                "{id} says nothing to mend"
            );
            assert_ne!(
                finding["evidence"].as_array().map(Vec::len),
                Some(0),
                "{id}"
            );
        }
    });
}

#[test]
fn a_summary_is_small_and_says_how_to_get_the_rest() {
    run(async {
        let (_, report) = some_report("summary").await;
        assert!(
            report.to_string().len() <= 14_000,
            "{}",
            report.to_string().len()
        );
        let omitted = report["omitted"][0].as_str().unwrap();
        assert!(
            omitted.contains("full") && omitted.contains(report["id"].as_str().unwrap()),
            "{omitted}"
        );
    });
}

#[test]
fn a_summary_of_a_talkative_host_is_small_too() {
    run(async {
        let authority = Authority::new();
        let stage = Stage::new().trusting(&authority);
        good_host(&stage.net, &authority);
        let texts: Vec<String> = (0..80)
            .map(|n| format!("{n} {}", "verification=".repeat(30)))
            .collect();
        stage
            .net
            .texts(HOST, &texts.iter().map(String::as_str).collect::<Vec<_>>());
        let headers: Vec<(String, String)> = (0..60)
            .map(|n| (format!("X-Header-{n}"), "v".repeat(900)))
            .collect();
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        let site = Site::new().on("/", response("200 OK", &headers, ""));
        stage.net.https(
            &format!("{IP}:443"),
            authority.serves(&Leaf::of(HOST)),
            site,
        );
        let report = stage
            .call("analyze", json!({ "target": HOST }))
            .await
            .unwrap();
        assert!(
            report.to_string().len() <= 14_000,
            "{}",
            report.to_string().len()
        );
        let full = json!({ "target": HOST, "detail": "full" });
        let full = stage.call("analyze", full).await.unwrap();
        assert!(
            full.to_string().len() <= 35_000,
            "{}",
            full.to_string().len()
        );
    });
}

#[test]
fn the_whole_report_is_stored_under_its_id() {
    run(async {
        let (stage, report) = some_report("summary").await;
        let id = report["id"].as_str().unwrap();
        let stored: Value = serde_json::from_str(&stage.reports.0.borrow()[id]).unwrap();
        assert_eq!(stored["id"], id);
        assert_eq!(stored["expiresAt"], report["expiresAt"]);
        assert_eq!(stored["expiresAt"], "2026-11-23T00:00:00Z");
        assert!(stored["probes"]["dns"]["a"]["records"][0]["data"]["address"].is_string());
        assert!(
            stored["findings"].as_array().unwrap().len()
                >= report["findings"].as_array().unwrap().len()
        );
    });
}

#[test]
fn a_report_says_who_measured_from_where_and_who_else_was_asked() {
    run(async {
        let (_, report) = some_report("full").await;
        assert_eq!(report["vantage"]["colo"], "TST");
        assert_eq!(report["vantage"]["resolver"], "cloudflare-dns.com");
        assert!(
            report["vantage"]["service"]
                .as_str()
                .unwrap()
                .starts_with("netrecon/")
        );
        assert_eq!(report["thirdParties"][0]["host"], "cloudflare-dns.com");
        assert_eq!(
            report["target"],
            json!({ "asked": HOST, "used": "https://good.net/", "host": HOST })
        );
        assert_eq!(report["time"], "2026-11-22T00:00:00Z");
        assert_eq!(MIDNIGHT % 86_400_000, 0);
    });
}

#[test]
fn two_runs_over_an_unchanged_host_measure_the_same() {
    run(async {
        let authority = Authority::new();
        let stage = Stage::new().trusting(&authority);
        good_host(&stage.net, &authority);
        let digest = |report: &Value| netrecon::report::digest(report);
        let one = stage.analyze(HOST).await.unwrap();
        let two = stage.analyze(HOST).await.unwrap();
        assert_eq!(digest(&one), digest(&two));
    });
}

#[test]
fn the_server_is_told_who_asks() {
    run(async {
        let stage = Stage::new().with("PUBLIC_HOST", "recon.net");
        stage.net.address(HOST, IP);
        let heard: Rc<std::cell::RefCell<String>> = Rc::default();
        let ear = Rc::clone(&heard);
        stage.net.serve(&format!("{IP}:80"), move |mut stream| {
            let ear = Rc::clone(&ear);
            async move {
                use tokio::io::AsyncReadExt;
                let mut block = [0; 2048];
                let read = stream.read(&mut block).await.unwrap();
                *ear.borrow_mut() = String::from_utf8(block[..read].to_vec()).unwrap();
            }
        });
        stage.analyze("http://good.net/a?b=c").await.unwrap();
        let heard = heard.borrow();
        assert!(
            heard.starts_with("GET /a?b=c HTTP/1.1\r\nHost: good.net\r\n"),
            "{heard}"
        );
        assert!(
            heard.contains("\r\nUser-Agent: netrecon/0.1.0 (+https://recon.net/about)\r\n"),
            "{heard}"
        );
        assert!(!heard.to_ascii_lowercase().contains("cookie"));
    });
}
