//! The operator's variables, parsed once per isolate.
//!
//! Every variable is optional. A value that cannot be used stops the Worker
//! with a sentence that names the variable, rather than being guessed at.

use std::collections::BTreeMap;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;

use crate::guard::{OperatorUrl, Policy};

/// A burst of `limit` calls, refilled evenly over `seconds`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Calls that may be made at once.
    pub limit: u32,
    /// Seconds in which `limit` calls become available again.
    pub seconds: u32,
}

/// What a caller gets while the budget's Durable Object cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// A tenth of the budget (at least one call), counted in the isolate.
    Strict,
    /// Nothing.
    Closed,
}

/// How much of a caller's address the event line carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogIp {
    /// The address.
    Full,
    /// IPv4 /24, IPv6 /48.
    Prefix,
    /// A keyed hash.
    Hash,
}

/// All of it, resolved.
#[derive(Clone, Debug)]
pub struct Config {
    /// `DOH_URL`: the resolver (RFC 8484).
    pub doh: OperatorUrl,
    /// `RDAP_URL`: a base URL ending in `/`, asked with `domain/…`, `ip/…`;
    /// `None` when it is `off`.
    pub rdap: Option<OperatorUrl>,
    /// `CT_URL`: certificate-transparency search; `None` when it is `off`.
    pub ct: Option<OperatorUrl>,
    /// `ORIGIN_AS`: whether the mapping from addresses to networks is asked.
    pub asks_origin: bool,
    /// `BUDGETS` over the defaults: per tool, and `target`.
    pub budgets: BTreeMap<String, Rate>,
    /// `BUDGET_FALLBACK`.
    pub fallback: Fallback,
    /// `TARGET_ALLOWLIST`, `PROBE_PORTS` and `PUBLIC_HOST`, as the guard
    /// takes them.
    pub policy: Policy,
    /// `TRUST_ANCHORS`: PEM text added to the Mozilla roots.
    pub trust_anchors: String,
    /// `COUNTER_FLUSH_SECONDS`.
    pub flush_seconds: u32,
    /// `REPORT_TTL_SECONDS`.
    pub report_ttl_seconds: u32,
    /// `PUBLIC_HOST`: Host names served besides localhost and `*.workers.dev`.
    pub public_hosts: Vec<String>,
    /// `LOG_IP`.
    pub log_ip: LogIp,
}

const DEFAULT_DOH: &str = "https://cloudflare-dns.com/dns-query";
const DEFAULT_RDAP: &str = "https://rdap.org/";
const DEFAULT_CT: &str = "https://crt.sh/";

/// The value that switches a third party off.
const OFF: &str = "off";

/// Per client and tool, then per target over all clients.
const DEFAULT_BUDGETS: [(&str, Rate); 6] = [
    (
        "analyze",
        Rate {
            limit: 10,
            seconds: 60,
        },
    ),
    (
        "lookup",
        Rate {
            limit: 60,
            seconds: 60,
        },
    ),
    (
        "decode",
        Rate {
            limit: 120,
            seconds: 60,
        },
    ),
    (
        "diff",
        Rate {
            limit: 60,
            seconds: 60,
        },
    ),
    (
        "narrate",
        Rate {
            limit: 60,
            seconds: 60,
        },
    ),
    (
        TARGET_BUDGET,
        Rate {
            limit: 30,
            seconds: 60,
        },
    ),
];

/// The member of `BUDGETS` that all clients share per analyzed target.
pub const TARGET_BUDGET: &str = "target";

