//! Challenge and answer of a storage audit (spec challenge).

use crate::beacon::BeaconRound;
use crate::codec::{Canonical, CodecError, Decoder, Encoder};
use crate::envelope::{CELL_BYTES, Envelope};
use crate::ids::{
    AuditorKey, CellRoot, ChallengeDigest, ClassId, ContentId, HostKey, Nonce, ObjectId, OwnerKey, Unit,
    UnitName, VkDigest,
};
use crate::inventory::InventoryTarget;
use crate::labels::Label;
use crate::limits::{
    CHALLENGE_BYTES_MAX, CHALLENGE_OBJECTS_MAX, POSSESSION_PROOF_BYTES_MAX, RESPONSE_BYTES_MAX,
};
use crate::signing::{Signed, SignedMessage};

/// Version of challenge and response, and of the transcript.
pub const CHALLENGE_VERSION: u64 = 1;

/// One object a challenge draws cells from: everything its owner signed that a proof speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Owner, object, unit.
    pub name: UnitName,
    /// Generation of the envelope.
    pub generation: u64,
    /// BLAKE3 of the body.
    pub blake3: ContentId,
    /// Bytes of the body.
    pub size: u64,
    /// Cell-tree root at natural depth.
    pub root: CellRoot,
    /// Cells: ceil(size / 496), at least 1.
    pub cells: u64,
}

impl Target {
    /// The target an envelope describes; `None` when it carries no storage commitment.
    #[must_use]
    pub fn of(envelope: &Envelope) -> Option<Self> {
        let c = envelope.commitment.as_ref()?;
        Some(Self {
            name: envelope.name(),
            generation: envelope.generation,
            blake3: envelope.body.blake3,
            size: envelope.body.size,
            root: c.root,
            cells: c.cells,
        })
    }
}

/// What an auditor asks a host. Everything here enters the transcript; the drawn slots never do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Statement parameters.
    pub class: ClassId,
    /// Key the proof must verify under.
    pub vk: VkDigest,
    /// Who must answer.
    pub host: HostKey,
    /// Objects sampled together, weighted by cells; strictly ascending by name. Empty when an inventory is asked for.
    pub targets: Vec<Target>,
    /// All that the host holds, instead of named objects: the leaves of its inventory of this epoch.
    pub inventory: Option<InventoryTarget>,
    /// Epoch of the schedule; 0 outside one.
    pub epoch: u64,
    /// Round of a public beacon, published after the schedule and the hash of the nonce were; none outside a schedule.
    pub beacon: Option<BeaconRound>,
    /// Who asks.
    pub auditor: AuditorKey,
    /// Fresh randomness of who asks.
    pub nonce: Nonce,
}

/// A challenge as it travels.
pub type SignedChallenge = Signed<Challenge>;

impl Challenge {
    /// Digest that answers, jobs and bundles refer to: BLAKE3 derive-key under its label over the canonical bytes.
    #[must_use]
    pub fn digest(&self) -> ChallengeDigest {
        ChallengeDigest(Label::ChallengeDigest.hash(&self.to_bytes()))
    }

    /// T, cells of all targets together, or of the inventory.
    #[must_use]
    pub fn cells_total(&self) -> u64 {
        if let Some(inventory) = &self.inventory {
            return inventory.cells;
        }
        // Decoding bounds the sum: at most 4096 targets of at most 2^28 cells.
        self.targets.iter().map(|t| t.cells).sum()
    }
}

impl SignedMessage for Challenge {
    const LABEL: Label = Label::ChallengeSignature;
}

impl Canonical for Challenge {
    const WHAT: &'static str = "challenge";
    const BYTES_MAX: usize = CHALLENGE_BYTES_MAX;

    fn encode(&self, e: &mut Encoder) {
        e.map(
            8 + u64::from(!self.targets.is_empty())
                + u64::from(self.beacon.is_some())
                + u64::from(self.inventory.is_some()),
        );
        e.u64(0);
        e.u64(CHALLENGE_VERSION);
        e.u64(1);
        e.u64(u64::from(self.class.samples));
        e.u64(2);
        e.u64(u64::from(self.class.depth));
        e.u64(3);
        self.vk.encode(e);
        e.u64(4);
        self.host.encode(e);
        if !self.targets.is_empty() {
            e.u64(5);
            e.array(self.targets.len() as u64);
            for t in &self.targets {
                encode_target(t, e);
            }
        }
        e.u64(6);
        e.u64(self.epoch);
        if let Some(beacon) = &self.beacon {
            e.u64(7);
            beacon.encode(e);
        }
        e.u64(8);
        self.auditor.encode(e);
        e.u64(9);
        self.nonce.encode(e);
        if let Some(inventory) = &self.inventory {
            e.u64(10);
            inventory.encode(e);
        }
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let mut m = d.map("challenge")?;
        m.required(d, 0)?;
        let version = d.u64()?;
        if version != CHALLENGE_VERSION {
            return Err(CodecError::UnknownVersion { what: "challenge", found: version });
        }
        m.required(d, 1)?;
        let samples = d.uint::<u16>("class samples")?;
        m.required(d, 2)?;
        let depth = d.uint::<u8>("class depth")?;
        if samples == 0 || samples > 1024 || !(3..=8).contains(&depth) {
            return Err(CodecError::Invalid("class"));
        }
        let class = ClassId { samples, depth };
        m.required(d, 3)?;
        let vk = VkDigest::decode(d)?;
        m.required(d, 4)?;
        let host = HostKey::decode(d)?;
        let targets = if m.optional(d, 5)? { decode_targets(d, class)? } else { Vec::new() };
        m.required(d, 6)?;
        let epoch = d.u64()?;
        let beacon = if m.optional(d, 7)? { Some(BeaconRound::decode(d)?) } else { None };
        m.required(d, 8)?;
        let auditor = AuditorKey::decode(d)?;
        m.required(d, 9)?;
        let nonce = Nonce::decode(d)?;
        let inventory = if m.optional(d, 10)? { Some(InventoryTarget::decode(d)?) } else { None };
        m.end(d)?;
        // An inventory belongs to an epoch; named objects and an inventory exclude each other.
        if inventory.is_some() != targets.is_empty() || (inventory.is_some() && epoch == 0) {
            return Err(CodecError::Invalid("challenge: either targets, or an inventory and its epoch"));
        }
        Ok(Self { class, vk, host, targets, inventory, epoch, beacon, auditor, nonce })
    }
}

