//! Whether a key is what its ceremony says, from the powers of tau and the circuit alone.

use std::io::{Read, Seek};

use ark_bn254::{Bn254, G1Affine, G1Projective, G2Affine};
use ark_ec::pairing::Pairing;
use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM};
use ark_ff::Zero;
use bailiwick_groth16::Matrices;
use rand_core::CryptoRng;

use super::contribute::beacon_generator;
use super::generator::hash_to_g2;
use super::initial::{Shape, has_coefficients};
use super::transcript::{Transcript, contribution_hash};
use super::{BEACON_ITERATIONS_LOG2, BEACON_ITERATIONS_LOG2_MAX, CeremonyError, Fault, InitialKey};
use crate::ptau::{Ptau, same_ratio, weights};
use crate::zkey::{Contribution, ContributionKind, Contributions, Header, Zkey, section};

/// A ceremony that passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Hash of the initial key.
    pub circuit_hash: [u8; 64],
    /// SHA-256 of section 10 of the final key, whole: what trust anchors name the ceremony by.
    pub transcript: [u8; 32],
    /// The contributions, in order.
    pub contributions: Vec<VerifiedContribution>,
}

impl Verified {
    /// Contributions from someone's own randomness; a beacon's secret is known to everyone.
    #[must_use]
    pub fn contributors(&self) -> u32 {
        let persons = self.contributions.iter().filter(|c| c.kind == ContributionKind::Person).count();
        u32::try_from(persons).unwrap_or(u32::MAX)
    }

    /// The public value of the last contribution, if that is a beacon.
    #[must_use]
    pub fn beacon(&self) -> Option<&[u8]> {
        match &self.contributions.last()?.kind {
            ContributionKind::Beacon { value, .. } => Some(value),
            ContributionKind::Person => None,
        }
    }
}

/// A contribution that passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedContribution {
    /// What its contributor published.
    pub hash: [u8; 64],
    /// Where its secret came from.
    pub kind: ContributionKind,
    /// What it is called in the file: untrusted bytes.
    pub name: Option<Vec<u8>>,
}

/// Verifies a final key.
///
/// Checks the powers of tau ([`Ptau::check`]), rebuilds the initial key, follows the contributions, and compares. Sums
/// are compared by random weights of 128 bits: `rng` must be unknown to every contributor.
///
/// # Errors
/// [`CeremonyError::Invalid`] names what is wrong.
pub fn verify<R: Read + Seek, S: Read + Seek>(
    key: &mut Zkey<R>,
    ptau: &mut Ptau<S>,
    matrices: &Matrices,
    rng: &mut impl CryptoRng,
) -> Result<Verified, CeremonyError> {
    // Cheap checks first: a key of another circuit must not cost the rebuilding of this one.
    let shape = Shape::of(matrices)?;
    shape.is_of(key.header())?;
    shape.fits(ptau)?;
    if !has_coefficients(key, matrices)? {
        return Err(Fault::Section { section: section::COEFFICIENTS }.into());
    }
    let contributions = follow(key.contributions())?;
    delta(key.header(), key.contributions())?;
    ptau.check(shape.power, rng)?;
    let initial = InitialKey::build(ptau, matrices)?;
    unchanged(key, &initial)?;
    let delta2 = key.header().delta2;
    scaled(key, section::L, &initial.l, delta2, rng)?;
    scaled(key, section::H, &initial.h, delta2, rng)?;
    let transcript = {
        use sha2::{Digest as _, Sha256};
        Sha256::digest(key.contributions().to_bytes()).into()
    };
    Ok(Verified { circuit_hash: *initial.circuit_hash(), transcript, contributions })
}

/// Follows the hash chain, the proofs of knowledge and delta from the generator on.
fn follow(record: &Contributions) -> Result<Vec<VerifiedContribution>, Fault> {
    let mut chain = Transcript::new(&record.circuit_hash);
    let mut delta = G1Affine::generator();
    let mut out = Vec::with_capacity(record.list.len());
    // Of all beacons together: one of many iterations is hashed once by whoever writes it down ten thousand times.
    let mut iterations = 1 << BEACON_ITERATIONS_LOG2_MAX;
    for (number, c) in (1u32..).zip(&record.list) {
        contribution(number, c, &chain, delta, &mut iterations)?;
        chain.absorb(c);
        delta = c.delta_after;
        out.push(VerifiedContribution {
            hash: contribution_hash(c),
            kind: c.kind.clone(),
            name: c.name.clone(),
        });
    }
    // A beacon's secret is known to everyone: alone it makes no key.
    let by_someone = out.iter().any(|c| c.kind == ContributionKind::Person);
    if by_someone { Ok(out) } else { Err(Fault::NoContribution) }
}

