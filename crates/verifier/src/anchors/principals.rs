//! Principals by role and key, and at which moments they are one.

use std::collections::BTreeMap;

use bailiwick_protocol::ids::{AuditorKey, HostKey, OwnerKey};
use bailiwick_roster::{KeyKind, Roster};

use super::{Anchors, Principal, Role};

/// The file's principals, then those of a roster.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Principals {
    list: Vec<Principal>,
    /// Place in `list`, by role and key.
    by_key: BTreeMap<(Role, String), usize>,
    /// When the entries of a roster count, from and until before, milliseconds; the file's own always do.
    validity: BTreeMap<(Role, String), (u64, u64)>,
}

impl From<Vec<Principal>> for Principals {
    fn from(of_the_file: Vec<Principal>) -> Self {
        let mut all = Self::default();
        of_the_file.into_iter().for_each(|p| all.add(p));
        all
    }
}

impl Principals {
    /// Adds a principal unless its key is there in this role; the file's own come first.
    fn add(&mut self, principal: Principal) {
        let place = self.list.len();
        let key = (principal.role, principal.key.clone());
        if let std::collections::btree_map::Entry::Vacant(slot) = self.by_key.entry(key) {
            slot.insert(place);
            self.list.push(principal);
        }
    }

    /// The principal with this key in this role.
    fn find(&self, role: Role, key: &str) -> Option<&Principal> {
        self.by_key.get(&(role, key.to_owned())).map(|i| &self.list[*i])
    }

    fn is_valid_at(&self, role: Role, key: &str, unix_ms: u64) -> bool {
        let place = (role, key.to_owned());
        let within = |(from, until): &(u64, u64)| (*from..*until).contains(&unix_ms);
        self.by_key.contains_key(&place) && self.validity.get(&place).is_none_or(within)
    }
}

impl Anchors {
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
                    .any(|r| self.principals.by_key.contains_key(&(r, key.clone())));
                if !taken {
                    let valid = (p.valid_from_unix_ms, p.valid_until_unix_ms);
                    self.principals.validity.insert((role, key.clone()), valid);
                    self.principals.add(Principal {
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

    /// Keys of all auditors, in the file's order, those of a roster whenever they are valid.
    pub(crate) fn auditors(&self) -> impl Iterator<Item = AuditorKey> + '_ {
        self.principals.list.iter().filter(|p| p.role == Role::Auditor).filter_map(|p| p.key.parse().ok())
    }

    /// Whether the auditor of this key is anchored, and its entry in the roster valid at this moment.
    pub(crate) fn is_auditor_at(&self, key: &AuditorKey, unix_ms: u64) -> bool {
        self.principals.is_valid_at(Role::Auditor, &key.to_string(), unix_ms)
    }

    /// The same of a host.
    pub(crate) fn is_host_at(&self, key: &HostKey, unix_ms: u64) -> bool {
        self.principals.is_valid_at(Role::Host, &key.to_string(), unix_ms)
    }

    /// The same of an owner.
    pub(crate) fn is_owner_at(&self, key: &OwnerKey, unix_ms: u64) -> bool {
        self.principals.is_valid_at(Role::Owner, &key.to_string(), unix_ms)
    }

    /// The auditor of this key, if it is anchored.
    #[must_use]
    pub fn auditor(&self, key: &AuditorKey) -> Option<&Principal> {
        self.principals.find(Role::Auditor, &key.to_string())
    }

    /// The host of this key, if it is anchored.
    #[must_use]
    pub fn host(&self, key: &HostKey) -> Option<&Principal> {
        self.principals.find(Role::Host, &key.to_string())
    }

    /// The owner of this key, if it is anchored.
    #[must_use]
    pub fn owner(&self, key: &OwnerKey) -> Option<&Principal> {
        self.principals.find(Role::Owner, &key.to_string())
    }
}
