//! `test-vectors/kit/v1` through the program: every file is refused with status 2 and the words its expectation has in the kit's README, and nothing is left behind.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use bailiwick_envelope::RecipientSecretKey;
use bailiwick_protocol::envelope::Kem;
use bailiwick_protocol::secret::Secret;

use super::program::Place;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test-vectors/kit/v1")
}

/// Expectation and words, any of which will do, from the README's table.
fn words() -> BTreeMap<String, Vec<String>> {
    let text = fs::read_to_string(folder().join("README.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `")).map(|line| {
        let cells: Vec<_> = line.split('|').collect();
        let words = cells[3].split('`').skip(1).step_by(2).map(str::to_owned).collect();
        (cells[1].trim().trim_matches('`').to_owned(), words)
    });
    rows.collect()
}

/// A secret key file as spec keys has it.
fn write_key(path: &Path, name: &str, secret: &str) {
    let kem = match name {
        "x25519" => Kem::X25519,
        "p256" => Kem::P256,
        "x-wing" => Kem::XWing,
        other => panic!("{other}"),
    };
    let bytes: [u8; 32] = hex::decode(secret).unwrap().try_into().unwrap();
    let key = RecipientSecretKey::from_bytes(kem, Secret::init_with(|b| *b = bytes)).unwrap();
    let public = hex::encode(key.public().as_bytes());
    let text = format!(
        "version = 1\nkind = \"recipient\"\nalgorithm = \"{name}\"\npublic = \"{public}\"\nsecret = \"{secret}\"\n"
    );
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Runs `open` on one file of the kit; true when it opened.
fn run(place: &Place, name: &str, bytes: &[u8], words: &BTreeMap<String, Vec<String>>) -> bool {
    let end = bytes.windows(2).position(|w| w == b"\n\n").unwrap();
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let fields: BTreeMap<_, _> = head.lines().map(|line| line.split_once(": ").unwrap()).collect();
    let (envelope, body) = bytes[end + 2..].split_at(fields["envelope"].parse().unwrap());
    fs::write(place.path("body"), body).unwrap();
    fs::write(place.path("env"), envelope).unwrap();
    let mut arguments = vec!["open", "body", "--envelope", "env", "--owner", fields["owner"]];
    let _ = fs::remove_file(place.path("to"));
    if let Some(key) = fields.get("key") {
        let (kem, secret) = key.split_once(' ').unwrap();
        write_key(&place.path("to"), kem, secret);
        arguments.extend(["--key", "to"]);
    } else {
        fs::write(place.path("to"), fields["passphrase"]).unwrap();
        fs::set_permissions(place.path("to"), fs::Permissions::from_mode(0o600)).unwrap();
        arguments.extend(["--passphrase-file", "to"]);
    }
    // Without a file's name given, the program takes the sealed one.
    if fields["expect"] != "name" {
        arguments.extend(["-o", "out"]);
    }
    let before = place.names();
    let opened = fields["expect"] == "success";
    if opened {
        place.run(&arguments);
        let out = fs::read(place.path("out")).unwrap();
        let released = format!("{} {}", out.len(), blake3::hash(&out).to_hex());
        assert_eq!(released, fields["released"], "{name}");
        fs::remove_file(place.path("out")).unwrap();
    } else {
        let said = place.refuse(&arguments, "error: ");
        let expected = &words[fields["expect"]];
        assert!(
            expected.iter().any(|word| said.contains(word)),
            "{name}: must say {expected:?}, said: {said}"
        );
    }
    assert_eq!(place.names(), before, "{name}: files left behind");
    opened
}

/// E05, E25, E26: the whole kit through the program.
#[test]
fn e05_every_file_of_the_failure_kit() {
    let (place, words) = (Place::new(), words());
    let (mut opened, mut refused) = (0, 0);
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "kit") {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let success = run(&place, &name, &fs::read(&path).unwrap(), &words);
            *if success { &mut opened } else { &mut refused } += 1;
        }
    }
    assert!(refused >= 240 && opened >= 6, "{refused} refused, {opened} opened");
}
