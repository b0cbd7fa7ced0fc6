//! What is asked of a host beside its page: the listed paths, the files that
//! sites publish for others, and the page once more as a stranger's script
//! would ask for it.
//!
//! All of it is one list of requests, most telling first, pipelined on the
//! page's own connection. Where a server closes after every answer, or the
//! platform's client has to fetch, each costs a subrequest; then the list is
//! asked only as far as [`COST_LIMIT`].

use futures_util::future::join_all;

use super::Failure;
use super::exposure::{self, Exposure};
use super::files::{self, Files};
use super::host;
use super::http::{Browser, Web};
use super::http1::{Request, Response};
use crate::guard::{PublicAddr, PublicUrl};

/// Connections or fetches that the list may cost beyond the page's own.
const COST_LIMIT: usize = 5;

/// The origin that a stranger's script would come from: a name that cannot
/// exist (RFC 6761 section 6.4).
pub const FOREIGN_ORIGIN: &str = "https://netrecon.invalid";

/// Bytes kept of the page that is asked for as a stranger.
const FOREIGN_CAP: usize = 1024;

/// What sandboxed frames and local files send as their origin.
pub const NULL_ORIGIN: &str = "null";

/// An origin of somebody else's that begins and ends like the site's own, for
/// servers that compare a part of it. An address has none.
pub fn lookalike(url: &PublicUrl) -> Option<String> {
    url.name().map(lookalike_of)
}

/// [`lookalike`] for a name.
pub fn lookalike_of(host: &str) -> String {
    ["https://", host, ".netrecon", host].concat()
}

/// The heads of the page as strangers are given it, each by its `Origin`.
#[derive(Clone, Debug)]
pub struct Foreign {
    /// [`FOREIGN_ORIGIN`].
    pub any: Result<Response, Failure>,
    /// [`NULL_ORIGIN`].
    pub null: Result<Response, Failure>,
    /// [`lookalike`].
    pub lookalike: Result<Response, Failure>,
}

impl Foreign {
    /// Nobody was asked as, for one reason.
    pub fn failed(failure: &Failure) -> Foreign {
        let failed = || Err(failure.clone());
        Foreign {
            any: failed(),
            null: failed(),
            lookalike: failed(),
        }
    }
}

/// Answers to the whole list.
#[derive(Clone, Debug)]
pub struct Errands {
    /// The listed paths.
    pub exposure: Exposure,
    /// The files for others.
    pub files: Files,
    /// The page as strangers are given it.
    pub foreign: Foreign,
}

/// One request of the list.
#[derive(Clone, Copy)]
enum Errand {
    Control,
    Listed(usize),
    File(usize),
    Foreign,
    Null,
    Lookalike,
}

/// The order of asking: what a server that closes every connection is still
/// asked comes first. A long page may end the connection, so what is asked of
/// it again comes last.
fn order() -> Vec<Errand> {
    let first = [
        Errand::Control,
        Errand::Listed(0),
        Errand::Listed(1),
        Errand::File(0),
        Errand::Foreign,
    ];
    let files = (1..files::LIST.len()).map(Errand::File);
    let listed = (2..exposure::LIST.len()).map(Errand::Listed);
    let again = [Errand::Null, Errand::Lookalike];
    let rest = files.chain(listed).chain(again);
    first.into_iter().chain(rest).collect()
}

/// Asks the whole list of `base`'s host, on `web` and, where the server
/// closes it, on a few connections more.
pub async fn run(
    browser: &Browser,
    base: &PublicUrl,
    to: &PublicAddr,
    web: Option<Web>,
    nonce: &str,
) -> Errands {
    let errands: Vec<(Errand, PublicUrl)> = order()
        .into_iter()
        .filter_map(|errand| Some((errand, url(base, errand, nonce)?)))
        .collect();
    let requests: Vec<Request> = errands
        .iter()
        .map(|(errand, url)| request(browser, *errand, url))
        .collect();
    let answers = match host::refuses_sockets(to) {
        true => fetch_all(browser, &errands).await,
        false => ask_all(browser, base, to, web, &requests).await,
    };
    sorted(&errands, answers, nonce, browser.net.now_ms())
}

fn url(base: &PublicUrl, errand: Errand, nonce: &str) -> Option<PublicUrl> {
    let path = match errand {
        Errand::Control => exposure::control_path(nonce),
        Errand::Listed(at) => exposure::LIST.get(at)?.path.to_owned(),
        Errand::File(at) => files::LIST.get(at)?.path.to_owned(),
        Errand::Foreign | Errand::Null => return Some(base.clone()),
        Errand::Lookalike => return base.name().map(|_| base.clone()),
    };
    base.with_path(&path).ok()
}

