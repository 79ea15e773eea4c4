//! `bailiwick policy check`: a policy in plain words, and whether anything could meet it.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use bailiwick_protocol::ids::RosterKey;
use bailiwick_protocol::limits::ROSTER_BYTES_MAX;
use bailiwick_roster::{BLOCS_BYTES_MAX, Blocs, Roster};
use bailiwick_verifier::{Policy, RosterSummary, TOML_BYTES_MAX, explain, printable};

use crate::Help;
use crate::audit::now_unix_ms;
use crate::keyfile::{Kind, public_key};
use crate::output::read_bounded;

/// Arguments of `policy`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Explain a policy in plain words; unknown keys and contradictions are errors that name the line
    Check(CheckArgs),
}

#[derive(Debug, clap::Args)]
struct CheckArgs {
    /// The policy
    policy: PathBuf,
    /// A signed roster: is there a host, a witness, a bloc that could meet the policy?
    #[arg(long, value_name = "FILE", requires = "authority")]
    roster: Option<PathBuf>,
    /// Public key of the roster's authority, 64 digits or a .pub file
    #[arg(long, value_name = "KEY")]
    authority: Option<String>,
    /// Jurisdiction blocs of the roster [default: those this program ships]
    #[arg(long, value_name = "FILE")]
    blocs: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(serde::Serialize)]
struct Explained<'a> {
    name: &'a str,
    require: Vec<&'static str>,
    explained: Vec<String>,
    contradictions: Vec<String>,
}

/// Runs `policy`: 0 when the policy could be met, 2 when it cannot be read or contradicts itself or the roster.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Verb::Check(args) = args.verb;
    let text = text(&args.policy, TOML_BYTES_MAX)?;
    let policy =
        Policy::parse(&text).with_context(|| format!("{} cannot be used", args.policy.display())).context(
            Help("docs/spec/v1/policy.md lists every key; audits/profiles has policies to start from"),
        )?;
    let out = Explained {
        name: &policy.name,
        require: policy.require.iter().map(|c| c.name()).collect(),
        explained: explain(&policy),
        contradictions: contradictions(&args, &policy)?,
    };
    let mut shown = String::new();
    if args.json {
        shown = serde_json::to_string_pretty(&out)? + "\n";
    } else {
        shown += &format!("Policy \u{201c}{}\u{201d}\n", printable(&policy.name));
        for sentence in &out.explained {
            shown += &format!("  - {}\n", printable(sentence));
        }
        for why in &out.contradictions {
            shown += &format!("  ! cannot be met with this roster: {}\n", printable(why));
        }
    }
    std::io::stdout().lock().write_all(shown.as_bytes())?;
    Ok(if out.contradictions.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

fn contradictions(args: &CheckArgs, policy: &Policy) -> anyhow::Result<Vec<String>> {
    let (Some(path), Some(authority)) = (&args.roster, &args.authority) else { return Ok(Vec::new()) };
    let authority = RosterKey(public_key(authority, Kind::Roster)?);
    let bytes = read_bounded(path, ROSTER_BYTES_MAX as u64)?;
    let roster = bailiwick_roster::open(&bytes, &authority, now_unix_ms(), None)
        .with_context(|| format!("{} cannot be used", path.display()))?;
    let blocs = match &args.blocs {
        Some(path) => Blocs::parse(&text(path, BLOCS_BYTES_MAX)?)
            .with_context(|| format!("{} cannot be used", path.display()))?,
        None => Blocs::shipped(),
    };
    Roster::check_blocs(&roster, &blocs)
        .context(Help("give the file of blocs the roster was made with by --blocs"))?;
    let found = policy.contradictions(&RosterSummary { roster: &roster, blocs: &blocs });
    Ok(found.iter().map(ToString::to_string).collect())
}

fn text(path: &std::path::Path, max: usize) -> anyhow::Result<String> {
    String::from_utf8(read_bounded(path, max as u64)?)
        .ok()
        .with_context(|| format!("{} is not UTF-8 text", path.display()))
}
