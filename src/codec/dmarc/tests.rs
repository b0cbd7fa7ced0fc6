//! DMARC records, valid and broken.

use super::*;

fn codes(text: &str) -> Vec<&'static str> {
    parse(text)
        .unwrap()
        .problems
        .iter()
        .map(|p| p.code)
        .collect()
}

fn at(text: &str, code: &str) -> String {
    let reading = parse(text).unwrap();
    let problem = reading
        .problems
        .iter()
        .find(|p| p.code == code)
        .expect(code);
    let (start, end) = (problem.span.start as usize, problem.span.end as usize);
    text.chars().skip(start).take(end - start).collect()
}

#[test]
fn defaults_follow_the_inheritance_of_policies() {
    let dmarc = parse("v=DMARC1; p=reject; sp=quarantine; rua=mailto:a@example.com")
        .unwrap()
        .value;
    let effective = dmarc.effective.unwrap();
    assert_eq!(effective.domain, Policy::Reject);
    assert_eq!(effective.subdomains, Policy::Quarantine);
    assert_eq!(effective.nonexistent, Policy::Quarantine);
    assert_eq!(
        dmarc.aggregate_reports[0].domain.as_deref(),
        Some("example.com")
    );
}

#[test]
fn testing_weakens_by_one_step() {
    let dmarc = parse("v=DMARC1; p=reject; sp=quarantine; t=y")
        .unwrap()
        .value;
    let effective = dmarc.effective.unwrap();
    assert_eq!(
        (effective.domain, effective.subdomains),
        (Policy::Quarantine, Policy::None)
    );
}

#[test]
fn a_record_without_policy_is_rescued_by_a_report_address() {
    let rescued = parse("v=DMARC1; rua=mailto:a@example.com").unwrap();
    assert_eq!(rescued.value.effective, Some(NOTHING));
    assert!(rescued.has("dmarc.no_policy"));
    let lost = parse("v=DMARC1; sp=reject").unwrap();
    assert!(!lost.value.valid && lost.has("dmarc.no_policy_nor_reports"));
    assert!(!parse("v=DMARC1; p=block").unwrap().value.valid);
}

#[test]
fn removed_tags_are_flagged_where_they_stand() {
    let text = "v=DMARC1; p=reject; pct=50; ri=3600; rua=mailto:a@example.com!10m";
    assert_eq!(
        codes(text),
        ["dmarc.removed_tag", "dmarc.removed_tag", "dmarc.size_limit"]
    );
    assert_eq!(at(text, "dmarc.removed_tag"), "pct=50");
    assert_eq!(at(text, "dmarc.size_limit"), "!10m");
    assert_eq!(parse(text).unwrap().value.ignored, ["pct", "ri"]);
}

#[test]
fn the_version_is_case_sensitive() {
    let reading = parse("v=dmarc1; p=reject").unwrap();
    assert!(!reading.value.valid && reading.has("dmarc.version_case"));
    assert!(parse("v=DMARC2; p=reject").is_err());
}

#[test]
fn failure_options_that_exclude_each_other_fall_back() {
    let read = |fo: &str| {
        let text = format!("v=DMARC1; p=none; fo={fo}; ruf=mailto:a@example.com");
        parse(&text).unwrap().value.failure_options
    };
    assert_eq!(read("1:d:s"), ["1", "d", "s"]);
    for wrong in ["0:1", "d:d", "2", ""] {
        assert_eq!(read(wrong), ["0"], "{wrong}");
    }
}

#[test]
fn a_missing_semicolon_shows_as_a_bad_policy() {
    assert_eq!(
        at(
            "v=DMARC1; p=none rua=mailto:a@example.com",
            "dmarc.bad_policy"
        ),
        "none rua=mailto:a@example.com"
    );
}

#[test]
fn addresses_need_a_scheme() {
    assert_eq!(
        at("v=DMARC1; p=none; rua=a@example.com", "dmarc.bad_uri"),
        "a@example.com"
    );
}

#[test]
fn a_quoted_address_does_not_lack_its_scheme() {
    let said = |text: &str| {
        let found = parse(text).unwrap().problems;
        let problem = found.into_iter().find(|p| p.code == "dmarc.bad_uri");
        problem.expect("is said").message
    };
    let message = said("v=DMARC1; p=none; rua=\"mailto:x@y.example\"");
    assert!(
        message.contains("around") && !message.contains("missing"),
        "{message}"
    );
    assert!(said("v=DMARC1; p=none; rua=x@y.example").contains("`mailto:` is missing"));
}

#[test]
fn a_space_parts_no_addresses() {
    for value in [
        "mailto:a@x.example mailto:b@y.example",
        "https://a.example/ https://b.example/",
    ] {
        let text = format!("v=DMARC1; p=none; rua=mailto:c@d.example; ruf={value}");
        let reading = parse(&text).unwrap();
        assert_eq!(at(&text, "dmarc.bad_uri"), value);
        assert_eq!(reading.value.failure_reports, []);
        let said = reading.problems.iter().find(|p| p.code == "dmarc.bad_uri");
        assert!(said.unwrap().message.contains("comma"));
    }
}

#[test]
fn a_comma_behind_the_version_is_told_from_a_semicolon() {
    let NotThis(why) = parse("v=DMARC1, p=none").unwrap_err();
    assert!(why.contains("semicolon"), "{why}");
}

#[test]
fn nothing_between_semicolons_is_pointed_at_by_the_second_one() {
    let text = "v=DMARC1;; p=none";
    assert_eq!(at(text, "dmarc.malformed"), ";");
    let reading = parse(text).unwrap();
    let problem = reading
        .problems
        .iter()
        .find(|p| p.code == "dmarc.malformed");
    assert_eq!(problem.unwrap().span.start, 9);
}

#[test]
fn an_empty_part_is_called_empty() {
    let reading = parse("v=DMARC1; p=; rua=mailto:a@b.example,").unwrap();
    let said: Vec<&str> = reading
        .problems
        .iter()
        .map(|p| p.message.as_str())
        .collect();
    assert!(
        said.iter().all(|message| !message.contains("``")),
        "{said:?}"
    );
    assert!(
        said.iter()
            .any(|message| message.starts_with("(empty) is no URI")),
        "{said:?}"
    );
}
