//! From the key of a value or batch to AEAD key, nonce and commitment; AES-256-GCM with associated data.

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _};
use bailiwick_protocol::labels::Label;
use bailiwick_protocol::secret::Secret;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::layout::COMMITMENT_BYTES;
use crate::cobblestone::expand_sha512;

/// What a value's or a batch's key gives: key[32] ‖ base nonce[12] ‖ commitment[32] (spec compact, clause CV5).
pub(super) struct Schedule {
    cipher: Box<Aes256Gcm>,
    base_nonce: [u8; 12],
    commitment: [u8; COMMITMENT_BYTES],
}

impl core::fmt::Debug for Schedule {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Schedule(..)")
    }
}

impl Schedule {
    /// `entries` are the bytes of the recipients' section: whoever strips or adds one changes every derived value.
    pub(super) fn derive(key: &Secret<32>, binding: &[u8], entries: &[u8]) -> Self {
        let info = [Label::CompactKeys.as_bytes(), binding, entries];
        let okm = Secret::<76>::init_with(|out| expand_sha512(key.expose_secret(), &info, out));
        let okm = okm.expose_secret();
        let (aead, rest) = okm.split_first_chunk::<32>().expect("76 bytes hold 32");
        let (nonce, commitment) = rest.split_first_chunk::<12>().expect("44 bytes hold 12");
        Self {
            cipher: Box::new(Aes256Gcm::new(aead.into())),
            base_nonce: *nonce,
            commitment: commitment.try_into().expect("76 = 32 + 12 + 32"),
        }
    }

    pub(super) fn commitment(&self) -> &[u8; COMMITMENT_BYTES] {
        &self.commitment
    }

    pub(super) fn commits(&self, found: &[u8; COMMITMENT_BYTES]) -> bool {
        self.commitment.ct_eq(found).into()
    }

    /// Base nonce XOR be96(index).
    fn nonce(&self, index: u32) -> [u8; 12] {
        let mut nonce = self.base_nonce;
        for (byte, i) in nonce[8..].iter_mut().zip(index.to_be_bytes()) {
            *byte ^= i;
        }
        nonce
    }

    pub(super) fn seal(&self, index: u32, plain: &[u8], aad: &[u8]) -> Vec<u8> {
        self.cipher
            .encrypt(&self.nonce(index).into(), Payload { msg: plain, aad })
            .expect("a value is far below the 64 GiB limit of GCM")
    }

    pub(super) fn open(&self, index: u32, sealed: &[u8], aad: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.cipher.decrypt(&self.nonce(index).into(), Payload { msg: sealed, aad }).ok().map(Zeroizing::new)
    }
}
