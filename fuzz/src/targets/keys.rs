//! Key files, keys as text, and lines of agents.

use bailiwick_envelope::RecipientPublicKey;
use bailiwick_protocol::agent::{Answer, Refusal, UnwrapRequest};
use bailiwick_protocol::envelope::Kem;
use bailiwick_protocol::key_file::KeyFile;
use bailiwick_protocol::key_text::{TextKind, from_text, to_text};
use bailiwick_protocol::secret::Secret;

/// What is accepted says the same when it is written and read again; its public key is checked, too.
pub(super) fn key_file(data: &[u8]) -> bool {
    let Ok(file) = core::str::from_utf8(data).map_err(drop).and_then(|t| KeyFile::parse(t).map_err(drop))
    else {
        return false;
    };
    let text = file.to_text();
    assert_eq!(KeyFile::parse(&text).as_ref(), Ok(&file));
    for kem in Kem::ALL {
        if let Ok(key) = RecipientPublicKey::from_bytes(kem, &file.public) {
            assert_eq!(key.as_bytes(), file.public);
        }
    }
    true
}

pub(super) fn key_file_seeds() -> Vec<Vec<u8>> {
    let mut file = KeyFile {
        kind: "owner",
        algorithm: "ed25519",
        public: vec![9; 32],
        fingerprint: None,
        secret: Some(Secret::init_with(|b| *b = [7; 32])),
        agent: None,
    };
    let owner = file.to_text().as_bytes().to_vec();
    file = KeyFile { kind: "recipient", algorithm: "x-wing", fingerprint: Some("00"), secret: None, ..file };
    file.public = vec![9; 1216];
    vec![owner, file.to_text().as_bytes().to_vec()]
}

/// What is accepted is the one spelling of its key.
pub(super) fn key_text(data: &[u8]) -> bool {
    let Some((text, (kind, key))) =
        core::str::from_utf8(data).ok().and_then(|t| Some((t, from_text(t).ok()?)))
    else {
        return false;
    };
    assert_eq!(to_text(kind, &key).as_deref(), Ok(text));
    true
}

pub(super) fn key_text_seeds() -> Vec<Vec<u8>> {
    let text =
        |kind: TextKind| to_text(kind, &vec![9; kind.key_bytes()]).expect("the length fits").into_bytes();
    TextKind::ALL.into_iter().map(text).collect()
}

/// A line of either side is the one spelling of what it says.
pub(super) fn agent_line(data: &[u8]) -> bool {
    let Ok(line) = core::str::from_utf8(data) else { return false };
    let request = UnwrapRequest::from_line(line).map(|r| assert_eq!(r.to_line(), line));
    let answer = Answer::from_line(line).map(|a| assert_eq!(a.to_line().as_str(), line));
    request.is_ok() || answer.is_ok()
}

pub(super) fn agent_line_seeds() -> Vec<Vec<u8>> {
    let request = |kem: Kem| {
        let (public, enc) = (vec![1; kem.public_bytes()], vec![2; kem.enc_bytes()]);
        UnwrapRequest { kem, public, enc, ciphertext: vec![3; 48], info: vec![4; 84] }.to_line()
    };
    let mut seeds: Vec<_> = Kem::ALL.into_iter().map(|kem| request(kem).into_bytes()).collect();
    seeds.push(Answer::Key(Secret::init_with(|b| b.fill(5))).to_line().as_bytes().to_vec());
    seeds.push(Answer::Refused(Refusal::Denied, "no".into()).to_line().as_bytes().to_vec());
    seeds
}
