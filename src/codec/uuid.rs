//! UUIDs (RFC 9562): version, variant and what the bits give away.

use serde::Serialize;

use super::Kind;
use super::format::{Format, NotThis, Reading, Scribe, rules};
use super::moment::rfc3339;

/// What there is to know about the kind `uuid`.
pub const FORMAT: Format = Format {
    kind: Kind::Uuid,
    title: "UUID",
    reference: "RFC 9562",
    example: "c232ab00-9414-11ec-b3c8-9f6bdeced846",
    fields: &[
        ("uuid", "in lower case with hyphens"),
        (
            "version",
            "1 to 8 for the variant of RFC 9562; null otherwise",
        ),
        ("made", "how its version makes UUIDs"),
        ("variant", "`rfc9562`, `ncs`, `microsoft` or `future`"),
        ("special", "`nil` or `max`"),
        ("time", "RFC 3339, for versions 1, 6 and 7"),
        ("milliseconds", "Unix milliseconds, for versions 1, 6 and 7"),
        (
            "node",
            "versions 1 and 6: the node, a hardware address unless marked multicast",
        ),
        ("clockSequence", "versions 1 and 6"),
    ],
    rules: RULES,
    sniff: |text| match digits(text) {
        Some((_, true)) => 98,
        Some((_, false)) => 55,
        None => 0,
    },
    read: |text, context| parse(text, context.now_ms).map(Reading::untyped),
};

/// One UUID.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Uuid {
    uuid: String,
    version: Option<u8>,
    made: Option<&'static str>,
    variant: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    special: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    milliseconds: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clock_sequence: Option<u16>,
}

/// Reads a UUID; `now_ms` in Unix milliseconds.
pub fn parse(text: &str, now_ms: u64) -> Result<Reading<Uuid>, NotThis> {
    let (bits, _) = digits(text).ok_or(NotThis(
        "a UUID has 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12.",
    ))?;
    let mut scribe = Scribe::new(text);
    let whole = text.trim();
    let mut uuid = Uuid {
        uuid: hyphenated(bits),
        variant: variant(bits),
        special: match bits {
            0 => Some("nil"),
            u128::MAX => Some("max"),
            _ => None,
        },
        ..Uuid::default()
    };
    if uuid.special.is_some() {
        return Ok(Reading::new(uuid, scribe));
    }
    if uuid.variant != "rfc9562" {
        scribe.flag(
            OTHER_VARIANT,
            whole,
            "The variant bits are not those of RFC 9562; the rest cannot be interpreted.",
        );
        return Ok(Reading::new(uuid, scribe));
    }
    let version = (bits >> 76) as u8 & 15;
    uuid.version = Some(version);
    uuid.made = MADE.get(usize::from(version)).copied().flatten();
    match version {
        1 | 6 => gregorian(&mut uuid, bits, version),
        7 => uuid.milliseconds = Some((bits >> 80) as i64),
        _ => {}
    }
    uuid.time = uuid
        .milliseconds
        .map(|milliseconds| rfc3339(milliseconds.div_euclid(1000)));
    judge(&mut scribe, whole, &uuid, bits, now_ms);
    Ok(Reading::new(uuid, scribe))
}

fn judge(scribe: &mut Scribe, whole: &str, uuid: &Uuid, bits: u128, now_ms: u64) {
    let is_hardware = uuid.node.is_some() && (bits >> 40) & 1 == 0;
    if is_hardware {
        let at = whole
            .len()
            .saturating_sub(if whole.ends_with('}') { 13 } else { 12 });
        scribe.flag(
            HARDWARE_ADDRESS,
            whole.get(at..at + 12).unwrap_or(whole),
            "The node is the hardware address of the machine that made this UUID.",
        );
    }
    if uuid.milliseconds.is_some() {
        scribe.flag(
            PREDICTABLE,
            whole,
            "It tells when it was made and can be guessed from its neighbours; it is no secret.",
        );
    }
    if uuid.made.is_none() {
        scribe.flag(UNKNOWN_VERSION, whole, "No such version is defined.");
    }
    let soon = i64::try_from(now_ms)
        .unwrap_or(i64::MAX)
        .saturating_add(86_400_000);
    if uuid
        .milliseconds
        .is_some_and(|milliseconds| milliseconds > soon)
    {
        scribe.flag(
            FUTURE,
            whole,
            "Its time lies in the future: a wrong clock, or not really this version.",
        );
    }
}

/// Versions 1 and 6: 100-nanosecond steps since 1582-10-15.
fn gregorian(uuid: &mut Uuid, bits: u128, version: u8) {
    const TO_UNIX: i64 = 0x01B2_1DD2_1381_4000;
    let part = |shift: u32, width: u32| (bits >> shift) as u64 & ((1 << width) - 1);
    let steps = match version {
        1 => part(64, 12) << 48 | part(80, 16) << 32 | part(96, 32),
        _ => part(96, 32) << 28 | part(80, 16) << 12 | part(64, 12),
    };
    uuid.milliseconds = Some((steps as i64 - TO_UNIX).div_euclid(10_000));
    uuid.clock_sequence = Some(part(48, 14) as u16);
    let node: Vec<String> = (0..6)
        .rev()
        .map(|byte| format!("{:02x}", part(byte * 8, 8)))
        .collect();
    uuid.node = Some(node.join(":"));
}

