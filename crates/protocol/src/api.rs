//! JSON messages of a node's API (spec node-api), shared by node and client. Binary messages (envelopes,
//! challenges, responses, block paths) travel in their canonical encodings.

use serde::{Deserialize, Serialize};

use crate::ids::{
    AuditorKey, CellRoot, ChallengeDigest, ContentId, HostKey, ObjectId, OwnerKey, Unit, UnitName, VkDigest,
};

/// Media type of an object: LE32 envelope length, envelope, body.
pub const MEDIA_TYPE_OBJECT: &str = "application/vnd.bailiwick.object";
/// Media type of a signed envelope.
pub const MEDIA_TYPE_ENVELOPE: &str = "application/vnd.bailiwick.envelope+cbor";
/// Media type of a signed challenge.
pub const MEDIA_TYPE_CHALLENGE: &str = "application/vnd.bailiwick.challenge+cbor";
/// Media type of a signed response.
pub const MEDIA_TYPE_RESPONSE: &str = "application/vnd.bailiwick.response+cbor";
/// Media type of a block path.
pub const MEDIA_TYPE_BLOCK_PATH: &str = "application/vnd.bailiwick.block-path";
/// Media type of a signed inventory.
pub const MEDIA_TYPE_INVENTORY: &str = "application/vnd.bailiwick.inventory+cbor";
/// Media type of the openings of a challenge over an inventory.
pub const MEDIA_TYPE_OPENINGS: &str = "application/vnd.bailiwick.openings+cbor";
/// Media type of an owner's range of an inventory.
pub const MEDIA_TYPE_OWNER_RANGE: &str = "application/vnd.bailiwick.owner-range+cbor";
/// Entries of one page of a list, at most.
pub const LIST_LIMIT_MAX: usize = 1000;

/// Leaves of one page of an owner's part of an inventory, at most: 200 bytes each, or less.
pub const OWNER_RANGE_PAGE_MAX: u64 = 100_000;

/// Error codes a program may act on.
pub mod code {
    /// The node restarted: sign again with a later `created` after `Retry-After` seconds.
    pub const RESTART_FLOOR: &str = "restart-floor";
    /// No acceptable signature of a known key.
    pub const UNAUTHENTICATED: &str = "unauthenticated";
    /// The key is known and may not do this.
    pub const FORBIDDEN: &str = "forbidden";
    /// No such object, job or path.
    pub const NOT_FOUND: &str = "not-found";
    /// The node is full of work; try again after `Retry-After` seconds.
    pub const BUSY: &str = "busy";
    /// This key has its share of the node's work under way, others have room; try again after `Retry-After` seconds.
    pub const KEY_SHARE: &str = "key-share";
}

/// Body of every error answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorBody {
    /// Stable word a program may act on, e.g. `not-found`.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

/// One stored unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ObjectRecord {
    /// Owner's public key, hexadecimal.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub owner: OwnerKey,
    /// Object id, hexadecimal.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub object: ObjectId,
    /// Unit, `k-n-shard-replica`.
    pub unit: String,
    /// Generation of the envelope.
    pub generation: u64,
    /// Bytes of the body.
    pub size: u64,
    /// BLAKE3 of the body, hexadecimal.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub blake3: ContentId,
    /// Cell-tree root, if the envelope commits to one.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub root: Option<CellRoot>,
    /// Cells of the tree, if the envelope commits to one.
    pub cells: Option<u64>,
}

impl ObjectRecord {
    /// The record of an envelope.
    #[must_use]
    pub fn of(envelope: &crate::envelope::Envelope) -> Self {
        Self {
            owner: envelope.owner,
            object: envelope.object,
            unit: envelope.unit.to_string(),
            generation: envelope.generation,
            size: envelope.body.size,
            blake3: envelope.body.blake3,
            root: envelope.commitment.as_ref().map(|c| c.root),
            cells: envelope.commitment.as_ref().map(|c| c.cells),
        }
    }

    /// Its name; `None` when the unit is not one.
    #[must_use]
    pub fn name(&self) -> Option<UnitName> {
        let unit: Unit = self.unit.parse().ok()?;
        Some(UnitName { owner: self.owner, object: self.object, unit })
    }
}

/// One page of a list, ascending by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ObjectList {
    /// Objects, at most as many as asked for.
    pub objects: Vec<ObjectRecord>,
    /// Value of `after` for the next page; absent on the last.
    pub next: Option<String>,
}

/// State of a proof job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum JobState {
    /// Waiting for the prover.
    Queued,
    /// Reading the sampled blocks.
    Reading,
    /// Computing the proof.
    Proving,
    /// A signed response is ready: a proof, or that it cannot be made.
    Done,
    /// The node could not answer; ask the same challenge again.
    Failed,
}

/// What a proof cost the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobCost {
    /// Milliseconds from start to end.
    pub wall_ms: u64,
    /// Milliseconds of processor time over all prover threads.
    pub cpu_ms: u64,
    /// Bytes of bodies read from disk.
    pub disk_bytes: u64,
    /// Highest resident memory of the whole process so far, bytes; 0 where the system does not tell.
    pub peak_rss_bytes: u64,
}

/// A proof job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Job {
    /// The job's id is its challenge's digest, so one challenge is one job.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: ChallengeDigest,
    /// Where it stands.
    pub state: JobState,
    /// 0 to 1.
    pub progress: f64,
    /// Cost so far; final when done.
    pub cost: JobCost,
}

/// A proving key a node has loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CircuitInfo {
    /// Digest of the verifying key that proofs verify under, hexadecimal.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub vk: VkDigest,
    /// Samples of its class.
    pub samples: u16,
    /// Depth of its class.
    pub depth: u8,
}

/// Who a node is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HostInfo {
    /// The host's public key, hexadecimal.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub host: HostKey,
    /// Version of the program.
    pub version: String,
    /// Proving keys at hand.
    pub circuits: Vec<CircuitInfo>,
    /// Auditors whose challenges are answered, hexadecimal.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub auditors: Vec<AuditorKey>,
}
