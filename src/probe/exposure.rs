//! A short, fixed list of paths that should not answer, judged by what their
//! content looks like and never by status alone.
//!
//! A control request for a path that nobody has goes along: what the site
//! answers there cannot be the mark of anything. Only GET, at most twelve
//! requests, 8 KiB of each body, of which nothing is kept but what it was
//! recognised by. The list stands in `docs/exposure.md`.

mod signature;

use serde::Serialize;
use url::Url;

use super::Failure;
use super::http1::Response;
use crate::guard::text::clean;
use signature::Sample;

/// Bytes of each body that are looked at.
pub const BODY_CAP: usize = 8 * 1024;

/// Characters kept of where a path leads.
const URL_LIMIT: usize = 160;

/// One path with the mark of its content.
#[derive(Debug)]
pub struct Listed {
    /// The last part of its finding's id.
    pub id: &'static str,
    /// The path.
    pub path: &'static str,
    /// What a body is recognised by, if it is the real thing.
    recognise: fn(&Sample<'_>) -> Option<&'static str>,
}

/// Every path that is asked for. The first two are asked for wherever a
/// server lets us ask at all.
pub const LIST: &[Listed] = &[
    Listed {
        id: "git",
        path: "/.git/HEAD",
        recognise: signature::git_head,
    },
    Listed {
        id: "env",
        path: "/.env",
        recognise: signature::env_file,
    },
    Listed {
        id: "ds_store",
        path: "/.DS_Store",
        recognise: signature::ds_store,
    },
    Listed {
        id: "server_status",
        path: "/server-status",
        recognise: signature::server_status,
    },
    Listed {
        id: "actuator",
        path: "/actuator",
        recognise: signature::actuator,
    },
    Listed {
        id: "phpinfo",
        path: "/phpinfo.php",
        recognise: signature::phpinfo,
    },
    Listed {
        id: "metrics",
        path: "/metrics",
        recognise: signature::metrics,
    },
    Listed {
        id: "openapi",
        path: "/openapi.json",
        recognise: signature::openapi,
    },
    Listed {
        id: "graphql",
        path: "/graphql?query=%7B__schema%7BqueryType%7Bname%7D%7D%7D",
        recognise: signature::graphql,
    },
    Listed {
        id: "backup_sql",
        path: "/backup.sql",
        recognise: signature::sql_dump,
    },
    Listed {
        id: "backup_zip",
        path: "/backup.zip",
        recognise: signature::zip,
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
        /// What it was recognised by.
        #[serde(skip_serializing_if = "Option::is_none")]
        recognised: Option<&'static str>,
        /// Where else the same path is, if that is all that is said of it.
        #[serde(rename = "leadsTo", skip_serializing_if = "Option::is_none")]
        leads_to: Option<String>,
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

/// The path that nobody has.
pub fn control_path(nonce: &str) -> String {
    format!("/netrecon-{nonce}")
}

/// What the answers come to; those of the list in its order.
pub fn judge(
    nonce: &str,
    control: Result<Response, Failure>,
    answers: Vec<Result<Response, Failure>>,
) -> Exposure {
    let body = control.as_ref().map_or(Vec::new(), |r| r.body.clone());
    let paths = LIST
        .iter()
        .zip(answers)
        .map(|(listed, answer)| Answer {
            path: listed.path.to_owned(),
            outcome: outcome(listed.path, answer, |status, seen| {
                let found = (listed.recognise)(&Sample::new(status, seen))?;
                // What a path that nobody has answers too marks nothing.
                let everywhere = (listed.recognise)(&Sample::new(status, &body)).is_some();
                (!everywhere).then_some(found)
            }),
        })
        .collect();
    let path = control_path(nonce);
    let control = outcome(&path, control, |_, _| None);
    Exposure {
        answers_everything: matches!(
            control,
            Outcome::Answered {
                status: 200..=299,
                ..
            }
        ),
        control: Answer {
            path,
            outcome: control,
        },
        paths,
    }
}

/// What cannot be read is not known to be anything.
pub(super) fn undecoded() -> Failure {
    Failure::malformed("a content coding that was not asked for")
}

fn outcome(
    path: &str,
    answer: Result<Response, Failure>,
    recognise: impl Fn(u16, &[u8]) -> Option<&'static str>,
) -> Outcome {
    match answer {
        Ok(response) if response.undecoded => Outcome::Failed {
            failure: undecoded(),
        },
        Ok(response) => {
            let recognised = recognise(response.status, &response.body);
            Outcome::Answered {
                status: response.status,
                bytes: response.body.len(),
                matches: recognised.is_some(),
                recognised,
                leads_to: elsewhere(path, &response),
            }
        }
        Err(failure) => Outcome::Failed { failure },
    }
}

/// The URL that a redirect names, where that is the same path under another
/// scheme, host or port: what is there was not asked for.
fn elsewhere(path: &str, response: &Response) -> Option<String> {
    let location = response
        .field("location")
        .filter(|_| response.redirects())?;
    // Either scheme will do for one that names none: the host is what is read.
    let url = match location.trim() {
        bare if bare.starts_with("//") => Url::parse(&["https:", bare].concat()),
        whole => Url::parse(whole),
    };
    let url = url.ok()?;
    let asked = path.split('?').next().unwrap_or_default();
    let is_same = url.path().trim_end_matches('/') == asked;
    is_same.then(|| clean(url.as_str(), URL_LIMIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Result<Response, Failure> {
        Ok(Response {
            status,
            body: body.as_bytes().to_vec(),
            ..Response::default()
        })
    }

    fn git(exposure: &Exposure) -> &Outcome {
        &exposure.paths[0].outcome
    }

    #[test]
    fn what_a_path_that_nobody_has_answers_too_marks_nothing() {
        let head = "ref: refs/heads/main\n";
        let real = judge("0", answer(404, "no"), vec![answer(200, head)]);
        assert!(matches!(
            git(&real),
            Outcome::Answered { matches: true, .. }
        ));
        let same = judge("0", answer(200, head), vec![answer(200, head)]);
        assert!(same.answers_everything);
        assert!(matches!(
            git(&same),
            Outcome::Answered { matches: false, .. }
        ));
    }

    #[test]
    fn a_failure_says_nothing_about_the_path() {
        let exposure = judge("0", answer(404, ""), vec![Err(Failure::TimedOut)]);
        assert!(matches!(git(&exposure), Outcome::Failed { .. }));
        assert!(!exposure.answers_everything);
    }

    #[test]
    fn the_list_stays_within_twelve_requests_and_its_ids_differ() {
        assert!(LIST.len() < 12);
        for (at, listed) in LIST.iter().enumerate() {
            assert!(listed.path.starts_with('/'));
            assert!(LIST[..at].iter().all(|other| other.id != listed.id));
        }
    }
}
