//! A surface's reply, as the platform sends it.

use futures_util::StreamExt;
use worker::web_sys::Response;
use worker::{Context, Result};

use super::glue;
use crate::surface::{Body, Live, Reply};

/// The reply in one crossing, or as a stream where it is still being written.
pub fn respond(reply: Reply, context: &Context) -> Result<Response> {
    let (body, kept): (&[u8], _) = match &reply.body {
        Body::Empty => (&[], false),
        Body::Static(bytes) => (bytes, false),
        Body::Text(text) => (text.as_bytes(), false),
        Body::Shared(text) => (text.as_bytes(), true),
        Body::Live(_) => return stream(reply, context),
    };
    let fields = reply.headers.iter();
    let lines = glue::lines(fields.map(|(name, value)| (*name, value.as_ref())));
    Ok(match kept {
        // Shared text stays where it is as long as the isolate lives.
        true => glue::reply_kept(reply.status, &lines, body.as_ptr() as usize, body)?,
        false => glue::reply(reply.status, &lines, body)?,
    })
}

fn stream(reply: Reply, context: &Context) -> Result<Response> {
    let mut response = match reply.body {
        Body::Live(Live { chunks, work }) => {
            // The call goes on, and is recorded, also when its reader leaves.
            if let Some(work) = work {
                context.wait_until(work);
            }
            worker::Response::from_stream(
                chunks.map(|text| -> Result<_> { Ok(text.into_bytes()) }),
            )?
        }
        _ => worker::Response::empty()?,
    }
    .with_status(reply.status);
    let headers = response.headers_mut();
    for (name, value) in &reply.headers {
        headers.set(name, value)?;
    }
    Ok(response.into())
}
