//! The inventory of an epoch: built, kept up to date, and proven.
//!
//! Bars: one proof over an inventory of 100,000 objects costs at most 1.3 times the proof of one object in the same class; building
//! that inventory after 100 changes takes less than 100 ms. Medians of five, in turns. Run with `--test` it does class tiny once.
//!
//! What is measured: everything a host does for an answer from the challenge on: find the sampled leaves and their paths, read tree and
//! block of each sampled cell from its file, open, prove. The 100,000 objects share 64 bodies of two blocks each, so that they can be
//! made in seconds; a proof touches at most 16 of them, reads each one's own file, and hashes a whole block for each sample, as it does
//! for the one object.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, ensure};
use bailiwick_benches::process::cpu_seconds;
use bailiwick_benches::stats::median;
use bailiwick_possession::challenge::sampled;
use bailiwick_possession::inventory::{Change, InventoryTree};
use bailiwick_possession::opening::open;
use bailiwick_possession::tree::{BLOCK_BYTES, CELLS_PER_BLOCK, CellTree, block_len, commit};
use bailiwick_possession_circuit::{ProverKey, prove, verify};
use bailiwick_protocol::challenge::{Challenge, Target};
use bailiwick_protocol::ids::*;
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;

/// Bodies that all objects share.
const BODIES: u32 = 64;

/// A stored body: the file is the body, then its tree.
struct Stored {
    path: PathBuf,
    target: Target,
}

impl Stored {
    fn make(dir: &Path, number: u32, size: usize) -> anyhow::Result<Self> {
        let mut body = vec![0; size];
        fill(number, &mut body);
        let tree = commit([&body])?;
        let path = dir.join(number.to_string());
        let mut bytes = body.clone();
        bytes.extend(tree.to_bytes());
        std::fs::write(&path, bytes)?;
        let target = Target {
            name: name(number),
            generation: 1,
            blake3: ContentId([6; 32]),
            size: tree.size(),
            root: tree.root(),
            cells: tree.cells(),
        };
        Ok(Self { path, target })
    }

    /// Tree and one block, from disk.
    fn read(&self, block: u64) -> anyhow::Result<(CellTree, Vec<u8>)> {
        let file = File::open(&self.path)?;
        let length = file.metadata()?.len() - self.target.size;
        let mut tree = vec![0; usize::try_from(length)?];
        file.read_exact_at(&mut tree, self.target.size)?;
        let mut bytes = vec![0; block_len(self.target.size, block)];
        file.read_exact_at(&mut bytes, block * BLOCK_BYTES as u64)?;
        Ok((CellTree::from_bytes(&tree)?, bytes))
    }
}

fn fill(number: u32, out: &mut [u8]) {
    rand::Rng::fill_bytes(&mut ChaCha20Rng::seed_from_u64(number.into()), out);
}

fn name(number: u32) -> UnitName {
    let mut object = [0; 16];
    object[..4].copy_from_slice(&number.to_be_bytes());
    UnitName { owner: OwnerKey([1; 32]), object: ObjectId(object), unit: Unit::WHOLE }
}

/// Object `number` of an inventory: a name of its own, one of the bodies.
fn leaf(number: u32, stored: &[Stored]) -> Target {
    let of = &stored[number as usize % stored.len()].target;
    Target { name: name(number), ..of.clone() }
}

fn challenge(key: &ProverKey, nonce: u8) -> Challenge {
    Challenge {
        class: key.class(),
        vk: key.prepared().digest(),
        host: HostKey([3; 32]),
        targets: Vec::new(),
        inventory: None,
        epoch: 1,
        beacon: None,
        auditor: AuditorKey([4; 32]),
        nonce: Nonce([nonce; 32]),
    }
}

