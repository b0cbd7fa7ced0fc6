//! How long an analysis is when every upstream answer takes its time, and how
//! much of a call's forty subrequests it needs. Time is tokio's paused clock,
//! so what is counted is waiting and nothing else.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use super::*;

const DELAY: Duration = Duration::from_millis(50);

/// A host that does everything right, its mail included, whose name servers
/// answer what they are asked.
fn whole() -> Stage {
    let authority = Authority::new();
    let stage = Stage::new().trusting(&authority);
    let net = &stage.net;
    good_host(net, &authority);
    for ip in ["199.43.135.53", "199.43.133.53"] {
        net.name_server(&format!("{ip}:53"), HOST, Zone::Knowing);
    }
    let servers = ["mx1.good.net", "mx2.good.net"];
    let set = servers.map(|name| Data::Mx(10, name.to_owned()));
    net.says(HOST, Rtype::MX, Says::Records(set.to_vec()));
    for (name, last) in servers.iter().zip(["25", "26"]) {
        net.address(name, &format!("93.184.215.{last}"));
        net.address(name, &format!("2606:2800:21f:cb07::{last}"));
    }
    net.texts("_mta-sts.good.net", &["v=STSv1; id=1"]);
    net.texts(
        "_smtp._tls.good.net",
        &["v=TLSRPTv1; rua=mailto:t@good.net"],
    );
    net.address("mta-sts.good.net", "93.184.215.99");
    let policy = "version: STSv1\r\nmode: enforce\r\nmx: *.good.net\r\nmax_age: 604800\r\n";
    let serves = authority.serves(&Leaf::of("mta-sts.good.net"));
    let site = Site::new().otherwise(response(
        "200 OK",
        &[("Content-Type", "text/plain")],
        policy,
    ));
    net.https("93.184.215.99:443", serves, site);
    let back = Data::Ptr(HOST.to_owned());
    net.says(
        "14.215.184.93.in-addr.arpa",
        Rtype::PTR,
        Says::Records(vec![back]),
    );
    net.texts(
        "14.215.184.93.origin.asn.cymru.com",
        &["64502 | 93.184.215.0/24 | US | arin | 2008-06-02"],
    );
    net.texts(
        "as64502.asn.cymru.com",
        &["64502 | US | arin | 2008-06-02 | EDGE, US"],
    );
    net.file(LOG_SEARCH, 200, &[], "[]");
    stage
}

/// The report and how many delays it took.
async fn timed(stage: &Stage) -> (Value, u128) {
    stage.net.delay(DELAY);
    let began = Instant::now();
    let report = stage.analyze(HOST).await.unwrap();
    (report, began.elapsed().as_millis() / DELAY.as_millis())
}

fn out_of_budget(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap().iter();
    let titled = findings.filter(|finding| {
        let title = finding["title"].as_str().unwrap();
        title.contains("subrequest budget")
    });
    titled
        .map(|finding| finding["id"].as_str().unwrap())
        .collect()
}

#[test]
fn a_whole_host_is_five_answers_long_with_six_connections_and_room_to_spare() {
    run(async {
        let stage = whole();
        let (report, answers) = timed(&stage).await;
        assert_eq!(report["coverage"]["ratio"], 1.0, "{}", report["coverage"]);
        assert_eq!(state(&report, "mail.mta_sts"), "pass");
        assert_eq!(answers, 5);
        assert_eq!(stage.net.open.get().1, 6, "connections at once");
        let spent = stage.subrequests.get();
        assert!(spent <= 30, "{spent} subrequests");
    });
}

#[test]
fn a_connection_that_only_leads_on_gives_its_place_to_the_next() {
    run(async {
        let stage = whole();
        let held: Rc<Cell<Option<Duration>>> = Rc::default();
        let noted = Rc::clone(&held);
        let leads_on = |mut stream: tokio::io::DuplexStream, noted: Rc<Cell<_>>| async move {
            let location = [("Location", "https://good.net/")];
            let answer = response("301 Moved Permanently", &location, "");
            let mut block = [0; 1024];
            let asked = stream.read(&mut block).await.expect("a request");
            assert!(asked > 0);
            stream.write_all(answer.as_bytes()).await.expect("a reader");
            let began = Instant::now();
            while stream.read(&mut block).await.is_ok_and(|read| read > 0) {}
            noted.set(Some(began.elapsed()));
        };
        let serve = move |stream| leads_on(stream, Rc::clone(&noted));
        stage.net.serve(&format!("{IP}:80"), serve);
        let (report, _) = timed(&stage).await;
        assert_eq!(state(&report, "http.https_redirect"), "pass");
        let held = held.get().expect("the connection has ended");
        assert!(held < DELAY, "{held:?}");
    });
}

