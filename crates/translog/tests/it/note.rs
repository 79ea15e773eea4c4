//! Signed notes: form, known and unknown keys, one bad line.

use bailiwick_translog::{
    CheckpointError, KeyError, NOTE_BYTES_MAX, Note, NoteError, NoteSigner, SignatureKind, SignedCheckpoint,
    VerifierKey, cosign,
};
use proptest::prelude::*;

use super::fixture::{ORIGIN, key, log_of, log_signer, signer, witness};

fn head() -> SignedCheckpoint {
    log_of(5).1.head().clone()
}

fn open(text: &str, keys: &[VerifierKey]) -> Result<SignedCheckpoint, CheckpointError> {
    SignedCheckpoint::open(text.as_bytes(), keys)
}

/// A line over another checkpoint of the same key.
fn foreign_line(seed: &NoteSigner) -> String {
    let other = log_of(6).1.head().clone();
    match seed.verifier().kind() {
        SignatureKind::Ed25519 => other.note().signatures()[0].to_line(),
        _ => cosign(&other, seed, 9).unwrap().to_line(),
    }
}

#[test]
fn the_honest_checkpoint_opens_and_round_trips() {
    let head = head();
    let text = head.note().to_text();
    let opened = open(&text, &[key(&log_signer())]).unwrap();
    assert_eq!(opened, head);
    assert_eq!(opened.checkpoint().origin, ORIGIN);
    assert_eq!(Note::parse(text.as_bytes()).unwrap().to_text(), text);
}

/// T06: lines of unknown keys are ignored, whatever they hold; without a known one the note is refused.
#[test]
fn t06_unknown_keys_are_ignored_and_do_not_count() {
    let text = head().note().to_text();
    let stranger = signer("stranger.example", SignatureKind::Ed25519, 66);
    assert_eq!(open(&text, &[key(&stranger)]), Err(CheckpointError::Unsigned));
    assert_eq!(open(&text, &[]), Err(CheckpointError::Unsigned));
    let with = format!("{text}{}", "\u{2014} stranger.example AAAAAAAA\n".repeat(20));
    open(&with, &[key(&log_signer())]).unwrap();
}

/// T06: a key that shares the name or the id, but not both, is another key.
#[test]
fn t06_key_id_collision() {
    let text = head().note().to_text();
    // Another key under the same name has another id: its line would be unknown, and the log's line is unknown to it.
    let namesake = signer(ORIGIN, SignatureKind::Ed25519, 67);
    assert_ne!(namesake.verifier().id(), log_signer().verifier().id());
    assert_eq!(open(&text, &[key(&namesake)]), Err(CheckpointError::Unsigned));
    // The log's id under another name.
    let line = head().note().signatures()[0].to_line();
    let renamed = text.clone() + &line.replace(ORIGIN, "other.example");
    open(&renamed, &[key(&log_signer())]).unwrap();
    // Name and id both collide (only the 32 bits of the id are spoofed here): the signature is what decides.
    let bytes = [log_signer().verifier().id().as_slice(), &[0x5a; 64]].concat();
    let spoofed = format!("{text}\u{2014} {ORIGIN} {}\n", base64(&bytes));
    assert_eq!(
        open(&spoofed, &[key(&log_signer())]),
        Err(CheckpointError::Note(NoteError::BadSignature { name: ORIGIN.to_owned() }))
    );
}

fn base64(bytes: &[u8]) -> String {
    bailiwick_translog::TlogProof {
        extra: Some(bytes.to_vec()),
        index: 0,
        path: Vec::new(),
        checkpoint: Vec::new(),
    }
    .to_bytes()
    .split(|b| *b == b'\n')
    .nth(1)
    .map(|l| String::from_utf8(l[6..].to_vec()).unwrap())
    .unwrap()
}

