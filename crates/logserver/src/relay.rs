//! Rounds of a drand chain, relayed: fetched ahead of being asked for, verified offline, served as drand's HTTP API does.
//!
//! Readers verify for themselves (spec beacon, D12); what is verified here is that nobody hands out forgeries through a log. Readers never
//! make it fetch anything, and nothing of the log waits for it.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use bailiwick_beacon::{
    BeaconError, BeaconRound, BeaconVerifier, ChainInfo, DRAND_JSON_BYTES_MAX, Freshness, JsonError, Round,
    parse_drand_json, write_drand_json,
};

use crate::client::ClientError;
use crate::http::Endpoint;
use crate::log_server::{FLEETING, IMMUTABLE, refusal};
use crate::rounds::Rounds;

/// Seconds an upstream may take.
const ANSWER: Duration = Duration::from_secs(5);
/// Pause between two rounds that are fetched one after the other.
const PACE: Duration = Duration::from_millis(100);
/// How long after its time a round is asked for: the network needs a moment.
const MARGIN_MS: u64 = 500;
/// Longest pause: after failures, which begin with [`PACE`] and double, and while nothing is missing.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// The latest round is shown as such for so long after its time.
pub(crate) const LATEST_MS: u64 = 60_000;

/// What a relay does.
#[derive(Clone, Debug)]
pub struct RelayOptions {
    /// The chain; nothing of it comes from an upstream.
    pub chain: ChainInfo,
    /// Addresses with `{round}` in the path, tried in turns.
    pub upstreams: Vec<String>,
    /// PEM certificates to trust, needed for https.
    pub roots: Option<Vec<u8>>,
    /// Rounds kept, counted from the latest.
    pub keep: u64,
    /// Rounds before its start that are fetched too.
    pub back: u64,
}

/// The moment, Unix milliseconds.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Why an upstream gave no round.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("status {0}")]
    Status(u16),
    #[error(transparent)]
    Form(#[from] JsonError),
    #[error(transparent)]
    Refused(#[from] BeaconError),
}

struct Upstream {
    endpoint: Endpoint,
    /// Path and query, with `{round}`.
    path: String,
}

impl Upstream {
    fn new(url: &str, roots: Option<&[u8]>) -> Result<Self, ClientError> {
        let bad = || ClientError::Address(url.escape_default().to_string());
        let host = url.find("://").map(|at| at + 3).ok_or_else(bad)?;
        let (base, path) = url.split_at(host + url[host..].find('/').ok_or_else(bad)?);
        if !path.contains("{round}") {
            return Err(bad());
        }
        Ok(Self { endpoint: Endpoint::new(base, roots, ANSWER)?, path: path.to_owned() })
    }
}

/// A relay at work. Stops when dropped.
pub struct BeaconRelay {
    chain: ChainInfo,
    rounds: Arc<Mutex<Rounds>>,
    clock: Clock,
    /// The worker ends when this is gone, and waits for nobody: nor does anybody for it.
    _stop: SyncSender<()>,
}

impl BeaconRelay {
    /// Starts it. Upstreams that do not answer are no error: they are asked again.
    ///
    /// # Errors
    /// `Beacon` for a chain whose parameters do not fit; `Address`, `Roots`.
    pub fn start(options: &RelayOptions, clock: Clock) -> Result<Self, ClientError> {
        let verifier =
            BeaconVerifier::new(options.chain.clone()).map_err(|e| ClientError::Beacon(Box::new(e)))?;
        let upstreams = options.upstreams.iter().map(|url| Upstream::new(url, options.roots.as_deref()));
        let upstreams = upstreams.collect::<Result<Vec<_>, _>>()?;
        let rounds = Arc::new(Mutex::new(Rounds::new(options.keep, options.back)));
        let worker = Worker {
            verifier,
            upstreams,
            good: 0,
            rounds: Arc::clone(&rounds),
            clock: Arc::clone(&clock),
            pause: PACE,
        };
        let (stop, stopped) = sync_channel(0);
        std::thread::spawn(move || worker.run(&stopped));
        let chain = options.chain.clone();
        Ok(Self { chain, rounds, clock, _stop: stop })
    }

    /// `GET /beacon/{id}/{round}` and `GET /beacon/{id}/latest`.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new().route("/beacon/{chain}/{round}", get(round)).with_state(Arc::clone(self))
    }

    fn kept(&self, number: u64) -> Option<BeaconRound> {
        let rounds = self.rounds.lock().unwrap_or_else(PoisonError::into_inner);
        let signature = rounds.get(number)?;
        Some(BeaconRound { chain: self.chain.hash, round: number, signature })
    }

    /// The latest round, unless it is of more than a minute ago.
    fn latest(&self) -> Option<BeaconRound> {
        let number = self.rounds.lock().unwrap_or_else(PoisonError::into_inner).latest()?;
        let published = self.chain.published_at(Round::new(number).ok()?).ok()?;
        let age = (self.clock)().saturating_sub(published);
        if age <= LATEST_MS { self.kept(number) } else { None }
    }
}

