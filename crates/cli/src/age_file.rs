//! Writing age files of one chunk to X25519 recipients (C2SP age v1). Reading them is age's own business.

use anyhow::{Context as _, anyhow, bail};
use aws_lc_rs::{aead, hkdf, hmac};
use bailiwick_protocol::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bech32::primitives::decode::CheckedHrpstring;
use rand_core::CryptoRng;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use crate::Help;

const X25519_INFO: &[u8] = b"age-encryption.org/v1/X25519";

/// Reads `age1…`, an X25519 recipient.
pub(crate) fn recipient(text: &str) -> anyhow::Result<[u8; 32]> {
    let unknown = || {
        anyhow!("not an X25519 recipient of age (age1…)")
            .context(Help("for other recipients pipe: bailiwick export … --raw | age -r RECIPIENT -o FILE"))
    };
    let checked = CheckedHrpstring::new::<bech32::Bech32>(text).map_err(|_| unknown())?;
    if checked.hrp().as_str() != "age" {
        return Err(unknown());
    }
    let bytes: Vec<u8> = checked.byte_iter().collect();
    let key: [u8; 32] = bytes.try_into().map_err(|_| unknown())?;
    let again = bech32::encode_lower::<bech32::Bech32>(checked.hrp(), &key).map_err(|_| unknown())?;
    if again != text {
        return Err(unknown());
    }
    Ok(key)
}

/// An age file that holds `plain`, at most one chunk.
pub(crate) fn encrypt(
    recipients: &[[u8; 32]],
    plain: &[u8; 32],
    rng: &mut impl CryptoRng,
) -> anyhow::Result<Vec<u8>> {
    if recipients.is_empty() {
        bail!("no recipient");
    }
    let file_key = Secret::<16>::init_with(|b| rng.fill_bytes(b));
    let mut header = String::from("age-encryption.org/v1\n");
    for recipient in recipients {
        let ephemeral = Zeroizing::new({
            let mut bytes = [0; 32];
            rng.fill_bytes(&mut bytes);
            bytes
        });
        let secret = StaticSecret::from(*ephemeral);
        let share = PublicKey::from(&secret);
        let shared = secret.diffie_hellman(&PublicKey::from(*recipient));
        if !shared.was_contributory() {
            bail!("an age recipient of small order: a secret shared with it is known to anyone");
        }
        let salt = [share.as_bytes().as_slice(), recipient].concat();
        let key = derive(&salt, shared.as_bytes(), X25519_INFO)?;
        let body = seal(&key, [0; 12], file_key.expose_secret())?;
        header += &format!(
            "-> X25519 {}\n{}\n",
            STANDARD_NO_PAD.encode(share.as_bytes()),
            STANDARD_NO_PAD.encode(&body)
        );
    }
    header += "---";
    let mac_key = derive(&[], file_key.expose_secret(), b"header")?;
    let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, mac_key.expose_secret()), header.as_bytes());
    header += &format!(" {}\n", STANDARD_NO_PAD.encode(mac.as_ref()));
    let mut nonce = [0; 16];
    rng.fill_bytes(&mut nonce);
    let payload_key = derive(&nonce, file_key.expose_secret(), b"payload")?;
    // STREAM: eleven bytes of counter, then 1 for the last chunk.
    let mut last = [0; 12];
    last[11] = 1;
    let chunk = seal(&payload_key, last, plain)?;
    Ok([header.as_bytes(), &nonce, &chunk].concat())
}

/// HKDF-SHA256.
fn derive(salt: &[u8], ikm: &[u8], info: &[u8]) -> anyhow::Result<Secret<32>> {
    let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(ikm);
    Secret::try_init_with(|out| prk.expand(&[info], hkdf::HKDF_SHA256).and_then(|okm| okm.fill(out)))
        .ok()
        .context("HKDF takes these lengths")
}

/// ChaCha20-Poly1305 without associated data.
fn seal(key: &Secret<32>, nonce: [u8; 12], plain: &[u8]) -> anyhow::Result<Vec<u8>> {
    let key = aead::UnboundKey::new(&aead::CHACHA20_POLY1305, key.expose_secret())
        .ok()
        .context("the key has the algorithm's length")?;
    let mut out = plain.to_vec();
    aead::LessSafeKey::new(key)
        .seal_in_place_append_tag(aead::Nonce::assume_unique_for_key(nonce), aead::Aad::empty(), &mut out)
        .ok()
        .context("a chunk is short")?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipients_are_read_strictly() {
        // From the age specification's own example.
        let good = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
        recipient(good).unwrap();
        for bad in [&good.to_uppercase(), &good[1..], &good.replace('z', "y"), "age1pq1xyz", ""] {
            recipient(bad).unwrap_err();
        }
        assert!(encrypt(&[[0; 32]], &[7; 32], &mut crate::keyfile::system_rng().unwrap()).is_err());
        assert!(encrypt(&[], &[7; 32], &mut crate::keyfile::system_rng().unwrap()).is_err());
    }
}
