//! Keys and proofs of the statement.

use std::io::{Read, Seek, Write};

use bailiwick_groth16::development::development_setup;
use bailiwick_groth16::{
    KeyShape, Matrices, PreparedVerifyingKey, ProvePhase, ProvingKey, ProvingKeyError, SetupError,
    SetupProgress, SynthesisError, Transcript, VerifyingKey, assign, setup,
};
use bailiwick_possession::challenge::Sampled;
use bailiwick_possession::opening::Opening;
use bailiwick_possession::statement::{Clause, StatementError, Witness, check, lifted_roots, statement};
use bailiwick_protocol::challenge::Challenge;
use bailiwick_protocol::ids::{CircuitDigest, ClassId, PkDigest, VkDigest};
use rand_core::CryptoRng;

use crate::circuit::PossessionCircuit;
use crate::classes::class_info;
use crate::public::PublicInputs;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The circuit could not be synthesised.
    #[error(transparent)]
    Synthesis(#[from] SynthesisError),
    /// The class is not a pinned one; nothing was synthesised.
    #[error("class {class} is not pinned")]
    UnknownClass {
        /// The class.
        class: ClassId,
    },
    /// This build's circuit of a pinned class is not the pinned one.
    #[error("class {class}: this build's circuit is {found}, pinned is {pinned}")]
    NotPinned {
        /// The class.
        class: ClassId,
        /// The pinned digest.
        pinned: CircuitDigest,
        /// This build's digest.
        found: CircuitDigest,
    },
    /// Set-up failed.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The file cannot be read, written or used.
    #[error(transparent)]
    File(#[from] ProvingKeyError),
}

/// Why there is no proof.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// The challenge names another verifying key.
    #[error("the challenge asks for a proof under key {expected}, this key's is {found}")]
    WrongKey {
        /// The challenge's.
        expected: VkDigest,
        /// The one at hand.
        found: VkDigest,
    },
    /// The challenge is of another class.
    #[error("the challenge is of class {expected}, this key's is {found}")]
    WrongClass {
        /// The challenge's.
        expected: ClassId,
        /// The one at hand.
        found: ClassId,
    },
    /// The challenge has no statement.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The openings are not those of the drawn slots, in order.
    #[error("opening {slot} is not of the drawn cell")]
    WrongOpening {
        /// First slot that differs; the number of slots when there are too few or too many.
        slot: usize,
    },
    /// The statement is false with these openings: a cell is not what its owner signed.
    #[error(transparent)]
    False(#[from] Clause),
    /// The circuit could not be run.
    #[error(transparent)]
    Synthesis(#[from] SynthesisError),
    /// Proving failed.
    #[error(transparent)]
    Proof(#[from] bailiwick_groth16::ProveError),
}

/// What [`prove`] is doing; each phase is announced when it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// Drawing the slots and checking the statement natively.
    Statement,
    /// Running the circuit with values.
    Witness,
    /// In the prover.
    Proof(ProvePhase),
}

/// A proving key with the matrices of its circuit: load once, prove many.
#[derive(Clone, Debug)]
pub struct ProverKey {
    class: ClassId,
    key: ProvingKey,
    vk: PreparedVerifyingKey,
    matrices: Matrices,
}

/// The matrices of a pinned class, synthesised and compared with their pinned digest.
///
/// # Errors
/// [`KeyError::UnknownClass`] before anything is synthesised; `NotPinned`.
pub fn matrices_of(class: ClassId) -> Result<Matrices, KeyError> {
    // First: a class comes from a key card, and the work of synthesis grows with what it says.
    let pinned = class_info(class).ok_or(KeyError::UnknownClass { class })?.circuit;
    let matrices = Matrices::synthesize(PossessionCircuit::shape(class))?;
    if pinned != matrices.digest() {
        return Err(KeyError::NotPinned { class, pinned, found: matrices.digest() });
    }
    Ok(matrices)
}

/// What a key file of a pinned class must be: known without running its circuit.
///
/// # Errors
/// [`KeyError::UnknownClass`].
pub fn key_shape(class: ClassId) -> Result<KeyShape, KeyError> {
    let info = class_info(class).ok_or(KeyError::UnknownClass { class })?;
    let instance_variables = 1 + PublicInputs::COUNT as u64;
    Ok(KeyShape {
        circuit: info.circuit,
        variables: info.variables,
        instance_variables,
        domain: (info.constraints + instance_variables).next_power_of_two(),
    })
}

impl ProverKey {
    fn new(class: ClassId, key: ProvingKey, matrices: Matrices) -> Self {
        let vk = key.verifying_key().prepare();
        Self { class, key, vk, matrices }
    }

    /// A key from fresh randomness, and the transcript a distrustful host checks it with ([`ProverKey::check`]).
    /// Whoever sees `rng`'s output can forge: `rng` must be seeded by the operating system and forgotten.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn generate(
        class: ClassId,
        rng: &mut impl CryptoRng,
        progress: &mut dyn FnMut(SetupProgress),
    ) -> Result<(Self, Transcript), KeyError> {
        let matrices = matrices_of(class)?;
        let (key, transcript) = setup(&matrices, rng, progress)?;
        Ok((Self::new(class, key, matrices), transcript))
    }

    /// The development key of a class: the same everywhere, and anyone can forge under it.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn development(class: ClassId, progress: &mut dyn FnMut(SetupProgress)) -> Result<Self, KeyError> {
        let matrices = matrices_of(class)?;
        let (key, _) = development_setup(&matrices, progress)?;
        Ok(Self::new(class, key, matrices))
    }

    /// A key made elsewhere; `make` gets the matrices of the class. What `make` does not check is not checked.
    ///
    /// # Errors
    /// [`KeyError`] as the caller's error, and what `make` reports.
    pub fn made_by<E: From<KeyError>>(
        class: ClassId,
        make: impl FnOnce(&Matrices) -> Result<ProvingKey, E>,
    ) -> Result<Self, E> {
        let matrices = matrices_of(class)?;
        let key = make(&matrices)?;
        Ok(Self::new(class, key, matrices))
    }

    /// Writes the proving key; returns the digests to name both keys by. The verifying key is
    /// [`ProverKey::verifying_key`]`().as_bytes()`.
    ///
    /// # Errors
    /// What `to` reports.
    pub fn write_to(&self, to: &mut impl Write) -> Result<(VkDigest, PkDigest), KeyError> {
        Ok((self.vk.digest(), self.key.write_to(to)?))
    }

    /// Reads a proving key whose digest is `expected`, and then synthesises the class's matrices.
    ///
    /// # Errors
    /// [`KeyError::UnknownClass`] before anything is read; [`KeyError::File`] when the bytes are not those, or the key is
    /// for another class: 1 MiB of memory and no synthesis until its digest matched.
    pub fn read_from(
        from: &mut (impl Read + Seek),
        expected: &PkDigest,
        class: ClassId,
    ) -> Result<Self, KeyError> {
        let key = ProvingKey::read_from(from, expected, &key_shape(class)?)?;
        Ok(Self::new(class, key, matrices_of(class)?))
    }

    /// Whether the key is what an honest set-up gives for this class: for a host that distrusts who made it.
    ///
    /// # Errors
    /// The first inconsistency.
    pub fn check(
        &self,
        transcript: &Transcript,
        rng: &mut impl CryptoRng,
    ) -> Result<(), bailiwick_groth16::Inconsistency> {
        self.key.check(&self.matrices, transcript, rng)
    }

    /// The class it proves.
    #[must_use]
    pub const fn class(&self) -> ClassId {
        self.class
    }

    /// The verifying key.
    #[must_use]
    pub const fn verifying_key(&self) -> &VerifyingKey {
        self.key.verifying_key()
    }

    /// The verifying key, ready to verify.
    #[must_use]
    pub const fn prepared(&self) -> &PreparedVerifyingKey {
        &self.vk
    }

    /// Digest of the class's matrices.
    #[must_use]
    pub fn circuit(&self) -> CircuitDigest {
        self.matrices.digest()
    }
}