async fn round(
    State(relay): State<Arc<BeaconRelay>>,
    Path((chain, which)): Path<(String, String)>,
) -> Response {
    let missing = |message| refusal(StatusCode::NOT_FOUND, "not-found", message);
    if chain != relay.chain.id {
        return missing("no such chain here");
    }
    let (round, cache) = if which == "latest" {
        (relay.latest(), FLEETING)
    } else {
        // One spelling a number.
        let number = which.parse().ok().filter(|n: &u64| n.to_string() == which);
        (number.and_then(|n| relay.kept(n)), IMMUTABLE)
    };
    match round {
        Some(round) => {
            let kind = HeaderValue::from_static("application/json");
            ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, cache)], write_drand_json(&round))
                .into_response()
        }
        None if which == "latest" => {
            refusal(StatusCode::SERVICE_UNAVAILABLE, "stale", "no round of the last minute has come yet")
        }
        None => missing("no such round here: not published yet, not fetched yet, or not kept any more"),
    }
}

struct Worker {
    verifier: BeaconVerifier,
    upstreams: Vec<Upstream>,
    /// Which upstream is asked first: the one that answered last.
    good: usize,
    rounds: Arc<Mutex<Rounds>>,
    clock: Clock,
    /// Pause after the next failure.
    pause: Duration,
}

impl Worker {
    fn run(mut self, stopped: &Receiver<()>) {
        while stopped.recv_timeout(self.step()) == Err(RecvTimeoutError::Timeout) {}
    }

    fn rounds(&self) -> std::sync::MutexGuard<'_, Rounds> {
        self.rounds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fetches a round that is missing, and gives how long to wait then.
    fn step(&mut self) -> Duration {
        let now = (self.clock)();
        let chain = self.verifier.chain();
        let Ok(due) = chain.round_at(now.saturating_sub(MARGIN_MS)) else { return PAUSE_MAX };
        let Some(number) = self.rounds().missing(due.get()) else {
            let next = Round::new(due.get() + 1).and_then(|next| chain.published_at(next));
            let wait = next.map_or(u64::MAX, |at| (at + MARGIN_MS).saturating_sub(now));
            return Duration::from_millis(wait).clamp(PACE, PAUSE_MAX);
        };
        match self.fetch(number, now) {
            Some(round) => {
                self.rounds().insert(round.round, round.signature);
                self.pause = PACE;
                PACE
            }
            None => {
                self.rounds().failed(number);
                let pause = self.pause;
                self.pause = (pause * 2).min(PAUSE_MAX);
                pause
            }
        }
    }

    /// The round, verified, of the first upstream that has it.
    fn fetch(&mut self, number: u64, now_ms: u64) -> Option<BeaconRound> {
        for turn in 0..self.upstreams.len() {
            let at = (self.good + turn) % self.upstreams.len();
            match self.ask(&self.upstreams[at], number, now_ms) {
                Ok(round) => {
                    self.good = at;
                    return Some(round);
                }
                Err(error) => {
                    let upstream = self.upstreams[at].endpoint.base();
                    tracing::warn!(upstream, round = number, %error, "no beacon round to relay");
                }
            }
        }
        None
    }

    fn ask(&self, upstream: &Upstream, number: u64, now_ms: u64) -> Result<BeaconRound, FetchError> {
        let path = upstream.path.replace("{round}", &number.to_string());
        let answer = upstream.endpoint.get(&path, DRAND_JSON_BYTES_MAX)?;
        if answer.status != 200 {
            return Err(FetchError::Status(answer.status));
        }
        let round = parse_drand_json(&answer.body, &self.verifier.chain().hash)?;
        let expected = Round::new(number).map_err(BeaconError::from)?;
        self.verifier.accept(&round, expected, Freshness { now_ms, window_ms: u64::MAX })?;
        Ok(round)
    }
}
