//! Trust anchors: whose keys the reader believes, and where each verifying key came from (spec policy, clauses N1-N10).
//!
//! Nothing in here is ever read from a bundle. The file is the smallest valid subset of a roster.

mod error;
mod file;
mod principals;

use std::collections::BTreeMap;

use bailiwick_beacon::ChainInfo;
use bailiwick_protocol::ids::{AuditorKey, ClassId, RosterKey, VkDigest};
use bailiwick_roster::LastSeen;
use bailiwick_translog::VerifierKey;
use serde::{Deserialize, Serialize};

use principals::Principals;

pub use error::{AnchorsError, NoteKeyFault};

/// Version of the file.
pub const ANCHORS_VERSION: u64 = 1;

/// Characters of a name or of a display field, at most: fits one terminal line with its key.
pub const NAME_CHARS_MAX: usize = 64;

/// The transparency log a reader believes, and its witnesses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogAnchor {
    /// The log's key; its name is the log's origin.
    pub key: VerifierKey,
    /// Witnesses whose cosignatures count.
    pub witnesses: Vec<VerifierKey>,
}

/// Whose rosters a reader believes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RosterAnchor {
    /// Key of the authority that signs them.
    pub authority: RosterKey,
    /// The newest one accepted before: an older one is refused.
    pub last_seen: Option<LastSeen>,
}

/// What a principal does. Each has its own key; none is trusted with another's secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Role {
    /// Seals objects, signs envelopes.
    Owner,
    /// Stores bodies, answers challenges.
    Host,
    /// Asks challenges, signs bundles.
    Auditor,
    /// Can open objects. Its key is an encryption key of any length; listed for the reader only.
    Recipient,
}

impl core::fmt::Display for Role {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Owner => "owner",
            Self::Host => "host",
            Self::Auditor => "auditor",
            Self::Recipient => "recipient",
        })
    }
}

/// A principal as the anchors describe it; all but the key is shown, never judged, in this version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Principal {
    /// What it does.
    pub role: Role,
    /// What to call it.
    pub name: String,
    /// Public key, hexadecimal.
    pub key: String,
    /// Who runs the machines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Which data centre.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// Which soil.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Which law controls the operator: soil is not law.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub law: Option<String>,
}

/// Where a verifying key came from (constructions 4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Provenance {
    /// From a public seed: anyone can forge. Never supports a claim.
    Development,
    /// Set up by one auditor from its own randomness. Supports for that auditor only.
    Auditor {
        /// Who.
        auditor: AuditorKey,
    },
    /// Set up by many; sound if one of them was honest.
    Ceremony {
        /// Digest of the ceremony's transcript.
        transcript: String,
        /// Contributors in it.
        contributors: u32,
        /// The public randomness that closed it.
        beacon: String,
    },
}

/// One verifying key the reader accepts, found by its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnchoredKey {
    /// The class whose circuit the key is for.
    pub class: ClassId,
    /// Where it came from.
    pub provenance: Provenance,
}

/// A checked trust-anchors file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchors {
    principals: Principals,
    verifying_keys: BTreeMap<VkDigest, AnchoredKey>,
    log: Option<LogAnchor>,
    roster: Option<RosterAnchor>,
    beacon: ChainInfo,
}

impl Anchors {
    /// The log and its witnesses, if any are anchored.
    #[must_use]
    pub const fn log(&self) -> Option<&LogAnchor> {
        self.log.as_ref()
    }

    /// The roster's authority, if one is pinned.
    #[must_use]
    pub const fn roster(&self) -> Option<&RosterAnchor> {
        self.roster.as_ref()
    }

    /// The beacon chain; quicknet unless the file says otherwise.
    #[must_use]
    pub const fn beacon(&self) -> &ChainInfo {
        &self.beacon
    }

    /// Class and provenance of a verifying key, if it is anchored.
    #[must_use]
    pub fn verifying_key(&self, digest: &VkDigest) -> Option<&AnchoredKey> {
        self.verifying_keys.get(digest)
    }
}
