//! One envelope of a generation, whichever commands sign: what a leftover was asked for, locks, links, neighbours, and what a node serves.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::custody;
use super::host::{Node, place_with_node};
use super::program::{Held, Place, data};
use super::rewrap::summary;
use super::rewrap_node::{ROTATE, at, evidence, listed, second_node};

/// `body`, sealed for `to`.
fn place() -> Place {
    let place = Place::with_keys();
    fs::write(place.path("plain"), data(70_000)).unwrap();
    place.run(&["seal", "plain", "-o", "body", "--owner", "owner", "--to", "to.pub", "--no-commit"]);
    place
}

fn rotate<'a>(what: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["rotate", what, "--owner", "owner", "--key", "to"], more].concat()
}

/// What a run says of single objects, and that it failed.
fn failed(place: &Place, arguments: &[&str]) -> String {
    let out = place.try_run(arguments);
    assert_eq!(out.status.code(), Some(2), "{arguments:?}");
    String::from_utf8([out.stdout, out.stderr].concat()).unwrap()
}

fn generation(place: &Place, envelope: &str) -> u64 {
    let shown: serde_json::Value =
        serde_json::from_slice(&place.run(&["inspect", envelope, "--json"])).unwrap();
    shown["generation"].as_u64().unwrap()
}

const OTHERS: &str = "for others than this command says, or padded otherwise";

/// What the envelope cannot tell, the digest beside it does: who the anonymous recipients are, and whether the length is hidden.
#[test]
fn an_anonymous_leftover_for_others_is_named_and_the_same_command_takes_it() {
    let ways: [&[&str]; 4] = [
        &["--to", "other.pub", "--anonymous"],
        &["--to", "to.pub", "--anonymous"],
        &["--to", "other.pub", "--anonymous", "--no-pad"],
        &["--to", "to.pub", "--anonymous", "--no-pad"],
    ];
    for signed in [0, 3] {
        let place = place();
        place.run(&rotate("body", ways[signed]));
        let kept = fs::metadata(place.path("body.rotated.asked")).unwrap();
        assert_eq!(kept.permissions().mode() & 0o777, 0o600);
        fs::create_dir(place.path("d")).unwrap();
        for suffix in ["", ".envelope", ".rotated", ".rotated.envelope", ".rotated.asked"] {
            fs::copy(place.path(&format!("body{suffix}")), place.path(&format!("d/x{suffix}"))).unwrap();
        }
        let replace = |what, way: usize| [&rotate(what, ways[way])[..], &["--replace"]].concat();
        for way in (0..ways.len()).filter(|way| *way != signed) {
            place.refuse(&replace("body", way), OTHERS);
            assert!(failed(&place, &replace("d", way)).contains(OTHERS));
        }
        // Another recipient by name, and unpadded: the envelope tells the first.
        place.refuse(&rotate("body", &["--to", "other.pub", "--replace"]), OTHERS);
        // Without the digest, or with one that another key made, nobody can tell.
        let digest = fs::read(place.path("body.rotated.asked")).unwrap();
        for what in ["body", "d/x"] {
            fs::remove_file(place.path(&format!("{what}.rotated.asked"))).unwrap();
        }
        let text = place.refuse(&replace("body", signed), "without body.rotated.asked nobody can tell");
        assert!(text.contains("remove both"), "{text}");
        assert!(failed(&place, &replace("d", signed)).contains("without d/x.rotated.asked nobody"));
        fs::write(place.path("body.rotated.asked"), [b'0'; 64]).unwrap();
        place.refuse(&replace("body", signed), OTHERS);
        assert_eq!((generation(&place, "body.envelope"), generation(&place, "d/x.envelope")), (1, 1));
        // The honest twin.
        for what in ["body", "d/x"] {
            fs::write(place.path(&format!("{what}.rotated.asked")), &digest).unwrap();
        }
        for what in ["body", "d"] {
            place.run(&replace(what, signed));
        }
        assert_eq!((generation(&place, "body.envelope"), generation(&place, "d/x.envelope")), (2, 2));
        assert_eq!(fs::read_dir(place.path("d")).unwrap().count(), 2, "the digest goes with its pair");
        assert!(!place.path("body.rotated.asked").exists());
    }
}

