//! The transparency log on a real disk: durable appends, inclusion proofs, fsck.
//!
//! Bars: 5,000 durable appends a second, batched, beside what the disk can do (write, fsync) in the same run; an inclusion proof at
//! 1,000,000 entries in less than 5 ms; fsck of 1,000,000 entries in less than 60 s. Run with `--test` it does everything once, small.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use bailiwick_benches::stats::{median, percentile};
use bailiwick_logserver::{LogDir, Outcome, Sequencer, SequencerOptions};
use bailiwick_protocol::secret::Secret;
use bailiwick_store::files::StdFiles;
use bailiwick_translog::{
    Log, NoteSigner, SignatureKind, SignedCheckpoint, TlogProof, Tree, fsck, leaf_hash, verify_inclusion,
};

/// About an audit outcome's entry.
const ENTRY_BYTES: usize = 256;

fn entry(index: u64) -> Vec<u8> {
    let mut entry = vec![0x5a; ENTRY_BYTES];
    entry[..8].copy_from_slice(&index.to_be_bytes());
    entry
}

fn signer() -> anyhow::Result<NoteSigner> {
    let seed =
        Secret::try_init_with(|s| getrandom::fill(s)).map_err(|e| anyhow::anyhow!("randomness: {e}"))?;
    Ok(NoteSigner::from_seed("log.example/bench", SignatureKind::Ed25519, &seed)?)
}

fn main() -> anyhow::Result<()> {
    let quick = std::env::args().any(|a| a == "--test");
    // On the disk the checkout is on: the system's temporary folder may be memory.
    let dir = tempfile::tempdir_in(option_env!("CARGO_TARGET_TMPDIR").unwrap_or("."))?;
    println!(
        "disk: {:.0} files of 4 KiB written and synced a second",
        fsyncs(dir.path(), if quick { 20 } else { 500 })?
    );
    appends(&dir.path().join("stream"), if quick { 2_000 } else { 100_000 })?;
    large(&dir.path().join("large"), if quick { 2_000 } else { 1_000_000 })
}

/// Files written and synced a second, one after the other.
fn fsyncs(dir: &Path, count: usize) -> anyhow::Result<f64> {
    let begun = Instant::now();
    for i in 0..count {
        let mut file = fs::File::create(dir.join(format!("sync{}", i % 8)))?;
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
    }
    Ok(count as f64 / begun.elapsed().as_secs_f64())
}

/// Entries from a client that keeps 4,096 of them under way: each is durable, hashed again and signed before it is answered.
fn appends(root: &Path, count: u64) -> anyhow::Result<()> {
    LogDir::create(&StdFiles, root)?;
    let log = Log::create(LogDir::open(Arc::new(StdFiles), root)?, signer()?)?;
    let readers = Arc::new(LogDir::read_only(Arc::new(StdFiles), root)?);
    let options = SequencerOptions {
        cosigners: Vec::new(),
        quorum: 0,
        patience: Duration::from_secs(1),
        refresh: Duration::from_secs(3600),
    };
    let sequencer = Sequencer::start(log, &readers, options);
    let (tell, told) = channel();
    let begun = Instant::now();
    let mut latencies = Vec::new();
    let mut under_way = 0;
    for index in 0..count {
        if under_way == 4096 {
            latencies.push(told.recv()??);
            under_way -= 1;
        }
        let (tell, handed_in) = (tell.clone(), Instant::now());
        sequencer.submit(entry(index), move |outcome| {
            let done = match outcome {
                Outcome::Published { .. } => Ok(handed_in.elapsed().as_secs_f64() * 1e3),
                other => Err(anyhow::anyhow!("{other:?}")),
            };
            // The receiver outlives the run.
            let _ = tell.send(done);
        });
        under_way += 1;
    }
    for _ in 0..under_way {
        latencies.push(told.recv()??);
    }
    let seconds = begun.elapsed().as_secs_f64();
    latencies.sort_by(f64::total_cmp);
    println!(
        "durable appends of {ENTRY_BYTES} bytes: {:.0}/s ({count} in {seconds:.1} s); latency p50 {:.0} ms, p99 {:.0} ms",
        count as f64 / seconds,
        percentile(&latencies, 0.5),
        percentile(&latencies, 0.99)
    );
    Ok(())
}

/// A log of `count` entries: one at a time, proofs, fsck, start.
fn large(root: &Path, count: u64) -> anyhow::Result<()> {
    LogDir::create(&StdFiles, root)?;
    let signer = signer()?;
    let key = signer.verifier().clone();
    let mut log = Log::create(LogDir::open(Arc::new(StdFiles), root)?, signer)?;
    let mut next = 0;
    while next < count {
        let end = (next + 50_000).min(count);
        log.append(&(next..end).map(entry).collect::<Vec<_>>())?;
        next = end;
    }
    let head = log.head().checkpoint().clone();
    let dir = LogDir::read_only(Arc::new(StdFiles), root)?;
    let mut times = Vec::new();
    for i in 0..201u64 {
        let index = i.wrapping_mul(0x9e37_79b9_7f4a_7c15) % count;
        let begun = Instant::now();
        let path = Tree::new(&dir, count).inclusion(index, count)?;
        let proof =
            TlogProof { extra: None, index, path, checkpoint: log.head().note().to_text().into_bytes() };
        let bytes = proof.to_bytes();
        times.push(begun.elapsed().as_secs_f64() * 1e3);
        ensure!(!bytes.is_empty());
        verify_inclusion(&leaf_hash(&entry(index)), index, count, &proof.path, &head.root)?;
    }
    times.sort_by(f64::total_cmp);
    println!(
        "inclusion proof at {count} entries: median {:.2} ms, p99 {:.2} ms, largest {:.2} ms",
        median(&times),
        percentile(&times, 0.99),
        percentile(&times, 1.0)
    );
    let begun = Instant::now();
    let report = fsck(&dir, &head, |_| {});
    ensure!(report.is_clean() && report.entries == count, "{:?}", report.damage);
    println!("fsck of {count} entries: {:.2} s", begun.elapsed().as_secs_f64());
    let mut singles = Vec::new();
    for i in 0..20 {
        let begun = Instant::now();
        log.append(&[entry(count + i)])?;
        singles.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    println!("one entry alone, durable and signed: median {:.1} ms", median(&singles));
    let note = log.head().note().to_text();
    SignedCheckpoint::open(note.as_bytes(), &[key]).context("the last checkpoint opens")?;
    Ok(())
}
