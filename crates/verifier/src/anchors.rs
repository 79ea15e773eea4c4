//! Trust anchors: whose keys the reader believes, and where each verifying key came from (spec policy, clauses N1-N10).
//!
//! Nothing in here is ever read from a bundle. The file is the smallest valid subset of a roster.

use std::collections::BTreeMap;

use bailiwick_beacon::{ChainInfo, QUICKNET, Scheme};
use bailiwick_protocol::ids::{AuditorKey, ClassId, HostKey, OwnerKey, RosterKey, VkDigest};
use bailiwick_roster::{KeyKind, LastSeen, Roster};
use bailiwick_translog::{LogPolicy, VerifierKey};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::text::{TOML_BYTES_MAX, is_unprintable, line_of, toml_error};

/// Version of the file.
pub const ANCHORS_VERSION: u64 = 1;

/// Characters of a name or of a display field, at most: fits one terminal line with its key.
pub const NAME_CHARS_MAX: usize = 64;

/// Why a trust-anchors file is refused. Every variant names the line, from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnchorsError {
    /// Longer than [`TOML_BYTES_MAX`].
    #[error("trust anchors: {bytes} bytes, more than the limit of {TOML_BYTES_MAX}")]
    TooLong {
        /// Bytes found.
        bytes: usize,
    },
    /// Not TOML, an unknown key, a missing key or a value of the wrong form.
    #[error("trust anchors, line {line}: {message}")]
    Toml {
        /// Where.
        line: usize,
        /// The parser's words, printable.
        message: String,
    },
    /// A version this build does not know.
    #[error("trust anchors, line {line}: unknown version {found}, this program knows {ANCHORS_VERSION}")]
    Version {
        /// Where.
        line: usize,
        /// The version found.
        found: u64,
    },
    /// A key that is not lower-case hexadecimal of its role's length.
    #[error("trust anchors, line {line}: a key is lower-case hexadecimal, 64 digits for {role}")]
    Key {
        /// Where.
        line: usize,
        /// Whose.
        role: Role,
    },
    /// Empty, longer than [`NAME_CHARS_MAX`], or with characters that do not print.
    #[error("trust anchors, line {line}: {field} must be 1 to {NAME_CHARS_MAX} printable characters")]
    Name {
        /// Where.
        line: usize,
        /// Which field.
        field: &'static str,
    },
    /// One key given to two principals: each must have its own.
    #[error("trust anchors, line {line}: this key already belongs to the principal on line {first}")]
    RepeatedKey {
        /// Where.
        line: usize,
        /// Where it was given first.
        first: usize,
    },
    /// Two principals of one role with one name.
    #[error("trust anchors, line {line}: this name already belongs to the {role} on line {first}")]
    RepeatedName {
        /// Where.
        line: usize,
        /// The role.
        role: Role,
        /// Where it was given first.
        first: usize,
    },
    /// A verifying key listed twice.
    #[error("trust anchors, line {line}: this verifying key is already listed on line {first}")]
    RepeatedVerifyingKey {
        /// Where.
        line: usize,
        /// Where it was given first.
        first: usize,
    },
    /// Samples or depth no circuit of this version has.
    #[error("trust anchors, line {line}: a class has 1 to 1024 samples and depth 3 to 8")]
    Class {
        /// Where.
        line: usize,
    },
    /// Fields that do not belong to the stated provenance, or are missing for it.
    #[error(
        "trust anchors, line {line}: provenance `auditor` takes `auditor`; `ceremony` takes `transcript`, `contributors` (at least 1) and `beacon`; `development` takes none of them"
    )]
    ProvenanceFields {
        /// Where.
        line: usize,
    },
    /// A log or witness key that is no C2SP note key of the right kind, or one given twice.
    #[error("trust anchors, line {line}: {why}")]
    NoteKey {
        /// Where.
        line: usize,
        /// What is wrong.
        why: NoteKeyFault,
    },
    /// Parameters of a beacon chain that do not fit its hash.
    #[error("trust anchors, line {line}: beacon: {why}")]
    Beacon {
        /// Where.
        line: usize,
        /// What is wrong.
        why: bailiwick_beacon::ChainError,
    },
    /// A key set up by an auditor who is not a principal of the file.
    #[error("trust anchors, line {line}: this auditor is not among the principals of role auditor")]
    UnknownAuditor {
        /// Where.
        line: usize,
    },
}

