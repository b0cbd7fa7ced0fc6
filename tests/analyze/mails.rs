//! Mail: who takes it, who may send it, how it is signed and how it travels.

use super::*;

const KEY: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

fn mx(net: &Internet, name: &str, servers: &[&str]) {
    let set = servers.iter().zip(10..);
    let set = set.map(|(server, preference)| Data::Mx(preference, (*server).to_owned()));
    net.says(name, Rtype::MX, Says::Records(set.collect()));
}

/// A domain that takes mail, changed by `prepare`.
async fn with_mail(prepare: impl FnOnce(&Internet)) -> Value {
    analyzed(|net| {
        mx(net, HOST, &["mx.good.net"]);
        net.address("mx.good.net", "93.184.215.25");
        prepare(net);
    })
    .await
}

#[test]
fn rfc_7208_section_4_6_4_lookups_are_counted_over_everything_included() {
    run(async {
        let report = with_mail(|net| {
            net.texts(HOST, &["v=spf1 include:a.net mx -all"]);
            net.texts("a.net", &["v=spf1 include:b.net a:c.net ?all"]);
            net.texts("b.net", &["v=spf1 ip4:93.184.215.0/24 -all"]);
            net.address("c.net", IP);
        })
        .await;
        assert_eq!(state(&report, "mail.spf"), "pass");
        assert_eq!(state(&report, "mail.spf_lookups"), "pass");
        assert!(title(&report, "mail.spf_lookups").contains("needs 4 of 10"));
        let records = report["probes"]["mail"]["spf"]["records"]
            .as_array()
            .unwrap();
        assert_eq!(records.len(), 2);
    });
}

#[test]
fn an_eleventh_lookup_a_loop_and_a_missing_include_break_the_record() {
    run(async {
        let report = with_mail(|net| {
            let terms: Vec<String> = (0..11).map(|n| format!("a:h{n}.net")).collect();
            net.texts(HOST, &[&format!("v=spf1 {} -all", terms.join(" "))]);
        })
        .await;
        // The one record alone is beyond the limit.
        assert_eq!(state(&report, "mail.spf"), "fail");
        assert!(title(&report, "mail.spf").contains("11 DNS lookups"));
        assert_eq!(state(&report, "mail.spf_lookups"), "fail");

        let report = with_mail(|net| {
            net.texts(HOST, &["v=spf1 include:a.net -all"]);
            let terms: Vec<String> = (0..10).map(|n| format!("a:h{n}.net")).collect();
            net.texts("a.net", &[&format!("v=spf1 {} -all", terms.join(" "))]);
        })
        .await;
        assert_eq!(state(&report, "mail.spf"), "pass");
        assert_eq!(state(&report, "mail.spf_lookups"), "fail");

        let report = with_mail(|net| {
            net.texts(HOST, &["v=spf1 include:a.net -all"]);
            net.texts("a.net", &["v=spf1 include:good.net -all"]);
        })
        .await;
        assert!(title(&report, "mail.spf_lookups").contains("good.net includes itself"));

        let report = with_mail(|net| net.texts(HOST, &["v=spf1 include:a.net -all"])).await;
        assert!(title(&report, "mail.spf_lookups").contains("a.net is included and has no SPF"));
    });
}

#[test]
fn lookups_that_come_to_nothing_are_counted_and_failed_ones_are_not() {
    run(async {
        let record = "v=spf1 a:x.net a:y.net a:z.net -all";
        let report = with_mail(|net| net.texts(HOST, &[record])).await;
        assert_eq!(state(&report, "mail.spf_lookups"), "warn");
        assert!(title(&report, "mail.spf_lookups").contains("x.net, y.net, z.net"));

        let report = with_mail(|net| {
            net.texts(HOST, &[record]);
            net.says("x.net", Rtype::A, Says::Code(Rcode::SERVFAIL, vec![]));
        })
        .await;
        assert_eq!(state(&report, "mail.spf_lookups"), "inconclusive");
    });
}

