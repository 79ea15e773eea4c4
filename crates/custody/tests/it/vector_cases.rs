//! Vectors with many cases each: what is taken and what is refused of releases, what recipients are sent, receipts, records, and a
//! custodian's own share of a post-quantum half.

use bailiwick_custody::{
    CustodianSecretKey, Dealing, HybridError, HybridShare, Receipt, ReceiptError, RecipientError,
    RecordError, Release, ReleaseEntry, ReleaseError, ReleaseRecord, Request, VerifiedDealing, release,
};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::ids::{ObjectId, OwnerKey};
use curve25519_dalek::scalar::Scalar;
use serde_json::{Value, json};

use super::case::{Case, FILE_KEY, context, exchange, rng, secret32};
use super::cheating::{asked, leaked, numbers, second, unlooked};
use super::own_dealer as dealer;
use super::vectors::{bytes, fixed, list, secret};

const HIGH: [u8; 32] = [0xff; 32];

fn flipped(data: &[u8], at: usize) -> Vec<u8> {
    let mut out = data.to_vec();
    out[at] ^= 1;
    out
}

fn case(what: &str, field: &str, data: &[u8], outcome: &str) -> Value {
    json!({ "what": what, field: hex::encode(data), "outcome": outcome })
}

fn file(scenario: &str, kind: &str, dealing: &[u8], rest: Value, cases: Vec<Value>) -> Value {
    let mut out = json!({
        "scenario": scenario,
        "provenance": "written by bailiwick-custody from seeded generators, and changed",
        "kind": kind,
        "dealing": hex::encode(dealing),
        "cases": cases,
    });
    out.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    out
}

fn releases() -> Value {
    let mut case_of = Case::with(5, 3, false, 11);
    let (verified, request, earlier) = (case_of.verified(), case_of.request(), case_of.request());
    let made = |i: usize, r: &Request| release(&verified, r, &case_of.keys[i], &mut rng(13)).unwrap();
    let (honest, another, old) = (made(2, &request), made(1, &request), made(2, &earlier));
    let secret = *case_of.requester.expose_secret();
    let plain = dealer::open_release(&request, &secret, &honest);
    let theirs = dealer::open_release(&request, &secret, &another);
    let stale = dealer::open_release(&earlier, &secret, &old);
    let said = |plain: &[u8]| dealer::seal_release(&request, 3, plain).to_bytes();
    let with = |at: usize, part: &[u8]| [&plain[..at], part, &plain[at + part.len()..]].concat();
    let as_of = |point: u16| Release { point, ..honest.clone() }.to_bytes();
    let bytes = honest.to_bytes();
    let mut version = bytes.clone();
    version[2] = 2;
    let c = |what: &str, data: &[u8], outcome: &str| case(what, "release", data, outcome);
    let cases = vec![
        c("honest", &bytes, "taken"),
        c("the same, sealed by somebody else", &said(&plain), "taken"),
        c("another version", &version, "codec"),
        c("left-over byte", &[&bytes[..], &[0]].concat(), "codec"),
        c("from point 0", &as_of(0), "not-custodian"),
        c("from point 6", &as_of(6), "not-custodian"),
        c("for another dealing", &exchange(&bytes, &request.dealing.0, &[7; 32]), "other-dealing"),
        // Whom its point stands for, only its own dealing says.
        c(
            "for another dealing, from point 6",
            &exchange(&as_of(6), &request.dealing.0, &[7; 32]),
            "other-dealing",
        ),
        c("for an earlier request", &old.to_bytes(), "other-request"),
        c(
            "for an earlier request, relabelled",
            &exchange(&old.to_bytes(), &earlier.nonce, &request.nonce),
            "sealed",
        ),
        c("under another custodian's point", &as_of(4), "sealed"),
        c("a bit of the tag", &flipped(&bytes, bytes.len() - 1), "sealed"),
        c("a share of hybrid mode", &said(&[&plain[..], &[0; 32]].concat()), "share"),
        c("share not canonical", &said(&with(0, &HIGH)), "share"),
        c("share is the identity", &said(&with(0, &[0; 32])), "proof"),
        c("another custodian's share and proof", &said(&theirs), "proof"),
        c("another custodian's share", &said(&with(0, &theirs[..32])), "proof"),
        c("proof for an earlier request", &said(&with(32, &stale[32..96])), "proof"),
        c("a bit of the challenge", &said(&flipped(&plain, 32)), "proof"),
        c("challenge not below the order", &said(&with(32, &HIGH)), "proof"),
        c("a bit of the answer", &said(&flipped(&plain, 64)), "proof"),
        c("answer not below the order", &said(&with(64, &HIGH)), "proof"),
    ];
    let rest = json!({ "request": hex::encode(request.to_bytes()), "requester_secret": hex::encode(secret) });
    file("releases", "releases", &case_of.bytes(), rest, cases)
}

