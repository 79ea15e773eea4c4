//! What others computed.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use bailiwick_translog::{Hash, Note, NoteSigner, SignedCheckpoint, VerifierKey, leaf_hash};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::fixture::{log_of, mth, tree};

fn vector<T: for<'de> Deserialize<'de>>(name: &str) -> T {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../test-vectors/translog/v1").join(name);
    serde_json::from_slice(&fs::read(&path).unwrap()).unwrap()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Proofs {
    sizes: (u64, u64),
    inclusion: String,
    consistency: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Merkle {
    #[expect(dead_code, reason = "for readers")]
    scenario: String,
    #[expect(dead_code, reason = "for readers")]
    provenance: String,
    roots: BTreeMap<u64, String>,
    all_roots_sha256: String,
    all_proofs_sha256: Vec<Proofs>,
}

/// T04: roots and every inclusion and consistency proof are those of tlog_tiles.
#[test]
fn t04_roots_and_proofs_are_those_of_tlog_tiles() {
    let v: Merkle = vector("merkle-tlog-tiles.json");
    let (memory, _) = log_of(600);
    let mut tree = tree(&memory, 600);
    let mut roots = Sha256::new();
    for size in 1..=600 {
        let root = tree.root_at(size).unwrap();
        roots.update(root.0);
        if let Some(expected) = v.roots.get(&size) {
            assert_eq!(&root.to_string(), expected, "{size}");
        }
    }
    assert_eq!(hex::encode(roots.finalize()), v.all_roots_sha256);
    for proofs in v.all_proofs_sha256 {
        let (mut inclusion, mut consistency) = (Sha256::new(), Sha256::new());
        let add = |digest: &mut Sha256, path: Vec<Hash>| {
            path.iter().for_each(|h| digest.update(h.0));
            digest.update([0xff]);
        };
        for size in proofs.sizes.0..=proofs.sizes.1 {
            (0..size).for_each(|i| add(&mut inclusion, tree.inclusion(i, size).unwrap()));
            (1..size).for_each(|m| add(&mut consistency, tree.consistency(m, size).unwrap()));
        }
        assert_eq!(hex::encode(inclusion.finalize()), proofs.inclusion, "{:?}", proofs.sizes);
        assert_eq!(hex::encode(consistency.finalize()), proofs.consistency, "{:?}", proofs.sizes);
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Leaves {
    #[expect(dead_code, reason = "for readers")]
    scenario: String,
    #[expect(dead_code, reason = "for readers")]
    provenance: String,
    leaves: Vec<String>,
    roots: Vec<String>,
}

/// T05: leaves and nodes are prefixed as RFC 6962 says, by its reference implementation.
#[test]
fn t05_roots_are_those_of_certificate_transparency() {
    let v: Leaves = vector("merkle-certificate-transparency.json");
    let leaves: Vec<Hash> = v.leaves.iter().map(|l| leaf_hash(&hex::decode(l).unwrap())).collect();
    assert_eq!(v.roots.len(), leaves.len());
    for (i, root) in v.roots.iter().enumerate() {
        assert_eq!(&mth(&leaves[..=i]).to_string(), root);
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Public {
    #[expect(dead_code, reason = "for readers")]
    scenario: String,
    #[expect(dead_code, reason = "for readers")]
    provenance: String,
    log: String,
    witnesses: Vec<String>,
    note: String,
    size: u64,
    time: u64,
}

/// T12: a real checkpoint of a public log with the cosignatures of four public witnesses.
#[test]
fn t12_public_checkpoint_and_cosignatures_verify() {
    let v: Public = vector("checkpoint-public-witnesses.json");
    let log = VerifierKey::parse(&v.log).unwrap();
    let signed = SignedCheckpoint::open(v.note.as_bytes(), std::slice::from_ref(&log)).unwrap();
    assert_eq!(signed.checkpoint().size, v.size);
    let witnesses: Vec<VerifierKey> = v.witnesses.iter().map(|w| VerifierKey::parse(w).unwrap()).collect();
    let found = signed.cosignatures(&witnesses).unwrap();
    assert_eq!(found.len(), 4);
    assert!(found.iter().all(|c| c.time == v.time), "{found:?}");
    assert_eq!(signed.note().to_text(), v.note);
    let other = v.note.replace("1432088532", "1432088533");
    SignedCheckpoint::open(other.as_bytes(), &[log]).unwrap_err();
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GoNote {
    #[expect(dead_code, reason = "for readers")]
    scenario: String,
    #[expect(dead_code, reason = "for readers")]
    provenance: String,
    text: String,
    private: String,
    keys: Vec<String>,
    lines: Vec<String>,
}

/// T06: keys, ids and signature lines are those of Go's note package.
#[test]
fn t06_keys_and_notes_are_those_of_go() {
    let v: GoNote = vector("note-go.json");
    let signer = NoteSigner::parse(&v.private).unwrap();
    assert_eq!(signer.verifier().to_string(), v.keys[0]);
    for key in &v.keys {
        assert_eq!(&VerifierKey::parse(key).unwrap().to_string(), key);
    }
    let note = format!("{}\n{}{}", v.text, v.lines[0], v.lines[1]);
    let parsed = Note::parse(note.as_bytes()).unwrap();
    assert_eq!(parsed.to_text(), note);
    assert_eq!(parsed.signatures()[0].to_line(), v.lines[0]);
    assert_eq!(parsed.signatures()[1].name(), "EnochRoot");
    // Not a checkpoint, but signed: the signatures pass, the form does not.
    let keys: Vec<VerifierKey> = v.keys.iter().map(|k| VerifierKey::parse(k).unwrap()).collect();
    let opened = SignedCheckpoint::open(note.as_bytes(), &keys);
    assert_eq!(opened, Err(bailiwick_translog::CheckpointError::Form));
    let bent = note.replace("answer", "Answer");
    let opened = SignedCheckpoint::open(bent.as_bytes(), &keys);
    assert!(matches!(opened, Err(bailiwick_translog::CheckpointError::Note(_))), "{opened:?}");
}

/// Every vector has a reader here.
#[test]
fn every_vector_is_read() {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../test-vectors/translog/v1");
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let read = [
        "checkpoint-public-witnesses.json",
        "merkle-certificate-transparency.json",
        "merkle-tlog-tiles.json",
        "note-go.json",
    ];
    assert_eq!(names, read);
}
