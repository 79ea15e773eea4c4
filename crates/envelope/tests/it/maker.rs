//! A writer of sealed objects from docs/spec/v1/envelope.md alone: what vectors and failure kit hold is not made by the crate they test.
//! Everything follows from a seed, so the same files come out on every machine.

use core::convert::Infallible;

use aes_gcm::aead::Aead as _;
use aes_gcm::{Aes256Gcm, KeyInit as _, Nonce};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::{
    BodyInfo, CellCommitment, Envelope, FurtherCommitment, Kem, PassphraseEntry, RecipientEntry, Role,
    ShardSet, SignedEnvelope,
};
use bailiwick_protocol::ids::{ContentId, ObjectId, OwnerKey, Unit};
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;
use hpke::{Deserializable as _, Serializable as _};
use rand_core::Rng as _;

const CHUNK: usize = 16_384;

/// BLAKE3's extended output for a seed: a generator that no library's release changes.
pub(crate) struct Stream(blake3::OutputReader);

impl Stream {
    pub(crate) fn new(seed: &[u8]) -> Self {
        Self(blake3::Hasher::new().update(seed).finalize_xof())
    }

    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        self.fill_bytes(&mut out);
        out
    }
}

impl rand_core::TryRng for Stream {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.array()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(self.array()))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(out);
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Stream {}

/// The first `len` bytes of BLAKE3's extended output for the one byte `seed` (test-vectors/README.md).
pub(crate) fn data(seed: u8, len: usize) -> Vec<u8> {
    let mut out = vec![0; len];
    Stream::new(&[seed]).fill_bytes(&mut out);
    out
}

/// What to make.
#[derive(Clone)]
pub(crate) struct Recipe {
    pub(crate) seed: u8,
    pub(crate) len: usize,
    pub(crate) name: &'static str,
    pub(crate) media_type: &'static str,
    pub(crate) padded: bool,
    pub(crate) recipients: Vec<Kem>,
    pub(crate) anonymous: bool,
    pub(crate) unit: Unit,
    pub(crate) shards: Option<ShardSet>,
    pub(crate) generation: u64,
    pub(crate) root: Option<[u8; 32]>,
    pub(crate) further: Vec<FurtherCommitment>,
    pub(crate) policy: Option<[u8; 32]>,
    pub(crate) passphrase: Option<Passphrase>,
}

/// A passphrase and what one guess costs: KiB, passes, lanes.
#[derive(Clone, Copy)]
pub(crate) struct Passphrase {
    pub(crate) text: &'static str,
    pub(crate) cost: [u32; 3],
}

impl Recipe {
    pub(crate) fn new(seed: u8, len: usize, recipients: &[Kem]) -> Self {
        Self {
            seed,
            len,
            name: "data.bin",
            media_type: "application/x-test",
            padded: true,
            recipients: recipients.to_vec(),
            anonymous: false,
            unit: Unit::WHOLE,
            shards: None,
            generation: 1,
            root: None,
            further: Vec::new(),
            policy: None,
            passphrase: None,
        }
    }
}

/// A recipient's secret key.
#[derive(Clone)]
pub(crate) struct Reader {
    pub(crate) kem: Kem,
    pub(crate) secret: [u8; 32],
}

/// An object, and every secret of it.
pub(crate) struct Made {
    pub(crate) owner: SigningKey,
    pub(crate) owner_seed: [u8; 32],
    pub(crate) envelope: Envelope,
    pub(crate) body: Vec<u8>,
    pub(crate) data: Vec<u8>,
    pub(crate) readers: Vec<Reader>,
    pub(crate) file_key: [u8; 32],
}

