//! A node, who we are to it, and how long we wait.

use std::sync::Arc;
use std::time::Duration;

use bailiwick_protocol::api::HostInfo;
use bailiwick_protocol::ids::HostKey;
use bailiwick_protocol::signing::SigningKey;

use crate::error::ClientError;
use crate::tls::trusting;
use crate::transport::Request;

/// Deadlines and trust.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// To resolve the name and connect.
    pub connect_timeout: Duration,
    /// Between two pieces of an answer, and of a body being sent.
    pub idle_timeout: Duration,
    /// For a whole answer that is not a body: envelopes, lists, jobs, proofs, and ranges of up to a block.
    pub answer_timeout: Duration,
    /// How long to keep retrying while the node says it has just restarted or is full.
    pub retry_for: Duration,
    /// PEM certificates to trust for https; required there.
    pub root_certificates: Option<Vec<u8>>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            answer_timeout: Duration::from_secs(60),
            retry_for: Duration::from_secs(20),
            root_certificates: None,
        }
    }
}

/// A connection pool to one node. Cheap to clone; clones share it.
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) agent: ureq::Agent,
    /// `http://host[:port]`, no path.
    pub(crate) base: String,
    /// RFC 9421 section 2.2.3.
    pub(crate) authority: String,
    pub(crate) host: HostKey,
    pub(crate) signer: Arc<SigningKey>,
    pub(crate) answer_timeout: Duration,
    pub(crate) retry_for: Duration,
}

impl Client {
    /// A client of the node at `base_url` (`http(s)://host[:port]`) whose public key is `host`; requests are signed by `signer`.
    ///
    /// # Errors
    /// `Address`, `NoRoots`, `Roots`. Does not connect.
    pub fn new(
        base_url: &str,
        host: HostKey,
        signer: impl Into<Arc<SigningKey>>,
        options: ClientOptions,
    ) -> Result<Self, ClientError> {
        let (base, authority, secure) = split_base(base_url)?;
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(true)
            // Proxies come from the environment by default; a signed request must go where it says.
            .proxy(None)
            .user_agent("bailiwick")
            .accept_encoding("identity")
            .timeout_resolve(Some(options.connect_timeout))
            .timeout_connect(Some(options.connect_timeout))
            .timeout_per_read(Some(options.idle_timeout))
            .timeout_per_write(Some(options.idle_timeout));
        if secure {
            let pem = options.root_certificates.as_deref().ok_or(ClientError::NoRoots)?;
            config = config.tls_config(trusting(pem).ok_or(ClientError::Roots)?);
        }
        Ok(Self {
            agent: config.build().new_agent(),
            base,
            authority,
            host,
            signer: signer.into(),
            answer_timeout: options.answer_timeout,
            retry_for: options.retry_for,
        })
    }

    /// The same node, and the same connections, with another time to keep retrying (see [`ClientOptions::retry_for`]).
    #[must_use]
    pub fn retrying_for(&self, retry_for: Duration) -> Self {
        Self { retry_for, ..self.clone() }
    }

    /// The key of the node this client talks to.
    #[must_use]
    pub fn host(&self) -> HostKey {
        self.host
    }

    /// What the node says of itself, unsigned; its key must be the expected one.
    ///
    /// # Errors
    /// Transport errors; `Protocol` when another host answers.
    pub fn host_info(&self) -> Result<HostInfo, ClientError> {
        let info: HostInfo = self.call(&Request::get("/v1/host"))?.json()?;
        if info.host == self.host {
            Ok(info)
        } else {
            Err(ClientError::Protocol("another host answers here"))
        }
    }
}

/// Base without a trailing slash, authority, whether https.
fn split_base(text: &str) -> Result<(String, String, bool), ClientError> {
    let bad = || ClientError::Address(text.escape_default().to_string());
    let uri: http::Uri = text.parse().map_err(|_| bad())?;
    let secure = match uri.scheme_str() {
        Some("http") => false,
        Some("https") => true,
        _ => return Err(bad()),
    };
    let (Some(authority), "/") = (uri.authority(), uri.path()) else { return Err(bad()) };
    if uri.query().is_some() || authority.as_str().contains('@') {
        return Err(bad());
    }
    let host = authority.host().to_ascii_lowercase();
    let port = authority.port_u16().filter(|p| *p != if secure { 443 } else { 80 });
    let authority = match port {
        Some(port) => format!("{host}:{port}"),
        None => host,
    };
    let scheme = if secure { "https" } else { "http" };
    Ok((format!("{scheme}://{authority}"), authority, secure))
}

#[cfg(test)]
mod tests {
    use super::split_base;

    #[test]
    fn addresses() {
        let ok = |t: &str| split_base(t).ok();
        assert_eq!(ok("http://Host:80/"), Some(("http://host".into(), "host".into(), false)));
        assert_eq!(ok("https://h:8443"), Some(("https://h:8443".into(), "h:8443".into(), true)));
        assert_eq!(ok("http://[::1]:9"), Some(("http://[::1]:9".into(), "[::1]:9".into(), false)));
        for bad in ["host:80", "ftp://h", "http://h/x", "http://h?x", "http://u@h", "", "http://"] {
            assert!(split_base(bad).is_err(), "{bad}");
        }
    }
}
