//! `test-vectors/verifier/v1`: stored bundles whose judgement must never change. One scenario a file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bailiwick_protocol::bundle::{Answer, NoAnswer};
use bailiwick_protocol::challenge::{CannotProve, SignedChallenge};
use bailiwick_protocol::envelope::{Envelope, SignedEnvelope};
use bailiwick_protocol::ids::{HostKey, Nonce, OwnerKey, VkDigest};
use bailiwick_verifier::{Claim, Inputs, ReasonCode, Verdict, exit_code_of, verify};
use serde::{Deserialize, Serialize};

use crate::real::{answer, auditors_key, development_forgery, development_key, honest_proof, scene};
use crate::world::{Scene, challenge_for, envelopes, key, response, set_up_by, signed_envelope};

/// One stored scenario. Byte strings are hexadecimal.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    scenario: String,
    provenance: String,
    now_unix_ms: u64,
    policy: String,
    anchors: String,
    verifying_keys: BTreeMap<VkDigest, String>,
    bundle: String,
    expect: Expect,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
struct Expect {
    exit_code: u8,
    /// Of *stored*; absent when the input is unusable.
    #[serde(skip_serializing_if = "Option::is_none")]
    stored: Option<Verdict>,
    /// Code of the first reason; absent when the input is unusable.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<serde_json::Value>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../test-vectors/verifier/v1")
}

fn judge(v: &Vector) -> Expect {
    let bundle = hex::decode(&v.bundle).unwrap();
    let keys = v.verifying_keys.iter().map(|(d, k)| (*d, hex::decode(k).unwrap())).collect();
    let outcome = verify(&Inputs {
        bundle: &bundle,
        policy: &v.policy,
        anchors: &v.anchors,
        verifying_keys: &keys,
        now_unix_ms: v.now_unix_ms,
    });
    let stored = outcome.as_ref().ok().map(|r| r.claim(Claim::Stored));
    Expect {
        exit_code: exit_code_of(&outcome),
        stored: stored.map(|c| c.verdict),
        reason: stored.map(|c| serde_json::to_value(c.reasons[0].code).unwrap()),
    }
}

#[test]
fn stored_vectors_are_judged_as_they_always_were() {
    let mut names: Vec<_> = std::fs::read_dir(folder()).unwrap().map(|e| e.unwrap().path()).collect();
    names.retain(|p| p.extension().is_some_and(|e| e == "json"));
    assert_eq!(names.len(), scenarios().len(), "every scenario is stored and every stored file is run");
    for path in names {
        let v: Vector = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(judge(&v), v.expect, "{}", path.display());
        assert_eq!(path.file_stem().unwrap().to_str().unwrap(), v.scenario);
    }
}

fn honest() -> Scene {
    scene(auditors_key(), &set_up_by("auditor"))
}

