//! A node in this process, objects to store in it, and requests made by hand.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bailiwick_client::{Client, ClientOptions};
use bailiwick_node::config::{Config, ProofPriority};
use bailiwick_node::{InitOptions, Server};
use bailiwick_possession_circuit::ProverKey;
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::{
    BODY_FORMAT_COBBLESTONE_256, BodyInfo, CellCommitment, Envelope, SUITE, SignedEnvelope,
    body_size_is_possible,
};
use bailiwick_protocol::http_signature::{
    CONTENT_DIGEST_HEADER, Content, ENVELOPE_DIGEST_HEADER, HOST_HEADER, RequestParts, SignatureParameters,
    format_digest, sha256, sign,
};
use bailiwick_protocol::ids::{
    AuditorKey, ClassId, ContentId, HostKey, ObjectId, OwnerKey, Unit, UnitName, VkDigest,
};
use bailiwick_protocol::key_card::{KEY_CARD_VERSION, KeyCard, KeyProvenance};
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;
use bailiwick_store::files::{FileSystem, StdFiles};

use super::faulty::Faulty;

pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&Secret::init_with(|s| s.fill(seed)))
}

pub const OWNER: u8 = 1;
pub const OTHER_OWNER: u8 = 2;
pub const AUDITOR: u8 = 3;
pub const STRANGER: u8 = 4;
pub const READER: u8 = 5;
pub const OTHER_AUDITOR: u8 = 6;

