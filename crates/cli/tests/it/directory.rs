//! Sealed directories, through the program: whole, by name, and every way an archive could do harm.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use bailiwick_archive::MEDIA_TYPE;

use super::program::{Place, data};

const SEAL: [&str; 10] =
    ["seal", "docs", "-o", "body", "--envelope", "env", "--owner", "owner", "--to", "to.pub"];
const OPEN: [&str; 10] =
    ["open", "body", "--envelope", "env", "--owner", "owner.pub", "--key", "to", "-o", "out"];

/// Two files, a program, an empty folder, names plain and long.
pub(crate) fn sample(place: &Place) {
    let at = |p: &str| place.path("docs").join(p);
    fs::create_dir_all(at("nested/deeper")).unwrap();
    fs::create_dir(at("empty")).unwrap();
    fs::write(at("a.txt"), "first\n").unwrap();
    fs::write(at("nested/numbers"), data(200_000)).unwrap();
    fs::write(at("nested/deeper/Überblick 概要.txt"), "second\n").unwrap();
    fs::write(at(&format!("nested/{}", "l".repeat(200))), "long\n").unwrap();
    fs::write(at("run.sh"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(at("run.sh"), fs::Permissions::from_mode(0o4755)).unwrap();
}

/// Path to contents, a folder's being none; and whether the owner may execute.
pub(crate) fn tree(root: &Path) -> BTreeMap<PathBuf, (Option<Vec<u8>>, bool)> {
    fn walk(root: &Path, at: &Path, out: &mut BTreeMap<PathBuf, (Option<Vec<u8>>, bool)>) {
        for item in fs::read_dir(at).unwrap() {
            let path = item.unwrap().path();
            let about = fs::symlink_metadata(&path).unwrap();
            let name = path.strip_prefix(root).unwrap().to_owned();
            if about.is_dir() {
                out.insert(name, (None, true));
                walk(root, &path, out);
            } else {
                assert!(about.is_file());
                out.insert(name, (Some(fs::read(&path).unwrap()), about.permissions().mode() & 0o100 != 0));
            }
        }
    }
    let mut out = BTreeMap::new();
    walk(root, root, &mut out);
    out
}

fn with(base: &[&str], more: &[&str]) -> Vec<String> {
    base.iter().chain(more).map(|s| (*s).to_owned()).collect()
}

/// Seals `archive` as a file that says it is a directory.
fn forge(place: &Place, archive: &[u8]) {
    for name in ["body", "env", "forged"] {
        let _ = fs::remove_file(place.path(name));
    }
    fs::write(place.path("forged"), archive).unwrap();
    let mut seal = with(&SEAL, &["--media-type", MEDIA_TYPE, "--no-commit"]);
    seal[1] = "forged".into();
    place.run(&seal);
}

/// The archive of the sample, as `--raw` gives it.
fn raw(place: &Place) -> Vec<u8> {
    let mut open = with(&OPEN, &["--raw"]);
    open[9] = "-".into();
    place.run(&open)
}

#[test]
fn directories_come_back_whole_and_equal_ones_give_equal_archives() {
    let place = Place::with_keys();
    sample(&place);
    place.run(&with(&SEAL, &[]));
    let said = String::from_utf8(place.run(&OPEN)).unwrap();
    assert!(said.contains("as the owner signed it"), "{said}");
    assert_eq!(tree(&place.path("out")), tree(&place.path("docs")));
    let first = raw(&place);
    // Another order of making, other times: the same bytes.
    for name in ["body", "env"] {
        fs::remove_file(place.path(name)).unwrap();
    }
    fs::rename(place.path("out"), place.path("docs2")).unwrap();
    fs::rename(place.path("docs"), place.path("first")).unwrap();
    fs::rename(place.path("docs2"), place.path("docs")).unwrap();
    // A slash at the end changes nothing either.
    let mut seal = with(&SEAL, &[]);
    seal[1] = "docs/".into();
    place.run(&seal);
    assert_eq!(raw(&place), first);
    // An empty directory, and the default names.
    fs::create_dir(place.path("nothing")).unwrap();
    place.run(&["seal", "nothing", "--owner", "owner", "--to", "to.pub"]);
    fs::remove_dir(place.path("nothing")).unwrap();
    place.run(&["open", "nothing.sealed", "--owner", "owner.pub", "--key", "to"]);
    assert!(tree(&place.path("nothing")).is_empty());
}

/// Plain tar lists and extracts what `--raw` gives.
#[test]
fn tar_reads_the_archive() {
    let place = Place::with_keys();
    sample(&place);
    place.run(&with(&SEAL, &["--no-commit"]));
    fs::write(place.path("docs.tar"), raw(&place)).unwrap();
    fs::create_dir(place.path("by-tar")).unwrap();
    let out = Command::new("tar")
        .args(["--extract", "--file"])
        .arg(place.path("docs.tar"))
        .arg("--directory")
        .arg(place.path("by-tar"))
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert!(out.stderr.is_empty(), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(tree(&place.path("by-tar")), tree(&place.path("docs")));
}

#[test]
fn one_name_of_a_directory_comes_out_alone() {
    let place = Place::with_keys();
    sample(&place);
    place.run(&with(&SEAL, &["--no-commit"]));
    let part = |path: &str, output: &str| {
        let mut open = with(&OPEN, &["--only", path]);
        open[9] = output.into();
        place.run(&open)
    };
    part("nested/numbers", "numbers");
    assert_eq!(fs::read(place.path("numbers")).unwrap(), data(200_000));
    assert_eq!(part("nested/deeper/Überblick 概要.txt", "-"), b"second\n");
    part("nested", "part");
    assert_eq!(tree(&place.path("part")), tree(&place.path("docs/nested")));
    part("empty/", "none");
    assert!(tree(&place.path("none")).is_empty());
    place.refuse(&with(&OPEN, &["--only", "nested/other"]), "has no");
    place.refuse(&with(&OPEN, &["--only", "../docs"]), "has no");
    let list = String::from_utf8(place.run(&with(&OPEN[..8], &["--list"]))).unwrap();
    assert_eq!(list.lines().count(), tree(&place.path("docs")).len());
    assert!(list.contains("200000  nested/numbers\n"), "{list}");
    // What is no directory says so.
    forge(&place, b"text");
    place.refuse(&with(&OPEN[..8], &["--list"]), "index");
    let mut seal = with(&SEAL, &["--no-commit"]);
    for name in ["body", "env"] {
        fs::remove_file(place.path(name)).unwrap();
    }
    seal[1] = "forged".into();
    place.run(&seal);
    place.refuse(&with(&OPEN[..8], &["--list"]), "not a sealed directory");
}

/// E25, E26: a body damaged anywhere, or cut, leaves no directory under the final name and nothing beside it.
#[test]
fn e26_a_failed_open_leaves_no_directory() {
    let place = Place::with_keys();
    sample(&place);
    place.run(&with(&SEAL, &["--no-commit"]));
    let honest = fs::read(place.path("body")).unwrap();
    let before = place.names();
    for at in [60, honest.len() / 2, honest.len() - 1] {
        let mut damaged = honest.clone();
        damaged[at] ^= 1;
        fs::write(place.path("body"), &damaged).unwrap();
        place.refuse(&OPEN, "error");
        assert_eq!(place.names(), before, "byte {at}");
    }
    // What is there is not touched.
    fs::write(place.path("body"), &honest).unwrap();
    fs::create_dir(place.path("out")).unwrap();
    place.refuse(&OPEN, "exists already");
    fs::remove_dir(place.path("out")).unwrap();
    symlink("elsewhere", place.path("out")).unwrap();
    place.refuse(&OPEN, "exists already");
    fs::remove_file(place.path("out")).unwrap();
    place.run(&OPEN);
}

/// One forged header in front of an honest archive.
fn forged(name: &str, flag: u8, mode: &str, size: &str, link: &str) -> Vec<u8> {
    let mut b = vec![0; 512];
    b[..name.len()].copy_from_slice(name.as_bytes());
    b[100..107].copy_from_slice(mode.as_bytes());
    b[108..115].copy_from_slice(b"0000000");
    b[116..123].copy_from_slice(b"0000000");
    b[124..135].copy_from_slice(size.as_bytes());
    b[136..147].copy_from_slice(b"00000000000");
    b[148..156].copy_from_slice(b"        ");
    b[156] = flag;
    b[157..157 + link.len()].copy_from_slice(link.as_bytes());
    b[257..265].copy_from_slice(b"ustar\x0000");
    b[329..336].copy_from_slice(b"0000000");
    b[337..344].copy_from_slice(b"0000000");
    let sum: u32 = b.iter().map(|v| u32::from(*v)).sum();
    b[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    b
}

/// What each forged archive is refused with; nothing is left of it, and the honest one opens beside it.
fn refused(cases: &[(Vec<Vec<u8>>, &str)]) {
    let place = Place::with_keys();
    let outside = tempfile::tempdir().unwrap();
    sample(&place);
    place.run(&with(&SEAL, &["--no-commit"]));
    let honest = raw(&place);
    for (blocks, why) in cases {
        forge(&place, &[blocks.concat(), honest.clone()].concat());
        let before = place.names();
        place.refuse(&OPEN, why);
        assert_eq!(place.names(), before, "{why}");
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    }
    forge(&place, &honest);
    place.run(&OPEN);
    assert_eq!(tree(&place.path("out")), tree(&place.path("docs")));
}

const NO_SIZE: &str = "00000000000";

/// E27: names and links that lead out of the directory.
#[test]
fn e27_path_traversal() {
    let file = |name: &str| vec![forged(name, b'0', "0000644", NO_SIZE, "")];
    let mut cases: Vec<(Vec<Vec<u8>>, &str)> = [
        ("../x", "`..`"),
        ("/tmp/x", "absolute"),
        ("a\\..\\x", "backslash"),
        ("C:x", "drive"),
        ("a.txt:hidden", "no name of a Windows file can have"),
        ("a|b", "no name of a Windows file can have"),
        ("nul.txt", "device"),
        ("a.", "ends in a dot"),
        ("a\u{1b}[2Jb", "control character"),
    ]
    .into_iter()
    .map(|(name, why)| (file(name), why))
    .collect();
    let link = |flag| vec![forged("docs", flag, "0000777", NO_SIZE, "/tmp"), file("docs/x").concat()];
    cases.push((link(b'2'), "symbolic link"));
    cases.push((link(b'1'), "hard link"));
    refused(&cases);
    // On the way in: a name that cannot be stored, and a link, are named; the link is not followed.
    let place = Place::with_keys();
    sample(&place);
    symlink("/etc/passwd", place.path("docs/link")).unwrap();
    place.refuse(&with(&SEAL, &[]), "\"link\" is a symbolic link");
    place.run(&with(&SEAL, &["--no-commit", "--skip-special"]));
    place.run(&OPEN);
    assert!(fs::symlink_metadata(place.path("out/link")).is_err());
    fs::remove_file(place.path("docs/link")).unwrap();
    let mut again = with(&SEAL, &[]);
    (again[3], again[5]) = ("body2".into(), "env2".into());
    for name in ["a\\b", "aux", "x.", "a\nb", "12:30", "what?", "nested/12:30.log"] {
        fs::write(place.path("docs").join(name), "").unwrap();
        let said = place.refuse(&again, "is refused");
        assert!(said.contains("rename what is named"), "{said}");
        assert!(!name.contains('/') || said.contains(&format!("{name:?}")), "{said}");
        fs::remove_file(place.path("docs").join(name)).unwrap();
    }
    fs::hard_link(place.path("docs/a.txt"), place.path("docs/b.txt")).unwrap();
    place.refuse(&again, "hard links");
    again.push("--copy-hard-links".into());
    place.run(&again);
}

/// E28: one name twice, in another case, in another Unicode form: refused on the way out and on the way in.
#[test]
fn e28_archive_collision() {
    let file = |name: &str| forged(name, b'0', "0000644", NO_SIZE, "");
    refused(&[
        (vec![file("A"), file("A")], "there twice"),
        (vec![file("A"), file("a")], "one name on some systems"),
        (vec![file("b"), file("A")], "out of order"),
    ]);
    for (one, two) in [("x", "X"), ("é", "e\u{301}")] {
        let place = Place::with_keys();
        sample(&place);
        fs::write(place.path("docs").join(one), "1").unwrap();
        fs::write(place.path("docs").join(two), "2").unwrap();
        place.refuse(&with(&SEAL, &[]), "one name on some systems");
        fs::remove_file(place.path("docs").join(two)).unwrap();
        place.run(&with(&SEAL, &["--no-commit"]));
    }
}

/// E29: an archive in an archive, and bytes that would unpack to a thousand times as many, stay the files they are.
#[test]
fn e29_decompression_bomb() {
    let place = Place::with_keys();
    sample(&place);
    place.run(&with(&SEAL, &["--no-commit"]));
    let inner = raw(&place);
    for name in ["body", "env"] {
        fs::remove_file(place.path(name)).unwrap();
    }
    let mut gzip = Command::new("gzip")
        .arg("-9")
        .stdin(std::process::Stdio::piped())
        .stdout(fs::File::create(place.path("docs/bomb.gz")).unwrap())
        .spawn()
        .unwrap();
    gzip.stdin.take().unwrap().write_all(&vec![0; 16 << 20]).unwrap();
    assert!(gzip.wait().unwrap().success());
    fs::write(place.path("docs/inner.tar"), &inner).unwrap();
    place.run(&with(&SEAL, &["--no-commit"]));
    place.run(&OPEN);
    assert_eq!(tree(&place.path("out")), tree(&place.path("docs")));
    let written: u64 =
        tree(&place.path("out")).values().filter_map(|(d, _)| d.as_ref()).map(|d| d.len() as u64).sum();
    assert!(written < fs::metadata(place.path("body")).unwrap().len());
}

/// E30: an index that claims more entries than there may be, or than there are. (That the reader of the whole stops at the limit is
/// tested in the archive's own tests.)
#[test]
fn e30_entry_count_bomb() {
    let place = Place::with_keys();
    sample(&place);
    place.run(&with(&SEAL, &["--no-commit"]));
    let honest = raw(&place);
    for (from_end, value, why) in [
        (16, 1u64 << 40, "above the limits"),
        (24, u64::MAX, "above the limits"),
        (16, 3, "number of entries"),
    ] {
        let mut bytes = honest.clone();
        let at = bytes.len() - from_end;
        bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
        forge(&place, &bytes);
        place.refuse(&with(&OPEN[..8], &["--list"]), why);
        let before = place.names();
        place.refuse(&OPEN, "index");
        assert_eq!(place.names(), before);
    }
    forge(&place, &honest);
    place.run(&with(&OPEN[..8], &["--list"]));
}

/// E30: an index of 16 MiB whose 131,072 entries are all as they should be is listed in little more memory than its bytes.
#[test]
fn e30_a_large_index_is_read_in_the_memory_of_its_bytes() {
    const ENTRIES: u64 = 1 << 17;
    let place = Place::with_keys();
    let mut trailer = vec![0; 1024];
    for i in 0..ENTRIES {
        trailer.extend_from_slice(&[1, 117, 0]);
        trailer.extend_from_slice(format!("{i:0117}").as_bytes());
        trailer.extend_from_slice(&[0; 8]);
    }
    let index = trailer.len() as u64 - 1024;
    trailer.resize(trailer.len().next_multiple_of(512) + 512 - 24, 0);
    trailer.extend_from_slice(&[index.to_le_bytes(), ENTRIES.to_le_bytes(), *b"bwarchv1"].concat());
    // Nobody reads the entries themselves: an extended header, its record, a header, no data.
    let mut file = fs::File::create(place.path("forged")).unwrap();
    file.set_len(ENTRIES * 1536).unwrap();
    std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0)).unwrap();
    file.write_all(&trailer).unwrap();
    let mut seal = with(&SEAL, &["--media-type", MEDIA_TYPE, "--no-commit", "--no-pad"]);
    seal[1] = "forged".into();
    place.run(&seal);
    let out = within(48, &place, &with(&OPEN[..8], &["--list"]));
    assert_eq!(out.stdout.iter().filter(|b| **b == b'\n').count() as u64, ENTRIES);
}

/// Runs the program, which must succeed, with so many MiB of data and stacks.
fn within(mib: u64, place: &Place, arguments: &[String]) -> std::process::Output {
    let out = Command::new("sh")
        .args(["-c", &format!("ulimit -d {} && exec \"$0\" \"$@\"", mib * 1024)])
        .arg(env!("CARGO_BIN_EXE_bailiwick"))
        .args(arguments)
        .current_dir(place.path("."))
        .env_clear()
        .output()
        .unwrap();
    assert!(out.status.success(), "{:?}: {}", out.status, String::from_utf8_lossy(&out.stderr));
    out
}

/// The archive is a stream: a directory that is larger than the memory allowed is sealed, opened whole, and one name of it, within that memory.
#[test]
fn a_directory_larger_than_memory_is_sealed_and_opened() {
    const BYTES: u64 = 160 << 20;
    let place = Place::with_keys();
    sample(&place);
    fs::File::create(place.path("docs/large")).unwrap().set_len(BYTES).unwrap();
    within(64, &place, &with(&SEAL, &["--no-commit"]));
    within(64, &place, &OPEN.map(str::to_owned));
    assert_eq!(fs::metadata(place.path("out/large")).unwrap().len(), BYTES);
    fs::remove_dir_all(place.path("out")).unwrap();
    within(64, &place, &with(&OPEN, &["--only", "large"]));
    assert_eq!(fs::metadata(place.path("out")).unwrap().len(), BYTES);
}

/// E31: sparse files, and sizes larger than what follows.
#[test]
fn e31_sparse_size_lie() {
    refused(&[
        (vec![forged("A", b'S', "0000644", NO_SIZE, "")], "sparse"),
        (vec![forged("A", b'0', "0000644", "77777777777", "")], "cut short"),
        (vec![forged("A", b'0', "0000644", "         10", "")], "a size"),
    ]);
}

/// E32: devices and pipes are refused either way; a set-user-id bit is dropped on the way in and refused on the way out.
#[test]
fn e32_special_files() {
    refused(&[
        (vec![forged("A", b'3', "0000644", NO_SIZE, "")], "character device"),
        (vec![forged("A", b'4', "0000644", NO_SIZE, "")], "block device"),
        (vec![forged("A", b'6', "0000644", NO_SIZE, "")], "named pipe"),
        (vec![forged("A", b'0', "0004755", NO_SIZE, "")], "permission bits"),
        (vec![forged("A", b'0', "0000666", NO_SIZE, "")], "permission bits"),
    ]);
    let place = Place::with_keys();
    sample(&place);
    let fifo = place.path("docs/pipe");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    place.refuse(&with(&SEAL, &[]), "\"pipe\" is a named pipe");
    fs::remove_file(fifo).unwrap();
    let socket = std::os::unix::net::UnixListener::bind(place.path("docs/s")).unwrap();
    place.refuse(&with(&SEAL, &[]), "\"s\" is a socket");
    drop(socket);
    place.run(&with(&SEAL, &["--no-commit", "--skip-special"]));
    place.run(&OPEN);
    let mode = |p: &str| fs::metadata(place.path(p)).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode("docs/run.sh"), 0o4755);
    assert_eq!(mode("out/run.sh"), 0o700);
}

/// What is opened is its reader's alone, whatever the mask: folders, files, and a file by its name, which keeps its bit to be run.
#[test]
fn opened_directories_are_private() {
    let place = Place::with_keys();
    sample(&place);
    place.run(&with(&SEAL, &["--no-commit"]));
    place.run(&OPEN);
    let one: Vec<&str> = OPEN.iter().map(|a| if *a == "out" { "one" } else { a }).collect();
    place.run(&[&one[..], &["--only", "run.sh"]].concat());
    let mode = |p: &str| fs::metadata(place.path(p)).unwrap().permissions().mode() & 0o7777;
    for (path, expected) in [("out", 0o700), ("out/a.txt", 0o600), ("out/run.sh", 0o700), ("one", 0o700)] {
        assert_eq!(mode(path), expected, "{path}");
    }
}

/// An auditor's statement can be made of a directory that was opened whole.
#[test]
fn a_directory_opened_whole_can_be_attested() {
    let place = Place::with_keys();
    sample(&place);
    place.run(&with(&SEAL, &["--no-commit"]));
    place.run(&["key", "new", "auditor", "-o", "auditor"]);
    place.run(&with(&OPEN, &["--attest", "statement", "--attest-key", "auditor"]));
    assert!(place.path("statement").is_file() && place.path("out/a.txt").is_file());
    place.refuse(
        &with(&OPEN, &["--only", "a.txt", "--attest", "s2", "--attest-key", "auditor"]),
        "cannot be used",
    );
}
