//! Attacks on the body.

use bailiwick_envelope::{CobblestoneError, OpenError};

use super::fixture::{CHUNK, HEADER, Object, SEALED};

/// Four full chunks and a short one.
fn object() -> Object {
    Object::new(4 * CHUNK + 1000, 1)
}

fn fails_at(object: &Object, body: &[u8], chunk: u64) {
    let (result, out) = object.open_with(&object.envelope, body);
    match result {
        Err(OpenError::Body(CobblestoneError::Chunk { index })) => assert_eq!(index, chunk),
        other => panic!("expected chunk {chunk} to fail, got {other:?}"),
    }
    let released = usize::try_from(chunk).unwrap() * CHUNK;
    assert_eq!(out, object.data[..released.saturating_sub(object.head())], "released");
}

#[test]
fn honest_twin_opens() {
    let object = object();
    let (result, out) = object.open();
    assert_eq!(result.unwrap().metadata, object.metadata);
    assert_eq!(out, object.data);
}

/// E06: cut at every chunk border: always an error. The format alone (without the signed size) sees it, too.
#[test]
fn e06_truncation_at_every_chunk_border() {
    let object = object();
    for chunks in 0..=4 {
        let cut = &object.body[..HEADER + chunks * SEALED];
        let (result, _) = object.open_with(&object.envelope, cut);
        assert!(
            matches!(result, Err(OpenError::Body(CobblestoneError::Size { .. }))),
            "{chunks}: {result:?}"
        );
        let (envelope, _) = (object.resigned(|e| e.body.size = cut.len() as u64), ());
        assert!(object.open_with(&envelope, cut).0.is_err(), "a signed size at a border is impossible");
    }
    // Without a signed size: a body of three chunks whose last is full.
    let key = bailiwick_protocol::secret::Secret::init_with(|b| *b = [5; 32]);
    let keys = bailiwick_envelope::cobblestone::ChunkKeys::derive(&key, &[6; 24], &[]);
    let plain = super::fixture::data(3 * CHUNK, 2);
    let mut body = Vec::new();
    bailiwick_envelope::cobblestone::encrypt(plain.as_slice(), &mut body, &keys).unwrap();
    for chunks in 0..=3 {
        let cut = &body[..HEADER + chunks * SEALED];
        let mut out = Vec::new();
        let failed = bailiwick_envelope::cobblestone::decrypt(cut, &mut out, &key, &[]).unwrap_err();
        assert!(matches!(failed, CobblestoneError::Truncated { index } if index == chunks as u64));
        assert_eq!(out, plain[..chunks * CHUNK], "the released prefix is authentic");
    }
    let mut out = Vec::new();
    bailiwick_envelope::cobblestone::decrypt(body.as_slice(), &mut out, &key, &[]).unwrap();
    assert_eq!(out, plain);
}

/// E07: cut at every byte of a small body: an error, and what was released is a prefix of the truth.
#[test]
fn e07_truncation_at_every_byte() {
    let object = Object::new(300, 3);
    for len in 0..object.body.len() {
        let (result, out) = object.open_with(&object.envelope, &object.body[..len]);
        assert!(result.is_err(), "cut at {len}");
        assert!(object.data.starts_with(&out), "cut at {len} released something else");
    }
    assert_eq!(object.open().1, object.data);
}

/// E08: two chunks exchanged.
#[test]
fn e08_chunks_swapped() {
    let object = object();
    let mut body = object.body.clone();
    let (a, b) = (object.chunk(1).to_vec(), object.chunk(2).to_vec());
    body[HEADER + SEALED..][..SEALED].copy_from_slice(&b);
    body[HEADER + 2 * SEALED..][..SEALED].copy_from_slice(&a);
    fails_at(&object, &body, 1);
}

/// E09: a chunk repeated in place of the next.
#[test]
fn e09_chunk_duplicated() {
    let object = object();
    let mut body = object.body.clone();
    let copy = object.chunk(1).to_vec();
    body[HEADER + 2 * SEALED..][..SEALED].copy_from_slice(&copy);
    fails_at(&object, &body, 2);
}

/// E10: a chunk taken out of the middle, the size made up for at the end.
#[test]
fn e10_chunk_dropped() {
    let object = object();
    let mut body = object.body.clone();
    body.drain(HEADER + 2 * SEALED..HEADER + 3 * SEALED);
    let (result, _) = object.open_with(&object.envelope, &body);
    assert!(matches!(result, Err(OpenError::Body(CobblestoneError::Size { .. }))), "{result:?}");
    body.extend_from_slice(&[7; SEALED]);
    fails_at(&object, &body, 2);
}

/// E11: a chunk of another body under the same file key's owner, at its own position.
#[test]
fn e11_chunk_from_another_body() {
    let object = object();
    let other = Object::new(4 * CHUNK + 1000, 2);
    let mut body = object.body.clone();
    body[HEADER + SEALED..][..SEALED].copy_from_slice(other.chunk(1));
    fails_at(&object, &body, 1);
}

