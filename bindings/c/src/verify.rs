//! Judging evidence.

use std::ffi::c_char;

use bailiwick_bindings as core;

use crate::bytes::{Out, bw_bytes, path, slice, text};
use crate::failure::guard;

/// What `bailiwick verify` ends with when it cannot judge (spec verdict, V5): never 0, which would mean that all holds.
const NOTHING_FOLLOWS: u8 = 2;

/// Judges a bundle, or a dossier, offline. `keys` is a folder of verifying keys, DIGEST.vk. `now_unix_ms` is the moment to judge at,
/// milliseconds since 1970-01-01 UTC; 0 for now. `exit_code` receives 0 when every claim the policy requires holds, otherwise what
/// docs/spec/v1/verdict.md says, and 2 after an error; `json`, unless NULL, the whole report.
///
/// # Safety
/// `evidence` points to `evidence_len` bytes; `policy`, `anchors` and `keys` are strings; `exit_code` is valid for a write, `json` NULL or valid
/// for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bw_verify(
    evidence: *const u8,
    evidence_len: usize,
    policy: *const c_char,
    anchors: *const c_char,
    keys: *const c_char,
    now_unix_ms: u64,
    exit_code: *mut u8,
    json: *mut bw_bytes,
) -> i32 {
    guard(|| {
        // SAFETY: both by this function's contract.
        let (exit_code, json) = unsafe {
            (Out::new(exit_code, NOTHING_FOLLOWS, "exit_code"), Out::bytes_unless_null(json, "json"))
        };
        let (exit_code, json) = (exit_code?, json?);
        // SAFETY: all by this function's contract.
        let (evidence, policy, anchors, keys) = unsafe {
            (
                slice(evidence, evidence_len, "evidence")?,
                text(policy, "policy")?.unwrap_or_default(),
                text(anchors, "anchors")?.unwrap_or_default(),
                path(keys, "keys")?,
            )
        };
        let verdict = core::verify_evidence(&core::Evidence {
            evidence,
            policy,
            anchors,
            verifying_keys: &core::verifying_keys(&keys)?,
            roster: None,
            blocs: None,
            now_unix_ms: (now_unix_ms != 0).then_some(now_unix_ms),
        })?;
        exit_code.give(verdict.exit_code);
        if let Some(json) = json {
            json.give(bw_bytes::of(verdict.json.into_bytes()));
        }
        Ok(())
    })
}
