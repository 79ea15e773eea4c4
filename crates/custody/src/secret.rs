//! The shared secret.

use core::fmt;

use curve25519_dalek::ristretto::RistrettoPoint;
use zeroize::{Zeroize as _, Zeroizing};

/// S: an element whose discrete logarithm nobody knows. Wiped on drop, never printed.
pub struct SharedSecret(RistrettoPoint);

impl SharedSecret {
    pub(crate) fn new(point: RistrettoPoint) -> Self {
        Self(point)
    }

    pub(crate) fn point(&self) -> &RistrettoPoint {
        &self.0
    }

    pub(crate) fn encode(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.compress().0)
    }
}

impl Drop for SharedSecret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret(..)")
    }
}

impl subtle::ConstantTimeEq for SharedSecret {
    fn ct_eq(&self, other: &Self) -> subtle::Choice {
        self.0.ct_eq(&other.0)
    }
}
