//! Directories, passphrases and full copies as shards: what a single body can do, any k of n can.

use std::fs;

use super::directory::{sample, tree};
use super::program::{Place, data};
use super::shards::{find, rewrite, rewrite_body};

const SEAL: [&str; 7] = ["seal", "docs", "--owner", "owner", "--to", "to.pub", "--no-commit"];
const OPEN: [&str; 4] = ["--owner", "owner.pub", "--key", "to"];

fn sealed(split: &str) -> Place {
    let place = Place::with_keys();
    sample(&place);
    place.run(&[&SEAL[..], &["--shards", split, "-o", "s"]].concat());
    place
}

fn open<'a>(what: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [&["open"], what, &OPEN, more].concat()
}

/// "partial extraction by name with random access" and "open from any k", together: whole, listed, by name, as tar; with shards missing and one
/// damaged, which is named.
#[test]
fn a_directory_comes_back_from_any_k_shards_whole_and_by_name() {
    let place = sealed("2/4");
    let docs = tree(&place.path("docs"));
    place.run(&open(&["s"], &["-o", "out"]));
    assert_eq!(tree(&place.path("out")), docs);
    // The archive in the shards is the one archive of the directory.
    place.run(&[&SEAL[..], &["-o", "body"]].concat());
    let raw = place.run(&open(&["body"], &["--raw", "-o", "-"]));
    assert_eq!(place.run(&open(&["s"], &["--raw", "-o", "-"])), raw);
    assert_eq!(place.run(&open(&["s"], &["--list"])), place.run(&open(&["body"], &["--list"])));
    // Shard 0 is gone, shard 1 damaged where the numbers are; 2 and 3 hold no data of their own.
    fs::remove_file(place.path("s/000.shard")).unwrap();
    let mut bytes = fs::read(place.path("s/001.shard")).unwrap();
    bytes[56 + 2 * 16_400 + 9] ^= 1;
    fs::write(place.path("s/001.shard"), bytes).unwrap();
    // Random access: what lies elsewhere is not read, so nothing is noticed of the damage.
    for more in [&["--list"][..], &["--only", "a.txt", "-o", "-"], &["--only", "run.sh", "-o", "-"]] {
        let out = place.try_run(&open(&["s"], more));
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(out.status.success() && !said.contains("shard 1"), "{more:?}: {said}");
    }
    let out = place.try_run(&open(&["s"], &["--only", "nested/numbers", "-o", "numbers"]));
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.success() && said.contains("authentic among key holders only"), "{said}");
    assert!(said.contains("shard 1 (s/001.shard) is wrong: chunk 2 is not authentic"), "{said}");
    assert!(fs::read(place.path("numbers")).unwrap() == data(200_000));
    assert_eq!(place.run(&open(&["s"], &["--only", "a.txt", "-o", "-"])), b"first\n");
    place.run(&open(&["s"], &["--only", "nested", "-o", "nested"]));
    assert_eq!(tree(&place.path("nested")), tree(&place.path("docs/nested")));
    place.refuse(&open(&["s"], &["--only", "other", "-o", "x"]), "has no");
    fs::remove_dir_all(place.path("out")).unwrap();
    place.run(&open(&["s"], &["-o", "out"]));
    assert_eq!(tree(&place.path("out")), docs);
    // One too few: refused, and nothing is left.
    fs::remove_dir_all(place.path("out")).unwrap();
    for shard in [1, 2] {
        fs::write(place.path(&format!("s/00{shard}.shard")), b"gone").unwrap();
    }
    let before = place.names();
    for more in [&["-o", "out"][..], &["--list"], &["--only", "a.txt", "-o", "x"]] {
        place.refuse(&open(&["s"], more), "1 of 4 shards are usable, 2 are needed");
        assert_eq!(place.names(), before);
    }
}

