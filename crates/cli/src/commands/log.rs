//! `bailiwick log`: run a transparency log, add to one, and check what it shows.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, anyhow, bail, ensure};
use bailiwick_logserver::{Listen, LogClient, LogConfig, LogDir, LogInit, LogServer, WitnessEntry, load_key};
use bailiwick_store::files::StdFiles;
use bailiwick_translog::{
    ENTRY_BYTES_MAX, LogPolicy, PROOF_BYTES_MAX, ProofError, SignedCheckpoint, Storage as _, Verified,
    VerifierKey, fsck, verify_proof,
};

use crate::keyfile;
use crate::output::{print_json, read_bounded, write_new};
use crate::say;
use crate::{Help, progress};

/// Certificates to trust are few and small.
const ROOTS_BYTES_MAX: u64 = 1 << 20;
/// A verifier key is one line.
const KEY_BYTES_MAX: u64 = 4096;
/// Seconds a log may take to answer; longer than it waits for its witnesses.
const ANSWER_SECONDS: u64 = 60;

/// Arguments of `log`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

impl Args {
    /// Whether this runs until a signal and stops in its own order.
    pub(crate) fn serves(&self) -> bool {
        matches!(self.command, Command::Serve(_))
    }
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a directory with a configuration, a key and an empty log
    Init(InitArgs),
    /// Serve until told to stop
    Serve(ServeArgs),
    /// Add a file as an entry, and keep the proof that it is in the log
    Add(AddArgs),
    /// Fetch an entry by its index, and the proof that it is in the log
    Prove(ProveArgs),
    /// Check a proof offline
    Verify(VerifyArgs),
    /// Derive a log again from its entries and name what is damaged
    Fsck(FsckArgs),
}

