//! `bailiwick verify` and `bailiwick report`: judge a bundle offline, and show the judgement.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use bailiwick_groth16::VERIFYING_KEY_BYTES_MAX;
use bailiwick_protocol::ids::VkDigest;
use bailiwick_protocol::limits::BUNDLE_BYTES_MAX;
use bailiwick_verifier::{Recheck, Report};

use crate::Help;
use crate::audit::now_unix_ms;
use crate::output::{AtomicFile, read_bounded};

/// Policies and trust anchors are short texts.
const TEXT_BYTES_MAX: u64 = 1 << 20;

/// What a judgement needs.
#[derive(Debug, clap::Args)]
pub(crate) struct Inputs {
    /// The evidence bundle
    bundle: PathBuf,
    /// The policy: which claims you require, on what terms
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// Your trust anchors: whose keys you believe
    #[arg(long, value_name = "FILE")]
    anchors: PathBuf,
    /// Folder of verifying keys, DIGEST.vk [default: circuit-keys beside the anchors]
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// Judge as of this moment, milliseconds since 1970-01-01 UTC [default: now]
    #[arg(long, value_name = "MS")]
    now_ms: Option<u64>,
}

/// Arguments of `verify`.
#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    inputs: Inputs,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `report`.
#[derive(Debug, clap::Args)]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    inputs: Inputs,
    /// Write a self-contained page
    #[arg(long, value_name = "FILE", required_unless_present = "json")]
    html: Option<PathBuf>,
    /// Write JSON (`-` for standard output)
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl Inputs {
    fn judge(&self) -> anyhow::Result<Report> {
        let bundle = read_bounded(&self.bundle, BUNDLE_BYTES_MAX as u64)?;
        let policy = text(&self.policy)?;
        let anchors = text(&self.anchors)?;
        let keys = self.verifying_keys()?;
        let inputs = bailiwick_verifier::Inputs {
            bundle: &bundle,
            policy: &policy,
            anchors: &anchors,
            verifying_keys: &keys,
            now_unix_ms: self.now_ms.unwrap_or_else(now_unix_ms),
        };
        bailiwick_verifier::verify(&inputs)
            .with_context(|| format!("{} cannot be judged", self.bundle.display()))
            .context(Help("nothing follows from this input, neither for the host nor against it"))
    }

    /// The folder of verifying keys.
    fn keys_dir(&self) -> PathBuf {
        self.keys.clone().unwrap_or_else(|| self.anchors.with_file_name("circuit-keys"))
    }

    /// Renders with the command that repeats the verdict.
    fn render(&self, render: impl FnOnce(&Recheck<'_>) -> String) -> String {
        let shown = |path: &Path| path.display().to_string();
        render(&Recheck {
            bundle: &shown(&self.bundle),
            policy: &shown(&self.policy),
            anchors: &shown(&self.anchors),
            keys: &shown(&self.keys_dir()),
        })
    }

    /// All `DIGEST.vk` of the folder; the verifier checks each against its digest before use.
    fn verifying_keys(&self) -> anyhow::Result<BTreeMap<VkDigest, Vec<u8>>> {
        let dir = &self.keys_dir();
        let mut keys = BTreeMap::new();
        if self.keys.is_none() && !dir.exists() {
            return Ok(keys);
        }
        let entries = std::fs::read_dir(dir)
            .with_context(|| format!("cannot read {}", dir.display()))
            .context(Help("give the folder of verifying keys with --keys"))?;
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == "vk")
                && let Some(digest) = path.file_stem().and_then(|s| s.to_str()).and_then(|s| s.parse().ok())
            {
                keys.insert(digest, read_bounded(&path, VERIFYING_KEY_BYTES_MAX as u64)?);
            }
        }
        Ok(keys)
    }
}

fn text(path: &Path) -> anyhow::Result<String> {
    String::from_utf8(read_bounded(path, TEXT_BYTES_MAX)?)
        .ok()
        .with_context(|| format!("{} is not UTF-8 text", path.display()))
}

/// Runs `verify`; the exit code is the verdict.
pub(crate) fn verify(args: VerifyArgs) -> anyhow::Result<ExitCode> {
    let report = args.inputs.judge()?;
    let out = if args.json { report.to_json() } else { args.inputs.render(|r| report.to_text(r)) };
    std::io::stdout().lock().write_all(out.as_bytes())?;
    Ok(ExitCode::from(report.exit_code))
}

/// Runs `report`: success when the report was written, whatever it says.
pub(crate) fn report(args: ReportArgs) -> anyhow::Result<ExitCode> {
    let report = args.inputs.judge()?;
    if let Some(path) = &args.html {
        write(path, args.inputs.render(|r| report.to_html(r)).as_bytes())?;
    }
    if let Some(path) = &args.json {
        write(path, report.to_json().as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A report may be made again over an older one; it still appears in one step.
fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if path.as_os_str() == "-" {
        return Ok(std::io::stdout().lock().write_all(bytes)?);
    }
    let mut file = AtomicFile::replace(path, 0o666)?;
    file.write_all(bytes).with_context(|| format!("cannot write {}", path.display()))?;
    file.commit()
}
