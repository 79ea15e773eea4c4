//! Every code for eight permutations against one written down from the paper, with any constants.

use ark_bn254::Fr;
use ark_ff::{Field as _, PrimeField as _, UniformRand as _};
use bailiwick_field::poseidon2::{Backend, Constants, Form, Permutations, STATE};

const M4: [[u64; 4]; 4] = [[5, 7, 1, 3], [4, 6, 1, 1], [1, 3, 5, 7], [1, 1, 4, 6]];

fn external(x: &[Fr; STATE]) -> [Fr; STATE] {
    core::array::from_fn(|i| {
        (0..STATE).map(|j| x[j] * Fr::from(M4[i % 4][j % 4] * if i / 4 == j / 4 { 2 } else { 1 })).sum()
    })
}

fn compress(c: &Constants<'_>, input: &[Fr; STATE]) -> Fr {
    let full =
        |x: [Fr; STATE], rc: &[Fr; STATE]| external(&core::array::from_fn(|i| (x[i] + rc[i]).pow([5])));
    let mut x = c.initial.iter().fold(external(input), full);
    for rc in c.partial {
        x[0] = (x[0] + rc).pow([5]);
        let sum: Fr = x.iter().sum();
        x = core::array::from_fn(|i| c.diagonal[i] * x[i] + sum);
    }
    c.terminal.iter().fold(x, full)[0] + input[0]
}

struct Made {
    initial: Vec<[Fr; STATE]>,
    partial: Vec<Fr>,
    terminal: Vec<[Fr; STATE]>,
    diagonal: [Fr; STATE],
}

impl Made {
    fn new(mut any: impl FnMut() -> Fr) -> Self {
        let mut row = || core::array::from_fn(|_| any());
        Self {
            initial: (0..4).map(|_| row()).collect(),
            partial: (0..4).flat_map(|_| row()).take(57).collect(),
            terminal: (0..4).map(|_| row()).collect(),
            diagonal: row(),
        }
    }

    fn constants(&self) -> Constants<'_> {
        let Self { initial, partial, terminal, diagonal } = self;
        Constants { initial, partial, terminal, diagonal }
    }
}

/// Edges for constants and states: 0, 1, p - 1, half of p, limbs all ones of both widths, and any.
fn edge(n: usize, rng: &mut impl ark_std::rand::Rng) -> Fr {
    let two = Fr::from(2u64);
    let half = two.inverse().expect("not zero");
    match n % 10 {
        0 => Fr::from(0u64),
        1 => Fr::from(1u64),
        2 => -Fr::from(1u64),
        3 => half,
        4 => -half,
        5 => two.pow([253]) - Fr::from(1u64),
        6 => two.pow([204]) - Fr::from(1u64),
        7 => two.pow([208]) - Fr::from(1u64),
        8 => two.pow([51]) - Fr::from(1u64),
        _ => Fr::rand(rng),
    }
}

fn check(backend: Backend) {
    let mut rng = ark_std::test_rng();
    for round in 0..12 {
        let mut n = 0;
        let made = Made::new(|| {
            n += 1;
            if round < 8 { edge(n * (round + 1) + round, &mut rng) } else { Fr::rand(&mut rng) }
        });
        let constants = made.constants();
        let Some(p) = Permutations::on(backend, &constants) else {
            assert!(backend != Backend::Emulated, "runs on every processor");
            return;
        };
        let states: Vec<[Fr; STATE]> = (0..8)
            .map(|i| {
                core::array::from_fn(|k| {
                    if round % 2 == 0 { edge(i * 3 + k, &mut rng) } else { Fr::rand(&mut rng) }
                })
            })
            .collect();
        let wanted: Vec<Fr> = states.iter().map(|s| compress(&constants, s)).collect();
        let integers = p.compress(Form::Integer, |i, k| states[i][k].into_bigint().0);
        assert_eq!(integers.as_slice(), wanted, "{backend:?}, integers, {round}");
        let montgomery = p.compress(Form::Montgomery, |i, k| states[i][k].0.0);
        assert_eq!(montgomery.as_slice(), wanted, "{backend:?}, arkworks' form, {round}");
    }
}

#[test]
fn emulated_lanes_permute_as_written() {
    check(Backend::Emulated);
}

#[test]
fn doubles_permute_as_written() {
    check(Backend::Avx2);
}

/// Nothing is shown where the processor has no AVX-512 IFMA.
#[test]
fn avx_512_permutes_as_written() {
    check(Backend::Avx512);
}
