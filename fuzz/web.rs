//! What holds for everything that a web server or a registry may answer:
//! one function per fuzz target. The targets call these under libFuzzer;
//! `tests/analyze/fuzzed.rs` calls them on the seeds and on what is bent from
//! them, in every test run.

#![allow(dead_code)] // each target calls one of them

use std::io::Cursor;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use netrecon::probe::http1::{Connection, FIELD_CAP, Request};
use netrecon::probe::{html, registration};

/// Bytes of body that the reader below keeps.
const CAP: usize = 1_000;

/// Lists have caps, texts are clean and short, whatever the page.
pub fn page(body: &[u8]) {
    let contents = html::read(body, "text/html", "https://www.example.com/dir/page");
    assert!(contents.scripts.len() <= 32 && contents.plain.len() <= 32);
    assert!(contents.scripts.len() <= contents.script_count);
    let texts = contents
        .plain
        .iter()
        .map(|plain| plain.url.as_str())
        .chain(contents.scripts.iter().map(|script| script.url.as_str()))
        .chain(contents.title.as_deref())
        .chain(contents.generator.as_deref());
    for text in texts {
        assert!(text.chars().count() <= 256 && !text.contains(char::is_control));
    }
    assert!(
        contents
            .plain
            .iter()
            .all(|plain| plain.url.starts_with("http:"))
    );
}

/// A reader of responses comes to an end, keeps no more than it may, and
/// gives the same for the same bytes, however the body is framed.
pub fn responses(bytes: &[u8]) {
    let request = Request {
        path: String::from("/"),
        authority: String::from("example.com"),
        fields: Vec::new(),
        cap: CAP,
        keep_alive: true,
    };
    let mut connection = Connection::new(Cursor::new(bytes.to_vec()));
    // Each response takes at least its head out of the bytes.
    for _ in 0..=bytes.len() {
        let Some(Ok(mut response)) = at_once(connection.head()) else {
            return;
        };
        assert!(response.fields.len() <= FIELD_CAP);
        if !matches!(
            at_once(connection.body(&request, &mut response)),
            Some(Ok(()))
        ) {
            return;
        }
        response.finish(CAP);
        assert!(response.body.len() <= CAP);
        if !response.reusable {
            return;
        }
    }
}

/// A registry's answer becomes short, clean members or nothing.
pub fn rdap(body: &[u8]) {
    let Ok(found) = registration::read(body) else {
        return;
    };
    let lists = [&found.range, &found.object_status, &found.name_servers];
    assert!(lists.iter().all(|list| list.len() <= 32));
    let members = [
        &found.registrar,
        &found.holder,
        &found.abuse,
        &found.country,
    ];
    let texts = lists
        .into_iter()
        .flatten()
        .chain(members.into_iter().flatten());
    for text in texts {
        assert!(text.chars().count() <= 160 && !text.contains(char::is_control));
    }
}

/// The result of work that never waits: all its bytes are there.
fn at_once<T>(work: impl Future<Output = T>) -> Option<T> {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    }
}
