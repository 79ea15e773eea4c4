//! Ed25519 (RFC 8032) with a domain label in front of every message, verified by the strict rules
//! (canonical `S`, no small-order points), and the `[payload, signature]` wrapper of every signed message.

use core::fmt;
use core::marker::PhantomData;

use ed25519_dalek::Signer;
use ed25519_dalek::ed25519::signature::MultipartVerifier as _;

use crate::codec::{Canonical, CodecError, Decoder, Encoder};
use crate::ids::Signature;
use crate::labels::Label;
use crate::secret::Secret;

/// A private Ed25519 key, on the heap, so moving it leaves no copy behind. Wiped on drop, never printed.
pub struct SigningKey(Box<ed25519_dalek::SigningKey>);

const _: () = assert!(size_of::<SigningKey>() == size_of::<usize>(), "what is moved is a pointer to the key");
const _: () = wiped_on_drop::<ed25519_dalek::SigningKey>();

/// Compiles for what wipes itself when it is dropped.
const fn wiped_on_drop<T: zeroize::ZeroizeOnDrop>() {}

impl SigningKey {
    /// From a 32-byte seed (RFC 8032 section 5.1.5).
    #[must_use]
    pub fn from_seed(seed: &Secret<32>) -> Self {
        Self(Box::new(ed25519_dalek::SigningKey::from_bytes(seed.expose_secret())))
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
    if !is_reduced(key) {
        return Err(CodecError::BadSignature);
    }
    ed25519_dalek::VerifyingKey::from_bytes(key)
        .and_then(|k| k.verify_strict(message, &ed25519_dalek::Signature::from_bytes(&signature.0)))
        .map_err(|_| CodecError::BadSignature)
}

/// Whether the y of an encoded point is below q = 2^255 - 19, as RFC 8032 section 5.1.3 asks: the library reduces it, so that some
/// points would have two names.
fn is_reduced(key: &[u8; 32]) -> bool {
    let [first, middle @ .., last] = key;
    *first < 0xed || middle.iter().any(|b| *b != 0xff) || last & 0x7f != 0x7f
}

/// The canonical encodings of the eight points of small order (those of order 1, 2, 4, 4 and 8).
const SMALL_ORDER: [[u8; 32]; 8] = {
    const fn ends(first: u8, middle: u8, last: u8) -> [u8; 32] {
        let mut out = [middle; 32];
        (out[0], out[31]) = (first, last);
        out
    }
    const EIGHT: [[u8; 32]; 2] = [
        [
            0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
            0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
        ],
        [
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
            0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
        ],
    ];
    const fn minus(mut x: [u8; 32]) -> [u8; 32] {
        x[31] |= 0x80;
        x
    }
    [
        ends(1, 0, 0),
        ends(0xec, 0xff, 0x7f),
        [0; 32],
        minus([0; 32]),
        EIGHT[0],
        minus(EIGHT[0]),
        EIGHT[1],
        minus(EIGHT[1]),
    ]
};

/// A public key that has been read, for many signatures under one key: the answers are those of [`verify`], and each takes about a
/// fifth less time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(ed25519_dalek::VerifyingKey);

impl PublicKey {
    /// From its 32 bytes.
    ///
    /// # Errors
    /// `BadSignature` for bytes that are no point in its canonical encoding, or one of small order: no signature is accepted under them.
    pub fn new(bytes: &[u8; 32]) -> Result<Self, CodecError> {
        match ed25519_dalek::VerifyingKey::from_bytes(bytes) {
            Ok(key) if is_reduced(bytes) && !key.is_weak() => Ok(Self(key)),
            _ => Err(CodecError::BadSignature),
        }
    }

    /// As [`verify`] under this key.
    ///
    /// The check without cofactor compares the bytes of `R` with the canonical encoding of `S·B - k·A`. So `R` is canonical, and is
    /// of small order exactly when it is one of eight byte strings: it need not be decoded to apply the strict rules.
    ///
    /// # Errors
    /// `BadSignature`, for every cause alike.
    pub fn verify(&self, label: Label, message: &[u8], signature: &Signature) -> Result<(), CodecError> {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        if SMALL_ORDER.contains(signature.r_bytes()) {
            return Err(CodecError::BadSignature);
        }
        self.0
            .multipart_verify(&[label.as_bytes(), message], &signature)
            .map_err(|_| CodecError::BadSignature)
    }
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

    /// Like [`Signed::verify`] under a key that has been read.
    ///
    /// # Errors
    /// `BadSignature`, or what decoding reports.
    pub fn verify_with(&self, key: &PublicKey) -> Result<T, CodecError> {
        key.verify(T::LABEL, &self.payload, &self.signature)?;
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

    fn to_bytes(&self) -> Vec<u8> {
        let mut e = Encoder::with_capacity(self.payload.len() + 1 + 9 + 2 + 64);
        self.encode(&mut e);
        e.into_bytes()
    }

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
