//! `bailiwick custody` against owners who deal what they should not, old answers, and half-done commands.

use std::fs;

use bailiwick_protocol::codec::Canonical as _;
use serde_json::Value;

use super::custody::{FIVE, ROSTER, dealt, prepared, recover, release, request, with};
use super::custody_paths::{altered, dealt_to};
use super::program::{Place, data};

const VERIFY: [&str; 4] = ["custody", "verify", "env", "--owner"];

fn verify(further: &[&'static str]) -> Vec<&'static str> {
    with(&[&VERIFY, &["owner.pub"], further])
}

/// What `verify --json` says, and whether it ended with status 0.
fn judged(place: &Place, further: &[&'static str]) -> (Value, bool) {
    let out = place.try_run(&with(&[&verify(&["--json"]), further]));
    let said = serde_json::from_slice(&out.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&out.stderr)));
    (said, out.status.success())
}

fn reshare(key: &'static str, custodians: &[&'static str], further: &[&'static str]) -> Vec<&'static str> {
    let head = ["custody", "reshare", "env", "--owner", "owner", "--key", key, "--custodian"];
    with(&[&head, custodians, &ROSTER, further])
}

/// A release for the dealing before this one, whose numbers are others', accuses nobody of this one.
#[test]
fn an_old_release_accuses_no_custodian_of_the_new_dealing() {
    let place = prepared(10);
    dealt(&place, &[]);
    request(&place, "ask");
    for i in [0, 4] {
        release(&place, i, "ask", &format!("r{i}"));
    }
    place.run(&reshare("to", &["c3.pub", "c4.pub", "c5.pub"], &[]));
    request(&place, "again");
    release(&place, 3, "again", "n3");
    let again = |releases: &[&'static str]| {
        recover(releases, "out").into_iter().map(|a| if a == "ask" { "again" } else { a }).collect::<Vec<_>>()
    };
    // The first custodian now is another, and there is no fifth.
    for old in ["r0", "r4"] {
        let said = place.refuse(&again(&["n3", old]), "the release is for another dealing");
        assert!(!said.contains("Notary") && !said.contains("custodian number"), "{said}");
        assert!(said.contains(&format!("refused: {old}: ")), "{said}");
    }
    // Its twin: what is wrong for this dealing is still said with a name.
    let mut bad = fs::read(place.path("n3")).unwrap();
    *bad.last_mut().unwrap() ^= 1;
    fs::write(place.path("bad"), bad).unwrap();
    place.refuse(&again(&["bad"]), "in the name of Notary 3");
}

/// T18: a name with a line of its own in it is no name, and names that print cannot be taken for the program's words.
#[test]
fn t18_a_dealing_cannot_write_lines_of_reports() {
    let place = prepared(10);
    dealt(&place, &[]);
    let said = String::from_utf8(place.run(&verify(&[]))).unwrap();
    for words in ["custodian   \"Notary 0\" (\"JP\"", "power      \"BR\" reaches 1 of them"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let ask = ["custody", "request", "env", "--owner", "owner.pub", "--key", "heir.pub", "-o"];
    let said = String::from_utf8(place.run(&with(&[&ask, &["ask"]]))).unwrap();
    assert!(said.contains("to 3 of: \"Notary 0\", \"Notary 1\""), "{said}");
    // The proof is over the name, but the reader stops before: nothing of the dealing is shown.
    let honest = fs::read(place.path("env")).unwrap();
    for (name, forged) in
        [("Notary 1", "Notary\n1"), ("Notary 1", "Notary\u{85}1"), ("Notary 1", "Notary \t")]
    {
        altered(&place, |e| {
            let part = e.custody.as_mut().unwrap();
            let at = part.dealing.windows(name.len()).position(|w| w == name.as_bytes()).unwrap();
            part.dealing[at - 1] = 0x60 + u8::try_from(forged.len()).unwrap();
            part.dealing.splice(at..at + name.len(), forged.bytes());
        });
        for command in [verify(&[]), with(&[&ask, &["ask2"]])] {
            place.refuse(&command, "custodian: name");
        }
        fs::write(place.path("env"), &honest).unwrap();
    }
    place.run(&verify(&[]));
}

/// A dealing that lists its custodians without the laws they are under passes no test; what the roster says counts where there is one.
#[test]
fn custodians_without_laws_are_not_judged_and_a_roster_judges() {
    let place = prepared(10);
    dealt(&place, &[]);
    let (said, fine) = judged(&place, &[]);
    assert_eq!((&said["jurisdictions"]["passes"], fine), (&true.into(), true));
    let honest = fs::read(place.path("env")).unwrap();
    let nothing: [fn(usize) -> bool; 2] = [|_| true, |i| i == 2];
    for without in nothing {
        altered(&place, |e| {
            dealt_to(&place, e, [1; 32], |custodians| {
                for (_, c) in custodians.iter_mut().enumerate().filter(|(i, _)| without(*i)) {
                    c.attributes.clear();
                }
            });
        });
        let (said, fine) = judged(&place, &[]);
        assert_eq!((&said["jurisdictions"]["passes"], fine), (&Value::Null, false));
        let names = said["jurisdictions"]["without_law"].as_array().unwrap();
        assert!(names.contains(&"Notary 2".into()), "{names:?}");
        let out = place.try_run(&verify(&[]));
        let text = String::from_utf8_lossy(&out.stdout);
        assert!(text.contains("NOT JUDGED no law is known of \"Notary"), "{text}");
        assert_eq!(out.status.code(), Some(1));
        // The roster knows better, and that the dealing left it out.
        let (said, fine) = judged(&place, &ROSTER);
        assert_eq!((&said["jurisdictions"]["passes"], fine), (&true.into(), false));
        assert_eq!(said["roster_agrees"], false);
        fs::write(place.path("env"), &honest).unwrap();
    }
    // Five laws on paper, and one in the roster: the roster's word is judged.
    let roster = fs::read_to_string(place.path("net.toml")).unwrap();
    let one = ["CH", "NO", "BR"]
        .iter()
        .fold(roster, |t, law| t.replace(&format!("law = \"{law}\""), "law = \"JP\""));
    fs::write(place.path("one.toml"), one).unwrap();
    place.run(&["roster", "sign", "one.toml", "--key", "authority"]);
    let (said, fine) = judged(&place, &["--roster", "one.roster", "--roster-authority", "authority.pub"]);
    assert_eq!((&said["jurisdictions"]["passes"], fine), (&false.into(), false));
    assert_eq!(judged(&place, &[]).0["jurisdictions"]["passes"], true, "by the owner's word alone");
    // Whom the roster does not have is under no law that is known.
    let cut = fs::read_to_string(place.path("net.toml")).unwrap();
    let cut = cut.split("[[principal]]\nname = \"Notary 4\"").next().unwrap().to_owned();
    fs::write(place.path("few.toml"), cut).unwrap();
    place.run(&["roster", "sign", "few.toml", "--key", "authority"]);
    let (said, fine) = judged(&place, &["--roster", "few.roster", "--roster-authority", "authority.pub"]);
    assert_eq!((&said["jurisdictions"]["passes"], fine), (&Value::Null, false));
    assert_eq!(said["jurisdictions"]["without_law"], Value::from(vec!["Notary 4"]));
}

/// Numbers that no dealing may have are named as that, in `deal` and `reshare`, and nothing is offered that would not help.
#[test]
fn shapes_of_no_dealing_are_named() {
    let place = prepared(10);
    let shapes: [(&[&str], &str); 6] = [
        (
            &["--threshold", "0", "--custodian", "c0.pub", "c1.pub", "c2.pub"],
            "threshold 0 of 3: it must be at least 1",
        ),
        (
            &["--threshold", "3", "--custodian", "c0.pub", "c1.pub", "c2.pub"],
            "threshold 3 of 3: it must be at least 1",
        ),
        (
            &["--threshold", "9", "--custodian", "c0.pub", "c1.pub", "c2.pub"],
            "threshold 9 of 3: it must be at least 1",
        ),
        (&["--custodian", "c0.pub"], "1 custodians: a key is shared among at least 2"),
        (&["--threshold", "1", "--custodian", "c0.pub"], "1 custodians: a key is shared among at least 2"),
        (&["--custodian", "c0.pub", "c1.pub", "c0.pub"], "have the same key"),
    ];
    for verb in ["deal", "reshare"] {
        let base = ["custody", verb, "env", "--owner", "owner", "--key", "to"];
        for (shape, why) in shapes {
            let said = place.refuse(&with(&[&base, &ROSTER, shape]), why);
            assert!(!said.contains("--despite-powers"), "{said}");
        }
        // The twin: what a dealing may have, and one power could compel.
        let weak = ["--threshold", "1", "--custodian", "c0.pub", "c1.pub", "c2.pub"];
        let said = place.refuse(&with(&[&base, &ROSTER, &weak]), "one power alone could compel or block");
        assert!(said.contains("--despite-powers"), "{said}");
        if verb == "deal" {
            dealt(&place, &[]);
        }
    }
}

/// A hybrid dealing stays hybrid when it is dealt again; giving that up takes a word, and is said.
#[test]
fn a_hybrid_dealing_stays_hybrid_unless_it_is_given_up() {
    let place = prepared(1000);
    dealt(&place, &["--hybrid"]);
    let hybrid = |place: &Place| judged(place, &[]).0["hybrid"].as_bool().unwrap();
    place.refuse(
        &reshare("to", &FIVE[1..], &["--prove-to", "heir.pub"]),
        "its shared secret alone opens nothing",
    );
    place.refuse(&reshare("to", &FIVE[1..], &["--hybrid", "--classical"]), "cannot be used with");
    let out = place.try_run(&reshare("to", &FIVE[1..], &[]));
    assert!(out.status.success() && hybrid(&place));
    assert!(!String::from_utf8_lossy(&out.stderr).contains("given up"));
    // What the words of `verify` may claim of it, and what not.
    let said = String::from_utf8(place.run(&verify(&[]))).unwrap();
    let unproved: Vec<_> = said.lines().filter(|l| l.starts_with("not proved")).collect();
    assert!(
        unproved
            .iter()
            .any(|l| l.ends_with("that the body opens under that secret: only a recovery shows it"))
    );
    assert!(
        unproved.iter().any(|l| l.contains("a receipt says that one share opens, and only a recovery shows"))
    );
    assert!(!said.contains("--key"), "{said}");
    let out = place.try_run(&reshare("to", &FIVE[1..], &["--classical", "--prove-to", "heir.pub"]));
    assert!(out.status.success() && !hybrid(&place));
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(said.contains("the post-quantum half is given up: whoever records this envelope"), "{said}");
    let said = String::from_utf8(place.run(&verify(&[]))).unwrap();
    assert!(said.contains("whoever holds it can check (`--key`)"), "{said}");
    // A classical one stays classical, and nothing is given up.
    let out = place.try_run(&reshare("to", &FIVE[1..], &[]));
    assert!(out.status.success() && !hybrid(&place));
    assert!(!String::from_utf8_lossy(&out.stderr).contains("given up"));
}

/// E27: a directory that custodians give back is made as `open` makes it: a new one, whole or a part, or the archive when asked.
#[test]
fn e27_a_sealed_directory_is_recovered_as_one() {
    let place = prepared(10);
    fs::create_dir_all(place.path("dir/sub")).unwrap();
    fs::write(place.path("dir/a"), data(3000)).unwrap();
    fs::write(place.path("dir/sub/b"), b"second").unwrap();
    for name in ["body", "env"] {
        fs::remove_file(place.path(name)).unwrap();
    }
    place.run(&["seal", "dir", "-o", "body", "--envelope", "env", "--owner", "owner", "--to", "to.pub"]);
    dealt(&place, &[]);
    request(&place, "ask");
    for i in 0..3 {
        release(&place, i, "ask", &format!("r{i}"));
    }
    let recovered = |further: &[&'static str]| {
        let base =
            ["custody", "recover", "body", "--envelope", "env", "--owner", "owner.pub", "--request", "ask"];
        with(&[&base, &["--key", "heir"], further, &["--release", "r0", "r1", "r2"]])
    };
    place.run(&recovered(&["-o", "new"]));
    assert_eq!(fs::read(place.path("new/a")).unwrap(), data(3000));
    assert_eq!(fs::read(place.path("new/sub/b")).unwrap(), b"second");
    // Nothing is written into what is there.
    place.refuse(&recovered(&["-o", "new"]), "new exists already");
    let said = String::from_utf8(place.run(&recovered(&["--list"]))).unwrap();
    assert!(said.contains("sub/b") && said.contains("3000"), "{said}");
    place.run(&recovered(&["--only", "sub/b", "-o", "b"]));
    assert_eq!(fs::read(place.path("b")).unwrap(), b"second");
    place.refuse(&recovered(&["--only", "../b", "-o", "c"]), "the directory has no \"../b\"");
    let out = place.try_run(&recovered(&["--raw", "-o", "tar"]));
    assert!(String::from_utf8_lossy(&out.stderr).is_empty(), "{}", String::from_utf8_lossy(&out.stderr));
    assert!(fs::read(place.path("tar")).unwrap().windows(5).any(|w| w == b"ustar"));
    // Without a name of its own it gets the sealed one, as a file that is not there yet.
    fs::rename(place.path("dir"), place.path("elsewhere")).unwrap();
    place.run(&recovered(&[]));
    assert_eq!(fs::read(place.path("dir/sub/b")).unwrap(), b"second");
}

/// Without a roster it is said what is missing; a release that cannot be written leaves no entry in the way of the next try.
#[test]
fn what_fails_says_why_and_leaves_nothing_half_done() {
    let place = prepared(10);
    let without = with(&[&["custody", "deal", "env", "--owner", "owner", "--key", "to"], &FIVE]);
    let said = place.refuse(&without, "no roster is given");
    assert!(said.contains("--roster-authority"), "{said}");
    dealt(&place, &[]);
    request(&place, "ask");
    let released = |output: &'static str| {
        let base =
            ["custody", "release", "env", "--owner", "owner.pub", "--custodian", "c0", "--request", "ask"];
        with(&[&base, &["--requester", "heir.pub", "--entry", "entry", "-o", output]])
    };
    place.refuse(&released("missing/r0"), "cannot create");
    place.refuse(&released("env"), "env exists already");
    place.refuse(&released("entry"), "cannot create");
    assert!(!place.path("entry").exists());
    place.run(&released("r0"));
    assert!(place.path("entry").exists() && place.path("r0").exists());
    // What is there stays, and no second release goes out under it.
    place.refuse(&released("r1"), "entry exists already");
    assert!(!place.path("r1").exists());
}

/// A dealing says that it is from generation 1 on at least: 0 is none.
#[test]
fn generation_zero_is_no_generation() {
    let place = prepared(10);
    dealt(&place, &[]);
    place.run(&verify(&[]));
    altered(&place, |e| {
        let part = e.custody.as_mut().unwrap();
        let mut dealing = bailiwick_custody::Dealing::from_bytes(&part.dealing).unwrap();
        dealing.context.generation = 0;
        part.dealing = dealing.to_bytes();
    });
    place.refuse(&verify(&[]), "custody dealing: generation 0");
}

/// E13: whoever kept an envelope, or its number, is not asked, and does not answer, under an older one that is given back.
#[test]
fn e13_an_old_envelope_given_back_is_noticed() {
    let place = prepared(10);
    dealt(&place, &[]);
    request(&place, "ask");
    for i in 0..3 {
        release(&place, i, "ask", &format!("r{i}"));
    }
    fs::copy(place.path("env"), place.path("old")).unwrap();
    place.run(&reshare("to", &FIVE[1..], &[]));
    fs::copy(place.path("env"), place.path("new")).unwrap();
    let head = |verb: &'static str| ["custody", verb, "old", "--owner", "owner.pub"];
    let commands: [(&[&'static str], &'static str); 5] = [
        (&[], "verify"),
        (&["--key", "heir.pub", "-o", "ask2"], "request"),
        (&["--custodian", "c0", "--request", "ask", "--requester", "heir.pub", "-o", "again"], "release"),
        (&["--custodian", "c0", "-o", "receipt"], "receipt"),
        (&[], "recover"),
    ];
    let recover =
        ["custody", "recover", "body", "--envelope", "old", "--owner", "owner.pub", "--request", "ask"];
    let recover = with(&[&recover, &["--key", "heir", "-o", "out", "--release", "r0", "r1", "r2"]]);
    for (further, verb) in commands {
        let base = if verb == "recover" { recover.clone() } else { with(&[&head(verb), further]) };
        let before = place.names();
        place.refuse(&with(&[&base, &["--known", "new"]]), "generation 2 is older than 3");
        place.refuse(
            &with(&[&base, &["--not-before", "3"]]),
            "this is generation 2 of the envelope, 3 was seen",
        );
        place.refuse(&with(&[&base, &["--known", "old", "--known", "new"]]), "generation 2 is older than 3");
        assert_eq!(place.names(), before);
        // The twin: what is as new as what was seen goes its way; a classical dealing has no receipts.
        if verb != "receipt" {
            place.run(&with(&[&base, &["--known", "old", "--not-before", "2"]]));
        }
    }
}
