//! Erasure coding of 10+4 on one core beside `reed-solomon-simd` itself and a copy in memory; and whole `seal --shards` and `open`
//! with none and with four of fourteen shards missing.
//!
//! Bars: encoding at least 1 GB of data a second and core; `open` with four missing at least half as fast as with none.
//! Run with `--test` it does little once.

use std::fs;
use std::hint::black_box;
use std::time::Instant;

use anyhow::ensure;
use bailiwick_benches::process::{bailiwick, measure};
use bailiwick_benches::stats::median;
use bailiwick_erasure::{BLOCK_BYTES, Geometry, Order, StripeDecoder, StripeEncoder, mend, parity};

const K: u16 = 10;
const N: u16 = 14;

fn main() -> anyhow::Result<()> {
    let quick = std::env::args().any(|a| a == "--test");
    let runs = if quick { 1 } else { 7 };
    codes(if quick { 4 } else { 400 }, runs)?;
    inner(if quick { 40 } else { 3840 }, if quick { 1 } else { 3 })?;
    whole(if quick { 1 << 20 } else { 1 << 29 }, if quick { 1 } else { 5 })
}

/// Median seconds of `runs` calls.
fn seconds(runs: usize, mut f: impl FnMut()) -> f64 {
    let mut all = Vec::new();
    for _ in 0..runs {
        let begun = Instant::now();
        f();
        all.push(begun.elapsed().as_secs_f64());
    }
    median(&all)
}

fn show(what: &str, bytes: usize, s: f64) {
    println!("{what:52} {:8.2} GB/s of data", bytes as f64 / s / 1e9);
}

/// The code across shards, over `stripes` stripes in memory.
fn codes(stripes: usize, runs: usize) -> anyhow::Result<()> {
    let (k, more) = (usize::from(K), usize::from(N - K));
    let bytes = stripes * k * BLOCK_BYTES;
    let geometry = Geometry::new(K, N, bytes as u64)?;
    let data: Vec<u8> = (0..bytes).map(|i| ((i * 31) >> 3).to_le_bytes()[0]).collect();
    let mut copy = vec![0; bytes];
    show("memcpy", bytes, seconds(runs, || copy.copy_from_slice(black_box(&data))));
    let mut further = vec![0; stripes * more * BLOCK_BYTES];
    let mut encoder = StripeEncoder::new(&geometry)?;
    let ours = seconds(runs, || encoder.encode(black_box(&data), &mut further).expect("whole stripes"));
    show("encode 10+4", bytes, ours);
    let mut peer = reed_solomon_simd::ReedSolomonEncoder::new(k, more, BLOCK_BYTES)?;
    let theirs = seconds(runs, || {
        for stripe in data.chunks_exact(k * BLOCK_BYTES) {
            for block in stripe.chunks_exact(BLOCK_BYTES) {
                peer.add_original_shard(block).expect("a block");
            }
            black_box(peer.encode().expect("ten blocks").recovery(0));
        }
    });
    show("reed-solomon-simd, results not copied", bytes, theirs);
    println!("{:52} {:8.2} x", "ours beside it", theirs / ours);
    for missing in [0usize, 4] {
        // 64 stripes at a time, as `open` does.
        let step = 64.min(stripes);
        let held: Vec<u16> = (0..N).skip(missing).collect();
        let batch = &data[..step * k * BLOCK_BYTES];
        let pieces: Vec<Vec<u8>> = held[..k]
            .iter()
            .map(|s| {
                let j = usize::from(*s);
                let (from, of, at) = if j < k { (batch, k, j) } else { (&further[..], more, j - k) };
                from.chunks_exact(of * BLOCK_BYTES)
                    .take(step)
                    .flat_map(|stripe| stripe[at * BLOCK_BYTES..][..BLOCK_BYTES].to_vec())
                    .collect()
            })
            .collect();
        let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
        let mut decoder = StripeDecoder::new(&geometry, &held)?;
        let out = &mut copy[..batch.len()];
        let s = seconds(runs, || {
            for _ in 0..stripes / step {
                decoder.decode(black_box(&pieces), out).expect("whole stripes");
            }
        });
        ensure!(copy[..batch.len()] == *batch, "decoded otherwise");
        show(&format!("decode 10+4, {missing} missing"), stripes / step * batch.len(), s);
    }
    Ok(())
}

