//! Prints the public example keys of names: `cargo run --release -p bailiwick-roster --example example-key -- Tokyo`.
//!
//! Their secrets are public on purpose (see `audits/rosters/seed-network.toml`); they protect nothing.

use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;

/// The seed of an example key is BLAKE3 of this text followed by the name.
const PREFIX: &str = "bailiwick example key, public on purpose: ";

fn main() {
    for name in std::env::args().skip(1) {
        let seed = blake3::hash(format!("{PREFIX}{name}").as_bytes());
        let key = SigningKey::from_seed(&Secret::init_with(|b| *b = *seed.as_bytes()));
        println!("{} {name}", hex::encode(key.public()));
    }
}
