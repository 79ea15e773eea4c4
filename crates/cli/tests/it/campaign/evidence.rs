//! What a campaign leaves behind, before a reader and before an owner.

use std::collections::BTreeMap;
use std::fs;

use bailiwick_protocol::bundle::Answer;
use bailiwick_protocol::challenge::Challenge;
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::dossier::Dossier;
use bailiwick_protocol::ids::{HostKey, InventoryRoot};
use bailiwick_protocol::inventory::{Inventory, OwnerRange};
use bailiwick_protocol::schedule::{LogEntry, hash_of_nonce};
use bailiwick_protocol::signing::Signed;
use bailiwick_translog::{LogPolicy, VerifierKey, verify_proof};

use super::{Scene, json, public};
use crate::it::inventory::signing_key;
use crate::it::program::Place;

/// Who is who, for a reader.
pub(super) fn write_anchors(scene: &Scene) {
    let place = &scene.place;
    let line = |name: &str| fs::read_to_string(place.path(name)).unwrap().trim().to_owned();
    let mut anchors = "version = 1\n".to_owned();
    for (role, name) in
        [("owner", "owner"), ("host", "n1/host.pub"), ("host", "n2/host.pub"), ("auditor", "auditor")]
    {
        let key = public(place, name);
        anchors += &format!("[[principal]]\nrole = \"{role}\"\nname = \"{name}\"\nkey = \"{key}\"\n");
    }
    anchors += &format!(
        "[[verifying_key]]\ndigest = \"{}\"\nclass = {{ samples = 1, depth = 3 }}\nprovenance = \"auditor\"\nauditor = \"{}\"\n",
        scene.vk,
        public(place, "auditor")
    );
    anchors += &format!(
        "[log]\nkey = \"{}\"\nwitnesses = [\"{}\", \"{}\"]\n",
        line("log/log.vkey"),
        line("w1/witness.vkey"),
        line("w2/witness.vkey")
    );
    anchors += &scene.chain.table();
    fs::write(place.path("anchors.toml"), anchors).unwrap();
}

/// The verdicts a reader comes to: everything is logged; the host that lost its data refutes *stored*, the other one alone does not.
pub(super) fn judge(scene: &Scene) {
    let place = &scene.place;
    write_anchors(scene);
    let host = |name: &str| format!("\"{}\"", public(place, name));
    let (code, stored, logged, report) = verdicts(place, "dossier", &host("n1/host.pub"));
    assert_eq!((code, stored.as_str(), logged.as_str()), (Some(0), "supported", "supported"), "{report}");
    let both = format!("{}, {}", host("n1/host.pub"), host("n2/host.pub"));
    let (code, stored, logged, report) = verdicts(place, "dossier", &both);
    assert_eq!((code, stored.as_str(), logged.as_str()), (Some(1), "refuted", "supported"), "{report}");
}

/// Exit code, *stored*, *logged* and the whole report on a dossier, for a policy about `hosts`.
pub(super) fn verdicts(place: &Place, dossier: &str, hosts: &str) -> (Option<i32>, String, String, String) {
    let policy = format!(
        "version = 1\nname = \"p\"\nrequire = [\"stored\", \"logged\"]\n\
         [stored]\nlost_fraction = 1.0\nmin_detection = 0.9\nmax_age_hours = 1\nhosts = [{hosts}]\n\
         [logged]\nquorum = 2\nmax_checkpoint_age_hours = 1\n"
    );
    fs::write(place.path("policy.toml"), policy).unwrap();
    let verify = ["verify", dossier, "--policy", "policy.toml", "--anchors", "anchors.toml", "--json"];
    let out = place.try_run(&verify);
    let report = json(&out.stdout);
    let verdict = |claim: &str| {
        let claims = report["claims"].as_array().unwrap();
        claims.iter().find(|c| c["claim"] == claim).unwrap()["verdict"].as_str().unwrap().to_owned()
    };
    (out.status.code(), verdict("stored"), verdict("logged"), report.to_string())
}

