//! Why a request has no answer a caller can use.

use bailiwick_protocol::codec::CodecError;

/// Failure of a request to a node. The first three are what an audit records as no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// No connection: name, address, or TLS.
    #[error("node is unreachable: {0}")]
    Unreachable(#[source] Box<ureq::Error>),
    /// Connected, and no answer within the deadline.
    #[error("node did not answer in time")]
    TimedOut,
    /// The node answered with a refusal or an error.
    #[error("node refused ({status} {code}): {message}{}", also(.help))]
    Refused {
        /// HTTP status.
        status: u16,
        /// Stable word of the error, see `bailiwick_protocol::api::code`; empty when the answer had no such body.
        code: String,
        /// What is wrong, printable characters only.
        message: String,
        /// What to do, printable characters only.
        help: String,
        /// Seconds after which to try again, if the node said so.
        retry_after: Option<u64>,
    },
    /// What came is not what the API promises.
    #[error("node answered outside its protocol: {0}")]
    Protocol(&'static str),
    /// Bytes that came do not match what the owner signed.
    #[error("served bytes do not match what the owner signed: {0}")]
    BadBytes(&'static str),
    /// A message that came does not decode or verify.
    #[error("message of the node: {0}")]
    Message(#[from] CodecError),
    /// The body to send could not be read.
    #[error("reading what to send: {0}")]
    Body(#[source] std::io::Error),
    /// The base address is not `http://host[:port]` or `https://host[:port]`.
    #[error("node address {0:?} is not http(s)://host[:port]")]
    Address(String),
    /// An https address needs the certificates to trust.
    #[error("https needs root certificates: give the authority's PEM file")]
    NoRoots,
    /// The root certificates are not PEM.
    #[error("root certificates are not readable PEM")]
    Roots,
    /// The operating system gave no randomness or no time.
    #[error("operating system gave no {0}")]
    System(&'static str),
}

/// What the node says helps, apart from what it says is wrong.
fn also(help: &str) -> String {
    if help.is_empty() { String::new() } else { format!("; {help}") }
}

impl ClientError {
    pub(crate) fn transport(error: ureq::Error) -> Self {
        match error {
            ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
                Self::Unreachable(Box::new(error))
            }
            ureq::Error::Timeout(_) => Self::TimedOut,
            ureq::Error::Io(e) => Self::io(e),
            ureq::Error::Protocol(_) | ureq::Error::Http(_) => Self::Protocol("malformed HTTP answer"),
            ureq::Error::TooManyRedirects | ureq::Error::RedirectFailed => Self::Protocol("redirect"),
            other => Self::Unreachable(Box::new(other)),
        }
    }

    /// Failure of a connection while bytes were moving.
    pub(crate) fn io(error: std::io::Error) -> Self {
        use std::io::ErrorKind;
        match error.kind() {
            ErrorKind::TimedOut | ErrorKind::WouldBlock => Self::TimedOut,
            _ => Self::Unreachable(Box::new(ureq::Error::Io(error))),
        }
    }
}
