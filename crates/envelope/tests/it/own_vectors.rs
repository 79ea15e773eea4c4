//! `test-vectors/envelope/v1`: whole objects with their secrets, one scenario a file. Made by [`super::maker`] from the specification, read back here
//! by the crate, and by reference/python and reference/node.
//!
//! `cargo test --release -p bailiwick-envelope -- --ignored write_vectors` writes them again; a change needs a new version of the specification.

use std::path::PathBuf;

use bailiwick_envelope::{Opener, RecipientSecretKey, verify};
use bailiwick_protocol::envelope::{FurtherCommitment, Kem, ShardSet};
use bailiwick_protocol::ids::{OwnerKey, Unit};
use bailiwick_protocol::secret::Secret;
use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use super::maker::{Made, Recipe};

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
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
struct Object {
    owner: String,
    /// Every one of these opens it.
    recipients: Vec<Key>,
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
struct Key {
    kem: u16,
    secret: String,
}

const PROVENANCE: &str = "written from docs/spec/v1/envelope.md by crates/envelope/tests/it/maker.rs over aes-gcm, hkdf and hpke; \
    opened by the crate, by Python's cryptography 50 and, the recipients, by @hpke/core";

/// Root of the cell tree over the body of `commitments.json`, as reference/python computes it.
const ROOT: &str = "15a70266fe8931df0f23374aa5c227d72283fdc4ef4ea4728134e1b16d3e0c0e";

fn scenarios() -> Vec<(&'static str, &'static str, Recipe)> {
    use Kem::{X25519, XWing};
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
    let unit = Unit { k: 2, n: 3, shard: 1, replica: 0 };
    let shards = ShardSet { code: 1, padded_length: 320, bodies: [0x5b; 32] };
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
        (
            "shard",
            "one of three shards, any two of which are enough",
            Recipe { unit, shards: Some(shards), ..at(18, &[X25519]) },
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
    assert!(!object.recipients.is_empty());
    for key in &object.recipients {
        let kem = Kem::from_id(key.kem).unwrap();
        let secret = |flip| {
            let mut bytes: [u8; 32] = bytes(&key.secret);
            bytes[15] ^= flip;
            RecipientSecretKey::from_bytes(kem, Secret::init_with(|b| *b = bytes)).unwrap()
        };
        let opener = Opener::new(&owner, &envelope, &[secret(0)]).unwrap();
        assert_eq!(hex::encode(opener.file_key().expose_secret()), object.file_key);
        let mut out = Vec::new();
        let opened = opener.open(body.as_slice(), &mut out).unwrap();
        assert!(out == expected, "other data");
        assert_eq!(
            (opened.metadata.name, opened.metadata.media_type),
            (object.name.clone(), object.media_type.clone())
        );
        Opener::new(&owner, &envelope, &[secret(1)]).unwrap_err();
    }
}

#[test]
fn every_vector_opens() {
    let mut names: Vec<_> = scenarios().iter().map(|(name, ..)| format!("{name}.json")).collect();
    let mut found: Vec<_> =
        std::fs::read_dir(folder()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    found.sort();
    assert_eq!(found, names, "every scenario has its file, and every file its scenario");
    for (name, scenario, recipe) in scenarios() {
        let text = std::fs::read_to_string(folder().join(name).with_extension("json")).unwrap();
        let stored: Vector = serde_json::from_str(&text).unwrap();
        let Case::Object(object) = &stored.case;
        opens(object);
        assert!(stored == vector(scenario, &recipe), "{name}: not what the maker writes");
    }
}

#[test]
#[ignore = "writes files; only for a new version of the format"]
fn write_vectors() {
    std::fs::create_dir_all(folder()).unwrap();
    for (name, scenario, recipe) in scenarios() {
        let text = serde_json::to_string_pretty(&vector(scenario, &recipe)).unwrap() + "\n";
        std::fs::write(folder().join(name).with_extension("json"), text).unwrap();
    }
}