fn contribution(
    number: u32,
    c: &Contribution,
    chain: &Transcript,
    before: G1Affine,
    iterations: &mut u64,
) -> Result<(), Fault> {
    if chain.challenge(c.s, c.sx) != c.transcript {
        return Err(Fault::HashChain { number });
    }
    let sp = hash_to_g2(&c.transcript).into_group();
    let spx = c.spx.into_group();
    if !same_ratio(c.s.into(), c.sx.into(), sp, spx) {
        return Err(Fault::ProofOfKnowledge { number });
    }
    if c.delta_after == before {
        return Err(Fault::Unchanged { number });
    }
    if !same_ratio(before.into(), c.delta_after.into(), sp, spx) {
        return Err(Fault::Delta { number });
    }
    if let ContributionKind::Beacon { value, iterations_log2 } = &c.kind {
        let iterations_log2 = *iterations_log2;
        let fault = Fault::BeaconIterations { number, iterations_log2 };
        if !BEACON_ITERATIONS_LOG2.contains(&iterations_log2) || iterations_log2 > BEACON_ITERATIONS_LOG2_MAX
        {
            return Err(fault);
        }
        *iterations = iterations.checked_sub(1 << iterations_log2).ok_or(fault)?;
        let mut generator = beacon_generator(value, iterations_log2);
        let d = generator.scalar();
        let s = generator.g1();
        if s != c.s || (s * *d).into_affine() != c.sx {
            return Err(Fault::Beacon { number });
        }
    }
    Ok(())
}

/// The header's delta is what the contributions lead to, in both groups.
fn delta(header: &Header, record: &Contributions) -> Result<(), Fault> {
    let last = record.list.last().map_or(G1Affine::generator(), |c| c.delta_after);
    if header.delta1 != last {
        return Err(Fault::Delta1);
    }
    let (g1, g2) = (G1Affine::generator().into_group(), G2Affine::generator().into_group());
    if same_ratio(g1, header.delta1.into(), g2, header.delta2.into()) { Ok(()) } else { Err(Fault::Delta2) }
}

/// Everything no contribution may change is the initial key's; section 4 was compared with the circuit before.
fn unchanged<R: Read + Seek>(key: &mut Zkey<R>, initial: &InitialKey) -> Result<(), CeremonyError> {
    let (found, expected) = (key.header(), initial.header());
    for (same, element) in [
        (found.alpha1 == expected.alpha1, "alpha in G1"),
        (found.beta1 == expected.beta1, "beta in G1"),
        (found.beta2 == expected.beta2, "beta in G2"),
        (found.gamma2 == expected.gamma2, "gamma in G2"),
    ] {
        if !same {
            return Err(Fault::Header { element }.into());
        }
    }
    for kind in [section::IC, section::A, section::B1, section::B2] {
        let expected = initial.fixed_section(kind);
        let mut rest = expected.as_slice();
        key.bytes(kind, |bytes| match rest.split_at_checked(bytes.len()) {
            Some((head, tail)) if head == bytes => {
                rest = tail;
                Ok(())
            }
            _ => Err(CeremonyError::from(Fault::Section { section: kind })),
        })?;
        if !rest.is_empty() {
            return Err(Fault::Section { section: kind }.into());
        }
    }
    // Last: whatever made the initial key differ has its own name above, but for the powers that H hides.
    if key.contributions().circuit_hash == *initial.circuit_hash() {
        Ok(())
    } else {
        Err(Fault::CircuitHash.into())
    }
}

/// Σ r_i · (point of the key) in the ratio 1/delta to Σ r_i · (point of the initial key).
fn scaled<R: Read + Seek>(
    key: &mut Zkey<R>,
    kind: u32,
    initial: &[G1Affine],
    delta2: G2Affine,
    rng: &mut impl CryptoRng,
) -> Result<(), CeremonyError> {
    let (mut found, mut expected) = (G1Projective::default(), G1Projective::default());
    let mut rest = initial;
    let not_scaled = Fault::NotScaled { section: kind };
    key.points::<G1Affine, CeremonyError>(kind, |points| {
        let r = weights(points.len() as u64, rng);
        let (head, tail) = rest.split_at_checked(points.len()).ok_or(not_scaled)?;
        rest = tail;
        found += G1Projective::msm(points, &r).map_err(|_| not_scaled)?;
        expected += G1Projective::msm(head, &r).map_err(|_| not_scaled)?;
        Ok(())
    })?;
    // Points the circuit does not use are infinity in both keys: the sums may be infinity, but only together.
    let same = Bn254::multi_pairing(
        [found.into_affine(), (-expected).into_affine()],
        [delta2, G2Affine::generator()],
    )
    .is_zero();
    if same && rest.is_empty() { Ok(()) } else { Err(not_scaled.into()) }
}
