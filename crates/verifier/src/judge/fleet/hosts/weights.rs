//! How likely the audits of one host notice a loss: of everything, of an owner's objects, of one object (spec verdict, clauses V25, V33).

use std::collections::{BTreeMap, BTreeSet};

use bailiwick_protocol::ids::{OwnerKey, UnitName};

use crate::detection::{Detection, detection};
use crate::judge::fleet::audits::Audited;
use crate::policy::Scope;
use crate::report::ScopeDetection;

/// Objects of a host whose chances are computed one by one: those with the fewest cells, which are noticed least.
const OBJECTS_WEIGHED_MAX: usize = 64;

/// How much of a host's cells each scope is.
pub(super) struct Weights {
    /// Of inventories: samples of the month's audits, or of the newest, and those that fell on what counts, by owner.
    samples: u64,
    hits: BTreeMap<OwnerKey, u64>,
    /// Objects with the fewest cells.
    objects: Vec<(UnitName, u64)>,
    owners: BTreeSet<OwnerKey>,
}

impl Weights {
    /// Owners and objects of all audits that held; shares by the recent ones alone.
    pub(super) fn of(held: &[&Audited], recent: &[&Audited]) -> Self {
        let mut w = Self { samples: 0, hits: BTreeMap::new(), objects: Vec::new(), owners: BTreeSet::new() };
        let mut objects: BTreeMap<UnitName, u64> = BTreeMap::new();
        for a in recent.iter().filter(|a| a.core.inventory.is_some()) {
            w.samples += a.core.class.map_or(0, |c| u64::from(c.samples));
            for (owner, n) in &a.core.hits {
                *w.hits.entry(*owner).or_default() += n;
            }
        }
        for a in held {
            for (name, cells) in &a.core.counted {
                w.owners.insert(name.owner);
                objects.entry(*name).and_modify(|c| *c = (*c).min(*cells)).or_insert(*cells);
            }
        }
        w.objects = objects.into_iter().collect();
        w.objects.sort_by_key(|(name, cells)| (*cells, *name));
        w.objects.truncate(OBJECTS_WEIGHED_MAX);
        w
    }

    /// Chances of all audits together: all, each owner, and the object that is least likely to be noticed.
    pub(super) fn chances(&self, audits: &[&Audited], losses: &[f64]) -> Vec<ScopeDetection> {
        let mut out = Vec::new();
        if self.owners.is_empty() {
            return out;
        }
        let all_hits: u64 = self.hits.values().sum();
        out.push(self.scope(audits, losses, Scope::All, None, |a| match a.core.inventory {
            Some(_) => (all_hits, self.samples),
            None => (a.core.counted.iter().map(|(_, c)| c).sum(), a.core.cells),
        }));
        for owner in &self.owners {
            let cells = |a: &Audited| match a.core.inventory {
                Some(_) => (self.hits.get(owner).copied().unwrap_or(0), self.samples),
                None => {
                    let own = a.core.counted.iter().filter(|(n, _)| n.owner == *owner).map(|(_, c)| c).sum();
                    (own, a.core.cells)
                }
            };
            out.push(self.scope(audits, losses, Scope::Owner, Some(owner.to_string()), cells));
        }
        let least = |s: &ScopeDetection| s.losses.first().map_or(0.0, |d| d.probability);
        let objects = self.objects.iter().map(|(name, own)| {
            let cells = |a: &Audited| match a.core.inventory {
                Some(_) => (*own, a.core.cells),
                None => {
                    let own = a.core.counted.iter().find(|(n, _)| n == name).map_or(0, |(_, c)| *c);
                    (own, a.core.cells)
                }
            };
            self.scope(audits, losses, Scope::Object, Some(name.to_string()), cells)
        });
        out.extend(objects.min_by(|a, b| least(a).total_cmp(&least(b))));
        out
    }

    fn scope(
        &self,
        audits: &[&Audited],
        losses: &[f64],
        scope: Scope,
        of: Option<String>,
        cells: impl Fn(&Audited) -> (u64, u64),
    ) -> ScopeDetection {
        // They come in the order of their digests.
        let newest = audits.iter().max_by_key(|a| a.at_ms).map(|a| (cells(a), a.core.cells));
        let shown = newest.map_or(0, |((own, total), t)| crate::judge::scopes::estimated(t, own, total));
        let loss = |f: &f64| {
            let miss = audits.iter().fold(1.0, |miss, a| {
                let (own, total) = cells(a);
                let samples = a.core.class.map_or(0, |c| c.samples);
                miss * detection(*f, own.min(total), total.max(1), samples).miss
            });
            let probability = 1.0 - miss;
            // As for one audit: never print certainty that is not there.
            let certain = miss > 0.0 && probability >= 1.0;
            let probability = if certain { 1.0 - f64::EPSILON / 2.0 } else { probability };
            Detection { lost_fraction: *f, probability, miss }
        };
        ScopeDetection { scope, of, cells: shown, losses: losses.iter().map(loss).collect() }
    }
}
