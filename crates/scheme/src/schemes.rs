//! The schemes at hand.

use std::sync::Arc;

use bailiwick_protocol::ids::VkDigest;

use crate::groth16::CellTreeGroth16;
use crate::scheme::{KeyRefused, Scheme, VerifyingKey};

/// Why there is no verifying key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Under no scheme at hand do the bytes have the digest asked for.
    #[error("the bytes are not those the digest names, under any scheme at hand")]
    Digest,
    /// They have, and the scheme refuses them.
    #[error(transparent)]
    Refused(#[from] KeyRefused),
}

/// Schemes at hand.
#[derive(Clone, Debug)]
pub struct Schemes(Vec<Arc<dyn Scheme>>);

impl Schemes {
    /// Those of this build.
    #[must_use]
    pub fn installed() -> Self {
        Self(vec![Arc::new(CellTreeGroth16)])
    }

    /// These and one more, which takes the place of one with the same number.
    #[must_use]
    pub fn with(mut self, scheme: Arc<dyn Scheme>) -> Self {
        self.0.retain(|s| s.id() != scheme.id());
        self.0.push(scheme);
        self
    }

    /// The scheme of a number.
    #[must_use]
    pub fn by_id(&self, id: u64) -> Option<&Arc<dyn Scheme>> {
        self.0.iter().find(|s| s.id() == id)
    }

    /// The scheme under which these bytes have this digest.
    #[must_use]
    pub fn of_key(&self, key: &[u8], digest: VkDigest) -> Option<&Arc<dyn Scheme>> {
        self.0.iter().find(|s| s.key_digest(key) == digest)
    }

    /// The verifying key of this digest; nothing is decoded before the digest matched.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn verifying_key(&self, key: &[u8], digest: VkDigest) -> Result<Arc<dyn VerifyingKey>, KeyError> {
        Ok(self.of_key(key, digest).ok_or(KeyError::Digest)?.verifying_key(key)?)
    }
}
