//! Every way a text is refused, with its line.

use bailiwick_roster::{Fault, Field, Role, TomlError};

use super::case::{parse, public, text, with};

/// The line (from 1) of the first place of `what`.
fn line_of(text: &str, what: &str) -> usize {
    1 + text[..text.find(what).unwrap()].matches('\n').count()
}

/// Refused for `fault` on the line of `mark`.
fn refused(text: &str, mark: &str, fault: Fault) {
    match parse(text) {
        Err(TomlError::Fault { line, fault: found, .. }) => {
            assert_eq!((line, found), (line_of(text, mark), fault));
        }
        other => panic!("{fault:?}: {other:?}"),
    }
}

/// Refused by the parser with `words` on the line of `mark`.
fn malformed(text: &str, mark: &str, words: &str) {
    match parse(text) {
        Err(TomlError::Toml { line, message, .. }) => {
            assert_eq!(line, line_of(text, mark), "{message}");
            assert!(message.contains(words), "{message:?} must say {words:?}");
        }
        other => panic!("{words:?}: {other:?}"),
    }
}

#[test]
fn a_roster_is_read_and_sorted() {
    let r = parse(&text()).unwrap();
    let names: Vec<_> = r.principals.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["Alice", "Tokyo 1", "Vendor"]);
    let tokyo = r.principal("Tokyo 1").unwrap();
    assert_eq!(tokyo.role, Role::Host);
    assert_eq!((tokyo.country.as_str(), tokyo.law.as_str()), ("JP", "US"));
    assert_eq!(tokyo.parent.as_ref().unwrap().name.as_deref(), Some("Cloud Holdings"));
    // 2026-12-01 to the roster's own end.
    assert_eq!(
        (tokyo.valid_from_unix_ms, tokyo.valid_until_unix_ms),
        (1_796_083_200_000, r.valid_until_unix_ms)
    );
    assert!(!tokyo.is_valid_at(1_796_083_199_999) && tokyo.is_valid_at(1_796_083_200_000));
    assert!(!tokyo.is_valid_at(r.valid_until_unix_ms), "the end is exclusive");
    assert_eq!(r.principal("Alice").unwrap().law.as_str(), "EU");
    assert!(r.principal("alice").is_none());
}

#[test]
fn the_order_of_the_text_does_not_matter() {
    let (head, rest) = text().split_once("[[principal]]").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let mut parts: Vec<_> = rest.split("[[principal]]").collect();
    parts.reverse();
    let turned = parts.iter().fold(head, |t, p| t + "[[principal]]" + p + "\n");
    assert_eq!(parse(&turned).unwrap(), parse(&text()).unwrap());
}

#[test]
fn unknown_missing_and_repeated_keys_are_refused() {
    malformed(&with("number = 1", "number = 1\ncolour = 1"), "colour", "unknown field `colour`");
    malformed(&with("site = \"Tokyo\"", "sight = \"Tokyo\""), "sight", "unknown field `sight`");
    malformed(
        &with("site = \"Tokyo\"", "site = \"Tokyo\"\nsite = \"Kyoto\""),
        "site = \"Kyoto\"",
        "duplicate key",
    );
    let extra =
        with(&format!("public = \"{}\" }}", public(1)), &format!("public = \"{}\", use = 1 }}", public(1)));
    malformed(&extra, "use = 1", "unknown field `use`");
    malformed(&with("country = \"DE\"\n", ""), "[[principal]]\nname = \"Alice\"", "missing field `country`");
}

#[test]
fn values_of_the_wrong_form_are_refused_with_their_line() {
    malformed(&with("country = \"JP\"", "country = \"XX\""), "country = \"XX\"", "ISO 3166-1");
    malformed(&with("country = \"JP\"", "country = \"jp\""), "country = \"jp\"", "ISO 3166-1");
    malformed(&with("country = \"JP\"", "country = \"EU\""), "country = \"EU\"", "ISO 3166-1");
    malformed(&with("parent_law = \"US\"", "parent_law = \"UK\""), "parent_law", "or EU");
    malformed(&with("role = \"host\"", "role = \"PASS\""), "role = \"PASS\"", "unknown variant");
    malformed(&with("number = 1", "number = -1"), "number = -1", "invalid value");
    malformed(&with("latitude_microdeg = 35689500", "latitude_microdeg = 35.6"), "35.6", "invalid type");
    malformed(
        &with("latitude_microdeg = 35689500", "latitude_microdeg = 9999999999"),
        "9999999999",
        "invalid value",
    );
    malformed(&with("number = 1", "number = 1\nprevious = \"ab\""), "previous", "64 lower-case");
}

