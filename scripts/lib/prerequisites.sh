# Sourced by every script in scripts/: enters the checkout and makes sure of the
# few things that the scripts cannot install themselves. POSIX sh, because this
# runs before we know that there is a Node. A missing thing is one sentence.

cd "$(dirname "$0")/.." || exit 1

missing=0
need() { # COMMAND, SENTENCE
    command -v "$1" >/dev/null 2>&1 || { echo "netrecon: $2" >&2; missing=1; }
}

# Is version $1 (major.minor...) at least $2?
at_least() {
    [ "${1%%.*}" -gt "${2%%.*}" ] && return 0
    [ "${1%%.*}" -eq "${2%%.*}" ] || return 1
    has=${1#*.} wants=${2#*.}
    [ "${has%%.*}" -ge "${wants%%.*}" ]
}

need git "git is missing: install it with your system's package manager."
need cc "a C linker (cc) is missing, which Rust links with: install your system's C compiler (Debian: build-essential, macOS: xcode-select --install)."
need rustup "rustup is missing: install it from https://rustup.rs with a stable toolchain."
need node "Node.js is missing: install version 20 or later from https://nodejs.org."
need npm "npm is missing: install it (it comes with Node.js from https://nodejs.org)."

if command -v rustup >/dev/null 2>&1; then
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    found=$(rustc --version 2>/dev/null | cut -d' ' -f2)
    if [ -z "$found" ]; then
        echo "netrecon: no Rust toolchain is active: run \`rustup toolchain install stable && rustup default stable\`." >&2
        missing=1
    elif ! at_least "$found" "$wanted"; then
        echo "netrecon: Rust $found is too old, $wanted is needed: run \`rustup update stable\`." >&2
        missing=1
    fi
fi
if command -v node >/dev/null 2>&1; then
    found=$(node --version)
    if ! at_least "${found#v}" 20.0; then
        echo "netrecon: Node.js $found is too old: install version 20 or later from https://nodejs.org." >&2
        missing=1
    fi
fi
[ "$missing" -eq 0 ] || exit 1
