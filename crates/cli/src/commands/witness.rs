//! `bailiwick witness`: a witness of transparency logs.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use bailiwick_logserver::{Listen, WitnessConfig, WitnessInit, WitnessServer};

use super::log::{announce, verifier_key};
use crate::output::print_json;
use crate::say;

/// Arguments of `witness`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

impl Args {
    /// Whether this runs until a signal and stops in its own order.
    pub(crate) fn serves(&self) -> bool {
        matches!(self.command, Command::Run(_))
    }
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a directory with a configuration, a key and an empty memory
    Init(InitArgs),
    /// Cosign checkpoints until told to stop
    Run(RunArgs),
}

/// Arguments of `witness init`.
#[derive(Debug, clap::Args)]
struct InitArgs {
    /// Directory to make
    dir: PathBuf,
    /// The witness's name for good: an address without scheme, e.g. witness.example/w1
    #[arg(long, value_name = "NAME")]
    name: String,
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8490")]
    listen: SocketAddr,
    /// Verifier key (or .vkey file) of a log to witness; more can be added to the configuration
    #[arg(long, value_name = "KEY")]
    log: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `witness run`.
#[derive(Debug, clap::Args)]
struct RunArgs {
    /// The configuration `witness init` wrote
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Init(a) => init(a),
        Command::Run(a) => serve(&a),
    }
}

fn init(args: InitArgs) -> anyhow::Result<ExitCode> {
    let logs = args.log.iter().map(|k| verifier_key(k)).collect::<anyhow::Result<Vec<_>>>()?;
    let options = WitnessInit { name: args.name, listen: args.listen, logs };
    let made = bailiwick_logserver::init_witness(&args.dir, &options)?;
    if args.json {
        print_json(&serde_json::json!({ "config": made.config, "key": made.key.to_string() }))?;
    } else {
        let config = made.config.display();
        say!(
            "made {config}\nwitness key {}\nstart it with: bailiwick witness run --config {config}",
            made.key
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

fn serve(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let config = WitnessConfig::load(&args.config)?;
    let open = || Ok(Arc::new(WitnessServer::open(&config)?).router());
    let WitnessConfig { listen: address, connections, log, ref tls, .. } = config;
    let listen = Listen { address, connections, log, tls: tls.as_ref() };
    bailiwick_logserver::run(&listen, open, |address| announce(address, tls.is_some()))?;
    Ok(ExitCode::SUCCESS)
}
