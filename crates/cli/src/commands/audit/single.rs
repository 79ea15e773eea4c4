//! `bailiwick audit run`: challenge a host, collect, and write an evidence bundle.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use bailiwick_client::Client;
use bailiwick_groth16::{VERIFYING_KEY_BYTES_MAX, VerifyingKey};
use bailiwick_possession_circuit::class_info;
use bailiwick_protocol::api::CircuitInfo;
use bailiwick_protocol::bundle::{Answer, Bundle, ProbeOutcome};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::{Envelope, SignedEnvelope};
use bailiwick_protocol::ids::{ClassId, VkDigest};
use bailiwick_protocol::limits::ENVELOPE_BYTES_MAX;

use crate::audit::{Plan, collect};
use crate::connect::NodeArgs;
use crate::keyfile::{self, Kind};
use crate::output::{AtomicFile, print_json, read_bounded};
use crate::say;
use crate::{Help, progress};

/// Arguments of `audit run` for one host.
#[derive(Debug, clap::Args)]
pub(super) struct SingleArgs {
    /// Address of the node, e.g. `http://127.0.0.1:8470`
    #[arg(long, value_name = "URL", required = false, required_unless_present = "campaign")]
    node: String,
    /// The host's public key: hexadecimal, or its .pub file
    #[arg(long, value_name = "KEY", required = false, required_unless_present = "campaign")]
    host: String,
    /// PEM file with the certificates to trust (https needs it)
    #[arg(long, value_name = "FILE")]
    roots: Option<PathBuf>,
    /// The auditor's secret key file
    #[arg(long, value_name = "FILE", required = false, required_unless_present = "campaign")]
    auditor: PathBuf,
    /// Digest of the verifying key the proof must verify under
    #[arg(long, value_name = "DIGEST", required = false, required_unless_present = "campaign")]
    vk: VkDigest,
    /// Class of that key: tiny, small, standard or large
    #[arg(long, value_name = "CLASS", default_value = "small", value_parser = super::parse_class)]
    class: ClassId,
    /// Folder of verifying keys, DIGEST.vk
    #[arg(long, value_name = "DIR", default_value = "circuit-keys")]
    circuit_keys: PathBuf,
    /// Envelope of an object to audit, from its owner; give one for each object
    #[arg(long, value_name = "FILE", required = false, required_unless_present = "campaign")]
    envelope: Vec<PathBuf>,
    /// Public key of an owner whose envelopes you accept (hexadecimal or .pub file)
    #[arg(long, value_name = "KEY", required = false, required_unless_present = "campaign")]
    owner: Vec<String>,
    /// Random blocks to fetch as a customer would
    #[arg(long, value_name = "N", default_value_t = 4)]
    probes: u32,
    /// Seconds the host may take to answer
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    deadline: u64,
    /// Epoch of the schedule
    #[arg(long, value_name = "N", default_value_t = 0)]
    epoch: u64,
    /// The evidence bundle to write
    #[arg(short, long, value_name = "FILE", required = false, required_unless_present = "campaign")]
    output: PathBuf,
}

/// What the summary says.
#[derive(serde::Serialize)]
struct Summary {
    bundle: String,
    challenge: String,
    answer: &'static str,
    answer_ms: u64,
    probes: Probes,
}

#[derive(serde::Serialize)]
struct Probes {
    total: usize,
    good: usize,
}

