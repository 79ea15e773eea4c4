//! `bailiwick seal`: encrypt a file or a directory for its recipients and sign the envelope.

pub(crate) mod compact;
mod directory;
mod shards;

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use bailiwick_envelope::{Metadata, Padding, SealOptions, SealedBody, random_object_id, seal};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::CellCommitment;
use bailiwick_protocol::ids::{OwnerKey, Unit};

use super::commit::TreeThread;
use super::custody::policy_digest;
use crate::envelopes::note_name;
use crate::keyfile::{self, Kind, with_suffix};
use crate::opening::{asked_for, check_mix, note_mix};
use crate::output::{AtomicFile, print_json, printable};
use crate::passphrase::PassphraseArgs;
use crate::say;
use crate::{Help, progress};

/// Arguments of `seal`.
#[derive(Debug, clap::Args)]
// Options that take several values would swallow what comes after them.
#[command(override_usage = "bailiwick seal <INPUT> [OPTIONS]")]
pub(crate) struct Args {
    /// File or directory to seal, `-` for standard input; put it before the options, as some take several values
    input: PathBuf,
    /// Where the body goes, `-` for standard output [default: INPUT.sealed]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Where the envelope goes [default: OUTPUT.envelope]
    #[arg(long, value_name = "FILE")]
    envelope: Option<PathBuf>,
    /// The owner's secret key file
    #[arg(long, value_name = "FILE", required_unless_present = "compact")]
    owner: Option<PathBuf>,
    /// Public key of someone who may open it, as text (bw…1…) or as a file; several may follow, up to the next option or `--`
    #[arg(long = "to", value_name = "KEY", num_args = 1..)]
    to: Vec<PathBuf>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// Let a passphrase stand beside recipients: the object is then only as strong as the passphrase
    #[arg(long)]
    also_passphrase: bool,
    /// Name sealed with the data [default: the input's file name]
    #[arg(long)]
    name: Option<String>,
    /// Media type sealed with the data, e.g. text/csv
    #[arg(long, value_name = "TYPE", default_value = "")]
    media_type: String,
    /// Leave out the storage commitment; `bailiwick commit` adds it later
    #[arg(long)]
    no_commit: bool,
    /// Do not hide the true length
    #[arg(long)]
    no_pad: bool,
    /// Do not name the recipients' keys in the envelope
    #[arg(long)]
    anonymous: bool,
    /// The owner's policy file for this object: the envelope names it, and `custody deal` deals under it
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Split into n shards of which any k open, in a folder [default: INPUT.shards]
    #[arg(long, value_name = "K/N")]
    shards: Option<shards::Split>,
    /// Print what was sealed as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    directory: directory::Args,
    #[command(flatten)]
    compact: compact::Args,
}

#[derive(serde::Serialize)]
struct Sealed {
    name: String,
    body: String,
    envelope: String,
    data_bytes: u64,
    body_bytes: u64,
    blake3: String,
    root: Option<String>,
    cells: Option<u64>,
    policy: Option<String>,
}

