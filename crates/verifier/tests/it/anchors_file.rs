//! Trust anchors: unknown keys and contradictions are errors that name the line.

use bailiwick_verifier::{Anchors, AnchorsError, Policy, PolicyError};

use crate::world::{POLICY, Scene, anchored_key, hex, principal, principals, set_up_by};
use bailiwick_protocol::ids::VkDigest;

#[track_caller]
fn refused(text: &str) -> AnchorsError {
    let e = Anchors::parse(text).unwrap_err();
    assert!(e.to_string().contains("line "), "{e}");
    e
}

#[test]
fn the_honest_file_is_read() {
    let with_places = principals()
        + &principal("host", "tokyo")
            .replace("name", "provider = \"P\"\nsite = \"T1\"\ncountry = \"JP\"\nlaw = \"US\"\nname")
        + "[[principal]]\nrole = \"recipient\"\nname = \"reader\"\nkey = \""
        + &"ab".repeat(1216)
        + "\"\n";
    assert!(Anchors::parse(&with_places).is_ok());
    assert!(Anchors::parse(&Scene::honest().anchors).is_ok());
}

#[test]
fn unknown_keys_and_values_name_their_line() {
    let e =
        refused("version = 1\n[[principal]]\nrole = \"owner\"\nname = \"a\"\nkey = \"00\"\ntrusted = true\n");
    assert!(matches!(e, AnchorsError::Toml { line: 6, .. }), "{e}");
    let e = refused("version = 1\n[[principal]]\nrole = \"god\"\nname = \"a\"\nkey = \"00\"\n");
    assert!(matches!(e, AnchorsError::Toml { line: 3, .. }), "{e}");
    assert!(matches!(refused("version = 7\n"), AnchorsError::Version { line: 1, found: 7 }));
}

#[test]
fn keys_are_lower_case_hexadecimal_of_the_right_length() {
    let entry =
        |key: &str| format!("version = 1\n[[principal]]\nrole = \"host\"\nname = \"a\"\nkey = \"{key}\"\n");
    for bad in [&hex("a")[..62], &hex("a").to_uppercase(), &format!("{}00", hex("a")), "", &"zz".repeat(32)] {
        assert!(matches!(refused(&entry(bad)), AnchorsError::Key { line: 5, .. }), "{bad}");
    }
    assert!(Anchors::parse(&entry(&hex("a"))).is_ok());
    // A recipient's key is longer, up to that of X-Wing, and still whole bytes.
    let recipient = |digits: usize| entry(&"a".repeat(digits)).replace("\"host\"", "\"recipient\"");
    for bad in [62, 65, 2434] {
        assert!(matches!(refused(&recipient(bad)), AnchorsError::Key { line: 5, .. }), "{bad}");
    }
    for good in [64, 66, 2432] {
        assert!(Anchors::parse(&recipient(good)).is_ok(), "{good}");
    }
}

/// T16: a file of the limit is read, one byte more is not looked at; policies alike.
#[test]
fn t16_a_file_beyond_the_limit_is_refused() {
    let n = (1 << 20) + 1;
    let policy = |n: usize| format!("{POLICY}{}", "#".repeat(n - POLICY.len()));
    assert!(Policy::parse(&policy(n - 1)).is_ok());
    assert_eq!(Policy::parse(&policy(n)), Err(PolicyError::TooLong { bytes: n }));
    let of_length = |n: usize| format!("version = 1\n{}", "#".repeat(n - 12));
    assert!(Anchors::parse(&of_length(n - 1)).is_ok());
    assert_eq!(Anchors::parse(&of_length(n)), Err(AnchorsError::TooLong { bytes: n }));
}

/// One key in two roles would make an auditor and a host one party.
#[test]
fn one_key_for_two_principals_is_refused() {
    let text = principals() + &principal("auditor", "host");
    assert!(matches!(refused(&text), AnchorsError::RepeatedKey { .. }));
    let same_name = principals() + &principal("host", "twin").replace("name = \"twin\"", "name = \"host\"");
    assert!(matches!(refused(&same_name), AnchorsError::RepeatedName { .. }));
}

