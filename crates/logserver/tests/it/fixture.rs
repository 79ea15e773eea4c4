//! Keys and entries.

use std::path::Path;
use std::sync::Arc;

use bailiwick_logserver::LogDir;
use bailiwick_protocol::secret::Secret;
use bailiwick_store::files::FileSystem;
use bailiwick_translog::{
    Level, Log, NoteSigner, SignatureKind, SignedCheckpoint, Tile, TileSource as _, decode_bundle,
};

pub(crate) const ORIGIN: &str = "log.example/audits";
pub(crate) const ROOT: &str = "/log";

pub(crate) fn signer(name: &str, kind: SignatureKind, seed: u8) -> NoteSigner {
    NoteSigner::from_seed(name, kind, &Secret::init_with(|s| s.fill(seed))).unwrap()
}

pub(crate) fn log_signer() -> NoteSigner {
    signer(ORIGIN, SignatureKind::Ed25519, 1)
}

pub(crate) fn witness_signer(number: u8) -> NoteSigner {
    signer(&format!("witness.example/w{number}"), SignatureKind::Cosignature, 100 + number)
}

/// Makes a log and opens it.
pub(crate) fn make_log(files: &Arc<dyn FileSystem>, root: &Path) -> Log<LogDir> {
    LogDir::create(&**files, root).unwrap();
    Log::create(LogDir::open(Arc::clone(files), root).unwrap(), log_signer()).unwrap()
}

pub(crate) fn reopen(files: &Arc<dyn FileSystem>, root: &Path) -> Log<LogDir> {
    Log::open(LogDir::open(Arc::clone(files), root).unwrap(), log_signer(), |_| {}).unwrap()
}

/// All entries of a log.
pub(crate) fn entries_of(dir: &LogDir, head: &SignedCheckpoint) -> Vec<Vec<u8>> {
    let size = head.checkpoint().size;
    let mut all = Vec::new();
    for index in 0..size.div_ceil(256) {
        let tile = Tile::of_size(Level::Entries, index, size).unwrap();
        let bytes = dir.read(tile).unwrap().unwrap();
        all.extend(decode_bundle(&bytes, tile.width()).unwrap().into_iter().map(<[u8]>::to_vec));
    }
    all
}
