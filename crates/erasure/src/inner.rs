//! The code inside a shard (spec shards, clauses Q5 to Q7): groups of up to 3,840 data blocks and a fifteenth as many parity blocks.

use std::io;

use reed_solomon_simd::{ReedSolomonDecoder, ReedSolomonEncoder};

use crate::error::InnerError;
use crate::order::Order;

/// Bytes of every block that are coded at a time: the code works on 256 rows at once, which then fit the second-level cache
/// (GB/s on one core for 64, 256, 1,024, 4,096 and 16,384 bytes: 0.9, 1.5, 1.7, 1.7, 0.9).
const COLUMN_BYTES: usize = 1024;

/// Counts were bounded by the geometry, lengths are the group's.
const CHECKED: &str = "counts, lengths and indices were checked";

/// What a repair found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mended {
    /// Blocks that were lost and have been written.
    pub blocks: u64,
}

/// One group in memory: `rows` blocks of `block` bytes.
struct Blocks {
    /// Plaintext of the object.
    bytes: Vec<u8>,
    block: usize,
}

impl Blocks {
    fn new(rows: usize, block: usize) -> Self {
        Self { bytes: vec![0; rows * block], block }
    }

    fn row(&self, row: usize) -> &[u8] {
        &self.bytes[row * self.block..][..self.block]
    }

    fn row_mut(&mut self, row: usize) -> &mut [u8] {
        &mut self.bytes[row * self.block..][..self.block]
    }
}

impl Drop for Blocks {
    /// As good as the compiler allows: wiping byte by byte, as keys are, takes longer than coding 64 MiB.
    fn drop(&mut self) {
        self.bytes.fill(0);
        std::hint::black_box(&mut self.bytes);
    }
}

/// Makes the parity blocks of a shard: reads each data block once by its position, writes each parity block once.
///
/// # Errors
/// `Read`, `Write`.
pub fn parity(
    order: &Order<'_>,
    mut read: impl FnMut(u64, &mut [u8]) -> io::Result<()>,
    mut write: impl FnMut(u64, &[u8]) -> io::Result<()>,
) -> Result<(), InnerError> {
    let geometry = order.geometry();
    let block = geometry.block_bytes();
    if geometry.parity_per_group() == 0 {
        return Ok(());
    }
    for group in 0..geometry.groups() {
        let positions = order.data(group);
        let mut data = Blocks::new(positions.len(), block);
        for (position, row) in ascending(&positions) {
            read(position, data.row_mut(row)).map_err(InnerError::Read)?;
        }
        let places = order.parity(group);
        let made = encode(&data, positions.len(), places.len());
        for (position, row) in ascending(&places) {
            write(position, made.row(row)).map_err(InnerError::Write)?;
        }
    }
    Ok(())
}

/// Positions with their places in the code, in the order of the disk.
fn ascending(positions: &[u64]) -> Vec<(u64, usize)> {
    let mut sorted: Vec<(u64, usize)> = positions.iter().copied().zip(0..).collect();
    sorted.sort_unstable();
    sorted
}

/// Calls `column` with the offset and width of every column.
fn columns(block: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..block).step_by(COLUMN_BYTES).map(move |at| (at, COLUMN_BYTES.min(block - at)))
}

fn encode(data: &Blocks, rows: usize, parity: usize) -> Blocks {
    let block = data.block;
    let mut out = Blocks::new(parity, block);
    let column = |code: &mut ReedSolomonEncoder, at: usize, width: usize| -> Vec<u8> {
        for row in 0..rows {
            code.add_original_shard(&data.row(row)[at..at + width]).expect(CHECKED);
        }
        let done = code.encode().expect(CHECKED);
        let mut made = Vec::with_capacity(parity * width);
        done.recovery_iter().for_each(|piece| made.extend_from_slice(piece));
        made
    };
    let encoder = |width| ReedSolomonEncoder::new(rows, parity, width).expect(CHECKED);
    for (at, made) in by_column(block, encoder, column) {
        let width = made.len() / parity;
        for (row, piece) in made.chunks_exact(width).enumerate() {
            out.row_mut(row)[at..at + width].copy_from_slice(piece);
        }
    }
    out
}