/// Runs the command.
pub(crate) fn run(mut args: Args) -> anyhow::Result<ExitCode> {
    if args.compact.binding.compact {
        let others =
            args.envelope.is_some() || args.name.is_some() || !args.media_type.is_empty() || args.json;
        let others = others || args.no_commit || args.no_pad || args.anonymous || args.shards.is_some();
        let others = others || args.passphrase.is_given() || args.also_passphrase || args.policy.is_some();
        let others = others || args.directory.is_given();
        anyhow::ensure!(!others, "--compact seals a small value: no other options of objects fit");
        let (output, owner) = (args.output.as_deref(), args.owner.as_deref());
        return compact::run(&args.compact, &args.input, output, owner, &args.to);
    }
    // Before anything is read: a policy that is none must not cost an hour of sealing.
    let policy = args.policy.as_deref().map(policy_digest).transpose()?;
    let listing = directory::list(&mut args.input, &mut args.media_type, &args.directory)?;
    if let Some(split) = args.shards {
        return shards::run(&args, split, policy, listing.as_ref());
    }
    let stdin = is_dash(&args.input);
    let output = match &args.output {
        Some(path) => path.clone(),
        None if stdin => {
            return Err(anyhow!("standard input has no name to derive the output's from"))
                .context(Help("say where the body goes with -o"));
        }
        None => with_suffix(&args.input, ".sealed"),
    };
    let to_stdout = is_dash(&output);
    let envelope_path = match &args.envelope {
        Some(path) => path.clone(),
        None if to_stdout => {
            return Err(anyhow!("the body goes to standard output, the envelope needs a file"))
                .context(Help("say where the envelope goes with --envelope"));
        }
        None => with_suffix(&output, ".envelope"),
    };
    if envelope_path == output {
        return Err(anyhow!("body and envelope cannot both be {}", printable(&output.display().to_string())))
            .context(Help("leave out --envelope, or name another file"));
    }
    if to_stdout && args.json {
        return Err(anyhow!("body and JSON cannot both go to standard output"))
            .context(Help("leave out --json, or name a file with -o"));
    }

    let owner = keyfile::read_signing_key(args.owner.as_deref().context("--owner is missing")?, Kind::Owner)?;
    let recipients =
        args.to.iter().map(|p| keyfile::read_recipient_public(p)).collect::<Result<Vec<_>, _>>()?;
    note_mix(&recipients);
    check_mix(recipients.len(), args.passphrase.is_given(), args.also_passphrase)?;
    if stdin && args.passphrase.uses_stdin() {
        return Err(anyhow!("data and passphrase cannot both come from standard input"))
            .context(Help("give the passphrase in a file, or on the terminal"));
    }
    let passphrase = args.passphrase.read(true)?;
    let mut rng = keyfile::system_rng()?;
    let options = SealOptions {
        owner: OwnerKey(owner.public()),
        object: random_object_id(&mut rng),
        unit: Unit::WHOLE,
        recipients: &recipients,
        passphrase: passphrase.as_ref().map(|p| asked_for(p, args.also_passphrase)),
        anonymous: args.anonymous,
        metadata: Metadata { name: name_of(&args), media_type: args.media_type.clone() },
        padding: if args.no_pad { Padding::None } else { Padding::Padme },
    };

    // The envelope's place is checked before an hour of sealing, not after.
    check_no_remainder(&envelope_path, (!to_stdout).then_some(output.as_path()))?;
    let mut envelope_file = AtomicFile::create(&envelope_path, 0o644)?;
    let (input, total): (Box<dyn Read + Send + '_>, Option<u64>) = if stdin {
        (Box::new(io::stdin()), None)
    } else if let Some(listing) = &listing {
        (Box::new(listing.reader()), Some(listing.bytes()))
    } else {
        let file =
            File::open(&args.input).with_context(|| format!("cannot open {}", args.input.display()))?;
        let about = file.metadata()?;
        let total = about.is_file().then_some(about.len());
        (Box::new(file), total)
    };
    let bar = progress::bar(total, "seal");
    let input = bar.wrap_read(input);
    let mut body = if to_stdout { None } else { Some(AtomicFile::create(&output, 0o644)?) };
    let out: &mut (dyn Write + Send) = match &mut body {
        Some(file) => file,
        None => &mut io::stdout(),
    };
    let (sealed, commitment) = seal_into(input, out, &options, &mut rng, !args.no_commit)
        .with_context(|| format!("cannot seal {}", args.input.display()))?;
    bar.finish_and_clear();

    let about = Sealed {
        name: format!("{}/{}/{}", options.owner, options.object, options.unit),
        body: output.display().to_string(),
        envelope: envelope_path.display().to_string(),
        data_bytes: sealed.data_len(),
        body_bytes: sealed.body().size,
        blake3: sealed.body().blake3.to_string(),
        root: commitment.as_ref().map(|c| c.root.to_string()),
        cells: commitment.as_ref().map(|c| c.cells),
        policy: policy.map(hex::encode),
    };
    let signed = sealed.with_policy(policy).envelope(commitment, &owner)?;
    envelope_file
        .write_all(&signed.to_bytes())
        .with_context(|| format!("cannot write {}", envelope_path.display()))?;
    // A body whose envelope is lost is lost; an envelope without its body is only to be made again.
    envelope_file.commit()?;
    note_name(&envelope_path);
    if let Some(Err(error)) = body.map(AtomicFile::commit) {
        let _ = std::fs::remove_file(&envelope_path);
        return Err(error);
    }
    if args.json {
        print_json(&about)?;
    } else if !to_stdout {
        say!("sealed {} bytes for {} recipient(s)", about.data_bytes, recipients.len())?;
        say!("object    {}", about.name)?;
        say!("body      {} ({} bytes)", printable(&about.body), about.body_bytes)?;
        say!("envelope  {}", printable(&about.envelope))?;
        if let Some(policy) = &about.policy {
            say!("policy    {policy}")?;
        }
        if about.root.is_none() {
            say!("no storage commitment yet: `bailiwick commit` adds it")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The envelope gets its name before the body: a run that was killed in between leaves it alone.
fn check_no_remainder(envelope: &Path, body: Option<&Path>) -> anyhow::Result<()> {
    let exists = |path: &Path| std::fs::symlink_metadata(path).is_ok();
    match body {
        Some(body) if exists(envelope) && !exists(body) => {
            Err(anyhow!("{} exists already, and {} does not", envelope.display(), body.display())).context(Help(
                "a run that was killed may have left an envelope without its body: if no body belongs to it, remove it and seal again; else choose another name with -o",
            ))
        }
        _ => Ok(()),
    }
}

/// Seals, and makes the storage commitment in the same pass when `commit` says so.
fn seal_into(
    input: impl Read + Send,
    body: impl Write + Send,
    options: &SealOptions<'_>,
    rng: &mut impl rand_core::CryptoRng,
    commit: bool,
) -> anyhow::Result<(SealedBody, Option<CellCommitment>)> {
    if !commit {
        return Ok((seal(input, body, options, rng)?, None));
    }
    let mut tree = TreeThread::start()?;
    let sealed = seal(input, Tee { first: body, second: &mut tree }, options, rng)?;
    Ok((sealed, Some(tree.finish()?)))
}

/// Writes everything to two writers.
pub(super) struct Tee<A, B> {
    pub(super) first: A,
    pub(super) second: B,
}

impl<A: Write, B: Write> Write for Tee<A, B> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.first.write(bytes)?;
        self.second.write_all(&bytes[..n])?;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.first.flush()?;
        self.second.flush()
    }
}

fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn name_of(args: &Args) -> String {
    match (&args.name, args.input.file_name()) {
        (Some(name), _) => name.clone(),
        (None, Some(name)) if !is_dash(&args.input) => name.to_string_lossy().into_owned(),
        _ => String::new(),
    }
}
