//! `analyze`: everything the probes can learn about one public host, and what
//! it means.

use std::rc::Rc;
use std::time::Duration;

use futures_util::future::{Either, select};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{Errand, Log, Spec, World};
use crate::check;
use crate::error::{Code, Error};
use crate::guard::PublicUrl;
use crate::guard::text::clean;
use crate::probe::Failure;
use crate::probe::agent::SERVICE;
use crate::probe::dns::Status;
use crate::probe::host::Resolution;
use crate::probe::net::Net;
use crate::probe::origin;
use crate::probe::plan::{Probes, Run};
use crate::probe::render;
use crate::probe::wishes::Wish;
use crate::report::{Canonical, Coverage, Report, Summary, Target, ThirdParty, Vantage, new_id};

mod coverage;
mod cut;
mod progress;
mod summary;

use progress::Progress;

/// The tool.
pub(super) struct Analyze;

/// What the caller sends.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Args {
    /// A public host name, or an http or https URL.
    #[schemars(length(min = 1, max = 2048), extend("examples" = ["example.com", "https://example.com/login"]))]
    target: String,
    /// `summary` keeps the answer under 14 KB; `full` has the measurements, under 35 KB.
    #[serde(default)]
    #[schemars(extend("default" = "summary", "examples" = ["summary"]))]
    detail: Detail,
}

/// How much of the measurements the answer carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Detail {
    #[default]
    Summary,
    Full,
}

/// What is run.
pub(super) struct Plan {
    asked: String,
    url: PublicUrl,
    detail: Detail,
}

impl Spec for Analyze {
    const NAME: &'static str = "analyze";
    const TITLE: &'static str = "Analyze a host";
    const DESCRIPTION: &'static str = "Run DNS, HTTP, TLS and exposure probes against a public hostname. \
        Returns JSON. Read-only. It contacts the host and a public DNS resolver and changes nothing; \
        for single records use lookup.";
    const OPEN_WORLD: bool = true;
    const LOG: &'static [(&'static str, Log)] = &[("target", Log::Target), ("detail", Log::Word)];
    const EXAMPLE: &'static str = r#"{"target":"example.com"}"#;
    const SCHEMAS: &'static str = include_str!("schema/analyze.json");
    type Args = Args;
    type Plan = Plan;
    type Output = Report;

    fn judge(args: Args, world: &World) -> Result<Plan, Error> {
        let url = world.guard.validate_target(&args.target)?;
        Ok(Plan {
            asked: clean(&args.target, 256),
            url,
            detail: args.detail,
        })
    }

    fn target(plan: &Plan) -> Option<String> {
        Some(plan.url.host().to_owned())
    }

    async fn run(plan: Plan, errand: Errand) -> Result<Report, Error> {
        let world = &errand.world;
        let net = Net::new(
            Rc::clone(&world.network),
            Rc::clone(&world.clock),
            Rc::clone(&world.signatures),
            Rc::clone(&world.config),
            Rc::clone(&errand.subrequests),
        );
        let mut nonce = [0_u8; 8];
        world.random.fill(&mut nonce);
        let nonce = nonce.iter().map(|byte| format!("{byte:02x}")).collect();
        let progress = Progress::begin(&errand);
        let run = Run::new(net, Rc::clone(&world.guard), plan.url.clone(), nonce)
            .watched(progress.as_ref().map(Progress::watch));
        let probes = run.go().await;
        if let Some(progress) = progress {
            progress.close();
        }
        refuse_or_fail(&probes)?;

        let mut report = report(&plan, world, &probes);
        store(&mut report, &errand).await;
        let bound = match plan.detail {
            Detail::Full => &summary::FULL,
            Detail::Summary => &summary::SUMMARY,
        };
        Ok(summary::of(report, bound))
    }
}

