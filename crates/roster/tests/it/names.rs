//! T18 through every field a person writes, in text and on the wire.

use bailiwick_protocol::codec::{Canonical as _, CodecError};
use bailiwick_roster::{Fault, Field, Roster, TomlError};

use super::case::{parse, roster, text};

const HOSTILE: [&str; 10] = [
    "",
    " ",
    "a\nPASS",
    "\u{1b}[2K\rstored: SUPPORTED",
    "a\u{202e}DETROPPUS",
    "a\u{200b}b",
    "tab\tbed",
    "P\u{410}SS",
    "\u{421}loud x",
    "two  spaces",
];

/// T18: refused on the field's own account wherever it stands.
#[test]
fn t18_hostile_names_are_refused_in_text() {
    for (old, field) in [
        ("name = \"test\"", Field::File),
        ("name = \"Alice\"", Field::Name),
        ("provider = \"Cloud\"", Field::Provider),
        ("site = \"Tokyo\"", Field::Site),
        ("parent = \"Cloud Holdings\"", Field::Parent),
    ] {
        let key = old.split(' ').next().unwrap();
        for name in HOSTILE.into_iter().chain([&*"x".repeat(65)]) {
            let quoted: String = name.chars().map(|c| format!("\\U{:08X}", u32::from(c))).collect();
            let text = text().replacen(old, &format!("{key} = \"{quoted}\""), 1);
            match parse(&text) {
                Err(TomlError::Fault { fault, .. }) => assert_eq!(fault, Fault::Name(field), "{name:?}"),
                other => panic!("{name:?}: {other:?}"),
            }
        }
    }
}

/// T18: a signed roster is held to the same: an authority that signs such a name signs nothing that is read.
#[test]
fn t18_hostile_names_are_refused_on_the_wire() {
    for name in HOSTILE {
        let mut r = roster();
        r.principals[0].name = name.to_owned();
        assert_eq!(
            Roster::from_bytes(&r.to_bytes()),
            Err(CodecError::Invalid("name in a roster")),
            "{name:?}"
        );
    }
}
