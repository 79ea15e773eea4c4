//! Archives made to do harm.

use std::io::Write as _;

use bailiwick_archive::{
    ArchiveError, BLOCK_BYTES, ENTRIES_MAX, Entry, Index, Kind, NameFault, Sink, Special, Unpacker,
};

use super::memory::{Forged, archive_error, pack, sample, unpack};

fn refused(blocks: &[Vec<u8>]) -> ArchiveError {
    unpack(&blocks.concat(), 512).unwrap_err()
}

fn honest() {
    let tree = sample();
    assert_eq!(unpack(&pack(&tree), 512).unwrap(), tree);
}

/// E27: names in headers that lead elsewhere, links before what they point at.
#[test]
fn e27_traversal_and_links_are_refused() {
    honest();
    for (name, fault) in [
        ("../x", NameFault::Dots),
        ("a/../x", NameFault::Dots),
        ("/etc/x", NameFault::Absolute),
        ("a\\b", NameFault::Backslash),
        ("C:x", NameFault::Drive),
        ("nul", NameFault::Reserved),
    ] {
        let error = refused(&[Forged::file(name).block()]);
        assert!(matches!(&error, ArchiveError::Name { fault: f, .. } if *f == fault), "{name}: {error}");
    }
    for (flag, special) in [(b'1', Special::HardLink), (b'2', Special::SymbolicLink)] {
        let link = Forged { flag, link: "/etc", ..Forged::file("a") };
        let error = refused(&[link.block(), Forged::file("a/x").block()]);
        assert!(matches!(&error, ArchiveError::Special { special: s, .. } if *s == special), "{error}");
    }
    // A link's target in an ordinary file's header is no second way in.
    let hidden = Forged { link: "/etc/passwd", ..Forged::file("a") };
    assert!(matches!(refused(&[hidden.block()]), ArchiveError::NotCanonical { .. }));
    let not_text = Forged { name: vec![b'a', 0xff], ..Forged::file("a") };
    let error = refused(&[not_text.block()]);
    assert!(matches!(error, ArchiveError::Name { fault: NameFault::NotUtf8, .. }), "{error}");
}

/// E28: the same file twice, and two names one file system takes for one.
#[test]
fn e28_collisions_are_refused() {
    honest();
    let twice = refused(&[Forged::file("a").block(), Forged::file("a").block()]);
    assert!(matches!(twice, ArchiveError::Order { .. }));
    let case = refused(&[Forged::file("A").block(), Forged::file("a").block()]);
    assert!(matches!(case, ArchiveError::Collision { .. }));
    let unordered = refused(&[Forged::file("b").block(), Forged::file("a").block()]);
    assert!(matches!(unordered, ArchiveError::Order { .. }));
    let below_a_file = refused(&[Forged::file("a").block(), Forged::file("a/b").block()]);
    assert!(matches!(below_a_file, ArchiveError::NoFolder { .. }));
}

/// An extended header with these records, and a file after it.
fn extended(records: &str) -> ArchiveError {
    let size = format!("{:011o}\0", records.len()).into_bytes();
    let header = Forged { flag: b'x', size, ..Forged::file("././@PaxHeader") };
    let mut records = records.as_bytes().to_vec();
    records.resize(records.len().next_multiple_of(512), 0);
    refused(&[header.block(), records, Forged::file("a").block()])
}

/// E31: sizes that lie: sparse files, sizes beyond the end, base-256 and negative sizes, a size said twice.
#[test]
fn e31_lying_sizes_are_refused() {
    honest();
    let size = |s: &[u8; 12]| refused(&[Forged { size: s.to_vec(), ..Forged::file("a") }.block()]);
    assert!(matches!(size(b"77777777777\0"), ArchiveError::CutShort { .. }));
    for lie in [
        b"\x80\0\0\0\0\0\x7f\xff\xff\xff\xff\xff",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"-0000000001\0",
        b"          0\0",
        b"000000000000",
    ] {
        assert!(matches!(size(lie), ArchiveError::NotCanonical { .. }), "{lie:?}");
    }
    let sparse = Forged { flag: b'S', ..Forged::file("a") };
    let error = refused(&[sparse.block()]);
    assert!(matches!(error, ArchiveError::Special { special: Special::Sparse, .. }));
    let error = extended("22 GNU.sparse.major=1\n");
    assert!(matches!(error, ArchiveError::Special { special: Special::Sparse, .. }), "{error}");
    for records in [
        "10 size=1\n",
        "32 size=99999999999999999999999\n",
        "10 size=0\n",
        "10 size=+\n",
        "19 mtime=123456.78\n",
        "10 path=a\n",
        "99 path=a\n",
        "path=a\n",
        "18446744073709551615 path=a\n",
        "0 path=a\n",
        "\n",
    ] {
        let error = extended(records);
        assert!(matches!(error, ArchiveError::NotCanonical { .. }), "{records}: {error}");
    }
    // A folder with a size, and an extended header that says it is larger than any can be.
    let size = b"00000000001\0".to_vec();
    let folder = Forged { flag: b'5', mode: "0000755\0", size, ..Forged::file("d/") };
    assert!(matches!(refused(&[folder.block()]), ArchiveError::FileTooLong { .. }));
    let size = b"77777777777\0".to_vec();
    let long = Forged { flag: b'x', size, ..Forged::file("././@PaxHeader") };
    assert!(matches!(refused(&[long.block()]), ArchiveError::NotCanonical { .. }));
}

