//! Geometry and the splitter.

use std::io::{self, Read};

use bailiwick_erasure::{BLOCK_BYTES, ErasureError, Geometry, Splitter};
use proptest::prelude::*;

const B: u64 = BLOCK_BYTES as u64;

#[test]
fn counts_and_lengths_outside_the_limits_are_refused() {
    for (k, n) in [(0, 2), (3, 2), (1, 1), (1, 0), (2, 256), (256, 256)] {
        assert!(matches!(Geometry::new(k, n, 1), Err(ErasureError::Count { .. })), "{k} of {n}");
    }
    assert!(matches!(Geometry::new(1, 2, 0), Err(ErasureError::Length { bytes: 0 })));
    assert!(matches!(Geometry::new(1, 2, u64::MAX), Err(ErasureError::Length { .. })));
    Geometry::new(255, 255, 1 << 40).unwrap();
    Geometry::new(1, 255, 1).unwrap();
}

/// The figures of spec shards, clauses Q1 to Q5.
#[test]
fn block_stripe_and_parity_counts() {
    let shape = |k, length| {
        let g = Geometry::new(k, 14, length).unwrap();
        (g.block_bytes(), g.stripes(), g.groups(), g.parity_blocks())
    };
    assert_eq!(shape(10, 1), (64, 1, 1, 0));
    assert_eq!(shape(10, 640), (64, 1, 1, 0));
    assert_eq!(shape(10, 641), (128, 1, 1, 0));
    assert_eq!(shape(10, 10 * B), (BLOCK_BYTES, 1, 1, 0));
    assert_eq!(shape(10, 10 * B + 1), (BLOCK_BYTES, 2, 1, 1));
    assert_eq!(shape(10, 150 * B), (BLOCK_BYTES, 15, 1, 1));
    assert_eq!(shape(10, 150 * B + 1), (BLOCK_BYTES, 16, 1, 2));
    assert_eq!(shape(10, 38_400 * B), (BLOCK_BYTES, 3840, 1, 256));
    assert_eq!(shape(10, 38_400 * B + 1), (BLOCK_BYTES, 3841, 2, 2 * 129));
}

#[test]
fn a_byte_is_found_where_it_lies() {
    let g = Geometry::new(3, 5, 7 * B + 5).unwrap();
    assert_eq!(g.locate(0), (0, 0, 0));
    assert_eq!(g.locate(B - 1), (0, 0, BLOCK_BYTES - 1));
    assert_eq!(g.locate(4 * B + 9), (1, 1, 9));
    assert_eq!(g.locate(7 * B + 4), (2, 1, 4));
}

/// Gives one byte, then three, and so on.
struct Dribble<'a>(&'a [u8], usize);

impl Read for Dribble<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.1 = self.1 % 5000 + 1;
        let n = self.1.min(self.0.len()).min(buf.len());
        buf[..n].copy_from_slice(&self.0[..n]);
        self.0 = &self.0[n..];
        Ok(n)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Batches together are the stream and zeros, whatever its length and the batch's.
    #[test]
    fn a_stream_comes_in_whole_stripes(
        k in 1u16..6, more in 0u16..3, batch in 1usize..5, blocks in 0usize..12, delta in -2i64..3,
    ) {
        let n = (k + more).max(2);
        let length = usize::try_from(((blocks * BLOCK_BYTES) as i64 + delta).max(1)).unwrap();
        let plain: Vec<u8> = (0..length).map(|i| (i % 251) as u8 | 1).collect();
        let mut s = Splitter::new(Dribble(&plain, 0), k, n, batch).unwrap();
        let mut seen = Vec::new();
        let mut stripes = 0;
        let mut blocks = Vec::new();
        while let Some(b) = s.next_batch().unwrap() {
            prop_assert_eq!(b.first, stripes);
            prop_assert_eq!(b.data.len() % (b.block * usize::from(k)), 0);
            stripes += (b.data.len() / (b.block * usize::from(k))) as u64;
            blocks.push(b.block);
            seen.extend_from_slice(b.data);
        }
        let (g, _) = s.finish().unwrap();
        prop_assert_eq!(g, Geometry::new(k, n, length as u64).unwrap());
        let g = Geometry::new(k, n, length as u64).unwrap();
        prop_assert_eq!(stripes, g.stripes());
        prop_assert!(blocks.iter().all(|b| *b == g.block_bytes()));
        prop_assert_eq!(&seen[..length], &plain[..]);
        prop_assert!(seen[length..].iter().all(|b| *b == 0));
    }
}

#[test]
fn an_empty_or_failing_stream_is_an_error() {
    assert!(matches!(
        Splitter::new(io::empty(), 2, 3, 1).unwrap().next_batch(),
        Err(ErasureError::Length { bytes: 0 })
    ));
    struct Fails;
    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }
    assert!(matches!(Splitter::new(Fails, 2, 3, 1).unwrap().next_batch(), Err(ErasureError::Read(_))));
    let unread = Splitter::new([1u8].as_slice(), 2, 3, 1).unwrap();
    assert!(matches!(unread.finish(), Err(ErasureError::Length { .. })));
}
