//! Text that speaks to a language model instead of about its subject.
//!
//! A page title, a TXT record or a header is read by the model that called
//! us, and its author knows. This is a detector for a finding, not a filter:
//! what a target says is never obeyed here, and cleaned text is shown as it
//! is. It reads words, not meaning. Rules are rows of word classes with the
//! gaps between them; a strong rule is enough alone, two weak ones together.
//! Ordinary text must stay silent, so a request that could stand on any page
//! ("Write a script ...") is no signal.

mod glance;
mod marks;

use std::collections::HashMap;
use std::sync::LazyLock;

use super::canonical;

/// Whether `s` speaks to a language model.
///
/// Looks through NFKC look-alikes, invisible characters, Cyrillic and Greek
/// homoglyphs, digits for letters and letters set apart by spaces.
pub fn addresses_a_model(s: &str) -> bool {
    !glance::is_silent(s) && speaks(s)
}

/// The closer look.
fn speaks(s: &str) -> bool {
    if has_hidden_message(s) {
        return true;
    }
    let lower = canonical(s).to_lowercase();
    let mut weight = marks::weight_of(&lower, &glance::seen(lower.as_bytes()))
        + usize::from(s.contains(['\u{202D}', '\u{202E}']));
    if weight >= ENOUGH || is_cjk_override(&lower) {
        return true;
    }
    let words = words(&lower);
    let present = words.iter().fold(0, |all, word| all | word);
    if present == 0 {
        return false;
    }
    for rule in RULES {
        if rule.may_match(present) && rule.matches(&words) {
            weight += rule.weight;
            if weight >= ENOUGH {
                return true;
            }
        }
    }
    false
}

/// The weight at which the verdict is yes.
const ENOUGH: usize = 2;
const STRONG: usize = ENOUGH;
const WEAK: usize = 1;

/// A set of word classes, as bits.
type Classes = u64;

macro_rules! classes {
    ($($name:ident = [$($word:literal)*];)*) => {
        classes!(@bits 0; $($name)*);
        /// Every known word with the classes it belongs to.
        const LEXICON: &[(Classes, &[&str])] = &[$(($name, &[$($word),*])),*];
    };
    (@bits $bit:expr; $name:ident $($rest:ident)*) => {
        const $name: Classes = 1 << ($bit);
        classes!(@bits $bit + 1; $($rest)*);
    };
    (@bits $bit:expr;) => {};
}

