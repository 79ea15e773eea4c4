//! Principals, objects, and a scene that can be changed before it is judged.

use std::collections::BTreeMap;

use bailiwick_possession::tree::commit;
use bailiwick_protocol::bundle::{Answer, Bundle, ProbeOutcome, RangeOutcome, SignedBundle};
use bailiwick_protocol::challenge::{
    CannotProve, Challenge, Response, SignedChallenge, SignedResponse, Target,
};
use bailiwick_protocol::codec::{Canonical, Encoder};
use bailiwick_protocol::envelope::{
    BODY_FORMAT_COBBLESTONE_256, BodyInfo, CellCommitment, Envelope, Kem, RecipientEntry, Role, SUITE,
    SignedEnvelope,
};
use bailiwick_protocol::ids::{
    AuditorKey, ClassId, ContentId, HostKey, Nonce, ObjectId, OwnerKey, Unit, VkDigest,
};
use bailiwick_protocol::labels::Label;
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;
use bailiwick_verifier::{Claim, ClaimReport, Inputs, ReasonCode, Report, Unusable, Verdict, verify};

use crate::trapdoor::Trapdoor;

/// When the honest audit asked: 2026-11-22T15:04:05Z.
pub(crate) const ASKED: u64 = 1_795_359_845_000;
/// When it was answered.
pub(crate) const ANSWERED: u64 = ASKED + 2_300;
/// When it is judged, an hour later.
pub(crate) const NOW: u64 = ANSWERED + 3_600_000;

pub(crate) fn key(name: &str) -> SigningKey {
    SigningKey::from_seed(&Secret::init_with(|b| *b = *blake3::hash(name.as_bytes()).as_bytes()))
}

pub(crate) fn hex(name: &str) -> String {
    hex::encode(key(name).public())
}

/// Bytes of an object's body: pseudo-random, so that no two cells are alike.
pub(crate) fn body(object: u8, size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    blake3::Hasher::new().update(&[object]).finalize_xof().fill(&mut bytes);
    bytes
}

pub(crate) fn envelope(owner: &str, object: u8, size: usize) -> Envelope {
    let body = body(object, size);
    let tree = commit([&body]).unwrap();
    Envelope {
        suite: SUITE,
        owner: OwnerKey(key(owner).public()),
        object: ObjectId([object; 16]),
        unit: Unit::WHOLE,
        body: BodyInfo {
            format: BODY_FORMAT_COBBLESTONE_256,
            salt: body[..24].try_into().unwrap(),
            key_commitment: body[24..56].try_into().unwrap(),
            size: size as u64,
            blake3: ContentId(blake3::hash(&body).into()),
        },
        further_commitments: Vec::new(),
        shards: None,
        passphrase: None,
        custody: None,
        policy: None,
        commitment: Some(CellCommitment { root: tree.root(), cells: tree.cells() }),
        generation: 1,
        recipients: vec![RecipientEntry {
            kem: Kem::X25519,
            key_id: Some([object; 8]),
            enc: vec![object; 32],
            ciphertext: vec![object; 48],
            role: Role::FileKey,
        }],
    }
}

/// One audit and everything the reader has, before signatures are made.
pub(crate) struct Scene {
    pub(crate) anchors: String,
    pub(crate) policy: String,
    pub(crate) keys: BTreeMap<VkDigest, Vec<u8>>,
    pub(crate) now: u64,
    pub(crate) bundle: Bundle,
    /// Who signs the bundle.
    pub(crate) signer: &'static str,
}

/// The trapdoor of the auditor's key; a prover with the data gives proofs the verifier cannot tell from these.
pub(crate) fn auditors_trapdoor() -> Trapdoor {
    Trapdoor::new("auditor's own key")
}

pub(crate) const POLICY: &str = r#"version = 1
name = "test"
require = ["stored"]
[stored]
lost_fraction = 0.5
min_detection = 0.5
max_age_hours = 24
"#;

/// A `[[principal]]` entry.
pub(crate) fn principal(role: &str, name: &str) -> String {
    format!("[[principal]]\nrole = \"{role}\"\nname = \"{name}\"\nkey = \"{}\"\n", hex(name))
}

/// A `[[verifying_key]]` entry of class tiny.
pub(crate) fn anchored_key(digest: VkDigest, provenance: &str) -> String {
    format!(
        "[[verifying_key]]\ndigest = \"{digest}\"\nclass = {{ samples = 1, depth = 3 }}\nprovenance = {provenance}\n"
    )
}

pub(crate) fn set_up_by(auditor: &str) -> String {
    format!("\"auditor\"\nauditor = \"{}\"", hex(auditor))
}

/// Alice and Bob own, two hosts, two auditors.
pub(crate) fn principals() -> String {
    let mut text = String::from("version = 1\n");
    for (role, name) in [
        ("owner", "alice"),
        ("owner", "bob"),
        ("host", "host"),
        ("host", "other host"),
        ("auditor", "other auditor"),
        ("auditor", "auditor"),
    ] {
        text.push_str(&principal(role, name));
    }
    text
}