pub fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A node's folder, and the node when it runs.
pub struct Node {
    pub dir: tempfile::TempDir,
    pub config: Config,
    pub host: HostKey,
    pub address: SocketAddr,
    /// Threads for blocking calls, as tokio's builder has them.
    pub blocking_threads: usize,
    files: Arc<dyn FileSystem>,
    stop: Option<tokio::sync::oneshot::Sender<bool>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Node {
    pub fn new(change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let options = InitOptions {
            listen: "127.0.0.1:0".parse().unwrap(),
            owners: vec![OwnerKey(key(OWNER).public()), OwnerKey(key(OTHER_OWNER).public())],
            auditors: vec![AuditorKey(key(AUDITOR).public())],
            circuit_keys_dir: None,
        };
        let made = bailiwick_node::init(&dir.path().join("node"), &options).unwrap();
        let mut config = Config::load(&made.config).unwrap();
        config.readers.push(OwnerKey(key(READER).public()));
        // Tests wait for these to pass, and for proofs on machines that are never idle.
        config.proof_priority = ProofPriority::Normal;
        (config.limits.linger_seconds, config.limits.drain_idle_seconds) = (2, 1);
        change(&mut config);
        let address = config.listen;
        Self {
            dir,
            config,
            host: made.host,
            address,
            blocking_threads: 512,
            files: Arc::new(StdFiles),
            stop: None,
            thread: None,
        }
    }

    /// Not started yet, on a file system that can be told to fail.
    pub fn faulty() -> (Self, Faulty) {
        let files = Faulty::new();
        let mut node = Self::new(|_| {});
        node.files = Arc::new(files.clone());
        (node, files)
    }

    /// Why it does not start.
    pub fn refusal_to_start(&self) -> bailiwick_node::NodeError {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let server = runtime.block_on(Server::bind_with(self.config.clone(), Arc::clone(&self.files)));
        server.err().expect("it starts")
    }

    pub fn started() -> Self {
        let mut node = Self::new(|_| {});
        node.start();
        node
    }

    pub fn start(&mut self) {
        let (config, files) = (self.config.clone(), Arc::clone(&self.files));
        let blocking_threads = self.blocking_threads;
        let (ready, address) = std::sync::mpsc::channel();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .max_blocking_threads(blocking_threads)
                .enable_all()
                .build()
                .unwrap();
            let crash = runtime.block_on(async {
                let server = bind(config, files).await;
                ready.send(server.address()).unwrap();
                let (tell, told) = tokio::sync::oneshot::channel();
                let mut serving = tokio::spawn(server.serve(async {
                    told.await.unwrap_or(());
                }));
                let crash = stopped.await.unwrap_or(false);
                if crash {
                    serving.abort();
                } else {
                    tell.send(()).ok();
                    (&mut serving).await.ok();
                }
                crash
            });
            if crash {
                runtime.shutdown_background();
            }
        });
        self.address = address.recv().unwrap();
        (self.stop, self.thread) = (Some(stop), Some(thread));
    }

    fn end(&mut self, crash: bool) {
        if let Some(stop) = self.stop.take() {
            stop.send(crash).ok();
            self.thread.take().unwrap().join().unwrap();
        }
    }

    /// An orderly stop: what `serve` does on a signal.
    pub fn stop(&mut self) {
        self.end(false);
    }

    /// Ends without any of the orderly work, as far as a process can do it to itself.
    pub fn crash(&mut self) {
        self.end(true);
    }

    pub fn client(&self, seed: u8) -> Client {
        Client::new(&format!("http://{}", self.address), self.host, key(seed), ClientOptions::default())
            .unwrap()
    }

    pub fn by_hand(&self, method: &'static str, path: impl Into<String>) -> ByHand<'_> {
        ByHand {
            node: self,
            method,
            path: path.into(),
            signed_path: None,
            query: None,
            signed_query: None,
            seed: OWNER,
            created: unix_seconds() + 2,
            lifetime: 30,
            nonce: fresh_nonce(),
            host: self.host,
            authority: self.address.to_string(),
            content: Content::None,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// The file that holds an object.
    pub fn object_file(&self, size: u64) -> PathBuf {
        let mut found = Vec::new();
        let mut folders = vec![self.config.objects_dir()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let meta = entry.metadata().unwrap();
                let name = entry.file_name().to_string_lossy().into_owned();
                if meta.is_dir() {
                    folders.push(entry.path());
                } else if meta.len() > size && meta.len() < size + 20_000 && !name.contains("index") {
                    found.push(entry.path());
                }
            }
        }
        assert_eq!(found.len(), 1, "{found:?}");
        found.pop().unwrap()
    }

    /// Installs the development key of the tiny class.
    pub fn with_tiny_key(&self) -> VkDigest {
        let (bytes, card) = &*TINY;
        let dir = &self.config.circuit_keys_dir;
        fs::write(dir.join(format!("{}.pk", card.vk)), bytes).unwrap();
        fs::write(dir.join(format!("{}.toml", card.vk)), toml::to_string(card).unwrap()).unwrap();
        card.vk
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.end(false);
    }
}

/// A crashed predecessor in this process may still hold the store's lock for a moment.
async fn bind(config: Config, files: Arc<dyn FileSystem>) -> Server {
    for _ in 0..500 {
        match Server::bind_with(config.clone(), Arc::clone(&files)).await {
            Ok(server) => return server,
            Err(bailiwick_node::NodeError::Store(bailiwick_store::StoreError::Locked { .. })) => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the store stays locked");
}

static TINY: LazyLock<(Vec<u8>, KeyCard)> = LazyLock::new(|| {
    let key = ProverKey::development(ClassId::TINY, &mut |_| {}).unwrap();
    let mut bytes = Vec::new();
    let (vk, pk) = key.write_to(&mut bytes).unwrap();
    let card = KeyCard {
        version: KEY_CARD_VERSION,
        provenance: KeyProvenance::Development,
        ceremony: None,
        auditor: None,
        vk,
        pk,
        circuit: key.circuit(),
        class: ClassId::TINY,
        scheme: bailiwick_protocol::envelope::COMMITMENT_SCHEME_CELL_TREE,
    };
    (bytes, card)
});

/// The tiny key itself, to verify with.
pub static TINY_KEY: LazyLock<ProverKey> = LazyLock::new(|| {
    let (bytes, card) = &*TINY;
    ProverKey::read_from(&mut std::io::Cursor::new(bytes), &card.pk, ClassId::TINY).unwrap()
});

fn fresh_nonce() -> [u8; 16] {
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).unwrap();
    nonce
}

/// A unit as an owner makes it: the node never looks inside a body beyond its first 56 bytes.
#[derive(Clone)]
pub struct Object {
    pub name: UnitName,
    pub envelope: Envelope,
    pub signed: Vec<u8>,
    pub body: Vec<u8>,
}

impl Object {
    /// `size` bytes that look random and are the same for the same `id`.
    pub fn new(id: u8, size: usize) -> Self {
        Self::of(OWNER, id, size, 1)
    }

    pub fn of(owner: u8, id: u8, size: usize, generation: u64) -> Self {
        assert!(body_size_is_possible(size as u64), "{size}");
        let mut body = vec![0; size];
        blake3::Hasher::new().update(&[id]).finalize_xof().fill(&mut body);
        let tree = bailiwick_possession::tree::commit([&body]).unwrap();
        let envelope = Envelope {
            suite: SUITE,
            owner: OwnerKey(key(owner).public()),
            object: ObjectId([id; 16]),
            unit: Unit::WHOLE,
            body: BodyInfo {
                format: BODY_FORMAT_COBBLESTONE_256,
                salt: body[..24].try_into().unwrap(),
                key_commitment: body[24..56].try_into().unwrap(),
                size: size as u64,
                blake3: ContentId(*blake3::hash(&body).as_bytes()),
            },
            further_commitments: Vec::new(),
            shards: None,
            passphrase: None,
            custody: None,
            policy: None,
            commitment: Some(CellCommitment { root: tree.root(), cells: tree.cells() }),
            generation,
            recipients: Vec::new(),
        };
        Self::sealed(owner, envelope, body)
    }

    pub fn sealed(owner: u8, envelope: Envelope, body: Vec<u8>) -> Self {
        let signed = SignedEnvelope::new(&envelope, &key(owner)).to_bytes();
        Self { name: envelope.name(), envelope, signed, body }
    }

    pub fn path(&self) -> String {
        format!("/v1/objects/{}", self.name)
    }

    pub fn upload(&self) -> Vec<u8> {
        let length = u32::try_from(self.signed.len()).unwrap();
        [&length.to_le_bytes()[..], &self.signed, &self.body].concat()
    }

    pub fn put(&self, client: &Client) -> Result<bailiwick_client::Stored, bailiwick_client::ClientError> {
        client.put(&self.name, &self.signed, || Ok(self.body.as_slice()), self.body.len() as u64)
    }

    /// The upload by hand, signed as it should be.
    pub fn by_hand<'n>(&self, node: &'n Node) -> ByHand<'n> {
        let body = self.upload();
        let mut request = node.by_hand("PUT", self.path());
        request.content = Content::Object { envelope: sha256(&self.signed), length: body.len() as u64 };
        request.headers = vec![
            ("content-type".into(), "application/vnd.bailiwick.object".into()),
            ("content-length".into(), body.len().to_string()),
        ];
        request.body = body;
        request
    }
}

