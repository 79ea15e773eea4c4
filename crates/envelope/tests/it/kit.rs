//! E05: `test-vectors/kit/v1`, a failure kit in the manner of age's CCTV: one thing is wrong in each file, and the file says what a reader must find. Every file is read here by
//! the crate, by the program in crates/cli/tests/it/kit.rs, and by reference/python.
//!
//! `cargo test --release -p bailiwick-envelope -- --ignored write_kit` writes the files again.

mod body;
mod cbor;
mod file;
mod inside;
mod opening;
mod passphrase;
mod values;
mod wire;

use std::collections::BTreeSet;
use std::path::PathBuf;

use bailiwick_envelope::{
    CobblestoneError as Body, LayoutError as Layout, OpenError, Opened, Opener, RecipientSecretKey,
};
use bailiwick_protocol::codec::CodecError;
use bailiwick_protocol::envelope::Kem;
use bailiwick_protocol::ids::OwnerKey;
use bailiwick_protocol::secret::Secret;

use super::maker::{Made, Passphrase, Recipe};
use file::{File, Way};

/// What may come out before the error.
enum Released {
    Nothing,
    /// Exactly the data in the first chunks.
    Chunks(usize),
    /// All of the data: only the owner's hash is wrong.
    All,
    /// Some prefix of the data, or all of it: only the end says what is wrong.
    Prefix,
    /// All of the data and these bytes after it: that they are none of the data only the end says.
    DataAnd(&'static [u8]),
}

/// One file.
struct Case {
    /// The file's name, without `.kit`.
    name: &'static str,
    /// What a reader must find; the names are those of the kit's README.
    expect: &'static str,
    /// What is wrong.
    comment: &'static str,
    make: fn(&Honest) -> Broken,
    released: Released,
}

/// What a case makes.
struct Broken {
    owner: [u8; 32],
    way: Way,
    envelope: Vec<u8>,
    body: Vec<u8>,
    /// Of the object the case began with.
    data: Vec<u8>,
}

/// The objects all cases begin with. Each opens, and is a file of the kit itself.
struct Honest {
    /// Three chunks, the last one short, no padding; X25519.
    large: Made,
    /// Two full chunks and an empty one, no padding; X25519.
    border: Made,
    /// A few bytes; X25519, X-Wing and P-256, commitments and a policy.
    small: Made,
    /// One of three shards, which has one block of 64 bytes; X25519.
    shard: Made,
    /// A few bytes, which a passphrase and X25519 open.
    passphrase: Made,
    /// Of another owner, to take things from.
    other: Made,
}

impl Honest {
    fn new() -> Self {
        use bailiwick_protocol::envelope::{FurtherCommitment, ShardSet};
        let plain = |seed, len| Recipe { padded: false, ..Recipe::new(seed, len, &[Kem::X25519]) };
        let further = [5, 9].map(|scheme| FurtherCommitment { scheme, value: vec![1, 2, 3] }).to_vec();
        let small = Recipe {
            root: Some([0x0e; 32]),
            further,
            policy: Some([0x70; 32]),
            recipients: vec![Kem::X25519, Kem::XWing, Kem::P256],
            ..plain(103, 40)
        };
        let unit = bailiwick_protocol::ids::Unit { k: 2, n: 3, shard: 1, replica: 0 };
        let shards = ShardSet { code: 1, padded_length: 128, bodies: [0x5b; 32] };
        Self {
            large: Made::new(&plain(101, 2 * 16_384 + 1000)),
            border: Made::new(&plain(102, 2 * 16_384 - 38)),
            small: Made::new(&small),
            shard: Made::new(&Recipe { unit, shards: Some(shards), ..plain(104, 26) }),
            passphrase: Made::new(&Recipe { passphrase: Some(PASSPHRASE), ..plain(106, 40) }),
            other: Made::new(&plain(105, 2 * 16_384 + 1000)),
        }
    }
}

impl Made {
    fn broken(&self, envelope: Vec<u8>, body: Vec<u8>) -> Broken {
        Broken {
            owner: self.pinned(),
            way: Way::Key(self.readers[0].clone()),
            envelope,
            body,
            data: self.data.clone(),
        }
    }
}

/// Cheap to try; é in the form with one code point.
const PASSPHRASE: Passphrase = Passphrase { text: "caf\u{e9} au lait", cost: [64, 1, 1] };

/// Bytes before the data in these objects: two lengths, `data.bin`, `application/x-test`.
const HEAD: usize = 30;

const HONEST: &[Case] = &[
    case(
        "honest-three-chunks",
        "success",
        "two full chunks and a short one; what the body cases begin with",
        |h| h.large.broken(h.large.signed(), h.large.body.clone()),
        Released::All,
    ),
    case(
        "honest-empty-last-chunk",
        "success",
        "two full chunks and an empty one",
        |h| h.border.broken(h.border.signed(), h.border.body.clone()),
        Released::All,
    ),
    case(
        "honest-small",
        "success",
        "three recipients, three KEMs, commitments of three schemes, a policy; what the envelope cases begin with",
        |h| h.small.broken(h.small.signed(), h.small.body.clone()),
        Released::All,
    ),
    case(
        "honest-small-x-wing",
        "success",
        "the same, opened by the other recipient",
        |h| {
            let broken = h.small.broken(h.small.signed(), h.small.body.clone());
            Broken { way: Way::Key(h.small.readers[1].clone()), ..broken }
        },
        Released::All,
    ),
    case(
        "honest-small-p256",
        "success",
        "the same, opened by the third recipient",
        |h| {
            let broken = h.small.broken(h.small.signed(), h.small.body.clone());
            Broken { way: Way::Key(h.small.readers[2].clone()), ..broken }
        },
        Released::All,
    ),
    case(
        "shard-alone",
        "shard",
        "one of three shards: right, and not enough",
        |h| h.shard.broken(h.shard.signed(), h.shard.body.clone()),
        Released::Nothing,
    ),
];

const fn case(
    name: &'static str,
    expect: &'static str,
    comment: &'static str,
    make: fn(&Honest) -> Broken,
    released: Released,
) -> Case {
    Case { name, expect, comment, make, released }
}

fn cases() -> Vec<&'static Case> {
    let all = [
        HONEST,
        body::CASES,
        wire::CASES,
        cbor::CASES,
        values::CASES,
        values::FORMS,
        opening::CASES,
        passphrase::CASES,
        inside::CASES,
    ];
    all.into_iter().flatten().collect()
}