#[test]
fn rfc_7208_section_4_6_4_more_than_ten_mail_servers_break_the_record() {
    run(async {
        for (count, wanted) in [(10, "pass"), (11, "fail")] {
            let names: Vec<String> = (0..count).map(|n| format!("mx{n}.many.net")).collect();
            let servers: Vec<&str> = names.iter().map(String::as_str).collect();
            let report = with_mail(|net| {
                net.texts(HOST, &["v=spf1 mx:many.net -all"]);
                mx(net, "many.net", &servers);
            })
            .await;
            assert_eq!(state(&report, "mail.spf_lookups"), wanted, "{count}");
        }
    });
}

#[test]
fn a_redirect_ends_as_the_record_ends_that_it_leads_to() {
    run(async {
        for (end, wanted) in [("-all", "pass"), ("+all", "fail"), ("?all", "warn")] {
            let report = with_mail(|net| {
                net.texts(HOST, &["v=spf1 redirect=a.net"]);
                net.texts("a.net", &[&format!("v=spf1 mx {end}")]);
                mx(net, "a.net", &["mx.good.net"]);
            })
            .await;
            assert_eq!(state(&report, "mail.spf"), wanted, "{end}");
        }
    });
}

#[test]
fn rfc_9989_section_4_10_a_policy_is_found_above_the_host() {
    run(async {
        let stage = Stage::new();
        stage.net.address("a.b.good.net", IP);
        good_zone(&stage.net);
        stage
            .net
            .texts("_dmarc.good.net", &["v=DMARC1; p=none; sp=reject"]);
        let report = stage.analyze("a.b.good.net").await.unwrap();
        assert_eq!(state(&report, "mail.dmarc"), "pass");
        assert!(title(&report, "mail.dmarc").contains("that of good.net"));
    });
}

#[test]
fn reports_to_others_need_their_consent() {
    run(async {
        let policy = "v=DMARC1; p=reject; rua=mailto:d@watch.net";
        let report = with_mail(|net| net.texts("_dmarc.good.net", &[policy])).await;
        assert_eq!(state(&report, "mail.dmarc_reports"), "fail");
        assert_eq!(
            finding(&report, "mail.dmarc_reports")["reproduce"],
            "dig 'good.net._report._dmarc.watch.net' TXT +short"
        );
        let report = with_mail(|net| {
            net.texts("_dmarc.good.net", &[policy]);
            net.texts("good.net._report._dmarc.watch.net", &["v=DMARC1"]);
        })
        .await;
        assert_eq!(state(&report, "mail.dmarc_reports"), "pass");
    });
}

#[test]
fn of_several_receivers_each_is_told_by_itself() {
    run(async {
        let of = async |receivers: &str, agreeing: &[&str]| {
            let policy = format!("v=DMARC1; p=reject; rua={receivers}");
            let report = with_mail(|net| {
                net.texts("_dmarc.good.net", &[&policy]);
                for receiver in agreeing {
                    let place = format!("good.net._report._dmarc.{receiver}");
                    net.texts(&place, &["v=DMARC1"]);
                }
            })
            .await;
            let told = title(&report, "mail.dmarc_reports").to_owned();
            (state(&report, "mail.dmarc_reports").to_owned(), told)
        };
        let two = "mailto:d@x.net,mailto:d@y.net";
        let (state, told) = of(two, &["x.net"]).await;
        assert_eq!(state, "fail");
        assert_eq!(
            told,
            "y.net has not agreed to get reports about this domain; x.net has."
        );
        let (_, told) = of(two, &[]).await;
        assert!(told.starts_with("x.net, y.net have not agreed"), "{told}");
        // A third is not asked, and nothing is claimed of it.
        let three = "mailto:d@x.net,mailto:d@y.net,mailto:d@z.net";
        let (state, told) = of(three, &["x.net", "y.net", "z.net"]).await;
        assert_eq!(state, "inconclusive");
        assert!(told.contains("z.net"), "{told}");
    });
}

