//! Envelopes of several generations of one shard, or of one split object, through the real binary (spec shards, clauses Q8a and Q11c).

use std::fs;

use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::Envelope;

use super::repair::signer;
use super::{OPEN, body, envelope, opens, owner, refuses, sealed};
use crate::it::program::{Place, data};

const REISSUE: [&str; 6] = ["repair", "s", "--reissue", "owner", "-o", "again"];

fn rewrap(place: &Place, what: &str, changes: &[&str]) {
    place.run(&[&["rewrap", what, "--owner", "owner", "--key", "to"][..], changes].concat());
}

fn read(place: &Place, name: &str) -> Envelope {
    bailiwick_envelope::verify(&owner(place), &fs::read(place.path(name)).unwrap()).unwrap()
}

/// Signs shard 0's envelope with changes, as generation `generation`, under another name in the folder.
fn sign(place: &Place, name: &str, generation: u64, change: impl FnOnce(&mut Envelope)) {
    let mut next = read(place, "s/000.shard.envelope");
    change(&mut next);
    next.generation = generation - 1;
    let signed = bailiwick_envelope::sign_next(next, &signer(place)).unwrap();
    fs::write(place.path(name), signed.to_bytes()).unwrap();
}

/// Recipient and passphrase removed from all shards, then an envelope from before comes back for shard 0 while shard 4 is lost.
fn one_is_stale(place: &Place) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::write(place.path("words"), "correct horse").unwrap();
    fs::set_permissions(place.path("words"), fs::Permissions::from_mode(0o600)).unwrap();
    rewrap(place, "s", &["--add", "other.pub"]);
    rewrap(place, "s/000.shard", &["--set-passphrase-file", "words", "--also-passphrase"]);
    let stale = fs::read(envelope(place, 0)).unwrap();
    rewrap(place, "s", &["--remove", "other.pub"]);
    rewrap(place, "s", &["--anonymous"]);
    rewrap(place, "s", &["--only", "to.pub"]);
    place.run(&["rewrap", "s/000.shard", "--owner", "owner", "--key", "to", "--no-passphrase"]);
    fs::rename(envelope(place, 0), place.path("newest.envelope")).unwrap();
    fs::write(envelope(place, 0), stale).unwrap();
    fs::remove_file(envelope(place, 4)).unwrap();
}

/// E13: whoever was removed stays removed when shards are issued again with an envelope among them that is older than the removal.
#[test]
fn e13_a_reissue_gives_nobody_back_what_was_removed() {
    let place = sealed("2/5", 50_000);
    one_is_stale(&place);
    for more in [&[][..], &["--fewer-ways"]] {
        let reissue = [&REISSUE[..], &OPEN, &["--to", "to.pub", "--json"], more].concat();
        let out = place.try_run(&reissue);
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(out.status.success(), "{said}");
        let line = "what only it has counts as removed and is not signed again: a passphrase, recipient ";
        assert!(said.contains("the envelope of shard 0 is of generation 3") && said.contains(line), "{said}");
        let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        assert!(report["notes"].to_string().contains(line), "{report}");
        for shard in 0..5 {
            let signed = read(&place, &format!("again/00{shard}.shard.envelope"));
            assert_eq!(signed.recipients.len(), 1, "shard {shard}");
            assert!(signed.passphrase.is_none() && signed.generation > 5, "shard {shard}");
        }
        opens(&place, &["again/000.shard", "again/004.shard"]);
        for removed in [["--key", "other"], ["--passphrase-file", "words"]] {
            let open = ["open", "again", "--owner", "owner.pub", "-o", "back"];
            place.refuse(&[&open[..], &removed].concat(), "no shard has an envelope that can be used");
        }
        fs::remove_dir_all(place.path("again")).unwrap();
    }
    // What the newest ones have is still not lost unasked.
    rewrap(&place, "s/003.shard", &["--add", "other.pub"]);
    rewrap(&place, "s/003.shard", &["--anonymous"]);
    let reissue = [&REISSUE[..], &OPEN, &["--to", "to.pub"]].concat();
    place.refuse(&reissue, "would lack ways in that the newest envelopes, of generation ");
}

