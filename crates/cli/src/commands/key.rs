//! `bailiwick key`: make and show keys.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};

use crate::Help;
use crate::keyfile::{self, Algorithm, Kind, PublicKey};
use crate::output::print_json;
use crate::say;

/// Arguments of `key`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a key: FILE (secret, mode 0600) and FILE.pub
    New {
        /// What it is for
        kind: Kind,
        /// Where the secret key goes; never replaces a file [default: KIND.key]
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// How it works [default: x-wing for recipients, ristretto255 for custodians, ed25519 for all others]
        #[arg(long, visible_alias = "kem")]
        algorithm: Option<Algorithm>,
        /// Print the public key as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what a key file is; never a secret
    Show {
        /// A key file, secret or .pub
        file: PathBuf,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::New { kind, output, algorithm, json } => {
            let algorithm = algorithm.unwrap_or_else(|| kind.default_algorithm());
            if !algorithm.fits(kind) {
                return Err(anyhow!("a key of this kind cannot use this algorithm"))
                    .context(Help("recipient keys are x-wing, x25519 or p256, custodian keys ristretto255, all others ed25519"));
            }
            let path = output.unwrap_or_else(|| PathBuf::from(format!("{}.key", kind.name())));
            let public = keyfile::create(kind, algorithm, &path)?;
            if !json {
                let beside = keyfile::with_suffix(&path, ".pub");
                say!("wrote {} (keep it secret) and {}", path.display(), beside.display())?;
            }
            show(&public, json)?;
        }
        Command::Show { file, json } => show(&keyfile::read_any_public(&file)?, json)?,
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(serde::Serialize)]
struct Shown {
    kind: Kind,
    algorithm: Algorithm,
    public: String,
    fingerprint: String,
}

fn show(key: &PublicKey, json: bool) -> anyhow::Result<()> {
    let shown = Shown {
        kind: key.kind,
        algorithm: key.algorithm,
        public: hex::encode(&key.bytes),
        fingerprint: key.fingerprint(),
    };
    if json {
        return print_json(&shown);
    }
    say!("kind         {}", key.kind.name())?;
    say!("algorithm    {}", key.algorithm.name())?;
    match shown.public.get(64..) {
        Some(rest) if !rest.is_empty() => {
            // A hybrid key fills a screen; --json and the .pub file have it whole.
            say!("public key   {}... ({} bytes)", &shown.public[..64], key.bytes.len())?;
        }
        _ => say!("public key   {}", shown.public)?,
    }
    if let Some(point) = shown.public.get(..64).filter(|_| key.kind == Kind::Custodian) {
        // What a roster lists; the rest is vouched for by it.
        say!("in a roster  {{ kind = \"ristretto255\", public = \"{point}\" }}")?;
    }
    say!("fingerprint  {}", shown.fingerprint)?;
    Ok(())
}
