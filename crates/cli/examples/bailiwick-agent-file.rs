//! An example agent (docs/spec/v1/agent.md): holds P-256 keys in a folder, as a token or a key service would hold them.
//!
//! `BAILIWICK_AGENT_FILE_KEYS` names the folder; in it `PUBLIC`, the key's 130 hexadecimal digits, is a file of the 32 bytes of its
//! scalar. A real agent replaces [`unwrap`]: it lets the token do the Diffie-Hellman (PKCS#11 `C_DeriveKey` with
//! `CKM_ECDH1_DERIVE`, a key service's `DeriveSharedSecret`) and does the rest of HPKE as here.

use std::io::{BufRead as _, Read as _, Write as _};
use std::path::PathBuf;

use bailiwick_protocol::agent::{AGENT_HELLO, AGENT_LINE_MAX, Answer, Refusal, UnwrapRequest, check_hello};
use bailiwick_protocol::envelope::Kem;
use bailiwick_protocol::secret::Secret;
use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::DhP256HkdfSha256;
use hpke::{Deserializable as _, OpModeR};
use zeroize::Zeroizing;

fn main() -> anyhow::Result<()> {
    let folder = PathBuf::from(
        std::env::var_os("BAILIWICK_AGENT_FILE_KEYS")
            .ok_or_else(|| anyhow::anyhow!("BAILIWICK_AGENT_FILE_KEYS names no folder"))?,
    );
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let mut greeted = false;
    loop {
        let mut line = String::new();
        if input.by_ref().take(AGENT_LINE_MAX as u64).read_line(&mut line)? == 0 {
            return Ok(());
        }
        let line =
            line.strip_suffix('\n').ok_or_else(|| anyhow::anyhow!("a line that is too long or cut"))?;
        let answer = if greeted {
            UnwrapRequest::from_line(line)
                .map_or_else(|e| refused(Refusal::Failed, &e.to_string()), |r| unwrap(&folder, &r))
                .to_line()
        } else {
            check_hello(line)?;
            greeted = true;
            Zeroizing::new(AGENT_HELLO.to_owned())
        };
        output.write_all(answer.as_bytes())?;
        output.write_all(b"\n")?;
        output.flush()?;
    }
}

fn refused(why: Refusal, reason: &str) -> Answer {
    Answer::Refused(why, reason.to_owned())
}

fn unwrap(folder: &std::path::Path, request: &UnwrapRequest) -> Answer {
    if request.kem != Kem::P256 {
        return refused(Refusal::NoKey, "this agent holds P-256 keys only");
    }
    // The name has hexadecimal digits only, so it names no path.
    let Ok(scalar) = std::fs::read(folder.join(hex::encode(&request.public))).map(Zeroizing::new) else {
        return refused(Refusal::NoKey, "no such key in the folder");
    };
    let opened = <DhP256HkdfSha256 as hpke::Kem>::PrivateKey::from_bytes(&scalar).and_then(|secret| {
        let enc = <DhP256HkdfSha256 as hpke::Kem>::EncappedKey::from_bytes(&request.enc)?;
        let (info, ciphertext) = (&request.info, &request.ciphertext);
        hpke::single_shot_open::<AesGcm256, HkdfSha256, DhP256HkdfSha256>(
            &OpModeR::Base,
            &secret,
            &enc,
            info,
            ciphertext,
            &[],
        )
    });
    match opened.map(Zeroizing::new) {
        Ok(key) if key.len() == 32 => Answer::Key(Secret::init_with(|b| b.copy_from_slice(&key))),
        _ => refused(Refusal::NotForKey, "the entry is not for this key"),
    }
}
