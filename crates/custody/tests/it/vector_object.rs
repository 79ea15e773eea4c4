//! Vectors of a whole object that custodians alone open, of envelopes its dealing does not belong to, and of the jurisdiction test.

use std::collections::BTreeSet;

use bailiwick_custody::{
    Context, DealOptions, Dealing, DealtCustodian, JurisdictionTest, OtherContext, Release, Request, deal,
    recover, release,
};
use bailiwick_envelope::{
    Metadata, Opener, Padding, RecipientSecretKey, SealOptions, seal, sign_next, verify,
};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::{Envelope, Kem};
use bailiwick_protocol::ids::{ObjectId, OwnerKey, RosterDigest, Unit};
use bailiwick_protocol::signing::SigningKey;
use serde_json::{Value, json};

use super::case::{Case, rng, secret32, x25519};
use super::vectors::{bytes, fixed, list, secret};

const DATA: &[u8] = b"Opened by any two of three, and by nobody else.";

fn owner() -> SigningKey {
    SigningKey::from_seed(&secret32([21; 32]))
}

/// A sealed object, its body, and what opens it.
fn sealed() -> (Envelope, Vec<u8>, Opener) {
    let mut rng = rng(22);
    let pinned = OwnerKey(owner().public());
    let recipient = RecipientSecretKey::from_bytes(Kem::X25519, secret32([23; 32])).unwrap();
    let mut body = Vec::new();
    let options = SealOptions {
        owner: pinned,
        object: ObjectId([24; 16]),
        unit: Unit::WHOLE,
        recipients: &[recipient.public().clone()],
        passphrase: None,
        anonymous: false,
        metadata: Metadata { name: "will.txt".into(), media_type: "text/plain".into() },
        padding: Padding::Padme,
    };
    let written = seal(DATA, &mut body, &options, &mut rng).unwrap().with_policy(Some([25; 32]));
    let first = written.envelope(None, &owner()).unwrap().to_bytes();
    let opener = Opener::new(&pinned, &first, &[recipient]).unwrap();
    (verify(&pinned, &first).unwrap(), body, opener)
}

fn object() -> Value {
    let case = Case::with(3, 2, false, 11);
    let (first, body, opener) = sealed();
    let options = DealOptions {
        context: Context::next_of(&first, RosterDigest([5; 32])),
        threshold: 2,
        custodians: &case.custodians,
        hybrid: false,
    };
    let dealt = deal(&options, opener.file_key(), None, &mut rng(26)).unwrap();
    let signed = |change: &dyn Fn(&mut Envelope), by: &SigningKey| {
        let mut next = Envelope { recipients: Vec::new(), custody: Some(dealt.part()), ..first.clone() };
        change(&mut next);
        sign_next(next, by).unwrap().to_bytes()
    };
    let envelope = signed(&|_| (), &owner());
    let verified = dealt.dealing.clone().verify().unwrap();
    let request = Request::new(&verified, Kem::X25519, &x25519(&secret32([9; 32])), &mut rng(27)).unwrap();
    let releases: Vec<_> = [0, 2]
        .map(|i| hex::encode(release(&verified, &request, &case.keys[i], &mut rng(28)).unwrap().to_bytes()))
        .into();
    let stranger = SigningKey::from_seed(&secret32([29; 32]));
    let c = |what: &str, by: &SigningKey, change: &dyn Fn(&mut Envelope), outcome: &str| {
        json!({
            "what": what,
            "owner": hex::encode(by.public()),
            "envelope": hex::encode(signed(change, by)),
            "outcome": outcome,
        })
    };
    let own = owner();
    let cases = vec![
        c("a later generation", &own, &|e| e.generation = 8, "belongs"),
        c("another owner's", &stranger, &|e| e.owner = OwnerKey(stranger.public()), "owner"),
        c("another object", &own, &|e| e.object = ObjectId([9; 16]), "object"),
        c("another body", &own, &|e| e.body.key_commitment = [9; 32], "body"),
        c("another policy", &own, &|e| e.policy = Some([9; 32]), "policy"),
        c("no policy", &own, &|e| e.policy = None, "policy"),
        c("an earlier generation", &own, &|e| e.generation = 0, "generation"),
    ];
    json!({
        "scenario": "object",
        "provenance": "written by bailiwick-envelope and bailiwick-custody from seeded generators",
        "kind": "object",
        "owner": hex::encode(own.public()),
        "envelope": hex::encode(envelope),
        "body": hex::encode(body),
        "request": hex::encode(request.to_bytes()),
        "requester_secret": hex::encode([9u8; 32]),
        "releases": releases,
        "file_key": hex::encode(opener.file_key().expose_secret()),
        "name": "will.txt",
        "data": hex::encode(DATA),
        "cases": cases,
    })
}

