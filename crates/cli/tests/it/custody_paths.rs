//! Ways to a key in custody: passphrases and agents, recipients of the secret, requesters of every mechanism, cheating dealers, policies,
//! and releases on record.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use bailiwick_custody::{Context, DealOptions, Dealing, DealtCustodian, deal};
use bailiwick_envelope::{RecipientPublicKey, seal_custody_secret, sign_next, verify};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::{CustodyPart, Envelope, Kem, Role};
use bailiwick_protocol::ids::OwnerKey;
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;
use rand_core::{CryptoRng, UnwrapErr};
use serde_json::Value;

use super::custody::{FIVE, ROSTER, dealt, prepared, recover, release, request, with};
use super::log::Server;
use super::program::{Place, data};

fn secret_of(place: &Place, name: &str) -> Secret<32> {
    let text = fs::read_to_string(place.path(name)).unwrap();
    let hexed = text.lines().find_map(|l| l.strip_prefix("secret = \"")).unwrap().trim_end_matches('"');
    let bytes = hex::decode(hexed).unwrap();
    Secret::init_with(|b| b.copy_from_slice(&bytes))
}

fn public_of(place: &Place, name: &str) -> Vec<u8> {
    let shown: Value = serde_json::from_slice(&place.run(&["key", "show", name, "--json"])).unwrap();
    hex::decode(shown["public"].as_str().unwrap()).unwrap()
}

fn json(place: &Place, arguments: &[&str]) -> Value {
    serde_json::from_slice(&place.run(&with(&[arguments, &["--json"]]))).unwrap()
}

