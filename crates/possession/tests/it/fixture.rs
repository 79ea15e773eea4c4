//! Bodies, challenges and witnesses the tests share.

use bailiwick_possession::challenge::{Sampled, sampled};
use bailiwick_possession::opening::{Opening, open};
use bailiwick_possession::statement::{Witness, lifted_roots};
use bailiwick_possession::tree::{BLOCK_BYTES, CellTree, commit};
use bailiwick_protocol::challenge::{Challenge, Target};
use bailiwick_protocol::ids::{
    AuditorKey, ClassId, ContentId, HostKey, Nonce, ObjectId, OwnerKey, Unit, UnitName, VkDigest,
};

/// `len` bytes that look random and depend on `seed`.
pub(crate) fn body(len: usize, seed: u8) -> Vec<u8> {
    let mut out = vec![0; len];
    let mut reader = blake3::Hasher::new().update(&[seed]).finalize_xof();
    reader.fill(&mut out);
    out
}

pub(crate) fn tree(body: &[u8]) -> CellTree {
    commit([body]).expect("not empty")
}

pub(crate) fn block_of(body: &[u8], cell: u64) -> &[u8] {
    let start = cell as usize / 256 * BLOCK_BYTES;
    &body[start..body.len().min(start + BLOCK_BYTES)]
}

pub(crate) fn open_cell(tree: &CellTree, body: &[u8], cell: u64, depth: u8) -> Opening {
    open(tree, cell, depth, block_of(body, cell)).expect("an honest opening")
}

pub(crate) fn target(body: &[u8], object: u8) -> Target {
    let t = tree(body);
    Target {
        name: UnitName { owner: OwnerKey([7; 32]), object: ObjectId([object; 16]), unit: Unit::WHOLE },
        generation: 3,
        blake3: ContentId(blake3::hash(body).into()),
        size: t.size(),
        root: t.root(),
        cells: t.cells(),
    }
}

pub(crate) fn challenge(class: ClassId, bodies: &[Vec<u8>]) -> Challenge {
    Challenge {
        class,
        vk: VkDigest([1; 32]),
        host: HostKey([2; 32]),
        targets: (0..).zip(bodies).map(|(i, b)| target(b, i)).collect(),
        inventory: None,
        epoch: 0,
        beacon: None,
        auditor: AuditorKey([4; 32]),
        nonce: Nonce([5; 32]),
    }
}

/// What a challenge over named objects asks for.
pub(crate) fn draw(challenge: &Challenge) -> Sampled {
    sampled(challenge, &[]).expect("no leaves")
}

/// The honest witness of a challenge over these bodies.
pub(crate) fn witness(challenge: &Challenge, bodies: &[Vec<u8>]) -> Witness {
    let drawn = draw(challenge);
    let roots = lifted_roots(challenge.class, &drawn).expect("an honest challenge");
    let trees: Vec<_> = bodies.iter().map(|b| tree(b)).collect();
    let openings = drawn
        .slots
        .iter()
        .map(|s| {
            (roots[s.target], open_cell(&trees[s.target], &bodies[s.target], s.cell, challenge.class.depth))
        })
        .collect();
    Witness { binding: drawn.binding, openings }
}