fn variant(bits: u128) -> &'static str {
    match (bits >> 60) as u8 & 15 {
        0..8 => "ncs",
        8..12 => "rfc9562",
        12..14 => "microsoft",
        _ => "future",
    }
}

fn hyphenated(bits: u128) -> String {
    let digits = format!("{bits:032x}");
    let cuts = [0..8, 8..12, 12..16, 16..20, 20..32];
    let groups: Vec<&str> = cuts.into_iter().filter_map(|cut| digits.get(cut)).collect();
    groups.join("-")
}

/// The bits, and whether the hyphens were there.
fn digits(text: &str) -> Option<(u128, bool)> {
    let text = text.trim();
    let bare = text
        .strip_prefix("urn:uuid:")
        .or_else(|| text.strip_prefix("URN:UUID:"))
        .unwrap_or(text);
    let bare = bare
        .strip_prefix('{')
        .and_then(|bare| bare.strip_suffix('}'))
        .unwrap_or(bare);
    let groups: Vec<usize> = bare.split('-').take(6).map(str::len).collect();
    let grouped = groups == [8, 4, 4, 4, 12];
    if !grouped && groups != [32] {
        return None;
    }
    let digits: String = bare.chars().filter(|c| *c != '-').collect();
    if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    Some((u128::from_str_radix(&digits, 16).ok()?, grouped))
}

const MADE: [Option<&str>; 9] = [
    None,
    Some("time and node, low time bits first"),
    Some("DCE security, with a POSIX user or group"),
    Some("MD5 of a namespace and a name"),
    Some("random"),
    Some("SHA-1 of a namespace and a name"),
    Some("time and node, in order of time"),
    Some("Unix time in milliseconds and random bits"),
    Some("by its maker's own rule"),
];

rules! {
    HARDWARE_ADDRESS = "uuid.hardware_address", Low, "RFC 9562 section 8",
        "The UUID discloses a hardware address.";
    PREDICTABLE = "uuid.predictable", Info, "RFC 9562 section 6.7",
        "The UUID contains a time and is guessable.";
    UNKNOWN_VERSION = "uuid.unknown_version", Low, "RFC 9562 section 4.2",
        "The version is not defined.";
    OTHER_VARIANT = "uuid.other_variant", Low, "RFC 9562 section 4.1",
        "The variant is not that of RFC 9562.";
    FUTURE = "uuid.future", Low, "RFC 9562 section 6.1",
        "The time lies in the future.";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Uuid {
        parse(text, 1_800_000_000_000).unwrap().value
    }

    #[test]
    fn the_examples_of_rfc_9562_appendix_a_are_read() {
        let v1 = read("C232AB00-9414-11EC-B3C8-9F6BDECED846");
        assert_eq!(
            (v1.version, v1.milliseconds),
            (Some(1), Some(1_645_557_742_000))
        );
        assert_eq!(v1.node.as_deref(), Some("9f:6b:de:ce:d8:46"));
        let v6 = read("1EC9414C-232A-6B00-B3C8-9F6BDECED846");
        assert_eq!(
            (v6.version, v6.milliseconds),
            (Some(6), Some(1_645_557_742_000))
        );
        assert_eq!(
            (v6.clock_sequence, v1.clock_sequence),
            (Some(0x33C8), Some(0x33C8))
        );
        let v7 = read("017F22E2-79B0-7CC3-98C4-DC0C0C07398F");
        assert_eq!(
            (v7.version, v7.milliseconds),
            (Some(7), Some(1_645_557_742_000))
        );
        assert_eq!(
            read("919108f7-52d1-4320-9bac-f847db4148a8").version,
            Some(4)
        );
    }

    #[test]
    fn special_values_and_other_variants_are_told() {
        assert_eq!(
            read("00000000-0000-0000-0000-000000000000").special,
            Some("nil")
        );
        assert_eq!(
            read("ffffffff-ffff-ffff-ffff-ffffffffffff").special,
            Some("max")
        );
        assert_eq!(
            read("00000000-0000-0000-c000-000000000046").variant,
            "microsoft"
        );
    }

    #[test]
    fn a_hardware_address_is_pointed_at() {
        let reading = parse("{c232ab00-9414-11ec-b3c8-0050569a1234}", 1_800_000_000_000).unwrap();
        let problem = reading
            .problems
            .iter()
            .find(|p| p.code == "uuid.hardware_address")
            .unwrap();
        assert_eq!((problem.span.start, problem.span.end), (25, 37));
    }

    #[test]
    fn wrong_groups_are_no_uuid() {
        for text in [
            "c232ab00-9414-11ec-b3c8-9f6bdeced84",
            "c232ab009414-11ec-b3c8-9f6bdeced846",
            "g232ab00-9414-11ec-b3c8-9f6bdeced846",
        ] {
            assert!(parse(text, 0).is_err(), "{text}");
        }
    }
}