fn request(browser: &Browser, errand: Errand, url: &PublicUrl) -> Request {
    let cap = match errand {
        Errand::Control | Errand::Listed(_) => exposure::BODY_CAP,
        Errand::File(_) => files::BODY_CAP,
        Errand::Foreign | Errand::Null | Errand::Lookalike => FOREIGN_CAP,
    };
    let mut request = browser.request(url, cap);
    let origin = match errand {
        Errand::Foreign => Some(FOREIGN_ORIGIN.to_owned()),
        Errand::Null => Some(NULL_ORIGIN.to_owned()),
        Errand::Lookalike => lookalike(url),
        _ => None,
    };
    request
        .fields
        .extend(origin.map(|origin| ("Origin", origin)));
    request
}

/// Gives every answer its place; what was not asked for is out of budget.
fn sorted(
    errands: &[(Errand, PublicUrl)],
    answers: Vec<Result<Response, Failure>>,
    nonce: &str,
    now_ms: u64,
) -> Errands {
    let unasked = || Err(Failure::OutOfBudget);
    let mut control = unasked();
    let mut foreign = Foreign::failed(&Failure::OutOfBudget);
    if !errands
        .iter()
        .any(|(errand, _)| matches!(errand, Errand::Lookalike))
    {
        foreign.lookalike = Err(Failure::Skipped("no name looks like an address"));
    }
    let mut listed: Vec<_> = exposure::LIST.iter().map(|_| unasked()).collect();
    let mut found: Vec<_> = files::LIST.iter().map(|_| unasked()).collect();
    for ((errand, _), answer) in errands.iter().zip(answers) {
        let place = match *errand {
            Errand::Control => Some(&mut control),
            Errand::Foreign => Some(&mut foreign.any),
            Errand::Null => Some(&mut foreign.null),
            Errand::Lookalike => Some(&mut foreign.lookalike),
            Errand::Listed(at) => listed.get_mut(at),
            Errand::File(at) => found.get_mut(at),
        };
        if let Some(place) = place {
            *place = answer;
        }
    }
    let everywhere = control.as_ref().ok().map(|answer| {
        let path = exposure::control_path(nonce);
        files::Everywhere::of(&path, answer)
    });
    Errands {
        files: files::read(found, everywhere.as_ref(), now_ms),
        exposure: exposure::judge(nonce, control, listed),
        foreign,
    }
}

async fn fetch_all(
    browser: &Browser,
    errands: &[(Errand, PublicUrl)],
) -> Vec<Result<Response, Failure>> {
    let asked = errands.iter().take(COST_LIMIT).map(|(errand, url)| {
        let request = request(browser, *errand, url);
        async move { browser.platform_as(url, &request).await }
    });
    join_all(asked).await
}

/// As many answers as could be had, in order.
async fn ask_all(
    browser: &Browser,
    base: &PublicUrl,
    to: &PublicAddr,
    mut web: Option<Web>,
    requests: &[Request],
) -> Vec<Result<Response, Failure>> {
    let (mut answers, mut cost) = (Vec::with_capacity(requests.len()), 0);
    while answers.len() < requests.len() {
        let rest = requests.get(answers.len()..).unwrap_or_default();
        let open = match web.take() {
            Some(open) => Ok(open),
            None if cost == COST_LIMIT => break,
            None => {
                cost += 1;
                browser.connect(base, to).await
            }
        };
        match open {
            Ok(mut open) => {
                let ended = burst(browser, &mut open, rest, &mut answers).await;
                if let Err(failure) = ended {
                    answers.resize(requests.len(), Err(failure));
                }
            }
            Err(failure) => answers.resize(requests.len(), Err(failure)),
        }
    }
    answers
}

/// Sends everything, reads until the connection gives no more. A server that
/// keeps us waiting is asked nothing further: the call has other things to do.
async fn burst(
    browser: &Browser,
    web: &mut Web,
    requests: &[Request],
    answers: &mut Vec<Result<Response, Failure>>,
) -> Result<(), Failure> {
    if web.send(requests).await.is_err() {
        return Ok(());
    }
    for request in requests {
        match browser.receive(web, request).await {
            Ok(response) => {
                let goes_on = response.reusable;
                answers.push(Ok(response));
                if !goes_on {
                    return Ok(());
                }
            }
            Err(Failure::TimedOut) => return Err(Failure::TimedOut),
            // A closed connection says only that the rest has to be asked on
            // another one; anything else says something about this path.
            Err(Failure::Unreachable(_)) => return Ok(()),
            Err(failure) => {
                answers.push(Err(failure));
                return Ok(());
            }
        }
    }
    Ok(())
}
