//! Headers: POSIX ustar blocks, and a pax extended header in front where a name or a size does not fit (IEEE Std 1003.1, pax).

use crate::entry::padded;
use crate::{ArchiveError, BLOCK_BYTES, Entry, Kind, PATH_BYTES_MAX, Special};

/// Bytes of the name field.
const NAME_BYTES: usize = 100;
/// First size that eleven octal digits cannot hold.
const OCTAL_SIZE_END: u64 = 1 << 33;
/// Name of every extended header, and of every entry whose name stands in one.
const PAX_NAME: &str = "././@PaxHeader";
/// Bytes of an extended header's records, at most: a path, a size, and their frames.
pub(crate) const PAX_BYTES_MAX: usize = PATH_BYTES_MAX + 64;

/// The path as tar has it: a folder's ends in a slash.
fn tar_path(entry: &Entry) -> String {
    if entry.kind == Kind::Folder { format!("{}/", entry.path) } else { entry.path.clone() }
}

/// Records of the extended header; empty when none is needed.
fn records(entry: &Entry) -> Vec<u8> {
    let path = tar_path(entry);
    let mut out = Vec::new();
    if path.len() > NAME_BYTES || !path.is_ascii() {
        record(&mut out, "path", &path);
    }
    if entry.size >= OCTAL_SIZE_END {
        record(&mut out, "size", &entry.size.to_string());
    }
    out
}

/// `LENGTH KEY=VALUE\n`, the length counting itself.
fn record(out: &mut Vec<u8>, key: &str, value: &str) {
    let rest = key.len() + value.len() + 3;
    let mut len = rest + 1;
    while rest + len.to_string().len() != len {
        len += 1;
    }
    out.extend_from_slice(format!("{len} {key}={value}\n").as_bytes());
}

/// Bytes of everything before the entry's data.
pub(crate) fn header_bytes(entry: &Entry) -> u64 {
    let block = BLOCK_BYTES as u64;
    match records(entry).len() as u64 {
        0 => block,
        n => 2 * block + padded(n),
    }
}

/// Everything before the entry's data.
pub(crate) fn header(entry: &Entry) -> Vec<u8> {
    let records = records(entry);
    let path = tar_path(entry);
    let mut out = Vec::with_capacity(BLOCK_BYTES);
    let fits = path.len() <= NAME_BYTES && path.is_ascii();
    if !records.is_empty() {
        out.extend_from_slice(&block(PAX_NAME, 0o644, records.len() as u64, b'x'));
        out.extend_from_slice(&records);
        out.resize(out.len().next_multiple_of(BLOCK_BYTES), 0);
    }
    let (mode, flag) = match entry.kind {
        Kind::Folder => (0o755, b'5'),
        Kind::File => (0o644, b'0'),
        Kind::Executable => (0o755, b'0'),
    };
    let size = if entry.size < OCTAL_SIZE_END { entry.size } else { 0 };
    out.extend_from_slice(&block(if fits { &path } else { PAX_NAME }, mode, size, flag));
    out
}

