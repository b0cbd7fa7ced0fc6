//! Numbers of the TLS registries and what is held of them: versions, cipher
//! suites by class, groups, alerts.

/// A protocol version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// RFC 2246, withdrawn by RFC 8996.
    Tls10,
    /// RFC 4346, withdrawn by RFC 8996.
    Tls11,
    /// RFC 5246.
    Tls12,
    /// RFC 8446.
    Tls13,
}

impl Version {
    /// As it stands on the wire.
    pub const fn code(self) -> u16 {
        match self {
            Version::Tls10 => 0x0301,
            Version::Tls11 => 0x0302,
            Version::Tls12 => 0x0303,
            Version::Tls13 => 0x0304,
        }
    }

    /// As it stands in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Version::Tls10 => "TLSv1.0",
            Version::Tls11 => "TLSv1.1",
            Version::Tls12 => "TLSv1.2",
            Version::Tls13 => "TLSv1.3",
        }
    }

    /// By its number on the wire.
    pub fn of(code: u16) -> Option<Version> {
        [
            Version::Tls10,
            Version::Tls11,
            Version::Tls12,
            Version::Tls13,
        ]
        .into_iter()
        .find(|version| version.code() == code)
    }
}

/// How a cipher suite is regarded (RFC 9325 section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The suites of TLS 1.3.
    Tls13,
    /// Forward secrecy and authenticated encryption.
    Strong,
    /// Without forward secrecy, or in CBC mode.
    Weak,
    /// RC4, DES, 3DES, export grade, no encryption or no authentication.
    Broken,
}

