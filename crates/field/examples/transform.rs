//! Times a transform against that of ark-poly, on one thread and in one run. Medians of nine.

use std::hint::black_box;
use std::time::{Duration, Instant};

use ark_bn254::Fr;
use ark_ff::UniformRand as _;
use ark_poly::{EvaluationDomain as _, Radix2EvaluationDomain};
use bailiwick_field::fft::{Root, Transform};
use bailiwick_field::lanes::Lanes;
use bailiwick_field::modulus::WIDTH;

fn timed(step: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    step();
    begun.elapsed()
}

fn main() {
    let mut rng = ark_std::test_rng();
    for log in [12, 16, 18, 19] {
        let begun = Instant::now();
        let Some(t) = Transform::new(log) else {
            println!("no AVX2 and FMA");
            return;
        };
        let factors = begun.elapsed();
        let mut elements: Vec<Fr> = (0..t.size()).map(|_| Fr::rand(&mut rng)).collect();
        let mut lanes: Vec<Lanes> =
            elements.as_chunks::<WIDTH>().0.iter().map(|x| t.load(&x.map(|x| x.0.0))).collect();
        let domain = Radix2EvaluationDomain::<Fr>::new(t.size()).expect("size");
        let mut runs = [(); 9].map(|()| {
            [
                timed(|| domain.fft_in_place(black_box(&mut elements))),
                timed(|| t.down(black_box(&mut lanes), Root::Cyclic as usize)),
                timed(|| t.up(black_box(&mut lanes), Root::Cyclic as usize)),
            ]
        });
        let mut median = |i: usize| {
            runs.sort_by_key(|run| run[i]);
            runs[4][i]
        };
        let (ark, down, up) = (median(0), median(1), median(2));
        println!("2^{log}: ark-poly {ark:?}, ours down {down:?}, up {up:?}, factors once {factors:?}");
    }
}