/// E11: the same input key, another salt: chunks do not fit either.
#[test]
fn e11_same_key_other_salt() {
    use bailiwick_envelope::cobblestone::{ChunkKeys, decrypt, encrypt};
    let key = bailiwick_protocol::secret::Secret::init_with(|b| *b = [5; 32]);
    let plain = super::fixture::data(2 * CHUNK, 2);
    let made = |salt: u8| {
        let mut body = Vec::new();
        encrypt(plain.as_slice(), &mut body, &ChunkKeys::derive(&key, &[salt; 24], &[])).unwrap();
        body
    };
    let (mut body, other) = (made(1), made(2));
    decrypt(body.as_slice(), std::io::sink(), &key, &[]).unwrap();
    body[HEADER..HEADER + SEALED].copy_from_slice(&other[HEADER..HEADER + SEALED]);
    let failed = decrypt(body.as_slice(), std::io::sink(), &key, &[]).unwrap_err();
    assert!(matches!(failed, CobblestoneError::Chunk { index: 0 }));
}

/// E12: anything after the end.
#[test]
fn e12_trailing_data() {
    let object = object();
    for extra in [1, 15, 16, 17, SEALED, 70 * SEALED] {
        let mut body = object.body.clone();
        body.extend(std::iter::repeat_n(0, extra));
        let (result, out) = object.open_with(&object.envelope, &body);
        let Err(OpenError::Body(CobblestoneError::Size { expected, found })) = result else {
            panic!("{extra}: {result:?}")
        };
        assert_eq!(expected, object.body.len() as u64);
        // What lies beyond the first read is not counted: then the error says "more".
        let seen = (extra < 64 * SEALED).then_some(body.len() as u64);
        assert_eq!(found, seen, "{extra}");
        assert!(object.data.starts_with(&out));
    }
}

/// E13: a second final chunk, made by someone who has the key and signed with the size that goes with it.
#[test]
fn e13_second_final_chunk() {
    let object = object();
    let mut body = object.body.clone();
    let last = object.chunk(4).to_vec();
    body.extend_from_slice(&last);
    let envelope = object.resigned(|e| {
        e.body.size = body.len() as u64;
        e.body.blake3 = bailiwick_protocol::ids::ContentId(blake3::hash(&body).into());
    });
    let (result, _) = object.open_with(&envelope, &body);
    assert!(matches!(result, Err(OpenError::Body(CobblestoneError::Chunk { index: 4 }))), "{result:?}");
}

/// E14: an empty last chunk is the rule when the plaintext fills the one before, and an error anywhere else.
#[test]
fn e14_empty_final_chunk() {
    let probe = Object::new(10, 1);
    let fill = 2 * CHUNK - probe.head() - 8;
    let object = Object::new(fill, 1);
    assert_eq!(object.body.len(), HEADER + 2 * SEALED + 16);
    assert_eq!(object.open().1, object.data);
    // Without it.
    let (result, _) = object.open_with(&object.envelope, &object.body[..HEADER + 2 * SEALED]);
    assert!(result.is_err());
    // One too many after a short chunk.
    let object = self::object();
    let mut body = object.body.clone();
    body.extend_from_slice(&[0; 16]);
    assert!(object.open_with(&object.envelope, &body).0.is_err());
}

/// A recipient knows the key and rewrites a chunk: every tag verifies, the owner's BLAKE3 does not.
#[test]
fn chunk_rewritten_by_a_recipient_is_refused() {
    let object = object();
    let mut plain = object.plaintext();
    let (envelope, same) = object.forged(&plain, false);
    assert_eq!(same, object.body, "the fixture's keys are the object's");
    assert!(object.open_with(&envelope, &same).0.is_ok());
    plain[CHUNK + 5] ^= 1;
    let (envelope, body) = object.forged(&plain, false);
    let (result, _) = object.open_with(&envelope, &body);
    assert!(matches!(result, Err(OpenError::Content)), "{result:?}");
}

/// E25: a failed tag leaves nothing of its chunk in what was released, on any implementation, in any batch.
#[test]
fn e25_failed_tag_releases_nothing_of_its_chunk() {
    let object = Object::new(150 * CHUNK, 4);
    for chunk in [0usize, 1, 63, 64, 65, 127, 128, 149] {
        let mut body = object.body.clone();
        body[HEADER + chunk * SEALED + 16_390] ^= 1;
        fails_at(&object, &body, chunk as u64);
    }
}

struct Failing {
    room: usize,
}

impl std::io::Write for Failing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if bytes.len() > self.room {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        self.room -= bytes.len();
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct Broken<'a>(&'a [u8]);

impl std::io::Read for Broken<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match std::io::Read::read(&mut self.0, buffer)? {
            0 => Err(std::io::ErrorKind::ConnectionReset.into()),
            n => Ok(n),
        }
    }
}

