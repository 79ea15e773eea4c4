//! What the network does to honest hosts: scripted, bounded, the same for the same seed whatever the order of questions.

use bailiwick_protocol::bundle::NoAnswer;

use crate::seed::Seed;

/// A script of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faults {
    seed: Seed,
    /// Of a hundred questions, those that fail at first.
    per_hundred: u64,
    /// Times in a row, at most.
    most: u64,
}

impl Faults {
    /// A network without faults.
    pub const NONE: Self = Self { seed: Seed(0), per_hundred: 0, most: 0 };

    /// `per_hundred` of the questions fail, one to `most` times in a row, each time in a way of its own. With `most` up to 2 the rule to
    /// ask again forgives all of it.
    #[must_use]
    pub const fn new(seed: Seed, per_hundred: u64, most: u64) -> Self {
        Self { seed, per_hundred, most }
    }

    /// How often a question fails before it gets through.
    #[must_use]
    pub fn failures(&self, question: &str) -> u64 {
        if self.per_hundred == 0 {
            return 0;
        }
        let mut stream = self.seed.stream(&format!("fault/{question}"));
        if stream.below(100) >= self.per_hundred { 0 } else { 1 + stream.below(self.most) }
    }

    /// In what way attempt number `attempt` fails.
    #[must_use]
    pub fn way(&self, question: &str, attempt: u64) -> NoAnswer {
        match self.seed.stream(&format!("way/{question}/{attempt}")).below(3) {
            0 => NoAnswer::Refused,
            1 => NoAnswer::TimedOut,
            _ => NoAnswer::Unreachable,
        }
    }
}
