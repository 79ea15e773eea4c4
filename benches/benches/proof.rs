//! Proofs of possession: our prover against `ark-groth16` and `taceo-groth16` on the same constraint system, key load,
//! witness, verification split into statement rebuild and pairing check, bytes read from disk, peak memory.
//!
//! Bars: S=64 D=6 twice as fast as taceo-groth16 0.2 and three times as fast as ark-groth16 0.6, peak memory under 500 MiB, the first proof
//! within 1.2 times later ones, pairing check under 3 ms.
//! Medians of five, interleaved. Run with `--test` it does class tiny once.

use std::time::Instant;

use anyhow::{Context as _, anyhow};
use bailiwick_benches::process::{cpu_seconds, peak_rss_bytes};
use bailiwick_benches::stats::median;
use bailiwick_groth16::peer::{ark_matrices, prove_with_ark, prove_with_taceo, taceo_matrices};
use bailiwick_groth16::{Matrices, Proof, ProvingKey, assign, prove, setup};
use bailiwick_possession::challenge::sampled;
use bailiwick_possession::opening::open;
use bailiwick_possession::statement::{Witness, lifted_roots, public_input};
use bailiwick_possession::tree::{BLOCK_BYTES, CELLS_PER_BLOCK, CellTree, commit};
use bailiwick_possession_circuit::circuit::PossessionCircuit;
use bailiwick_protocol::challenge::{Challenge, Target};
use bailiwick_protocol::ids::*;
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;

/// Wall and processor seconds of several runs.
#[derive(Default)]
struct Timing {
    wall: Vec<f64>,
    cpu: Vec<f64>,
}

impl Timing {
    fn run<T>(&mut self, step: impl FnOnce() -> T) -> T {
        let (begun, cpu) = (Instant::now(), cpu_seconds());
        let out = step();
        self.wall.push(begun.elapsed().as_secs_f64());
        self.cpu.push(cpu_seconds() - cpu);
        out
    }

    fn show(&self, what: &str) {
        println!("  {what:44} wall {:9.4} s   cpu {:8.3} s", median(&self.wall), median(&self.cpu));
    }
}

fn challenge(class: ClassId, vk: VkDigest, tree: &CellTree) -> Challenge {
    let target = Target {
        name: UnitName { owner: OwnerKey([1; 32]), object: ObjectId([2; 16]), unit: Unit::WHOLE },
        generation: 1,
        blake3: ContentId([6; 32]),
        size: tree.size(),
        root: tree.root(),
        cells: tree.cells(),
    };
    let (host, auditor, nonce) = (HostKey([3; 32]), AuditorKey([4; 32]), Nonce([5; 32]));
    Challenge {
        class,
        vk,
        host,
        targets: vec![target],
        inventory: None,
        epoch: 0,
        beacon: None,
        auditor,
        nonce,
    }
}

fn witness(challenge: &Challenge, tree: &CellTree, body: &[u8]) -> anyhow::Result<(Witness, u64)> {
    let drawn = sampled(challenge, &[])?;
    let root = lifted_roots(challenge.class, &drawn)?[0];
    let mut read = 0;
    let openings = drawn.slots.iter().map(|slot| {
        let start = usize::try_from(slot.cell / CELLS_PER_BLOCK as u64)? * BLOCK_BYTES;
        let block = &body[start..body.len().min(start + BLOCK_BYTES)];
        read += block.len() as u64;
        Ok((root, open(tree, slot.cell, challenge.class.depth, block)?))
    });
    let openings = openings.collect::<anyhow::Result<_>>()?;
    Ok((Witness { binding: drawn.binding, openings }, read))
}

