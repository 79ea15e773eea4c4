//! Vectors in `test-vectors/custody/v1`, one scenario a file, read back here.
//!
//! `cargo test --release -p bailiwick-custody -- --ignored rewrite_vectors` writes them again; a change needs a new version of the
//! specification.

use std::path::PathBuf;

use bailiwick_custody::{
    CustodianSecretKey, Dealing, DealingError, Receipt, Release, Request, recover, release,
};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::secret::Secret;
use curve25519_dalek::scalar::Scalar;
use serde_json::{Value, json};

use super::case::{Case, FILE_KEY, exchange, rng};
use super::own_dealer::{self as dealer, Numbers};

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../test-vectors/custody/v1"))
}

pub(super) fn bytes(v: &Value) -> Vec<u8> {
    hex::decode(v.as_str().unwrap()).unwrap()
}

pub(super) fn fixed<const N: usize>(v: &Value) -> [u8; N] {
    bytes(v).try_into().unwrap()
}

pub(super) fn secret<const N: usize>(v: &Value) -> Secret<N> {
    let b: [u8; N] = fixed(v);
    Secret::init_with(|s| s.copy_from_slice(&b))
}

pub(super) fn list(v: &Value) -> impl Iterator<Item = &Value> {
    v.as_array().unwrap().iter()
}

/// What a sharing looks like from all sides.
fn sharing(scenario: &str, n: usize, threshold: u16, hybrid: bool) -> Value {
    sharing_of(scenario, Case::with(n, threshold, hybrid, 11))
}

/// The first of three custodians has the identity for a share: the dealer knows the logarithm of S.
fn identity_share() -> Value {
    let mut case = Case::with(3, 2, false, 11);
    let s = Scalar::from(987_654_321u64);
    let secret = s * curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT;
    let numbers = Numbers { d: Scalar::from(77u64), secret, m: &|i| -s * Scalar::from(i) };
    let dealing = dealer::dealing(&case, super::case::context(), 2, &numbers, &|_| Vec::new());
    let content = dealer::content(&dealing, &dealer::files(&case), &numbers);
    case.dealt.wrapped = dealer::wrapped(&dealing, secret, &[]);
    case.dealt.recipient_content = Secret::init_with(|b| b.copy_from_slice(&content));
    case.dealt.dealing = dealing;
    sharing_of("identity-for-a-share", case)
}

fn sharing_of(scenario: &str, mut case: Case) -> Value {
    let (threshold, hybrid) = (case.dealt.dealing.threshold, case.dealt.dealing.is_hybrid());
    let (verified, request) = (case.verified(), case.request());
    let mut rng = rng(12);
    let mut releases = Vec::new();
    let mut receipts = Vec::new();
    for key in &case.keys {
        releases.push(hex::encode(release(&verified, &request, key, &mut rng).unwrap().to_bytes()));
        if hybrid {
            receipts.push(hex::encode(Receipt::sign(&verified, key).unwrap().to_bytes()));
        }
    }
    json!({
        "scenario": scenario,
        "provenance": "written by bailiwick-custody from seeded generators",
        "kind": "sharing",
        "threshold": threshold,
        "custodian_secrets": case.keys.iter().map(|k| hex::encode(k.secret().expose_secret())).collect::<Vec<_>>(),
        "custodian_keys": case.custodians.iter().map(|c| hex::encode(c.key.to_bytes())).collect::<Vec<_>>(),
        "dealing": hex::encode(case.bytes()),
        "digest": verified.digest().to_string(),
        "recipient_content": hex::encode(case.dealt.recipient_content.expose_secret()),
        "wrapped": hex::encode(case.dealt.wrapped),
        "file_key": hex::encode(FILE_KEY),
        "requester_secret": hex::encode(case.requester.expose_secret()),
        "request": hex::encode(request.to_bytes()),
        "releases": releases,
        "receipts": receipts,
    })
}

fn refused(scenario: &str, outcome: &str, dealing: &[u8]) -> Value {
    json!({
        "scenario": scenario,
        "provenance": "a sound dealing of bailiwick-custody, changed",
        "kind": "refused-dealing",
        "outcome": outcome,
        "dealing": hex::encode(dealing),
    })
}

