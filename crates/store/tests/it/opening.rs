//! Opening a directory: locks, formats, leftovers.

use std::path::Path;
use std::sync::Arc;

use bailiwick_store::files::FileSystem;
use bailiwick_store::{Options, Store, StoreError};

use super::fixture::{FORKS, Spec};
use super::forgetful::{Crash, Fate, Forgetful};

fn open(fs: &Forgetful) -> Result<Store, StoreError> {
    Store::open_with(Arc::new(fs.clone()), "/s", Options::default())
}

/// D16: what an unfinished upload left is swept; what is not the store's is left alone and named.
#[test]
fn d16_leftovers_are_swept_and_foreign_files_left_alone() {
    let fs = Forgetful::new();
    let sample = Spec::default().seal();
    let store = open(&fs).unwrap();
    sample.put(&store).unwrap();
    drop(store);
    assert_eq!(open(&fs).unwrap().report().swept, 0);
    fs.create(Path::new("/s/tmp/0000000000000007.part")).unwrap();
    fs.create(Path::new("/s/tmp/anything")).unwrap();
    fs.create(Path::new("/s/objects/README")).unwrap();
    let owner = Path::new("/s/objects").join(sample.owner.to_string());
    fs.create_dir(&owner.join("0G")).unwrap();
    let strange = owner.join("01/0101-1-1-0-0-1.obj");
    fs.create(&strange).unwrap();
    let store = open(&fs).unwrap();
    assert_eq!(store.report().swept, 2);
    let expected = [Path::new("/s/objects/README").into(), owner.join("0G"), strange.clone()];
    let mut foreign = store.report().foreign.clone();
    foreign.sort();
    let mut expected = expected.to_vec();
    expected.sort();
    assert_eq!(foreign, expected);
    assert!(fs.open(&strange, false).is_ok());
    assert!(!fs.files().iter().any(|(p, _)| p.starts_with("/s/tmp")));
    sample.assert_whole(&store);
}

/// D17: one directory, one store; the next may open it when the first is gone.
#[test]
fn d17_a_second_store_on_one_directory_is_refused() {
    let _no_forks = FORKS.read();
    let dir = tempfile::tempdir().unwrap();
    let first = Store::open(dir.path(), Options::default()).unwrap();
    assert!(matches!(Store::open(dir.path(), Options::default()), Err(StoreError::Locked { .. })));
    drop(first);
    Store::open(dir.path(), Options::default()).unwrap();
}

const CHILD_DIR: &str = "BAILIWICK_STORE_TEST_DIR";

/// Not a test of its own: the second process of the test below.
#[test]
fn d17_child_process() {
    let Some(dir) = std::env::var_os(CHILD_DIR) else { return };
    let refused = matches!(Store::open(dir, Options::default()), Err(StoreError::Locked { .. }));
    println!("{}", if refused { "refused" } else { "opened" });
}

/// D17: the same, with a second process.
#[test]
fn d17_a_second_process_on_one_directory_is_refused() {
    let _forks = FORKS.write();
    let dir = tempfile::tempdir().unwrap();
    let child = || {
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "it::opening::d17_child_process", "--nocapture"]).env(CHILD_DIR, dir.path());
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let store = Store::open(dir.path(), Options::default()).unwrap();
    assert!(child().contains("refused"));
    drop(store);
    assert!(child().contains("opened"));
}

/// D20: a directory of a newer version, or of the older one, is refused and not touched.
#[test]
fn d20_an_unknown_format_is_refused() {
    let fs = Forgetful::new();
    drop(open(&fs).unwrap());
    let format = Path::new("/s/format");
    for (text, other, way_out) in
        [("bailiwick-store 4\n", 4, "newer version"), ("bailiwick-store 1\n", 1, "new, empty directory")]
    {
        fs.tamper(format, |bytes| *bytes = text.into());
        let before = fs.files();
        let refused = open(&fs);
        let refused = refused.unwrap_err();
        assert!(matches!(refused, StoreError::UnknownFormat { found, known: 3, .. } if found == other));
        assert!(refused.to_string().contains(way_out), "it says what to do: {refused}");
        assert_eq!(fs.files(), before);
    }
    fs.tamper(format, |bytes| *bytes = b"bailiwick-store 3\n".to_vec());
    open(&fs).unwrap();
}

/// D14: a bit flipped in the format file is never taken for a format.
#[test]
fn d14_a_flipped_bit_in_the_format_file_is_refused() {
    let fs = Forgetful::new();
    drop(open(&fs).unwrap());
    for bit in 0..8 * b"bailiwick-store 3\n".len() {
        let flip = |bytes: &mut Vec<u8>| bytes[bit / 8] ^= 1 << (bit % 8);
        fs.tamper(Path::new("/s/format"), flip);
        if fs.files().contains(&("/s/format".into(), b"bailiwick-store 2\n".to_vec())) {
            // The version before, of which every directory is one of this version.
            fs.tamper(Path::new("/s/format"), flip);
            continue;
        }
        assert!(
            matches!(open(&fs), Err(StoreError::UnknownFormat { .. } | StoreError::NotAStore { .. })),
            "bit {bit}"
        );
        fs.tamper(Path::new("/s/format"), flip);
    }
    open(&fs).unwrap();
}

/// A directory with something else in it is not taken over, and not a byte is written there.
#[test]
fn a_directory_of_something_else_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("thesis.tex"), "x").unwrap();
    assert!(matches!(Store::open(dir.path(), Options::default()), Err(StoreError::NotAStore { .. })));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    std::fs::remove_file(dir.path().join("thesis.tex")).unwrap();
    Store::open(dir.path(), Options::default()).unwrap();
}

/// D05: a store several missing directories deep. Each of them is made durable, also when the process that made them died on the
/// way and the next one found some of them there.
#[test]
fn d05_the_directories_above_a_new_store_are_durable() {
    let open = |fs: &Forgetful| Store::open_with(Arc::new(fs.clone()), "/a/b/s", Options::default());
    let sample = Spec::default().seal();
    for die_at in 0.. {
        let fs = Forgetful::new();
        let mut changes = 0;
        fs.judge(move |op, _| {
            changes += u32::from(op.changes());
            if op.changes() && changes > die_at { Fate::Die } else { Fate::Go }
        });
        let finished = open(&fs).is_ok();
        let killed = fs.crash(Crash::Killed);
        let store = open(&killed).unwrap();
        sample.put(&store).unwrap();
        let after = killed.crash(Crash::Lost);
        sample.assert_whole(&open(&after).unwrap());
        if finished {
            assert!(die_at > 6, "three directories, each with an fsync");
            break;
        }
    }
}
