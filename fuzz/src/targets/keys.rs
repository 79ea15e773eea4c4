//! Key files.

use bailiwick_envelope::RecipientPublicKey;
use bailiwick_protocol::envelope::Kem;
use bailiwick_protocol::key_file::KeyFile;
use bailiwick_protocol::secret::Secret;

/// What is accepted says the same when it is written and read again; its public key is checked, too.
pub(super) fn key_file(data: &[u8]) -> bool {
    let Ok(file) = core::str::from_utf8(data).map_err(drop).and_then(|t| KeyFile::parse(t).map_err(drop))
    else {
        return false;
    };
    let text = file.to_text();
    assert_eq!(KeyFile::parse(&text).as_ref(), Ok(&file));
    for kem in [Kem::X25519, Kem::XWing] {
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