/// One request, every part of it changeable after what was signed.
#[derive(Clone)]
pub struct ByHand<'n> {
    pub node: &'n Node,
    pub method: &'static str,
    pub path: String,
    /// What is signed, when it is not what is sent.
    pub signed_path: Option<String>,
    pub query: Option<String>,
    pub signed_query: Option<String>,
    pub seed: u8,
    pub created: u64,
    pub lifetime: u64,
    pub nonce: [u8; 16],
    pub host: HostKey,
    pub authority: String,
    pub content: Content,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl ByHand<'_> {
    /// Head and body as sent.
    pub fn bytes(&self) -> Vec<u8> {
        let parts = RequestParts {
            method: self.method,
            authority: &self.authority,
            path: self.signed_path.as_ref().unwrap_or(&self.path),
            query: self.signed_query.as_deref().or(self.query.as_deref()),
            host: &self.host,
            content: self.content,
        };
        let parameters = SignatureParameters {
            created: self.created,
            expires: self.created + self.lifetime,
            nonce: self.nonce,
        };
        let signed = sign(&parts, &parameters, &key(self.seed));
        let mut extra = vec![
            ("signature-input".to_owned(), signed.signature_input),
            ("signature".to_owned(), signed.signature),
            (HOST_HEADER.to_owned(), self.host.to_string()),
        ];
        match self.content {
            Content::None => {}
            Content::Digest(d) => extra.push((CONTENT_DIGEST_HEADER.to_owned(), format_digest(&d))),
            Content::Object { envelope, .. } => {
                extra.push((ENVELOPE_DIGEST_HEADER.to_owned(), format_digest(&envelope)));
            }
        }
        self.unsigned_bytes(&extra)
    }

    /// The same without a signature.
    pub fn unsigned_bytes(&self, extra: &[(String, String)]) -> Vec<u8> {
        let query = self.query.as_ref().map(|q| format!("?{q}")).unwrap_or_default();
        let mut head =
            format!("{} {}{query} HTTP/1.1\r\nhost: {}\r\n", self.method, self.path, self.node.address);
        for (name, value) in self.headers.iter().chain(extra) {
            head += &format!("{name}: {value}\r\n");
        }
        [head.as_bytes(), b"connection: close\r\n\r\n", &self.body].concat()
    }

    pub fn send(&self) -> Answer {
        send(self.node.address, &self.bytes())
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn code(&self) -> String {
        let json: serde_json::Value = serde_json::from_slice(&self.body).expect("a JSON error body");
        json["code"].as_str().expect("a code").to_owned()
    }
}

/// Sends bytes as they are and reads the answer until the node closes.
pub fn send(address: SocketAddr, bytes: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // The node may refuse before it has read everything.
    stream.write_all(bytes).ok();
    read_answer(&mut stream)
}

pub fn read_answer(stream: &mut TcpStream) -> Answer {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).ok();
    let end = all.windows(4).position(|w| w == b"\r\n\r\n").expect("a response head");
    let head = String::from_utf8(all[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head, body: all[end + 4..].to_vec() }
}

/// One node for all tests that neither restart nor damage it. Each test uses object ids of its own.
pub static SHARED: LazyLock<Node> = LazyLock::new(Node::started);