/// Arguments of `log init`.
#[derive(Debug, clap::Args)]
struct InitArgs {
    /// Directory to make
    dir: PathBuf,
    /// The log's name for good: an address without scheme, e.g. log.example/audits
    #[arg(long, value_name = "NAME")]
    origin: String,
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8480")]
    listen: SocketAddr,
    /// Public key of someone who may add entries (hexadecimal or .pub file)
    #[arg(long, value_name = "KEY")]
    submitter: Vec<String>,
    /// A witness to ask: its verifier key or .vkey file, and where it is
    #[arg(long, value_name = "KEY=URL")]
    witness: Vec<String>,
    /// Cosignatures a checkpoint needs before it is published [default: all witnesses]
    #[arg(long, value_name = "N")]
    quorum: Option<usize>,
    /// Where rounds of the quicknet beacon to relay come from, an address with {round} in its path; give several
    #[arg(long, value_name = "URL")]
    beacon: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `log serve`.
#[derive(Debug, clap::Args)]
struct ServeArgs {
    /// The configuration `log init` wrote
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// Which log, and whose word counts.
#[derive(Debug, clap::Args)]
pub(crate) struct TrustArgs {
    /// The log's verifier key, or its .vkey file
    #[arg(long, value_name = "KEY")]
    log_key: String,
    /// Verifier key (or .vkey file) of a witness that counts
    #[arg(long, value_name = "KEY")]
    witness: Vec<String>,
    /// How many of them must have cosigned [default: all]
    #[arg(long, value_name = "N")]
    quorum: Option<usize>,
}

impl TrustArgs {
    fn policy(&self) -> anyhow::Result<LogPolicy> {
        let witnesses = self.witness.iter().map(|w| verifier_key(w)).collect::<anyhow::Result<Vec<_>>>()?;
        let quorum = self.quorum.unwrap_or(witnesses.len());
        Ok(LogPolicy::new(verifier_key(&self.log_key)?, witnesses, quorum)?)
    }
}

/// How to reach a log.
#[derive(Debug, clap::Args)]
struct ReachArgs {
    /// Address of the log, e.g. `http://127.0.0.1:8480`
    #[arg(long, value_name = "URL")]
    log: String,
    /// PEM file with the certificates to trust (https needs it)
    #[arg(long, value_name = "FILE")]
    roots: Option<PathBuf>,
}

impl ReachArgs {
    fn client(&self) -> anyhow::Result<LogClient> {
        let roots = self.roots.as_deref().map(|path| read_bounded(path, ROOTS_BYTES_MAX)).transpose()?;
        Ok(LogClient::new(&self.log, roots.as_deref(), Duration::from_secs(ANSWER_SECONDS))?)
    }
}

/// Arguments of `log add`.
#[derive(Debug, clap::Args)]
struct AddArgs {
    /// File whose bytes become the entry, at most 65535
    file: PathBuf,
    #[command(flatten)]
    reach: ReachArgs,
    #[command(flatten)]
    trust: TrustArgs,
    /// Secret key of a submitter the log knows
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Where to write the proof
    #[arg(short = 'o', long = "output", value_name = "PROOF")]
    output: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `log prove`.
#[derive(Debug, clap::Args)]
struct ProveArgs {
    /// Index of the entry
    index: u64,
    #[command(flatten)]
    reach: ReachArgs,
    #[command(flatten)]
    trust: TrustArgs,
    /// Where to write the proof
    #[arg(short = 'o', long = "output", value_name = "PROOF")]
    output: PathBuf,
    /// Where to write the entry
    #[arg(long, value_name = "FILE")]
    entry: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `log verify`.
#[derive(Debug, clap::Args)]
struct VerifyArgs {
    /// The .tlog-proof file
    proof: PathBuf,
    /// The entry it is about
    #[arg(long, value_name = "FILE")]
    entry: PathBuf,
    #[command(flatten)]
    trust: TrustArgs,
    /// Refuse a proof whose quorum cosigned longer ago than this
    #[arg(long, value_name = "SECONDS")]
    max_age: Option<u64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `log fsck`.
#[derive(Debug, clap::Args)]
struct FsckArgs {
    /// The configuration `log init` wrote
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Init(a) => init(a),
        Command::Serve(a) => serve(&a),
        Command::Add(a) => add(&a),
        Command::Prove(a) => prove(&a),
        Command::Verify(a) => verify(&a),
        Command::Fsck(a) => check(&a),
    }
}

/// A verifier key as text, or the file that holds it.
pub(crate) fn verifier_key(text: &str) -> anyhow::Result<VerifierKey> {
    if let Ok(key) = VerifierKey::parse(text) {
        return Ok(key);
    }
    let help = Help("give a verifier key, name+id+base64, or the name of a .vkey file");
    let bytes = read_bounded(Path::new(text), KEY_BYTES_MAX).context(help)?;
    let line = std::str::from_utf8(&bytes).map_err(|_| anyhow!("{text} is not text"))?;
    VerifierKey::parse(line.trim_end()).with_context(|| format!("{text} holds no verifier key"))
}

/// A submitter's public key: hexadecimal, or a `.pub` file of any signing key.
fn submitter(text: &str) -> anyhow::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    if hex::decode_to_slice(text, &mut bytes).is_ok() {
        return Ok(bytes);
    }
    let public = keyfile::read_any_public(Path::new(text))
        .context(Help("give 64 hexadecimal digits, or the name of a .pub file"))?;
    match (public.algorithm, <[u8; 32]>::try_from(public.bytes)) {
        (keyfile::Algorithm::Ed25519, Ok(key)) => Ok(key),
        _ => bail!("{text} is not a signing key"),
    }
}

fn witness_entry(text: &str) -> anyhow::Result<WitnessEntry> {
    let at = text.find("=http://").or_else(|| text.find("=https://"));
    let at = at
        .ok_or_else(|| anyhow!("{text} is not KEY=URL"))
        .context(Help("e.g. w1/witness.vkey=http://127.0.0.1:8490"))?;
    Ok(WitnessEntry { key: verifier_key(&text[..at])?.to_string(), url: text[at + 1..].to_owned() })
}

fn init(args: InitArgs) -> anyhow::Result<ExitCode> {
    let witnesses = args.witness.iter().map(|w| witness_entry(w)).collect::<anyhow::Result<Vec<_>>>()?;
    let options = LogInit {
        origin: args.origin,
        listen: args.listen,
        submitters: args.submitter.iter().map(|k| submitter(k)).collect::<anyhow::Result<_>>()?,
        quorum: args.quorum.unwrap_or(witnesses.len()),
        witnesses,
        beacon: args.beacon,
    };
    let made = bailiwick_logserver::init_log(&args.dir, &options)?;
    if args.json {
        print_json(&serde_json::json!({ "config": made.config, "key": made.key.to_string() }))?;
    } else {
        let config = made.config.display();
        say!("made {config}\nlog key {}\nstart it with: bailiwick log serve --config {config}", made.key)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The one line on standard output; a closed pipe must not stop the server.
pub(crate) fn announce(address: SocketAddr, secure: bool) {
    let mut out = std::io::stdout().lock();
    let scheme = if secure { "https" } else { "http" };
    let _ = writeln!(out, "listening on {scheme}://{address}").and_then(|()| out.flush());
}

fn serve(args: &ServeArgs) -> anyhow::Result<ExitCode> {
    let config = LogConfig::load(&args.config)?;
    let open = || Ok(Arc::new(LogServer::open(&config)?).router());
    let LogConfig { listen: address, connections, log, ref tls, .. } = config;
    let listen = Listen { address, connections, log, tls: tls.as_ref() };
    bailiwick_logserver::run(&listen, open, |address| announce(address, tls.is_some()))?;
    Ok(ExitCode::SUCCESS)
}

fn add(args: &AddArgs) -> anyhow::Result<ExitCode> {
    let policy = args.trust.policy()?;
    let entry = read_bounded(&args.file, ENTRY_BYTES_MAX as u64)?;
    let signer = keyfile::read_signing_key_of_any_kind(&args.key)?;
    // An entry is added for good: what can fail afterwards is looked at before.
    if let Some(output) = &args.output {
        ensure!(!output.exists(), "{} exists already; nothing was added", output.display());
    }
    let added = args.reach.client()?.add(&entry, policy.log().public(), &signer)?;
    let index = added.index;
    let Some(proof) = added.proof else {
        return Err(anyhow!(
            "the log says that it has entry {index}, but its witnesses have not cosigned yet"
        ))
        .context(Help("fetch the proof later with `bailiwick log prove`"));
    };
    let verified = verify_proof(&proof, &entry, &policy).context("the log's proof does not hold")?;
    if let Some(output) = &args.output {
        write_new(output, 0o644, &proof)
            .with_context(|| format!("entry {index} is in the log, and its proof cannot be kept here"))?;
    }
    show(&verified, args.json)
}

fn prove(args: &ProveArgs) -> anyhow::Result<ExitCode> {
    let policy = args.trust.policy()?;
    let client = args.reach.client()?;
    let checkpoint = client.checkpoint(&policy)?;
    let (entry, proof) = client.prove(args.index, &checkpoint)?;
    let bytes = proof.to_bytes();
    let verified = verify_proof(&bytes, &entry, &policy)?;
    if let Some(path) = &args.entry {
        write_new(path, 0o644, &entry)?;
    }
    write_new(&args.output, 0o644, &bytes)?;
    show(&verified, args.json)
}

fn verify(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let policy = args.trust.policy()?;
    let proof = read_bounded(&args.proof, PROOF_BYTES_MAX as u64)?;
    let entry = read_bounded(&args.entry, ENTRY_BYTES_MAX as u64)?;
    let verified = match verify_proof(&proof, &entry, &policy) {
        Err(error @ ProofError::Unwitnessed { .. }) => {
            return Err(error).context(Help("this neither shows nor refutes that the entry is in the log"));
        }
        done => done.with_context(|| format!("{} proves nothing", args.proof.display()))?,
    };
    if let Some(max_age) = args.max_age {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let at = verified.witnessed_at(policy.quorum());
        let at = at.context("without witnesses nothing says how old a proof is")?;
        if at.saturating_add(max_age) < now {
            return Err(anyhow!("the proof is {} seconds old, at most {max_age} are allowed", now - at))
                .context(Help("fetch a fresh one with `bailiwick log prove`"));
        }
    }
    show(&verified, args.json)
}

/// What a proof shows, for programs.
#[derive(serde::Serialize)]
struct Shown<'a> {
    index: u64,
    size: u64,
    root: String,
    witnessed: Vec<Seen<'a>>,
}

#[derive(serde::Serialize)]
struct Seen<'a> {
    witness: &'a str,
    unix_seconds: u64,
}

fn show(verified: &Verified, json: bool) -> anyhow::Result<ExitCode> {
    let witnessed = verified.witnessed.iter().map(|(witness, time)| Seen { witness, unix_seconds: *time });
    let root = verified.root.to_string();
    let shown = Shown { index: verified.index, size: verified.size, root, witnessed: witnessed.collect() };
    if json {
        print_json(&shown)?;
        return Ok(ExitCode::SUCCESS);
    }
    say!("entry {} of {} is in the log\nroot {}", shown.index, shown.size, shown.root)?;
    if shown.witnessed.is_empty() {
        say!("no witness was asked for: another view of the log may exist")?;
    }
    for seen in shown.witnessed {
        say!("witnessed by {} at {} (seconds since 1970-01-01 UTC)", seen.witness, seen.unix_seconds)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What `log fsck` found, for programs.
#[derive(serde::Serialize)]
struct Checked {
    clean: bool,
    entries: u64,
    size: u64,
    root: String,
    damage: Vec<String>,
}

/// Exit code 0 when clean, 1 when something is damaged, 2 when the check could not be made.
fn check(args: &FsckArgs) -> anyhow::Result<ExitCode> {
    let config = LogConfig::load(&args.config)?;
    let key = load_key(&config.log_key)?.verifier().clone();
    let at = || config.data_dir.display().to_string();
    let dir = LogDir::read_only(Arc::new(StdFiles), &config.data_dir).with_context(at)?;
    // What readers are shown first: a log that runs meanwhile only goes on from there.
    let published = dir.published().with_context(at)?;
    let note = dir.committed().with_context(at)?.context("there is no committed checkpoint")?;
    let signed = SignedCheckpoint::open(&note, std::slice::from_ref(&key))
        .context("the committed checkpoint is not one of this log's key")?;
    let size = signed.checkpoint().size;
    let bar = progress::bar(Some(size), "fsck");
    let report = fsck(&dir, signed.checkpoint(), |entries| bar.set_position(entries));
    bar.finish_and_clear();
    let mut damage: Vec<String> = report.damage.iter().map(ToString::to_string).collect();
    if let Some(published) = published {
        damage
            .extend(dir.check_published(&published, &signed, &key).err().map(|e| format!("checkpoint: {e}")));
    }
    let root = signed.checkpoint().root.to_string();
    let checked = Checked { clean: damage.is_empty(), entries: report.entries, size, root, damage };
    if args.json {
        print_json(&checked)?;
    } else {
        for place in &checked.damage {
            say!("damaged: {place}")?;
        }
        let verdict = if checked.clean { "clean" } else { "DAMAGED" };
        say!("{verdict}: {} of {size} entries read and hashed, root {}", checked.entries, checked.root)?;
    }
    Ok(if checked.clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
