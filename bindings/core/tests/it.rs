//! What every binding stands on: codes that stay, keys in the program's files, pieces in and out.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its case has failed")]

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use bailiwick_bindings::{
    Algorithm, Code, Object, OpenStream, Options, OwnerKey, OwnerPublic, RecipientKey, SealStream, seal,
    seal_file,
};

fn data(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 7 % 251).to_le_bytes()[0]).collect()
}

struct People {
    owner: OwnerKey,
    reader: RecipientKey,
}

fn people() -> People {
    let reader = RecipientKey::generate(Algorithm::X25519).unwrap();
    People { owner: OwnerKey::generate().unwrap(), reader }
}

impl People {
    fn seal(&self, data: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let mut body = Vec::new();
        let options = Options { name: "a".into(), ..Options::default() };
        let made = seal(data, &mut body, &self.owner, &[self.reader.public()], &options).unwrap();
        (body, made.envelope)
    }

    fn object(&self, envelope: &[u8]) -> Object {
        Object::new(envelope, &self.owner.public(), &[&self.reader]).unwrap()
    }
}

/// Bindings of other languages and their users write these down.
#[test]
fn numbers_and_names_of_codes_stay() {
    let all: Vec<_> = Code::ALL.iter().map(|c| (c.number(), c.name())).collect();
    let expected = [
        (1, "argument"),
        (2, "io"),
        (3, "key-file"),
        (4, "key"),
        (5, "envelope"),
        (6, "no-recipient"),
        (7, "wrong-body"),
        (8, "not-authentic"),
        (9, "malformed"),
        (10, "range"),
        (11, "too-large"),
        (12, "recipients"),
        (13, "rewrap"),
        (14, "unusable"),
        (15, "not-alone"),
        (99, "internal"),
    ];
    assert_eq!(all, expected);
    assert_eq!(all.iter().map(|c| c.0).collect::<BTreeSet<_>>().len(), all.len());
}

#[test]
fn pieces_of_any_size_seal_and_open() {
    let people = people();
    for (len, piece) in [(0, 1), (1, 1), (100_000, 777), (5_000_000, 65_536)] {
        let plain = data(len);
        let to = vec![people.reader.public()];
        let mut sealing = SealStream::start(&people.owner, to, Options::default()).unwrap();
        let mut body = Vec::new();
        for p in plain.chunks(piece) {
            body.extend(sealing.push(p).unwrap());
        }
        body.extend(std::iter::from_fn(|| Some(sealing.drain()).filter(|p| !p.is_empty())).flatten());
        let sealed = sealing.finish().unwrap();
        assert_eq!((sealed.data_bytes, sealed.body_bytes), (len as u64, body.len() as u64));

        let object = Arc::new(people.object(&sealed.envelope));
        let mut opening = OpenStream::start(object).unwrap();
        let mut opened = Vec::new();
        for p in body.chunks(piece) {
            opened.extend(opening.push(p).unwrap());
        }
        opened.extend(std::iter::from_fn(|| Some(opening.drain()).filter(|p| !p.is_empty())).flatten());
        let about = opening.finish().unwrap();
        assert!(opened == plain, "{len} in pieces of {piece}");
        assert_eq!(about.data_bytes, len as u64);
    }
}

#[test]
fn a_stream_says_why_it_stopped_and_takes_nothing_after_its_end() {
    let people = people();
    let (mut body, envelope) = people.seal(&data(200_000));
    body[70_000] ^= 1;
    let mut opening = OpenStream::start(Arc::new(people.object(&envelope))).unwrap();
    let pushed: Result<Vec<_>, _> = body.chunks(10_000).map(|p| opening.push(p)).collect();
    while !opening.drain().is_empty() {}
    let error = pushed.and_then(|_| opening.finish().map(drop)).unwrap_err();
    assert_eq!(error.code, Code::NotAuthentic);

    let mut cut = OpenStream::start(Arc::new(people.object(&envelope))).unwrap();
    cut.push(&body[..50_000]).unwrap();
    assert_eq!(cut.finish().unwrap_err().code, Code::Argument, "not ended");
    while !cut.drain().is_empty() {}
    assert_eq!(cut.finish().unwrap_err().code, Code::NotAuthentic);

    let mut nobody = SealStream::start(&people.owner, Vec::new(), Options::default()).unwrap();
    assert!(nobody.drain().is_empty());
    assert_eq!(nobody.finish().unwrap_err().code, Code::Recipients);
    assert_eq!(nobody.push(b"x").unwrap_err().code, Code::Argument);
    assert_eq!(nobody.finish().unwrap_err().code, Code::Argument);
}

