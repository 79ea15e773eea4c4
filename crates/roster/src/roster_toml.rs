//! A roster as a person writes it (clauses J1-J7).

use bailiwick_protocol::ids::{BlocsDigest, RosterDigest, RosterKey};
use bailiwick_protocol::limits::ROSTER_BYTES_MAX;
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use crate::country::{Country, Law};
use crate::fault::{Fault, TomlError};
use crate::principal::{Coordinates, KEYS_MAX, KeyKind, PUSHERS_MAX, Parent, Principal, PublicKey, Role};
use crate::roster::{Found, PRINCIPALS_MAX, Place, ROSTER_FORMAT, Roster};
use crate::toml_text::Source;

/// Bytes of a TOML roster, at most: twice the signed one, as keys are in hexadecimal.
pub const ROSTER_TOML_BYTES_MAX: usize = 2 * ROSTER_BYTES_MAX;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: Spanned<u64>,
    name: Spanned<String>,
    number: Spanned<u64>,
    issued: Spanned<Datetime>,
    valid_until: Spanned<Datetime>,
    previous: Option<RosterDigest>,
    #[serde(default)]
    principal: Vec<Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: Spanned<String>,
    role: Role,
    #[serde(default)]
    keys: Vec<Spanned<KeyEntry>>,
    provider: Option<String>,
    site: Option<String>,
    latitude_microdeg: Option<i32>,
    longitude_microdeg: Option<i32>,
    country: Country,
    law: Law,
    parent: Option<String>,
    parent_law: Option<Law>,
    #[serde(default)]
    pushes_code: Vec<Spanned<String>>,
    valid_from: Option<Spanned<Datetime>>,
    valid_until: Option<Spanned<Datetime>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyEntry {
    kind: KeyKind,
    public: String,
}

/// Where the parts of a principal stand, in the order of its canonical form.
struct Spans {
    entry: usize,
    keys: Vec<usize>,
    pushers: Vec<usize>,
}

impl Roster {
    /// Reads and checks a roster, to be signed by `authority` and read with the blocs of this digest.
    /// Principals may stand in any order; they are sorted.
    ///
    /// # Errors
    /// `TomlError`, naming the line.
    pub fn parse(text: &str, authority: RosterKey, blocs: BlocsDigest) -> Result<Self, TomlError> {
        let source = Source { what: "roster", text };
        let file: File = source.parse(ROSTER_TOML_BYTES_MAX)?;
        source.format(&file.format, ROSTER_FORMAT)?;
        let issued_unix_ms = source.moment(&file.issued)?;
        let valid_until_unix_ms = source.moment(&file.valid_until)?;
        // Before the work on each: a long list is refused at once.
        if file.principal.len() > PRINCIPALS_MAX {
            return Err(source.fault(Fault::Count, file.format.span().start, None));
        }
        let mut entries = file
            .principal
            .into_iter()
            .map(|entry| read_entry(&source, entry, issued_unix_ms, valid_until_unix_ms))
            .collect::<Result<Vec<_>, _>>()?;
        entries.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
        let (principals, spans): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
        let (name_at, number_at) = (file.name.span().start, file.number.span().start);
        let position = |place: Place| match place {
            Place::Name => name_at,
            Place::Number => number_at,
            Place::Times => file.valid_until.span().start,
            Place::Count => file.format.span().start,
            Place::Principal(i) => spans.get(i).map_or(0, |s| s.entry),
            Place::Key(i, j) => spans.get(i).map_or(0, |s| s.keys.get(j).copied().unwrap_or(s.entry)),
            Place::Pusher(i, j) => spans.get(i).map_or(0, |s| s.pushers.get(j).copied().unwrap_or(s.entry)),
        };
        let report = |found: Found| source.fault(found.fault, position(found.at), found.other.map(position));
        Self {
            authority,
            name: file.name.into_inner(),
            number: file.number.into_inner(),
            issued_unix_ms,
            valid_until_unix_ms,
            previous: file.previous,
            blocs,
            principals,
        }
        .checked()
        .map_err(report)
    }
}

fn read_entry(
    source: &Source<'_>,
    entry: Spanned<Entry>,
    issued_unix_ms: u64,
    ends_unix_ms: u64,
) -> Result<(Principal, Spans), TomlError> {
    let e = entry.into_inner();
    // Faults of a principal are reported where its name stands; the span of a table begins at its header only in TOML order.
    let at = e.name.span().start;
    let coordinates = match (e.latitude_microdeg, e.longitude_microdeg) {
        (Some(latitude_microdeg), Some(longitude_microdeg)) => {
            Some(Coordinates { latitude_microdeg, longitude_microdeg })
        }
        (None, None) => None,
        _ => return Err(source.fault(Fault::HalfCoordinates, at, None)),
    };
    let parent = match (e.parent, e.parent_law) {
        (name, Some(law)) => Some(Parent { name, law }),
        (None, None) => None,
        (Some(_), None) => return Err(source.fault(Fault::ParentWithoutLaw, at, None)),
    };
    let moment = |value: Option<Spanned<Datetime>>, default| value.map_or(Ok(default), |v| source.moment(&v));
    let (keys, key_spans) = read_keys(source, e.keys, at)?;
    let (pushes_code, pushers) = read_pushers(source, e.pushes_code, at)?;
    let principal = Principal {
        name: e.name.into_inner(),
        role: e.role,
        keys,
        provider: e.provider,
        site: e.site,
        coordinates,
        country: e.country,
        law: e.law,
        parent,
        pushes_code,
        valid_from_unix_ms: moment(e.valid_from, issued_unix_ms)?,
        valid_until_unix_ms: moment(e.valid_until, ends_unix_ms)?,
    };
    Ok((principal, Spans { entry: at, keys: key_spans, pushers }))
}

fn read_keys(
    source: &Source<'_>,
    entries: Vec<Spanned<KeyEntry>>,
    at: usize,
) -> Result<(Vec<PublicKey>, Vec<usize>), TomlError> {
    if entries.len() > KEYS_MAX {
        return Err(source.fault(Fault::KeyCount, at, None));
    }
    let mut keys = Vec::with_capacity(entries.len());
    for entry in entries {
        let at = entry.span().start;
        let KeyEntry { kind, public } = entry.into_inner();
        // One key has one text: upper case is refused.
        let public = hex::decode(&public).ok().filter(|_| !public.bytes().any(|b| b.is_ascii_uppercase()));
        let public = public.ok_or_else(|| source.fault(Fault::Key, at, None))?;
        keys.push((PublicKey { kind, public }, at));
    }
    keys.sort();
    Ok(keys.into_iter().unzip())
}

fn read_pushers(
    source: &Source<'_>,
    names: Vec<Spanned<String>>,
    at: usize,
) -> Result<(Vec<String>, Vec<usize>), TomlError> {
    if names.len() > PUSHERS_MAX {
        return Err(source.fault(Fault::PusherCount, at, None));
    }
    let mut names: Vec<_> =
        names.into_iter().map(|n| (n.span().start, n.into_inner())).map(|(a, n)| (n, a)).collect();
    names.sort();
    Ok(names.into_iter().unzip())
}
