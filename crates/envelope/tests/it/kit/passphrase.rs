//! E18: an entry under a passphrase that is not the reader's, or not what it commits to.

use bailiwick_protocol::envelope::PassphraseEntry;
use bailiwick_protocol::ids::ObjectId;

use super::{Broken, Case, Honest, PASSPHRASE, Released::All, Released::Nothing, Way, case};
use crate::it::maker::{Passphrase, under_passphrase};

/// Opened with the passphrase, after a change the owner signed.
fn changed(h: &Honest, change: impl FnOnce(&mut PassphraseEntry)) -> Broken {
    let envelope = h.passphrase.resigned(|e| change(e.passphrase.as_mut().unwrap()));
    Broken {
        way: Way::Passphrase(PASSPHRASE.text.into()),
        ..h.passphrase.broken(envelope, h.passphrase.body.clone())
    }
}

fn typed(h: &Honest, text: &str) -> Broken {
    Broken { way: Way::Passphrase(text.into()), ..changed(h, |_| ()) }
}

pub(super) const CASES: &[Case] = &[
    case("honest-passphrase", "success", "a passphrase, beside a recipient", |h| changed(h, |_| ()), All),
    case(
        "honest-passphrase-by-key",
        "success",
        "the same, opened by the recipient",
        |h| h.passphrase.broken(h.passphrase.signed(), h.passphrase.body.clone()),
        All,
    ),
    case(
        "passphrase-none",
        "no-passphrase",
        "no passphrase opens this object",
        |h| Broken {
            way: Way::Passphrase(PASSPHRASE.text.into()),
            ..h.small.broken(h.small.signed(), h.small.body.clone())
        },
        Nothing,
    ),
    case("passphrase-wrong", "passphrase", "another passphrase", |h| typed(h, "caf\u{e9} au laid"), Nothing),
    case(
        "passphrase-normalised",
        "passphrase",
        "the same text in decomposed form: other bytes",
        |h| typed(h, "cafe\u{301} au lait"),
        Nothing,
    ),
    case(
        "passphrase-salt-changed",
        "passphrase",
        "a bit of the salt is flipped",
        |h| changed(h, |p| p.salt[0] ^= 1),
        Nothing,
    ),
    case(
        "passphrase-passes-changed",
        "passphrase",
        "two passes instead of one",
        |h| changed(h, |p| p.passes = 2),
        Nothing,
    ),
    case(
        "passphrase-memory-changed",
        "passphrase",
        "another amount of memory",
        |h| changed(h, |p| p.memory_kib = 72),
        Nothing,
    ),
    case(
        "passphrase-lanes-changed",
        "passphrase",
        "two lanes instead of one",
        |h| changed(h, |p| p.lanes = 2),
        Nothing,
    ),
    case(
        "passphrase-commitment-changed",
        "passphrase",
        "a bit of the commitment is flipped; the ciphertext would open",
        |h| changed(h, |p| p.commitment[0] ^= 1),
        Nothing,
    ),
    case(
        "passphrase-ct-changed",
        "passphrase",
        "a bit of the ciphertext is flipped",
        |h| changed(h, |p| p.ciphertext[0] ^= 1),
        Nothing,
    ),
    case(
        "passphrase-tag-changed",
        "passphrase",
        "a bit of the tag is flipped",
        |h| changed(h, |p| p.ciphertext[47] ^= 1),
        Nothing,
    ),
    case(
        "passphrase-of-another-object",
        "passphrase",
        "an entry made for another object",
        |h| {
            let mut other = h.passphrase.envelope.clone();
            other.object = ObjectId([4; 16]);
            let entry = under_passphrase(&other, PASSPHRASE, &h.passphrase.file_key, [5; 16]);
            changed(h, |p| *p = entry)
        },
        Nothing,
    ),
    case(
        "passphrase-another-file-key",
        "key-commitment",
        "the entry holds another key than the body's",
        |h| {
            let cheap = Passphrase { cost: [8, 1, 1], ..PASSPHRASE };
            let entry = under_passphrase(&h.passphrase.envelope, cheap, &[7; 32], [5; 16]);
            changed(h, |p| *p = entry)
        },
        Nothing,
    ),
    case(
        "honest-passphrase-32-passes",
        "success",
        "as many passes and lanes as there may be, and as little memory",
        |h| {
            let at_the_border = Passphrase { cost: [128, 32, 16], ..PASSPHRASE };
            let entry =
                under_passphrase(&h.passphrase.envelope, at_the_border, &h.passphrase.file_key, [5; 16]);
            changed(h, |p| *p = entry)
        },
        All,
    ),
];
