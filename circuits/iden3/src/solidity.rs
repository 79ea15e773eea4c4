//! A verifier contract for chains with an Ethereum virtual machine, and the call data it takes.
//!
//! The contract is our own, from EIP-196 and EIP-197 (`solidity/verifier.sol.in`). One key, one contract: the key's points are its constants.
//! A point of G2 stands in call data as x imaginary, x real, y imaginary, y real (EIP-197: "F_p^2 elements are encoded as two
//! elements, imaginary part first"), the other way round than in snarkjs' JSON.

use ark_bn254::{Fq, Fr, G1Affine, G2Affine};
use ark_ff::{BigInteger, PrimeField};
use bailiwick_groth16::{Proof, VerifyingKey};

use crate::json::{KeyPoints, ProofPoints, text};

const TEMPLATE: &str = include_str!("solidity/verifier.sol.in");

/// Name of the contract.
pub const CONTRACT_NAME: &str = "PossessionVerifier";

/// The function that verifies.
pub const SIGNATURE: &str = "verify(uint256[8],uint256[])";

/// First four bytes of Keccak-256 of [`SIGNATURE`]; `reference/solidity` compares it with the compiler's.
pub const SELECTOR: [u8; 4] = [0x8f, 0x33, 0x08, 0xd9];

/// Words of a proof.
pub const PROOF_WORDS: usize = 8;

/// Who can forge under the key a contract is for: its first line of documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trust {
    /// Everyone: a development key.
    Everyone,
    /// Whoever made the key.
    OneParty,
    /// Everybody who contributed to its ceremony, together.
    Ceremony,
    /// Not said by whoever exports it.
    Unstated,
}

impl Trust {
    const fn notice(self) -> &'static str {
        match self {
            Self::Everyone => "DEVELOPMENT KEY: anyone can forge proofs that this contract accepts.",
            Self::OneParty => {
                "SINGLE-PARTY KEY: whoever made it can forge. It convinces those who trust that party."
            }
            Self::Ceremony => {
                "CEREMONY KEY: sound if one of its contributors destroyed their secret, and one of phase 1 theirs. Compare its transcript with one you trust."
            }
            Self::Unstated => {
                "Where the key came from is not stated: look its digest up before you trust it."
            }
        }
    }
}

/// Source of the verifier contract of a key.
#[must_use]
pub fn contract(vk: &VerifyingKey, trust: Trust) -> String {
    let points = KeyPoints::of(vk);
    let mut out = TEMPLATE
        .replace("@NOTICE@", trust.notice())
        .replace("@NAME@", CONTRACT_NAME)
        .replace("@DIGEST@", &format!("0x{}", hex::encode(vk.digest().as_bytes())))
        .replace("@INPUTS@", &vk.inputs().to_string());
    let mut put = |name: &str, value: String| out = out.replace(&format!("@{name}@"), &value);
    for (name, p) in [("BETA", -points.beta), ("GAMMA", -points.gamma), ("DELTA", -points.delta)] {
        for (coordinate, value) in ["XI", "XR", "YI", "YR"].iter().zip(words_g2(&p)) {
            put(&format!("{name}_{coordinate}"), text(&value));
        }
    }
    let mut inputs = points.input_points.iter();
    for (name, p) in [("ALPHA", Some(&points.alpha)), ("IC0", inputs.next())] {
        let p = p.copied().unwrap_or_default();
        put(&format!("{name}_X"), text(&p.x));
        put(&format!("{name}_Y"), text(&p.y));
    }
    put("FOLDS", inputs.enumerate().map(|(i, p)| fold(i, p)).collect());
    out
}

fn fold(index: usize, p: &G1Affine) -> String {
    let indent = "        ";
    format!(
        "{indent}(x, y) = _fold(\n{indent}    x,\n{indent}    y,\n{indent}    {},\n{indent}    {},\n{indent}    inputs,\n{indent}    {index}\n{indent});\n",
        text(&p.x),
        text(&p.y)
    )
}

fn words_g2(p: &G2Affine) -> [Fq; 4] {
    [p.x.c1, p.x.c0, p.y.c1, p.y.c0]
}

/// The words of a proof, in the contract's order, each 32 bytes big-endian.
#[must_use]
pub fn proof_words(proof: &Proof) -> [[u8; 32]; PROOF_WORDS] {
    let p = ProofPoints::of(proof);
    let [xi, xr, yi, yr] = words_g2(&p.b);
    [p.a.x, p.a.y, xi, xr, yi, yr, p.c.x, p.c.y].map(|x| word(&x))
}

/// A field element as a word: 32 bytes big-endian.
#[must_use]
pub fn input_word(input: &Fr) -> [u8; 32] {
    word(input)
}

fn word(x: &impl PrimeField) -> [u8; 32] {
    let mut out = [0; 32];
    let bytes = x.into_bigint().to_bytes_be();
    // Both fields of BN254 have elements of 32 bytes.
    out.copy_from_slice(&bytes);
    out
}

/// Call data of [`SIGNATURE`] by the contract ABI: selector, the proof's words, where the list begins, its length, the inputs.
#[must_use]
pub fn call_data(proof: &Proof, inputs: &[Fr]) -> Vec<u8> {
    let number = |n: usize| word(&Fr::from(n as u64));
    let mut out = SELECTOR.to_vec();
    out.extend(proof_words(proof).as_flattened());
    out.extend(number((PROOF_WORDS + 1) * 32));
    out.extend(number(inputs.len()));
    out.extend(inputs.iter().flat_map(word));
    out
}
