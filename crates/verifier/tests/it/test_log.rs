//! A small transparency log with witnesses, made by hand from the C2SP documents.

use bailiwick_protocol::dossier::Logged;
use bailiwick_protocol::signing::SigningKey;
use bailiwick_translog::{Hash, SignatureKind, TlogProof, VerifierKey, leaf_hash, node_hash};
use base64::Engine as _;

use crate::world::key;

pub(crate) const LOG: &str = "log.example/audits";

fn vkey(name: &str, kind: SignatureKind) -> VerifierKey {
    VerifierKey::new(name, kind, key(name).public()).unwrap()
}

pub(crate) fn anchors(witnesses: &[&str]) -> String {
    let list: Vec<String> =
        witnesses.iter().map(|w| format!("\"{}\"", vkey(w, SignatureKind::Cosignature))).collect();
    format!("[log]\nkey = \"{}\"\nwitnesses = [{}]\n", vkey(LOG, SignatureKind::Ed25519), list.join(", "))
}

fn line(key: &VerifierKey, bytes: &[u8]) -> String {
    let field = [key.id().as_slice(), bytes].concat();
    format!("\u{2014} {} {}\n", key.name(), base64::engine::general_purpose::STANDARD.encode(field))
}

fn sign(key: &SigningKey, message: &str) -> [u8; 64] {
    key.sign_raw(message.as_bytes()).0
}

/// Entries in order, and which witnesses sign.
pub(crate) struct TestLog {
    leaves: Vec<Hash>,
    pub(crate) witnesses: Vec<&'static str>,
}

fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [one] => *one,
        _ => {
            let k = leaves.len().next_power_of_two() / 2;
            node_hash(&root(&leaves[..k]), &root(&leaves[k..]))
        }
    }
}

fn path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let k = leaves.len().next_power_of_two() / 2;
    if index < k {
        let mut p = path(index, &leaves[..k]);
        p.push(root(&leaves[k..]));
        p
    } else {
        let mut p = path(index - k, &leaves[k..]);
        p.push(root(&leaves[..k]));
        p
    }
}

impl TestLog {
    pub(crate) fn new() -> Self {
        // Another project's entry first, so that no index is 0 by accident.
        Self { leaves: vec![leaf_hash(b"somebody else's entry")], witnesses: vec!["w1", "w2"] }
    }

    /// Enters a batch at one moment (seconds) and gives a proof of each.
    pub(crate) fn enter(&mut self, entries: &[Vec<u8>], seconds: u64) -> Vec<Logged> {
        let first = self.leaves.len();
        self.leaves.extend(entries.iter().map(|e| leaf_hash(e)));
        let checkpoint = self.checkpoint(seconds);
        let proof = |(i, entry): (usize, &Vec<u8>)| Logged {
            entry: entry.clone(),
            proof: TlogProof {
                extra: None,
                index: (first + i) as u64,
                path: path(first + i, &self.leaves),
                checkpoint: checkpoint.clone(),
            }
            .to_bytes(),
        };
        entries.iter().enumerate().map(proof).collect()
    }

    pub(crate) fn checkpoint(&self, seconds: u64) -> Vec<u8> {
        let text = format!("{LOG}\n{}\n{}\n", self.leaves.len(), root(&self.leaves).to_base64());
        let mut note = format!("{text}\n");
        note += &line(&vkey(LOG, SignatureKind::Ed25519), &sign(&key(LOG), &text));
        for w in &self.witnesses {
            let signature = sign(&key(w), &format!("cosignature/v1\ntime {seconds}\n{text}"));
            let bytes = [seconds.to_be_bytes().as_slice(), &signature].concat();
            note += &line(&vkey(w, SignatureKind::Cosignature), &bytes);
        }
        note.into_bytes()
    }
}
