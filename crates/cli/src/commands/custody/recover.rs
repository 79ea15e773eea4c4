//! `custody recover`: open an object with the shares of enough custodians.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use bailiwick_custody::{RecoverError, Release, Request, Share, recover};
use bailiwick_envelope::RecipientSecretKey;
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::secret::Secret;
use bailiwick_roster::Quoted;

use super::seen::SeenArgs;
use super::{InCustody, MESSAGE_BYTES_MAX, name, recipient_keys, with_dealt_key};
use crate::Help;
use crate::commands::open::{ArchiveArgs, Delivered, Wanted};
use crate::keyfile;
use crate::output::{print_json, printable, read_bounded};
use crate::say;

/// Arguments of `recover`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The sealed body
    body: PathBuf,
    /// Its envelope [default: BODY.envelope]
    #[arg(long, value_name = "FILE")]
    envelope: Option<PathBuf>,
    #[command(flatten)]
    seen: SeenArgs,
    /// The request the custodians answered
    #[arg(long, value_name = "FILE")]
    request: PathBuf,
    /// Secret key file of the requester; no agent opens releases in this version
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The custodians' releases; bad ones are left out, and named by the custodian in whose name they are
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    release: Vec<PathBuf>,
    /// Where the data goes, `-` for standard output [default: the sealed name, if it is a plain new file name]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Of a sealed directory: list what is in it
    #[arg(long, conflicts_with_all = ["only", "raw", "output"])]
    list: bool,
    /// Of a sealed directory: only this file, or this folder with what is in it
    #[arg(long, value_name = "PATH", conflicts_with_all = ["raw", "json"])]
    only: Option<String>,
    /// Write a sealed directory as the tar archive it is
    #[arg(long)]
    raw: bool,
    /// Print what was recovered as JSON
    #[arg(long)]
    json: bool,
}

/// What custodians answered.
pub(super) struct Answers<'a> {
    pub(super) request: &'a Path,
    pub(super) releases: &'a [PathBuf],
    pub(super) keys: &'a [RecipientSecretKey],
}

#[derive(serde::Serialize)]
struct Report {
    object: String,
    generation: u64,
    custodians: Vec<String>,
    refused: Vec<String>,
    name: String,
    media_type: String,
    data_bytes: u64,
    output: Option<String>,
}

/// The file key, whose shares were used, and what was refused.
pub(super) fn file_key_of(
    object: &InCustody,
    answers: &Answers<'_>,
) -> anyhow::Result<(Secret<32>, Vec<String>, Vec<String>)> {
    let bytes = read_bounded(answers.request, MESSAGE_BYTES_MAX)?;
    let request = Request::from_bytes(&bytes)
        .with_context(|| format!("{} is no request", answers.request.display()))?;
    if request.dealing != object.dealing.digest() {
        return Err(anyhow!("{} asks for another dealing", answers.request.display()))
            .context(Help("the key was dealt again since: ask the custodians of the new dealing"));
    }
    let key = answers
        .keys
        .iter()
        .find(|k| k.kem() == request.kem && k.public().as_bytes() == request.key)
        .ok_or_else(|| anyhow!("{} was made for another key", answers.request.display()))
        .context(Help("give the secret key whose public half the request names"))?;
    let (mut shares, mut refused): (Vec<Share>, Vec<String>) = (Vec::new(), Vec::new());
    for path in answers.releases {
        let checked = read_bounded(path, MESSAGE_BYTES_MAX).and_then(|bytes| {
            let release = Release::from_bytes(&bytes).context("no release")?;
            Ok(release.check(&object.dealing, &request, key.secret())?)
        });
        match checked {
            Ok(s) if shares.iter().any(|t| t.custodian() == s.custodian()) => {
                let who = Quoted(name(&object.dealing, s.custodian())).to_string();
                refused.push(format!("{}: {who} has answered already", path.display()));
            }
            Ok(s) => shares.push(s),
            Err(e) => refused.push(format!("{}: {e:#}", path.display())),
        }
    }
    for text in &refused {
        eprintln!("refused: {}", printable(text));
    }
    let recovered = recover(&object.dealing, &shares).map_err(|e| match e {
        RecoverError::TooFew { .. } => {
            anyhow!(e).context(Help("collect releases of further custodians for the same request"))
        }
        other => anyhow!(other),
    })?;
    let used = shares.iter().map(|s| name(&object.dealing, s.custodian()).to_owned());
    let used = used.take(object.dealing.threshold()).collect();
    Ok((recovered.file_key(&object.dealing, &object.part.wrapped)?, used, refused))
}

/// Runs the command.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let path = args.envelope.clone().unwrap_or_else(|| keyfile::with_suffix(&args.body, ".envelope"));
    let (object, rollback) = args.seen.read(&path)?;
    let keys = recipient_keys(std::slice::from_ref(&args.key))?;
    let answers = Answers { request: &args.request, releases: &args.release, keys: &keys };
    let (key, custodians, refused) = file_key_of(&object, &answers)?;
    let opener =
        with_dealt_key(object.envelope.clone(), key).context("the custodians\u{2019} shares are right")?;
    let archive = ArchiveArgs::new(args.list, args.only.clone(), args.raw);
    let wanted = Wanted {
        body: Some(&args.body),
        archive: &archive,
        output: args.output.as_deref(),
        range: None,
        json: args.json,
    };
    let Some(Delivered { opened, output, .. }) = wanted.deliver(&opener)? else {
        return Ok(ExitCode::SUCCESS);
    };
    let report = Report {
        object: object.envelope.name().to_string(),
        generation: object.envelope.generation,
        custodians,
        refused,
        name: opened.metadata.name,
        media_type: opened.metadata.media_type,
        data_bytes: opened.data_len,
        output: output.map(|path| path.display().to_string()),
    };
    if args.json {
        print_json(&report)?;
    } else if let Some(output) = &report.output {
        say!("recovered  {} ({} bytes of data)", Quoted(&report.name), report.data_bytes)?;
        say!("object     {} generation {} ({rollback})", report.object, report.generation)?;
        let names: Vec<_> = report.custodians.iter().map(|n| Quoted(n).to_string()).collect();
        say!("shares of  {}", names.join(", "))?;
        say!("written    {}", printable(output))?;
    }
    Ok(ExitCode::SUCCESS)
}