/// A leftover whose recipients are named needs no digest, except for how it is padded.
#[test]
fn a_leftover_with_named_recipients_is_known_by_its_envelope() {
    let place = place();
    let to = ["--to", "other.pub", "--replace"];
    for (made, taken) in [(&[][..], true), (&["--no-pad"][..], false)] {
        for name in ["body.rotated", "body.rotated.envelope", "body.rotated.asked"] {
            let _ = fs::remove_file(place.path(name));
        }
        place.run(&rotate("body", &[&to[..2], made].concat()));
        fs::remove_file(place.path("body.rotated.asked")).unwrap();
        place.refuse(&rotate("body", &[&to[..], &["--no-pad"]].concat()), "nobody can tell");
        if !taken {
            place.refuse(&rotate("body", &to), OTHERS);
        }
    }
    fs::remove_file(place.path("body.rotated")).unwrap();
    fs::remove_file(place.path("body.rotated.envelope")).unwrap();
    place.run(&rotate("body", &to[..2]));
    fs::remove_file(place.path("body.rotated.asked")).unwrap();
    place.run(&rotate("body", &to));
    assert_eq!(generation(&place, "body.envelope"), 2);
}

/// Without the digest the envelope alone tells for whom it is: neither other recipients nor a passphrase more are taken for what is asked.
#[test]
fn a_leftover_without_its_digest_is_not_taken_for_others() {
    let place = place();
    fs::write(place.path("words"), "correct horse battery").unwrap();
    fs::set_permissions(place.path("words"), fs::Permissions::from_mode(0o600)).unwrap();
    let to = ["--to", "other.pub"];
    let with_words = [&to[..], &["--new-passphrase-file", "words", "--also-passphrase"]].concat();
    for (made, asked) in [(&to[..], &["--to", "to.pub"][..]), (&with_words, &to), (&to, &with_words)] {
        place.run(&rotate("body", made));
        fs::remove_file(place.path("body.rotated.asked")).unwrap();
        place.refuse(&rotate("body", &[asked, &["--replace"]].concat()), OTHERS);
        for name in ["body.rotated", "body.rotated.envelope"] {
            fs::remove_file(place.path(name)).unwrap();
        }
    }
    assert_eq!(generation(&place, "body.envelope"), 1);
    // The honest twin.
    place.run(&rotate("body", &to));
    fs::remove_file(place.path("body.rotated.asked")).unwrap();
    place.run(&rotate("body", &[&to[..], &["--replace"]].concat()));
    assert_eq!(generation(&place, "body.envelope"), 2);
}

/// With -o no later run takes it up, so nothing is kept beside it; and a file of that name that is none of ours stays.
#[test]
fn the_digest_is_in_nobodys_way() {
    let place = place();
    place.run(&rotate("body", &["--to", "to.pub", "-o", "new"]));
    assert!(!place.path("new.asked").exists());
    for name in ["new", "new.envelope"] {
        fs::remove_file(place.path(name)).unwrap();
    }
    fs::write(place.path("body.rotated.asked"), "a letter").unwrap();
    place.refuse(&rotate("body", &["--to", "to.pub"]), "body.rotated.asked is in the way");
    assert_eq!(fs::read(place.path("body.rotated.asked")).unwrap(), b"a letter");
    assert!(!place.path("body.rotated.envelope").exists());
    fs::remove_file(place.path("body.rotated.asked")).unwrap();
    place.run(&rotate("body", &["--to", "to.pub"]));
}

