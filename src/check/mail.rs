//! Mail: who takes it, and the brand that stands beside it. Who may send it,
//! how it is signed and how it travels have files of their own.

use super::Case;
use super::dns::answered;
use crate::codec::bimi;
use crate::codec::dmarc::Policy;
use crate::guard::text::clean;
use crate::probe::dns::{Exchange, Status};
use crate::probe::mail::{Server, exchangers, is_null, takes_mail};
use crate::report::{Finding, Severity, counted};

checks! {
    MX {
        id: "mail.mx",
        about: "Which servers take the domain's mail, and whether each leads to a public address by a \
            name of its own. A domain that takes none should say so with a null MX record.",
        when: [
            Fail "A server has no address, or none that is public.",
            Warn "A server is named by an alias, which senders may refuse (RFC 2181 section 10.3), or by \
                something that is no host name; or a null MX record stands beside others.",
            Pass "Every server that was looked up has a public address; or one null MX record says that \
                the domain takes no mail (RFC 7505).",
            Info "There is no MX record: senders try the host itself, if it has an address.",
        ],
        reference: "RFC 5321 section 5.1",
        reproduce: "dig {host} MX +short",
        also: [doh!("{host}", "MX")],
        maps_to: ["zonemaster:ZONE09"],
    }

    MX_V6 {
        id: "mail.mx_ipv6",
        about: "Whether a mail server can be reached over IPv6.",
        when: [
            Pass "One of the first two servers has an IPv6 address.",
            Warn "None of them has.",
        ],
        reference: "RFC 3974 section 2",
        reproduce: "for s in $(dig {host} MX +short | cut -d' ' -f2); do dig $s AAAA +short; done",
        maps_to: ["internet.nl:mail_ipv6_mx_address"],
    }

    BIMI {
        id: "mail.bimi",
        about: "Whether the domain publishes a logo for its mail. Receivers show it only where DMARC \
            enforces.",
        when: [
            Pass "A valid record names a logo, or declines to.",
            Warn "A record is there that receivers cannot use, several are, or DMARC does not enforce.",
            Info "There is no record.",
        ],
        reference: "draft-brand-indicators-for-message-identification",
        reproduce: "dig default._bimi.{host} TXT +short",
        also: [doh!("default._bimi.{host}", "TXT")],
        maps_to: [],
    }
}

pub(super) fn run(case: &Case<'_>, findings: &mut Vec<Finding>) {
    if nameless(case, CHECKS, findings) {
        return;
    }
    mx(case, findings);
    mx_v6(case, findings);
    brand(case, findings);
}

/// Whether the target is an address; notes then that no check applies.
pub(super) fn nameless(
    case: &Case<'_>,
    checks: &[&super::Check],
    findings: &mut Vec<Finding>,
) -> bool {
    let nameless = case.probes.url.name().is_none();
    if nameless {
        for check in checks {
            case.not_applicable(check, "The target is an address, not a name.")
                .fill("{selector}", case.probes.host())
                .fill("{receiver}", case.probes.host())
                .fill_bare("{mx}", case.probes.host())
                .add(findings);
        }
    }
    nameless
}

/// The MX set of a domain that takes mail, or `None` after noting why the
/// question does not arise or cannot be answered.
pub(super) fn mail_taken<'a>(
    case: &Case<'a>,
    check: &super::Check,
    findings: &mut Vec<Finding>,
) -> Option<&'a Exchange> {
    let mx = answered(case, check, "mx", findings)?;
    if !takes_mail(mx) {
        case.not_applicable(check, "The domain names no server that takes its mail.")
            .evidence("/dns/mx/status")
            .add(findings);
        return None;
    }
    Some(mx)
}

