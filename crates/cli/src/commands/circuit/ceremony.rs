//! `bailiwick circuit ceremony`: phase 2 of a Groth16 ceremony, interoperable with snarkjs.

use std::fs::File;
use std::io::{BufRead as _, BufWriter, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use bailiwick_iden3::ceremony::{self, Contributed, InitialKey, Shape, Verified};
use bailiwick_iden3::ptau::{self, Ptau};
use bailiwick_iden3::zkey::{ContributionKind, Zkey};
use bailiwick_possession_circuit::public::PublicInputs;
use bailiwick_possession_circuit::{class_info, matrices_of};
use bailiwick_protocol::ids::ClassId;
use zeroize::Zeroizing;

use crate::commands::audit::parse_class;
use crate::output::{AtomicFile, print_json, printable};
use crate::{Help, keyfile, progress, say};

/// Bytes of a contributor's text, at most.
const TEXT_BYTES_MAX: usize = 4096;

/// Arguments of `circuit ceremony`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Prepare powers of tau for phase 2
    Prepare(PrepareArgs),
    /// Make the initial key of a class from prepared powers of tau
    New(NewArgs),
    /// Multiply a secret of your own into a key; it is destroyed before the command ends
    Contribute(ContributeArgs),
    /// Close a ceremony with a public value nobody could know before
    Beacon(BeaconArgs),
    /// Check a key against powers of tau and circuit, every contribution included
    Verify(VerifyArgs),
}

/// Arguments of `circuit ceremony prepare`.
#[derive(Debug, clap::Args)]
struct PrepareArgs {
    /// Powers of tau of a finished phase 1
    #[arg(value_name = "IN.ptau")]
    from: PathBuf,
    /// File to write
    #[arg(value_name = "OUT.ptau")]
    to: PathBuf,
}

/// Arguments of `circuit ceremony new`.
#[derive(Debug, clap::Args)]
struct NewArgs {
    /// tiny, small, standard or large
    #[arg(long, value_name = "CLASS", value_parser = parse_class)]
    class: ClassId,
    /// Prepared powers of tau
    #[arg(long, value_name = "FILE")]
    ptau: PathBuf,
    /// File to write
    #[arg(value_name = "OUT.zkey")]
    to: PathBuf,
}

/// Arguments of `circuit ceremony contribute`.
#[derive(Debug, clap::Args)]
struct ContributeArgs {
    /// The key as you got it
    #[arg(value_name = "IN.zkey")]
    from: PathBuf,
    /// The key to hand on
    #[arg(value_name = "OUT.zkey")]
    to: PathBuf,
    /// What you call yourself in the record
    #[arg(long)]
    name: String,
    /// Mix in a line read from standard input, beside the system's randomness
    #[arg(long)]
    text_from_stdin: bool,
}

/// Arguments of `circuit ceremony beacon`.
#[derive(Debug, clap::Args)]
struct BeaconArgs {
    /// The key after its last contributor
    #[arg(value_name = "IN.zkey")]
    from: PathBuf,
    /// The final key
    #[arg(value_name = "OUT.zkey")]
    to: PathBuf,
    /// What the beacon is called in the record, such as its network and round
    #[arg(long)]
    name: String,
    /// The public value, hexadecimal
    #[arg(long, value_name = "HEX", value_parser = parse_value)]
    value: Value,
    /// log2 of how often SHA-256 is applied to it
    #[arg(long, value_name = "N", default_value_t = 10)]
    iterations_log2: u8,
}

#[derive(Clone, Debug)]
struct Value(Vec<u8>);

fn parse_value(text: &str) -> Result<Value, hex::FromHexError> {
    hex::decode(text).map(Value)
}

/// Arguments of `circuit ceremony verify`.
#[derive(Debug, clap::Args)]
struct VerifyArgs {
    /// tiny, small, standard or large
    #[arg(long, value_name = "CLASS", value_parser = parse_class)]
    class: ClassId,
    /// Prepared powers of tau the ceremony began with
    #[arg(long, value_name = "FILE")]
    ptau: PathBuf,
    /// The key
    #[arg(value_name = "KEY.zkey")]
    key: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Prepare(a) => prepare(&a),
        Command::New(a) => new(&a),
        Command::Contribute(a) => contribute(&a),
        Command::Beacon(a) => beacon(&a),
        Command::Verify(a) => verify(&a),
    }
}