fn hybrid_releases() -> Value {
    let case_of = Case::with(3, 2, false, 11);
    let made =
        dealer::dealing(&case_of, context(), 2, &numbers(Scalar::from(77u64)), &|c| second(&case_of, c, 1));
    let dealing = made.to_bytes();
    let verified = made.verify().unwrap();
    let request = asked(&verified);
    let honest = release(&verified, &request, &case_of.keys[1], &mut rng(13)).unwrap();
    let plain = dealer::open_release(&request, &[9; 32], &honest);
    let said = |plain: &[u8]| dealer::seal_release(&request, 2, plain).to_bytes();
    let c = |what: &str, data: &[u8], outcome: &str| case(what, "release", data, outcome);
    let cases = vec![
        c("honest", &honest.to_bytes(), "taken"),
        c("without the share of S2", &said(&plain[..96]), "share"),
        c("a bit of the share of S2", &said(&flipped(&plain, 96)), "second-share"),
        c(
            "the committed share of S2 is not below the order",
            &unlooked(&case_of, &verified, &request).to_bytes(),
            "dealt-second-share",
        ),
    ];
    let rest =
        json!({ "request": hex::encode(request.to_bytes()), "requester_secret": hex::encode([9u8; 32]) });
    file("hybrid-releases", "releases", &dealing, rest, cases)
}

fn contents() -> Value {
    let case_of = Case::with(5, 3, false, 11);
    let other = Case::with(5, 3, false, 62);
    let honest = *case_of.dealt.recipient_content.expose_secret();
    let theirs = *other.dealt.recipient_content.expose_secret();
    let with = |at: usize, part: &[u8]| [&honest[..at], part, &honest[at + part.len()..]].concat();
    let c = |what: &str, data: &[u8], outcome: &str| case(what, "content", data, outcome);
    let cases = vec![
        c("honest", &honest, "opened"),
        c("of another dealing", &theirs, "proof"),
        c("another secret with this proof", &with(0, &theirs[..32]), "proof"),
        c("secret is the identity", &with(0, &[0; 32]), "secret"),
        c("secret not canonical", &with(0, &HIGH), "secret"),
        c("a bit of the challenge", &flipped(&honest, 32), "proof"),
        c("challenge not below the order", &with(32, &HIGH), "proof"),
        c("a bit of the answer", &flipped(&honest, 64), "proof"),
        c("answer not below the order", &with(64, &HIGH), "proof"),
    ];
    let rest = json!({ "wrapped": hex::encode(case_of.dealt.wrapped), "file_key": hex::encode(FILE_KEY) });
    file("recipient-contents", "contents", &case_of.bytes(), rest, cases)
}

fn receipts() -> Value {
    let case_of = Case::with(3, 2, true, 11);
    let honest = Receipt::sign(&case_of.verified(), &case_of.keys[1]).unwrap();
    let as_of = |point: u16| Receipt { point, ..honest.clone() }.to_bytes();
    let bytes = honest.to_bytes();
    let c = |what: &str, data: &[u8], outcome: &str| case(what, "receipt", data, outcome);
    let cases = vec![
        c("honest", &bytes, "holds"),
        c("left-over byte", &[&bytes[..], &[0]].concat(), "codec"),
        c("for another dealing", &exchange(&bytes, &honest.dealing.0, &[7; 32]), "other-dealing"),
        c("from point 0", &as_of(0), "not-custodian"),
        c("from point 4", &as_of(4), "not-custodian"),
        c("under another custodian's point", &as_of(1), "signature"),
        c("a bit of the signature", &flipped(&bytes, bytes.len() - 1), "signature"),
    ];
    file("receipts", "receipts", &case_of.bytes(), json!({}), cases)
}

