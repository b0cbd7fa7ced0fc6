//! Marks that stand for themselves, wherever in a text: of a model's own prompt
//! format, and of talk that ordinary text seldom has.

use super::glance::{Seen, seen};
use super::{STRONG, WEAK};

/// The weight of the marks in `text`, in which `seen` is.
pub(super) fn weight_of(text: &str, seen: &Seen) -> usize {
    if TEMPLATES.count(text, seen) > 0 {
        return STRONG;
    }
    (PHRASES.count(text, seen) + TERMS.count(text, seen)) * WEAK
}

/// Marks, each of which has one of a few characters: most texts have none.
struct Marks {
    telling: Seen,
    marks: &'static [Mark],
}

impl Marks {
    const fn of(telling: &str, marks: &'static [Mark]) -> Marks {
        let telling = seen(telling.as_bytes());
        let mut at = 0;
        while at < marks.len() {
            assert!(marks[at].seen.shares(&telling));
            at += 1;
        }
        Marks { telling, marks }
    }

    /// How many are in `text`, in which `seen` is.
    fn count(&self, text: &str, seen: &Seen) -> usize {
        if !seen.shares(&self.telling) {
            return 0;
        }
        let has = |mark: &&Mark| mark.seen.is_within(seen) && mark.is_in(text.as_bytes());
        self.marks.iter().filter(has).count()
    }
}

/// A text to look for, in either case.
struct Mark {
    text: &'static str,
    /// What a text with it has: few others have.
    seen: Seen,
}

impl Mark {
    const fn of(text: &'static str) -> Mark {
        let seen = seen(text.as_bytes());
        Mark { text, seen }
    }

    fn is_in(&self, text: &[u8]) -> bool {
        let mark = self.text.as_bytes();
        let is_here = |here: &[u8]| {
            here[0].to_ascii_lowercase() == mark[0] && here.eq_ignore_ascii_case(mark)
        };
        text.windows(mark.len()).any(is_here)
    }
}

macro_rules! marks {
    ($telling:literal: $($text:literal),* $(,)?) => {
        Marks::of($telling, &[$(Mark::of($text)),*])
    };
}

/// Marks of a model's own prompt format: nothing else has a use for them.
const TEMPLATES: Marks = marks![
    "<[#\"":
    "<|im_start|>",
    "<|im_end|>",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<|begin_of_text|>",
    "<|start_header_id|>",
    "<start_of_turn>",
    "<end_of_turn>",
    "[inst]",
    "[/inst]",
    "<<sys>>",
    "<</sys>>",
    "### instruction",
    "### system",
    "### assistant",
    "### human",
    "<system>",
    "</system>",
    "<system-reminder>",
    "<system_prompt>",
    "<tool_call>",
    "<function_calls>",
    "<important>",
    "\"role\": \"system\"",
    "\"role\":\"system\"",
];

/// Phrases that ordinary text has too, though seldom.
const PHRASES: Marks = marks![
    " ":
    "do anything now",
    "takes precedence",
    "takes priority",
    "priority over",
    "unrestricted access",
    "elevated privileges",
    "admin access",
    "rm -rf",
    "system prompt",
    "prompt injection",
    "regardless of input",
    "decode and execute",
    "no matter what the user",
    "code snippet",
    "the below code",
    "not print anything",
    "respond in",
    "hidden instruction",
    "final result of",
];

/// The like, without a space.
const TERMS: Marks = marks![
    "<:_(~jxw":
    "<!--",
    "system:",
    "assistant:",
    "jailbr",
    "exfiltrat",
    "/etc/passwd",
    "~/.ssh",
    "mcp.json",
    "execute:",
    "popen(",
    "print(",
    "eval(",
    "__class__",
];

/// Every mark's text.
#[cfg(test)]
pub(super) fn all() -> Vec<&'static str> {
    let lists = [TEMPLATES, PHRASES, TERMS];
    let marks = lists.iter().flat_map(|list| list.marks);
    marks.map(|mark| mark.text).collect()
}
