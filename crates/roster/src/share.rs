//! Concentration: how much of something lies with one provider or under one law (clause J20).

use std::collections::BTreeMap;

use serde::Serialize;

use crate::principal::Principal;
use crate::roster::Roster;

/// By what to add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ShareBy {
    /// Who runs the machines.
    Provider,
    /// The soil.
    Country,
    /// The law that controls the operator.
    Law,
    /// The law that controls the parent; the operator's own where no parent is listed.
    ParentLaw,
}

impl ShareBy {
    fn of(self, p: &Principal) -> Option<String> {
        match self {
            Self::Provider => p.provider.clone(),
            Self::Country => Some(p.country.to_string()),
            Self::Law => Some(p.law.to_string()),
            Self::ParentLaw => Some(p.parent.as_ref().map_or(p.law, |parent| parent.law).to_string()),
        }
    }
}

/// One part of the whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Provider or law; absent for what the roster does not say, unknown principals included.
    pub name: Option<String>,
    /// Its weight.
    pub weight: u64,
    /// Ten-thousandths of the whole, rounded up, so that no concentration is understated.
    pub basis_points: u32,
}

/// A whole and its parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shares {
    /// By what it is added up.
    pub by: ShareBy,
    /// Weight of all.
    pub total: u64,
    /// The parts, heaviest first, then by name.
    pub parts: Vec<Part>,
}

impl Shares {
    /// The heaviest part. What is unknown may belong to it too: see [`Shares::largest_possible`].
    #[must_use]
    pub fn largest(&self) -> Option<&Part> {
        self.parts.iter().find(|p| p.name.is_some())
    }

    /// Weight of the heaviest part if everything unknown belonged to it.
    #[must_use]
    pub fn largest_possible(&self) -> u64 {
        let unknown = self.parts.iter().find(|p| p.name.is_none()).map_or(0, |p| p.weight);
        self.largest().map_or(0, |p| p.weight) + unknown
    }
}

impl Roster {
    /// Adds up weights (bytes, objects, shares of a key…) of principals by name. Sums beyond 64 bits stay at the largest number.
    #[must_use]
    pub fn shares<'n>(&self, by: ShareBy, weights: impl IntoIterator<Item = (&'n str, u64)>) -> Shares {
        let mut sums: BTreeMap<Option<String>, u64> = BTreeMap::new();
        let mut total = 0u64;
        for (name, weight) in weights {
            let part = sums.entry(self.principal(name).and_then(|p| by.of(p))).or_default();
            *part = part.saturating_add(weight);
            total = total.saturating_add(weight);
        }
        let points = |weight: u64| {
            let points = (u128::from(weight) * 10_000).div_ceil(u128::from(total.max(1)));
            u32::try_from(points.min(10_000)).expect("at most 10,000")
        };
        let part = |(name, weight)| Part { name, weight, basis_points: points(weight) };
        let mut parts: Vec<_> = sums.into_iter().map(part).collect();
        parts.sort_by(|a, b| b.weight.cmp(&a.weight).then_with(|| a.name.cmp(&b.name)));
        Shares { by, total, parts }
    }
}
