// A node in this process, on a free loopback port, in a folder that goes with it. A real one runs elsewhere.

/// The node, and a client that signs as an owner it knows.
pub(crate) struct Loopback {
    /// For the caller's files; the node's are in there too.
    pub(crate) dir: tempfile::TempDir,
    /// Key of the owner.
    pub(crate) owner: std::sync::Arc<bailiwick_protocol::signing::SigningKey>,
    /// Signs as the owner.
    pub(crate) client: bailiwick_client::Client,
    /// Ends with the node.
    _runtime: tokio::runtime::Runtime,
}

impl Loopback {
    /// Makes and starts a node.
    pub(crate) fn start() -> Result<Self, Box<dyn std::error::Error>> {
        use bailiwick_protocol::{ids::OwnerKey, secret::Secret, signing::SigningKey};
        let seed = Secret::try_init_with(|seed: &mut [u8; 32]| getrandom::fill(seed))?;
        let owner = std::sync::Arc::new(SigningKey::from_seed(&seed));
        let dir = tempfile::tempdir()?;
        let options = bailiwick_node::InitOptions {
            listen: "127.0.0.1:0".parse()?,
            owners: vec![OwnerKey(owner.public())],
            auditors: vec![],
            circuit_keys_dir: None,
        };
        let made = bailiwick_node::init(&dir.path().join("node"), &options)?;
        let config = bailiwick_node::config::Config::load(&made.config)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let server = runtime.block_on(bailiwick_node::Server::bind(config))?;
        let url = format!("http://{}", server.address());
        runtime.spawn(server.serve(std::future::pending()));
        let client = bailiwick_client::Client::new(
            &url,
            made.host,
            std::sync::Arc::clone(&owner),
            bailiwick_client::ClientOptions::default(),
        )?;
        Ok(Self { dir, owner, client, _runtime: runtime })
    }
}