/// T06: two signatures of known keys, one of them bad: the note is refused, before or after the good one.
#[test]
fn t06_two_signatures_one_bad() {
    let (head, w) = (head(), witness(1));
    let good = head.note().to_text();
    for bad_line in [foreign_line(&log_signer()), foreign_line(&w)] {
        let after = format!("{good}{bad_line}");
        let before = good.replacen("\n\n", &format!("\n\n{bad_line}"), 1);
        for text in [after, before] {
            let opened = open(&text, &[key(&log_signer())]);
            let result = opened.and_then(|o| Ok(o.cosignatures(&[key(&w)])?));
            assert!(matches!(result, Err(CheckpointError::Note(NoteError::BadSignature { .. }))), "{text}");
        }
    }
    // The honest twin: two good ones.
    let line = cosign(&head, &w, 1_800_000_000).unwrap().to_line();
    let opened = open(&format!("{good}{line}"), &[key(&log_signer())]).unwrap();
    let found = opened.cosignatures(&[key(&w)]).unwrap();
    assert_eq!((found[0].name.as_str(), found[0].time), ("witness.example/w1", 1_800_000_000));
}

/// A cosignature's time is signed, too; and a witness that signed twice counts once, with its latest time.
#[test]
fn t13_the_time_of_a_cosignature_is_covered() {
    let (head, w) = (head(), witness(1));
    let line = |time| cosign(&head, &w, time).unwrap().to_line();
    let text = head.note().to_text();
    let twice = format!("{text}{}{}", line(7), line(5));
    let found = open(&twice, &[key(&log_signer())]).unwrap().cosignatures(&[key(&w)]).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].time, 7);
    assert!(cosign(&head, &w, 1 << 63).is_none(), "times end at 2^63 - 1");
    // Move the time by one second inside the base64: "AAAA…Bw" is 7, "…CA" 8.
    let bytes = decode(line(7).trim_end().rsplit(' ').next().unwrap());
    let mut moved = bytes.clone();
    moved[11] = 8;
    let forged = format!("{text}\u{2014} witness.example/w1 {}\n", base64(&moved));
    let opened = open(&forged, &[key(&log_signer())]).unwrap();
    opened.cosignatures(&[key(&w)]).unwrap_err();
}

fn decode(text: &str) -> Vec<u8> {
    let proof = format!("c2sp.org/tlog-proof@v1\nextra {text}\nindex 0\n\n");
    bailiwick_translog::TlogProof::parse(proof.as_bytes()).unwrap().extra.unwrap()
}

/// A log's signature is no cosignature, and a cosignature no log's signature.
#[test]
fn kinds_of_signatures_are_not_mixed_up() {
    let head = head();
    assert!(cosign(&head, &log_signer(), 1).is_none());
    let same_name_witness = signer(ORIGIN, SignatureKind::Cosignature, 1);
    let line = cosign(&head, &same_name_witness, 1).unwrap().to_line();
    let only_cosigned = format!("{}\n{line}", head.note().text());
    assert_eq!(open(&only_cosigned, &[key(&log_signer())]), Err(CheckpointError::Unsigned));
    assert_eq!(open(&only_cosigned, &[key(&same_name_witness)]), Err(CheckpointError::Unsigned));
}

/// A key of the right name that signs a checkpoint for another origin.
#[test]
fn another_origin_than_the_keys_name_is_refused() {
    // Another log's key signs its own origin; a reader who renames that key to ours is not fooled.
    let text = head().note().to_text();
    let renamed =
        VerifierKey::new("mirror.example", SignatureKind::Ed25519, *log_signer().verifier().public())
            .unwrap();
    let id = renamed.id();
    let line = head().note().signatures()[0].to_line();
    let signature = decode(line.trim_end().rsplit(' ').next().unwrap());
    let bytes = [id.as_slice(), &signature[4..]].concat();
    let moved = text.replace(&line, &format!("\u{2014} mirror.example {}\n", base64(&bytes)));
    assert_eq!(open(&moved, &[renamed]), Err(CheckpointError::Origin));
}

