//! Ed25519 (RFC 8032) with a domain label in front of every message, verified by the strict rules
//! (canonical `S`, no small-order points), and the `[payload, signature]` wrapper of every signed message.

use core::fmt;
use core::marker::PhantomData;

use ed25519_dalek::Signer;

use crate::codec::{Canonical, CodecError, Decoder, Encoder};
use crate::ids::Signature;
use crate::labels::Label;
use crate::secret::Secret;

/// A private Ed25519 key. Wiped on drop, never printed.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// From a 32-byte seed (RFC 8032 section 5.1.5).
    #[must_use]
    pub fn from_seed(seed: &Secret<32>) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed.expose_secret()))
    }

    /// The public key's 32 bytes; wrap them in `OwnerKey`, `HostKey` or `AuditorKey`.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// Signature over `label ‖ message`.
    #[must_use]
    pub fn sign(&self, label: Label, message: &[u8]) -> Signature {
        Signature(self.0.sign(&labelled(label, message)).to_bytes())
    }

    /// Signature over `message` with no label of ours, for standards that define the whole input (RFC 9421).
    #[must_use]
    pub fn sign_raw(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey(public {})", hex::encode(self.public()))
    }
}

fn labelled(label: Label, message: &[u8]) -> Vec<u8> {
    [label.as_bytes(), message].concat()
}

/// Verifies `signature` over `label ‖ message` under `key` by the strict rules.
///
/// # Errors
/// `CodecError::BadSignature`, for every cause alike.
pub fn verify(key: &[u8; 32], label: Label, message: &[u8], signature: &Signature) -> Result<(), CodecError> {
    verify_raw(key, &labelled(label, message), signature)
}

/// Like [`verify`] without a label of ours (RFC 9421).
///
/// # Errors
/// `CodecError::BadSignature`, for every cause alike.
pub fn verify_raw(key: &[u8; 32], message: &[u8], signature: &Signature) -> Result<(), CodecError> {
    ed25519_dalek::VerifyingKey::from_bytes(key)
        .and_then(|k| k.verify_strict(message, &ed25519_dalek::Signature::from_bytes(&signature.0)))
        .map_err(|_| CodecError::BadSignature)
}

/// A message that is signed under one label.
pub trait SignedMessage: Canonical {
    /// The label its signature is made under.
    const LABEL: Label;
}

/// A signed message that has not been decoded: the exact bytes that were signed, and the signature.
///
/// Wire form: CBOR `[payload bytes, signature bytes]`. The payload is only decoded by [`Signed::verify`],
/// after its signature has been checked under a key the caller pinned.
#[derive(Clone, PartialEq, Eq)]
pub struct Signed<T> {
    payload: Vec<u8>,
    signature: Signature,
    message: PhantomData<fn() -> T>,
}

impl<T: SignedMessage> Signed<T> {
    /// Encodes and signs.
    #[must_use]
    pub fn new(message: &T, key: &SigningKey) -> Self {
        let payload = message.to_bytes();
        let signature = key.sign(T::LABEL, &payload);
        Self { payload, signature, message: PhantomData }
    }

    /// Checks the signature under the pinned `key`, then decodes.
    ///
    /// # Errors
    /// `BadSignature`, or what decoding reports.
    pub fn verify(&self, key: &[u8; 32]) -> Result<T, CodecError> {
        verify(key, T::LABEL, &self.payload, &self.signature)?;
        T::from_bytes(&self.payload)
    }

    /// Decodes without any check of the signature. For showing what a message *says* before anyone
    /// pinned a key, and for finding out which key it names; nothing read this way may be relied on.
    ///
    /// # Errors
    /// What decoding reports.
    pub fn decode_unverified(&self) -> Result<T, CodecError> {
        T::from_bytes(&self.payload)
    }

    /// The signed bytes.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }
}

impl<T> fmt::Debug for Signed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signed({} bytes, {:?})", self.payload.len(), self.signature)
    }
}

impl<T: SignedMessage> Canonical for Signed<T> {
    const WHAT: &'static str = T::WHAT;
    // Array and string headers, a 64-byte signature.
    const BYTES_MAX: usize = T::BYTES_MAX + 1 + 9 + 2 + 64;

    fn encode(&self, e: &mut Encoder) {
        e.array(2);
        e.bytes(&self.payload);
        self.signature.encode(e);
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        d.tuple(2)?;
        let payload = d.bytes(T::WHAT, T::BYTES_MAX)?.to_vec();
        let signature = Signature::decode(d)?;
        Ok(Self { payload, signature, message: PhantomData })
    }
}
