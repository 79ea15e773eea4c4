//! Random access.

use bailiwick_envelope::{
    CobblestoneError, LayoutError, OpenError, Opener, RangeAuthenticity, ReadAt, Seekable,
};

use super::fixture::{CHUNK, HEADER, Object, SEALED};

fn opener(object: &Object) -> Opener {
    Opener::new(&object.pinned, &object.envelope, &[super::keys::copy(&object.reader)]).unwrap()
}

fn read(object: &Object, mut body: &[u8], offset: u64, len: u64) -> Result<Vec<u8>, OpenError> {
    let mut out = Vec::new();
    opener(object).open_range(&mut body, offset, len, &mut out).map(|_| out)
}

#[test]
fn every_range_around_the_borders() {
    for len in [0, 1, 16_349, 16_350, 16_351, 16_384, 3 * CHUNK, 3 * CHUNK + 7] {
        let object = Object::new(len, 1);
        let mut marks = vec![0, 1, len / 2, len.saturating_sub(1), len];
        marks.extend([
            CHUNK - object.head() - 1,
            CHUNK - object.head(),
            CHUNK - object.head() + 1,
            2 * CHUNK,
        ]);
        for &from in &marks {
            for &to in marks.iter().filter(|to| from <= **to && **to <= len) {
                let got = read(&object, &object.body, from as u64, (to - from) as u64).unwrap();
                assert_eq!(got, object.data[from..to], "{from}..{to} of {len}");
            }
        }
    }
}

#[test]
fn beyond_the_end_is_an_error_and_writes_nothing() {
    let object = Object::new(1000, 1);
    for (offset, len) in [(0, 1001), (1000, 1), (1001, 0), (u64::MAX, 1), (1, u64::MAX)] {
        let mut out = Vec::new();
        let result = opener(&object).open_range(&mut object.body.as_slice(), offset, len, &mut out);
        assert!(matches!(result, Err(OpenError::Range { len: 1000, .. })), "{offset}+{len}: {result:?}");
        assert!(out.is_empty());
    }
}

/// Reads which chunks were asked for.
struct Watched<'a> {
    body: &'a [u8],
    chunks: std::collections::BTreeSet<u64>,
    checked: bool,
}

impl ReadAt for Watched<'_> {
    fn read_exact_at(&mut self, buffer: &mut [u8], offset: u64) -> std::io::Result<()> {
        if offset >= HEADER as u64 {
            self.chunks.insert((offset - HEADER as u64) / SEALED as u64);
        }
        self.body.read_exact_at(buffer, offset)
    }

    fn authenticity(&self) -> RangeAuthenticity {
        if self.checked { RangeAuthenticity::OwnerSigned } else { RangeAuthenticity::KeyHoldersOnly }
    }
}

#[test]
fn only_the_chunks_needed_are_read_and_the_label_is_the_sources() {
    let object = Object::new(40 * CHUNK, 1);
    for checked in [false, true] {
        let mut body = Watched { body: &object.body, chunks: Default::default(), checked };
        let mut out = Vec::new();
        let range =
            opener(&object).open_range(&mut body, 20 * CHUNK as u64, 2 * CHUNK as u64, &mut out).unwrap();
        assert_eq!(out, object.data[20 * CHUNK..22 * CHUNK]);
        assert_eq!(body.chunks.into_iter().collect::<Vec<_>>(), [0, 20, 21, 22, 40]);
        assert_eq!(range.authenticity == RangeAuthenticity::OwnerSigned, checked);
        assert_eq!(range.object.metadata, object.metadata);
    }
    let mut file = Seekable(std::io::Cursor::new(&object.body));
    let range = opener(&object).open_range(&mut file, 5, 5, std::io::sink()).unwrap();
    assert_eq!(range.authenticity, RangeAuthenticity::KeyHoldersOnly);
}

/// E08, E11, E25 by range: moved or changed chunks fail where they are read, and only there.
#[test]
fn e25_damage_is_seen_where_it_is_read() {
    let object = Object::new(40 * CHUNK, 1);
    let mut body = object.body.clone();
    body[HEADER + 10 * SEALED + 77] ^= 4;
    let at = 10 * CHUNK as u64;
    let result = read(&object, &body, at, 10);
    assert!(matches!(result, Err(OpenError::Body(CobblestoneError::Chunk { index: 10 }))), "{result:?}");
    let before = at - object.head() as u64 - 20;
    assert_eq!(
        read(&object, &body, before, 20).unwrap(),
        object.data[usize::try_from(before).unwrap()..][..20]
    );
    body[3] ^= 1;
    assert!(matches!(read(&object, &body, 0, 1), Err(OpenError::BodyHeader)));
    let cut = &object.body[..HEADER + 5 * SEALED];
    assert!(matches!(read(&object, cut, 0, 1), Err(OpenError::Body(CobblestoneError::Read(_)))));
}

/// A data length the body has no room for, signed by the owner: a range is refused as the whole is.
#[test]
fn a_range_of_a_body_with_an_impossible_length_is_refused() {
    let honest = Object::new(20_000, 1);
    let plain = honest.plaintext();
    for length in [20_001u64, 1 << 40, u64::MAX] {
        let plain = [&plain[..plain.len() - 8], &length.to_le_bytes()].concat();
        let (envelope, body) = honest.forged(&plain, true);
        let opener = Opener::new(&honest.pinned, &envelope, &[super::keys::copy(&honest.reader)]).unwrap();
        let mut out = Vec::new();
        let result = opener.open_range(&mut body.as_slice(), length - 1, 1, &mut out);
        assert!(matches!(result, Err(OpenError::Layout(LayoutError::DataLength))), "{length}: {result:?}");
        assert!(out.is_empty());
    }
    assert_eq!(read(&honest, &honest.body, 19_999, 1).unwrap(), honest.data[19_999..]);
}