impl Made {
    pub(crate) fn new(recipe: &Recipe) -> Self {
        let mut rng = Stream::new(&[b"bailiwick test object ", &[recipe.seed][..]].concat());
        let owner_seed: [u8; 32] = rng.array();
        let owner = SigningKey::from_seed(&Secret::init_with(|b| *b = owner_seed));
        let (object, file_key, salt) = (ObjectId(rng.array()), rng.array(), rng.array());
        let data = data(recipe.seed, recipe.len);
        let plain = layout(recipe.name, recipe.media_type, &data, recipe.padded);
        let readers: Vec<_> =
            recipe.recipients.iter().map(|&kem| Reader { kem, secret: rng.array() }).collect();
        let mut envelope = Envelope {
            suite: 1,
            owner: OwnerKey(owner.public()),
            object,
            unit: recipe.unit,
            shards: recipe.shards.clone(),
            body: BodyInfo { format: 1, salt, key_commitment: [0; 32], size: 0, blake3: ContentId([0; 32]) },
            commitment: None,
            further_commitments: recipe.further.clone(),
            generation: recipe.generation,
            recipients: Vec::new(),
            passphrase: None,
            custody: None,
            policy: recipe.policy,
        };
        let body = sealed_body(&mut envelope, &file_key, &plain);
        let cells = envelope.body.size.div_ceil(496);
        envelope.commitment =
            recipe.root.map(|root| CellCommitment { root: bailiwick_protocol::ids::CellRoot(root), cells });
        envelope.recipients = readers
            .iter()
            .map(|reader| wrap(&envelope, reader, recipe.anonymous, Role::FileKey, &file_key, &mut rng))
            .collect();
        let passphrase = recipe.passphrase.map(|p| under_passphrase(&envelope, p, &file_key, rng.array()));
        envelope.passphrase = passphrase;
        Self { owner, owner_seed, envelope, body, data, readers, file_key }
    }

    pub(crate) fn pinned(&self) -> [u8; 32] {
        self.owner.public()
    }

    pub(crate) fn signed(&self) -> Vec<u8> {
        self.sign(&self.envelope)
    }

    pub(crate) fn sign(&self, envelope: &Envelope) -> Vec<u8> {
        SignedEnvelope::new(envelope, &self.owner).to_bytes()
    }

    pub(crate) fn body_key(&self) -> [u8; 32] {
        body_key(&self.envelope, &self.file_key)
    }
}

/// Key holders' bytes: E3 with the numbers written out.
pub(crate) fn body_key(envelope: &Envelope, file_key: &[u8; 32]) -> [u8; 32] {
    let mut info = b"bailiwick/v1/body-key".to_vec();
    info.extend_from_slice(&1u64.to_le_bytes());
    info.extend_from_slice(&envelope.owner.0);
    info.extend_from_slice(&envelope.object.0);
    for number in [envelope.unit.k, envelope.unit.n, envelope.unit.shard, envelope.unit.replica] {
        info.extend_from_slice(&number.to_le_bytes());
    }
    expand(file_key, &info)
}

fn expand<const N: usize>(key: &[u8; 32], info: &[u8]) -> [u8; N] {
    let mut prk = [0; 64];
    prk[..32].copy_from_slice(key);
    let mut okm = [0; N];
    hkdf::Hkdf::<sha2::Sha512>::from_prk(&prk).unwrap().expand(info, &mut okm).unwrap();
    okm
}

