//! Everything there is to export, of an object made up here and proven under the development key or one of a folder. The one place where a witness leaves
//! the program: at a host it never does.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::{Context as _, ensure};
use bailiwick_groth16::{Proof, SetupProgress, assign};
use bailiwick_iden3::wtns;
use bailiwick_possession::challenge::{Sampled, sampled};
use bailiwick_possession::opening::{Opening, open};
use bailiwick_possession::statement::{Witness, lifted_roots};
use bailiwick_possession::tree::{BLOCK_BYTES, CELLS_PER_BLOCK, commit};
use bailiwick_possession_circuit::circuit::PossessionCircuit;
use bailiwick_possession_circuit::public::PublicInputs;
use bailiwick_possession_circuit::{ProverKey, prove};
use bailiwick_protocol::challenge::{Challenge, Target};
use bailiwick_protocol::ids::{
    AuditorKey, ClassId, ContentId, HostKey, Nonce, ObjectId, OwnerKey, Unit, UnitName, VkDigest,
};
use bailiwick_protocol::key_card::KeyProvenance;

use super::folder::NewFolder;
use super::{Report, export_circuit, export_key, export_proof};
use crate::commands::circuit::cards;
use crate::{keyfile, progress};

/// Bytes of the made-up object: a hundred cells in one block, which every class can prove.
const OBJECT_BYTES: usize = 49_500;

pub(super) fn export(
    class: ClassId,
    dir: &Path,
    digest: Option<VkDigest>,
    folder: &mut NewFolder,
    report: &mut Report,
) -> anyhow::Result<()> {
    let matrices = export_circuit(class, folder, report)?;
    let (key, provenance) = match digest {
        None => (development_key(class)?, KeyProvenance::Development),
        Some(digest) => key_at_hand(class, dir, digest)?,
    };
    export_key(key.verifying_key(), Some(provenance), folder, report)?;

    let mut body = vec![0; OBJECT_BYTES];
    blake3::Hasher::new().update(b"a made-up object").finalize_xof().fill(&mut body);
    let challenge = challenge(class, key.prepared().digest(), &body)?;
    let drawn = sampled(&challenge, &[])?;
    let openings = openings(&challenge, &drawn, &body)?;
    let inputs = PublicInputs::of(&challenge, &drawn)?;

    let roots = lifted_roots(class, &drawn)?;
    let root = *roots.first().context("one object has one root")?;
    let witness =
        Witness { binding: drawn.binding, openings: openings.iter().map(|o| (root, o.clone())).collect() };
    let assignment = assign(PossessionCircuit::assigned(class, inputs.statement, &witness))?;
    ensure!(matrices.first_unsatisfied(&assignment).is_none(), "the witness satisfies the circuit");
    folder.write("witness.wtns", |to| Ok(wtns::write(&assignment, to).map(|_| ())?))?;

    let proof = prove(&key, &challenge, &drawn, openings, &mut keyfile::system_rng()?, &mut |_| ())?;
    export_proof(key.verifying_key(), &inputs.to_array(), &Proof::from_bytes(&proof)?, folder, report)
}

fn development_key(class: ClassId) -> anyhow::Result<ProverKey> {
    let bar = progress::steps(1000, "key set-up");
    let key = ProverKey::development(class, &mut |p: SetupProgress| {
        bar.set_position(1000 * p.done / p.total.max(1));
    })?;
    bar.finish_and_clear();
    Ok(key)
}

/// A proving key of a folder of keys, by its card.
fn key_at_hand(class: ClassId, dir: &Path, digest: VkDigest) -> anyhow::Result<(ProverKey, KeyProvenance)> {
    let card = cards(dir)?
        .into_iter()
        .find(|c| c.vk == digest)
        .with_context(|| format!("{} has no card of key {digest}", dir.display()))?;
    ensure!(card.class == class, "key {digest} is for class {}", card.class);
    let path = dir.join(format!("{digest}.pk"));
    let file = File::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
    let key = ProverKey::read_from(&mut BufReader::new(file), &card.pk, class)?;
    let found = key.verifying_key().digest();
    ensure!(found == digest, "the key filed under {digest} is key {found}");
    Ok((key, card.provenance))
}

fn challenge(class: ClassId, vk: VkDigest, body: &[u8]) -> anyhow::Result<Challenge> {
    let tree = commit([body])?;
    let target = Target {
        name: UnitName { owner: OwnerKey([1; 32]), object: ObjectId([2; 16]), unit: Unit::WHOLE },
        generation: 0,
        blake3: ContentId(blake3::hash(body).into()),
        size: tree.size(),
        root: tree.root(),
        cells: tree.cells(),
    };
    Ok(Challenge {
        class,
        vk,
        host: HostKey([3; 32]),
        targets: vec![target],
        inventory: None,
        epoch: 0,
        beacon: None,
        auditor: AuditorKey([4; 32]),
        nonce: Nonce([5; 32]),
    })
}

fn openings(challenge: &Challenge, drawn: &Sampled, body: &[u8]) -> anyhow::Result<Vec<Opening>> {
    let tree = commit([body])?;
    let opening = |cell: u64| -> anyhow::Result<Opening> {
        let start = usize::try_from(cell)? / CELLS_PER_BLOCK * BLOCK_BYTES;
        let block = body
            .get(start..body.len().min(start + BLOCK_BYTES))
            .context("a drawn cell lies in the object")?;
        Ok(open(&tree, cell, challenge.class.depth, block)?)
    };
    drawn.slots.iter().map(|slot| opening(slot.cell)).collect()
}
