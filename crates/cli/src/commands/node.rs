//! `bailiwick node`: make, run and scrub a host's node.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use bailiwick_node::config::Config;
use bailiwick_protocol::ids::{AuditorKey, OwnerKey};
use bailiwick_store::CellCheck;

use crate::keyfile::{self, Kind};
use crate::output::{print_json, printable};
use crate::say;
use crate::{Help, progress};

/// Arguments of `node`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a directory with a configuration and a host key
    Init(InitArgs),
    /// Serve until told to stop
    Run(RunArgs),
    /// Re-read every stored byte and name what is damaged (the node must be stopped)
    Scrub(ScrubArgs),
}

/// Arguments of `node init`.
#[derive(Debug, clap::Args)]
struct InitArgs {
    /// Directory to make
    dir: PathBuf,
    /// Public key of an owner who may store objects (hexadecimal or .pub file)
    #[arg(long, value_name = "KEY")]
    owner: Vec<String>,
    /// Public key of an auditor who may ask for proofs (hexadecimal or .pub file)
    #[arg(long, value_name = "KEY")]
    auditor: Vec<String>,
    /// Folder of proving keys [default: circuit-keys in the directory]
    #[arg(long, value_name = "DIR")]
    circuit_keys: Option<PathBuf>,
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8470")]
    listen: SocketAddr,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `node run`.
#[derive(Debug, clap::Args)]
struct RunArgs {
    /// The configuration `node init` wrote
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Stop when the process that started this one is gone
    #[arg(long, hide = true)]
    with_parent: bool,
}

/// Arguments of `node scrub`.
#[derive(Debug, clap::Args)]
struct ScrubArgs {
    /// The configuration `node init` wrote
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Compute every cell tree again, too (about 10 MB/s a core)
    #[arg(long)]
    recompute: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Init(a) => init(&a),
        Command::Run(a) => serve(&a),
        Command::Scrub(a) => scrub(&a),
    }
}

fn init(args: &InitArgs) -> anyhow::Result<ExitCode> {
    let owners = args.owner.iter().map(|k| Ok(OwnerKey(keyfile::public_key(k, Kind::Owner)?)));
    let auditors = args.auditor.iter().map(|k| Ok(AuditorKey(keyfile::public_key(k, Kind::Auditor)?)));
    let made = bailiwick_node::init(
        &args.dir,
        &bailiwick_node::InitOptions {
            listen: args.listen,
            owners: owners.collect::<anyhow::Result<_>>()?,
            auditors: auditors.collect::<anyhow::Result<_>>()?,
            circuit_keys_dir: args.circuit_keys.clone(),
        },
    )?;
    let public = args.dir.join("host.pub");
    keyfile::write_public(Kind::Host, made.host.as_bytes(), &public)?;
    if args.json {
        print_json(&serde_json::json!({ "config": made.config, "host": made.host, "public": public }))?;
    } else {
        say!(
            "made {}\nhost key {}\nstart it with: bailiwick node run --config {}",
            made.config.display(),
            made.host,
            made.config.display()
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

fn serve(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let config = Config::load(&args.config)?;
    if args.with_parent {
        stop_with_parent()?;
    }
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    bailiwick_node::run(config, |address| {
        // The one line on standard output; a closed pipe must not stop the node.
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "listening on {scheme}://{address}").and_then(|()| out.flush());
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Asks this process to stop, as a service manager would, once its parent has ended.
fn stop_with_parent() -> anyhow::Result<()> {
    let parent = rustix::process::getppid();
    let watch = move || {
        while rustix::process::getppid() == parent {
            std::thread::sleep(std::time::Duration::from_millis(500));
        }
        // Fails only when there is no such process, and this is it.
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TERM);
    };
    std::thread::Builder::new()
        .spawn(watch)
        .context("cannot start the thread that waits for the parent's end")?;
    Ok(())
}

/// What a scrub found, for programs.
#[derive(serde::Serialize)]
struct Scrubbed {
    clean: bool,
    objects: u64,
    bytes: u64,
    damage: Vec<Damaged>,
    foreign: Vec<String>,
}

#[derive(serde::Serialize)]
struct Damaged {
    object: Option<String>,
    file: String,
    part: String,
    offset: u64,
}

/// Exit code 0 when clean, 1 when something is damaged, 2 when the scrub could not be made.
fn scrub(args: &ScrubArgs) -> anyhow::Result<ExitCode> {
    let config = Config::load(&args.config)?;
    let bar = progress::bar(Some(0), "scrub");
    let cells = if args.recompute { CellCheck::Recompute } else { CellCheck::Stored };
    let report = bailiwick_node::scrub(
        &config,
        cells,
        |p| {
            bar.set_length(p.bytes_total);
            bar.set_position(p.bytes_done);
        },
        || false,
    )
    .context(Help("a node must be stopped before its directory is scrubbed"))?;
    bar.finish_and_clear();
    let damage = report.damage.iter().map(|d| Damaged {
        object: d.name.map(|n| n.to_string()),
        file: d.path.display().to_string(),
        part: format!("{:?}", d.part),
        offset: d.offset,
    });
    let scrubbed = Scrubbed {
        clean: report.is_clean(),
        objects: report.progress.objects_done,
        bytes: report.progress.bytes_done,
        damage: damage.collect(),
        foreign: report.foreign.iter().map(|p| p.display().to_string()).collect(),
    };
    if args.json {
        print_json(&scrubbed)?;
    } else {
        for d in &scrubbed.damage {
            let object = d.object.as_deref().unwrap_or("no object");
            say!("damaged: {object}, {} at byte {} of {}", d.part, d.offset, printable(&d.file))?;
        }
        for f in &scrubbed.foreign {
            say!("not the store's: {}", printable(f))?;
        }
        let verdict = if scrubbed.clean { "clean" } else { "DAMAGED" };
        say!("{verdict}: {} objects, {} bytes read", scrubbed.objects, scrubbed.bytes)?;
    }
    Ok(if scrubbed.clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
