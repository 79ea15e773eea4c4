//! `bailiwick seal --compact`: small values for arguments of transactions.

use std::io::{self, BufRead, Read as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use bailiwick_envelope::compact::{
    BatchSealer, Context, Options, Pad, VALUE_BYTES_MAX, seal, to_hex, to_text,
};
use bailiwick_protocol::signing::SigningKey;

use crate::Help;
use crate::keyfile::{self, Kind};
use crate::opening::note_mix;
use crate::output::AtomicFile;

/// How sealed values are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Form {
    /// `bwc1.` and base64url
    #[default]
    Text,
    /// `0x` and hexadecimal
    Hex,
    /// The bytes themselves
    Bytes,
}

/// What a small value is bound to, when sealing and when opening.
#[derive(Debug, clap::Args)]
pub(crate) struct Binding {
    /// A small value for an argument of a transaction, bound to where it belongs, instead of an object
    #[arg(long, requires_all = ["chain", "contract", "function"])]
    pub(crate) compact: bool,
    /// Chain the value is for, e.g. eip155:1 or fabric:mychannel
    #[arg(long, value_name = "ID", requires = "compact")]
    chain: Option<String>,
    /// Contract, by address or name
    #[arg(long, value_name = "NAME", requires = "compact")]
    contract: Option<String>,
    /// Function of the contract
    #[arg(long, value_name = "NAME", requires = "compact")]
    function: Option<String>,
    /// Record of the contract's state the value belongs to
    #[arg(long, value_name = "KEY", requires = "compact", conflicts_with = "json_lines")]
    pub(crate) record: Option<String>,
    /// A batch: one JSON object a line, {"value" or "hex", "record"}; the batch's header first
    #[arg(long, requires = "compact")]
    pub(crate) json_lines: bool,
    /// How sealed values are written: text, hex or bytes
    #[arg(long, value_name = "FORM", default_value = "text", requires = "compact")]
    pub(crate) form: Form,
}

impl Binding {
    pub(crate) fn context(&self) -> anyhow::Result<Context> {
        let part = |part: &Option<String>| part.clone().unwrap_or_default();
        if self.contract.as_deref().is_some_and(is_checksummed_address) {
            eprintln!(
                "note: the contract is bound as it is written, with its capitals: whoever opens must write it alike"
            );
        }
        let context = Context::new(&part(&self.chain), &part(&self.contract), &part(&self.function))?;
        Ok(context.record(self.record.as_deref().unwrap_or_default())?)
    }
}

/// Capitals and small letters after `0x`: the checksum of EIP-55, which other programs leave out.
fn is_checksummed_address(text: &str) -> bool {
    let has = |is: fn(&u8) -> bool| text.as_bytes().iter().skip(2).any(is);
    text.starts_with("0x") && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase)
}

/// Arguments of `seal --compact`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) binding: Binding,
    /// Of a small value: pad it to this many bytes, its end mark included
    #[arg(long, value_name = "BYTES", requires = "compact")]
    pad_to: Option<u32>,
    /// Of a small value: the committing form for one recipient, too
    #[arg(long, requires = "compact")]
    committing: bool,
}

/// One line of a batch.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Line {
    /// Text, or sealed text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<String>,
    /// Bytes that are no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hex: Option<String>,
    /// What the value belongs to.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) record: String,
    /// The value's place in its batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) index: Option<u32>,
}

/// The first line of a sealed batch.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    /// The header's text.
    pub(crate) batch: String,
}

/// Characters of one line, at most: the largest value with every character escaped, and its record.
pub(crate) const LINE_BYTES_MAX: u64 = 6 * VALUE_BYTES_MAX as u64 + 4096;

