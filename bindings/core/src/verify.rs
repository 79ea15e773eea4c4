//! Judging evidence offline.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use bailiwick_groth16::VERIFYING_KEY_BYTES_MAX;
use bailiwick_protocol::bundle::SignedBundle;
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::dossier::Dossier;
use bailiwick_protocol::ids::VkDigest;
use bailiwick_protocol::limits::DOSSIER_BYTES_MAX;
use bailiwick_verifier::{DossierInputs, FleetRecheck, Inputs, Recheck};

use crate::files::read_bounded;
use crate::{Code, Error, Result};

/// What a judgement needs.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The evidence bundle of one audit, or the dossier of many.
    pub evidence: &'a [u8],
    /// The policy, TOML: which claims are required, on what terms.
    pub policy: &'a str,
    /// The trust anchors, TOML: whose keys are believed.
    pub anchors: &'a str,
    /// Verifying keys by the digest that names them, 64 hexadecimal digits; each is checked against it before use.
    pub verifying_keys: &'a BTreeMap<String, Vec<u8>>,
    /// The reader's own signed roster, for a dossier.
    pub roster: Option<&'a [u8]>,
    /// Jurisdiction blocs of the roster, TOML.
    pub blocs: Option<&'a str>,
    /// The moment to judge at, milliseconds since 1970-01-01 UTC; now, when none.
    pub now_unix_ms: Option<u64>,
}

/// A judgement.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// 0 when every required claim holds; otherwise as `docs/spec/v1/verdict.md` says.
    pub exit_code: u8,
    /// The whole report, JSON.
    pub json: String,
    /// The report for people.
    pub text: String,
}

/// Judges a bundle or a dossier offline: the same inputs give the same report to the byte.
///
/// # Errors
/// `Unusable` when nothing follows from the input, neither for the host nor against it; `Argument`.
pub fn verify_evidence(inputs: &Evidence<'_>) -> Result<Verdict> {
    let (is_dossier, bytes) = (Dossier::is_likely(inputs.evidence), inputs.evidence);
    let max = if is_dossier { DOSSIER_BYTES_MAX } else { SignedBundle::BYTES_MAX };
    if bytes.len() > max {
        return Err(Error::new(Code::Argument, format!("evidence of this kind has at most {max} bytes")));
    }
    let mut keys = BTreeMap::new();
    for (digest, key) in inputs.verifying_keys {
        let digest: VkDigest = digest.parse().map_err(|_| {
            Error::new(Code::Argument, "a verifying key is named by 64 hexadecimal digits, in lower case")
        })?;
        keys.insert(digest, key.clone());
    }
    let now_unix_ms = match inputs.now_unix_ms {
        Some(ms) => ms,
        None => now_unix_ms()?,
    };
    let Evidence { policy, anchors, .. } = *inputs;
    let named = ("EVIDENCE", "POLICY", "ANCHORS", "KEYS");
    if is_dossier {
        let report = bailiwick_verifier::verify_dossier(&DossierInputs {
            dossier: bytes,
            policy,
            anchors,
            roster: inputs.roster,
            blocs: inputs.blocs,
            verifying_keys: &keys,
            now_unix_ms,
        })?;
        let recheck = FleetRecheck {
            dossier: named.0,
            policy: named.1,
            anchors: named.2,
            keys: named.3,
            roster: inputs.roster.map(|_| "ROSTER"),
            blocs: inputs.blocs.map(|_| "BLOCS"),
        };
        return Ok(Verdict {
            exit_code: report.exit_code,
            json: report.to_json(),
            text: report.to_text(&recheck),
        });
    }
    if inputs.roster.is_some() || inputs.blocs.is_some() {
        return Err(Error::new(Code::Argument, "a roster and blocs belong to a dossier, this is a bundle"));
    }
    let verifying_keys = &keys;
    let report =
        bailiwick_verifier::verify(&Inputs { bundle: bytes, policy, anchors, verifying_keys, now_unix_ms })?;
    let recheck = Recheck { bundle: named.0, policy: named.1, anchors: named.2, keys: named.3 };
    Ok(Verdict { exit_code: report.exit_code, json: report.to_json(), text: report.to_text(&recheck) })
}

/// Reads all `DIGEST.vk` of a folder.
///
/// # Errors
/// `Io`; `Argument` for a file longer than a verifying key.
pub fn verifying_keys(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let cannot = |e| Error::io(format_args!("cannot read {}", folder.display()), e);
    let mut keys = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        if path.extension().is_some_and(|e| e == "vk")
            && let Some(digest) = path.file_stem().and_then(|s| s.to_str())
            && digest.parse::<VkDigest>().is_ok()
        {
            keys.insert(digest.to_owned(), read_bounded(&path, VERIFYING_KEY_BYTES_MAX as u64)?);
        }
    }
    Ok(keys)
}

fn now_unix_ms() -> Result<u64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    since
        .and_then(|d| u64::try_from(d.as_millis()).ok())
        .ok_or_else(|| Error::new(Code::Internal, "the clock stands before 1970"))
}