/// E32: devices, pipes and set-user-id bits.
#[test]
fn e32_special_files_and_bits_are_refused() {
    honest();
    for (flag, special) in [
        (b'3', Special::CharacterDevice),
        (b'4', Special::BlockDevice),
        (b'6', Special::Fifo),
        (b'7', Special::Other(b'7')),
        (b'g', Special::Other(b'g')),
        (b'L', Special::Other(b'L')),
        (b'K', Special::Other(b'K')),
        (0, Special::Other(0)),
    ] {
        let error = refused(&[Forged { flag, ..Forged::file("a") }.block()]);
        assert!(matches!(&error, ArchiveError::Special { special: s, .. } if *s == special), "{error}");
    }
    for mode in ["0004755\0", "0002755\0", "0001755\0", "0000777\0", "0000600\0", "7777777\0"] {
        let error = refused(&[Forged { mode, ..Forged::file("a") }.block()]);
        assert!(matches!(error, ArchiveError::Mode { .. }), "{mode}: {error}");
    }
}

/// Counts what would have been made.
#[derive(Debug, Default)]
struct Count(usize);

impl Sink for Count {
    fn begin(&mut self, _: &Entry) -> std::io::Result<()> {
        self.0 += 1;
        Ok(())
    }
    fn data(&mut self, _: &[u8]) -> std::io::Result<()> {
        Ok(())
    }
    fn end(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// E30: one entry above the limit is refused as it comes; an index that claims more, before anything is allocated.
#[test]
fn e30_an_entry_count_bomb_is_refused() {
    let mut unpacker = Unpacker::new(Count::default());
    let mut error = None;
    for i in 0..=ENTRIES_MAX {
        if let Err(e) = unpacker.write_all(&Forged::file(&format!("{i:07}")).block()) {
            error = Some((i, archive_error(e)));
            break;
        }
    }
    assert!(matches!(error, Some((ENTRIES_MAX, ArchiveError::TooManyEntries))), "{error:?}");
    let honest = pack(&sample());
    let claim = |from_end: usize, value: u64| {
        let mut bytes = honest.clone();
        let at = bytes.len() - from_end;
        bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
        index(&bytes)
    };
    assert!(index(&honest).is_ok());
    for value in [u64::MAX, 1 << 40, ENTRIES_MAX as u64 + 1, 4, 6, 0] {
        assert!(matches!(claim(16, value), Err(ArchiveError::Index { .. })), "{value} entries");
        assert!(matches!(claim(24, value), Err(ArchiveError::Index { .. })), "{value} bytes");
    }
}

fn index(bytes: &[u8]) -> Result<Index, ArchiveError> {
    Index::read(bytes.len() as u64, |at, len| {
        let at = usize::try_from(at).unwrap();
        Ok::<_, ArchiveError>(bytes[at..at + len].to_vec())
    })
}

/// E29: nothing is ever expanded: what comes out has fewer bytes than what went in, and an archive in an archive stays a file.
#[test]
fn e29_nothing_is_expanded() {
    let mut tree = sample();
    tree.insert("inner.tar".into(), (Kind::File, pack(&sample())));
    // How a gzip member begins.
    tree.insert("bomb.gz".into(), (Kind::File, b"\x1f\x8b\x08\0\0\0\0\0\x02\x03".repeat(10)));
    let archive = pack(&tree);
    let out = unpack(&archive, 512).unwrap();
    assert_eq!(out, tree);
    assert!(out.values().map(|(_, data)| data.len()).sum::<usize>() < archive.len());
}

/// Every proper prefix is cut short, and nothing may follow.
#[test]
fn prefixes_and_extensions_are_refused() {
    let archive = pack(&sample());
    for n in 0..archive.len() {
        assert!(matches!(unpack(&archive[..n], 512), Err(ArchiveError::CutShort { .. })), "{n}");
    }
    let longer = [archive.as_slice(), &[0]].concat();
    assert!(matches!(unpack(&longer, 512), Err(ArchiveError::NotCanonical { .. })));
    assert!(index(&longer).is_err());
    // Blocks between the entries and tar's end that no entry accounts for.
    let gap =
        [&archive[..archive.len() - 4 * BLOCK_BYTES], &[0; 512], &archive[archive.len() - 4 * BLOCK_BYTES..]]
            .concat();
    assert!(matches!(unpack(&gap, 512), Err(ArchiveError::Index { .. })));
    assert!(matches!(index(&gap), Err(ArchiveError::Index { what: "sizes do not add up to the archive's" })));
}

/// An index that lists other entries than there are is found by whoever reads the whole; one entry that is not the one
/// listed, by whoever reads that alone.
#[test]
fn an_index_that_differs_from_the_entries_is_refused() {
    let tree = sample();
    let mut other = tree.clone();
    // Equal sizes, so that offsets and lengths agree.
    let moved = other.remove("docs/a.txt").unwrap();
    other.insert("docs/b.txt".into(), moved);
    let (one, two) = (pack(&tree), pack(&other));
    assert_eq!(one.len(), two.len());
    // Tar's end, one block of index, the last block.
    let entries = one.len() - 4 * BLOCK_BYTES;
    let spliced = [&one[..entries], &two[entries..]].concat();
    assert!(matches!(unpack(&spliced, 512), Err(ArchiveError::Index { .. })));
    let part = |bytes: &[u8], name: &str| {
        let index = index(bytes).unwrap();
        let found = index.find(name).unwrap();
        let range = usize::try_from(found.header_at).unwrap()..usize::try_from(found.end).unwrap();
        let mut some = Unpacker::some(Count::default(), &found);
        some.write_all(&bytes[range]).map_err(archive_error)?;
        some.finish()
    };
    assert!(matches!(part(&spliced, "docs/b.txt"), Err(ArchiveError::Index { .. })));
    assert_eq!(part(&one, "docs/a.txt").unwrap().0, 1);
    assert_eq!(part(&one, "docs").unwrap().0, 3);
}
