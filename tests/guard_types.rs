//! Nothing outside the guard makes or alters what the network takes: each case
//! below is a crate that tries, and the compiler has to refuse it for the
//! reason that stands beside it.
//!
//! The cases are compiled against the library of this very test run, so that
//! they cost no second build of its dependencies. The error codes are held and
//! not the words around them, which change from compiler to compiler.

use std::ffi::OsStr;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use netrecon::guard::{OperatorUrl, PublicAddr, PublicUrl};
use serde::de::DeserializeOwned;

/// What a crate may do with judged values: the control, without which every
/// refusal below could have another reason.
const ALLOWED: &str = r#"
    let again = Guard::default().validate_fetch_url(url.as_str());
    let sibling = url.with_path("/robots.txt");
    let _ = network.connect(&addr);
    let _ = network.fetch(&url, &[], 1);
    let _ = network.ask(Ask { endpoint: &endpoint, suffix: "", media_type: "", body: None, cap: 1 });
    drop((again, sibling, addr.ip(), addr.port(), url.host().to_owned()));
"#;

/// What it tries, the code it is refused with, and the attempt.
const REFUSED: &[(&str, &str, &str)] = &[
    (
        "write a URL down",
        "E0451",
        "PublicUrl { url: todo!(), scheme: Scheme::Http, ports: todo!() };",
    ),
    (
        "derive a URL from a judged one",
        "E0451",
        "PublicUrl { scheme: Scheme::Http, ..url };",
    ),
    (
        "alter a URL",
        "E0616",
        "let mut url = url; url.scheme = Scheme::Http;",
    ),
    ("reach into a URL", "E0616", "let _ = &url.url;"),
    (
        "write an address down",
        "E0451",
        "PublicAddr { ip: [127, 0, 0, 1].into(), port: 80 };",
    ),
    (
        "alter an address",
        "E0616",
        "let mut addr = addr; addr.ip = [127, 0, 0, 1].into();",
    ),
    (
        "alter a port",
        "E0616",
        "let mut addr = addr; addr.port = 25;",
    ),
    (
        "judge with ports of its own",
        "E0624",
        "PublicAddr::judge([93, 184, 215, 14].into(), 25, &[25]);",
    ),
    (
        "use the guard's parts",
        "E0603",
        "use netrecon::guard::special;",
    ),
    (
        "invent a refusal",
        "E0624",
        r#"netrecon::guard::Refusal::new(netrecon::guard::Class::Port, "x");"#,
    ),
    (
        "write an endpoint down",
        "E0423",
        "netrecon::guard::OperatorUrl(todo!());",
    ),
    ("reach into an endpoint", "E0616", "let _ = &endpoint.0;"),
    (
        "make them of nothing",
        "E0277",
        "fn of<T: Default>() {} of::<PublicUrl>(); of::<PublicAddr>(); of::<OperatorUrl>();",
    ),
    (
        "parse them",
        "E0277",
        "fn of<T: std::str::FromStr>() {} of::<PublicUrl>(); of::<PublicAddr>(); of::<OperatorUrl>();",
    ),
    (
        "convert text into them",
        "E0277",
        "fn of<T: TryFrom<&'static str>>() {} of::<PublicUrl>(); of::<PublicAddr>(); of::<OperatorUrl>();",
    ),
    (
        "convert a socket address",
        "E0277",
        "fn of<T: TryFrom<std::net::SocketAddr>>() {} of::<PublicAddr>();",
    ),
    (
        "write through them",
        "E0277",
        "fn of<T: std::ops::DerefMut>() {} of::<PublicUrl>(); of::<PublicAddr>(); of::<OperatorUrl>();",
    ),
    (
        "connect to any address",
        "E0308",
        "let _ = network.connect(&std::net::SocketAddr::from(([127, 0, 0, 1], 80)));",
    ),
    (
        "fetch any text",
        "E0308",
        r#"let _ = network.fetch("http://127.0.0.1/", &[], 1);"#,
    ),
    (
        "fetch an endpoint",
        "E0308",
        "let _ = network.fetch(&endpoint, &[], 1);",
    ),
    (
        "ask a caller's URL as an endpoint",
        "E0308",
        r#"let _ = Ask { endpoint: &url, suffix: "", media_type: "", body: None, cap: 1 };"#,
    ),
];

