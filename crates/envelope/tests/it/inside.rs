//! Bodies that are authentic and signed, but malformed inside.

use bailiwick_envelope::{LayoutError, Metadata, OpenError, Padding, SealError, SealOptions, padme, seal};
use bailiwick_protocol::codec::Canonical as _;

use super::fixture::{CHUNK, Object, rng};

fn refused(object: &Object, plaintext: &[u8]) -> LayoutError {
    let (envelope, body) = object.forged(plaintext, true);
    match object.open_with(&envelope, &body).0 {
        Err(OpenError::Layout(e)) => e,
        other => panic!("{other:?}"),
    }
}

#[test]
fn honest_twin_opens() {
    let object = Object::new(20_000, 1);
    let (envelope, body) = object.forged(&object.plaintext(), true);
    assert_eq!(object.open_with(&envelope, &body).1, object.data);
}

#[test]
fn padding_must_be_zero() {
    for len in [100, 20_000, 3 * CHUNK] {
        let object = Object::new(len, 1);
        let mut plain = object.plaintext();
        let length = plain.split_off(plain.len() - 8);
        plain.extend_from_slice(&[0; 700]);
        let (envelope, body) = object.forged(&[&plain[..], &length].concat(), true);
        assert_eq!(object.open_with(&envelope, &body).1, object.data, "zeros are padding");
        for at in [len + object.head(), plain.len() - 1] {
            let mut bad = plain.clone();
            bad[at] = 1;
            assert_eq!(refused(&object, &[&bad[..], &length].concat()), LayoutError::Padding);
        }
    }
}

#[test]
fn data_length_must_fit() {
    let object = Object::new(20_000, 1);
    let plain = object.plaintext();
    let with_length = |n: u64| [&plain[..plain.len() - 8], &n.to_le_bytes()].concat();
    for n in [20_001, u64::MAX, u64::MAX - 7, 1 << 63] {
        assert_eq!(refused(&object, &with_length(n)), LayoutError::DataLength, "{n}");
    }
    for n in [0, 19_999] {
        assert_eq!(refused(&object, &with_length(n)), LayoutError::Padding, "{n}: data beyond the length");
    }
}

#[test]
fn metadata_must_be_bounded_text() {
    let object = Object::new(20_000, 1);
    let plain = object.plaintext();
    let name = |len: u16| [&len.to_le_bytes()[..], &plain[2..]].concat();
    assert_eq!(refused(&object, &name(4097)), LayoutError::MetadataLength);
    assert_eq!(refused(&object, &name(u16::MAX)), LayoutError::MetadataLength);
    let mut text = plain.clone();
    text[2] = 0xff;
    assert_eq!(refused(&object, &text), LayoutError::MetadataText);
    let media = [&[0, 0][..], &256u16.to_le_bytes(), &plain].concat();
    assert_eq!(refused(&object, &media), LayoutError::MetadataLength);
    // A media type that ends beyond the body, and a name that does.
    let beyond = [&[0, 0, 200, 0][..], &[b'a'; 30], &[0; 8]].concat();
    assert_eq!(refused(&object, &beyond), LayoutError::MetadataLength);
    assert_eq!(refused(&object, &beyond[2..]), LayoutError::MetadataLength);
    for tiny in [&[][..], &[0; 7]] {
        assert_eq!(refused(&object, tiny), LayoutError::DataLength);
    }
    for small in [&[0; 8][..], &[0; 11]] {
        assert_eq!(refused(&object, small), LayoutError::DataLength);
    }
    let (envelope, body) = object.forged(&[0; 12], true);
    assert_eq!(object.open_with(&envelope, &body).0.unwrap().data_len, 0);
}

/// Data that ends in zeros is not taken for padding, wherever chunk and batch borders fall.
#[test]
fn trailing_zeros_of_the_data_survive() {
    for (solid, zeros) in [(0, 1), (0, 100_000), (10, 16_374), (16_384, 16_384), (5, 2_000_000)] {
        for padding in [Padding::None, Padding::Padme] {
            let mut data = super::fixture::data(solid, 3);
            data.extend(std::iter::repeat_n(0, zeros));
            let object = Object::with(data, 2, padding, false);
            assert_eq!(object.open().1, object.data, "{solid} and {zeros} zeros");
        }
    }
}