classes! {
    DROP = ["ignore" "ignores" "ignoring" "disregard" "forget" "override" "overrides"
        "discard" "neglect" "dismiss" "supersede" "supersedes" "abandon" "violate"
        "ignora" "ignorad" "ignorez" "ignorer" "ignoriere" "ignorieren"
        "olvida" "oublie" "oubliez" "desconsidere" "esqueça" "vergiss" "missachte"
        "dimentica" "negeer" "игнорируй" "игнорируйте" "проигнорируй" "забудь"];
    BYPASS = ["bypass" "bypassing" "override" "disable" "disables" "disabled" "suspend"
        "suspended" "skip" "ignore" "disabling" "circumvent" "supersede"];
    EARLIER = ["previous" "previously" "prior" "above" "preceding" "earlier" "before"
        "foregoing" "initial" "original" "subsequent" "anteriores" "anterior"
        "previas" "precedentes" "précédentes" "précédente" "précédents" "vorherigen"
        "vorherige" "bisherigen" "vorigen" "precedenti" "vorige" "eerdere"
        "предыдущие" "предыдущих" "прошлые" "вышеуказанные"];
    ABOVE = ["above"];
    ANY = ["all" "any" "every" "other" "your" "these" "those" "existing" "current"
        "system" "hidden" "safety" "todas" "toutes" "tous" "alle" "tutte" "все"];
    INSTRUCTION = ["instruction" "instructions" "prompt" "prompts" "directive"
        "directives" "guardrails" "instrucciones" "instruções" "anweisungen"
        "anweisung" "istruzioni" "инструкции" "инструкций" "instructies"];
    RULE = ["rule" "rules" "guideline" "guidelines" "policy" "policies" "restriction"
        "restrictions" "constraints" "command" "commands" "message" "messages"
        "context" "request" "orders" "programming" "training" "conversation"
        "filters" "safeguards" "reglas" "regeln" "règles" "regras" "regole" "правила"];
    EVERYTHING = ["everything" "anything" "all" "what" "whatever" "todo" "tout" "alles"];
    TOLD = ["told" "said" "given" "instructed" "learned" "above" "before" "previously"];
    THE = ["the"];
    USER = ["user" "users" "human" "humans" "operator"];
    INPUT = ["input" "inputs" "request" "requests" "query" "queries" "question"];
    SAFETY = ["safety" "security" "content" "authentication" "authorization"
        "validation" "moderation" "restrictions" "confirmation" "ethical" "filter" "filters"];
    SYSTEM = ["system" "admin" "administrator" "priority" "root" "developer"];
    ORDER = ["directive" "directives" "override" "overrides" "instruction" "instructions"
        "command" "notice" "note"];
    REVEAL = ["reveal" "print" "show" "output" "repeat" "display" "return" "tell"
        "give" "provide" "dump" "expose" "share" "disclose" "include" "send" "read"];
    PROMPT = ["prompt" "prompts" "instructions" "guidelines"];
    HIDDEN = ["system" "initial" "hidden" "secret" "original" "your" "complete" "full"];
    SENSITIVE = ["password" "passwords" "credentials" "secrets" "keys" "tokens" "environment"
        "env" "confidential" "cookies" "keychain"];
    YOU = ["you" "u"];
    ARE = ["are" "re" "were" "be"];
    NOW = ["now"];
    AI = ["ai" "llm" "llms" "ais" "artificial"];
    AGENT = ["assistant" "assistants" "agent" "agents" "model" "models" "bot" "bots"
        "chatbot" "chatbots" "system" "systems" "crawler" "crawlers" "scraper" "reader"
        "language" "tool" "tools" "intelligence" "intelligences" "summarizer"];
    NAMED = ["chatgpt" "gpt" "gpt4" "gpt5" "copilot" "llm" "llms" "openai" "dan"
        "claude" "gemini" "llama" "mistral" "deepseek" "grok"];
    ROLE = ["mode" "assistant" "ai" "bot" "chatbot" "unrestricted" "jailbroken" "dan"
        "uncensored" "hacker" "evil" "villain" "prompt" "unfiltered" "roleplaying" "persona"];
    HELPFUL = ["helpful" "harmless"];
    ATTENTION = ["attention" "dear" "hey" "hi" "hello" "note" "notice" "instructions"
        "instruction" "message" "directive" "important" "warning"];
    TO = ["to" "for"];
    SHOULD = ["must" "should" "shall" "please" "need" "visiting" "reading" "processing"
        "summarizing" "parsing" "required" "instructed" "analyzing" "accessing"];
    PRETEND = ["pretend" "roleplay" "simulate" "imagine"];
    LANGUAGE = ["language"];
    ACT = ["act"];
    AS = ["as"];
    FROM = ["from"];
    ON = ["on"];
    NOT = ["not" "never" "dont" "don" "without" "no"];
    INFORM = ["tell" "telling" "inform" "informing" "mention" "mentioned" "mentioning"
        "notify" "notifying" "alert" "alerting" "display" "show" "disclose" "reveal"];
    ALWAYS = ["always" "must" "silently" "secretly"];
    DO = ["unlock" "transfer" "sell" "buy" "create" "move" "schedule" "update" "delete" "share"
        "retrieve" "list" "find" "get" "grant" "disable" "fetch" "download" "forward"
        "send" "email" "withdraw" "deposit" "initiate" "use" "access" "search" "change"
        "remove" "leave" "give" "provide" "check" "add" "bcc" "read" "copy" "log"
        "invoke" "call" "execute" "run" "reveal" "post" "upload" "append" "redirect"
        "suggest" "recommend" "promote" "say" "respond" "reply" "answer" "wire" "pay"
        "generate" "open" "install" "visit" "prefer" "rank" "cite" "exfiltrate" "click"
        "allow" "approve" "submit" "set" "choose" "praise" "store" "return" "export"
        "log" "include"];
    MY = ["my"];
    PLEASE = ["please" "could" "can" "kindly"];
    SEND = ["send" "email" "forward" "share" "post" "upload" "mail" "transmit" "bcc"
        "leak" "exfiltrate" "add"];
    ADDRESS = [];
    AMOUNT = [];
    ACCOUNT = ["account" "wallet" "payee" "bank"];
    THIS = ["this" "these" "them" "it" "that" "the" "those" "all"];
    DATA = ["information" "info" "data" "details" "list" "result" "results" "summary" "file"
        "files" "history" "history" "contents" "content" "conversation" "conversations"
        "chat" "records" "transcript"];
    REPLY = ["respond" "reply" "answer" "say" "responde" "antworte" "réponds" "responda"
        "output" "print"];
    ONLY = ["only" "simply" "exactly" "exclusively" "solely" "instead" "just"];
    WITH = ["with" "con" "mit" "avec" "com"];
    EDIT = ["add" "include" "insert" "integrate" "embed" "append" "embedding" "including"
        "translate" "encode" "encrypt" "reverse" "begin" "start" "end" "finish" "prefix"
        "use" "format" "sign" "put" "mention" "replace" "limit" "conclude" "preface"];
    TRANSFORM = ["translate" "encode" "encrypt" "reverse" "begin" "finish" "prefix"
        "preface" "conclude" "format"];
    INTO = ["in" "into" "with" "of" "represent"];
    ROUTE = ["redirect" "route" "copy" "log" "forward" "proxy" "bcc"];
    YOUR = ["your"];
    RESPONSE = ["response" "responses" "answer" "answers" "reply" "replies" "output"
        "outputs" "summary" "summaries" "completion" "analysis" "solution"];
    WHEN = ["before" "when" "while" "after" "of" "whenever" "if"];
    USING = ["using" "calling" "invoking" "processing" "invoke"];
    TOOL = ["tool" "tools" "function" "endpoint" "api" "requests" "mcp"];
    NEW = ["new" "following" "important" "updated" "real" "actual"];
    WITHOUT = ["without" "no"];
    LIMITS = ["restrictions" "confirmation" "validation" "approval" "limitations" "filter"
        "filters" "censorship" "asking" "warnings" "precedence" "priority"];
}

