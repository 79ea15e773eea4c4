//! A dealing: a key's secret shared among custodians, as anyone can read and check it (spec custody, clauses K).

mod codec;
mod deal;
mod verify;

use std::collections::BTreeSet;

use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::Envelope;
use bailiwick_protocol::ids::{ObjectId, OwnerKey, RosterDigest};
use bailiwick_protocol::labels::Label;

use crate::key::CustodianKey;
use crate::point::Element;

pub use deal::{DealError, DealOptions, Dealt, DealtCustodian, deal};
pub use verify::{DealingError, VerifiedDealing};
pub(crate) use verify::{classical_transcript, generator};

/// Version of the dealing message.
pub const DEALING_VERSION: u64 = 1;

/// Custodians of one dealing, at most: more than anyone keeps in touch with, and each costs every verifier a multiplication.
pub const CUSTODIANS_MAX: usize = 128;

/// Attributes of one custodian, at most: laws, blocs and firms that reach it.
pub const ATTRIBUTES_MAX: usize = 48;

/// Bytes of a custodian's name or of an attribute, at most: 64 characters of four bytes, and a prefix.
pub const TEXT_BYTES_MAX: usize = 264;

/// What a dealing is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// Whose object.
    pub owner: OwnerKey,
    /// Which object.
    pub object: ObjectId,
    /// Key commitment of the body: each unit of an object has its own.
    pub key_commitment: [u8; 32],
    /// Digest of the owner's policy for this object, as the envelope names it.
    pub policy: Option<[u8; 32]>,
    /// The roster the custodians' attributes were taken from.
    pub roster: RosterDigest,
    /// The generation of the envelope that first carries the dealing.
    pub generation: u64,
}

impl Context {
    /// The context of a dealing for `envelope`, in its next generation.
    #[must_use]
    pub fn next_of(envelope: &Envelope, roster: RosterDigest) -> Self {
        Self {
            owner: envelope.owner,
            object: envelope.object,
            key_commitment: envelope.body.key_commitment,
            policy: envelope.policy,
            roster,
            generation: envelope.generation.saturating_add(1),
        }
    }
}

/// One custodian of a dealing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Custodian {
    /// Its name in the roster, 1 to [`TEXT_BYTES_MAX`] bytes.
    pub name: String,
    /// Its key.
    pub key: CustodianKey,
    /// Every power that reaches it, in the roster's text form (`JP`, `bloc:NAME`, `firm:NAME`).
    pub attributes: BTreeSet<String>,
}

/// The post-quantum half of one custodian's share: a share of S2, sealed to its X-Wing key, and a commitment to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HybridShare {
    /// Hash of the share (spec custody, clause K31).
    pub commitment: [u8; 32],
    /// Encapsulated key, 1,120 bytes.
    pub enc: Vec<u8>,
    /// The 32-byte share and its tag.
    pub ciphertext: [u8; 48],
}

/// A dealing as it stands in an envelope. Nothing of it is checked but its form; see [`Dealing::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dealing {
    /// What it is about.
    pub context: Context,
    /// t: how many custodians recover the secret.
    pub threshold: u16,
    /// The custodians, in the order of their points 1..=n.
    pub custodians: Vec<Custodian>,
    /// D = d·G.
    pub(crate) ephemeral: Element,
    /// C_i = S + m(i)·G + d·E_i.
    pub(crate) shares: Vec<Element>,
    /// Challenge and answer of DLEQ(d; G, D; U, V).
    pub(crate) proof: [u8; 64],
    /// The post-quantum half; empty in classical mode, else one for each custodian.
    pub hybrid: Vec<HybridShare>,
}

impl core::fmt::Debug for Element {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.bytes.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

/// Digest of a dealing: what releases and receipts name it by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DealingDigest(pub [u8; 32]);

impl core::fmt::Display for DealingDigest {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl core::fmt::Debug for DealingDigest {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "DealingDigest({self})")
    }
}

/// A dealing that is not about the envelope it is shown with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OtherContext {
    /// Dealt by or for another owner.
    #[error("the dealing is about an object of another owner")]
    Owner,
    /// About another object.
    #[error("the dealing is about another object")]
    Object,
    /// About another body of the object: another unit, or one sealed with another key.
    #[error("the dealing is about a body with another key")]
    Body,
    /// Dealt under another policy, or under none.
    #[error("the dealing was made under another policy; deal again under the envelope\u{2019}s")]
    Policy,
    /// Dealt for a generation the envelope has not reached.
    #[error("the dealing is for generation {dealt} or later, the envelope is generation {found}")]
    Generation {
        /// In the dealing.
        dealt: u64,
        /// Of the envelope.
        found: u64,
    },
}

impl Dealing {
    /// BLAKE3 of the canonical bytes under [`Label::CustodyDigest`].
    #[must_use]
    pub fn digest(&self) -> DealingDigest {
        DealingDigest(Label::CustodyDigest.hash(&self.to_bytes()))
    }

    /// The dealing's D, as encoded.
    #[must_use]
    pub fn ephemeral(&self) -> &[u8; 32] {
        &self.ephemeral.bytes
    }

    /// The encrypted shares C_i, as encoded.
    pub fn encrypted_shares(&self) -> impl ExactSizeIterator<Item = &[u8; 32]> {
        self.shares.iter().map(|s| &s.bytes)
    }

    /// Challenge and answer of the public proof.
    #[must_use]
    pub fn proof(&self) -> &[u8; 64] {
        &self.proof
    }

    /// Whether the key also depends on the post-quantum half.
    #[must_use]
    pub fn is_hybrid(&self) -> bool {
        !self.hybrid.is_empty()
    }

    /// The custodian with this ristretto255 key, from 0.
    #[must_use]
    pub fn position(&self, point: &[u8; 32]) -> Option<usize> {
        self.custodians.iter().position(|c| c.key.point() == point)
    }

    /// Whether the dealing is about `envelope`, whose signature the caller has verified.
    ///
    /// # Errors
    /// `OtherContext`, naming the first field that differs.
    pub fn belongs_to(&self, envelope: &Envelope) -> Result<(), OtherContext> {
        let c = &self.context;
        if c.owner != envelope.owner {
            return Err(OtherContext::Owner);
        }
        if c.object != envelope.object {
            return Err(OtherContext::Object);
        }
        if c.key_commitment != envelope.body.key_commitment {
            return Err(OtherContext::Body);
        }
        if c.policy != envelope.policy {
            return Err(OtherContext::Policy);
        }
        if c.generation > envelope.generation {
            return Err(OtherContext::Generation { dealt: c.generation, found: envelope.generation });
        }
        Ok(())
    }
}
