//! Multi-scalar multiplication in both groups against `taceo-ark-algebra` and `ark-ec`, random points and scalars, one and two threads.
//!
//! Bar: half of taceo's time on one core with AVX2. Medians of three, interleaved, every result compared. Processor time is printed beside
//! the wall's, since the machine may be shared. Run with `--test` it does 2^10 points once.

use std::time::Instant;

use ark_bn254::{Fr, G1Projective, G2Projective};
use ark_ec::{CurveGroup, ScalarMul, VariableBaseMSM};
use bailiwick_benches::process::{cpu_seconds, peak_rss_bytes};
use bailiwick_benches::stats::median;
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use taceo_ark_algebra::msm::msm_unchecked;

/// One way to do it.
type Sum<'a, G> = &'a (dyn Fn(&[<G as ScalarMul>::MulBase], &[Fr]) -> G + Sync);

/// Points of which sums do not meet: from seeds, not from each other.
fn points<G: CurveGroup<ScalarField = Fr>>(n: usize) -> Vec<G::Affine> {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let bits: Vec<G> = std::iter::successors(Some(G::generator()), |p| Some(p.double())).take(254).collect();
    let mut word = || rand::Rng::next_u64(&mut rng);
    let mut point = || {
        // A sum of a random quarter of eighty powers: enough not to repeat.
        let (which, and) =
            (u128::from(word()) << 64 | u128::from(word()), u128::from(word()) << 64 | u128::from(word()));
        (0..80).filter(|i| (which & and) >> i & 1 == 1).fold(bits[253], |sum, i| sum + bits[i])
    };
    let points: Vec<G> = (0..n).map(|_| point()).collect();
    G::normalize_batch(&points)
}

fn measure<G>(
    name: &str,
    n: usize,
    threads: &[usize],
    runs: usize,
    sums: [(&str, Sum<'_, G>); 3],
) -> anyhow::Result<()>
where
    G: CurveGroup<ScalarField = Fr> + VariableBaseMSM<MulBase = <G as CurveGroup>::Affine>,
{
    let bases = points::<G>(n);
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let scalars: Vec<Fr> = (0..n).map(|_| scalar(&mut rng)).collect();
    for threads in threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(*threads).build()?;
        let mut times = [(); 3].map(|()| (vec![], vec![]));
        for _ in 0..runs {
            let mut results = vec![];
            for ((_, sum), (wall, cpu)) in sums.iter().zip(&mut times) {
                let (begun, before) = (Instant::now(), cpu_seconds());
                results.push(pool.install(|| sum(&bases, &scalars)));
                wall.push(begun.elapsed().as_secs_f64() * 1e9 / n as f64);
                cpu.push((cpu_seconds() - before) * 1e9 / n as f64);
            }
            anyhow::ensure!(results.iter().all(|r| *r == results[0]), "results differ");
        }
        // Small runs are over before the clock ticks.
        let ours = median(&times[0].1).max(1.0);
        for ((who, _), (wall, cpu)) in sums.iter().zip(&times) {
            let (wall, cpu) = (median(wall), median(cpu));
            println!(
                "{name} {n:7} points, {threads} threads, {who:18} wall {wall:8.0} ns a point   cpu {cpu:8.0}   {:.2} of ours",
                cpu / ours
            );
        }
    }
    Ok(())
}

fn scalar(rng: &mut ChaCha20Rng) -> Fr {
    let mut bytes = [0; 48];
    rand::Rng::fill_bytes(rng, &mut bytes);
    ark_ff::PrimeField::from_le_bytes_mod_order(&bytes)
}

fn main() -> anyhow::Result<()> {
    let quick = std::env::args().any(|a| a == "--test");
    let runs = if quick { 1 } else { 3 };
    let threads: &[usize] = if quick { &[2] } else { &[1, 2] };
    let (g1, g2): (&[u32], &[u32]) = if quick { (&[10], &[10]) } else { (&[16, 19], &[17]) };
    for log in g1 {
        let ark: Sum<'_, G1Projective> = &|b, s| G1Projective::msm_unchecked(b, s);
        let sums: [(&str, Sum<'_, G1Projective>); 3] = [
            ("ours", &|b, s| bailiwick_msm::msm_g1(b, s)),
            ("taceo-ark-algebra", &|b, s| msm_unchecked(b, s)),
            ("ark-ec", ark),
        ];
        measure("G1", 1 << log, threads, runs, sums)?;
    }
    for log in g2 {
        let sums: [(&str, Sum<'_, G2Projective>); 3] = [
            ("ours", &|b, s| bailiwick_msm::msm_g2(b, s)),
            ("taceo-ark-algebra", &|b, s| msm_unchecked(b, s)),
            ("ark-ec", &|b, s| G2Projective::msm_unchecked(b, s)),
        ];
        measure("G2", 1 << log, threads, runs, sums)?;
    }
    println!("peak memory {:.0} MiB", peak_rss_bytes() as f64 / f64::from(1 << 20));
    Ok(())
}
