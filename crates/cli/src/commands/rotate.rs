//! `bailiwick rotate`: seal an object anew, under a fresh file key and salt, as its next generation.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, bail};
use bailiwick_envelope::{Opener, Padding, SealOptions, SealedBody, Seekable, seal};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::CellCommitment;
use bailiwick_protocol::ids::OwnerKey;

use super::commit::{ENVELOPE_FILE_BYTES_MAX, TreeThread};
use super::seal::Tee;
use crate::keyfile::{self, Kind, with_suffix};
use crate::opening::{OpeningArgs, asked_for, check_mix};
use crate::output::{AtomicFile, print_json, read_bounded};
use crate::{Help, progress, say};

/// Arguments of `rotate`.
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Seal an object anew: same object, next generation, fresh file key and salt, new storage commitment. \
    Old body and envelope stay where they are until you remove them.\n\nWhat this does not do: it does not take back what \
    was read, nor old bodies and envelopes in other hands; with those and an old key the old generation opens for ever."
)]
pub(crate) struct Args {
    /// The sealed body
    body: PathBuf,
    /// Its envelope [default: BODY.envelope]
    #[arg(long, value_name = "FILE")]
    envelope: Option<PathBuf>,
    /// Where the new body goes; its envelope beside it [default: BODY.rotated]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The owner's secret key file
    #[arg(long, value_name = "FILE")]
    owner: PathBuf,
    #[command(flatten)]
    opening: OpeningArgs,
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
    /// Print what was sealed as JSON
    #[arg(long)]
    json: bool,
}

#[derive(serde::Serialize)]
struct Rotated {
    object: String,
    generation: u64,
    body: String,
    envelope: String,
    data_bytes: u64,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let owner = keyfile::read_signing_key(&args.owner, Kind::Owner)?;
    let pinned = OwnerKey(owner.public());
    let recipients =
        args.to.iter().map(|p| keyfile::read_recipient_public(p)).collect::<Result<Vec<_>, _>>()?;
    check_mix(recipients.len(), args.new_passphrase_file.is_some(), args.also_passphrase)?;
    let passphrase = args.new_passphrase_file.as_deref().map(crate::passphrase::from_file).transpose()?;
    let envelope_path = args.envelope.clone().unwrap_or_else(|| with_suffix(&args.body, ".envelope"));
    let bytes = read_bounded(&envelope_path, ENVELOPE_FILE_BYTES_MAX)?;
    let opener = args
        .opening
        .read()?
        .open(&pinned, &bytes)
        .with_context(|| format!("cannot open {}", envelope_path.display()))?;
    let old = opener.envelope();
    if old.unit.n > 1 {
        bail!("this is one of {} shards: seal the whole object anew instead", old.unit.n);
    }
    if old.custody.is_some() && !args.drop_custody {
        return Err(anyhow!("the envelope has a custody part, which holds the old key"))
            .context(Help("say --drop-custody, and deal the new generation afterwards"));
    }

    let mut body = File::open(&args.body).with_context(|| format!("cannot open {}", args.body.display()))?;
    let metadata = opener.open_range(&mut Seekable(&mut body), 0, 0, io::sink())?.object.metadata;
    io::Seek::rewind(&mut body)?;
    let mut rng = keyfile::system_rng()?;
    let options = SealOptions {
        owner: pinned,
        object: old.object,
        unit: old.unit,
        recipients: &recipients,
        passphrase: passphrase.as_ref().map(|p| asked_for(p, args.also_passphrase)),
        anonymous: args.anonymous,
        metadata,
        padding: if args.no_pad { Padding::None } else { Padding::Padme },
    };
    let output = args.output.clone().unwrap_or_else(|| with_suffix(&args.body, ".rotated"));
    let new_envelope_path = with_suffix(&output, ".envelope");
    let mut new_envelope = AtomicFile::create(&new_envelope_path, 0o644)?;
    let mut new_body = AtomicFile::create(&output, 0o644)?;
    let bar = progress::bar(Some(old.body.size), "rotate");
    let source = bar.wrap_read(body);
    let (sealed, commitment) = reseal(&opener, source, &mut new_body, &options, &mut rng)
        .with_context(|| format!("cannot seal {} anew", args.body.display()))?;
    bar.finish_and_clear();
    let data_bytes = sealed.data_len();
    let signed = sealed.next_envelope(old, old.commitment.is_some().then_some(commitment), &owner)?;
    new_envelope.write_all(&signed.to_bytes())?;
    // The body first: an envelope without its body would look like a loss.
    new_body.commit()?;
    new_envelope.commit()?;
    let report = Rotated {
        object: old.name().to_string(),
        generation: old.generation + 1,
        body: output.display().to_string(),
        envelope: new_envelope_path.display().to_string(),
        data_bytes,
    };
    if args.json {
        print_json(&report)?;
    } else {
        say!("sealed {data_bytes} bytes anew for {} recipient(s)", recipients.len())?;
        say!("object    {} generation {}", report.object, report.generation)?;
        say!("body      {}", report.body)?;
        say!("envelope  {}", report.envelope)?;
        say!(
            "the old generation still opens with the old keys wherever it is: put the new one, then remove the old"
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Opens and seals through a pipe, so that memory stays bounded and no plaintext touches the disk. Nothing is kept unless both
/// ends succeeded: what the opening end finds wrong at its very end is wrong.
fn reseal(
    opener: &Opener,
    source: impl io::Read + Send,
    body: &mut AtomicFile,
    options: &SealOptions<'_>,
    rng: &mut impl rand_core::CryptoRng,
) -> anyhow::Result<(SealedBody, CellCommitment)> {
    let (reader, writer) = io::pipe()?;
    let mut tree = TreeThread::start()?;
    let (opened, sealed) = std::thread::scope(|scope| {
        let opened = scope.spawn(move || opener.open(source, writer));
        let sealed = seal(reader, Tee { first: body, second: &mut tree }, options, rng);
        (opened.join(), sealed)
    });
    let opened = opened.map_err(|_| anyhow!("the opening thread failed"))??;
    let sealed = sealed?;
    if opened.data_len != sealed.data_len() {
        bail!("{} bytes were opened and {} sealed", opened.data_len, sealed.data_len());
    }
    Ok((sealed, tree.finish()?))
}