/// E26: a full disk or a broken source is an error, never a short success.
#[test]
fn e26_failing_writer_and_reader_are_errors() {
    use bailiwick_envelope::Opener;
    let object = Object::new(200 * CHUNK, 4);
    let reader = || {
        [bailiwick_envelope::RecipientSecretKey::from_bytes(
            object.reader.kem(),
            bailiwick_protocol::secret::Secret::init_with(|b| {
                b.copy_from_slice(object.reader.secret().expose_secret());
            }),
        )
        .unwrap()]
    };
    let opener = Opener::new(&object.pinned, &object.envelope, &reader()).unwrap();
    for room in [0, 1_500_000, object.data.len() - 1] {
        let result = opener.open(object.body.as_slice(), Failing { room });
        assert!(matches!(result, Err(OpenError::Body(CobblestoneError::Write(_)))), "{room}: {result:?}");
    }
    opener.open(object.body.as_slice(), Failing { room: object.data.len() }).unwrap();
    for len in [0, 30, 56, 2_000_000, object.body.len()] {
        let result = opener.open(Broken(&object.body[..len]), std::io::sink());
        assert!(matches!(result, Err(OpenError::Body(CobblestoneError::Read(_)))), "{len}: {result:?}");
    }
}

/// Takes every byte and fails when it is told to keep them.
struct Unflushed;

impl std::io::Write for Unflushed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Err(std::io::ErrorKind::StorageFull.into())
    }
}

/// E26: bytes a writer still held when it failed are not written: every way in and out ends with a flush.
#[test]
fn e26_failing_flush_is_an_error() {
    use bailiwick_envelope::Opener;
    use bailiwick_envelope::cobblestone::{ChunkKeys, decrypt, encrypt};
    let object = object();
    let opener = Opener::new(&object.pinned, &object.envelope, &[super::keys::copy(&object.reader)]).unwrap();
    let whole = opener.open(object.body.as_slice(), Unflushed);
    assert!(matches!(whole, Err(OpenError::Body(CobblestoneError::Write(_)))), "{whole:?}");
    let range = opener.open_range(&mut object.body.as_slice(), 0, 5, Unflushed);
    assert!(matches!(range, Err(OpenError::Body(CobblestoneError::Write(_)))), "{range:?}");
    let key = || bailiwick_protocol::secret::Secret::init_with(|b| *b = [5; 32]);
    let keys = ChunkKeys::derive(&key(), &[6; 24], &[]);
    assert!(matches!(encrypt(&b"text"[..], Unflushed, &keys), Err(CobblestoneError::Write(_))));
    let mut body = Vec::new();
    encrypt(&b"text"[..], &mut body, &keys).unwrap();
    assert!(matches!(decrypt(body.as_slice(), Unflushed, &key(), &[]), Err(CobblestoneError::Write(_))));
    decrypt(body.as_slice(), std::io::sink(), &key(), &[]).unwrap();
}

/// A signal that interrupts a read is no end and no error.
#[test]
fn interrupted_reads_go_on() {
    struct Interrupted<'a>(&'a [u8], bool);
    impl std::io::Read for Interrupted<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.1 = !self.1;
            if self.1 { Err(std::io::ErrorKind::Interrupted.into()) } else { self.0.read(buffer) }
        }
    }
    let object = object();
    let opener = bailiwick_envelope::Opener::new(
        &object.pinned,
        &object.envelope,
        &[super::keys::copy(&object.reader)],
    )
    .unwrap();
    let mut out = Vec::new();
    opener.open(Interrupted(&object.body, false), &mut out).unwrap();
    assert_eq!(out, object.data);
}

/// A writer that panics ends the call with its panic; with several threads, none is left waiting for its turn.
#[test]
fn a_panicking_writer_leaves_nobody_waiting() {
    struct Panics(usize);
    impl std::io::Write for Panics {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).expect("the writer's own panic");
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    use bailiwick_envelope::cobblestone::{ChunkKeys, encrypt};
    let sealed_into = |room: usize| {
        let (done, ended) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let keys = ChunkKeys::derive(
                &bailiwick_protocol::secret::Secret::init_with(|b| *b = [5; 32]),
                &[6; 24],
                &[],
            );
            let sealed = std::panic::catch_unwind(|| encrypt(&[7; 8 << 20][..], Panics(room), &keys));
            done.send(sealed.is_ok()).unwrap();
        });
        ended.recv_timeout(std::time::Duration::from_secs(30)).expect("a thread waits for ever")
    };
    for room in [0, 1000, 3 << 20] {
        assert!(!sealed_into(room), "{room}");
    }
    assert!(sealed_into(9 << 20));
}

/// E26: when the writer fails, a source that never ends is left alone, at once.
#[test]
fn e26_failing_writer_stops_reading_an_endless_source() {
    use bailiwick_envelope::cobblestone::{ChunkKeys, encrypt};
    let (done, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let key = bailiwick_protocol::secret::Secret::init_with(|b| *b = [5; 32]);
        let keys = ChunkKeys::derive(&key, &[6; 24], &[]);
        done.send(encrypt(std::io::repeat(7), Failing { room: 3 << 20 }, &keys)).unwrap();
    });
    let failed = ended.recv_timeout(std::time::Duration::from_secs(30)).expect("reading goes on for ever");
    assert!(matches!(failed, Err(CobblestoneError::Write(_))), "{failed:?}");
}
