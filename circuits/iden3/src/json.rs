//! Verifying keys, proofs and public inputs as snarkjs writes them.
//!
//! | file | members |
//! |---|---|
//! | `verification_key.json` | `protocol`, `curve`, `nPublic`, `vk_alpha_1`, `vk_beta_2`, `vk_gamma_2`, `vk_delta_2`, `IC`; `vk_alphabeta_12` may be there |
//! | `proof.json` | `pi_a`, `pi_b`, `pi_c`, `protocol`, `curve` |
//! | `public.json` | a list of the inputs, without the leading 1 |
//!
//! Numbers are decimal strings. A point of G1 is `[x, y, "1"]`; of G2 `[[x.c0, x.c1], [y.c0, y.c1], ["1", "0"]]`, real parts first (in
//! Solidity's call data they come second, see [`crate::solidity`]). Source: snarkjs 0.7, which is the one definition there is.
//!
//! The readers are stricter than snarkjs, which reduces coordinates modulo q, ignores members it does not know and does not compare
//! `nPublic` with anything: here a number is below its modulus and has no leading zero, members are exactly these, and what was read
//! passes the same gates as a binary key or proof ([`VerifyingKey::from_bytes`], [`Proof::from_bytes`]).

mod number;
mod point;

use ark_bn254::{Bn254, Fr, G1Affine, G2Affine};
use ark_ec::pairing::Pairing;
use ark_ff::PrimeField;
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use bailiwick_groth16::{KeyError, Proof, ProofError, VerifyingKey};
use serde::{Deserialize, Serialize};

pub(crate) use number::text;
use point::{PairText, PointText, TwistText};

/// Bytes of a `verification_key.json`, at most: the most inputs a key may have, and room for white space.
pub const KEY_TEXT_BYTES_MAX: usize = 1 << 19;
/// Bytes of a `proof.json`, at most.
pub const PROOF_TEXT_BYTES_MAX: usize = 1 << 13;
/// Bytes of a `public.json`, at most.
pub const PUBLIC_TEXT_BYTES_MAX: usize = 1 << 17;

const PROTOCOL: &str = "groth16";
const CURVE: &str = "bn128";

