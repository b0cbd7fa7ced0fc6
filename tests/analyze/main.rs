//! `analyze` and `lookup` from their arguments to their answers, in an
//! internet inside this process: real DNS messages, real TLS.

#[path = "../support/dice.rs"]
mod dice;
#[path = "../support/internet.rs"]
mod internet;
#[path = "../support/mod.rs"]
mod support;

mod addresses;
mod bad_worlds;
mod browsers;
mod claims;
mod dnssec;
mod fault_chains;
mod faults;
mod fuzzed;
mod hosts;
mod lookups;
mod mails;
mod odd_answers;
mod odd_servers;
mod own_site;
mod parts;
mod presentation;
mod registrations;
mod reports;
mod schedule;
mod tls;
mod web;
mod zones;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use domain::base::iana::{Rcode, Rtype};
use internet::{Authority, Data, Internet, Leaf, Says, Site, TokioClock, Zone, response};
use netrecon::config::Config;
use netrecon::error::Error;
use netrecon::guard::Guard;
use netrecon::port::Signatures;
use netrecon::tool::part::{Part, Standing};
use netrecon::tool::{Errand, Registry, World};
use serde_json::{Value, json};
use support::{CountingRandom, MIDNIGHT, MemoryReports, NoModel, NoSignatures};

const HOST: &str = "good.net";
const IP: &str = "93.184.215.14";
const IP6: &str = "2606:2800:21f:cb07::1";

/// Where certificates issued for the host are searched.
const LOG_SEARCH: &str = "https://crt.sh/?q=good.net&output=json&exclude=expired&deduplicate=Y";

/// One world with its internet and what its calls left behind.
struct Stage {
    net: Rc<Internet>,
    vars: Vec<(&'static str, String)>,
    reports: Rc<MemoryReports>,
    signatures: Rc<dyn Signatures>,
    subrequests: Rc<Cell<u32>>,
    /// What a watcher was told.
    parts: Rc<RefCell<Vec<Part>>>,
}

impl Stage {
    fn new() -> Stage {
        Stage {
            net: Rc::default(),
            vars: Vec::new(),
            reports: Rc::default(),
            signatures: Rc::new(NoSignatures),
            subrequests: Rc::default(),
            parts: Rc::default(),
        }
    }

    fn trusting(mut self, authority: &Authority) -> Stage {
        self.vars.push(("TRUST_ANCHORS", authority.pem.clone()));
        self
    }

    fn with(mut self, name: &'static str, value: &str) -> Stage {
        self.vars.push((name, value.to_owned()));
        self
    }

    /// Calls a tool; no object of a success names a member twice.
    async fn call(&self, tool: &str, arguments: Value) -> Result<Value, Error> {
        let config = Config::from_vars(|name| {
            self.vars
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| value.clone())
        })
        .expect("valid variables");
        let config = Rc::new(config);
        let world = Rc::new(World {
            guard: Rc::new(Guard::new(config.policy.clone())),
            config,
            network: self.net.clone(),
            clock: Rc::new(TokioClock::new()),
            random: Rc::new(CountingRandom::default()),
            signatures: self.signatures.clone(),
            reports: self.reports.clone(),
            model: Rc::new(NoModel),
            colo: String::from("TST"),
        });
        let registry = Registry::new();
        let tool = registry.find(tool).expect("a tool");
        let planned = tool.judge(&world, arguments)?;
        self.subrequests.set(0);
        let errand = Errand {
            world,
            subrequests: Rc::clone(&self.subrequests),
            watcher: Some(self.watcher()),
        };
        let text = (planned.run)(errand).await?;
        Ok(support::json(&text))
    }

    fn watcher(&self) -> Rc<dyn Fn(Part)> {
        let parts = Rc::clone(&self.parts);
        Rc::new(move |part| parts.borrow_mut().push(part))
    }

    /// How a part ended, and what was said of it.
    fn part(&self, id: &str) -> (Standing, String) {
        let parts = self.parts.borrow();
        let mut ended = parts
            .iter()
            .filter(|part| part.id == id && part.state != Standing::Waiting);
        let part = ended.next().expect("a part that ended");
        assert!(ended.next().is_none(), "{id} ended twice");
        (part.state, part.note.clone())
    }

    /// The whole report, also where the answer had to be cut to its bound.
    async fn analyze(&self, target: &str) -> Result<Value, Error> {
        let arguments = json!({ "target": target, "detail": "full" });
        let answer = self.call("analyze", arguments).await?;
        let Some(id) = answer["id"]
            .as_str()
            .filter(|_| answer.get("omitted").is_some())
        else {
            return Ok(answer);
        };
        let reports = self.reports.0.borrow();
        Ok(serde_json::from_str(&reports[id]).expect("JSON"))
    }
}

/// Runs a test where tasks may be spawned and time passes by itself.
fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, test);
}

