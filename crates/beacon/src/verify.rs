//! BLS verification of a round, and the checks around it.

use ark_bls12_381::{Bls12_381, G1Affine, G1Projective, G2Affine, g1};
use ark_ec::AffineRepr as _;
use ark_ec::hashing::curve_maps::wb::WBMap;
use ark_ec::hashing::map_to_curve_hasher::MapToCurveBasedHasher;
use ark_ec::hashing::{HashToCurve as _, HashToCurveError};
use ark_ec::pairing::Pairing;
use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use ark_ff::Zero as _;
use ark_ff::field_hashers::DefaultFieldHasher;
use ark_serialize::CanonicalDeserialize as _;
use bailiwick_protocol::beacon::BeaconRound;
use sha2::Digest as _;

use crate::chain::{ChainError, ChainInfo};
use crate::round::{Round, TimeError};

/// Tag of the BLS draft's basic scheme with signatures on G1 (draft-irtf-cfrg-bls-signature section 4.2.1).
const DOMAIN: &[u8] = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_";

/// RFC 9380 section 8.8.1, suite `BLS12381G1_XMD:SHA-256_SSWU_RO_`, security parameter 128 bits.
type HashToG1 =
    MapToCurveBasedHasher<G1Projective, DefaultFieldHasher<sha2_for_ark::Sha256, 128>, WBMap<g1::Config>>;

/// Bytes that are no acceptable point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PointError {
    /// Wrong flags, a coordinate at or above the modulus, no point of the curve, or a point outside the subgroup of
    /// prime order. One error for all: the library's checked decoding does not tell them apart, and the unchecked one
    /// is not used.
    #[error("not the canonical compressed encoding of a point in the subgroup of prime order")]
    Encoding,
    /// The point at infinity, under which everything would verify.
    #[error("the identity")]
    Identity,
}

/// Why a round is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BeaconError {
    /// The pinned chain itself is wrong.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The pinned chain's key is no acceptable point.
    #[error("the chain's public key is {0}")]
    PublicKey(PointError),
    /// The round belongs to another chain.
    #[error("round of chain {}, not of the expected chain {}", hex::encode(found), hex::encode(expected))]
    WrongChain {
        /// Hash of the pinned chain.
        expected: [u8; 32],
        /// Hash the round names.
        found: [u8; 32],
    },
    /// Another round than the one asked for.
    #[error("round {found}, not the expected round {expected}")]
    WrongRound {
        /// Expected.
        expected: u64,
        /// Found.
        found: u64,
    },
    /// No moment belongs to the round.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// The round is not due yet: whoever has a signature for it made it up, or the clock is wrong.
    #[error("round {round} is not published before {published_ms} ms, and now is {now_ms} ms")]
    Future {
        /// The round.
        round: u64,
        /// When it is due, Unix milliseconds.
        published_ms: u64,
        /// The moment of the check, Unix milliseconds.
        now_ms: u64,
    },
    /// The round is older than the window.
    #[error("round {round} was published {age_ms} ms ago, more than the {window_ms} ms allowed")]
    Stale {
        /// The round.
        round: u64,
        /// Its age, milliseconds.
        age_ms: u64,
        /// Age allowed, milliseconds.
        window_ms: u64,
    },
    /// The signature's bytes are no acceptable point.
    #[error("the signature of round {round} is {error}")]
    Signature {
        /// The round.
        round: u64,
        /// What is wrong.
        error: PointError,
    },
    /// A point, but not the chain's signature of this round.
    #[error(
        "the signature of round {round} does not verify under the key of chain {}: forged, or of another round or chain",
        hex::encode(chain)
    )]
    Forged {
        /// The round.
        round: u64,
        /// Hash of the pinned chain.
        chain: [u8; 32],
    },
    /// The library cannot hash to the curve. Does not happen with the parameters compiled in.
    #[error("hashing to the curve failed")]
    HashToCurve,
}

/// A moment, and how old a round may be then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// The moment, Unix milliseconds. A caller who allows its clock to be slow adds that here.
    pub now_ms: u64,
    /// Milliseconds since publication, at most.
    pub window_ms: u64,
}

/// Verifies rounds of one chain.
#[derive(Clone, Debug)]
pub struct BeaconVerifier {
    chain: ChainInfo,
    key: <Bls12_381 as Pairing>::G2Prepared,
    generator: <Bls12_381 as Pairing>::G2Prepared,
}