/// A replacement of anonymous objects that broke off is brought to its end, and none is taken for one that was not sealed anew.
#[test]
fn an_anonymous_replacement_that_broke_off_is_brought_to_its_end() {
    let place = Place::with_keys();
    fs::create_dir(place.path("d")).unwrap();
    fs::write(place.path("plain"), data(9)).unwrap();
    for body in ["d/a", "d/b"] {
        place.run(&["seal", "plain", "-o", body, "--owner", "owner", "--to", "to.pub", "--no-commit"]);
    }
    let ask = ["--to", "other.pub", "--anonymous"];
    place.run(&rotate("d", &ask));
    fs::write(place.path("d/.bailiwick-rotate-replacing"), b"").unwrap();
    for (from, to) in [("d/a.rotated", "d/a"), ("d/a.rotated.envelope", "d/a.envelope")] {
        fs::rename(place.path(from), place.path(to)).unwrap();
    }
    let done = summary(&place, &[&rotate("d", &ask)[..], &["--replace"]].concat());
    assert_eq!((&done["replaced"], done["skipped"].as_object().unwrap().len()), (&1.into(), 0), "{done}");
    assert_eq!(fs::read_dir(place.path("d")).unwrap().count(), 4, "nothing is left");
}

/// E13: `rotate`, `commit` and `custody deal` sign nothing where another run does.
#[test]
fn e13_one_run_signs_in_a_folder() {
    let place = custody::prepared(5_000);
    for folder in ["d", "d/deep", "out"] {
        fs::create_dir(place.path(folder)).unwrap();
    }
    let seal = |body| ["seal", "plain", "-o", body, "--owner", "owner", "--to", "to.pub", "--no-commit"];
    for body in ["d/a", "d/deep/b"] {
        place.run(&seal(body));
    }
    let deal = [
        &["custody", "deal", "d/a.envelope", "--owner", "owner", "--key", "to"][..],
        &custody::FIVE,
        &custody::ROSTER,
    ]
    .concat();
    let commands: [(&str, Vec<&str>); 6] = [
        ("d", rotate("d/a", &["--to", "to.pub"])),
        ("out", rotate("d/a", &["--to", "to.pub", "-o", "out/a"])),
        ("d", rotate("d", &["--to", "to.pub"])),
        ("d", ["commit", "d/a", "--owner", "owner"].to_vec()),
        ("out", ["commit", "d/a", "--owner", "owner", "-o", "out/a.envelope"].to_vec()),
        ("d", deal),
    ];
    for (folder, command) in &commands {
        let _held = Held::on(&place.path(folder));
        place.refuse(command, &format!("another run signs envelopes in {folder}"));
        // A process that another test just started may hold the file a moment longer.
    }
    // Below a directory it is the object's own folder.
    let held = Held::on(&place.path("d/deep"));
    assert!(failed(&place, &commands[2].1).contains("another run signs envelopes in d/deep"));
    assert!(place.path("d/a.rotated").exists() && !place.path("d/deep/b.rotated").exists());
    drop(held);
    for name in ["d/a.rotated", "d/a.rotated.envelope"] {
        fs::remove_file(place.path(name)).unwrap();
    }
    assert_eq!(generation(&place, "d/a.envelope"), 1, "nothing was signed in its place");
    place.run(&commands[3].1);
    place.run(&commands[5].1);
    assert_eq!(generation(&place, "d/a.envelope"), 3);
}

