//! The dossier: evidence about many hosts over time, as one file that a skeptic judges again offline (spec dossier).
//!
//! It is transport, not signed itself: everything in it is signed by whoever it speaks for, and is only decoded once
//! that signature holds. Its order is canonical, so one set of evidence has one dossier.

use crate::bundle::SignedBundle;
use crate::codec::{Canonical, CodecError, Decoder, Encoder};
use crate::ids::{BundleDigest, CellRoot, ContentId, ObjectId, OpenerKey, OwnerKey, Unit, UnitName};
use crate::inventory::SignedInventory;
use crate::labels::Label;
use crate::limits::{
    DOSSIER_AUDITS_MAX, DOSSIER_BYTES_MAX, LOG_ENTRY_BYTES_MAX, LOG_PROOF_BYTES_MAX, ROSTER_BYTES_MAX,
};
use crate::signing::{Signed, SignedMessage};

/// Version of the dossier.
pub const DOSSIER_VERSION: u64 = 1;

/// Text a dossier begins with, so that it cannot be taken for a bundle of one audit.
pub const DOSSIER_KIND: &str = "bailiwick-dossier";

/// An entry of a transparency log and the C2SP tlog-proof that it is in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Logged {
    /// Canonical [`crate::schedule::LogEntry`].
    pub entry: Vec<u8>,
    /// The tlog-proof, text.
    pub proof: Vec<u8>,
}

/// Who opened an object and found it to be what its envelope says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Who says so.
    pub opener: OpenerKey,
    /// Owner, object, unit.
    pub name: UnitName,
    /// Generation of the envelope opened.
    pub generation: u64,
    /// BLAKE3 of the body opened.
    pub blake3: ContentId,
    /// Its cell root, if the envelope commits to one.
    pub root: Option<CellRoot>,
    /// When, by the opener's clock, milliseconds since 1970-01-01 UTC.
    pub opened_unix_ms: u64,
}

/// Such a statement as it travels.
pub type SignedOpened = Signed<Opened>;

impl SignedMessage for Opened {
    const LABEL: Label = Label::OpenedSignature;
}

impl Canonical for Opened {
    const WHAT: &'static str = "statement of opening";
    const BYTES_MAX: usize = 512;

    fn encode(&self, e: &mut Encoder) {
        e.map(6 + u64::from(self.root.is_some()));
        e.u64(0);
        e.u64(DOSSIER_VERSION);
        e.u64(1);
        self.opener.encode(e);
        e.u64(2);
        e.array(3);
        self.name.owner.encode(e);
        self.name.object.encode(e);
        e.bytes(&self.name.unit.to_bytes());
        e.u64(3);
        e.u64(self.generation);
        e.u64(4);
        self.blake3.encode(e);
        if let Some(root) = &self.root {
            e.u64(5);
            root.encode(e);
        }
        e.u64(6);
        e.u64(self.opened_unix_ms);
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let mut m = d.map("statement of opening")?;
        m.required(d, 0)?;
        let version = d.u64()?;
        if version != DOSSIER_VERSION {
            return Err(CodecError::UnknownVersion { what: "statement of opening", found: version });
        }
        m.required(d, 1)?;
        let opener = OpenerKey::decode(d)?;
        m.required(d, 2)?;
        d.tuple(3)?;
        let name = UnitName {
            owner: OwnerKey::decode(d)?,
            object: ObjectId::decode(d)?,
            unit: Unit::from_bytes(d.array()?)?,
        };
        m.required(d, 3)?;
        let generation = d.u64()?;
        m.required(d, 4)?;
        let blake3 = ContentId::decode(d)?;
        let root = if m.optional(d, 5)? { Some(CellRoot::decode(d)?) } else { None };
        m.required(d, 6)?;
        let opened_unix_ms = d.u64()?;
        m.end(d)?;
        Ok(Self { opener, name, generation, blake3, root, opened_unix_ms })
    }
}

/// One audit and, if it was logged, its outcome's entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedAudit {
    /// The audit's own bundle.
    pub bundle: SignedBundle,
    /// The [`crate::schedule::Outcome`] in the log.
    pub outcome: Option<Logged>,
}

