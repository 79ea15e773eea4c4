//! Every domain-separation label of the project, on one page.
//!
//! A label says which use of a hash, KDF, signature or transcript an input belongs to, so that bytes
//! made for one use mean nothing in another. The protocol version is part of the text and is not the
//! crate version. `docs/spec/v1` cites these by variant name.

/// One domain-separation label. Texts are distinct and prefix-free (tested), so `label ‖ data`
/// is unambiguous even where nothing separates the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Label {
    /// Ed25519 signature of an owner over an envelope payload (spec envelope, clause E5).
    EnvelopeSignature,
    /// HKDF info from file key to body key (spec envelope, clause E3).
    BodyKey,
    /// HPKE info of a recipient entry (spec envelope, clause E4).
    RecipientInfo,
    /// Level-1 node that stands for a missing cell: `2^248 + LE(BLAKE3(label)[..31])` (spec cell-tree, clause T4).
    EmptyCell,
    /// First chaining value of the statement sponge, an element at or above `2^248` (spec possession, clause S1).
    Statement,
    /// merlin protocol label of the challenge transcript (spec challenge, clause H1).
    Challenge,
    /// Ed25519 signature of an auditor over a challenge (spec challenge, clause H6).
    ChallengeSignature,
    /// Ed25519 signature of a host over (challenge digest, proof) (spec challenge, clause H7).
    ResponseSignature,
    /// Ed25519 signature of an auditor over an evidence bundle (spec bundle, clause B2).
    BundleSignature,
    /// BLAKE3 context of a challenge digest (spec challenge, clause H5).
    ChallengeDigest,
    /// BLAKE3 context of a constraint-system digest (spec possession, clause S7).
    CircuitDigest,
    /// BLAKE3 context of a verifying-key digest (spec possession, clause S8).
    VerifyingKeyDigest,
    /// BLAKE3 context of a proving-key digest (spec possession, clause S8).
    ProvingKeyDigest,
    /// Public seed of development keys, followed by the circuit digest (spec possession, clause S9).
    DevelopmentSeed,
    /// BLAKE3 context of a public-key fingerprint (spec envelope, clause E8).
    Fingerprint,
    /// Ed25519 signature of a roster authority over a roster (spec roster, clause J9).
    RosterSignature,
    /// BLAKE3 context of a roster digest (spec roster, clause J8).
    RosterDigest,
    /// BLAKE3 context of a digest of jurisdiction blocs (spec roster, clause J14).
    BlocsDigest,
    /// Ed25519 signature of a host over its inventory (spec inventory, clause I5).
    InventorySignature,
    /// BLAKE3 context of an inventory's digest (spec inventory, clause I5).
    InventoryDigest,
    /// Ed25519 signature of an auditor over a schedule (spec schedule, clause U1).
    ScheduleSignature,
    /// BLAKE3 context of a schedule's digest (spec schedule, clause U3).
    ScheduleDigest,
    /// Ed25519 signature of an auditor over the commitment to an epoch (spec schedule, clause U3).
    EpochSignature,
    /// BLAKE3 context of the hash of a nonce (spec schedule, clause U3).
    NonceHash,
    /// Ed25519 signature of an auditor over the outcome of one audit (spec schedule, clause U4).
    OutcomeSignature,
    /// BLAKE3 context of a signed bundle's digest (spec schedule, clause U4).
    BundleDigest,
    /// Ed25519 signature over the statement that an object was opened (spec dossier, clause D5).
    OpenedSignature,
    /// BLAKE3 context of the coefficients that batch proofs (spec possession, clause S12).
    BatchCoefficients,
    /// HKDF info from file key to the key of a shard's inner order (spec shards, clause Q6).
    ShardOrder,
    /// HKDF info of the key and the commitment that a passphrase gives (spec envelope, clause E18).
    Passphrase,
    /// HPKE info of a small value for one recipient (spec compact, clause CV4).
    CompactValue,
    /// HPKE info of a recipient of a small value's or batch's key (spec compact, clause CV5).
    CompactRecipient,
    /// HKDF info from a small value's or batch's key to AEAD key, nonce and commitment (spec compact, clause CV5).
    CompactKeys,
    /// Ed25519 signature of an owner over a small value or a batch header (spec compact, clause CV7).
    CompactSignature,
    /// merlin protocol label of a dealing's public proof (spec custody, clause K11).
    CustodyTranscript,
    /// merlin protocol label of a custodian's proof of possession (spec custody, clause K4).
    CustodyPossession,
    /// BLAKE3 context of the weights that check proofs of possession together (spec custody, clause K13a).
    CustodyPossessionBatch,
    /// merlin protocol label of the proof in a release (spec custody, clause K20).
    CustodyRelease,
    /// merlin protocol label of the proof a recipient is sent (spec custody, clause K16).
    CustodyRecipient,
    /// Fork of a transcript that nonces are drawn from (spec custody, clauses K4a and K7).
    CustodyNonce,
    /// HKDF info from a custodian's secret to its keys (spec custody, clause K2).
    CustodyKey,
    /// BLAKE3 context of a custodian's X-Wing key (spec custody, clause K3).
    CustodyKemKey,
    /// BLAKE3 context of a dealing's digest (spec custody, clause K9).
    CustodyDigest,
    /// HKDF info of the key that wraps the file key (spec custody, clause K15).
    CustodyWrap,
    /// HPKE info of a release (spec custody, clause K21).
    CustodyReleaseInfo,
    /// BLAKE3 context of what a custodian logs of a release (spec custody, clause K22).
    CustodyReleaseDigest,
    /// Ed25519 signature of a custodian over the record of a release (spec custody, clause K22a).
    CustodyReleaseRecord,
    /// HPKE info of a post-quantum share (spec custody, clause K30).
    CustodyShareInfo,
    /// BLAKE3 context of the commitment to a post-quantum share (spec custody, clause K31).
    CustodyShareCommitment,
    /// Ed25519 signature of a custodian over its receipt (spec custody, clause K32).
    CustodyReceipt,
    /// Key of the digest an owner keeps of what `rotate` was asked for, beside what it made; never leaves the owner's files.
    RotateAsked,
}

