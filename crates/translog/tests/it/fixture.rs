//! Keys from seeds, and a log in memory whose bits can be flipped.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use bailiwick_protocol::secret::Secret;
use bailiwick_translog::{
    Hash, Log, NoteSigner, SignatureKind, Storage, Tile, TileSource, Tree, VerifierKey, node_hash,
};

pub(crate) const ORIGIN: &str = "log.example/audits";

pub(crate) fn signer(name: &str, kind: SignatureKind, seed: u8) -> NoteSigner {
    NoteSigner::from_seed(name, kind, &Secret::init_with(|s| s.fill(seed))).unwrap()
}

pub(crate) fn log_signer() -> NoteSigner {
    signer(ORIGIN, SignatureKind::Ed25519, 1)
}

pub(crate) fn witness(number: u8) -> NoteSigner {
    signer(&format!("witness.example/w{number}"), SignatureKind::Cosignature, 100 + number)
}

pub(crate) fn key(signer: &NoteSigner) -> VerifierKey {
    signer.verifier().clone()
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")
    }
}

impl std::error::Error for Refused {}

/// A log in memory; clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    pub(crate) tiles: Rc<RefCell<BTreeMap<Tile, Vec<u8>>>>,
    pub(crate) note: Rc<RefCell<Option<Vec<u8>>>>,
    /// Calls of `write` and `commit` that still succeed.
    pub(crate) calls_left: Rc<Cell<Option<u32>>>,
    /// What is flipped between writing and reading back: tile and bit.
    pub(crate) flip_next: Rc<Cell<Option<(Tile, usize)>>>,
}

impl Memory {
    pub(crate) fn flip(&self, tile: Tile, bit: usize) {
        let mut tiles = self.tiles.borrow_mut();
        let bytes = tiles.get_mut(&tile).unwrap();
        bytes[bit / 8] ^= 1 << (bit % 8);
    }

    fn call(&self) -> Result<(), Refused> {
        match self.calls_left.get() {
            Some(0) => Err(Refused),
            Some(n) => {
                self.calls_left.set(Some(n - 1));
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl TileSource for Memory {
    type Error = Refused;

    fn read(&self, tile: Tile) -> Result<Option<Vec<u8>>, Refused> {
        Ok(self.tiles.borrow().get(&tile).cloned())
    }
}

impl Storage for Memory {
    fn write(&self, tiles: &[(Tile, Vec<u8>)]) -> Result<(), Refused> {
        self.call()?;
        self.tiles.borrow_mut().extend(tiles.iter().cloned());
        if let Some((tile, bit)) = self.flip_next.take() {
            self.flip(tile, bit);
        }
        Ok(())
    }

    fn commit(&self, note: &[u8]) -> Result<(), Refused> {
        self.call()?;
        *self.note.borrow_mut() = Some(note.to_vec());
        Ok(())
    }

    fn committed(&self) -> Result<Option<Vec<u8>>, Refused> {
        Ok(self.note.borrow().clone())
    }
}

pub(crate) fn entry(index: u64) -> Vec<u8> {
    format!("entry {index}").into_bytes()
}

pub(crate) fn entries(range: std::ops::Range<u64>) -> Vec<Vec<u8>> {
    range.map(entry).collect()
}

/// A log with `size` entries, appended at once.
pub(crate) fn log_of(size: u64) -> (Memory, Log<Memory>) {
    let memory = Memory::default();
    let mut log = Log::create(memory.clone(), log_signer()).unwrap();
    if size > 0 {
        log.append(&entries(0..size)).unwrap();
    }
    (memory, log)
}

pub(crate) fn tree(memory: &Memory, size: u64) -> Tree<'_, Memory> {
    Tree::new(memory, size)
}

/// Merkle Tree Hash as RFC 6962 section 2.1 defines it.
pub(crate) fn mth(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => bailiwick_translog::empty_root(),
        [leaf] => *leaf,
        _ => {
            let k = leaves.len().next_power_of_two() / 2;
            node_hash(&mth(&leaves[..k]), &mth(&leaves[k..]))
        }
    }
}