/// Does `work` for every column with a coder from `make`; with feature `parallel` on several threads.
#[cfg(not(feature = "parallel"))]
fn by_column<C>(
    block: usize,
    make: impl Fn(usize) -> C,
    work: impl Fn(&mut C, usize, usize) -> Vec<u8>,
) -> impl Iterator<Item = (usize, Vec<u8>)> {
    let mut coder = make(COLUMN_BYTES.min(block));
    columns(block).map(move |(at, width)| {
        // Only the last column of a short block is narrower.
        if width != COLUMN_BYTES.min(block) {
            coder = make(width);
        }
        (at, work(&mut coder, at, width))
    })
}

/// Does `work` for every column with a coder from `make`, on several threads.
#[cfg(feature = "parallel")]
fn by_column<C>(
    block: usize,
    make: impl Fn(usize) -> C + Sync,
    work: impl Fn(&mut C, usize, usize) -> Vec<u8> + Sync,
) -> Vec<(usize, Vec<u8>)> {
    use rayon::prelude::*;
    let full = COLUMN_BYTES.min(block);
    let all: Vec<_> = columns(block).collect();
    all.into_par_iter()
        .map_init(
            || make(full),
            |coder, (at, width)| {
                // Only the last column of a short block is narrower.
                if width != full {
                    *coder = make(width);
                }
                (at, work(coder, at, width))
            },
        )
        .collect()
}

/// Repairs a shard. `read` gives the block at a position and whether it is authentic; a block that is not, or is not there, is lost
/// and is written as it was. Every block is read once.
///
/// What is written is right if every block that `read` called authentic was; check the whole shard afterwards.
///
/// # Errors
/// `Limit` when a group lost more blocks than it has parity (what was written until then is right, and not enough); `Read`, `Write`.
pub fn mend(
    order: &Order<'_>,
    mut read: impl FnMut(u64, &mut [u8]) -> io::Result<bool>,
    mut write: impl FnMut(u64, &[u8]) -> io::Result<()>,
) -> Result<Mended, InnerError> {
    let geometry = order.geometry();
    let block = geometry.block_bytes();
    let mut mended = 0;
    for group in 0..geometry.groups() {
        let positions = [order.data(group), order.parity(group)].concat();
        let rows = positions.len() - order.parity(group).len();
        let mut blocks = Blocks::new(positions.len(), block);
        let mut lost = Vec::new();
        for (position, row) in ascending(&positions) {
            if !read(position, blocks.row_mut(row)).map_err(InnerError::Read)? {
                lost.push(row);
            }
        }
        if lost.is_empty() {
            continue;
        }
        let limit = geometry.parity_per_group();
        if lost.len() as u64 > limit {
            return Err(InnerError::Limit { group, lost: lost.len() as u64, limit });
        }
        lost.sort_unstable();
        restore(&mut blocks, rows, &lost);
        for row in &lost {
            write(positions[*row], blocks.row(*row)).map_err(InnerError::Write)?;
        }
        mended += lost.len() as u64;
    }
    Ok(Mended { blocks: mended })
}

/// Fills the lost rows: data by decoding, parity by encoding anew.
fn restore(blocks: &mut Blocks, rows: usize, lost: &[usize]) {
    let parity = blocks.bytes.len() / blocks.block - rows;
    let data: Vec<usize> = lost.iter().copied().filter(|row| *row < rows).collect();
    if !data.is_empty() {
        // The whole width at a time: locating erasures costs the same for a narrow column.
        let mut code = ReedSolomonDecoder::new(rows, parity, blocks.block.min(DECODE_BYTES)).expect(CHECKED);
        for at in (0..blocks.block).step_by(DECODE_BYTES) {
            let width = DECODE_BYTES.min(blocks.block - at);
            if width != DECODE_BYTES {
                code.reset(rows, parity, width).expect(CHECKED);
            }
            for row in (0..rows + parity).filter(|row| lost.binary_search(row).is_err()) {
                let piece = &blocks.row(row)[at..at + width];
                match row.checked_sub(rows) {
                    None => code.add_original_shard(row, piece),
                    Some(place) => code.add_recovery_shard(place, piece),
                }
                .expect(CHECKED);
            }
            let done = code.decode().expect(CHECKED);
            for row in &data {
                let restored = done.restored_original(*row).expect("it was not given");
                blocks.bytes[row * blocks.block + at..][..width].copy_from_slice(restored);
            }
        }
    }
    if data.len() < lost.len() {
        let made = encode(blocks, rows, parity);
        for row in lost.iter().filter(|row| **row >= rows) {
            blocks.row_mut(*row).copy_from_slice(made.row(row - rows));
        }
    }
}

/// Bytes of every block decoded at a time: 16 MiB for the largest group.
const DECODE_BYTES: usize = 4096;
