//! What goes in comes out, whole and by name, and equal trees give equal bytes.

use std::io::{Read as _, Write as _};

use bailiwick_archive::{ArchiveError, Entries, Entry, Index, Kind, Packer, Unpacker};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::memory::{Memory, Tree, archive_error, entries, pack, sample, unpack};

fn index(archive: &[u8]) -> Result<Index, ArchiveError> {
    Index::read(archive.len() as u64, |at, len| {
        let at = usize::try_from(at).unwrap();
        Ok::<_, ArchiveError>(archive[at..at + len].to_vec())
    })
}

/// Every file of `archive` alone, and every folder with what is in it.
fn each_by_index(archive: &[u8], tree: &Tree) {
    let index = index(archive).unwrap();
    assert!(index.entries().eq(entries(tree).unwrap().iter().cloned()));
    for (path, (_, data)) in tree {
        let found = index.find(path).unwrap();
        let at = usize::try_from(found.data_at).unwrap();
        assert_eq!(&archive[at..at + data.len()], data.as_slice());
        // The memory asks for parents, which a part does not have: so parts are taken at the top only.
        if !path.contains('/') {
            let range = usize::try_from(found.header_at).unwrap()..usize::try_from(found.end).unwrap();
            let mut some = Unpacker::some(Memory::default(), &found);
            some.write_all(&archive[range]).unwrap();
            let got = some.finish().unwrap().tree;
            let inside = |(p, _): &(&String, _)| *p == path || p.starts_with(&format!("{path}/"));
            assert!(got.iter().eq(tree.iter().filter(inside)), "{path}");
        }
    }
    assert_eq!(index.find("no such name"), None);
}

#[test]
fn a_tree_comes_back_whole_by_piece_and_by_name() {
    let tree = sample();
    let archive = pack(&tree);
    assert_eq!(archive.len() % 512, 0);
    for step in [1, 7, 511, 512, 513, 16_384, archive.len()] {
        assert_eq!(unpack(&archive, step).unwrap(), tree);
    }
    each_by_index(&archive, &tree);
    let nothing = pack(&Tree::new());
    assert_eq!(unpack(&nothing, 512).unwrap(), Tree::new());
    each_by_index(&nothing, &Tree::new());
}

/// Names at, around and above what the plain header holds; paths up to the limit; an index that needs a second read.
#[test]
fn long_and_foreign_names_come_back() {
    let mut tree = Tree::new();
    for n in [98, 99, 100, 101, 255] {
        tree.insert("f".repeat(n), (Kind::File, vec![1; n]));
        tree.insert("d".repeat(n), (Kind::Folder, vec![]));
    }
    tree.insert("東京".into(), (Kind::Folder, vec![]));
    tree.insert("東京/Überblick".into(), (Kind::Executable, b"x".to_vec()));
    let mut deep = "é".repeat(50);
    while deep.len() <= 4096 {
        tree.insert(deep.clone(), (Kind::Folder, vec![]));
        deep = format!("{deep}/{}", "é".repeat(50));
    }
    let archive = pack(&tree);
    assert_eq!(unpack(&archive, 1000).unwrap(), tree);
    assert!(tree.keys().map(String::len).sum::<usize>() > 65_536);
    each_by_index(&archive, &tree);
}

/// A size above eight gigabytes goes into a record; the entry is made and judged without its bytes.
#[test]
fn sizes_above_octal_are_records() {
    for size in [(1u64 << 33) - 1, 1 << 33, 1 << 40] {
        let entries = Entries::new(vec![Entry::file("big", size, false)]).unwrap();
        let mut head = vec![0; 1536];
        Packer::new(&entries, |_: &Entry| Ok(std::io::repeat(7))).read_exact(&mut head).unwrap();
        let mut unpacker = Unpacker::new(Memory::default());
        unpacker.write_all(&head).map_err(archive_error).unwrap();
        assert!(matches!(unpacker.finish(), Err(ArchiveError::CutShort { .. })));
        assert_eq!(head.windows(5).any(|w| w == b"size="), size >= 1 << 33);
    }
    let above = Entries::new(vec![Entry::file("big", (1 << 40) + 1, false)]);
    assert!(matches!(above, Err(ArchiveError::FileTooLong { .. })));
}

/// A source that shrank or grew since it was listed is named, not padded and not cut.
#[test]
fn a_source_that_changed_is_named() {
    let entries = Entries::new(vec![Entry::file("f", 5, false)]).unwrap();
    for (data, longer) in [(&b"1234"[..], false), (b"123456", true)] {
        let read = Packer::new(&entries, |_: &Entry| Ok(data)).read_to_end(&mut Vec::new());
        let error = archive_error(read.unwrap_err());
        assert!(matches!(&error, ArchiveError::Changed { longer: l, .. } if *l == longer), "{error}");
    }
    Packer::new(&entries, |_: &Entry| Ok(&b"12345"[..])).read_to_end(&mut Vec::new()).unwrap();
}

/// Order of components, not of bytes: what is in a folder stands before its siblings.
#[test]
fn order_is_by_component_and_independent_of_the_listing() {
    let listing = ["a", "a/b", "a.c", "a-", "a0", "B"];
    let made = |order: Vec<&str>| {
        let entry = |p: &str| if p == "a" { Entry::folder(p) } else { Entry::file(p, 0, false) };
        Entries::new(order.into_iter().map(entry).collect()).unwrap()
    };
    let mut backwards = listing.to_vec();
    backwards.reverse();
    let paths: Vec<String> = made(backwards).iter().map(|e| e.path.clone()).collect();
    assert_eq!(paths, ["B", "a", "a/b", "a-", "a.c", "a0"]);
    assert_eq!(made(listing.to_vec()).iter().map(|e| e.path.clone()).collect::<Vec<_>>(), paths);
}

fn component() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[a-c]{1,3}", 1 => "[é東ß]{1,40}", 1 => "[x-z]{90,120}"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Random trees come back; equal trees give equal bytes; and no byte of an archive can be another.
    #[test]
    fn random_trees_round_trip_and_every_byte_counts(
        paths in btree_map(vec(component(), 1..4), (vec(any::<u8>(), 0..1500), any::<bool>()), 0..12),
        step in 1usize..2000,
        at in any::<prop::sample::Index>(),
        bit in 0u8..8,
    ) {
        let mut tree = Tree::new();
        for (parts, (data, executable)) in paths {
            let path = parts.join("/");
            let kind = if executable { Kind::Executable } else { Kind::File };
            for n in 1..parts.len() {
                tree.insert(parts[..n].join("/"), (Kind::Folder, vec![]));
            }
            tree.entry(path).or_insert((kind, data));
        }
        prop_assume!(entries(&tree).is_ok());
        let archive = pack(&tree);
        prop_assert_eq!(&pack(&tree), &archive);
        prop_assert_eq!(&unpack(&archive, step).unwrap(), &tree);
        each_by_index(&archive, &tree);
        let mut changed = archive.clone();
        let at = at.index(archive.len());
        changed[at] ^= 1 << bit;
        // Either it is refused, or the changed bit was a file's: then that is the tree it says, and no other bytes say it.
        if let Ok(other) = unpack(&changed, step) {
            prop_assert_ne!(&other, &tree);
            prop_assert_eq!(pack(&other), changed);
        }
    }
}