/// How many files there are: one that is lost in an edit is missed.
const CASE_COUNT: usize = 332;

pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../test-vectors/kit/v1")
}

/// What opening says, and what it released.
fn opened(file: &File) -> (Result<Opened, OpenError>, Vec<u8>) {
    let mut out = Vec::new();
    let owner = OwnerKey(file.owner);
    let opener = match &file.way {
        Way::Key(reader) => {
            let key = RecipientSecretKey::from_bytes(reader.kem, Secret::init_with(|b| *b = reader.secret));
            Opener::new(&owner, &file.envelope, &[key.unwrap()])
        }
        Way::Passphrase(text) => {
            let passphrase = bailiwick_envelope::Passphrase::new(text.clone().into_bytes().into()).unwrap();
            Opener::with_passphrase(&owner, &file.envelope, &passphrase)
        }
    };
    let result = opener.and_then(|o| o.open(file.body.as_slice(), &mut out));
    (result, out)
}

/// Name of what a reader found, as in the kit's README.
fn found(result: &Result<Opened, OpenError>) -> &'static str {
    let error = match result {
        // Authentic; that the name is no file name is for who writes files.
        Ok(opened) if !is_file_name(&opened.metadata.name) => return "name",
        Ok(_) => return "success",
        Err(error) => error,
    };
    match error {
        OpenError::Envelope(CodecError::BadSignature) => "envelope-signature",
        OpenError::Envelope(CodecError::UnknownVersion { .. }) => "envelope-unknown",
        OpenError::Envelope(CodecError::Invalid(_)) => "envelope-value",
        OpenError::Envelope(CodecError::NotCanonical) => "envelope-not-canonical",
        OpenError::Envelope(CodecError::TooLong { .. } | CodecError::TooMany { .. }) => "envelope-limit",
        OpenError::Envelope(
            CodecError::Malformed { .. } | CodecError::UnknownKey { .. } | CodecError::Trailing { .. },
        ) => "envelope-malformed",
        OpenError::OwnerMismatch => "owner-mismatch",
        OpenError::NoRecipient => "no-recipient",
        OpenError::NoPassphrase => "no-passphrase",
        OpenError::Passphrase => "passphrase",
        OpenError::KeyCommitment => "key-commitment",
        OpenError::BodyHeader => "body-header",
        OpenError::Body(Body::HeaderTruncated | Body::Size { .. } | Body::Truncated { .. }) => "body-size",
        OpenError::Body(Body::Chunk { .. }) => "body-chunk",
        OpenError::Content => "content",
        OpenError::Shard(_) => "shard",
        OpenError::Layout(Layout::MetadataLength | Layout::DataLength) => "layout-length",
        OpenError::Layout(Layout::MetadataText) => "layout-text",
        OpenError::Layout(Layout::Padding) => "padding",
        other => panic!("an error without a name: {other:?}"),
    }
}

