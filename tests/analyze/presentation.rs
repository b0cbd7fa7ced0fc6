//! Record data in presentation form: what `dig` 9.18 prints for these octets.

use super::*;

async fn looked_up(rtype: Rtype, digits: &'static str) -> Value {
    let stage = Stage::new();
    let says = Says::Records(vec![Data::Hex(rtype, digits)]);
    stage.net.says(HOST, rtype, says);
    let asked = json!({ "name": HOST, "records": [rtype.to_string()] });
    stage.call("lookup", asked).await.unwrap()["answers"][0].clone()
}

#[test]
fn odd_data_is_printed_as_dig_prints_it() {
    run(async {
        for (rtype, digits, text) in [
            (
                Rtype::TXT,
                "096120227122205c2062000c74776f2020737061636573200a7461620900c3a97f3b40",
                r#""a \"q\" \\ b" "" "two  spaces " "tab\009\000\195\169\127;@""#,
            ),
            (Rtype::CAA, "0005696f646566", r#"0 iodef """#),
            (
                Rtype::NAPTR,
                "000a00140175074532552b73697015215e282e2a2924217369703a5c3140782e6e65742100",
                r#"10 20 "u" "E2U+sip" "!^(.*)$!sip:\\1@x.net!" ."#,
            ),
            (
                Rtype::NAPTR,
                "000a00140000000161036e657400",
                r#"10 20 "" "" "" a.net."#,
            ),
            (
                Rtype::HTTPS,
                "0001000000000400010004000100060268330268320003000220fb00040008c0000201c000020200050004000161620006001020010db8000000000000000000000001",
                r#"1 . mandatory=alpn,ipv4hint alpn="h3,h2" port=8443 ipv4hint=192.0.2.1,192.0.2.2 ech=AAFhYg== ipv6hint=2001:db8::1"#,
            ),
            (
                Rtype::HTTPS,
                "000003737663076578616d706c6500",
                "0 svc.example.",
            ),
            (
                Rtype::HTTPS,
                "0001000001000c08665c6f6f2c62617202683200020000029b000b68656c6c6f2022d2207122",
                r#"1 . alpn="f\\\\oo\\,bar,h2" no-default-alpn key667="hello \"\210 q\"""#,
            ),
            (Rtype::HTTPS, "000100029b0000", "1 . key667"),
            // What breaks its format is printed behind its number.
            (Rtype::SVCB, "000100000300020102", "1 . port=258"),
            (Rtype::SVCB, "00010000030003616263", r#"1 . key3="abc""#),
            (Rtype::MX, "000000", "0 ."),
            (Rtype::SRV, "00000000000000", "0 0 0 ."),
            (
                Rtype::PTR,
                "104d79202250722220283229403b242e5c045f697070045f7463700178036e657400",
                r#"my\032\"pr\"\032\(2\)\@\;\$\.\\._ipp._tcp.x.net."#,
            ),
            (
                Rtype::PTR,
                "0a6100c3a962205c2e3d7e0178036e657400",
                r"a\000\195\169b\032\\\.=~.x.net.",
            ),
            // Three octets are no MX record.
            (Rtype::MX, "000a03", r"\# 3 000a03"),
        ] {
            let answer = looked_up(rtype, digits).await;
            assert_eq!(answer["records"][0]["text"], text, "{rtype} {digits}");
        }
    });
}

#[test]
fn what_signs_and_what_denies_is_printed_whole() {
    run(async {
        let stage = Stage::new();
        let proof = [
            (
                Rtype::RRSIG,
                "00010d0200000e106b359b006b0e0e00303904676f6f64036e657400010203040506",
                "A 13 2 3600 20261231000000 20261201000000 12345 good.net. AQIDBAUG",
            ),
            (
                Rtype::NSEC,
                "01000161036e6574000006400000000003",
                r"\000.a.net. A RRSIG NSEC",
            ),
            (
                Rtype::NSEC3,
                "0101000502abcd14000102030405060708090a0b0c0d0e0f101112130006400000000003",
                "1 1 5 abcd 000G40O40K30E209185GO38E1S8124GJ A RRSIG NSEC",
            ),
            (
                Rtype::NSEC3,
                "010000000014000102030405060708090a0b0c0d0e0f10111213",
                "1 0 0 - 000G40O40K30E209185GO38E1S8124GJ",
            ),
        ];
        let records = proof.map(|(rtype, digits, _)| (HOST.to_owned(), Data::Hex(rtype, digits)));
        let says = Says::Denied(Rcode::NOERROR, records.to_vec());
        stage.net.says(HOST, Rtype::A, says);
        let asked = json!({ "name": HOST, "records": ["A"] });
        let found = stage.call("lookup", asked).await.unwrap();
        let authority = found["answers"][0]["authority"].as_array().unwrap();
        let printed: Vec<&Value> = authority.iter().skip(1).map(|r| &r["text"]).collect();
        assert_eq!(printed, proof.map(|(_, _, text)| text));
        assert_eq!(
            authority[2]["data"],
            json!({ "next": r"\000.a.net", "types": ["A", "RRSIG", "NSEC"] })
        );
    });
}

#[test]
fn one_enormous_record_does_not_outgrow_the_answer() {
    run(async {
        let stage = Stage::new();
        stage.net.texts(HOST, &[&"\u{1}".repeat(20_000)]);
        let asked = json!({ "name": HOST, "records": ["TXT"] });
        let found = stage.call("lookup", asked).await.unwrap();
        let size = found.to_string().len();
        assert!(size < 24_000, "{size}");
        let text = found["answers"][0]["records"][0]["text"].as_str().unwrap();
        assert!(text.ends_with('…'), "{}", &text[text.len() - 20..]);
    });
}
