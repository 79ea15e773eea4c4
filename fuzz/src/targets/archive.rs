//! Archives of directories: the reader of the whole and the index.

use std::io::{self, Read as _, Write as _};

use bailiwick_archive::{ArchiveError, Entries, Entry, Index, Packer, Sink, Unpacker};

#[derive(Default)]
struct Files(Vec<(Entry, Vec<u8>)>);

impl Sink for Files {
    fn begin(&mut self, entry: &Entry) -> io::Result<()> {
        self.0.push((entry.clone(), Vec::new()));
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) -> io::Result<()> {
        let (_, data) = self.0.last_mut().expect("bytes follow an entry");
        data.extend_from_slice(bytes);
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn unpack(data: &[u8]) -> Option<Vec<(Entry, Vec<u8>)>> {
    let mut unpacker = Unpacker::new(Files::default());
    unpacker.write_all(data).ok()?;
    Some(unpacker.finish().ok()?.0)
}

fn pack(files: &[(Entry, Vec<u8>)]) -> Vec<u8> {
    let entries = files.iter().map(|(e, _)| e.clone()).collect();
    let entries = Entries::new(entries).expect("a tree that was taken can be made");
    let mut out = Vec::new();
    let data = |entry: &Entry| {
        let file = files.iter().find(|(e, _)| e == entry);
        Ok(file.map(|(_, data)| data.as_slice()).unwrap_or_default())
    };
    Packer::new(&entries, data).read_to_end(&mut out).expect("memory can be read");
    out
}

/// What is accepted is the one archive of what came out of it, and its index lists just that.
pub(super) fn archive(data: &[u8]) -> bool {
    let index = Index::read(data.len() as u64, |at, len| {
        let at = usize::try_from(at).expect("inside the data");
        Ok::<_, ArchiveError>(data[at..at + len].to_vec())
    });
    let Some(files) = unpack(data) else { return false };
    assert!(pack(&files) == data, "two encodings of one tree");
    let index = index.expect("an archive that was taken has its index");
    assert!(index.entries().eq(files.iter().map(|(e, _)| e.clone())));
    for (entry, bytes) in &files {
        let found = index.find(&entry.path).expect("every entry is listed");
        let at = usize::try_from(found.data_at).expect("inside the data");
        assert!(data[at..at + bytes.len()] == **bytes, "the index points elsewhere");
    }
    true
}

pub(super) fn archive_seeds() -> Vec<Vec<u8>> {
    let file = |path: &str, data: &[u8]| (Entry::file(path, data.len() as u64, false), data.to_vec());
    let folder = |path: &str| (Entry::folder(path), Vec::new());
    vec![
        pack(&[]),
        pack(&[folder("a"), file("a/b", b"text"), file("c", b"")]),
        pack(&[folder("é"), file(&format!("é/{}", "l".repeat(120)), &[7; 600])]),
    ]
}