/// Evidence about many hosts over time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dossier {
    /// A signed roster, canonical bytes, as the auditor knew it; the reader's own comes first.
    pub roster: Option<Vec<u8>>,
    /// Schedules and commitments to epochs, strictly ascending by entry bytes.
    pub announced: Vec<Logged>,
    /// Audits, strictly ascending by [`SignedBundle::digest`].
    pub audits: Vec<LoggedAudit>,
    /// Inventories beside those in the audits, such as a second one of one epoch; strictly ascending by bytes.
    pub inventories: Vec<SignedInventory>,
    /// Statements of who opened what, strictly ascending by bytes.
    pub opened: Vec<SignedOpened>,
}

impl Dossier {
    /// Puts everything in canonical order and drops repetitions. Of several proofs of one entry one is enough: kept is the one to the
    /// smallest tree, whose cosignatures date the entry earliest, of these the one with the most signatures, then the least bytes (D2).
    /// A bundle keeps an outcome if one of its copies has one.
    pub fn sort(&mut self) {
        self.announced.sort_by(|a, b| a.entry.cmp(&b.entry).then_with(|| a.by_worth(b)));
        self.announced.dedup_by(|other, kept| other.entry == kept.entry);
        self.audits.sort_by_cached_key(|a| a.bundle.digest());
        self.audits.dedup_by(|other, kept| {
            let same = other.bundle == kept.bundle;
            if same {
                kept.outcome = match (kept.outcome.take(), other.outcome.take()) {
                    (Some(a), Some(b)) => Some(core::cmp::min_by(a, b, Logged::by_worth)),
                    (a, b) => a.or(b),
                };
            }
            same
        });
        self.inventories.sort_by_cached_key(Canonical::to_bytes);
        self.inventories.dedup();
        self.opened.sort_by_cached_key(Canonical::to_bytes);
        self.opened.dedup();
    }

    /// Whether bytes begin like a dossier; nothing else about them is checked.
    #[must_use]
    pub fn is_likely(bytes: &[u8]) -> bool {
        let mut e = Encoder::new();
        e.map(6);
        e.u64(0);
        e.text(DOSSIER_KIND);
        let with_all = e.into_bytes();
        bytes.get(1..with_all.len()) == with_all.get(1..)
    }

    fn check_order(&self) -> Result<(), CodecError> {
        let unsorted = |what| Err(CodecError::Invalid(what));
        if self.announced.windows(2).any(|w| w[0].entry >= w[1].entry) {
            return unsorted("dossier announcements: unsorted or repeated");
        }
        let digests: Vec<BundleDigest> = self.audits.iter().map(|a| a.bundle.digest()).collect();
        if digests.windows(2).any(|w| w[0] >= w[1]) {
            return unsorted("dossier audits: unsorted or repeated");
        }
        if !ascending(&self.inventories) {
            return unsorted("dossier inventories: unsorted or repeated");
        }
        if !ascending(&self.opened) {
            return unsorted("dossier statements of opening: unsorted or repeated");
        }
        Ok(())
    }
}

/// Size of the tree that a C2SP tlog-proof leads to, and how many signatures its checkpoint lacks of all there could be: what to
/// order proofs by. Only read, not checked; what is no such text comes last.
fn tree_and_signatures(proof: &[u8]) -> (u64, usize) {
    // The inclusion proof, the checkpoint (origin, size, root), the signatures; an empty line between two.
    let mut parts = core::str::from_utf8(proof).unwrap_or_default().splitn(3, "\n\n").skip(1);
    let size =
        parts.next().and_then(|checkpoint| checkpoint.lines().nth(1)).and_then(|size| size.parse().ok());
    let signatures =
        parts.next().map_or(0, |lines| lines.lines().filter(|l| l.starts_with('\u{2014}')).count());
    (size.unwrap_or(u64::MAX), usize::MAX - signatures)
}

fn ascending<T: Canonical>(list: &[T]) -> bool {
    let bytes: Vec<_> = list.iter().map(Canonical::to_bytes).collect();
    bytes.windows(2).all(|w| w[0] < w[1])
}