/// Padding, 4 MiB here, comes in pieces and not at once.
#[test]
fn the_end_comes_in_pieces() {
    let people = people();
    let to = vec![people.reader.public()];
    let mut sealing = SealStream::start(&people.owner, to, Options::default()).unwrap();
    let plain = data((128 << 20) + 1);
    let mut body = 0;
    for p in plain.chunks(1 << 20) {
        body += sealing.push(p).unwrap().len();
    }
    let (mut pieces, mut largest) = (0, 0);
    loop {
        let piece = sealing.drain();
        if piece.is_empty() {
            break;
        }
        (pieces, largest, body) = (pieces + 1, largest.max(piece.len()), body + piece.len());
    }
    let sealed = sealing.finish().unwrap();
    assert_eq!(sealed.body_bytes, body as u64);
    assert!(pieces > 1 && largest < 2 << 20, "{pieces} pieces, the largest of {largest} bytes");
}

/// Dropped without its end, a stream seals nothing: the worker sees an error, not a shorter input.
#[test]
fn a_stream_left_alone_ends() {
    let people = people();
    let mut sealing =
        SealStream::start(&people.owner, vec![people.reader.public()], Options::default()).unwrap();
    sealing.push(b"half").unwrap();
    drop(sealing);
}

/// A caller that goes away ends the thread at once, wherever it stands, and nothing comes after.
#[test]
fn an_abandoned_stream_has_ended() {
    let people = people();
    let to = vec![people.reader.public()];
    for pushed in [0, 1, 20] {
        let mut sealing = SealStream::start(&people.owner, to.clone(), Options::default()).unwrap();
        for _ in 0..pushed {
            sealing.push(&data(1 << 20)).unwrap();
        }
        sealing.abandon();
        sealing.abandon();
        assert_eq!(sealing.push(b"x").unwrap_err().code, Code::Argument);
        assert!(sealing.drain().is_empty());
        assert_eq!(sealing.finish().unwrap_err().code, Code::Argument);
    }
    let (body, envelope) = people.seal(&data(3 << 20));
    let mut opening = OpenStream::start(Arc::new(people.object(&envelope))).unwrap();
    opening.push(&body[..1 << 20]).unwrap();
    opening.drain(); // in the middle of its end, or cut short
    opening.abandon();
    assert!(opening.drain().is_empty());
    assert_eq!(opening.finish().unwrap_err().code, Code::Argument);
}

#[test]
fn key_files_are_private_whole_and_of_one_kind() {
    let people = people();
    let dir = tempfile::tempdir().unwrap();
    let (owner, reader) = (dir.path().join("owner"), dir.path().join("reader"));
    people.owner.write(&owner).unwrap();
    people.reader.write(&reader).unwrap();
    assert_eq!(OwnerKey::read(&owner).unwrap().public(), people.owner.public());
    assert_eq!(RecipientKey::read(&reader).unwrap().public(), people.reader.public());
    for of in [&owner, &reader] {
        assert_eq!(of.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(people.owner.write(&owner).unwrap_err().code, Code::Io);
    assert_eq!(OwnerKey::read(&reader).unwrap_err().code, Code::KeyFile);
    assert_eq!(OwnerPublic::read(&reader).unwrap_err().code, Code::KeyFile);

    // Halves of two keys, and a secret others can read; neither error shows it.
    let text = std::fs::read_to_string(&owner).unwrap();
    let secret = text.split('"').nth(1).unwrap().to_owned();
    let other = format!("{}{}", &secret[1..], &secret[..1]);
    std::fs::write(&owner, text.replace(&secret, &other)).unwrap();
    let mixed = OwnerKey::read(&owner).unwrap_err();
    std::fs::write(&owner, &text).unwrap();
    std::fs::set_permissions(&owner, std::fs::Permissions::from_mode(0o604)).unwrap();
    let open = OwnerKey::read(&owner).unwrap_err();
    for error in [mixed, open] {
        assert_eq!(error.code, Code::KeyFile);
        assert!(
            !format!("{error:?}").contains(&secret[..16]) && !format!("{error:?}").contains(&other[..16])
        );
    }
    assert!(!format!("{:?}{:?}", people.owner, people.reader).contains(&secret[..16]));
}

/// What a reader or writer fails with comes back as it was.
#[test]
fn the_callers_own_error_comes_back() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("on fire"))
        }
    }
    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::other("full"))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let people = people();
    let to = [people.reader.public()];
    let read = seal(Broken, io::sink(), &people.owner, &to, &Options::default()).unwrap_err();
    let written = seal(&b"data"[..], Broken, &people.owner, &to, &Options::default()).unwrap_err();
    for (error, said) in [(read, "on fire"), (written, "full")] {
        assert_eq!(error.code, Code::Io);
        assert_eq!(error.io.unwrap().to_string(), said);
    }
}

