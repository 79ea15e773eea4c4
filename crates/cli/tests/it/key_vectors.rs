//! `test-vectors/keys/v1` through the program: key files and texts made from the specification by reference/python, and what is none. The age file is judged where
//! it can be made again, in src/age_file.rs.

use std::fs;
use std::path::Path;

use bailiwick_envelope::RecipientPublicKey;
use bailiwick_protocol::key_file::KeyFile;
use bailiwick_protocol::key_text::{TextKind, from_text};
use serde_json::Value;

use super::program::Place;

/// What `key show` says of a file or a text.
fn shown(place: &Place, key: &str) -> Value {
    serde_json::from_slice(&place.run(&["key", "show", key, "--json"])).unwrap()
}

fn show_file(place: &Place, text: &str) -> Value {
    fs::write(place.path("key"), text).unwrap();
    shown(place, "key")
}

fn text_of<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap()
}

fn judge(place: &Place, name: &str, kind: &str, case: &Value) {
    let same = |shown: &Value, fields: &[&str]| {
        for field in fields {
            assert_eq!(shown[field], case[field], "{name}: {field}");
        }
    };
    match kind {
        "key" => {
            let all = ["kind", "algorithm", "public", "fingerprint", "text", "words"];
            same(&show_file(place, text_of(case, "file")), &all);
            same(&show_file(place, text_of(case, "public_file")), &all);
            same(&shown(place, text_of(case, "text")), &all);
        }
        "file" => {
            let text = text_of(case, "file");
            same(&show_file(place, text), &["kind", "algorithm", "public"]);
            let parsed = KeyFile::parse(text).unwrap();
            let secret = parsed.secret.map(|s| hex::encode(s.expose_secret()));
            assert_eq!(
                (secret.as_deref(), parsed.agent),
                (case["secret"].as_str(), case["agent"].as_str()),
                "{name}"
            );
        }
        "refused-file" => {
            fs::write(place.path("key"), text_of(case, "file")).unwrap();
            let out = place.try_run(&["key", "show", "key"]);
            assert_eq!((out.status.code(), out.stdout.len()), (Some(2), 0), "{name}");
        }
        "refused-text" => {
            let text = text_of(case, "text");
            // A text that cannot be one is taken for the name of a file, so it is read here, too.
            let read = from_text(text).is_ok_and(|(kind, bytes)| match kind {
                TextKind::Recipient(kem) => RecipientPublicKey::from_bytes(kem, &bytes).is_ok(),
                _ => true,
            });
            assert!(!read, "{name}");
            let out = place.try_run(&["key", "show", text]);
            assert_eq!((out.status.code(), out.stdout.len()), (Some(2), 0), "{name}");
        }
        other => assert_eq!(other, "age", "{name}"),
    }
}

/// E20, E21, E22: every vector.
#[test]
fn e22_every_vector_of_keys() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test-vectors/keys/v1");
    let (place, mut seen) = (Place::new(), 0);
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let vector: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let [(kind, case)] = &*vector["case"].as_object().unwrap().iter().collect::<Vec<_>>() else {
            panic!("{}: one case a file", path.display())
        };
        judge(&place, &path.file_name().unwrap().to_string_lossy(), kind, case);
        seen += 1;
    }
    assert!(seen >= 80, "{seen} vectors");
}
