//! Notes, checkpoints, proofs, requests to witnesses, tile paths and key texts of transparency logs.

use bailiwick_translog::witness::{AddCheckpoint, decide};
use bailiwick_translog::{
    LogPolicy, Note, SignedCheckpoint, Tile, TlogProof, VerifierKey, decode_bundle, encode_bundle,
    verify_proof,
};

/// A public log and a public witness (test-vectors/translog/v1).
const LOG: &str =
    "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f";
const WITNESS: &str = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2";
const NOTE: &str = "arche2025h1.staging.ct.transparency.dev\n1432088532\nU7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=\n\n\
    \u{2014} arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=\n\
    \u{2014} remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==\n";
const HASH: &str = "U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=";

fn keys() -> Option<(VerifierKey, VerifierKey)> {
    Some((VerifierKey::parse(LOG).ok()?, VerifierKey::parse(WITNESS).ok()?))
}

/// A note has one spelling; whatever opens under the log's key is the very text the log signed.
pub(super) fn note(data: &[u8]) -> bool {
    let Ok(note) = Note::parse(data) else { return false };
    assert_eq!(note.to_text().as_bytes(), data, "a note has two spellings");
    if let Some((log, witness)) = keys()
        && let Ok(signed) = SignedCheckpoint::open(data, &[log])
    {
        assert_eq!(signed.checkpoint().size, 1_432_088_532, "a forged checkpoint opens");
        // Cosignatures of any form: an answer, never a panic.
        let _ = signed.cosignatures(&[witness]);
    }
    true
}

pub(super) fn note_seeds() -> Vec<Vec<u8>> {
    vec![NOTE.as_bytes().to_vec(), b"hello\n\n\xe2\x80\x94 a AAAAAAA=\n".to_vec()]
}

/// A proof has one spelling, and none of them proves anything about an entry nobody logged.
pub(super) fn proof(data: &[u8]) -> bool {
    let Ok(proof) = TlogProof::parse(data) else { return false };
    assert_eq!(proof.to_bytes(), data, "a proof has two spellings");
    if let Some((log, witness)) = keys()
        && let Ok(policy) = LogPolicy::new(log, vec![witness], 1)
    {
        assert!(verify_proof(data, b"never logged", &policy).is_err(), "a forged proof verifies");
    }
    true
}

pub(super) fn proof_seeds() -> Vec<Vec<u8>> {
    vec![
        format!("c2sp.org/tlog-proof@v1\nextra aGk=\nindex 7\n{HASH}\n{HASH}\n\n{NOTE}").into_bytes(),
        format!("c2sp.org/tlog-proof@v1\nindex 0\n\n{NOTE}").into_bytes(),
    ]
}

/// A request has one spelling, and a witness that knows nothing yet accepts only what the log signed.
pub(super) fn witness_request(data: &[u8]) -> bool {
    let Ok(request) = AddCheckpoint::parse(data) else { return false };
    assert_eq!(request.to_bytes(), data, "a request has two spellings");
    if let Some((log, _)) = keys()
        && let Ok(signed) = decide(&request, &[log], None)
    {
        assert!(request.old_size == 0 && request.proof.is_empty());
        assert_eq!(signed.checkpoint().size, 1_432_088_532, "a forged checkpoint is accepted");
    }
    true
}

pub(super) fn witness_request_seeds() -> Vec<Vec<u8>> {
    vec![format!("old 0\n\n{NOTE}").into_bytes(), format!("old 1000\n{HASH}\n\n{NOTE}").into_bytes()]
}

/// Paths, keys and bundles have one spelling.
pub(super) fn tile(data: &[u8]) -> bool {
    let bundle = decode_bundle(data, 2).is_ok_and(|entries| {
        assert_eq!(encode_bundle(&entries).as_deref(), Ok(data), "a bundle has two spellings");
        true
    });
    let Ok(text) = core::str::from_utf8(data) else { return bundle };
    let path = Tile::parse(text).is_ok_and(|tile| {
        assert_eq!(tile.to_string(), text, "a path has two spellings");
        true
    });
    let key = VerifierKey::parse(text).is_ok_and(|key| {
        assert_eq!(key.to_string(), text, "a key has two spellings");
        true
    });
    bundle || path || key
}

pub(super) fn tile_seeds() -> Vec<Vec<u8>> {
    let texts = ["tile/0/x001/x234/067", "tile/entries/273.p/112", LOG, WITNESS];
    let mut seeds: Vec<Vec<u8>> = texts.iter().map(|t| t.as_bytes().to_vec()).collect();
    seeds.push(vec![0, 1, 7, 0, 2, 8, 9]);
    seeds
}