#[test]
fn provenance_takes_its_own_fields_only() {
    let vk = VkDigest([1; 32]);
    let with = |provenance: &str| principals() + &anchored_key(vk, provenance);
    for good in [
        "\"development\"",
        &set_up_by("auditor"),
        "\"ceremony\"\ntranscript = \"a\"\ncontributors = 1\nbeacon = \"b\"",
    ] {
        assert!(Anchors::parse(&with(good)).is_ok(), "{good}");
    }
    for bad in [
        "\"auditor\"",
        "\"ceremony\"",
        "\"ceremony\"\ntranscript = \"a\"\ncontributors = 0\nbeacon = \"b\"",
        &set_up_by("auditor").replace("\"auditor\"\n", "\"development\"\n"),
        &format!("{}\ntranscript = \"a\"", set_up_by("auditor")),
        &format!("{}\ncontributors = 1", set_up_by("auditor")),
        &format!("{}\nbeacon = \"b\"", set_up_by("auditor")),
        "\"development\"\ntranscript = \"a\"",
        "\"development\"\ncontributors = 1",
        "\"development\"\nbeacon = \"b\"",
        &format!(
            "\"ceremony\"\nauditor = \"{}\"\ntranscript = \"a\"\ncontributors = 1\nbeacon = \"b\"",
            hex("auditor")
        ),
        "\"ceremony\"\ncontributors = 1\nbeacon = \"b\"",
        "\"ceremony\"\ntranscript = \"a\"\nbeacon = \"b\"",
        "\"ceremony\"\ntranscript = \"a\"\ncontributors = 1",
    ] {
        assert!(matches!(refused(&with(bad)), AnchorsError::ProvenanceFields { .. }), "{bad}");
    }
    assert!(matches!(refused(&with(&set_up_by("mallory"))), AnchorsError::UnknownAuditor { .. }));
    // A host is not an auditor.
    assert!(matches!(refused(&with(&set_up_by("host"))), AnchorsError::UnknownAuditor { .. }));
}

#[test]
fn a_verifying_key_has_one_entry_and_a_possible_class() {
    let vk = VkDigest([1; 32]);
    let twice =
        principals() + &anchored_key(vk, "\"development\"") + &anchored_key(vk, &set_up_by("auditor"));
    assert!(matches!(refused(&twice), AnchorsError::RepeatedVerifyingKey { .. }));
    let class = |samples: u32, depth: u32| {
        let entry = anchored_key(vk, "\"development\"");
        principals()
            + &entry.replace("samples = 1, depth = 3", &format!("samples = {samples}, depth = {depth}"))
    };
    for (samples, depth) in [(1, 2), (1, 9), (0, 3), (1025, 3)] {
        assert!(matches!(refused(&class(samples, depth)), AnchorsError::Class { .. }), "{samples}, {depth}");
    }
    for (samples, depth) in [(1, 3), (1, 8), (1024, 3)] {
        assert!(Anchors::parse(&class(samples, depth)).is_ok(), "{samples}, {depth}");
    }
}

/// T18: a name that could move the cursor, break a line or reorder text is no name.
#[test]
fn t18_unprintable_names_are_refused() {
    for bad in ["\\u001b[1mx", "a\\nb", "a\\rb", "\\u202ePASS", "\\u200b", "\\u009b2J", " ", ""] {
        let text = principals() + &principal("host", "new").replace("\"new\"", &format!("\"{bad}\""));
        assert!(matches!(refused(&text), AnchorsError::Name { .. }), "{bad}");
    }
    // The other fields that are shown, alike.
    for field in ["provider", "site", "country", "law"] {
        let with = |v: &str| principals() + &principal("host", "new") + &format!("{field} = \"{v}\"\n");
        assert!(
            matches!(refused(&with("a\\nPASS")), AnchorsError::Name { field: found, .. } if found == field)
        );
        assert!(Anchors::parse(&with("PASS")).is_ok());
    }
    for field in ["transcript", "beacon"] {
        let key = "\"ceremony\"\ntranscript = \"x\"\ncontributors = 2\nbeacon = \"x\"";
        let with = |v: &str| {
            let key = key.replace(&format!("{field} = \"x\""), &format!("{field} = \"{v}\""));
            principals() + &anchored_key(VkDigest([1; 32]), &key)
        };
        assert!(
            matches!(refused(&with("a\\nPASS")), AnchorsError::Name { field: found, .. } if found == field)
        );
        assert!(Anchors::parse(&with("PASS")).is_ok());
    }
    assert!(Anchors::parse(&(principals() + &principal("host", "Zürich 東京 1"))).is_ok());
    assert!(Anchors::parse(&(principals() + &principal("host", &"x".repeat(64)))).is_ok());
    refused(&(principals() + &principal("host", &"x".repeat(65))));
}
