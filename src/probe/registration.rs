//! Registration data (RDAP, RFC 9083), asked at the operator's bootstrap
//! service; where that points to a registry's own server, the guard judges it
//! like any other URL.

use std::net::IpAddr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::Failure;
use super::net::Net;
use super::slots::Priority;
use crate::guard::text::clean;
use crate::guard::{Guard, PublicUrl};
use crate::port::{Ask, Fetched};

/// One request's share of time.
const LIMIT: Duration = Duration::from_secs(4);

/// Bytes of an answer: large registries answer some 30 KiB.
const CAP: usize = 256 * 1024;

/// Names that registries are asked about, one above the other.
const CLIMB_LIMIT: usize = 3;

/// Redirects from the bootstrap service to the registry.
const HOP_LIMIT: usize = 3;

/// Characters kept of one member.
const TEXT_LIMIT: usize = 160;

/// Items kept of one list.
const LIST_LIMIT: usize = 32;

const MEDIA_TYPE: &str = "application/rdap+json";

/// What a registry says of a domain or network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Registration {
    /// `domain` or `ip network`.
    pub class: String,
    /// The registered name, or the network's handle.
    pub name: String,
    /// First and last address of a network.
    pub range: Vec<String>,
    /// Its country code, for networks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The registrar, for domains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registrar: Option<String>,
    /// The holder, where it is public.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// Where to report abuse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abuse: Option<String>,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<String>,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// RDAP's status values of the object, e.g. `client transfer prohibited`.
    pub object_status: Vec<String>,
    /// Name servers as registered.
    pub name_servers: Vec<String>,
    /// Whether the registry publishes a DS record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delegation_signed: Option<bool>,
}

/// Why there is no registration data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nothing {
    /// The registry knows no such object.
    NotFound,
    /// It could not be asked.
    Failed(Failure),
}

/// Why nothing was asked: the operator's wish.
pub const SWITCHED_OFF: &str = "the operator switched registration data off";

/// Asks about a registered domain.
async fn domain(
    net: &Net,
    guard: &Guard,
    name: &str,
    priority: Priority,
) -> Result<Registration, Nothing> {
    ask(net, guard, &format!("domain/{name}"), priority).await
}

/// Asks about the domain that `name` belongs to: what lies below a registered
/// domain is known to no registry, so the names above are asked about then.
pub async fn enclosing(
    net: &Net,
    guard: &Guard,
    name: &str,
    priority: Priority,
) -> Result<Registration, Nothing> {
    let mut found = domain(net, guard, name, priority).await;
    let mut below = name;
    for _ in 1..CLIMB_LIMIT {
        match below.split_once('.') {
            Some((_, parent)) if found == Err(Nothing::NotFound) && parent.contains('.') => {
                found = domain(net, guard, parent, priority).await;
                below = parent;
            }
            _ => break,
        }
    }
    found
}

/// Asks about the network of an address.
pub async fn network(
    net: &Net,
    guard: &Guard,
    ip: IpAddr,
    priority: Priority,
) -> Result<Registration, Nothing> {
    ask(net, guard, &format!("ip/{ip}"), priority).await
}

async fn ask(
    net: &Net,
    guard: &Guard,
    path: &str,
    priority: Priority,
) -> Result<Registration, Nothing> {
    let Some(endpoint) = &net.config().rdap else {
        return Err(Nothing::Failed(Failure::Skipped(SWITCHED_OFF)));
    };
    let ask = Ask {
        endpoint,
        suffix: path,
        media_type: MEDIA_TYPE,
        body: None,
        cap: CAP,
    };
    let mut answer = net
        .ask(ask, priority, LIMIT)
        .await
        .map_err(Nothing::Failed)?;
    let mut from: Option<PublicUrl> = None;
    for _ in 0..HOP_LIMIT {
        if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
            break;
        }
        let url = next(guard, from.as_ref(), &answer)?;
        let fields = [
            ("Accept", String::from(MEDIA_TYPE)),
            ("User-Agent", net.agent().to_owned()),
        ];
        answer = net
            .fetch(&url, &fields, CAP, LIMIT)
            .await
            .map_err(Nothing::Failed)?;
        from = Some(url);
    }
    match answer.status {
        200 if !answer.truncated => read(&answer.body),
        404 => Err(Nothing::NotFound),
        status => {
            let how = format!("HTTP status {status} from the registration service");
            Err(Nothing::Failed(Failure::Unreachable(how)))
        }
    }
}