type Scenario = (&'static str, Scene, Option<(Verdict, ReasonCode)>);

/// What is stored: name, scene, and the verdict with its first reason, or that it is unusable.
fn scenarios() -> Vec<Scenario> {
    use ReasonCode as R;
    use Verdict::{Inconclusive, Refuted, Supported};
    let mut out = vec![("honest", honest(), Some((Supported, R::ProofVerifies)))];
    let mut add = |name, expect, change: &dyn Fn(&mut Scene)| {
        let mut s = honest();
        change(&mut s);
        out.push((name, s, expect));
    };
    let today = |s: &Scene| {
        let mut c = s.challenge();
        c.nonce = Nonce([9; 32]);
        c
    };
    add("development-key", Some((Inconclusive, R::KeyIsDevelopment)), &|s| {
        *s = scene(development_key(), "\"development\"");
    });
    add("development-forgery", Some((Inconclusive, R::KeyIsDevelopment)), &|s| {
        *s = scene(development_key(), "\"development\"");
        s.bundle.answer = response(&s.challenge(), Ok(development_forgery(&s.challenge())), "host");
    });
    add("replayed-answer", Some((Inconclusive, R::AnswerToAnotherChallenge)), &|s| {
        s.bundle.challenge = SignedChallenge::new(&today(s), &key("auditor"));
    });
    add("replayed-proof", Some((Refuted, R::ProofDoesNotVerify)), &|s| {
        let (old, new) = (honest_proof(auditors_key(), &s.challenge()), today(s));
        answer(s, auditors_key(), &new);
        s.bundle.answer = response(&new, Ok(old), "host");
    });
    add("another-hosts-proof", Some((Refuted, R::ProofDoesNotVerify)), &|s| {
        let old = honest_proof(auditors_key(), &s.challenge());
        let mut theirs = s.challenge();
        theirs.host = HostKey(key("other host").public());
        s.bundle.challenge = SignedChallenge::new(&theirs, &key("auditor"));
        s.bundle.answer = response(&theirs, Ok(old), "other host");
    });
    add("cannot-prove", Some((Refuted, R::HostCannotProve)), &|s| {
        s.bundle.answer = response(&s.challenge(), Err(CannotProve::CellsUnavailable), "host");
    });
    add("object-denied", Some((Inconclusive, R::HostDeniesObject)), &|s| {
        s.bundle.answer = response(&s.challenge(), Err(CannotProve::ObjectUnknown), "host");
    });
    add("no-answer-key-not-anchored", Some((Inconclusive, R::KeyNotAnchored)), &|s| {
        s.anchors = crate::world::principals();
        s.bundle.answer = Answer::None(NoAnswer::TimedOut);
    });
    add("no-answer", Some((Refuted, R::NoSignedAnswer)), &|s| {
        s.bundle.answer = Answer::None(NoAnswer::TimedOut);
    });
    add("owner-replaced-by-gateway", Some((Inconclusive, R::OwnerNotAnchored)), &|s| {
        let gateway = OwnerKey(key("gateway").public());
        let mut forged = envelopes();
        forged[0].owner = gateway;
        forged.sort_by_key(Envelope::name);
        let c = challenge_for(&forged, s.challenge().vk);
        answer(s, auditors_key(), &c);
        let sign = |e: &Envelope| {
            if e.owner == gateway { SignedEnvelope::new(e, &key("gateway")) } else { signed_envelope(e) }
        };
        s.bundle.envelopes = forged.iter().map(sign).collect();
    });
    add("stale", Some((Inconclusive, R::Stale)), &|s| s.now += 24 * 3_600_000);
    add("unknown-auditor", None, &|s| {
        s.anchors = s.anchors.replace(&crate::world::hex("auditor"), &crate::world::hex("nobody"));
    });
    out
}

/// A scenario as it is stored.
fn vector((name, s, expect): &Scenario) -> Vector {
    Vector {
        scenario: (*name).to_owned(),
        provenance: "made by crates/verifier/tests/it/vectors.rs with keys from public seeds".to_owned(),
        now_unix_ms: s.now,
        policy: s.policy.clone(),
        anchors: s.anchors.clone(),
        verifying_keys: s.keys.iter().map(|(d, k)| (*d, hex::encode(k))).collect(),
        bundle: hex::encode(s.bytes()),
        expect: match expect {
            None => Expect { exit_code: 2, stored: None, reason: None },
            Some((verdict, code)) => Expect {
                exit_code: bailiwick_verifier::exit_code([*verdict]),
                stored: Some(*verdict),
                reason: Some(serde_json::to_value(code).unwrap()),
            },
        },
    }
}

/// The scenes give today what the stored files expect.
#[test]
fn scenarios_are_judged_as_named() {
    for s in scenarios() {
        let v = vector(&s);
        assert_eq!(judge(&v), v.expect, "{}", v.scenario);
    }
}

#[test]
#[ignore = "rewrites the stored vectors; only for a new version of the format"]
fn write_vectors() {
    std::fs::create_dir_all(folder()).unwrap();
    for s in scenarios() {
        let v = vector(&s);
        let mut text = serde_json::to_string_pretty(&v).unwrap();
        text.push('\n');
        std::fs::write(folder().join(format!("{}.json", v.scenario)), text).unwrap();
    }
}
