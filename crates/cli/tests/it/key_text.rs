//! Keys as text and fingerprints as words.

use std::fs;

use bailiwick_protocol::envelope::Kem;
use bailiwick_protocol::key_text::{TextKind, to_text};

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
    let text = place.refuse(&["open", "body", "--owner", &wrong, "--key", "to", "-o", "out2"], "checksum");
    assert!(text.contains(&format!("{wrong} is no public key")), "{text}");
    // Of several the one that is wrong is named; a long one in short.
    let (start, last) = to.split_at(to.len() - 1);
    let wrong = format!("{start}{}", if last == "q" { "p" } else { "q" });
    let among = ["seal", "plain", "-o", "b2", "--owner", "owner", "--to", "other.pub", &wrong, &to];
    let text = place.refuse(&among, "checksum");
    let short = format!("{}…{} is no public key", &wrong[..72], &wrong[wrong.len() - 8..]);
    assert!(text.contains(&short) && !text.contains(&wrong), "{text}");
    place.refuse(&["open", "body", "--owner", &to, "--key", "to", "-o", "out2"], "recipient key");
    place.refuse(&["seal", "plain", "-o", "b2", "--owner", "owner", "--to", &owner], "recipient key");
}

/// A key that fits a line is shown with its text, a longer one is not.
#[test]
fn short_keys_are_shown_with_their_text() {
    let place = Place::new();
    for (algorithm, short) in [("p256", true), ("x25519", true), ("x-wing", false)] {
        let (key, public) = (format!("to-{algorithm}"), format!("to-{algorithm}.pub"));
        let new = place.run(&["key", "new", "recipient", "--algorithm", algorithm, "-o", &key]);
        let (new, text) = (String::from_utf8(new).unwrap(), shown(&place, &public)["text"].clone());
        let show = String::from_utf8(place.run(&["key", "show", &public])).unwrap();
        let line = format!("text         {}\n", text.as_str().unwrap());
        assert_eq!((new.contains(&line), show.contains(&line)), (short, short), "{algorithm}: {show}");
        assert_eq!(show.contains("... ("), !short, "{algorithm}: {show}");
    }
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

/// E22: another encoding of a recipient's key is none, in a file or as text: what is sealed to it opens for nobody, and beside the key it would pass for a second recipient.
#[test]
fn e22_another_encoding_of_a_recipient_key_is_refused() {
    let place = Place::new();
    place.run(&["key", "new", "owner", "-o", "owner"]);
    fs::write(place.path("plain"), b"data").unwrap();
    for (algorithm, kem) in [("x25519", Kem::X25519), ("x-wing", Kem::XWing)] {
        let (key, public) = (format!("to-{algorithm}"), format!("to-{algorithm}.pub"));
        place.run(&["key", "new", "recipient", "--algorithm", algorithm, "-o", &key]);
        let text = fs::read_to_string(place.path(&public)).unwrap();
        let digits =
            text.split('"').find(|v| v.len() >= 64 && v.bytes().all(|b| b.is_ascii_hexdigit())).unwrap();
        let mut bytes = hex::decode(digits).unwrap();
        *bytes.last_mut().unwrap() ^= 0x80;
        let lines = text.lines().filter(|line| !line.starts_with("fingerprint"));
        let alias: Vec<_> = lines.map(|line| line.replace(digits, &hex::encode(&bytes))).collect();
        fs::write(place.path("alias.pub"), alias.join("\n")).unwrap();
        let word = to_text(TextKind::Recipient(kem), &bytes).unwrap();
        for alias in ["alias.pub", &word] {
            let seal = ["seal", "plain", "--owner", "owner", "--to", &public, "--to", alias, "-o", "never"];
            place.refuse(&seal, "not canonical");
        }
        place.run(&[
            "seal",
            "plain",
            "--owner",
            "owner",
            "--to",
            &public,
            "-o",
            &format!("body-{algorithm}"),
        ]);
    }
}