/// Every suite that a hello of ours may offer: number, class, name.
const SUITES: &[(u16, Class, &str)] = &[
    (0x1301, Class::Tls13, "TLS_AES_128_GCM_SHA256"),
    (0x1302, Class::Tls13, "TLS_AES_256_GCM_SHA384"),
    (0x1303, Class::Tls13, "TLS_CHACHA20_POLY1305_SHA256"),
    (0x1304, Class::Tls13, "TLS_AES_128_CCM_SHA256"),
    (0x1305, Class::Tls13, "TLS_AES_128_CCM_8_SHA256"),
    (
        0xC02B,
        Class::Strong,
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    ),
    (
        0xC02F,
        Class::Strong,
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    ),
    (
        0xC02C,
        Class::Strong,
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    ),
    (
        0xC030,
        Class::Strong,
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    ),
    (
        0xCCA9,
        Class::Strong,
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    ),
    (
        0xCCA8,
        Class::Strong,
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    ),
    (0x009E, Class::Strong, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"),
    (0x009F, Class::Strong, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"),
    (
        0xCCAA,
        Class::Strong,
        "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    ),
    (0xC0AC, Class::Strong, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM"),
    (0xC0AD, Class::Strong, "TLS_ECDHE_ECDSA_WITH_AES_256_CCM"),
    (0xC0AE, Class::Strong, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8"),
    (0xC0AF, Class::Strong, "TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8"),
    (0xC09E, Class::Strong, "TLS_DHE_RSA_WITH_AES_128_CCM"),
    (0xC09F, Class::Strong, "TLS_DHE_RSA_WITH_AES_256_CCM"),
    (0xC0A2, Class::Strong, "TLS_DHE_RSA_WITH_AES_128_CCM_8"),
    (0xC0A3, Class::Strong, "TLS_DHE_RSA_WITH_AES_256_CCM_8"),
    (
        0xC05C,
        Class::Strong,
        "TLS_ECDHE_ECDSA_WITH_ARIA_128_GCM_SHA256",
    ),
    (
        0xC05D,
        Class::Strong,
        "TLS_ECDHE_ECDSA_WITH_ARIA_256_GCM_SHA384",
    ),
    (
        0xC060,
        Class::Strong,
        "TLS_ECDHE_RSA_WITH_ARIA_128_GCM_SHA256",
    ),
    (
        0xC061,
        Class::Strong,
        "TLS_ECDHE_RSA_WITH_ARIA_256_GCM_SHA384",
    ),
    (
        0xC052,
        Class::Strong,
        "TLS_DHE_RSA_WITH_ARIA_128_GCM_SHA256",
    ),
    (
        0xC053,
        Class::Strong,
        "TLS_DHE_RSA_WITH_ARIA_256_GCM_SHA384",
    ),
    (
        0xC086,
        Class::Strong,
        "TLS_ECDHE_ECDSA_WITH_CAMELLIA_128_GCM_SHA256",
    ),
    (
        0xC087,
        Class::Strong,
        "TLS_ECDHE_ECDSA_WITH_CAMELLIA_256_GCM_SHA384",
    ),
    (
        0xC08A,
        Class::Strong,
        "TLS_ECDHE_RSA_WITH_CAMELLIA_128_GCM_SHA256",
    ),
    (
        0xC08B,
        Class::Strong,
        "TLS_ECDHE_RSA_WITH_CAMELLIA_256_GCM_SHA384",
    ),
    (
        0xC07C,
        Class::Strong,
        "TLS_DHE_RSA_WITH_CAMELLIA_128_GCM_SHA256",
    ),
    (
        0xC07D,
        Class::Strong,
        "TLS_DHE_RSA_WITH_CAMELLIA_256_GCM_SHA384",
    ),
    (0x00A2, Class::Strong, "TLS_DHE_DSS_WITH_AES_128_GCM_SHA256"),
    (0x00A3, Class::Strong, "TLS_DHE_DSS_WITH_AES_256_GCM_SHA384"),
    (
        0xC023,
        Class::Weak,
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    ),
    (
        0xC024,
        Class::Weak,
        "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
    ),
    (0xC027, Class::Weak, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"),
    (0xC028, Class::Weak, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"),
    (0xC009, Class::Weak, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"),
    (0xC00A, Class::Weak, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"),
    (0xC013, Class::Weak, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"),
    (0xC014, Class::Weak, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"),
    (0x0067, Class::Weak, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256"),
    (0x006B, Class::Weak, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256"),
    (0x0033, Class::Weak, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA"),
    (0x0039, Class::Weak, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA"),
    (0x009C, Class::Weak, "TLS_RSA_WITH_AES_128_GCM_SHA256"),
    (0x009D, Class::Weak, "TLS_RSA_WITH_AES_256_GCM_SHA384"),
    (0x003C, Class::Weak, "TLS_RSA_WITH_AES_128_CBC_SHA256"),
    (0x003D, Class::Weak, "TLS_RSA_WITH_AES_256_CBC_SHA256"),
    (0x002F, Class::Weak, "TLS_RSA_WITH_AES_128_CBC_SHA"),
    (0x0035, Class::Weak, "TLS_RSA_WITH_AES_256_CBC_SHA"),
    (0x0041, Class::Weak, "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA"),
    (0x0084, Class::Weak, "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA"),
    (
        0xC072,
        Class::Weak,
        "TLS_ECDHE_ECDSA_WITH_CAMELLIA_128_CBC_SHA256",
    ),
    (
        0xC073,
        Class::Weak,
        "TLS_ECDHE_ECDSA_WITH_CAMELLIA_256_CBC_SHA384",
    ),
    (
        0xC076,
        Class::Weak,
        "TLS_ECDHE_RSA_WITH_CAMELLIA_128_CBC_SHA256",
    ),
    (
        0xC077,
        Class::Weak,
        "TLS_ECDHE_RSA_WITH_CAMELLIA_256_CBC_SHA384",
    ),
    (
        0x00BE,
        Class::Weak,
        "TLS_DHE_RSA_WITH_CAMELLIA_128_CBC_SHA256",
    ),
    (
        0x00C4,
        Class::Weak,
        "TLS_DHE_RSA_WITH_CAMELLIA_256_CBC_SHA256",
    ),
    (0x00BA, Class::Weak, "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA256"),
    (0x00C0, Class::Weak, "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA256"),
    (0x0045, Class::Weak, "TLS_DHE_RSA_WITH_CAMELLIA_128_CBC_SHA"),
    (0x0088, Class::Weak, "TLS_DHE_RSA_WITH_CAMELLIA_256_CBC_SHA"),
    (
        0xC048,
        Class::Weak,
        "TLS_ECDHE_ECDSA_WITH_ARIA_128_CBC_SHA256",
    ),
    (
        0xC049,
        Class::Weak,
        "TLS_ECDHE_ECDSA_WITH_ARIA_256_CBC_SHA384",
    ),
    (
        0xC04C,
        Class::Weak,
        "TLS_ECDHE_RSA_WITH_ARIA_128_CBC_SHA256",
    ),
    (
        0xC04D,
        Class::Weak,
        "TLS_ECDHE_RSA_WITH_ARIA_256_CBC_SHA384",
    ),
    (0xC044, Class::Weak, "TLS_DHE_RSA_WITH_ARIA_128_CBC_SHA256"),
    (0xC045, Class::Weak, "TLS_DHE_RSA_WITH_ARIA_256_CBC_SHA384"),
    (0xC03C, Class::Weak, "TLS_RSA_WITH_ARIA_128_CBC_SHA256"),
    (0xC03D, Class::Weak, "TLS_RSA_WITH_ARIA_256_CBC_SHA384"),
    (0xC09C, Class::Weak, "TLS_RSA_WITH_AES_128_CCM"),
    (0xC09D, Class::Weak, "TLS_RSA_WITH_AES_256_CCM"),
    (0xC0A0, Class::Weak, "TLS_RSA_WITH_AES_128_CCM_8"),
    (0xC0A1, Class::Weak, "TLS_RSA_WITH_AES_256_CCM_8"),
    (0xC050, Class::Weak, "TLS_RSA_WITH_ARIA_128_GCM_SHA256"),
    (0xC051, Class::Weak, "TLS_RSA_WITH_ARIA_256_GCM_SHA384"),
    (0xC07A, Class::Weak, "TLS_RSA_WITH_CAMELLIA_128_GCM_SHA256"),
    (0xC07B, Class::Weak, "TLS_RSA_WITH_CAMELLIA_256_GCM_SHA384"),
    (0x0040, Class::Weak, "TLS_DHE_DSS_WITH_AES_128_CBC_SHA256"),
    (0x006A, Class::Weak, "TLS_DHE_DSS_WITH_AES_256_CBC_SHA256"),
    (0x0032, Class::Weak, "TLS_DHE_DSS_WITH_AES_128_CBC_SHA"),
    (0x0038, Class::Weak, "TLS_DHE_DSS_WITH_AES_256_CBC_SHA"),
    (
        0xC02D,
        Class::Weak,
        "TLS_ECDH_ECDSA_WITH_AES_128_GCM_SHA256",
    ),
    (
        0xC02E,
        Class::Weak,
        "TLS_ECDH_ECDSA_WITH_AES_256_GCM_SHA384",
    ),
    (0xC031, Class::Weak, "TLS_ECDH_RSA_WITH_AES_128_GCM_SHA256"),
    (0xC032, Class::Weak, "TLS_ECDH_RSA_WITH_AES_256_GCM_SHA384"),
    (0xC004, Class::Weak, "TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA"),
    (0xC005, Class::Weak, "TLS_ECDH_ECDSA_WITH_AES_256_CBC_SHA"),
    (0xC00E, Class::Weak, "TLS_ECDH_RSA_WITH_AES_128_CBC_SHA"),
    (0xC00F, Class::Weak, "TLS_ECDH_RSA_WITH_AES_256_CBC_SHA"),
    (0x009A, Class::Weak, "TLS_DHE_RSA_WITH_SEED_CBC_SHA"),
    (0x0096, Class::Weak, "TLS_RSA_WITH_SEED_CBC_SHA"),
    (0x0007, Class::Weak, "TLS_RSA_WITH_IDEA_CBC_SHA"),
    (
        0xC008,
        Class::Broken,
        "TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA",
    ),
    (0xC012, Class::Broken, "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA"),
    (0x0016, Class::Broken, "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA"),
    (0x000A, Class::Broken, "TLS_RSA_WITH_3DES_EDE_CBC_SHA"),
    (0xC007, Class::Broken, "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA"),
    (0xC011, Class::Broken, "TLS_ECDHE_RSA_WITH_RC4_128_SHA"),
    (0x0005, Class::Broken, "TLS_RSA_WITH_RC4_128_SHA"),
    (0x0004, Class::Broken, "TLS_RSA_WITH_RC4_128_MD5"),
    (0x0009, Class::Broken, "TLS_RSA_WITH_DES_CBC_SHA"),
    (0x0008, Class::Broken, "TLS_RSA_EXPORT_WITH_DES40_CBC_SHA"),
    (0x0006, Class::Broken, "TLS_RSA_EXPORT_WITH_RC2_CBC_40_MD5"),
    (0x0003, Class::Broken, "TLS_RSA_EXPORT_WITH_RC4_40_MD5"),
    (0x00A6, Class::Broken, "TLS_DH_anon_WITH_AES_128_GCM_SHA256"),
    (0x0034, Class::Broken, "TLS_DH_anon_WITH_AES_128_CBC_SHA"),
    (0x0018, Class::Broken, "TLS_DH_anon_WITH_RC4_128_MD5"),
    (0xC018, Class::Broken, "TLS_ECDH_anon_WITH_AES_128_CBC_SHA"),
    (0xC006, Class::Broken, "TLS_ECDHE_ECDSA_WITH_NULL_SHA"),
    (0xC010, Class::Broken, "TLS_ECDHE_RSA_WITH_NULL_SHA"),
    (0x003B, Class::Broken, "TLS_RSA_WITH_NULL_SHA256"),
    (0x0002, Class::Broken, "TLS_RSA_WITH_NULL_SHA"),
    (0x0013, Class::Broken, "TLS_DHE_DSS_WITH_3DES_EDE_CBC_SHA"),
    (
        0xC003,
        Class::Broken,
        "TLS_ECDH_ECDSA_WITH_3DES_EDE_CBC_SHA",
    ),
    (0xC00D, Class::Broken, "TLS_ECDH_RSA_WITH_3DES_EDE_CBC_SHA"),
    (0x0015, Class::Broken, "TLS_DHE_RSA_WITH_DES_CBC_SHA"),
    (
        0x0014,
        Class::Broken,
        "TLS_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA",
    ),
    (0x00A7, Class::Broken, "TLS_DH_anon_WITH_AES_256_GCM_SHA384"),
    (0x003A, Class::Broken, "TLS_DH_anon_WITH_AES_256_CBC_SHA"),
    (0xC019, Class::Broken, "TLS_ECDH_anon_WITH_AES_256_CBC_SHA"),
    (0x0001, Class::Broken, "TLS_RSA_WITH_NULL_MD5"),
];

/// The numbers of some classes, in the order of the classes.
pub fn suites(classes: &[Class]) -> impl Iterator<Item = u16> {
    classes.iter().flat_map(|class| {
        SUITES
            .iter()
            .filter(move |(_, known, _)| known == class)
            .map(|(code, ..)| *code)
    })
}

/// The registered name and the class of a suite that we may offer.
pub fn suite(code: u16) -> Option<(&'static str, Class)> {
    SUITES
        .iter()
        .find(|(known, ..)| *known == code)
        .map(|(_, class, name)| (*name, *class))
}

pub(crate) const SECP256R1: u16 = 0x0017;
pub(crate) const SECP384R1: u16 = 0x0018;
pub(crate) const SECP521R1: u16 = 0x0019;
pub(crate) const X25519: u16 = 0x001D;
pub(crate) const X448: u16 = 0x001E;
/// RFC 9794 and its registration: X25519 and ML-KEM-768 together.
pub(crate) const X25519MLKEM768: u16 = 0x11EC;

/// Every group of TLS 1.3 that a web server may have, ours last.
pub(crate) const GROUPS_13: &[u16] = &[
    SECP521R1,
    X448,
    0x001F, // brainpoolP256r1tls13 and its sisters (RFC 8734)
    0x0020,
    0x0021,
    0x0100, // ffdhe2048 and larger ones (RFC 7919)
    0x0101,
    0x0102,
    0x0103,
    0x0104,
    X25519MLKEM768,
    0x11EB, // SecP256r1MLKEM768
    0x11ED, // SecP384r1MLKEM1024
    X25519,
    SECP256R1,
    SECP384R1,
];

/// The registered name of a group that we may offer.
pub fn group(code: u16) -> Option<&'static str> {
    Some(match code {
        SECP256R1 => "secp256r1",
        SECP384R1 => "secp384r1",
        SECP521R1 => "secp521r1",
        X25519 => "X25519",
        X448 => "X448",
        0x001F => "brainpoolP256r1tls13",
        0x0020 => "brainpoolP384r1tls13",
        0x0021 => "brainpoolP512r1tls13",
        0x0100 => "ffdhe2048",
        0x0101 => "ffdhe3072",
        0x0102 => "ffdhe4096",
        0x0103 => "ffdhe6144",
        0x0104 => "ffdhe8192",
        X25519MLKEM768 => "X25519MLKEM768",
        0x11EB => "SecP256r1MLKEM768",
        0x11ED => "SecP384r1MLKEM1024",
        _ => return None,
    })
}

/// What every hello says it can verify, the withdrawn ones last so that a
/// server that has nothing better answers too.
pub(crate) const SIGNATURE_SCHEMES: &[u16] = &[
    0x0403, 0x0503, 0x0603, // ecdsa on P-256, P-384, P-521
    0x0807, 0x0804, 0x0805, 0x0806, // ed25519, rsa_pss_rsae
    0x0401, 0x0501, 0x0601, // rsa_pkcs1
    0x0808, 0x0809, 0x080A, 0x080B, // ed448, rsa_pss_pss
    0x081A, 0x081B, 0x081C, // ecdsa on brainpool curves
    0x0402, 0x0202, // dsa
    0x0203, 0x0201, // with SHA-1
];

/// The name of an alert (RFC 8446 section 6).
pub fn alert(code: u8) -> String {
    let name = match code {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        22 => "record_overflow",
        40 => "handshake_failure",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        109 => "missing_extension",
        110 => "unsupported_extension",
        112 => "unrecognized_name",
        116 => "certificate_required",
        120 => "no_application_protocol",
        _ => return format!("alert_{code}"),
    };
    String::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_suite_is_listed_twice_and_names_say_their_class() {
        let mut codes: Vec<u16> = SUITES.iter().map(|(code, ..)| *code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), SUITES.len());
        for (_, class, name) in SUITES {
            let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
            let broken = has(&["RC4", "DES", "NULL", "EXPORT", "anon"]);
            let forward = has(&["_ECDHE_", "_DHE_"]);
            let sealed = has(&["GCM", "POLY1305", "CCM"]);
            let want = match (broken, forward && sealed) {
                _ if !name.contains("_WITH_") => Class::Tls13,
                (true, _) => Class::Broken,
                (_, true) => Class::Strong,
                _ => Class::Weak,
            };
            assert_eq!(*class, want, "{name}");
        }
    }
}