fn records() -> Value {
    let mut case_of = Case::with(5, 3, false, 11);
    let (verified, request) = (case_of.verified(), case_of.request());
    let made = release(&verified, &request, &case_of.keys[2], &mut rng(13)).unwrap();
    let record = ReleaseRecord::of(&made, &request, 1_700_000_000_000);
    let sign = |change: &dyn Fn(&mut ReleaseRecord), by: usize| {
        let mut record = record.clone();
        change(&mut record);
        record.sign(&case_of.keys[by]).to_bytes()
    };
    let bytes = sign(&|_| (), 2);
    let mut kind = bytes.clone();
    kind[1] = 3;
    let c = |what: &str, data: &[u8], outcome: &str| case(what, "entry", data, outcome);
    let cases = vec![
        c("honest", &bytes, "holds"),
        c("another kind of entry", &kind, "codec"),
        c("left-over byte", &[&bytes[..], &[0]].concat(), "codec"),
        c("for another dealing", &sign(&|r| r.dealing.0 = [7; 32], 2), "other-dealing"),
        c("from point 0", &sign(&|r| r.point = 0, 2), "not-custodian"),
        c("from point 6", &sign(&|r| r.point = 6, 2), "not-custodian"),
        c("signed by another custodian", &sign(&|_| (), 1), "signature"),
        c("another requester", &exchange(&bytes, &record.requester, &[7; 32]), "signature"),
        c("another nonce", &exchange(&bytes, &record.nonce, &[7; 32]), "signature"),
        c("another release", &exchange(&bytes, &record.release, &[7; 32]), "signature"),
    ];
    let rest = json!({
        "request": hex::encode(request.to_bytes()),
        "release": hex::encode(made.to_bytes()),
        "released_unix_ms": record.released_unix_ms,
        "point": 3,
    });
    file("release-records", "records", &case_of.bytes(), rest, cases)
}

/// What each custodian finds when it opens its own share.
fn own_shares(scenario: &str, case_of: &Case, dealing: &Dealing, outcomes: &[&str]) -> Value {
    json!({
        "scenario": scenario,
        "provenance": "written by a dealer of the tests of bailiwick-custody",
        "kind": "own-shares",
        "dealing": hex::encode(dealing.to_bytes()),
        "custodian_secrets": case_of.keys.iter().map(|k| hex::encode(k.secret().expose_secret())).collect::<Vec<_>>(),
        "outcomes": outcomes,
    })
}

/// A dealing about another object, by who knows d of a hybrid one, with the post-quantum half of that.
fn copied() -> Value {
    let victim = Case::with(3, 2, true, 11);
    let d = leaked(&victim, 11);
    let mut theirs = context();
    (theirs.owner, theirs.object) = (OwnerKey([9; 32]), ObjectId([9; 16]));
    let copied = dealer::dealing(&victim, theirs, 2, &numbers(d), &|_| victim.dealt.dealing.hybrid.clone());
    own_shares("hybrid-half-copied", &victim, &copied, &["sealed"; 3])
}

/// One share that is not below the order, one that is not the committed one, one that is right.
fn three_shares() -> Value {
    let case_of = Case::with(3, 2, false, 11);
    let shares = |context: &[u8; 32]| -> Vec<HybridShare> {
        let mut shares = second(&case_of, context, 1);
        shares[1].commitment[0] ^= 1;
        shares
    };
    let dealing = dealer::dealing(&case_of, context(), 2, &numbers(Scalar::from(77u64)), &shares);
    own_shares("hybrid-shares-of-three-kinds", &case_of, &dealing, &["too-large", "commitment", "opened"])
}

pub(super) fn all() -> Vec<Value> {
    vec![releases(), hybrid_releases(), contents(), receipts(), records(), copied(), three_shares()]
}