/// E13: nor where the envelope, or a body that is to be replaced, is a link.
#[test]
fn e13_a_link_is_not_replaced() {
    use std::os::unix::fs::symlink;
    let place = place();
    for folder in ["d", "e"] {
        fs::create_dir(place.path(folder)).unwrap();
    }
    symlink("../body", place.path("d/a")).unwrap();
    fs::copy(place.path("body.envelope"), place.path("d/a.envelope")).unwrap();
    fs::copy(place.path("body"), place.path("e/a")).unwrap();
    symlink("../body.envelope", place.path("e/a.envelope")).unwrap();
    for command in [rotate("e/a", &["--to", "to.pub"]), ["commit", "e/a", "--owner", "owner"].to_vec()] {
        place.refuse(&command, "e/a.envelope is a symbolic link");
    }
    let replace = ["--to", "to.pub", "--replace"];
    place.refuse(&rotate("d/a", &replace), "d/a is a symbolic link");
    assert!(failed(&place, &rotate("d", &replace)).contains("d/a is a symbolic link"));
    assert!(!place.path("d/a.rotated").exists());
    // A body that is elsewhere is read; also then it does not take the link's place.
    place.run(&rotate("d/a", &["--to", "to.pub"]));
    place.refuse(&rotate("d/a", &replace), "d/a is a symbolic link");
    assert!(failed(&place, &rotate("d", &replace)).contains("d/a is a symbolic link"));
    assert!(fs::symlink_metadata(place.path("d/a")).unwrap().is_symlink());
    fs::remove_file(place.path("d/a")).unwrap();
    fs::copy(place.path("body"), place.path("d/a")).unwrap();
    place.run(&rotate("d/a", &replace));
}

/// E13: a later envelope of the unit, or another of its generation, in the same folder: it is gone on from, or named.
#[test]
fn e13_a_second_next_generation_is_not_signed_beside_the_first() {
    let place = custody::prepared(5_000);
    fs::create_dir(place.path("d")).unwrap();
    place.run(&["seal", "plain", "-o", "d/a", "--owner", "owner", "--to", "to.pub", "--no-commit"]);
    fs::copy(place.path("d/a.envelope"), place.path("d/copy.envelope")).unwrap();
    let deal = |more: &[&'static str]| {
        let to = ["custody", "deal", "d/a.envelope", "--owner", "owner", "--key", "to"];
        [&to[..], &custody::FIVE, &custody::ROSTER, more].concat()
    };
    let commit = ["commit", "d/a", "--owner", "owner"];
    // A copy of the very same does no harm.
    place.run(&[&commit[..], &["-o", "d/two.envelope"]].concat());
    let named = "d/two.envelope is generation 2 of it already";
    place.refuse(&commit, named);
    place.refuse(&[&commit[..], &["-o", "d/three.envelope"]].concat(), named);
    place.refuse(&deal(&[]), named);
    place.refuse(&deal(&["-o", "new.envelope"]), named);
    place.refuse(&rotate("d/a", &["--to", "to.pub"]), named);
    place.refuse(&rotate("d/a", &["--to", "to.pub", "-o", "x"]), named);
    assert!(!place.path("new.envelope").exists() && !place.path("x").exists());
    // Another one of generation 1, as an owner has it who signed on two machines.
    fs::remove_file(place.path("d/two.envelope")).unwrap();
    place.run(&[&commit[..], &["-o", "two.envelope"]].concat());
    fs::rename(place.path("two.envelope"), place.path("d/a.envelope")).unwrap();
    place.run(&rotate("d/a", &["--to", "to.pub", "-o", "x"]));
    fs::rename(place.path("x.envelope"), place.path("d/x.envelope")).unwrap();
    fs::copy(place.path("d/a.envelope"), place.path("again.envelope")).unwrap();
    place.refuse(&deal(&[]), "d/x.envelope is generation 3 of it already");
    fs::remove_file(place.path("d/x.envelope")).unwrap();
    // Another of the same generation, as an owner has it who signed on two machines.
    fs::create_dir(place.path("e")).unwrap();
    fs::copy(place.path("d/copy.envelope"), place.path("e/a.envelope")).unwrap();
    let other = ["rewrap", "e/a.envelope", "--owner", "owner", "--key", "to", "--anonymous"];
    place.run(&other);
    fs::rename(place.path("e/a.envelope"), place.path("d/other.envelope")).unwrap();
    let named = "d/other.envelope is another envelope of generation 2 of it";
    place.refuse(&deal(&[]), named);
    place.refuse(&rotate("d/a", &["--to", "to.pub"]), named);
    fs::remove_file(place.path("d/other.envelope")).unwrap();
    // The honest twin: with nothing later beside it, it is dealt.
    place.run(&deal(&[]));
    assert_eq!(generation(&place, "d/a.envelope"), 3);
}

