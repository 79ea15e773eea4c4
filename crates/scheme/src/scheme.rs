//! What a scheme is to a verifier.

use core::any::Any;
use core::error::Error;
use core::fmt::Debug;
use std::sync::Arc;

use bailiwick_possession::challenge::Sampled;
use bailiwick_protocol::challenge::Challenge;
use bailiwick_protocol::envelope::Envelope;
use bailiwick_protocol::ids::VkDigest;

/// A way to commit to a body and to show possession of it.
pub trait Scheme: Debug + Send + Sync {
    /// Its number in the envelope's list of storage commitments, from 1.
    fn id(&self) -> u64;

    /// Its name, for reports.
    fn name(&self) -> &'static str;

    /// Begins a commitment to a body that is then given piece by piece.
    fn committer(&self) -> Box<dyn Committer>;

    /// Digest that challenges and trust anchors name a verifying key by. Each scheme hashes under a label of its own, so that a digest
    /// names the scheme too.
    fn key_digest(&self, key: &[u8]) -> VkDigest;

    /// Decodes a verifying key and refuses the ones under which anyone could prove anything.
    ///
    /// # Errors
    /// [`KeyRefused`].
    fn verifying_key(&self, key: &[u8]) -> Result<Arc<dyn VerifyingKey>, KeyRefused>;

    /// What a valid answer rests on.
    fn soundness(&self) -> Soundness;

    /// Reads a proving key whose digest is `expected`, for the challenges of `class`.
    ///
    /// # Errors
    /// [`crate::ProvingKeyError`]; nothing is decoded, and no circuit synthesised, before its digest matched.
    #[cfg(feature = "prove")]
    fn proving_key(
        &self,
        from: &mut dyn KeySource,
        expected: &bailiwick_protocol::ids::PkDigest,
        class: bailiwick_protocol::ids::ClassId,
    ) -> Result<Arc<dyn crate::ProvingKey>, crate::ProvingKeyError>;
}

/// Where a proving key is read from: more than once, so that its digest is compared before it is held.
#[cfg(feature = "prove")]
pub trait KeySource: std::io::Read + std::io::Seek {}

#[cfg(feature = "prove")]
impl<T: std::io::Read + std::io::Seek> KeySource for T {}

/// A commitment being made.
pub trait Committer: Send {
    /// The next bytes of the body.
    fn update(&mut self, bytes: &[u8]);

    /// The commitment as the envelope carries it: of scheme 1 the root, 32 bytes.
    ///
    /// # Errors
    /// [`NoCommitment`]: a body the scheme cannot commit to, such as an empty one.
    fn finish(self: Box<Self>) -> Result<Vec<u8>, NoCommitment>;
}

/// Why there is no commitment.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct NoCommitment(pub Box<dyn Error + Send + Sync>);

/// What an answer rests on, for print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Soundness {
    /// log2 of the work, or of one over the chance, that a false proof takes, as currently estimated.
    pub bits: u32,
    /// Where that figure comes from.
    pub basis: &'static str,
    /// What is assumed: a clause that goes on "assumes that".
    pub assumption: &'static str,
    /// Whether the owner has to keep a secret from the host for it to hold.
    pub owner_secret: bool,
}

/// What is asked, and what its owners signed about it.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The challenge.
    pub challenge: &'a Challenge,
    /// What it samples (`bailiwick_possession::challenge::sampled`).
    pub sampled: &'a Sampled,
    /// The envelope of each sampled target, in order, where an owner the reader knows signed one; schemes whose commitment is not in
    /// the target find it there.
    pub envelopes: &'a [Option<Envelope>],
}

/// A verifying key, ready to verify many proofs.
pub trait VerifyingKey: Debug + Send + Sync {
    /// Its digest.
    fn digest(&self) -> VkDigest;

    /// Whether there is anything to be shown: that a host could answer.
    ///
    /// # Errors
    /// [`Refused::NoStatement`], [`Refused::Unknown`].
    fn has_statement(&self, question: &Question<'_>) -> Result<(), Refused>;

    /// Whether bytes are the encoding of a proof, of whatever.
    fn is_proof(&self, proof: &[u8]) -> bool;

    /// Statement and proof, decoded.
    ///
    /// # Errors
    /// [`Refused`].
    fn shown(&self, question: &Question<'_>, proof: &[u8]) -> Result<Shown, Refused>;

    /// For each instance made by this key, whether its proof shows its statement; false for one of another.
    fn verify(&self, shown: &[&Shown]) -> Vec<bool>;
}

/// A statement and its proof in a scheme's own form, made by [`VerifyingKey::shown`].
pub struct Shown(Box<dyn Any + Send + Sync>);

impl Shown {
    /// Wraps a scheme's own form.
    #[must_use]
    pub fn new(form: impl Any + Send + Sync) -> Self {
        Self(Box::new(form))
    }

    /// The form, if it is this scheme's.
    #[must_use]
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }
}

/// Why a verifying key is not usable.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct KeyRefused(pub Box<dyn Error + Send + Sync>);

/// Why nothing is shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// What is drawn is such that nothing could be shown of it: of named objects the auditor's doing, of an inventory that of the host who
    /// listed it.
    #[error(transparent)]
    NoStatement(Box<dyn Error + Send + Sync>),
    /// The reader lacks what it takes to know the statement, such as a commitment its owner signed. Nobody's doing.
    #[error(transparent)]
    Unknown(Box<dyn Error + Send + Sync>),
    /// The bytes are no proof under this key. The doing of who sent them.
    #[error("the bytes are not a proof under this key")]
    NotAProof,
}
