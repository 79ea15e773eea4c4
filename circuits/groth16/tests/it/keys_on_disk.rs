//! Proving keys as bytes.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use bailiwick_groth16::{ProvingKey, ProvingKeyError, Transcript, assign, prove};
use bailiwick_protocol::ids::PkDigest;

use super::circuit::{HONEST, fixture, rng};

fn written() -> (Vec<u8>, PkDigest) {
    let mut bytes = Vec::new();
    let digest = fixture().key.write_to(&mut bytes).expect("vec");
    (bytes, digest)
}

#[test]
fn a_key_comes_back_and_proves() {
    let f = fixture();
    let (bytes, digest) = written();
    let key = ProvingKey::read_from(&mut Cursor::new(&bytes), &digest, &f.shape()).expect("reads");
    assert_eq!(key.verifying_key(), &f.vk);
    let assignment = assign(HONEST).expect("runs");
    let proof = prove(&key, &f.pvk, &f.matrices, &assignment, &mut rng(1), &mut |_| ()).expect("proves");
    assert_eq!(f.pvk.verify(&HONEST.inputs(), &proof), Ok(()));
}

/// Where the count of the verifying key's input points stands: alpha 64, beta, gamma, delta 128 bytes each.
const COUNT_AT: usize = 48 + 64 + 3 * 128;

/// A changed byte anywhere behind the header: the digest differs, and nothing is decoded, which a false count would tell.
#[test]
fn bytes_of_another_digest_are_refused_before_decoding() {
    let f = fixture();
    let (honest, digest) = written();
    for at in [48, COUNT_AT + 7, honest.len() / 2, honest.len() - 1] {
        let mut bytes = honest.clone();
        bytes[at] ^= 1;
        let result = ProvingKey::read_from(&mut Cursor::new(&bytes), &digest, &f.shape());
        assert!(matches!(result, Err(ProvingKeyError::Digest { expected, .. }) if expected == digest));
    }
}

/// Bytes that are what their digest says, but not a key: bad magic, left-over bytes, another circuit, a false length.
#[test]
fn malformed_bytes_of_the_right_digest_are_refused() {
    let f = fixture();
    let (honest, _) = written();
    let read = |bytes: &[u8]| {
        let mut h = blake3::Hasher::new_derive_key("bailiwick/v1/proving-key-digest");
        h.update(bytes);
        let digest = PkDigest(h.finalize().into());
        ProvingKey::read_from(&mut Cursor::new(bytes), &digest, &f.shape())
    };
    assert!(read(&honest).is_ok());
    let changed = |at: usize| {
        let mut bytes = honest.clone();
        bytes[at] ^= 1;
        bytes
    };
    assert!(matches!(read(&changed(0)), Err(ProvingKeyError::Malformed)));
    assert!(matches!(read(&changed(16)), Err(ProvingKeyError::Circuit { .. })));
    assert!(matches!(read(&[honest.clone(), vec![0]].concat()), Err(ProvingKeyError::Length { .. })));
    assert!(matches!(read(&honest[..40]), Err(ProvingKeyError::Malformed)));
    assert!(matches!(read(&honest[..honest.len() - 1]), Err(ProvingKeyError::Length { .. })));
    let mut bomb = honest.clone();
    bomb[COUNT_AT..COUNT_AT + 8].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(matches!(read(&bomb), Err(ProvingKeyError::Malformed)));
}

/// A key whose queries are shorter than its circuit, the file as long: the prover would truncate its sums without a word.
#[test]
fn a_key_of_another_shape_is_refused() {
    let f = fixture();
    let (honest, _) = written();
    let mut shorter = honest.clone();
    // The L query is last: a count of 2 and two points of 64 bytes; H is before it, 7 points. The first of L becomes the last of H.
    let l = shorter.len() - 8 - 2 * 64;
    assert_eq!(shorter[l..l + 8], 2u64.to_le_bytes());
    let point: [u8; 64] = shorter[l + 8..l + 72].try_into().expect("64");
    shorter[l..l + 64].copy_from_slice(&point);
    shorter[l + 64..l + 72].copy_from_slice(&1u64.to_le_bytes());
    let h = l - 7 * 64 - 8;
    assert_eq!(shorter[h..h + 8], 7u64.to_le_bytes());
    shorter[h..h + 8].copy_from_slice(&8u64.to_le_bytes());
    let mut h = blake3::Hasher::new_derive_key("bailiwick/v1/proving-key-digest");
    h.update(&shorter);
    let digest = PkDigest(h.finalize().into());
    let result = ProvingKey::read_from(&mut Cursor::new(&shorter), &digest, &f.shape());
    assert!(matches!(result, Err(ProvingKeyError::Shape)));
}

