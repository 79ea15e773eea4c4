//! `bailiwick export`: an object's file key as an age file, so that whatever age can keep keys in can keep this one.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use bailiwick_protocol::ids::OwnerKey;

use super::commit::ENVELOPE_FILE_BYTES_MAX;
use crate::keyfile::{self, Kind, with_suffix};
use crate::opening::OpeningArgs;
use crate::output::{read_bounded, write_new};
use crate::{Help, age_file, say};

/// Arguments of `export`.
#[derive(Debug, clap::Args)]
#[command(
    // Options that take several values would swallow what comes after them.
    override_usage = "bailiwick export <OBJECT> [OPTIONS]",
    long_about = "Write an object's file key as an ordinary age file for age recipients. Whoever opens that file opens the object, also after \
    `rewrap` has removed every other way: keep it like a key. `age -d -i IDENTITY FILE | bailiwick open BODY --key-from-age-output -` opens the object.\n\n\
    Not for objects in shards: each shard has a file key of its own."
)]
pub(crate) struct Args {
    /// The envelope, or the body beside it
    object: PathBuf,
    /// The owner's public key: text, hexadecimal, or its .pub file
    #[arg(long, value_name = "KEY")]
    owner: String,
    #[command(flatten)]
    opening: OpeningArgs,
    /// An age recipient (age1…); repeat for several
    #[arg(long, value_name = "RECIPIENT", num_args = 1.., required_unless_present = "raw", requires = "output")]
    age: Vec<String>,
    /// Write the 32 bytes themselves to standard output, to be piped into `age -r` for recipients of age's plug-ins
    #[arg(long, conflicts_with_all = ["age", "output"])]
    raw: bool,
    /// Where the age file goes
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

const SPLIT: Help = Help(
    "of an object in shards each shard has a file key of its own, and an age file holds one: such an object is not exported; seal it whole, or \
    give its recipients a key in a token or key service (`bailiwick key agent`)",
);

/// Runs the command.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    if args.raw && std::io::stdout().is_terminal() {
        return Err(anyhow!("a key is not shown on a terminal"))
            .context(Help("pipe it: bailiwick export … --raw | age -r RECIPIENT -o FILE"));
    }
    let recipients =
        args.age.iter().map(|text| age_file::recipient(text)).collect::<anyhow::Result<Vec<_>>>()?;
    let owner = OwnerKey(keyfile::public_key(&args.owner, Kind::Owner)?);
    if args.object.is_dir() {
        return Err(anyhow!("{} is a directory", args.object.display())).context(SPLIT);
    }
    let beside = with_suffix(&args.object, ".envelope");
    let path = if beside.is_file() { beside } else { args.object };
    let bytes = read_bounded(&path, ENVELOPE_FILE_BYTES_MAX)?;
    let opener = args
        .opening
        .read()?
        .open(&owner, &bytes)
        .with_context(|| format!("cannot open {}", path.display()))?;
    if opener.envelope().shards.is_some() {
        return Err(anyhow!("{} is one shard's envelope", path.display())).context(SPLIT);
    }
    let key = opener.file_key().expose_secret();
    let Some(output) = args.output else {
        let mut out = std::io::stdout().lock();
        out.write_all(key)?;
        out.flush()?;
        return Ok(ExitCode::SUCCESS);
    };
    let mut rng = keyfile::system_rng()?;
    write_new(&output, 0o600, &age_file::encrypt(&recipients, key, &mut rng)?)?;
    say!(
        "wrote {} for {} age recipient(s): whoever opens it opens the object",
        output.display(),
        recipients.len()
    )?;
    Ok(ExitCode::SUCCESS)
}
