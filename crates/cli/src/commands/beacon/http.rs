//! One small answer from a web address.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use bailiwick_logserver::Endpoint;

use crate::Help;
use crate::output::read_bounded;

/// A bundle of all public certificate authorities has some 230 KB.
const CERTIFICATES_BYTES_MAX: u64 = 1 << 20;
/// For the whole answer, however slowly it drips.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// The body at `url`, of `max` bytes at most. Follows no redirect and asks no proxy: it goes where it says.
pub(crate) fn get(url: &str, ca: Option<&Path>, max: usize) -> anyhow::Result<Vec<u8>> {
    let host = ["http://", "https://"].iter().find_map(|scheme| url.strip_prefix(scheme));
    let Some(host) = host else {
        anyhow::bail!("{url:?} begins with neither http:// nor https://");
    };
    let roots = if url.starts_with("https://") {
        let path = ca.context("https needs the certificates to trust").context(Help(
            "name a PEM file with --ca; many systems have /etc/ssl/certs/ca-certificates.crt",
        ))?;
        Some(read_bounded(path, CERTIFICATES_BYTES_MAX)?)
    } else {
        None
    };
    let path = host.find('/').map_or("", |at| &host[at..]);
    let base = url.strip_suffix(path).unwrap_or(url);
    let endpoint = Endpoint::new(base, roots.as_deref(), ANSWER_TIMEOUT)?;
    let answer = endpoint
        .get(if path.is_empty() { "/" } else { path }, max)
        .with_context(|| format!("asking {url} for {max} bytes at most"))?;
    if answer.status != 200 {
        return Err(anyhow::anyhow!("{url} answers with status {}", answer.status))
            .context(Help("404 is what a relay answers for a round that is not published yet"));
    }
    Ok(answer.body)
}
