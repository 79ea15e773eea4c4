//! What keys are for, and how they work.

use bailiwick_protocol::envelope::Kem;

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// Signs envelopes and requests of the developer who seals
    Owner,
    /// Opens objects
    Recipient,
    /// Signs challenges and evidence
    Auditor,
    /// Identifies a node
    Host,
    /// Signs rosters
    Roster,
    /// Holds a share of keys
    Custodian,
}

/// How a key works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Algorithm {
    /// Signatures (RFC 8032)
    Ed25519,
    /// Hybrid post-quantum encapsulation, MLKEM768-X25519
    XWing,
    /// Classical encapsulation (RFC 9180)
    X25519,
    /// Classical encapsulation on NIST P-256 (RFC 9180), which tokens and key services can do
    P256,
    /// Shares of keys, with what custodians need beside it (spec custody)
    Ristretto255,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Recipient => "recipient",
            Self::Auditor => "auditor",
            Self::Host => "host",
            Self::Roster => "roster",
            Self::Custodian => "custodian",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Owner, Self::Recipient, Self::Auditor, Self::Host, Self::Roster, Self::Custodian]
            .into_iter()
            .find(|k| k.name() == text)
    }

    pub(crate) fn default_algorithm(self) -> Algorithm {
        match self {
            Self::Recipient => Algorithm::XWing,
            Self::Custodian => Algorithm::Ristretto255,
            _ => Algorithm::Ed25519,
        }
    }
}

impl Algorithm {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::XWing => "x-wing",
            Self::X25519 => "x25519",
            Self::P256 => "p256",
            Self::Ristretto255 => "ristretto255",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Ed25519, Self::XWing, Self::X25519, Self::P256, Self::Ristretto255]
            .into_iter()
            .find(|a| a.name() == text)
    }

    pub(crate) fn fits(self, kind: Kind) -> bool {
        match kind {
            Kind::Recipient => self.kem().is_some(),
            Kind::Custodian => self == Self::Ristretto255,
            _ => self == Self::Ed25519,
        }
    }

    pub(super) fn kem(self) -> Option<Kem> {
        match self {
            Self::Ed25519 | Self::Ristretto255 => None,
            Self::XWing => Some(Kem::XWing),
            Self::X25519 => Some(Kem::X25519),
            Self::P256 => Some(Kem::P256),
        }
    }
}
