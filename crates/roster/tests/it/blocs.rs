//! The file of blocs: the shipped one, and what is refused.

use bailiwick_protocol::codec::Canonical as _;
use bailiwick_roster::{BlocKind, Blocs, Fault, Field, Law, TomlError};

const SMALL: &str = r#"format = 1
name = "small"
number = 1

[[bloc]]
name = "Union"
title = "A union"
kind = "power"
members = ["EU", "FR", "DE"]

[[bloc]]
name = "Friends"
title = "A list"
kind = "list"
members = ["JP"]
"#;

fn law(code: &str) -> Law {
    code.parse().unwrap()
}

fn refused(old: &str, new: &str, line: usize, fault: Fault) {
    assert_eq!(SMALL.matches(old).count(), 1, "{old}");
    match Blocs::parse(&SMALL.replace(old, new)) {
        Err(TomlError::Fault { line: l, fault: f, .. }) => assert_eq!((l, f), (line, fault), "{new}"),
        other => panic!("{new}: {other:?}"),
    }
}

/// Memberships that are no matter of opinion.
#[test]
fn the_shipped_file_says_what_is_known() {
    let b = Blocs::shipped();
    let eu = b.bloc("European-Union").unwrap();
    let states = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK";
    assert_eq!(states.split(' ').count(), 27);
    assert!(states.split(' ').all(|c| eu.members.contains(&law(c))));
    assert!(eu.members.contains(&Law::EuropeanUnion));
    for outside in ["GB", "CH", "NO", "IS", "GL", "FO", "NC"] {
        assert!(!eu.members.contains(&law(outside)), "{outside}");
    }
    let eea: Vec<_> = b.bloc("EEA").unwrap().members.difference(&eu.members).copied().collect();
    assert_eq!(eea, [law("IS"), law("LI"), law("NO")]);
    let eyes: Vec<_> = b.bloc("Five-Eyes").unwrap().members.iter().map(Law::as_str).collect();
    assert_eq!(eyes, ["AU", "CA", "GB", "NZ", "US"]);
    let cn: Vec<_> = b.bloc("CN-with-SARs").unwrap().members.iter().map(Law::as_str).collect();
    assert_eq!(cn, ["CN", "HK", "MO"]);
    assert_eq!(b.of(law("HK")).map(|b| b.name.as_str()).collect::<Vec<_>>(), ["CN-with-SARs"]);
    assert_eq!(b.of(law("TW")).count(), 0);
}

/// No sovereign's territory is under two sovereigns, and each sovereign has its own.
#[test]
fn territories_belong_to_one_sovereign() {
    let b = Blocs::shipped();
    let of_a_state = |name: &str| name.get(..3).is_some_and(|n| n.ends_with('-'));
    let territorial: Vec<_> =
        b.blocs.iter().filter(|b| b.kind == BlocKind::Power && of_a_state(&b.name)).collect();
    assert_eq!(territorial.len(), 10);
    for (i, x) in territorial.iter().enumerate() {
        assert!(x.members.contains(&law(&x.name[..2])), "{}", x.name);
        for y in &territorial[..i] {
            assert!(x.members.is_disjoint(&y.members), "{} and {}", x.name, y.name);
        }
    }
}

#[test]
fn blocs_have_one_encoding_and_comments_do_not_count() {
    let b = Blocs::shipped();
    assert_eq!(Blocs::from_bytes(&b.to_bytes()).unwrap(), b);
    let small = Blocs::parse(SMALL).unwrap();
    let commented = Blocs::parse(&format!("# a comment\n{SMALL}")).unwrap();
    assert_eq!(small.digest(), commented.digest());
    assert_eq!(small.digest().0, blake3::derive_key("bailiwick/v1/blocs-digest", &small.to_bytes()));
    let other = Blocs::parse(&SMALL.replace("\"JP\"", "\"KR\"")).unwrap();
    assert_ne!(small.digest(), other.digest());
    let kind = Blocs::parse(&SMALL.replace("\"list\"", "\"power\"")).unwrap();
    assert_ne!(small.digest(), kind.digest());
}

#[test]
fn faults_name_their_line() {
    refused("number = 1", "number = 0", 2, Fault::Number);
    refused("\"Union\"", "\"U\"", 6, Fault::BlocName);
    refused("\"Union\"", "\"FR\"", 6, Fault::BlocName);
    refused("\"Union\"", "\"a b\"", 6, Fault::BlocName);
    refused("\"Union\"", "\"1st\"", 6, Fault::BlocName);
    refused("\"Union\"", "\"PASS\\u001b\"", 6, Fault::BlocName);
    refused("\"Union\"", "\"friends\"", 6, Fault::RepeatedBloc);
    refused("\"A union\"", "\"A\\nunion\"", 6, Fault::Name(Field::Title));
    refused("[\"JP\"]", "[]", 12, Fault::BlocCount);
    refused("[\"JP\"]", "[\"JP\", \"KR\", \"JP\"]", 15, Fault::RepeatedMember);
    let unknown = Blocs::parse(&SMALL.replace("\"JP\"", "\"XX\""));
    assert!(matches!(unknown, Err(TomlError::Toml { line: 15, .. })), "{unknown:?}");
    let extra = Blocs::parse(&SMALL.replace("kind = \"list\"", "kind = \"list\"\nweight = 1"));
    assert!(matches!(extra, Err(TomlError::Toml { line: 15, .. })), "{extra:?}");
    assert!(matches!(
        Blocs::parse(&SMALL.replace("format = 1", "format = 9")),
        Err(TomlError::Format { line: 1, .. })
    ));
}
