//! Keys shared among custodians, for the claim *custody* (spec verdict, clauses V40 and V42; spec custody, clauses K27 and K28).

use std::collections::{BTreeMap, BTreeSet};

use bailiwick_roster::Jurisdiction;

use super::keys::{Paths, SHOWN_MAX, is_kind, no_sharing, unknown_holders};
use super::objects::Version;
use super::opaque::unseen;
use super::place::violations;
use super::sharing::Holders;
use super::{Fleet, few};
use crate::claims::{Claim, Verdict};
use crate::policy::Power;
use crate::reasons::{Reason, ReasonCode};

/// How the keys of the objects that count are shared.
pub(super) struct Shared<'f> {
    /// Dealings of every version, with the version.
    all: Vec<(&'f Version, Holders<'f>)>,
    /// Objects, and those of them whose newest version is in sound custody.
    objects: usize,
    in_custody: usize,
    unsound: Vec<String>,
}

impl<'f> Shared<'f> {
    pub(super) fn of(fleet: &'f Fleet<'_>) -> Self {
        let counts =
            |n: &bailiwick_protocol::ids::UnitName| fleet.policy.counts(Claim::Custody, &n.owner, &n.object);
        let mut shared = Self { all: Vec::new(), objects: 0, in_custody: 0, unsound: Vec::new() };
        // Older versions too: their dealings still open what they opened.
        for (_, v) in fleet.objects.iter().filter(|(n, _)| counts(n)) {
            shared.unsound.extend(v.dealings.unsound().map(str::to_owned));
            shared.all.extend(v.dealings.holders(&fleet.people).into_iter().map(|h| (v, h)));
        }
        for (_, versions) in fleet.objects.newest().into_iter().filter(|(n, _)| counts(n)) {
            shared.objects += 1;
            let sound = |v: &&Version| !v.dealings.holders(&fleet.people).is_empty();
            shared.in_custody += usize::from(versions.iter().all(sound));
        }
        shared
    }

    /// Powers that reach enough custodians, or leave too few; places that enough of them violate.
    pub(super) fn against(&self, fleet: &Fleet<'_>, kinds: &BTreeSet<Power>) -> Vec<Reason> {
        let mut out: BTreeMap<String, Reason> = BTreeMap::new();
        for (v, h) in &self.all {
            let mut reached: BTreeMap<&Jurisdiction, usize> = BTreeMap::new();
            for reach in h.known.iter().filter_map(|p| fleet.people.reach(p)) {
                for (j, _) in reach.iter().filter(|(j, _)| is_kind(j, reach, kinds)) {
                    *reached.entry(j).or_default() += 1;
                }
            }
            let n = h.known.len() + h.unknown;
            for (j, c) in reached {
                if c >= h.threshold {
                    let text =
                        format!("{j} reaches {c} of {n} custodians of a key, and {} are enough", h.threshold);
                    out.entry(format!("a {j}")).or_insert(Reason::new(ReasonCode::PowerReachesKey, text));
                }
                // Whoever else can open it is out of its reach, or has refuted already.
                if n - c < h.threshold && v.recipients.is_empty() {
                    let text = format!(
                        "with {j}, {} of {n} custodians of a key are left, and it takes {}",
                        n - c,
                        h.threshold
                    );
                    out.entry(format!("b {j}")).or_insert(Reason::new(ReasonCode::PowerTakesAll, text));
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
        few(out.into_values().collect(), SHOWN_MAX, "findings")
    }

    /// Nothing refutes: is every key shared, among people who are known?
    pub(super) fn decide(&self, fleet: &Fleet<'_>, paths: &Paths<'_>) -> (Verdict, Vec<Reason>) {
        let mut open: Vec<Reason> = unknown_holders(paths).into_iter().collect();
        let unsound = self
            .unsound
            .iter()
            .map(|why| Reason::new(ReasonCode::DealingUnsound, format!("a dealing does not hold: {why}")));
        open.extend(few(unsound.collect(), SHOWN_MAX, "dealings"));
        let unknown: usize = self.all.iter().map(|(_, h)| h.unknown).sum();
        if unknown > 0 {
            let text =
                format!("{unknown} shares of keys were dealt to custodians that the roster does not have");
            open.push(Reason::new(ReasonCode::CustodianUnknown, text));
        }
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
