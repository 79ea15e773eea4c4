//! File descriptors: as many as the system allows, and never so many connections that storing and reading have none.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::error::NodeError;

/// Descriptors a node needs for itself, at least.
const DESCRIPTORS_MIN: u64 = 64;
/// A connection needs one, and one for the object it reads or writes; half stays for index, floor and proofs.
const PER_CONNECTION: u64 = 4;

/// Raises the soft limit to the hard one; returns what holds now, `None` for no limit.
fn raise() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
    {
        tracing::warn!(%error, "limit of open files not raised");
    }
    getrlimit(Resource::Nofile).current
}

/// Connections this process can afford, `wanted` at most.
///
/// # Errors
/// `Descriptors` when there are too few to work at all.
pub(crate) fn affordable(wanted: usize) -> Result<usize, NodeError> {
    let Some(limit) = raise() else { return Ok(wanted) };
    if limit < DESCRIPTORS_MIN {
        return Err(NodeError::Descriptors { limit, needed: DESCRIPTORS_MIN });
    }
    let most = usize::try_from(limit / PER_CONNECTION).unwrap_or(usize::MAX);
    if most < wanted {
        tracing::warn!(
            limit,
            wanted,
            connections = most,
            "too few open files for the configured connections: raise the limit (ulimit -n, LimitNOFILE)"
        );
    }
    Ok(wanted.min(most))
}