/// Runs the command. A host that does not answer gives a bundle and success: what follows from it is for `verify` to say.
pub(super) fn run(args: SingleArgs, json: bool) -> anyhow::Result<ExitCode> {
    let node = NodeArgs::new(args.node.clone(), args.host.clone(), args.roots.clone());
    let auditor = keyfile::read_signing_key(&args.auditor, Kind::Auditor)?;
    check_key(&args.circuit_keys, args.vk, args.class)?;
    let owners = args
        .owner
        .iter()
        .map(|text| keyfile::public_key(text, Kind::Owner))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let envelopes =
        args.envelope.iter().map(|path| read_envelope(path, &owners)).collect::<anyhow::Result<_>>()?;
    let plan = Plan {
        class: args.class,
        vk: args.vk,
        host: node.host_key()?,
        epoch: args.epoch,
        envelopes,
        probes: args.probes,
        deadline: Duration::from_secs(args.deadline),
    };
    let requests = keyfile::read_signing_key(&args.auditor, Kind::Auditor)?;
    let client = node.connect(requests)?;
    check_host(&client, &args)?;
    // Before the challenge is drawn: an answer must not be lost for want of a place to put it.
    let mut file = AtomicFile::create(&args.output, 0o666)?;
    let bar = progress::steps(1000, "proof");
    let signed = collect(&client, &auditor, plan, &bar)?;
    bar.finish_and_clear();
    file.write_all(&signed.to_bytes()).with_context(|| format!("cannot write {}", args.output.display()))?;
    file.commit()?;
    let bundle = signed.verify(&auditor.public())?;
    let summary = summarise(&args.output, &bundle)?;
    if json {
        print_json(&summary)?;
    } else {
        say!(
            "{}: {} after {} ms; {} of {} ranges good. Judge it with `bailiwick verify`.",
            summary.bundle,
            summary.answer,
            summary.answer_ms,
            summary.probes.good,
            summary.probes.total
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The verifying key must be at hand and of the class asked for, or the host would prove for nothing.
pub(super) fn check_key(folder: &Path, vk: VkDigest, class: ClassId) -> anyhow::Result<()> {
    let path = folder.join(format!("{vk}.vk"));
    let key = VerifyingKey::from_bytes(&read_bounded(&path, VERIFYING_KEY_BYTES_MAX as u64)?)
        .with_context(|| format!("{}", path.display()))?;
    anyhow::ensure!(key.digest() == vk, "{} holds another key: {}", path.display(), key.digest());
    if class_info(class).is_none() {
        return Err(anyhow::anyhow!("no circuit of class {class}"))
            .context(Help("see `bailiwick circuit ls`"));
    }
    Ok(())
}

/// The host must have the proving key: a question it cannot answer says nothing about what it holds.
fn check_host(client: &Client, args: &SingleArgs) -> anyhow::Result<()> {
    let host = client.host_info().context("asking the node who it is")?;
    let wanted =
        |c: &CircuitInfo| c.vk == args.vk && c.samples == args.class.samples && c.depth == args.class.depth;
    if !host.circuits.iter().any(wanted) {
        return Err(anyhow::anyhow!("the host has no key {} of class {}", args.vk, args.class)).context(Help(
            "give the host DIGEST.pk, DIGEST.toml and DIGEST.transcript for its circuit_keys_dir; check --class",
        ));
    }
    Ok(())
}

/// Reads an envelope and verifies it under one of the accepted owners.
fn read_envelope(path: &Path, owners: &[[u8; 32]]) -> anyhow::Result<(SignedEnvelope, Envelope)> {
    let bytes = read_bounded(path, ENVELOPE_BYTES_MAX as u64 + 128)?;
    let signed = SignedEnvelope::from_bytes(&bytes).with_context(|| format!("{}", path.display()))?;
    let envelope = owners
        .iter()
        .find_map(|owner| signed.verify(owner).ok().filter(|e| e.owner.as_bytes() == owner))
        .with_context(|| format!("{} is not signed by any of the accepted owners", path.display()))
        .context(Help("name its owner's public key with --owner, if you know it from the owner"))?;
    Ok((signed, envelope))
}

fn summarise(path: &Path, bundle: &Bundle) -> anyhow::Result<Summary> {
    let challenge = bundle.challenge.decode_unverified()?;
    let answer = match &bundle.answer {
        Answer::Response(r) => match r.verify(challenge.host.as_bytes()).map(|r| r.outcome) {
            Ok(Ok(_)) => "proof",
            Ok(Err(_)) => "cannot-prove",
            Err(_) => "not signed by the host",
        },
        Answer::None(_) => "no answer",
    };
    Ok(Summary {
        bundle: path.display().to_string(),
        challenge: challenge.digest().to_string(),
        answer,
        answer_ms: bundle.answered_unix_ms - bundle.asked_unix_ms,
        probes: Probes {
            total: bundle.ranges.len(),
            good: bundle.ranges.iter().filter(|r| r.outcome == ProbeOutcome::Good).count(),
        },
    })
}
