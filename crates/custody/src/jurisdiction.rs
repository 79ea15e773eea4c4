//! Can any one power compel enough custodians, or block them? (spec custody, clauses K27-K28)

use std::collections::{BTreeMap, BTreeSet};

/// How far one power reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PowerReach {
    /// The power, as attributes name it.
    pub power: String,
    /// c_j: the custodians (from 0) that any of whose attributes is it.
    pub custodians: Vec<usize>,
    /// It reaches t or more: it can have the secret recovered.
    pub compels: bool,
    /// Fewer than t are left without those it reaches: it can keep the secret from being recovered.
    pub blocks: bool,
}

/// What the custodians' attributes say, powers that reach most first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JurisdictionTest {
    /// Every power that reaches a custodian.
    pub powers: Vec<PowerReach>,
}

impl JurisdictionTest {
    /// Counts, for each power, the custodians for whom it is any attribute: country, controlling law, parent's law, bloc, firm.
    #[must_use]
    pub fn of<'a>(
        threshold: usize,
        attributes: impl IntoIterator<Item = &'a BTreeSet<String>>,
    ) -> JurisdictionTest {
        let mut reached: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let mut n = 0;
        for (i, set) in attributes.into_iter().enumerate() {
            n = i + 1;
            for attribute in set {
                reached.entry(attribute).or_default().push(i);
            }
        }
        let mut powers: Vec<_> = reached
            .into_iter()
            .map(|(power, custodians)| {
                let c = custodians.len();
                PowerReach {
                    power: power.to_owned(),
                    custodians,
                    compels: c >= threshold,
                    blocks: n - c < threshold,
                }
            })
            .collect();
        powers
            .sort_by(|a, b| b.custodians.len().cmp(&a.custodians.len()).then_with(|| a.power.cmp(&b.power)));
        Self { powers }
    }

    /// No single power can compel or block.
    #[must_use]
    pub fn passes(&self) -> bool {
        !self.powers.iter().any(|p| p.compels || p.blocks)
    }
}