impl Label {
    /// All labels, for tests and for the specification's table.
    pub const ALL: &'static [Self] = &[
        Self::EnvelopeSignature,
        Self::BodyKey,
        Self::RecipientInfo,
        Self::EmptyCell,
        Self::Statement,
        Self::Challenge,
        Self::ChallengeSignature,
        Self::ResponseSignature,
        Self::BundleSignature,
        Self::ChallengeDigest,
        Self::CircuitDigest,
        Self::VerifyingKeyDigest,
        Self::ProvingKeyDigest,
        Self::DevelopmentSeed,
        Self::Fingerprint,
        Self::RosterSignature,
        Self::RosterDigest,
        Self::BlocsDigest,
        Self::InventorySignature,
        Self::InventoryDigest,
        Self::ScheduleSignature,
        Self::ScheduleDigest,
        Self::EpochSignature,
        Self::NonceHash,
        Self::OutcomeSignature,
        Self::BundleDigest,
        Self::OpenedSignature,
        Self::BatchCoefficients,
        Self::ShardOrder,
        Self::Passphrase,
        Self::CompactValue,
        Self::CompactRecipient,
        Self::CompactKeys,
        Self::CompactSignature,
        Self::CustodyTranscript,
        Self::CustodyPossession,
        Self::CustodyPossessionBatch,
        Self::CustodyRelease,
        Self::CustodyRecipient,
        Self::CustodyNonce,
        Self::CustodyKey,
        Self::CustodyKemKey,
        Self::CustodyDigest,
        Self::CustodyWrap,
        Self::CustodyReleaseInfo,
        Self::CustodyReleaseDigest,
        Self::CustodyReleaseRecord,
        Self::CustodyShareInfo,
        Self::CustodyShareCommitment,
        Self::CustodyReceipt,
        Self::RotateAsked,
    ];

    /// The label's text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EnvelopeSignature => "bailiwick/v1/envelope-signature",
            Self::BodyKey => "bailiwick/v1/body-key",
            Self::RecipientInfo => "bailiwick/v1/recipient-info",
            Self::EmptyCell => "bailiwick/v1/empty-cell",
            Self::Statement => "bailiwick/v1/possession-statement",
            Self::Challenge => "bailiwick/v1/challenge-transcript",
            Self::ChallengeSignature => "bailiwick/v1/challenge-signature",
            Self::ResponseSignature => "bailiwick/v1/response-signature",
            Self::BundleSignature => "bailiwick/v1/bundle-signature",
            Self::ChallengeDigest => "bailiwick/v1/challenge-digest",
            Self::CircuitDigest => "bailiwick/v1/circuit-digest",
            Self::VerifyingKeyDigest => "bailiwick/v1/verifying-key-digest",
            Self::ProvingKeyDigest => "bailiwick/v1/proving-key-digest",
            Self::DevelopmentSeed => "bailiwick/v1/development-seed",
            Self::Fingerprint => "bailiwick/v1/fingerprint",
            Self::RosterSignature => "bailiwick/v1/roster-signature",
            Self::RosterDigest => "bailiwick/v1/roster-digest",
            Self::BlocsDigest => "bailiwick/v1/blocs-digest",
            Self::InventorySignature => "bailiwick/v1/inventory-signature",
            Self::InventoryDigest => "bailiwick/v1/inventory-digest",
            Self::ScheduleSignature => "bailiwick/v1/schedule-signature",
            Self::ScheduleDigest => "bailiwick/v1/schedule-digest",
            Self::EpochSignature => "bailiwick/v1/epoch-signature",
            Self::NonceHash => "bailiwick/v1/nonce-hash",
            Self::OutcomeSignature => "bailiwick/v1/outcome-signature",
            Self::BundleDigest => "bailiwick/v1/bundle-digest",
            Self::OpenedSignature => "bailiwick/v1/opened-signature",
            Self::BatchCoefficients => "bailiwick/v1/batch-coefficients",
            Self::ShardOrder => "bailiwick/v1/shard-order",
            Self::Passphrase => "bailiwick/v1/passphrase",
            Self::CompactValue => "bailiwick/v1/compact-value",
            Self::CompactRecipient => "bailiwick/v1/compact-recipient",
            Self::CompactKeys => "bailiwick/v1/compact-keys",
            Self::CompactSignature => "bailiwick/v1/compact-signature",
            Self::CustodyTranscript => "bailiwick/v1/custody-transcript",
            Self::CustodyPossession => "bailiwick/v1/custody-possession",
            Self::CustodyPossessionBatch => "bailiwick/v1/custody-batch",
            Self::CustodyRelease => "bailiwick/v1/custody-release-proof",
            Self::CustodyRecipient => "bailiwick/v1/custody-recipient-proof",
            Self::CustodyNonce => "bailiwick/v1/custody-nonce",
            Self::CustodyKey => "bailiwick/v1/custody-key",
            Self::CustodyKemKey => "bailiwick/v1/custody-kem-key",
            Self::CustodyDigest => "bailiwick/v1/custody-digest",
            Self::CustodyWrap => "bailiwick/v1/custody-wrap",
            Self::CustodyReleaseInfo => "bailiwick/v1/custody-release-info",
            Self::CustodyReleaseDigest => "bailiwick/v1/custody-release-digest",
            Self::CustodyReleaseRecord => "bailiwick/v1/custody-release-record",
            Self::CustodyShareInfo => "bailiwick/v1/custody-share-info",
            Self::CustodyShareCommitment => "bailiwick/v1/custody-share-commitment",
            Self::CustodyReceipt => "bailiwick/v1/custody-receipt",
            Self::RotateAsked => "bailiwick/v1/rotate-asked",
        }
    }

    /// BLAKE3 of `bytes` in derive-key mode with the label as context.
    #[must_use]
    pub fn hash(self, bytes: &[u8]) -> [u8; 32] {
        let mut h = blake3::Hasher::new_derive_key(self.as_str());
        h.update(bytes);
        h.finalize().into()
    }

    /// The label's bytes.
    #[must_use]
    pub const fn as_bytes(self) -> &'static [u8] {
        self.as_str().as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::Label;

    #[test]
    fn labels_are_distinct_and_prefix_free() {
        for (i, a) in Label::ALL.iter().enumerate() {
            for (j, b) in Label::ALL.iter().enumerate() {
                if i != j {
                    assert!(!b.as_str().starts_with(a.as_str()), "{a:?} is a prefix of {b:?}");
                }
            }
        }
    }
}
