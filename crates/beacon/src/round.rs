//! Round numbers and the moments they are published at.

use core::fmt;
use core::num::NonZeroU64;

use crate::chain::ChainInfo;

/// Number of a round, at least 1: drand's round 0 is the chain's seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Round(NonZeroU64);

impl Round {
    /// The round published at genesis.
    pub const FIRST: Self = Self(NonZeroU64::MIN);

    /// Round `number`.
    ///
    /// # Errors
    /// `RoundZero`.
    pub const fn new(number: u64) -> Result<Self, TimeError> {
        match NonZeroU64::new(number) {
            Some(n) => Ok(Self(n)),
            None => Err(TimeError::RoundZero),
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why no round belongs to a moment, or no moment to a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// Round 0.
    #[error("rounds are counted from 1")]
    RoundZero,
    /// Before round 1.
    #[error("{at_ms} ms since 1970 is before the chain's first round at {genesis_ms} ms")]
    BeforeGenesis {
        /// The moment, Unix milliseconds.
        at_ms: u64,
        /// Publication of round 1, Unix milliseconds.
        genesis_ms: u64,
    },
    /// A moment that 64-bit milliseconds cannot hold.
    #[error("round {round} lies beyond the end of time")]
    Overflow {
        /// The round.
        round: u64,
    },
    /// A period of zero seconds.
    #[error("a chain needs a period of at least one second")]
    Period,
}

impl ChainInfo {
    /// The latest round published at `unix_ms`: floor((t - genesis) / period) + 1.
    ///
    /// # Errors
    /// `BeforeGenesis`; `Period` or `Overflow` for parameters [`ChainInfo::check`] refuses.
    pub fn round_at(&self, unix_ms: u64) -> Result<Round, TimeError> {
        let genesis_ms = self.published_at(Round::FIRST)?;
        let since =
            unix_ms.checked_sub(genesis_ms).ok_or(TimeError::BeforeGenesis { at_ms: unix_ms, genesis_ms })?;
        let periods = since.checked_div(u64::from(self.period) * 1000).ok_or(TimeError::Period)?;
        // No overflow: a quotient by 1000 or more.
        Round::new(periods + 1)
    }

    /// Unix milliseconds at which `round` is due: genesis + (round - 1) · period. The network may be late, never early.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn published_at(&self, round: Round) -> Result<u64, TimeError> {
        (round.get() - 1)
            .checked_mul(u64::from(self.period))
            .and_then(|s| s.checked_add(self.genesis))
            .and_then(|s| s.checked_mul(1000))
            .ok_or(TimeError::Overflow { round: round.get() })
    }
}
