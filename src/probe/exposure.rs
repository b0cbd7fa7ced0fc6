//! A short, fixed list of paths that should not answer, judged by what their
//! content looks like and never by status alone.
//!
//! A control request for a path that nobody has comes first: a site that
//! answers everything alike exposes nothing by it. Only GET, at most twelve
//! requests, 8 KiB of each body. The list stands in `docs/exposure.md`.

use futures_util::future::join_all;
use serde::Serialize;

use super::Failure;
use super::host;
use super::http::{Browser, Web};
use super::http1::{Request, Response};
use crate::guard::{PublicAddr, PublicUrl};

/// Bytes of each body that are looked at.
const BODY_CAP: usize = 8 * 1024;

/// Connections that the list may use up, the page's own included: a server
/// that closes after every response is not asked to the end.
const CONNECTION_LIMIT: usize = 4;

/// One path with the mark of its content.
#[derive(Debug)]
pub struct Listed {
    /// The last part of its finding's id.
    pub id: &'static str,
    /// The path.
    pub path: &'static str,
    /// What it is.
    pub what: &'static str,
    /// Whether a body is the real thing.
    pub signature: fn(&str) -> bool,
}

/// Every path that is asked for, in this order.
pub const LIST: &[Listed] = &[
    Listed {
        id: "git",
        path: "/.git/HEAD",
        what: "a Git repository",
        signature: is_git_head,
    },
    Listed {
        id: "env",
        path: "/.env",
        what: "a file of environment variables",
        signature: is_env_file,
    },
];

/// What one path answered.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The path.
    pub path: String,
    /// Its status, or how it could not be had.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// How one path ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// It answered; `matches` tells whether its content is the real thing.
    Answered {
        /// The status.
        status: u16,
        /// Bytes of body seen.
        bytes: usize,
        /// Whether the content bears the signature.
        matches: bool,
    },
    /// It could not be asked.
    Failed {
        /// Why.
        failure: Failure,
    },
}

/// The control request and every listed path, in the list's order.
#[derive(Clone, Debug, Serialize)]
pub struct Exposure {
    /// A path that nobody has.
    pub control: Answer,
    /// Whether the site answers 200 to a path that nobody has.
    pub answers_everything: bool,
    /// The listed paths.
    pub paths: Vec<Answer>,
}

/// Asks for the control path and the list, pipelined on `web` and, where the
/// server closes it, on at most two connections more.
pub async fn probe(
    browser: &Browser,
    base: &PublicUrl,
    to: &PublicAddr,
    web: Option<Web>,
    nonce: &str,
) -> Exposure {
    let control_path = format!("/netrecon-{nonce}");
    let paths = std::iter::once(control_path.as_str()).chain(LIST.iter().map(|listed| listed.path));
    let urls: Vec<PublicUrl> = paths.filter_map(|path| base.with_path(path).ok()).collect();
    let answers = match host::refuses_sockets(to) {
        true => join_all(urls.iter().map(|url| browser.platform(url, BODY_CAP))).await,
        false => {
            let requests: Vec<Request> = urls
                .iter()
                .map(|url| browser.request(url, BODY_CAP))
                .collect();
            ask_all(browser, base, to, web, &requests).await
        }
    };
    let mut answers = answers.into_iter();

    let mut answer = |path: &str, signature: fn(&str) -> bool| Answer {
        path: path.to_owned(),
        outcome: match answers.next() {
            Some(Ok(response)) => answered(&response, signature),
            Some(Err(failure)) => Outcome::Failed { failure },
            None => Outcome::Failed {
                failure: Failure::Blocked("the connection was closed"),
            },
        },
    };
    let control = answer(&control_path, |_| false);
    let answers_everything = matches!(
        control.outcome,
        Outcome::Answered {
            status: 200..=299,
            ..
        }
    );
    let paths = LIST
        .iter()
        .map(|listed| answer(listed.path, listed.signature))
        .collect();
    Exposure {
        control,
        answers_everything,
        paths,
    }
}

async fn ask_all(
    browser: &Browser,
    base: &PublicUrl,
    to: &PublicAddr,
    mut web: Option<Web>,
    requests: &[Request],
) -> Vec<Result<Response, Failure>> {
    let mut answers = Vec::with_capacity(requests.len());
    for _ in 0..CONNECTION_LIMIT {
        let rest = requests.get(answers.len()..).unwrap_or_default();
        if rest.is_empty() {
            return answers;
        }
        let open = match web.take() {
            Some(open) => Ok(open),
            None => browser.connect(base, to).await,
        };
        match open {
            Ok(mut open) => burst(browser, &mut open, rest, &mut answers).await,
            Err(failure) => {
                answers.push(Err(failure));
                break;
            }
        }
    }
    while answers.len() < requests.len() {
        answers.push(Err(Failure::Blocked(
            "the server closed the connection too often",
        )));
    }
    answers
}

/// Sends everything, reads until the connection gives no more.
async fn burst(
    browser: &Browser,
    web: &mut Web,
    requests: &[Request],
    answers: &mut Vec<Result<Response, Failure>>,
) {
    if web.send(requests).await.is_err() {
        return;
    }
    for request in requests {
        match browser.receive(web, request).await {
            Ok(response) => {
                let goes_on = response.reusable;
                answers.push(Ok(response));
                if !goes_on {
                    return;
                }
            }
            // A deadline says something about this path; a closed connection
            // only that the rest has to be asked on another one.
            Err(Failure::Unreachable(_)) => return,
            Err(failure) => {
                answers.push(Err(failure));
                return;
            }
        }
    }
}

fn answered(response: &Response, signature: fn(&str) -> bool) -> Outcome {
    let text = String::from_utf8_lossy(&response.body);
    Outcome::Answered {
        status: response.status,
        bytes: response.body.len(),
        matches: response.status == 200 && signature(&text),
    }
}

/// `ref: refs/heads/main`, or a bare object name (gitrepository-layout(5)).
fn is_git_head(body: &str) -> bool {
    let line = body.trim_end();
    let is_object = matches!(line.len(), 40 | 64) && line.bytes().all(|b| b.is_ascii_hexdigit());
    line.starts_with("ref: refs/") || is_object
}

/// Lines of `NAME=value`, comments aside, and at least one of them.
fn is_env_file(body: &str) -> bool {
    let mut assignments = 0;
    for line in body.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line.starts_with('#') {
            continue;
        }
        let name = line.split('=').next().unwrap_or_default();
        let name = name.trim_start_matches("export ").trim();
        let is_name = !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && name.bytes().any(|b| b.is_ascii_uppercase());
        if !is_name || !line.contains('=') {
            return false;
        }
        assignments += 1;
    }
    assignments > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_git_head_is_told_from_a_page() {
        assert!(is_git_head("ref: refs/heads/main\n"));
        assert!(is_git_head("4b825dc642cb6eb9a060e54bf8d69288fbee4904\n"));
        assert!(!is_git_head("<!doctype html><p>ref: refs/heads/main"));
        assert!(!is_git_head(""));
    }

    #[test]
    fn an_env_file_is_told_from_a_page_and_from_nothing() {
        assert!(is_env_file(
            "# local\nAPP_KEY=base64:abc=\nexport DB_HOST=db\n"
        ));
        assert!(!is_env_file("<html><a href=x=y>"));
        assert!(!is_env_file("not found"));
        assert!(!is_env_file("# only a comment\n"));
        assert!(!is_env_file(""));
    }
}
