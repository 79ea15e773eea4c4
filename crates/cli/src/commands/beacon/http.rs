//! One small answer from a web address.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};

use crate::Help;
use crate::output::read_bounded;

/// A bundle of all public certificate authorities has some 230 KB.
const CERTIFICATES_BYTES_MAX: u64 = 1 << 20;
/// For the whole answer, however slowly it drips.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// The body at `url`, of `max` bytes at most. Follows no redirect and asks no proxy: it goes where it says.
pub(crate) fn get(url: &str, ca: Option<&Path>, max: u64) -> anyhow::Result<Vec<u8>> {
    let mut config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(true)
        .proxy(None)
        .user_agent("bailiwick")
        .accept_encoding("identity")
        .timeout_global(Some(ANSWER_TIMEOUT));
    if url.starts_with("https://") {
        let path = ca.context("https needs the certificates to trust").context(Help(
            "name a PEM file with --ca; many systems have /etc/ssl/certs/ca-certificates.crt",
        ))?;
        config = config.tls_config(tls(path)?);
    } else if !url.starts_with("http://") {
        anyhow::bail!("{url:?} begins with neither http:// nor https://");
    }
    let mut answer = config.build().new_agent().get(url).call().with_context(|| format!("asking {url}"))?;
    let status = answer.status().as_u16();
    if status != 200 {
        return Err(anyhow::anyhow!("{url} answers with status {status}"))
            .context(Help("404 is what a relay answers for a round that is not published yet"));
    }
    answer
        .body_mut()
        .with_config()
        .limit(max)
        .read_to_vec()
        .with_context(|| format!("reading the answer of {url}, {max} bytes at most"))
}

fn tls(path: &Path) -> anyhow::Result<TlsConfig> {
    let pem = read_bounded(path, CERTIFICATES_BYTES_MAX)?;
    let mut roots: Vec<Certificate<'static>> = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(c) = item.with_context(|| format!("{}", path.display()))? {
            roots.push(c);
        }
    }
    anyhow::ensure!(!roots.is_empty(), "{} holds no certificate", path.display());
    Ok(TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(RootCerts::new_with_certs(&roots))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .build())
}