/// What `check-inventory --save` keeps goes into a dossier. The inventory the auditor was given as well changes nothing; a second one
/// in the host's hand refutes.
pub(super) fn owners_evidence(scene: &Scene) {
    let place = &scene.place;
    let check = ["check-inventory", "--node", &scene.url, "--host", "n1/host.pub", "--epoch", "2"];
    let sealed = ["a.envelope", "b.envelope", "c.envelope"];
    let save = ["--owner", "owner", "--save", "first.range", "--envelopes"];
    place.run(&[&check[..], &save, &sealed].concat());
    let range = OwnerRange::from_bytes(&fs::read(place.path("first.range")).unwrap()).unwrap();
    // What the owner was shown is what the auditor committed to; `second.range` below is not.
    place.run(&["audit", "dossier", "--campaign", "campaign", "-o", "owners.dossier"]);
    let compare = |shown: &str, epoch: &str| {
        let fixed = [
            "check-inventory",
            "--host",
            "n1/host.pub",
            "--owner",
            "owner.pub",
            "--dossier",
            "owners.dossier",
        ];
        let more = ["--from", shown, "--epoch", epoch, "--json", "--envelopes"];
        let out = place.try_run(&[&fixed[..], &more, &sealed].concat());
        let json: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap_or_default();
        (out.status.code(), json["committed"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(compare("first.range", "2"), (Some(0), "same".to_owned()));
    let first = range.inventory.decode_unverified().unwrap();
    let host = signing_key(place, "n1/host.key");
    let second = Signed::new(&Inventory { root: InventoryRoot([7; 32]), ..first.clone() }, &host);
    fs::write(place.path("second.inventory"), second.to_bytes()).unwrap();
    fs::write(
        place.path("second.range"),
        OwnerRange { inventory: second.clone(), ..range.clone() }.to_bytes(),
    )
    .unwrap();
    // The same leaves under another time of making: listed all right, and not what the auditor was given.
    let later = Signed::new(&Inventory { made_unix_ms: first.made_unix_ms + 1, ..first.clone() }, &host);
    fs::write(place.path("later.range"), OwnerRange { inventory: later, ..range.clone() }.to_bytes())
        .unwrap();
    assert_eq!(compare("later.range", "2"), (Some(1), "other".to_owned()));
    let never = Signed::new(&Inventory { epoch: 77, ..first.clone() }, &host);
    fs::write(place.path("never.range"), OwnerRange { inventory: never, ..range.clone() }.to_bytes())
        .unwrap();
    assert_eq!(compare("never.range", "77"), (Some(1), "missing".to_owned()));
    let of_n1 = format!("\"{}\"", public(place, "n1/host.pub"));
    let judged = |added: &str| {
        let name = format!("with.{added}");
        place.run(&["audit", "dossier", "--campaign", "campaign", "--add-inventory", added, "-o", &name]);
        let dossier = Dossier::from_bytes(&fs::read(place.path(&name)).unwrap()).unwrap();
        (dossier.inventories, verdicts(place, &name, &of_n1))
    };
    let (_, (code, stored, logged, report)) = judged("first.range");
    assert_eq!((code, stored.as_str(), logged.as_str()), (Some(0), "supported", "supported"), "{report}");
    for added in ["second.range", "second.inventory"] {
        let (inventories, (code, stored, logged, report)) = judged(added);
        assert_eq!(inventories, std::slice::from_ref(&second));
        assert_eq!((code, stored.as_str(), logged.as_str()), (Some(1), "refuted", "refuted"), "{report}");
        assert!(report.contains("two-inventories"), "{report}");
    }
    let junk =
        ["audit", "dossier", "--campaign", "campaign", "--add-inventory", "a.envelope", "-o", "with.junk"];
    place.refuse(&junk, "neither a signed inventory nor an owner");
    assert!(!place.path("with.junk").exists());
}

/// Every proof holds under both witnesses, every challenge is the one committed to, and only the lost data fails.
pub(super) fn check(
    place: &Place,
    dossier: &Dossier,
    auditor: &[u8; 32],
    before: &BTreeMap<HostKey, Challenge>,
) {
    let key = |name: &str| VerifierKey::parse(fs::read_to_string(place.path(name)).unwrap().trim()).unwrap();
    let policy =
        LogPolicy::new(key("log/log.vkey"), vec![key("w1/witness.vkey"), key("w2/witness.vkey")], 2).unwrap();
    let mut nonces = BTreeMap::new();
    for logged in &dossier.announced {
        verify_proof(&logged.proof, &logged.entry, &policy).unwrap();
        if let LogEntry::Epoch(c) = LogEntry::from_bytes(&logged.entry).unwrap() {
            let c = c.verify(auditor).unwrap();
            nonces.insert(c.epoch, c.nonce);
        }
    }
    assert_eq!(nonces.keys().copied().collect::<Vec<_>>(), [1, 2, 3]);
    let lost: HostKey = public(place, "n2/host.pub").parse().unwrap();
    let mut seen = Vec::new();
    for audit in &dossier.audits {
        let outcome = audit.outcome.as_ref().unwrap();
        verify_proof(&outcome.proof, &outcome.entry, &policy).unwrap();
        let bundle = audit.bundle.verify(auditor).unwrap();
        let challenge = bundle.challenge.verify(auditor).unwrap();
        assert_eq!(hash_of_nonce(&challenge.nonce), nonces[&challenge.epoch]);
        if challenge.epoch == 2
            && let Some(asked) = before.get(&challenge.host)
        {
            assert_eq!(&challenge, asked, "the very same challenge after the kill");
        }
        let proven = match &bundle.answer {
            Answer::Response(r) => r.verify(challenge.host.as_bytes()).unwrap().outcome.is_ok(),
            Answer::None(_) => false,
        };
        assert_eq!(proven, !(challenge.host == lost && challenge.epoch == 3), "{challenge:?} {bundle:?}");
        seen.push((challenge.epoch, challenge.host));
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 6);
}
