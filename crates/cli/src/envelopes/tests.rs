//! An envelope that changes between its reading and what is written in its place: whoever changed it would be undone, and a second one of its
//! generation could be signed.

use std::fs;
use std::path::PathBuf;

use bailiwick_envelope::{Metadata, Padding, RecipientSecretKey, SealOptions, seal, sign_next};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::{Envelope, Kem};
use bailiwick_protocol::ids::{ObjectId, OwnerKey, Unit};
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;
use tempfile::TempDir;

use super::{Known, Signing};
use crate::keyfile;

/// A directory with the first generation of an envelope, the next two, and another second one.
struct Generations {
    dir: TempDir,
    owner: OwnerKey,
    path: PathBuf,
    first: Vec<u8>,
    second: Vec<u8>,
    another: Vec<u8>,
    third: Vec<u8>,
}

impl Generations {
    fn new() -> Self {
        let mut rng = keyfile::system_rng().unwrap();
        let signer = SigningKey::from_seed(&Secret::init_with(|s| s.fill(7)));
        let owner = OwnerKey(signer.public());
        let options = SealOptions {
            owner,
            object: ObjectId([3; 16]),
            unit: Unit::WHOLE,
            recipients: &[RecipientSecretKey::generate(Kem::X25519, &mut rng).public()],
            passphrase: None,
            anonymous: false,
            metadata: Metadata::default(),
            padding: Padding::None,
        };
        let first = seal(&b"data"[..], std::io::sink(), &options, &mut rng).unwrap();
        let first = first.envelope(None, &signer).unwrap();
        let is = first.decode_unverified().unwrap();
        let second = sign_next(is.clone(), &signer).unwrap();
        let another = sign_next(Envelope { policy: Some([1; 32]), ..is }, &signer).unwrap();
        let third = sign_next(second.decode_unverified().unwrap(), &signer).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("body.envelope");
        let [first, second, another, third] = [first, second, another, third].map(|signed| signed.to_bytes());
        fs::write(&path, &first).unwrap();
        Self { dir, owner, path, first, second, another, third }
    }

    fn known(&self) -> Known {
        Known::below(self.owner, self.dir.path()).unwrap()
    }

    /// What is there, and that nothing else is.
    fn there(&self) -> Vec<u8> {
        assert_eq!(fs::read_dir(self.dir.path()).unwrap().count(), 1);
        fs::read(&self.path).unwrap()
    }
}

#[track_caller]
fn refused<T>(done: anyhow::Result<T>, why: &str) {
    let error = format!("{:#}", done.err().unwrap());
    assert!(error.contains(why), "{error}");
}

/// E13: before the folder is locked another run may sign.
#[test]
fn e13_what_was_signed_before_the_lock_is_seen() {
    let at = Generations::new();
    fs::write(&at.path, &at.second).unwrap();
    refused(Signing::locked(&at.path, None, at.first.clone()), "changed meanwhile");
    let signing = Signing::locked(&at.path, None, at.second.clone()).unwrap();
    assert_eq!(signing.bytes(), at.second);
}

/// E13: who takes no lock may sign at any time.
#[test]
fn e13_what_was_signed_while_an_envelope_was_worked_on_stays() {
    let at = Generations::new();
    let signing = Signing::begin(&at.path, None).unwrap();
    fs::write(&at.path, &at.second).unwrap();
    refused(signing.write(&at.another), "changed meanwhile");
    assert!(at.there() == at.second);
    let signing = Signing::begin(&at.path, None).unwrap();
    signing.write(&at.third).unwrap();
    assert!(at.there() == at.third);
}

/// E13: what a node serves is compared with what is there, not with what was.
#[test]
fn e13_a_known_envelope_that_changed_is_not_compared() {
    let at = Generations::new();
    let (mut known, first) = (at.known(), at.first.clone());
    let served = bailiwick_envelope::verify(&at.owner, &first).unwrap();
    drop(known.remember(at.dir.path(), &served, &first).unwrap());
    fs::write(&at.path, &at.second).unwrap();
    refused(known.remember(at.dir.path(), &served, &first), "changed meanwhile");
    assert!(at.there() == at.second);
}

/// E13: nor is it replaced.
#[test]
fn e13_a_known_envelope_that_changed_is_not_replaced() {
    let at = Generations::new();
    let mut known = at.known();
    fs::write(&at.path, &at.second).unwrap();
    refused(known.keep(at.dir.path(), at.another.clone()), "changed meanwhile");
    assert!(at.there() == at.second);
    drop(known);
    at.known().keep(at.dir.path(), at.third.clone()).unwrap();
    assert!(at.there() == at.third);
}