fn next(guard: &Guard, from: Option<&PublicUrl>, answer: &Fetched) -> Result<PublicUrl, Nothing> {
    let refused = |_| Nothing::Failed(Failure::malformed("a redirect that may not be followed"));
    let location = answer
        .headers
        .iter()
        .find(|(name, _)| name == "location")
        .map(|(_, value)| value.as_str())
        .ok_or_else(|| {
            Nothing::Failed(Failure::malformed("a redirect that does not say where to"))
        })?;
    match from {
        Some(from) => guard.redirect(from, location).map_err(refused),
        // The first hop comes from the operator's endpoint, which is no public
        // URL; a relative location there would be its own.
        None => guard.validate_fetch_url(location).map_err(refused),
    }
}

/// Reads an RDAP object; unknown members are passed over, known ones cleaned
/// and capped.
pub fn read(body: &[u8]) -> Result<Registration, Nothing> {
    let object: Value = serde_json::from_slice(body)
        .map_err(|_| Nothing::Failed(Failure::malformed("not the JSON of RDAP")))?;
    let class = text(&object["objectClassName"]).unwrap_or_default();
    // Networks need no handle (RFC 9083 section 5.4); their name will do.
    let name = ["ldhName", "handle", "name"]
        .into_iter()
        .find_map(|member| text(&object[member]));
    let Some(name) = name else {
        return Err(Nothing::Failed(Failure::malformed(
            "an RDAP object without a name",
        )));
    };
    let event = |action: &str| {
        list(&object["events"])
            .find(|event| event["eventAction"] == action)
            .and_then(|event| text(&event["eventDate"]))
    };
    Ok(Registration {
        class,
        name,
        range: [&object["startAddress"], &object["endAddress"]]
            .into_iter()
            .filter_map(text)
            .collect(),
        country: text(&object["country"]),
        registrar: entity(&object, "registrar").and_then(|entity| card(entity, "fn")),
        holder: entity(&object, "registrant")
            .and_then(|entity| card(entity, "fn"))
            .or_else(|| {
                (object["objectClassName"] == "ip network")
                    .then(|| text(&object["name"]))
                    .flatten()
            }),
        abuse: entity(&object, "abuse").and_then(|entity| card(entity, "email")),
        created: event("registration"),
        changed: event("last changed"),
        expires: event("expiration"),
        object_status: list(&object["status"])
            .filter_map(text)
            .take(LIST_LIMIT)
            .collect(),
        name_servers: list(&object["nameservers"])
            .filter_map(|server| text(&server["ldhName"]))
            .map(|name| name.trim_end_matches('.').to_ascii_lowercase())
            .take(LIST_LIMIT)
            .collect(),
        delegation_signed: object["secureDNS"]["delegationSigned"].as_bool(),
    })
}

fn text(value: &Value) -> Option<String> {
    let text = clean(value.as_str()?, TEXT_LIMIT);
    (!text.is_empty()).then_some(text)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The entity with a role, looked for two levels deep: abuse contacts stand
/// inside the registrar.
fn entity<'a>(object: &'a Value, role: &str) -> Option<&'a Value> {
    let has_role = |entity: &&Value| list(&entity["roles"]).any(|known| known == role);
    let direct = || list(&object["entities"]);
    let nested = || direct().find_map(|entity| list(&entity["entities"]).find(has_role));
    direct().find(has_role).or_else(nested)
}

/// A property of an entity's jCard (RFC 7095): `["fn", {}, "text", "Name"]`.
fn card(entity: &Value, property: &str) -> Option<String> {
    list(&entity["vcardArray"][1])
        .find(|entry| entry[0] == property)
        .and_then(|entry| text(&entry[3]))
}