fn mx(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some(mx) = answered(case, MX, "mx", findings) else {
        return;
    };
    let set = exchangers(mx);
    let evidence = "/dns/mx/records";
    if is_null(mx) {
        return case
            .pass(MX, "A null MX record says that the domain takes no mail.")
            .evidence(evidence)
            .add(findings);
    }
    if set.is_empty() {
        return case
            .info(
                MX,
                "No MX record; senders try the host itself, if it has an address.",
            )
            .evidence("/dns/mx/status")
            .fix("If the domain takes no mail, say so with a null MX record: \"0 .\".")
            .add(findings);
    }
    if set.iter().any(|(_, name)| *name == ".") {
        return case
            .warn(
                MX,
                Severity::Medium,
                "A null MX record stands beside others.",
            )
            .evidence(evidence)
            .fix("Keep either the null MX record or the servers.")
            .add(findings);
    }
    let Some(servers) = &case.probes.mail.servers else {
        return case
            .inconclusive(MX, "the servers' addresses did not come in time")
            .evidence(evidence)
            .add(findings);
    };
    if let Some((at, server)) = servers
        .iter()
        .enumerate()
        .find(|(_, server)| is_nowhere(server))
    {
        let title = match is_address(&server.name) {
            true => format!(
                "{} is an address, not a name; it leads nowhere.",
                shown(server)
            ),
            false => format!("The mail server {} has no address.", shown(server)),
        };
        return case
            .fail(MX, Severity::Medium, title)
            .evidence(format!("/mail/servers/{at}"))
            .evidence(evidence)
            .fix("Publish its address, or take it out of the MX records.")
            .add(findings);
    }
    if let Some((at, server)) = servers
        .iter()
        .enumerate()
        .find(|(_, server)| is_inside(server))
    {
        let title = format!("The mail server {} has no public address.", shown(server));
        return case
            .fail(MX, Severity::Medium, title)
            .evidence(format!("/mail/servers/{at}/v4"))
            .fix("Name only servers that everyone can reach.")
            .add(findings);
    }
    let aliased = |server: &&Server| server.v4.aliases().next().is_some();
    if let Some(server) = servers.iter().find(aliased) {
        let title = format!("The mail server {} is an alias.", shown(server));
        return case
            .warn(MX, Severity::Low, title)
            .evidence(evidence)
            .fix("Name the server itself in the MX record.")
            .add(findings);
    }
    if let Some((_, name)) = set.iter().find(|(_, name)| !is_host_name(name)) {
        let title = format!("The mail server {} is no host name.", clean(name, 80));
        return case
            .warn(MX, Severity::Low, title)
            .evidence(evidence)
            .fix("Name the server by letters, digits and hyphens (RFC 1123 section 2.1).")
            .add(findings);
    }
    if let Some(why) = servers.iter().find_map(unknown) {
        return case
            .inconclusive(MX, why)
            .evidence(evidence)
            .evidence("/mail/servers")
            .add(findings);
    }
    let title = match set.len() > servers.len() {
        true => format!(
            "{} servers take mail; the first {} have addresses.",
            set.len(),
            servers.len()
        ),
        false => counted(
            set.len(),
            "server takes mail, and has an address.",
            "servers take mail, each with an address.",
        ),
    };
    case.pass(MX, title)
        .evidence(evidence)
        .evidence("/mail/servers")
        .add(findings);
}

fn shown(server: &Server) -> String {
    clean(&server.name, 80)
}

/// Whether it certainly has no address in either family.
fn is_nowhere(server: &Server) -> bool {
    let v6 = match &server.v6 {
        Some(v6) => v6.leads_nowhere(),
        // Not asked: a name that does not exist has none either.
        None => server.v4.status == Status::NxDomain,
    };
    server.v4.leads_nowhere() && v6
}

/// Why no address of it is known, though it may have one.
fn unknown(server: &Server) -> Option<String> {
    Exchange::why_unknown(&server.v4, server.v6.as_deref())
}

/// Whether all its addresses lie in networks that nobody else can reach.
fn is_inside(server: &Server) -> bool {
    let mut addresses = server
        .v4
        .addresses()
        .chain(server.v6.iter().flat_map(|v6| v6.addresses()))
        .peekable();
    addresses.peek().is_some() && addresses.all(super::zone::is_private)
}

