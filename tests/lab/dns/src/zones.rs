//! From `zones.json` and the zone files to signed zones in memory: placeholders, delegations, keys,
//! DS records, signatures, and the deliberate faults in them.

use std::{collections::BTreeMap, fs, net::IpAddr, path::Path, sync::Arc, time::Duration};

use anyhow::{Context, Result, anyhow, bail};
use hickory_server::{
    dnssec::NxProofKind,
    proto::{
        dnssec::{
            Algorithm, DigestType, DnssecSigner, PublicKey, PublicKeyBuf, SigningKey,
            crypto::{EcdsaSigningKey, Ed25519SigningKey},
            rdata::{DNSKEY, DNSSECRData, DS, RRSIG},
        },
        rr::{DNSClass, LowerName, Name, RData, Record, RecordSet, RecordType, RrKey, rdata::A},
        serialize::txt::Parser,
    },
    store::in_memory::InMemoryZoneHandler,
    zone_handler::{AxfrPolicy, ZoneType},
};
use serde::Deserialize;
use time::OffsetDateTime;

use crate::{
    labels::spell_out,
    mischief::{Prank, lower_name},
};

#[allow(deprecated)] // That is the point of it.
const OBSOLETE: Algorithm = Algorithm::DSA;
const DAY: Duration = Duration::from_secs(86_400);
const SIGNATURE_LIFE: Duration = Duration::from_secs(14 * 86_400);

/// `zones.json` as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    tiers: BTreeMap<Tier, Vec<IpAddr>>,
    zones: Vec<Spec>,
    mischief: Vec<Prank>,
}

/// Which servers hold a zone.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// The root servers.
    Root,
    /// The registries' servers (top-level domains and `arpa`).
    Registry,
    /// The hosters' servers (everything below).
    Hoster,
    /// Servers that some delegation names and that know no zone at all.
    Lame,
}

impl Tier {
    /// The face's name in the question log.
    pub fn face(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Registry => "registry",
            Self::Hoster => "hoster",
            Self::Lame => "lame",
        }
    }
}

/// One zone of the manifest.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Spec {
    origin: String,
    tier: Tier,
    #[serde(default)]
    dnssec: Dnssec,
    #[serde(default)]
    denial: Denial,
    #[serde(default)]
    transfer: Transfer,
}

/// How a zone is signed, and what is wrong with it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase")]
enum Dnssec {
    #[default]
    Unsigned,
    /// ECDSA P-256, DS in the parent.
    Signed,
    /// Ed25519, DS in the parent.
    SignedEd25519,
    /// Signed, but the parent has no DS: an island, insecure to everyone.
    Island,
    /// The parent's DS has another digest than the key.
    WrongDs,
    /// Signatures whose time is over.
    Expired,
    /// The parent has a DS, the zone has no key and no signature.
    Stripped,
    /// Every address was changed after it was signed.
    Tampered,
    /// A key and a DS of an algorithm nobody may use any more (DSA, RFC 8624), and no
    /// signature. A validator that no longer knows the algorithm calls such a zone insecure.
    Obsolete,
}

impl Dnssec {
    fn signs(self) -> bool {
        !matches!(self, Self::Unsigned | Self::Stripped | Self::Obsolete)
    }

    fn has_ds(self) -> bool {
        !matches!(self, Self::Unsigned | Self::Island)
    }
}

/// How a signed zone proves that something does not exist.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Denial {
    #[default]
    Nsec,
    /// RFC 9276: no salt, no extra iterations.
    Nsec3,
    /// What RFC 9276 warns of: a salt and extra iterations.
    Nsec3Salted,
}

impl Denial {
    fn proof(self) -> NxProofKind {
        let (salt, iterations): (&[u8], u16) = match self {
            Self::Nsec => return NxProofKind::Nsec,
            Self::Nsec3 => (&[], 0),
            Self::Nsec3Salted => (&[0xab, 0xcd], 12),
        };
        NxProofKind::Nsec3 {
            algorithm: Default::default(),
            salt: Arc::from(salt),
            iterations,
            opt_out: false,
        }
    }
}

