//! Rounds from a relay, or from files that someone carried here. The engine verifies them.

use std::path::{Path, PathBuf};

use bailiwick_auditor::{Beacon, Fault};
use bailiwick_beacon::{BeaconRound, DRAND_JSON_BYTES_MAX, read_round};

use super::files::BeaconEntry;
use crate::commands::beacon::http;
use crate::output::{printable, read_bounded};

/// A source of rounds of one chain.
#[derive(Debug)]
pub(super) struct Source {
    chain: [u8; 32],
    source: String,
    roots: Option<PathBuf>,
}

impl Source {
    pub(super) fn new(entry: &BeaconEntry, chain: [u8; 32]) -> Self {
        Self { chain, source: entry.source.clone(), roots: entry.roots.clone() }
    }

    fn bytes(&self, number: u64) -> anyhow::Result<Vec<u8>> {
        let named = self.source.replace("{round}", &number.to_string());
        if named.starts_with("http://") || named.starts_with("https://") {
            return http::get(&named, self.roots.as_deref(), DRAND_JSON_BYTES_MAX);
        }
        let max = DRAND_JSON_BYTES_MAX as u64;
        let path = Path::new(&named);
        if path.is_dir() {
            // As kept by `beacon fetch -o NUMBER`, or drand's answer as NUMBER.json.
            let plain = path.join(number.to_string());
            let found = if plain.exists() { plain } else { path.join(format!("{number}.json")) };
            return read_bounded(&found, max);
        }
        read_bounded(path, max)
    }
}

impl Beacon for Source {
    fn round(&mut self, number: u64) -> Result<BeaconRound, Fault> {
        let bytes = self
            .bytes(number)
            .map_err(|e| Fault::Unavailable { who: "the beacon", why: printable(&format!("{e:#}")) })?;
        read_round(&bytes, &self.chain)
            .map_err(|e| Fault::Untrusted { who: "the beacon", why: printable(&e.to_string()) })
    }
}