#[test]
fn files_appear_whole_or_not_at_all() {
    let people = people();
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    std::fs::write(at("plain"), data(50_000)).unwrap();
    let to = [people.reader.public()];
    let run =
        || seal_file(&at("plain"), &at("body"), &at("envelope"), &people.owner, &to, &Options::default());
    let sealed = run().unwrap();
    assert_eq!(std::fs::read(at("envelope")).unwrap(), sealed.envelope);
    assert_eq!(run().unwrap_err().code, Code::Io, "nothing is replaced");
    let object = people.object(&sealed.envelope);
    object.open_file(&at("body"), &at("opened")).unwrap();
    assert_eq!(std::fs::read(at("opened")).unwrap(), data(50_000));

    let mut body = std::fs::read(at("body")).unwrap();
    body[40_000] ^= 1;
    std::fs::write(at("changed"), body).unwrap();
    assert_eq!(object.open_file(&at("changed"), &at("never")).unwrap_err().code, Code::NotAuthentic);
    let names: BTreeSet<_> = std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    let expected = ["body", "changed", "envelope", "opened", "plain"].map(Into::into);
    assert_eq!(names, BTreeSet::from(expected));
}

/// E26: a name that is taken while the data comes: neither file appears, and no body stands without what opens it.
#[test]
fn e26_a_name_taken_meanwhile_leaves_neither_file() {
    let people = people();
    let to = [people.reader.public()];
    for (taken, other) in [("envelope", "body"), ("body", "envelope")] {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        rustix::fs::mkfifoat(rustix::fs::CWD, at("plain"), rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR)
            .unwrap();
        let error = std::thread::scope(|s| {
            let sealing = s.spawn(|| {
                let options = Options::default();
                seal_file(&at("plain"), &at("body"), &at("envelope"), &people.owner, &to, &options)
            });
            // Opening waits until the other end is opened, and sealing until it is closed.
            let mut writer = std::fs::OpenOptions::new().write(true).open(at("plain")).unwrap();
            while std::fs::read_dir(dir.path()).unwrap().count() < 3 {
                std::thread::yield_now();
            }
            std::fs::write(at(taken), b"somebody else's").unwrap();
            writer.write_all(&data(20_000)).unwrap();
            drop(writer);
            sealing.join().unwrap().unwrap_err()
        });
        assert_eq!(error.code, Code::Io);
        assert!(!at(other).exists(), "{taken} was taken, {other} appeared");
        assert_eq!(std::fs::read(at(taken)).unwrap(), b"somebody else's");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "no partial file is left");
    }
}

/// Bytes of a test's stack, at most; what its callers have above is some kilobytes.
const STACK: u64 = 2 << 20;

/// What only this test knows, hidden: whoever looks for bytes in memory must not hold them there.
struct Hidden(Vec<u8>);

impl Hidden {
    const MASK: u8 = 0xa5;

    /// The secret line of a key file, byte by byte, so that no buffer of this test ever holds it.
    fn secret_of(path: &std::path::Path) -> Self {
        let (file, mut byte, mut hidden) = (std::fs::File::open(path).unwrap(), [0; 1], Vec::new());
        while std::os::unix::fs::FileExt::read_at(&file, &mut byte, hidden.len() as u64).unwrap() == 1 {
            hidden.push(byte[0] ^ Self::MASK);
        }
        let marker: Vec<u8> = b"secret = \"".iter().map(|b| b ^ Self::MASK).collect();
        let at = hidden.windows(marker.len()).position(|w| w == marker).unwrap() + marker.len();
        Self(hidden[at..at + 64].to_vec())
    }

    /// The 32 bytes that the 64 digits say.
    fn decoded(&self) -> Self {
        let digit = |b: u8| u8::try_from(char::from(b ^ Self::MASK).to_digit(16).unwrap()).unwrap();
        Self(self.0.chunks(2).map(|d| (digit(d[0]) << 4 | digit(d[1])) ^ Self::MASK).collect())
    }

