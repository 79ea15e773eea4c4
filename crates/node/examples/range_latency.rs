//! Latency of 64 KiB range GETs, one after another, each signed, against a node in this process on loopback.
//!
//! `cargo run --release -p bailiwick-node --example range_latency`

use std::time::{Duration, Instant};

use bailiwick_client::{Client, ClientOptions};
use bailiwick_node::config::Config;
use bailiwick_node::{InitOptions, Server, init};
use bailiwick_possession::tree::commit;
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::{BodyInfo, CellCommitment, Envelope, SUITE, SignedEnvelope};
use bailiwick_protocol::ids::{ContentId, ObjectId, OwnerKey, Unit};
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;

const BODY_BYTES: usize = 32 << 20;
const RANGE_BYTES: u64 = 64 << 10;
const REQUESTS: u64 = 2000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let key = || SigningKey::from_seed(&Secret::init_with(|s| s.fill(1)));
    let owner = OwnerKey(key().public());
    let dir = tempfile::tempdir()?;
    let options = InitOptions {
        listen: "127.0.0.1:0".parse()?,
        owners: vec![owner],
        auditors: vec![],
        circuit_keys_dir: None,
    };
    let made = init(&dir.path().join("node"), &options)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let server = runtime.block_on(Server::bind(Config::load(&made.config)?))?;
    let address = server.address();
    runtime.spawn(server.serve(std::future::pending()));

    let body: Vec<u8> = (0..251u8).cycle().take(BODY_BYTES).collect();
    let tree = commit([&body])?;
    let envelope = Envelope {
        suite: SUITE,
        owner,
        object: ObjectId([1; 16]),
        unit: Unit::WHOLE,
        body: BodyInfo {
            format: 1,
            salt: body[..24].try_into()?,
            key_commitment: body[24..56].try_into()?,
            size: BODY_BYTES as u64,
            blake3: ContentId(*blake3::hash(&body).as_bytes()),
        },
        further_commitments: Vec::new(),
        shards: None,
        passphrase: None,
        custody: None,
        policy: None,
        commitment: Some(CellCommitment { root: tree.root(), cells: tree.cells() }),
        generation: 1,
        recipients: vec![],
    };
    let client = Client::new(&format!("http://{address}"), made.host, key(), ClientOptions::default())?;
    let signed = SignedEnvelope::new(&envelope, &key()).to_bytes();
    client.list(None, 1)?;
    let started = Instant::now();
    client.put(&envelope.name(), &signed, || Ok(body.as_slice()), BODY_BYTES as u64)?;
    println!("PUT of {} MiB: {:?}", BODY_BYTES >> 20, started.elapsed());

    let mut times: Vec<Duration> = Vec::new();
    for i in 0..REQUESTS {
        let offset = i * 7919 * 4096 % (BODY_BYTES as u64 - RANGE_BYTES);
        let started = Instant::now();
        client.get_range(&envelope.name(), offset, 64 << 10)?;
        times.push(started.elapsed());
    }
    times.sort();
    for percent in [50, 90, 99] {
        println!("p{percent}: {:?}", times[times.len() * percent / 100]);
    }
    Ok(())
}
