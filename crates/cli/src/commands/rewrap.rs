//! `bailiwick rewrap`: change who can open objects, without touching their bodies.

mod batch;
mod node;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use bailiwick_envelope::{
    OpenError, Passphrase, PassphraseChange, RecipientChange, RecipientPublicKey, Rewrap, RewrapError, rewrap,
};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::ids::OwnerKey;
use bailiwick_protocol::signing::SigningKey;

use crate::Help;
use crate::connect::AtNode;
use crate::envelopes::Known;
use crate::keyfile::{self, Kind};
use crate::opening::{Opening, OpeningArgs, asked_for, note_classical};
use crate::outcomes::{Outcomes, UNOPENABLE};
use crate::output::print_json;
use crate::passphrase;
use crate::say;

/// Arguments of `rewrap`.
#[derive(Debug, clap::Args)]
#[command(
    // Options that take several values would swallow what comes after them.
    override_usage = "bailiwick rewrap <TARGETS>... [OPTIONS]\n       bailiwick rewrap --node <URL> [OPTIONS]",
    long_about = "Change who can open objects: new envelopes, one generation later, over the same bodies.\n\n\
    What this does not do: it takes nothing back. Whoever could open an object before and kept its file key, an old \
    envelope or the data can still read it, and so can a host's backup together with a removed key. `rotate` seals anew; \
    neither unreads what was read.\n\nAn owner who signs two envelopes of one generation equivocates, and nodes keep that as evidence. So \
    sign once: `rewrap DIR`, then `put DIR --envelope-only` to every node; or `rewrap --node` at one node, which keeps what it signs in \
    the directory --envelopes before it sends it, then `put` to the others. Each unit has one envelope in a directory that is rewrapped. \
    Nothing here knows of envelopes in another directory or on another machine: an owner who signs in two places, or keeps two directories \
    --envelopes, can sign two of one generation. Comparing them tells, and a node refuses the second and keeps both as evidence."
)]
pub(crate) struct Args {
    /// Envelopes, bodies beside theirs, or directories (all `*.envelope` below them)
    #[arg(required_unless_present = "node", conflicts_with = "node")]
    targets: Vec<PathBuf>,
    #[command(flatten)]
    at: AtNode,
    /// The owner's secret key file: signs the new envelopes
    #[arg(long, value_name = "FILE")]
    owner: PathBuf,
    #[command(flatten)]
    opening: OpeningArgs,
    #[command(flatten)]
    changes: ChangeArgs,
    /// Envelopes that no given key opens are no failure
    #[arg(long)]
    skip_unopenable: bool,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

/// What shall change.
#[derive(Debug, clap::Args)]
pub(crate) struct ChangeArgs {
    /// Public key of someone who may open them from now on; repeat for several
    #[arg(long, value_name = "KEY", num_args = 1.., conflicts_with = "only")]
    add: Vec<PathBuf>,
    /// Public key of someone whose entry goes; repeat for several
    #[arg(long, value_name = "KEY", num_args = 1.., conflicts_with = "only")]
    remove: Vec<PathBuf>,
    /// Exactly these recipients, whoever they were before; repeat for several
    #[arg(long, value_name = "KEY", num_args = 1..)]
    only: Vec<PathBuf>,
    /// Remove all recipients, for a passphrase that is to stand alone
    #[arg(long, conflicts_with_all = ["add", "remove", "only"])]
    no_recipients: bool,
    /// No entry names its recipient's key any more
    #[arg(long)]
    anonymous: bool,
    /// Ask for a new passphrase on the terminal
    #[arg(long)]
    set_passphrase: bool,
    /// The new passphrase is the first line of this file, which nobody else may read
    #[arg(long, value_name = "FILE", conflicts_with = "set_passphrase")]
    set_passphrase_file: Option<PathBuf>,
    /// Remove the passphrase
    #[arg(long, conflicts_with_all = ["set_passphrase", "set_passphrase_file"])]
    no_passphrase: bool,
    /// Let a passphrase stand beside recipients: the object is then only as strong as the passphrase
    #[arg(long)]
    also_passphrase: bool,
}

/// The changes, with keys read.
struct Wanted {
    add: Vec<RecipientPublicKey>,
    remove: Vec<RecipientPublicKey>,
    only: Option<Vec<RecipientPublicKey>>,
    passphrase: Option<Passphrase>,
    no_passphrase: bool,
    also_passphrase: bool,
    anonymous: bool,
}

impl ChangeArgs {
    fn read(&self) -> anyhow::Result<Wanted> {
        let keys = |paths: &[PathBuf]| {
            paths.iter().map(|p| keyfile::read_recipient_public(p)).collect::<anyhow::Result<Vec<_>>>()
        };
        let passphrase = match &self.set_passphrase_file {
            Some(path) => Some(passphrase::from_file(path)?),
            None if self.set_passphrase => Some(passphrase::from_terminal(true)?),
            None => None,
        };
        let only = (self.no_recipients || !self.only.is_empty()).then(|| keys(&self.only)).transpose()?;
        let wanted = Wanted {
            add: keys(&self.add)?,
            remove: keys(&self.remove)?,
            only,
            passphrase,
            no_passphrase: self.no_passphrase,
            also_passphrase: self.also_passphrase,
            anonymous: self.anonymous,
        };
        let something = !wanted.add.is_empty()
            || !wanted.remove.is_empty()
            || wanted.only.is_some()
            || wanted.passphrase.is_some()
            || wanted.no_passphrase
            || wanted.anonymous;
        if !something {
            return Err(anyhow!("nothing is to change")).context(Help(
                "say what with --add, --remove, --only, --anonymous, --set-passphrase or --no-passphrase",
            ));
        }
        let new = wanted.only.as_deref().unwrap_or(&wanted.add);
        // Who can open an object already may be hybrid.
        note_classical(new);
        Ok(wanted)
    }
}

impl Wanted {
    fn changes(&self) -> Rewrap<'_> {
        let recipients = match &self.only {
            Some(keys) => RecipientChange::Replace(keys),
            None if self.add.is_empty() && self.remove.is_empty() => RecipientChange::Keep,
            None => RecipientChange::Edit { remove: &self.remove, add: &self.add },
        };
        let passphrase = match &self.passphrase {
            Some(p) => PassphraseChange::Set(asked_for(p, self.also_passphrase)),
            None if self.no_passphrase => PassphraseChange::Remove,
            None => PassphraseChange::Keep,
        };
        Rewrap { recipients, passphrase, anonymous: self.anonymous }
    }
}

