//! Where every byte of the padded plaintext lies (spec shards, clauses Q1 to Q3).

use crate::error::ErasureError;

/// Bytes of a block: the plaintext of one chunk of a body, the smallest thing that is authentic or not by itself.
pub const BLOCK_BYTES: usize = 16_384;

/// Data blocks of one group of the inner code, at most: with their parity 64 MiB, what sealing holds in memory for it.
pub const GROUP_DATA_BLOCKS_MAX: u64 = 3840;

/// Data blocks for each parity block of the inner code.
const DATA_BLOCKS_PER_PARITY_BLOCK: u64 = 15;

/// Shards of one object, at most; as `bailiwick_protocol::limits::SHARDS_MAX`.
pub const SHARDS_MAX: u16 = 255;

/// Blocks of the shards are multiples of this: what the code works on at a time.
const GRAIN: u64 = 64;

/// How an object of a given padded length is split. Two objects of the same k, n and length have the same geometry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Geometry {
    k: u16,
    n: u16,
    padded_length: u64,
    block: usize,
    stripes: u64,
    groups: u64,
    parity_per_group: u64,
}

impl Geometry {
    /// The split of `padded_length` bytes into `n` shards of which any `k` rebuild them.
    ///
    /// # Errors
    /// `Count` outside 1 <= k <= n <= 255, n >= 2; `Length` for nothing, or shards of more than 2^32 blocks.
    pub fn new(k: u16, n: u16, padded_length: u64) -> Result<Self, ErasureError> {
        if k == 0 || k > n || !(2..=SHARDS_MAX).contains(&n) {
            return Err(ErasureError::Count { k, n });
        }
        let length = ErasureError::Length { bytes: padded_length };
        if padded_length == 0 {
            return Err(length);
        }
        let per_shard = padded_length.div_ceil(u64::from(k));
        let (block, stripes) = if per_shard <= BLOCK_BYTES as u64 {
            (per_shard.div_ceil(GRAIN) * GRAIN, 1)
        } else {
            (BLOCK_BYTES as u64, padded_length.div_ceil(BLOCK_BYTES as u64).div_ceil(u64::from(k)))
        };
        if stripes > u64::from(u32::MAX) {
            return Err(length);
        }
        let groups = stripes.div_ceil(GROUP_DATA_BLOCKS_MAX);
        // One block has no parity: a copy of it would lie beside it and be lost with it.
        let parity_per_group =
            if stripes == 1 { 0 } else { stripes.div_ceil(groups).div_ceil(DATA_BLOCKS_PER_PARITY_BLOCK) };
        let block = usize::try_from(block).map_err(|_| length)?;
        Ok(Self { k, n, padded_length, block, stripes, groups, parity_per_group })
    }

    /// Shards that rebuild the object.
    #[must_use]
    pub fn k(&self) -> u16 {
        self.k
    }

    /// Shards made.
    #[must_use]
    pub fn n(&self) -> u16 {
        self.n
    }

    /// Bytes of the padded plaintext.
    #[must_use]
    pub fn padded_length(&self) -> u64 {
        self.padded_length
    }

    /// Bytes of a block: 16,384, fewer (a multiple of 64) when a shard has only one.
    #[must_use]
    pub fn block_bytes(&self) -> usize {
        self.block
    }

    /// Bytes of the data blocks of one stripe.
    #[must_use]
    pub fn stripe_bytes(&self) -> usize {
        self.block * usize::from(self.k)
    }

    /// Stripes of the object: data blocks of every shard, before its parity blocks.
    #[must_use]
    pub fn stripes(&self) -> u64 {
        self.stripes
    }

    /// Groups of the inner code in every shard.
    #[must_use]
    pub fn groups(&self) -> u64 {
        self.groups
    }

    /// Blocks of one group that may be lost, parity blocks among them.
    #[must_use]
    pub fn parity_per_group(&self) -> u64 {
        self.parity_per_group
    }

    /// Parity blocks of every shard, after its data blocks.
    #[must_use]
    pub fn parity_blocks(&self) -> u64 {
        self.groups * self.parity_per_group
    }

    /// Blocks of every shard.
    #[must_use]
    pub fn blocks(&self) -> u64 {
        self.stripes + self.parity_blocks()
    }

    /// Plaintext bytes of every shard.
    #[must_use]
    pub fn shard_bytes(&self) -> u64 {
        self.blocks() * self.block as u64
    }

    /// Data blocks of group `group`.
    #[must_use]
    pub(crate) fn group_data(&self, group: u64) -> u64 {
        (self.stripes - group).div_ceil(self.groups)
    }

    /// Where byte `offset` of the padded plaintext lies: stripe, shard, byte within the block.
    #[must_use]
    pub fn locate(&self, offset: u64) -> (u64, u16, usize) {
        let block = self.block as u64;
        let (number, within) = (offset / block, offset % block);
        let shard = u16::try_from(number % u64::from(self.k)).expect("a remainder of a 16-bit number");
        (number / u64::from(self.k), shard, usize::try_from(within).expect("below a block"))
    }
}
