//! Public randomness nobody here controls: rounds of a drand chain, verified offline (spec beacon).
//!
//! A challenge drawn from a beacon round cannot have been known before the round was published, neither to the host nor
//! to the auditor. This crate checks that a round is what it says: of the pinned chain, of the expected number, signed
//! by the chain's key, published already and recently enough. It holds no clock and no network: moments are arguments
//! and bytes come from the caller.
//!
//! ```
//! use bailiwick_beacon::{BeaconVerifier, Freshness, QUICKNET, Round, parse_drand_json};
//!
//! let answer = br#"{"round":1000,
//!     "randomness":"fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd",
//!     "signature":"b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"}"#;
//! let round = parse_drand_json(answer, &QUICKNET.hash)?;
//! let verifier = BeaconVerifier::new(QUICKNET)?;
//! let freshness = Freshness { now_ms: 1_692_806_400_000, window_ms: 60_000 };
//! verifier.accept(&round, Round::new(1000)?, freshness)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cache;
mod chain;
mod json;
mod round;
mod verify;

pub use bailiwick_protocol::beacon::BeaconRound;
pub use cache::{CACHED_ROUNDS_MAX, RoundCache};
pub use chain::{ChainError, ChainInfo, QUICKNET, Scheme};
pub use json::{DRAND_JSON_BYTES_MAX, JsonError, parse_drand_json, read_round, write_drand_json};
pub use round::{Round, TimeError};
pub use verify::{BeaconError, BeaconVerifier, Freshness, PointError};
