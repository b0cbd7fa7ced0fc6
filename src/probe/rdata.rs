//! Record data as named members, and in the presentation form of zone files.
//!
//! Text that a zone owner wrote is cleaned where it leaves this process
//! (serialization); checks that read policies see it as it was sent.

use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::base::iana::Rtype;
use domain::base::name::{ParsedName, ToLabelIter};
use domain::base::record::ParsedRecord;
use domain::base::wire::ParseError;
use domain::base::{CharStr, UnknownRecordData};
use domain::rdata::dnssec::RtypeBitmap;
use domain::rdata::{
    A, Aaaa, Caa, Cname, Dname, Dnskey, Ds, Https, Mx, Naptr, Ns, Nsec, Nsec3, Ptr, Rrsig, Soa,
    Srv, Svcb, Txt,
};
use serde::{Serialize, Serializer};

use crate::codec::x509;
use crate::guard::text::clean;

mod svcb;
mod text;

pub use svcb::Param;

/// Characters kept of one text member.
const TEXT_LIMIT: usize = 2048;

/// Characters kept of one key, digest or unknown record.
const BLOB_LIMIT: usize = 1024;

/// Types kept of one bit map.
const TYPE_LIMIT: usize = 64;

type Names<'a> = ParsedName<&'a [u8]>;

/// One record's data. Names are in lower case without the final dot, the
/// root as `.`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
#[allow(missing_docs)] // The members are the fields of the record's own RFC.
pub enum Data {
    /// A or AAAA.
    Address { address: IpAddr },
    /// CNAME, DNAME, NS or PTR.
    Name { target: String },
    /// MX.
    Mx { preference: u16, exchange: String },
    /// TXT: its strings joined, as every user of TXT reads it.
    Txt {
        #[serde(serialize_with = "cleaned")]
        value: String,
        #[serde(skip)]
        strings: Vec<Vec<u8>>,
    },
    /// SOA; times in seconds.
    Soa {
        primary: String,
        responsible: String,
        serial: u32,
        refresh: u32,
        retry: u32,
        expire: u32,
        minimum: u32,
    },
    /// SRV.
    Srv {
        priority: u16,
        weight: u16,
        port: u16,
        target: String,
    },
    /// CAA.
    Caa {
        critical: bool,
        flags: u8,
        #[serde(serialize_with = "cleaned")]
        tag: String,
        #[serde(serialize_with = "cleaned")]
        value: String,
    },
    /// HTTPS or SVCB.
    Svcb {
        priority: u16,
        target: String,
        params: Vec<Param>,
        /// Why clients discard it, and all that stand beside it.
        #[serde(skip)]
        fault: Option<&'static str>,
    },
    /// TLSA.
    Tlsa {
        usage: u8,
        selector: u8,
        matching: u8,
        data: String,
    },
    /// DS.
    Ds {
        key_tag: u16,
        algorithm: u8,
        algorithm_name: &'static str,
        digest_type: u8,
        digest: String,
    },
    /// DNSKEY.
    Dnskey {
        flags: u16,
        protocol: u8,
        algorithm: u8,
        algorithm_name: &'static str,
        key_tag: u16,
        bits: u32,
        public_key: String,
    },
    /// RRSIG; times in Unix seconds. Its signature is in the text alone.
    Rrsig {
        covered: String,
        algorithm: u8,
        labels: u8,
        original_ttl: u32,
        key_tag: u16,
        signer: String,
        inception: u32,
        expiration: u32,
        #[serde(skip)]
        signature: String,
    },
    /// NSEC.
    Nsec { next: String, types: Vec<String> },
    /// NSEC3.
    Nsec3 {
        hash: u8,
        opt_out: bool,
        iterations: u16,
        salt_length: usize,
        salt: String,
        next: String,
        types: Vec<String>,
    },
    /// NAPTR.
    Naptr {
        order: u16,
        preference: u16,
        #[serde(serialize_with = "cleaned")]
        naptr_flags: String,
        #[serde(serialize_with = "cleaned")]
        services: String,
        #[serde(serialize_with = "cleaned")]
        regexp: String,
        replacement: String,
    },
    /// Any other type, or one whose data breaks its own format.
    Other {
        hex: String,
        malformed: bool,
        #[serde(skip)]
        octets: usize,
    },
}

fn cleaned<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&clean(text, TEXT_LIMIT))
}

/// Reads one record's data; data that breaks its format is kept as it is.
pub fn read(record: &ParsedRecord<'_, &[u8]>) -> Data {
    match typed(record) {
        Ok(Some(data)) => data,
        Ok(None) => other(record, false),
        Err(_) => other(record, true),
    }
}

fn other(record: &ParsedRecord<'_, &[u8]>, malformed: bool) -> Data {
    let raw = raw(record).unwrap_or_default();
    Data::Other {
        hex: hex(raw),
        malformed,
        octets: raw.len(),
    }
}

