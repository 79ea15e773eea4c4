//! The container: honest files, then one attack per test (assurance Z21 and the bad input of issue 4).

use std::io::{Cursor, Read, Seek, SeekFrom, Write};

use bailiwick_iden3::binfile::{BinFile, BinFileError, BinFileWriter, Format, SECTIONS_MAX};
use proptest::prelude::*;

const FORMAT: Format = Format { magic: *b"wtns", version: 2 };

fn file(sections: &[(u32, &[u8])]) -> Vec<u8> {
    let mut out =
        BinFileWriter::new(Cursor::new(Vec::new()), FORMAT, u32::try_from(sections.len()).unwrap()).unwrap();
    for (kind, content) in sections {
        out.section(*kind, |to| Ok::<_, BinFileError>(to.write_all(content)?)).unwrap();
    }
    out.finish().unwrap().into_inner()
}

fn honest() -> Vec<u8> {
    file(&[(2, b"abcd\x01\0\0\0"), (1, &7u64.to_le_bytes())])
}

fn open(bytes: &[u8]) -> Result<BinFile<Cursor<&[u8]>>, BinFileError> {
    BinFile::open(Cursor::new(bytes), FORMAT)
}

#[test]
fn the_layout_is_that_of_the_specification() {
    let mut expected = b"wtns\x02\0\0\0\x02\0\0\0".to_vec();
    expected.extend(b"\x02\0\0\0\x08\0\0\0\0\0\0\0abcd\x01\0\0\0");
    expected.extend(b"\x01\0\0\0\x08\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0");
    assert_eq!(honest(), expected);
}

#[test]
fn sections_read_in_any_order() {
    let bytes = honest();
    let mut f = open(&bytes).unwrap();
    assert_eq!(f.kinds().collect::<Vec<_>>(), [2, 1]);
    assert!(f.has(1) && !f.has(3));
    f.only(&[1, 2]).unwrap();
    let mut one = f.section(1).unwrap();
    assert_eq!(one.u64().unwrap(), 7);
    one.finish().unwrap();
    let mut two = f.section(2).unwrap();
    assert_eq!(&two.array::<4>().unwrap(), b"abcd");
    assert_eq!(two.u32().unwrap(), 1);
    two.finish().unwrap();
}

#[test]
fn another_magic_or_version_is_named() {
    let mut bytes = honest();
    bytes[0] = b'r';
    assert!(matches!(open(&bytes), Err(BinFileError::Magic { .. })));
    let mut bytes = honest();
    bytes[4] = 1;
    assert!(matches!(open(&bytes), Err(BinFileError::Version { expected: 2, found: 1 })));
}

#[test]
fn truncated_at_every_length_is_refused() {
    let bytes = honest();
    for n in 0..bytes.len() {
        assert!(matches!(open(&bytes[..n]), Err(BinFileError::Truncated { .. })), "{n}");
    }
}

#[test]
fn trailing_bytes_are_refused() {
    let mut bytes = honest();
    bytes.push(0);
    assert!(matches!(open(&bytes), Err(BinFileError::Trailing { bytes: 1 })));
}

#[test]
fn a_section_twice_is_refused() {
    assert!(matches!(open(&file(&[(1, b""), (1, b"")])), Err(BinFileError::Duplicate { kind: 1 })));
}