/// What is wrong with a log's or witness's key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteKeyFault {
    /// No note key.
    #[error(transparent)]
    Key(#[from] bailiwick_translog::KeyError),
    /// The keys together make no sense.
    #[error(transparent)]
    Together(#[from] bailiwick_translog::PolicyError),
}

/// The transparency log a reader believes, and its witnesses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogAnchor {
    /// The log's key; its name is the log's origin.
    pub key: VerifierKey,
    /// Witnesses whose cosignatures count.
    pub witnesses: Vec<VerifierKey>,
}

/// Whose rosters a reader believes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RosterAnchor {
    /// Key of the authority that signs them.
    pub authority: RosterKey,
    /// The newest one accepted before: an older one is refused.
    pub last_seen: Option<LastSeen>,
}

/// What a principal does. Each has its own key; none is trusted with another's secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Role {
    /// Seals objects, signs envelopes.
    Owner,
    /// Stores bodies, answers challenges.
    Host,
    /// Asks challenges, signs bundles.
    Auditor,
    /// Can open objects. Its key is an encryption key of any length; listed for the reader only.
    Recipient,
}

impl core::fmt::Display for Role {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Owner => "owner",
            Self::Host => "host",
            Self::Auditor => "auditor",
            Self::Recipient => "recipient",
        })
    }
}

/// A principal as the anchors describe it; all but the key is shown, never judged, in this version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Principal {
    /// What it does.
    pub role: Role,
    /// What to call it.
    pub name: String,
    /// Public key, hexadecimal.
    pub key: String,
    /// Who runs the machines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Which data centre.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// Which soil.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Which law controls the operator: soil is not law.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub law: Option<String>,
}

/// Where a verifying key came from (constructions 4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Provenance {
    /// From a public seed: anyone can forge. Never supports a claim.
    Development,
    /// Set up by one auditor from its own randomness. Supports for that auditor only.
    Auditor {
        /// Who.
        auditor: AuditorKey,
    },
    /// Set up by many; sound if one of them was honest.
    Ceremony {
        /// Digest of the ceremony's transcript.
        transcript: String,
        /// Contributors in it.
        contributors: u32,
        /// The public randomness that closed it.
        beacon: String,
    },
}

/// One verifying key the reader accepts, found by its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnchoredKey {
    /// The class whose circuit the key is for.
    pub class: ClassId,
    /// Where it came from.
    pub provenance: Provenance,
}

