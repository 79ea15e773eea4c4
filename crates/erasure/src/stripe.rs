//! The code across shards (spec shards, clause Q4).

use reed_solomon_simd::{ReedSolomonDecoder, ReedSolomonEncoder};

use crate::error::ErasureError;
use crate::geometry::Geometry;

/// Makes the n - k further blocks of stripes.
pub struct StripeEncoder {
    k: usize,
    block: usize,
    further: usize,
    code: Option<ReedSolomonEncoder>,
}

impl std::fmt::Debug for StripeEncoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StripeEncoder")
            .field("k", &self.k)
            .field("further", &self.further)
            .finish_non_exhaustive()
    }
}

/// The library refuses counts, lengths and indices only, and all of these have been checked.
const CHECKED: &str = "counts, lengths and indices were checked";

impl StripeEncoder {
    /// An encoder for the stripes of one object.
    ///
    /// # Errors
    /// `Count` when the code does not exist.
    pub fn new(geometry: &Geometry) -> Result<Self, ErasureError> {
        let (k, n) = (geometry.k(), geometry.n());
        let (data, further) = (usize::from(k), usize::from(n - k));
        let block = geometry.block_bytes();
        let code = match further {
            0 => None,
            _ => Some(
                ReedSolomonEncoder::new(data, further, block).map_err(|_| ErasureError::Count { k, n })?,
            ),
        };
        Ok(Self { k: data, block, further, code })
    }

    /// Encodes whole stripes. `data` holds the k data blocks of each, one stripe after the other, as the plaintext has them; `further` receives the n - k blocks of each.
    ///
    /// # Errors
    /// `Buffer` unless both hold the same number of whole stripes.
    pub fn encode(&mut self, data: &[u8], further: &mut [u8]) -> Result<(), ErasureError> {
        let (wide, more) = (self.k * self.block, self.further * self.block);
        if !data.len().is_multiple_of(wide) || further.len() != data.len() / wide * more {
            return Err(ErasureError::Buffer);
        }
        let Some(code) = &mut self.code else { return Ok(()) };
        for (stripe, out) in data.chunks_exact(wide).zip(further.chunks_exact_mut(more)) {
            for block in stripe.chunks_exact(self.block) {
                code.add_original_shard(block).expect(CHECKED);
            }
            let done = code.encode().expect(CHECKED);
            for (made, out) in done.recovery_iter().zip(out.chunks_exact_mut(self.block)) {
                out.copy_from_slice(made);
            }
        }
        Ok(())
    }
}

/// Gives stripes back from k shards.
pub struct StripeDecoder {
    k: usize,
    block: usize,
    /// Numbers of the shards the pieces come from, in the order they are given.
    held: Vec<usize>,
    missing: Vec<usize>,
    code: Option<(ReedSolomonDecoder, usize)>,
    further: usize,
}

impl std::fmt::Debug for StripeDecoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StripeDecoder").field("held", &self.held).finish_non_exhaustive()
    }
}

impl StripeDecoder {
    /// A decoder from the first k of `held`; shards below k need no decoding.
    ///
    /// # Errors
    /// `NoSuchShard`, `Duplicate`, `TooFew`.
    pub fn new(geometry: &Geometry, held: &[u16]) -> Result<Self, ErasureError> {
        for (i, shard) in held.iter().enumerate() {
            if *shard >= geometry.n() {
                return Err(ErasureError::NoSuchShard(*shard));
            }
            if held[..i].contains(shard) {
                return Err(ErasureError::Duplicate(*shard));
            }
        }
        let k = usize::from(geometry.k());
        if held.len() < k {
            return Err(ErasureError::TooFew { needed: geometry.k(), found: held.len() });
        }
        let held: Vec<usize> = held[..k].iter().map(|s| usize::from(*s)).collect();
        let missing = (0..k).filter(|j| !held.contains(j)).collect();
        let further = usize::from(geometry.n() - geometry.k());
        Ok(Self { k, block: geometry.block_bytes(), held, missing, code: None, further })
    }

    /// Decodes whole stripes: piece i holds the blocks of shard `held[i]`, one stripe after the other; `out` receives the k data blocks of each stripe.
    /// The cost of a call is the same for few and many stripes (about half a millisecond) when shards below k are missing: give many.
    ///
    /// # Errors
    /// `Buffer` unless there are k pieces of as many whole blocks as `out` has stripes.
    pub fn decode(&mut self, pieces: &[&[u8]], out: &mut [u8]) -> Result<(), ErasureError> {
        let wide = self.k * self.block;
        let stripes = out.len() / wide;
        let bytes = stripes * self.block;
        if pieces.len() != self.k || out.len() != stripes * wide || pieces.iter().any(|p| p.len() != bytes) {
            return Err(ErasureError::Buffer);
        }
        if stripes == 0 {
            return Ok(());
        }
        for (shard, piece) in self.held.iter().zip(pieces).filter(|(s, _)| **s < self.k) {
            scatter(piece, *shard, self.block, wide, out);
        }
        if self.missing.is_empty() {
            return Ok(());
        }
        self.restore(pieces, out, bytes)
    }

    fn restore(&mut self, pieces: &[&[u8]], out: &mut [u8], bytes: usize) -> Result<(), ErasureError> {
        let (k, further) = (self.k, self.further);
        let code = match &mut self.code {
            Some((code, size)) => {
                if *size != bytes {
                    code.reset(k, further, bytes).map_err(|_| ErasureError::Buffer)?;
                    *size = bytes;
                }
                code
            }
            none => {
                let code = ReedSolomonDecoder::new(k, further, bytes).map_err(|_| ErasureError::Buffer)?;
                &mut none.insert((code, bytes)).0
            }
        };
        for (shard, piece) in self.held.iter().zip(pieces) {
            match shard.checked_sub(k) {
                None => code.add_original_shard(*shard, piece),
                Some(further) => code.add_recovery_shard(further, piece),
            }
            .expect(CHECKED);
        }
        let done = code.decode().expect(CHECKED);
        for missing in &self.missing {
            let restored = done.restored_original(*missing).expect("it was not given");
            scatter(restored, *missing, self.block, k * self.block, out);
        }
        Ok(())
    }
}

/// Copies the blocks of one shard to their places in the stripes.
fn scatter(piece: &[u8], shard: usize, block: usize, wide: usize, out: &mut [u8]) {
    for (from, stripe) in piece.chunks_exact(block).zip(out.chunks_exact_mut(wide)) {
        stripe[shard * block..][..block].copy_from_slice(from);
    }
}
