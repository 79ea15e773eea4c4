//! Names, alone.

use bailiwick_archive::{ArchiveError, Entries, Entry, NameFault, check_name, collision_key};

/// E27: each way a name can lead elsewhere, by its name; and names of every script that cannot.
#[test]
fn e27_names_that_lead_elsewhere_are_refused() {
    use NameFault as F;
    let long = "x".repeat(256);
    let deep = vec!["d"; 129].join("/");
    let path = vec!["x".repeat(200); 21].join("/");
    for (name, fault) in [
        ("", F::Empty),
        ("a//b", F::Empty),
        ("a/", F::Empty),
        ("/etc/passwd", F::Absolute),
        ("..", F::Dots),
        ("../x", F::Dots),
        ("a/../../x", F::Dots),
        ("./a", F::Dots),
        ("a/.", F::Dots),
        ("a\0b", F::Nul),
        ("..\\x", F::Backslash),
        ("a\\b", F::Backslash),
        ("a\nb", F::Control),
        ("a\u{1b}[2K", F::Control),
        ("x\u{202e}gpj.exe", F::Control),
        ("C:", F::Drive),
        ("c:x", F::Drive),
        ("a/D:/x", F::Drive),
        ("ab:c", F::Forbidden),
        ("report.txt:hidden", F::Forbidden),
        ("12:30.log", F::Forbidden),
        ("é:$DATA", F::Forbidden),
        ("a<b", F::Forbidden),
        ("a>", F::Forbidden),
        ("\"a\"", F::Forbidden),
        ("a|b", F::Forbidden),
        ("a?", F::Forbidden),
        ("d/*", F::Forbidden),
        ("con", F::Reserved),
        ("a/NUL", F::Reserved),
        ("aux.txt", F::Reserved),
        ("Com1", F::Reserved),
        ("lpt9.tar.gz", F::Reserved),
        ("COM¹", F::Reserved),
        ("conin$", F::Reserved),
        ("prn .txt", F::Reserved),
        ("a.", F::Ending),
        ("a ", F::Ending),
        ("a./b", F::Ending),
        (&long, F::ComponentTooLong),
        (&path, F::PathTooLong),
        (&deep, F::TooDeep),
    ] {
        let refused = check_name(name);
        assert!(
            matches!(&refused, Err(ArchiveError::Name { fault: f, .. }) if *f == fault),
            "{name:?}: {refused:?}"
        );
        assert!(Entries::new(vec![Entry::file(name, 0, false)]).is_err(), "{name:?}");
    }
    for good in [
        "a",
        ".profile",
        "...a",
        "-rf",
        "a b",
        "12.30.log",
        "console",
        "com10",
        "com",
        "auxiliary/nul-set",
        "Überblick 2026/概要.pdf",
        "كتاب\u{200c}ها",
        "👩\u{200d}🔬.png",
        "a+b=c;[d]{e}~'f'`g`^h%&i!@#$,(j)",
        &"x".repeat(255),
    ] {
        check_name(good).unwrap();
    }
}

/// E28: one name twice, in another case, in another Unicode form; beside pairs that only look alike.
#[test]
fn e28_names_that_meet_are_refused() {
    let both = |a: &str, b: &str| Entries::new(vec![Entry::file(a, 0, false), Entry::file(b, 0, false)]);
    assert!(matches!(both("a", "a"), Err(ArchiveError::Order { .. })));
    for (a, b) in [
        ("README", "readme"),
        ("é", "e\u{301}"),
        ("É", "e\u{301}"),
        ("straße", "STRASSE"),
        ("STRAẞE", "straße"),
        ("ẞ", "ss"),
        ("İ", "i\u{307}"),
        ("ΣΑΣ", "σας"),
        ("ﬁle", "file"),
        ("\u{212a}", "k"),
        ("Å", "\u{212b}"),
        ("a\u{200d}b", "ab"),
    ] {
        assert!(matches!(both(a, b), Err(ArchiveError::Collision { .. })), "{a} {b}");
        let folders = Entries::new(vec![
            Entry::folder(a),
            Entry::folder(b),
            Entry::file(&format!("{a}/x"), 0, false),
            Entry::file(&format!("{b}/y"), 0, false),
        ]);
        assert!(matches!(folders, Err(ArchiveError::Collision { .. })), "{a}/ {b}/");
    }
    for (a, b) in [("a", "b"), ("kır", "kir"), ("а", "a"), ("a1", "a２"), ("e", "é")] {
        both(a, b).unwrap();
    }
    // The same name in two folders is two files.
    Entries::new(vec![
        Entry::folder("a"),
        Entry::folder("b"),
        Entry::file("a/X", 0, false),
        Entry::file("b/x", 0, false),
    ])
    .unwrap();
    assert_eq!(collision_key("ÄB"), collision_key("a\u{308}b"));
}

/// A file where a folder has to be, and an entry whose folder is not listed.
#[test]
fn every_entry_stands_in_a_folder() {
    let orphan = Entries::new(vec![Entry::file("a/b", 0, false)]);
    assert!(matches!(orphan, Err(ArchiveError::NoFolder { .. })));
    let below = Entries::new(vec![Entry::file("a", 0, false), Entry::file("a/b", 0, false)]);
    assert!(matches!(below, Err(ArchiveError::NoFolder { .. })));
    Entries::new(vec![Entry::folder("a"), Entry::file("a/b", 0, false)]).unwrap();
}