/// Whether it has the form that senders may ask of a server's name.
fn is_host_name(name: &str) -> bool {
    name.split('.').all(|label| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        label.bytes().all(plain) && !label.starts_with('-') && !label.ends_with('-')
    })
}

/// `93.184.216.107.example.org`: an address where a name belongs.
fn is_address(name: &str) -> bool {
    let labels: Vec<&str> = name.split('.').take(4).collect();
    labels.len() == 4 && labels.iter().all(|label| label.parse::<u8>().is_ok())
}

fn mx_v6(case: &Case<'_>, findings: &mut Vec<Finding>) {
    if mail_taken(case, MX_V6, findings).is_none() {
        return;
    }
    let asked: Vec<&Exchange> = case
        .probes
        .mail
        .servers
        .iter()
        .flatten()
        .filter_map(|server| server.v6.as_deref())
        .collect();
    let evidence = "/mail/servers";
    if asked.iter().any(|v6| v6.addresses().next().is_some()) {
        return case
            .pass(MX_V6, "A mail server has an IPv6 address.")
            .evidence(evidence)
            .add(findings);
    }
    let unsure = asked.iter().find(|v6| !v6.is_conclusive());
    let draft = match (asked.as_slice(), unsure) {
        ([], _) => case.inconclusive(MX_V6, "the servers' addresses did not come in time"),
        (_, Some(unsure)) => case.inconclusive(MX_V6, unsure.clause()),
        (asked, None) => {
            let title = match asked.len() {
                1 => String::from("The first mail server has no IPv6 address."),
                n => format!("None of the first {n} mail servers has an IPv6 address."),
            };
            case.warn(MX_V6, Severity::Low, title)
                .fix("Let a mail server be reached over IPv6, or use one that can.")
        }
    };
    draft.evidence(evidence).add(findings);
}

/// Whether it is known that mail that fails DMARC is delivered.
fn is_monitored(case: &Case<'_>) -> bool {
    let dmarc = case.probes.mail.dmarc.as_ref();
    dmarc.is_some_and(|found| {
        let policy = found.policy(case.probes.host());
        found.unsure.is_none() && policy.is_none_or(|policy| policy == Policy::None)
    })
}

fn brand(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some(exchange) = &case.probes.mail.bimi else {
        let why = "The host is neither a domain that takes mail nor the apex of its zone.";
        return case.not_applicable(BIMI, why).add(findings);
    };
    if !exchange.is_conclusive() {
        return case
            .inconclusive(BIMI, exchange.clause())
            .evidence("/mail/bimi/status")
            .add(findings);
    }
    let readings = exchange.texts().filter_map(|text| bimi::parse(text).ok());
    let records: Vec<_> = readings.map(|reading| reading.value).collect();
    let draft = match records.as_slice() {
        [] => case.info(BIMI, "No logo is published for the domain's mail."),
        [record] if record.declined => case.pass(BIMI, "The domain declines to publish a logo."),
        [record] if record.valid && is_monitored(case) => case
            .warn(
                BIMI,
                Severity::Low,
                "A logo is published, and no receiver shows it: DMARC does not enforce.",
            )
            .evidence("/mail/dmarc/record")
            .fix("Move DMARC to p=quarantine or p=reject."),
        [record] if record.valid => {
            let evidence = match record.evidence {
                Some(ref mark) if !mark.is_empty() => "with evidence of the right to it",
                _ => "without evidence of the right to it, which large receivers ask for",
            };
            case.pass(BIMI, format!("A logo is published, {evidence}."))
        }
        [_] => case
            .warn(
                BIMI,
                Severity::Low,
                "The BIMI record has errors that make receivers ignore it.",
            )
            .fix("Decode the record to see what is wrong; logo and evidence are HTTPS addresses."),
        _ => case
            .warn(
                BIMI,
                Severity::Low,
                "Several BIMI records are published; receivers then use none.",
            )
            .fix("Keep one record."),
    };
    draft
        .evidence("/mail/bimi/status")
        .evidence("/mail/bimi/records")
        .add(findings);
}