/// One row: each step is a word class and how many words may stand between it
/// and the step before.
struct Rule {
    weight: usize,
    steps: &'static [(Classes, usize)],
}

const fn strong(steps: &'static [(Classes, usize)]) -> Rule {
    Rule {
        weight: STRONG,
        steps,
    }
}

const fn weak(steps: &'static [(Classes, usize)]) -> Rule {
    Rule {
        weight: WEAK,
        steps,
    }
}

const RULES: &[Rule] = &[
    // "ignore all previous instructions", "forget the rules above"
    strong(&[(DROP, 0), (EARLIER, 4), (INSTRUCTION | RULE, 3)]),
    strong(&[(DROP, 0), (INSTRUCTION | RULE, 4), (EARLIER, 1)]),
    strong(&[(DROP, 0), (ANY, 2), (INSTRUCTION, 3)]),
    strong(&[(DROP, 0), (INSTRUCTION, 1)]),
    strong(&[(DROP, 0), (EVERYTHING, 1), (TOLD, 3)]),
    strong(&[(DROP, 0), (THE, 1), (ABOVE, 1)]),
    strong(&[(DROP, 0), (USER, 1), (INPUT, 1)]),
    weak(&[(DROP, 0), (THE, 0), (USER, 0)]),
    // "reveal your system prompt"
    strong(&[(REVEAL, 0), (HIDDEN, 4), (PROMPT, 3)]),
    weak(&[(REVEAL, 0), (SENSITIVE, 4)]),
    // "bypass security checks", "without restrictions", "takes priority over"
    weak(&[(BYPASS, 0), (SAFETY, 3)]),
    weak(&[(WITHOUT, 0), (LIMITS, 2)]),
    // "SYSTEM DIRECTIVE", "[ADMIN_OVERRIDE]", "new instructions"
    weak(&[(SYSTEM, 0), (ORDER, 0)]),
    weak(&[(NEW, 0), (INSTRUCTION, 1)]),
    // "you are now in developer mode", "you are ChatGPT"
    strong(&[(YOU, 0), (ARE, 0), (NOW, 0), (ROLE, 4)]),
    strong(&[(YOU, 0), (ARE, 0), (AI, 2), (AGENT, 0)]),
    strong(&[(YOU, 0), (ARE, 0), (NAMED, 1)]),
    strong(&[(YOU, 0), (ARE, 0), (HELPFUL, 2), (AGENT, 2)]),
    weak(&[(YOU, 0), (ARE, 0), (ROLE, 3)]),
    weak(&[(FROM, 0), (NOW, 0), (ON, 0)]),
    weak(&[(PRETEND, 0), (YOU, 1)]),
    weak(&[(ACT, 0), (AS, 0), (ROLE | AI, 3)]),
    // "Attention AI agents", "note to LLMs", "AI assistants must"
    strong(&[(ATTENTION, 0), (AI, 2), (AGENT, 0)]),
    strong(&[(ATTENTION, 0), (NAMED, 1)]),
    strong(&[(ATTENTION, 0), (LANGUAGE, 2), (AGENT, 0)]),
    strong(&[(AI, 0), (AGENT, 0), (SHOULD, 1)]),
    strong(&[(NAMED, 0), (SHOULD, 1)]),
    strong(&[(AS, 0), (AI, 1), (AGENT, 0)]),
    // "do not tell the user", "never mention this to users"
    strong(&[(NOT, 0), (INFORM, 2), (THE | TO, 4), (USER, 1)]),
    // "simply respond with", "in your response"
    strong(&[(REPLY, 0), (ONLY, 1), (WITH, 0)]),
    strong(&[(ONLY, 0), (REPLY, 0), (WITH, 1)]),
    weak(&[(REPLY, 0), (WITH, 0)]),
    strong(&[(EDIT, 0), (INTO, 10), (YOUR, 0), (RESPONSE, 0)]),
    strong(&[(TRANSFORM, 0), (YOUR, 0), (RESPONSE, 0)]),
    // A request in the first person: nobody says "please unlock my door" to
    // the readers of a page.
    strong(&[(PLEASE, 0), (DO, 1), (MY, 12)]),
    strong(&[(PLEASE, 0), (DO, 0), (AMOUNT, 4), (ACCOUNT | MY, 4)]),
    weak(&[(DO, 0), (MY, 6)]),
    weak(&[(SEND, 0), (ADDRESS, 12)]),
    weak(&[(SEND, 0), (THIS, 1), (DATA, 3)]),
    // Talk about tools
    weak(&[(ROUTE, 0), (ANY, 0), (RULE | DATA | INPUT, 1)]),
    weak(&[(WHEN, 0), (USING, 1), (TOOL, 3)]),
    weak(&[(TOOL, 0), (NOT, 3), (USING, 4)]),
    weak(&[(ALWAYS, 0), (DO, 1)]),
];