/// Who may copy a zone.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase")]
enum Transfer {
    #[default]
    Refused,
    /// Anyone, in one message.
    Open,
    /// Anyone, in several messages.
    OpenInPieces,
}

/// A zone ready to be served.
pub struct Zone {
    /// The zone's apex.
    pub origin: LowerName,
    /// Which servers hold it.
    pub tier: Tier,
    /// Whether a transfer comes in several messages.
    pub in_pieces: bool,
    /// Its records, with signatures where it is signed.
    pub handler: InMemoryZoneHandler,
}

/// Everything that is served, and what a resolver needs to trust it.
pub struct Internet {
    /// Server addresses by tier.
    pub tiers: BTreeMap<Tier, Vec<IpAddr>>,
    /// All zones.
    pub zones: Vec<Zone>,
    /// The names no zone file can hold.
    pub mischief: Vec<Prank>,
    /// The root's key, as a trust anchor file has it.
    pub trust_anchor: String,
}

impl Internet {
    /// Reads the manifest in `dir` and every zone file it names, fills placeholders from `values`
    /// (a JSON object of strings), delegates, and signs.
    pub fn load(dir: &Path, values: Option<&Path>) -> Result<Self> {
        let manifest: Manifest = read_json(&dir.join("zones.json"))?;
        let values: BTreeMap<String, String> =
            values.map(read_json).transpose()?.unwrap_or_default();

        let mut drafts = manifest
            .zones
            .iter()
            .map(|spec| Draft::read(spec, dir, &values))
            .collect::<Result<Vec<_>>>()?;
        delegate(&mut drafts)?;

        let root = drafts
            .iter()
            .find(|draft| draft.origin.is_root())
            .context("no root zone")?;
        let root_key = root.key.as_ref().context("the root is not signed")?;
        let trust_anchor = format!(". 86400 IN DNSKEY {}\n", root_key.dnskey()?);

        let zones = drafts.into_iter().map(Draft::sign).collect::<Result<_>>()?;
        Ok(Self {
            tiers: manifest.tiers,
            zones,
            mischief: manifest.mischief,
            trust_anchor,
        })
    }
}

fn read_json<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}

/// A zone before it is signed.
struct Draft {
    origin: LowerName,
    tier: Tier,
    dnssec: Dnssec,
    denial: Denial,
    transfer: Transfer,
    records: BTreeMap<RrKey, RecordSet>,
    key: Option<Key>,
}

impl Draft {
    fn read(spec: &Spec, dir: &Path, values: &BTreeMap<String, String>) -> Result<Self> {
        let origin = lower_name(&spec.origin)?;
        let stem = if origin.is_root() {
            "root"
        } else {
            spec.origin.as_str()
        };
        let path = dir.join(format!("{stem}.zone"));
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let text = fill(&text, values).with_context(|| path.display().to_string())?;

        let (_, mut records) = Parser::new(text, None, Some(Name::from(&origin)))
            .parse()
            .map_err(|error| anyhow!("{}: {error}", path.display()))?;
        spell_out(&mut records)?;
        let key = match spec.dnssec {
            Dnssec::Unsigned => None,
            Dnssec::SignedEd25519 => Some(Key::generate(Algorithm::ED25519)?),
            Dnssec::Obsolete => Some(Key::obsolete()),
            _ => Some(Key::generate(Algorithm::ECDSAP256SHA256)?),
        };
        if let (Dnssec::Obsolete, Some(key)) = (spec.dnssec, &key) {
            let data = RData::DNSSEC(DNSSECRData::DNSKEY(key.dnskey()?));
            let dnskey = Record::from_rdata(Name::from(&origin), 300, data);
            records.insert(
                RrKey::new(origin.clone(), RecordType::DNSKEY),
                dnskey.into(),
            );
        }
        Ok(Self {
            origin,
            tier: spec.tier,
            dnssec: spec.dnssec,
            denial: spec.denial,
            transfer: spec.transfer,
            records,
            key,
        })
    }

