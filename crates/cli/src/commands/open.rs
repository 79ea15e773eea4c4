//! `bailiwick open`: decrypt a sealed object, or a part of it.

mod archive;
mod compact;
mod deliver;
mod shards;
mod tree;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, bail};
use bailiwick_envelope::{OpenError, RangeAuthenticity};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::dossier::Opened as Statement;
use bailiwick_protocol::envelope::Envelope;
use bailiwick_protocol::ids::{OpenerKey, OwnerKey};
use bailiwick_protocol::signing::{Signed, SigningKey};

use super::commit::ENVELOPE_FILE_BYTES_MAX;
use crate::Help;
use crate::keyfile::{self, Kind};
use crate::opening::OpeningArgs;
use crate::output::{AtomicFile, print_json, printable, read_bounded};
use crate::say;

pub(crate) use self::archive::Args as ArchiveArgs;
pub(crate) use self::deliver::{Delivered, Wanted};

/// Arguments of `open`.
#[derive(Debug, clap::Args)]
// Options that take several values would swallow what comes after them.
#[command(override_usage = "bailiwick open <BODY> [SHARD]... [OPTIONS]")]
pub(crate) struct Args {
    /// The sealed body, `-` for standard input; for a split object the folder with its shards, or a shard's body
    body: PathBuf,
    /// Bodies of further shards, or folders with such
    #[arg(value_name = "SHARD")]
    more: Vec<PathBuf>,
    /// Its envelope [default: BODY.envelope]
    #[arg(long, value_name = "FILE")]
    envelope: Option<PathBuf>,
    /// The owner's public key, known from elsewhere than the envelope: hexadecimal, or its .pub file
    #[arg(long, value_name = "KEY", required_unless_present = "compact")]
    owner: Option<String>,
    #[command(flatten)]
    opening: OpeningArgs,
    /// Where the data goes, `-` for standard output [default: the sealed name, if it is a plain new file name]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Only these bytes of the data
    #[arg(long, value_name = "OFFSET:LEN", value_parser = parse_range)]
    range: Option<(u64, u64)>,
    /// Sign that the whole object opened and is what its envelope says, and write the statement here, for auditors
    #[arg(long, value_name = "FILE", requires = "attest_key", conflicts_with = "range")]
    attest: Option<PathBuf>,
    /// Secret key file of who makes the statement: a signing key the auditors know as a recipient's or an auditor's
    #[arg(long, value_name = "FILE", requires = "attest")]
    attest_key: Option<PathBuf>,
    /// Print what was opened as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    archive: archive::Args,
    #[command(flatten)]
    compact: compact::Args,
}

/// `OFFSET:LEN`, decimal.
fn parse_range(text: &str) -> Result<(u64, u64), String> {
    text.split_once(':')
        .and_then(|(offset, len)| Some((offset.parse().ok()?, len.parse().ok()?)))
        .ok_or_else(|| "expected OFFSET:LEN in decimal bytes".to_owned())
}

#[derive(serde::Serialize)]
struct Report {
    object: String,
    generation: u64,
    name: String,
    media_type: String,
    data_bytes: u64,
    output: Option<String>,
    authentic: &'static str,
}

const OWNER_SIGNED: &str = "as the owner signed it";
const KEY_HOLDERS_ONLY: &str =
    "among key holders only: the owner, or anyone who can open the object, wrote these bytes";

