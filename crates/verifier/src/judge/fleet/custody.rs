//! Keys shared among custodians, for the claim *custody* (spec verdict, clauses V40 and V42; spec custody, clauses K27 and K28).

use std::collections::{BTreeMap, BTreeSet};

use bailiwick_protocol::ids::UnitName;
use bailiwick_roster::{Jurisdiction, Principal, Quoted};

use super::keys::{Paths, SHOWN_MAX, is_kind, no_sharing, unknown_holders};
use super::loss::{Left, has_custodians_left, left};
use super::objects::Version;
use super::opaque::unseen;
use super::place::violations;
use super::sharing::{Holders, not_custodians};
use super::{Fleet, few};
use crate::claims::{Claim, Verdict};
use crate::policy::Power;
use crate::reasons::{Reason, ReasonCode};

/// How the keys of the objects that count are shared.
pub(super) struct Shared<'f> {
    /// Dealings of every version: what they opened they still open.
    all: Vec<Holders<'f>>,
    newest: Vec<(&'f UnitName, &'f Version)>,
    /// Objects, and those of them whose newest version is in sound custody.
    objects: usize,
    in_custody: usize,
    unsound: Vec<String>,
}

impl<'f> Shared<'f> {
    pub(super) fn of(fleet: &'f Fleet<'_>) -> Self {
        let counts =
            |n: &bailiwick_protocol::ids::UnitName| fleet.policy.counts(Claim::Custody, &n.owner, &n.object);
        let mut shared =
            Self { all: Vec::new(), newest: Vec::new(), objects: 0, in_custody: 0, unsound: Vec::new() };
        for (_, v) in fleet.objects.iter().filter(|(n, _)| counts(n)) {
            shared.unsound.extend(v.dealings.unsound().map(str::to_owned));
            shared.all.extend(v.dealings.holders(&fleet.people));
        }
        for (name, versions) in fleet.objects.newest().into_iter().filter(|(n, _)| counts(n)) {
            shared.newest.extend(versions.iter().map(|v| (name, *v)));
            shared.objects += 1;
            let sound = |v: &&Version| {
                let dealings = v.dealings.holders(&fleet.people);
                !dealings.is_empty() && dealings.iter().all(|h| h.in_one_hand().is_none())
            };
            shared.in_custody += usize::from(versions.iter().all(sound));
        }
        shared
    }

    /// Powers that reach enough custodians, or leave too few; places that enough of them violate.
    pub(super) fn against(&self, fleet: &Fleet<'_>, kinds: &BTreeSet<Power>) -> Vec<Reason> {
        let mut out: BTreeMap<String, Reason> = BTreeMap::new();
        for h in &self.all {
            let n = h.known.len() + h.unknown;
            for (j, c) in reached(fleet, h, kinds) {
                if c >= h.threshold {
                    let text =
                        format!("{j} reaches {c} of {n} custodians of a key, and {} are enough", h.threshold);
                    out.entry(format!("a {j}")).or_insert(Reason::new(ReasonCode::PowerReachesKey, text));
                }
            }
            let Some(place) = &fleet.policy.keys else { continue };
            let bad: Vec<_> = h
                .known
                .iter()
                .filter_map(|p| violations(&fleet.people, place, p).into_iter().next())
                .collect();
            if bad.len() >= h.threshold {
                let text = format!(
                    "{} of {n} custodians of a key, of whom {} are enough: one {}",
                    bad.len(),
                    h.threshold,
                    bad[0]
                );
                out.entry("c".to_owned()).or_insert(Reason::new(ReasonCode::PlaceForbidden, text));
            }
        }
        for (j, (text, _)) in
            self.blocking(fleet, kinds).into_iter().filter(|(_, (_, left))| *left == Left::Nobody)
        {
            out.insert(format!("b {j}"), Reason::new(ReasonCode::PowerTakesAll, text));
        }
        few(out.into_values().collect(), SHOWN_MAX, "findings")
    }