fn decode_targets(d: &mut Decoder<'_>, class: ClassId) -> Result<Vec<Target>, CodecError> {
    let n = d.list("challenge targets", CHALLENGE_OBJECTS_MAX)?;
    let targets: Vec<Target> = (0..n).map(|_| decode_target(d)).collect::<Result<_, _>>()?;
    if targets.is_empty() || targets.windows(2).any(|w| w[0].name >= w[1].name) {
        return Err(CodecError::Invalid("challenge targets: empty, unsorted or repeated"));
    }
    // Constructions 4: a statement refuses cells above 16^(D-1).
    if targets.iter().any(|t| t.cells > class.cells_max()) {
        return Err(CodecError::Invalid("target cells"));
    }
    Ok(targets)
}

pub(crate) fn encode_target(t: &Target, e: &mut Encoder) {
    e.array(8);
    t.name.owner.encode(e);
    t.name.object.encode(e);
    e.bytes(&t.name.unit.to_bytes());
    e.u64(t.generation);
    t.blake3.encode(e);
    e.u64(t.size);
    t.root.encode(e);
    e.u64(t.cells);
}

pub(crate) fn decode_target(d: &mut Decoder<'_>) -> Result<Target, CodecError> {
    d.tuple(8)?;
    let name = UnitName {
        owner: OwnerKey::decode(d)?,
        object: ObjectId::decode(d)?,
        unit: Unit::from_bytes(d.array()?)?,
    };
    let generation = d.u64()?;
    let blake3 = ContentId::decode(d)?;
    let size = d.u64()?;
    let root = CellRoot::decode(d)?;
    let cells = d.u64()?;
    // Constructions 4: a statement refuses cells = 0 and cells != ceil(size/496).
    if cells == 0 || cells != size.div_ceil(CELL_BYTES) {
        return Err(CodecError::Invalid("target cells"));
    }
    Ok(Target { name, generation, blake3, size, root, cells })
}

/// Why a host says it cannot prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CannotProve {
    /// A sampled cell is missing, unreadable or not what the owner signed.
    CellsUnavailable,
    /// The host does not hold one of the named objects at the named generation.
    ObjectUnknown,
}

impl CannotProve {
    const fn code(self) -> u64 {
        match self {
            Self::CellsUnavailable => 1,
            Self::ObjectUnknown => 2,
        }
    }
}

/// A host's answer to one challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The challenge it answers.
    pub challenge: ChallengeDigest,
    /// A proof in the encoding of the scheme whose key the challenge names, at most [`POSSESSION_PROOF_BYTES_MAX`] bytes (Groth16:
    /// 128, compressed), or why there is none.
    pub outcome: Result<Vec<u8>, CannotProve>,
}

/// A response as it travels.
pub type SignedResponse = Signed<Response>;

impl SignedMessage for Response {
    const LABEL: Label = Label::ResponseSignature;
}

impl Canonical for Response {
    const WHAT: &'static str = "response";
    const BYTES_MAX: usize = RESPONSE_BYTES_MAX;

    fn encode(&self, e: &mut Encoder) {
        e.map(3);
        e.u64(0);
        e.u64(CHALLENGE_VERSION);
        e.u64(1);
        self.challenge.encode(e);
        match &self.outcome {
            Ok(proof) => {
                e.u64(2);
                e.bytes(proof);
            }
            Err(reason) => {
                e.u64(3);
                e.u64(reason.code());
            }
        }
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let mut m = d.map("response")?;
        m.required(d, 0)?;
        let version = d.u64()?;
        if version != CHALLENGE_VERSION {
            return Err(CodecError::UnknownVersion { what: "response", found: version });
        }
        m.required(d, 1)?;
        let challenge = ChallengeDigest::decode(d)?;
        let outcome = if m.optional(d, 2)? {
            Ok(d.bytes("proof", POSSESSION_PROOF_BYTES_MAX)?.to_vec())
        } else {
            m.required(d, 3)?;
            Err(match d.u64()? {
                1 => CannotProve::CellsUnavailable,
                2 => CannotProve::ObjectUnknown,
                _ => return Err(CodecError::Invalid("response reason")),
            })
        };
        m.end(d)?;
        Ok(Self { challenge, outcome })
    }
}
