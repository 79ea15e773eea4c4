//! Shards: units of an object that is split (spec shards). Each has its own file key, salt and envelope.
//!
//! What is erasure-coded is the padded plaintext of the whole object: [`PaddedReader`] gives it, [`PaddedWriter`] takes it
//! apart. A [`ShardCipher`] seals and opens the chunks of one shard's body in any order.

use std::io::{self, Read, Write};

use bailiwick_protocol::envelope::{
    BODY_FORMAT_COBBLESTONE_256, BodyInfo, CELL_BYTES, CellCommitment, Envelope, PassphraseEntry,
    RecipientEntry, SUITE, ShardSet, SignedEnvelope,
};
use bailiwick_protocol::ids::{ContentId, ObjectId, OwnerKey, Unit};
use bailiwick_protocol::labels::Label;
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;
use rand_core::CryptoRng;

use crate::cobblestone::{CHUNK_BYTES, ChunkKeys, HEADER_BYTES, SALT_BYTES, TAG_BYTES, expand_sha512};
use crate::layout::{LayoutError, LayoutReader, Metadata, Padding, TAIL_BYTES};
use crate::open::{OpenError, Opened, Opener};
use crate::seal::{SealError, SealOptions, body_key, sign_next, wrap_file_key};
use crate::sink::LayoutSink;

/// The padded plaintext of an object (spec envelope, clause E6), from its data.
pub struct PaddedReader<R> {
    layout: LayoutReader<R>,
}

impl<R> std::fmt::Debug for PaddedReader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PaddedReader").finish_non_exhaustive()
    }
}

impl<R: Read> PaddedReader<R> {
    /// Reads `data` once.
    ///
    /// # Errors
    /// `MetadataLength`.
    pub fn new(metadata: &Metadata, data: R, padding: Padding) -> Result<Self, LayoutError> {
        Ok(Self { layout: LayoutReader::new(metadata, data, padding)? })
    }

    /// Bytes of data read so far.
    #[must_use]
    pub fn data_len(&self) -> u64 {
        self.layout.data_len()
    }
}

impl<R: Read> Read for PaddedReader<R> {
    /// Fails with `FileTooLarge` after the data of the largest object.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.layout.read(buf)
    }
}

/// Takes a padded plaintext apart: data to the writer, metadata and the length of the data at the end.
pub struct PaddedWriter<W> {
    sink: LayoutSink<W>,
}

impl<W> std::fmt::Debug for PaddedWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PaddedWriter").finish_non_exhaustive()
    }
}

impl<W: Write> PaddedWriter<W> {
    /// For a padded plaintext of `length` bytes.
    ///
    /// # Errors
    /// `Layout` when no object can be so short.
    pub fn new(out: W, length: u64) -> Result<Self, OpenError> {
        if length < TAIL_BYTES {
            return Err(LayoutError::DataLength.into());
        }
        Ok(Self { sink: LayoutSink::new(out, length) })
    }

    /// The next bytes. The first piece must have 16,384 bytes, or be all there is: it holds the metadata.
    ///
    /// # Errors
    /// `Layout`, `Body` when the writer fails.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), OpenError> {
        if piece.is_empty() { Ok(()) } else { self.sink.push(piece) }
    }

    /// Checks length and padding, and gives what is inside.
    ///
    /// # Errors
    /// `Layout`, `Body` when the writer fails.
    pub fn finish(self) -> Result<Opened, OpenError> {
        let (metadata, data_len) = self.sink.finish()?;
        Ok(Opened { metadata, data_len })
    }
}

/// Reads the metadata at the beginning of a padded plaintext, from its first 16,384 bytes or all there is; also how many bytes it takes.
///
/// # Errors
/// `MetadataLength`, `MetadataText`.
pub fn read_metadata(first: &[u8]) -> Result<(Metadata, u64), LayoutError> {
    Metadata::decode(first)
}

/// The keys of one shard's body. The same chunk at the same place always gives the same bytes, so that a lost body can be
/// made again as its envelope says; **never seal two different plaintexts at one place and let both out**: check the BLAKE3 of the
/// whole body against the envelope first.
pub struct ShardCipher {
    keys: ChunkKeys,
    order: Secret<32>,
}

impl std::fmt::Debug for ShardCipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShardCipher").finish_non_exhaustive()
    }
}

impl ShardCipher {
    /// Keys of no envelope, drawn from `rng`: for blocks that wait until it is known that they are right.
    #[must_use]
    pub fn ephemeral(rng: &mut impl CryptoRng) -> Self {
        let file_key = Secret::init_with(|k: &mut [u8; 32]| rng.fill_bytes(k));
        let mut salt = [0; SALT_BYTES];
        rng.fill_bytes(&mut salt);
        Self::derive(&file_key, SUITE, (&OwnerKey([0; 32]), &ObjectId([0; 16]), Unit::WHOLE), &salt)
    }

