//! Who is who: the roster, whose keys recipients' entries name, and what reaches whom.

use std::collections::BTreeMap;

use bailiwick_protocol::envelope::Kem;
use bailiwick_protocol::labels::Label;
use bailiwick_roster::{Blocs, KeyKind, Principal, Reach, Role, Roster};

use super::{DossierInputs, Unusable};
use crate::anchors::Anchors;
use crate::reasons::{Reason, ReasonCode};

/// First bytes of a public key's fingerprint, as envelopes name recipients (spec envelope, clause E8).
pub(super) type KeyId = [u8; 8];

/// The roster and what follows from it.
pub(super) struct People {
    roster: Option<Roster>,
    readers_own: bool,
    blocs: Blocs,
    problem: Option<Reason>,
    by_key_id: BTreeMap<KeyId, usize>,
    reach: BTreeMap<String, Reach>,
    now_unix_ms: u64,
}

impl People {
    /// The reader's own roster comes first: if it is not to be used, nothing is judged. The dossier's counts only under the
    /// pinned authority; if it is not to be used, the claims that need one say why.
    pub(super) fn new(
        inputs: &DossierInputs<'_>,
        anchors: &Anchors,
        blocs: Blocs,
        in_dossier: Option<&[u8]>,
    ) -> Result<Self, Unusable> {
        let no_roster = |text: String| Some(Reason::new(ReasonCode::NoRoster, text));
        let mut people = Self {
            roster: None,
            readers_own: inputs.roster.is_some(),
            blocs,
            problem: no_roster(
                "there is no roster, so nothing says who is who, where, and under whose law".to_owned(),
            ),
            by_key_id: BTreeMap::new(),
            reach: BTreeMap::new(),
            now_unix_ms: inputs.now_unix_ms,
        };
        let anchor = anchors.roster();
        let roster = match (inputs.roster, in_dossier, anchor) {
            (Some(_), _, None) => return Err(Unusable::NoAuthority),
            (Some(bytes), _, Some(a)) => {
                let roster =
                    bailiwick_roster::open(bytes, &a.authority, inputs.now_unix_ms, a.last_seen.as_ref())?;
                roster.check_blocs(&people.blocs)?;
                roster
            }
            (None, Some(bytes), Some(a)) => {
                match bailiwick_roster::open(bytes, &a.authority, inputs.now_unix_ms, a.last_seen.as_ref()) {
                    Ok(roster) => match roster.check_blocs(&people.blocs) {
                        Ok(()) => roster,
                        Err(e) => {
                            people.problem =
                                no_roster(format!("the dossier\u{2019}s roster is not used: {e}"));
                            return Ok(people);
                        }
                    },
                    Err(e) => {
                        people.problem = no_roster(format!("the dossier\u{2019}s roster is not used: {e}"));
                        return Ok(people);
                    }
                }
            }
            (None, Some(_), None) => {
                people.problem = no_roster(
                    "the dossier\u{2019}s roster is not used: the trust anchors name no authority for one"
                        .to_owned(),
                );
                return Ok(people);
            }
            (None, None, _) => return Ok(people),
        };
        people.problem = None;
        for (i, p) in roster.principals.iter().enumerate() {
            for id in key_ids(p) {
                people.by_key_id.insert(id, i);
            }
            if let Ok(reach) = roster.reach(p, &people.blocs) {
                people.reach.insert(p.name.clone(), reach);
            }
        }
        people.roster = Some(roster);
        Ok(people)
    }

    pub(super) const fn roster(&self) -> Option<&Roster> {
        self.roster.as_ref()
    }

    pub(super) const fn readers_own(&self) -> bool {
        self.readers_own
    }

    /// Why there is no roster.
    pub(super) const fn problem(&self) -> Option<&Reason> {
        self.problem.as_ref()
    }

    /// Whose encryption key this id names.
    pub(super) fn of_key_id(&self, id: &KeyId) -> Option<&Principal> {
        let i = *self.by_key_id.get(id)?;
        self.roster.as_ref()?.principals.get(i)
    }

    /// Whose signing key this is.
    pub(super) fn signer(&self, key: &[u8]) -> Option<&Principal> {
        self.roster.as_ref()?.holder(KeyKind::Ed25519, key)
    }

    /// Whether the roster has this principal at the moment judged at. Of whom it does not, what reached them still counts against them; that they
    /// are who has the key now, it does not say.
    pub(super) fn is_valid(&self, p: &Principal) -> bool {
        p.is_valid_at(self.now_unix_ms)
    }

    /// Whether the roster has this principal as a custodian at the moment judged at.
    pub(super) fn is_custodian(&self, p: &Principal) -> bool {
        p.role == Role::Custodian && self.is_valid(p)
    }

    /// What reaches a principal.
    pub(super) fn reach(&self, p: &Principal) -> Option<&Reach> {
        self.reach.get(&p.name)
    }

    /// Everyone assumed hostile who handles what is sealed: hosts, gateways, vendors.
    pub(super) fn handlers(&self) -> impl Iterator<Item = &Principal> {
        self.roster.iter().flat_map(|r| &r.principals).filter(|p| handles(p))
    }

    /// The handler of this signing key.
    pub(super) fn handler(&self, key: &[u8]) -> Option<&Principal> {
        self.signer(key).filter(|p| handles(p))
    }
}

const fn handles(p: &Principal) -> bool {
    matches!(p.role, Role::Host | Role::Gateway | Role::Vendor)
}

fn key_ids(p: &Principal) -> impl Iterator<Item = KeyId> + '_ {
    let kinds = [(KeyKind::XWing, Kem::XWing), (KeyKind::X25519, Kem::X25519), (KeyKind::P256, Kem::P256)];
    kinds.into_iter().flat_map(|(kind, kem)| p.keys_of(kind).map(move |key| key_id(kem, key)))
}

fn key_id(kem: Kem, key: &[u8]) -> KeyId {
    let fingerprint = Label::Fingerprint.hash(&[kem.id().to_le_bytes().as_slice(), key].concat());
    *fingerprint.first_chunk().expect("32 bytes begin with 8")
}