impl BeaconVerifier {
    /// For the pinned chain. Decodes and checks its key once.
    ///
    /// # Errors
    /// `Chain` when the parameters do not fit the hash, `PublicKey`.
    pub fn new(chain: ChainInfo) -> Result<Self, BeaconError> {
        chain.check()?;
        let key: G2Affine = point(&chain.public_key).map_err(BeaconError::PublicKey)?;
        Ok(Self { chain, key: key.into(), generator: G2Affine::generator().into() })
    }

    /// The pinned chain.
    #[must_use]
    pub fn chain(&self) -> &ChainInfo {
        &self.chain
    }

    /// Checks that `round` belongs to the chain and carries its signature. Says nothing of time.
    ///
    /// # Errors
    /// `WrongChain`, `Time` for round 0, `Signature`, `Forged`.
    pub fn verify(&self, round: &BeaconRound) -> Result<(), BeaconError> {
        self.check_chain(round)?;
        let number = Round::new(round.round)?;
        let signature: G1Affine =
            point(&round.signature).map_err(|error| BeaconError::Signature { round: number.get(), error })?;
        let message = hash_round(number).map_err(|_| BeaconError::HashToCurve)?;
        // e(signature, g2) = e(message, key), as one product of two pairings.
        let product =
            Bls12_381::multi_pairing([-signature, message], [self.generator.clone(), self.key.clone()]);
        if product.is_zero() {
            Ok(())
        } else {
            Err(BeaconError::Forged { round: number.get(), chain: self.chain.hash })
        }
    }

    /// Checks chain, number and time of `round`, without its signature: the cheap part of [`Self::accept`].
    ///
    /// # Errors
    /// `WrongChain`, `WrongRound`, `Time`, `Future`, `Stale`.
    pub fn check_claims(
        &self,
        round: &BeaconRound,
        expected: Round,
        freshness: Freshness,
    ) -> Result<(), BeaconError> {
        self.check_chain(round)?;
        if round.round != expected.get() {
            return Err(BeaconError::WrongRound { expected: expected.get(), found: round.round });
        }
        self.check_time(expected, freshness)
    }

    /// Checks that `round` is published at `freshness.now_ms`, and not longer ago than the window.
    ///
    /// # Errors
    /// `Future`, `Stale`, `Time`.
    pub fn check_time(&self, round: Round, freshness: Freshness) -> Result<(), BeaconError> {
        let Freshness { now_ms, window_ms } = freshness;
        let published_ms = self.chain.published_at(round)?;
        let Some(age_ms) = now_ms.checked_sub(published_ms) else {
            return Err(BeaconError::Future { round: round.get(), published_ms, now_ms });
        };
        if age_ms > window_ms {
            return Err(BeaconError::Stale { round: round.get(), age_ms, window_ms });
        }
        Ok(())
    }

    /// Everything: chain, number, time, signature.
    ///
    /// # Errors
    /// See [`Self::check_claims`] and [`Self::verify`].
    pub fn accept(
        &self,
        round: &BeaconRound,
        expected: Round,
        freshness: Freshness,
    ) -> Result<(), BeaconError> {
        self.check_claims(round, expected, freshness)?;
        self.verify(round)
    }

    fn check_chain(&self, round: &BeaconRound) -> Result<(), BeaconError> {
        if round.chain == self.chain.hash {
            Ok(())
        } else {
            Err(BeaconError::WrongChain { expected: self.chain.hash, found: round.chain })
        }
    }
}

/// The point every valid signature of `round` is a multiple of: hash to G1 of SHA-256(BE64 round).
fn hash_round(round: Round) -> Result<G1Affine, HashToCurveError> {
    let message = sha2::Sha256::digest(round.get().to_be_bytes());
    HashToG1::new(DOMAIN)?.hash(&message)
}

/// Reads a compressed point in the encoding of the pairing-friendly curves draft, appendix C (zcash's).
fn point<P: SWCurveConfig>(bytes: &[u8]) -> Result<Affine<P>, PointError> {
    let point = Affine::<P>::deserialize_compressed(bytes).map_err(|_| PointError::Encoding)?;
    if point.is_zero() { Err(PointError::Identity) } else { Ok(point) }
}
