//! Answers that are wrong on purpose. Every first label under `lab-garbled.net` names one way in
//! which a DoH server, or whoever sits before it, can fail its client.

use std::time::Duration;

/// The zone whose names select a fault.
pub const ZONE: &str = "lab-garbled.net";

/// An HTTP answer of the DoH front.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The media type.
    pub media_type: &'static str,
    /// Where a redirect points.
    pub location: Option<&'static str>,
    /// The content.
    pub body: Vec<u8>,
    /// How long it is held back, beside the lab's delay.
    pub hold: Duration,
}

impl Answer {
    /// An ordinary DNS message.
    pub fn message(body: Vec<u8>) -> Self {
        Self {
            status: 200,
            media_type: "application/dns-message",
            location: None,
            body,
            hold: Duration::ZERO,
        }
    }

    fn text(status: u16, media_type: &'static str, body: &str) -> Self {
        Self {
            status,
            media_type,
            ..Self::message(body.as_bytes().to_vec())
        }
    }
}

/// Spoils a good answer as the queried name asks, or gives it back as it is.
pub fn spoil(name: &str, good: Vec<u8>) -> Answer {
    let fault = name
        .strip_suffix(ZONE)
        .and_then(|labels| labels.strip_suffix('.'))
        .map_or("", |labels| labels.rsplit('.').next().unwrap_or_default());
    match fault {
        "wrong-id" => Answer::message(wrong_id(good)),
        "wrong-question" => Answer::message(wrong_question(good)),
        "not-a-response" => Answer::message(not_a_response(good)),
        "name-loop" => Answer::message(name_loop(good)),
        "forward-pointer" => Answer::message(forward_pointer(good)),
        "cut-header" => Answer::message(cut(good, 7)),
        "cut-answer" => {
            let short = good.len().saturating_sub(9);
            Answer::message(cut(good, short))
        }
        "flag-tc" => Answer::message(truncated(good)),
        "count-lie" => Answer::message(count_lie(good)),
        "empty" => Answer::message(Vec::new()),
        "noise" => Answer::message((0..200_u8).map(|byte| byte.wrapping_mul(167)).collect()),
        "huge" => Answer::message([good, vec![0; 300_000]].concat()),
        "http-503" => Answer::text(503, "text/plain", "upstream is down\n"),
        "http-429" => Answer::text(429, "text/plain", "slow down\n"),
        "html" => Answer::text(
            200,
            "text/html",
            "<!doctype html><title>Log in to the Wi-Fi</title>",
        ),
        "wrong-type" => Answer {
            media_type: "text/html",
            ..Answer::message(good)
        },
        "redirect" => Answer {
            status: 302,
            location: Some("http://169.254.169.254/latest/meta-data/"),
            ..Answer::message(Vec::new())
        },
        "slow" => Answer {
            hold: Duration::from_secs(4),
            ..Answer::message(good)
        },
        "never" => Answer {
            hold: Duration::from_secs(120),
            ..Answer::message(good)
        },
        _ => Answer::message(good),
    }
}

fn wrong_id(mut message: Vec<u8>) -> Vec<u8> {
    message.iter_mut().take(2).for_each(|byte| *byte = !*byte);
    message
}

/// Changes a letter of the echoed question, and with it of every name that points there.
fn wrong_question(mut message: Vec<u8>) -> Vec<u8> {
    if let Some(letter) = message.get_mut(13) {
        *letter = if *letter == b'x' { b'y' } else { b'x' };
    }
    message
}

/// Clears QR: a question sent back as the answer.
fn not_a_response(mut message: Vec<u8>) -> Vec<u8> {
    if let Some(flags) = message.get_mut(2) {
        *flags &= 0x7f;
    }
    message
}

/// One answer whose owner name is a compression pointer to itself.
fn name_loop(message: Vec<u8>) -> Vec<u8> {
    let (mut message, at) = question_only(message);
    message.extend([0xc0 | (at >> 8) as u8, at as u8]);
    message.extend(a_record_tail());
    message
}

/// One answer whose owner name points behind the end of the message.
fn forward_pointer(message: Vec<u8>) -> Vec<u8> {
    let (mut message, _) = question_only(message);
    message.extend([0xff, 0xff]);
    message.extend(a_record_tail());
    message
}

/// Sets TC and leaves only the question.
fn truncated(message: Vec<u8>) -> Vec<u8> {
    let (mut message, _) = question_only(message);
    if let Some(flags) = message.get_mut(2) {
        *flags |= 0x02;
    }
    set_count(&mut message, 6, 0);
    message
}

/// Claims 65535 answers.
fn count_lie(mut message: Vec<u8>) -> Vec<u8> {
    set_count(&mut message, 6, u16::MAX);
    message
}

fn cut(mut message: Vec<u8>, length: usize) -> Vec<u8> {
    message.truncate(length);
    message
}

/// Header and question of a message whose counts say one question and one answer, and where the
/// answer would begin.
fn question_only(mut message: Vec<u8>) -> (Vec<u8>, usize) {
    let name: usize = message[12..]
        .iter()
        .position(|byte| *byte == 0)
        .map_or(0, |end| end + 1);
    let end = (12 + name + 4).min(message.len());
    message.truncate(end);
    for (at, count) in [(4, 1), (6, 1), (8, 0), (10, 0)] {
        set_count(&mut message, at, count);
    }
    (message, end)
}

fn set_count(message: &mut [u8], at: usize, count: u16) {
    if let Some(field) = message.get_mut(at..at + 2) {
        field.copy_from_slice(&count.to_be_bytes());
    }
}

/// Type A, class IN, one minute, 93.184.216.34.
fn a_record_tail() -> [u8; 14] {
    [0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 93, 184, 216, 34]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a.b` A, answered with nothing.
    fn message() -> Vec<u8> {
        let mut bytes = vec![0x12, 0x34, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 1];
        bytes.extend([1, b'a', 1, b'b', 0, 0, 1, 0, 1]);
        bytes.extend([0xc0, 12]);
        bytes.extend(a_record_tail());
        bytes
    }

    #[test]
    fn a_name_outside_the_zone_is_left_alone() {
        let answer = spoil("wrong-id.lab-good.com", message());
        assert_eq!(answer.body, message());
    }

    #[test]
    fn the_fault_is_the_label_below_the_zone() {
        assert_eq!(spoil("http-503.lab-garbled.net", message()).status, 503);
        assert_eq!(spoil("www.http-503.lab-garbled.net", message()).status, 503);
        assert_eq!(spoil("lab-garbled.net", message()).status, 200);
    }

    #[test]
    fn a_looping_name_points_at_itself() {
        let body = spoil("name-loop.lab-garbled.net", message()).body;
        let at = 12 + 5 + 4;
        assert_eq!(&body[at..at + 2], &[0xc0, at as u8]);
    }

    #[test]
    fn another_id_is_another_id() {
        assert_ne!(
            spoil("wrong-id.lab-garbled.net", message()).body[..2],
            message()[..2]
        );
    }
}
