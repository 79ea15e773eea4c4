//! One contribution: delta times d, H and L divided by d, and a proof of knowing d.

use std::io::{Read, Seek, Write};

use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::Field;
use blake2::Blake2b512;
use rand_core::CryptoRng;
use rayon::prelude::*;
use zeroize::Zeroizing;

use super::generator::{Generator, hash_to_g2};
use super::transcript::{Transcript, contribution_hash};
use super::{BEACON_ITERATIONS_LOG2, BEACON_ITERATIONS_LOG2_MAX, CeremonyError};
use crate::binfile::{BinFileError, BinFileWriter};
use crate::points::stored;
use crate::zkey::{
    CONTRIBUTIONS_MAX, Contribution, ContributionKind, Contributions, FORMAT, Header, Zkey, ZkeyError,
    section, write_contributions,
};

/// Characters of a name, as snarkjs cuts them.
const NAME_CHARS_MAX: usize = 64;

/// What a contributor publishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contributed {
    /// Its place in the ceremony, from 1.
    pub number: u32,
    /// Hash of the contribution: it must appear in the final key's record.
    pub hash: [u8; 64],
}

/// Contributes to `key` and writes the new key to `to`.
///
/// The secret is drawn from BLAKE2b-512 of 64 bytes of `rng` and of `text`, which may be empty; `rng` must be the
/// operating system's. `progress` is told points done and points in all.
///
/// What has a name here is wiped when dropped: the fresh bytes, the seed, the generator, the secret and its inverse. Not
/// wiped, because it is out of reach from here: the block buffer of the hash, which held the fresh bytes and `text`, copies
/// that the multiplication code makes on stack and heap, and registers. Who needs more contributes in a process that ends,
/// on a machine that is switched off.
///
/// # Errors
/// [`CeremonyError`].
pub fn contribute<R: Read + Seek, W: Write + Seek>(
    key: &mut Zkey<R>,
    to: W,
    name: &str,
    text: &[u8],
    rng: &mut impl CryptoRng,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(W, Contributed), CeremonyError> {
    use blake2::Digest as _;
    let name = checked_name(name)?;
    let mut fresh = Zeroizing::new([0u8; 64]);
    rng.fill_bytes(fresh.as_mut_slice());
    let mixed: Zeroizing<[u8; 64]> =
        Zeroizing::new(Blake2b512::new().chain_update(fresh.as_slice()).chain_update(text).finalize().into());
    let mut seed = Zeroizing::new([0u8; 32]);
    seed.copy_from_slice(&mixed[..32]);
    apply(key, to, Generator::new(&seed), ContributionKind::Person, Some(name), progress)
}

/// Contributes from a public `value`, hashed 2^`iterations_log2` times by SHA-256.
///
/// # Errors
/// [`CeremonyError`].
pub fn beacon<R: Read + Seek, W: Write + Seek>(
    key: &mut Zkey<R>,
    to: W,
    name: &str,
    (value, iterations_log2): (&[u8], u8),
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(W, Contributed), CeremonyError> {
    let name = checked_name(name)?;
    let in_range = BEACON_ITERATIONS_LOG2.contains(&iterations_log2)
        && iterations_log2 <= BEACON_ITERATIONS_LOG2_MAX
        && (1..=255).contains(&value.len());
    if !in_range {
        return Err(CeremonyError::Beacon);
    }
    let generator = beacon_generator(value, iterations_log2);
    let kind = ContributionKind::Beacon { value: value.to_vec(), iterations_log2 };
    apply(key, to, generator, kind, Some(name), progress)
}

/// The generator a beacon value gives.
pub(super) fn beacon_generator(value: &[u8], iterations_log2: u8) -> Generator {
    use sha2::{Digest as _, Sha256};
    let mut hash: [u8; 32] = Sha256::digest(value).into();
    for _ in 1..1u64 << iterations_log2 {
        hash = Sha256::digest(hash).into();
    }
    Generator::new(&hash)
}

fn checked_name(name: &str) -> Result<Vec<u8>, CeremonyError> {
    let count = name.chars().count();
    let printable = name.chars().all(|c| !c.is_control());
    if (1..=NAME_CHARS_MAX).contains(&count) && name.len() <= crate::zkey::NAME_BYTES_MAX && printable {
        Ok(name.as_bytes().to_vec())
    } else {
        Err(CeremonyError::Name)
    }
}

fn apply<R: Read + Seek, W: Write + Seek>(
    key: &mut Zkey<R>,
    to: W,
    mut generator: Generator,
    kind: ContributionKind,
    name: Option<Vec<u8>>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(W, Contributed), CeremonyError> {
    let (header, mut record) = (key.header().clone(), key.contributions().clone());
    let number = u32::try_from(record.list.len()).unwrap_or(u32::MAX).saturating_add(1);
    if number > CONTRIBUTIONS_MAX {
        return Err(CeremonyError::Full);
    }
    let d = generator.scalar();
    let s = generator.g1();
    drop(generator);
    let sx = (s * *d).into_affine();
    let transcript = chain(&record).challenge(s, sx);
    let header = Header {
        delta1: (header.delta1 * *d).into_affine(),
        delta2: (header.delta2 * *d).into_affine(),
        ..header
    };
    let contribution = Contribution {
        delta_after: header.delta1,
        s,
        sx,
        spx: (hash_to_g2(&transcript) * *d).into_affine(),
        transcript,
        kind,
        name,
    };
    let hash = contribution_hash(&contribution);
    record.list.push(contribution);
    // d = 0 would come up with probability 2^-254; the file then has points at infinity, which no reader takes.
    let inverse = Zeroizing::new(d.inverse().unwrap_or_default());
    drop(d);
    let to = write(key, to, &header, &record, &inverse, progress)?;
    Ok((to, Contributed { number, hash }))
}

/// The chain after all contributions of a record.
fn chain(record: &Contributions) -> Transcript {
    let mut chain = Transcript::new(&record.circuit_hash);
    for c in &record.list {
        chain.absorb(c);
    }
    chain
}

/// Sections in the order snarkjs writes them after a contribution.
fn write<R: Read + Seek, W: Write + Seek>(
    key: &mut Zkey<R>,
    to: W,
    header: &Header,
    record: &Contributions,
    inverse: &Fr,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<W, CeremonyError> {
    use section::{A, B1, B2, COEFFICIENTS, H, HEADER, IC, L, PROTOCOL};
    let io = |e| ZkeyError::from(BinFileError::from(e));
    let mut out = BinFileWriter::new(to, FORMAT, 10)?;
    out.section(PROTOCOL, |to| to.write_all(&1u32.to_le_bytes()).map_err(io))?;
    out.section(HEADER, |to| to.write_all(&header.to_bytes()).map_err(io))?;
    for kind in [IC, COEFFICIENTS, A, B1, B2] {
        out.section(kind, |to| key.bytes(kind, |bytes| to.write_all(bytes).map_err(io)))?;
    }
    let total = u64::from(header.private()) + u64::from(header.domain);
    let mut done = 0;
    for kind in [L, H] {
        out.section(kind, |to| {
            key.points::<G1Affine, ZkeyError>(kind, |points| {
                to.write_all(&stored(&scaled(points, inverse))).map_err(io)?;
                done += points.len() as u64;
                progress(done, total);
                Ok(())
            })
        })?;
    }
    write_contributions(&mut out, record)?;
    Ok(out.finish()?)
}

/// Each point times `factor`, on all cores.
fn scaled(points: &[G1Affine], factor: &Fr) -> Vec<G1Affine> {
    let products: Vec<G1Projective> = points.par_iter().map(|p| p.into_group() * factor).collect();
    G1Projective::normalize_batch(&products)
}
