//! Searching files and a process's memory for pieces of a plaintext.
//!
//! A data centre that says it cannot read what it stores must hold no piece of it: not in its files, not in its
//! log, not in the memory of its daemon. Fragments of 24 bytes are taken all over the plaintext and every place is
//! searched for any of them. Finding one is proof of disclosure; finding none shows only that these
//! places, at this moment, held none of these fragments in the clear.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Bytes of a fragment: long enough that random data matches one with probability below 2^-100.
pub(crate) const FRAGMENT_BYTES: usize = 24;

/// Fragments with fewer distinct bytes than this are runs and padding that any file may hold.
const DISTINCT_BYTES_MIN: usize = 8;

/// Bytes read at a time; consecutive reads overlap by a fragment.
const WINDOW_BYTES: usize = 1 << 20;

/// Where a fragment was found.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Hit {
    /// File, or address range of the process.
    pub(crate) place: String,
    /// Byte offset in the file, or address.
    pub(crate) offset: u64,
}

/// What one search looked at.
#[derive(Debug, Default, Clone, serde::Serialize)]
pub(crate) struct Scan {
    /// Bytes searched.
    pub(crate) bytes: u64,
    /// Places searched.
    pub(crate) places: u64,
    /// First hit in each place.
    pub(crate) hits: Vec<Hit>,
}

/// Fragments to look for, keyed by their first eight bytes.
#[derive(Debug)]
pub(crate) struct Scanner {
    fragments: HashMap<[u8; 8], Vec<[u8; FRAGMENT_BYTES]>>,
    /// First two bytes of any fragment: rejects almost every position with one look.
    first: Vec<bool>,
    count: usize,
}

impl Scanner {
    /// Looks for nothing yet.
    pub(crate) fn new() -> Self {
        Self { fragments: HashMap::new(), first: vec![false; 1 << 16], count: 0 }
    }

    /// Takes a fragment every `step` bytes of `plaintext`.
    pub(crate) fn add(&mut self, plaintext: &[u8], step: usize) {
        for window in plaintext.windows(FRAGMENT_BYTES).step_by(step) {
            let distinct: HashSet<u8> = window.iter().copied().collect();
            if distinct.len() < DISTINCT_BYTES_MIN {
                continue;
            }
            let (Some(key), Ok(fragment)) = (window.first_chunk::<8>(), window.try_into()) else { continue };
            self.first[usize::from(u16::from_le_bytes([window[0], window[1]]))] = true;
            self.fragments.entry(*key).or_default().push(fragment);
            self.count += 1;
        }
    }

    /// Fragments looked for.
    pub(crate) fn fragments(&self) -> usize {
        self.count
    }

    /// Offset of the first fragment in `bytes`.
    fn find(&self, bytes: &[u8]) -> Option<usize> {
        (0..bytes.len().saturating_sub(FRAGMENT_BYTES - 1)).find(|&i| {
            self.first[usize::from(u16::from_le_bytes([bytes[i], bytes[i + 1]]))]
                && bytes[i..]
                    .first_chunk::<8>()
                    .and_then(|key| self.fragments.get(key))
                    .is_some_and(|candidates| candidates.iter().any(|f| bytes[i..].starts_with(f)))
        })
    }

    /// Searches `length` bytes of `reader` from its present position; `start` is what that position is called.
    fn search(&self, reader: &mut impl Read, start: u64, length: u64, place: &str, scan: &mut Scan) {
        let mut window: Vec<u8> = Vec::with_capacity(WINDOW_BYTES + FRAGMENT_BYTES);
        let mut limited = reader.take(length);
        let mut base = start;
        scan.places += 1;
        loop {
            let kept = window.len();
            // Memory may be unmapped while it is read: what can be read is searched, the rest is not counted.
            let got = (&mut limited).take(WINDOW_BYTES as u64).read_to_end(&mut window).unwrap_or(0);
            scan.bytes += got as u64;
            if let Some(at) = self.find(&window) {
                scan.hits.push(Hit { place: place.to_owned(), offset: base + at as u64 });
                return;
            }
            if window.len() == kept {
                return;
            }
            let drop = window.len().saturating_sub(FRAGMENT_BYTES - 1);
            window.drain(..drop);
            base += drop as u64;
        }
    }