/// Clauses E19 and E19a.
fn is_file_name(name: &str) -> bool {
    const INVISIBLE: [core::ops::RangeInclusive<u32>; 17] = [
        0..=0x1f,
        0x7f..=0x9f,
        0xad..=0xad,
        0x34f..=0x34f,
        0x61c..=0x61c,
        0x115f..=0x1160,
        0x17b4..=0x17b5,
        0x180e..=0x180e,
        0x200b..=0x200f,
        0x2028..=0x202e,
        0x2060..=0x206f,
        0x3164..=0x3164,
        0xfeff..=0xfeff,
        0xffa0..=0xffa0,
        0xfff9..=0xfffb,
        0x1d173..=0x1d17a,
        0xe0000..=0xe00ff,
    ];
    let first_and_last = [name.chars().next(), name.chars().last()];
    let harmful =
        |c: char| "/\\:*?\"<>|".contains(c) || INVISIBLE.iter().any(|range| range.contains(&u32::from(c)));
    (1..=255).contains(&name.len())
        && !first_and_last.iter().flatten().any(|c| matches!(c, '.' | ' '))
        && !name.starts_with('-')
        && !name.contains(harmful)
}

/// The file of a case: what comes out before the error is what the case says.
fn file_of(case: &Case, honest: &Honest) -> File {
    let Broken { owner, way, envelope, body, data } = (case.make)(honest);
    let mut file = File {
        expect: case.expect.into(),
        comment: case.comment.into(),
        owner,
        way,
        released: (0, [0; 32]),
        envelope,
        body,
    };
    let (result, out) = opened(&file);
    assert_eq!(found(&result), case.expect, "{}: {result:?}", case.name);
    let name = case.name;
    match case.released {
        Released::Nothing => assert!(out.is_empty(), "{name}: released {} bytes", out.len()),
        Released::Chunks(n) => {
            let len = (n * 16_384).saturating_sub(HEAD);
            assert!(out == data[..len], "{name}: released {} bytes instead of {len}", out.len());
        }
        Released::All => assert!(out.len() >= data.len(), "{name}: released {} bytes", out.len()),
        Released::Prefix => assert!(out == data[..out.len()], "{name}: released something else"),
        Released::DataAnd(more) => assert!(out == [data.as_slice(), more].concat(), "{name}"),
    }
    file.released = (out.len(), blake3::hash(&out).into());
    file
}

/// E05: every file of the kit, and a file for every case.
#[test]
fn e05_failure_kit() {
    let names: BTreeSet<_> = cases().iter().map(|c| format!("{}.kit", c.name)).collect();
    assert_eq!((names.len(), cases().len()), (CASE_COUNT, CASE_COUNT), "names are distinct");
    let stored: BTreeSet<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "README.md")
        .collect();
    assert_eq!(stored, names, "every case has its file, and every file its case");
    for name in &names {
        let file = File::parse(&std::fs::read(folder().join(name)).unwrap());
        let (result, out) = opened(&file);
        assert_eq!(found(&result), file.expect, "{name}: {}: {result:?}", file.comment);
        let released = (out.len(), blake3::hash(&out).into());
        assert_eq!(released, file.released, "{name}: released {} bytes", out.len());
    }
}

/// The files are what the cases make, from the specification and fixed seeds.
#[test]
fn e05_the_kit_is_made_again_to_the_byte() {
    let honest = Honest::new();
    let mut seen = BTreeSet::new();
    for case in cases() {
        let bytes = file_of(case, &honest).encoded();
        let stored = std::fs::read(folder().join(format!("{}.kit", case.name))).unwrap();
        assert!(bytes == stored, "{}: not what the case makes", case.name);
        let at = bytes.windows(7).position(|w| w == b"\nowner:").unwrap();
        assert!(seen.insert(bytes[at..].to_vec()), "{}: made twice", case.name);
    }
}

#[test]
#[ignore = "writes files; only for new cases or a new version of the format"]
fn write_kit() {
    let honest = Honest::new();
    std::fs::create_dir_all(folder()).unwrap();
    for case in cases() {
        std::fs::write(folder().join(format!("{}.kit", case.name)), file_of(case, &honest).encoded())
            .unwrap();
    }
}
