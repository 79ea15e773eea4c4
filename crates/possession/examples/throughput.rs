//! Times the permutation and the tree against crate taceo-poseidon2 in one run. Medians of five.
//!
//! `cargo run --release -p bailiwick-possession --example throughput [--features parallel]`
#![expect(clippy::cast_possible_truncation, reason = "the test body is made of low bytes")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use bailiwick_possession::field::Fr;
use bailiwick_possession::poseidon2::permute;
use bailiwick_possession::tree::{BLOCK_BYTES, TreeBuilder};

fn median(mut run: impl FnMut()) -> Duration {
    run();
    let mut times: Vec<Duration> = (0..5)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort();
    times[2]
}

fn main() {
    const PERMUTATIONS: u32 = 4000;
    let mut x: [Fr; 16] = core::array::from_fn(|i| Fr::from(i as u64));
    let ours = median(|| (0..PERMUTATIONS).for_each(|_| permute(black_box(&mut x)))) / PERMUTATIONS;
    let theirs = median(|| {
        (0..PERMUTATIONS).for_each(|_| taceo_poseidon2::bn254::t16::permutation_in_place(black_box(&mut x)))
    }) / PERMUTATIONS;
    println!("permutation: ours {ours:?}, taceo-poseidon2 {theirs:?}");
    println!("ratio {:.2}", theirs.as_secs_f64() / ours.as_secs_f64());

    const BLOCKS: usize = 64;
    let body: Vec<u8> = (0..BLOCKS * BLOCK_BYTES).map(|i| (i * 31 + i / 255) as u8).collect();
    let time = median(|| {
        let mut builder = TreeBuilder::new();
        body.chunks(1 << 16).for_each(|piece| builder.update(piece));
        black_box(builder.finish().ok());
    });
    let mbps = body.len() as f64 / time.as_secs_f64() / 1e6;
    // 273 permutations for 256 cells.
    let peer = BLOCK_BYTES as f64 / (273.0 * theirs.as_secs_f64()) / 1e6;
    println!(
        "tree: {mbps:.2} MB/s (parallel: {}); what the peer's permutation allows on one core: {peer:.2} MB/s",
        cfg!(feature = "parallel")
    );
}
