//! Proof that two pairs have the same discrete logarithm (Chaum and Pedersen, Crypto 1992), made non-interactive by a transcript
//! that holds the whole statement.

use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::VartimeMultiscalarMul as _;
use merlin::Transcript;
use rand_core::CryptoRng;

use crate::point::{Element, decode_scalar, halves, joined};
use crate::transcript::{Hedge, TranscriptExt as _};

/// Challenge ‖ answer, 32 bytes each.
pub(crate) type ProofBytes = [u8; 64];

/// `y1 = x·g1` and `y2 = x·g2`.
pub(crate) struct Statement<'a> {
    pub(crate) g1: &'a Element,
    pub(crate) y1: &'a Element,
    pub(crate) g2: &'a Element,
    pub(crate) y2: &'a Element,
}

/// Absorbs the statement that is proved. What it is about stands in the transcript before it.
fn absorb(t: &mut Transcript, s: &Statement<'_>) {
    t.append_element(b"g1", s.g1);
    t.append_element(b"y1", s.y1);
    t.append_element(b"g2", s.g2);
    t.append_element(b"y2", s.y2);
}

fn challenge(t: &mut Transcript, r1: &RistrettoPoint, r2: &RistrettoPoint) -> Scalar {
    t.append_element(b"r1", &Element::from(*r1));
    t.append_element(b"r2", &Element::from(*r2));
    t.draw_scalar(b"c")
}

/// Proves `statement` with its logarithm `x`.
pub(crate) fn prove(
    mut t: Transcript,
    statement: &Statement<'_>,
    x: &Scalar,
    rng: &mut impl CryptoRng,
) -> ProofBytes {
    absorb(&mut t, statement);
    let r = Hedge::new(&t, &[x.as_bytes()], rng).scalar();
    let c = challenge(&mut t, &(*r * statement.g1.point), &(*r * statement.g2.point));
    let z = *r + c * x;
    joined(c.as_bytes(), z.as_bytes())
}

/// Whether `proof` proves `statement` in this transcript.
///
/// Its time depends on the scalars of the proof, which are public, and not on the points, among which may be a share.
pub(crate) fn holds(mut t: Transcript, statement: &Statement<'_>, proof: &ProofBytes) -> bool {
    let (c, z) = halves(proof);
    let (Some(c), Some(z)) = (decode_scalar(&c), decode_scalar(&z)) else { return false };
    absorb(&mut t, statement);
    let r = |g: &Element, y: &Element| RistrettoPoint::vartime_multiscalar_mul([z, -c], [g.point, y.point]);
    challenge(&mut t, &r(statement.g1, statement.y1), &r(statement.g2, statement.y2)) == c
}
