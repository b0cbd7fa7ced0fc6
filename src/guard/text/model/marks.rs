//! Marks that stand for themselves, wherever in a text: of a model's own prompt
//! format, and of talk that ordinary text seldom has.

use super::{STRONG, WEAK};

/// The weight of the marks in `lower`.
pub(super) fn weight_of(lower: &str) -> usize {
    // A short text has not even the letters of most marks, which is sooner
    // seen than that it has not the mark.
    let seen = letters(lower.as_bytes());
    let has = |mark: &&Mark| mark.is_within(seen) && lower.contains(mark.text);
    if TEMPLATES.iter().any(|mark| has(&mark)) {
        return STRONG;
    }
    HINTS.iter().filter(has).count() * WEAK
}

/// A text to look for, and the ASCII characters in it.
struct Mark {
    text: &'static str,
    letters: Letters,
}

impl Mark {
    const fn of(text: &'static str) -> Mark {
        let letters = letters(text.as_bytes());
        Mark { text, letters }
    }

    /// Whether it has no letter but these.
    fn is_within(&self, letters: Letters) -> bool {
        let [low, high] = letters;
        self.letters[0] & !low == 0 && self.letters[1] & !high == 0
    }
}

/// A set of ASCII characters, a bit for each.
type Letters = [u64; 2];

/// The ASCII characters among `bytes`.
const fn letters(bytes: &[u8]) -> Letters {
    let (mut letters, mut at) = ([0; 2], 0);
    while at < bytes.len() {
        let byte = bytes[at];
        if byte.is_ascii() {
            letters[(byte >> 6) as usize] |= 1 << (byte & 63);
        }
        at += 1;
    }
    letters
}

macro_rules! marks {
    ($($text:literal),* $(,)?) => { &[$(Mark::of($text)),*] };
}

/// Marks of a model's own prompt format: nothing else has a use for them.
const TEMPLATES: &[Mark] = marks![
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

/// Marks that ordinary text has too, though seldom.
const HINTS: &[Mark] = marks![
    "<!--",
    "system:",
    "assistant:",
    "jailbr",
    "do anything now",
    "takes precedence",
    "takes priority",
    "priority over",
    "unrestricted access",
    "elevated privileges",
    "admin access",
    "exfiltrat",
    "rm -rf",
    "/etc/passwd",
    "~/.ssh",
    "mcp.json",
    "system prompt",
    "prompt injection",
    "regardless of input",
    "decode and execute",
    "no matter what the user",
    "code snippet",
    "the below code",
    "not print anything",
    "respond in",
    "execute:",
    "hidden instruction",
    "final result of",
    "popen(",
    "print(",
    "eval(",
    "__class__",
];