/// The code inside a shard of `blocks` data blocks.
fn inner(blocks: usize, runs: usize) -> anyhow::Result<()> {
    let geometry = Geometry::new(1, 2, (blocks * BLOCK_BYTES) as u64)?;
    let (key, block) = ([1; 32], BLOCK_BYTES);
    let order = Order::new(&geometry, &key);
    let mut shard: Vec<u8> =
        (0..usize::try_from(geometry.shard_bytes())?).map(|i| ((i * 31) >> 3).to_le_bytes()[0]).collect();
    let at = |p: u64| usize::try_from(p).expect("in memory") * block;
    let mut made = shard.clone();
    let s = seconds(runs, || {
        let read = |p, out: &mut [u8]| {
            out.copy_from_slice(&shard[at(p)..][..block]);
            Ok(())
        };
        let write = |p, plain: &[u8]| {
            made[at(p)..][..block].copy_from_slice(plain);
            Ok(())
        };
        parity(&order, read, write).expect("in memory");
    });
    show(&format!("parity inside a shard of {blocks} blocks"), blocks * block, s);
    let limit = geometry.parity_blocks();
    shard.copy_from_slice(&made);
    let s = seconds(runs, || {
        let read = |p, out: &mut [u8]| {
            out.copy_from_slice(&shard[at(p)..][..block]);
            Ok(p >= limit)
        };
        mend(&order, read, |p, plain| {
            made[at(p)..][..block].copy_from_slice(plain);
            Ok(())
        })
        .expect("within the limit");
    });
    ensure!(made == shard, "mended otherwise");
    show(&format!("mending {limit} of its blocks"), blocks * block, s);
    Ok(())
}

/// Processes: seal as 10 of 14, open with none and with four missing.
fn whole(size: usize, runs: usize) -> anyhow::Result<()> {
    let program = bailiwick()?;
    let dir = tempfile::Builder::new().prefix("bailiwick-erasure-").tempdir_in("/dev/shm")?;
    let path = |name: &str| dir.path().join(name).display().to_string();
    for kind in ["owner", "recipient"] {
        measure(&program, &["key", "new", kind, "-o", &path(kind)])?;
    }
    let mut plain = vec![0u8; size];
    rand::Rng::fill_bytes(&mut <rand_chacha::ChaCha8Rng as rand::SeedableRng>::seed_from_u64(1), &mut plain);
    fs::write(path("plain"), &plain)?;
    let (folder, back) = (path("s"), path("back"));
    let seal = [
        "seal",
        &path("plain"),
        "-o",
        &folder,
        "--owner",
        &path("owner"),
        "--to",
        &path("recipient.pub"),
        "--shards",
        "10/14",
        "--no-commit",
    ];
    let open = ["open", &folder, "--owner", &path("owner.pub"), "--key", &path("recipient"), "-o", &back]
        .map(String::from);
    let mut costs = [Vec::new(), Vec::new(), Vec::new()];
    let mut peaks = [0; 3];
    for _ in 0..runs {
        let _ = fs::remove_dir_all(&folder);
        let mut note = |i: usize, cost: bailiwick_benches::process::Cost| {
            costs[i].push(cost.wall_s);
            peaks[i] = peaks[i].max(cost.peak_rss_bytes);
        };
        note(0, measure(&program, &seal)?);
        for missing in [0, 4] {
            for shard in 0..missing {
                fs::remove_file(format!("{folder}/{shard:03}.shard"))?;
            }
            note(1 + missing / 4, measure(&program, &open)?);
            ensure!(fs::read(&back)? == plain, "opened otherwise");
            fs::remove_file(&back)?;
        }
    }
    let names = ["seal --shards 10/14 --no-commit", "open, none missing", "open, 4 of 14 missing"];
    for i in 0..3 {
        let s = median(&costs[i]);
        println!("{:52} {:8.2} GB/s  {s:.2} s  peak {} MiB", names[i], size as f64 / s / 1e9, peaks[i] >> 20);
    }
    println!("{:52} {:8.2} x", "open with 4 missing beside none", median(&costs[1]) / median(&costs[2]));
    Ok(())
}
