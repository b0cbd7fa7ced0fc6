//! MTA-STS (RFC 8461): the record, and the policy file that it announces,
//! fetched over HTTPS from a judged address as any page is. No redirect is
//! followed (section 3.3).

use std::rc::Rc;
use std::time::Duration;

use crate::codec::certificate::Certificate;
use crate::guard::PublicAddr;
use crate::guard::PublicUrl;
use crate::guard::text::clean;
use crate::probe::Failure;
use crate::probe::dns::{Exchange, Rtype, Status};
use crate::probe::host;
use crate::probe::http::{Browser, Web};
use crate::probe::http1::{Connection, Response};
use crate::probe::tls::{self, Refused};
use crate::probe::trust::{self, Reason};

/// Bytes of the policy that are read.
const POLICY_CAP: usize = 16 * 1024;

/// The whole fetch; it is not on the way of anything else.
const LIMIT: Duration = Duration::from_secs(5);

/// Why a policy cannot be had, by nobody: its host is not there.
pub const NO_HOST: &str = "the policy's host has no address";

/// What a domain says.
#[derive(Clone, Debug)]
pub struct Sts {
    /// The TXT record.
    pub record: Rc<Exchange>,
    /// The policy; `None` when no record announces one.
    pub policy: Option<Result<Policy, Failure>>,
}

/// The policy file as it was served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: String,
    /// The body.
    pub text: String,
    /// Why the certificate does not hold, where it does not: senders then
    /// use no policy.
    pub untrusted: Option<&'static str>,
}

/// Where the record stands.
pub fn name(domain: &str) -> String {
    format!("_mta-sts.{domain}")
}

/// Where the policy is served.
pub fn host(domain: &str) -> String {
    format!("mta-sts.{domain}")
}

/// Asks for the record and, where `direct` allows, fetches the policy.
pub async fn find(browser: &Browser, domain: &str, direct: bool) -> Sts {
    let record = browser.resolver.ask_first(&name(domain), Rtype::TXT).await;
    let announced = record.status == Status::Answer
        && record
            .texts()
            .any(|text| text.trim_start().starts_with("v=STSv1"));
    let policy = match (announced, direct) {
        (false, _) => None,
        (true, false) => Some(Err(Failure::Skipped("the owner allows DNS questions only"))),
        (true, true) => {
            let work = fetch(browser, domain);
            Some(browser.net.within(LIMIT, work).await)
        }
    };
    Sts { record, policy }
}

async fn fetch(browser: &Browser, domain: &str) -> Result<Policy, Failure> {
    let host = host(domain);
    let url = format!("https://{host}/.well-known/mta-sts.txt");
    let refused = |_| Failure::Skipped("the policy's host may not be connected to");
    let url = browser.guard.validate_fetch_url(&url).map_err(refused)?;
    let to = address(browser, &url).await?;
    if host::refuses_sockets(&to) {
        let response = browser.platform(&url, POLICY_CAP).await?;
        return Ok(policy(&response, None));
    }
    let (stream, handshake) = match tls::open(&browser.net, &to, &host, tls::PAGE).await {
        Ok(open) => open,
        Err(Refused::Failed(failure)) => return Err(failure),
        Err(Refused::Declined(how)) => {
            return Err(Failure::Unreachable(format!("TLS was declined: {how}")));
        }
    };
    let chain: Vec<Certificate> = handshake
        .chain
        .iter()
        .map_while(|der| Certificate::from_der(der).ok())
        .collect();
    let verdict = trust::judge(
        &handshake.chain,
        &chain,
        &host,
        browser.net.now_ms(),
        &browser.net.config().trust_anchors,
    );
    let untrusted = match (verdict.reason, verdict.name_matches) {
        (Reason::Trusted, true) => None,
        (Reason::Trusted, false) => Some("the certificate is for another name"),
        (reason, _) => Some(reason.clause()),
    };
    let mut web: Web = Connection::new(Box::new(stream));
    let response = browser
        .exchange(&mut web, &browser.request(&url, POLICY_CAP))
        .await?;
    Ok(policy(&response, untrusted))
}

/// The policy's host, at an address that the guard has judged.
async fn address(browser: &Browser, url: &PublicUrl) -> Result<PublicAddr, Failure> {
    let exchange = browser.resolver.ask_first(url.host(), Rtype::A).await;
    let exchange = match exchange.status {
        Status::NoData => browser.resolver.ask_first(url.host(), Rtype::AAAA).await,
        _ => exchange,
    };
    if !exchange.is_conclusive() {
        return Err(Failure::Blocked("the policy's host could not be resolved"));
    }
    let addresses: Vec<_> = exchange.addresses().collect();
    let aliases: Vec<String> = exchange.aliases().map(str::to_owned).collect();
    if addresses.is_empty() {
        return Err(Failure::Blocked(NO_HOST));
    }
    let refused = |_| Failure::Skipped("the policy's host may not be connected to");
    let judged = browser
        .guard
        .judge_answers(url, &addresses, &aliases)
        .map_err(refused)?;
    judged
        .first()
        .copied()
        .ok_or(Failure::Blocked("the policy's host could not be resolved"))
}

fn policy(response: &Response, untrusted: Option<&'static str>) -> Policy {
    Policy {
        status: response.status,
        content_type: clean(response.field("content-type").unwrap_or_default(), 120),
        text: clean_lines(&response.body),
        untrusted,
    }
}

/// The body with its line ends, every line cleaned.
fn clean_lines(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let lines: Vec<String> = text.lines().map(|line| clean(line, 512)).collect();
    lines.join("\n")
}