/// Runs the command.
pub(crate) fn run(
    args: &Args,
    input: &Path,
    output: Option<&Path>,
    owner: Option<&Path>,
    to: &[PathBuf],
) -> anyhow::Result<ExitCode> {
    let context = args.binding.context()?;
    let signer: Option<SigningKey> =
        owner.map(|path| keyfile::read_signing_key(path, Kind::Owner)).transpose()?;
    let recipients = to.iter().map(|p| keyfile::read_recipient_public(p)).collect::<Result<Vec<_>, _>>()?;
    note_mix(&recipients);
    let pad = args.pad_to.map_or(Pad::None, Pad::To);
    let options = Options { pad, signer: signer.as_ref(), committing: args.committing };
    if signer.is_none() {
        eprintln!("note: not signed, anyone could have sealed it; --owner signs");
    }
    let mut rng = keyfile::system_rng()?;
    if args.binding.json_lines {
        let batch = BatchSealer::new(&context, &recipients, options, &mut rng)?;
        with_output(output, |out| seal_lines(batch, args.binding.form, input, out))?;
    } else {
        let value = read_input(input, VALUE_BYTES_MAX as u64)?;
        let sealed = seal(&value, &context, &recipients, &options, &mut rng)?;
        with_output(output, |out| write_form(out, args.binding.form, &sealed))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn seal_lines(
    mut batch: BatchSealer<'_>,
    form: Form,
    input: &Path,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let text: fn(&[u8]) -> String = match form {
        Form::Text => to_text,
        Form::Hex => to_hex,
        Form::Bytes => {
            return Err(anyhow!("a batch is written as lines of text"))
                .context(Help("leave out --form bytes"));
        }
    };
    json_line(out, &Header { batch: text(batch.header()) })?;
    let mut index = 0;
    each_line(input, |number, line| {
        let named = || format!("line {number}");
        let line: Line = serde_json::from_str(line).with_context(named)?;
        let value = match (&line.value, &line.hex) {
            (Some(text), None) => text.clone().into_bytes(),
            (None, Some(digits)) => hex::decode(digits).with_context(named)?,
            _ => return Err(anyhow!("line {number} needs either \"value\" or \"hex\"")),
        };
        let sealed = batch.seal(&line.record, &value).with_context(named)?;
        let value = Some(text(&sealed));
        json_line(out, &Line { value, hex: None, record: line.record, index: Some(index) })?;
        index += 1;
        Ok(())
    })
}

pub(crate) fn json_line<T: serde::Serialize>(out: &mut dyn Write, value: &T) -> anyhow::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    Ok(out.write_all(b"\n")?)
}

/// Calls `f` with every line that is not empty, and its number from 1.
pub(crate) fn each_line(
    input: &Path,
    mut f: impl FnMut(u64, &str) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut input: Box<dyn BufRead> = if input.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        let file = std::fs::File::open(input).with_context(|| format!("cannot open {}", input.display()))?;
        Box::new(io::BufReader::new(file))
    };
    let mut line = String::new();
    for number in 1.. {
        line.clear();
        let n = input.by_ref().take(LINE_BYTES_MAX + 1).read_line(&mut line)?;
        anyhow::ensure!(n as u64 <= LINE_BYTES_MAX, "line {number} is longer than {LINE_BYTES_MAX} bytes");
        if n == 0 {
            break;
        }
        if !line.trim().is_empty() {
            f(number, line.trim_end_matches('\n'))?;
        }
    }
    Ok(())
}

/// Everything a file or standard input holds, at most `max` bytes.
pub(crate) fn read_input(path: &Path, max: u64) -> anyhow::Result<Vec<u8>> {
    if path.as_os_str() != "-" {
        return crate::output::read_bounded(path, max);
    }
    let mut bytes = Vec::new();
    io::stdin().take(max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max {
        return Err(anyhow!("standard input has more than {max} bytes"))
            .context(Help("seal it as an object and pass the object's name"));
    }
    Ok(bytes)
}

/// Standard output, or a new file that appears when whole.
pub(crate) fn with_output(
    output: Option<&Path>,
    f: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    match output.filter(|p| p.as_os_str() != "-") {
        None => {
            let mut out = io::BufWriter::new(io::stdout().lock());
            f(&mut out)?;
            Ok(out.flush()?)
        }
        Some(path) => {
            let mut file = io::BufWriter::new(AtomicFile::create(path, 0o600)?);
            f(&mut file)?;
            file.into_inner().map_err(|e| anyhow!("cannot write {}: {}", path.display(), e.error()))?.commit()
        }
    }
}

fn write_form(out: &mut dyn Write, form: Form, sealed: &[u8]) -> anyhow::Result<()> {
    match form {
        Form::Text => writeln!(out, "{}", to_text(sealed))?,
        Form::Hex => writeln!(out, "{}", to_hex(sealed))?,
        Form::Bytes => out.write_all(sealed)?,
    }
    Ok(())
}
