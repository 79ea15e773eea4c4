//! Properties.

use bailiwick_envelope::cobblestone::{ChunkKeys, body_bytes, decrypt, encrypt, plain_bytes};
use bailiwick_envelope::{Opener, Padding};
use bailiwick_protocol::envelope::body_size_is_possible;
use bailiwick_protocol::secret::Secret;
use proptest::prelude::*;

use super::fixture::{CHUNK, Object, data};

/// Sizes near chunk and batch borders.
fn sizes() -> impl Strategy<Value = usize> {
    (prop::sample::select(vec![0, 1, 2, 63, 64, 65, 128]), 0usize..64)
        .prop_map(|(chunks, delta)| (chunks * CHUNK + delta).saturating_sub(32))
}

/// Gives a few bytes at a time, as a pipe does.
struct Dribble<'a>(&'a [u8], usize);

impl std::io::Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = buffer.len().min(self.1).min(self.0.len());
        let (now, later) = self.0.split_at(n);
        buffer[..n].copy_from_slice(now);
        self.0 = later;
        Ok(n)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whole_and_range_give_back_what_was_sealed(len in sizes(), pad in any::<bool>(), at in any::<prop::sample::Index>(), seed in 1u8..) {
        let padding = if pad { Padding::Padme } else { Padding::None };
        let object = Object::with(data(len, seed), seed, padding, false);
        let (opened, out) = object.open();
        let opened = opened.unwrap();
        prop_assert_eq!(&out, &object.data);
        prop_assert_eq!(opened.data_len, len as u64);
        prop_assert_eq!(opened.metadata, object.metadata.clone());
        let info = object.decoded().body;
        prop_assert_eq!(info.size, object.body.len() as u64);
        let hash: [u8; 32] = blake3::hash(&object.body).into();
        prop_assert_eq!(info.blake3.0, hash);
        let from = at.index(len + 1);
        let opener = Opener::new(&object.pinned, &object.envelope, &[super::keys::copy(&object.reader)]).unwrap();
        let mut some = Vec::new();
        opener.open_range(&mut object.body.as_slice(), from as u64, (len - from) as u64, &mut some).unwrap();
        prop_assert_eq!(&some, &object.data[from..]);
    }

    #[test]
    fn however_the_bytes_arrive(len in sizes(), piece in prop::sample::select(vec![1usize << 10, 16_383, 16_401, 1 << 20])) {
        let plain = data(len, 1);
        let key = Secret::init_with(|b| *b = [1; 32]);
        let keys = ChunkKeys::derive(&key, &[2; 24], &[]);
        let (mut whole, mut pieces) = (Vec::new(), Vec::new());
        let a = encrypt(plain.as_slice(), &mut whole, &keys).unwrap();
        let b = encrypt(Dribble(&plain, piece), &mut pieces, &keys).unwrap();
        prop_assert_eq!(a, b);
        prop_assert!(whole == pieces);
        let mut out = Vec::new();
        let c = decrypt(Dribble(&pieces, piece), &mut out, &key, &[]).unwrap();
        prop_assert_eq!(a, c);
        prop_assert!(out == plain);
    }

    #[test]
    fn sizes_convert_both_ways(plain in 0u64..1 << 36) {
        let size = body_bytes(plain).unwrap();
        prop_assert!(body_size_is_possible(size));
        prop_assert_eq!(plain_bytes(size), Some(plain));
    }
}

/// No panic, no overflow on any size.
#[test]
fn impossible_sizes_have_no_plaintext() {
    for size in (0..72).chain([56 + 16_400, 56 + 16_415, 56 + 2 * 16_400]) {
        assert_eq!(plain_bytes(size), None, "{size}");
    }
    assert_eq!(plain_bytes(72), Some(0));
    assert_eq!(body_bytes(u64::MAX), None);
}

/// Two seals of one file have nothing in common but their size.
#[test]
fn sealing_twice_gives_unrelated_bodies() {
    let (a, b) = (Object::new(100_000, 1), Object::new(100_000, 2));
    assert_eq!(a.body.len(), b.body.len());
    let same = a.body.iter().zip(&b.body).filter(|(x, y)| x == y).count();
    assert!(same < a.body.len() / 150, "{same} equal bytes");
}
