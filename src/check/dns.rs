//! The host's own records: addresses in both families, aliases, who may issue
//! certificates, the way back.

use super::{Case, Check};
use crate::guard::text::clean;
use crate::probe::dns::{Exchange, Status};
use crate::probe::host::Resolution;
use crate::probe::origin;
use crate::probe::rdata::Data;
use crate::report::{Confidence, Finding, Severity, counted};

pub(super) mod service;
mod takeover;

checks! {
    RESOLVES {
        id: "dns.resolves",
        about: "Whether the name leads to public addresses, and to those alone. Without one nothing \
            else can be measured; one that is not public would let a browser be led into its own network.",
        when: [
            Fail "It is an alias of a name without an address.",
            Pass "Every address is public. One that is not ends the whole call as refused.",
        ],
        reference: "RFC 1035 section 3.4.1",
        reproduce: "dig {host} A +short; dig {host} AAAA +short",
        also: [
            doh!("{host}", "A"),
            doh!("{host}", "AAAA"),
        ],
        maps_to: [],
    }

    ALIAS {
        id: "dns.alias",
        about: "Where a chain of CNAME records leads. Each link costs a lookup; one that ends nowhere \
            can often be claimed by a stranger at the provider it points to.",
        when: [
            Fail "The chain ends at a name that does not exist, or has no address; the severity is high where it does \
                not exist and a known provider lets anybody claim it.",
            Warn "The chain has more than three links.",
            Info "The chain leads to an address.",
        ],
        reference: "RFC 1034 section 3.6.2",
        reproduce: "dig {host} A",
        also: [doh!("{host}", "A")],
        maps_to: ["cwe:350"],
    }

    IPV6 {
        id: "dns.ipv6",
        about: "Whether the host has an IPv6 address: clients in IPv6-only networks reach it directly \
            only then.",
        when: [
            Pass "There is an AAAA record.",
            Warn "There is none.",
        ],
        reference: "RFC 3596 section 2.1",
        reproduce: "dig {host} AAAA +short",
        also: [doh!("{host}", "AAAA")],
        maps_to: ["internet.nl:web_ipv6_ws_address"],
    }

    CAA {
        id: "dns.caa",
        about: "Whether CAA records, at the host or the closest name above it, say which authorities may \
            issue certificates, wildcards included, and where to report a request against them.",
        when: [
            Warn "A critical property is one that no authority knows: none may issue.",
            Pass "Records say who may issue.",
            Info "No record stands at the host or above it: any authority may issue.",
        ],
        reference: "RFC 8659 section 3",
        reproduce: "dig {holder} CAA +short",
        also: [doh!("{host}", "CAA")],
        maps_to: ["internet.nl:web_caa"],
    }

    SERVICE {
        id: "dns.https_record",
        about: "Whether an HTTPS record tells browsers about HTTP/3, HTTP/2 or Encrypted Client Hello \
            before they connect. Address hints in it are not followed here.",
        when: [
            Warn "A record breaks the standard: browsers discard all that the host has.",
            Info "What the record says, or that there is none.",
        ],
        reference: "RFC 9460 section 9",
        reproduce: "dig {host} HTTPS +short",
        also: [doh!("{host}", "HTTPS")],
        maps_to: [],
    }

    REVERSE {
        id: "dns.reverse",
        about: "Whether the host's first address leads back to a name, and that name to the address \
            again. Mail servers are judged by it; web servers rarely.",
        when: [
            Pass "One of the first three PTR records names a host whose addresses have this one.",
            Info "There is no PTR record, or it does not lead back.",
        ],
        reference: "RFC 1912 section 2.1",
        reproduce: "dig -x {ip} +short",
        maps_to: [],
    }

    ORIGIN {
        id: "dns.origin",
        about: "Which network announces the host's first address.",
        when: [
            Info "Always: number, holder and prefix.",
        ],
        reference: "RFC 4271 section 5.1.2",
        reproduce: "dig {origin} TXT +short",
        maps_to: [],
    }
}

/// Why nothing is known of networks where the operator wants it so.
pub(super) const NO_ORIGIN: &str =
    "Not asked: this deployment does not ask who announces an address.";

/// Links of an alias chain beyond which every visit pays.
const CHAIN_LIMIT: usize = 3;

pub(super) fn run(case: &Case<'_>, findings: &mut Vec<Finding>) {
    resolves(case, findings);
    reverse(case, findings);
    origin(case, findings);
    if case.probes.url.name().is_none() {
        for check in [ALIAS, IPV6, CAA, SERVICE] {
            case.not_applicable(check, "The target is an address, not a name.")
                .fill_bare("{holder}", case.probes.host())
                .add(findings);
        }
        return;
    }
    alias(case, findings);
    ipv6(case, findings);
    caa(case, findings);
    service::run(case, findings);
}

