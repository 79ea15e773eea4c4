//! AES-256-GCM behind two functions, so that implementations can be swapped and checked against each other.

use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::{AeadInOut, Aes256Gcm, KeyInit};

use super::TAG_BYTES;

/// Which implementation of AES-256-GCM does the work. The bytes are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backend {
    /// Crate `aes-gcm`, Rust only.
    RustCrypto,
    /// Crate `aws-lc-rs`, C and assembly, several times faster. The default when feature `aws-lc` is on.
    #[cfg(feature = "aws-lc")]
    AwsLc,
}

impl Backend {
    /// All that this build has, the default last.
    pub const ALL: &'static [Self] = &[
        Self::RustCrypto,
        #[cfg(feature = "aws-lc")]
        Self::AwsLc,
    ];

    #[cfg(not(feature = "aws-lc"))]
    pub(super) const DEFAULT: Self = Self::RustCrypto;
    #[cfg(feature = "aws-lc")]
    pub(super) const DEFAULT: Self = Self::AwsLc;
}

/// A key, expanded. Both implementations wipe theirs on drop.
pub(super) enum Aead {
    RustCrypto(Box<Aes256Gcm>),
    #[cfg(feature = "aws-lc")]
    AwsLc(Box<aws_lc_rs::aead::LessSafeKey>),
}

impl Aead {
    pub(super) fn new(backend: Backend, key: &[u8; 32]) -> Self {
        match backend {
            Backend::RustCrypto => Self::RustCrypto(Box::new(Aes256Gcm::new(key.into()))),
            #[cfg(feature = "aws-lc")]
            Backend::AwsLc => {
                let key = aws_lc_rs::aead::UnboundKey::new(&aws_lc_rs::aead::AES_256_GCM, key)
                    .expect("the key has the algorithm's length");
                Self::AwsLc(Box::new(aws_lc_rs::aead::LessSafeKey::new(key)))
            }
        }
    }

    /// Encrypts `body` in place; its tag.
    pub(super) fn seal(&self, nonce: [u8; 12], body: &mut [u8]) -> [u8; TAG_BYTES] {
        match self {
            Self::RustCrypto(cipher) => cipher
                .encrypt_inout_detached(&nonce.into(), &[], body.into())
                .expect("a chunk is far below the 64 GiB limit of GCM")
                .into(),
            #[cfg(feature = "aws-lc")]
            Self::AwsLc(key) => {
                use aws_lc_rs::aead::{Aad, Nonce};
                let nonce = Nonce::assume_unique_for_key(nonce);
                let made = key.seal_in_place_separate_tag(nonce, Aad::empty(), body);
                let made = made.expect("a chunk is far below the 64 GiB limit of GCM");
                *made.as_ref().first_chunk().expect("a tag of GCM has 16 bytes")
            }
        }
    }

    /// Decrypts `body` into `plain` of the same length; false, and nothing of the plaintext in `plain`, unless the tag verifies.
    #[must_use]
    pub(super) fn open(&self, nonce: [u8; 12], body: &[u8], tag: &[u8; TAG_BYTES], plain: &mut [u8]) -> bool {
        match self {
            Self::RustCrypto(cipher) => {
                let buffer = InOutBuf::new(body, plain).expect("plain is as long as the chunk less its tag");
                cipher.decrypt_inout_detached(&nonce.into(), &[], buffer, tag.into()).is_ok()
            }
            #[cfg(feature = "aws-lc")]
            Self::AwsLc(key) => {
                use aws_lc_rs::aead::{Aad, Nonce};
                let nonce = Nonce::assume_unique_for_key(nonce);
                let opened = key.open_separate_gather(nonce, Aad::empty(), body, tag, plain).is_ok();
                if !opened {
                    // What it left there is unspecified.
                    plain.fill(0);
                }
                opened
            }
        }
    }
}