/// `head`, then zeros up to `length`; counts what is read. From the second time it is read from byte 48 on, `later` is its head.
struct Sparse {
    head: Vec<u8>,
    later: Option<Vec<u8>>,
    length: u64,
    at: u64,
    read: u64,
}

impl Sparse {
    fn new(head: &[u8], length: u64) -> Self {
        Self { head: head.to_vec(), later: None, length, at: 0, read: 0 }
    }

    fn open(&mut self) -> Result<ProvingKey, ProvingKeyError> {
        ProvingKey::read_from(self, &written().1, &fixture().shape())
    }
}

impl Read for Sparse {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let n = usize::try_from(self.length - self.at).expect("64 bits").min(to.len());
        let start = usize::try_from(self.at).expect("64 bits");
        for (i, byte) in to[..n].iter_mut().enumerate() {
            *byte = self.head.get(start + i).copied().unwrap_or(0);
        }
        self.at += n as u64;
        self.read += n as u64;
        Ok(n)
    }
}

impl Seek for Sparse {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(by) => self.length.checked_add_signed(by).expect("inside"),
            SeekFrom::Current(by) => self.at.checked_add_signed(by).expect("inside"),
        };
        if self.read > self.length
            || self.read == self.length && self.at == 48 && matches!(to, SeekFrom::Start(_))
        {
            self.head = self.later.take().unwrap_or_else(|| std::mem::take(&mut self.head));
        }
        Ok(self.at)
    }
}

/// Z10, Z21: 2^30 bytes, or endless ones: a file of another circuit, or of another length, is refused by its first 48.
#[test]
fn z21_a_huge_file_is_refused_by_its_header() {
    let (honest, _) = written();
    let mut other = honest.clone();
    other[16] ^= 1;
    for length in [1 << 30, 1 << 62] {
        let mut file = Sparse::new(&other, length);
        assert!(matches!(file.open(), Err(ProvingKeyError::Circuit { .. })));
        assert_eq!(file.read, 48);
        let mut file = Sparse::new(&honest, length);
        let expected = honest.len() as u64;
        assert!(
            matches!(file.open(), Err(ProvingKeyError::Length { expected: e, found }) if (e, found) == (expected, length))
        );
        assert_eq!(file.read, 48);
    }
    // The same source with an honest key: once for the digest, once to decode.
    let mut file = Sparse::new(&honest, honest.len() as u64);
    assert!(file.open().is_ok());
    assert_eq!(file.read, 2 * honest.len() as u64 - 48);
}

/// A file exchanged after its digest was compared: what was decoded is hashed again.
#[test]
fn z10_a_key_exchanged_between_digest_and_decoding_is_refused() {
    let (honest, _) = written();
    let open = |later: &[u8]| {
        let mut file = Sparse::new(&honest, honest.len() as u64);
        file.later = Some(later.to_vec());
        let result = file.open();
        assert_eq!(file.later, None, "was read twice");
        result
    };
    assert!(open(&honest).is_ok());
    // The two points of L exchanged: on their curve, and of the right shape.
    let mut other = honest.clone();
    let l = other.len() - 2 * 64;
    other[l..].rotate_left(64);
    assert!(matches!(open(&other), Err(ProvingKeyError::Digest { .. })));
}

/// Z21: a transcript of another count is refused by its first 8 bytes, an endless one at the length its count gives.
#[test]
fn z21_a_transcript_of_another_length_is_refused() {
    let f = fixture();
    let mut honest = Vec::new();
    f.transcript.write_to(&mut honest).expect("vec");
    let read = |head: &[u8], length| {
        let mut file = Sparse::new(head, length);
        let result = Transcript::read_from(&mut file, &f.shape());
        (result, file.read)
    };
    let length = honest.len() as u64;
    assert!(matches!(read(&honest, length), (Ok(_), n) if n == length));
    let mut bomb = honest.clone();
    bomb[..8].copy_from_slice(&(1u64 << 33).to_le_bytes());
    assert!(matches!(read(&bomb, 1 << 62), (Err(ProvingKeyError::Shape), 8)));
    assert!(matches!(read(&honest, 1 << 62), (Err(ProvingKeyError::Malformed), n) if n == length + 1));
}