fn resolves(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let check = RESOLVES;
    match &case.probes.resolution {
        Some(Resolution::Judged(addresses)) => {
            let title = format!(
                "The host has {}.",
                counted(addresses.len(), "public address", "public addresses")
            );
            case.pass(check, title).evidence("/addresses").add(findings);
        }
        Some(Resolution::Dangling(_)) => case
            .fail(check, Severity::Medium, "The host has no address.")
            .evidence("/dns/a/status")
            .fix("Publish an address for the name the alias points to, or remove the alias.")
            .add(findings),
        Some(Resolution::Unknown(why)) => {
            case.inconclusive(check, why)
                .evidence("/dns/a/rcode")
                .add(findings);
        }
        // A refused host ends the call before any check runs.
        Some(Resolution::Refused(_)) | None => {
            case.inconclusive(check, "no answer came in time")
                .add(findings);
        }
    }
}

fn alias(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some(a) = answered(case, ALIAS, "a", findings) else {
        return;
    };
    let chain: Vec<&str> = a.aliases().collect();
    let Some(end) = chain.last() else {
        return case
            .not_applicable(ALIAS, "The host is no alias of another name.")
            .evidence("/dns/a/status")
            .add(findings);
    };
    let shown = clean(end, 120);
    if let Some(Resolution::Dangling(_)) = &case.probes.resolution {
        return dangling(case, end, &shown, findings);
    }
    let title = format!(
        "The host is an alias of {shown}, over {}.",
        counted(chain.len(), "link", "links")
    );
    match chain.len() {
        n if n > CHAIN_LIMIT => case
            .warn(ALIAS, Severity::Low, title)
            .fix("Point the alias at the last name of the chain.")
            .evidence("/dns/a/records")
            .add(findings),
        _ => case
            .info(ALIAS, title)
            .evidence("/dns/a/records")
            .add(findings),
    }
}

fn dangling(case: &Case<'_>, end: &str, shown: &str, findings: &mut Vec<Finding>) {
    let gone = |exchange: &Exchange| exchange.status == Status::NxDomain;
    if !["a", "aaaa"]
        .into_iter()
        .any(|member| case.probes.records(member).is_some_and(gone))
    {
        return case
            .fail(
                ALIAS,
                Severity::Medium,
                format!("The alias points to {shown}, which has no address."),
            )
            .evidence("/dns/a/records")
            .evidence("/dns/a/rcode")
            .fix("Publish an address there, or remove the CNAME record.")
            .add(findings);
    }
    let (severity, title) = match takeover::provider(end) {
        Some(provider) => (
            Severity::High,
            format!(
                "The alias points to {shown}, which {provider} no longer knows: whoever claims it there speaks for this host."
            ),
        ),
        None => (
            Severity::Medium,
            format!("The alias points to {shown}, which does not exist."),
        ),
    };
    case.fail(ALIAS, severity, title)
        .evidence("/dns/a/records")
        .evidence("/dns/a/rcode")
        .confidence(Confidence::Medium)
        .fix("Remove the CNAME record, or claim the name it points to.")
        .add(findings);
}

fn ipv6(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some(aaaa) = answered(case, IPV6, "aaaa", findings) else {
        return;
    };
    match aaaa.addresses().count() {
        0 => case
            .warn(IPV6, Severity::Low, "The host has no IPv6 address.")
            .evidence("/dns/aaaa/status")
            .fix("Give the server an IPv6 address and publish it as an AAAA record.")
            .add(findings),
        n => case
            .pass(
                IPV6,
                format!(
                    "The host has {}.",
                    counted(n, "IPv6 address", "IPv6 addresses")
                ),
            )
            .evidence("/dns/aaaa/records")
            .add(findings),
    }
}

fn caa(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some((at, last)) = case.probes.caa.iter().enumerate().next_back() else {
        return case
            .inconclusive(CAA, "no answer came in time")
            .fill_bare("{holder}", case.probes.host())
            .add(findings);
    };
    let evidence = format!("/caa/{at}");
    if !last.is_conclusive() {
        return case
            .inconclusive(CAA, last.clause())
            .evidence(evidence + "/status")
            .fill_bare("{holder}", &last.name)
            .add(findings);
    }
    let values = |wanted: &str| -> Vec<&str> {
        last.data()
            .filter_map(|data| match data {
                Data::Caa { tag, value, .. } if tag == wanted => Some(issuer(value)),
                _ => None,
            })
            .collect()
    };
    let (issue, wild, iodef) = (values("issue"), values("issuewild"), values("iodef"));
    let unknown = last.data().any(|data| match data {
        Data::Caa { critical, tag, .. } => *critical && !KNOWN_TAGS.contains(&tag.as_str()),
        _ => false,
    });
    if unknown {
        return case
            .warn(CAA, Severity::Medium, "A CAA record has a critical property that authorities do not know; none may issue.")
            .evidence(evidence + "/records")
            .fill_bare("{holder}", &last.name)
            .fix("Correct the property's name, or take the critical flag away.")
            .add(findings);
    }
    if last.data().next().is_none()
        && let Some((_, above)) = last.name.split_once('.')
        && above.contains('.')
    {
        let why = format!("{} and the names above it were not asked", clean(above, 80));
        return case
            .inconclusive(CAA, why)
            .evidence(evidence + "/status")
            .fill_bare("{holder}", &last.name)
            .add(findings);
    }
    if issue.is_empty() && wild.is_empty() {
        return case
            .info(
                CAA,
                "No CAA record says who may issue certificates: any authority may.",
            )
            .evidence(evidence + "/status")
            .fill_bare("{holder}", &last.name)
            .fix("Publish CAA records that name the authorities you use.")
            .add(findings);
    }
    let mut title = match named(&issue) {
        Some(names) => format!(
            "CAA records at {} let {names} issue certificates",
            clean(&last.name, 80)
        ),
        None if issue.is_empty() => String::from("CAA records speak of wildcard certificates only"),
        None => String::from("CAA records forbid every authority to issue certificates"),
    };
    match named(&wild) {
        Some(names) => title.push_str(&format!(", and {names} wildcards")),
        None if wild.is_empty() => {}
        None => title.push_str(", and nobody wildcards"),
    }
    if iodef.is_empty() {
        title.push_str("; no address for reports");
    }
    case.pass(CAA, title + ".")
        .evidence(evidence + "/records")
        .fill_bare("{holder}", &last.name)
        .add(findings);
}