/// E37: the body's size is a function of the Padmé length alone.
#[test]
fn e37_equal_buckets_give_equal_sizes() {
    let size = |len| Object::with(vec![1; len], 1, Padding::Padme, false).body.len();
    // With name, type and length about 100,030 bytes: E = 16, S = 5, buckets of 2,048 bytes up to 100,352.
    assert_eq!(size(99_000), size(100_000), "one bucket");
    assert_ne!(size(100_000), size(120_000), "another");
    // From the paper: L = 9 has E = 3, S = 2: one bit is cleared.
    for (len, padded) in [(0, 0), (1, 1), (2, 2), (8, 8), (9, 10), (10, 10), (1000, 1024), (1 << 20, 1 << 20)]
    {
        assert_eq!(padme(len), padded, "{len}");
    }
    for len in (2..1 << 16).chain((0..2000).map(|i| (1 << 40) + i * 7_654_321)) {
        let padded = padme(len);
        assert!(padded >= len && padded * 100 <= len * 112 + 100, "{len} became {padded}");
        assert_eq!(padme(padded), padded);
    }
}

/// Name and media type of the limit are sealed and opened; one byte more is refused before anything is written.
#[test]
fn metadata_of_the_limit_and_beyond() {
    let seal_as = |name: usize, media_type: usize| {
        let object = Object::new(10, 1);
        let options = SealOptions {
            owner: object.pinned,
            object: object.decoded().object,
            unit: object.decoded().unit,
            recipients: &[object.reader.public()],
            passphrase: None,
            anonymous: false,
            metadata: Metadata { name: "n".repeat(name), media_type: "m".repeat(media_type) },
            padding: Padding::None,
        };
        let mut body = Vec::new();
        let sealed = seal(&b"data"[..], &mut body, &options, &mut rng(1));
        assert_eq!(body.is_empty(), sealed.is_err(), "written although refused");
        let envelope = sealed?.envelope(None, &object.owner)?.to_bytes();
        let opened = object.open_with(&envelope, &body).0.unwrap();
        assert_eq!(opened.metadata, options.metadata);
        Ok::<_, SealError>(())
    };
    seal_as(4096, 255).unwrap();
    for (name, media_type) in [(4097, 0), (0, 256), (70_000, 0), (0, 1 << 16)] {
        let refused = seal_as(name, media_type);
        assert!(matches!(refused, Err(SealError::Metadata(LayoutError::MetadataLength))), "{refused:?}");
    }
}

/// Padding over several batches is padding: none of it comes out as data.
#[test]
fn long_padding_is_not_released() {
    let object = Object::new(100, 1);
    let plain = object.plaintext();
    let (head, length) = plain.split_at(plain.len() - 8);
    let (envelope, body) = object.forged(&[head, &vec![0; 3 << 20], length].concat(), true);
    let (opened, out) = object.open_with(&envelope, &body);
    assert_eq!(opened.unwrap().data_len, 100);
    assert_eq!(out, object.data);
}

/// A source without end is told apart from one that fails.
#[test]
fn a_source_that_is_too_large_is_said_to_be() {
    struct Endless(std::io::ErrorKind);
    impl std::io::Read for Endless {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(self.0.into())
        }
    }
    let object = Object::new(10, 1);
    let sealed = |kind| {
        let options = SealOptions {
            owner: object.pinned,
            object: object.decoded().object,
            unit: object.decoded().unit,
            recipients: &[object.reader.public()],
            passphrase: None,
            anonymous: false,
            metadata: Metadata::default(),
            padding: Padding::None,
        };
        seal(Endless(kind), std::io::sink(), &options, &mut rng(1)).unwrap_err()
    };
    assert!(matches!(sealed(std::io::ErrorKind::FileTooLarge), SealError::TooLarge));
    assert!(matches!(sealed(std::io::ErrorKind::TimedOut), SealError::Body(_)));
}