#[test]
fn removed_tags_and_test_mode_are_told() {
    run(async {
        let report = with_mail(|net| {
            net.texts("_dmarc.good.net", &["v=DMARC1; p=reject; pct=50; t=y"]);
        })
        .await;
        assert_eq!(state(&report, "mail.dmarc"), "warn");
        assert!(title(&report, "mail.dmarc").contains("t=y"));
        assert_eq!(state(&report, "mail.dmarc_record"), "warn");
        assert!(title(&report, "mail.dmarc_record").contains("pct"));
    });
}

#[test]
fn keys_are_asked_of_the_zones_own_server_and_cost_no_subrequest() {
    run(async {
        let stage = Stage::new();
        stage.net.address(HOST, IP);
        good_zone(&stage.net);
        let told = Zone::Telling(&[("s1._domainkey.good.net", KEY)]);
        stage.net.name_server("199.43.135.53:53", HOST, told);
        let report = stage.analyze(HOST).await.unwrap();
        assert_eq!(state(&report, "mail.dkim"), "pass");
        assert!(title(&report, "mail.dkim").contains("s1 (Ed25519)"));
        let by_resolver = |(name, _): &(String, Rtype)| name.contains("_domainkey");
        assert!(!stage.net.asked.borrow().iter().any(by_resolver));
    });
}

#[test]
fn a_revoked_key_is_not_counted_among_those_in_use() {
    const REVOKED: &str = "v=DKIM1; p=";
    run(async {
        let report = with_mail(|net| {
            net.texts("default._domainkey.good.net", &[REVOKED]);
            net.texts("google._domainkey.good.net", &[KEY]);
        })
        .await;
        assert_eq!(state(&report, "mail.dkim"), "pass");
        assert_eq!(title(&report, "mail.dkim"), "1 DKIM key: google (Ed25519).");
        let report = with_mail(|net| net.texts("google._domainkey.good.net", &[REVOKED])).await;
        assert_eq!(state(&report, "mail.dkim"), "info");
        assert!(title(&report, "mail.dkim").contains("google is revoked"));
    });
}

#[test]
fn where_the_zones_server_says_nothing_the_resolver_is_asked_for_keys() {
    run(async {
        let report = with_mail(|net| net.texts("google._domainkey.good.net", &[KEY])).await;
        assert_eq!(state(&report, "mail.dkim"), "pass");
        let report = with_mail(|net| {
            net.says(
                "_domainkey.good.net",
                Rtype::TXT,
                Says::Code(Rcode::NXDOMAIN, vec![]),
            );
        })
        .await;
        assert_eq!(state(&report, "mail.dkim"), "info");
        assert!(title(&report, "mail.dkim").starts_with("Nothing stands below"));
    });
}

#[test]
fn a_policy_is_fetched_and_held_against_the_mx_set() {
    run(async {
        let policy = |mode: &str, server: &str| {
            format!("version: STSv1\r\nmode: {mode}\r\nmx: {server}\r\nmax_age: 604800\r\n")
        };
        for (mode, server, typed, wanted) in [
            ("enforce", "*.good.net", "text/plain", "pass"),
            ("enforce", "*.good.net", "text/html", "warn"),
            ("enforce", "mx.elsewhere.net", "text/plain", "fail"),
            ("testing", "mx.good.net", "text/plain", "warn"),
        ] {
            let authority = Authority::new();
            let stage = Stage::new().trusting(&authority);
            stage.net.address(HOST, IP);
            good_zone(&stage.net);
            mx(&stage.net, HOST, &["mx.good.net"]);
            stage.net.address("mx.good.net", "93.184.215.25");
            stage.net.texts("_mta-sts.good.net", &["v=STSv1; id=1"]);
            stage.net.address("mta-sts.good.net", "93.184.215.26");
            let site = Site::new().on(
                "/.well-known/mta-sts.txt",
                response("200 OK", &[("Content-Type", typed)], &policy(mode, server)),
            );
            let leaf = Leaf::of("mta-sts.good.net");
            stage
                .net
                .https("93.184.215.26:443", authority.serves(&leaf), site);
            let report = stage.analyze(HOST).await.unwrap();
            assert_eq!(state(&report, "mail.mta_sts"), wanted, "{mode} {server}");
        }
    });
}

