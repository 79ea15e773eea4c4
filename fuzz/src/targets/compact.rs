//! Small values, opened by a recipient.

use std::sync::LazyLock;

use bailiwick_envelope::RecipientSecretKey;
use bailiwick_envelope::compact::{
    BatchOpener, BatchSealer, Context, Options, from_text, open, seal, to_hex, to_text,
};
use bailiwick_protocol::envelope::Kem;
use bailiwick_protocol::secret::Secret;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

fn secrets() -> Vec<RecipientSecretKey> {
    let key = |kem, byte| {
        RecipientSecretKey::from_bytes(kem, Secret::init_with(|b| b.fill(byte)))
            .expect("every byte string is a key")
    };
    vec![key(Kem::X25519, 1), key(Kem::XWing, 2)]
}

fn context() -> Context {
    Context::new("c", "k", "f").expect("short parts")
}

struct Sealed {
    values: Vec<Vec<u8>>,
    header: Vec<u8>,
    of_batch: Vec<u8>,
}

static SEALED: LazyLock<Sealed> = LazyLock::new(|| {
    let mut rng = ChaCha20Rng::from_seed([3; 32]);
    let keys: Vec<_> = secrets().iter().map(RecipientSecretKey::public).collect();
    let mut value = |n: usize| {
        seal(b"value", &context(), &keys[..n], &Options::default(), &mut rng).expect("a value can be sealed")
    };
    let values = vec![value(1), value(2)];
    let mut batch = BatchSealer::new(&context(), &keys, Options::default(), &mut rng).expect("keys are good");
    let of_batch = batch.seal("r", b"value").expect("a value can be sealed");
    Sealed { values, header: batch.header().to_vec(), of_batch }
});

/// Only what was sealed opens; the text forms have one spelling.
pub(super) fn value(data: &[u8]) -> bool {
    if let Ok(text) = core::str::from_utf8(data)
        && let Ok(bytes) = from_text(text)
    {
        assert!(to_text(&bytes) == text || to_hex(&bytes) == text, "two spellings");
    }
    let mut opened = false;
    if let Ok(value) = open(data, &context(), &secrets(), None) {
        assert!(SEALED.values.iter().any(|v| v == data) && *value.value == b"value", "a changed value opens");
        opened = true;
    }
    if BatchOpener::new(data, &context(), &secrets(), None).is_ok() {
        assert!(data == SEALED.header, "a changed header opens");
        opened = true;
    }
    let batch = BatchOpener::new(&SEALED.header, &context(), &secrets(), None).expect("the header is honest");
    if batch.open("r", data).is_ok() {
        assert!(data == SEALED.of_batch, "a changed value of a batch opens");
        opened = true;
    }
    opened
}

pub(super) fn value_seeds() -> Vec<Vec<u8>> {
    let mut seeds = SEALED.values.clone();
    seeds.extend([SEALED.header.clone(), SEALED.of_batch.clone()]);
    seeds
}