/// One answer, from the challenge to 128 bytes that verify. Wall and processor seconds.
fn answer(
    key: &ProverKey,
    challenge: &Challenge,
    inventory: Option<&InventoryTree>,
    body_of: impl Fn(&Target) -> anyhow::Result<usize>,
    stored: &[Stored],
) -> anyhow::Result<(f64, f64)> {
    let (begun, cpu) = (Instant::now(), cpu_seconds());
    let leaves = inventory.map_or(Ok(Vec::new()), |tree| tree.sample(challenge))?;
    let asked = sampled(challenge, &leaves)?;
    let opening = |slot: &bailiwick_possession::challenge::Slot| {
        let body = &stored[body_of(&asked.targets[slot.target])?];
        let (tree, block) = body.read(slot.cell / CELLS_PER_BLOCK as u64)?;
        Ok(open(&tree, slot.cell, challenge.class.depth, &block)?)
    };
    let openings = asked.slots.iter().map(opening).collect::<anyhow::Result<Vec<_>>>()?;
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let proof = prove(key, challenge, &asked, openings, &mut rng, &mut |_| ())?;
    let times = (begun.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    verify(key.prepared(), challenge, &asked, &proof)?;
    Ok(times)
}

fn building(objects: u32, runs: u8, stored: &[Stored]) -> anyhow::Result<InventoryTree> {
    let leaves: Vec<Target> = (0..objects).map(|n| leaf(n, stored)).collect();
    let (mut anew, mut updated) = (Vec::new(), Vec::new());
    let mut tree = InventoryTree::new(leaves.clone())?;
    for run in 0..runs {
        let again = leaves.clone();
        let begun = Instant::now();
        let whole = InventoryTree::new(again)?;
        anew.push(begun.elapsed().as_secs_f64());
        // 40 new generations, 30 new objects between the others, 30 gone; spread over all.
        let step = objects / 100;
        let changes = (0..100).map(|i| {
            let at = leaf(i * step, stored);
            match i % 10 {
                0..4 => Change::Held(Target { generation: 2 + u64::from(run), ..at }),
                4..7 => {
                    let mut between = at;
                    between.name.object.0[8 + usize::from(run)] = 1;
                    Change::Held(between)
                }
                _ => Change::Gone(at.name),
            }
        });
        let changes: Vec<Change> = changes.collect();
        let begun = Instant::now();
        let after = whole.updated(changes)?;
        updated.push(begun.elapsed().as_secs_f64());
        ensure!(after.target().root != whole.target().root, "changes change the root");
        tree = whole;
    }
    let (anew, updated) = (1e3 * median(&anew), 1e3 * median(&updated));
    println!("  {objects} leaves: anew {anew:.1} ms, after 100 changes {updated:.1} ms (bar 100 ms)");
    Ok(tree)
}

fn main() -> anyhow::Result<()> {
    let quick = std::env::args().any(|a| a == "--test");
    let (class, objects, runs, single) =
        if quick { (ClassId::TINY, 1_000, 1, 100_000) } else { (ClassId::SMALL, 100_000, 5, 16 << 20) };
    let dir = tempfile::tempdir()?;
    // Class tiny holds one block.
    let size = if quick { BLOCK_BYTES } else { 2 * BLOCK_BYTES };
    let mut stored =
        (0..BODIES).map(|n| Stored::make(dir.path(), n, size)).collect::<anyhow::Result<Vec<_>>>()?;
    println!("class {class}, {objects} objects");
    let tree = building(objects, runs, &stored)?;

    stored.push(Stored::make(dir.path(), BODIES, single)?);
    let one = stored.last().context("just made")?.target.clone();
    let (key, _) = ProverKey::generate(class, &mut ChaCha20Rng::seed_from_u64(7), &mut |_| ())?;
    let mut wall = [Vec::new(), Vec::new()];
    let mut cpu = [Vec::new(), Vec::new()];
    for nonce in 0..runs {
        let asked = challenge(&key, nonce);
        let of_one = Challenge { targets: vec![one.clone()], ..asked.clone() };
        let of_all = Challenge { inventory: Some(tree.target()), ..asked };
        let times = [
            answer(&key, &of_one, None, |_| Ok(BODIES as usize), &stored)?,
            answer(&key, &of_all, Some(&tree), body_number, &stored)?,
        ];
        for (i, (w, c)) in times.into_iter().enumerate() {
            wall[i].push(w);
            cpu[i].push(c);
        }
    }
    for (i, what) in ["one object", "the inventory"].into_iter().enumerate() {
        println!("  proof of {what:14} wall {:7.3} s   cpu {:7.3} s", median(&wall[i]), median(&cpu[i]));
    }
    println!(
        "  inventory to one object: {:.2} wall, {:.2} cpu (bar 1.3)",
        median(&wall[1]) / median(&wall[0]),
        median(&cpu[1]) / median(&cpu[0])
    );
    Ok(())
}

/// Which body an object of the inventory has.
fn body_number(target: &Target) -> anyhow::Result<usize> {
    let number = target.name.object.0.first_chunk::<4>().context("16 bytes")?;
    Ok(usize::try_from(u32::from_be_bytes(*number) % BODIES)?)
}
