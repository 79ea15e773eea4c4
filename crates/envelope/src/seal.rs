//! Sealing: one pass from plaintext to body, then a signed envelope.

use std::io::{self, Read, Write};

use bailiwick_protocol::codec::Canonical;
use bailiwick_protocol::envelope::{
    BODY_FORMAT_COBBLESTONE_256, BodyInfo, CELL_BYTES, CellCommitment, Envelope, PassphraseEntry,
    RecipientEntry, Role, SUITE, SignedEnvelope,
};
use bailiwick_protocol::ids::{ObjectId, OwnerKey, Unit};
use bailiwick_protocol::labels::Label;
use bailiwick_protocol::limits::{BODY_BYTES_MAX, RECIPIENTS_MAX};
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;
use rand_core::CryptoRng;

use crate::cobblestone::{self, ChunkKeys, CobblestoneError, SALT_BYTES, expand_sha512};
use crate::kem::{Context, KeyError, RecipientPublicKey, encapsulate};
use crate::layout::{LayoutError, LayoutReader, Metadata, Padding};
use crate::passphrase::{self, PassphraseError, PassphraseRecipient};

/// Why something cannot be sealed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// An object nobody can open.
    #[error("no recipient")]
    NoRecipient,
    /// A passphrase beside recipients' keys without saying so.
    #[error(
        "a passphrase beside recipients' keys must be asked for: the object is then only as strong as the passphrase"
    )]
    MixedPassphrase,
    /// A passphrase or a cost that cannot be used.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// More recipients than an envelope may have.
    #[error("{found} recipients, more than the limit of {max}", max = RECIPIENTS_MAX)]
    TooManyRecipients {
        /// Recipients given.
        found: usize,
    },
    /// The same key twice.
    #[error("recipient {} is given twice", hex(.key_id))]
    DuplicateRecipient {
        /// First bytes of its fingerprint.
        key_id: [u8; 8],
    },
    /// A recipient key that cannot be used.
    #[error("recipient key")]
    Key(#[from] KeyError),
    /// Name or media type out of bounds.
    #[error(transparent)]
    Metadata(#[from] LayoutError),
    /// Input so large that the body would exceed the largest class of storage proofs.
    #[error("the input is too large: a body may have {BODY_BYTES_MAX} bytes")]
    TooLarge,
    /// Reading or writing failed.
    #[error(transparent)]
    Body(CobblestoneError),
    /// The signing key is not the one the object was sealed for.
    #[error("the signing key belongs to another owner than the object was sealed for")]
    OwnerMismatch,
    /// What was sealed is not what the earlier envelope is of.
    #[error("the earlier envelope is of another object")]
    OtherUnit,
    /// The envelope has the last generation there is.
    #[error("the envelope's generation is the last one; seal the object anew")]
    Generation,
    /// A storage commitment over another number of cells than the body has.
    #[error("the storage commitment is not of this body: {found} cells instead of {expected}")]
    Cells {
        /// Cells committed to.
        found: u64,
        /// Cells of the body.
        expected: u64,
    },
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// What to seal as, and for whom.
#[derive(Clone, Debug)]
pub struct SealOptions<'a> {
    /// Who will sign the envelope; bound into the body key.
    pub owner: OwnerKey,
    /// Fresh random id; see [`random_object_id`].
    pub object: ObjectId,
    /// Which part of the object; [`Unit::WHOLE`].
    pub unit: Unit,
    /// Who can open it, at most 64 different keys; none only with a passphrase. The object is only as safe against quantum computers
    /// as its weakest recipient.
    pub recipients: &'a [RecipientPublicKey],
    /// A passphrase that opens it, too.
    pub passphrase: Option<PassphraseRecipient<'a>>,
    /// Leave the recipients' key ids out of the envelope.
    pub anonymous: bool,
    /// Name and media type, sealed with the data.
    pub metadata: Metadata,
    /// How the true length is hidden.
    pub padding: Padding,
}

/// A fresh object id.
#[must_use]
pub fn random_object_id(rng: &mut impl CryptoRng) -> ObjectId {
    let mut id = [0; 16];
    rng.fill_bytes(&mut id);
    ObjectId(id)
}

/// A body that has been written, waiting for its envelope to be signed.
#[derive(Clone, Debug)]
pub struct SealedBody {
    owner: OwnerKey,
    object: ObjectId,
    unit: Unit,
    body: BodyInfo,
    recipients: Vec<RecipientEntry>,
    passphrase: Option<PassphraseEntry>,
    policy: Option<[u8; 32]>,
    data_len: u64,
}

/// Body key of one unit: HKDF-Expand-SHA512(file key, label ‖ LE64 suite ‖ owner ‖ object ‖ unit) (spec envelope, clause E3).
pub(crate) fn body_key(
    file_key: &Secret<32>,
    suite: u64,
    owner: &OwnerKey,
    object: &ObjectId,
    unit: Unit,
) -> Secret<32> {
    let suite = suite.to_le_bytes();
    let unit = unit.to_bytes();
    let info = [Label::BodyKey.as_bytes(), &suite, owner.as_bytes(), object.as_bytes(), &unit];
    Secret::init_with(|okm| expand_sha512(file_key.expose_secret(), &info, okm))
}

/// Seals what `data` gives into `body`, in bounded memory, in one pass.
///
/// The file key and the salt come from `rng`, fresh for every call. To make a storage commitment in the same
/// pass, let `body` be a writer that also feeds a cell tree.
///
/// # Errors
/// Recipients are checked before anything is written. After an error what `body` received is useless.
pub fn seal(
    data: impl Read + Send,
    body: impl Write + Send,
    options: &SealOptions<'_>,
    rng: &mut impl CryptoRng,
) -> Result<SealedBody, SealError> {
    let file_key = Secret::init_with(|k: &mut [u8; 32]| rng.fill_bytes(k));
    let (recipients, passphrase) = wrap_file_key(options, &file_key, rng)?;
    let mut salt = [0; SALT_BYTES];
    rng.fill_bytes(&mut salt);
    let key = body_key(&file_key, SUITE, &options.owner, &options.object, options.unit);
    let keys = ChunkKeys::derive(&key, &salt, &[]);

    let mut layout = LayoutReader::new(&options.metadata, data, options.padding)?;
    let written = cobblestone::encrypt(&mut layout, body, &keys).map_err(|e| match e {
        CobblestoneError::Read(e) if e.kind() == io::ErrorKind::FileTooLarge => SealError::TooLarge,
        other => SealError::Body(other),
    })?;
    if written.size > BODY_BYTES_MAX {
        return Err(SealError::TooLarge);
    }
    Ok(SealedBody {
        owner: options.owner,
        object: options.object,
        unit: options.unit,
        body: BodyInfo {
            format: BODY_FORMAT_COBBLESTONE_256,
            salt,
            key_commitment: *keys.commitment(),
            size: written.size,
            blake3: written.blake3,
        },
        recipients,
        passphrase,
        policy: None,
        data_len: layout.data_len(),
    })
}

/// Checks who shall be able to open, and wraps `file_key` for them.
pub(crate) fn wrap_file_key(
    options: &SealOptions<'_>,
    file_key: &Secret<32>,
    rng: &mut impl CryptoRng,
) -> Result<(Vec<RecipientEntry>, Option<PassphraseEntry>), SealError> {
    check_recipients(options.recipients, options.passphrase.as_ref())?;
    let context = Context { suite: SUITE, owner: &options.owner, object: &options.object };
    let recipients = options
        .recipients
        .iter()
        .map(|key| {
            encapsulate(&context, key, options.anonymous, Role::FileKey, file_key.expose_secret(), rng)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let passphrase =
        options.passphrase.as_ref().map(|p| passphrase::wrap(&context, p, file_key, rng)).transpose()?;
    Ok((recipients, passphrase))
}

fn check_recipients(
    recipients: &[RecipientPublicKey],
    passphrase: Option<&PassphraseRecipient<'_>>,
) -> Result<(), SealError> {
    match passphrase {
        None if recipients.is_empty() => return Err(SealError::NoRecipient),
        Some(p) if !recipients.is_empty() && !p.beside_keys => return Err(SealError::MixedPassphrase),
        _ => {}
    }
    if recipients.len() > RECIPIENTS_MAX {
        return Err(SealError::TooManyRecipients { found: recipients.len() });
    }
    for (i, key) in recipients.iter().enumerate() {
        if recipients[..i].contains(key) {
            return Err(SealError::DuplicateRecipient { key_id: key.key_id() });
        }
    }
    Ok(())
}

impl SealedBody {
    /// The body's public facts.
    #[must_use]
    pub fn body(&self) -> &BodyInfo {
        &self.body
    }

    /// Bytes of data that were sealed, padding and metadata apart.
    #[must_use]
    pub fn data_len(&self) -> u64 {
        self.data_len
    }

    /// The envelope will have this digest of the owner's policy. One that [`SealedBody::next_envelope`] signs keeps its predecessor's instead.
    #[must_use]
    pub fn with_policy(self, policy: Option<[u8; 32]>) -> Self {
        Self { policy, ..self }
    }

    /// Signs the envelope as the generation after `previous`, an envelope of the same unit whose data was sealed anew. The policy stays;
    /// custody part, commitments and recipients are those of the new body alone.
    ///
    /// # Errors
    /// `OtherUnit`, `OwnerMismatch`, `Cells`; `Generation` when no higher one exists.
    pub fn next_envelope(
        self,
        previous: &Envelope,
        commitment: Option<CellCommitment>,
        key: &SigningKey,
    ) -> Result<SignedEnvelope, SealError> {
        if (previous.owner, previous.object, previous.unit) != (self.owner, self.object, self.unit) {
            return Err(SealError::OtherUnit);
        }
        let generation = previous.generation.checked_add(1).ok_or(SealError::Generation)?;
        sign(Envelope { generation, policy: previous.policy, ..self.unsigned() }, commitment, key)
    }

    /// Signs generation 1 of the envelope.
    ///
    /// # Errors
    /// `OwnerMismatch`, `Cells`.
    pub fn envelope(
        self,
        commitment: Option<CellCommitment>,
        key: &SigningKey,
    ) -> Result<SignedEnvelope, SealError> {
        sign(self.unsigned(), commitment, key)
    }

    fn unsigned(self) -> Envelope {
        Envelope {
            suite: SUITE,
            owner: self.owner,
            object: self.object,
            unit: self.unit,
            body: self.body,
            further_commitments: Vec::new(),
            shards: None,
            passphrase: self.passphrase,
            custody: None,
            policy: self.policy,
            commitment: None,
            generation: 1,
            recipients: self.recipients,
        }
    }
}

/// Signs the next generation of a verified `envelope` as the caller changed it. The body stays as it is.
///
/// # Errors
/// `OwnerMismatch`, `Cells`; `Generation` when no higher one exists.
pub fn sign_next(mut envelope: Envelope, key: &SigningKey) -> Result<SignedEnvelope, SealError> {
    envelope.generation = envelope.generation.checked_add(1).ok_or(SealError::Generation)?;
    let commitment = envelope.commitment.take();
    sign(envelope, commitment, key)
}

/// Signs the next generation of a verified `envelope`, with `commitment`. The body stays as it is.
///
/// # Errors
/// `OwnerMismatch`, `Cells`.
pub fn commit(
    mut envelope: Envelope,
    commitment: CellCommitment,
    key: &SigningKey,
) -> Result<SignedEnvelope, SealError> {
    envelope.commitment = Some(commitment);
    sign_next(envelope, key)
}

fn sign(
    mut envelope: Envelope,
    commitment: Option<CellCommitment>,
    key: &SigningKey,
) -> Result<SignedEnvelope, SealError> {
    if key.public() != envelope.owner.0 {
        return Err(SealError::OwnerMismatch);
    }
    let expected = envelope.body.size.div_ceil(CELL_BYTES);
    if let Some(c) = &commitment
        && c.cells != expected
    {
        return Err(SealError::Cells { found: c.cells, expected });
    }
    envelope.commitment = commitment;
    debug_assert!(Envelope::from_bytes(&envelope.to_bytes()).is_ok());
    Ok(SignedEnvelope::new(&envelope, key))
}