impl Logged {
    /// The better proof first. Of an entry that differs too, a proof is compared by itself.
    fn by_worth(&self, other: &Self) -> core::cmp::Ordering {
        let rank = |l: &Self| tree_and_signatures(&l.proof);
        rank(self).cmp(&rank(other)).then_with(|| self.cmp(other))
    }

    fn encode(&self, e: &mut Encoder) {
        e.array(2);
        e.bytes(&self.entry);
        e.bytes(&self.proof);
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        d.tuple(2)?;
        Ok(Self {
            entry: d.bytes("log entry", LOG_ENTRY_BYTES_MAX)?.to_vec(),
            proof: d.bytes("log proof", LOG_PROOF_BYTES_MAX)?.to_vec(),
        })
    }
}

impl Canonical for Dossier {
    const WHAT: &'static str = "dossier";
    const BYTES_MAX: usize = DOSSIER_BYTES_MAX;

    fn encode(&self, e: &mut Encoder) {
        e.map(6 + u64::from(self.roster.is_some()));
        e.u64(0);
        e.text(DOSSIER_KIND);
        e.u64(1);
        e.u64(DOSSIER_VERSION);
        if let Some(roster) = &self.roster {
            e.u64(2);
            e.bytes(roster);
        }
        e.u64(3);
        e.array(self.announced.len() as u64);
        self.announced.iter().for_each(|l| l.encode(e));
        e.u64(4);
        e.array(self.audits.len() as u64);
        for audit in &self.audits {
            e.array(1 + u64::from(audit.outcome.is_some()));
            audit.bundle.encode(e);
            if let Some(outcome) = &audit.outcome {
                outcome.encode(e);
            }
        }
        e.u64(5);
        e.array(self.inventories.len() as u64);
        self.inventories.iter().for_each(|i| i.encode(e));
        e.u64(6);
        e.array(self.opened.len() as u64);
        self.opened.iter().for_each(|o| o.encode(e));
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let mut m = d.map("dossier")?;
        m.required(d, 0)?;
        if d.text("dossier kind", DOSSIER_KIND.len())? != DOSSIER_KIND {
            return Err(CodecError::Invalid("dossier kind"));
        }
        m.required(d, 1)?;
        let version = d.u64()?;
        if version != DOSSIER_VERSION {
            return Err(CodecError::UnknownVersion { what: "dossier", found: version });
        }
        let roster = match m.optional(d, 2)? {
            true => Some(d.bytes("roster", ROSTER_BYTES_MAX)?.to_vec()),
            false => None,
        };
        m.required(d, 3)?;
        let n = d.list("dossier announcements", DOSSIER_AUDITS_MAX)?;
        let announced = (0..n).map(|_| Logged::decode(d)).collect::<Result<_, _>>()?;
        m.required(d, 4)?;
        let n = d.list("dossier audits", DOSSIER_AUDITS_MAX)?;
        let audits = (0..n).map(|_| decode_audit(d)).collect::<Result<_, _>>()?;
        m.required(d, 5)?;
        let n = d.list("dossier inventories", DOSSIER_AUDITS_MAX)?;
        let inventories = (0..n).map(|_| SignedInventory::decode(d)).collect::<Result<_, _>>()?;
        m.required(d, 6)?;
        let n = d.list("dossier statements of opening", DOSSIER_AUDITS_MAX)?;
        let opened = (0..n).map(|_| SignedOpened::decode(d)).collect::<Result<_, _>>()?;
        m.end(d)?;
        let dossier = Self { roster, announced, audits, inventories, opened };
        dossier.check_order()?;
        Ok(dossier)
    }
}

fn decode_audit(d: &mut Decoder<'_>) -> Result<LoggedAudit, CodecError> {
    let entries = d.list("dossier audit", 2)?;
    if entries == 0 {
        return Err(CodecError::Invalid("dossier audit"));
    }
    let bundle = SignedBundle::decode(d)?;
    let outcome = if entries == 2 { Some(Logged::decode(d)?) } else { None };
    Ok(LoggedAudit { bundle, outcome })
}
