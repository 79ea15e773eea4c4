//! How a command reaches a node and who it is to it.

use std::path::{Path, PathBuf};

use anyhow::bail;
use bailiwick_client::{Client, ClientOptions};
use bailiwick_protocol::ids::HostKey;
use bailiwick_protocol::signing::SigningKey;

use crate::keyfile;
use crate::output::read_bounded;

/// Certificates to trust are few and small.
const ROOTS_BYTES_MAX: u64 = 1 << 20;

/// Arguments of every command that talks to a node.
#[derive(Debug, clap::Args)]
pub(crate) struct NodeArgs {
    /// Address of the node, e.g. `http://127.0.0.1:8470`
    #[arg(long, value_name = "URL")]
    node: String,
    /// The host's public key: hexadecimal, or its .pub file
    #[arg(long, value_name = "KEY")]
    host: String,
    /// PEM file with the certificates to trust (https needs it)
    #[arg(long, value_name = "FILE")]
    roots: Option<PathBuf>,
}

/// Arguments of a command that works on all objects of an owner at a node, where one is named.
#[derive(Debug, clap::Args)]
pub(crate) struct AtNode {
    /// All objects of this owner at a node instead
    #[arg(long, value_name = "URL", requires = "host", requires = "envelopes")]
    node: Option<String>,
    /// Directory of this owner's envelopes, made if missing: a node that serves an older generation, or another envelope of the same, is
    /// refused by name, and each new envelope is kept here before it is sent
    #[arg(long, value_name = "DIR", requires = "node")]
    envelopes: Option<PathBuf>,
    /// The host's public key: text, hexadecimal, or its .pub file
    #[arg(long, value_name = "KEY", requires = "node")]
    host: Option<String>,
    /// PEM file with the certificates to trust (https needs it)
    #[arg(long, value_name = "FILE", requires = "node")]
    roots: Option<PathBuf>,
}

impl AtNode {
    /// The node, and the directory of the owner's envelopes; none when no node is named. `owner` is the file of the owner's secret key.
    pub(crate) fn connect(self, owner: &Path) -> anyhow::Result<Option<(Client, PathBuf)>> {
        match (self.node, self.host, self.envelopes) {
            (Some(node), Some(host), Some(folder)) => {
                let signer = keyfile::read_signing_key(owner, keyfile::Kind::Owner)?;
                Ok(Some((NodeArgs::new(node, host, self.roots).connect(signer)?, folder)))
            }
            (None, ..) => Ok(None),
            _ => bail!(
                "a node is known by its host's key, and what it serves by the envelopes known: give --host and --envelopes"
            ),
        }
    }
}

impl NodeArgs {
    /// For a command that names the arguments itself.
    pub(crate) fn new(node: String, host: String, roots: Option<PathBuf>) -> Self {
        Self { node, host, roots }
    }

    /// The host's pinned key.
    pub(crate) fn host_key(&self) -> anyhow::Result<HostKey> {
        Ok(HostKey(keyfile::public_key(&self.host, keyfile::Kind::Host)?))
    }

    /// A client that signs with `signer`.
    pub(crate) fn connect(&self, signer: SigningKey) -> anyhow::Result<Client> {
        let root_certificates =
            self.roots.as_deref().map(|path| read_bounded(path, ROOTS_BYTES_MAX)).transpose()?;
        let options = ClientOptions { root_certificates, ..ClientOptions::default() };
        Ok(Client::new(&self.node, self.host_key()?, signer, options)?)
    }
}
