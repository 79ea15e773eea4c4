//! Key files: the form, and that no text makes reading one panic or show a secret.

use bailiwick_protocol::key_file::{KEY_FILE_BYTES_MAX, KeyFile, KeyFileError};
use bailiwick_protocol::secret::Secret;
use proptest::prelude::*;

fn secret(byte: u8) -> Secret<32> {
    Secret::init_with(|b| *b = [byte; 32])
}

fn honest() -> String {
    let file = KeyFile {
        kind: "owner",
        algorithm: "ed25519",
        public: vec![0xab; 32],
        fingerprint: Some("cd"),
        secret: Some(secret(0x5e)),
        agent: None,
    };
    file.to_text().to_string()
}

#[track_caller]
fn refused(text: &str, expected: KeyFileError) {
    let found = KeyFile::parse(text).unwrap_err();
    assert_eq!(found, expected, "{text}");
    assert!(!format!("{found} {found:?}").contains("5e5e"), "the error shows the secret");
}

#[test]
fn the_honest_file_is_read_as_it_was_written() {
    let text = honest();
    let file = KeyFile::parse(&text).unwrap();
    assert_eq!((file.kind, file.algorithm, file.fingerprint), ("owner", "ed25519", Some("cd")));
    assert_eq!((file.public.as_slice(), &file.secret), (&[0xab; 32][..], &Some(secret(0x5e))));
    assert!(!format!("{file:?}").contains("94"), "Debug shows the secret");
    // Without the secret line it is the `.pub` file; comments, blank lines and spaces are nothing.
    let public: String = text.lines().skip(2).map(|l| format!("  {l} \r\n\n# x = \"y\n")).collect();
    assert_eq!(KeyFile::parse(&public).unwrap(), KeyFile { secret: None, ..file });
}

#[test]
fn each_line_stands_once_and_in_quotes() {
    let text = honest();
    for (at, line) in text.lines().enumerate().filter(|(_, l)| !l.starts_with('#')) {
        let last = text.lines().count() + 1;
        refused(&format!("{text}{line}\n"), KeyFileError::Line { line: last });
        let name = line.split(' ').next().unwrap();
        if name != "version" {
            let here = KeyFileError::Line { line: at + 1 };
            refused(&text.replace(&format!("{name} = \""), &format!("{name} = ")), here);
            refused(&text.replace(line, line.trim_end_matches('"')), here);
            refused(&text.replace(line, &format!("{line} x")), here);
            refused(&text.replace(line, &format!("{line}\"")), here);
            refused(&text.replace(&format!("{name} ="), name), here);
        }
        let without: String = text.lines().filter(|l| *l != line).map(|l| format!("{l}\n")).collect();
        match name {
            "secret" | "fingerprint" => assert!(KeyFile::parse(&without).is_ok()),
            "public" => refused(&without, KeyFileError::Missing("public key")),
            "kind" => refused(&without, KeyFileError::Missing("kind")),
            "algorithm" => refused(&without, KeyFileError::Missing("algorithm")),
            _ => refused(&without, KeyFileError::Missing("version")),
        }
    }
    refused(&format!("{text}extra = \"1\"\n"), KeyFileError::Line { line: 9 });
    refused(&text.replace("version = 1", "version = 2"), KeyFileError::Version { line: 4 });
    refused(&text.replace("version = 1", "version = \"1\""), KeyFileError::Version { line: 4 });
}

#[test]
fn keys_are_hexadecimal_of_their_length() {
    let text = honest();
    for bad in
        ["5e".repeat(31), "5e".repeat(33), "5e".repeat(31) + "5", "5e".repeat(31) + "zz", String::new()]
    {
        refused(&text.replace(&"5e".repeat(32), &bad), KeyFileError::Secret);
    }
    for bad in ["abc", "xy", "\u{e4}"] {
        refused(&text.replace(&"ab".repeat(32), bad), KeyFileError::Public);
    }
}

/// Y3a, C7: one spelling.
#[test]
fn keys_in_upper_case_are_refused() {
    let text = honest();
    assert!(KeyFile::parse(&text).is_ok());
    let one_letter = |pair: &str| pair.repeat(31) + &pair.to_uppercase();
    for digits in ["5E".repeat(32), one_letter("5e")] {
        refused(&text.replace(&"5e".repeat(32), &digits), KeyFileError::Secret);
    }
    for digits in ["AB".repeat(32), one_letter("ab")] {
        refused(&text.replace(&"ab".repeat(32), &digits), KeyFileError::Public);
    }
}

#[test]
fn a_file_beyond_the_limit_is_refused() {
    let text = honest();
    let padded = |n: usize| format!("{text}{}", "#".repeat(n - text.len()));
    assert!(KeyFile::parse(&padded(KEY_FILE_BYTES_MAX)).is_ok());
    let bytes = KEY_FILE_BYTES_MAX + 1;
    refused(&padded(bytes), KeyFileError::TooLong { bytes });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(
        kind in "[a-z0-9 #=-]{0,20}[a-z]", algorithm in "[a-z0-9-]{0,20}", fingerprint in proptest::option::of("[0-9a-f]{0,64}"),
        public in prop::collection::vec(any::<u8>(), 0..1300), seed in proptest::option::of(any::<u8>()),
    ) {
        let file = KeyFile {
            kind: &kind, algorithm: &algorithm, public, fingerprint: fingerprint.as_deref(), secret: seed.map(secret),
            agent: None,
        };
        let text = file.to_text();
        prop_assert_eq!(KeyFile::parse(&text), Ok(file));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = KeyFile::parse(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_lines_make_it_panic(lines in prop::collection::vec(
        prop_oneof![
            "(secret|public|kind|algorithm|fingerprint|version|#)? ?=? ?[\"=#]{0,2}[0-9a-zA-Z \u{e4}]{0,70}\"{0,2}",
            Just("version = 1".to_owned()),
        ], 0..10,
    )) {
        let text = lines.join("\n");
        if let Ok(file) = KeyFile::parse(&text) {
            let again = file.to_text();
            prop_assert_eq!(KeyFile::parse(&again), Ok(file));
        }
    }
}

#[test]
fn an_agent_stands_instead_of_a_secret_and_names_no_path() {
    let public: String = honest().lines().skip(2).map(|l| format!("{l}\n")).collect();
    let with = |name: &str| format!("{public}agent = \"{name}\"\n");
    let text = with("pkcs11");
    let file = KeyFile::parse(&text).unwrap();
    assert_eq!(file.agent, Some("pkcs11"));
    assert_eq!(KeyFile::parse(&file.to_text()).unwrap(), file);
    for bad in ["", "../sh", "a/b", "A", "-a", "a-", "a b", &"a".repeat(33)] {
        refused(&with(bad), KeyFileError::Agent);
    }
    refused(&format!("{}agent = \"pkcs11\"\n", honest()), KeyFileError::Agent);
}