impl Config {
    /// Reads the variables through `var`, which answers `None` for an unset
    /// one. An empty value counts as unset.
    pub fn from_vars(var: impl Fn(&str) -> Option<String>) -> Result<Config, String> {
        let text = |name: &str| {
            var(name)
                .map(|v| v.trim().to_owned())
                .filter(|v| !v.is_empty())
        };
        let url = |name: &str, default: &str| {
            OperatorUrl::parse(&text(name).unwrap_or_else(|| default.to_owned()))
                .map_err(|why| format!("{name}: {why}"))
        };
        // A third party that an operator may not want to tell of anything.
        let or_off = |name: &str, default: &str| match text(name).as_deref() {
            Some(OFF) => Ok(None),
            _ => url(name, default).map(Some),
        };
        let public_hosts = names("PUBLIC_HOST", text("PUBLIC_HOST"))?;
        Ok(Config {
            doh: url("DOH_URL", DEFAULT_DOH)?,
            rdap: or_off("RDAP_URL", DEFAULT_RDAP)?,
            ct: or_off("CT_URL", DEFAULT_CT)?,
            asks_origin: choice(
                "ORIGIN_AS",
                text("ORIGIN_AS"),
                &[("on", true), ("off", false)],
            )?,
            budgets: budgets(text("BUDGETS"))?,
            fallback: choice(
                "BUDGET_FALLBACK",
                text("BUDGET_FALLBACK"),
                &[("strict", Fallback::Strict), ("closed", Fallback::Closed)],
            )?,
            policy: Policy {
                allowlist: names("TARGET_ALLOWLIST", text("TARGET_ALLOWLIST"))?,
                ports: ports(text("PROBE_PORTS"))?,
                own_hosts: public_hosts.clone(),
            },
            trust_anchors: pem("TRUST_ANCHORS", text("TRUST_ANCHORS"))?,
            flush_seconds: number(
                "COUNTER_FLUSH_SECONDS",
                text("COUNTER_FLUSH_SECONDS"),
                60,
                1..=3600,
            )?,
            report_ttl_seconds: number(
                "REPORT_TTL_SECONDS",
                text("REPORT_TTL_SECONDS"),
                86_400,
                1..=31_536_000,
            )?,
            public_hosts,
            log_ip: choice(
                "LOG_IP",
                text("LOG_IP"),
                &[
                    ("full", LogIp::Full),
                    ("prefix", LogIp::Prefix),
                    ("hash", LogIp::Hash),
                ],
            )?,
        })
    }

    /// The rate of a tool or of [`TARGET_BUDGET`]; every known name has one.
    pub fn rate(&self, name: &str) -> Rate {
        self.budgets.get(name).copied().unwrap_or(Rate {
            limit: 1,
            seconds: 60,
        })
    }
}

fn budgets(given: Option<String>) -> Result<BTreeMap<String, Rate>, String> {
    let mut rates: BTreeMap<String, Rate> = DEFAULT_BUDGETS
        .iter()
        .map(|(name, rate)| ((*name).to_owned(), *rate))
        .collect();
    let Some(given) = given else { return Ok(rates) };
    let given: BTreeMap<String, Rate> = serde_json::from_str(&given)
        .map_err(|e| format!("BUDGETS: not the documented JSON: {e}"))?;
    for (name, rate) in given {
        if !rates.contains_key(&name) {
            return Err(format!("BUDGETS: no tool is called {name:?}"));
        }
        if rate.limit == 0 || rate.seconds == 0 || rate.limit > 1_000_000 || rate.seconds > 86_400 {
            return Err(format!(
                "BUDGETS: {name} wants a limit of 1 to 1000000 and 1 to 86400 seconds"
            ));
        }
        rates.insert(name, rate);
    }
    Ok(rates)
}

fn ports(given: Option<String>) -> Result<Vec<u16>, String> {
    let Some(given) = given else {
        return Ok(vec![80, 443]);
    };
    given
        .split(',')
        .map(|port| match port.trim().parse::<u16>() {
            Ok(port) if port != 0 && port != 25 => Ok(port),
            _ => Err(format!(
                "PROBE_PORTS: {port:?} is not a port that may be probed"
            )),
        })
        .collect()
}

fn names(variable: &str, given: Option<String>) -> Result<Vec<String>, String> {
    given
        .iter()
        .flat_map(|list| list.split(','))
        .map(|name| name.trim().trim_start_matches("*.").trim_matches('.'))
        .filter(|name| !name.is_empty())
        .map(|name| match idna::domain_to_ascii_strict(name) {
            Ok(ascii) => Ok(ascii),
            Err(_) => Err(format!("{variable}: {name:?} is not a host name")),
        })
        .collect()
}

