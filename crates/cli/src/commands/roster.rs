//! `bailiwick roster`: sign, show, compare and check rosters.

mod show;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, bail};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::ids::{BlocsDigest, RosterDigest, RosterKey};
use bailiwick_protocol::limits::ROSTER_BYTES_MAX;
use bailiwick_roster::{BLOCS_BYTES_MAX, Blocs, ROSTER_TOML_BYTES_MAX, Roster, SignedRoster};

use crate::Help;
use crate::audit::now_unix_ms;
use crate::keyfile::{Kind, public_key, read_signing_key};
use crate::output::{print_json, read_bounded, write_new};
use crate::say;

/// Arguments of `roster`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Check a TOML roster and sign it
    Sign(SignArgs),
    /// Show what a signed roster says
    Show(ShowArgs),
    /// Show what changed between two signed rosters
    Diff(DiffArgs),
    /// Check a TOML roster, or a signed one against its authority, the time and the last one seen
    Check(CheckArgs),
}

#[derive(Debug, clap::Args)]
struct SignArgs {
    /// The roster, TOML
    file: PathBuf,
    /// Secret key of the roster authority (`bailiwick key new roster`)
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Where the signed roster goes; never replaces a file [default: FILE with the ending .roster]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The signed roster before this one; required above number 1
    #[arg(long, value_name = "FILE")]
    previous: Option<PathBuf>,
    /// Jurisdiction blocs, TOML [default: those this program was built with]
    #[arg(long, value_name = "FILE")]
    blocs: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct ShowArgs {
    /// A signed roster
    file: PathBuf,
    /// Public key of its authority, 64 digits or a .pub file; without it the signature is not checked
    #[arg(long, value_name = "KEY")]
    authority: Option<String>,
    /// Show every jurisdiction that reaches this principal, and by which path
    #[arg(long, value_name = "NAME")]
    reach: Option<String>,
    /// Jurisdiction blocs, TOML [default: those this program was built with]
    #[arg(long, value_name = "FILE")]
    blocs: Option<PathBuf>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct DiffArgs {
    /// The older signed roster
    old: PathBuf,
    /// The newer signed roster
    new: PathBuf,
    /// Public key of their authority, 64 digits or a .pub file; without it the signatures are not checked
    #[arg(long, value_name = "KEY")]
    authority: Option<String>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct CheckArgs {
    /// A roster, TOML or signed
    file: PathBuf,
    /// Public key of the authority, 64 digits or a .pub file; needed for a signed roster
    #[arg(long, value_name = "KEY")]
    authority: Option<String>,
    /// The newest signed roster you accepted before: an older one, or another of its number, is refused
    #[arg(long, value_name = "FILE")]
    seen: Option<PathBuf>,
    /// Jurisdiction blocs, TOML [default: those this program was built with]
    #[arg(long, value_name = "FILE")]
    blocs: Option<PathBuf>,
    /// Check as of this moment, milliseconds since 1970-01-01 UTC [default: now]
    #[arg(long, value_name = "MS")]
    now_ms: Option<u64>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Sign(a) => sign(&a)?,
        Command::Show(a) => show::show(&a)?,
        Command::Diff(a) => show::diff(&a)?,
        Command::Check(a) => check(&a)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What `sign` and `check` report.
#[derive(serde::Serialize)]
struct Summary {
    name: String,
    number: u64,
    /// Absent for TOML: the digest covers the authority's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    authority: Option<RosterKey>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<RosterDigest>,
    blocs: BlocsDigest,
    principals: usize,
}

impl Summary {
    fn of(roster: &Roster, signed: bool) -> Self {
        Self {
            name: roster.name.clone(),
            number: roster.number,
            authority: signed.then_some(roster.authority),
            digest: signed.then(|| roster.digest()),
            blocs: roster.blocs,
            principals: roster.principals.len(),
        }
    }

    fn print(&self, json: bool, what: &str) -> anyhow::Result<()> {
        if json {
            return print_json(self);
        }
        let name = bailiwick_roster::Quoted(&self.name);
        say!("{what} roster {name}, number {}, {} principals", self.number, self.principals)?;
        if let (Some(authority), Some(digest)) = (self.authority, self.digest) {
            say!("authority    {authority}")?;
            say!("digest       {digest}")?;
        }
        say!("blocs        {}", self.blocs)?;
        Ok(())
    }
}

fn sign(args: &SignArgs) -> anyhow::Result<()> {
    let key = read_signing_key(&args.key, Kind::Roster)?;
    let authority = RosterKey(key.public());
    let blocs = blocs(args.blocs.as_deref())?;
    let mut roster = parse(&args.file, authority, blocs.digest())?;
    match &args.previous {
        Some(path) => follow(&mut roster, &verified(path, &authority)?)?,
        None if roster.number > 1 => {
            return Err(anyhow!("a roster of number {} follows another", roster.number))
                .context(Help("give the signed roster before it with --previous"));
        }
        None => {}
    }
    let bytes = SignedRoster::new(&roster, &key).to_bytes();
    Roster::open_undated(&bytes, &authority).context("what was signed does not read back")?;
    let output = args.output.clone().unwrap_or_else(|| args.file.with_extension("roster"));
    write_new(&output, 0o644, &bytes)?;
    if !args.json {
        say!("wrote {}", output.display())?;
    }
    Summary::of(&roster, true).print(args.json, "signed")
}

/// Makes `roster` the successor of `previous`.
fn follow(roster: &mut Roster, previous: &Roster) -> anyhow::Result<()> {
    if roster.number <= previous.number {
        return Err(anyhow!("number {} must be above {}", roster.number, previous.number))
            .context(Help("raise `number` with every version"));
    }
    let digest = previous.digest();
    if roster.previous.is_some_and(|stated| stated != digest) {
        bail!("`previous` is not the digest of the roster given with --previous, {digest}");
    }
    roster.previous = Some(digest);
    Ok(())
}

fn check(args: &CheckArgs) -> anyhow::Result<()> {
    let blocs = blocs(args.blocs.as_deref())?;
    let bytes = read_bounded(&args.file, ROSTER_TOML_BYTES_MAX as u64)?;
    if !is_signed(&bytes) {
        if args.seen.is_some() || args.authority.is_some() {
            return Err(anyhow!("{} is not signed", args.file.display())).context(Help(
                "--authority and --seen are for signed rosters: `bailiwick roster sign` makes one",
            ));
        }
        // The key takes no part in the checks of a text.
        let roster = parse(&args.file, RosterKey([0; 32]), blocs.digest())?;
        return Summary::of(&roster, false).print(args.json, "unsigned");
    }
    let authority = args.authority.as_deref().context("the authority of a signed roster must be pinned");
    let authority = key(authority.context(Help("give its public key with --authority"))?)?;
    // The roster seen last may have expired since; its signature still has to be the authority's.
    let seen = args.seen.as_deref().map(|p| verified(p, &authority)).transpose()?.map(|r| r.seen());
    let now = args.now_ms.unwrap_or_else(now_unix_ms);
    let roster = bailiwick_roster::open(&bytes, &authority, now, seen.as_ref())
        .with_context(|| format!("{} is not to be used", args.file.display()))?;
    roster.check_blocs(&blocs).context(Help("give the blocs it was made with with --blocs"))?;
    Summary::of(&roster, true).print(args.json, "valid")
}

/// A signed roster is a CBOR array of two, a text never begins with that byte.
fn is_signed(bytes: &[u8]) -> bool {
    bytes.first() == Some(&0x82)
}

pub(crate) fn key(text: &str) -> anyhow::Result<RosterKey> {
    public_key(text, Kind::Roster).map(RosterKey)
}

pub(crate) fn blocs(path: Option<&Path>) -> anyhow::Result<Blocs> {
    let Some(path) = path else { return Ok(Blocs::shipped()) };
    let text = text(path, BLOCS_BYTES_MAX)?;
    Blocs::parse(&text).with_context(|| format!("{} cannot be used", path.display()))
}

fn parse(path: &Path, authority: RosterKey, blocs: BlocsDigest) -> anyhow::Result<Roster> {
    let text = text(path, ROSTER_TOML_BYTES_MAX)?;
    Roster::parse(&text, authority, blocs).with_context(|| format!("{} cannot be used", path.display()))
}

fn text(path: &Path, max: usize) -> anyhow::Result<String> {
    String::from_utf8(read_bounded(path, max as u64)?)
        .ok()
        .with_context(|| format!("{} is not UTF-8 text", path.display()))
}

pub(crate) fn signed_bytes(path: &Path) -> anyhow::Result<Vec<u8>> {
    let bytes = read_bounded(path, 2 * ROSTER_BYTES_MAX as u64)?;
    if !is_signed(&bytes) {
        return Err(anyhow!("{} is not a signed roster", path.display()))
            .context(Help("`bailiwick roster sign` makes one of a TOML roster"));
    }
    Ok(bytes)
}

/// A roster signed by `authority`, whether or not it is still valid.
fn verified(path: &Path, authority: &RosterKey) -> anyhow::Result<Roster> {
    Roster::open_undated(&signed_bytes(path)?, authority)
        .with_context(|| format!("{} is not to be used", path.display()))
}
