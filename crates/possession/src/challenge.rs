//! What a challenge asks for: a merlin transcript over every field of it, then the drawn slots (spec challenge).
//!
//! Items absorbed, each under its own label, integers as LE64: `version`, `class-samples`, `class-depth`, `vk`, `host`,
//! `targets` (their number), for each target `owner`, `object`, `unit`, `generation`, `blake3`, `size`, `root`, `cells`; where an
//! inventory is asked for, `inventory` (root, leaves, cells); then `epoch`, `beacon` (empty when there is none), `auditor`,
//! `nonce`. Squeezed: `binding` (31 bytes), then for each sample `w` and `u` (16 bytes each, little-endian).
//!
//! merlin frames every item with its label and length, so no two different challenges absorb the same bytes.

use bailiwick_protocol::challenge::{CHALLENGE_VERSION, Challenge, Target};
use bailiwick_protocol::inventory::LeafOpening;
use bailiwick_protocol::labels::Label;
use merlin::Transcript;

use crate::field::{DATA_BYTES, Fr, element_from_31};
use crate::inventory::{InventoryError, sampled_leaves};

/// One drawn cell. The same cell may be drawn twice; each slot is answered for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    /// Index into the sampled targets.
    pub target: usize,
    /// Cell of that target, below its `cells`.
    pub cell: u64,
}

/// The two words of one sample, independent of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// Picks the object, by its position among all cells.
    pub w: u128,
    /// Picks the cell of that object.
    pub u: u128,
}

/// What the transcript of a challenge yields, before any target is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draw {
    /// Ties a proof to this challenge: 31 bytes of the transcript.
    pub binding: Fr,
    /// One pair for each sample of the class.
    pub words: Vec<Words>,
}

impl Draw {
    /// Where among `total` cells each sample falls: `floor(w · total / 2^128)`.
    pub fn positions(&self, total: u64) -> impl Iterator<Item = u64> {
        self.words.iter().map(move |words| scale(words.w, total))
    }
}

/// What a challenge asks for: the one thing that statement, prover and verifier start from, for named objects and inventories alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sampled {
    /// Ties a proof to the challenge.
    pub binding: Fr,
    /// Named objects: all of them, in the challenge's order. An inventory: the opened leaves, each of them sampled.
    pub targets: Vec<Target>,
    /// One slot per sample of the class; none when named targets have no cells, or more than 2^64, which no statement allows.
    pub slots: Vec<Slot>,
}

/// Squeezes binding and words. Nothing but the challenge enters.
#[must_use]
pub fn draw(challenge: &Challenge) -> Draw {
    let mut transcript = absorb(challenge);
    let mut binding = [0; DATA_BYTES];
    transcript.challenge_bytes(b"binding", &mut binding);
    let mut word = |label| {
        let mut bytes = [0; 16];
        transcript.challenge_bytes(label, &mut bytes);
        u128::from_le_bytes(bytes)
    };
    let words = (0..challenge.class.samples).map(|_| Words { w: word(b"w"), u: word(b"u") }).collect();
    Draw { binding: element_from_31(&binding), words }
}

/// The slots of a challenge: position `floor(w · T / 2^128)` among all cells picks the target, then the *independent* `u` picks
/// the cell in it, `floor(u · cells / 2^128)`. With one word for both, a position would fix the cell, and cells that are no
/// target's image could be dropped unseen.
///
/// `leaves`: none for named objects. For an inventory the leaves that the samples fall on, each once, ascending: they come from
/// the host, and every one is checked to lead to the challenged root.
///
/// # Errors
/// [`InventoryError`]: leaves that do not lead to the root, are not sampled, or leave a sample without its leaf.
pub fn sampled(challenge: &Challenge, leaves: &[LeafOpening]) -> Result<Sampled, InventoryError> {
    let drawn = draw(challenge);
    let (targets, holders) = match &challenge.inventory {
        Some(inventory) => {
            let positions: Vec<u64> = drawn.positions(inventory.cells).collect();
            let holders = sampled_leaves(inventory, &positions, leaves)?;
            (leaves.iter().map(|l| l.leaf.clone()).collect(), holders)
        }
        None if leaves.is_empty() => (challenge.targets.clone(), holders(challenge, &drawn)),
        None => return Err(InventoryError::NoInventory),
    };
    let cell = |(target, words): (usize, &Words)| {
        let cells = targets.get(target).map_or(0, |t: &Target| t.cells);
        Slot { target, cell: scale(words.u, cells) }
    };
    let slots = holders.into_iter().zip(&drawn.words).map(cell).collect();
    Ok(Sampled { binding: drawn.binding, targets, slots })
}

/// For each sample the named target that holds its position; none when there is nothing to draw from.
fn holders(challenge: &Challenge, drawn: &Draw) -> Vec<usize> {
    match challenge.targets.iter().try_fold(0u64, |sum, t| sum.checked_add(t.cells)) {
        None | Some(0) => Vec::new(),
        Some(total) => drawn.positions(total).map(|p| holder(&challenge.targets, p)).collect(),
    }
}

fn absorb(challenge: &Challenge) -> Transcript {
    // Every field by name: a new one does not compile until it is absorbed.
    let Challenge { class, vk, host, targets, inventory, epoch, beacon, auditor, nonce } = challenge;
    let mut t = Transcript::new(Label::Challenge.as_bytes());
    t.append_u64(b"version", CHALLENGE_VERSION);
    t.append_u64(b"class-samples", u64::from(class.samples));
    t.append_u64(b"class-depth", u64::from(class.depth));
    t.append_message(b"vk", vk.as_bytes());
    t.append_message(b"host", host.as_bytes());
    t.append_u64(b"targets", targets.len() as u64);
    for Target { name, generation, blake3, size, root, cells } in targets {
        t.append_message(b"owner", name.owner.as_bytes());
        t.append_message(b"object", name.object.as_bytes());
        t.append_message(b"unit", &name.unit.to_bytes());
        t.append_u64(b"generation", *generation);
        t.append_message(b"blake3", blake3.as_bytes());
        t.append_u64(b"size", *size);
        t.append_message(b"root", root.as_bytes());
        t.append_u64(b"cells", *cells);
    }
    // Only where there is one: the label tells the two kinds of challenge apart.
    if let Some(inventory) = inventory {
        t.append_message(b"inventory", &inventory.to_fixed());
    }
    t.append_u64(b"epoch", *epoch);
    // A beacon round is 88 bytes, so absent and present differ.
    let beacon = beacon.map(|b| b.transcript_bytes());
    t.append_message(b"beacon", beacon.as_ref().map_or(&[][..], |b| &b[..]));
    t.append_message(b"auditor", auditor.as_bytes());
    t.append_message(b"nonce", nonce.as_bytes());
    t
}

/// `floor(word · n / 2^128)`, exactly. Below `n` unless `n` is 0.
#[must_use]
pub const fn scale(word: u128, n: u64) -> u64 {
    let (low, high) = (word & u64::MAX as u128, word >> 64);
    // The sum stays below 2^128: (2^64 - 1)^2 + 2^64 - 1.
    let carry = (low * n as u128) >> 64;
    ((high * n as u128 + carry) >> 64) as u64
}

/// The target that holds a position among all cells.
fn holder(targets: &[Target], mut position: u64) -> usize {
    for (i, t) in targets.iter().enumerate() {
        if position < t.cells {
            return i;
        }
        position -= t.cells;
    }
    targets.len().saturating_sub(1)
}
