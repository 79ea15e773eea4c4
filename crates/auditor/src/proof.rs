//! Judging what a log answers before it counts as a proof.

use bailiwick_translog::{LogPolicy, PolicyError, ProofError, verify_proof};

use crate::ports::{Fault, Proof};

/// Verifies a tlog-proof under the log's pinned key, and notes whether the policy's quorum of witnesses has cosigned.
///
/// # Errors
/// `Untrusted` when it does not show that `entry` is in the log at `index`.
pub fn checked_proof(policy: &LogPolicy, index: u64, entry: &[u8], text: Vec<u8>) -> Result<Proof, Fault> {
    let untrusted = |why: String| Fault::Untrusted { who: "the log", why };
    let (found, witnessed) = match verify_proof(&text, entry, policy) {
        Ok(found) => (found, true),
        Err(ProofError::Unwitnessed { .. }) => {
            let bare = without_quorum(policy).map_err(|e| untrusted(e.to_string()))?;
            (verify_proof(&text, entry, &bare).map_err(|e| untrusted(e.to_string()))?, false)
        }
        Err(e) => return Err(untrusted(e.to_string())),
    };
    if found.index != index {
        return Err(untrusted(format!("a proof of index {}, not {index}", found.index)));
    }
    Ok(Proof { text, witnessed })
}

fn without_quorum(policy: &LogPolicy) -> Result<LogPolicy, PolicyError> {
    LogPolicy::new(policy.log().clone(), policy.witnesses().to_vec(), 0)
}