#[test]
fn forms_that_are_no_notes() {
    let text = head().note().to_text();
    let cases: Vec<(Vec<u8>, NoteError)> = vec![
        (b"".to_vec(), NoteError::NoSignatures),
        (head().note().text().as_bytes().to_vec(), NoteError::NoSignatures),
        (format!("{}\n", head().note().text()).into_bytes(), NoteError::NoSignatures),
        (text.trim_end().as_bytes().to_vec(), NoteError::NoSignatures),
        (format!("{text}\n").into_bytes(), NoteError::NoSignatures),
        (format!("{text}junk\n").into_bytes(), NoteError::Line { line: 2 }),
        (text.replace('\u{2014}', "-").into_bytes(), NoteError::Line { line: 1 }),
        (text.replace('\n', "\r\n").into_bytes(), NoteError::Text),
        ([text.as_bytes(), &[0xff]].concat(), NoteError::Text),
        (text.replace(ORIGIN, "tab\there").into_bytes(), NoteError::Text),
        (format!("{text}{}", "\u{2014} a AAAAAAA=\n".repeat(64)).into_bytes(), NoteError::TooMany),
        (vec![b'x'; NOTE_BYTES_MAX + 1], NoteError::TooLong { len: NOTE_BYTES_MAX + 1 }),
        (format!("{text}\u{2014} a AAAA\n").into_bytes(), NoteError::Line { line: 2 }),
        (format!("{text}\u{2014} a+b AAAAAAA=\n").into_bytes(), NoteError::Line { line: 2 }),
        (format!("{text}\u{2014}  AAAAAAA=\n").into_bytes(), NoteError::Line { line: 2 }),
        (format!("{text}\u{2014} a AAAAAAB=\n").into_bytes(), NoteError::Line { line: 2 }),
    ];
    for (bytes, error) in cases {
        assert_eq!(Note::parse(&bytes), Err(error), "{:?}", String::from_utf8_lossy(&bytes));
    }
    // 16 signatures of 4,666 bytes must be accepted.
    let large = format!("\u{2014} pq.example {}\n", base64(&[7; 4666]));
    let many = format!("{text}{}", large.repeat(16));
    assert_eq!(Note::parse(many.as_bytes()).unwrap().signatures().len(), 17);
}

#[test]
fn key_texts() {
    let seed = bailiwick_protocol::secret::Secret::init_with(|s: &mut [u8; 32]| s.fill(3));
    for kind in [SignatureKind::Ed25519, SignatureKind::Cosignature] {
        let text = NoteSigner::secret_text("log.example/a", kind, &seed).unwrap();
        let signer = NoteSigner::parse(&text).unwrap();
        assert_eq!(VerifierKey::parse(&signer.verifier().to_string()).as_ref(), Ok(signer.verifier()));
        assert!(!format!("{signer:?}").contains(text.rsplit('+').next().unwrap()), "Debug shows no secret");
        for (from, to) in [("PRIVATE+KEY+", ""), ("log.example/a", "log.example/b"), ("log.example/a", "a b")]
        {
            NoteSigner::parse(&text.replacen(from, to, 1)).unwrap_err();
        }
    }
    let good = log_signer().verifier().to_string();
    for (bad, error) in [
        (good.replace(ORIGIN, "x"), KeyError::Id),
        (good.replace(ORIGIN, ""), KeyError::Name),
        (good.replace(ORIGIN, "a b"), KeyError::Name),
        (good.replace(ORIGIN, "a\u{2003}b"), KeyError::Name),
        (good.replace(ORIGIN, "a\u{7}b"), KeyError::Name),
        (good.replace(ORIGIN, &"n".repeat(256)), KeyError::Name),
        (good.replace('+', "-"), KeyError::Form),
        (format!("{good}="), KeyError::Form),
        (good[..good.len() - 4].to_owned(), KeyError::Form),
        (String::new(), KeyError::Form),
        ("a+00000000+AgAA".to_owned(), KeyError::Kind { found: 2 }),
    ] {
        assert_eq!(VerifierKey::parse(&bad), Err(error), "{bad}");
    }
    VerifierKey::parse(&good.to_uppercase()).unwrap_err();
}

proptest! {
    #[test]
    fn notes_round_trip_or_are_refused(bytes in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b' '), any::<u8>()], 0..200)) {
        if let Ok(note) = Note::parse(&bytes) {
            prop_assert_eq!(note.to_text().into_bytes(), bytes);
        }
    }

    #[test]
    fn mutated_notes_never_say_more(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let head = head();
        let mut bytes = head.note().to_text().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        // The only note that opens is the one that was signed.
        prop_assert!(SignedCheckpoint::open(&bytes, &[key(&log_signer())]).is_err());
    }
}
