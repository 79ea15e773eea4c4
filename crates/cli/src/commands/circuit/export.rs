//! `bailiwick circuit export`: a constraint system, a key, an audit, for software nobody here wrote.

mod audit;
mod folder;
mod self_test;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use bailiwick_groth16::{Fr, Matrices, Proof, VERIFYING_KEY_BYTES_MAX, VerifyingKey};
use bailiwick_iden3::{json, r1cs, solidity};
use bailiwick_possession_circuit::circuit::PossessionCircuit;
use bailiwick_possession_circuit::class_info;
use bailiwick_protocol::ids::{ClassId, VkDigest};
use bailiwick_protocol::key_card::KeyProvenance;

use crate::Help;
use crate::commands::audit::parse_class;
use crate::output::{print_json, read_bounded};
use crate::say;

use folder::NewFolder;

/// Arguments of `circuit export`.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(true))]
pub(crate) struct Args {
    /// The constraint system of a class: circuit.r1cs
    #[arg(long, value_name = "CLASS", group = "what", value_parser = parse_class)]
    class: Option<ClassId>,
    /// A verifying key of the folder of keys: verification_key.json, Verifier.sol
    #[arg(long, value_name = "DIGEST", group = "what")]
    key: Option<VkDigest>,
    /// An evidence bundle: its proof and public input, for snarkjs and as a call of the contract, and its verifying key
    #[arg(long, value_name = "FILE", group = "what", conflicts_with = "key")]
    bundle: Option<PathBuf>,
    /// A made-up object, proven under the DEVELOPMENT key of a class, or under --key: all of the above and witness.wtns
    #[arg(long, value_name = "CLASS", group = "what", value_parser = parse_class, conflicts_with_all = ["class", "bundle"])]
    self_test: Option<ClassId>,
    /// Folder of keys
    #[arg(long, value_name = "DIR", default_value = "circuit-keys")]
    dir: PathBuf,
    /// Folder to make and to write to
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What was exported.
#[derive(Debug, Default, serde::Serialize)]
struct Report {
    /// Everything comes from a development key: proofs under it support nothing.
    development: bool,
    files: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    circuit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<VkDigest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provenance: Option<KeyProvenance>,
    /// Whether our own pairing check accepts the exported proof; another program's answer must be the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    proof_holds: Option<bool>,
}

/// A call of the contract, in words of 32 bytes.
#[derive(serde::Serialize)]
struct ContractCall {
    function: &'static str,
    proof: [String; solidity::PROOF_WORDS],
    inputs: Vec<String>,
    data: String,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut folder = NewFolder::create(&args.output)?;
    let mut report = Report::default();
    if let Some(class) = args.self_test {
        self_test::export(class, &args.dir, args.key, &mut folder, &mut report)?;
    }
    if let Some(class) = args.class {
        export_circuit(class, &mut folder, &mut report)?;
    }
    if let Some(digest) = args.key
        && args.self_test.is_none()
    {
        let (vk, provenance) = key_of(&args.dir, digest)?;
        export_key(&vk, provenance, &mut folder, &mut report)?;
    }
    if let Some(path) = &args.bundle {
        audit::export(path, &args.dir, &mut folder, &mut report)?;
    }
    report.files = folder.keep()?;
    tell(args, &report)
}

fn tell(args: &Args, report: &Report) -> anyhow::Result<ExitCode> {
    if args.json {
        print_json(report)?;
        return Ok(ExitCode::SUCCESS);
    }
    say!("{}: {}", args.output.display(), report.files.join(", "))?;
    if report.development {
        say!(
            "  DEVELOPMENT KEY: anyone can forge under it; this shows that programs agree, and nothing about any object"
        )?;
    }
    if let Some(holds) = report.proof_holds {
        say!("  our own pairing check {} this proof", if holds { "accepts" } else { "REFUSES" })?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Synthesises a class and writes `circuit.r1cs`, if the circuit is the pinned one.
fn export_circuit(class: ClassId, folder: &mut NewFolder, report: &mut Report) -> anyhow::Result<Matrices> {
    let matrices = Matrices::synthesize(PossessionCircuit::shape(class))?;
    let pinned = class_info(class).context("every class that can be named is pinned")?;
    ensure!(
        matrices.digest() == pinned.circuit,
        "this build's circuit of class {class} is not the pinned one"
    );
    folder.write("circuit.r1cs", |to| Ok(r1cs::write(&matrices, to).map(|_| ())?))?;
    report.circuit = Some(matrices.digest().to_string());
    Ok(matrices)
}

/// The verifying key of that digest in a folder of keys, and where its card says it comes from.
fn key_of(dir: &Path, digest: VkDigest) -> anyhow::Result<(VerifyingKey, Option<KeyProvenance>)> {
    let path = dir.join(format!("{digest}.vk"));
    let bytes = read_bounded(&path, VERIFYING_KEY_BYTES_MAX as u64)
        .context(Help("give the folder with the verifying key with --dir"))?;
    let vk = VerifyingKey::from_bytes(&bytes).with_context(|| format!("{}", path.display()))?;
    ensure!(vk.digest() == digest, "{} is key {}", path.display(), vk.digest());
    let card = super::cards(dir)?.into_iter().find(|c| c.vk == digest);
    Ok((vk, card.map(|c| c.provenance)))
}

/// Writes `verification_key.json` and `Verifier.sol`.
fn export_key(
    vk: &VerifyingKey,
    provenance: Option<KeyProvenance>,
    folder: &mut NewFolder,
    report: &mut Report,
) -> anyhow::Result<()> {
    let trust = match provenance {
        Some(KeyProvenance::Development) => solidity::Trust::Everyone,
        Some(KeyProvenance::Auditor) => solidity::Trust::OneParty,
        Some(KeyProvenance::Ceremony) => solidity::Trust::Ceremony,
        _ => solidity::Trust::Unstated,
    };
    report.development = provenance == Some(KeyProvenance::Development);
    report.key = Some(vk.digest());
    report.provenance = provenance;
    folder.write_text("verification_key.json", &json::verification_key(vk))?;
    folder.write_text("Verifier.sol", &solidity::contract(vk, trust))
}

/// Writes `proof.json`, `public.json` and `contract-call.json`.
fn export_proof(
    vk: &VerifyingKey,
    inputs: &[Fr],
    proof: &Proof,
    folder: &mut NewFolder,
    report: &mut Report,
) -> anyhow::Result<()> {
    let word = |bytes: [u8; 32]| format!("0x{}", hex::encode(bytes));
    let call = ContractCall {
        function: solidity::SIGNATURE,
        proof: solidity::proof_words(proof).map(word),
        inputs: inputs.iter().map(|x| word(solidity::input_word(x))).collect(),
        data: format!("0x{}", hex::encode(solidity::call_data(proof, inputs))),
    };
    report.proof_holds = Some(vk.prepare().verify(inputs, proof).is_ok());
    folder.write_text("proof.json", &json::proof(proof))?;
    folder.write_text("public.json", &json::public(inputs))?;
    folder.write_text("contract-call.json", &format!("{}\n", serde_json::to_string_pretty(&call)?))
}