    /// Powers that can keep a newest version from being opened: fewer than t custodians are out of their reach, and nobody else is. By
    /// power, with what is left at worst.
    fn blocking(&self, fleet: &Fleet<'_>, kinds: &BTreeSet<Power>) -> BTreeMap<Jurisdiction, (String, Left)> {
        let mut out: BTreeMap<Jurisdiction, (String, Left)> = BTreeMap::new();
        for (name, v) in &self.newest {
            for h in v.dealings.holders(&fleet.people) {
                for (j, c) in reached(fleet, &h, kinds) {
                    let takes = |p: &Principal| {
                        fleet.people.reach(p).is_some_and(|r| r.contains(j) && is_kind(j, r, kinds))
                    };
                    let left = left(fleet, name, v, takes);
                    if left == Left::Somebody || out.get(j).is_some_and(|(_, worst)| *worst <= left) {
                        continue;
                    }
                    let n = h.known.len() + h.unknown;
                    let text = format!(
                        "with {j}, {} of {n} custodians of a key are left, and it takes {}",
                        n - c,
                        h.threshold
                    );
                    out.insert(j.clone(), (text, left));
                }
            }
        }
        out
    }

    /// Whether a power can block the custodians of a newest version, so that only its recipients may be left.
    pub(super) fn rests_on_recipients(&self, fleet: &Fleet<'_>, kinds: &BTreeSet<Power>) -> bool {
        let blocked = |v: &Version, j: &Jurisdiction| {
            let takes =
                |p: &Principal| fleet.people.reach(p).is_some_and(|r| r.contains(j) && is_kind(j, r, kinds));
            !has_custodians_left(fleet, v, &takes)
        };
        self.newest.iter().any(|(_, v)| {
            let holders = v.dealings.holders(&fleet.people);
            holders.iter().flat_map(|h| reached(fleet, h, kinds).into_keys()).any(|j| blocked(v, j))
        })
    }

    /// Nothing refutes: is every key shared, among people who are known?
    pub(super) fn decide(
        &self,
        fleet: &Fleet<'_>,
        paths: &Paths<'_>,
        kinds: &BTreeSet<Power>,
    ) -> (Verdict, Vec<Reason>) {
        let mut open = unknown_holders(paths);
        let earlier = self.blocking(fleet, kinds).into_values().map(|(text, _)| {
            let text = format!("{text}; only earlier envelopes of the same body name somebody else");
            Reason::new(ReasonCode::PowerTakesAll, text)
        });
        open.extend(few(earlier.collect(), SHOWN_MAX, "powers"));
        let unsound = self
            .unsound
            .iter()
            .map(|why| Reason::new(ReasonCode::DealingUnsound, format!("a dealing does not hold: {why}")));
        open.extend(few(unsound.collect(), SHOWN_MAX, "dealings"));
        let unknown: usize = self.all.iter().map(|h| h.unaccounted()).sum();
        if unknown > 0 {
            open.push(Reason::new(ReasonCode::CustodianUnknown, not_custodians(unknown)));
        }
        let alone: BTreeSet<&str> =
            self.all.iter().filter_map(|h| h.in_one_hand()).map(|p| p.name.as_str()).collect();
        let alone = alone.into_iter().map(|name| {
            let text = format!("{} alone has as many shares of a key as recover it", Quoted(name));
            Reason::new(ReasonCode::NoSharing, text)
        });
        open.extend(few(alone.collect(), SHOWN_MAX, "custodians"));
        if self.in_custody == 0 {
            open.push(no_sharing());
        } else if self.in_custody < self.objects {
            let text = format!(
                "of {} objects, the keys of {} are verifiably shared among custodians",
                self.objects, self.in_custody
            );
            open.push(Reason::new(ReasonCode::NoSharing, text));
        }
        open.extend(unseen(fleet, Claim::Custody));
        if !open.is_empty() {
            return (Verdict::Inconclusive, open);
        }
        let text = format!(
            "any t custodians of each of {} objects recover one secret, and no power that the policy excludes reaches t of them, or anyone else who can open one",
            self.objects
        );
        (Verdict::Supported, vec![Reason::new(ReasonCode::KeyShared, text)])
    }
}

/// Custodians of a dealing that each power of these kinds reaches.
fn reached<'f>(
    fleet: &'f Fleet<'_>,
    h: &Holders<'_>,
    kinds: &BTreeSet<Power>,
) -> BTreeMap<&'f Jurisdiction, usize> {
    let mut out: BTreeMap<&Jurisdiction, usize> = BTreeMap::new();
    for reach in h.known.iter().filter_map(|p| fleet.people.reach(p)) {
        for (j, _) in reach.iter().filter(|(j, _)| is_kind(j, reach, kinds)) {
            *out.entry(j).or_default() += 1;
        }
    }
    out
}
