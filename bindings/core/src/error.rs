//! One error with a stable code.

use std::fmt;
use std::io;

use bailiwick_envelope::{CobblestoneError, KeyError, LayoutError, OpenError, RewrapError, SealError};

/// What went wrong, as a number and a name that stay the same in every later version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[repr(i32)]
pub enum Code {
    /// An argument that makes no sense.
    Argument = 1,
    /// Reading or writing failed.
    Io = 2,
    /// Not a key file, or not of the kind needed, or one that others can read.
    KeyFile = 3,
    /// Bytes that are no key of their algorithm.
    Key = 4,
    /// The envelope is malformed, or not signed by the owner whose key was given.
    Envelope = 5,
    /// None of the keys is a recipient of the object.
    NoRecipient = 6,
    /// The body does not belong to the envelope, or to the key.
    WrongBody = 7,
    /// The body was changed, cut short or lengthened, or rewritten by someone who holds its key.
    NotAuthentic = 8,
    /// Authentic, but malformed inside.
    Malformed = 9,
    /// The range does not lie in the data.
    Range = 10,
    /// More data than an object may have.
    TooLarge = 11,
    /// No recipient, too many, or one of them twice.
    Recipients = 12,
    /// The envelope cannot be rewritten so.
    Rewrap = 13,
    /// Evidence, policy or trust anchors that cannot be judged at all.
    Unusable = 14,
    /// The object needs others beside it (a shard), or another way of opening than keys.
    NotAlone = 15,
    /// A fault of the program.
    Internal = 99,
}

impl Code {
    /// All codes.
    pub const ALL: [Self; 16] = [
        Self::Argument,
        Self::Io,
        Self::KeyFile,
        Self::Key,
        Self::Envelope,
        Self::NoRecipient,
        Self::WrongBody,
        Self::NotAuthentic,
        Self::Malformed,
        Self::Range,
        Self::TooLarge,
        Self::Recipients,
        Self::Rewrap,
        Self::Unusable,
        Self::NotAlone,
        Self::Internal,
    ];

    /// The stable name, `not-authentic` for instance.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Argument => "argument",
            Self::Io => "io",
            Self::KeyFile => "key-file",
            Self::Key => "key",
            Self::Envelope => "envelope",
            Self::NoRecipient => "no-recipient",
            Self::WrongBody => "wrong-body",
            Self::NotAuthentic => "not-authentic",
            Self::Malformed => "malformed",
            Self::Range => "range",
            Self::TooLarge => "too-large",
            Self::Recipients => "recipients",
            Self::Rewrap => "rewrap",
            Self::Unusable => "unusable",
            Self::NotAlone => "not-alone",
            Self::Internal => "internal",
        }
    }

    /// The stable number.
    #[must_use]
    pub const fn number(self) -> i32 {
        self as i32
    }
}

/// What every function here fails with.
#[derive(Debug)]
pub struct Error {
    /// Which kind.
    pub code: Code,
    /// For people; holds no secret.
    pub message: String,
    /// What a reader or writer failed with, so that a binding can give its caller's own error back.
    pub io: Option<io::Error>,
}

/// Of every function here.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error without a cause of its own.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), io: None }
    }

    /// `what` failed with `error`.
    pub(crate) fn io(what: impl fmt::Display, error: io::Error) -> Self {
        Self { code: Code::Io, message: format!("{what}: {error}"), io: Some(error) }
    }

    /// Of the cause, with its own causes after it.
    pub(crate) fn of(code: Code, error: &dyn std::error::Error) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(c) = cause {
            message.push_str(": ");
            message.push_str(&c.to_string());
            cause = c.source();
        }
        Self::new(code, message)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<KeyError> for Error {
    fn from(e: KeyError) -> Self {
        Self::of(Code::Key, &e)
    }
}

impl From<CobblestoneError> for Error {
    fn from(e: CobblestoneError) -> Self {
        match e {
            CobblestoneError::Read(e) => {
                Self { code: Code::Io, message: format!("cannot read the input: {e}"), io: Some(e) }
            }
            CobblestoneError::Write(e) => {
                Self { code: Code::Io, message: format!("cannot write the output: {e}"), io: Some(e) }
            }
            CobblestoneError::TooLong => Self::of(Code::TooLarge, &e),
            CobblestoneError::Commitment => Self::of(Code::WrongBody, &e),
            _ => Self::of(Code::NotAuthentic, &e),
        }
    }
}

impl From<SealError> for Error {
    fn from(e: SealError) -> Self {
        let code = match e {
            SealError::Body(e) => return e.into(),
            SealError::NoRecipient
            | SealError::TooManyRecipients { .. }
            | SealError::DuplicateRecipient { .. } => Code::Recipients,
            SealError::Key(_) => Code::Key,
            SealError::TooLarge => Code::TooLarge,
            _ => Code::Argument,
        };
        Self::of(code, &e)
    }
}

impl From<OpenError> for Error {
    fn from(e: OpenError) -> Self {
        let code = match e {
            OpenError::Body(e) => return e.into(),
            OpenError::Envelope(_) | OpenError::OwnerMismatch => Code::Envelope,
            OpenError::NoRecipient => Code::NoRecipient,
            OpenError::BodyHeader | OpenError::KeyCommitment => Code::WrongBody,
            OpenError::Content => Code::NotAuthentic,
            OpenError::Layout(_) => Code::Malformed,
            OpenError::Range { .. } => Code::Range,
            _ => Code::NotAlone,
        };
        Self::of(code, &e)
    }
}

impl From<LayoutError> for Error {
    fn from(e: LayoutError) -> Self {
        Self::of(Code::Malformed, &e)
    }
}

impl From<RewrapError> for Error {
    fn from(e: RewrapError) -> Self {
        let code = match e {
            RewrapError::Key(_) => Code::Key,
            RewrapError::TooManyRecipients { .. } => Code::Recipients,
            _ => Code::Rewrap,
        };
        Self::of(code, &e)
    }
}

impl From<bailiwick_verifier::Unusable> for Error {
    fn from(e: bailiwick_verifier::Unusable) -> Self {
        Self::of(Code::Unusable, &e)
    }
}
