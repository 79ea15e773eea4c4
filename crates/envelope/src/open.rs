//! Opening: whole bodies and ranges, against a pinned owner key.

use std::io::{Read, Write};

use bailiwick_protocol::agent::UnwrapRequest;
use bailiwick_protocol::codec::{Canonical, CodecError};
use bailiwick_protocol::envelope::{Envelope, RecipientEntry, Role, SignedEnvelope};
use bailiwick_protocol::ids::OwnerKey;
use bailiwick_protocol::secret::Secret;
use subtle::ConstantTimeEq;

use crate::cobblestone::{
    ChunkKeys, ChunkReader, CobblestoneError, HEADER_BYTES, RangeAuthenticity, ReadAt, decrypt_chunks,
    plain_bytes, read_header,
};
use crate::kem::{Context, RecipientPublicKey, RecipientSecretKey, check_x25519, decapsulate};
use crate::layout::{LayoutError, Metadata, TAIL_BYTES, check_length};
use crate::passphrase::{self, Passphrase, PassphraseError};
use crate::seal::body_key;
use crate::sink::LayoutSink;

/// Why an object cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The envelope is malformed, or not signed by the pinned owner.
    #[error("envelope")]
    Envelope(#[from] CodecError),
    /// Signed by the pinned owner, but it names another.
    #[error("the envelope names another owner than the pinned one")]
    OwnerMismatch,
    /// None of the keys opens a recipient entry. For every cause alike.
    #[error("none of the given keys is a recipient of this object")]
    NoRecipient,
    /// The envelope has no passphrase entry.
    #[error("this object has no passphrase")]
    NoPassphrase,
    /// The passphrase does not open the entry. For every cause alike.
    #[error("this passphrase does not open the object")]
    Passphrase,
    /// The passphrase was not tried.
    #[error(transparent)]
    PassphraseCost(#[from] PassphraseError),
    /// The file key, from an entry or given, is not the one the envelope commits to.
    #[error("the file key, from an entry of the envelope or given, is not the one the envelope commits to")]
    KeyCommitment,
    /// The first 56 bytes of the body are not those the envelope names.
    #[error("this body does not belong to this envelope")]
    BodyHeader,
    /// The body, or reading and writing it.
    #[error(transparent)]
    Body(#[from] CobblestoneError),
    /// Every chunk is authentic among those who hold the key, but this is not the body the owner signed.
    #[error("the body was rewritten by someone who holds its key: its BLAKE3 is not the signed one")]
    Content,
    /// The body is one shard of a split object and opens together with others only (spec shards).
    #[error("this is shard {} of an object split {} of {}: it opens together with others only", .0.shard, .0.k, .0.n)]
    Shard(bailiwick_protocol::ids::Unit),
    /// Authentic, but malformed inside.
    #[error("inside the body")]
    Layout(#[from] LayoutError),
    /// A range beyond the data.
    #[error("the range ends at byte {end} of {len}")]
    Range {
        /// First byte after the range.
        end: u64,
        /// Bytes of data.
        len: u64,
    },
}

/// What was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Name and media type as the owner gave them: text from outside.
    pub metadata: Metadata,
    /// Bytes of data.
    pub data_len: u64,
}

/// What a range read gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedRange {
    /// Name and media type, and the length of all data.
    pub object: Opened,
    /// Whom the bytes are authentic against. The length of the data has the same standing.
    pub authenticity: RangeAuthenticity,
}

/// An envelope whose signature verified under the pinned owner key, with the body key it gives.
#[derive(Debug)]
pub struct Opener {
    envelope: Envelope,
    file_key: Secret<32>,
    keys: ChunkKeys,
    plain_total: u64,
}

impl Opener {
    /// Verifies `envelope` under `pinned`, finds an entry for one of `secrets`, and checks the key commitment.
    ///
    /// The owner key inside an envelope proves nothing (whoever carries it can replace it together with the
    /// signature), so it has to be known from elsewhere.
    ///
    /// # Errors
    /// `Envelope`, `OwnerMismatch`, `NoRecipient`, `KeyCommitment`.
    pub fn new(
        pinned: &OwnerKey,
        envelope: &[u8],
        secrets: &[RecipientSecretKey],
    ) -> Result<Self, OpenError> {
        let envelope = verify(pinned, envelope)?;
        let context = Context::of(&envelope);
        let opened = secrets
            .iter()
            .flat_map(|key| {
                let id = key.key_id();
                envelope.recipients.iter().map(move |entry| (key, id, entry))
            })
            .filter(|(_, _, entry)| entry.role == Role::FileKey)
            .filter(|(_, id, entry)| entry.key_id.is_none_or(|named| named == *id))
            .find_map(|(key, _, entry)| decapsulate(&context, key, entry))
            .ok_or(OpenError::NoRecipient)?;
        let file_key: &[u8; 32] = opened.as_slice().try_into().map_err(|_| OpenError::NoRecipient)?;
        Self::with_file_key(envelope, Secret::init_with(|b| b.copy_from_slice(file_key)))
    }

    /// Verifies `envelope` under `pinned` and opens its passphrase entry. The signature comes first: nobody but the owner chooses
    /// what the derivation costs, and that within limits (spec envelope, clause E16).
    ///
    /// # Errors
    /// `Envelope`, `OwnerMismatch`, `NoPassphrase`, `Passphrase`, `KeyCommitment`; `PassphraseCost` when there is not the memory to try it.
    pub fn with_passphrase(
        pinned: &OwnerKey,
        envelope: &[u8],
        passphrase: &Passphrase,
    ) -> Result<Self, OpenError> {
        let envelope = verify(pinned, envelope)?;
        let entry = envelope.passphrase.as_ref().ok_or(OpenError::NoPassphrase)?;
        let file_key =
            passphrase::unwrap(&Context::of(&envelope), passphrase, entry)?.ok_or(OpenError::Passphrase)?;
        Self::with_file_key(envelope, file_key)
    }

    /// Opens a verified `envelope` (see [`verify`]) with its file key, however that was come by: a passphrase, custodians, a key service.
    ///
    /// # Errors
    /// `KeyCommitment` when it is not this object's key; `Layout` when no body of the signed size can hold an object.
    pub fn with_file_key(envelope: Envelope, file_key: Secret<32>) -> Result<Self, OpenError> {
        let key = body_key(&file_key, envelope.suite, &envelope.owner, &envelope.object, envelope.unit);
        let keys = ChunkKeys::derive(&key, &envelope.body.salt, &[]);
        if !keys.commits(&envelope.body.key_commitment) {
            return Err(OpenError::KeyCommitment);
        }
        let plain_total =
            plain_bytes(envelope.body.size).filter(|n| *n >= TAIL_BYTES).ok_or(LayoutError::DataLength)?;
        Ok(Self { envelope, file_key, keys, plain_total })
    }

    /// The verified envelope.
    #[must_use]
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// The file key the envelope commits to: for sealing it to further recipients.
    #[must_use]
    pub fn file_key(&self) -> &Secret<32> {
        &self.file_key
    }

    fn check_whole(&self) -> Result<(), OpenError> {
        if self.envelope.shards.is_some() { Err(OpenError::Shard(self.envelope.unit)) } else { Ok(()) }
    }

    fn check_header(&self, header: &[u8; HEADER_BYTES]) -> Result<(), OpenError> {
        if bool::from(self.keys.header().ct_eq(header)) { Ok(()) } else { Err(OpenError::BodyHeader) }
    }

    /// Decrypts a whole body into `out`, in bounded memory.
    ///
    /// `out` receives authentic chunks as they are decrypted; it holds what the owner sealed *only* when
    /// `Ok` is returned, after size, BLAKE3, padding and length were checked. Give it a temporary name until then.
    ///
    /// # Errors
    /// `BodyHeader` before any chunk is touched; `Body`, `Content`, `Layout`.
    pub fn open(&self, mut body: impl Read + Send, out: impl Write + Send) -> Result<Opened, OpenError> {
        self.check_whole()?;
        self.check_header(&read_header(&mut body)?)?;
        let mut sink = LayoutSink::new(out, self.plain_total);
        let info = &self.envelope.body;
        let read = decrypt_chunks::<OpenError>(body, &self.keys, Some(info.size), |plain| {
            if plain.is_empty() { Ok(()) } else { sink.push(plain) }
        })?;
        if read.blake3 != info.blake3 {
            return Err(OpenError::Content);
        }
        let (metadata, data_len) = sink.finish()?;
        Ok(Opened { metadata, data_len })
    }

    /// Decrypts `len` bytes of data from `offset` on, reading only the chunks they lie in (and the first and the last).
    ///
    /// # Errors
    /// `BodyHeader`, `Body`, `Layout`; `Range` when the data ends before, with nothing written.
    pub fn open_range(
        &self,
        body: &mut impl ReadAt,
        offset: u64,
        len: u64,
        mut out: impl Write,
    ) -> Result<OpenedRange, OpenError> {
        self.check_whole()?;
        let authenticity = body.authenticity();
        let mut reader = ChunkReader::new(body, &self.keys, self.plain_total);
        self.check_header(&reader.header()?)?;
        let tail_at = self.plain_total - TAIL_BYTES;
        let mut tail = Vec::with_capacity(8);
        reader.read::<OpenError>(tail_at, TAIL_BYTES, |piece| {
            tail.extend_from_slice(piece);
            Ok(())
        })?;
        let data_len = u64::from_le_bytes(tail.try_into().map_err(|_| LayoutError::DataLength)?);
        let (metadata, head) = reader.first(Metadata::decode)??;
        check_length(self.plain_total, head, data_len)?;
        match offset.checked_add(len) {
            Some(end) if end <= data_len => {}
            end => return Err(OpenError::Range { end: end.unwrap_or(u64::MAX), len: data_len }),
        }
        reader.read(head + offset, len, |piece| {
            out.write_all(piece).map_err(|e| OpenError::Body(CobblestoneError::Write(e)))
        })?;
        out.flush().map_err(CobblestoneError::Write)?;
        Ok(OpenedRange { object: Opened { metadata, data_len }, authenticity })
    }
}

/// What to ask of whoever holds the secret half of `key` elsewhere (spec agent): one request for each entry of a verified `envelope` that
/// may be for it, apart from those with an encapsulated key of small order or of another encoding. An answer goes to [`Opener::with_file_key`], which checks it against the key commitment.
#[must_use]
pub fn unwrap_requests(envelope: &Envelope, key: &RecipientPublicKey) -> Vec<UnwrapRequest> {
    let (context, id) = (Context::of(envelope), key.key_id());
    let mine = |e: &&RecipientEntry| {
        e.role == Role::FileKey
            && e.kem == key.kem()
            && e.key_id.is_none_or(|named| named == id)
            // Not every token refuses what HPKE refuses.
            && check_x25519(e.kem, &e.enc).is_ok()
    };
    let request = |e: &RecipientEntry| UnwrapRequest {
        kem: e.kem,
        public: key.as_bytes().to_vec(),
        enc: e.enc.clone(),
        ciphertext: e.ciphertext.clone(),
        info: context.info(e.role),
    };
    envelope.recipients.iter().filter(mine).map(request).collect()
}

/// Verifies an envelope under a pinned owner key, without opening it.
///
/// # Errors
/// `Envelope`, `OwnerMismatch`.
pub fn verify(pinned: &OwnerKey, envelope: &[u8]) -> Result<Envelope, OpenError> {
    let envelope = SignedEnvelope::from_bytes(envelope)?.verify(pinned.as_bytes())?;
    if envelope.owner != *pinned {
        return Err(OpenError::OwnerMismatch);
    }
    Ok(envelope)
}
