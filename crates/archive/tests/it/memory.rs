//! Trees in memory, and archives made by hand.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};

use bailiwick_archive::{ArchiveError, Entries, Entry, Kind, Packer, Sink, Unpacker};

/// Path to kind and bytes.
pub(crate) type Tree = BTreeMap<String, (Kind, Vec<u8>)>;

#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) tree: Tree,
    last: String,
    ended: bool,
}

impl Sink for Memory {
    fn begin(&mut self, entry: &Entry) -> io::Result<()> {
        if let Some((parent, _)) = entry.path.rsplit_once('/') {
            assert_eq!(self.tree.get(parent).map(|(kind, _)| *kind), Some(Kind::Folder), "{entry:?}");
        }
        let before = self.tree.insert(entry.path.clone(), (entry.kind, Vec::new()));
        assert!(before.is_none(), "one name twice");
        (self.last, self.ended) = (entry.path.clone(), false);
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) -> io::Result<()> {
        assert!(!self.ended);
        self.tree.get_mut(&self.last).unwrap().1.extend_from_slice(bytes);
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        self.ended = true;
        Ok(())
    }
}

pub(crate) fn entries(tree: &Tree) -> Result<Entries, ArchiveError> {
    let entry = |(path, (kind, data)): (&String, &(Kind, Vec<u8>))| Entry {
        path: path.clone(),
        kind: *kind,
        size: data.len() as u64,
    };
    Entries::new(tree.iter().map(entry).collect())
}

pub(crate) fn pack(tree: &Tree) -> Vec<u8> {
    let entries = entries(tree).unwrap();
    let mut out = Vec::new();
    Packer::new(&entries, |e: &Entry| Ok(tree[&e.path].1.as_slice())).read_to_end(&mut out).unwrap();
    assert_eq!(out.len() as u64, entries.packed_bytes());
    out
}

/// Unpacks in pieces of `step` bytes.
pub(crate) fn unpack(archive: &[u8], step: usize) -> Result<Tree, ArchiveError> {
    let mut unpacker = Unpacker::new(Memory::default());
    for piece in archive.chunks(step.max(1)) {
        unpacker.write_all(piece).map_err(archive_error)?;
    }
    Ok(unpacker.finish()?.tree)
}

/// The archive's own error inside an input/output one.
pub(crate) fn archive_error(e: io::Error) -> ArchiveError {
    match e.downcast::<ArchiveError>() {
        Ok(inner) => inner,
        Err(e) => ArchiveError::Io(e),
    }
}

/// A folder, two files in it, one beside it.
pub(crate) fn sample() -> Tree {
    [
        ("docs", Kind::Folder, &b""[..]),
        ("docs/a.txt", Kind::File, b"first"),
        ("docs/run.sh", Kind::Executable, b"#!/bin/sh\n"),
        ("empty", Kind::Folder, b""),
        ("z", Kind::File, b""),
    ]
    .into_iter()
    .map(|(path, kind, data)| (path.to_owned(), (kind, data.to_vec())))
    .collect()
}

/// A tar block as an attacker writes it.
pub(crate) struct Forged {
    pub(crate) name: Vec<u8>,
    pub(crate) mode: &'static str,
    pub(crate) size: Vec<u8>,
    pub(crate) flag: u8,
    pub(crate) link: &'static str,
}

impl Forged {
    pub(crate) fn file(name: &str) -> Self {
        Self { name: name.into(), mode: "0000644\0", size: b"00000000000\0".to_vec(), flag: b'0', link: "" }
    }

    pub(crate) fn block(&self) -> Vec<u8> {
        let mut b = vec![0; 512];
        b[..self.name.len()].copy_from_slice(&self.name);
        b[100..108].copy_from_slice(self.mode.as_bytes());
        b[108..116].copy_from_slice(b"0000000\0");
        b[116..124].copy_from_slice(b"0000000\0");
        b[124..136].copy_from_slice(&self.size);
        b[136..148].copy_from_slice(b"00000000000\0");
        b[148..156].copy_from_slice(b"        ");
        b[156] = self.flag;
        b[157..157 + self.link.len()].copy_from_slice(self.link.as_bytes());
        b[257..265].copy_from_slice(b"ustar\x0000");
        b[329..337].copy_from_slice(b"0000000\0");
        b[337..345].copy_from_slice(b"0000000\0");
        let sum: u32 = b.iter().map(|v| u32::from(*v)).sum();
        b[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        b
    }
}
