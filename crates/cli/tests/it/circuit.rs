//! `bailiwick circuit check`: about the key that was asked for, or an error.

use std::fs;

use super::program::Place;

/// A folder with an auditor's key of class tiny, and its digest.
fn with_key() -> (Place, String) {
    let place = Place::new();
    place.run(&["key", "new", "auditor", "-o", "auditor"]);
    let made = place.run(&["circuit", "setup", "--class", "tiny", "--auditor", "auditor", "--json"]);
    let made: serde_json::Value = serde_json::from_slice(&made).unwrap();
    let vk = made["vk"].as_str().unwrap().to_owned();
    (place, vk)
}

/// Z10: a good key filed under the digest of another is not an answer about that other.
#[test]
fn z10_a_key_filed_under_another_digest_is_refused() {
    let (place, vk) = with_key();
    place.run(&["circuit", "check", &vk]);
    let other = "ab".repeat(32);
    let file = |name: &str, extension: &str| place.path(&format!("circuit-keys/{name}.{extension}"));
    for extension in ["pk", "transcript"] {
        fs::copy(file(&vk, extension), file(&other, extension)).unwrap();
    }
    let card = fs::read_to_string(file(&vk, "toml")).unwrap();
    fs::write(file(&other, "toml"), card.replace(&vk, &other)).unwrap();
    place.refuse(&["circuit", "check", &other], &format!("is key {vk}"));
    place.run(&["circuit", "check", &vk]);
}

/// Z10: a card that names another circuit, or a class that is not pinned, is refused.
#[test]
fn z10_a_card_of_another_circuit_or_class_is_refused() {
    let (place, vk) = with_key();
    let path = place.path(&format!("circuit-keys/{vk}.toml"));
    let honest = fs::read_to_string(&path).unwrap();
    let card: toml::Table = honest.parse().unwrap();
    let circuit = card["circuit"].as_str().unwrap();
    fs::write(&path, honest.replace(circuit, &"ab".repeat(32))).unwrap();
    place.refuse(&["circuit", "check", &vk], "another circuit");
    for depth in [0, 4, 255] {
        let mut card = card.clone();
        card["class"]["depth"] = depth.into();
        fs::write(&path, card.to_string()).unwrap();
        place.refuse(&["circuit", "check", &vk], "not pinned");
    }
    fs::write(&path, &honest).unwrap();
    place.run(&["circuit", "check", &vk]);
}

/// A contributor's text that is longer than what is read would be another secret than its giver thinks: refused, and nothing written.
#[test]
fn a_contributors_text_is_read_whole_or_refused() {
    let place = Place::new();
    let arguments =
        ["circuit", "ceremony", "contribute", "0.zkey", "1.zkey", "--name", "me", "--text-from-stdin"];
    let said = |bytes: usize| {
        let out = place.run_with_input(&arguments, &vec![b'6'; bytes]);
        assert!(!out.status.success());
        String::from_utf8_lossy(&out.stderr).into_owned()
    };
    assert!(said(4097).contains("longer than 4096 bytes"), "{}", said(4097));
    assert!(said(4096).contains("0.zkey"), "honest twin gets as far as the key: {}", said(4096));
    assert_eq!(place.names(), [""; 0]);
}
