//! `test-vectors/envelope/v1`: whole objects with their secrets, one scenario a file. Made by [`super::maker`] from the specification, read back here
//! by the crate, and by reference/python and reference/node.
//!
//! `cargo test --release -p bailiwick-envelope -- --ignored write_vectors` writes them again; a change needs a new version of the specification.

use std::path::PathBuf;

use bailiwick_envelope::cobblestone::{Backend, ChunkKeys, decrypt_for, encrypt};
use bailiwick_envelope::{Metadata, Opener, RecipientSecretKey, verify};
use bailiwick_protocol::envelope::{FurtherCommitment, Kem, Role, ShardSet};
use bailiwick_protocol::ids::{OwnerKey, Unit};
use bailiwick_protocol::secret::Secret;
use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use super::maker::{Made, Passphrase, Recipe, Stream, layout, sealed_body, wrap};

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
struct Vector {
    scenario: String,
    provenance: String,
    case: Case,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
enum Case {
    /// Opens, to this.
    Object(Box<Object>),
    /// One object in shards.
    Shards(Box<Shards>),
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
struct Object {
    owner: String,
    /// Every one of these opens it.
    recipients: Vec<Key>,
    /// And this, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    passphrase: Option<String>,
    file_key: String,
    body_key: String,
    envelope: String,
    body: String,
    generation: u64,
    unit: String,
    name: String,
    media_type: String,
    /// The data: BLAKE3's extended output for one byte.
    seed: u8,
    size: u64,
    sha256: String,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
struct Shards {
    owner: String,
    recipients: Vec<Key>,
    /// All n, in order: envelope and body. The first k hold the padded plaintext.
    shards: Vec<(String, String)>,
    k: u16,
    padded_length: u64,
    name: String,
    media_type: String,
    seed: u8,
    size: u64,
    sha256: String,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
struct Key {
    kem: u16,
    secret: String,
}

const PROVENANCE: &str = "written from docs/spec/v1/envelope.md by crates/envelope/tests/it/maker.rs over aes-gcm, hkdf and hpke; \
    opened by the crate, by Python's cryptography 50 and, the recipients, by @hpke/core";

/// Root of the cell tree over the body of `commitments.json`, as reference/python computes it.
const ROOT: &str = "15a70266fe8931df0f23374aa5c227d72283fdc4ef4ea4728134e1b16d3e0c0e";

fn scenarios() -> Vec<(&'static str, &'static str, Recipe)> {
    use Kem::{P256, X25519, XWing};
    let passphrase = Passphrase { text: "correct horse battery staple", cost: [64 << 10, 3, 4] };
    let sizes = [
        ("size-0", "no data", 0),
        ("size-1", "one byte", 1),
        ("size-16383", "a byte less than a chunk", 16_383),
        ("size-16384", "as much as a chunk holds", 16_384),
        ("size-16385", "a byte more than a chunk", 16_385),
        ("size-100000", "seven chunks", 100_000),
    ];
    let mut all: Vec<_> = sizes
        .into_iter()
        .zip(1..)
        .map(|((file, scenario, len), seed)| (file, scenario, Recipe::new(seed, len, &[X25519])))
        .collect();
    let at = |seed, kems: &[Kem]| Recipe::new(seed, 300, kems);
    // 35 bytes before the data, 8 after: the last plain chunk is full, so an empty one ends the body.
    let border = Recipe { padded: false, ..Recipe::new(10, 2 * 16_384 - 38, &[X25519]) };
    let further = vec![FurtherCommitment { scheme: 7, value: vec![1, 2, 3] }];
    all.extend([
        ("x-wing", "the hybrid KEM", at(7, &[XWing])),
        ("recipients", "three recipients, two KEMs", at(8, &[XWing, X25519, XWing])),
        (
            "anonymous",
            "recipients without key ids",
            Recipe { anonymous: true, ..at(9, &[X25519, XWing, X25519]) },
        ),
        ("last-chunk-empty", "no padding; the last chunk holds nothing", border),
        ("unpadded", "no padding", Recipe { padded: false, ..at(11, &[X25519]) }),
        (
            "no-metadata",
            "neither name nor media type",
            Recipe { name: "", media_type: "", ..at(12, &[X25519]) },
        ),
        (
            "name-utf-8",
            "a name in many scripts",
            Recipe { name: "Überblick 報告 📦.csv", media_type: "text/csv", ..at(13, &[X25519]) },
        ),
        (
            "commitments",
            "a cell tree's root and a commitment of a scheme nobody knows; generation 2",
            Recipe { generation: 2, root: Some(bytes(ROOT)), further, ..at(14, &[X25519]) },
        ),
        (
            "generation",
            "the highest generation there is",
            Recipe { generation: u64::MAX, ..at(15, &[X25519]) },
        ),
        ("policy", "bound to an owner's policy", Recipe { policy: Some([0x70; 32]), ..at(16, &[X25519]) }),
        (
            "replica",
            "the third copy",
            Recipe { unit: Unit { replica: 2, ..Unit::WHOLE }, ..at(17, &[X25519]) },
        ),
        ("p256", "P-256, as tokens have it", at(18, &[P256])),
        (
            "passphrase",
            "a passphrase and nobody else",
            Recipe { passphrase: Some(passphrase), ..at(19, &[]) },
        ),
        (
            "passphrase-beside-recipients",
            "a passphrase beside one recipient of each KEM; é in the form with one code point",
            Recipe {
                passphrase: Some(Passphrase { text: "caf\u{e9}", cost: [1024, 2, 4] }),
                ..at(20, &[X25519, P256, XWing])
            },
        ),
    ]);
    all
}

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    hex::decode(text).unwrap().try_into().unwrap()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../test-vectors/envelope/v1")
}

fn vector(scenario: &str, recipe: &Recipe) -> Vector {
    let made = Made::new(recipe);
    let object = Object {
        owner: hex::encode(made.pinned()),
        recipients: made
            .readers
            .iter()
            .map(|r| Key { kem: r.kem.id(), secret: hex::encode(r.secret) })
            .collect(),
        passphrase: recipe.passphrase.map(|p| p.text.into()),
        file_key: hex::encode(made.file_key),
        body_key: hex::encode(made.body_key()),
        envelope: hex::encode(made.signed()),
        body: hex::encode(&made.body),
        generation: recipe.generation,
        unit: recipe.unit.to_string(),
        name: recipe.name.into(),
        media_type: recipe.media_type.into(),
        seed: recipe.seed,
        size: recipe.len as u64,
        sha256: hex::encode(sha2::Sha256::digest(&made.data)),
    };
    Vector { scenario: scenario.into(), provenance: PROVENANCE.into(), case: Case::Object(Box::new(object)) }
}

/// Each recipient opens to the data, and nobody else does.
fn opens(object: &Object) {
    let owner = OwnerKey(bytes(&object.owner));
    let (envelope, body) = (hex::decode(&object.envelope).unwrap(), hex::decode(&object.body).unwrap());
    let verified = verify(&owner, &envelope).unwrap();
    assert_eq!((verified.generation, verified.unit.to_string()), (object.generation, object.unit.clone()));
    let expected = super::maker::data(object.seed, usize::try_from(object.size).unwrap());
    assert!(!object.recipients.is_empty() || object.passphrase.is_some());
    let opens_to_data = |opener: &Opener| {
        assert_eq!(hex::encode(opener.file_key().expose_secret()), object.file_key);
        let mut out = Vec::new();
        let opened = opener.open(body.as_slice(), &mut out).unwrap();
        assert!(out == expected, "other data");
        let Metadata { name, media_type } = opened.metadata;
        assert_eq!((name, media_type), (object.name.clone(), object.media_type.clone()));
    };
    same_on_every_backend(&bytes(&object.body_key), &body);
    if let Some(text) = &object.passphrase {
        let typed = |text: String| bailiwick_envelope::Passphrase::new(text.into_bytes().into()).unwrap();
        opens_to_data(&Opener::with_passphrase(&owner, &envelope, &typed(text.clone())).unwrap());
        Opener::with_passphrase(&owner, &envelope, &typed(format!("{text} "))).unwrap_err();
    }
    for key in &object.recipients {
        let kem = Kem::from_id(key.kem).unwrap();
        let secret = |flip| {
            let mut bytes: [u8; 32] = bytes(&key.secret);
            bytes[15] ^= flip;
            RecipientSecretKey::from_bytes(kem, Secret::init_with(|b| *b = bytes)).unwrap()
        };
        let opener = Opener::new(&owner, &envelope, &[secret(0)]).unwrap();
        opens_to_data(&opener);
        Opener::new(&owner, &envelope, &[secret(1)]).unwrap_err();
    }
}

/// Each implementation of the cipher that this build has opens the body, and each makes it again to the byte of what any of them opened.
fn same_on_every_backend(body_key: &[u8; 32], body: &[u8]) {
    let key = Secret::init_with(|b| *b = *body_key);
    for opened in Backend::ALL {
        let mut plain = Vec::new();
        decrypt_for(*opened, body, &mut plain, &key, b"").unwrap();
        for made in Backend::ALL {
            let keys = ChunkKeys::derive_for(*made, &key, body.first_chunk().unwrap(), b"");
            let mut again = Vec::new();
            encrypt(plain.as_slice(), &mut again, &keys).unwrap();
            assert!(again == body, "opened by {opened:?}, made again by {made:?}");
        }
    }
}

/// Two of three shards are enough: Q1 to Q5 with one stripe, over the crate `reed-solomon-simd` that Q4 names.
fn shards(seed: u8, len: usize) -> Vector {
    let base = Made::new(&Recipe::new(seed, len, &[Kem::X25519]));
    let (name, media_type) = ("data.bin", "application/x-test");
    let mut plain = layout(name, media_type, &base.data, true);
    let padded_length = plain.len() as u64;
    let block = plain.len().div_ceil(2).next_multiple_of(64);
    plain.resize(2 * block, 0);
    let recovery = reed_solomon_simd::encode(2, 1, plain.chunks_exact(block)).unwrap();
    let mut rng = Stream::new(b"bailiwick test shards");
    let mut made: Vec<_> = plain
        .chunks_exact(block)
        .chain(recovery.iter().map(Vec::as_slice))
        .zip(0..)
        .map(|(block, shard)| {
            let mut envelope = base.envelope.clone();
            envelope.unit = Unit { k: 2, n: 3, shard, replica: 0 };
            envelope.body.salt = rng.array();
            let file_key: [u8; 32] = rng.array();
            let body = sealed_body(&mut envelope, &file_key, block);
            envelope.recipients =
                vec![wrap(&envelope, &base.readers[0], false, Role::FileKey, &file_key, &mut rng)];
            (envelope, body)
        })
        .collect();
    let digests: Vec<u8> = made.iter().flat_map(|(e, _)| e.body.blake3.0).collect();
    let set = ShardSet { code: 1, padded_length, bodies: blake3::hash(&digests).into() };
    made.iter_mut().for_each(|(e, _)| e.shards = Some(set.clone()));
    let case = Shards {
        owner: hex::encode(base.pinned()),
        recipients: vec![Key { kem: 0x0020, secret: hex::encode(base.readers[0].secret) }],
        shards: made.iter().map(|(e, body)| (hex::encode(base.sign(e)), hex::encode(body))).collect(),
        k: 2,
        padded_length,
        name: name.into(),
        media_type: media_type.into(),
        seed,
        size: len as u64,
        sha256: hex::encode(sha2::Sha256::digest(&base.data)),
    };
    let provenance = "written from docs/spec/v1/envelope.md and shards.md by crates/envelope/tests/it/maker.rs over aes-gcm, hkdf, hpke and reed-solomon-simd";
    Vector {
        scenario: "two of three shards are enough".into(),
        provenance: provenance.into(),
        case: Case::Shards(Box::new(case)),
    }
}

/// Each shard's one chunk opens; the first two hold the plaintext, and the third gives either of them back.
fn rebuilds(set: &Shards) {
    let owner = OwnerKey(bytes(&set.owner));
    let mut blocks = Vec::new();
    for (envelope, body) in &set.shards {
        let key = Secret::init_with(|b| *b = bytes(&set.recipients[0].secret));
        let key = RecipientSecretKey::from_bytes(Kem::X25519, key).unwrap();
        let opener = Opener::new(&owner, &hex::decode(envelope).unwrap(), &[key]).unwrap();
        let body = hex::decode(body).unwrap();
        let mut block = vec![0; body.len() - 72];
        assert!(opener.shard_cipher().open(0, &body[56..], &mut block));
        blocks.push(block);
    }
    let expected = super::maker::data(set.seed, usize::try_from(set.size).unwrap());
    let padded = usize::try_from(set.padded_length).unwrap();
    let plain = blocks[..2].concat();
    let mut out = Vec::new();
    let mut writer = bailiwick_envelope::PaddedWriter::new(&mut out, set.padded_length).unwrap();
    writer.push(&plain[..padded]).unwrap();
    let opened = writer.finish().unwrap();
    assert_eq!(
        (opened.metadata.name, opened.metadata.media_type),
        (set.name.clone(), set.media_type.clone())
    );
    assert!(out == expected && plain[padded..].iter().all(|b| *b == 0));
    for lost in 0..2 {
        let found =
            reed_solomon_simd::decode(2, 1, [(1 - lost, &blocks[1 - lost])], [(0, &blocks[2])]).unwrap();
        assert!(found[&lost] == blocks[lost], "shard {lost} from the others");
    }
}

/// File name without its ending, and what stands in it.
fn vectors() -> Vec<(&'static str, Vector)> {
    let mut all: Vec<_> =
        scenarios().iter().map(|(name, scenario, recipe)| (*name, vector(scenario, recipe))).collect();
    all.push(("shards", shards(21, 300)));
    all
}

#[test]
fn every_vector_opens() {
    let mut names: Vec<_> = vectors().iter().map(|(name, _)| format!("{name}.json")).collect();
    let mut found: Vec<_> =
        std::fs::read_dir(folder()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    found.sort();
    assert_eq!(found, names, "every scenario has its file, and every file its scenario");
    for (name, made) in vectors() {
        let text = std::fs::read_to_string(folder().join(name).with_extension("json")).unwrap();
        let stored: Vector = serde_json::from_str(&text).unwrap();
        match &stored.case {
            Case::Object(object) => opens(object),
            Case::Shards(set) => rebuilds(set),
        }
        assert!(stored == made, "{name}: not what the maker writes");
    }
}

#[test]
#[ignore = "writes files; only for a new version of the format"]
fn write_vectors() {
    std::fs::create_dir_all(folder()).unwrap();
    for (name, vector) in vectors() {
        let text = serde_json::to_string_pretty(&vector).unwrap() + "\n";
        std::fs::write(folder().join(name).with_extension("json"), text).unwrap();
    }
}