/// Answers a challenge: 128 bytes that [`crate::verify`] accepts.
///
/// `sampled` is what `bailiwick_possession::challenge::sampled` gave for this challenge; `openings` are of its slots, in order, made
/// by `bailiwick_possession::opening::open` for the challenge's depth.
///
/// # Errors
/// [`ProveError`]; never a proof that does not verify.
pub fn prove(
    key: &ProverKey,
    challenge: &Challenge,
    sampled: &Sampled,
    openings: Vec<Opening>,
    rng: &mut impl CryptoRng,
    progress: &mut dyn FnMut(Progress),
) -> Result<[u8; 128], ProveError> {
    progress(Progress::Statement);
    let (class, found) = (challenge.class, key.vk.digest());
    if challenge.vk != found {
        return Err(ProveError::WrongKey { expected: challenge.vk, found });
    }
    if class != key.class {
        return Err(ProveError::WrongClass { expected: class, found: key.class });
    }
    let (public, witness) = witness_of(class, sampled, openings)?;
    check(class, &public, &witness)?;

    progress(Progress::Witness);
    let assignment = assign(PossessionCircuit::assigned(class, public, &witness))?;
    let proof = bailiwick_groth16::prove(&key.key, &key.vk, &key.matrices, &assignment, rng, &mut |phase| {
        progress(Progress::Proof(phase));
    })?;
    Ok(proof.to_bytes())
}

fn witness_of(
    class: ClassId,
    sampled: &Sampled,
    openings: Vec<Opening>,
) -> Result<(bailiwick_possession::field::Fr, Witness), ProveError> {
    let roots = lifted_roots(class, sampled)?;
    if openings.len() != sampled.slots.len() {
        return Err(ProveError::WrongOpening { slot: sampled.slots.len() });
    }
    let differs = sampled.slots.iter().zip(&openings).position(|(slot, opening)| slot.cell != opening.index);
    if let Some(slot) = differs {
        return Err(ProveError::WrongOpening { slot });
    }
    let root = |target: usize| roots.get(target).copied().unwrap_or_default();
    let openings: Vec<_> =
        sampled.slots.iter().zip(openings).map(|(slot, o)| (root(slot.target), o)).collect();
    let slots: Vec<_> = openings.iter().map(|(root, o)| (*root, o.index)).collect();
    Ok((statement(class, &sampled.binding, &slots), Witness { binding: sampled.binding, openings }))
}
