//! Preparing powers of tau for phase 2: their Lagrange form, by an inverse FFT over points.

use std::io::{Read, Seek, Write};

use ark_bn254::{Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_poly::domain::DomainCoeff;
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};

use super::{FORMAT, Ptau, PtauError, section};
use crate::binfile::{BinFileError, BinFileWriter};
use crate::points::{Point, stored};

/// Writes `ptau` with sections 12 to 15 to `to`; sections 1 to 7 are copied as they are.
///
/// `progress` is told domains done and domains in all. Costs about 2^p · p scalar multiplications in each of five sequences (the last is twice
/// as long); memory: one domain's points.
///
/// # Errors
/// [`PtauError`], and what `to` reports.
pub fn prepare<R: Read + Seek, W: Write + Seek>(
    ptau: &mut Ptau<R>,
    to: W,
    progress: &mut dyn FnMut(u32, u32),
) -> Result<W, PtauError> {
    use section::{ALPHA, BETA, HEADER, L_ALPHA, L_BETA, L_TAU_G1, L_TAU_G2, TAU_G1, TAU_G2};
    let power = ptau.power();
    let mut out = BinFileWriter::new(to, FORMAT, 11)?;
    for kind in HEADER..=section::CONTRIBUTIONS {
        out.section(kind, |to| {
            ptau.bytes(kind, |bytes| Ok(to.write_all(bytes).map_err(BinFileError::from)?))
        })?;
    }
    let total = 4 * (power + 1) + 1;
    let mut done = 0;
    let mut step = || {
        done += 1;
        progress(done, total);
    };
    lagrange::<G1Affine, _, _>(ptau, &mut out, (TAU_G1, L_TAU_G1), power + 1, &mut step)?;
    lagrange::<G2Affine, _, _>(ptau, &mut out, (TAU_G2, L_TAU_G2), power, &mut step)?;
    lagrange::<G1Affine, _, _>(ptau, &mut out, (ALPHA, L_ALPHA), power, &mut step)?;
    lagrange::<G1Affine, _, _>(ptau, &mut out, (BETA, L_BETA), power, &mut step)?;
    Ok(out.finish()?)
}

/// Writes section `to`: for each domain up to 2^`top` the Lagrange form of section `from`.
fn lagrange<P: Point, R: Read + Seek, W: Write + Seek>(
    ptau: &mut Ptau<R>,
    out: &mut BinFileWriter<W>,
    (from, to): (u32, u32),
    top: u32,
    step: &mut dyn FnMut(),
) -> Result<(), PtauError>
where
    P::Group: DomainCoeff<Fr>,
{
    out.section(to, |writer| {
        for power in 0..=top {
            let n = 1u64 << power;
            let there = if power > ptau.power() { n - 1 } else { n };
            let mut points: Vec<P::Group> =
                ptau.points::<P>(from, 0, there)?.into_iter().map(AffineRepr::into_group).collect();
            points.resize(1 << power, P::Group::default());
            let domain = Radix2EvaluationDomain::<Fr>::new(1 << power)
                .ok_or(PtauError::Power { power: ptau.power() })?;
            domain.ifft_in_place(&mut points);
            let points = P::Group::normalize_batch(&points);
            writer.write_all(&stored(&points)).map_err(BinFileError::from)?;
            step();
        }
        Ok(())
    })
}