/// Puts `body` and leaves its next generation waiting in `envelopes`, as a run does that broke off before it was sent. Returns its path.
pub(super) fn waiting(place: &Place, node: &Node) -> String {
    place.run(&at(node, "node", &["put", "body", "--owner", "owner"]));
    let (name, _) = listed(place, node, "node");
    let unit = name.split_once('/').unwrap().1.replace('/', "-");
    fs::create_dir(place.path("envelopes")).unwrap();
    fs::copy(place.path("body.envelope"), place.path(&format!("envelopes/{unit}.envelope"))).unwrap();
    place.run(&rotate("body", &["--to", "other.pub"]));
    let stem = format!("envelopes/{unit}.rotated");
    for suffix in ["", ".envelope", ".asked"] {
        fs::rename(place.path(&format!("body.rotated{suffix}")), place.path(&format!("{stem}{suffix}")))
            .unwrap();
    }
    stem
}

/// E13: what waits is sent only over the generation it comes after.
#[test]
fn e13_what_waits_is_not_sent_over_anything_else() {
    for case in 0..5 {
        let (place, node) = place_with_node();
        let stem = waiting(&place, &node);
        let before = fs::read(place.path(&format!("{stem}.envelope"))).unwrap();
        let served = |more: &[&'static str]| {
            place.run(&[&["rewrap", "body.envelope", "--owner", "owner", "--key", "to"], more].concat());
            place.run(&at(&node, "node", &["put", "body", "--owner", "owner", "--envelope-only"]));
        };
        let known = stem.replace(".rotated", ".envelope");
        let says = match case {
            // Another envelope of the waiting one's generation.
            0 => {
                served(&["--anonymous"]);
                "serves another envelope of generation 2"
            }
            // A later one, signed elsewhere.
            1 => {
                served(&["--anonymous"]);
                served(&["--add", "other.pub"]);
                "serves generation 3, later than"
            }
            // Older than known, and known is not what waits.
            2 => {
                place.run(&["rewrap", "body.envelope", "--owner", "owner", "--key", "to", "--anonymous"]);
                fs::copy(place.path("body.envelope"), place.path(&known)).unwrap();
                "serves generation 1"
            }
            // What waits is of generation 3, of an owner who has forgotten generation 2.
            3 => {
                fs::remove_file(place.path(&known)).unwrap();
                for suffix in ["", ".envelope", ".asked"] {
                    fs::remove_file(place.path(&format!("{stem}{suffix}"))).unwrap();
                }
                place.run(&["rewrap", "body.envelope", "--owner", "owner", "--key", "to", "--anonymous"]);
                place.run(&rotate("body", &["--to", "other.pub"]));
                for suffix in ["", ".envelope", ".asked"] {
                    let from = place.path(&format!("body.rotated{suffix}"));
                    fs::rename(from, place.path(&format!("{stem}{suffix}"))).unwrap();
                }
                "is 3 and was signed over the one before"
            }
            // The honest twin.
            _ => {
                assert_eq!(summary(&place, &at(&node, "node", &ROTATE))["rotated"], 1);
                assert_eq!(fs::read(place.path(&known)).unwrap(), before);
                assert_eq!(listed(&place, &node, "node").1, 2);
                assert_eq!(fs::read_dir(place.path("envelopes")).unwrap().count(), 1);
                continue;
            }
        };
        let at_node = listed(&place, &node, "node").1;
        let text = failed(&place, &at(&node, "node", &ROTATE));
        assert!(text.contains(says), "{case}: {text}");
        assert!(place.path(&stem).exists() && place.path(&format!("{stem}.envelope")).exists(), "{case}");
        assert_eq!((listed(&place, &node, "node").1, evidence(&place, "node")), (at_node, 0), "{case}");
        if case == 1 {
            // What is said to do: go on from what the node has, which is remembered.
            for suffix in ["", ".envelope", ".asked"] {
                fs::remove_file(place.path(&format!("{stem}{suffix}"))).unwrap();
            }
            assert_eq!(summary(&place, &at(&node, "node", &ROTATE))["rotated"], 1);
            assert_eq!(listed(&place, &node, "node").1, 4);
        }
    }
}

