//! Keys as text and fingerprints as words.

use std::fs;

use super::program::Place;

fn shown(place: &Place, key: &str) -> serde_json::Value {
    serde_json::from_slice(&place.run(&["key", "show", key, "--json"])).unwrap()
}

#[test]
fn texts_stand_for_files_everywhere() {
    let place = Place::with_keys();
    let owner = shown(&place, "owner.pub")["text"].as_str().unwrap().to_owned();
    let to = shown(&place, "to.pub")["text"].as_str().unwrap().to_owned();
    assert!(owner.starts_with("bwowner1") && to.starts_with("bwxwing1"));
    fs::write(place.path("plain"), b"data").unwrap();
    place.run(&["seal", "plain", "-o", "body", "--owner", "owner", "--to", &to]);
    place.run(&["open", "body", "--owner", &owner, "--key", "to", "-o", "out"]);
    assert_eq!(fs::read(place.path("out")).unwrap(), b"data");
    // E20: one character wrong is no key, and of another kind is none either.
    let (start, last) = owner.split_at(owner.len() - 1);
    let wrong = format!("{start}{}", if last == "q" { "p" } else { "q" });
    place.refuse(&["open", "body", "--owner", &wrong, "--key", "to", "-o", "out2"], "checksum");
    place.refuse(&["open", "body", "--owner", &to, "--key", "to", "-o", "out2"], "recipient key");
    place.refuse(&["seal", "plain", "-o", "b2", "--owner", "owner", "--to", &owner], "recipient key");
}

#[test]
fn fingerprints_are_compared_as_digits_or_words() {
    let place = Place::with_keys();
    let key = shown(&place, "to.pub");
    let (digits, words) = (key["fingerprint"].as_str().unwrap(), key["words"].as_str().unwrap());
    assert_eq!(words.split(' ').count(), 12);
    for expected in [digits, words] {
        place.run(&["key", "show", "to.pub", "--expect", expected]);
        place.refuse(&["key", "show", "other.pub", "--expect", expected], "another key");
    }
    place.refuse(&["key", "show", "to.pub", "--expect", "abandon"], "12 words");
    let text = String::from_utf8(place.run(&["key", "show", "to.pub", "--words"])).unwrap();
    assert!(text.contains(words));
}
