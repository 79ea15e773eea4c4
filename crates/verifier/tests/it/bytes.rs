//! T16: hostile bundles. An error or a verdict that is not *supported*; never a panic.

use bailiwick_protocol::codec::{Canonical, Encoder};
use bailiwick_verifier::{Claim, EXIT_UNUSABLE, Unusable, Verdict, exit_code_of};

use crate::world::{Scene, sign_payload};

#[track_caller]
fn unusable(s: &Scene, bytes: &[u8]) {
    let outcome = s.verify_bytes(bytes);
    assert!(outcome.is_err(), "judged {bytes:02x?}");
    assert_eq!(exit_code_of(&outcome), EXIT_UNUSABLE);
}

/// T15, T16: empty input and every truncation.
#[test]
fn t16_every_truncation_is_unusable() {
    let s = Scene::honest();
    let bytes = s.bytes();
    for cut in 0..bytes.len() {
        unusable(&s, &bytes[..cut]);
    }
    assert_eq!(exit_code_of(&s.verify_bytes(&bytes)), 0);
}

/// T16: a bit of every byte flipped in transit.
#[test]
fn t16_every_flipped_byte_is_unusable() {
    let s = Scene::honest();
    let bytes = s.bytes();
    for i in 0..bytes.len() {
        let mut bad = bytes.clone();
        bad[i] ^= 1 << (i % 8);
        unusable(&s, &bad);
    }
}

/// T16: an anchored auditor who signs cut payloads.
#[test]
fn t16_signed_truncations_are_unusable() {
    let s = Scene::honest();
    let payload = s.bundle.to_bytes();
    for cut in 0..payload.len() {
        unusable(&s, &sign_payload(&payload[..cut], "auditor"));
    }
    assert_eq!(exit_code_of(&s.verify_bytes(&sign_payload(&payload, "auditor"))), 0);
}

/// T16: an anchored auditor who changes challenge, envelopes or answer and signs the result.
#[test]
fn t16_signed_changes_of_evidence_support_nothing() {
    let s = Scene::honest();
    let payload = s.bundle.to_bytes();
    // What follows the answer (ranges and times) is the auditor's word, which it may choose.
    let mut tail = Encoder::new();
    tail.u64(6);
    tail.u64(s.bundle.asked_unix_ms);
    tail.u64(7);
    tail.u64(s.bundle.answered_unix_ms);
    let ranges = 1 + 1 + 1 + 1 + 1 + 3 + 1 + 1; // key 5, list of one tuple of five small integers
    let evidence = payload.len() - tail.into_bytes().len() - ranges;
    for i in (0..evidence).step_by(3) {
        let mut bad = payload.clone();
        bad[i] ^= 1 << (i % 8);
        if let Ok(report) = s.verify_bytes(&sign_payload(&bad, "auditor")) {
            assert_ne!(report.claim(Claim::Stored).verdict, Verdict::Supported, "byte {i}");
        }
    }
}

/// T16: bytes after the bundle, outside and inside the signature.
#[test]
fn t16_trailing_bytes_are_unusable() {
    let s = Scene::honest();
    unusable(&s, &[s.bytes(), vec![0]].concat());
    unusable(&s, &sign_payload(&[s.bundle.to_bytes(), vec![0]].concat(), "auditor"));
}

/// T16: repeated and unknown keys in the signed map.
#[test]
fn t16_duplicate_and_unknown_keys_are_unusable() {
    let s = Scene::honest();
    let payload = s.bundle.to_bytes();
    assert_eq!(payload[0], 0xa8, "a map of eight");
    // Key 0 (version) twice.
    let twice = [&[0xa9, 0x00, 0x01], &payload[1..]].concat();
    unusable(&s, &sign_payload(&twice, "auditor"));
    // A key 8 that this version does not define.
    let unknown = [&[0xa9], &payload[1..], &[0x08, 0x00]].concat();
    unusable(&s, &sign_payload(&unknown, "auditor"));
}

/// T15: a version of the future.
#[test]
fn t15_unknown_version_is_unusable() {
    let s = Scene::honest();
    let mut payload = s.bundle.to_bytes();
    assert_eq!(payload[1..3], [0x00, 0x01]);
    payload[2] = 0x02;
    let outcome = s.verify_bytes(&sign_payload(&payload, "auditor"));
    assert!(outcome.as_ref().unwrap_err().to_string().contains("unknown version 2"));
    assert_eq!(exit_code_of(&outcome), 2);
}

/// T16: announced lengths far beyond the input allocate nothing and are refused.
#[test]
fn t16_huge_lengths_are_unusable() {
    let s = Scene::honest();
    let huge = [0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    for major in [0x40, 0x80, 0xa0] {
        let mut bytes = huge.to_vec();
        bytes[0] |= major;
        unusable(&s, &bytes);
        unusable(&s, &[&[0x82], bytes.as_slice()].concat());
        unusable(&s, &sign_payload(&bytes, "auditor"));
        unusable(&s, &sign_payload(&[&[0xa8, 0x00, 0x01, 0x01], bytes.as_slice()].concat(), "auditor"));
    }
}

/// T16: deep nesting, where a recursive decoder would overflow its stack.
#[test]
fn t16_deep_nesting_is_unusable() {
    let s = Scene::honest();
    for open in [0x81u8, 0xa1, 0xc0, 0x9f] {
        unusable(&s, &vec![open; 1 << 20]);
        unusable(&s, &sign_payload(&vec![open; 1 << 20], "auditor"));
        unusable(&s, &sign_payload(&[vec![0xa8, 0x00, 0x01, 0x01], vec![open; 1 << 20]].concat(), "auditor"));
    }
}

/// T16: other formats, and text where bytes are due.
#[test]
fn t16_other_formats_are_unusable() {
    let s = Scene::honest();
    for bytes in
        [&b"{\"a\":1,\"a\":2}"[..], b"PASS", b"\xff\xfe\x00", b"<html>", &[0xf6], &[0x82, 0x60, 0x60]]
    {
        unusable(&s, bytes);
    }
    assert!(matches!(s.verify_bytes(b""), Err(Unusable::Bundle(_))));
}
