//! `bailiwick open --compact`: small values from arguments of transactions.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use bailiwick_envelope::RecipientSecretKey;
use bailiwick_envelope::compact::{
    BatchOpener, CompactError, Context, OpenedValue, SEALED_BYTES_MAX, from_text, open,
};
use bailiwick_protocol::ids::OwnerKey;

use crate::Help;
use crate::commands::seal::compact::{
    Binding, Form, Header, Line, each_line, json_line, read_input, with_output,
};
use crate::keyfile::{self, Kind};

/// Arguments of `open --compact`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) binding: Binding,
    /// Of a small value: header of the batch it belongs to
    #[arg(long, value_name = "FILE", requires = "compact", conflicts_with = "json_lines")]
    batch: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(
    args: &Args,
    input: &Path,
    output: Option<&Path>,
    owner: Option<&str>,
    keys: &[PathBuf],
) -> anyhow::Result<ExitCode> {
    let context = args.binding.context()?;
    let owner = owner.map(|key| keyfile::public_key(key, Kind::Owner)).transpose()?.map(OwnerKey);
    let keys = keys.iter().map(|p| keyfile::read_recipient_key(p)).collect::<Result<Vec<_>, _>>()?;
    let opening = Opening { context, owner, keys };
    if args.binding.json_lines {
        with_output(output, |out| opening.lines(input, out))?;
    } else {
        let sealed = read_sealed(input, args.binding.form)?;
        let opened = match &args.batch {
            Some(header) => {
                let header = read_sealed(header, args.binding.form)?;
                opening.batch(&header)?.open(args.binding.record.as_deref().unwrap_or_default(), &sealed)
            }
            None => open(&sealed, &opening.context, &opening.keys, opening.owner.as_ref()),
        };
        let opened = opened.map_err(with_help)?;
        with_output(output, |out| Ok(out.write_all(&opened.value)?))?;
    }
    if opening.owner.is_none() {
        eprintln!("note: not signed: anyone could have sealed it");
    }
    Ok(ExitCode::SUCCESS)
}

struct Opening {
    context: Context,
    owner: Option<OwnerKey>,
    keys: Vec<RecipientSecretKey>,
}

impl Opening {
    fn batch(&self, header: &[u8]) -> anyhow::Result<BatchOpener> {
        BatchOpener::new(header, &self.context, &self.keys, self.owner.as_ref()).map_err(with_help)
    }

    /// A header, then values. Lines come out as they open; an index that comes twice ends it.
    fn lines(&self, input: &Path, out: &mut dyn std::io::Write) -> anyhow::Result<()> {
        let mut batch: Option<BatchOpener> = None;
        let mut seen = BTreeSet::new();
        each_line(input, |number, line| {
            let named = || format!("line {number}");
            let Some(batch) = &batch else {
                let header: Header = serde_json::from_str(line)
                    .with_context(named)
                    .context(Help("the first line of a batch is its header, {\"batch\": …}"))?;
                batch = Some(self.batch(&from_text(&header.batch).with_context(named)?).with_context(named)?);
                return Ok(());
            };
            let line: Line = serde_json::from_str(line).with_context(named)?;
            let sealed = from_text(&line.value.with_context(named)?).with_context(named)?;
            let opened = batch.open(&line.record, &sealed).map_err(with_help).with_context(named)?;
            if !seen.insert(opened.index) {
                let repeated = CompactError::IndexRepeated { index: opened.index };
                return Err(anyhow!(repeated).context(format!("line {number}")));
            }
            json_line(out, &shown(opened, line.record))
        })
    }
}

fn shown(opened: OpenedValue, record: String) -> Line {
    let index = Some(opened.index);
    match std::str::from_utf8(&opened.value) {
        Ok(text) => Line { value: Some(text.to_owned()), hex: None, record, index },
        Err(_) => Line { value: None, hex: Some(hex::encode(&*opened.value)), record, index },
    }
}

fn read_sealed(path: &Path, form: Form) -> anyhow::Result<Vec<u8>> {
    let bytes = read_input(path, 2 * SEALED_BYTES_MAX as u64 + 3)?;
    if form == Form::Bytes {
        return Ok(bytes);
    }
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| anyhow!("{} is not text", path.display()))
        .context(Help("--form bytes reads the bytes themselves"))?;
    Ok(from_text(text.strip_suffix('\n').unwrap_or(text))?)
}

fn with_help(error: CompactError) -> anyhow::Error {
    let help = match error {
        CompactError::NotOpened => {
            "chain, contract, function and record have to be those it was sealed for, to the byte"
        }
        CompactError::NotSigned => "leave out --owner to open it all the same, not knowing who sealed it",
        CompactError::OwnerNeeded => "name the owner's public key with --owner",
        CompactError::WrongForm { .. } => "--batch FILE names the header of a value's batch",
        _ => return error.into(),
    };
    anyhow!(error).context(Help(help))
}