#[test]
fn a_domain_that_takes_no_mail_is_asked_nothing_about_its_servers() {
    run(async {
        let stage = Stage::new();
        stage.net.address(HOST, IP);
        good_zone(&stage.net);
        stage.net.says(
            HOST,
            Rtype::MX,
            Says::Records(vec![Data::Mx(0, String::from("."))]),
        );
        let report = stage.analyze(HOST).await.unwrap();
        assert_eq!(state(&report, "mail.mx"), "pass");
        for id in ["mail.mx_ipv6", "mail.mta_sts", "mail.tls_rpt", "mail.dane"] {
            assert_eq!(state(&report, id), "not_applicable", "{id}");
        }
    });
}

#[test]
fn a_mail_server_without_an_address_is_told() {
    run(async {
        let report = with_mail(|net| mx(net, HOST, &["mx.good.net", "gone.good.net"])).await;
        assert_eq!(state(&report, "mail.mx"), "fail");
        assert!(title(&report, "mail.mx").contains("gone.good.net"));
        let report = with_mail(|net| net.address("mx.good.net", "10.0.0.25")).await;
        assert!(title(&report, "mail.mx").contains("no public address"));
    });
}

#[test]
fn whatever_a_domain_has_a_call_stays_within_forty_subrequests() {
    run(async {
        let authority = Authority::new();
        let stage = Stage::new().trusting(&authority);
        good_host(&stage.net, &authority);
        mx(
            &stage.net,
            HOST,
            &["a.good.net", "b.good.net", "c.good.net"],
        );
        let terms: Vec<String> = (0..9).map(|n| format!("include:i{n}.net")).collect();
        stage
            .net
            .texts(HOST, &[&format!("v=spf1 {} -all", terms.join(" "))]);
        for n in 0..9 {
            stage.net.texts(&format!("i{n}.net"), &["v=spf1 -all"]);
        }
        let receivers = "v=DMARC1; p=reject; rua=mailto:d@x.net,mailto:d@y.net";
        stage.net.texts("_dmarc.good.net", &[receivers]);
        stage.net.texts("_mta-sts.good.net", &["v=STSv1; id=1"]);
        let report = stage.analyze(HOST).await.unwrap();
        assert!(stage.subrequests.get() <= 40, "{}", stage.subrequests.get());
        assert_eq!(state(&report, "tls.trust"), "pass");
        for finding in report["findings"].as_array().unwrap() {
            let title = finding["title"].as_str().unwrap();
            if title.contains("subrequest budget") {
                assert_eq!(finding["state"], "inconclusive", "{title}");
            }
        }
    });
}

#[test]
fn a_mail_server_whose_addresses_are_not_known_is_no_pass() {
    run(async {
        let report = with_mail(|net| {
            net.says("mx.good.net", Rtype::A, Says::Records(vec![]));
            let broken = Says::Code(Rcode::SERVFAIL, vec![22]);
            net.says("mx.good.net", Rtype::AAAA, broken);
        })
        .await;
        assert_eq!(state(&report, "mail.mx"), "inconclusive");
        let servers = ["mx.good.net", "mx2.good.net", "mx3.good.net"];
        for (address, wanted) in [(Some(IP6), "pass"), (None, "fail")] {
            let report = with_mail(|net| {
                for ip in ["199.43.135.53", "199.43.133.53"] {
                    net.name_server(&format!("{ip}:53"), HOST, Zone::Knowing);
                }
                mx(net, HOST, &servers);
                net.address("mx2.good.net", "93.184.215.26");
                net.says("mx3.good.net", Rtype::A, Says::Records(vec![]));
                if let Some(address) = address {
                    net.address("mx3.good.net", address);
                }
            })
            .await;
            assert_eq!(state(&report, "mail.mx"), wanted, "{address:?}");
        }
    });
}