/// Why text is not what snarkjs writes for BN254 and Groth16.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// Longer than its kind may be.
    #[error("{found} bytes of JSON, more than {limit}")]
    TooLong {
        /// Bytes found.
        found: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Not JSON, or a member that is missing, unknown, double or of another type.
    #[error("JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// Of another proof system or curve.
    #[error("not of protocol groth16 over curve bn128")]
    System,
    /// Not a number in its one spelling below its modulus.
    #[error("{0}: not a decimal number below the modulus, without leading zeros")]
    Number(&'static str),
    /// The third coordinate is not 1: the point at infinity, or one in a second spelling.
    #[error("{0}: the third coordinate of a point must be 1")]
    Scale(&'static str),
    /// A point off its curve or outside the prime-order subgroup.
    #[error("{0}: not a point of the prime-order group")]
    Point(&'static str),
    /// `nPublic` is not what the list of input points says.
    #[error("the key announces {announced} public inputs and has points for {found}")]
    Count {
        /// `nPublic`.
        announced: u64,
        /// One less than the length of `IC`.
        found: u64,
    },
    /// `vk_alphabeta_12` is not the pairing of alpha and beta.
    #[error("vk_alphabeta_12 is not the pairing of vk_alpha_1 and vk_beta_2")]
    AlphaBeta,
    /// The key is one that must not be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The proof is malformed.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyText {
    protocol: String,
    curve: String,
    #[serde(rename = "nPublic")]
    inputs: u64,
    vk_alpha_1: PointText,
    vk_beta_2: TwistText,
    vk_gamma_2: TwistText,
    vk_delta_2: TwistText,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vk_alphabeta_12: Option<[[PairText; 3]; 2]>,
    #[serde(rename = "IC")]
    input_points: Vec<PointText>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProofText {
    pi_a: PointText,
    pi_b: TwistText,
    pi_c: PointText,
    protocol: String,
    curve: String,
}

/// The points of a verifying key.
#[derive(CanonicalSerialize, CanonicalDeserialize)]
pub(crate) struct KeyPoints {
    pub(crate) alpha: G1Affine,
    pub(crate) beta: G2Affine,
    pub(crate) gamma: G2Affine,
    pub(crate) delta: G2Affine,
    pub(crate) input_points: Vec<G1Affine>,
}

/// The points of a proof.
#[derive(CanonicalSerialize, CanonicalDeserialize)]
pub(crate) struct ProofPoints {
    pub(crate) a: G1Affine,
    pub(crate) b: G2Affine,
    pub(crate) c: G1Affine,
}

impl KeyPoints {
    pub(crate) fn of(vk: &VerifyingKey) -> Self {
        Self::deserialize_compressed(vk.as_bytes()).expect("a verifying key holds its one canonical encoding")
    }
}

impl ProofPoints {
    pub(crate) fn of(proof: &Proof) -> Self {
        Self::deserialize_compressed(proof.to_bytes().as_slice())
            .expect("a proof holds its one canonical encoding")
    }
}

fn compressed(points: &impl CanonicalSerialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(points.compressed_size());
    points.serialize_compressed(&mut bytes).expect("a vector takes every byte");
    bytes
}

fn pretty(value: &impl Serialize) -> String {
    let mut out =
        serde_json::to_string_pretty(value).expect("members are strings, numbers and lists of them");
    out.push('\n');
    out
}

fn bounded(found: usize, limit: usize) -> Result<(), JsonError> {
    if found <= limit { Ok(()) } else { Err(JsonError::TooLong { found, limit }) }
}

fn system(protocol: &str, curve: &str) -> Result<(), JsonError> {
    if protocol == PROTOCOL && curve == CURVE { Ok(()) } else { Err(JsonError::System) }
}

/// `verification_key.json` of a key, without `vk_alphabeta_12`, which verifiers do not need.
#[must_use]
pub fn verification_key(vk: &VerifyingKey) -> String {
    let points = KeyPoints::of(vk);
    pretty(&KeyText {
        protocol: PROTOCOL.to_owned(),
        curve: CURVE.to_owned(),
        inputs: vk.inputs() as u64,
        vk_alpha_1: point::write_g1(&points.alpha),
        vk_beta_2: point::write_g2(&points.beta),
        vk_gamma_2: point::write_g2(&points.gamma),
        vk_delta_2: point::write_g2(&points.delta),
        vk_alphabeta_12: None,
        input_points: points.input_points.iter().map(point::write_g1).collect(),
    })
}

/// The key of a `verification_key.json`, linted like every key.
///
/// # Errors
/// [`JsonError`]. `vk_alphabeta_12`, if there, must be the pairing of alpha and beta.
pub fn read_verification_key(json: &[u8]) -> Result<VerifyingKey, JsonError> {
    bounded(json.len(), KEY_TEXT_BYTES_MAX)?;
    let key: KeyText = serde_json::from_slice(json)?;
    system(&key.protocol, &key.curve)?;
    let found = key.input_points.len() as u64;
    if key.inputs.checked_add(1) != Some(found) {
        return Err(JsonError::Count { announced: key.inputs, found: found.saturating_sub(1) });
    }
    let points = KeyPoints {
        alpha: point::read_g1("vk_alpha_1", &key.vk_alpha_1)?,
        beta: point::read_g2("vk_beta_2", &key.vk_beta_2)?,
        gamma: point::read_g2("vk_gamma_2", &key.vk_gamma_2)?,
        delta: point::read_g2("vk_delta_2", &key.vk_delta_2)?,
        input_points: key.input_points.iter().map(|p| point::read_g1("IC", p)).collect::<Result<_, _>>()?,
    };
    let vk = VerifyingKey::from_bytes(&compressed(&points))?;
    if let Some(claimed) = &key.vk_alphabeta_12 {
        let pairing = Bn254::pairing(points.alpha, points.beta).0;
        let part = |c: &ark_bn254::Fq6| [&c.c0, &c.c1, &c.c2].map(|c| [text(&c.c0), text(&c.c1)]);
        if *claimed != [part(&pairing.c0), part(&pairing.c1)] {
            return Err(JsonError::AlphaBeta);
        }
    }
    Ok(vk)
}

/// `proof.json` of a proof.
#[must_use]
pub fn proof(proof: &Proof) -> String {
    let points = ProofPoints::of(proof);
    pretty(&ProofText {
        pi_a: point::write_g1(&points.a),
        pi_b: point::write_g2(&points.b),
        pi_c: point::write_g1(&points.c),
        protocol: PROTOCOL.to_owned(),
        curve: CURVE.to_owned(),
    })
}

/// The proof of a `proof.json`. Well-formed, not verified.
///
/// # Errors
/// [`JsonError`].
pub fn read_proof(json: &[u8]) -> Result<Proof, JsonError> {
    bounded(json.len(), PROOF_TEXT_BYTES_MAX)?;
    let proof: ProofText = serde_json::from_slice(json)?;
    system(&proof.protocol, &proof.curve)?;
    let points = ProofPoints {
        a: point::read_g1("pi_a", &proof.pi_a)?,
        b: point::read_g2("pi_b", &proof.pi_b)?,
        c: point::read_g1("pi_c", &proof.pi_c)?,
    };
    Ok(Proof::from_bytes(&compressed(&points))?)
}

/// `public.json` of public inputs.
#[must_use]
pub fn public(inputs: &[Fr]) -> String {
    pretty(&inputs.iter().map(text).collect::<Vec<_>>())
}

/// The inputs of a `public.json`. How many there must be is the key's word, compared when a proof is verified.
///
/// # Errors
/// [`JsonError`].
pub fn read_public(json: &[u8]) -> Result<Vec<Fr>, JsonError> {
    bounded(json.len(), PUBLIC_TEXT_BYTES_MAX)?;
    let inputs: Vec<String> = serde_json::from_slice(json)?;
    inputs.iter().map(|n| number::read(n).ok_or(JsonError::Number("public input"))).collect()
}

/// A field's elements, as decimal text and back.
pub(crate) trait Element: PrimeField<BigInt = ark_ff::BigInt<4>> {}
impl<F: PrimeField<BigInt = ark_ff::BigInt<4>>> Element for F {}
