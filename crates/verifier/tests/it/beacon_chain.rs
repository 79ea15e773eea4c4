//! A drand chain whose secret the tests know: what a threshold of operators could sign ahead of time.

use ark_bls12_381::{Fr, G1Affine, G1Projective, G2Projective, g1};
use ark_ec::hashing::HashToCurve;
use ark_ec::hashing::curve_maps::wb::WBMap;
use ark_ec::hashing::map_to_curve_hasher::MapToCurveBasedHasher;
use ark_ec::{CurveGroup, PrimeGroup};
use ark_ff::field_hashers::DefaultFieldHasher;
use ark_serialize::CanonicalSerialize;
use bailiwick_beacon::{ChainInfo, Scheme};
use bailiwick_protocol::beacon::BeaconRound;
use sha2_for_ark::Digest;

type Hasher =
    MapToCurveBasedHasher<G1Projective, DefaultFieldHasher<sha2_for_ark::Sha256, 128>, WBMap<g1::Config>>;

fn compressed(point: impl CanonicalSerialize) -> Vec<u8> {
    let mut out = Vec::new();
    point.serialize_compressed(&mut out).unwrap();
    out
}

fn secret() -> Fr {
    Fr::from(0x1234_5678_9abc_def0_u64)
}

/// A round each second since 2026-11-01T00:00:00Z.
pub(crate) const GENESIS: u64 = 1_793_491_200;

pub(crate) fn chain() -> ChainInfo {
    let public_key = compressed((G2Projective::generator() * secret()).into_affine()).try_into().unwrap();
    let mut chain = ChainInfo {
        hash: [0; 32],
        public_key,
        genesis: GENESIS,
        period: 1,
        group_hash: [5; 32],
        scheme: Scheme::BlsUnchainedG1Rfc9380,
        id: "test".into(),
    };
    chain.hash = chain.computed_hash();
    chain
}

pub(crate) fn anchors() -> String {
    let c = chain();
    format!(
        "[beacon]\nhash = \"{}\"\npublic_key = \"{}\"\ngenesis_time = {}\nperiod = {}\ngroup_hash = \"{}\"\nid = \"{}\"\n",
        hex::encode(c.hash),
        hex::encode(c.public_key),
        c.genesis,
        c.period,
        hex::encode(c.group_hash),
        c.id
    )
}

pub(crate) fn round(number: u64) -> BeaconRound {
    let hasher = Hasher::new(b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_").unwrap();
    let point: G1Affine = hasher.hash(&sha2_for_ark::Sha256::digest(number.to_be_bytes())).unwrap();
    let signature = compressed((G1Projective::from(point) * secret()).into_affine()).try_into().unwrap();
    BeaconRound { chain: chain().hash, round: number, signature }
}

/// When a round is published, milliseconds.
pub(crate) fn published(number: u64) -> u64 {
    (GENESIS + number - 1) * 1000
}
