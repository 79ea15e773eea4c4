//! The hash chain of a ceremony: BLAKE2b-512 over the circuit hash and every contribution's public key.

use ark_bn254::{G1Affine, G2Affine};
use blake2::{Blake2b512, Digest};

use crate::points::{Point, hashed};
use crate::zkey::Contribution;

/// Everything said so far.
#[derive(Clone)]
pub(super) struct Transcript(Blake2b512);

impl Transcript {
    /// After the initial key.
    pub(super) fn new(circuit_hash: &[u8; 64]) -> Self {
        Self(Blake2b512::new().chain_update(circuit_hash))
    }

    /// After one more contribution.
    pub(super) fn absorb(&mut self, c: &Contribution) {
        self.0.update(public_key(c));
    }

    /// What a contributor answers: the chain so far, then s and d·s.
    pub(super) fn challenge(&self, s: G1Affine, sx: G1Affine) -> [u8; 64] {
        self.0.clone().chain_update(hashed(&[s, sx])).finalize().into()
    }
}

/// What is hashed of a contribution: delta after it, s, d·s, d·(point of the transcript), the transcript.
fn public_key(c: &Contribution) -> Vec<u8> {
    let mut out = hashed(&[c.delta_after, c.s, c.sx]);
    c.spx.write_hashed(&mut out);
    out.extend_from_slice(&c.transcript);
    out
}

/// The hash a contributor publishes, so that everyone can see that theirs is in the final key.
#[must_use]
pub fn contribution_hash(c: &Contribution) -> [u8; 64] {
    Blake2b512::digest(public_key(c)).into()
}

/// Hash of an initial key, fed in the order snarkjs writes its sections.
pub(super) struct CircuitHasher(Blake2b512);

impl CircuitHasher {
    pub(super) fn new() -> Self {
        Self(Blake2b512::new())
    }

    pub(super) fn g1(&mut self, point: G1Affine) {
        self.0.update(hashed(&[point]));
    }

    pub(super) fn g2(&mut self, point: G2Affine) {
        self.0.update(hashed(&[point]));
    }

    /// The number of points, big-endian, before them.
    pub(super) fn length(&mut self, points: u32) {
        self.0.update(points.to_be_bytes());
    }

    pub(super) fn points<P: Point>(&mut self, points: &[P]) {
        for piece in points.chunks(1 << 14) {
            self.0.update(hashed(piece));
        }
    }

    pub(super) fn finish(self) -> [u8; 64] {
        self.0.finalize().into()
    }
}