#[test]
fn rfc_7208_section_6_1_a_redirect_beside_all_leads_nowhere() {
    run(async {
        let record = "v=spf1 redirect=gone.net ip4:93.184.215.0/24 -all";
        let report = with_mail(|net| net.texts(HOST, &[record])).await;
        assert_eq!(state(&report, "mail.spf_lookups"), "pass");
        assert!(title(&report, "mail.spf_lookups").contains("needs 0 of 10"));
    });
}

#[test]
fn a_redirect_is_followed_to_its_end_however_long_the_records_are() {
    run(async {
        let report = with_mail(|net| {
            net.texts(HOST, &["v=spf1 redirect=A.net."]);
            net.texts("a.net", &["v=spf1 redirect=b.net"]);
            let networks: Vec<String> = (0..60).map(|n| format!("ip4:93.184.{n}.0/24")).collect();
            let long = format!("v=spf1 {} +all", networks.join(" "));
            net.texts("b.net", &[&long]);
        })
        .await;
        assert_eq!(state(&report, "mail.spf"), "fail");
        assert!(title(&report, "mail.spf").contains("+all"));
    });
}

#[test]
fn a_text_that_a_wildcard_gives_is_no_broken_key() {
    run(async {
        for text in ["v=DMARC1; p=none", "v=spf1 exp=why.good.net -all"] {
            let report = with_mail(|net| net.texts("default._domainkey.good.net", &[text])).await;
            assert_eq!(state(&report, "mail.dkim"), "info", "{text}");
        }
        let cut = "k=rsa; p=MIIBIjANBgkqh";
        let report = with_mail(|net| net.texts("default._domainkey.good.net", &[cut])).await;
        assert_eq!(state(&report, "mail.dkim"), "fail");
    });
}

#[test]
fn of_several_brand_records_receivers_take_none() {
    run(async {
        let logo = "v=BIMI1; l=https://good.net/logo.svg; a=";
        let other = "v=BIMI1; l=https://good.net/other.svg; a=";
        let report = with_mail(|net| net.texts("default._bimi.good.net", &[logo, other])).await;
        assert_eq!(state(&report, "mail.bimi"), "warn");
    });
}

#[test]
fn a_policy_is_not_taken_for_the_deciding_one_while_another_could_be() {
    run(async {
        let host = "a.b.good.net";
        for (near, wanted) in [
            ("v=DMARC1; p=reject", "inconclusive"),
            // It says that it is the organization's.
            ("v=DMARC1; p=reject; psd=n", "pass"),
        ] {
            let stage = Stage::new();
            stage.net.address(host, IP);
            good_zone(&stage.net);
            stage.net.texts("_dmarc.b.good.net", &[near]);
            let broken = || Says::Code(Rcode::SERVFAIL, vec![22]);
            stage.net.says("_dmarc.good.net", Rtype::TXT, broken());
            stage.net.says("_dmarc.net", Rtype::TXT, broken());
            let report = stage.analyze(host).await.unwrap();
            assert_eq!(state(&report, "mail.dmarc"), wanted, "{near}");
        }
        // A top level is no organization.
        let stage = Stage::new();
        stage.net.address("www.good.net", IP);
        good_zone(&stage.net);
        stage.net.texts("_dmarc.good.net", &["v=DMARC1; p=reject"]);
        let broken = Says::Code(Rcode::SERVFAIL, vec![22]);
        stage.net.says("_dmarc.net", Rtype::TXT, broken);
        let report = stage.analyze("www.good.net").await.unwrap();
        assert_eq!(state(&report, "mail.dmarc"), "pass");
    });
}