impl Rule {
    /// Whether there are words for all steps among the classes `present`,
    /// wherever they stand: for nearly every text there are not.
    fn may_match(&self, present: Classes) -> bool {
        self.steps.iter().all(|(class, _)| present & class != 0)
    }

    fn matches(&self, words: &[Classes]) -> bool {
        (0..words.len()).any(|start| self.matches_at(words, start))
    }

    /// Takes the nearest word of each class in turn. That can miss a row that
    /// a search with backtracking would find; it is linear, and the gaps are
    /// short.
    fn matches_at(&self, words: &[Classes], start: usize) -> bool {
        let mut at = start;
        for (step, (class, gap)) in self.steps.iter().enumerate() {
            let gap = if step == 0 { 0 } else { *gap };
            let window = words.iter().skip(at).take(gap + 1);
            match window.enumerate().find(|(_, word)| *word & class != 0) {
                Some((skipped, _)) => at += skipped + 1,
                None => return false,
            }
        }
        true
    }
}

static LEXICON_INDEX: LazyLock<Index> = LazyLock::new(|| {
    let mut index = Index {
        classes_of: HashMap::new(),
        lengths: [0; 256],
    };
    for (class, words) in LEXICON {
        for word in *words {
            *index.classes_of.entry(*word).or_default() |= class;
            index.lengths[usize::from(word.as_bytes()[0])] |= length_bit(word);
        }
    }
    index
});

