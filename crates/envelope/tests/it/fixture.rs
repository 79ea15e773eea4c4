//! A sealed object and the means to forge others: keys re-derived from the specification, not through the crate.

use bailiwick_envelope::cobblestone::{ChunkKeys, encrypt};
use bailiwick_envelope::{
    Metadata, OpenError, Opened, Opener, Padding, RecipientSecretKey, SealOptions, random_object_id, seal,
};
use bailiwick_protocol::codec::{Canonical, Encoder};
use bailiwick_protocol::envelope::{Envelope, Kem, SignedEnvelope};
use bailiwick_protocol::ids::{OwnerKey, Unit};
use bailiwick_protocol::labels::Label;
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;
use hpke::{Deserializable as _, Kem as _};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand_core::Rng as _;

pub(crate) const CHUNK: usize = 16_384;
pub(crate) const SEALED: usize = 16_400;
pub(crate) const HEADER: usize = 56;

pub(crate) fn rng(seed: u8) -> StdRng {
    StdRng::from_seed([seed; 32])
}

/// Bytes without a zero among them, so that what was released can be counted to the byte.
pub(crate) fn data(len: usize, seed: u8) -> Vec<u8> {
    let mut out = vec![0; len];
    rng(seed).fill_bytes(&mut out);
    out.iter_mut().for_each(|b| *b |= 1);
    out
}

pub(crate) struct Object {
    pub(crate) owner: SigningKey,
    pub(crate) pinned: OwnerKey,
    pub(crate) reader: RecipientSecretKey,
    pub(crate) other_reader: RecipientSecretKey,
    pub(crate) envelope: Vec<u8>,
    pub(crate) body: Vec<u8>,
    pub(crate) data: Vec<u8>,
    pub(crate) metadata: Metadata,
}

impl Object {
    /// An X25519 and an X-Wing recipient, no padding: plaintext is metadata, data, length.
    pub(crate) fn new(len: usize, seed: u8) -> Self {
        Self::with(data(len, seed), seed, Padding::None, false)
    }

    pub(crate) fn with(data: Vec<u8>, seed: u8, padding: Padding, anonymous: bool) -> Self {
        let mut rng = rng(seed);
        let owner = SigningKey::from_seed(&Secret::init_with(|b| rng.fill_bytes(b)));
        let pinned = OwnerKey(owner.public());
        let reader = RecipientSecretKey::generate(Kem::X25519, &mut rng);
        let other_reader = RecipientSecretKey::generate(Kem::XWing, &mut rng);
        let metadata = Metadata { name: "data.bin".into(), media_type: "application/x-test".into() };
        let recipients = [reader.public(), other_reader.public()];
        let options = SealOptions {
            owner: pinned,
            object: random_object_id(&mut rng),
            unit: Unit::WHOLE,
            recipients: &recipients,
            passphrase: None,
            anonymous,
            metadata: metadata.clone(),
            padding,
        };
        let mut body = Vec::new();
        let sealed = seal(data.as_slice(), &mut body, &options, &mut rng).unwrap();
        assert_eq!(sealed.data_len(), data.len() as u64);
        let envelope = sealed.envelope(None, &owner).unwrap().to_bytes();
        Self { owner, pinned, reader, other_reader, envelope, body, data, metadata }
    }

    /// Bytes before the data.
    pub(crate) fn head(&self) -> usize {
        4 + self.metadata.name.len() + self.metadata.media_type.len()
    }

    pub(crate) fn decoded(&self) -> Envelope {
        SignedEnvelope::from_bytes(&self.envelope).unwrap().decode_unverified().unwrap()
    }

    /// The envelope with a change, signed by the owner as if it were meant.
    pub(crate) fn resigned(&self, change: impl FnOnce(&mut Envelope)) -> Vec<u8> {
        let mut envelope = self.decoded();
        change(&mut envelope);
        SignedEnvelope::new(&envelope, &self.owner).to_bytes()
    }

    /// Any payload, signed by the owner.
    pub(crate) fn signed_payload(&self, payload: &[u8]) -> Vec<u8> {
        let mut e = Encoder::new();
        e.array(2);
        e.bytes(payload);
        e.bytes(self.owner.sign(Label::EnvelopeSignature, payload).as_bytes());
        e.into_bytes()
    }

