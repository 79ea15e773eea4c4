//! What the command line and an agent that holds a recipient's key elsewhere say to each other: short lines of text
//! (spec agent).

use zeroize::Zeroizing;

use crate::envelope::{Kem, Role};
use crate::secret::Secret;

/// Version of the protocol.
pub const AGENT_VERSION: u64 = 1;

/// Bytes of a line, at most, its line feed included: an X-Wing request has about 5,000.
pub const AGENT_LINE_MAX: usize = 8192;

/// Bytes of `info`, at most.
pub const AGENT_INFO_MAX: usize = 256;

/// Characters of an agent's explanation, at most.
pub const AGENT_REASON_MAX: usize = 200;

/// The first line of both sides.
pub const AGENT_HELLO: &str = "bailiwick-agent 1";

/// Why a line is none of the protocol. Never shows what was found: it may be a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AgentError {
    /// Longer than [`AGENT_LINE_MAX`].
    #[error("a line of more than {AGENT_LINE_MAX} bytes")]
    TooLong,
    /// The other side speaks another version, or another protocol.
    #[error("the other side does not speak version 1 of the agent protocol")]
    Version,
    /// A line of another form.
    #[error("a line that is not of the agent protocol: {0}")]
    Malformed(&'static str),
}

/// A request to open one recipient entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnwrapRequest {
    /// Mechanism.
    pub kem: Kem,
    /// Public key whose secret half the agent holds.
    pub public: Vec<u8>,
    /// Encapsulated key.
    pub enc: Vec<u8>,
    /// The file key and its tag.
    pub ciphertext: Vec<u8>,
    /// What the encapsulation is bound to.
    pub info: Vec<u8>,
}

impl UnwrapRequest {
    /// The line, without its line feed.
    #[must_use]
    pub fn to_line(&self) -> String {
        let hex = |b: &[u8]| hex::encode(b);
        let Self { kem, public, enc, ciphertext, info } = self;
        format!("unwrap {:04x} {} {} {} {}", kem.id(), hex(public), hex(enc), hex(ciphertext), hex(info))
    }

    /// Reads a line without its line feed: one spelling, lengths as the mechanism has them.
    ///
    /// # Errors
    /// `TooLong`, `Malformed`.
    pub fn from_line(line: &str) -> Result<Self, AgentError> {
        if line.len() >= AGENT_LINE_MAX {
            return Err(AgentError::TooLong);
        }
        let mut fields = line.split(' ');
        let mut next = || fields.next().ok_or(AgentError::Malformed("a field is missing"));
        if next()? != "unwrap" {
            return Err(AgentError::Malformed("no known request"));
        }
        let id: [u8; 2] =
            bytes(next()?)?.try_into().map_err(|_| AgentError::Malformed("a mechanism has four digits"))?;
        let kem =
            Kem::from_id(u16::from_be_bytes(id)).ok_or(AgentError::Malformed("an unknown mechanism"))?;
        let request = Self {
            kem,
            public: bytes(next()?)?,
            enc: bytes(next()?)?,
            ciphertext: bytes(next()?)?,
            info: bytes(next()?)?,
        };
        if fields.next().is_some() {
            return Err(AgentError::Malformed("a field too many"));
        }
        let fits = request.public.len() == kem.public_bytes()
            && request.enc.len() == kem.enc_bytes()
            && request.ciphertext.len() == Role::FileKey.ciphertext_bytes()
            && request.info.len() <= AGENT_INFO_MAX;
        if fits { Ok(request) } else { Err(AgentError::Malformed("a field of another length")) }
    }
}

/// Why an agent gives no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It does not hold this key.
    NoKey,
    /// The entry is not for this key, or damaged.
    NotForKey,
    /// Its holder or its policy said no.
    Denied,
    /// Token or service failed.
    Failed,
}

impl Refusal {
    const ALL: [Self; 4] = [Self::NoKey, Self::NotForKey, Self::Denied, Self::Failed];

    /// The word on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::NoKey => "no-key",
            Self::NotForKey => "not-for-key",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }
}

/// An agent's answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// The file key.
    Key(Secret<32>),
    /// None, and why: text from outside, printable ASCII.
    Refused(Refusal, String),
}

impl Answer {
    /// The line, without its line feed.
    #[must_use]
    pub fn to_line(&self) -> Zeroizing<String> {
        match self {
            Self::Key(key) => {
                let mut line = Zeroizing::new(String::with_capacity(4 + 64 + 1));
                line.push_str("key ");
                for byte in key.expose_secret() {
                    for digit in [byte >> 4, byte & 15] {
                        line.push(char::from_digit(u32::from(digit), 16).expect("four bits are one digit"));
                    }
                }
                line
            }
            Self::Refused(refusal, reason) => Zeroizing::new(format!("error {} {reason}", refusal.word())),
        }
    }

    /// Reads a line without its line feed.
    ///
    /// # Errors
    /// `TooLong`, `Malformed`.
    pub fn from_line(line: &str) -> Result<Self, AgentError> {
        if line.len() >= AGENT_LINE_MAX {
            return Err(AgentError::TooLong);
        }
        if let Some(digits) = line.strip_prefix("key ") {
            let malformed = AgentError::Malformed("a key has 64 lower-case hexadecimal digits");
            if digits.bytes().any(|b| b.is_ascii_uppercase()) {
                return Err(malformed);
            }
            return Secret::try_init_with(|b| hex::decode_to_slice(digits, b))
                .map(Self::Key)
                .map_err(|_| malformed);
        }
        let rest = line.strip_prefix("error ").ok_or(AgentError::Malformed("no known answer"))?;
        let (word, reason) = rest.split_once(' ').ok_or(AgentError::Malformed("an error has a reason"))?;
        let refusal = Refusal::ALL
            .into_iter()
            .find(|r| r.word() == word)
            .ok_or(AgentError::Malformed("an unknown error"))?;
        if reason.len() > AGENT_REASON_MAX || reason.bytes().any(|b| !(b' '..=b'~').contains(&b)) {
            return Err(AgentError::Malformed("a reason is short printable ASCII"));
        }
        Ok(Self::Refused(refusal, reason.to_owned()))
    }
}

/// Checks the first line of the other side.
///
/// # Errors
/// `Version`.
pub fn check_hello(line: &str) -> Result<(), AgentError> {
    if line == AGENT_HELLO { Ok(()) } else { Err(AgentError::Version) }
}

fn bytes(digits: &str) -> Result<Vec<u8>, AgentError> {
    let malformed = AgentError::Malformed("bytes are lower-case hexadecimal digits");
    if digits.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(malformed);
    }
    hex::decode(digits).map_err(|_| malformed)
}
