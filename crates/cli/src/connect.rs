//! How a command reaches a node and who it is to it.

use std::path::PathBuf;

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
