//! Cell tree: our Poseidon2 permutation and tree against crate taceo-poseidon2 0.3, per core, and on two cores.
//!
//! Bars: per core 7 times the peer's rate with AVX-512 IFMA, not slower with AVX2; 1.8 times that on two cores, more than 1 Gbit/s. Each code for
//! eight permutations that this processor runs is timed by itself.

use std::hint::black_box;

use bailiwick_field::poseidon2::{Backend, Constants, Form, Permutations};
use bailiwick_possession::field::Fr;
use bailiwick_possession::poseidon2;
use bailiwick_possession::tree::TreeBuilder;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// 31 bytes an element, 16 elements a permutation.
const CELL_BYTES: u64 = 496;

fn permutation(c: &mut Criterion) {
    let mut group = c.benchmark_group("poseidon2-t16");
    group.throughput(Throughput::Bytes(CELL_BYTES));
    let mut state = [Fr::from(7u64); 16];
    group.bench_function("ours", |b| b.iter(|| poseidon2::permute(black_box(&mut state))));
    group.bench_function("taceo-poseidon2", |b| {
        b.iter(|| state = taceo_poseidon2::bn254::t16::permutation(black_box(&state)));
    });
    group.finish();
}

/// Eight at once, by the code for it. Which constants they are makes no difference: none is treated in a way of its own.
fn eight(c: &mut Criterion) {
    let row = |n: u64| core::array::from_fn(|k| -Fr::from(16 * n + k as u64));
    let full: [[Fr; 16]; 4] = core::array::from_fn(|n| row(n as u64));
    let partial: [Fr; 57] = core::array::from_fn(|n| -Fr::from(n as u64));
    let constants = Constants { initial: &full, partial: &partial, terminal: &full, diagonal: &row(4) };
    let mut group = c.benchmark_group("poseidon2-t16-eight");
    group.throughput(Throughput::Bytes(8 * CELL_BYTES));
    for backend in [Backend::Avx512, Backend::Avx2] {
        let Some(permutations) = Permutations::on(backend, &constants) else {
            println!("{backend:?}: not on this processor");
            continue;
        };
        let word = |i: usize, k: usize| [black_box((i + k) as u64); 4];
        group.bench_function(format!("{backend:?}"), |b| {
            b.iter(|| permutations.compress(Form::Integer, word));
        });
    }
    group.finish();
}

fn tree(c: &mut Criterion) {
    let data: Vec<u8> = (0..8_000_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut group = c.benchmark_group("cell-tree");
    group.sample_size(10);
    group.throughput(Throughput::Bytes(data.len() as u64));
    for threads in [1usize, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        group.bench_function(format!("{threads} core(s)"), |b| {
            b.iter(|| {
                pool.install(|| {
                    let mut builder = TreeBuilder::new();
                    builder.update(black_box(&data));
                    builder.finish()
                })
            });
        });
    }
    group.finish();
}

criterion_group!(benches, permutation, eight, tree);
criterion_main!(benches);
