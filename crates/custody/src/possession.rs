//! Proofs of possession: whoever made a custodian's key knew its secret (Schnorr, Crypto 1989; spec custody, clauses K4 and K13).

use bailiwick_protocol::labels::Label;
use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT;
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::VartimeMultiscalarMul as _;
use merlin::Transcript;

use crate::key::CustodianKey;
use crate::point::{Element, decode_scalar, halves, joined};
use crate::transcript::{Hedge, TranscriptExt as _, transcript};

/// What is proved: `t` is empty, of [`Label::CustodyPossession`].
fn absorb(mut t: Transcript, element: &Element, receipt: &[u8; 32], kem_digest: &[u8; 32]) -> Transcript {
    t.append_element(b"key", element);
    t.append_message(b"receipt-key", receipt);
    t.append_message(b"kem-key", kem_digest);
    t
}

/// R ‖ z by the secret `x` of `element`, the same every time.
pub(crate) fn prove(x: &Scalar, element: &Element, receipt: &[u8; 32], kem_digest: &[u8; 32]) -> [u8; 64] {
    let mut t = absorb(transcript(Label::CustodyPossession), element, receipt, kem_digest);
    // One statement per secret, so a nonce that depends on both never answers two challenges (as in RFC 8032).
    let r = Hedge::deterministic(&t, x.as_bytes()).scalar();
    let commitment = Element::from(RistrettoPoint::mul_base(&r));
    t.append_element(b"r", &commitment);
    let z = *r + t.draw_scalar(b"c") * x;
    joined(&commitment.bytes, z.as_bytes())
}

/// One proof as numbers.
struct Read {
    r: RistrettoPoint,
    c: Scalar,
    z: Scalar,
}

impl CustodianKey {
    /// The proof, if it can be read. `empty` is the transcript before anything was absorbed.
    fn proof(&self, empty: &Transcript) -> Option<Read> {
        let (r, z) = halves(&self.possession);
        let z = decode_scalar(&z)?;
        let mut t = absorb(empty.clone(), &self.element, &self.receipt, &self.kem_digest);
        t.append_message(b"r", &r);
        Some(Read { r: Element::decode(&r).ok()?.point, c: t.draw_scalar(b"c"), z })
    }

    /// Whether whoever made the key knew its secret: z·G = R + c·E.
    pub(crate) fn is_possessed(&self) -> bool {
        self.proof(&transcript(Label::CustodyPossession)).is_some_and(|p| {
            RistrettoPoint::vartime_double_scalar_mul_basepoint(&-p.c, &self.element.point, &p.z) == p.r
        })
    }
}

/// The proofs of many keys as one sum that is zero if all hold, and else only with probability 2^-128:
/// `sum ρ_i (R_i + c_i E_i - z_i G)`, with weights ρ_i of 128 bits drawn from a hash of every key and proof.
pub(crate) struct Batch {
    /// ρ_i.
    weights: Vec<Scalar>,
    commitments: Vec<RistrettoPoint>,
    /// ρ_i·c_i.
    of_keys: Vec<Scalar>,
    /// - sum ρ_i·z_i.
    of_base: Scalar,
}

impl Batch {
    /// None if a proof is no point and scalar.
    pub(crate) fn new<'a>(keys: impl Iterator<Item = &'a CustodianKey> + Clone) -> Option<Self> {
        let mut hasher = blake3::Hasher::new_derive_key(Label::CustodyPossessionBatch.as_str());
        for k in keys.clone() {
            for part in [&k.element.bytes[..], &k.receipt, &k.kem_digest, &k.possession] {
                hasher.update(part);
            }
        }
        let mut drawn = hasher.finalize_xof();
        let empty = transcript(Label::CustodyPossession);
        let mut batch =
            Self { weights: Vec::new(), commitments: Vec::new(), of_keys: Vec::new(), of_base: Scalar::ZERO };
        for key in keys {
            let proof = key.proof(&empty)?;
            let mut wide = [0; 16];
            drawn.fill(&mut wide);
            let weight = Scalar::from(u128::from_le_bytes(wide));
            batch.weights.push(weight);
            batch.commitments.push(proof.r);
            batch.of_keys.push(weight * proof.c);
            batch.of_base -= weight * proof.z;
        }
        Some(batch)
    }

    /// `sum w_i E_i` plus the sum that is zero if every proof holds: one sum for both, since both run over the keys.
    ///
    /// The short weights stand positive, so that their upper halves are zero and cost nothing.
    pub(crate) fn added_to<'a>(
        self,
        weights: &[Scalar],
        keys: impl Iterator<Item = &'a CustodianKey>,
    ) -> RistrettoPoint {
        let of_keys = weights.iter().zip(&self.of_keys).map(|(w, c)| w + c);
        let scalars = of_keys.chain(self.weights.iter().copied()).chain([self.of_base]);
        let points = keys.map(|k| k.element.point).chain(self.commitments).chain([RISTRETTO_BASEPOINT_POINT]);
        RistrettoPoint::vartime_multiscalar_mul(scalars, points)
    }
}
