//! Cell tree: our Poseidon2 permutation and tree against crate taceo-poseidon2 0.3, per core, and on two cores.
//!
//! Bar: per core at least the peer's rate; 1.8 times that on two cores.

use std::hint::black_box;

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

criterion_group!(benches, permutation, tree);
criterion_main!(benches);