/// At a node, too: a run for other anonymous recipients neither sends what waits nor passes over what is done.
#[test]
fn an_anonymous_run_at_a_node_is_only_its_own_to_go_on_with() {
    let (place, node) = place_with_node();
    for body in ["body", "body2"] {
        if body != "body" {
            place.run(&["seal", "plain", "-o", body, "--owner", "owner", "--to", "to.pub"]);
        }
        place.run(&at(&node, "node", &["put", body, "--owner", "owner"]));
    }
    let run = |to: &'static str| {
        let ask = ["--anonymous", "--envelopes", "envelopes", "--to", to, "--json"];
        at(&node, "node", &[&["rotate", "--owner", "owner", "--key", "to", "other"], &ask[..]].concat())
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let list: serde_json::Value =
        serde_json::from_slice(&place.run(&at(&node, "node", &["ls", "--key", "owner", "--json"]))).unwrap();
    let objects = list.as_array().unwrap_or_else(|| list["objects"].as_array().unwrap()).clone();
    let second =
        format!("{}-{}", objects[1]["object"].as_str().unwrap(), objects[1]["unit"].as_str().unwrap());
    // The second fails: what its new envelope would be called is a folder.
    let in_the_way = place.path(&format!("envelopes/{second}.rotated.envelope"));
    fs::create_dir_all(&in_the_way).unwrap();
    let first: serde_json::Value = serde_json::from_slice(&place.try_run(&run("other.pub")).stdout).unwrap();
    assert_eq!(first["rotated"], 1);
    fs::remove_dir(&in_the_way).unwrap();
    // Done for others: sealed anew like any other. Then the same again passes over what is done, until all is.
    let other: serde_json::Value = serde_json::from_slice(&place.run(&run("to.pub"))).unwrap();
    assert_eq!((&other["rotated"], other["skipped"].as_object().unwrap().len()), (&2.into(), 0));
    fs::create_dir_all(&in_the_way).unwrap();
    place.try_run(&run("to.pub"));
    fs::remove_dir(&in_the_way).unwrap();
    let same: serde_json::Value = serde_json::from_slice(&place.run(&run("to.pub"))).unwrap();
    assert_eq!((&same["rotated"], &same["skipped"]["sealed anew already"]), (&1.into(), &1.into()));
}

/// E13b: what nothing local prevents, two directories in which one owner signs, is found by the node, which keeps both as evidence.
#[test]
fn e13_two_directories_of_one_owner_are_told_by_a_node() {
    let (place, first) = place_with_node();
    let second = second_node(&place);
    let rewrap = |directory| {
        ["rewrap", "--owner", "owner", "--key", "to", "--add", "other.pub", "--envelopes", directory]
    };
    for (node, folder, directory) in [(&first, "node", "one"), (&second, "node2", "two")] {
        place.run(&at(node, folder, &["put", "body", "--owner", "owner"]));
        assert_eq!(summary(&place, &at(node, folder, &rewrap(directory)))["rewrapped"], 1);
    }
    // The honest twin: the one that was signed first, to both.
    let send = |directory| ["put", directory, "--owner", "owner", "--envelope-only"];
    place.run(&at(&first, "node", &send("one")));
    assert_eq!(evidence(&place, "node"), 0);
    assert!(failed(&place, &at(&first, "node", &send("two"))).contains("equivocation"));
    assert_eq!(evidence(&place, "node"), 1);
}