/// A reader who rewrites a header of the archive, the metadata so that it is a file of another name, or a file so that it is a directory, is named; what
/// comes out is what the owner sealed.
#[test]
fn a_rewritten_archive_is_named_and_the_others_open() {
    let place = sealed("2/3");
    let docs = tree(&place.path("docs"));
    let honest = fs::read(place.path("s/000.shard")).unwrap();
    let named = "shard 0 (s/000.shard) is wrong: its BLAKE3 is not the signed one";
    for (what, with) in [("ustar", "uster"), ("application/", "applicatiom/"), ("docs", "dogs")] {
        rewrite(&place, 0, 0, |plain| {
            let at = find(plain, what);
            plain[at..at + what.len()].copy_from_slice(with.as_bytes());
        });
        for more in [&["-o", "out"][..], &[]] {
            fs::rename(place.path("docs"), place.path("kept")).unwrap();
            let out = place.try_run(&open(&["s"], more));
            let said = String::from_utf8_lossy(&out.stderr).into_owned();
            assert!(out.status.success() && said.contains(named), "{what}: {said}");
            let made = place.path(more.last().unwrap_or(&"docs"));
            assert_eq!(tree(&made), docs, "{what}");
            fs::remove_dir_all(made).unwrap();
            fs::rename(place.path("kept"), place.path("docs")).unwrap();
            assert!(!place.path("dogs").exists());
        }
        fs::write(place.path("s/000.shard"), &honest).unwrap();
    }
}

/// Writes `with` over the last `what` in a body's plaintext, a chunk at a time; whether it is there.
fn replace_last(place: &Place, body: &str, what: &str, with: &str) -> bool {
    let last = |plain: &[u8]| plain.windows(what.len()).rposition(|w| w == what.as_bytes());
    let mut at = None;
    rewrite_body(place, body, |index, plain| at = last(plain).map(|p| (index, p)).or(at));
    rewrite_body(place, body, |index, plain| {
        if let Some((_, p)) = at.filter(|(chunk, _)| *chunk == index) {
            plain[p..p + with.len()].copy_from_slice(with.as_bytes());
        }
    });
    at.is_some()
}

const PARTS: [&[&str]; 3] =
    [&["--list"], &["--only", "a.txt", "-o", "-"], &["--only", "nested/numbers", "-o", "-"]];

/// A reader who writes into the index, a header or the metadata what cannot be, is named by `--list` and `--only`, too, and other shards give what the
/// owner sealed; where there are none, nothing is given.
#[test]
fn junk_in_the_index_names_the_shard_and_others_answer() {
    let place = sealed("2/3");
    let honest: Vec<_> = PARTS.iter().map(|more| place.run(&open(&["s"], more))).collect();
    let whole = [0, 1].map(|s| fs::read(place.path(&format!("s/00{s}.shard"))).unwrap());
    let mut listing_refused = 0;
    for (what, with) in [("bwarchv1", "bwarchv2"), ("a.txt", "a/txt"), ("application/", "applicatiom/")] {
        for (s, whole) in whole.iter().enumerate() {
            let body = format!("s/00{s}.shard");
            if replace_last(&place, &body, what, with) {
                let named = format!("shard {s} ({body}) is wrong: its BLAKE3 is not the signed one");
                for (more, honest) in PARTS.iter().zip(&honest) {
                    let out = place.try_run(&open(&["s"], more));
                    let said = String::from_utf8_lossy(&out.stderr).into_owned();
                    assert!(out.status.success() && out.stdout == *honest, "{what} {more:?}: {said}");
                    listing_refused += usize::from(more[0] == "--list" && said.contains(&named));
                    assert!(
                        more[0] != "--list" || what == "a.txt" || said.contains(&named),
                        "{what}: {said}"
                    );
                }
                fs::rename(place.path("s/002.shard"), place.path("kept")).unwrap();
                if what == "bwarchv1" {
                    let said =
                        place.refuse(&open(&["s"], &["--list"]), "1 of 3 shards are usable, 2 are needed");
                    assert!(said.contains(&named), "{said}");
                }
                fs::rename(place.path("kept"), place.path("s/002.shard")).unwrap();
            }
            fs::write(place.path(&body), whole).unwrap();
        }
    }
    assert!(listing_refused >= 2, "each of the first and the last is somewhere");
}