#[test]
fn too_many_sections_are_refused_before_they_are_walked() {
    let mut bytes = honest();
    bytes[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(matches!(open(&bytes), Err(BinFileError::TooManySections { count: u32::MAX })));
    let many: Vec<(u32, &[u8])> = (0..SECTIONS_MAX).map(|k| (k, b"".as_slice())).collect();
    assert!(open(&file(&many)).is_ok());
}

#[test]
fn a_length_over_the_end_is_refused_also_when_the_sum_overflows() {
    for length in [9u64, 1 << 33, u64::MAX, u64::MAX - 23] {
        let mut bytes = honest();
        bytes[16..24].copy_from_slice(&length.to_le_bytes());
        let e = open(&bytes).unwrap_err();
        assert!(matches!(e, BinFileError::Truncated { .. }), "{length}: {e}");
    }
}

#[test]
fn a_length_that_overlaps_the_next_section_is_refused() {
    // The second section header is then read from inside the first section.
    let mut bytes = honest();
    bytes[16..24].copy_from_slice(&4u64.to_le_bytes());
    assert!(open(&bytes).is_err());
}

#[test]
fn a_missing_or_unknown_section_is_named() {
    let bytes = honest();
    let mut f = open(&bytes).unwrap();
    assert!(matches!(f.section(9), Err(BinFileError::Missing { kind: 9 })));
    assert!(matches!(f.only(&[1]), Err(BinFileError::Unknown { kind: 2 })));
}

#[test]
fn z21_a_count_of_two_to_the_33_is_refused_before_anything_is_allocated() {
    let bytes = honest();
    let mut f = open(&bytes).unwrap();
    let s = f.section(1).unwrap();
    assert_eq!(s.count(1, 8).unwrap(), 1);
    for (count, size) in [(1 << 33, 64), (u64::MAX, 64), (1 << 61, 8), (0, 8), (2, 8), (u64::MAX, 2)] {
        assert!(matches!(s.count(count, size), Err(BinFileError::Count { .. })), "{count} x {size}");
    }
}

#[test]
fn a_read_never_leaves_its_section() {
    let bytes = honest();
    let mut f = open(&bytes).unwrap();
    let mut s = f.section(2).unwrap();
    assert!(matches!(s.array::<9>(), Err(BinFileError::Short { kind: 2, wanted: 9, left: 8 })));
    assert_eq!(s.left(), 8);
}

#[test]
fn bytes_nobody_reads_are_refused() {
    let bytes = honest();
    let mut f = open(&bytes).unwrap();
    let mut s = f.section(2).unwrap();
    s.u32().unwrap();
    assert!(matches!(s.finish(), Err(BinFileError::Leftover { kind: 2, bytes: 4 })));
}

#[test]
fn a_writer_keeps_its_announcement() {
    let out = BinFileWriter::new(Cursor::new(Vec::new()), FORMAT, 1).unwrap();
    assert!(matches!(out.finish(), Err(BinFileError::SectionCount { announced: 1, written: 0 })));
}

/// A file of 2^40 bytes that costs nothing to make: zeros after an honest beginning.
struct Sparse {
    head: Vec<u8>,
    at: u64,
    read: u64,
}

impl Read for Sparse {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        for b in to.iter_mut() {
            *b = usize::try_from(self.at).ok().and_then(|at| self.head.get(at)).copied().unwrap_or(0);
            self.at += 1;
            self.read += 1;
        }
        Ok(to.len())
    }
}

impl Seek for Sparse {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(n) => n,
            SeekFrom::End(n) => (1u64 << 40).checked_add_signed(n).unwrap(),
            SeekFrom::Current(n) => self.at.checked_add_signed(n).unwrap(),
        };
        Ok(self.at)
    }
}

#[test]
fn a_huge_file_costs_only_its_section_table() {
    let mut head = honest();
    head[16..24].copy_from_slice(&(1u64 << 39).to_le_bytes());
    let mut sparse = Sparse { head, at: 0, read: 0 };
    assert!(BinFile::open(&mut sparse, FORMAT).is_err());
    assert!(sparse.read <= 4 << 16, "{} bytes read", sparse.read);
}

proptest! {
    #[test]
    fn what_is_written_is_read(sections in proptest::collection::btree_map(0u32..99, proptest::collection::vec(any::<u8>(), 0..99), 0..9)) {
        let list: Vec<_> = sections.iter().map(|(k, c)| (*k, c.as_slice())).collect();
        let bytes = file(&list);
        let mut f = open(&bytes).unwrap();
        for (kind, content) in &sections {
            let mut s = f.section(*kind).unwrap();
            let mut found = vec![0; s.count(content.len() as u64, 1).unwrap()];
            s.fill(&mut found).unwrap();
            s.finish().unwrap();
            prop_assert_eq!(&found, content);
        }
    }

    #[test]
    fn any_bytes_give_an_error_and_no_panic(tail in proptest::collection::vec(any::<u8>(), 0..99)) {
        let mut bytes = b"wtns\x02\0\0\0".to_vec();
        bytes.extend(tail);
        if let Ok(mut f) = open(&bytes) {
            for kind in f.kinds().collect::<Vec<_>>() {
                prop_assert!(f.section(kind).is_ok());
            }
        }
    }
}