fn prepare(args: &PrepareArgs) -> anyhow::Result<ExitCode> {
    let mut powers = open_ptau(&args.from)?;
    let bar = progress::steps(1000, "preparing");
    write_new(&args.to, |to| {
        ptau::prepare(&mut powers, to, &mut |done, all| {
            bar.set_position(1000 * u64::from(done) / u64::from(all.max(1)));
        })?;
        Ok(())
    })?;
    bar.finish_and_clear();
    say!("{}: powers of tau of power {}, prepared for phase 2", args.to.display(), powers.power())?;
    Ok(ExitCode::SUCCESS)
}

fn new(args: &NewArgs) -> anyhow::Result<ExitCode> {
    let mut powers = open_ptau(&args.ptau)?;
    let shape = shape_of(args.class)?;
    shape.fits(&powers)?;
    let matrices = matrices_of(args.class)?;
    powers.check(shape.power(), &mut keyfile::system_rng()?)?;
    let key = InitialKey::build(&mut powers, &matrices)?;
    write_new(&args.to, |to| {
        key.write(to)?;
        Ok(())
    })?;
    say!(
        "{}: initial key of class {}; anyone can forge under it until somebody contributes",
        args.to.display(),
        args.class
    )?;
    say!("circuit hash\n{}", grouped(key.circuit_hash()))?;
    Ok(ExitCode::SUCCESS)
}

fn contribute(args: &ContributeArgs) -> anyhow::Result<ExitCode> {
    let text = if args.text_from_stdin { contributors_text()? } else { Zeroizing::default() };
    let mut key = open_zkey(&args.from)?;
    let bar = progress::steps(1000, "contributing");
    let mut rng = keyfile::system_rng()?;
    let done = write_new(&args.to, |to| {
        let (_, done) = ceremony::contribute(&mut key, to, &args.name, &text, &mut rng, &mut |done, all| {
            bar.set_position(1000 * done / all.max(1));
        })?;
        Ok(done)
    })?;
    bar.finish_and_clear();
    told(&args.to, &done, "publish this hash, so that everyone can see that yours is in the final key")
}

/// One line of standard input, whole: a text that was cut would be another secret than its giver thinks.
fn contributors_text() -> anyhow::Result<Zeroizing<Vec<u8>>> {
    // Never grown, so that no copy is left behind.
    let mut text = Zeroizing::new(Vec::with_capacity(TEXT_BYTES_MAX + 1));
    std::io::stdin().lock().take(TEXT_BYTES_MAX as u64 + 1).read_until(b'\n', &mut text)?;
    if text.len() > TEXT_BYTES_MAX {
        anyhow::bail!(
            "the text on standard input is longer than {TEXT_BYTES_MAX} bytes; give one line, shorter"
        );
    }
    Ok(text)
}

fn beacon(args: &BeaconArgs) -> anyhow::Result<ExitCode> {
    let mut key = open_zkey(&args.from)?;
    let done = write_new(&args.to, |to| {
        let parameters = (args.value.0.as_slice(), args.iterations_log2);
        Ok(ceremony::beacon(&mut key, to, &args.name, parameters, &mut |_, _| ())?.1)
    })?;
    told(&args.to, &done, "the ceremony is closed; verify it")
}

fn told(to: &Path, done: &Contributed, next: &str) -> anyhow::Result<ExitCode> {
    say!("{}: contribution {}\n{}\n{next}", to.display(), done.number, grouped(&done.hash))?;
    Ok(ExitCode::SUCCESS)
}

