//! HTTP from this side: an agent that follows nothing, trusts nothing it was not told to, and never waits for ever.

use std::io::Read as _;
use std::time::Duration;

use bailiwick_client::trusting;

use crate::client::ClientError;

/// An address, and keep-alive connections to it. Every call ends within the timeout, and every body within a number of bytes.
#[derive(Clone, Debug)]
pub struct Endpoint {
    agent: ureq::Agent,
    base: String,
    authority: String,
}

/// What came back, whatever the status.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Header fields.
    pub headers: http::HeaderMap,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Endpoint {
    /// `url` is an `http(s)` prefix. `roots`: PEM certificates, needed for https. Does not connect.
    ///
    /// # Errors
    /// `Address`, `Roots`.
    pub fn new(url: &str, roots: Option<&[u8]>, timeout: Duration) -> Result<Self, ClientError> {
        let (base, authority) = prefix(url, roots.is_some())?;
        Ok(Self { agent: agent(roots, timeout)?, base, authority })
    }

    /// The prefix, without a slash at its end.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Host and port, without the scheme's default port (RFC 9421 section 2.2.3).
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// GET of what comes after the prefix, with a body of `max` bytes at most.
    ///
    /// # Errors
    /// `Transport`, `Protocol`.
    pub fn get(&self, path: &str, max: usize) -> Result<Answer, ClientError> {
        answer(self.agent.get(format!("{}{path}", self.base)).call(), max)
    }

    /// POST to what comes after the prefix; otherwise as [`Self::get`].
    ///
    /// # Errors
    /// `Transport`, `Protocol`.
    pub fn post(
        &self,
        path: &str,
        headers: &[(&str, String)],
        body: &[u8],
        max: usize,
    ) -> Result<Answer, ClientError> {
        let request = self.agent.post(format!("{}{path}", self.base));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
        answer(request.send(body), max)
    }
}

fn answer(
    answer: Result<http::Response<ureq::Body>, ureq::Error>,
    max: usize,
) -> Result<Answer, ClientError> {
    let (parts, body) = answer.map_err(|e| ClientError::Transport(Box::new(e)))?.into_parts();
    let mut bytes = Vec::new();
    let mut reader = body.into_reader().take(max as u64 + 1);
    reader.read_to_end(&mut bytes).map_err(|_| ClientError::HalfAnswer)?;
    if bytes.len() > max {
        return Err(ClientError::Protocol("with too long a body"));
    }
    Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body: bytes })
}

/// An agent whose every call ends within `timeout`. `roots`: PEM certificates, needed for https.
fn agent(roots: Option<&[u8]>, timeout: Duration) -> Result<ureq::Agent, ClientError> {
    let mut config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(true)
        // Proxies come from the environment by default; a signed request must go where it says.
        .proxy(None)
        .user_agent("bailiwick")
        .accept_encoding("identity")
        .timeout_global(Some(timeout));
    if let Some(pem) = roots {
        config = config.tls_config(trusting(pem).ok_or(ClientError::Roots)?);
    }
    Ok(config.build().new_agent())
}

/// An `http(s)` prefix without a slash at its end, and its authority without the scheme's default port.
fn prefix(url: &str, roots: bool) -> Result<(String, String), ClientError> {
    let bad = || ClientError::Address(url.escape_default().to_string());
    let text = url.trim_end_matches('/');
    let uri: http::Uri = text.parse().map_err(|_| bad())?;
    let default = match uri.scheme_str() {
        Some("http") => ":80",
        Some("https") if roots => ":443",
        Some("https") => return Err(ClientError::Roots),
        _ => return Err(bad()),
    };
    let authority =
        uri.authority().filter(|_| uri.query().is_none()).ok_or_else(bad)?.as_str().to_ascii_lowercase();
    let authority = authority.strip_suffix(default).unwrap_or(&authority).to_owned();
    Ok((text.to_owned(), authority))
}