/// An envelope whose key only a passphrase opens is dealt with the passphrase; a wrong one deals nothing.
#[test]
fn a_key_under_a_passphrase_is_dealt() {
    let place = prepared(1000);
    for (name, text) in [("pass", "correct horse\n"), ("wrong", "correct house\n")] {
        fs::write(place.path(name), text).unwrap();
        fs::set_permissions(place.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    for name in ["body", "env"] {
        fs::remove_file(place.path(name)).unwrap();
    }
    let seal = ["seal", "plain", "-o", "body", "--envelope", "env", "--owner", "owner"];
    place.run(&with(&[&seal, &["--passphrase-file", "pass"]]));
    let deal = |pass: &'static str| {
        let head = ["custody", "deal", "env", "--owner", "owner", "--passphrase-file", pass];
        with(&[&head, &FIVE, &ROSTER])
    };
    place.refuse(&deal("wrong"), "cannot get at the key");
    let said = String::from_utf8(place.run(&deal("pass"))).unwrap();
    assert!(said.contains("whoever knows the passphrase opens it without custodians"), "{said}");
    request(&place, "ask");
    for i in [0, 1, 2] {
        release(&place, i, "ask", &format!("r{i}"));
    }
    place.run(&recover(&["r0", "r1", "r2"], "out"));
    assert_eq!(fs::read(place.path("out")).unwrap(), data(1000));
}

/// The recipient's key is in a token: its agent gets at the key that is dealt.
#[test]
fn a_key_that_an_agent_opens_is_dealt() {
    let place = prepared(1000);
    place.run(&["key", "new", "recipient", "--algorithm", "p256", "-o", "token"]);
    fs::create_dir(place.path("token-keys")).unwrap();
    let held = place.path("token-keys").join(hex::encode(public_of(&place, "token.pub")));
    fs::write(held, secret_of(&place, "token").expose_secret()).unwrap();
    fs::remove_file(place.path("token")).unwrap();
    place.run(&["key", "agent", "file", "token.pub", "-o", "agent.key"]);
    place.run(&[
        "seal",
        "plain",
        "-o",
        "body2",
        "--envelope",
        "env2",
        "--owner",
        "owner",
        "--to",
        "token.pub",
    ]);
    let deal =
        with(&[&["custody", "deal", "env2", "--owner", "owner", "--key", "agent.key"], &FIVE, &ROSTER]);
    let examples = PathBuf::from(env!("CARGO_BIN_EXE_bailiwick")).parent().unwrap().join("examples");
    let out = place
        .command(&deal)
        .env("PATH", examples)
        .env("BAILIWICK_AGENT_FILE_KEYS", place.path("token-keys"))
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    place.run(&["custody", "verify", "env2", "--owner", "owner.pub"]);
}

/// A requester with a P-256 key; custodians given as text.
#[test]
fn a_p256_requester_recovers_and_custodians_are_given_as_text() {
    let place = prepared(3000);
    let text = |name: &str| json(&place, &["key", "show", name])["text"].as_str().unwrap().to_owned();
    let words: Vec<String> = (0..3).map(|i| text(&format!("c{i}.pub"))).collect();
    assert!(words[0].starts_with("bwcustodian1"), "{}", words[0]);
    let mut given = vec!["custody", "deal", "env", "--owner", "owner", "--key", "to", "--custodian"];
    given.extend(words.iter().map(String::as_str));
    let mistyped = words[1].replacen('q', "p", 1);
    let mut wrong = given.clone();
    wrong[9] = &mistyped;
    place.refuse(&with(&[&wrong, &ROSTER]), "checksum");
    place.run(&with(&[&given, &ROSTER]));
    place.run(&["key", "new", "recipient", "--algorithm", "p256", "-o", "p256"]);
    place.run(&["custody", "request", "env", "--owner", "owner.pub", "--key", "p256.pub", "-o", "ask"]);
    for i in ["0", "2"] {
        let (key, out) = (format!("c{i}"), format!("r{i}"));
        let named = ["custody", "release", "env", "--owner", "owner.pub", "--custodian", &key, "-o", &out];
        place.run(&with(&[&named, &["--request", "ask", "--requester", "p256.pub"]]));
    }
    let base =
        ["custody", "recover", "body", "--envelope", "env", "--owner", "owner.pub", "--request", "ask"];
    place.run(&with(&[&base, &["--key", "p256", "-o", "out", "--release", "r0", "r2"]]));
    assert_eq!(fs::read(place.path("out")).unwrap(), data(3000));
}

/// Whoever was sent the secret opens the object alone, and is counted.
#[test]
fn recipients_of_the_secret_are_counted_among_those_who_open_alone() {
    let place = prepared(500);
    dealt(&place, &[]);
    let verify = ["custody", "verify", "env", "--owner", "owner.pub"];
    let before = json(&place, &verify);
    assert_eq!((&before["other_recipients"], &before["recipients_of_secret"]), (&1.into(), &0.into()));
    let reshare = ["custody", "reshare", "env", "--owner", "owner", "--key", "to", "--prove-to", "heir.pub"];
    let said = String::from_utf8(place.run(&with(&[&reshare, &FIVE, &ROSTER]))).unwrap();
    let words = "1 recipients were sent the shared secret: each opens it alone";
    assert!(said.contains(words), "{said}");
    assert!(String::from_utf8(place.run(&verify)).unwrap().contains(words));
    // Without any other recipient it still is one who opens alone.
    altered(&place, |e| e.recipients.retain(|r| r.role == Role::CustodySecret));
    let after = json(&place, &verify);
    assert_eq!((&after["other_recipients"], &after["recipients_of_secret"]), (&0.into(), &1.into()));
    assert_eq!(after["opens_without_custodians"], true);
    place.run(&["open", "body", "--envelope", "env", "--owner", "owner.pub", "--key", "heir", "-o", "out"]);
    altered(&place, |e| e.recipients.clear());
    assert_eq!(json(&place, &verify)["opens_without_custodians"], false);
}

/// The owner signs another next generation.
pub(super) fn altered(place: &Place, change: impl FnOnce(&mut Envelope)) {
    let owner = SigningKey::from_seed(&secret_of(place, "owner"));
    let bytes = fs::read(place.path("env")).unwrap();
    let mut envelope = verify(&OwnerKey(owner.public()), &bytes).unwrap();
    change(&mut envelope);
    fs::write(place.path("env"), sign_next(envelope, &owner).unwrap().to_bytes()).unwrap();
}

fn rng() -> impl CryptoRng {
    UnwrapErr(getrandom::SysRng)
}

/// A new dealing of `file_key` for the envelope, and its custody part with the secret for `heir`.
fn dealt_by_hand(place: &Place, envelope: &mut Envelope, file_key: [u8; 32]) {
    dealt_to(place, envelope, file_key, |_| ());
}

/// The same to custodians that the owner describes as it likes.
pub(super) fn dealt_to(
    place: &Place,
    envelope: &mut Envelope,
    file_key: [u8; 32],
    described: impl Fn(&mut [DealtCustodian]),
) {
    let old = Dealing::from_bytes(&envelope.custody.as_ref().unwrap().dealing).unwrap();
    let mut custodians: Vec<_> = (0..5)
        .map(|i| DealtCustodian {
            name: old.custodians[i].name.clone(),
            key: bailiwick_custody::CustodianPublicKey::from_bytes(&public_of(place, &format!("c{i}.pub")))
                .unwrap(),
            attributes: old.custodians[i].attributes.clone(),
        })
        .collect();
    described(&mut custodians);
    let context = Context::next_of(envelope, old.context.roster);
    let options = DealOptions { context, threshold: 3, custodians: &custodians, hybrid: false };
    let key = Secret::init_with(|b| b.copy_from_slice(&file_key));
    let made = deal(&options, &key, None, &mut rng()).unwrap();
    let heir = RecipientPublicKey::from_bytes(Kem::XWing, &public_of(place, "heir.pub")).unwrap();
    envelope.recipients.retain(|r| r.role != Role::CustodySecret);
    envelope
        .recipients
        .push(seal_custody_secret(envelope, &heir, &made.recipient_content, &mut rng()).unwrap());
    envelope.custody = Some(made.part());
}

/// To a recipient of the secret, a dealer's cheat is named as that and not as a missing recipient; a second way still opens.
#[test]
fn a_cheating_dealer_is_named_to_whoever_was_sent_the_secret() {
    let place = prepared(700);
    dealt(&place, &["--prove-to", "heir.pub"]);
    let open = ["open", "body", "--envelope", "env", "--owner", "owner.pub", "-o", "out", "--key"];
    let with_keys = |keys: &[&'static str]| with(&[&open, keys]);
    place.run(&with_keys(&["heir"]));
    fs::remove_file(place.path("out")).unwrap();
    let honest = fs::read(place.path("env")).unwrap();
    let refused = |why: &str| {
        let said = place.refuse(&with_keys(&["heir"]), why);
        assert!(said.contains("the dealer cheated or made a mistake"), "{said}");
        let deal = ["custody", "reshare", "env", "--owner", "owner", "--key", "heir"];
        place.refuse(&with(&[&deal, &FIVE, &ROSTER]), why);
        fs::write(place.path("env"), &honest).unwrap();
    };
    // Another wrapped key.
    altered(&place, |e| e.custody.as_mut().unwrap().wrapped[0] ^= 1);
    refused("the wrapped file key does not open under the shared secret");
    // Custodians who share another secret than the one sent.
    altered(&place, |e| {
        let part: CustodyPart = e.custody.clone().unwrap();
        let sent = e.recipients.clone();
        dealt_by_hand(&place, e, [1; 32]);
        assert_ne!(e.custody.as_ref().unwrap().dealing, part.dealing);
        e.recipients = sent;
    });
    refused("share another secret than the recipient was sent");
    // A right dealing of a key that is not the body's.
    altered(&place, |e| dealt_by_hand(&place, e, [1; 32]));
    let verify = ["custody", "verify", "env", "--owner", "owner.pub", "--key", "heir"];
    place.refuse(&verify, "what was dealt is not this body\u{2019}s key");
    refused("what was dealt is not this body\u{2019}s key");
    // No dealing at all: not the dealer's cheat, and not a missing recipient.
    altered(&place, |e| e.custody = None);
    place.refuse(&with_keys(&["heir"]), "the envelope has no dealing that it could be of");
    fs::write(place.path("env"), &honest).unwrap();
    // Somebody else's key is still no recipient's, and who has another way opens.
    place.refuse(&with_keys(&["other"]), "none of the given keys");
    altered(&place, |e| e.custody.as_mut().unwrap().wrapped[0] ^= 1);
    place.run(&with_keys(&["heir", "to"]));
}

/// A dealing is bound to a policy that exists: `--policy` sets it, `verify` compares it, and another is refused.
#[test]
fn a_dealing_is_bound_to_a_policy_file() {
    let place = prepared(100);
    let policy = "version = 1\nname = \"p\"\nrequire = [\"custody\"]\n[custody]\nno_single = [\"law\"]\n";
    fs::write(place.path("policy.toml"), policy).unwrap();
    fs::write(place.path("other.toml"), policy.replace("law", "provider")).unwrap();
    fs::write(place.path("broken.toml"), "version = 9\n").unwrap();
    let deal = |policy: &'static str| {
        let head = ["custody", "deal", "env", "--owner", "owner", "--key", "to", "--policy", policy];
        with(&[&head, &FIVE, &ROSTER])
    };
    place.refuse(&deal("broken.toml"), "policy");
    place.run(&deal("policy.toml"));
    let digest = hex::encode(blake3::hash(policy.as_bytes()).as_bytes());
    let verify = ["custody", "verify", "env", "--owner", "owner.pub"];
    let said = json(&place, &with(&[&verify, &["--policy", "policy.toml"]]));
    assert_eq!((&said["policy"], &said["contradictions"]), (&digest.into(), &Value::Array(Vec::new())));
    let other = place.try_run(&with(&[&verify, &["--policy", "other.toml"]]));
    assert_eq!(other.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&other.stdout).contains("CONTRADICTS it was dealt under policy"));
    // An envelope of another policy with the same dealing is not it.
    altered(&place, |e| e.policy = Some([7; 32]));
    place.refuse(&verify, "the dealing was made under another policy");
}

