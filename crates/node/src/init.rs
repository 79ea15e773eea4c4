//! Making a node: a folder with a configuration and a host key.

use std::fs;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use bailiwick_protocol::ids::{AuditorKey, HostKey, OwnerKey};
use bailiwick_store::files::StdFiles;

use crate::config::{Config, EXAMPLE};
use crate::error::NodeError;
use crate::folders::make_new;
use crate::hostkey;

/// What a new node's configuration says beyond the defaults.
#[derive(Clone, Debug)]
pub struct InitOptions {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Owners who may store.
    pub owners: Vec<OwnerKey>,
    /// Auditors who may ask.
    pub auditors: Vec<AuditorKey>,
    /// Folder of proving keys; default `circuit-keys` in the node's folder.
    pub circuit_keys_dir: Option<PathBuf>,
}

/// A node that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Initialized {
    /// Its configuration file.
    pub config: PathBuf,
    /// Its public key.
    pub host: HostKey,
}

/// Makes `dir`, which must not exist, with `node.toml`, `host.key` and an empty data folder.
///
/// # Errors
/// `Exists`, `Io`, `HostKey`, `Config`.
pub fn init(dir: &Path, options: &InitOptions) -> Result<Initialized, NodeError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source: io::Error| {
            if source.kind() == io::ErrorKind::AlreadyExists {
                NodeError::Exists(path)
            } else {
                NodeError::Io { path, source }
            }
        }
    };
    make_new(&StdFiles, dir).map_err(io(dir))?;
    let host = hostkey::create(&dir.join("host.key"))?;
    let circuits = match &options.circuit_keys_dir {
        // The configuration is read from elsewhere later.
        Some(given) => std::path::absolute(given).map_err(io(given))?,
        None => {
            let own = dir.join("circuit-keys");
            make_new(&StdFiles, &own).map_err(io(&own))?;
            PathBuf::from("circuit-keys")
        }
    };
    let data = dir.join("data");
    make_new(&StdFiles, &data).map_err(io(&data))?;
    let config = dir.join("node.toml");
    let text = configuration(options, &circuits);
    // What was written must read back, e.g. a path that TOML cannot say.
    Config::parse(&text, &config)?;
    let write = || {
        let mut file = fs::File::create_new(&config)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::File::open(dir)?.sync_all()
    };
    write().map_err(io(&config))?;
    Ok(Initialized { config, host })
}

/// The example with this node's values in the lines that differ.
fn configuration(options: &InitOptions, circuits: &Path) -> String {
    let list = |keys: Vec<String>| {
        let quoted: Vec<String> = keys.iter().map(|k| format!("\n  \"{k}\",")).collect();
        if quoted.is_empty() { "[]".to_owned() } else { format!("[{}\n]", quoted.concat()) }
    };
    let value = |line: &str| match line.split_once(" = ").map(|(key, _)| key)? {
        "listen" => Some(format!("\"{}\"", options.listen)),
        "circuit_keys_dir" => Some(toml::Value::String(circuits.to_string_lossy().into_owned()).to_string()),
        "owners" => Some(list(options.owners.iter().map(ToString::to_string).collect())),
        "auditors" => Some(list(options.auditors.iter().map(ToString::to_string).collect())),
        _ => None,
    };
    let lines = EXAMPLE.lines().map(|line| match (value(line), line.split_once(" = ")) {
        (Some(value), Some((key, _))) => format!("{key} = {value}\n"),
        _ => format!("{line}\n"),
    });
    lines.collect()
}
