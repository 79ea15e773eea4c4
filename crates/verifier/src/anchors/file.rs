//! Reading the file, TOML (spec policy, clauses N1-N10).

use std::collections::BTreeMap;

use bailiwick_beacon::{ChainInfo, QUICKNET, Scheme};
use bailiwick_protocol::ids::{AuditorKey, ClassId, RosterKey, VkDigest};
use bailiwick_roster::LastSeen;
use bailiwick_translog::{LogPolicy, VerifierKey};
use serde::Deserialize;
use toml::Spanned;

use super::{
    ANCHORS_VERSION, AnchoredKey, Anchors, AnchorsError, LogAnchor, NAME_CHARS_MAX, NoteKeyFault, Principal,
    Provenance, Role, RosterAnchor,
};
use crate::text::{TOML_BYTES_MAX, is_unprintable, line_of, toml_error};

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
        Ok(Self {
            principals: principals.into(),
            verifying_keys,
            log: file.log.map(|l| read_log(l, &line)).transpose()?,
            roster: file.roster.map(|r| RosterAnchor { authority: r.authority, last_seen: r.last_seen }),
            beacon: file.beacon.map_or(Ok(QUICKNET), |b| read_beacon(b, &line))?,
        })
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