    /// The DS for the parent, with the fault the zone asks for.
    fn ds(&self) -> Result<Option<Record>> {
        let (true, Some(key)) = (self.dnssec.has_ds(), &self.key) else {
            return Ok(None);
        };
        let name = Name::from(&self.origin);
        let dnskey = key.dnskey()?;
        let mut digest = dnskey
            .to_digest(&name, DigestType::SHA256)?
            .as_ref()
            .to_vec();
        if self.dnssec == Dnssec::WrongDs {
            digest.iter_mut().for_each(|byte| *byte = !*byte);
        }
        let tag = dnskey.calculate_key_tag()?;
        let ds = DS::new(
            tag,
            dnskey.public_key().algorithm(),
            DigestType::SHA256,
            digest,
        );
        Ok(Some(Record::from_rdata(
            name,
            3600,
            RData::DNSSEC(DNSSECRData::DS(ds)),
        )))
    }

    fn sign(self) -> Result<Zone> {
        let origin = Name::from(&self.origin);
        let proof = self.dnssec.signs().then(|| self.denial.proof());
        let transfer = match self.transfer {
            Transfer::Refused => AxfrPolicy::Deny,
            Transfer::Open | Transfer::OpenInPieces => AxfrPolicy::AllowAll,
        };
        let mut handler = InMemoryZoneHandler::new(
            origin.clone(),
            self.records,
            ZoneType::Primary,
            transfer,
            proof,
        )
        .map_err(|error| anyhow!("{origin}: {error}"))?;

        if let (true, Some(key)) = (self.dnssec.signs(), &self.key) {
            handler.add_zone_signing_key_mut(key.signer(&origin, SIGNATURE_LIFE)?)?;
            handler.secure_zone_mut()?;
            match self.dnssec {
                Dnssec::Expired => sign_in_the_past(&mut handler, key, &origin)?,
                Dnssec::Tampered => tamper(&mut handler),
                _ => (),
            }
        }
        Ok(Zone {
            origin: self.origin,
            tier: self.tier,
            in_pieces: self.transfer == Transfer::OpenInPieces,
            handler,
        })
    }
}

/// Replaces every `{{name}}` by its value, and every `{{u+1b}}` by the character it numbers (the
/// parser's own `\DDD` gets numbers above 9 wrong).
fn fill(text: &str, values: &BTreeMap<String, String>) -> Result<String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").context("a {{ without its }}")?;
        filled.push_str(before);
        match name.strip_prefix("u+") {
            Some(number) => filled.push(character(number)?),
            None => {
                let value = values.get(name);
                filled.push_str(value.with_context(|| format!("no value for {{{{{name}}}}}"))?);
            }
        }
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

fn character(number: &str) -> Result<char> {
    let code = u32::from_str_radix(number, 16).context("u+ takes hexadecimal digits")?;
    char::from_u32(code).with_context(|| format!("no character u+{number}"))
}

/// Copies each zone's NS set and DS into its parent. A parent that has an NS set of its own for the
/// child keeps it: that is how a delegation gets to disagree with the zone.
fn delegate(drafts: &mut [Draft]) -> Result<()> {
    for child in 0..drafts.len() {
        let origin = drafts[child].origin.clone();
        if origin.is_root() {
            continue;
        }
        let parent = (0..drafts.len())
            .filter(|&other| other != child && drafts[other].origin.zone_of(&origin))
            .max_by_key(|&other| drafts[other].origin.num_labels())
            .with_context(|| format!("{origin} has no parent"))?;
        let ds = drafts[child].ds()?;
        let ns_key = RrKey::new(origin.clone(), RecordType::NS);
        let Some(ns) = drafts[child].records.get(&ns_key).cloned() else {
            bail!("{origin} has no name servers")
        };

        let records = &mut drafts[parent].records;
        records.entry(ns_key).or_insert(ns);
        if let Some(ds) = ds {
            records
                .entry(RrKey::new(origin, RecordType::DS))
                .or_insert_with(|| ds.into());
        }
    }
    Ok(())
}