#[test]
fn a_domain_with_much_mail_misses_nothing() {
    run(async {
        let stage = whole();
        let net = &stage.net;
        let set: Vec<Data> = (1..=5)
            .map(|n| Data::Mx(n, format!("mx{n}.bigmail.net")))
            .collect();
        for n in 1..=5 {
            net.address(&format!("mx{n}.bigmail.net"), &format!("93.184.217.{n}"));
        }
        net.says(HOST, Rtype::MX, Says::Records(set));
        let policy = "v=DMARC1; p=reject; rua=mailto:d@bigreports.net";
        net.texts("_dmarc.good.net", &[policy]);
        net.texts("good.net._report._dmarc.bigreports.net", &["v=DMARC1"]);
        let includes = |names: &[&str]| {
            let terms: Vec<String> = names.iter().map(|name| format!("include:{name}")).collect();
            format!("v=spf1 {} -all", terms.join(" "))
        };
        net.texts(HOST, &[&includes(&["one.net", "two.net", "three.net"])]);
        net.texts("one.net", &[&includes(&["a.one.net", "b.one.net"])]);
        for name in ["two.net", "three.net", "a.one.net", "b.one.net"] {
            net.texts(name, &["v=spf1 ip4:192.0.2.0/24 -all"]);
        }
        let (report, answers) = timed(&stage).await;
        assert_eq!(out_of_budget(&report), Vec::<&str>::new());
        assert_eq!(report["coverage"]["ratio"], 1.0, "{}", report["coverage"]);
        assert_eq!(state(&report, "mail.dmarc_reports"), "pass");
        assert_eq!(state(&report, "dns.name_server_as"), "pass");
        assert!(stage.subrequests.get() <= 40, "{}", stage.subrequests.get());
        // Thirty-eight answers, six at a time, are seven.
        assert!(answers <= 8, "{answers}");
    });
}

#[test]
fn where_forty_do_not_suffice_the_policy_of_a_domain_is_there_and_the_least_is_missing() {
    run(async {
        let stage = whole();
        let net = &stage.net;
        // Nothing is learned from these, so all of it costs.
        for ip in ["199.43.135.53", "199.43.133.53"] {
            net.name_server(&format!("{ip}:53"), HOST, Zone::Closed);
        }
        let terms: Vec<String> = (0..10).map(|n| format!("include:i{n}.net")).collect();
        net.texts(HOST, &[&format!("v=spf1 {} -all", terms.join(" "))]);
        net.says("_dmarc.good.net", Rtype::TXT, Says::Records(vec![]));
        net.texts("_dmarc.net", &["v=DMARC1; p=reject; psd=y"]);
        let (report, _) = timed(&stage).await;
        assert_eq!(
            state(&report, "mail.dmarc"),
            "pass",
            "{}",
            finding(&report, "mail.dmarc")
        );
        assert_eq!(state(&report, "tls.trust"), "pass");
        let missing = out_of_budget(&report);
        assert!(missing.contains(&"dns.name_server_as"), "{missing:?}");
        assert_eq!(stage.subrequests.get(), 40);
    });
}

/// What a domain that takes mail may miss where nothing is learned from its
/// name servers; everything else costs a subrequest, and is there.
const DISPENSABLE: [&str; 5] = [
    "dns.name_server_as",
    "mail.bimi",
    "mail.dane",
    "mail.dkim",
    "mail.tls_rpt",
];

/// Who runs the zone's servers, and how they treat those who ask directly.
fn name_servers(net: &Internet, kind: &str) {
    for ip in ["199.43.135.53", "199.43.133.53"] {
        let at = format!("{ip}:53");
        match kind {
            "refuse every question" => net.name_server(&at, HOST, Zone::Lame),
            "know only the zone" => net.name_server(&at, HOST, Zone::Closed),
            "say nothing" => net.serve(&at, |stream| async move {
                std::future::pending::<()>().await;
                drop::<tokio::io::DuplexStream>(stream);
            }),
            "close at once" => net.serve(&at, |stream| async move { drop(stream) }),
            _ => unreachable!("{kind}"),
        }
    }
}

#[test]
fn a_mail_domain_whose_name_servers_tell_nothing_misses_only_what_may_be_left_out() {
    run(async {
        for kind in [
            "refuse every question",
            "know only the zone",
            "say nothing",
            "close at once",
        ] {
            let stage = whole();
            name_servers(&stage.net, kind);
            let (report, answers) = timed(&stage).await;
            for id in [
                "dns.caa",
                "dns.soa",
                "dns.wildcard",
                "dns.name_server_ipv6",
                "mail.mx",
                "mail.mx_ipv6",
                "mail.dmarc",
                "mail.mta_sts",
                "tls.version_11",
                "tls.suites",
            ] {
                let found = finding(&report, id);
                assert!(found["state"] != "inconclusive", "{kind}: {found}");
            }
            let missing = out_of_budget(&report);
            let surprise = missing.iter().find(|id| !DISPENSABLE.contains(id));
            assert_eq!(surprise, None, "{kind}: {missing:?}");
            assert!(!missing.is_empty(), "{kind}: nothing had to be left out");
            assert!(stage.subrequests.get() <= 40, "{kind}");
            // Their own deadline of three seconds twice, or six connections
            // later.
            assert!(answers < 140, "{kind}: {answers}");
        }
    });
}
