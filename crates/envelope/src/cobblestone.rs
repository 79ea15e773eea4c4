//! Cobblestone-256: C2SP chunked-encryption@v1 over SHA-512 and AEAD_AES_256_GCM (<https://c2sp.org/chunked-encryption>).
//!
//! ```text
//! okm[76] = HKDF-Expand-SHA512(key[32], "c2sp.org/chunked-encryption@v1+" ‖ "AEAD_AES_256_GCM" ‖ 00 ‖ salt[24] ‖ context)
//! okm     = aead key[32] ‖ base nonce[12] ‖ commitment[32]
//! body    = salt ‖ commitment ‖ C_0 ‖ C_1 ‖ …     C_i = AES-256-GCM(aead key, base nonce XOR be96(i), M_i, aad = "")
//! ```
//! Every chunk but the last holds 16,384 bytes of plaintext, the last always fewer (perhaps none), so no
//! truncation at a chunk border can pass. The commitment binds the key: a body opens under one key only.

mod aead;
mod decrypt;
mod encrypt;
mod range;

use bailiwick_protocol::secret::Secret;
use sha2::Sha512;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

pub use aead::Backend;
pub use decrypt::{decrypt, decrypt_for};
pub use encrypt::{Encrypted, encrypt};
pub use range::{RangeAuthenticity, ReadAt, Seekable};

pub(crate) use decrypt::{decrypt_chunks, read_header};
pub(crate) use range::ChunkReader;

/// Plaintext bytes of every chunk but the last.
pub const CHUNK_BYTES: usize = 16_384;
/// Bytes of an AES-256-GCM tag.
pub const TAG_BYTES: usize = 16;
/// Ciphertext bytes of every chunk but the last.
pub const SEALED_CHUNK_BYTES: usize = CHUNK_BYTES + TAG_BYTES;
/// Bytes of the salt, the first of a body.
pub const SALT_BYTES: usize = 24;
/// Bytes of salt and commitment, before the first chunk.
pub const HEADER_BYTES: usize = SALT_BYTES + 32;
/// Chunks of one body, at most (specification, section on limits).
pub const CHUNKS_MAX: u64 = 1 << 38;

const INFO: &[u8] = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0";

