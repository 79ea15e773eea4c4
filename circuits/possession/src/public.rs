//! The public inputs, named and in order: there is one.

use bailiwick_possession::challenge::Sampled;
use bailiwick_possession::field::Fr;
use bailiwick_possession::statement::{StatementError, public_input};
use bailiwick_protocol::challenge::Challenge;

/// Public inputs of the circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicInputs {
    /// Sponge over (S, D, binding, root_0, index_0, …), roots lifted to D.
    pub statement: Fr,
}

impl PublicInputs {
    /// How many there are.
    pub const COUNT: usize = 1;

    /// What a challenge asks to be proved, recomputed from the challenge and what it samples.
    ///
    /// # Errors
    /// [`StatementError`] for a challenge that has no statement.
    pub fn of(challenge: &Challenge, sampled: &Sampled) -> Result<Self, StatementError> {
        public_input(challenge, sampled).map(|statement| Self { statement })
    }

    /// In the circuit's order.
    #[must_use]
    pub const fn to_array(self) -> [Fr; Self::COUNT] {
        [self.statement]
    }
}