/// The newest envelope of a shard counts, whatever the files' names, with the body that lies beside another.
#[test]
fn e13_the_newest_envelope_of_a_shard_counts() {
    let place = sealed("2/5", 50_000);
    one_is_stale(&place);
    fs::rename(place.path("newest.envelope"), place.path("s/050.shard.envelope")).unwrap();
    let newest = read(&place, "s/050.shard.envelope").generation;
    let said = opens(&place, &["s/000.shard", "s/050.shard", "s/001.shard"]);
    let line = format!(
        "s/000.shard.envelope is not used: it is generation 3 of the envelope of shard 0, s/050.shard.envelope is generation {newest}"
    );
    assert!(said.contains(&line) && !said.contains("wrong"), "{said}");
    let report = place.run(&[&["open", "s", "-o", "back", "--json"][..], &OPEN].concat());
    let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
    assert_eq!(report["generation"], newest);
    place.run(&[&REISSUE[..], &OPEN, &["--to", "to.pub"]].concat());
    assert!(!place.path("s/050.shard").exists(), "the body is there, under the other name");
    assert_eq!(read(&place, "again/000.shard.envelope").recipients.len(), 1);
    assert!(fs::read(place.path("again/000.shard")).unwrap() == fs::read(body(&place, 0)).unwrap());
}

/// E13: two envelopes of one generation are evidence against whoever signed them, both are named, and none of them is signed on.
#[test]
fn e13_two_envelopes_of_one_generation_are_named() {
    let place = sealed("2/4", 50_000);
    sign(&place, "s/000.shard.envelope", 2, |_| ());
    sign(&place, "s/zero.envelope", 2, |e| e.policy = Some([7; 32]));
    fs::copy(body(&place, 0), place.path("s/zero")).unwrap();
    let said = opens(&place, &["s"]);
    let line = "s/zero.envelope is not used: it and s/000.shard.envelope are two different envelopes of shard 0, both of generation 2 and signed by the owner: keep both as evidence";
    assert!(said.contains(line), "{said}");
    fs::remove_file(envelope(&place, 3)).unwrap();
    let reissue = [&REISSUE[..], &OPEN, &["--to", "to.pub"]].concat();
    let said = place.refuse(&reissue, "are two different envelopes of shard 0, both of generation 2");
    assert!(said.contains("s/zero.envelope") && said.contains("s/000.shard.envelope"), "{said}");
    // The honest twin: the same one twice, and a body that is another shard's under a copy.
    fs::copy(envelope(&place, 0), place.path("s/zero.envelope")).unwrap();
    fs::copy(body(&place, 1), place.path("s/zero")).unwrap();
    let said = opens(&place, &["s"]);
    let line = "s/zero is not used: its envelope is that of shard 0, as is s/000.shard.envelope, and its body is not: it does not begin";
    assert!(said.contains(line), "{said}");
    place.run(&reissue);
    assert!(fs::read(place.path("s/zero")).unwrap() == fs::read(body(&place, 1)).unwrap());
}

/// E13: what is known of a shard is held against that shard; one that is given back in an old state is named with the reason, and the others open.
#[test]
fn e13_known_envelopes_are_compared_shard_by_shard() {
    let place = sealed("2/4", 50_000);
    fs::create_dir(place.path("old")).unwrap();
    for shard in 0..4 {
        fs::copy(envelope(&place, shard), place.path(&format!("old/00{shard}.shard.envelope"))).unwrap();
    }
    rewrap(&place, "s", &["--add", "other.pub"]);
    fs::create_dir(place.path("kept")).unwrap();
    for shard in 0..4 {
        fs::copy(envelope(&place, shard), place.path(&format!("kept/00{shard}.shard.envelope"))).unwrap();
    }
    for known in [&["--known", "old"][..], &["--known", "kept"], &["--known", "kept/002.shard.envelope"]] {
        assert_eq!(opens(&place, &[&["s"], known].concat()), "", "{known:?}");
        place.run(&[&["repair", "s"][..], &OPEN, known].concat());
    }
    // Shards 0 to 2 in an old state.
    for shard in 0..3 {
        fs::copy(place.path(&format!("old/00{shard}.shard.envelope")), envelope(&place, shard)).unwrap();
    }
    let two = ["s", "--known", "kept/000.shard.envelope", "--known", "kept/001.shard.envelope"];
    let said = opens(&place, &two);
    for shard in 0..2 {
        let line = format!(
            "s/00{shard}.shard.envelope is not used: generation 1 is older than 2, which was seen before"
        );
        assert!(said.contains(&line), "{said}");
    }
    let said = refuses(&place, &["s", "--known", "kept"], "1 of 4 shards are usable, 2 are needed");
    assert!(!said.contains("recipient"), "{said}");
    // One shard alone has to be known itself, and another object's envelope is no comparison.
    let one = ["rewrap", "s/003.shard", "--owner", "owner", "--key", "to", "--remove", "other.pub"];
    let out = place.try_run(&[&one[..], &["--known", "kept/000.shard.envelope"]].concat());
    let said = String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned();
    let line = "of different units of one object: 2-4-3-0 now, 2-4-0-0 was seen before";
    assert!(!out.status.success() && said.contains(line), "{said}");
    place.run(&[&one[..], &["--known", "kept"]].concat());
    place.run(&["seal", "plain", "-o", "t", "--owner", "owner", "--to", "to.pub", "--no-commit"]);
    refuses(&place, &["s", "--known", "t.envelope"], "no shard has an envelope that can be used");
}

