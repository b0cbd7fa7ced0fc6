//! The guard: what a caller may make us touch.
//!
//! A caller's text becomes something that the network takes in two steps.
//! [`Guard::validate_fetch_url`] judges the text and gives a [`PublicUrl`];
//! [`Guard::judge_answers`] judges what its name resolves to and gives the
//! [`PublicAddr`]s that sockets connect to. Nothing outside this room can make
//! either, and the network port takes nothing else, so no outbound byte skips
//! the guard. [`Guard::redirect`] takes both steps from the beginning for each
//! hop.
//!
//! Pure: no network, no clock. The rules are data in `special`.

mod address;
mod name;
mod operator;
mod recent;
mod refusal;
mod special;
pub mod text;
mod url;

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

pub use self::address::PublicAddr;
pub use self::name::{DnsName, LookupName};
pub use self::operator::OperatorUrl;
pub use self::refusal::{Class, Refusal};
pub use self::url::{MAX_URL, PublicUrl, Scheme};

/// Where name servers listen.
const DNS_PORT: u16 = 53;

/// What the operator decides about targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// When not empty: the only names (each with all that lies under it) and
    /// addresses that may be targets.
    pub allowlist: Vec<String>,
    /// TCP ports that may be connected to.
    pub ports: Vec<u16>,
    /// The names this service answers under; never targets.
    pub own_hosts: Vec<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            allowlist: Vec::new(),
            ports: vec![80, 443],
            own_hosts: Vec::new(),
        }
    }
}

/// The judge of everything a caller names. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Guard {
    allowlist: Arc<[String]>,
    ports: Arc<[u16]>,
    own_hosts: Arc<[String]>,
}

impl Default for Guard {
    fn default() -> Self {
        Guard::new(Policy::default())
    }
}

impl Guard {
    /// A guard for `policy`. Its names are brought into canonical form; one
    /// that has none matches nothing.
    pub fn new(policy: Policy) -> Guard {
        let canonical = |entries: Vec<String>| entries.iter().map(|e| policy_host(e)).collect();
        Guard {
            allowlist: canonical(policy.allowlist),
            ports: policy.ports.into(),
            own_hosts: canonical(policy.own_hosts),
        }
    }

    /// Judges a URL by its text: the one way to a [`PublicUrl`].
    pub fn validate_fetch_url(&self, raw: &str) -> Result<PublicUrl, Refusal> {
        let url = url::judge(raw, &self.ports)?;
        self.judge_owner(url.host())?;
        self.judge_allowed(url.host(), url.name().is_some())?;
        Ok(url)
    }

    /// Judges the argument of `analyze`: a URL, or a host that stands for
    /// `https://host/`.
    pub fn validate_target(&self, raw: &str) -> Result<PublicUrl, Refusal> {
        if raw.len() > MAX_URL {
            return Err(Refusal::new(Class::Malformed, "url.length"));
        }
        if raw.parse::<Ipv6Addr>().is_ok() {
            return self.validate_fetch_url(&format!("https://[{raw}]/"));
        }
        if raw.starts_with('[') && raw.ends_with(']') {
            return self.validate_fetch_url(&format!("https://{raw}/"));
        }
        if let Some((host, rest)) = raw.split_once(':') {
            let is_port = !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit());
            if is_port && !host.is_empty() {
                return Err(Refusal::new(Class::Port, "target.port"));
            }
            return self.validate_fetch_url(raw);
        }
        if raw.contains(['/', '?', '#', '@', '\\', '%']) {
            return Err(Refusal::new(Class::Malformed, "target.form"));
        }
        self.validate_fetch_url(&format!("https://{raw}/"))
    }

    /// Judges the argument of `lookup`: a name that a public resolver may be
    /// asked about, or a public address.
    pub fn validate_lookup_name(&self, raw: &str) -> Result<LookupName, Refusal> {
        let lookup = name::judge_lookup(raw)?;
        match &lookup {
            LookupName::Name(name) => self.judge_allowed(name.as_str(), true)?,
            LookupName::Address(ip) => self.judge_allowed(&ip.to_string(), false)?,
        }
        Ok(lookup)
    }

    /// Judges the next hop: `location` resolved against `from`, then the whole
    /// guard.
    pub fn redirect(&self, from: &PublicUrl, location: &str) -> Result<PublicUrl, Refusal> {
        let next = url::resolve(from, location)?;
        self.validate_fetch_url(&next)
    }

    /// Judges one address and port.
    pub fn judge_address(&self, ip: IpAddr, port: u16) -> Result<PublicAddr, Refusal> {
        PublicAddr::judge(ip, port, &self.ports)
    }

    /// Judges a zone's name server: its name must be one that may be a target,
    /// its address public. DNS has its own port, whatever the list says.
    pub fn judge_name_server(&self, name: &str, ip: IpAddr) -> Result<PublicAddr, Refusal> {
        self.judge_aliases(std::slice::from_ref(&name.to_owned()))?;
        self.judge_allowed(name, true)?;
        PublicAddr::judge(ip, DNS_PORT, &[DNS_PORT])
    }

    /// Judges every A and AAAA answer for `url`'s name and every alias (CNAME
    /// target) on the way to them. One that is refused refuses all, and so
    /// does none: nothing says which of them a later connection would take.
    pub fn judge_answers(
        &self,
        url: &PublicUrl,
        addresses: &[IpAddr],
        aliases: &[String],
    ) -> Result<Vec<PublicAddr>, Refusal> {
        let judged = self.judge_aliases(aliases).and_then(|()| {
            addresses
                .iter()
                .map(|ip| self.judge_address(*ip, url.port()))
                .collect::<Result<Vec<_>, _>>()
        });
        match judged {
            Ok(judged) if judged.is_empty() => Err(Refusal::new(Class::Resolution, "answers.none")),
            Ok(judged) => Ok(judged),
            // One class outward, whatever it was: see [`Class::Resolution`].
            Err(refusal) => Err(Refusal::new(Class::Resolution, refusal.rule)),
        }
    }

    /// Judges names that a host is an alias of, none of which is connected to.
    pub fn judge_aliases(&self, aliases: &[String]) -> Result<(), Refusal> {
        for alias in aliases {
            let name = name::to_ascii(alias)?;
            name::judge_alias(&name)?;
            self.judge_owner(&name)?;
        }
        Ok(())
    }

    fn judge_owner(&self, host: &str) -> Result<(), Refusal> {
        let own = self.own_hosts.iter().any(|own| own == host);
        // Whether the account's own or a stranger's: a Worker that calls a
        // Worker is recursion at best.
        if own || special::is_under(host, "workers.dev") {
            return Err(Refusal::new(Class::Owner, "owner.host"));
        }
        Ok(())
    }

    fn judge_allowed(&self, host: &str, is_name: bool) -> Result<(), Refusal> {
        let allows = |entry: &String| {
            entry == host || (is_name && !entry.is_empty() && special::is_under(host, entry))
        };
        if self.allowlist.is_empty() || self.allowlist.iter().any(allows) {
            return Ok(());
        }
        Err(Refusal::new(Class::Allowlist, "allowlist.not_listed"))
    }
}

/// The canonical form of a host that the operator configured, with or without
/// a leading `*.` or dot; empty, and so equal to no host, when it has none.
fn policy_host(entry: &str) -> String {
    let entry = entry.trim();
    if let Ok(ip) = entry.parse::<IpAddr>() {
        return ip.to_string();
    }
    let bare = entry.trim_start_matches("*.").trim_start_matches('.');
    name::to_ascii(bare).map_or_else(|_| String::new(), |name| name.into_owned())
}