#[test]
fn moments_are_utc_and_whole() {
    for bad in [
        "2026-11-01",
        "2026-11-01T00:00:00",
        "2026-11-01T00:00:00+09:00",
        "12:00:00",
        "1969-12-31T23:59:59Z",
        "2026-11-01T00:00:60Z",
        "2026-11-01T00:00:00.0001Z",
    ] {
        let text = with("issued = 2026-11-01T00:00:00Z", &format!("issued = {bad}"));
        assert_eq!(parse(&text), Err(TomlError::Moment { what: "roster", line: 4 }), "{bad}");
    }
    assert!(parse(&with("issued = 2026-11-01T00:00:00Z", "issued = 2026-02-30T00:00:00Z")).is_err());
    assert!(
        parse(&with("issued = 2026-11-01T00:00:00Z", "issued = 1793491200000")).is_err(),
        "a bare number"
    );
    let r = parse(&with("issued = 2026-11-01T00:00:00Z", "issued = 2026-11-01T00:00:00.250Z")).unwrap();
    assert_eq!(r.issued_unix_ms, 1_793_491_200_250);
}

#[test]
fn validity_must_begin_before_it_ends() {
    let mark = "valid_until = 2026-11-01T00:00:00Z";
    refused(&with("valid_until = 2027-11-01T00:00:00Z", mark), mark, Fault::RosterTimes);
    let from = with("valid_from = 2026-12-01T00:00:00Z", "valid_from = 2027-11-01T00:00:00Z");
    refused(&from, "\"Tokyo 1\"", Fault::PrincipalTimes);
}

#[test]
fn numbers_start_at_one() {
    refused(&with("number = 1", "number = 0"), "number = 0", Fault::Number);
    assert_eq!(parse(&with("number = 1", "number = 9223372036854775807")).unwrap().number, (1 << 63) - 1);
}

#[test]
fn formats_of_the_future_are_refused() {
    let refused = parse(&with("format = 1", "format = 2"));
    assert_eq!(refused, Err(TomlError::Format { what: "roster", line: 1, found: 2, known: 1 }));
}

#[test]
fn coordinates_are_bounded_and_come_in_pairs() {
    let lat = |v: &str| with("latitude_microdeg = 35689500", v);
    refused(&lat("latitude_microdeg = 90000001"), "\"Tokyo 1\"", Fault::Latitude);
    refused(&lat("latitude_microdeg = -90000001"), "\"Tokyo 1\"", Fault::Latitude);
    refused(&lat(""), "\"Tokyo 1\"", Fault::HalfCoordinates);
    parse(&lat("latitude_microdeg = -90000000")).unwrap();
    let lon = |v: &str| with("longitude_microdeg = 139691700", v);
    refused(&lon("longitude_microdeg = -180000001"), "\"Tokyo 1\"", Fault::Longitude);
    parse(&lon("longitude_microdeg = -180000000")).unwrap();
}