/// Releases on record: entered by custodians, shown by the log, read by whoever verifies; enough to one key is said.
#[test]
fn releases_on_record_are_read_by_verify() {
    let place = prepared(100);
    dealt(&place, &[]);
    request(&place, "ask");
    place.run(&["key", "new", "auditor", "-o", "submitter"]);
    let init = ["log", "init", "log", "--origin", "log.example/releases", "--listen", "127.0.0.1:0"];
    place.run(&with(&[&init, &["--submitter", "submitter.pub"]]));
    let server = Server::start(&place, &["log", "serve", "--config", "log/log.toml"]);
    let mut logged = Vec::new();
    for i in 0..3 {
        release(&place, i, "ask", &format!("r{i}"));
        let (entry, proof) = (format!("r{i}.entry"), format!("r{i}.proof"));
        let add = ["log", "add", &entry, "--log", &server.url, "--key", "submitter", "-o", &proof];
        place.run(&with(&[&add, &["--log-key", "log/log.vkey"]]));
        logged.extend(["--logged".to_owned(), entry, proof]);
    }
    let verify = |n: usize| -> Vec<String> {
        let base = ["custody", "verify", "env", "--owner", "owner.pub", "--log-key", "log/log.vkey"];
        let logged = logged.iter().take(3 * n).cloned();
        base.map(str::to_owned).into_iter().chain(logged).collect()
    };
    let said = String::from_utf8(place.run(&verify(2))).unwrap();
    assert!(said.contains("released    \u{201c}Notary 1\u{201d}") || said.contains("Notary 1"), "{said}");
    assert!(!said.contains("RECOVERED"), "{said}");
    assert!(said.contains("not proved  that custodians entered every release"), "{said}");
    let heir = json(&place, &["key", "show", "heir.pub"])["fingerprint"].as_str().unwrap().to_owned();
    let mut all = verify(3);
    let said = String::from_utf8(place.run(&all)).unwrap();
    assert!(said.contains(&format!("RECOVERED   3 or more released to key {heir}")), "{said}");
    all.push("--json".to_owned());
    let said: Value = serde_json::from_slice(&place.run(&all)).unwrap();
    assert_eq!(said["released"]["enough_released_to"], Value::from(vec![heir]));
    assert_eq!(said["released"]["releases"][2]["log_index"], 2);
    // A proof of another entry, and a record that was altered.
    let base = ["custody", "verify", "env", "--owner", "owner.pub", "--log-key", "log/log.vkey", "--logged"];
    place.refuse(&with(&[&base, &["r0.entry", "r1.proof"]]), "does not show that the log has");
    let mut bytes = fs::read(place.path("r0.entry")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(place.path("r0.entry"), bytes).unwrap();
    place.refuse(&with(&[&base, &["r0.entry", "r0.proof"]]), "is not signed by custodian");
    place.refuse(&with(&[&base, &["ask", "r0.proof"]]), "is no record of a release");
}