    pub(crate) fn payload(&self) -> Vec<u8> {
        SignedEnvelope::from_bytes(&self.envelope).unwrap().payload().to_vec()
    }

    pub(crate) fn open(&self) -> (Result<Opened, OpenError>, Vec<u8>) {
        self.open_with(&self.envelope, &self.body)
    }

    /// What opening says, and what it released.
    pub(crate) fn open_with(&self, envelope: &[u8], body: &[u8]) -> (Result<Opened, OpenError>, Vec<u8>) {
        let mut out = Vec::new();
        let key = RecipientSecretKey::from_bytes(
            self.reader.kem(),
            Secret::init_with(|b| b.copy_from_slice(self.reader.secret().expose_secret())),
        )
        .unwrap();
        let result = Opener::new(&self.pinned, envelope, &[key]).and_then(|o| o.open(body, &mut out));
        (result, out)
    }

    /// Unwraps the file key as clause E4 says, with the HPKE crate alone.
    pub(crate) fn file_key(&self) -> Secret<32> {
        let e = self.decoded();
        let mut info = b"bailiwick/v1/recipient-info".to_vec();
        info.extend_from_slice(&1u64.to_le_bytes());
        info.extend_from_slice(&e.owner.0);
        info.extend_from_slice(&e.object.0);
        info.push(1);
        type X = hpke::kem::X25519HkdfSha256;
        let secret = <X as hpke::Kem>::PrivateKey::from_bytes(self.reader.secret().expose_secret()).unwrap();
        assert_eq!(X::KEM_ID, 0x0020);
        let entry = &e.recipients[0];
        let enc = <X as hpke::Kem>::EncappedKey::from_bytes(&entry.enc).unwrap();
        let key = hpke::single_shot_open::<hpke::aead::AesGcm256, hpke::kdf::HkdfSha256, X>(
            &hpke::OpModeR::Base,
            &secret,
            &enc,
            &info,
            &entry.ciphertext,
            b"",
        )
        .unwrap();
        Secret::init_with(|b| b.copy_from_slice(&key))
    }

    /// The body key as clause E3 says, and the chunk keys that follow.
    pub(crate) fn chunk_keys(&self) -> ChunkKeys {
        let e = self.decoded();
        let mut info = b"bailiwick/v1/body-key".to_vec();
        info.extend_from_slice(&1u64.to_le_bytes());
        info.extend_from_slice(&e.owner.0);
        info.extend_from_slice(&e.object.0);
        info.extend_from_slice(&[1, 0, 1, 0, 0, 0, 0, 0]);
        let mut prk = [0; 64];
        prk[..32].copy_from_slice(self.file_key().expose_secret());
        let hkdf = hkdf::Hkdf::<sha2::Sha512>::from_prk(&prk).unwrap();
        let key = Secret::init_with(|okm: &mut [u8; 32]| hkdf.expand(&info, okm).unwrap());
        ChunkKeys::derive(&key, &e.body.salt, &[])
    }

    /// A body of this plaintext under the object's own keys, as any key holder can make it; signed by the owner if `signed`.
    pub(crate) fn forged(&self, plaintext: &[u8], signed: bool) -> (Vec<u8>, Vec<u8>) {
        let mut body = Vec::new();
        let made = encrypt(plaintext, &mut body, &self.chunk_keys()).unwrap();
        let envelope = if signed {
            self.resigned(|e| {
                e.body.size = made.size;
                e.body.blake3 = made.blake3;
            })
        } else {
            self.envelope.clone()
        };
        (envelope, body)
    }

    /// The plaintext of the body: metadata, data, length.
    pub(crate) fn plaintext(&self) -> Vec<u8> {
        let mut plain = Vec::new();
        for text in [&self.metadata.name, &self.metadata.media_type] {
            plain.extend_from_slice(&u16::try_from(text.len()).unwrap().to_le_bytes());
            plain.extend_from_slice(text.as_bytes());
        }
        plain.extend_from_slice(&self.data);
        plain.extend_from_slice(&(self.data.len() as u64).to_le_bytes());
        plain
    }

    pub(crate) fn chunk(&self, i: usize) -> &[u8] {
        let start = HEADER + i * SEALED;
        &self.body[start..self.body.len().min(start + SEALED)]
    }
}
