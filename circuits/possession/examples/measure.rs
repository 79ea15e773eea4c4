//! Times and memory of one class, each step in a process of its own:
//!
//! ```text
//! measure setup small /tmp/small.pk          prints the digest
//! measure prove small /tmp/small.pk DIGEST   load, witness, proof, verification
//! ```

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter};
use std::time::Instant;

use bailiwick_groth16::assign;
use bailiwick_possession::challenge::sampled;
use bailiwick_possession::opening::open;
use bailiwick_possession::statement::{Witness, lifted_roots};
use bailiwick_possession::tree::{BLOCK_BYTES, CELLS_PER_BLOCK, commit};
use bailiwick_possession_circuit::circuit::PossessionCircuit;
use bailiwick_possession_circuit::public::PublicInputs;
use bailiwick_possession_circuit::{Progress, ProverKey, prove, verify};
use bailiwick_protocol::challenge::{Challenge, Target};
use bailiwick_protocol::ids::{
    AuditorKey, ClassId, ContentId, HostKey, Nonce, ObjectId, OwnerKey, PkDigest, Unit, UnitName, VkDigest,
};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// User and system CPU seconds of this process so far (Linux; clock ticks of 10 ms).
fn cpu() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |i: usize| fields.get(i).and_then(|f| f.parse::<f64>().ok()).unwrap_or(f64::NAN);
    (ticks(11) + ticks(12)) / 100.0
}

fn peak_memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find(|l| l.starts_with("VmHWM")).unwrap_or("VmHWM: unknown").to_owned()
}

fn timed<T>(what: &str, step: impl FnOnce() -> T) -> T {
    let (wall, cpu_before) = (Instant::now(), cpu());
    let out = step();
    println!(
        "{what:<28} wall {:8.3} s   cpu {:7.2} s   {}",
        wall.elapsed().as_secs_f64(),
        cpu() - cpu_before,
        peak_memory()
    );
    out
}

fn challenge(class: ClassId, vk: VkDigest, body: &[u8]) -> Outcome<Challenge> {
    let tree = commit([body])?;
    let target = Target {
        name: UnitName { owner: OwnerKey([1; 32]), object: ObjectId([2; 16]), unit: Unit::WHOLE },
        generation: 0,
        blake3: ContentId(blake3::hash(body).into()),
        size: tree.size(),
        root: tree.root(),
        cells: tree.cells(),
    };
    let (host, auditor, nonce) = (HostKey([3; 32]), AuditorKey([4; 32]), Nonce([5; 32]));
    Ok(Challenge {
        class,
        vk,
        host,
        targets: vec![target],
        inventory: None,
        epoch: 0,
        beacon: None,
        auditor,
        nonce,
    })
}

fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [step, class, path, rest @ ..] = args.as_slice() else {
        return Err("measure setup|prove CLASS FILE [DIGEST]".into());
    };
    let class =
        ClassId::PINNED.iter().find(|(name, _)| name == class).map(|(_, c)| *c).ok_or("unknown class")?;
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    if step == "setup" {
        let (key, _) = timed("setup", || ProverKey::generate(class, &mut rng, &mut |_| ()))?;
        let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
        let (_, digest) = timed("write", || key.write_to(&mut file))?;
        drop(file);
        println!(
            "key bytes {}   vk bytes {}",
            fs::metadata(path)?.len(),
            key.verifying_key().as_bytes().len()
        );
        println!("{digest}");
        return Ok(());
    }
    let digest: PkDigest = rest.first().ok_or("digest missing")?.parse()?;
    let key = timed("load key and matrices", || {
        ProverKey::read_from(&mut BufReader::with_capacity(1 << 20, File::open(path)?), &digest, class)
            .map_err(Box::<dyn Error>::from)
    })?;
    let body: Vec<u8> =
        (0..20_000_000u32).flat_map(|i| i.wrapping_mul(0x9e37_79b9).to_le_bytes()).take(20 << 20).collect();
    let c = challenge(class, key.prepared().digest(), &body)?;
    let tree = commit([&body])?;
    let drawn = sampled(&c, &[])?;
    let openings = timed("open cells", || {
        drawn
            .slots
            .iter()
            .map(|s| {
                let start = usize::try_from(s.cell).unwrap_or(0) / CELLS_PER_BLOCK * BLOCK_BYTES;
                open(&tree, s.cell, class.depth, &body[start..body.len().min(start + BLOCK_BYTES)])
            })
            .collect::<Result<Vec<_>, _>>()
    })?;
    let roots = lifted_roots(class, &drawn)?;
    let public = PublicInputs::of(&c, &drawn)?.statement;
    let witness = Witness {
        binding: drawn.binding,
        openings: openings.iter().map(|o| (roots[0], o.clone())).collect(),
    };
    timed("witness", || assign(PossessionCircuit::assigned(class, public, &witness)))?;
    for run in 1..=3 {
        let mut phases: Vec<(Progress, Instant)> = Vec::new();
        let proof = timed(&format!("proof {run}"), || {
            prove(&key, &c, &drawn, openings.clone(), &mut rng, &mut |p| phases.push((p, Instant::now())))
        })?;
        for pair in phases.windows(2) {
            println!("    {:?} {:.3} s", pair[0].0, (pair[1].1 - pair[0].1).as_secs_f64());
        }
        let begin = Instant::now();
        let inputs = PublicInputs::of(&c, &drawn)?.to_array();
        let statement = begin.elapsed();
        let begin = Instant::now();
        let parsed = bailiwick_groth16::Proof::from_bytes(&proof)?;
        let decoding = begin.elapsed();
        let begin = Instant::now();
        key.prepared().verify(&inputs, &parsed)?;
        println!("    verify: statement {statement:?}, decoding {decoding:?}, pairing {:?}", begin.elapsed());
        verify(key.prepared(), &c, &drawn, &proof)?;
    }
    Ok(())
}
