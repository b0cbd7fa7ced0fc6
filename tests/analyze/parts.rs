//! The parts of an analysis, as a watcher is told of them.

use super::*;

/// An analysis of `target` in a world that `prepare` makes.
async fn watched(target: &str, prepare: impl FnOnce(&Internet)) -> Stage {
    let stage = Stage::new();
    prepare(&stage.net);
    stage.analyze(target).await.unwrap();
    stage
}

fn mx(net: &Internet, server: &str) {
    let record = Data::Mx(10, server.to_owned());
    net.says(HOST, Rtype::MX, Says::Records(vec![record]));
}

#[test]
fn mail_ends_with_who_takes_it_and_what_is_published_about_it() {
    run(async {
        let stage = watched(HOST, |net| {
            good_zone(net);
            net.address(HOST, IP);
            net.address("mx.good.net", "93.184.215.25");
            mx(net, "mx.good.net");
            net.texts(HOST, &["v=spf1 include:a.net -all"]);
            net.texts("a.net", &["v=spf1 -all"]);
            net.texts("_dmarc.good.net", &["v=DMARC1; p=reject"]);
        })
        .await;
        let said = (
            Standing::Done,
            String::from("1 server looked up; SPF, DMARC"),
        );
        assert_eq!(stage.part("mail"), said);
        let (zone, note) = stage.part("zone");
        assert_eq!(zone, Standing::Done);
        assert!(note.contains("2 name servers"), "{note}");
    });
}

#[test]
fn a_domain_that_takes_no_mail_says_so() {
    run(async {
        let stage = watched(HOST, |net| {
            good_zone(net);
            net.address(HOST, IP);
            mx(net, ".");
        })
        .await;
        assert_eq!(
            stage.part("mail"),
            (Standing::Done, String::from("takes no mail"))
        );
    });
}

#[test]
fn mail_that_nobody_answers_for_has_failed() {
    run(async {
        let stage = watched(HOST, |net| {
            good_zone(net);
            net.address(HOST, IP);
            for (name, rtype) in [
                (HOST, Rtype::MX),
                (HOST, Rtype::TXT),
                ("_dmarc.good.net", Rtype::TXT),
            ] {
                net.says(name, rtype, Says::Code(Rcode::SERVFAIL, vec![]));
            }
        })
        .await;
        let (state, note) = stage.part("mail");
        assert_eq!(
            (state, note.as_str()),
            (Standing::Failed, "no question was answered")
        );
    });
}

#[test]
fn what_only_a_name_has_is_not_asked_of_an_address() {
    run(async {
        let stage = watched(IP, |_| {}).await;
        for id in ["records", "zone", "mail"] {
            assert_eq!(stage.part(id).0, Standing::Skipped, "{id}");
        }
    });
}

#[test]
fn a_network_that_this_installation_does_not_ask_for_is_no_failure() {
    run(async {
        let stage = Stage::new().with("ORIGIN_AS", "off");
        good_zone(&stage.net);
        stage.net.address(HOST, IP);
        stage.analyze(HOST).await.unwrap();
        assert_eq!(stage.part("network").0, Standing::Skipped);
    });
}