/// Runs the command.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    if args.compact.binding.compact {
        let others = args.envelope.is_some() || args.range.is_some() || args.attest.is_some() || args.json;
        let others = others || !args.more.is_empty();
        anyhow::ensure!(
            !others && !args.archive.given(),
            "--compact opens a small value: no other options of objects fit"
        );
        let (output, owner) = (args.output.as_deref(), args.owner.as_deref());
        return compact::run(&args.compact, &args.body, output, owner, args.opening.key_files()?);
    }
    let owner =
        OwnerKey(keyfile::public_key(args.owner.as_deref().context("--owner is missing")?, Kind::Owner)?);
    if shards::wanted(&args) {
        let opening = args.opening.read()?;
        return shards::run(&args, &owner, &opening);
    }
    let stdin = args.body.as_os_str() == "-";
    let envelope_path = match &args.envelope {
        Some(path) => path.clone(),
        None if stdin => {
            return Err(anyhow!("the body comes from standard input, the envelope must be a file"))
                .context(Help("name the envelope with --envelope"));
        }
        None => keyfile::with_suffix(&args.body, ".envelope"),
    };
    let attester = args.attest_key.as_deref().map(keyfile::read_signing_key_of_any_kind).transpose()?;
    // Before anything is opened: a statement must not be lost for want of a place to put it.
    let statement = args.attest.as_deref().map(|path| AtomicFile::create(path, 0o644)).transpose()?;
    if stdin && args.opening.uses_stdin() {
        bail!("body and key cannot both come from standard input");
    }
    let opening = args.opening.read()?;
    let bytes = read_bounded(&envelope_path, ENVELOPE_FILE_BYTES_MAX)?;
    let opener = opening.open(&owner, &bytes).map_err(|e| match e.downcast_ref() {
        Some(OpenError::KeyCommitment) if opening.is_by_file_key() => {
            anyhow!("the file key given is not this object's")
                .context(format!("cannot use {}", envelope_path.display()))
                .context(Help("export the key of this object, or name the body it was exported of"))
        }
        _ => with_help(e, &envelope_path),
    })?;

    if opener.envelope().shards.is_some() && opener.envelope().unit.k == 1 && !stdin {
        // Any one shard is the whole object.
        return shards::run(&args, &owner, &opening);
    }
    let wanted = Wanted {
        body: (!stdin).then_some(args.body.as_path()),
        archive: &args.archive,
        output: args.output.as_deref(),
        range: args.range,
        json: args.json,
    };
    let Some(Delivered { opened, authenticity, output }) = wanted.deliver(&opener)? else {
        return Ok(ExitCode::SUCCESS);
    };

    let envelope = opener.envelope();
    let authentic = match authenticity {
        RangeAuthenticity::OwnerSigned => OWNER_SIGNED,
        _ => KEY_HOLDERS_ONLY,
    };
    if authenticity == RangeAuthenticity::KeyHoldersOnly {
        eprintln!("note: authentic {KEY_HOLDERS_ONLY}");
    }
    if let (Some(file), Some(key)) = (statement, &attester) {
        // Whoever can open the object can write bytes that open, too: only what the owner signed is attested.
        anyhow::ensure!(
            authenticity == RangeAuthenticity::OwnerSigned,
            "the object opened, but not as the owner signed it: nothing is attested"
        );
        attest(file, envelope, key)?;
    }
    let report = Report {
        object: envelope.name().to_string(),
        generation: envelope.generation,
        name: opened.metadata.name,
        media_type: opened.metadata.media_type,
        data_bytes: opened.data_len,
        output: output.map(|path| path.display().to_string()),
        authentic,
    };
    if args.json {
        print_json(&report)?;
    } else if let Some(output) = &report.output {
        say!("opened    {} ({} bytes of data)", printable(&report.name), report.data_bytes)?;
        let rollback = opening.rollback_note();
        say!("object    {} generation {} ({rollback})", report.object, report.generation)?;
        say!("written   {}", printable(output))?;
        say!("authentic {authentic}")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes the signed statement that this version of the object was opened.
fn attest(mut file: AtomicFile, envelope: &Envelope, key: &SigningKey) -> anyhow::Result<()> {
    let statement = Statement {
        opener: OpenerKey(key.public()),
        name: envelope.name(),
        generation: envelope.generation,
        blake3: envelope.body.blake3,
        root: envelope.commitment.as_ref().map(|c| c.root),
        opened_unix_ms: crate::audit::now_unix_ms(),
    };
    file.write_all(&Signed::new(&statement, key).to_bytes()).context("cannot write the statement")?;
    file.commit()
}

fn with_help(error: anyhow::Error, envelope: &Path) -> anyhow::Error {
    if error.downcast_ref::<Help>().is_some() {
        return error.context(format!("cannot use {}", envelope.display()));
    }
    let help = match error.downcast_ref() {
        None => return error.context(format!("cannot use {}", envelope.display())),
        Some(OpenError::Envelope(_) | OpenError::OwnerMismatch) => {
            "the envelope is damaged, or another owner signed it: check --owner against what the owner told you"
        }
        Some(OpenError::NoPassphrase) => "only recipients open this object: give a key with --key",
        Some(OpenError::PassphraseCost(_)) => "free memory or raise this process's limit, and try again",
        Some(OpenError::Passphrase) => "check the passphrase; capitals and spaces count",
        Some(OpenError::NoRecipient) => {
            "give the secret key of a recipient; `bailiwick inspect` lists their key ids"
        }
        Some(OpenError::KeyCommitment) => {
            "this key is another object's, or the envelope is inconsistent: ask its owner"
        }
        Some(_) => "the envelope is inconsistent: ask its owner",
    };
    error.context(format!("cannot use {}", envelope.display())).context(Help(help))
}

/// The sealed name as a file in the current directory, if nothing can go wrong with it.
fn sealed_name(name: &str) -> anyhow::Result<PathBuf> {
    match plain_file_name(name) {
        Some(path) => Ok(path),
        None => Err(anyhow!("the sealed name {:?} is not a plain file name", printable(name)))
            .context(Help("say where the data goes with -o")),
    }
}

/// A name that can only mean a file in the current directory, on any system.
fn plain_file_name(name: &str) -> Option<PathBuf> {
    let forbidden = |c: char| matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|');
    let plain = !name.is_empty()
        && name.len() <= 255
        && !name.starts_with(['.', '-', ' '])
        && !name.ends_with(['.', ' '])
        && !name.contains(forbidden)
        && printable(name) == name;
    plain.then(|| PathBuf::from(name))
}

#[cfg(test)]
mod tests {
    use super::plain_file_name;

    /// E27 in part: a name from inside an object cannot lead anywhere else.
    #[test]
    fn e27_only_plain_names_become_files() {
        for bad in [
            "",
            ".",
            "..",
            "../x",
            "/etc/passwd",
            "a/b",
            "a\\b",
            "C:x",
            ".profile",
            "-rf",
            "a\0b",
            "a\nb",
            "x.",
            " x",
            "x\u{202e}gpj.exe",
        ] {
            assert_eq!(plain_file_name(bad), None, "{bad:?}");
        }
        assert_eq!(plain_file_name(&"x".repeat(256)), None);
        for good in ["report.pdf", "Überblick 2026.csv", "a-b_c"] {
            assert_eq!(plain_file_name(good).unwrap().to_str(), Some(good));
        }
    }
}
