//! The roster as a whole.

use std::collections::BTreeMap;

use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::ids::{BlocsDigest, RosterDigest, RosterKey};
use bailiwick_protocol::labels::Label;
use bailiwick_protocol::signing::Signed;
use serde::Serialize;

use crate::fault::{Fault, Field};
use crate::name::{folded, is_name};
use crate::principal::{KeyKind, Principal, Role, UNIX_MS_MAX};

/// Format of rosters, TOML and CBOR alike.
pub const ROSTER_FORMAT: u64 = 1;

/// Principals of one roster, at most.
pub const PRINCIPALS_MAX: usize = 4096;

/// A roster as it is stored and handed over: canonical bytes and the authority's signature.
pub type SignedRoster = Signed<Roster>;

/// A checked roster: every value of this type fulfils clauses J2-J7.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Roster {
    /// Who signs it.
    pub authority: RosterKey,
    /// What it is called.
    pub name: String,
    /// Version number of this roster, rising from 1.
    pub number: u64,
    /// When it was issued, milliseconds since 1970-01-01 UTC.
    pub issued_unix_ms: u64,
    /// Until when it may be used, exclusive.
    pub valid_until_unix_ms: u64,
    /// Digest of the roster before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<RosterDigest>,
    /// Digest of the blocs it was made with.
    pub blocs: BlocsDigest,
    /// The principals, ascending by name.
    pub principals: Vec<Principal>,
}

/// Which entry a fault is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Name,
    Number,
    Times,
    Count,
    Principal(usize),
    Key(usize, usize),
    Pusher(usize, usize),
}

/// A fault with where it is, and where the other of two is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) fault: Fault,
    pub(crate) at: Place,
    pub(crate) other: Option<Place>,
}

impl Roster {
    /// Digest of the canonical bytes: BLAKE3 with the context of [`Label::RosterDigest`] (clause J8).
    #[must_use]
    pub fn digest(&self) -> RosterDigest {
        RosterDigest(Label::RosterDigest.hash(&self.to_bytes()))
    }

    /// The principal of this name.
    #[must_use]
    pub fn principal(&self, name: &str) -> Option<&Principal> {
        let i = self.principals.binary_search_by(|p| p.name.as_str().cmp(name)).ok()?;
        self.principals.get(i)
    }

    /// The principal this key belongs to, whatever its role: no key belongs to two.
    #[must_use]
    pub fn holder(&self, kind: KeyKind, public: &[u8]) -> Option<&Principal> {
        self.principals.iter().find(|p| p.keys_of(kind).any(|k| k == public))
    }

    /// Principals of one role, ascending by name.
    pub fn of_role(&self, role: Role) -> impl Iterator<Item = &Principal> {
        self.principals.iter().filter(move |p| p.role == role)
    }

    /// The roster, if nothing is wrong with it.
    pub(crate) fn checked(self) -> Result<Self, Found> {
        match self.found() {
            Some(found) => Err(found),
            None => Ok(self),
        }
    }

    fn found(&self) -> Option<Found> {
        let one = |fault, at| Some(Found { fault, at, other: None });
        if !is_name(&self.name) {
            return one(Fault::Name(Field::File), Place::Name);
        }
        if !(1..=i64::MAX.unsigned_abs()).contains(&self.number) {
            return one(Fault::Number, Place::Number);
        }
        if self.issued_unix_ms >= self.valid_until_unix_ms || self.valid_until_unix_ms > UNIX_MS_MAX {
            return one(Fault::RosterTimes, Place::Times);
        }
        if !(1..=PRINCIPALS_MAX).contains(&self.principals.len()) {
            return one(Fault::Count, Place::Count);
        }
        self.principals
            .iter()
            .enumerate()
            .find_map(|(i, p)| {
                let (fault, entry) = p.fault()?;
                one(fault, place_of(fault, i, entry))
            })
            .or_else(|| self.repeated_name())
            .or_else(|| self.repeated_key())
            .or_else(|| self.unknown_pusher())
            .or_else(|| self.firm_spelling())
    }

    fn repeated_name(&self) -> Option<Found> {
        let mut seen = BTreeMap::new();
        for (i, p) in self.principals.iter().enumerate() {
            if let Some(first) = seen.insert(folded(&p.name), i) {
                let fault = Fault::RepeatedName;
                return Some(Found { fault, at: Place::Principal(i), other: Some(Place::Principal(first)) });
            }
        }
        let unordered = self.principals.windows(2).position(|w| w[0].name >= w[1].name)?;
        Some(Found { fault: Fault::Order, at: Place::Principal(unordered + 1), other: None })
    }

    fn repeated_key(&self) -> Option<Found> {
        let mut seen = BTreeMap::new();
        for (i, p) in self.principals.iter().enumerate() {
            for (j, key) in p.keys.iter().enumerate() {
                let at = Place::Key(i, j);
                // Whatever the kind: one secret must not serve two purposes.
                if let Some(first) = seen.insert(key.public.as_slice(), at) {
                    return Some(Found { fault: Fault::RepeatedKey, at, other: Some(first) });
                }
            }
        }
        None
    }

    fn unknown_pusher(&self) -> Option<Found> {
        self.principals.iter().enumerate().find_map(|(i, p)| {
            let j = p.pushes_code.iter().position(|n| self.principal(n).is_none())?;
            Some(Found { fault: Fault::UnknownPusher, at: Place::Pusher(i, j), other: None })
        })
    }

    /// A firm counts as one power by its exact name, so a second spelling would hide concentration.
    fn firm_spelling(&self) -> Option<Found> {
        let mut seen: BTreeMap<String, (&str, usize)> = BTreeMap::new();
        for (i, p) in self.principals.iter().enumerate() {
            let parent = p.parent.as_ref().and_then(|p| p.name.as_deref());
            for firm in p.provider.as_deref().into_iter().chain(parent) {
                let (spelling, first) = *seen.entry(folded(firm)).or_insert((firm, i));
                if spelling != firm {
                    let other = Some(Place::Principal(first));
                    return Some(Found { fault: Fault::FirmSpelling, at: Place::Principal(i), other });
                }
            }
        }
        None
    }
}

fn place_of(fault: Fault, principal: usize, entry: usize) -> Place {
    match fault {
        Fault::Key | Fault::RepeatedKey => Place::Key(principal, entry),
        Fault::OwnPusher | Fault::RepeatedPusher => Place::Pusher(principal, entry),
        _ => Place::Principal(principal),
    }
}
