//! Re-reading every stored byte of a node that is not running.

use bailiwick_store::{CellCheck, ScrubProgress, ScrubReport, Store};

use crate::config::Config;
use crate::error::NodeError;
use crate::state::store_options;

/// Scrubs the store of a stopped node; `progress` hears of every mebibyte, `should_stop` is asked as often.
///
/// # Errors
/// `Store` with `StoreError::Locked` while the node runs; `Store` when the scrub cannot go on. Damage is in the report.
pub fn scrub(
    config: &Config,
    cells: CellCheck,
    progress: impl FnMut(ScrubProgress),
    should_stop: impl FnMut() -> bool,
) -> Result<ScrubReport, NodeError> {
    let objects = config.objects_dir();
    // Opening makes a missing store; a wrong path must not look like an empty, clean one.
    if let Err(source) = std::fs::metadata(&objects) {
        return Err(NodeError::Io { path: objects, source });
    }
    let store = Store::open(&objects, store_options(config))?;
    Ok(store.scrub(cells, progress, should_stop)?)
}
