//! Evidence that is far too long or nested far too deep, through the real binary under a memory limit: a named error, exit
//! code 2, nothing under the final name.

use std::fs::{self, File};
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::dossier::Dossier;

use super::program::Place;
use super::verdict::scenario;

/// Address space of the program, KiB: 768 MiB, code and stacks included.
const MEMORY_KIB: u64 = 768 * 1024;

const GIGABYTE: u64 = 1_000_000_000;

fn limited(place: &Place, memory_kib: u64, arguments: &[String]) -> Output {
    Command::new("sh")
        .arg("-c")
        .arg(format!("ulimit -v {memory_kib} && exec \"$0\" \"$@\""))
        .arg(env!("CARGO_BIN_EXE_bailiwick"))
        .args(arguments)
        .current_dir(place.path("."))
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[track_caller]
fn refused(out: &Output, why: &str) {
    let text = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(2), "{text}");
    assert!(text.contains(why) && !text.contains("panicked"), "must say {why:?}, said: {text}");
    assert!(out.stdout.is_empty(), "{}", String::from_utf8_lossy(&out.stdout));
}

/// `verify` and both forms of `report` on `bundle`: all refuse, and leave the folder as it was.
#[track_caller]
fn all_refuse(place: &Place, verify: &[String], memory_kib: u64, why: &str) {
    let names = || {
        let mut names: Vec<_> =
            fs::read_dir(place.path(".")).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = names();
    refused(&limited(place, memory_kib, verify), why);
    let mut report = verify.to_vec();
    report[0] = "report".to_owned();
    for output in ["--html", "--json"] {
        let mut report = report.clone();
        report.extend([output.to_owned(), "page".to_owned()]);
        refused(&limited(place, memory_kib, &report), why);
        assert_eq!(names(), before, "nothing is left behind");
    }
}

/// A file that begins with `head` and then is a hole up to `length`.
fn sparse(place: &Place, name: &str, head: &[u8], length: u64) {
    let mut file = File::create(place.path(name)).unwrap();
    file.write_all(head).unwrap();
    file.set_len(length).unwrap();
}

/// T16: a bundle, and a dossier, of a gigabyte. Nothing of them is read.
#[test]
fn t16_a_gigabyte_of_evidence_is_refused_by_its_length() {
    let place = Place::new();
    let verify = scenario(&place, "honest");
    let honest = fs::read(place.path("bundle")).unwrap();
    assert!(
        limited(&place, MEMORY_KIB, &verify).status.success(),
        "the limit is enough for an honest bundle"
    );
    for (head, why) in [
        (&[][..], "longer than a bundle may be"),
        (&honest, "longer than a bundle may be"),
        (&Dossier::default().to_bytes(), "longer than a dossier may be"),
    ] {
        sparse(&place, "bundle", head, GIGABYTE);
        all_refuse(&place, &verify, MEMORY_KIB, why);
    }
    // One byte more than a dossier may have would still be a bundle's length.
    sparse(&place, "bundle", &Dossier::default().to_bytes(), (256 << 20) + 1);
    all_refuse(&place, &verify, MEMORY_KIB, "longer than a dossier may be");
}

/// T16: what does not say how long it is, is read no further than the limit.
#[cfg(target_os = "linux")]
#[test]
fn t16_an_endless_file_is_refused_at_the_limit() {
    let place = Place::new();
    let mut verify = scenario(&place, "honest");
    verify[1] = "/dev/zero".to_owned();
    refused(&limited(&place, 2 * MEMORY_KIB, &verify), "longer than a bundle may be");
}

/// T16: within the limit, and announcing more than is there, or signed by nobody.
#[test]
fn t16_long_evidence_within_the_limit_takes_bounded_memory() {
    let place = Place::new();
    let verify = scenario(&place, "honest");
    // `[payload, …]` of 200 MB, then a signature of zeros.
    let mut head = vec![0x82, 0x5a];
    head.extend(200_000_000u32.to_be_bytes());
    sparse(&place, "bundle", &head, 200_000_000 + 6 + 66);
    let file = File::options().write(true).open(place.path("bundle")).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &[0x58, 64], 200_000_006).unwrap();
    all_refuse(&place, &verify, 2 * MEMORY_KIB, "not signed by any auditor");
    let mut cut = vec![0x82, 0x5b];
    cut.extend(u64::MAX.to_be_bytes());
    sparse(&place, "bundle", &cut, 1_000_000);
    all_refuse(&place, &verify, MEMORY_KIB, "malformed CBOR");
}

/// T16: a million levels of arrays, maps, tags or indefinite lengths, as bundle and inside a dossier; and of brackets in the
/// reader's own files, which may come from somebody else, too.
#[test]
fn t16_deep_nesting_is_refused() {
    const LEVELS: usize = 1_000_000;
    let place = Place::new();
    let verify = scenario(&place, "honest");
    let empty = Dossier::default().to_bytes();
    // Kind and version, then the key of the announcements.
    let prefix = &empty[..empty.len() - 7];
    assert!(Dossier::is_likely(prefix) && prefix.last() == Some(&3), "{empty:02x?}");
    for level in [0x81u8, 0x9f, 0xa1, 0xbf, 0xc0, 0xd8] {
        for head in [&[][..], prefix] {
            fs::write(place.path("bundle"), [head, &vec![level; LEVELS]].concat()).unwrap();
            let what = if head.is_empty() { "bundle: " } else { "dossier: " };
            all_refuse(&place, &verify, MEMORY_KIB, what);
        }
    }
    let honest = scenario(&place, "honest");
    for (at, file) in [(3, "policy"), (5, "trust anchors")] {
        for (open, level) in [("a = ", "["), ("[a", ".a"), ("a = ", "{ b = ")] {
            let text = format!("{open}{}", level.repeat(900_000 / level.len()));
            fs::write(place.path("nested"), text).unwrap();
            let mut a = honest.clone();
            a[at] = "nested".to_owned();
            all_refuse(&place, &a, MEMORY_KIB, &format!("{file}, line 1"));
        }
    }
}
