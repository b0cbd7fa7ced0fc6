//! The name system of the lab: an internet's worth of DNS in one process, offline.
//!
//! Three tiers of authoritative servers (root, registries, hosters) answer on the public-looking
//! addresses of `zones/zones.json`, over UDP and TCP. The chain of trust is real: every signed zone
//! has its own key, its parent holds the DS, and a fresh root key is the trust anchor of the
//! validating resolver. That resolver walks the tiers like any other and has two faces: plain DNS
//! on 127.0.0.1:53 for the system's stub resolver, and DNS over HTTPS (RFC 8484, HTTP/1.1 without
//! TLS on the loopback) for the Worker.
//!
//! Usage: `netrecon-lab-dns --zones DIR --state DIR [--values FILE] --http ADDR:PORT`. It touches
//! nothing but these folders and sockets of the network namespace it is started in.

mod authority;
mod capture;
mod control;
mod doh;
mod garble;
mod labels;
mod mischief;
mod resolver;
mod server;
mod store;
mod zones;

use std::{net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::{Context, Result, bail};

use crate::{control::Control, mischief::Mischief, resolver::Resolver, zones::Internet};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("netrecon-lab-dns: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    let options = Options::parse(std::env::args().skip(1))?;
    let control = Arc::new(Control::from_env()?);
    let internet = Internet::load(&options.zones, options.values.as_deref())?;
    let mischief = Arc::new(Mischief::new(&internet.mischief, control.clone())?);

    let resolver = Arc::new(Resolver::new(&internet, &options.state, mischief.clone()).await?);
    let mut servers = server::authoritative(internet, &mischief, &control).await?;
    servers.push(server::stub(resolver.clone(), &control).await?);

    doh::serve(options.http, resolver, control).await
}

/// The command line.
struct Options {
    zones: PathBuf,
    state: PathBuf,
    values: Option<PathBuf>,
    http: SocketAddr,
}

impl Options {
    fn parse(mut args: impl Iterator<Item = String>) -> Result<Self> {
        let (mut zones, mut state, mut values, mut http) = (None, None, None, None);
        while let Some(flag) = args.next() {
            let value = args
                .next()
                .with_context(|| format!("{flag} needs a value"))?;
            match flag.as_str() {
                "--zones" => zones = Some(value.into()),
                "--state" => state = Some(value.into()),
                "--values" => values = Some(value.into()),
                "--http" => http = Some(value.parse().context("--http takes ADDRESS:PORT")?),
                _ => bail!("unknown option {flag}"),
            }
        }
        Ok(Self {
            zones: zones.context("--zones DIR is missing")?,
            state: state.context("--state DIR is missing")?,
            values,
            http: http.context("--http ADDRESS:PORT is missing")?,
        })
    }
}