/// A host that may not be touched, and a resolver that said nothing at all,
/// are the call's own end.
fn refuse_or_fail(probes: &Probes) -> Result<(), Error> {
    if probes.wish == Some(Wish::None) {
        return Err(Error {
            reason: Some("opt_out"),
            ..Error::new(
                Code::TargetRefused,
                "The owner of this name asks not to be probed; ask the owner, or use lookup for its records.",
            )
        });
    }
    if let Some(Resolution::Refused(refusal)) = &probes.resolution {
        return Err((*refusal).into());
    }
    let asked = probes.url.name().is_some();
    let silent = probes
        .dns
        .values()
        .all(|exchange| exchange.status == Status::Unanswered);
    if !asked || !silent {
        return Ok(());
    }
    let late = probes
        .dns
        .values()
        .all(|exchange| exchange.failure == Some(Failure::TimedOut));
    let cause = probes
        .dns
        .values()
        .find_map(|exchange| exchange.failure.as_ref());
    let cause = cause.map_or_else(|| Failure::TimedOut.clause(), Failure::clause);
    Err(match late {
        true => Error::new(
            Code::UpstreamTimeout,
            "The DNS resolver did not answer in time; try again in a minute.",
        ),
        false => Error::new(
            Code::UpstreamError,
            "The DNS resolver gave no usable answer; try again in a minute.",
        ),
    }
    .because(cause))
}

fn report(plan: &Plan, world: &World, probes: &Probes) -> Report {
    let rendered = render::probes(probes);
    let findings = check::run(probes, &rendered);
    Report {
        id: None,
        expires_at: None,
        target: Target {
            asked: plan.asked.clone(),
            used: plan.url.as_str().to_owned(),
            host: plan.url.host().to_owned(),
        },
        time: at(probes.now_ms),
        vantage: Vantage {
            service: String::from(SERVICE),
            colo: world.colo.clone(),
            resolver: world.config.doh.host().to_owned(),
        },
        coverage: coverage::of(probes),
        summary: Summary::of(&findings),
        header_score: check::header_score(probes),
        findings,
        probes: rendered,
        third_parties: third_parties(world, probes),
        omitted: Vec::new(),
    }
}

/// Everybody else who learned of the target. A literal address is told to
/// the resolver too, as the name that leads back from it.
fn third_parties(world: &World, probes: &Probes) -> Vec<ThirdParty> {
    let party = |host: &str, purpose: &str| ThirdParty {
        host: host.to_owned(),
        purpose: purpose.to_owned(),
    };
    let mut parties = vec![party(world.config.doh.host(), "DNS over HTTPS")];
    if probes.origin.is_some() {
        parties.push(party(origin::SERVICE, "origin network, over DNS"));
    }
    let searched = !matches!(
        probes.ct,
        Some(Err(Failure::Skipped(_)
            | Failure::Blocked(_)
            | Failure::OutOfBudget))
    );
    if let Some(ct) = world.config.ct.as_ref().filter(|_| searched) {
        parties.push(party(ct.host(), "certificate transparency search"));
    }
    if let Some(rdap) = &world.config.rdap {
        parties.push(party(rdap.host(), "registration data"));
    }
    parties
}

fn at(unix_ms: u64) -> String {
    render::rfc3339(i64::try_from(unix_ms / 1000).unwrap_or(i64::MAX))
}

/// What the store may take: the answer is ready and does not wait for more.
const STORE_LIMIT: Duration = Duration::from_millis(1_500);

/// Stores the whole report under a fresh id. A report that could not be
/// stored is still an answer; it just has no id.
async fn store(report: &mut Report, errand: &Errand) {
    let world = &errand.world;
    let ttl = Duration::from_secs(world.config.report_ttl_seconds.into());
    // The measurements are most of a report: lent, not copied.
    let probes = std::mem::take(&mut report.probes);
    let Ok(mut stored) = serde_json::to_value(&*report) else {
        report.probes = probes;
        return;
    };
    stored["probes"] = probes;
    let expires_at = at(world.clock.now_ms() + ttl.as_millis() as u64);
    stored["id"] = json!("");
    stored["expiresAt"] = json!(expires_at);
    let canonical = Canonical::of(&stored);
    let id = new_id(&canonical.digest(), &*world.random);
    let json = canonical.identified(&id);
    report.probes = stored["probes"].take();
    drop(stored);
    errand.subrequests.set(errand.subrequests.get() + 1);
    let put = world.reports.put(&id, json, ttl);
    let put = select(put, world.clock.sleep(STORE_LIMIT)).await;
    if matches!(put, Either::Left((Ok(()), _))) {
        drop(put);
        report.id = Some(id);
        report.expires_at = Some(expires_at);
    }
}
