//! `custody verify`: what anyone can check.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use bailiwick_custody::Receipt;
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_roster::Quoted;

use super::network::{NetworkArgs, Powers, quoted, reached};
use super::records::{RecordArgs, Released};
use super::seen::SeenArgs;
use super::{
    Beside, InCustody, MESSAGE_BYTES_MAX, file_key_under, policy_digest, recipient_keys, with_dealt_key,
};
use crate::Help;
use crate::output::{print_json, read_bounded};
use crate::say;

/// Arguments of `verify`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The envelope
    envelope: PathBuf,
    #[command(flatten)]
    seen: SeenArgs,
    #[command(flatten)]
    network: NetworkArgs,
    /// Secret key file of a recipient who was sent the shared secret: also checks that the body opens under it (not in hybrid mode)
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// Receipts of custodians for their post-quantum shares
    #[arg(long, value_name = "FILE", num_args = 1..)]
    receipt: Vec<PathBuf>,
    #[command(flatten)]
    records: RecordArgs,
    /// The owner's policy file: is it the one that envelope and dealing name?
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

#[derive(serde::Serialize)]
struct Report {
    object: String,
    generation: u64,
    dealt_at_generation: u64,
    dealing: String,
    threshold: usize,
    custodians: Vec<CustodianLine>,
    hybrid: bool,
    /// Digest of the policy it was dealt under.
    policy: Option<String>,
    /// The public proof: any t custodians recover the same secret.
    one_secret: bool,
    /// Whether somebody who holds the secret checked that the body opens under it; null when nobody could.
    opens_body: Option<bool>,
    /// Whether the custodians are those of the roster that was given; null without one.
    roster_agrees: Option<bool>,
    contradictions: Vec<String>,
    jurisdictions: Powers,
    #[serde(flatten)]
    beside: Beside,
    /// Releases on record; null when none were given.
    released: Option<Released>,
}

#[derive(serde::Serialize)]
struct CustodianLine {
    name: String,
    key: String,
    powers: Vec<String>,
    receipt: Option<bool>,
}

/// Runs the command: 0 when everything checked holds, 1 when the roster says otherwise, or the jurisdiction test does, or cannot be judged.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let (object, rollback) = args.seen.read(&args.envelope)?;
    let network = args.network.read()?;
    let dealing = object.dealing.dealing();
    let roster_says = network.as_ref().map(|n| n.contradictions(&object.dealing));
    let roster_agrees = roster_says.as_ref().map(Vec::is_empty);
    let mut contradictions = roster_says.unwrap_or_default();
    contradictions.extend(args.policy.as_deref().map(|p| other_policy(p, &object)).transpose()?.flatten());
    let jurisdictions = Powers::of(object.dealing.threshold(), &reached(network.as_ref(), &object.dealing));
    let receipts = receipts(&object, &args.receipt)?;
    let custodians = dealing
        .custodians
        .iter()
        .enumerate()
        .map(|(i, c)| CustodianLine {
            name: c.name.clone(),
            key: hex::encode(c.key.point()),
            powers: c.attributes.iter().cloned().collect(),
            receipt: dealing.is_hybrid().then(|| receipts.contains(&i)),
        })
        .collect();
    let report = Report {
        object: object.envelope.name().to_string(),
        generation: object.envelope.generation,
        dealt_at_generation: dealing.context.generation,
        dealing: object.dealing.digest().to_string(),
        threshold: object.dealing.threshold(),
        custodians,
        hybrid: dealing.is_hybrid(),
        policy: dealing.context.policy.map(hex::encode),
        one_secret: true,
        opens_body: if args.key.is_empty() { None } else { Some(opens_body(&object, args)?) },
        roster_agrees,
        contradictions,
        jurisdictions,
        beside: Beside::of(&object.envelope, dealing.is_hybrid()),
        released: args.records.read(&object.dealing)?,
    };
    let fine = report.contradictions.is_empty() && report.jurisdictions.passes == Some(true);
    if args.json {
        print_json(&report)?;
    } else {
        print(&report, &rollback)?;
    }
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// With the secret a recipient was sent: the custodians share it, it unwraps a file key, and that is the body's.
fn opens_body(object: &InCustody, args: &Args) -> anyhow::Result<bool> {
    let keys = recipient_keys(&args.key)?;
    let content = bailiwick_envelope::open_custody_secret(&object.envelope, &keys)
        .ok_or_else(|| anyhow!("none of the given keys was sent the shared secret"))
        .context(Help("the owner sends it with `custody deal --prove-to`"))?;
    with_dealt_key(object.envelope.clone(), file_key_under(&object.envelope, &content)?)?;
    Ok(true)
}

