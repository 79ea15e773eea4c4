//! `bailiwick rotate`: seal objects anew, under fresh file keys and salts, as their next generations.

mod asked;
mod done;
mod folder;
mod node;
mod reseal;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use bailiwick_envelope::verify;
use bailiwick_protocol::envelope::Envelope;
use bailiwick_protocol::ids::OwnerKey;

use self::asked::Asked;
use self::reseal::{Pair, Rotator};
use super::commit::ENVELOPE_FILE_BYTES_MAX;
use crate::connect::AtNode;
use crate::envelopes::{Signing, not_a_link};
use crate::keyfile::{self, Kind, with_suffix};
use crate::opening::{OpeningArgs, check_mix, note_mix};
use crate::outcomes::Outcomes;
use crate::output::{print_json, read_bounded};
use crate::say;

/// Arguments of `rotate`.
#[derive(Debug, clap::Args)]
#[command(
    // Options that take several values would swallow what comes after them.
    override_usage = "bailiwick rotate <BODY> [OPTIONS]\n       bailiwick rotate --node <URL> [OPTIONS]",
    long_about = "Seal objects anew: same object, next generation, fresh file key and salt, new storage commitment. \
    Old body and envelope stay where they are until you remove them, or --replace does.\n\nOf a directory every object below it: each \
    whole or not at all, and the same command goes on after it broke off. At a node (--node): each body is fetched, sealed anew and put, \
    with no plaintext on the disk; new body and envelope are in the directory --envelopes until the node has them.\n\nA run that finds a next generation of an \
    earlier one, which broke off, goes on with it only when it asks for the same: recipients, anonymous or not, passphrase, padding. What was \
    asked is kept beside it as BODY.rotated.asked, a digest that only the owner's key can make or test.\n\nOne run signs in a directory at a \
    time, and nothing where the envelope is a symbolic link, or beside a later one of the same unit. But nothing here knows of \
    envelopes in another directory or on another machine: an owner who signs in two places, or keeps two directories --envelopes, can sign \
    two of one generation. Comparing them tells, and a node refuses the second and keeps both as evidence.\n\nWhat this does not \
    do: it does not take back what was read, nor old bodies and envelopes in other hands; with those and an old key the old generation \
    opens for ever."
)]
pub(crate) struct Args {
    /// The sealed body, or a directory: all objects below it
    #[arg(required_unless_present = "node", conflicts_with = "node")]
    body: Option<PathBuf>,
    /// Its envelope [default: BODY.envelope]
    #[arg(long, value_name = "FILE", conflicts_with = "node")]
    envelope: Option<PathBuf>,
    /// Where the new body goes; its envelope beside it [default: BODY.rotated, and in BODY.rotated.asked a digest of what was asked]
    #[arg(short, long, value_name = "FILE", conflicts_with = "node")]
    output: Option<PathBuf>,
    /// The new generation takes the place of the old one; of a directory when all of it is sealed anew
    #[arg(long, conflicts_with_all = ["output", "node"])]
    replace: bool,
    #[command(flatten)]
    at: AtNode,
    /// The owner's secret key file
    #[arg(long, value_name = "FILE")]
    owner: PathBuf,
    #[command(flatten)]
    opening: OpeningArgs,
    /// Envelopes that no given key opens are no failure, and with --replace do not keep the others from taking their places
    #[arg(long)]
    skip_unopenable: bool,
    #[command(flatten)]
    sealing: SealingArgs,
    /// Print what was sealed as JSON
    #[arg(long)]
    json: bool,
}

/// How the new generation is sealed.
#[derive(Debug, clap::Args)]
pub(crate) struct SealingArgs {
    /// Public key of someone who may open the new generation, as text (bw…1…) or as a file; repeat for several
    #[arg(long = "to", value_name = "KEY", num_args = 1..)]
    to: Vec<PathBuf>,
    /// The new generation's passphrase is the first line of this file
    #[arg(long, value_name = "FILE")]
    new_passphrase_file: Option<PathBuf>,
    /// Let a passphrase stand beside recipients: the object is then only as strong as the passphrase
    #[arg(long)]
    also_passphrase: bool,
    /// Give up the custody part, which holds the old key: deal anew afterwards
    #[arg(long)]
    drop_custody: bool,
    /// Do not name the recipients' keys in the envelope
    #[arg(long)]
    anonymous: bool,
    /// Do not hide the true length
    #[arg(long)]
    no_pad: bool,
}

#[derive(serde::Serialize)]
struct Rotated {
    object: String,
    generation: u64,
    body: String,
    envelope: String,
    /// Unknown where an earlier run sealed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    data_bytes: Option<u64>,
}

impl Rotated {
    fn new(envelope: &Envelope, at: &Pair, data_bytes: Option<u64>) -> Self {
        Self {
            object: envelope.name().to_string(),
            generation: envelope.generation,
            body: at.body.display().to_string(),
            envelope: at.envelope.display().to_string(),
            data_bytes,
        }
    }
}

/// What a run over many objects did.
#[derive(Debug, Default, serde::Serialize)]
struct Summary {
    rotated: u64,
    /// How many new generations have the names of the old ones now, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced: Option<u64>,
    /// How many had them before, where an earlier run broke off.
    #[serde(skip)]
    placed_before: u64,
    #[serde(flatten)]
    outcomes: Outcomes,
}

