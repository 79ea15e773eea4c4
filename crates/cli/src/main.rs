//! The `bailiwick` command line: verbs by task, one file per command under `commands/`.

mod age_file;
mod agent;
mod audit;
mod commands;
mod connect;
mod envelopes;
mod keyfile;
mod opening;
mod outcomes;
mod output;
mod passphrase;
mod progress;
mod scan;
mod shards;
mod usage;
mod words;

use std::fmt;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What to do about an error; attached with `.context(Help(..))` and printed on a line of its own.
#[derive(Debug)]
pub(crate) struct Help(pub(crate) &'static str);

impl fmt::Display for Help {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[derive(Debug, Parser)]
#[command(
    name = "bailiwick",
    version,
    about = "Check for yourself that a data centre stores and serves your data and cannot read it",
    long_about = "Developers seal data so that it stays opaque to whoever hosts it, node hosts prove in zero \
                  knowledge that they hold it, auditors verify offline.\n\nThis software has not been audited \
                  by anyone but its authors. SECURITY.md says what is and is not shown."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make and show keys
    #[command(display_order = 10)]
    Key(commands::key::Args),
    /// Encrypt a file for its recipients and sign the envelope
    #[command(display_order = 20)]
    Seal(commands::seal::Args),
    /// Decrypt a sealed object, or a range of it
    #[command(display_order = 21)]
    Open(commands::open::Args),
    /// Add a storage commitment to an object sealed without one
    #[command(display_order = 22)]
    Commit(commands::commit::Args),
    /// Change who can open objects: new envelopes over the same bodies
    #[command(display_order = 24)]
    Rewrap(commands::rewrap::Args),
    /// Seal an object anew under fresh keys, as its next generation
    #[command(display_order = 25)]
    Rotate(commands::rotate::Args),
    /// Make an object unreadable by destroying the ways to its key (crypto-erasure)
    #[command(display_order = 26)]
    Destroy(commands::destroy::Args),
    /// Write an object's file key as an age file, so that age's plug-ins can keep it
    #[command(display_order = 27)]
    Export(commands::export::Args),
    /// Show what a host can see of an object
    #[command(display_order = 23)]
    Inspect(commands::inspect::Args),
    /// Make lost or wrong shards of a split object again
    #[command(display_order = 24)]
    Repair(commands::repair::Args),
    /// Put an object's key in the hands of several custodians, check that, and recover it from them
    #[command(display_order = 24)]
    Custody(commands::custody::Args),
    /// Hand a sealed object to a node
    #[command(display_order = 30)]
    Put(commands::put::Args),
    /// Fetch a sealed object, or a range of it, checked against what the owner signed
    #[command(display_order = 31)]
    Get(commands::get::Args),
    /// List what a node holds
    #[command(display_order = 32)]
    Ls(commands::ls::Args),
    /// Remove an object from a node
    #[command(display_order = 33)]
    Rm(commands::ls::RemoveArgs),
    /// Check that a host's inventory of an epoch lists your objects
    #[command(display_order = 34)]
    CheckInventory(commands::check_inventory::Args),
    /// Make, run or scrub a host's node
    #[command(display_order = 40)]
    Node(commands::node::Args),
    /// Challenge a host and collect the evidence
    #[command(display_order = 50)]
    Audit(commands::audit::Args),
    /// Explain a policy, and find what contradicts itself
    #[command(display_order = 53)]
    Policy(commands::policy::Args),
    /// Rounds of public randomness, verified offline
    #[command(display_order = 54)]
    Beacon(commands::beacon::Args),
    /// Judge an evidence bundle, offline; the exit code is the verdict
    #[command(display_order = 51)]
    Verify(commands::verify::VerifyArgs),
    /// Show a judgement as a page or as JSON
    #[command(display_order = 52)]
    Report(commands::verify::ReportArgs),
    /// Run a transparency log, add to one, and check its proofs
    #[command(display_order = 55)]
    Log(commands::log::Args),
    /// Cosign the checkpoints of transparency logs
    #[command(display_order = 56)]
    Witness(commands::witness::Args),
    /// Classes of storage proofs, and keys for them
    #[command(display_order = 60)]
    Circuit(commands::circuit::Args),
    /// Who takes part, with which keys, under whose law: sign, show, compare and check rosters
    #[command(display_order = 54)]
    Roster(commands::roster::Args),
    /// The whole story on one machine, with every way to cheat tried
    #[command(display_order = 1)]
    Demo(commands::demo::Args),
}

/// A process that dies leaves no image of its memory, which may hold secrets; its children neither.
fn leave_no_core_dumps() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    if let Err(error) = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }) {
        eprintln!("warning: a crash may write this process's memory, and keys in it, to a file ({error})");
    }
}

fn main() -> ExitCode {
    leave_no_core_dumps();
    let cli = usage::parse();
    let stops_in_its_own_order = match &cli.command {
        Command::Node(_) => true,
        Command::Log(a) => a.serves(),
        Command::Witness(a) => a.serves(),
        _ => false,
    };
    if !stops_in_its_own_order {
        output::remove_partial_files_on_signals();
    }
    let result = match cli.command {
        Command::Key(a) => commands::key::run(a),
        Command::Seal(a) => commands::seal::run(a),
        Command::Open(a) => commands::open::run(a),
        Command::Commit(a) => commands::commit::run(a),
        Command::Rewrap(a) => commands::rewrap::run(a),
        Command::Rotate(a) => commands::rotate::run(a),
        Command::Destroy(a) => commands::destroy::run(a),
        Command::Export(a) => commands::export::run(a),
        Command::Inspect(a) => commands::inspect::run(a),
        Command::Repair(a) => commands::repair::run(a),
        Command::Custody(a) => commands::custody::run(a),
        Command::Put(a) => commands::put::run(a),
        Command::Get(a) => commands::get::run(a),
        Command::Ls(a) => commands::ls::run(a),
        Command::Rm(a) => commands::ls::remove(a),
        Command::CheckInventory(a) => commands::check_inventory::run(a),
        Command::Node(a) => commands::node::run(a),
        Command::Audit(a) => commands::audit::run(a),
        Command::Policy(a) => commands::policy::run(a),
        Command::Beacon(a) => commands::beacon::run(a),
        Command::Verify(a) => commands::verify::verify(a),
        Command::Report(a) => commands::verify::report(a),
        Command::Log(a) => commands::log::run(a),
        Command::Witness(a) => commands::witness::run(a),
        Command::Circuit(a) => commands::circuit::run(a),
        Command::Roster(a) => commands::roster::run(a),
        Command::Demo(a) => commands::demo::run(a),
    };
    result.unwrap_or_else(|error| {
        let closed = |e: &std::io::Error| e.kind() == std::io::ErrorKind::BrokenPipe;
        if !error.chain().any(|cause| cause.downcast_ref().is_some_and(closed)) {
            report(&error);
        }
        // 2: nothing could be judged or done. 1 is kept for a refuted claim.
        ExitCode::from(2)
    })
}

/// Prints what went wrong, the causes, and what to do, each on its own line.
fn report(error: &anyhow::Error) {
    let help = error.downcast_ref::<Help>();
    let mut causes = error
        .chain()
        .map(ToString::to_string)
        .filter(|text| help.is_none_or(|h| h.0 != text))
        .map(|text| output::printable(&text));
    eprintln!("error: {}", causes.next().unwrap_or_default());
    for cause in causes {
        eprintln!("  because: {cause}");
    }
    if let Some(help) = help {
        eprintln!("  help: {help}");
    }
}
