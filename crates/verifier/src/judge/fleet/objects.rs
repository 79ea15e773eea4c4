//! Objects seen in audits: who can open them, where they lie, and who has opened them.

use std::collections::{BTreeMap, BTreeSet};

use bailiwick_protocol::dossier::SignedOpened;
use bailiwick_protocol::envelope::{Envelope, Role as Entry};
use bailiwick_protocol::ids::{AuditorKey, CellRoot, ContentId, HostKey, OpenerKey, UnitName};
use bailiwick_roster::Role;

use super::people::{KeyId, People};
use super::sharing::{Dealings, Records};
use crate::anchors::Anchors;
use crate::fleet_report::Standing;
use crate::judge::evidence::Evidence;
use crate::policy::OpenedBy;
use crate::reasons::{Reason, ReasonCode};

/// How far ahead an opener's clock may be, milliseconds.
const CLOCK_SKEW_MS: u64 = 5 * 60 * 1000;

/// One object as one audit saw it, under its owner's signature.
pub(super) struct SeenObject {
    key: Key,
    root: Option<CellRoot>,
    recipients: Vec<(Option<KeyId>, Entry)>,
    passphrase: bool,
    /// The envelope, if it has a custody part.
    custody: Option<Box<Envelope>>,
}

/// One version of one unit.
type Key = (UnitName, u64, ContentId);

/// What is known of one version.
pub(super) struct Version {
    root: Option<CellRoot>,
    pub(super) body: ContentId,
    /// Keys its envelopes name, without the entries of `secrets`.
    pub(super) recipients: BTreeSet<KeyId>,
    /// Entries of an envelope with the secret of a sound hybrid dealing, at most: without its post-quantum half it opens nothing (spec custody, clause K17).
    secrets: usize,
    /// Keys to which enough custodians say that they released. It tells against them, and never that somebody has the key: t custodians
    /// write such records without releasing anything.
    pub(super) released: BTreeSet<KeyId>,
    /// Entries of an envelope that name no key, at most, without the entries of `secrets`.
    anonymous: usize,
    /// Whether an envelope of it has a passphrase entry: nobody can tell who knows the passphrase.
    pub(super) passphrase: bool,
    /// How its key is shared among custodians.
    pub(super) dealings: Dealings,
    /// Hosts that held it in an audit.
    pub(super) hosts: BTreeSet<HostKey>,
    pub(super) opened: BTreeSet<OpenedBy>,
}

/// All versions.
#[derive(Default)]
pub(super) struct Objects(BTreeMap<Key, Version>);

pub(super) fn seen(evidence: &Evidence) -> Vec<SeenObject> {
    let object = |e: &Envelope| SeenObject {
        key: (e.name(), e.generation, e.body.blake3),
        root: e.commitment.as_ref().map(|c| c.root),
        recipients: e.recipients.iter().map(|r| (r.key_id, r.role)).collect(),
        passphrase: e.passphrase.is_some(),
        custody: e.custody.is_some().then(|| Box::new(e.clone())),
    };
    evidence.envelopes.iter().flatten().map(object).collect()
}

impl Version {
    /// Keys that are a way to this version's key, for all anyone says: named ones, and those that custodians say they released to.
    pub(super) fn ways(&self) -> impl Iterator<Item = &KeyId> {
        self.recipients.union(&self.released)
    }

    /// Ways to the key that lead to nobody anyone can name. Among them are holders of a hybrid dealing's secret, if its owner dealt once
    /// more under this generation, and not in hybrid mode: the secret may be the same, and opens that one.
    pub(super) fn anonymous(&self) -> usize {
        let secrets = if self.dealings.are_hybrid() { 0 } else { self.secrets };
        self.anonymous + secrets
    }
}

