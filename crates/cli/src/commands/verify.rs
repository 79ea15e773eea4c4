//! `bailiwick verify` and `bailiwick report`: judge a bundle or a dossier offline, and show the judgement.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use bailiwick_groth16::VERIFYING_KEY_BYTES_MAX;
use bailiwick_protocol::bundle::SignedBundle;
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::dossier::Dossier;
use bailiwick_protocol::ids::VkDigest;
use bailiwick_protocol::limits::{DOSSIER_BYTES_MAX, ROSTER_BYTES_MAX};
use bailiwick_verifier::{DossierInputs, FleetRecheck, FleetReport, Recheck, Report};

use crate::Help;
use crate::audit::now_unix_ms;
use crate::output::{AtomicFile, read_bounded};

/// Policies and trust anchors are short texts.
const TEXT_BYTES_MAX: u64 = 1 << 20;

/// What a judgement needs.
#[derive(Debug, clap::Args)]
pub(crate) struct Inputs {
    /// The evidence bundle of one audit, or the dossier of many
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
    /// Your own signed roster, for a dossier [default: the dossier's, if the authority in your anchors signed it]
    #[arg(long, value_name = "FILE")]
    roster: Option<PathBuf>,
    /// Jurisdiction blocs of the roster [default: those this program ships]
    #[arg(long, value_name = "FILE")]
    blocs: Option<PathBuf>,
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

/// A judgement of either kind.
enum Judgement {
    Bundle(Box<Report>),
    Dossier(Box<FleetReport>),
}

impl Judgement {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Bundle(r) => r.exit_code,
            Self::Dossier(r) => r.exit_code,
        }
    }

    fn to_json(&self) -> String {
        match self {
            Self::Bundle(r) => r.to_json(),
            Self::Dossier(r) => r.to_json(),
        }
    }
}

impl Inputs {
    fn judge(&self) -> anyhow::Result<Judgement> {
        let (kind, bytes) = read_evidence(&self.bundle)?;
        let (policy, anchors) = (text(&self.policy)?, text(&self.anchors)?);
        let keys = self.verifying_keys()?;
        let now_unix_ms = self.now_ms.unwrap_or_else(now_unix_ms);
        let outcome = if kind == Kind::Dossier {
            let roster =
                self.roster.as_ref().map(|p| read_bounded(p, ROSTER_BYTES_MAX as u64)).transpose()?;
            let blocs = self.blocs.as_deref().map(text).transpose()?;
            bailiwick_verifier::verify_dossier(&DossierInputs {
                dossier: &bytes,
                policy: &policy,
                anchors: &anchors,
                roster: roster.as_deref(),
                blocs: blocs.as_deref(),
                verifying_keys: &keys,
                now_unix_ms,
            })
            .map(|r| Judgement::Dossier(Box::new(r)))
        } else {
            anyhow::ensure!(
                self.roster.is_none() && self.blocs.is_none(),
                "{} is not a dossier; --roster and --blocs belong to one",
                self.bundle.display()
            );
            bailiwick_verifier::verify(&bailiwick_verifier::Inputs {
                bundle: &bytes,
                policy: &policy,
                anchors: &anchors,
                verifying_keys: &keys,
                now_unix_ms,
            })
            .map(|r| Judgement::Bundle(Box::new(r)))
        };
        outcome
            .with_context(|| format!("{} cannot be judged", self.bundle.display()))
            .context(Help("nothing follows from this input, neither for the host nor against it"))
    }

    /// The folder of verifying keys.
    fn keys_dir(&self) -> PathBuf {
        self.keys.clone().unwrap_or_else(|| self.anchors.with_file_name("circuit-keys"))
    }

    /// Renders with the command that repeats the verdict.
    fn render(&self, judgement: &Judgement, form: Form) -> String {
        let shown = |path: &Path| path.display().to_string();
        let (bundle, policy) = (shown(&self.bundle), shown(&self.policy));
        let (anchors, keys) = (shown(&self.anchors), shown(&self.keys_dir()));
        let (roster, blocs) = (self.roster.as_deref().map(shown), self.blocs.as_deref().map(shown));
        match judgement {
            Judgement::Bundle(r) => {
                let recheck = Recheck { bundle: &bundle, policy: &policy, anchors: &anchors, keys: &keys };
                match form {
                    Form::Text => r.to_text(&recheck),
                    Form::Html => r.to_html(&recheck),
                }
            }
            Judgement::Dossier(r) => {
                let recheck = FleetRecheck {
                    dossier: &bundle,
                    policy: &policy,
                    anchors: &anchors,
                    keys: &keys,
                    roster: roster.as_deref(),
                    blocs: blocs.as_deref(),
                };
                match form {
                    Form::Text => r.to_text(&recheck),
                    Form::Html => r.to_html(&recheck),
                }
            }
        }
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

/// What a file of evidence is, by its first bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bundle,
    Dossier,
}

impl Kind {
    /// Bytes that tell one from the other.
    const HEAD_BYTES: u64 = 64;

    /// Its name, and how long it may be as a file.
    const fn limit(self) -> (&'static str, usize) {
        match self {
            Self::Bundle => ("a bundle", SignedBundle::BYTES_MAX),
            Self::Dossier => ("a dossier", DOSSIER_BYTES_MAX),
        }
    }
}

/// Reads evidence of either kind, no more than one of its kind may have.
fn read_evidence(path: &Path) -> anyhow::Result<(Kind, Vec<u8>)> {
    let cannot = || format!("cannot read {}", path.display());
    let mut file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let mut bytes = Vec::new();
    (&mut file).take(Kind::HEAD_BYTES).read_to_end(&mut bytes).with_context(cannot)?;
    let kind = if Dossier::is_likely(&bytes) { Kind::Dossier } else { Kind::Bundle };
    let (what, max) = kind.limit();
    // A regular file says how long it is; of anything else no more than the limit is read.
    let says = usize::try_from(file.metadata().with_context(cannot)?.len()).unwrap_or(usize::MAX);
    if says <= max {
        bytes.reserve_exact(says.saturating_sub(bytes.len()).saturating_add(1));
        let left = (max + 1).saturating_sub(bytes.len());
        file.take(left as u64).read_to_end(&mut bytes).with_context(cannot)?;
    }
    if says.max(bytes.len()) > max {
        return Err(anyhow::anyhow!("{} is longer than {what} may be, {max} bytes", path.display()))
            .context(Help("check that this is the file you meant"));
    }
    Ok((kind, bytes))
}

/// How a judgement is shown to people.
enum Form {
    Text,
    Html,
}

fn text(path: &Path) -> anyhow::Result<String> {
    String::from_utf8(read_bounded(path, TEXT_BYTES_MAX)?)
        .ok()
        .with_context(|| format!("{} is not UTF-8 text", path.display()))
}

/// Runs `verify`; the exit code is the verdict.
pub(crate) fn verify(args: VerifyArgs) -> anyhow::Result<ExitCode> {
    let judgement = args.inputs.judge()?;
    let out = if args.json { judgement.to_json() } else { args.inputs.render(&judgement, Form::Text) };
    std::io::stdout().lock().write_all(out.as_bytes())?;
    Ok(ExitCode::from(judgement.exit_code()))
}

/// Runs `report`: success when the report was written, whatever it says.
pub(crate) fn report(args: ReportArgs) -> anyhow::Result<ExitCode> {
    let judgement = args.inputs.judge()?;
    if let Some(path) = &args.html {
        write(path, args.inputs.render(&judgement, Form::Html).as_bytes())?;
    }
    if let Some(path) = &args.json {
        write(path, judgement.to_json().as_bytes())?;
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
