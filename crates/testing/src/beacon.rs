//! A beacon chain of the simulation's own, whose key is known, so that rounds of any number can be made.

use std::borrow::Cow;
use std::collections::BTreeMap;

use ark_bls12_381::{Fr, G1Affine, G1Projective, G2Affine, g1};
use ark_ec::hashing::HashToCurve as _;
use ark_ec::hashing::curve_maps::wb::WBMap;
use ark_ec::hashing::map_to_curve_hasher::MapToCurveBasedHasher;
use ark_ec::{AffineRepr as _, CurveGroup as _};
use ark_ff::field_hashers::DefaultFieldHasher;
use ark_serialize::CanonicalSerialize as _;
use bailiwick_auditor::{Beacon, Clock as _, Fault};
use bailiwick_beacon::{BeaconRound, ChainInfo, Round, Scheme};
use sha2_for_ark::Digest as _;

use crate::clock::MockClock;
use crate::faults::Faults;

type Hasher =
    MapToCurveBasedHasher<G1Projective, DefaultFieldHasher<sha2_for_ark::Sha256, 128>, WBMap<g1::Config>>;

/// Known to everyone: good for tests only.
const SECRET: u64 = 42;
/// Seconds since 1970-01-01 UTC of round 1.
const GENESIS: u64 = 1_800_000_000;
/// Seconds between rounds.
const PERIOD: u32 = 3;
/// The tag of drand's signatures on G1.
const DOMAIN: &[u8] = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_";

/// The chain.
#[derive(Clone, Debug)]
pub struct BeaconChain(ChainInfo);

impl Default for BeaconChain {
    fn default() -> Self {
        Self::new(GENESIS, PERIOD)
    }
}

impl BeaconChain {
    /// A chain with a round every `period` seconds from `genesis` on, seconds since 1970-01-01 UTC.
    ///
    /// # Panics
    /// Never: the key is a constant.
    #[must_use]
    pub fn new(genesis: u64, period: u32) -> Self {
        let mut public_key = [0; 96];
        let key = (G2Affine::generator() * Fr::from(SECRET)).into_affine();
        key.serialize_compressed(&mut public_key[..]).expect("a compressed point of G2 has 96 bytes");
        let mut chain = ChainInfo {
            hash: [0; 32],
            public_key,
            genesis,
            period,
            group_hash: [7; 32],
            scheme: Scheme::BlsUnchainedG1Rfc9380,
            id: Cow::Borrowed("simulation"),
        };
        chain.hash = chain.computed_hash();
        Self(chain)
    }

    /// Its parameters.
    #[must_use]
    pub fn info(&self) -> &ChainInfo {
        &self.0
    }

    /// The table `[beacon]` of the trust anchors, which is also a file for `--beacon-chain`.
    #[must_use]
    pub fn table(&self) -> String {
        let ChainInfo { hash, public_key, genesis, period, group_hash, id, .. } = &self.0;
        format!(
            "[beacon]\nhash = \"{}\"\npublic_key = \"{}\"\ngenesis_time = {genesis}\nperiod = {period}\ngroup_hash = \"{}\"\nid = \"{id}\"\n",
            hex::encode(hash),
            hex::encode(public_key),
            hex::encode(group_hash),
        )
    }

    /// When a round is published, Unix milliseconds.
    ///
    /// # Panics
    /// For round 0, which there is not.
    #[must_use]
    pub fn published_ms(&self, round: u64) -> u64 {
        let round = Round::new(round).expect("rounds are numbered from 1");
        self.0.published_at(round).expect("a round of this century")
    }

    /// Round `number`, signed.
    ///
    /// # Panics
    /// Never: the parameters are constants.
    #[must_use]
    pub fn round(&self, number: u64) -> BeaconRound {
        let message = sha2_for_ark::Sha256::digest(number.to_be_bytes());
        let hasher = Hasher::new(DOMAIN).expect("the suite's own parameters");
        let point: G1Affine = hasher.hash(&message).expect("hashing to the curve takes every message");
        let mut signature = [0; 48];
        let signed = (point * Fr::from(SECRET)).into_affine();
        signed.serialize_compressed(&mut signature[..]).expect("a compressed point of G1 has 48 bytes");
        BeaconRound { chain: self.0.hash, round: number, signature }
    }
}

/// Gives rounds that are published, now and then only when asked again.
pub(crate) struct SimulatedBeacon {
    pub(crate) chain: BeaconChain,
    pub(crate) clock: MockClock,
    pub(crate) faults: Faults,
    pub(crate) asked: BTreeMap<u64, u64>,
}

impl Beacon for SimulatedBeacon {
    fn round(&mut self, number: u64) -> Result<BeaconRound, Fault> {
        let unavailable = |why: &str| Fault::Unavailable { who: "the beacon", why: why.to_owned() };
        if self.clock.now_ms() < self.chain.published_ms(number) {
            return Err(unavailable("not published yet"));
        }
        let asked = self.asked.entry(number).or_default();
        *asked += 1;
        if *asked <= self.faults.failures(&format!("beacon {number}")) {
            return Err(unavailable("scripted"));
        }
        Ok(self.chain.round(number))
    }
}