/// One ustar block: no owner, no time, no link.
fn block(name: &str, mode: u32, size: u64, flag: u8) -> [u8; BLOCK_BYTES] {
    let mut b = [0; BLOCK_BYTES];
    b[..name.len()].copy_from_slice(name.as_bytes());
    b[100..108].copy_from_slice(format!("{mode:07o}\0").as_bytes());
    b[108..116].copy_from_slice(b"0000000\0");
    b[116..124].copy_from_slice(b"0000000\0");
    b[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    b[136..148].copy_from_slice(b"00000000000\0");
    b[156] = flag;
    b[257..265].copy_from_slice(b"ustar\x0000");
    b[329..337].copy_from_slice(b"0000000\0");
    b[337..345].copy_from_slice(b"0000000\0");
    let sum = checksum(&b);
    b[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    b
}

/// Sum of all bytes, the checksum field counting as spaces.
fn checksum(b: &[u8; BLOCK_BYTES]) -> u32 {
    b.iter().enumerate().map(|(i, v)| if (148..156).contains(&i) { 32 } else { u32::from(*v) }).sum()
}

/// What a block says, before its name is known to be the last word.
pub(crate) enum Block {
    /// All zeros: the first half of tar's end.
    End,
    /// An extended header with this many bytes of records.
    Extended(usize),
    /// A file or folder: name field, kind, size field.
    Plain(Vec<u8>, Kind, u64),
}

/// Reads one block. What it means is taken apart far enough to name what is wrong; that it is *the* encoding is checked by
/// [`decode`], which encodes again and compares.
pub(crate) fn read_block(b: &[u8; BLOCK_BYTES], at: u64) -> Result<Block, ArchiveError> {
    if b.iter().all(|v| *v == 0) {
        return Ok(Block::End);
    }
    let odd = |what| ArchiveError::NotCanonical { at, what };
    if b[257..265] != *b"ustar\x0000" {
        return Err(odd("a header's magic"));
    }
    let name = b[..NAME_BYTES].split(|v| *v == 0).next().unwrap_or_default();
    let shown = || String::from_utf8_lossy(name).into_owned();
    let flag = b[156];
    if let Some(special) = special(flag) {
        return Err(ArchiveError::Special { name: shown(), special });
    }
    let mode = octal(&b[100..108]).ok_or(odd("a mode"))?;
    let size = octal(&b[124..136]).ok_or(odd("a size"))?;
    if flag == b'x' {
        return match usize::try_from(size) {
            Ok(n) if n > 0 && n <= PAX_BYTES_MAX => Ok(Block::Extended(n)),
            _ => Err(odd("the length of an extended header")),
        };
    }
    let kind = match (flag, mode) {
        (b'5', 0o755) => Kind::Folder,
        (b'0', 0o644) => Kind::File,
        (b'0', 0o755) => Kind::Executable,
        (_, mode) => {
            return Err(ArchiveError::Mode { name: shown(), mode: u32::try_from(mode).unwrap_or(u32::MAX) });
        }
    };
    Ok(Block::Plain(name.to_vec(), kind, size))
}

fn special(flag: u8) -> Option<Special> {
    Some(match flag {
        b'0' | b'5' | b'x' => return None,
        b'1' => Special::HardLink,
        b'2' => Special::SymbolicLink,
        b'3' => Special::CharacterDevice,
        b'4' => Special::BlockDevice,
        b'6' => Special::Fifo,
        b'S' => Special::Sparse,
        other => Special::Other(other),
    })
}

/// Octal digits and a NUL; base-256 numbers and spaces are refused.
fn octal(field: &[u8]) -> Option<u64> {
    let (last, digits) = field.split_last()?;
    if *last != 0 || !digits.iter().all(|d| matches!(d, b'0'..=b'7')) {
        return None;
    }
    Some(digits.iter().fold(0, |n, d| n * 8 + u64::from(d - b'0')))
}

/// The entry that `bytes` (extended header, if any, and block) say, refused unless they are its one encoding.
pub(crate) fn decode(
    bytes: &[u8],
    extended: Option<&[u8]>,
    plain: (Vec<u8>, Kind, u64),
    at: u64,
) -> Result<Entry, ArchiveError> {
    let odd = |what| ArchiveError::NotCanonical { at, what };
    let (mut name, kind, mut size) = plain;
    for (key, value) in extended.map(|r| parse_records(r, at)).transpose()?.unwrap_or_default() {
        match key {
            b"path" => name = value.to_vec(),
            b"size" => size = decimal(value).ok_or(odd("a size record"))?,
            key if key.starts_with(b"GNU.sparse.") => {
                let name = String::from_utf8_lossy(&name).into_owned();
                return Err(ArchiveError::Special { name, special: Special::Sparse });
            }
            _ => return Err(odd("a record of an extended header")),
        }
    }
    let mut path = String::from_utf8(name).map_err(|e| ArchiveError::Name {
        name: String::from_utf8_lossy(e.as_bytes()).into_owned(),
        fault: crate::NameFault::NotUtf8,
    })?;
    if kind == Kind::Folder {
        if !path.ends_with('/') {
            return Err(odd("a folder's name"));
        }
        path.pop();
    }
    crate::check_name(&path)?;
    let entry = Entry { path, kind, size };
    crate::entry::check_size(&entry)?;
    if header(&entry) != bytes {
        return Err(odd("a header"));
    }
    Ok(entry)
}

fn decimal(value: &[u8]) -> Option<u64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// Key and value of one record.
type Record<'a> = (&'a [u8], &'a [u8]);

/// Keys and values, in order. At most a handful fit.
fn parse_records(mut bytes: &[u8], at: u64) -> Result<Vec<Record<'_>>, ArchiveError> {
    let odd = || ArchiveError::NotCanonical { at, what: "an extended header" };
    let mut out = Vec::new();
    while !bytes.is_empty() {
        let space = bytes.iter().take(6).position(|b| *b == b' ').ok_or_else(odd)?;
        let len = decimal(&bytes[..space]).and_then(|n| usize::try_from(n).ok()).ok_or_else(odd)?;
        let (record, rest) = bytes.split_at_checked(len).ok_or_else(odd)?;
        let body = record.get(space + 1..).and_then(|r| r.strip_suffix(b"\n")).ok_or_else(odd)?;
        let equals = body.iter().position(|b| *b == b'=').ok_or_else(odd)?;
        out.push((&body[..equals], &body[equals + 1..]));
        bytes = rest;
    }
    Ok(out)
}