/// Why a body cannot be decrypted or encrypted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CobblestoneError {
    /// Fewer bytes than salt and commitment.
    #[error("the body ends within its header")]
    HeaderTruncated,
    /// The header commits to another key, salt or context.
    #[error("the body's commitment does not belong to this key")]
    Commitment,
    /// The chunk's tag does not verify: changed, moved, duplicated, or cut short.
    #[error("chunk {index} is not authentic")]
    Chunk {
        /// Number of the chunk, from 0.
        index: u64,
    },
    /// The body ends at a chunk border or within a tag: the last, short chunk is missing.
    #[error("the body ends early, in chunk {index}")]
    Truncated {
        /// Number of the chunk that is missing or too short.
        index: u64,
    },
    /// The body has another length than was signed.
    #[error("the body has {} bytes, {expected} were signed", .found.map_or_else(|| "more".to_owned(), |n| n.to_string()))]
    Size {
        /// Bytes signed.
        expected: u64,
        /// Bytes found; none when it goes on after the signed length.
        found: Option<u64>,
    },
    /// More chunks than the format allows.
    #[error("more than 2^38 chunks")]
    TooLong,
    /// The source failed.
    #[error("cannot read the input")]
    Read(#[source] std::io::Error),
    /// The destination failed.
    #[error("cannot write the output")]
    Write(#[source] std::io::Error),
}

/// Everything derived from one input key, salt and context. Wiped on drop.
pub struct ChunkKeys {
    cipher: aead::Aead,
    base_nonce: [u8; 12],
    salt: [u8; SALT_BYTES],
    commitment: [u8; 32],
}

impl ChunkKeys {
    /// Derives the chunk key, nonce and commitment; `context` is whatever both sides agree on (empty in envelopes).
    #[must_use]
    pub fn derive(input_key: &Secret<32>, salt: &[u8; SALT_BYTES], context: &[u8]) -> Self {
        Self::derive_for(Backend::DEFAULT, input_key, salt, context)
    }

    /// Like [`ChunkKeys::derive`], with a choice of implementation.
    #[must_use]
    pub fn derive_for(
        backend: Backend,
        input_key: &Secret<32>,
        salt: &[u8; SALT_BYTES],
        context: &[u8],
    ) -> Self {
        let mut okm = Secret::<76>::init_with(|okm| {
            expand_sha512(input_key.expose_secret(), &[INFO, salt, context], okm);
        });
        let bytes = okm.expose_secret();
        let key: &[u8; 32] = bytes.first_chunk().expect("76 bytes begin with 32");
        let cipher = aead::Aead::new(backend, key);
        let mut base_nonce = [0; 12];
        base_nonce.copy_from_slice(&bytes[32..44]);
        let mut commitment = [0; 32];
        commitment.copy_from_slice(&bytes[44..]);
        okm.zeroize();
        Self { cipher, base_nonce, salt: *salt, commitment }
    }

    /// Salt the keys were derived with.
    #[must_use]
    pub fn salt(&self) -> &[u8; SALT_BYTES] {
        &self.salt
    }

    /// Commitment to the key; public.
    #[must_use]
    pub fn commitment(&self) -> &[u8; 32] {
        &self.commitment
    }

    /// First 56 bytes of a body under these keys.
    #[must_use]
    pub fn header(&self) -> [u8; HEADER_BYTES] {
        let mut header = [0; HEADER_BYTES];
        header[..SALT_BYTES].copy_from_slice(&self.salt);
        header[SALT_BYTES..].copy_from_slice(&self.commitment);
        header
    }

    /// Whether `commitment` is the one of these keys; constant-time.
    #[must_use]
    pub fn commits(&self, commitment: &[u8; 32]) -> bool {
        self.commitment.ct_eq(commitment).into()
    }

    fn nonce(&self, index: u64) -> [u8; 12] {
        let mut nonce = self.base_nonce;
        for (n, i) in nonce[4..].iter_mut().zip(index.to_be_bytes()) {
            *n ^= i;
        }
        nonce
    }

    /// Encrypts in place: `chunk` is the plaintext of chunk `index` and 16 bytes of room for its tag.
    ///
    /// Under one key an index is used for one plaintext only; [`encrypt`] counts by itself.
    ///
    /// # Panics
    /// When `chunk` is shorter than a tag.
    pub fn seal_chunk(&self, index: u64, chunk: &mut [u8]) {
        let (body, tag) =
            chunk.split_last_chunk_mut::<TAG_BYTES>().expect("the caller leaves room for the tag");
        *tag = self.cipher.seal(self.nonce(index), body);
    }

    /// Decrypts chunk `index` from `sealed` into `plain`, 16 bytes shorter. Nothing of the plaintext is there unless the tag verifies.
    ///
    /// # Errors
    /// `Chunk`; `Truncated` when `sealed` is shorter than a tag.
    ///
    /// # Panics
    /// When `plain` is not 16 bytes shorter than `sealed`.
    pub fn open_chunk(&self, index: u64, sealed: &[u8], plain: &mut [u8]) -> Result<(), CobblestoneError> {
        let Some((body, tag)) = sealed.split_last_chunk::<TAG_BYTES>() else {
            return Err(CobblestoneError::Truncated { index });
        };
        if self.cipher.open(self.nonce(index), body, tag, plain) {
            Ok(())
        } else {
            Err(CobblestoneError::Chunk { index })
        }
    }
}

impl Drop for ChunkKeys {
    fn drop(&mut self) {
        // The cipher wipes itself.
        self.base_nonce.zeroize();
    }
}

impl std::fmt::Debug for ChunkKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChunkKeys").finish_non_exhaustive()
    }
}

/// HKDF-Expand (RFC 5869 section 2.3) over SHA-512 from a 32-byte key.
///
/// The crate refuses a key shorter than the hash; HMAC pads keys with zeros to its block, so padding to 64 bytes changes nothing.
pub(crate) fn expand_sha512(key: &[u8; 32], info: &[&[u8]], okm: &mut [u8]) {
    let padded = Secret::<64>::init_with(|p| p[..32].copy_from_slice(key));
    hkdf::Hkdf::<Sha512>::from_prk(padded.expose_secret())
        .expect("64 bytes are the length of a SHA-512 hash")
        .expand_multi_info(info, okm)
        .expect("fewer than 255 hashes are asked for");
}

/// Bytes of a body whose plaintext has `plain` bytes; `None` on overflow.
#[must_use]
pub const fn body_bytes(plain: u64) -> Option<u64> {
    let tags = match (plain / CHUNK_BYTES as u64).checked_add(1) {
        Some(chunks) => match chunks.checked_mul(TAG_BYTES as u64) {
            Some(t) => t,
            None => return None,
        },
        None => return None,
    };
    match plain.checked_add(tags) {
        Some(n) => n.checked_add(HEADER_BYTES as u64),
        None => None,
    }
}

/// Plaintext bytes of a body of `size` bytes; `None` when no body has that size.
#[must_use]
pub const fn plain_bytes(size: u64) -> Option<u64> {
    let Some(chunked) = size.checked_sub(HEADER_BYTES as u64) else { return None };
    let full = chunked / SEALED_CHUNK_BYTES as u64;
    match (chunked % SEALED_CHUNK_BYTES as u64).checked_sub(TAG_BYTES as u64) {
        Some(last) => Some(full * CHUNK_BYTES as u64 + last),
        None => None,
    }
}
