//! Indices and headers made by hand, each one step beside an honest one, and refused by the name of that step.

use std::io::Write as _;

use bailiwick_archive::{
    ArchiveError, ENTRIES_MAX, Entries, Entry, INDEX_BYTES_MAX, Index, NameFault, Unpacker, check_name,
};

use super::memory::{Forged, Memory, archive_error, pack, sample, unpack};

/// One entry of an index: kind, path, size.
type Line<'a> = (u8, &'a str, u64);

/// The bytes of an archive whose index lists these and says there are `count`, with `body` zeros in the place of the entries.
fn listing(lines: &[Line<'_>], count: u64, body: usize, magic: &[u8; 8]) -> Vec<u8> {
    let mut index = Vec::new();
    for (kind, path, size) in lines {
        index.push(*kind);
        index.extend_from_slice(&u16::try_from(path.len()).unwrap().to_le_bytes());
        index.extend_from_slice(path.as_bytes());
        index.extend_from_slice(&size.to_le_bytes());
    }
    let mut out = vec![0; body + 1024];
    let len = index.len() as u64;
    out.append(&mut index);
    out.resize(out.len().next_multiple_of(512) + 512 - 24, 0);
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(magic);
    out
}

fn read(bytes: &[u8]) -> Result<Index, ArchiveError> {
    Index::read(bytes.len() as u64, |at, len| {
        let at = usize::try_from(at).unwrap();
        Ok::<_, ArchiveError>(bytes[at..at + len].to_vec())
    })
}

/// An index of empty files and folders, whose headers have a block each.
fn index(lines: &[Line<'_>]) -> Result<Index, ArchiveError> {
    read(&listing(lines, lines.len() as u64, 512 * lines.len(), b"bwarchv1"))
}

fn fault(found: Result<Index, ArchiveError>) -> &'static str {
    match found {
        Err(ArchiveError::Index { what }) => what,
        other => panic!("{other:?}"),
    }
}

/// E27, E28: what an index lists is held to the same rules as what the archive holds, since parts are taken by it alone.
#[test]
fn e27_e28_an_index_lists_only_what_an_archive_may_hold() {
    let good = index(&[(0, "d", 0), (1, "d/a", 0), (2, "d/b", 0)]).unwrap();
    assert_eq!(good.find("d/b").unwrap().entry, Entry::file("d/b", 0, true));
    for (path, expected) in
        [("../x", NameFault::Dots), ("/etc/x", NameFault::Absolute), ("a\\b", NameFault::Backslash)]
    {
        let found = index(&[(1, path, 0)]).unwrap_err();
        assert!(matches!(found, ArchiveError::Name { fault, .. } if fault == expected), "{found}");
    }
    let found = index(&[(1, "d/a", 0)]).unwrap_err();
    assert!(matches!(found, ArchiveError::NoFolder { .. }), "{found}");
    let found = index(&[(1, "b", 0), (1, "a", 0)]).unwrap_err();
    assert!(matches!(found, ArchiveError::Order { .. }), "{found}");
    let found = index(&[(1, "A", 0), (1, "a", 0)]).unwrap_err();
    assert!(matches!(found, ArchiveError::Collision { .. }), "{found}");
    let found = index(&[(0, "d", 1)]).unwrap_err();
    assert!(matches!(found, ArchiveError::FileTooLong { .. }), "{found}");
    assert_eq!(fault(index(&[(3, "a", 0)])), "a kind");
}

/// E30: numbers of the last block that lie, each by its own name.
#[test]
fn e30_lying_numbers_of_an_index_are_refused() {
    let lines = [(1, "a", 0), (1, "b", 0)];
    let with = |count, body, magic| read(&listing(&lines, count, body, magic));
    with(2, 1024, b"bwarchv1").unwrap();
    assert_eq!(fault(with(2, 1024, b"bwarchv2")), "there is none");
    for count in [0, 1, 3] {
        assert_eq!(fault(with(count, 1024, b"bwarchv1")), "the number of entries", "{count}");
    }
    let above = ENTRIES_MAX as u64 + 1;
    assert_eq!(fault(with(above, 1024, b"bwarchv1")), "it says to be above the limits");
    for body in [0, 512, 1536] {
        assert_eq!(fault(with(2, body, b"bwarchv1")), "sizes do not add up to the archive's", "{body}");
    }
}

/// A host gives fewer bytes than it was asked for, at the end or before it.
#[test]
fn an_index_that_comes_short_is_refused() {
    let names: Vec<_> = (0..6000).map(|i| format!("{i:04}")).collect();
    let lines: Vec<_> = names.iter().map(|n| (1, n.as_str(), 0)).collect();
    let bytes = listing(&lines, 6000, 6000 * 512, b"bwarchv1");
    let cut = |first: usize, second: usize| {
        let mut calls = 0;
        let found = Index::read(bytes.len() as u64, |at, len| {
            calls += 1;
            let cut = if calls == 1 { first } else { second };
            let at = usize::try_from(at).unwrap();
            // What is left out stands at the front of the end, and at the end of the rest.
            let range = if calls == 1 { at + cut..at + len } else { at..at + len - cut };
            Ok::<_, ArchiveError>(bytes[range].to_vec())
        });
        (found, calls)
    };
    let (honest, calls) = cut(0, 0);
    assert_eq!((honest.unwrap().entries().count(), calls), (6000, 2));
    assert_eq!(fault(cut(512, 0).0), "there is none");
    assert_eq!(fault(cut(0, 15).0), "its length");
}

/// E30: paths so long and many that no index holds them: refused while they come, whatever their number.
#[test]
fn e30_an_index_above_its_limit_is_refused() {
    let mut entries = Vec::new();
    let mut folder = "f".repeat(255);
    while folder.len() + 1 + 255 + 9 < 4096 {
        entries.push(Entry::folder(&folder));
        folder = format!("{folder}/{}", "f".repeat(255));
    }
    entries.push(Entry::folder(&folder));
    let file = |i: usize| Entry::file(&format!("{folder}/{i:08}"), 0, false);
    let line = 1 + 2 + file(0).path.len() + 8;
    let used: usize = entries.iter().map(|e| 1 + 2 + e.path.len() + 8).sum();
    let fit = (INDEX_BYTES_MAX - used) / line;
    entries.extend((0..fit).map(file));
    assert_eq!(Entries::new(entries.clone()).unwrap().len(), entries.len());
    entries.push(file(fit));
    assert!(matches!(Entries::new(entries), Err(ArchiveError::IndexTooLong)));
}

fn odd(blocks: &[Vec<u8>]) -> &'static str {
    match unpack(&blocks.concat(), 512).unwrap_err() {
        ArchiveError::NotCanonical { what, .. } => what,
        other => panic!("{other:?}"),
    }
}

