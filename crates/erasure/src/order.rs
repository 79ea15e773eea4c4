//! Which blocks of a shard belong to one group, and where parity blocks lie: known to those who hold the shard's key, so
//! that a host cannot choose deletions that hurt one group most (spec shards, clause Q6).

use crate::geometry::Geometry;

/// Rounds of the Feistel network; four suffice against an adversary who asks for values (Luby and Rackoff 1988), and a host sees none.
const ROUNDS: u8 = 8;

/// A keyed permutation of the numbers below `len`: a Feistel network over an even number of bits, walked until it lands below `len`.
struct Permutation<'a> {
    key: &'a [u8; 32],
    area: u8,
    len: u64,
    half_bits: u32,
}

impl Permutation<'_> {
    fn new<'a>(key: &'a [u8; 32], area: u8, len: u64) -> Permutation<'a> {
        let bits = u64::BITS - len.saturating_sub(1).leading_zeros();
        Permutation { key, area, len, half_bits: bits.div_ceil(2).max(1) }
    }

    /// First four bytes, as many bits as half the number has, of BLAKE3 keyed over area ‖ round ‖ LE32 half.
    fn round(&self, round: u8, half: u64) -> u64 {
        let mut input = [self.area, round, 0, 0, 0, 0];
        input[2..].copy_from_slice(&half.to_le_bytes()[..4]);
        let hash = blake3::keyed_hash(self.key, &input);
        let word = hash.as_bytes().first_chunk::<4>().map_or(0, |b| u64::from(u32::from_le_bytes(*b)));
        word & ((1 << self.half_bits) - 1)
    }

    fn forward(&self, mut x: u64) -> u64 {
        loop {
            let (mut left, mut right) = (x >> self.half_bits, x & ((1 << self.half_bits) - 1));
            for r in 0..ROUNDS {
                (left, right) = (right, left ^ self.round(r, right));
            }
            x = left << self.half_bits | right;
            if x < self.len {
                return x;
            }
        }
    }
}

/// The order of one shard's blocks under its key.
#[derive(Clone, Copy)]
pub struct Order<'a> {
    geometry: &'a Geometry,
    key: &'a [u8; 32],
}

impl std::fmt::Debug for Order<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Order").field("geometry", self.geometry).finish_non_exhaustive()
    }
}

impl<'a> Order<'a> {
    /// The order under a shard's order key (spec shards, clause Q6).
    #[must_use]
    pub fn new(geometry: &'a Geometry, key: &'a [u8; 32]) -> Self {
        Self { geometry, key }
    }

    pub(crate) fn geometry(&self) -> &'a Geometry {
        self.geometry
    }

    /// Positions in the shard of a group's data blocks, by their place in the code. `group` is below the number of groups.
    #[must_use]
    pub fn data(&self, group: u64) -> Vec<u64> {
        let g = self.geometry;
        let areas = Permutation::new(self.key, 0, g.stripes());
        (0..g.group_data(group))
            .map(|place| place * g.groups() + group)
            .map(|x| if g.groups() == 1 { x } else { areas.forward(x) })
            .collect()
    }

    /// Positions in the shard of a group's parity blocks, by their place in the code.
    #[must_use]
    pub fn parity(&self, group: u64) -> Vec<u64> {
        let g = self.geometry;
        let areas = Permutation::new(self.key, 1, g.parity_blocks());
        (0..g.parity_per_group())
            .map(|place| place * g.groups() + group)
            .map(|x| g.stripes() + if g.groups() == 1 { x } else { areas.forward(x) })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Permutation;

    #[test]
    fn every_number_comes_once() {
        for len in [1u64, 2, 3, 4, 5, 16, 17, 63, 64, 65, 1000] {
            for area in [0, 1] {
                let p = Permutation::new(&[9; 32], area, len);
                let mut seen: Vec<u64> = (0..len).map(|x| p.forward(x)).collect();
                seen.sort_unstable();
                assert!(seen.iter().copied().eq(0..len), "{len}");
            }
        }
    }
}