fn verify(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let (mut key, mut powers) = (open_zkey(&args.key)?, open_ptau(&args.ptau)?);
    let shape = shape_of(args.class)?;
    shape.is_of(key.header())?;
    shape.fits(&powers)?;
    let matrices = matrices_of(args.class)?;
    let verified = ceremony::verify(&mut key, &mut powers, &matrices, &mut keyfile::system_rng()?)?;
    if args.json {
        print_json(&Record::of(&verified))?;
        return Ok(ExitCode::SUCCESS);
    }
    say!("{} is the key its ceremony leads to, for class {}", args.key.display(), args.class)?;
    say!("sound if at least one contributor destroyed their secret, and one of phase 1 theirs")?;
    say!(
        "transcript {}\ncircuit hash\n{}",
        hex::encode(verified.transcript),
        grouped(&verified.circuit_hash)
    )?;
    for (number, c) in (1u32..).zip(&verified.contributions) {
        let kind = match &c.kind {
            ContributionKind::Beacon { value, iterations_log2 } => {
                format!("beacon {}, 2^{iterations_log2} iterations", hex::encode(value))
            }
            _ => "contributor".to_owned(),
        };
        say!("{}", entry(number, &kind, c.name.as_deref().unwrap_or_default(), &c.hash))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// One contribution as it is listed. Its name is what anyone wrote into the file: nothing in it may look like another entry.
fn entry(number: u32, kind: &str, name: &[u8], hash: &[u8; 64]) -> String {
    format!("{number}  {kind}  {}\n{}", printable(&String::from_utf8_lossy(name)), grouped(hash))
}

/// A verified ceremony as JSON.
#[derive(serde::Serialize)]
struct Record {
    transcript: String,
    circuit_hash: String,
    contributors: u32,
    beacon: Option<String>,
    contributions: Vec<RecordEntry>,
}

#[derive(serde::Serialize)]
struct RecordEntry {
    hash: String,
    beacon: bool,
    name: Option<String>,
}

impl Record {
    fn of(v: &Verified) -> Self {
        let entry = |c: &ceremony::VerifiedContribution| RecordEntry {
            hash: hex::encode(c.hash),
            beacon: c.kind != ContributionKind::Person,
            name: c.name.as_deref().map(|n| String::from_utf8_lossy(n).into_owned()),
        };
        Self {
            transcript: hex::encode(v.transcript),
            circuit_hash: hex::encode(v.circuit_hash),
            contributors: v.contributors(),
            beacon: v.beacon().map(hex::encode),
            contributions: v.contributions.iter().map(entry).collect(),
        }
    }
}

/// The pinned counts of a class: files are compared with them before its circuit is synthesised.
pub(super) fn shape_of(class: ClassId) -> anyhow::Result<Shape> {
    let info = class_info(class).context("the class is not pinned")?;
    Ok(Shape::new(info.constraints, info.variables, PublicInputs::COUNT as u64)?)
}

/// Opens a key file.
pub(super) fn open_zkey(path: &Path) -> anyhow::Result<Zkey<File>> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    Zkey::open(file).with_context(|| path.display().to_string())
}

/// Opens powers of tau.
pub(super) fn open_ptau(path: &Path) -> anyhow::Result<Ptau<File>> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    Ptau::open(file)
        .with_context(|| path.display().to_string())
        .context(Help("give the .ptau file of a finished phase 1"))
}

/// Writes a file that must not exist; it has its name only when whole and durable.
fn write_new<T>(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&mut AtomicFile>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let mut file = AtomicFile::create(path, 0o666)?;
    let mut buffered = BufWriter::with_capacity(1 << 20, &mut file);
    let out = fill(&mut buffered)?;
    // Flushed when the container was finished; this reports what that could not.
    buffered.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    file.commit()?;
    Ok(out)
}

/// 64 bytes as snarkjs prints them, for comparison by eye: four lines of four words.
fn grouped(hash: &[u8; 64]) -> String {
    let words: Vec<String> = hash.chunks(4).map(hex::encode).collect();
    words.chunks(4).map(|line| format!("    {}", line.join(" "))).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// T18: a name cannot add a line, and with it a contributor and a hash nobody made.
    #[test]
    fn t18_a_contributors_name_is_one_line() {
        let honest = entry(1, "contributor", "Zoë, Université".as_bytes(), &[7; 64]);
        assert!(honest.starts_with("1  contributor  Zoë, Université\n"));
        let forged = entry(1, "contributor", b"x\n    00000000\n2  contributor  Alice\x1b[2J\xff", &[7; 64]);
        assert_eq!(forged.lines().count(), honest.lines().count(), "{forged}");
        assert!(!forged.contains('\u{1b}'));
    }
}