/// E13: an older making of the object is an old state, too, though no envelope of those very shards is known.
#[test]
fn e13_an_older_making_is_told_by_another_shards_envelope() {
    let place = sealed("2/4", 50_000);
    fs::remove_file(envelope(&place, 3)).unwrap();
    place.run(&[&REISSUE[..], &OPEN, &["--to", "to.pub"]].concat());
    let known = ["--known", "again/003.shard.envelope"];
    opens(&place, &[&["again/000.shard", "again/001.shard"], &known[..]].concat());
    let said = place.refuse(
        &[&["open", "s", "-o", "back"][..], &OPEN, &known].concat(),
        "no shard has an envelope that can be used",
    );
    let line = "s/000.shard.envelope is not used: generation 1 of another making of the object than again/003.shard.envelope is of";
    assert!(said.contains(line), "{said}");
    assert!(fs::read(place.path("plain")).unwrap() == data(50_000));
}

/// A shard that cannot be read, for whatever reason, is a lost one: named, and the others serve.
#[test]
fn a_shard_that_cannot_be_read_is_lost_by_name() {
    let place = sealed("2/4", 50_000);
    let first = fs::read(body(&place, 0)).unwrap();
    for shard in 0..2 {
        fs::remove_file(body(&place, shard)).unwrap();
    }
    std::os::unix::fs::symlink("000.shard", body(&place, 0)).unwrap();
    // A file whose every reading fails.
    std::os::unix::fs::symlink("/proc/self/mem", body(&place, 1)).unwrap();
    let said = opens(&place, &["s"]);
    assert!(said.contains("shard 0 (s/000.shard) is wrong: it cannot be read: "), "{said}");
    assert!(said.contains("shard 1 (s/001.shard) is wrong: it has 0 bytes"), "{said}");
    fs::rename(body(&place, 3), place.path("away")).unwrap();
    let said = refuses(&place, &["s"], "1 of 4 shards are usable, 2 are needed");
    assert!(said.contains("shard 3 (s/003.shard) is not here, only its envelope is"), "{said}");
    fs::rename(place.path("away"), body(&place, 3)).unwrap();
    let said = String::from_utf8(place.run(&[&["repair", "s"][..], &OPEN].concat())).unwrap();
    assert!(said.contains("rebuilt   shards [0, 1]"), "{said}");
    assert!(fs::read(body(&place, 0)).unwrap() == first);
}

/// Some envelopes were rewritten and others not: said, since who was removed may stand in what is older.
#[test]
fn e13_envelopes_that_are_behind_others_are_named() {
    let place = sealed("2/4", 50_000);
    assert_eq!(opens(&place, &["s"]), "");
    rewrap(&place, "s/003.shard", &["--add", "other.pub"]);
    let said = opens(&place, &["s"]);
    let line = "the envelopes of shards [0, 1, 2] are older than others here, of generation 2";
    assert!(said.contains(line), "{said}");
}

/// What is no file is not opened: a pipe would wait for a writer. A folder stands for it here.
#[test]
fn a_body_that_is_no_file_is_lost_by_name() {
    let place = sealed("2/4", 50_000);
    fs::remove_file(body(&place, 0)).unwrap();
    fs::create_dir(body(&place, 0)).unwrap();
    let said = opens(&place, &["s"]);
    assert!(said.contains("shard 0 (s/000.shard) is wrong: it is not a file"), "{said}");
}