/// The lexicon by its words.
struct Index {
    classes_of: HashMap<&'static str, Classes>,
    /// How long words that begin with an octet are: for most words of a text
    /// that tells sooner than a hash that they are unknown.
    lengths: [u32; 256],
}

impl Index {
    fn classes_of(&self, word: &str) -> Option<Classes> {
        let first = *word.as_bytes().first()?;
        match self.lengths[usize::from(first)] & length_bit(word) {
            0 => None,
            _ => self.classes_of.get(word).copied(),
        }
    }
}

/// The bit of a word's length in octets; the longest share one.
fn length_bit(word: &str) -> u32 {
    1 << word.len().min(31)
}

/// The classes of each word of `lower`, which is canonical and in lower case.
fn words(lower: &str) -> Vec<Classes> {
    let mut words = Vec::with_capacity(lower.len() / 5);
    let mut apart = String::new();
    for chunk in lower.split_whitespace() {
        if let Some(class) = classes_of_chunk(chunk) {
            words.push(class);
            continue;
        }
        for piece in chunk.split(|c: char| !c.is_alphanumeric()) {
            let mut chars = piece.chars();
            match (chars.next(), chars.next()) {
                (None, _) => {}
                (Some(letter), None) => apart.push(letter),
                _ => {
                    flush_apart(&mut apart, &mut words);
                    words.push(classes_of_word(piece));
                }
            }
        }
        // "send_email": an identifier, so a tool's name.
        if chunk.trim_matches('_').contains('_')
            && let Some(last) = words.last_mut()
        {
            *last |= TOOL;
        }
    }
    flush_apart(&mut apart, &mut words);
    words
}

/// What stands for itself without being a word.
fn classes_of_chunk(chunk: &str) -> Option<Classes> {
    let bare = chunk.trim_matches(|c: char| c.is_ascii_punctuation() && c != '$');
    let (local, domain) = bare.split_once('@').unwrap_or_default();
    if !local.is_empty() && domain.contains('.') {
        return Some(ADDRESS);
    }
    let digits = |s: &str| s.starts_with(|c: char| c.is_ascii_digit());
    if bare.strip_prefix(['$', '€', '£']).is_some_and(digits) {
        return Some(AMOUNT);
    }
    None
}

fn classes_of_word(word: &str) -> Classes {
    let known = |word: &str| LEXICON_INDEX.classes_of(word);
    known(word)
        .or_else(|| unmask(word).and_then(|plain| known(&plain)))
        .unwrap_or_default()
}

/// How many single letters in a row may be a word.
const FEWEST_APART: usize = 5;

