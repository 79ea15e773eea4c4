//! `bailiwick inspect`: what a host can see of an object.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use bailiwick_custody::Dealing;
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::{Envelope, Kem, SignedEnvelope};
use bailiwick_protocol::ids::OwnerKey;

use super::commit::ENVELOPE_FILE_BYTES_MAX;
use crate::Help;
use crate::keyfile::{self, Kind};
use crate::output::{print_json, read_bounded};
use crate::say;

/// Arguments of `inspect`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The envelope
    envelope: PathBuf,
    /// The owner's public key, known from elsewhere: hexadecimal, or its .pub file
    #[arg(long, value_name = "KEY")]
    owner: Option<String>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

#[derive(serde::Serialize)]
struct Report {
    /// True when the signature verified under an owner key the caller gave.
    owner_pinned: bool,
    /// True when the signature verifies under the key the envelope itself names, which anyone can arrange.
    self_consistent: bool,
    suite: u64,
    owner: String,
    object: String,
    unit: String,
    generation: u64,
    body_bytes: u64,
    blake3: String,
    salt: String,
    key_commitment: String,
    storage_root: Option<String>,
    storage_cells: Option<u64>,
    recipients: Vec<Recipient>,
    /// A passphrase opens it, too.
    passphrase: bool,
    /// What trying one passphrase costs.
    passphrase_cost: Option<Cost>,
    custody: Option<Custody>,
    /// Digest of the owner's policy for this object.
    policy: Option<String>,
}

/// Parameters of Argon2id, RFC 9106.
#[derive(serde::Serialize)]
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// What a dealing says; `bailiwick custody verify` checks it.
#[derive(serde::Serialize)]
struct Custody {
    /// None when the dealing cannot be read.
    threshold: Option<u16>,
    custodians: Vec<String>,
}

#[derive(serde::Serialize)]
struct Recipient {
    kem: &'static str,
    /// None for an anonymous recipient.
    key_id: Option<String>,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let bytes = read_bounded(&args.envelope, ENVELOPE_FILE_BYTES_MAX)?;
    let (envelope, pinned, consistent) = match &args.owner {
        Some(text) => {
            let owner = OwnerKey(keyfile::public_key(text, Kind::Owner)?);
            let envelope = bailiwick_envelope::verify(&owner, &bytes)
                .with_context(|| format!("{} is not signed by this owner", args.envelope.display()))
                .context(Help(
                    "it is damaged, or someone else signed it; without --owner it is shown unverified",
                ))?;
            (envelope, true, true)
        }
        None => {
            let signed = SignedEnvelope::from_bytes(&bytes)
                .with_context(|| format!("{} is not an envelope", args.envelope.display()))?;
            let envelope = signed
                .decode_unverified()
                .with_context(|| format!("{} is not an envelope", args.envelope.display()))?;
            let consistent = signed.verify(envelope.owner.as_bytes()).is_ok();
            (envelope, false, consistent)
        }
    };
    let report = report(&envelope, pinned, consistent);
    if args.json {
        print_json(&report)?;
    } else {
        print(&report)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn report(e: &Envelope, owner_pinned: bool, self_consistent: bool) -> Report {
    let recipient = |r: &bailiwick_protocol::envelope::RecipientEntry| Recipient {
        kem: match r.kem {
            Kem::XWing => "x-wing",
            Kem::X25519 => "x25519",
            Kem::P256 => "p256",
        },
        key_id: r.key_id.map(hex::encode),
    };
    Report {
        owner_pinned,
        self_consistent,
        suite: e.suite,
        owner: e.owner.to_string(),
        object: e.object.to_string(),
        unit: e.unit.to_string(),
        generation: e.generation,
        body_bytes: e.body.size,
        blake3: e.body.blake3.to_string(),
        salt: hex::encode(e.body.salt),
        key_commitment: hex::encode(e.body.key_commitment),
        storage_root: e.commitment.as_ref().map(|c| c.root.to_string()),
        storage_cells: e.commitment.as_ref().map(|c| c.cells),
        recipients: e.recipients.iter().map(recipient).collect(),
        passphrase: e.passphrase.is_some(),
        passphrase_cost: e.passphrase.as_ref().map(|p| Cost {
            memory_kib: p.memory_kib,
            passes: p.passes,
            lanes: p.lanes,
        }),
        custody: e.custody.as_ref().map(|part| match Dealing::from_bytes(&part.dealing) {
            Ok(d) => Custody {
                threshold: Some(d.threshold),
                custodians: d.custodians.into_iter().map(|c| c.name).collect(),
            },
            Err(_) => Custody { threshold: None, custodians: Vec::new() },
        }),
        policy: e.policy.map(hex::encode),
    }
}

fn print(r: &Report) -> std::io::Result<()> {
    if r.owner_pinned {
        say!("signature       verified under the owner key you gave")?;
    } else {
        say!(
            "NOT VERIFIED: no --owner given. Whoever carried this file could have replaced owner and signature."
        )?;
        let consistent = if r.self_consistent { "verifies" } else { "DOES NOT VERIFY" };
        say!("signature       {consistent} under the key the envelope itself names")?;
    }
    say!("owner           {}", r.owner)?;
    say!("object          {}", r.object)?;
    say!("unit            {}", r.unit)?;
    say!("generation      {}", r.generation)?;
    say!("suite           {} (Cobblestone-256, HPKE, Ed25519, BLAKE3)", r.suite)?;
    say!("body            {} bytes, padding included", r.body_bytes)?;
    say!("blake3          {}", r.blake3)?;
    say!("salt            {}", r.salt)?;
    say!("key commitment  {}", r.key_commitment)?;
    match (&r.storage_root, r.storage_cells) {
        (Some(root), Some(cells)) => say!("stored as       {cells} cells, root {root}")?,
        _ => say!("stored as       no commitment: storage of this object cannot be proved")?,
    }
    for one in &r.recipients {
        say!("recipient       {} {}", one.kem, one.key_id.as_deref().unwrap_or("anonymous"))?;
    }
    if let Some(Cost { memory_kib, passes, lanes }) = &r.passphrase_cost {
        say!(
            "passphrase      opens it, too; a try costs Argon2id over {memory_kib} KiB, {passes} pass(es), {lanes} lane(s)"
        )?;
    }
    match &r.custody {
        Some(Custody { threshold: Some(t), custodians }) => {
            let names: Vec<_> = custodians.iter().map(|n| bailiwick_roster::Quoted(n).to_string()).collect();
            say!("custody         any {t} of {} (`bailiwick custody verify` checks it)", names.join(", "))?;
        }
        Some(_) => say!("custody         a dealing that cannot be read")?,
        None => {}
    }
    if let Some(policy) = &r.policy {
        say!("policy          {policy}")?;
    }
    say!(
        "A host sees all of this, the access pattern and the times; not name, media type, true length or content."
    )
}
