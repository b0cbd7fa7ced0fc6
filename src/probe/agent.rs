//! Who we say we are: one fixed `User-Agent`, so that an operator can
//! recognise, understand and refuse us.

use crate::config::Config;

/// Name and version, as in reports.
pub const SERVICE: &str = concat!("netrecon/", env!("CARGO_PKG_VERSION"));

/// `netrecon/<version> (+https://<host>/about)`; without the address while no
/// host is configured.
pub fn user_agent(config: &Config) -> String {
    match config.public_hosts.first() {
        Some(host) => format!("{SERVICE} (+https://{host}/about)"),
        None => String::from(SERVICE),
    }
}
