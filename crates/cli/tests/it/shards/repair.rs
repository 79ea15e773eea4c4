//! Repair of split objects through the real binary, and reissue of lost envelopes.

use std::fs;

use super::{OPEN, body, chunk, envelope, flip, opens, owner, seal, sealed};
use crate::it::program::{Place, data};

fn repair(place: &Place) -> String {
    let out = place.try_run(&[&["repair", "s"][..], &OPEN].concat());
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

/// Lost bodies come back byte for byte, damaged ones are mended, right ones are not touched.
#[test]
fn repair_gives_the_bodies_their_envelopes_sign() {
    let place = sealed("3/6", 900_000);
    let before: Vec<Vec<u8>> = (0..6).map(|s| fs::read(body(&place, s)).unwrap()).collect();
    assert!(repair(&place).starts_with("nothing to repair"));
    fs::remove_file(body(&place, 0)).unwrap();
    fs::write(body(&place, 4), &before[1]).unwrap();
    flip(&place, 5, chunk(7) + 99);
    let said = repair(&place);
    assert!(said.contains("mended    shards [5]") && said.contains("rebuilt   shards [0, 4]"), "{said}");
    for (shard, bytes) in (0..).zip(&before) {
        assert!(fs::read(body(&place, shard)).unwrap() == *bytes, "shard {shard}");
    }
    assert!(repair(&place).starts_with("nothing to repair"));
    // Too few left: nothing is written, every wrong one is named.
    for shard in 0..4 {
        fs::write(body(&place, shard), b"gone").unwrap();
    }
    let said =
        place.refuse(&[&["repair", "s"][..], &OPEN].concat(), "2 of 6 shards are usable, 3 are needed");
    assert!((0..4).all(|s| said.contains(&format!("shard {s} (s/00{s}.shard) is wrong"))), "{said}");
    assert!((0..4).all(|s| fs::read(body(&place, s)).unwrap() == b"gone"));
}

/// A lost envelope takes its file key with it: the owner issues the shard anew, and with it all envelopes.
#[test]
fn repair_without_an_envelope_needs_the_owner() {
    let place = sealed("2/4", 300_000);
    fs::remove_file(envelope(&place, 2)).unwrap();
    fs::remove_file(body(&place, 3)).unwrap();
    let before = fs::read(body(&place, 0)).unwrap();
    let plain = [&["repair", "s"][..], &OPEN].concat();
    place.refuse(
        &plain,
        "the envelopes of shards [2] are not here or cannot be used, and with them their keys",
    );
    let anew = [&plain[..], &["--reissue", "owner", "--to", "to.pub", "-o", "again", "--json"]].concat();
    let report: serde_json::Value = serde_json::from_slice(&place.run(&anew)).unwrap();
    assert_eq!(report["reissued"], serde_json::json!([2]));
    assert_eq!(report["rebuilt"], serde_json::json!([3]));
    assert!(report["generation"].as_u64().unwrap() > 1);
    assert_eq!(fs::read_dir(place.path("again")).unwrap().count(), 8);
    assert!(fs::read(place.path("again/000.shard")).unwrap() == before, "a right body stays as it is");
    opens(&place, &["again/002.shard", "again/003.shard"]);
    assert_eq!(opens(&place, &["again"]), "");
    place.refuse(&anew, "exists already");
}

/// A generation that was used is never signed again for another envelope: neither when an envelope that is not here was rewritten since, nor
/// when the same remains are issued again twice.
#[test]
fn a_reissue_never_takes_a_generation_that_may_be_taken() {
    let place = sealed("2/4", 50_000);
    // The envelope of shard 3 goes on to generation 2, at its host, and is lost here.
    place.run(&["rewrap", "s/003.shard", "--owner", "owner", "--key", "to", "--add", "other.pub"]);
    let rewritten = place.path("elsewhere.envelope");
    fs::rename(envelope(&place, 3), &rewritten).unwrap();
    let again = |folder: &str, more: &[&str]| -> u64 {
        let anew = ["repair", "s", "--reissue", "owner", "--to", "to.pub", "-o", folder, "--json"];
        let report = place.run(&[&anew[..], &OPEN, more].concat());
        let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
        opens(&place, &[folder]);
        report["generation"].as_u64().unwrap()
    };
    let (one, two) = (again("one", &[]), again("two", &[]));
    assert!(one > 2 && two > 2, "{one} {two}: generation 2 of shard 3 is another envelope");
    assert_ne!(one, two, "two envelopes of one generation");
    // What is known to be newer is counted from.
    let three = again("three", &["--after", "one/003.shard.envelope", "elsewhere.envelope"]);
    assert!(three > one, "{three} {one}");
    let anew = ["repair", "s", "--reissue", "owner", "--to", "to.pub", "-o", "four"];
    seal(&place, "2/3", "plain", "t");
    let foreign = [&anew[..], &OPEN, &["--after", "t/000.shard.envelope"]].concat();
    place.refuse(&foreign, "is another object's");
}

/// An envelope counts for the generation though it is not used: another copy of a shard, or one that no given key opens.
#[test]
fn an_envelope_that_is_not_used_counts_for_the_generation() {
    let place = sealed("2/4", 50_000);
    let at = envelope(&place, 3);
    place.run(&[
        "rewrap",
        "s/003.shard",
        "--owner",
        "owner",
        "--key",
        "to",
        "--add",
        "other.pub",
        "--remove",
        "to.pub",
    ]);
    let far = |from: &std::path::Path, to: &std::path::Path, generation: u64| {
        let mut next = bailiwick_envelope::verify(&owner(&place), &fs::read(from).unwrap()).unwrap();
        next.generation = generation - 1;
        let signed = bailiwick_envelope::sign_next(next, &signer(&place)).unwrap();
        fs::write(to, bailiwick_protocol::codec::Canonical::to_bytes(&signed)).unwrap();
    };
    let again = |folder: &str| {
        place.run(
            &[&["repair", "s", "--reissue", "owner", "--to", "to.pub", "other.pub", "-o", folder][..], &OPEN]
                .concat(),
        );
        let bytes = fs::read(place.path(&format!("{folder}/000.shard.envelope"))).unwrap();
        bailiwick_envelope::verify(&owner(&place), &bytes).unwrap().generation
    };
    // Shard 3 says last who may open: its recipient has to be named, too.
    assert!(again("one") <= 2 + (1 << 32));
    far(&at, &at, 1 << 40);
    assert!(again("two") > 1 << 40);
    far(&envelope(&place, 0), &place.path("s/copy.envelope"), 1 << 41);
    assert!(again("three") > 1 << 41);
}

pub(crate) fn signer(place: &Place) -> bailiwick_protocol::signing::SigningKey {
    let keys = fs::read_to_string(place.path("owner")).unwrap();
    let keys = bailiwick_protocol::key_file::KeyFile::parse(&keys).unwrap();
    bailiwick_protocol::signing::SigningKey::from_seed(&keys.secret.unwrap())
}

/// A shard sealed anew stands under the others' policy and opens by what opens them; what it would lack is named, and refused unless asked for.
#[test]
fn a_reissue_loses_no_way_in_unasked() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = sealed("2/4", 50_000);
    for (name, text) in [("words", "correct horse"), ("wrong", "battery staple")] {
        fs::write(place.path(name), text).unwrap();
        fs::set_permissions(place.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    let anew = ["repair", "s", "--reissue", "owner", "-o", "again"];
    let entries = |name: &str| {
        bailiwick_envelope::verify(&owner(&place), &fs::read(place.path(name)).unwrap()).unwrap()
    };
    // A recipient more, at the others.
    fs::remove_file(envelope(&place, 3)).unwrap();
    for shard in ["s/000.shard", "s/001.shard", "s/002.shard"] {
        place.run(&["rewrap", shard, "--owner", "owner", "--key", "to", "--add", "other.pub"]);
    }
    let one = [&anew[..], &OPEN, &["--to", "to.pub"]].concat();
    place.refuse(&one, "would lack ways in that the newest envelopes, of generation 2, have: recipient ");
    place.refuse(&[&anew[..], &OPEN].concat(), "nobody could open the object");
    place.run(&[&anew[..], &OPEN, &["--to", "to.pub", "other.pub"]].concat());
    assert_eq!(entries("again/003.shard.envelope").recipients.len(), 2);
    fs::remove_dir_all(place.path("again")).unwrap();
    place.run(&[&one[..], &["--fewer-ways"]].concat());
    assert_eq!(entries("again/003.shard.envelope").recipients.len(), 1);
    fs::remove_dir_all(place.path("again")).unwrap();
    // A passphrase: the one that opens the others, asked for beside recipients.
    let seal = ["seal", "plain", "-o", "s", "--owner", "owner", "--shards", "2/4", "--no-commit"];
    fs::remove_dir_all(place.path("s")).unwrap();
    place.run(&[&seal[..], &["--to", "to.pub", "--passphrase-file", "words", "--also-passphrase"]].concat());
    fs::remove_file(envelope(&place, 3)).unwrap();
    place.refuse(&one, "have: a passphrase");
    let by = |words: &'static str| [&one[..], &["--passphrase-file", words]].concat();
    place.refuse(&by("words"), "only as strong as the passphrase");
    place.refuse(
        &[&by("wrong")[..], &["--also-passphrase"]].concat(),
        "the passphrase is not that of s/000.shard",
    );
    place.run(&[&by("words")[..], &["--also-passphrase"]].concat());
    assert!(entries("again/003.shard.envelope").passphrase.is_some());
    place.run(&[
        "open",
        "again/003.shard",
        "again/002.shard",
        "--owner",
        "owner.pub",
        "--passphrase-file",
        "words",
        "-o",
        "back",
    ]);
    assert!(fs::read(place.path("back")).unwrap() == data(50_000));
    fs::remove_dir_all(place.path("again")).unwrap();
    // Custodians' part and a policy, as they may stand in an envelope; entries without a name stay without.
    fs::remove_dir_all(place.path("s")).unwrap();
    place.run(&[&seal[..], &["--to", "to.pub", "--anonymous"]].concat());
    fs::remove_file(envelope(&place, 3)).unwrap();
    let with = |change: &dyn Fn(&mut bailiwick_protocol::envelope::Envelope)| {
        for shard in 0..3 {
            let mut next = entries(&format!("s/00{shard}.shard.envelope"));
            change(&mut next);
            let signed = bailiwick_envelope::sign_next(next, &signer(&place)).unwrap();
            fs::write(envelope(&place, shard), bailiwick_protocol::codec::Canonical::to_bytes(&signed))
                .unwrap();
        }
    };
    with(&|e| e.policy = Some([9; 32]));
    place.run(&one);
    let made = entries("again/003.shard.envelope");
    assert_eq!((made.policy, made.recipients[0].key_id), (Some([9; 32]), None));
    fs::remove_dir_all(place.path("again")).unwrap();
    with(&|e| {
        e.custody = Some(bailiwick_protocol::envelope::CustodyPart { dealing: vec![1], wrapped: [0; 48] });
    });
    place.refuse(&one, "have: custodians");
}

/// A body reached through a symbolic link is issued again as a file of its own, not as a link that leads nowhere.
#[test]
fn a_reissue_copies_what_a_link_leads_to() {
    let place = sealed("2/4", 50_000);
    fs::remove_file(envelope(&place, 3)).unwrap();
    fs::rename(body(&place, 1), place.path("moved")).unwrap();
    std::os::unix::fs::symlink("../moved", body(&place, 1)).unwrap();
    let anew = ["repair", "s", "--reissue", "owner", "--to", "to.pub", "-o", "again"];
    place.run(&[&anew[..], &OPEN].concat());
    for shard in ["again/000.shard", "again/001.shard"] {
        assert!(fs::symlink_metadata(place.path(shard)).unwrap().is_file(), "{shard}");
    }
    fs::remove_file(place.path("moved")).unwrap();
    opens(&place, &["again/000.shard", "again/001.shard"]);
}