#[test]
fn names_are_unique_in_any_case() {
    let text = with("name = \"Vendor\"", "name = \"TOKYO 1\"").replace("[\"Vendor\"]", "[]");
    match parse(&text) {
        Err(TomlError::Fault { line, fault: Fault::RepeatedName, first, .. }) => {
            assert_eq!((line, first), (line_of(&text, "TOKYO 1"), Some(line_of(&text, "Tokyo 1"))));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn firms_have_one_spelling() {
    let text = with("country = \"DE\"", "provider = \"CLOUD\"\ncountry = \"DE\"");
    refused(&text, "\"Alice\"", Fault::FirmSpelling);
    parse(&with("country = \"DE\"", "provider = \"Cloud\"\ncountry = \"DE\"")).unwrap();
}

#[test]
fn a_key_belongs_to_one_principal() {
    let text = text().replace(&public(2), &public(1));
    match parse(&text) {
        Err(TomlError::Fault { line, fault: Fault::RepeatedKey, first, .. }) => {
            assert_eq!((line, first), (line_of(&text, "name = \"Alice\"") + 2, Some(10)));
        }
        other => panic!("{other:?}"),
    }
    // Nor to two uses: the same 32 bytes for signatures and for encapsulation.
    let both = with(
        &format!("{{ kind = \"ed25519\", public = \"{}\" }}", public(2)),
        &format!(
            "{{ kind = \"ed25519\", public = \"{0}\" }}, {{ kind = \"x25519\", public = \"{0}\" }}",
            public(2)
        ),
    );
    refused(&both, &public(2), Fault::RepeatedKey);
}

/// A point of small order is no key; nor are bytes of another length or alphabet.
#[test]
fn weak_and_malformed_keys_are_refused() {
    let one = format!("01{}", "00".repeat(31));
    let no_point = format!("02{}", "00".repeat(31));
    for bad in
        [one, no_point, "00".repeat(32), "ab".repeat(31), "AB".repeat(32), "zz".repeat(32), String::new()]
    {
        let text = text().replace(&public(1), &bad);
        refused(&text, "keys = [{ kind", Fault::Key);
    }
    let short =
        with(&format!("ed25519\", public = \"{}", public(1)), &format!("x-wing\", public = \"{}", public(1)));
    refused(&short, "keys = [{ kind", Fault::Key);
}

#[test]
fn roles_have_the_keys_they_need() {
    let keys = format!("keys = [{{ kind = \"ed25519\", public = \"{}\" }}]\n", public(2));
    refused(&with(&keys, ""), "\"Alice\"", Fault::MissingKey);
    for (role, kind) in [
        ("owner", "ed25519"),
        ("host", "ed25519"),
        ("prober", "ed25519"),
        ("landmark", "ed25519"),
        ("auditor", "ed25519"),
        ("witness", "ed25519"),
        ("recipient", "x25519"),
        ("custodian", "ristretto255"),
    ] {
        let role_is = |t: String| t.replace("role = \"owner\"", &format!("role = \"{role}\""));
        let of = |kind| with(&keys, &keys.replace("ed25519", kind));
        parse(&role_is(of(kind))).unwrap();
        let other = if kind == "ed25519" { "x25519" } else { "ed25519" };
        refused(&role_is(of(other)), "\"Alice\"", Fault::MissingKey);
    }
    let x_wing = with(
        &format!("ed25519\", public = \"{}\"", public(2)),
        &format!("x-wing\", public = \"{}\"", "5a".repeat(1216)),
    );
    parse(&x_wing.replace("role = \"owner\"", "role = \"recipient\"")).unwrap();
    // P-256: uncompressed only.
    let p256 = |first: &str, bytes: usize| {
        let text = format!("p256\", public = \"{first}{}\"", "5a".repeat(bytes - 1));
        with(&format!("ed25519\", public = \"{}\"", public(2)), &text)
            .replace("role = \"owner\"", "role = \"recipient\"")
    };
    parse(&p256("04", 65)).unwrap();
    for (first, bytes) in [("02", 33), ("02", 65), ("04", 64), ("04", 66)] {
        assert!(
            matches!(parse(&p256(first, bytes)), Err(TomlError::Fault { fault: Fault::Key, .. })),
            "{first}, {bytes}"
        );
    }
    for role in ["gateway", "vendor"] {
        parse(&with("role = \"vendor\"", &format!("role = \"{role}\""))).unwrap();
    }
}

#[test]
fn pushers_are_listed_once_and_known() {
    let of = |list: &str| with("[\"Vendor\"]", list);
    refused(&of("[\"Nobody\"]"), "Nobody", Fault::UnknownPusher);
    refused(&of("[\"vendor\"]"), "\"vendor\"]", Fault::UnknownPusher);
    refused(&of("[\"Tokyo 1\"]"), "[\"Tokyo 1\"]", Fault::OwnPusher);
    refused(&of("[\"Vendor\", \"Vendor\"]"), "[\"Vendor\", ", Fault::RepeatedPusher);
    let many: Vec<_> = (0..33).map(|i| format!("\"n{i}\"")).collect();
    refused(&of(&format!("[{}]", many.join(","))), "\"Tokyo 1\"", Fault::PusherCount);
    parse(&of("[\"Vendor\", \"Alice\"]")).unwrap();
}

#[test]
fn a_parent_has_a_law() {
    refused(&with("parent_law = \"US\"\n", ""), "\"Tokyo 1\"", Fault::ParentWithoutLaw);
    let unnamed = parse(&with("parent = \"Cloud Holdings\"\n", "")).unwrap();
    assert_eq!(unnamed.principal("Tokyo 1").unwrap().parent.as_ref().unwrap().name, None);
}

#[test]
fn counts_are_bounded() {
    let (head, _) = text().split_once("[[principal]]").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    refused(&head, "format", Fault::Count);
    let many = |n: usize| {
        (0..n).fold(head.clone(), |t, i| {
            t + &format!(
                "[[principal]]\nname = \"v{i}\"\nrole = \"vendor\"\ncountry = \"JP\"\nlaw = \"JP\"\n"
            )
        })
    };
    assert_eq!(parse(&many(4096)).unwrap().principals.len(), 4096);
    refused(&many(4097), "format", Fault::Count);
    let keys: Vec<_> =
        (1..=9).map(|n| format!("{{ kind = \"ed25519\", public = \"{}\" }}", public(n))).collect();
    let list = |n: usize| {
        let old = format!("[{{ kind = \"ed25519\", public = \"{}\" }}]", public(1));
        let other = with(&old, &format!("[{}]", keys[..n].join(", ")));
        // Alice's key is number 2.
        other.replacen(
            &format!("keys = [{{ kind = \"ed25519\", public = \"{}\" }}]\ncountry = \"DE\"", public(2)),
            &format!("keys = [{{ kind = \"ed25519\", public = \"{}\" }}]\ncountry = \"DE\"", public(99)),
            1,
        )
    };
    parse(&list(8)).unwrap();
    refused(&list(9), "\"Tokyo 1\"", Fault::KeyCount);
}

/// T16: files too long, too deep or not text are errors, found without work in proportion to what they promise.
#[test]
fn t16_hostile_files_are_refused() {
    let long = format!("# {}\n{}", "x".repeat(bailiwick_roster::ROSTER_TOML_BYTES_MAX), text());
    assert!(matches!(parse(&long), Err(TomlError::TooLong { .. })));
    for deep in [
        "[".repeat(100_000),
        format!("a{} = 1", ".a".repeat(100_000)),
        format!("a = {}", "{b=".repeat(50_000)),
    ] {
        assert!(matches!(parse(&deep), Err(TomlError::Toml { .. })));
    }
    for empty in ["", "\0", "\u{feff}", "format = 1"] {
        assert!(matches!(parse(empty), Err(TomlError::Toml { .. })), "{empty:?}");
    }
}

/// T18: what a hostile file makes the parser say moves no cursor and starts no line.
#[test]
fn t18_messages_are_printable() {
    for bad in
        [with("number = 1", "\"a\\u001b[2K\\nPASS\\u202e\" = 1"), with("\"host\"", "\"\\u001b[2K\\nPASS\"")]
    {
        let message = parse(&bad).unwrap_err().to_string();
        let escapes = |c: char| c.is_control() && c != '\n';
        assert!(!message.contains(escapes) && !message.contains('\u{202e}'), "{message:?}");
        assert!(!message.lines().any(|l| l.trim_start().starts_with("PASS")), "{message:?}");
    }
    let r = with("name = \"test\"", "name = \"te\\nst\"");
    refused(&r, "name", Fault::Name(Field::File));
}
