//! `bailiwick audit`: one host now, or many over time by a schedule.

mod beacon;
mod campaign;
mod dossier;
mod events;
mod files;
mod hosts;
mod log;
mod metrics;
mod schedule;
mod single;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use bailiwick_protocol::ids::ClassId;

/// Arguments of `audit`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Challenge a host now and write the evidence bundle; or, with --campaign, do what a schedule says is due
    Run(Box<RunArgs>),
    /// Announce in a transparency log which hosts are audited when
    Schedule(Box<schedule::ScheduleArgs>),
    /// Go on with a campaign after a crash or a stop, with the very same challenges
    Resume(ResumeArgs),
    /// Write the evidence of a campaign as one file that `bailiwick verify` judges offline
    Dossier(dossier::DossierArgs),
}

/// Arguments of `audit run`.
#[derive(Debug, clap::Args)]
struct RunArgs {
    /// The campaign that `audit schedule` made
    #[arg(long, value_name = "DIR", conflicts_with = "SingleArgs")]
    campaign: Option<PathBuf>,
    #[command(flatten)]
    single: Option<single::SingleArgs>,
    #[command(flatten)]
    pursuit: Pursuit,
    /// Print JSON: a summary, or with --campaign one line for each event
    #[arg(long)]
    json: bool,
}

/// Arguments of `audit resume`.
#[derive(Debug, clap::Args)]
struct ResumeArgs {
    /// The campaign that `audit schedule` made
    #[arg(long, value_name = "DIR")]
    campaign: PathBuf,
    #[command(flatten)]
    pursuit: Pursuit,
    /// Print one line of JSON for each event
    #[arg(long)]
    json: bool,
}

/// How long a campaign is pursued.
#[derive(Debug, clap::Args)]
struct Pursuit {
    /// Wait for the next epoch, to the end of the schedule
    #[arg(long, requires = "campaign")]
    follow: bool,
    /// Serve Prometheus metrics at http://ADDRESS/metrics
    #[arg(long, value_name = "ADDRESS", requires = "campaign")]
    metrics: Option<SocketAddr>,
}

/// A pinned class by its name.
pub(crate) fn parse_class(name: &str) -> Result<ClassId, String> {
    ClassId::PINNED
        .iter()
        .find(|(n, _)| *n == name)
        .map(|(_, c)| *c)
        .ok_or_else(|| "expected tiny, small, standard or large".to_owned())
}

/// Runs the command.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Run(a) => match (a.campaign, a.single) {
            (Some(dir), _) => campaign::pursue(&dir, &a.pursuit, a.json),
            (None, Some(single)) => single::run(single, a.json),
            (None, None) => anyhow::bail!("name a host, or a campaign with --campaign"),
        },
        Command::Schedule(a) => schedule::run(&a),
        Command::Resume(a) => campaign::pursue(&a.campaign, &a.pursuit, a.json),
        Command::Dossier(a) => dossier::run(&a),
    }
}