#[test]
fn nothing_outside_the_guard_makes_or_alters_what_the_network_takes() {
    let library = library();
    for (attempt, code, body) in REFUSED {
        let found = errors(&library, body);
        assert!(!found.is_empty(), "a crate can {attempt}");
        assert!(
            found.iter().all(|error| error == code),
            "to {attempt} is refused with {found:?}, not {code}"
        );
    }
}

/// Answers `READ` of a type that no wire format makes.
trait Unreadable {
    const READ: bool = false;
}

impl<T> Unreadable for T {}

/// Has a `READ` of its own, which wins, for a type that serde can make.
struct Reads<T>(PhantomData<T>);

impl<T: DeserializeOwned> Reads<T> {
    const READ: bool = true;
}

#[test]
fn no_wire_format_makes_one() {
    let asked = [
        Reads::<String>::READ,
        Reads::<PublicUrl>::READ,
        Reads::<PublicAddr>::READ,
        Reads::<OperatorUrl>::READ,
    ];
    assert_eq!(asked, [true, false, false, false]);
}

/// The library that this test was linked with, the newest that cargo has put
/// beside it. The control has to compile with it.
fn library() -> PathBuf {
    let here = std::env::current_exe().expect("a path");
    let beside = std::fs::read_dir(here.parent().expect("a folder")).expect("a readable folder");
    let built = beside.map(|entry| entry.expect("a readable entry").path());
    let libraries = built.filter(|path| {
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        name.starts_with("libnetrecon-") && name.ends_with(".rlib")
    });
    let made = |path: &PathBuf| path.metadata().and_then(|about| about.modified()).ok();
    let library = libraries.max_by_key(made).expect("a library");
    assert_eq!(errors(&library, ALLOWED), [""; 0], "what a crate may do");
    library
}

/// The codes of the errors in a crate whose one function has this body; an
/// error without a code is `"none"`.
fn errors(library: &Path, body: &str) -> Vec<String> {
    let source = format!(
        "#![allow(unused)]
        use netrecon::guard::{{Guard, OperatorUrl, PublicAddr, PublicUrl, Scheme}};
        use netrecon::port::{{Ask, Network}};
        pub fn attempt(url: PublicUrl, addr: PublicAddr, endpoint: OperatorUrl, network: &dyn Network) {{
            {body}
        }}"
    );
    let mut compiler = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .args([
            "--edition",
            "2024",
            "--crate-type",
            "lib",
            "--crate-name",
            "attempt",
        ])
        .args(["--emit", "metadata", "--error-format", "json"])
        .args(["--out-dir", env!("CARGO_TARGET_TMPDIR")])
        .arg("-L")
        .arg(format!(
            "dependency={}",
            library.parent().expect("a folder").display()
        ))
        .arg("--extern")
        .arg(format!("netrecon={}", library.display()))
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the compiler that built this test");
    let mut stdin = compiler.stdin.take().expect("piped");
    std::io::Write::write_all(&mut stdin, source.as_bytes()).expect("the compiler reads");
    drop(stdin);
    let output = compiler.wait_with_output().expect("the compiler ends");
    String::from_utf8_lossy(&output.stderr)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["level"] == "error")
        .filter(|message| {
            // The closing count of errors has neither a code nor a place.
            message["code"].is_object() || !message["spans"].as_array().is_some_and(Vec::is_empty)
        })
        .map(|message| {
            message["code"]["code"]
                .as_str()
                .unwrap_or("none")
                .to_owned()
        })
        .collect()
}
