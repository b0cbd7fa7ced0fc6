//! `/about`: what is probed, who else learns of it, how to opt out and how to
//! complain; and the security contact as RFC 9116 wants it.

use maud::{Markup, html};

use crate::gate::rfc3339;
use crate::probe::errands::{FOREIGN_ORIGIN, NULL_ORIGIN, lookalike_of};
use crate::probe::exposure;
use crate::surface::{Body, Reply};

use super::Visit;
use super::mark::command;
use super::shell::Page;

/// How long a `security.txt` is valid after it was served, in milliseconds:
/// RFC 9116 section 2.5.5 advises less than a year.
const VALID_MS: u64 = 180 * 86_400_000;

/// Answers the path.
pub(super) fn answer(visit: &Visit<'_>) -> Reply {
    visit.page(
        200,
        Page {
            path: "/about",
            title: "What is probed, and how to opt out",
            summary: "What netrecon asks a host, who else learns of it, how an owner opts out, and how to complain.",
            indexed: true,
            main: page(visit),
        },
    )
}

/// Answers `/.well-known/security.txt`. The contact is the page that says how
/// to complain; it is always there, whoever runs this deployment.
pub(super) fn security_txt(visit: &Visit<'_>) -> Reply {
    let origin = &visit.origin;
    let expires = rfc3339(visit.site.gate.world.clock.now_ms() + VALID_MS);
    let text = format!(
        "Contact: {origin}/about#complain\nExpires: {expires}\nPreferred-Languages: en\n\
         Canonical: {origin}/.well-known/security.txt\nPolicy: {origin}/about\n"
    );
    Reply::new(200, "text/plain; charset=utf-8", Body::Text(text))
        .with("cache-control", "public, max-age=86400")
}

fn page(visit: &Visit<'_>) -> Markup {
    let config = &visit.site.gate.world.config;
    let analyze = config.rate("analyze");
    let target = config.rate("target");
    html! {
        article.prose {
            h1 { "What is probed, and how to opt out" }
            p.lede { "netrecon asks what a browser, a crawler and a resolver would ask, a few times, and writes down the answers. It never logs in, sends no form and changes nothing." }

            h2 #probed { "What an analysis sends" }
            ul {
                li { "DNS questions about the name, its zone and its mail, through the resolver named in the report. Among them are a name that nobody has, and those under which large senders keep their DKIM keys." }
                li { "A few HTTP requests, " code { "GET" } " only, to the ports " (ports(&config.policy.ports)) ", each redirect judged before it is followed." }
                li { "One conversation with each of two name servers of the zone, over TCP: whether they know it, whether they hand it to anyone, and what they say of its records. Records of a zone that is open are counted and forgotten." }
                li { "The MTA-STS policy, where the domain announces one. No mail server is spoken to." }
                li { "The page again with an " code { "Origin" } " that it has no reason to trust: " code { (FOREIGN_ORIGIN) } ", " code { (NULL_ORIGIN) } " and one that begins and ends like the site's own, " code { (lookalike_of("example.com")) } " for example.com. They stand in the request only; nobody is asked there." }
                li { "TLS handshakes, to read the certificates and what the server offers." }
                li { "Requests for the files that sites publish for others, such as " code { "robots.txt" } ", for " (exposure::LIST.len()) " paths that should not answer, and for one that nobody has, so that a site which answers everything yields no finding." }
                li { "It starts only when someone asks. One address gets at most " (analyze.limit) " analyses per " (analyze.seconds) " seconds, one host at most " (target.limit) " per " (target.seconds) " seconds from everybody together." }
            }
            p { "Private, local and otherwise special addresses are never touched, whatever a name or a redirect points to." }

            h2 #third-parties { "Who else learns of it" }
            p { "Each report lists the third parties that were asked. They can be:" }
            ul {
                li { "the resolver " code { (config.doh.host()) } ", for DNS;" }
                @if let Some(rdap) = &config.rdap {
                    li { "the registration service " code { (rdap.host()) } ", and the registry it refers to;" }
                }
                @if config.asks_origin {
                    li { "the mapping service under " code { "cymru.com" } ", over DNS, for the network that announces an address;" }
                }
                @if let Some(ct) = &config.ct {
                    li { "the certificate transparency search " code { (ct.host()) } ", for the certificates issued for the name." }
                }
            }
            p { "Reports are kept for " (hours(config.report_ttl_seconds)) " under an address that cannot be guessed, are listed nowhere, and are then deleted." }

            h2 #opt-out { "Opting out" }
            p { "The owner of a domain says no with a TXT record. It is asked for before anything is sent to the host, or to another host that a redirect leads to:" }
            (command("_netrecon.example.com. IN TXT \"v=netrecon1; probes=none\""))
            p { "With " code { "probes=passive" } " only DNS and registration data are read, which never reach the host itself." }

            h2 #complain { "Complaints and security reports" }
            p {
                "This deployment is run by whoever operates " code { (visit.origin) } ". "
                "If it bothers your network, publish the record above; it works within minutes and needs nobody's help. "
                "To report a weakness in netrecon itself, use the private security report of the place you have its source from."
            }
        }
    }
}

fn ports(ports: &[u16]) -> String {
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    ports.join(", ")
}

fn hours(seconds: u32) -> String {
    match seconds {
        0..3600 => format!("{} minutes", seconds.div_ceil(60)),
        _ => format!("{} hours", seconds / 3600),
    }
}
