//! The body of one shard in a file, block by block.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use anyhow::Context as _;
use bailiwick_envelope::cobblestone::{self, CHUNK_BYTES, HEADER_BYTES, TAG_BYTES};
use bailiwick_envelope::{ShardBody, ShardCipher};
use bailiwick_erasure::{Geometry, Order, parity};
use bailiwick_possession::tree::TreeBuilder;
use bailiwick_protocol::envelope::CellCommitment;
use bailiwick_protocol::ids::ContentId;
use bailiwick_protocol::limits::BODY_BYTES_MAX;

/// Bytes read at a time.
const PIECE_BYTES: usize = 1 << 20;

/// Bytes of every shard's body.
pub(crate) fn body_bytes(geometry: &Geometry) -> anyhow::Result<u64> {
    cobblestone::body_bytes(geometry.shard_bytes())
        .filter(|n| *n <= BODY_BYTES_MAX)
        .with_context(|| format!("a shard would be larger than a body may be, {BODY_BYTES_MAX} bytes"))
        .context(crate::Help("split into more shards: a larger k"))
}

/// A body that is read or written anywhere.
pub(crate) struct BodyFile<'a> {
    pub(crate) file: &'a File,
    pub(crate) cipher: &'a ShardCipher,
    pub(crate) geometry: &'a Geometry,
}

impl BodyFile<'_> {
    /// Bytes of a sealed block.
    fn sealed(&self) -> usize {
        self.geometry.block_bytes() + TAG_BYTES
    }

    /// Where block `index` begins.
    pub(crate) fn offset(&self, index: u64) -> u64 {
        HEADER_BYTES as u64 + index * self.sealed() as u64
    }

    pub(crate) fn write_header(&self) -> io::Result<()> {
        self.file.write_all_at(&self.cipher.header(), 0)
    }

    /// Seals consecutive blocks into their place; `sealed` is room for them.
    pub(crate) fn write(&self, first: u64, plain: &[u8], sealed: &mut Vec<u8>) -> io::Result<()> {
        let block = self.geometry.block_bytes();
        sealed.resize(plain.len() / block * self.sealed(), 0);
        for (index, (plain, out)) in
            (first..).zip(plain.chunks_exact(block).zip(sealed.chunks_exact_mut(self.sealed())))
        {
            self.cipher.seal(index, plain, out);
        }
        self.file.write_all_at(sealed, self.offset(first))
    }

    /// The empty chunk that ends a body of whole chunks.
    pub(crate) fn write_end(&self) -> io::Result<()> {
        if self.geometry.block_bytes() < CHUNK_BYTES {
            return Ok(());
        }
        let mut tag = [0; TAG_BYTES];
        let index = self.geometry.blocks();
        self.cipher.seal(index, &[], &mut tag);
        self.file.write_all_at(&tag, self.offset(index))
    }

    /// Block `index`, if it is there and authentic.
    pub(crate) fn read(&self, index: u64, plain: &mut [u8], sealed: &mut Vec<u8>) -> io::Result<bool> {
        sealed.resize(self.sealed(), 0);
        match self.file.read_exact_at(sealed, self.offset(index)) {
            Ok(()) => Ok(self.cipher.open(index, sealed, plain)),
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// Completes a body whose data blocks were written: parity, the end, and its facts.
    pub(crate) fn complete(&self, commit: bool) -> anyhow::Result<ShardBody> {
        self.write_parity(self.cipher.order_key())?;
        self.write_end().context("cannot write the shard")?;
        facts(self.file, commit).context("cannot read the shard back")
    }

    /// Parity blocks of data blocks that were written, in the order of `order_key`.
    pub(crate) fn write_parity(&self, order_key: &[u8; 32]) -> anyhow::Result<()> {
        let (mut there, mut here) = (Vec::new(), Vec::new());
        let read = |index, plain: &mut [u8]| {
            let authentic = self.read(index, plain, &mut there)?;
            if authentic { Ok(()) } else { Err(io::Error::other("a chunk just written reads otherwise")) }
        };
        parity(&Order::new(self.geometry, order_key), read, |index, plain| {
            self.write(index, plain, &mut here)
        })?;
        Ok(())
    }
}

/// Size and BLAKE3 of a file, and its cell tree if `commit` says so, in one reading.
pub(crate) fn facts(file: &File, commit: bool) -> anyhow::Result<ShardBody> {
    let mut hasher = blake3::Hasher::new();
    let mut tree = commit.then(TreeBuilder::new);
    let mut buffer = vec![0; PIECE_BYTES];
    let mut size = 0;
    loop {
        let n = match file.read_at(&mut buffer, size) {
            Ok(0) => break,
            Ok(n) => n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e.into()),
        };
        hasher.update(&buffer[..n]);
        if let Some(tree) = &mut tree {
            tree.update(&buffer[..n]);
        }
        size += n as u64;
    }
    let tree = tree.map(TreeBuilder::finish).transpose()?;
    let commitment = tree.map(|t| CellCommitment { root: t.root(), cells: t.cells() });
    Ok(ShardBody { size, blake3: ContentId(hasher.finalize().into()), commitment })
}
