//! The frame around every page: head, navigation, footer.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::assets;
use super::mark::sprite;

/// A page before it is framed.
pub(super) struct Page<'a> {
    /// Its path, which marks the current entry of the navigation.
    pub(super) path: &'a str,
    /// Its name, before ` · netrecon`.
    pub(super) title: &'a str,
    /// What search engines and link previews say.
    pub(super) summary: &'a str,
    /// Whether search engines may keep it.
    pub(super) indexed: bool,
    /// Its content.
    pub(super) main: Markup,
}

/// Entries of the navigation.
pub(super) const NAVIGATION: [(&str, &str); 6] = [
    ("/", "Analyze"),
    ("/lookup", "Lookup"),
    ("/decode", "Decode"),
    ("/diff", "Diff"),
    ("/connect", "Connect"),
    ("/health", "Health"),
];

/// Keys and what they do; the script of the pages binds them.
const KEYS: [(&str, &str); 7] = [
    ("/", "go to the field"),
    ("j", "next finding"),
    ("k", "previous finding"),
    ("Enter", "open or close it"),
    ("c", "copy its command"),
    ("t", "dark or light"),
    ("?", "this list"),
];

/// Where a page that is sent while it is made is cut. No text can look like
/// it: `<` is escaped in every template.
const SEAM: &str = "<!--seam-->";

/// A place at which [`cut`] cuts.
pub(super) const fn seam() -> PreEscaped<&'static str> {
    PreEscaped(SEAM)
}

/// The document in pieces: before, between and after the seams of its main.
pub(super) fn cut(origin: &str, page: Page<'_>) -> impl Iterator<Item = String> {
    let document = document(origin, page).into_string();
    let pieces: Vec<String> = document.split(SEAM).map(str::to_owned).collect();
    pieces.into_iter()
}

/// The whole document. `origin` is scheme and host as the visitor sees them.
pub(super) fn document(origin: &str, page: Page<'_>) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(origin, &page))
            body {
                a.skip href="#main" { "Skip to content" }
                (sprite())
                (masthead(page.path))
                main #main tabindex="-1" { (page.main) }
                (footer())
                (keys())
                p #said .unseen role="status" {}
            }
        }
    }
}

fn head(origin: &str, page: &Page<'_>) -> Markup {
    let title = format!("{} · netrecon", page.title);
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            title { (title) }
            meta name="description" content=(page.summary);
            @if page.indexed {
                link rel="canonical" href={ (origin) (page.path) };
            } @else {
                meta name="robots" content="noindex";
            }
            meta name="color-scheme" content="light dark";
            meta property="og:type" content="website";
            meta property="og:site_name" content="netrecon";
            meta property="og:title" content=(title);
            meta property="og:description" content=(page.summary);
            meta property="og:image" content={ (origin) (assets::CARD.path()) };
            meta property="og:image:width" content="1200";
            meta property="og:image:height" content="630";
            meta property="og:image:alt" content="netrecon: look at a host the way the internet does";
            meta name="twitter:card" content="summary_large_image";
            link rel="icon" type="image/svg+xml" href=(assets::ICON.path());
            script { (assets::THEME.text()) }
            style { (assets::STYLE.text()) }
            script type="module" src=(assets::SCRIPT.path()) {}
        }
    }
}

fn masthead(path: &str) -> Markup {
    html! {
        header.masthead {
            a.brand href="/" aria-label="netrecon, start page" {
                svg.logo viewBox="0 0 32 32" aria-hidden="true" { use href="#i-logo" {} }
                span { "netrecon" }
            }
            nav aria-label="Pages" {
                @for (href, name) in NAVIGATION {
                    a href=(href) aria-current=[(href == path).then_some("page")] { (name) }
                }
            }
            div.tools {
                button.plain #keys-button type="button" popovertarget="keys" aria-label="Keyboard" hidden {
                    kbd { "?" }
                }
                button.plain #theme-button type="button" aria-label="Dark theme" aria-pressed="false" hidden {
                    svg.icon aria-hidden="true" { use href="#i-theme" {} }
                }
            }
        }
    }
}

fn footer() -> Markup {
    html! {
        footer.foot {
            p { "netrecon only reads. It asks public servers what they tell everybody, and says what it asked." }
            nav aria-label="About this service" {
                a href="/about" { "What is probed, opting out" }
                a href="/connect" { "Connect an agent" }
                a href="/api/tools" { "API" }
                a href="/.well-known/security.txt" { "Security contact" }
            }
        }
    }
}

fn keys() -> Markup {
    html! {
        div #keys popover aria-labelledby="keys-title" {
            h2 #keys-title { "Keyboard" }
            dl.keys {
                @for (key, what) in KEYS {
                    div { dt { kbd { (key) } } dd { (what) } }
                }
            }
            p.quiet { kbd { "Esc" } " closes it." }
        }
    }
}