/// Properties of RFC 8659 section 4 and its successors.
const KNOWN_TAGS: [&str; 7] = [
    "issue",
    "issuewild",
    "iodef",
    "contactemail",
    "contactphone",
    "issuemail",
    "issuevmc",
];

/// The issuer's name before any parameters.
fn issuer(value: &str) -> &str {
    value.split(';').next().unwrap_or_default().trim()
}

fn named(issuers: &[&str]) -> Option<String> {
    let mut named: Vec<&str> = issuers
        .iter()
        .copied()
        .filter(|name| !name.is_empty())
        .collect();
    named.dedup();
    (!named.is_empty()).then(|| clean(&named.join(", "), 120))
}

fn reverse(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let ip = first_address(case);
    let Some(reverse) = &case.probes.reverse else {
        return case
            .inconclusive(REVERSE, "no address is known")
            .fill("{ip}", &ip)
            .add(findings);
    };
    let followed = reverse
        .forward
        .as_ref()
        .map(|forward| forward.name.as_str());
    let name = followed.map(|name| clean(name, 120));
    let draft = match (name, reverse.confirmed) {
        (Some(name), Some(true)) => case.pass(
            REVERSE,
            format!("The address leads back to {name}, and that name to the address."),
        ),
        (Some(name), Some(false)) => case.info(
            REVERSE,
            format!("The address leads back to {name}, which does not lead to the address."),
        ),
        (Some(_), None) => {
            let why = reverse.forward.as_ref().map(|forward| forward.clause());
            case.inconclusive(REVERSE, why.unwrap_or_default())
        }
        (None, Some(_)) => case.info(REVERSE, "The address leads back to no name."),
        (None, None) => case.inconclusive(REVERSE, reverse.ptr.clause()),
    };
    draft
        .evidence("/reverse/ptr/status")
        .evidence("/reverse/ptr/records")
        .fill("{ip}", &ip)
        .add(findings);
}

fn origin(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let draft = match &case.probes.origin {
        _ if !case.probes.asks_origin => case.not_applicable(ORIGIN, NO_ORIGIN),
        Some(Ok(origin)) if origin.asn == 0 => case
            .info(ORIGIN, "Nobody is known to announce the address.")
            .confidence(Confidence::Medium),
        Some(Ok(origin)) => {
            let holder = match origin.holder.as_str() {
                "" => String::new(),
                holder => format!(" ({holder})"),
            };
            case.info(
                ORIGIN,
                format!(
                    "AS{}{holder} announces the address in {}.",
                    origin.asn, origin.prefix
                ),
            )
        }
        Some(Err(why)) => case.inconclusive(ORIGIN, why),
        None => case.inconclusive(ORIGIN, "no address is known"),
    };
    draft
        .evidence("/origin")
        .fill_bare("{origin}", &mapping(case))
        .add(findings);
}

/// The name under which the origin of the first address is asked for.
pub(super) fn mapping(case: &Case<'_>) -> String {
    let first = case.probes.resolution.as_ref().and_then(Resolution::first);
    first.map_or_else(
        || case.probes.host().to_owned(),
        |address| origin::question(address.ip()),
    )
}

pub(super) fn first_address(case: &Case<'_>) -> String {
    let first = case.probes.resolution.as_ref().and_then(Resolution::first);
    first.map_or_else(
        || case.probes.host().to_owned(),
        |address| address.ip().to_string(),
    )
}

/// The exchange, or `None` after noting that nobody could say.
pub(super) fn answered<'a>(
    case: &Case<'a>,
    check: &Check,
    member: &str,
    findings: &mut Vec<Finding>,
) -> Option<&'a Exchange> {
    match case.probes.records(member) {
        Some(exchange) if exchange.is_conclusive() => Some(exchange),
        Some(exchange) => {
            case.inconclusive(check, exchange.clause())
                .evidence(format!("/dns/{member}/status"))
                .add(findings);
            None
        }
        None => {
            case.inconclusive(check, "no answer came in time")
                .add(findings);
            None
        }
    }
}