/// The data as it came; `None` for types whose data may be compressed.
fn raw<'a>(record: &ParsedRecord<'a, &'a [u8]>) -> Option<&'a [u8]> {
    let record = record.to_record::<UnknownRecordData<&[u8]>>().ok()??;
    Some(record.data().data())
}

fn typed(record: &ParsedRecord<'_, &[u8]>) -> Result<Option<Data>, ParseError> {
    /// The data as type `$type`, turned into ours by `$turn`.
    macro_rules! as_type {
        ($type:ty, $turn:expr) => {
            record
                .to_record::<$type>()?
                .map(|record| $turn(record.into_data()))
        };
    }
    Ok(match record.rtype() {
        Rtype::A => as_type!(A, |d: A| Data::Address {
            address: d.addr().into()
        }),
        Rtype::AAAA => as_type!(Aaaa, |d: Aaaa| Data::Address {
            address: d.addr().into()
        }),
        Rtype::CNAME => as_type!(Cname<Names>, |d: Cname<Names>| target(d.cname())),
        Rtype::DNAME => as_type!(Dname<Names>, |d: Dname<Names>| target(d.dname())),
        Rtype::NS => as_type!(Ns<Names>, |d: Ns<Names>| target(d.nsdname())),
        Rtype::PTR => as_type!(Ptr<Names>, |d: Ptr<Names>| target(d.ptrdname())),
        Rtype::MX => as_type!(Mx<Names>, |d: Mx<Names>| Data::Mx {
            preference: d.preference(),
            exchange: name(d.exchange()),
        }),
        Rtype::TXT => as_type!(Txt<&[u8]>, |d: Txt<&[u8]>| txt(&d)),
        Rtype::SOA => as_type!(Soa<Names>, |d: Soa<Names>| Data::Soa {
            primary: name(d.mname()),
            responsible: name(d.rname()),
            serial: d.serial().into_int(),
            refresh: d.refresh().as_secs(),
            retry: d.retry().as_secs(),
            expire: d.expire().as_secs(),
            minimum: d.minimum().as_secs(),
        }),
        Rtype::SRV => as_type!(Srv<Names>, |d: Srv<Names>| Data::Srv {
            priority: d.priority(),
            weight: d.weight(),
            port: d.port(),
            target: name(d.target()),
        }),
        Rtype::CAA => as_type!(Caa<&[u8]>, |d: Caa<&[u8]>| Data::Caa {
            critical: d.flags().bits() & 0x80 != 0,
            flags: d.flags().bits(),
            tag: d.tag().to_string().to_ascii_lowercase(),
            value: lossy(d.value()),
        }),
        Rtype::HTTPS => as_type!(Https<&[u8], Names>, |d: Https<&[u8], Names>| Data::Svcb {
            priority: d.priority(),
            target: name(d.target()),
            params: svcb::params(d.params().as_slice()),
            fault: svcb::fault(d.priority(), d.params().as_slice()),
        }),
        Rtype::SVCB => as_type!(Svcb<&[u8], Names>, |d: Svcb<&[u8], Names>| Data::Svcb {
            priority: d.priority(),
            target: name(d.target()),
            params: svcb::params(d.params().as_slice()),
            fault: svcb::fault(d.priority(), d.params().as_slice()),
        }),
        Rtype::TLSA => match raw(record) {
            Some([usage, selector, matching, data @ ..]) => Some(Data::Tlsa {
                usage: *usage,
                selector: *selector,
                matching: *matching,
                data: hex(data),
            }),
            _ => None,
        },
        Rtype::DS => as_type!(Ds<&[u8]>, |d: Ds<&[u8]>| Data::Ds {
            key_tag: d.key_tag(),
            algorithm: d.algorithm().to_int(),
            algorithm_name: algorithm_name(d.algorithm().to_int()),
            digest_type: d.digest_type().to_int(),
            digest: hex(d.digest()),
        }),
        Rtype::DNSKEY => as_type!(Dnskey<&[u8]>, |d: Dnskey<&[u8]>| Data::Dnskey {
            flags: d.flags(),
            protocol: d.protocol(),
            algorithm: d.algorithm().to_int(),
            algorithm_name: algorithm_name(d.algorithm().to_int()),
            key_tag: d.key_tag(),
            bits: key_bits(d.algorithm().to_int(), d.public_key()),
            public_key: capped(STANDARD.encode(d.public_key())),
        }),
        Rtype::RRSIG => as_type!(Rrsig<&[u8], Names>, |d: Rrsig<&[u8], Names>| Data::Rrsig {
            covered: d.type_covered().to_string(),
            algorithm: d.algorithm().to_int(),
            labels: d.labels(),
            original_ttl: d.original_ttl().as_secs(),
            key_tag: d.key_tag(),
            signer: name(d.signer_name()),
            inception: d.inception().into_int(),
            expiration: d.expiration().into_int(),
            signature: capped(STANDARD.encode(d.signature())),
        }),
        Rtype::NSEC => as_type!(Nsec<&[u8], Names>, |d: Nsec<&[u8], Names>| Data::Nsec {
            next: name(d.next_name()),
            types: types(d.types()),
        }),
        Rtype::NSEC3 => as_type!(Nsec3<&[u8]>, |d: Nsec3<&[u8]>| Data::Nsec3 {
            hash: d.hash_algorithm().to_int(),
            opt_out: d.opt_out(),
            iterations: d.iterations(),
            salt_length: d.salt().as_slice().len(),
            salt: hex(d.salt().as_slice()),
            next: d.next_owner().to_string(),
            types: types(d.types()),
        }),
        Rtype::NAPTR => as_type!(Naptr<&[u8], Names>, |d: Naptr<&[u8], Names>| Data::Naptr {
            order: d.order(),
            preference: d.preference(),
            naptr_flags: charstr(d.flags()),
            services: charstr(d.services()),
            regexp: charstr(d.regexp()),
            replacement: name(d.replacement()),
        }),
        _ => None,
    })
}

