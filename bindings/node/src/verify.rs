//! Judging evidence.

use std::collections::{BTreeMap, HashMap};

use bailiwick_bindings as core;
use napi::bindgen_prelude::{AsyncTask, Uint8Array};
use napi_derive::napi;

use crate::tasks::{Work, promise};

/// What a judgement needs.
#[napi(object)]
pub(crate) struct Terms {
    /// The policy, TOML.
    pub policy: String,
    /// The trust anchors, TOML.
    pub anchors: String,
    /// Verifying keys by digest.
    pub keys: HashMap<String, Uint8Array>,
    /// The reader's own signed roster, for a dossier.
    pub roster: Option<Uint8Array>,
    /// Jurisdiction blocs, TOML.
    pub blocs: Option<String>,
    /// Milliseconds since 1970; now, when none.
    pub now_ms: Option<i64>,
}

/// A judgement.
#[napi(object)]
pub(crate) struct Verdict {
    /// Whether every claim the policy requires holds.
    pub holds: bool,
    /// 0 when it does.
    pub exit_code: u32,
    /// The whole report.
    pub json: String,
    /// The report for people.
    pub text: String,
}

/// Judges a bundle or a dossier offline.
#[napi]
pub(crate) fn verify(evidence: Uint8Array, terms: Terms) -> AsyncTask<Work<Verdict>> {
    let evidence = evidence.to_vec();
    let keys: BTreeMap<_, _> = terms.keys.iter().map(|(d, k)| (d.clone(), k.to_vec())).collect();
    let roster = terms.roster.map(|r| r.to_vec());
    let Terms { policy, anchors, blocs, now_ms, .. } = terms;
    promise(move || {
        let now_unix_ms = now_ms.map(u64::try_from).transpose();
        let now_unix_ms =
            now_unix_ms.map_err(|_| core::Error::new(core::Code::Argument, "nowMs is not negative"))?;
        let verdict = core::verify_evidence(&core::Evidence {
            evidence: &evidence,
            policy: &policy,
            anchors: &anchors,
            verifying_keys: &keys,
            roster: roster.as_deref(),
            blocs: blocs.as_deref(),
            now_unix_ms,
        })?;
        let core::Verdict { exit_code, json, text } = verdict;
        Ok(Verdict { holds: exit_code == 0, exit_code: u32::from(exit_code), json, text })
    })
}