pub(crate) fn envelopes() -> Vec<Envelope> {
    let mut list = vec![envelope("alice", 1, 20_000), envelope("alice", 2, 3_000), envelope("bob", 3, 9_000)];
    list.sort_by_key(Envelope::name);
    list
}

pub(crate) fn challenge_for(envelopes: &[Envelope], vk: VkDigest) -> Challenge {
    Challenge {
        class: ClassId::TINY,
        vk,
        host: HostKey(key("host").public()),
        targets: envelopes.iter().map(|e| Target::of(e).unwrap()).collect(),
        inventory: None,
        epoch: 0,
        beacon: None,
        auditor: AuditorKey(key("auditor").public()),
        nonce: Nonce([7; 32]),
    }
}

pub(crate) fn signed_envelope(e: &Envelope) -> SignedEnvelope {
    let owner = ["alice", "bob"].into_iter().find(|n| key(n).public() == e.owner.0).unwrap();
    SignedEnvelope::new(e, &key(owner))
}

pub(crate) fn response(challenge: &Challenge, outcome: Result<[u8; 128], CannotProve>, host: &str) -> Answer {
    let outcome = outcome.map(|proof| proof.to_vec());
    Answer::Response(SignedResponse::new(&Response { challenge: challenge.digest(), outcome }, &key(host)))
}

impl Scene {
    /// An audit in which everybody is honest, under a key the auditor set up.
    pub(crate) fn honest() -> Self {
        let vk = auditors_trapdoor().verifying_key();
        let envelopes = envelopes();
        let challenge = challenge_for(&envelopes, vk.digest());
        let proof = auditors_trapdoor().forge(&challenge);
        Self {
            anchors: principals() + &anchored_key(vk.digest(), &set_up_by("auditor")),
            policy: POLICY.to_owned(),
            keys: BTreeMap::from([(vk.digest(), vk.as_bytes().to_vec())]),
            now: NOW,
            bundle: Bundle {
                auditor: AuditorKey(key("auditor").public()),
                challenge: SignedChallenge::new(&challenge, &key("auditor")),
                envelopes: envelopes.iter().map(signed_envelope).collect(),
                inventory: None,
                answer: response(&challenge, Ok(proof), "host"),
                ranges: vec![RangeOutcome {
                    target: 0,
                    offset: 0,
                    length: 496,
                    outcome: ProbeOutcome::Good,
                    elapsed_ms: 4,
                }],
                asked_unix_ms: ASKED,
                answered_unix_ms: ANSWERED,
            },
            signer: "auditor",
        }
    }

    /// The honest challenge.
    pub(crate) fn challenge(&self) -> Challenge {
        self.bundle.challenge.decode_unverified().unwrap()
    }

    /// Replaces the challenge and answers it with a proof made for it, signed by the challenged host of that name.
    pub(crate) fn ask(&mut self, challenge: &Challenge, host: &str) {
        self.bundle.challenge = SignedChallenge::new(challenge, &key(self.signer));
        self.bundle.answer = response(challenge, Ok(auditors_trapdoor().forge(challenge)), host);
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        SignedBundle::new(&self.bundle, &key(self.signer)).to_bytes()
    }

    pub(crate) fn verify(&self) -> Result<Report, Unusable> {
        self.verify_bytes(&self.bytes())
    }

    pub(crate) fn verify_bytes(&self, bundle: &[u8]) -> Result<Report, Unusable> {
        verify(&Inputs {
            bundle,
            policy: &self.policy,
            anchors: &self.anchors,
            verifying_keys: &self.keys,
            now_unix_ms: self.now,
        })
    }

    pub(crate) fn report(&self) -> Report {
        self.verify().unwrap()
    }

    /// The judgement of *stored*.
    pub(crate) fn stored(&self) -> ClaimReport {
        self.report().claim(Claim::Stored).clone()
    }

    /// *Stored* has this verdict, and this is the first reason.
    #[track_caller]
    pub(crate) fn expect(&self, verdict: Verdict, code: ReasonCode) {
        let stored = self.stored();
        assert_eq!((stored.verdict, stored.reasons[0].code), (verdict, code), "{:#?}", stored.reasons);
    }
}

/// A bundle whose payload is whatever an auditor chose to sign.
pub(crate) fn sign_payload(payload: &[u8], signer: &str) -> Vec<u8> {
    let signature = key(signer).sign(Label::BundleSignature, payload);
    let mut e = Encoder::new();
    e.array(2);
    e.bytes(payload);
    e.bytes(&signature.0);
    e.into_bytes()
}

#[test]
fn the_honest_scene_is_supported() {
    Scene::honest().expect(Verdict::Supported, ReasonCode::ProofVerifies);
    assert_eq!(Scene::honest().report().exit_code, 0);
}
