//! Directories, passphrases and full copies as shards: what a single body can do, any k of n can.

use std::fs;

use super::directory::{sample, tree};
use super::program::{Place, data};
use super::shards::{find, rewrite};

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
