//! Buffers that are longer than whole stripes, and streams cut short: what is over or missing would be left out, and nobody would know.

use bailiwick_erasure::{BLOCK_BYTES, ErasureError, Geometry, Splitter, StripeDecoder, StripeEncoder};

#[test]
fn data_after_the_last_whole_stripe_is_not_left_out() {
    let g = Geometry::new(2, 4, 200_000).unwrap();
    let mut encoder = StripeEncoder::new(&g).unwrap();
    let mut further = vec![0; 2 * BLOCK_BYTES];
    encoder.encode(&vec![1; 2 * BLOCK_BYTES], &mut further).unwrap();
    for more in [1, 2 * BLOCK_BYTES - 1] {
        let data = vec![1; 2 * BLOCK_BYTES + more];
        assert!(matches!(encoder.encode(&data, &mut further), Err(ErasureError::Buffer)), "{more}");
    }
}

#[test]
fn room_after_the_last_whole_stripe_is_not_left_as_it_was() {
    let g = Geometry::new(2, 4, 200_000).unwrap();
    let piece = vec![0; BLOCK_BYTES];
    for held in [[0, 1], [0, 3]] {
        let mut decoder = StripeDecoder::new(&g, &held).unwrap();
        decoder.decode(&[&piece, &piece], &mut vec![0; 2 * BLOCK_BYTES]).unwrap();
        let mut longer = vec![0; 2 * BLOCK_BYTES + 7];
        let found = decoder.decode(&[&piece, &piece], &mut longer);
        assert!(matches!(found, Err(ErasureError::Buffer)), "{held:?}");
    }
}

/// A stream given up half way has no geometry: what was split so far would pass for the whole.
#[test]
fn a_stream_that_was_not_read_to_its_end_has_no_geometry() {
    let plain = vec![1; 5 * BLOCK_BYTES];
    let split = |batches: usize| {
        let mut s = Splitter::new(plain.as_slice(), 2, 3, 1).unwrap();
        for _ in 0..batches {
            assert!(s.next_batch().unwrap().is_some());
        }
        s.finish().map(|(geometry, _)| geometry.padded_length())
    };
    assert_eq!(split(3).unwrap(), 5 * BLOCK_BYTES as u64);
    for batches in [0, 1, 2] {
        assert!(matches!(split(batches), Err(ErasureError::Length { .. })), "{batches}");
    }
}

#[test]
fn counts_are_refused_before_anything_is_read() {
    assert!(Splitter::new([1u8].as_slice(), 2, 3, 1).is_ok());
    for (k, n) in [(0, 3), (4, 3), (1, 1), (2, 256)] {
        let found = Splitter::new([1u8].as_slice(), k, n, 1).err();
        assert!(matches!(found, Some(ErasureError::Count { .. })), "{k} of {n}");
    }
}