fn all() -> Vec<Value> {
    let case = Case::with(5, 3, false, 11);
    let sound = case.bytes();
    let change = |f: &dyn Fn(&mut Dealing)| {
        let mut d = case.dealt.dealing.clone();
        f(&mut d);
        d.to_bytes()
    };
    let shares: Vec<[u8; 32]> = case.dealt.dealing.encrypted_shares().copied().collect();
    let key = case.custodians[1].key.to_bytes();
    let mut possession = key[64..128].to_vec();
    possession[40] ^= 1;
    let proof = *case.dealt.dealing.proof();
    // 32 of 64 bytes exchanged.
    let half = |of: &[u8], at: usize, part: [u8; 32]| {
        let mut out = of.to_vec();
        out[at..at + 32].copy_from_slice(&part);
        exchange(&sound, of, &out)
    };
    let mut high = [0xff; 32];
    high[31] = 0x7f;
    vec![
        sharing("three-of-five", 5, 3, false),
        sharing("one-of-two", 2, 1, false),
        sharing("hybrid-two-of-three", 3, 2, true),
        identity_share(),
        refused("other-owner", "proof", &change(&|d| d.context.owner.0[0] ^= 1)),
        refused("other-object", "proof", &change(&|d| d.context.object.0[0] ^= 1)),
        refused("other-key-commitment", "proof", &change(&|d| d.context.key_commitment[0] ^= 1)),
        refused("other-policy", "proof", &change(&|d| d.context.policy = None)),
        refused("other-roster", "proof", &change(&|d| d.context.roster.0[0] ^= 1)),
        refused("other-generation", "proof", &change(&|d| d.context.generation += 1)),
        refused("other-threshold", "proof", &change(&|d| d.threshold = 2)),
        refused("threshold-zero", "threshold", &change(&|d| d.threshold = 0)),
        refused("threshold-of-all", "threshold", &change(&|d| d.threshold = 5)),
        refused("other-name", "proof", &change(&|d| d.custodians[0].name.push('x'))),
        refused(
            "other-jurisdiction",
            "proof",
            &change(&|d| {
                d.custodians[0].attributes.pop_first();
                d.custodians[0].attributes.insert("CN".into());
            }),
        ),
        refused("generation-zero", "codec", &change(&|d| d.context.generation = 0)),
        refused("name-with-a-line-break", "codec", &change(&|d| d.custodians[0].name = "Notary\n0".into())),
        refused("name-that-reorders", "codec", &change(&|d| d.custodians[0].name = "Notary\u{202e}0".into())),
        refused("name-with-two-spaces", "codec", &change(&|d| d.custodians[0].name = "Notary  0".into())),
        refused(
            "attribute-with-a-line-break",
            "codec",
            &change(&|d| {
                d.custodians[0].attributes.pop_last();
                d.custodians[0].attributes.insert("firm:F\nroster names the same".into());
            }),
        ),
        refused(
            "two-custodians-of-one-name",
            "duplicate-name",
            &change(&|d| {
                d.custodians[1].name = d.custodians[0].name.clone();
            }),
        ),
        refused(
            "two-custodians-of-one-key",
            "duplicate-key",
            &change(&|d| d.custodians[1].key = d.custodians[0].key),
        ),
        refused("shares-exchanged", "proof", &{
            let spare = [0x11; 32];
            let b = exchange(&sound, &shares[0], &spare);
            let b = exchange(&b, &shares[1], &shares[0]);
            exchange(&b, &spare, &shares[1])
        }),
        refused("one-share-twice", "duplicate-point", &exchange(&sound, &shares[0], &shares[1])),
        refused("share-is-the-identity", "codec", &exchange(&sound, &shares[0], &[0; 32])),
        refused("share-is-not-canonical", "codec", &exchange(&sound, &shares[0], &high)),
        refused("key-is-the-identity", "codec", &exchange(&sound, &key[..32], &[0; 32])),
        refused(
            "ephemeral-is-not-canonical",
            "codec",
            &exchange(&sound, case.dealt.dealing.ephemeral(), &high),
        ),
        refused("no-possession", "possession", &exchange(&sound, &key[64..128], &possession)),
        refused("left-over-byte", "codec", &[&sound[..], &[0]].concat()),
        refused("possession-commitment-not-canonical", "possession", &half(&key[64..128], 0, high)),
        refused("possession-commitment-is-the-identity", "possession", &half(&key[64..128], 0, [0; 32])),
        refused("possession-answer-not-reduced", "possession", &half(&key[64..128], 32, [0xff; 32])),
        refused("challenge-not-reduced", "proof", &half(&proof, 0, [0xff; 32])),
        refused("answer-not-reduced", "proof", &half(&proof, 32, [0xff; 32])),
        refused("answer-not-reduced-without-possession", "possession", &{
            let mut answer = proof.to_vec();
            answer[32..].fill(0xff);
            exchange(&exchange(&sound, &proof, &answer), &key[64..128], &possession)
        }),
    ]
    .into_iter()
    .chain(super::vector_cases::all())
    .chain(super::vector_object::all())
    .collect()
}