/// A zone's only key: it signs the zone and its own DNSKEY set (a combined signing key).
struct Key {
    algorithm: Algorithm,
    pkcs8: Vec<u8>,
}

impl Key {
    fn generate(algorithm: Algorithm) -> Result<Self> {
        let pkcs8 = match algorithm {
            Algorithm::ED25519 => Ed25519SigningKey::generate_pkcs8()?,
            _ => EcdsaSigningKey::generate_pkcs8(algorithm)?,
        };
        Ok(Self {
            algorithm,
            pkcs8: pkcs8.secret_pkcs8_der().to_vec(),
        })
    }

    fn signing_key(&self) -> Result<Box<dyn SigningKey>> {
        let pkcs8 = self.pkcs8.as_slice().into();
        Ok(match self.algorithm {
            Algorithm::ED25519 => Box::new(Ed25519SigningKey::from_pkcs8(&pkcs8)?),
            _ => Box::new(EcdsaSigningKey::from_pkcs8(&pkcs8, self.algorithm)?),
        })
    }

    /// A key that signs nothing.
    fn obsolete() -> Self {
        Self {
            algorithm: OBSOLETE,
            pkcs8: Vec::new(),
        }
    }

    fn dnskey(&self) -> Result<DNSKEY> {
        if self.algorithm == OBSOLETE {
            return Ok(DNSKEY::from_key(&PublicKeyBuf::new(
                obsolete_modulus(),
                OBSOLETE,
            )));
        }
        Ok(DNSKEY::from_key(&self.signing_key()?.to_public_key()?))
    }

    fn signer(&self, origin: &Name, life: Duration) -> Result<DnssecSigner> {
        Ok(DnssecSigner::new(
            self.dnskey()?,
            self.signing_key()?,
            origin.clone(),
            life,
        ))
    }
}

/// An RSA public key of 1024 bits in the form of RFC 3110: exponent length, exponent 65537, modulus.
/// Nobody holds its private half.
fn obsolete_modulus() -> Vec<u8> {
    let modulus = (0..128_u8).map(|byte| byte.wrapping_mul(151) | 0x81);
    [3, 1, 0, 1].into_iter().chain(modulus).collect()
}

/// Signs every set again, as of thirty days ago and for a week.
fn sign_in_the_past(handler: &mut InMemoryZoneHandler, key: &Key, origin: &Name) -> Result<()> {
    let signer = key.signer(origin, 7 * DAY)?;
    let inception = OffsetDateTime::now_utc() - 30 * DAY;
    for set in handler.records_get_mut().values_mut() {
        let set = Arc::make_mut(set);
        let rrsig = RRSIG::from_rrset(set, DNSClass::IN, inception, &signer)?;
        let (name, ttl) = (set.name().clone(), set.ttl());
        set.clear_rrsigs();
        let data = RData::DNSSEC(DNSSECRData::RRSIG(rrsig));
        set.insert_rrsig(Record::from_rdata(name, ttl, data));
    }
    Ok(())
}

/// Changes the last octet of every IPv4 address and leaves its signature as it was.
fn tamper(handler: &mut InMemoryZoneHandler) {
    for set in handler.records_get_mut().values_mut() {
        if set.record_type() != RecordType::A {
            continue;
        }
        let mut changed = RecordSet::with_ttl(set.name().clone(), RecordType::A, set.ttl());
        for record in set.records_without_rrsigs() {
            if let RData::A(A(address)) = record.data {
                let mut octets = address.octets();
                octets[3] ^= 1;
                changed.add_rdata(RData::A(A(octets.into())));
            }
        }
        set.rrsigs()
            .iter()
            .for_each(|rrsig| changed.insert_rrsig(rrsig.clone()));
        *set = Arc::new(changed);
    }
}
