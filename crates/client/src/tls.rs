//! TLS from the side of a client: rustls with aws-lc-rs, and only the certificates it was given.

use std::sync::Arc;

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};

/// Trusts the certificates of a PEM file and no other, whatever the system trusts; nothing when there are none, or one cannot be read.
#[must_use]
pub fn trusting(pem: &[u8]) -> Option<TlsConfig> {
    let mut roots: Vec<Certificate<'static>> = Vec::new();
    for item in parse_pem(pem) {
        if let PemItem::Certificate(c) = item.ok()? {
            roots.push(c);
        }
    }
    if roots.is_empty() {
        return None;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(RootCerts::new_with_certs(&roots))
        .unversioned_rustls_crypto_provider(provider);
    Some(config.build())
}