/// What the test of K27 says of these attributes.
fn jurisdictions(scenario: &str, threshold: u16, attributes: &[&[&str]]) -> Value {
    let case = Case::with(attributes.len(), threshold, false, 11);
    let with = |(c, a): (&DealtCustodian, &&[&str])| DealtCustodian {
        attributes: a.iter().map(|a| (*a).to_owned()).collect(),
        ..c.clone()
    };
    let custodians: Vec<_> = case.custodians.iter().zip(attributes).map(with).collect();
    let options =
        DealOptions { context: super::case::context(), threshold, custodians: &custodians, hybrid: false };
    let dealing = deal(&options, &secret32([1; 32]), None, &mut rng(30)).unwrap().dealing;
    let (powers, passes) = judged(&dealing);
    json!({
        "scenario": scenario,
        "provenance": "written by bailiwick-custody from seeded generators",
        "kind": "jurisdictions",
        "dealing": hex::encode(dealing.to_bytes()),
        "powers": powers,
        "passes": passes,
    })
}

fn judged(dealing: &Dealing) -> (Value, Value) {
    let attributes: Vec<&BTreeSet<String>> = dealing.custodians.iter().map(|c| &c.attributes).collect();
    let test = JurisdictionTest::of(usize::from(dealing.threshold), attributes);
    let powers: serde_json::Map<_, _> = test
        .powers
        .iter()
        .map(|p| {
            let points: Vec<_> = p.custodians.iter().map(|i| i + 1).collect();
            let said = json!({ "points": points, "compels": p.compels, "blocks": p.blocks });
            (p.power.clone(), said)
        })
        .collect();
    (Value::Object(powers), test.verdict().into())
}

pub(super) fn all() -> Vec<Value> {
    vec![
        object(),
        jurisdictions("jurisdictions-pass", 2, &[&["JP", "firm:A"], &["CH"], &["NO", "firm:B"]]),
        jurisdictions(
            "jurisdictions-one-compels",
            2,
            &[&["JP", "firm:A"], &["CH", "firm:A"], &["NO"], &["BR"], &["ZA"]],
        ),
        jurisdictions(
            "jurisdictions-one-blocks",
            4,
            &[&["bloc:EU", "DE"], &["bloc:EU", "FR"], &["NO"], &["BR"], &["ZA"]],
        ),
        // Nothing is known to reach the second, and a firm is no law.
        jurisdictions("jurisdictions-not-judged", 2, &[&["JP"], &[], &["firm:B"]]),
    ]
}

fn context_of(dealing: &Dealing, envelope: &Envelope) -> &'static str {
    match dealing.belongs_to(envelope) {
        Ok(()) => "belongs",
        Err(OtherContext::Owner) => "owner",
        Err(OtherContext::Object) => "object",
        Err(OtherContext::Body) => "body",
        Err(OtherContext::Policy) => "policy",
        Err(OtherContext::Generation { .. }) => "generation",
        Err(other) => panic!("{other}"),
    }
}

fn check_object(v: &Value) -> usize {
    let pinned = OwnerKey(fixed(&v["owner"]));
    let envelope = verify(&pinned, &bytes(&v["envelope"])).unwrap();
    let part = envelope.custody.clone().unwrap();
    let dealing = Dealing::from_bytes(&part.dealing).unwrap().verify().unwrap();
    dealing.dealing().belongs_to(&envelope).unwrap();
    let request = Request::from_bytes(&bytes(&v["request"])).unwrap();
    let shares: Vec<_> = list(&v["releases"])
        .map(|r| {
            let made = Release::from_bytes(&bytes(r)).unwrap();
            made.check(&dealing, &request, &secret(&v["requester_secret"])).unwrap()
        })
        .collect();
    let key = recover(&dealing, &shares).unwrap().file_key(&dealing, &part.wrapped).unwrap();
    assert_eq!(hex::encode(key.expose_secret()), v["file_key"].as_str().unwrap());
    let mut data = Vec::new();
    let opened =
        Opener::with_file_key(envelope, key).unwrap().open(&bytes(&v["body"])[..], &mut data).unwrap();
    assert_eq!(
        (opened.metadata.name.as_str(), hex::encode(data)),
        ("will.txt", hex::encode(bytes(&v["data"])))
    );
    for c in list(&v["cases"]) {
        let other = verify(&OwnerKey(fixed(&c["owner"])), &bytes(&c["envelope"])).unwrap();
        assert_eq!(context_of(dealing.dealing(), &other), c["outcome"], "{}", c["what"]);
    }
    list(&v["cases"]).count()
}

/// Judges a vector of these kinds; how many cases there were.
pub(super) fn check(v: &Value) -> usize {
    if v["kind"] == "object" {
        return check_object(v);
    }
    let dealing = Dealing::from_bytes(&bytes(&v["dealing"])).unwrap().verify().unwrap();
    assert_eq!(judged(dealing.dealing()), (v["powers"].clone(), v["passes"].clone()));
    1
}
