//! What changed between two versions of a roster.

use std::collections::BTreeMap;

use bailiwick_protocol::time::rfc3339;
use serde::Serialize;

use crate::name::Quoted;
use crate::principal::{KeyKind, Principal};
use crate::roster::Roster;

/// One field with its values as text; absent where there is or was none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// The field, as it is written in TOML.
    pub field: &'static str,
    /// Before.
    pub old: Option<String>,
    /// After.
    pub new: Option<String>,
}

/// A principal that is in both, with other fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PrincipalChange {
    /// Its name.
    pub name: String,
    /// Which fields, in the order of the format.
    pub fields: Vec<FieldChange>,
}

/// A key that belongs to another principal than before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyMove {
    /// Its kind.
    pub kind: KeyKind,
    /// The key, hexadecimal.
    pub public: String,
    /// Whose it was.
    pub from: String,
    /// Whose it is.
    pub to: String,
}

/// Everything that differs. Empty for rosters that say the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// Fields of the roster itself.
    pub roster: Vec<FieldChange>,
    /// Principals only in the new one.
    pub added: Vec<Principal>,
    /// Principals only in the old one.
    pub removed: Vec<Principal>,
    /// Principals in both, changed.
    pub changed: Vec<PrincipalChange>,
    /// Keys that changed hands: worth a question each time.
    pub keys_moved: Vec<KeyMove>,
}

/// Compares two rosters; principals are matched by name.
#[must_use]
pub fn diff(old: &Roster, new: &Roster) -> Diff {
    let only = |a: &Roster, b: &Roster| {
        a.principals.iter().filter(|p| b.principal(&p.name).is_none()).cloned().collect::<Vec<_>>()
    };
    let changed = new.principals.iter().filter_map(|p| {
        let fields = compare(&principal_fields(old.principal(&p.name)?), &principal_fields(p));
        (!fields.is_empty()).then(|| PrincipalChange { name: p.name.clone(), fields })
    });
    Diff {
        roster: compare(&roster_fields(old), &roster_fields(new)),
        added: only(new, old),
        removed: only(old, new),
        changed: changed.collect(),
        keys_moved: keys_moved(old, new),
    }
}

impl Diff {
    /// Whether the two say the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Plain lines; every name and value between quotation marks.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let who = |p: &Principal| format!("{} {}", p.role, Quoted(&p.name));
        let mut out = Vec::new();
        out.extend(self.roster.iter().map(|f| format!("roster: {f}")));
        out.extend(self.added.iter().map(|p| format!("added: {}", who(p))));
        out.extend(self.removed.iter().map(|p| format!("removed: {}", who(p))));
        for change in &self.changed {
            out.extend(change.fields.iter().map(|f| format!("changed: {}: {f}", Quoted(&change.name))));
        }
        out.extend(self.keys_moved.iter().map(|k| {
            format!("key moved: {} {} from {} to {}", k.kind, k.public, Quoted(&k.from), Quoted(&k.to))
        }));
        out
    }
}

impl core::fmt::Display for FieldChange {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let shown = |value: &Option<String>| {
            value.as_ref().map_or_else(|| "nothing".to_owned(), |v| Quoted(v).to_string())
        };
        write!(f, "{} {} -> {}", self.field, shown(&self.old), shown(&self.new))
    }
}

type Fields = Vec<(&'static str, Option<String>)>;

/// Both lists have the same fields in the same order.
fn compare(old: &Fields, new: &Fields) -> Vec<FieldChange> {
    old.iter()
        .zip(new)
        .filter(|((_, old), (_, new))| old != new)
        .map(|((field, old), (_, new))| FieldChange { field, old: old.clone(), new: new.clone() })
        .collect()
}

fn roster_fields(r: &Roster) -> Fields {
    vec![
        ("authority", Some(r.authority.to_string())),
        ("name", Some(r.name.clone())),
        ("number", Some(r.number.to_string())),
        ("issued", Some(rfc3339(r.issued_unix_ms))),
        ("valid_until", Some(rfc3339(r.valid_until_unix_ms))),
        ("previous", r.previous.map(|d| d.to_string())),
        ("blocs", Some(r.blocs.to_string())),
    ]
}

fn principal_fields(p: &Principal) -> Fields {
    let keys: Vec<_> = p.keys.iter().map(|k| format!("{} {}", k.kind, hex::encode(&k.public))).collect();
    let pushers: Vec<_> = p.pushes_code.iter().map(|n| Quoted(n).to_string()).collect();
    let list = |items: Vec<String>| (!items.is_empty()).then(|| items.join(", "));
    vec![
        ("role", Some(p.role.to_string())),
        ("keys", list(keys)),
        ("provider", p.provider.clone()),
        ("site", p.site.clone()),
        ("latitude_microdeg", p.coordinates.map(|c| c.latitude_microdeg.to_string())),
        ("longitude_microdeg", p.coordinates.map(|c| c.longitude_microdeg.to_string())),
        ("country", Some(p.country.to_string())),
        ("law", Some(p.law.to_string())),
        ("parent", p.parent.as_ref().and_then(|p| p.name.clone())),
        ("parent_law", p.parent.as_ref().map(|p| p.law.to_string())),
        ("pushes_code", list(pushers)),
        ("valid_from", Some(rfc3339(p.valid_from_unix_ms))),
        ("valid_until", Some(rfc3339(p.valid_until_unix_ms))),
    ]
}

fn keys_moved(old: &Roster, new: &Roster) -> Vec<KeyMove> {
    let holders: BTreeMap<&[u8], &str> = old
        .principals
        .iter()
        .flat_map(|p| p.keys.iter().map(|k| (k.public.as_slice(), p.name.as_str())))
        .collect();
    let moved = |p: &Principal| -> Vec<KeyMove> {
        p.keys
            .iter()
            .filter_map(|k| {
                let from = holders.get(k.public.as_slice()).filter(|n| **n != p.name)?;
                let (from, to) = ((*from).to_owned(), p.name.clone());
                Some(KeyMove { kind: k.kind, public: hex::encode(&k.public), from, to })
            })
            .collect()
    };
    new.principals.iter().flat_map(moved).collect()
}
