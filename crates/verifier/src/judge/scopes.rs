//! Detection probability per scope: all that counts, each owner, each object (spec verdict, clause V14).

use std::collections::BTreeMap;

use bailiwick_protocol::challenge::{Challenge, Target};
use bailiwick_protocol::ids::OwnerKey;

use super::Case;
use super::evidence::Evidence;
use crate::claims::Claim;
use crate::detection::detection as of_loss;
use crate::policy::{Policy, Scope};
use crate::report::ScopeDetection;

/// Lost fractions printed for every scope, besides the policy's own.
const LOSSES: [f64; 3] = [0.01, 0.1, 0.5];

/// Cells of one scope.
pub(super) struct Weighed {
    pub(super) scope: Scope,
    pub(super) of: Option<String>,
    pub(super) cells: u64,
}

/// Fractions to print for every scope.
pub(super) fn losses(policy: &Policy) -> Vec<f64> {
    let mut losses = LOSSES.to_vec();
    losses.extend(policy.stored.as_ref().map(|t| t.lost_fraction));
    losses.sort_by(f64::total_cmp);
    losses.dedup();
    losses
}

/// One entry for all, one per owner by key, one per object by name, in this order; empty without a challenge.
pub(super) fn detection(case: &Case<'_>, evidence: &Evidence) -> Vec<ScopeDetection> {
    let Some(challenge) = &evidence.challenge else { return Vec::new() };
    let losses = losses(case.policy);
    let (total, samples) = (challenge.cells_total(), challenge.class.samples);
    let of = |w: Weighed| ScopeDetection {
        scope: w.scope,
        of: w.of,
        cells: w.cells,
        losses: losses.iter().map(|f| of_loss(*f, w.cells, total, samples)).collect(),
    };
    weigh(case, evidence, challenge).into_iter().map(of).collect()
}

/// Objects that count, their owners, and all of them. Of an inventory only the sampled objects are known: the cells of an owner,
/// and of all, are taken to be the share of the samples that fell on them.
fn weigh(case: &Case<'_>, evidence: &Evidence, challenge: &Challenge) -> Vec<Weighed> {
    let counted = case.policy.stored.as_ref().and_then(|t| t.owners.as_ref());
    let counts = |i: usize, t: &Target| {
        evidence.counts(i)
            && counted.is_none_or(|set| set.contains(&t.name.owner))
            && case.policy.counts(Claim::Stored, &t.name.owner, &t.name.object)
    };
    let targets: Vec<(usize, &Target)> =
        evidence.targets().iter().enumerate().filter(|(i, t)| counts(*i, t)).collect();
    let mut owners: BTreeMap<OwnerKey, u64> = BTreeMap::new();
    match (&evidence.inventory, &evidence.sampled) {
        (Some(inventory), Ok(sampled)) => {
            let mut hits: BTreeMap<OwnerKey, u64> = BTreeMap::new();
            for slot in &sampled.slots {
                if let Some((_, t)) = targets.iter().find(|(i, _)| *i == slot.target) {
                    *hits.entry(t.name.owner).or_default() += 1;
                }
            }
            let share = |n: u64| estimated(inventory.cells, n, sampled.slots.len() as u64);
            owners.extend(hits.into_iter().map(|(owner, n)| (owner, share(n))));
        }
        _ => {
            for (_, t) in &targets {
                *owners.entry(t.name.owner).or_default() += t.cells;
            }
        }
    }
    let mut out = Vec::with_capacity(1 + owners.len() + targets.len());
    if !targets.is_empty() {
        let cells = owners.values().fold(0u64, |sum, n| sum.saturating_add(*n)).min(challenge.cells_total());
        out.push(Weighed { scope: Scope::All, of: None, cells });
    }
    let owner = |(key, cells): (&OwnerKey, &u64)| Weighed {
        scope: Scope::Owner,
        of: Some(key.to_string()),
        cells: *cells,
    };
    out.extend(owners.iter().map(owner));
    let object = |(_, t): &(usize, &Target)| Weighed {
        scope: Scope::Object,
        of: Some(t.name.to_string()),
        cells: t.cells,
    };
    out.extend(targets.iter().map(object));
    out
}

/// floor(cells · hits / samples).
pub(super) fn estimated(cells: u64, hits: u64, samples: u64) -> u64 {
    let share = u128::from(cells) * u128::from(hits) / u128::from(samples.max(1));
    u64::try_from(share).unwrap_or(u64::MAX)
}