/// Everything one envelope is rewritten with; shared by the threads.
struct Rewrapper {
    owner: SigningKey,
    pinned: OwnerKey,
    opening: Opening,
    wanted: Wanted,
}

/// What becomes of one envelope.
enum Outcome {
    /// The next generation, signed.
    New(Vec<u8>),
    /// Left as it is, and why.
    Skipped(&'static str),
}

impl Rewrapper {
    fn rewrap(&self, bytes: &[u8]) -> anyhow::Result<Outcome> {
        let opener = match self.opening.open(&self.pinned, bytes) {
            Err(e) => match e.downcast_ref() {
                Some(OpenError::NoRecipient) => return Ok(Outcome::Skipped(UNOPENABLE)),
                _ => return Err(e),
            },
            Ok(opener) => opener,
        };
        let mut rng = keyfile::system_rng()?;
        match rewrap(&opener, &self.wanted.changes(), &self.owner, &mut rng) {
            Ok(Some(signed)) => Ok(Outcome::New(signed.to_bytes())),
            Ok(None) => Ok(Outcome::Skipped("nothing to change")),
            // Whoever was to lose access may still have it.
            Err(e @ RewrapError::Anonymous) => {
                Err(e).context(Help("say with --only everybody who is to open it: that replaces the entries"))
            }
            Err(e @ RewrapError::MixedPassphrase) => {
                Err(e).context(Help("say --also-passphrase if that is meant"))
            }
            Err(e) => Err(e.into()),
        }
    }
}

/// What a run did.
#[derive(Debug, Default, serde::Serialize)]
struct Summary {
    rewrapped: u64,
    #[serde(flatten)]
    outcomes: Outcomes,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let owner = keyfile::read_signing_key(&args.owner, Kind::Owner)?;
    let pinned = OwnerKey(owner.public());
    let opening = args.opening.read()?;
    let rewrapper = Rewrapper { owner, pinned, opening, wanted: args.changes.read()? };
    let summary = match args.at.connect(&args.owner)? {
        Some((client, folder)) => {
            let known = Known::below(pinned, &folder)?;
            node::NodeRun { client, rewrapper: &rewrapper, known, folder }.run()?
        }
        None => batch::run(&rewrapper, &args.targets)?,
    };
    if args.json {
        print_json(&summary)?;
    } else {
        say!("rewrapped {} envelope(s); bodies stayed as they are", summary.rewrapped)?;
        summary.outcomes.say()?;
        say!(
            "who kept a file key or an old envelope with its key can still open: rewrap takes nothing back"
        )?;
    }
    let left = "each envelope is the old or the new one, whole";
    summary.outcomes.check(left, args.skip_unopenable, summary.rewrapped)?;
    if args.targets.len() == 1 && summary.rewrapped == 0 && args.targets.iter().all(|t| t.is_file()) {
        let why = summary.outcomes.skipped.keys().next().copied().unwrap_or("nothing to change");
        if why != "nothing to change" {
            return Err(anyhow!("{} was not rewritten: {why}", args.targets[0].display()))
                .context(Help("`bailiwick inspect` shows owner and recipients"));
        }
    }
    Ok(ExitCode::SUCCESS)
}
