//! Keys that custodians share, as envelopes show it: dealings verified in public, custodians looked up in the roster
//! (spec verdict, clauses V37 to V42; spec custody, clauses K13, K14, K27).

use std::collections::{BTreeMap, BTreeSet};

use bailiwick_custody::{Dealing, DealingDigest, ReleaseEntry, VerifiedDealing, enough_released};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::Envelope;
use bailiwick_roster::{KeyKind, Principal};

use super::people::{KeyId, People};

/// What one dealing says, or why it says nothing.
pub(super) enum Dealt {
    /// Any t of its custodians recover one secret.
    Sound(Box<VerifiedDealing>),
    /// It does not verify, or is about something else.
    Unsound(String),
}

/// The dealings of one version of an object, by the hash of their bytes: more than one only if its owner signed twice.
#[derive(Default)]
pub(super) struct Dealings(BTreeMap<[u8; 32], Dealt>);

/// Custodians of a dealing as the roster knows them.
pub(super) struct Holders<'p> {
    pub(super) threshold: usize,
    /// Whoever in the roster has one of the keys, whatever its role and whether its entry is valid: what reaches it reaches the share.
    pub(super) known: Vec<&'p Principal>,
    /// Keys that nobody in the roster has.
    pub(super) unknown: usize,
    /// Of those known, the ones that are not custodians at the moment judged at.
    pub(super) unlisted: usize,
}

impl Holders<'_> {
    /// Whoever has t shares or more: to it the key is not shared at all.
    pub(super) fn in_one_hand(&self) -> Option<&Principal> {
        let shares = |p: &Principal| self.known.iter().filter(|k| k.name == p.name).count();
        self.known.iter().copied().find(|p| shares(p) >= self.threshold)
    }

    /// Shares of which the roster does not say that a custodian has them now.
    pub(super) fn unaccounted(&self) -> usize {
        self.unknown + self.unlisted
    }
}

impl Dealings {
    /// Reads and verifies the dealing of an envelope whose signature was checked; each only once. Whether it holds and is in hybrid mode.
    pub(super) fn add(&mut self, envelope: &Envelope) -> bool {
        let Some(part) = &envelope.custody else { return false };
        let hash = *blake3::hash(&part.dealing).as_bytes();
        let dealt = self.0.entry(hash).or_insert_with(|| judge(envelope, &part.dealing));
        matches!(dealt, Dealt::Sound(dealing) if dealing.dealing().is_hybrid())
    }

    /// Whether none that holds opens under the secret alone.
    pub(super) fn are_hybrid(&self) -> bool {
        self.sound().all(|dealing| dealing.dealing().is_hybrid())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Why dealings that do not hold do not.
    pub(super) fn unsound(&self) -> impl Iterator<Item = &str> {
        self.0.values().filter_map(|d| match d {
            Dealt::Unsound(why) => Some(why.as_str()),
            Dealt::Sound(_) => None,
        })
    }

    fn sound(&self) -> impl Iterator<Item = &VerifiedDealing> {
        self.0.values().filter_map(|d| match d {
            Dealt::Sound(dealing) => Some(&**dealing),
            Dealt::Unsound(_) => None,
        })
    }

    /// Keys to which enough custodians released, by their own word.
    pub(super) fn released(&self, records: &Records) -> BTreeSet<KeyId> {
        self.sound().flat_map(|dealing| records.enough(dealing)).collect()
    }

    /// Who shares each of the others.
    pub(super) fn holders<'p>(&self, people: &'p People) -> Vec<Holders<'p>> {
        self.sound()
            .map(|dealing| {
                let (threshold, custodians) = (dealing.threshold(), &dealing.dealing().custodians);
                let known: Vec<_> =
                    custodians.iter().filter_map(|c| people.custodian(c.key.point())).collect();
                let unlisted = known.iter().filter(|p| !people.is_custodian(p)).count();
                Holders { threshold, unknown: custodians.len() - known.len(), unlisted, known }
            })
            .collect()
    }
}

/// What the roster does not say of `shares` shares.
pub(super) fn not_custodians(shares: usize) -> String {
    format!(
        "{shares} shares of keys were dealt to whom the roster does not have as a custodian at this moment"
    )
}

/// Releases on record, by dealing.
#[derive(Default)]
pub(super) struct Records(BTreeMap<DealingDigest, Vec<ReleaseEntry>>);

impl Records {
    /// Takes the entry if it is a record of a release. Its log proof is not checked: a custodian's own word tells against it whether a log
    /// has it or not, and nothing is counted in its favour.
    pub(super) fn take(&mut self, entry: &[u8]) -> bool {
        let Ok(entry) = ReleaseEntry::from_bytes(entry) else { return false };
        let Ok(said) = entry.0.decode_unverified() else { return false };
        self.0.entry(said.dealing).or_default().push(entry);
        true
    }

    /// Keys, by id, to which enough custodians of a dealing released: their holders have the secret.
    fn enough(&self, dealing: &VerifiedDealing) -> impl Iterator<Item = KeyId> {
        let entries = self.0.get(&dealing.digest()).into_iter().flatten();
        let records: Vec<_> = entries.filter_map(|e| e.verify(dealing).ok()).collect();
        let first_eight = |f: [u8; 32]| *f.first_chunk().expect("32 bytes begin with 8");
        enough_released(dealing, &records).into_keys().map(first_eight)
    }
}

fn judge(envelope: &Envelope, bytes: &[u8]) -> Dealt {
    let dealing = match Dealing::from_bytes(bytes) {
        Ok(dealing) => dealing,
        Err(e) => return Dealt::Unsound(e.to_string()),
    };
    if let Err(e) = dealing.belongs_to(envelope) {
        return Dealt::Unsound(e.to_string());
    }
    match dealing.verify() {
        Ok(d) => Dealt::Sound(Box::new(d)),
        Err(e) => Dealt::Unsound(e.to_string()),
    }
}

impl People {
    /// Whoever has this ristretto255 key: the key decides, not the role; see [`People::is_custodian`].
    pub(super) fn custodian(&self, key: &[u8; 32]) -> Option<&Principal> {
        self.roster()?.holder(KeyKind::Ristretto255, key)
    }
}
