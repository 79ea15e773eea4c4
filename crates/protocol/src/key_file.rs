//! Key files: a few lines of text, `name = "value"` each (a subset of TOML that needs no copies of a secret).
//!
//! What the values mean (which kinds and algorithms there are, whether the public key belongs to the secret one) is
//! the reader's to check; here is the form: known names, each once, in quotes, nothing after them.

use zeroize::Zeroizing;

use crate::secret::Secret;

/// Version of the file.
pub const KEY_FILE_VERSION: u64 = 1;

/// Bytes of a key file, at most: an X-Wing public key is 2,432 digits.
pub const KEY_FILE_BYTES_MAX: usize = 8192;

/// Why a text is no key file. Never shows what was found: it may be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// Longer than [`KEY_FILE_BYTES_MAX`].
    #[error("{bytes} bytes, more than a key file has ({KEY_FILE_BYTES_MAX})")]
    TooLong {
        /// Bytes found.
        bytes: usize,
    },
    /// An unknown name, a name given twice, or a value that is not in quotes.
    #[error("line {line}: expected a known name, =, and a value in quotes, once")]
    Line {
        /// Where, from 1.
        line: usize,
    },
    /// A version this build does not know.
    #[error("line {line}: unknown version of a key file")]
    Version {
        /// Where, from 1.
        line: usize,
    },
    /// A name that every key file has.
    #[error("no {0}")]
    Missing(&'static str),
    /// A public key that is not lower-case hexadecimal.
    #[error("the public key is not hexadecimal in lower case")]
    Public,
    /// An agent beside a secret, or under a name no agent has.
    #[error(
        "an agent's name has 1 to 32 lower-case letters, digits and hyphens, and stands instead of a secret"
    )]
    Agent,
    /// A secret key that is not 64 lower-case hexadecimal digits.
    #[error("the secret key is not 64 hexadecimal digits in lower case")]
    Secret,
}

/// What a key file says.
#[derive(Debug, PartialEq, Eq)]
pub struct KeyFile<'a> {
    /// What the key is for.
    pub kind: &'a str,
    /// How it works.
    pub algorithm: &'a str,
    /// The public half.
    pub public: Vec<u8>,
    /// What people compare.
    pub fingerprint: Option<&'a str>,
    /// The secret half; none in a `.pub` file.
    pub secret: Option<Secret<32>>,
    /// Who holds the secret half instead: the agent's name, [`agent_name_is_valid`].
    pub agent: Option<&'a str>,
}

impl<'a> KeyFile<'a> {
    /// Reads the form.
    ///
    /// # Errors
    /// `KeyFileError`, which never shows a value.
    pub fn parse(text: &'a str) -> Result<Self, KeyFileError> {
        if text.len() > KEY_FILE_BYTES_MAX {
            return Err(KeyFileError::TooLong { bytes: text.len() });
        }
        let mut version = false;
        let (mut kind, mut algorithm, mut public) = (None, None, None);
        let (mut fingerprint, mut secret, mut agent) = (None, None, None);
        for (line, content) in (1..).zip(text.lines()) {
            let content = content.trim();
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            let malformed = KeyFileError::Line { line };
            let (name, value) = content.split_once('=').ok_or(malformed)?;
            let (name, value) = (name.trim(), value.trim());
            if name == "version" {
                if value != "1" {
                    return Err(KeyFileError::Version { line });
                }
                if std::mem::replace(&mut version, true) {
                    return Err(malformed);
                }
                continue;
            }
            let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).ok_or(malformed)?;
            let slot = match name {
                "kind" => &mut kind,
                "algorithm" => &mut algorithm,
                "public" => &mut public,
                "fingerprint" => &mut fingerprint,
                "secret" => &mut secret,
                "agent" => &mut agent,
                _ => return Err(malformed),
            };
            if value.contains('"') || slot.replace(value).is_some() {
                return Err(malformed);
            }
        }
        if !version {
            return Err(KeyFileError::Missing("version"));
        }
        if agent.is_some_and(|name| secret.is_some() || !agent_name_is_valid(name)) {
            return Err(KeyFileError::Agent);
        }
        let digits = public.ok_or(KeyFileError::Missing("public key"))?;
        Ok(Self {
            kind: kind.ok_or(KeyFileError::Missing("kind"))?,
            algorithm: algorithm.ok_or(KeyFileError::Missing("algorithm"))?,
            public: lower_case(digits)
                .and_then(|digits| hex::decode(digits).ok())
                .ok_or(KeyFileError::Public)?,
            fingerprint,
            secret: secret.map(decode_secret).transpose()?,
            agent,
        })
    }

    /// The text, wiped on drop. The values must not hold quotation marks or line breaks.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        // All at once: a string that grows leaves copies behind.
        let mut text = Zeroizing::new(String::with_capacity(KEY_FILE_BYTES_MAX));
        if let Some(secret) = &self.secret {
            text.push_str("# bailiwick SECRET key: whoever reads this line can use it\nsecret = \"");
            push_hex(&mut text, secret.expose_secret());
            text.push_str("\"\n");
        }
        text.push_str("# bailiwick public key: may be given to anyone\nversion = 1\n");
        let mut line = |name: &str, value: &str| {
            for part in [name, " = \"", value, "\"\n"] {
                text.push_str(part);
            }
        };
        line("kind", self.kind);
        line("algorithm", self.algorithm);
        line("public", &hex::encode(&self.public));
        if let Some(fingerprint) = self.fingerprint {
            line("fingerprint", fingerprint);
        }
        if let Some(agent) = self.agent {
            line("agent", agent);
        }
        text
    }
}

/// Whether an agent can have this name: 1 to 32 lower-case letters, digits and inner hyphens, so that it cannot name a path.
#[must_use]
pub fn agent_name_is_valid(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-')
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).expect("four bits are one digit"));
        }
    }
}

fn decode_secret(digits: &str) -> Result<Secret<32>, KeyFileError> {
    let digits = lower_case(digits).ok_or(KeyFileError::Secret)?;
    Secret::try_init_with(|b| hex::decode_to_slice(digits, b)).map_err(|_| KeyFileError::Secret)
}

/// Digits as clause C7 has them: each number has one spelling.
fn lower_case(digits: &str) -> Option<&str> {
    (!digits.bytes().any(|b| b.is_ascii_uppercase())).then_some(digits)
}
