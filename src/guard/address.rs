//! Addresses: which may be connected to, and the type that proves it.

use std::net::{IpAddr, SocketAddr};

use super::refusal::{Class, Refusal};
use super::special;

/// A public address and an allowed port: what a socket may connect to.
///
/// Only the guard makes one, so that holding one is the proof that it was
/// judged.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicAddr {
    ip: IpAddr,
    port: u16,
}

impl PublicAddr {
    /// Judges `ip` by the registries and `port` by the list.
    pub(super) fn judge(ip: IpAddr, port: u16, ports: &[u16]) -> Result<Self, Refusal> {
        judge_port(port, ports)?;
        judge_ip(ip)?;
        Ok(PublicAddr { ip, port })
    }

    /// The address.
    pub fn ip(&self) -> IpAddr {
        self.ip
    }

    /// The TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Both, as the socket takes them.
    pub fn socket(&self) -> SocketAddr {
        SocketAddr::new(self.ip, self.port)
    }
}

impl std::fmt::Display for PublicAddr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.socket().fmt(f)
    }
}

impl std::fmt::Debug for PublicAddr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.socket().fmt(f)
    }
}

/// Refuses what the registries do not call public.
pub(super) fn judge_ip(ip: IpAddr) -> Result<(), Refusal> {
    let rule = match ip {
        IpAddr::V4(ip) => special::refuses_v4(ip),
        IpAddr::V6(ip) => special::refuses_v6(ip),
    };
    match rule {
        Some(rule) => Err(Refusal::new(Class::Address, rule)),
        None => Ok(()),
    }
}

/// Refuses a port that is not on the list.
pub(super) fn judge_port(port: u16, ports: &[u16]) -> Result<(), Refusal> {
    if ports.contains(&port) {
        Ok(())
    } else {
        Err(Refusal::new(Class::Port, "port.not_listed"))
    }
}
