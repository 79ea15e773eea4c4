//! The code across shards: any k of n.

use bailiwick_erasure::{BLOCK_BYTES, ErasureError, Geometry, StripeDecoder, StripeEncoder, bodies_digest};
use proptest::prelude::*;

pub(super) fn bytes(n: usize, seed: u64) -> Vec<u8> {
    let mut x = seed | 1;
    (0..n)
        .map(|_| {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            (x >> 32) as u8
        })
        .collect()
}

/// The blocks of every shard, one stripe after the other.
fn shards(g: &Geometry, data: &[u8]) -> Vec<Vec<u8>> {
    let (k, n, b) = (usize::from(g.k()), usize::from(g.n()), g.block_bytes());
    let stripes = data.len() / (k * b);
    let mut further = vec![0; stripes * (n - k) * b];
    StripeEncoder::new(g).unwrap().encode(data, &mut further).unwrap();
    let pick = |from: &[u8], of: usize, i: usize| -> Vec<u8> {
        from.chunks_exact(of * b).flat_map(|s| s[i * b..][..b].to_vec()).collect()
    };
    (0..n).map(|i| if i < k { pick(data, k, i) } else { pick(&further, n - k, i - k) }).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_k_shards_rebuild_and_k_less_one_are_refused(
        n in 2u16..40, kk in any::<u16>(), length in 1u64..200_000, order in any::<u64>(),
    ) {
        let k = kk % n + 1;
        let g = Geometry::new(k, n, length).unwrap();
        let data = bytes(usize::try_from(g.stripes()).unwrap() * g.stripe_bytes(), order);
        let made = shards(&g, &data);
        // A random k of them in a random order.
        let mut chosen: Vec<u16> = (0..n).collect();
        let mut x = order;
        for i in (1..chosen.len()).rev() {
            x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            chosen.swap(i, (x >> 33) as usize % (i + 1));
        }
        chosen.truncate(usize::from(k));
        let pieces: Vec<&[u8]> = chosen.iter().map(|s| made[usize::from(*s)].as_slice()).collect();
        let mut back = vec![0xee; data.len()];
        let mut decoder = StripeDecoder::new(&g, &chosen).unwrap();
        decoder.decode(&pieces, &mut back).unwrap();
        prop_assert!(back == data);
        // The same decoder for fewer stripes.
        let part: Vec<&[u8]> = pieces.iter().map(|p| &p[..g.block_bytes()]).collect();
        back[..g.stripe_bytes()].fill(0);
        decoder.decode(&part, &mut back[..g.stripe_bytes()]).unwrap();
        prop_assert!(back == data);
        chosen.pop();
        let found = usize::from(k) - 1;
        let error = StripeDecoder::new(&g, &chosen).unwrap_err();
        let named = matches!(error, ErasureError::TooFew { needed, found: f } if needed == k && f == found);
        prop_assert!(named);
    }
}

/// Every choice of 3 from 5.
#[test]
fn every_subset_of_a_small_code_rebuilds() {
    let g = Geometry::new(3, 5, 3 * 64).unwrap();
    let data = bytes(g.stripe_bytes(), 5);
    let made = shards(&g, &data);
    for mask in 0u32..32 {
        let held: Vec<u16> = (0..5).filter(|i| mask >> i & 1 == 1).collect();
        if held.len() != 3 {
            continue;
        }
        let pieces: Vec<&[u8]> = held.iter().map(|s| made[usize::from(*s)].as_slice()).collect();
        let mut back = vec![0; data.len()];
        StripeDecoder::new(&g, &held).unwrap().decode(&pieces, &mut back).unwrap();
        assert_eq!(back, data, "{held:?}");
    }
}

#[test]
fn unknown_duplicate_and_misfit_input_is_refused() {
    let g = Geometry::new(2, 4, 100_000).unwrap();
    assert!(matches!(StripeDecoder::new(&g, &[0, 4]), Err(ErasureError::NoSuchShard(4))));
    assert!(matches!(StripeDecoder::new(&g, &[3, 3]), Err(ErasureError::Duplicate(3))));
    let mut d = StripeDecoder::new(&g, &[0, 3]).unwrap();
    let piece = vec![0; BLOCK_BYTES];
    let mut out = vec![0; 2 * BLOCK_BYTES];
    assert!(matches!(d.decode(&[&piece], &mut out), Err(ErasureError::Buffer)));
    assert!(matches!(d.decode(&[&piece, &piece[1..]], &mut out), Err(ErasureError::Buffer)));
    assert!(matches!(d.decode(&[&piece, &piece], &mut out[1..]), Err(ErasureError::Buffer)));
    let mut e = StripeEncoder::new(&g).unwrap();
    assert!(matches!(e.encode(&out, &mut vec![0; BLOCK_BYTES]), Err(ErasureError::Buffer)));
    assert!(matches!(e.encode(&out[1..], &mut vec![0; 2 * BLOCK_BYTES]), Err(ErasureError::Buffer)));
}

/// Shards lie on hosts for years: another version of the library must give the same bytes. Also the vector of spec shards.
#[test]
fn the_code_does_not_change_with_its_library() {
    let digest = |k: u16, n: u16| {
        let g = Geometry::new(k, n, u64::from(k) * 128).unwrap();
        let data: Vec<u8> = (0..g.stripe_bytes()).map(|i| (i * i % 253) as u8).collect();
        let all: Vec<[u8; 32]> = shards(&g, &data).iter().map(|s| *blake3::hash(s).as_bytes()).collect();
        hex::encode(bodies_digest(&all))
    };
    assert_eq!(digest(10, 14), "d7db9d029d965794a71c57814a05bbdc6e679aa42f95d08540076787a0db563f");
    assert_eq!(digest(3, 11), "b1a81b1bcd4a92f4c01efbce9c7bed831592b48c1bd485b680f8912b61721afc");
    assert_eq!(digest(1, 3), "0b4e326dcc1023a3c5b2ac0cfb0ea0491026445c2095092e06861700d8f90a0a");
    assert_eq!(digest(17, 255), "bb9a791bdef1cb5700d0065e04e0811b70ac977c9b7ea633b194d18506619650");
}