/// A checked trust-anchors file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchors {
    principals: Vec<Principal>,
    /// Place among `principals`, by role and key.
    by_key: BTreeMap<(Role, String), usize>,
    /// When the entries of a roster count, from and until before, milliseconds; the file's own always do.
    validity: BTreeMap<(Role, String), (u64, u64)>,
    verifying_keys: BTreeMap<VkDigest, AnchoredKey>,
    log: Option<LogAnchor>,
    roster: Option<RosterAnchor>,
    beacon: ChainInfo,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: Spanned<u64>,
    #[serde(default)]
    principal: Vec<Spanned<PrincipalEntry>>,
    #[serde(default)]
    verifying_key: Vec<Spanned<KeyEntry>>,
    log: Option<LogEntry>,
    roster: Option<RosterEntry>,
    beacon: Option<Spanned<BeaconEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogEntry {
    key: Spanned<String>,
    #[serde(default)]
    witnesses: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RosterEntry {
    authority: RosterKey,
    last_seen: Option<LastSeen>,
}

/// Parameters of a chain, as drand's `info` shows them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BeaconEntry {
    #[serde(with = "hex::serde")]
    hash: [u8; 32],
    #[serde(with = "hex::serde")]
    public_key: [u8; 96],
    genesis_time: u64,
    period: u32,
    #[serde(with = "hex::serde")]
    group_hash: [u8; 32],
    id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PrincipalEntry {
    role: Role,
    name: Spanned<String>,
    key: Spanned<String>,
    provider: Option<Spanned<String>>,
    site: Option<Spanned<String>>,
    country: Option<Spanned<String>>,
    law: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ProvenanceKind {
    Development,
    Auditor,
    Ceremony,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassEntry {
    samples: u16,
    depth: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyEntry {
    digest: Spanned<VkDigest>,
    class: Spanned<ClassEntry>,
    provenance: Spanned<ProvenanceKind>,
    auditor: Option<Spanned<AuditorKey>>,
    transcript: Option<Spanned<String>>,
    contributors: Option<u32>,
    beacon: Option<Spanned<String>>,
}

impl Anchors {
    /// Reads and checks a trust-anchors file.
    ///
    /// # Errors
    /// `AnchorsError`, naming the line.
    pub fn parse(text: &str) -> Result<Self, AnchorsError> {
        if text.len() > TOML_BYTES_MAX {
            return Err(AnchorsError::TooLong { bytes: text.len() });
        }
        let file: File = toml::from_str(text).map_err(|e| {
            let (line, message) = toml_error(text, &e);
            AnchorsError::Toml { line, message }
        })?;
        let line = |at: usize| line_of(text, at);
        if *file.version.get_ref() != ANCHORS_VERSION {
            return Err(AnchorsError::Version {
                line: line(file.version.span().start),
                found: *file.version.get_ref(),
            });
        }
        let principals = read_principals(file.principal, &line)?;
        let verifying_keys = read_keys(file.verifying_key, &principals, &line)?;
        let mut anchors = Self {
            principals: Vec::with_capacity(principals.len()),
            by_key: BTreeMap::new(),
            validity: BTreeMap::new(),
            verifying_keys,
            log: file.log.map(|l| read_log(l, &line)).transpose()?,
            roster: file.roster.map(|r| RosterAnchor { authority: r.authority, last_seen: r.last_seen }),
            beacon: file.beacon.map_or(Ok(QUICKNET), |b| read_beacon(b, &line))?,
        };
        principals.into_iter().for_each(|p| anchors.add(p));
        Ok(anchors)
    }

    /// Adds a principal unless its key is there in this role; the file's own come first.
    fn add(&mut self, principal: Principal) {
        let place = self.principals.len();
        let key = (principal.role, principal.key.clone());
        if let std::collections::btree_map::Entry::Vacant(slot) = self.by_key.entry(key) {
            slot.insert(place);
            self.principals.push(principal);
        }
    }

    /// With the owners, hosts and auditors of a roster that its pinned authority signed, each for as long as its entry is valid. A
    /// key the file gives another role keeps the file's.
    pub(crate) fn with_roster(mut self, roster: &Roster) -> Self {
        for p in &roster.principals {
            let role = match p.role {
                bailiwick_roster::Role::Owner => Role::Owner,
                bailiwick_roster::Role::Host => Role::Host,
                bailiwick_roster::Role::Auditor => Role::Auditor,
                _ => continue,
            };
            for key in p.keys_of(KeyKind::Ed25519).map(hex::encode) {
                let taken = [Role::Owner, Role::Host, Role::Auditor]
                    .into_iter()
                    .any(|r| self.by_key.contains_key(&(r, key.clone())));
                if !taken {
                    let valid = (p.valid_from_unix_ms, p.valid_until_unix_ms);
                    self.validity.insert((role, key.clone()), valid);
                    self.add(Principal {
                        role,
                        name: p.name.clone(),
                        key,
                        provider: p.provider.clone(),
                        site: p.site.clone(),
                        country: Some(p.country.to_string()),
                        law: Some(p.law.to_string()),
                    });
                }
            }
        }
        self
    }

    /// The log and its witnesses, if any are anchored.
    #[must_use]
    pub const fn log(&self) -> Option<&LogAnchor> {
        self.log.as_ref()
    }

    /// The roster's authority, if one is pinned.
    #[must_use]
    pub const fn roster(&self) -> Option<&RosterAnchor> {
        self.roster.as_ref()
    }

    /// The beacon chain; quicknet unless the file says otherwise.
    #[must_use]
    pub const fn beacon(&self) -> &ChainInfo {
        &self.beacon
    }

    /// Keys of all auditors, in the file's order, those of a roster whenever they are valid.
    pub(crate) fn auditors(&self) -> impl Iterator<Item = AuditorKey> + '_ {
        self.principals.iter().filter(|p| p.role == Role::Auditor).filter_map(|p| p.key.parse().ok())
    }

    /// The principal with this key in this role.
    fn find(&self, role: Role, key: &str) -> Option<&Principal> {
        self.by_key.get(&(role, key.to_owned())).map(|i| &self.principals[*i])
    }

    fn is_valid_at(&self, role: Role, key: &str, unix_ms: u64) -> bool {
        let place = (role, key.to_owned());
        let within = |(from, until): &(u64, u64)| (*from..*until).contains(&unix_ms);
        self.by_key.contains_key(&place) && self.validity.get(&place).is_none_or(within)
    }

    /// Whether the auditor of this key is anchored, and its entry in the roster valid at this moment.
    pub(crate) fn is_auditor_at(&self, key: &AuditorKey, unix_ms: u64) -> bool {
        self.is_valid_at(Role::Auditor, &key.to_string(), unix_ms)
    }

    /// The same of a host.
    pub(crate) fn is_host_at(&self, key: &HostKey, unix_ms: u64) -> bool {
        self.is_valid_at(Role::Host, &key.to_string(), unix_ms)
    }

    /// The same of an owner.
    pub(crate) fn is_owner_at(&self, key: &OwnerKey, unix_ms: u64) -> bool {
        self.is_valid_at(Role::Owner, &key.to_string(), unix_ms)
    }

    /// The auditor of this key, if it is anchored.
    #[must_use]
    pub fn auditor(&self, key: &AuditorKey) -> Option<&Principal> {
        self.find(Role::Auditor, &key.to_string())
    }

    /// The host of this key, if it is anchored.
    #[must_use]
    pub fn host(&self, key: &HostKey) -> Option<&Principal> {
        self.find(Role::Host, &key.to_string())
    }

    /// The owner of this key, if it is anchored.
    #[must_use]
    pub fn owner(&self, key: &OwnerKey) -> Option<&Principal> {
        self.find(Role::Owner, &key.to_string())
    }

    /// Class and provenance of a verifying key, if it is anchored.
    #[must_use]
    pub fn verifying_key(&self, digest: &VkDigest) -> Option<&AnchoredKey> {
        self.verifying_keys.get(digest)
    }
}

fn read_log(entry: LogEntry, line: &impl Fn(usize) -> usize) -> Result<LogAnchor, AnchorsError> {
    let at = line(entry.key.span().start);
    let key = |text: &Spanned<String>| {
        VerifierKey::parse(text.get_ref())
            .map_err(|e| AnchorsError::NoteKey { line: line(text.span().start), why: NoteKeyFault::Key(e) })
    };
    let log = key(&entry.key)?;
    let witnesses = entry.witnesses.iter().map(key).collect::<Result<Vec<_>, _>>()?;
    LogPolicy::new(log.clone(), witnesses.clone(), 0)
        .map_err(|e| AnchorsError::NoteKey { line: at, why: NoteKeyFault::Together(e) })?;
    Ok(LogAnchor { key: log, witnesses })
}

fn read_beacon(
    entry: Spanned<BeaconEntry>,
    line: &impl Fn(usize) -> usize,
) -> Result<ChainInfo, AnchorsError> {
    let at = line(entry.span().start);
    let BeaconEntry { hash, public_key, genesis_time, period, group_hash, id } = entry.into_inner();
    let scheme = Scheme::BlsUnchainedG1Rfc9380;
    let chain =
        ChainInfo { hash, public_key, genesis: genesis_time, period, group_hash, scheme, id: id.into() };
    chain.check().map_err(|why| AnchorsError::Beacon { line: at, why })?;
    Ok(chain)
}

fn shown(
    value: Spanned<String>,
    field: &'static str,
    line: &impl Fn(usize) -> usize,
) -> Result<String, AnchorsError> {
    let at = value.span().start;
    let value = value.into_inner();
    if value.chars().count() > NAME_CHARS_MAX || value.trim().is_empty() || value.chars().any(is_unprintable)
    {
        return Err(AnchorsError::Name { line: line(at), field });
    }
    Ok(value)
}

fn shown_option(
    value: Option<Spanned<String>>,
    field: &'static str,
    line: &impl Fn(usize) -> usize,
) -> Result<Option<String>, AnchorsError> {
    value.map(|v| shown(v, field, line)).transpose()
}

fn read_principals(
    entries: Vec<Spanned<PrincipalEntry>>,
    line: &impl Fn(usize) -> usize,
) -> Result<Vec<Principal>, AnchorsError> {
    let mut out: Vec<Principal> = Vec::with_capacity(entries.len());
    let mut by_key = BTreeMap::new();
    let mut by_name = BTreeMap::new();
    for entry in entries {
        let p = entry.into_inner();
        let role = p.role;
        let key_line = line(p.key.span().start);
        let name_line = line(p.name.span().start);
        let key = p.key.into_inner();
        let lower_hex = |k: &str| k.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        // An X-Wing public key is 1216 bytes; a recipient's key is shown, not used.
        let length = if role == Role::Recipient { 64..=2432 } else { 64..=64 };
        if !length.contains(&key.len()) || !key.len().is_multiple_of(2) || !lower_hex(&key) {
            return Err(AnchorsError::Key { line: key_line, role });
        }
        if let Some(first) = by_key.insert(key.clone(), key_line) {
            return Err(AnchorsError::RepeatedKey { line: key_line, first });
        }
        let name = shown(p.name, "name", line)?;
        if let Some(first) = by_name.insert((role, name.clone()), name_line) {
            return Err(AnchorsError::RepeatedName { line: name_line, role, first });
        }
        out.push(Principal {
            role,
            name,
            key,
            provider: shown_option(p.provider, "provider", line)?,
            site: shown_option(p.site, "site", line)?,
            country: shown_option(p.country, "country", line)?,
            law: shown_option(p.law, "law", line)?,
        });
    }
    Ok(out)
}

fn read_keys(
    entries: Vec<Spanned<KeyEntry>>,
    principals: &[Principal],
    line: &impl Fn(usize) -> usize,
) -> Result<BTreeMap<VkDigest, AnchoredKey>, AnchorsError> {
    let mut out = BTreeMap::new();
    let mut first_line = BTreeMap::new();
    for entry in entries {
        let k = entry.into_inner();
        let digest_line = line(k.digest.span().start);
        let digest = *k.digest.get_ref();
        if let Some(first) = first_line.insert(digest, digest_line) {
            return Err(AnchorsError::RepeatedVerifyingKey { line: digest_line, first });
        }
        let class = k.class.get_ref();
        if class.samples == 0 || class.samples > 1024 || !(3..=8).contains(&class.depth) {
            return Err(AnchorsError::Class { line: line(k.class.span().start) });
        }
        let class = ClassId { samples: class.samples, depth: class.depth };
        let provenance = read_provenance(k, principals, line)?;
        out.insert(digest, AnchoredKey { class, provenance });
    }
    Ok(out)
}

fn read_provenance(
    k: KeyEntry,
    principals: &[Principal],
    line: &impl Fn(usize) -> usize,
) -> Result<Provenance, AnchorsError> {
    let wrong = AnchorsError::ProvenanceFields { line: line(k.provenance.span().start) };
    match (k.provenance.into_inner(), k.auditor, k.transcript, k.contributors, k.beacon) {
        (ProvenanceKind::Development, None, None, None, None) => Ok(Provenance::Development),
        (ProvenanceKind::Auditor, Some(auditor), None, None, None) => {
            let at = line(auditor.span().start);
            let auditor = auditor.into_inner();
            let text = auditor.to_string();
            if !principals.iter().any(|p| p.role == Role::Auditor && p.key == text) {
                return Err(AnchorsError::UnknownAuditor { line: at });
            }
            Ok(Provenance::Auditor { auditor })
        }
        (ProvenanceKind::Ceremony, None, Some(transcript), Some(contributors), Some(beacon))
            if contributors > 0 =>
        {
            Ok(Provenance::Ceremony {
                transcript: shown(transcript, "transcript", line)?,
                contributors,
                beacon: shown(beacon, "beacon", line)?,
            })
        }
        _ => Err(wrong),
    }
}