/// What the owner signed and is no archive is the sealer's fault, and said to be; no shard is blamed. A body by itself that somebody wrote is named.
#[test]
fn an_archive_that_was_sealed_as_junk_is_the_sealers() {
    let place = sealed("2/3");
    fs::write(place.path("junk"), data(100_000)).unwrap();
    let media = ["--media-type", "application/x-tar; profile=\"bailiwick-archive-v1\""];
    let seal = ["seal", "junk", "--owner", "owner", "--to", "to.pub", "--no-commit"];
    place.run(&[&seal[..], &media, &["--shards", "2/3", "-o", "t"]].concat());
    place.run(&[&seal[..], &media, &["-o", "body"]].concat());
    for what in ["t", "body"] {
        for more in [&["--list"][..], &["--only", "a.txt", "-o", "x"]] {
            let said = place.refuse(&open(&[what], more), "the directory was sealed like this");
            assert!(!said.contains("is wrong"), "{said}");
        }
    }
    let said = place.refuse(&open(&["t"], &["-o", "x"]), "the directory was sealed like this");
    assert!(!said.contains("is wrong") && !place.path("x").exists(), "{said}");
    place.run(&[&SEAL[..], &["-o", "whole"]].concat());
    place.run(&open(&["whole"], &["--list"]));
    assert!(replace_last(&place, "whole", "bwarchv1", "bwarchv2"));
    let said = place.refuse(&open(&["whole"], &["--list"]), "whole is not what its owner signed");
    assert!(!said.contains("sealed like this"), "{said}");
}

/// `1/n`: every shard by itself is the whole object, under a key of its own; and `--list`, `--only` and `--raw` mean there what they mean elsewhere.
#[test]
fn each_of_one_of_n_shards_is_a_full_copy_under_a_key_of_its_own() {
    let place = sealed("1/3");
    let bodies: Vec<Vec<u8>> =
        (0..3).map(|s| fs::read(place.path(&format!("s/00{s}.shard"))).unwrap()).collect();
    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
        let same = bodies[a].iter().zip(&bodies[b]).filter(|(x, y)| x == y).count();
        assert!(
            bodies[a].len() == bodies[b].len() && same < bodies[a].len() / 100,
            "{a} {b}: {same} bytes in common"
        );
    }
    for shard in ["s/000.shard", "s/001.shard", "s/002.shard"] {
        let list = String::from_utf8(place.run(&open(&[shard], &["--list"]))).unwrap();
        assert!(list.contains("200000  nested/numbers\n"), "{list}");
        assert_eq!(place.run(&open(&[shard], &["--only", "a.txt", "-o", "-"])), b"first\n");
        place.run(&open(&[shard], &["-o", "out"]));
        assert_eq!(tree(&place.path("out")), tree(&place.path("docs")));
        fs::remove_dir_all(place.path("out")).unwrap();
        place.run(&open(&[shard], &["--raw", "-o", "tar"]));
        assert_eq!(fs::read(place.path("tar")).unwrap().len() % 512, 0);
        fs::remove_file(place.path("tar")).unwrap();
    }
    // Of what is no directory nothing can be listed, in shards or not.
    fs::write(place.path("plain"), "text").unwrap();
    place.run(&[
        "seal",
        "plain",
        "-o",
        "t",
        "--owner",
        "owner",
        "--to",
        "to.pub",
        "--shards",
        "2/3",
        "--no-commit",
    ]);
    place.refuse(&open(&["t"], &["--list"]), "not a sealed directory");
}

/// A passphrase opens shards as it opens a single body, mends and rebuilds them; beside recipients it has to be asked for.
#[test]
fn shards_under_a_passphrase() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::with_keys();
    fs::write(place.path("plain"), data(100_000)).unwrap();
    for (name, text) in [("words", "correct horse"), ("wrong", "battery staple")] {
        fs::write(place.path(name), text).unwrap();
        fs::set_permissions(place.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    let seal = [
        "seal",
        "plain",
        "-o",
        "s",
        "--owner",
        "owner",
        "--shards",
        "2/3",
        "--no-commit",
        "--passphrase-file",
        "words",
    ];
    place.refuse(&[&seal[..], &["--to", "to.pub"]].concat(), "only as strong as the passphrase");
    place.run(&seal);
    let by = |words: &'static str| ["--owner", "owner.pub", "--passphrase-file", words];
    place.refuse(
        &[&["open", "s", "-o", "back"][..], &by("wrong")].concat(),
        "this passphrase does not open the object",
    );
    fs::remove_file(place.path("s/000.shard")).unwrap();
    place.run(&[&["open", "s", "-o", "back"][..], &by("words")].concat());
    assert!(fs::read(place.path("back")).unwrap() == data(100_000));
    let said = String::from_utf8(place.run(&[&["repair", "s"][..], &by("words")].concat())).unwrap();
    assert!(said.contains("rebuilt   shards [0]"), "{said}");
}
