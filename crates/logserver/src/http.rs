//! HTTP from this side: an agent that follows nothing, trusts nothing it was not told to, and never waits for ever.

use std::sync::Arc;
use std::time::Duration;

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};

use crate::client::ClientError;

/// An agent whose every call ends within `timeout`. `roots`: PEM certificates, needed for https.
pub(crate) fn agent(roots: Option<&[u8]>, timeout: Duration) -> Result<ureq::Agent, ClientError> {
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
        config = config.tls_config(tls(pem)?);
    }
    Ok(config.build().new_agent())
}

fn tls(pem: &[u8]) -> Result<TlsConfig, ClientError> {
    let mut roots: Vec<Certificate<'static>> = Vec::new();
    for item in parse_pem(pem) {
        if let PemItem::Certificate(c) = item.map_err(|_| ClientError::Roots)? {
            roots.push(c);
        }
    }
    if roots.is_empty() {
        return Err(ClientError::Roots);
    }
    Ok(TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(RootCerts::new_with_certs(&roots))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .build())
}

/// An `http(s)` prefix without a slash at its end, and its authority without the scheme's default port.
pub(crate) fn prefix(url: &str, roots: bool) -> Result<(String, String), ClientError> {
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
