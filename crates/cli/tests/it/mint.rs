//! A beacon chain of the tests' own, whose key is known, so that rounds of any number can be made.

use std::borrow::Cow;

use ark_bls12_381::{Fr, G1Affine, G1Projective, G2Affine, g1};
use ark_ec::hashing::HashToCurve as _;
use ark_ec::hashing::curve_maps::wb::WBMap;
use ark_ec::hashing::map_to_curve_hasher::MapToCurveBasedHasher;
use ark_ec::{AffineRepr as _, CurveGroup as _};
use ark_ff::field_hashers::DefaultFieldHasher;
use ark_serialize::CanonicalSerialize as _;
use bailiwick_beacon::{BeaconRound, ChainInfo, Scheme};
use sha2::Digest as _;

type Hasher =
    MapToCurveBasedHasher<G1Projective, DefaultFieldHasher<sha2_for_ark::Sha256, 128>, WBMap<g1::Config>>;

/// Known to everyone: good for tests only.
const SECRET: u64 = 42;

/// A chain with a round every `period` seconds from `genesis` on.
pub(crate) fn chain(genesis: u64, period: u32) -> ChainInfo {
    let mut public_key = [0; 96];
    let key = (G2Affine::generator() * Fr::from(SECRET)).into_affine();
    key.serialize_compressed(&mut public_key[..]).unwrap();
    let mut chain = ChainInfo {
        hash: [0; 32],
        public_key,
        genesis,
        period,
        group_hash: [7; 32],
        scheme: Scheme::BlsUnchainedG1Rfc9380,
        id: Cow::Borrowed("test"),
    };
    chain.hash = chain.computed_hash();
    chain
}

/// Round `number` of the chain.
pub(crate) fn round(chain: &ChainInfo, number: u64) -> BeaconRound {
    let message = sha2::Sha256::digest(number.to_be_bytes());
    let hasher = Hasher::new(b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_").unwrap();
    let point: G1Affine = hasher.hash(&message).unwrap();
    let mut signature = [0; 48];
    (point * Fr::from(SECRET)).into_affine().serialize_compressed(&mut signature[..]).unwrap();
    BeaconRound { chain: chain.hash, round: number, signature }
}

/// The chain as a file for `--beacon-chain`, and as the table of the trust anchors.
pub(crate) fn chain_file(chain: &ChainInfo) -> String {
    format!(
        "[beacon]\nhash = \"{}\"\npublic_key = \"{}\"\ngenesis_time = {}\nperiod = {}\ngroup_hash = \"{}\"\nid = \"{}\"\n",
        hex::encode(chain.hash),
        hex::encode(chain.public_key),
        chain.genesis,
        chain.period,
        hex::encode(chain.group_hash),
        chain.id
    )
}