#[test]
fn the_command_shows_the_record_that_holds() {
    run(async {
        let stage = Stage::new();
        stage.net.address("www.good.net", IP);
        good_zone(&stage.net);
        let policy = "v=DMARC1; p=reject; rua=mailto:d@good.net";
        stage.net.texts("_dmarc.good.net", &[policy]);
        let report = stage.analyze("www.good.net").await.unwrap();
        for id in ["mail.dmarc", "mail.dmarc_record"] {
            let command = &finding(&report, id)["reproduce"];
            assert_eq!(command, "dig _dmarc.good.net TXT +short", "{id}");
        }
    });
}

#[test]
fn a_receiver_of_the_same_organization_needs_no_consent() {
    run(async {
        let host = "news.good.net";
        for (above, wanted) in [
            (Some("v=DMARC1; p=reject"), "pass"),
            (Some("v=DMARC1; p=reject; psd=y"), "fail"),
            (None, "fail"),
        ] {
            let stage = Stage::new();
            good_zone(&stage.net);
            stage.net.address(host, IP);
            // A zone of its own.
            let server = Data::Ns(String::from("ns1.hoster.net"));
            stage.net.says(host, Rtype::NS, Says::Records(vec![server]));
            let policy = "v=DMARC1; p=reject; rua=mailto:d@reports.good.net";
            stage.net.texts("_dmarc.news.good.net", &[policy]);
            if let Some(above) = above {
                stage.net.texts("_dmarc.good.net", &[above]);
            }
            let report = stage.analyze(host).await.unwrap();
            assert_eq!(state(&report, "mail.dmarc_reports"), wanted, "{above:?}");
        }
    });
}

#[test]
fn a_policy_that_is_announced_and_has_no_host_is_a_fault() {
    run(async {
        let missing = Says::Code(Rcode::NXDOMAIN, vec![]);
        let broken = Says::Code(Rcode::SERVFAIL, vec![22]);
        for (says, wanted) in [(missing, "fail"), (broken, "inconclusive")] {
            let report = with_mail(|net| {
                net.texts("_mta-sts.good.net", &["v=STSv1; id=1"]);
                net.says("mta-sts.good.net", Rtype::A, says);
            })
            .await;
            assert_eq!(state(&report, "mail.mta_sts"), wanted);
        }
    });
}

#[test]
fn rfc_7208_section_4_5_a_record_begins_with_its_version() {
    run(async {
        let report = with_mail(|net| net.texts(HOST, &[" v=spf1 -all"])).await;
        assert_eq!(state(&report, "mail.spf"), "warn");
        assert!(title(&report, "mail.spf").starts_with("No SPF record"));
        // A second one that is none does no harm.
        let report = with_mail(|net| net.texts(HOST, &[" v=spf1 a -all", "v=spf1 -all"])).await;
        assert_eq!(state(&report, "mail.spf"), "pass");
    });
}

#[test]
fn a_mail_server_that_is_no_host_name_is_told() {
    run(async {
        let report = with_mail(|net| {
            mx(net, HOST, &["mail_1.good.net"]);
            net.address("mail_1.good.net", "93.184.215.25");
        })
        .await;
        assert_eq!(state(&report, "mail.mx"), "warn");
        assert!(title(&report, "mail.mx").contains("mail_1.good.net is no host name"));
    });
}

#[test]
fn a_logo_that_no_receiver_may_show_is_told() {
    run(async {
        for (policy, wanted) in [
            ("v=DMARC1; p=reject; rua=mailto:d@good.net", "pass"),
            ("v=DMARC1; p=none; rua=mailto:d@good.net", "warn"),
        ] {
            let report = with_mail(|net| {
                net.texts("_dmarc.good.net", &[policy]);
                let logo = "v=BIMI1; l=https://good.net/logo.svg; a=";
                net.texts("default._bimi.good.net", &[logo]);
            })
            .await;
            assert_eq!(state(&report, "mail.bimi"), wanted, "{policy}");
        }
    });
}