impl Objects {
    pub(super) fn add(&mut self, host: Option<HostKey>, standing: Standing, seen: Vec<SeenObject>) {
        for o in seen {
            let version = self.0.entry(o.key).or_insert_with(|| Version {
                root: o.root,
                body: o.key.2,
                recipients: BTreeSet::new(),
                secrets: 0,
                released: BTreeSet::new(),
                anonymous: 0,
                passphrase: false,
                dealings: Dealings::default(),
                hosts: BTreeSet::new(),
                opened: BTreeSet::new(),
            });
            // Envelopes of one generation differ in their recipients only if the owner signed twice: all of them can open it.
            version.passphrase |= o.passphrase;
            let hybrid = o.custody.as_ref().is_some_and(|envelope| version.dealings.add(envelope));
            let (secrets, keys): (Vec<_>, Vec<_>) =
                o.recipients.into_iter().partition(|(_, role)| hybrid && *role == Entry::CustodySecret);
            version.secrets = version.secrets.max(secrets.len());
            version.anonymous = version.anonymous.max(keys.iter().filter(|(id, _)| id.is_none()).count());
            version.recipients.extend(keys.into_iter().filter_map(|(id, _)| id));
            if standing == Standing::Held {
                version.hosts.extend(host);
            }
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&UnitName, &Version)> {
        self.0.iter().map(|((name, _, _), v)| (name, v))
    }

    /// The newest generation of each unit: one version, or several bodies if its owner signed more than one.
    pub(super) fn newest(&self) -> BTreeMap<&UnitName, Vec<&Version>> {
        let mut out: BTreeMap<&UnitName, (u64, Vec<&Version>)> = BTreeMap::new();
        for ((name, generation, _), version) in &self.0 {
            let (newest, versions) = out.entry(name).or_insert((*generation, Vec::new()));
            // Generations of a unit ascend.
            if newest != generation {
                versions.clear();
            }
            *newest = *generation;
            versions.push(version);
        }
        out.into_iter().map(|(name, (_, versions))| (name, versions)).collect()
    }

    /// Every generation seen of a unit with this body.
    pub(super) fn of_body(&self, name: &UnitName, body: &ContentId) -> Vec<&Version> {
        let all = (*name, 0, ContentId([0; 32]))..=(*name, u64::MAX, ContentId([255; 32]));
        self.0.range(all).map(|(_, v)| v).filter(|v| v.body == *body).collect()
    }

    /// Whoever was given t shares is a way to the key.
    pub(super) fn count_releases(&mut self, records: &Records) {
        for version in self.0.values_mut() {
            version.released = version.dealings.released(records);
        }
    }

    /// Different objects.
    pub(super) fn count(&self) -> usize {
        self.0.keys().map(|(n, ..)| (n.owner, n.object)).collect::<BTreeSet<_>>().len()
    }

    /// Statements of who opened what: signed by a known recipient of the very object, or by an auditor.
    pub(super) fn read_statements(
        &mut self,
        statements: &[SignedOpened],
        anchors: &Anchors,
        people: &People,
        now_ms: u64,
        ignored: &mut Vec<Reason>,
    ) {
        for signed in statements {
            let said = signed
                .decode_unverified()
                .ok()
                // Read before it is verified only to learn whose key to verify under.
                .filter(|s| role_of(&s.opener, anchors, people, now_ms).is_some())
                .and_then(|s| signed.verify(s.opener.as_bytes()).ok());
            let Some(s) = said else {
                ignored.push(Reason::new(
                    ReasonCode::NotOpened,
                    "a statement of opening is not signed by a recipient or auditor the reader knows",
                ));
                continue;
            };
            let Some(version) = self.0.get_mut(&(s.name, s.generation, s.blake3)) else { continue };
            let matches = version.root == s.root && s.opened_unix_ms <= now_ms.saturating_add(CLOCK_SKEW_MS);
            match role_of(&s.opener, anchors, people, now_ms) {
                Some(OpenedBy::Auditor) if matches => drop(version.opened.insert(OpenedBy::Auditor)),
                Some(OpenedBy::Recipient) if matches && is_recipient(&s.opener, version, people) => {
                    version.opened.insert(OpenedBy::Recipient);
                }
                _ => ignored.push(Reason::new(
                    ReasonCode::NotOpened,
                    format!("a statement of opening {} is about another body, dated ahead, or by no recipient of it", s.name),
                )),
            }
        }
    }
}

/// As whom this key may say that it opened something, at the moment judged at.
fn role_of(opener: &OpenerKey, anchors: &Anchors, people: &People, now_ms: u64) -> Option<OpenedBy> {
    if anchors.is_auditor_at(&AuditorKey(opener.0), now_ms) {
        return Some(OpenedBy::Auditor);
    }
    match people.signer(opener.as_bytes()).filter(|p| p.is_valid_at(now_ms))?.role {
        Role::Recipient => Some(OpenedBy::Recipient),
        Role::Auditor => Some(OpenedBy::Auditor),
        _ => None,
    }
}

fn is_recipient(opener: &OpenerKey, version: &Version, people: &People) -> bool {
    let Some(who) = people.signer(opener.as_bytes()) else { return false };
    version.recipients.iter().any(|id| people.of_key_id(id).is_some_and(|p| p.name == who.name))
}
