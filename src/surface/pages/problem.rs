//! A typed error as a person reads it: what happened, and what to do instead.

use maud::{Markup, html};

use crate::error::{Code, Error};

/// The error as a notice inside a page that has a heading of its own.
pub(super) fn notice(error: &Error) -> Markup {
    framed(error, html! { h2 { (heading(error)) } })
}

/// The error as what a page is about.
pub(super) fn subject(error: &Error) -> Markup {
    framed(error, html! { h1 { (heading(error)) } })
}

fn framed(error: &Error, heading: Markup) -> Markup {
    html! {
        section.notice.{ (tone(error.code)) } role="alert" data-retry-after=[error.retry_after] {
            (heading)
            p { (error.message) }
            p.quiet {
                code { (error.code.as_str()) }
                @if let Some(reason) = error.reason { " · reason " code { (reason) } }
                @if let Some(field) = &error.field { " · field " code { (field) } }
            }
        }
    }
}

fn heading(error: &Error) -> &'static str {
    match error.code {
        Code::InvalidInput => "This cannot be read",
        Code::TargetRefused => "This target is not probed",
        Code::RateLimited => "Enough for the moment",
        Code::PayloadTooLarge => "Too large",
        Code::UnsupportedMediaType => "Not the expected format",
        Code::NotFound => "Not here",
        Code::MethodNotAllowed => "Not this way",
        Code::UpstreamError => "Nothing usable came back",
        Code::UpstreamTimeout => "No answer in time",
        Code::Unavailable => "Not available just now",
        Code::InternalError => "Our mistake",
    }
}

/// Waiting and refusing are no failures, and do not look like one.
fn tone(code: Code) -> &'static str {
    match code {
        Code::RateLimited | Code::Unavailable => "wait",
        Code::TargetRefused | Code::NotFound => "stop",
        _ => "wrong",
    }
}
