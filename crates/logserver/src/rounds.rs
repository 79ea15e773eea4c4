//! Which rounds a relay has, and which it wants next.

use std::collections::BTreeMap;

/// How often a round that is not the latest any more is asked for.
const TRIES_MAX: u32 = 20;

/// Verified rounds of one chain, the newest ones.
pub(crate) struct Rounds {
    signatures: BTreeMap<u64, [u8; 48]>,
    failures: BTreeMap<u64, u32>,
    keep: u64,
    back: u64,
    /// The oldest round wanted at all; known with the first moment.
    first: Option<u64>,
}

impl Rounds {
    pub(crate) fn new(keep: u64, back: u64) -> Self {
        Self { signatures: BTreeMap::new(), failures: BTreeMap::new(), keep, back, first: None }
    }

    pub(crate) fn get(&self, number: u64) -> Option<[u8; 48]> {
        self.signatures.get(&number).copied()
    }

    /// Number of the latest round there is.
    pub(crate) fn latest(&self) -> Option<u64> {
        self.signatures.last_key_value().map(|(number, _)| *number)
    }

    /// The round up to `due` that is missing and was tried least often, the newest of several.
    pub(crate) fn missing(&mut self, due: u64) -> Option<u64> {
        let first = *self.first.get_or_insert(due.saturating_sub(self.back).max(1));
        let first = first.max(due.saturating_sub(self.keep - 1));
        let tries = |n: &u64| self.failures.get(n).copied().unwrap_or(0);
        let missing = (first..=due).rev().filter(|n| !self.signatures.contains_key(n));
        // `min_by_key` takes the first of several, so the newest.
        missing.filter(|n| *n == due || tries(n) < TRIES_MAX).min_by_key(tries)
    }

    pub(crate) fn insert(&mut self, number: u64, signature: [u8; 48]) {
        self.signatures.insert(number, signature);
        self.failures.remove(&number);
        // Counted from a round that was verified, not from a clock that may be wrong.
        let oldest = self.latest().unwrap_or(number).saturating_sub(self.keep - 1);
        self.signatures = self.signatures.split_off(&oldest);
        self.failures = self.failures.split_off(&oldest);
    }

    pub(crate) fn failed(&mut self, number: u64) {
        *self.failures.entry(number).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(rounds: &mut Rounds, due: u64) -> Vec<u64> {
        let mut order = Vec::new();
        while let Some(n) = rounds.missing(due) {
            order.push(n);
            rounds.insert(n, [0; 48]);
        }
        order
    }

    #[test]
    fn newest_first_back_to_the_start_and_no_further() {
        let mut rounds = Rounds::new(100, 3);
        assert_eq!(wanted(&mut rounds, 50), [50, 49, 48, 47]);
        assert_eq!(wanted(&mut rounds, 53), [53, 52, 51], "what was missed meanwhile");
        assert_eq!(wanted(&mut Rounds::new(100, 30), 2), [2, 1], "the first round is 1");
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let mut rounds = Rounds::new(4, 0);
        for due in 10..20 {
            assert_eq!(wanted(&mut rounds, due), [due]);
        }
        assert_eq!((rounds.get(15), rounds.get(16), rounds.latest()), (None, Some([0; 48]), Some(19)));
        assert_eq!(wanted(&mut rounds, 1000), [1000, 999, 998, 997]);
        assert_eq!((rounds.get(19), rounds.signatures.len()), (None, 4));
    }

    #[test]
    fn a_round_nobody_has_does_not_hold_up_the_others() {
        let mut rounds = Rounds::new(100, 1);
        for tries in 0..TRIES_MAX {
            for n in [50, 49] {
                assert_eq!(rounds.missing(50), Some(n), "in turns");
                rounds.failed(n);
            }
            assert_eq!(rounds.failures[&49], tries + 1);
        }
        assert_eq!(rounds.missing(50), Some(50), "the latest is always asked for");
        assert_eq!(wanted(&mut rounds, 51), [51], "the others not for ever");
    }
}