    fn derive(
        file_key: &Secret<32>,
        suite: u64,
        (owner, object, unit): (&OwnerKey, &ObjectId, Unit),
        salt: &[u8; SALT_BYTES],
    ) -> Self {
        let key = body_key(file_key, suite, owner, object, unit);
        let (suite, unit) = (suite.to_le_bytes(), unit.to_bytes());
        let info =
            [Label::ShardOrder.as_bytes(), &suite, owner.as_bytes(), object.as_bytes(), unit.as_slice()];
        let order = Secret::init_with(|okm| expand_sha512(file_key.expose_secret(), &info, okm));
        Self { keys: ChunkKeys::derive(&key, salt, &[]), order }
    }

    /// Salt and key commitment: the first 56 bytes of the body.
    #[must_use]
    pub fn header(&self) -> [u8; HEADER_BYTES] {
        self.keys.header()
    }

    /// Key of the order of the code inside this shard (spec shards, clause Q6).
    #[must_use]
    pub fn order_key(&self) -> &[u8; 32] {
        self.order.expose_secret()
    }

    /// Seals chunk `index`, at most 16,384 bytes, into `sealed`, which is 16 bytes longer.
    pub fn seal(&self, index: u64, plain: &[u8], sealed: &mut [u8]) {
        debug_assert!(plain.len() <= CHUNK_BYTES && sealed.len() == plain.len() + TAG_BYTES);
        sealed[..plain.len()].copy_from_slice(plain);
        self.keys.seal_chunk(index, sealed);
    }

    /// Opens chunk `index` into `plain`, which is 16 bytes shorter; false, and nothing of the plaintext there, unless the chunk is authentic.
    #[must_use]
    pub fn open(&self, index: u64, sealed: &[u8], plain: &mut [u8]) -> bool {
        sealed.len() == plain.len() + TAG_BYTES && self.keys.open_chunk(index, sealed, plain).is_ok()
    }
}

impl Opener {
    /// The keys of this shard's body.
    #[must_use]
    pub fn shard_cipher(&self) -> ShardCipher {
        let e = self.envelope();
        ShardCipher::derive(self.file_key(), e.suite, (&e.owner, &e.object, e.unit), &e.body.salt)
    }
}

/// A shard to be sealed: fresh keys, and the recipients who will have them.
#[derive(Debug)]
pub struct ShardSealer {
    owner: OwnerKey,
    object: ObjectId,
    unit: Unit,
    salt: [u8; SALT_BYTES],
    recipients: Vec<RecipientEntry>,
    passphrase: Option<PassphraseEntry>,
    policy: Option<[u8; 32]>,
    cipher: ShardCipher,
}

impl ShardSealer {
    /// Draws file key and salt of `options.unit` from `rng`. Metadata and padding are the object's and are not looked at.
    ///
    /// # Errors
    /// Like [`crate::seal()`] of recipients.
    pub fn new(options: &SealOptions<'_>, rng: &mut impl CryptoRng) -> Result<Self, SealError> {
        let file_key = Secret::init_with(|k: &mut [u8; 32]| rng.fill_bytes(k));
        let (recipients, passphrase) = wrap_file_key(options, &file_key, rng)?;
        let mut salt = [0; SALT_BYTES];
        rng.fill_bytes(&mut salt);
        let (owner, object, unit) = (options.owner, options.object, options.unit);
        let cipher = ShardCipher::derive(&file_key, SUITE, (&owner, &object, unit), &salt);
        Ok(Self { owner, object, unit, salt, recipients, passphrase, policy: None, cipher })
    }

    /// The envelope will have this digest of the owner's policy, as the object's other shards have.
    #[must_use]
    pub fn with_policy(self, policy: Option<[u8; 32]>) -> Self {
        Self { policy, ..self }
    }

    /// The keys of the body.
    #[must_use]
    pub fn cipher(&self) -> &ShardCipher {
        &self.cipher
    }

    /// Signs the envelope of the body that was written, at `generation` (from 1).
    ///
    /// # Errors
    /// `OwnerMismatch`, `Cells`; `Generation` for 0.
    pub fn envelope(
        self,
        body: ShardBody,
        shards: ShardSet,
        generation: u64,
        key: &SigningKey,
    ) -> Result<SignedEnvelope, SealError> {
        let header = self.cipher.header();
        let mut key_commitment = [0; 32];
        key_commitment.copy_from_slice(&header[SALT_BYTES..]);
        let expected = body.size.div_ceil(CELL_BYTES);
        if let Some(c) = &body.commitment
            && c.cells != expected
        {
            return Err(SealError::Cells { found: c.cells, expected });
        }
        let envelope = Envelope {
            suite: SUITE,
            owner: self.owner,
            object: self.object,
            unit: self.unit,
            shards: Some(shards),
            body: BodyInfo {
                format: BODY_FORMAT_COBBLESTONE_256,
                salt: self.salt,
                key_commitment,
                size: body.size,
                blake3: body.blake3,
            },
            commitment: body.commitment,
            further_commitments: Vec::new(),
            generation: generation.checked_sub(1).ok_or(SealError::Generation)?,
            recipients: self.recipients,
            passphrase: self.passphrase,
            custody: None,
            policy: self.policy,
        };
        sign_next(envelope, key)
    }
}

/// Facts of a shard's body that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardBody {
    /// Bytes.
    pub size: u64,
    /// BLAKE3 of all of them.
    pub blake3: ContentId,
    /// Its storage commitment, if one was made.
    pub commitment: Option<CellCommitment>,
}