/// Of new files beside the old ones. A host keeps one generation of a name: `rm` there would remove the new one.
const PUT_IT: &str = "the old generation still opens with the old keys wherever it is: put the new one at every host, in the \
                      old one\u{2019}s place, and remove the old files here";
/// Where the new generation has the old one's place already.
const COPIES: &str = "copies of the old generation, and what hosts have of it, still open with the old keys";

/// Runs the command.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let owner = keyfile::read_signing_key(&args.owner, Kind::Owner)?;
    let pinned = OwnerKey(owner.public());
    let sealing = &args.sealing;
    let recipients =
        sealing.to.iter().map(|p| keyfile::read_recipient_public(p)).collect::<Result<Vec<_>, _>>()?;
    note_mix(&recipients);
    check_mix(recipients.len(), sealing.new_passphrase_file.is_some(), sealing.also_passphrase)?;
    let passphrase = sealing.new_passphrase_file.as_deref().map(crate::passphrase::from_file).transpose()?;
    let asked = Asked::new(&owner, &recipients, passphrase.is_some(), sealing.anonymous, sealing.no_pad);
    let rotator = Rotator {
        owner,
        pinned,
        opening: args.opening.read()?,
        recipients,
        passphrase,
        also_passphrase: sealing.also_passphrase,
        drop_custody: sealing.drop_custody,
        anonymous: sealing.anonymous,
        no_pad: sealing.no_pad,
        asked,
    };
    let (summary, left) = match (args.at.connect(&args.owner)?, &args.body) {
        (Some((client, folder)), None) => {
            let run = node::NodeRun::new(client, &rotator, folder)?;
            (run.run(args.skip_unopenable)?, "the node has them as they were")
        }
        (None, Some(body)) if body.is_dir() => {
            if args.envelope.is_some() || args.output.is_some() {
                bail!("in a directory each envelope lies beside its body, and so do the new ones");
            }
            folder::run(&rotator, body, args.replace, args.skip_unopenable)?
        }
        (None, Some(body)) => {
            return single(
                &rotator,
                body,
                args.envelope.as_deref(),
                args.output.as_deref(),
                args.replace,
                args.json,
            );
        }
        _ => bail!("say which body or directory, or which node with --node, --host and --envelopes"),
    };
    let at_node = args.body.is_none();
    if args.json {
        print_json(&summary)?;
    } else {
        say!("sealed {} object(s) anew", summary.rotated)?;
        if let Some(replaced) = summary.replaced {
            say!("{replaced} new generation(s) took the place of the old")?;
        }
        summary.outcomes.say()?;
        match summary.replaced {
            Some(1..) => say!("{COPIES}: put the new one at every host")?,
            _ if summary.rotated == 0 => {}
            _ if at_node => say!("{COPIES}: this node has the new one")?,
            _ => say!("{PUT_IT}")?,
        }
    }
    let done = summary.rotated + summary.replaced.unwrap_or_default() + summary.placed_before;
    summary.outcomes.check(left, args.skip_unopenable, done)?;
    Ok(ExitCode::SUCCESS)
}

/// One object in files.
fn single(
    rotator: &Rotator,
    body: &Path,
    envelope: Option<&Path>,
    output: Option<&Path>,
    replace: bool,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let old = Pair {
        body: body.to_owned(),
        envelope: envelope.map_or_else(|| with_suffix(body, ".envelope"), Path::to_owned),
    };
    let new = Pair::at(output.map_or_else(|| with_suffix(body, ".rotated"), Path::to_owned));
    let signing = Signing::begin(&old.envelope, Some(&new.envelope))?;
    if replace {
        not_a_link(body)?;
    }
    // A run that broke off after it had sealed anew is brought to its end.
    if replace
        && envelope.is_none()
        && let Some(next) = folder::take_place(rotator, &old.envelope, true)?
    {
        asked::forget(&new.asked())?;
        let report = Rotated::new(&next, &old, None);
        if json {
            print_json(&report)?;
        } else {
            say!("{} and its envelope are the new generation", body.display())?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let opener =
        rotator.opener(signing.bytes()).with_context(|| format!("cannot open {}", old.envelope.display()))?;
    signing.check_latest(&rotator.pinned)?;
    let data_bytes = rotator.files(&opener, &old.body, &new)?;
    let at = if replace {
        signing.unchanged()?;
        new.take_place_of(&old)?;
        &old
    } else {
        &new
    };
    // Only what a later run could take up for its own needs it.
    if replace || output.is_some() {
        asked::forget(&new.asked())?;
    }
    let signed = read_bounded(&at.envelope, ENVELOPE_FILE_BYTES_MAX)?;
    let report = Rotated::new(&verify(&rotator.pinned, &signed)?, at, Some(data_bytes));
    if json {
        print_json(&report)?;
    } else {
        say!("sealed {data_bytes} bytes anew for {} recipient(s)", rotator.recipients.len())?;
        say!("object    {} generation {}", report.object, report.generation)?;
        say!("body      {}", report.body)?;
        say!("envelope  {}", report.envelope)?;
        match replace {
            true => say!("{COPIES}: put the new one at every host")?,
            false => say!("{PUT_IT}")?,
        }
    }
    Ok(ExitCode::SUCCESS)
}