/// What is wrong with a policy file.
fn other_policy(path: &Path, object: &InCustody) -> anyhow::Result<Option<String>> {
    let given = policy_digest(path)?;
    let named = object.dealing.dealing().context.policy;
    Ok((named != Some(given)).then(|| match named {
        None => "it was dealt under no policy".to_owned(),
        Some(named) => format!(
            "it was dealt under policy {}, {} is {}",
            hex::encode(named),
            path.display(),
            hex::encode(given)
        ),
    }))
}

fn receipts(object: &InCustody, paths: &[PathBuf]) -> anyhow::Result<Vec<usize>> {
    let one = |path: &PathBuf| {
        let bytes = read_bounded(path, MESSAGE_BYTES_MAX)?;
        let receipt =
            Receipt::from_bytes(&bytes).with_context(|| format!("{} is no receipt", path.display()))?;
        receipt.verify(&object.dealing).with_context(|| format!("{}", path.display()))
    };
    paths.iter().map(one).collect()
}

fn print(r: &Report, rollback: &str) -> std::io::Result<()> {
    say!(
        "object      {} generation {} (dealt at {}; {rollback})",
        r.object,
        r.generation,
        r.dealt_at_generation
    )?;
    say!(
        "proved      any {} of these {} custodians recover the same secret",
        r.threshold,
        r.custodians.len()
    )?;
    say!(
        "proved      the dealing is for this owner, object, body, policy and roster, from generation {} on; each custodian\u{2019}s key was made by somebody who knew its secret",
        r.dealt_at_generation
    )?;
    for c in &r.custodians {
        let receipt = match c.receipt {
            Some(true) => ", has given a receipt",
            Some(false) => ", NO RECEIPT for its post-quantum share",
            None => "",
        };
        say!("custodian   {} ({}){receipt}", Quoted(&c.name), quoted(&c.powers))?;
    }
    r.jurisdictions.print()?;
    match r.roster_agrees {
        Some(true) => say!("roster      names the same custodians under the same laws")?,
        Some(false) => say!("roster      does not agree")?,
        None => say!("roster      none given: names and laws of custodians are the owner\u{2019}s word")?,
    }
    match &r.policy {
        Some(policy) => say!("policy      {policy}")?,
        None => say!("policy      none")?,
    }
    for text in &r.contradictions {
        say!("CONTRADICTS {text}")?;
    }
    r.beside.print()?;
    if let Some(released) = &r.released {
        released.print(r.threshold)?;
    }
    match r.opens_body {
        Some(true) => say!(
            "checked     with the secret you were sent: custodians share it, and the body\u{2019}s key is under it"
        )?,
        // In hybrid mode nobody holds what the body's key is under but the dealer, and whoever recovers it.
        _ if r.hybrid => say!("not proved  that the body opens under that secret: only a recovery shows it")?,
        _ => say!(
            "not proved  that the body opens under that secret: whoever holds it can check (`--key`), and a test recovery shows it"
        )?,
    }
    if r.hybrid {
        say!(
            "not proved  that the post-quantum shares belong together: a receipt says that one share opens, and only a recovery shows that those of its custodians fit"
        )?;
        say!(
            "not proved  that this key was never dealt without a post-quantum half, nor sealed to an x25519 or p256 key, by an earlier envelope: then a quantum computer finds it all the same"
        )?;
    }
    say!(
        "not proved  who custodians are (that is the roster\u{2019}s word), that they still have their keys, will answer, or do not collude"
    )?;
    say!("dealing     {}", r.dealing)
}