/// Header fields, each refused for itself before the whole is compared.
#[test]
fn every_field_of_a_header_is_refused_by_name() {
    assert_eq!(unpack(&pack(&sample()), 512).unwrap(), sample());
    let mut magic = Forged::file("a").block();
    magic[257..265].copy_from_slice(b"ustar  \0");
    assert_eq!(odd(&[magic]), "a header's magic");
    for size in [b"00000000008\0", b"00000000000 ", b"\x80\0\0\0\0\0\0\0\0\0\0\0"] {
        let block = Forged { size: size.to_vec(), ..Forged::file("a") }.block();
        assert_eq!(odd(&[block]), "a size", "{size:?}");
    }
    assert_eq!(odd(&[Forged { mode: "0000644 ", ..Forged::file("a") }.block()]), "a mode");
    let folder = Forged { flag: b'5', mode: "0000755\0", ..Forged::file("dd") };
    assert_eq!(odd(&[folder.block()]), "a folder's name");
}

/// An extended header and its records.
fn extended(records: &str) -> [Vec<u8>; 2] {
    let size = format!("{:011o}\0", records.len()).into_bytes();
    let mut bytes = records.as_bytes().to_vec();
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    [Forged { flag: b'x', size, ..Forged::file("././@PaxHeader") }.block(), bytes]
}

/// Records nobody writes, and extended headers that no entry follows: a reader that skips them reads another archive.
#[test]
fn records_and_headers_without_an_entry_are_refused() {
    let [header, records] = extended("19 mtime=123456.78\n");
    assert_eq!(odd(&[header, records, Forged::file("a").block()]), "a record of an extended header");
    let name = "n".repeat(120);
    let [header, records] = extended(&format!("130 path={name}\n"));
    let entry = Forged::file("././@PaxHeader").block();
    let honest = unpack(&[&header[..], &records, &entry].concat(), 512).unwrap_err();
    assert!(matches!(honest, ArchiveError::CutShort { at: 1536 }), "{honest}");
    assert_eq!(odd(&[header.clone(), records.clone(), header.clone(), records.clone()]), "a block");
    assert_eq!(odd(&[header, records, vec![0; 512]]), "a block");
    let empty = Forged { flag: b'x', ..Forged::file("././@PaxHeader") };
    assert_eq!(odd(&[empty.block()]), "the length of an extended header");
}

/// A part of an archive: all of what the index lists there, and nothing else.
#[test]
fn a_part_that_ends_early_or_goes_on_is_refused() {
    let bytes = pack(&sample());
    let found = read(&bytes).unwrap().find("docs").unwrap();
    let (from, to) = (usize::try_from(found.header_at).unwrap(), usize::try_from(found.end).unwrap());
    let part = |bytes: &[u8]| {
        let mut some = Unpacker::some(Memory::default(), &found);
        some.write_all(bytes).map_err(archive_error)?;
        some.finish().map(|sink| sink.tree.len())
    };
    assert_eq!(part(&bytes[from..to]).unwrap(), 3);
    // Without its last file; and with tar's end, or the next entry, after it.
    let early = part(&bytes[from..to - 1024]).unwrap_err();
    assert!(matches!(early, ArchiveError::CutShort { .. }), "{early}");
    let half = part(&bytes[from..to - 1024 + 100]).unwrap_err();
    assert!(matches!(half, ArchiveError::CutShort { .. }), "{half}");
    let ended = part(&[&bytes[from..to], &[0; 512]].concat()).unwrap_err();
    assert!(matches!(ended, ArchiveError::NotCanonical { what: "a block", .. }), "{ended}");
    let more = part(&bytes[from..to + 512]).unwrap_err();
    assert!(matches!(more, ArchiveError::Index { .. }), "{more}");
}

/// E28: one letter with two marks, in the orders Unicode takes for one; folding before ordering would tell them apart.
#[test]
fn e28_marks_in_another_order_meet() {
    let both = |a: &str, b: &str| Entries::new(vec![Entry::file(a, 0, false), Entry::file(b, 0, false)]);
    for (a, b) in [("\u{1fb4}", "α\u{345}\u{301}"), ("a\u{323}\u{301}", "a\u{301}\u{323}")] {
        check_name(a).unwrap();
        assert!(matches!(both(a, b), Err(ArchiveError::Collision { .. })), "{a} {b}");
    }
    both("a\u{301}\u{300}", "a\u{300}\u{301}").unwrap();
}
