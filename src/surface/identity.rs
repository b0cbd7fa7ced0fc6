//! Who we say we are: one name, title and sentence for MCP, the server card,
//! `server.json` and `llms.txt`.

/// The name in the MCP registry, in reverse-DNS form.
pub(crate) const NAME: &str = "io.github.netrecon/netrecon";

/// The name a client's settings carry, and what people call it.
pub(crate) const SHORT_NAME: &str = "netrecon";

/// What a person reads.
pub(crate) const TITLE: &str = "netrecon";

/// The package's version.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// One sentence of at most 100 characters: the registry takes no longer one.
pub(crate) const DESCRIPTION: &str =
    "Read-only DNS, HTTP, TLS and exposure diagnostics for public host names, and decoders.";

/// What a client may show its model once, before any tool is called.
pub(crate) const INSTRUCTIONS: &str = "Read-only diagnostics for public host names. \
    analyze reports on a whole site, lookup answers one DNS or registration question, decode explains \
    a pasted text; diff and narrate compare two reports by the ids that analyze returned. \
    A refusal or a spent budget comes back as a result that says what to send instead or how long to wait.";
