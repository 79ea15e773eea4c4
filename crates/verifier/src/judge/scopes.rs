//! Detection probability per scope: all that counts, each owner, each object (spec verdict, clause V14).

use std::collections::BTreeMap;

use bailiwick_protocol::ids::OwnerKey;

use super::Case;
use super::evidence::Evidence;
use crate::detection::detection as of_loss;
use crate::policy::Scope;
use crate::report::ScopeDetection;

/// Lost fractions printed for every scope, besides the policy's own.
const LOSSES: [f64; 3] = [0.01, 0.1, 0.5];

/// One entry for all, one per owner by key, one per object by name, in this order; empty without a challenge.
pub(super) fn detection(case: &Case<'_>, evidence: &Evidence) -> Vec<ScopeDetection> {
    let Some(challenge) = &evidence.challenge else { return Vec::new() };
    let mut losses = LOSSES.to_vec();
    if let Some(terms) = &case.policy.stored {
        losses.push(terms.lost_fraction);
    }
    losses.sort_by(f64::total_cmp);
    losses.dedup();
    let counted = case.policy.stored.as_ref().and_then(|t| t.owners.as_ref());
    let counts = |owner: &OwnerKey| counted.is_none_or(|set| set.contains(owner));
    let targets: Vec<_> = challenge.targets.iter().filter(|t| counts(&t.name.owner)).collect();
    let mut owners: BTreeMap<OwnerKey, u64> = BTreeMap::new();
    for t in &targets {
        *owners.entry(t.name.owner).or_default() += t.cells;
    }
    let total = challenge.cells_total();
    let entry = |scope, of, cells| ScopeDetection {
        scope,
        of,
        cells,
        losses: losses.iter().map(|f| of_loss(*f, cells, total, challenge.class.samples)).collect(),
    };
    let mut out = Vec::with_capacity(1 + owners.len() + targets.len());
    if !targets.is_empty() {
        out.push(entry(Scope::All, None, targets.iter().map(|t| t.cells).sum()));
    }
    out.extend(owners.iter().map(|(owner, cells)| entry(Scope::Owner, Some(owner.to_string()), *cells)));
    out.extend(targets.iter().map(|t| entry(Scope::Object, Some(t.name.to_string()), t.cells)));
    out
}
