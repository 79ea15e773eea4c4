//! Can any one power compel enough custodians, or block them? (spec custody, clauses K27 to K28a)

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
    /// Custodians (from 0) among whose attributes is no law: whoever is somewhere is under one, so theirs were left out (clause K27a).
    pub without_law: Vec<usize>,
}

impl JurisdictionTest {
    /// Counts, for each power, the custodians for whom it is any attribute: country, controlling law, parent's law, bloc, firm.
    #[must_use]
    pub fn of<'a>(
        threshold: usize,
        attributes: impl IntoIterator<Item = &'a BTreeSet<String>>,
    ) -> JurisdictionTest {
        let mut reached: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let (mut n, mut without_law) = (0, Vec::new());
        for (i, set) in attributes.into_iter().enumerate() {
            n = i + 1;
            if !set.iter().any(|attribute| is_law(attribute)) {
                without_law.push(i);
            }
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
        Self { powers, without_law }
    }

    /// Whether no single power can compel or block; `None` when none is known to and a custodian has no law, so that one may.
    #[must_use]
    pub fn verdict(&self) -> Option<bool> {
        if self.powers.iter().any(|p| p.compels || p.blocks) {
            return Some(false);
        }
        self.without_law.is_empty().then_some(true)
    }
}

/// The text form of a law: two capital letters. Blocs and firms have a colon.
fn is_law(attribute: &str) -> bool {
    attribute.len() == 2 && attribute.bytes().all(|b| b.is_ascii_uppercase())
}