fn pem(variable: &str, given: Option<String>) -> Result<String, String> {
    let text = given.unwrap_or_default();
    for der in CertificateDer::pem_slice_iter(text.as_bytes()) {
        let der = der.map_err(|e| format!("{variable}: not PEM: {e}"))?;
        webpki::anchor_from_trusted_cert(&der)
            .map_err(|e| format!("{variable}: not a certificate: {e}"))?;
    }
    if !text.is_empty() && !text.contains("-----BEGIN CERTIFICATE-----") {
        return Err(format!("{variable}: holds no PEM certificate"));
    }
    Ok(text)
}

fn number(
    variable: &str,
    given: Option<String>,
    default: u32,
    range: std::ops::RangeInclusive<u32>,
) -> Result<u32, String> {
    match given {
        None => Ok(default),
        Some(text) => match text.parse() {
            Ok(n) if range.contains(&n) => Ok(n),
            _ => Err(format!(
                "{variable}: {text:?} is not a whole number from {} to {}",
                range.start(),
                range.end()
            )),
        },
    }
}

fn choice<T: Copy>(
    variable: &str,
    given: Option<String>,
    choices: &[(&str, T)],
) -> Result<T, String> {
    let (words, values): (Vec<_>, Vec<_>) = choices.iter().copied().unzip();
    let position = match &given {
        None => Some(0),
        Some(text) => words.iter().position(|word| word == text),
    };
    position
        .and_then(|at| values.get(at).copied())
        .ok_or_else(|| format!("{variable}: one of {} is wanted", words.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, value: &str) -> Result<Config, String> {
        Config::from_vars(|asked| (asked == name).then(|| value.to_owned()))
    }

    #[test]
    fn nothing_set_gives_the_documented_defaults() {
        let config = Config::from_vars(|_| None).unwrap();
        assert_eq!(
            config.rate("analyze"),
            Rate {
                limit: 10,
                seconds: 60
            }
        );
        assert_eq!(
            config.rate("decode"),
            Rate {
                limit: 120,
                seconds: 60
            }
        );
        assert_eq!(
            config.rate("target"),
            Rate {
                limit: 30,
                seconds: 60
            }
        );
        assert_eq!(config.policy.ports, [80, 443]);
        assert_eq!(config.report_ttl_seconds, 86_400);
        assert_eq!(config.flush_seconds, 60);
        assert_eq!(config.fallback, Fallback::Strict);
        assert_eq!(config.log_ip, LogIp::Full);
    }

    #[test]
    fn one_budget_can_be_changed_and_the_others_stay() {
        let config = with("BUDGETS", r#"{"analyze":{"limit":3,"seconds":9}}"#).unwrap();
        assert_eq!(
            config.rate("analyze"),
            Rate {
                limit: 3,
                seconds: 9
            }
        );
        assert_eq!(
            config.rate("lookup"),
            Rate {
                limit: 60,
                seconds: 60
            }
        );
    }

    #[test]
    fn a_third_party_can_be_switched_off() {
        assert!(with("CT_URL", "off").unwrap().ct.is_none());
        assert!(with("CT_URL", "").unwrap().ct.is_some());
        assert!(with("CT_URL", "no").is_err());
        assert!(with("RDAP_URL", " off ").unwrap().rdap.is_none());
        assert!(with("DOH_URL", "off").is_err());
    }

    #[test]
    fn a_bad_value_names_its_variable() {
        for (name, value) in [
            ("DOH_URL", "http://192.0.2.1/dns-query"),
            ("DOH_URL", "ftp://resolver.net/"),
            ("BUDGETS", "{"),
            ("BUDGETS", r#"{"analyse":{"limit":1,"seconds":1}}"#),
            ("BUDGETS", r#"{"analyze":{"limit":0,"seconds":1}}"#),
            ("BUDGET_FALLBACK", "open"),
            ("PROBE_PORTS", "80,25"),
            ("PROBE_PORTS", "http"),
            ("TRUST_ANCHORS", "not a certificate"),
            ("COUNTER_FLUSH_SECONDS", "0"),
            ("REPORT_TTL_SECONDS", "-1"),
            ("PUBLIC_HOST", "a b"),
            ("LOG_IP", "yes"),
        ] {
            let why = with(name, value).unwrap_err();
            assert!(why.starts_with(name), "{name}={value} said {why}");
        }
    }
}