    /// How often it stands in this process' memory, as text and as the bytes it says.
    fn everywhere(&self) -> (usize, usize) {
        (self.found(0), self.decoded().found(0))
    }

    /// The same, without the stack of this thread.
    fn on_the_heap(&self) -> (usize, usize) {
        (self.found(STACK), self.decoded().found(STACK))
    }

    /// How often the bytes stand in this process' memory; `stack` bytes of this thread's are left out.
    fn found(&self, stack: u64) -> usize {
        let memory = std::fs::File::open("/proc/self/mem").unwrap();
        let mut piece = vec![0; 1 << 20];
        let own = piece.as_ptr() as u64..piece.as_ptr() as u64 + piece.len() as u64;
        let here = &raw const memory as u64;
        let left_out = here.saturating_sub(stack)..here + stack / 8;
        let mut found = 0;
        for line in std::fs::read_to_string("/proc/self/maps").unwrap().lines() {
            let (range, rest) = line.split_once(' ').unwrap();
            let (from, to) = range.split_once('-').unwrap();
            let [from, to] = [from, to].map(|n| u64::from_str_radix(n, 16).unwrap());
            if !rest.starts_with("rw") {
                continue;
            }
            let mut at = from;
            while at < to {
                let n = usize::try_from((to - at).min(piece.len() as u64)).unwrap();
                let read = std::os::unix::fs::FileExt::read_at(&memory, &mut piece[..n], at).unwrap_or(0);
                let these = piece[..read].windows(self.0.len()).enumerate().filter(|(i, w)| {
                    let place = at + *i as u64;
                    !own.contains(&place)
                        && !left_out.contains(&place)
                        && w.iter().zip(&self.0).all(|(b, h)| *b == h ^ Self::MASK)
                });
                found += these.count();
                piece.fill(0);
                // Overlapping, so that none is cut in two.
                at += (n as u64).saturating_sub(64).max(1);
            }
        }
        found
    }
}

/// What a program does next: it writes over what calls that have returned left on the stack. The heap is wiped, the stack cannot be.
fn other_work() {
    let people = people();
    let (body, envelope) = people.seal(&data(20_000));
    people.object(&envelope).open(&body[..], io::sink()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    people.owner.write(&dir.path().join("owner")).unwrap();
    OwnerKey::read(&dir.path().join("owner")).unwrap();
}

/// E33: a secret key is in memory while its owner holds it, and nowhere after: not its bytes, not the text of its file.
#[test]
fn e33_dropped_keys_are_gone_from_memory() {
    let gone = [(0, 0); 4];
    let dir = tempfile::tempdir().unwrap();
    let paths = ["owner", "x25519", "x-wing", "p256"].map(|name| dir.path().join(name));
    OwnerKey::generate().unwrap().write(&paths[0]).unwrap();
    for (algorithm, path) in
        [Algorithm::X25519, Algorithm::XWing, Algorithm::P256].into_iter().zip(&paths[1..])
    {
        RecipientKey::generate(algorithm).unwrap().write(path).unwrap();
    }
    let hidden = paths.each_ref().map(|p| Hidden::secret_of(p));
    assert_eq!(hidden.each_ref().map(Hidden::on_the_heap), gone, "after generating");

    let owner = OwnerKey::read(&paths[0]).unwrap();
    let readers: Vec<_> = paths[1..].iter().map(|path| RecipientKey::read(path).unwrap()).collect();
    let mut body = Vec::new();
    let public: Vec<_> = readers.iter().map(RecipientKey::public).collect();
    let sealed = seal(&data(100_000)[..], &mut body, &owner, &public, &Options::default()).unwrap();
    let objects: Vec<_> = readers
        .iter()
        .map(|reader| Object::new(&sealed.envelope, &owner.public(), &[reader]).unwrap())
        .collect();
    for object in &objects {
        object.open(&body[..], io::sink()).unwrap();
    }
    assert!(hidden.iter().all(|h| h.on_the_heap().1 > 0), "this looks where keys are");
    drop((owner, readers, objects));
    assert_eq!(hidden.each_ref().map(Hidden::on_the_heap), gone, "after dropping");
    other_work();
    assert_eq!(hidden.each_ref().map(Hidden::everywhere), gone, "after other work");
}