fn main() -> anyhow::Result<()> {
    let quick = std::env::args().any(|a| a == "--test");
    let (class, runs, bytes) =
        if quick { (ClassId::TINY, 1, 100_000) } else { (ClassId::STANDARD, 5, 32 << 20) };
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut body = vec![0; bytes];
    rand::Rng::fill_bytes(&mut rng, &mut body);
    let tree = commit([&body])?;

    println!("class {class}");
    let mut synthesis = Timing::default();
    let matrices = synthesis.run(|| Matrices::synthesize(PossessionCircuit::shape(class)))?;
    println!(
        "  {} constraints, {} non-zero entries, {} kept",
        matrices.constraints(),
        matrices.non_zero(),
        matrices.distinct_entries()
    );
    synthesis.show("matrices");
    let mut set_up = Timing::default();
    let (key, _) = set_up.run(|| setup(&matrices, &mut rng, &mut |_| ()))?;
    set_up.show("key set-up");
    let file = tempfile::NamedTempFile::new()?;
    let digest = key.write_to(&mut std::io::BufWriter::new(file.as_file()))?;
    drop(key);
    let mut load = Timing::default();
    for _ in 0..runs {
        let mut from = std::io::BufReader::with_capacity(1 << 20, std::fs::File::open(file.path())?);
        load.run(|| ProvingKey::read_from(&mut from, &digest, &bailiwick_groth16::KeyShape::of(&matrices)?))?;
    }
    println!("  key file {} bytes", std::fs::metadata(file.path())?.len());
    load.show("key load, digest checked");
    let key = ProvingKey::read_from(
        &mut std::fs::File::open(file.path())?,
        &digest,
        &bailiwick_groth16::KeyShape::of(&matrices)?,
    )?;
    let vk = key.verifying_key().prepare();

    let challenge = challenge(class, vk.digest(), &tree);
    let (mut opening, mut assignment) = (Timing::default(), Timing::default());
    let (mut ours, mut taceo) = (Timing::default(), Timing::default());
    let public = public_input(&challenge, &sampled(&challenge, &[])?)?;
    let mut proof = None;
    let mut read = 0;
    for _ in 0..runs {
        let w = opening.run(|| witness(&challenge, &tree, &body))?;
        read = w.1;
        let z = assignment.run(|| assign(PossessionCircuit::assigned(class, public, &w.0)))?;
        proof = Some(ours.run(|| prove(&key, &vk, &matrices, &z, &mut rng, &mut |_| ()))?);
    }
    let peak = peak_rss_bytes();
    println!("  at most {read} bytes read from disk for a proof of {} samples", class.samples);
    opening.show("openings: cells and paths from blocks");
    assignment.show("witness assignment");
    let first = ours.wall[0];
    println!("  first proof {first:.3} s, the median of all {:.3} s (wall)", median(&ours.wall));
    ours = Timing::default();
    println!("  peak memory so far {:.0} MiB", peak as f64 / f64::from(1 << 20));
    let mut ark = Timing::default();
    let (in_ark, in_taceo) = (ark_matrices(&matrices), taceo_matrices(&matrices));
    let (w, _) = witness(&challenge, &tree, &body)?;
    let z = assign(PossessionCircuit::assigned(class, public, &w))?;
    for _ in 0..runs {
        ours.run(|| prove(&key, &vk, &matrices, &z, &mut rng, &mut |_| ()))?;
        taceo.run(|| prove_with_taceo(&key, &in_taceo, &z, &mut rng))?;
        ark.run(|| prove_with_ark(&key, &in_ark, &z, &mut rng))?;
    }
    ours.show("prove, with check before and verify after");
    taceo.show("taceo-groth16 0.2, unchecked");
    ark.show("ark-groth16 0.6, matrices kept, unchecked");
    for (what, theirs) in [("ark", &ark), ("taceo", &taceo)] {
        let (wall, cpu) =
            (median(&theirs.wall) / median(&ours.wall), median(&theirs.cpu) / median(&ours.cpu));
        println!("  {what} takes {wall:.2} times our wall time, {cpu:.2} times our processor time");
    }
    verification(&vk, &challenge, &proof.context("no proof")?, runs)
}

fn verification(
    vk: &bailiwick_groth16::PreparedVerifyingKey,
    challenge: &Challenge,
    proof: &Proof,
    runs: usize,
) -> anyhow::Result<()> {
    let (mut rebuild, mut decode, mut pairing) = (Timing::default(), Timing::default(), Timing::default());
    let bytes = proof.to_bytes();
    for _ in 0..20 * runs {
        let public = rebuild.run(|| anyhow::Ok(public_input(challenge, &sampled(challenge, &[])?)?))?;
        let proof = decode.run(|| Proof::from_bytes(&bytes)).map_err(|e| anyhow!(e))?;
        pairing.run(|| vk.verify(&[public], &proof))?;
    }
    rebuild.show("statement rebuild");
    decode.show("proof decoding, subgroup checks");
    pairing.show("pairing check, prepared key");
    Ok(())
}
