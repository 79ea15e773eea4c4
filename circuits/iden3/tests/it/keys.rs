//! Files snarkjs 0.7.6 made (tests/vectors/README.md), and how tests change them.

use std::io::Cursor;

use bailiwick_iden3::ptau::Ptau;
use bailiwick_iden3::zkey::Zkey;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

pub(crate) const POWERS: &[u8] = include_bytes!("../vectors/power5.ptau");
pub(crate) const INITIAL: &[u8] = include_bytes!("../vectors/chain_initial.zkey");
pub(crate) const FINAL: &[u8] = include_bytes!("../vectors/chain_final.zkey");

/// Bytes of the section table before a section's content.
const SECTION_HEADER: usize = 12;

/// Bytes of a contribution without its parameters.
pub(crate) const CONTRIBUTION: usize = 3 * 64 + 128 + 64 + 4 + 4;

pub(crate) fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(7)
}

pub(crate) fn powers() -> Ptau<Cursor<&'static [u8]>> {
    Ptau::open(Cursor::new(POWERS)).unwrap()
}

pub(crate) fn key(bytes: &[u8]) -> Zkey<Cursor<&[u8]>> {
    Zkey::open(Cursor::new(bytes)).unwrap()
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// Where a section's content lies.
pub(crate) fn section(bytes: &[u8], kind: u32) -> core::ops::Range<usize> {
    let mut at = 12;
    for _ in 0..u32_at(bytes, 8) {
        let length = u64::from_le_bytes(bytes[at + 4..at + 12].try_into().unwrap());
        let start = at + SECTION_HEADER;
        let end = start + usize::try_from(length).unwrap();
        if u32_at(bytes, at) == kind {
            return start..end;
        }
        at = end;
    }
    panic!("no section {kind}");
}

/// `bytes` with `new` written at `offset` of a section.
pub(crate) fn with(bytes: &[u8], kind: u32, offset: usize, new: &[u8]) -> Vec<u8> {
    let at = section(bytes, kind).start + offset;
    let mut out = bytes.to_vec();
    out[at..at + new.len()].copy_from_slice(new);
    out
}

/// `bytes` with two points of a section exchanged.
pub(crate) fn exchanged(bytes: &[u8], kind: u32, [a, b]: [usize; 2], size: usize) -> Vec<u8> {
    let start = section(bytes, kind).start;
    let point = |i: usize| bytes[start + i * size..start + (i + 1) * size].to_vec();
    assert_ne!(point(a), point(b), "the exchange changes nothing");
    with(&with(bytes, kind, a * size, &point(b)), kind, b * size, &point(a))
}

/// Where contribution `number` (from 1) begins in section 10.
pub(crate) fn contribution_at(bytes: &[u8], number: usize) -> usize {
    let range = section(bytes, 10);
    let mut at = 64 + 4;
    for _ in 1..number {
        let parameters = u32_at(bytes, range.start + at + CONTRIBUTION - 4) as usize;
        at += CONTRIBUTION + parameters;
    }
    at
}

/// Some bytes of a section.
pub(crate) fn part(bytes: &[u8], kind: u32, offset: usize, length: usize) -> Vec<u8> {
    let start = section(bytes, kind).start + offset;
    bytes[start..start + length].to_vec()
}
