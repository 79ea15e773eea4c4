//! `bailiwick key`: make and show keys.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};

use crate::Help;
use crate::keyfile::{self, Algorithm, Kind, PublicKey};
use crate::output::print_json;
use crate::{say, words};

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
        /// A key file, secret or .pub, or a key's text (bw…1…)
        file: PathBuf,
        /// Show the fingerprint as words, to be read out and compared
        #[arg(long)]
        words: bool,
        /// Check that the fingerprint is this one: hexadecimal, or its words
        #[arg(long, value_name = "FINGERPRINT")]
        expect: Option<String>,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a key file for a recipient key that an agent holds: a token, a key service, another machine (spec agent)
    Agent {
        /// Which agent: the program `bailiwick-agent-NAME` is run when the key is needed
        name: String,
        /// The public key: its text, or its .pub file
        public: PathBuf,
        /// Where the key file goes; it holds no secret
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
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
            show(&public, json, true)?;
        }
        Command::Show { file, words, expect, json } => {
            let key = keyfile::any_public(&file)?;
            if let Some(expected) = expect {
                if !words::same(&key.fingerprint_bytes(), &expected)? {
                    return Err(anyhow!("this is another key: its fingerprint is {}", key.fingerprint()))
                        .context(Help("do not use it; get the right one from its holder"));
                }
                eprintln!("the fingerprint is the expected one");
            }
            show(&key, json, words)?;
        }
        Command::Agent { name, public, output } => {
            keyfile::write_agent(&keyfile::any_public(&public)?, &name, &output)?;
            say!("wrote {}: `bailiwick-agent-{name}` is run when the key is needed", output.display())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Bytes of the longest key that is shown whole, one on P-256; those with an X-Wing key are not.
const SHORT_KEY_BYTES_MAX: usize = 65;

#[derive(serde::Serialize)]
struct Shown {
    kind: Kind,
    algorithm: Algorithm,
    public: String,
    text: String,
    fingerprint: String,
    words: String,
}

fn show(key: &PublicKey, json: bool, as_words: bool) -> anyhow::Result<()> {
    let shown = Shown {
        kind: key.kind,
        algorithm: key.algorithm,
        public: hex::encode(&key.bytes),
        text: key.text()?,
        fingerprint: key.fingerprint(),
        words: words::of(&key.fingerprint_bytes()),
    };
    if json {
        return print_json(&shown);
    }
    say!("kind         {}", key.kind.name())?;
    say!("algorithm    {}", key.algorithm.name())?;
    if key.bytes.len() > SHORT_KEY_BYTES_MAX {
        // A hybrid key fills a screen; --json and the .pub file have it whole.
        say!("public key   {}... ({} bytes)", &shown.public[..64], key.bytes.len())?;
    } else {
        say!("public key   {}", shown.public)?;
        say!("text         {}", shown.text)?;
    }
    if let Some(point) = shown.public.get(..64).filter(|_| key.kind == Kind::Custodian) {
        // What a roster lists; the rest is vouched for by it.
        say!("in a roster  {{ kind = \"ristretto255\", public = \"{point}\" }}")?;
    }
    say!("fingerprint  {}", shown.fingerprint)?;
    if as_words {
        say!("in words     {}", shown.words)?;
    }
    Ok(())
}