fn outcome(dealing: &[u8]) -> &'static str {
    let Ok(dealing) = Dealing::from_bytes(dealing) else { return "codec" };
    match dealing.verify() {
        Ok(_) => "sound",
        Err(DealingError::TooFew { .. } | DealingError::TooMany { .. }) => "number",
        Err(DealingError::Threshold { .. }) => "threshold",
        Err(DealingError::DuplicateKey { .. }) => "duplicate-key",
        Err(DealingError::DuplicateName(_)) => "duplicate-name",
        Err(DealingError::DuplicatePoint) => "duplicate-point",
        Err(DealingError::Possession { .. }) => "possession",
        Err(_) => "proof",
    }
}

fn check_sharing(v: &Value) {
    let dealing = Dealing::from_bytes(&bytes(&v["dealing"])).unwrap().verify().unwrap();
    assert_eq!(dealing.digest().to_string(), v["digest"]);
    assert_eq!(dealing.threshold() as u64, v["threshold"].as_u64().unwrap());
    for (s, public) in list(&v["custodian_secrets"]).zip(list(&v["custodian_keys"])) {
        let key = CustodianSecretKey::from_bytes(secret(s));
        assert_eq!(key.public().to_bytes(), bytes(public));
    }
    dealing.check_recipient(&secret(&v["recipient_content"])).unwrap();
    let request = Request::from_bytes(&bytes(&v["request"])).unwrap();
    let shares: Vec<_> = list(&v["releases"])
        .map(|r| {
            Release::from_bytes(&bytes(r))
                .unwrap()
                .check(&dealing, &request, &secret(&v["requester_secret"]))
                .unwrap()
        })
        .collect();
    for (i, r) in list(&v["receipts"]).enumerate() {
        assert_eq!(Receipt::from_bytes(&bytes(r)).unwrap().verify(&dealing), Ok(i));
    }
    let recovered = recover(&dealing, &shares[shares.len() - dealing.threshold()..]).unwrap();
    let key = recovered.file_key(&dealing, &fixed(&v["wrapped"])).unwrap();
    assert_eq!(hex::encode(key.expose_secret()), v["file_key"].as_str().unwrap());
}

#[test]
fn stored_vectors_hold() {
    let mut kinds = [0, 0];
    let mut cases = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let v: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        match v["kind"].as_str().unwrap() {
            "sharing" => {
                check_sharing(&v);
                kinds[0] += 1;
            }
            "refused-dealing" => {
                assert_eq!(outcome(&bytes(&v["dealing"])), v["outcome"], "{}", path.display());
                kinds[1] += 1;
            }
            "object" | "jurisdictions" => cases += super::vector_object::check(&v),
            _ => cases += super::vector_cases::check(&v),
        }
    }
    assert_eq!((kinds, cases), ([4, 32], 69));
}

/// The same seeds give the same bytes: nothing else goes into a dealing or a release.
#[test]
fn vectors_are_those_of_their_seeds() {
    for v in all() {
        let path = folder().join(format!("{}.json", v["scenario"].as_str().unwrap()));
        let stored: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(stored, v, "{}", path.display());
    }
}

#[test]
#[ignore = "writes files; only for a new version of the format"]
fn rewrite_vectors() {
    std::fs::create_dir_all(folder()).unwrap();
    for v in all() {
        let path = folder().join(format!("{}.json", v["scenario"].as_str().unwrap()));
        std::fs::write(path, serde_json::to_string_pretty(&v).unwrap() + "\n").unwrap();
    }
}
