//! Sealed bodies and their envelopes, opened by a recipient.

use std::sync::LazyLock;

use bailiwick_envelope::{Metadata, Opener, Padding, RecipientSecretKey, SealOptions, seal};
use bailiwick_protocol::codec::Canonical;
use bailiwick_protocol::envelope::Kem;
use bailiwick_protocol::ids::{ObjectId, OwnerKey, Unit};
use bailiwick_protocol::secret::Secret;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::messages::key;

struct Sealed {
    envelope: Vec<u8>,
    body: Vec<u8>,
    data: Vec<u8>,
}

/// Two chunks, so that a chunk can be dropped, repeated or moved.
static SEALED: LazyLock<Sealed> = LazyLock::new(|| {
    let data: Vec<u8> = (0u8..=255).cycle().take(20_000).collect();
    let options = SealOptions {
        owner: pinned(),
        object: ObjectId([2; 16]),
        unit: Unit::WHOLE,
        recipients: &[recipient().public()],
        passphrase: None,
        anonymous: false,
        metadata: Metadata { name: "a".to_owned(), media_type: String::new() },
        padding: Padding::Padme,
    };
    let mut body = Vec::new();
    let mut rng = ChaCha20Rng::from_seed([3; 32]);
    let sealed = seal(data.as_slice(), &mut body, &options, &mut rng).expect("memory can be sealed");
    let envelope = sealed.envelope(None, &key(1)).expect("a fresh body has an envelope").to_bytes();
    Sealed { envelope, body, data }
});

fn pinned() -> OwnerKey {
    OwnerKey(key(1).public())
}

fn recipient() -> RecipientSecretKey {
    RecipientSecretKey::from_bytes(Kem::X25519, Secret::init_with(|b| b.fill(4)))
        .expect("every value is an X25519 key")
}

/// Only the sealed body opens, and it opens to what was sealed.
pub(super) fn body(data: &[u8]) -> bool {
    let opener =
        Opener::new(&pinned(), &SEALED.envelope, &[recipient()]).expect("the envelope is the signed one");
    let mut out = Vec::new();
    let opened = opener.open(data, &mut out).is_ok();
    if opened {
        assert!(data == SEALED.body && out == SEALED.data, "a changed body opens");
    }
    // Ranges promise less, but they must not panic either.
    let mut range = Vec::new();
    let _ = opener.open_range(&mut &data[..], 16_000, 1_000, &mut range);
    opened
}

pub(super) fn body_seeds() -> Vec<Vec<u8>> {
    vec![SEALED.body.clone()]
}

/// Only the signed envelope opens under the pinned owner.
pub(super) fn envelope(data: &[u8]) -> bool {
    let opened = Opener::new(&pinned(), data, &[recipient()]).is_ok();
    assert!(!opened || data == SEALED.envelope, "a changed envelope opens");
    opened
}

pub(super) fn envelope_seeds() -> Vec<Vec<u8>> {
    vec![SEALED.envelope.clone()]
}