/// E1: the whole body; the envelope is told its commitment, size and BLAKE3.
pub(crate) fn sealed_body(envelope: &mut Envelope, file_key: &[u8; 32], plain: &[u8]) -> Vec<u8> {
    let salt = envelope.body.salt;
    let info = [&b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0"[..], &salt].concat();
    let okm: [u8; 76] = expand(&body_key(envelope, file_key), &info);
    let cipher = Aes256Gcm::new(okm[..32].try_into().unwrap());
    let mut out = [&salt[..], &okm[44..]].concat();
    for index in 0..=plain.len() / CHUNK {
        let chunk = &plain[index * CHUNK..plain.len().min((index + 1) * CHUNK)];
        let mut nonce: [u8; 12] = okm[32..44].try_into().unwrap();
        for (byte, count) in nonce[4..].iter_mut().zip((index as u64).to_be_bytes()) {
            *byte ^= count;
        }
        out.extend(cipher.encrypt(&Nonce::from(nonce), chunk).unwrap());
    }
    envelope.body.key_commitment = okm[44..].try_into().unwrap();
    envelope.body.size = out.len() as u64;
    envelope.body.blake3 = ContentId(blake3::hash(&out).into());
    out
}

/// E6.
pub(crate) fn layout(name: &str, media_type: &str, data: &[u8], padded: bool) -> Vec<u8> {
    let mut plain = Vec::new();
    for text in [name, media_type] {
        plain.extend_from_slice(&u16::try_from(text.len()).unwrap().to_le_bytes());
        plain.extend_from_slice(text.as_bytes());
    }
    plain.extend_from_slice(data);
    let length = plain.len() as u64 + 8;
    let total = if padded { padme(length) } else { length };
    plain.resize(usize::try_from(total).unwrap() - 8, 0);
    plain.extend_from_slice(&(data.len() as u64).to_le_bytes());
    plain
}

/// The least multiple of 2^(E-s) that is at least L.
fn padme(length: u64) -> u64 {
    let e = f64::from(u32::try_from(length).unwrap()).log2().floor();
    let s = e.log2().floor() + 1.0;
    let unit = 2f64.powf((e - s).max(0.0));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below 2^32, a whole number")]
    let padded = ((f64::from(u32::try_from(length).unwrap()) / unit).ceil() * unit) as u64;
    padded
}

/// E4, with the HPKE crate alone.
pub(crate) fn wrap(
    envelope: &Envelope,
    reader: &Reader,
    anonymous: bool,
    role: Role,
    content: &[u8],
    rng: &mut Stream,
) -> RecipientEntry {
    let info = recipient_info(envelope, role);
    let (public, enc, ciphertext) = match reader.kem {
        Kem::X25519 => sealed::<hpke::kem::X25519HkdfSha256>(&reader.secret, &info, content, rng),
        Kem::P256 => sealed::<hpke::kem::DhP256HkdfSha256>(&reader.secret, &info, content, rng),
        Kem::XWing => sealed::<hpke::kem::XWing>(&reader.secret, &info, content, rng),
    };
    let key_id = (!anonymous).then(|| key_id(reader.kem, &public));
    RecipientEntry { kem: reader.kem, role, key_id, enc, ciphertext }
}

/// E4.
pub(crate) fn recipient_info(envelope: &Envelope, role: Role) -> Vec<u8> {
    let mut info = b"bailiwick/v1/recipient-info".to_vec();
    info.extend_from_slice(&1u64.to_le_bytes());
    info.extend_from_slice(&envelope.owner.0);
    info.extend_from_slice(&envelope.object.0);
    info.push(role.id());
    info
}

/// E18.
pub(crate) fn under_passphrase(
    envelope: &Envelope,
    passphrase: Passphrase,
    file_key: &[u8; 32],
    salt: [u8; 16],
) -> PassphraseEntry {
    let [memory_kib, passes, lanes] = passphrase.cost;
    let params = argon2::Params::new(memory_kib, passes, lanes, Some(32)).unwrap();
    let mut prk = [0; 32];
    argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params)
        .hash_password_into(passphrase.text.as_bytes(), &salt, &mut prk)
        .unwrap();
    let mut info = b"bailiwick/v1/passphrase".to_vec();
    info.extend_from_slice(&1u64.to_le_bytes());
    info.extend_from_slice(&envelope.owner.0);
    info.extend_from_slice(&envelope.object.0);
    let okm: [u8; 64] = expand(&prk, &info);
    let sealed = Aes256Gcm::new(okm[..32].try_into().unwrap()).encrypt(&[0; 12].into(), &file_key[..]);
    PassphraseEntry {
        memory_kib,
        passes,
        lanes,
        salt,
        commitment: okm[32..].try_into().unwrap(),
        ciphertext: sealed.unwrap().try_into().unwrap(),
    }
}

/// E8.
pub(crate) fn key_id(kem: Kem, public: &[u8]) -> [u8; 8] {
    let input = [&kem.id().to_le_bytes()[..], public].concat();
    *blake3::derive_key("bailiwick/v1/fingerprint", &input).first_chunk().unwrap()
}

fn sealed<K: hpke::Kem>(
    secret: &[u8; 32],
    info: &[u8],
    content: &[u8],
    rng: &mut Stream,
) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let public = K::sk_to_pk(&K::PrivateKey::from_bytes(secret).unwrap());
    let (enc, ciphertext) =
        hpke::single_shot_seal_with_rng::<hpke::aead::AesGcm256, hpke::kdf::HkdfSha256, K>(
            &hpke::OpModeS::Base,
            &public,
            info,
            content,
            &[],
            rng,
        )
        .unwrap();
    (public.to_bytes().to_vec(), enc.to_bytes().to_vec(), ciphertext)
}