fn release_outcome(data: &[u8], dealing: &VerifiedDealing, v: &Value) -> &'static str {
    let request = Request::from_bytes(&bytes(&v["request"])).unwrap();
    let Ok(read) = Release::from_bytes(data) else { return "codec" };
    match read.check(dealing, &request, &secret(&v["requester_secret"])) {
        Ok(_) => "taken",
        Err(ReleaseError::NotCustodian { .. }) => "not-custodian",
        Err(ReleaseError::OtherDealing) => "other-dealing",
        Err(ReleaseError::OtherRequest { .. }) => "other-request",
        Err(ReleaseError::Sealed { .. }) => "sealed",
        Err(ReleaseError::Share { .. }) => "share",
        Err(ReleaseError::Proof { .. }) => "proof",
        Err(ReleaseError::SecondShare { .. }) => "second-share",
        Err(ReleaseError::DealtSecondShare { .. }) => "dealt-second-share",
        Err(other) => panic!("{other}"),
    }
}

fn content_outcome(data: &[u8], dealing: &VerifiedDealing, v: &Value) -> &'static str {
    let content = bailiwick_protocol::secret::Secret::init_with(|b: &mut [u8; 96]| b.copy_from_slice(data));
    match dealing.open_as_recipient(&content, &fixed(&v["wrapped"])) {
        Ok(key) => {
            assert_eq!(hex::encode(key.expose_secret()), v["file_key"].as_str().unwrap());
            "opened"
        }
        Err(RecipientError::Secret(_)) => "secret",
        Err(RecipientError::Proof) => "proof",
        Err(other) => panic!("{other}"),
    }
}

fn receipt_outcome(data: &[u8], dealing: &VerifiedDealing) -> &'static str {
    let Ok(receipt) = Receipt::from_bytes(data) else { return "codec" };
    match receipt.verify(dealing) {
        Ok(_) => "holds",
        Err(ReceiptError::OtherDealing) => "other-dealing",
        Err(ReceiptError::NotCustodian) => "not-custodian",
        Err(ReceiptError::Signature { .. }) => "signature",
        Err(other) => panic!("{other}"),
    }
}

fn record_outcome(data: &[u8], dealing: &VerifiedDealing, v: &Value) -> &'static str {
    let Ok(entry) = ReleaseEntry::from_bytes(data) else { return "codec" };
    match entry.verify(dealing) {
        Ok(said) => {
            let made = Release::from_bytes(&bytes(&v["release"])).unwrap();
            let request = Request::from_bytes(&bytes(&v["request"])).unwrap();
            assert_eq!(said, ReleaseRecord::of(&made, &request, v["released_unix_ms"].as_u64().unwrap()));
            "holds"
        }
        Err(RecordError::Form(_)) => "codec",
        Err(RecordError::OtherDealing) => "other-dealing",
        Err(RecordError::NotCustodian) => "not-custodian",
        Err(RecordError::Signature { .. }) => "signature",
        Err(other) => panic!("{other}"),
    }
}

fn own_share_outcome(key: &CustodianSecretKey, dealing: &VerifiedDealing) -> &'static str {
    match Receipt::sign(dealing, key) {
        Ok(_) => "opened",
        Err(HybridError::Sealed) => "sealed",
        Err(HybridError::Commitment) => "commitment",
        Err(HybridError::TooLarge) => "too-large",
        Err(other) => panic!("{other}"),
    }
}

/// Judges every case of a vector of these kinds; how many there were.
pub(super) fn check(v: &Value) -> usize {
    let dealing = Dealing::from_bytes(&bytes(&v["dealing"])).unwrap().verify().unwrap();
    let kind = v["kind"].as_str().unwrap();
    if kind == "own-shares" {
        let found: Vec<_> = list(&v["custodian_secrets"])
            .map(|s| own_share_outcome(&CustodianSecretKey::from_bytes(secret32(fixed(s))), &dealing))
            .collect();
        assert_eq!(json!(found), v["outcomes"], "{}", v["scenario"]);
        return found.len();
    }
    for c in list(&v["cases"]) {
        let found = match kind {
            "releases" => release_outcome(&bytes(&c["release"]), &dealing, v),
            "contents" => content_outcome(&bytes(&c["content"]), &dealing, v),
            "receipts" => receipt_outcome(&bytes(&c["receipt"]), &dealing),
            "records" => record_outcome(&bytes(&c["entry"]), &dealing, v),
            other => panic!("unknown kind {other}"),
        };
        assert_eq!(found, c["outcome"], "{}: {}", v["scenario"], c["what"]);
    }
    list(&v["cases"]).count()
}