    /// Searches every regular file under `directory` (or the file itself). Links are not followed.
    pub(crate) fn files(&self, directory: &Path) -> io::Result<Scan> {
        let mut scan = Scan::default();
        let mut pending: Vec<PathBuf> = vec![directory.to_owned()];
        while let Some(path) = pending.pop() {
            let kind = fs::symlink_metadata(&path)?.file_type();
            if kind.is_dir() {
                for entry in fs::read_dir(&path)? {
                    pending.push(entry?.path());
                }
            } else if kind.is_file() {
                let mut file = File::open(&path)?;
                let length = file.metadata()?.len();
                self.search(&mut file, 0, length, &path.display().to_string(), &mut scan);
            }
        }
        Ok(scan)
    }

    /// Searches the readable memory of process `pid` that is private to it: heap, stacks, anonymous maps. Maps of
    /// files are left out, since the program's own image is not what the process was given. Needs the right to trace it.
    pub(crate) fn memory(&self, pid: u32) -> io::Result<Scan> {
        let mut scan = Scan::default();
        let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
        let mut memory = File::open(format!("/proc/{pid}/mem"))?;
        for line in maps.lines() {
            let mut fields = line.split_whitespace();
            let (Some(range), Some(flags)) = (fields.next(), fields.next()) else { continue };
            let file_backed = fields.nth(2).is_some_and(|inode| inode != "0");
            let Some((from, to)) = range.split_once('-').and_then(|(a, b)| {
                Some((u64::from_str_radix(a, 16).ok()?, u64::from_str_radix(b, 16).ok()?))
            }) else {
                continue;
            };
            if flags.starts_with('r') && !file_backed && memory.seek(SeekFrom::Start(from)).is_ok() {
                self.search(&mut memory, from, to - from, &format!("memory {range}"), &mut scan);
            }
        }
        Ok(scan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(seed: u8, n: usize) -> Vec<u8> {
        let mut h = blake3::Hasher::new();
        h.update(&[seed]);
        let mut out = vec![0; n];
        h.finalize_xof().fill(&mut out);
        out
    }

    #[test]
    fn a_fragment_across_two_windows_is_found_and_other_data_is_not() {
        let secret = text(1, 4096);
        let mut scanner = Scanner::new();
        scanner.add(&secret, 7);
        let dir = tempfile::tempdir().unwrap();
        let mut clean = text(2, 3 * WINDOW_BYTES);
        fs::write(dir.path().join("clean"), &clean).unwrap();
        assert!(scanner.files(dir.path()).unwrap().hits.is_empty());
        // Every fragment inside these 40 bytes lies across the end of the first window.
        let at = WINDOW_BYTES - 20;
        clean[at..at + 40].copy_from_slice(&secret[1000..1040]);
        fs::write(dir.path().join("planted"), &clean).unwrap();
        let scan = scanner.files(dir.path()).unwrap();
        assert_eq!(scan.hits.len(), 1);
        assert!(scan.hits[0].place.ends_with("planted"));
        assert_eq!(scan.places, 2);
        // A place is searched up to its first hit.
        assert_eq!(scan.bytes, 5 * WINDOW_BYTES as u64);
    }

    #[test]
    fn memory_of_this_process_shows_what_it_holds() {
        let held = text(3, 256);
        let mut scanner = Scanner::new();
        scanner.add(&held, FRAGMENT_BYTES);
        // The scanner itself and `held` hold the fragments, so this process must be seen to disclose them.
        let scan = scanner.memory(std::process::id()).unwrap();
        assert!(!scan.hits.is_empty());
        assert!(scan.bytes > 100_000);
    }
}