fn target(of: &Names) -> Data {
    Data::Name { target: name(of) }
}

/// In lower case without the final dot; the root as `.`. What has a meaning
/// in zone files is escaped as `dig` does.
pub fn name(name: &ParsedName<impl AsRef<[u8]>>) -> String {
    let mut text = String::with_capacity(name.compose_len().into());
    for label in name.iter().filter(|label| !label.is_root()) {
        if !text.is_empty() {
            text.push('.');
        }
        for octet in label.iter().map(|octet| octet.to_ascii_lowercase()) {
            match octet {
                b'"' | b'(' | b')' | b';' | b'@' | b'$' | b'.' | b'\\' => {
                    text.extend(['\\', char::from(octet)]);
                }
                b'!'..=b'~' => text.push(char::from(octet)),
                _ => text::push_number(&mut text, octet),
            }
        }
    }
    match text.is_empty() {
        true => String::from("."),
        false => text,
    }
}

fn txt(txt: &Txt<&[u8]>) -> Data {
    let whole: Vec<u8> = txt.iter().flatten().copied().collect();
    Data::Txt {
        value: lossy(&whole),
        strings: txt.iter().map(<[u8]>::to_vec).collect(),
    }
}

/// The types of a bit map (RFC 4034 section 4.1.2).
fn types(map: &RtypeBitmap<&[u8]>) -> Vec<String> {
    let types = map.iter().map(|rtype| rtype.to_string());
    types.take(TYPE_LIMIT).collect()
}

fn charstr(text: &CharStr<&[u8]>) -> String {
    lossy(text.as_slice())
}

fn lossy(bytes: &(impl AsRef<[u8]> + ?Sized)) -> String {
    String::from_utf8_lossy(bytes.as_ref()).into_owned()
}

fn hex(bytes: &[u8]) -> String {
    capped(x509::hex(bytes))
}

/// ASCII text cut at [`BLOB_LIMIT`].
fn capped(mut text: String) -> String {
    text.truncate(BLOB_LIMIT);
    text
}

/// Mnemonics of the DNSSEC algorithm registry.
pub const fn algorithm_name(number: u8) -> &'static str {
    match number {
        1 => "RSAMD5",
        3 => "DSA",
        5 => "RSASHA1",
        6 => "DSA-NSEC3-SHA1",
        7 => "RSASHA1-NSEC3-SHA1",
        8 => "RSASHA256",
        10 => "RSASHA512",
        12 => "ECC-GOST",
        13 => "ECDSAP256SHA256",
        14 => "ECDSAP384SHA384",
        15 => "ED25519",
        16 => "ED448",
        _ => "unknown",
    }
}

/// Size of a DNSKEY in bits: of the modulus for RSA (RFC 3110), of the curve
/// for the others; 0 when unknown.
fn key_bits(algorithm: u8, key: &[u8]) -> u32 {
    let modulus = || -> Option<u32> {
        let (exponent, start) = match key {
            [0, high, low, ..] => (usize::from(u16::from_be_bytes([*high, *low])), 3),
            [length, ..] => (usize::from(*length), 1),
            [] => return None,
        };
        let modulus = key.get(start + exponent..)?;
        let leading = modulus.iter().take_while(|byte| **byte == 0).count();
        let first = modulus.get(leading)?;
        u32::try_from((modulus.len() - leading) * 8)
            .ok()
            .map(|bits| bits - first.leading_zeros())
    };
    match algorithm {
        1 | 5 | 7 | 8 | 10 => modulus().unwrap_or(0),
        13 | 15 => 256,
        14 => 384,
        16 => 456,
        _ => 0,
    }
}
