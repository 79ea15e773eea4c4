//! Mutates the seeds of every target for a few seconds, the same way each time.
//!
//! `fuzz-smoke [--seconds N] [--iterations N] [--seed N] [--write-corpus DIR] [TARGET…]`
//! A target runs until its seconds or its iterations are over, whichever comes first.

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bailiwick_fuzz::mutate::{Generator, mutate};
use bailiwick_fuzz::{TARGETS, Target};

/// Inputs kept per target; accepted ones are worth mutating further.
const CORPUS_MAX: usize = 256;

/// Bytes of inputs kept per target.
const CORPUS_BYTES_MAX: usize = 16 << 20;

struct Options {
    seconds: u64,
    iterations: u64,
    seed: u64,
    corpus: Option<PathBuf>,
    targets: Vec<&'static Target>,
}

fn main() -> ExitCode {
    match options().and_then(|o| run(&o)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            eprintln!("error: {e:#}");
            ExitCode::from(2)
        }
    }
}

fn options() -> Result<Options> {
    let mut o = Options { seconds: 5, iterations: u64::MAX, seed: 1, corpus: None, targets: Vec::new() };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("{arg} takes a value"));
        match arg.as_str() {
            "--seconds" => o.seconds = value()?.parse()?,
            "--iterations" => o.iterations = value()?.parse()?,
            "--seed" => o.seed = value()?.parse()?,
            "--write-corpus" => o.corpus = Some(value()?.into()),
            name => match TARGETS.iter().find(|t| t.name == name) {
                Some(t) => o.targets.push(t),
                None => bail!("no target {name}; there are: {}", names().join(", ")),
            },
        }
    }
    if o.targets.is_empty() {
        o.targets = TARGETS.iter().collect();
    }
    Ok(o)
}

fn names() -> Vec<&'static str> {
    TARGETS.iter().map(|t| t.name).collect()
}

fn run(o: &Options) -> Result<bool> {
    if let Some(dir) = &o.corpus {
        for t in &o.targets {
            write_corpus(&dir.join(t.name), &(t.seeds)())?;
        }
        return Ok(true);
    }
    let mut good = true;
    for t in &o.targets {
        good &= smoke(t, o)?;
    }
    Ok(good)
}

fn write_corpus(dir: &Path, seeds: &[Vec<u8>]) -> Result<()> {
    std::fs::create_dir_all(dir)?;
    for (i, seed) in seeds.iter().enumerate() {
        std::fs::write(dir.join(format!("seed-{i}")), seed)?;
    }
    Ok(())
}

/// One target: false when an input made it panic; the input is written beside the corpus.
fn smoke(t: &Target, o: &Options) -> Result<bool> {
    let mut corpus = (t.seeds)();
    let mut kept: usize = corpus.iter().map(Vec::len).sum();
    let mut g = Generator::new(o.seed);
    let (mut runs, mut accepted) = (0u64, 0u64);
    let end = Instant::now() + Duration::from_secs(o.seconds);
    while runs < o.iterations && Instant::now() < end {
        let (base, other) = (g.below(corpus.len()), g.below(corpus.len()));
        let input = mutate(&corpus[base], &corpus[other], &mut g);
        runs += 1;
        match catch_unwind(AssertUnwindSafe(|| (t.run)(&input))) {
            Ok(true) => {
                accepted += 1;
                kept += input.len();
                if corpus.len() < CORPUS_MAX && kept < CORPUS_BYTES_MAX && !corpus.contains(&input) {
                    corpus.push(input);
                }
            }
            Ok(false) => {}
            Err(_) => return failed(t, o, runs, &input),
        }
    }
    println!("fuzz {:<16} {runs:>9} inputs, {accepted:>8} accepted, {:>3} kept", t.name, corpus.len());
    Ok(true)
}

fn failed(t: &Target, o: &Options, runs: u64, input: &[u8]) -> Result<bool> {
    let dir = Path::new("fuzz/artifacts").join(t.name);
    std::fs::create_dir_all(&dir)?;
    let file = dir.join(format!("seed-{}-input-{runs}", o.seed));
    std::fs::File::create(&file)?.write_all(input)?;
    eprintln!("fuzz {}: panicked on input {runs} of seed {}, written to {}", t.name, o.seed, file.display());
    Ok(false)
}