/// Single letters that stood in a row: a word set apart ("I G N O R E"), or
/// just letters.
fn flush_apart(letters: &mut String, words: &mut Vec<Classes>) {
    const LONGEST: usize = 24;
    if letters.chars().count() < FEWEST_APART {
        words.extend(
            letters
                .chars()
                .map(|c| classes_of_word(c.encode_utf8(&mut [0; 4]))),
        );
    } else {
        // Gaps between the words are lost with those between the letters:
        // cut greedily into known words.
        let mut rest = letters.as_str();
        while !rest.is_empty() {
            let known = (2..=rest.len().min(LONGEST))
                .rev()
                .filter_map(|end| rest.get(..end))
                .find_map(|word| Some((word.len(), LEXICON_INDEX.classes_of(word)?)));
            let skip = rest.chars().next().map_or(1, char::len_utf8);
            let (length, classes) = known.unwrap_or((skip, 0));
            words.push(classes);
            rest = &rest[length..];
        }
    }
    letters.clear();
}

/// `word` with homoglyphs and digits replaced by the Latin letters they look
/// like, when that leaves nothing else.
fn unmask(word: &str) -> Option<String> {
    if word.bytes().all(|b| b.is_ascii_lowercase()) {
        return None;
    }
    word.chars().map(letter_of).collect()
}

/// The Latin letter that `lower` is or looks like.
const fn letter_of(lower: char) -> Option<char> {
    Some(match lower {
        'a'..='z' => lower,
        'а' | 'α' | '4' | '@' => 'a',
        'е' | 'ё' | 'ε' | '3' => 'e',
        'о' | 'ο' | '0' | 'ø' => 'o',
        'р' | 'ρ' => 'p',
        'с' | 'ϲ' => 'c',
        'у' | 'γ' => 'y',
        'х' | 'χ' => 'x',
        'і' | 'ι' | '1' | 'ı' => 'i',
        'ј' => 'j',
        'ѕ' | '5' => 's',
        'ԁ' => 'd',
        'һ' => 'h',
        'к' | 'κ' => 'k',
        'м' => 'm',
        'т' | 'τ' | '7' => 't',
        'п' | 'η' => 'n',
        'ν' => 'v',
        'ѡ' | 'ω' => 'w',
        'ɡ' | '9' => 'g',
        _ => return None,
    })
}

/// "Ignore the previous instructions" in scripts without spaces.
fn is_cjk_override(lower: &str) -> bool {
    const OBJECTS: &[&str] = &[
        "指令",
        "指示",
        "提示",
        "命令",
        "規則",
        "规则",
        "プロンプト",
        "지시",
        "명령",
        "프롬프트",
    ];
    const VERBS: &[&str] = &[
        "忽略", "無視", "无视", "忘记", "忘記", "忘れ", "무시", "잊어",
    ];
    const WHICH: &[&str] = &[
        "之前",
        "以上",
        "先前",
        "上述",
        "前面",
        "所有",
        "以前",
        "上記",
        "これまで",
        "すべて",
        "全て",
        "이전",
        "위의",
        "모든",
    ];
    let has = |marks: &[&str]| marks.iter().any(|mark| lower.contains(mark));
    !lower.is_ascii() && has(OBJECTS) && has(VERBS) && has(WHICH)
}

/// Text in characters that do not show: tag characters (outside the flags
/// that use them), or a run of variation selectors or zero-width characters
/// long enough to spell something.
fn has_hidden_message(s: &str) -> bool {
    const LONGEST_HONEST_RUN: usize = 7;
    if s.is_ascii() {
        return false;
    }
    let (mut run, mut in_flag) = (0, false);
    for c in s.chars() {
        let hides = match c {
            // A subdivision flag: black flag, tags, cancel tag.
            '\u{1F3F4}' => {
                in_flag = true;
                false
            }
            '\u{E0020}'..='\u{E007F}' => true,
            '\u{E0000}'..='\u{E0FFF}' | '\u{FE00}'..='\u{FE0F}' => true,
            '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}' => true,
            _ => false,
        };
        if hides {
            run += 1;
            if run > LONGEST_HONEST_RUN || (!in_flag && run > 2 && c >= '\u{E0000}') {
                return true;
            }
        } else {
            run = 0;
            in_flag = c == '\u{1F3F4}';
        }
    }
    false
}