/// A host that does everything right, so that each test breaks one thing.
fn good_host(net: &Internet, authority: &Authority) {
    good_zone(net);
    net.address(HOST, IP);
    net.address(HOST, IP6);
    net.texts(HOST, &["v=spf1 mx -all"]);
    net.texts(
        "_dmarc.good.net",
        &["v=DMARC1; p=reject; rua=mailto:d@good.net"],
    );
    net.says(
        HOST,
        Rtype::CAA,
        Says::Records(vec![Data::Issue(String::from("ca.net"))]),
    );
    for ip in [IP, "[2606:2800:21f:cb07::1]"] {
        let serves = authority.serves(&Leaf::of(HOST));
        net.https(&format!("{ip}:443"), serves, good_site());
    }
    net.http(&format!("{IP}:80"), to_https());
    net.file(LOG_SEARCH, 200, &[], "[]");
}

/// Two name servers in two networks that know the zone and keep it.
fn good_zone(net: &Internet) {
    let servers = ["ns1.hoster.net", "ns2.hoster.net"];
    let named = servers.map(|name| Data::Ns(name.to_owned()));
    net.says(HOST, Rtype::NS, Says::Records(named.to_vec()));
    net.says(
        HOST,
        Rtype::SOA,
        Says::Records(vec![Data::Soa([7200, 3600, 1_209_600, 300])]),
    );
    net.says(
        "netrecon-0102030405060708.good.net",
        Rtype::A,
        Says::Code(Rcode::NXDOMAIN, vec![]),
    );
    for (name, ip) in servers.iter().zip(["199.43.135.53", "199.43.133.53"]) {
        net.address(name, ip);
        net.address(name, "2001:500:8f::53");
        net.name_server(&format!("{ip}:53"), HOST, Zone::Closed);
    }
    for (server, system) in [("53.135.43.199", 64500), ("53.133.43.199", 64501)] {
        let mapped = format!("{system} | 199.43.0.0/16 | US | arin | 1994-01-01");
        net.texts(&format!("{server}.origin.asn.cymru.com"), &[&mapped]);
    }
    good_registration(net);
}

/// A domain registered for years to come, and the network of its address.
fn good_registration(net: &Internet) {
    let rdap = "application/rdap+json";
    let domain = json!({
        "objectClassName": "domain",
        "ldhName": HOST,
        "status": ["client transfer prohibited"],
        "events": [
            { "eventAction": "registration", "eventDate": "2016-11-01T00:00:00Z" },
            { "eventAction": "expiration", "eventDate": "2028-11-26T00:00:00Z" },
        ],
        "entities": [{
            "roles": ["registrar"],
            "vcardArray": ["vcard", [["fn", {}, "text", "Good Registrar"]]],
            "entities": [{ "roles": ["abuse"], "vcardArray": ["vcard", [["email", {}, "text", "abuse@good.net"]]] }],
        }],
        "nameservers": [{ "ldhName": "NS1.hoster.net" }, { "ldhName": "ns2.hoster.net." }],
        "secureDNS": { "delegationSigned": false },
    });
    let network = json!({
        "objectClassName": "ip network",
        "handle": "NET-93",
        "name": "EDGE",
        "startAddress": "93.184.215.0",
        "endAddress": "93.184.215.255",
        "country": "US",
    });
    for (path, answer) in [("domain/good.net", domain), ("ip/93.184.215.14", network)] {
        let url = format!("https://rdap.org/{path}");
        net.file(&url, 200, &[("content-type", rdap)], &answer.to_string());
    }
}

fn good_site() -> Site {
    let headers = [
        ("Content-Type", "text/html"),
        (
            "Strict-Transport-Security",
            "max-age=31536000; includeSubDomains",
        ),
        ("Content-Security-Policy", "default-src 'self'"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
    ];
    let files = [("Content-Type", "text/plain; charset=utf-8")];
    let contact = "Contact: mailto:security@good.net\nExpires: 2027-06-01T00:00:00Z\n";
    Site::new()
        .on(
            "/",
            response("200 OK", &headers, "<title>A good\npage</title>"),
        )
        .on(
            "/.well-known/security.txt",
            response("200 OK", &files, contact),
        )
}

fn to_https() -> Site {
    Site::new().otherwise(response(
        "301 Moved Permanently",
        &[("Location", "https://good.net/")],
        "",
    ))
}

/// The report on a host with a sound zone, changed by `prepare`.
async fn analyzed(prepare: impl FnOnce(&Internet)) -> Value {
    let stage = Stage::new();
    stage.net.address(HOST, IP);
    good_zone(&stage.net);
    prepare(&stage.net);
    stage.analyze(HOST).await.unwrap()
}

/// Records at the host, each as the digits of its octets.
fn publish(net: &Internet, rtype: Rtype, all: &[&'static str]) {
    let records = all.iter().map(|digits| Data::Hex(rtype, digits));
    net.says(HOST, rtype, Says::Records(records.collect()));
}

/// A finding by id.
fn finding<'a>(report: &'a Value, id: &str) -> &'a Value {
    let findings = report["findings"].as_array().expect("findings");
    findings
        .iter()
        .find(|finding| finding["id"] == id)
        .unwrap_or_else(|| panic!("no finding {id}"))
}

fn title<'a>(report: &'a Value, id: &str) -> &'a str {
    finding(report, id)["title"].as_str().unwrap()
}

fn state<'a>(report: &'a Value, id: &str) -> &'a str {
    finding(report, id)["state"].as_str().expect("a state")
}
