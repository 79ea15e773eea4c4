//! What all requests share.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bailiwick_protocol::http_signature::Verified;
use bailiwick_protocol::ids::HostKey;
use bailiwick_protocol::limits::BODY_BYTES_MAX;
use bailiwick_store::files::FileSystem;
use bailiwick_store::{OpenReport, Options, Store};

use crate::circuits::CircuitKeys;
use crate::clock::ClockWatch;
use crate::config::Config;
use crate::error::{ApiError, NodeError};
use crate::folders;
use crate::hostkey;
use crate::inventories::Inventories;
use crate::metrics::Metrics;
use crate::prover::Prover;
use crate::replay::{Admission, FloorError, FloorFile, Replay};
use crate::shares::{NoPlace, Places};

/// A node's state; cheap to share behind an `Arc`.
pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) host: HostKey,
    /// Whether clients speak TLS to this process.
    pub(crate) secure: bool,
    pub(crate) store: Store,
    pub(crate) replay: Replay,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) circuits: Arc<CircuitKeys>,
    pub(crate) prover: Prover,
    pub(crate) inventories: Arc<Inventories>,
    /// Uploads whose bodies are being stored.
    pub(crate) uploads: Places,
    floor: Arc<FloorFile>,
    /// One writer of the floor at a time.
    floor_writer: tokio::sync::Mutex<()>,
}

/// Why a node is not ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Something that only a restart mends, in words.
    ReadOnly(&'static str),
    /// No signed request is accepted for that many seconds.
    FloorAhead(u64),
}

impl App {
    pub(crate) fn open(config: Config, files: &Arc<dyn FileSystem>) -> Result<Arc<Self>, NodeError> {
        let key = Arc::new(hostkey::load(&config.host_key)?);
        let objects = config.objects_dir();
        folders::make_all(&**files, &objects)
            .map_err(|source| NodeError::Io { path: objects.clone(), source })?;
        // The store's lock makes this process the only one of the folder, so the floor is ours too.
        let store = Store::open_with(Arc::clone(files), &objects, store_options(&config))?;
        log_report(store.report());
        let floor = Arc::new(FloorFile::open(&**files, config.replay_floor())?);
        let replay = Replay::start(floor.floor(), unix_seconds(), config.limits.places(config.limits.nonces));
        if let Some(seconds) = replay.ahead(unix_seconds()) {
            tracing::error!(
                seconds,
                floor = floor.floor(),
                "the replay floor is ahead of the clock: no signed request is accepted until then. If the clock is right \
                 now: stop the node, wait a minute, remove the file replay-floor in its data folder, start it; see \
                 docs/operations.md, section Clock"
            );
        }
        let metrics = Arc::new(Metrics::new());
        let circuits = Arc::new(CircuitKeys::new(config.circuit_keys_dir.clone()));
        warn_of_audits(&config, &circuits);
        let inventories = Arc::new(Inventories::open(
            store.clone(),
            Arc::clone(&key),
            Arc::clone(&metrics),
            config.inventory,
            unix_millis(),
        )?);
        let prover = Prover::start(
            crate::prover::Parts {
                store: store.clone(),
                circuits: Arc::clone(&circuits),
                metrics: Arc::clone(&metrics),
                key: Arc::clone(&key),
                inventories: Arc::clone(&inventories),
            },
            (config.proof_threads, config.proof_priority),
            config.limits.places(config.limits.proof_queue),
        )
        .map_err(NodeError::Runtime)?;
        Ok(Arc::new(Self {
            host: HostKey(key.public()),
            secure: config.tls.is_some(),
            store,
            replay,
            metrics,
            circuits,
            prover,
            inventories,
            uploads: Places::new(config.limits.places(config.limits.uploads)),
            floor,
            floor_writer: tokio::sync::Mutex::new(()),
            config,
        }))
    }

    /// Seconds since 1970-01-01 UTC.
    pub(crate) fn now(&self) -> u64 {
        unix_seconds()
    }

    /// Runs a blocking store call where it blocks nobody.
    pub(crate) async fn with_store<T: Send + 'static, E: Into<ApiError> + Send + 'static>(
        &self,
        call: impl FnOnce(&Store) -> Result<T, E> + Send + 'static,
    ) -> Result<T, ApiError> {
        let store = self.store.clone();
        match tokio::task::spawn_blocking(move || call(&store)).await {
            Ok(result) => result.map_err(Into::into),
            Err(_) => Err(ApiError::internal()),
        }
    }

    /// Bytes one body may have now. An object that a circuit key at hand cannot prove would fail every audit under that key, of all
    /// this host holds.
    pub(crate) async fn body_bytes_max(&self) -> Result<u64, ApiError> {
        if let Some(configured) = self.config.body_bytes_max {
            return Ok(configured);
        }
        let circuits = Arc::clone(&self.circuits);
        match tokio::task::spawn_blocking(move || circuits.body_bytes_max()).await {
            Ok(Ok(max)) => Ok(max.unwrap_or(BODY_BYTES_MAX).min(BODY_BYTES_MAX)),
            Ok(Err(error)) => {
                tracing::error!(%error, "circuit keys cannot be looked at");
                Err(ApiError::busy("the circuit keys cannot be looked at now", 5))
            }
            Err(_) => Err(ApiError::internal()),
        }
    }

    /// Milliseconds since 1970-01-01 UTC.
    pub(crate) fn now_ms(&self) -> u64 {
        unix_millis()
    }

    /// Runs a blocking call on the inventories where it blocks nobody.
    pub(crate) async fn with_inventories<T: Send + 'static, E: Into<ApiError> + Send + 'static>(
        &self,
        call: impl FnOnce(&Inventories, &Store) -> Result<T, E> + Send + 'static,
    ) -> Result<T, ApiError> {
        let inventories = Arc::clone(&self.inventories);
        self.with_store(move |store| call(&inventories, store)).await
    }

    /// Lets inventories pass when their time is over.
    pub(crate) async fn keep_inventories(&self) {
        let mut tick = tokio::time::interval(Duration::from_secs(60));
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            let now = self.now_ms();
            let passed = self.with_inventories(move |inventories, _| inventories.expire(now)).await;
            if passed.is_err() {
                tracing::warn!("inventories that have passed could not be given up");
            }
        }
    }

    /// The refusal for want of a place, counted under the name of the `limit`.
    pub(crate) fn no_place(
        &self,
        limit: &'static str,
        why: NoPlace,
        message: &'static str,
        seconds: u64,
    ) -> ApiError {
        self.metrics.no_place(limit, why);
        match why {
            NoPlace::Full => ApiError::busy(message, seconds),
            NoPlace::KeyShare => ApiError::key_share(message, seconds),
        }
    }

    /// Admits a verified request, making the floor durable first when it must rise.
    pub(crate) async fn admit(&self, request: &Verified, now: u64) -> Result<Admission, ApiError> {
        let first = self.replay.admit(request, now);
        let Admission::NeedsFloor(floor) = first else { return Ok(first) };
        self.raise_floor(floor).await?;
        Ok(self.replay.admit(request, now))
    }

    /// Makes `floor` durable unless another request just did.
    pub(crate) async fn raise_floor(&self, floor: u64) -> Result<(), ApiError> {
        let _one_at_a_time = self.floor_writer.lock().await;
        if self.replay.covers(floor) {
            return Ok(());
        }
        let file = Arc::clone(&self.floor);
        match tokio::task::spawn_blocking(move || file.store(floor)).await {
            Ok(Ok(())) => {
                self.replay.reserved(floor);
                Ok(())
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "replay floor not durable; refusing");
                match error {
                    FloorError::SyncFailed { .. } => {
                        Err(ApiError::read_only("the replay floor cannot be kept"))
                    }
                    _ => Err(ApiError::busy("the replay floor cannot be written now", 5)),
                }
            }
            Err(_) => Err(ApiError::internal()),
        }
    }

    /// Keeps the reservation ahead while requests come, so that none waits for a disk.
    pub(crate) async fn keep_floor_ahead(&self) {
        let mut tick = tokio::time::interval(Duration::from_millis(250));
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut watch = ClockWatch::new(self.now());
        loop {
            tick.tick().await;
            watch.look(self.now());
            if let Some(floor) = self.replay.renewal(self.now()) {
                // A failure is logged; requests that need the floor will try again and be refused.
                self.raise_floor(floor).await.ok();
            }
        }
    }

    /// Why the node is not as it should be, if it is not.
    pub(crate) fn fault(&self) -> Option<Fault> {
        if self.store.is_read_only() {
            Some(Fault::ReadOnly("the store is read-only"))
        } else if self.floor.has_failed() {
            Some(Fault::ReadOnly("the replay floor cannot be kept"))
        } else if self.prover.is_broken() {
            Some(Fault::ReadOnly("there are no prover threads"))
        } else {
            self.replay.ahead(self.now()).map(Fault::FloorAhead)
        }
    }

    /// Leaves the lowest safe floor behind; call when no request is running any more.
    pub(crate) fn close(&self) {
        let floor = self.replay.close();
        if floor > 0
            && let Err(error) = self.floor.store(floor)
        {
            // The higher, reserved floor stays: safe, and a few seconds slower to start.
            tracing::warn!(%error, "replay floor not lowered");
        }
    }
}

pub(crate) fn store_options(config: &Config) -> Options {
    Options {
        quota_bytes: config.quota_bytes,
        owner_quota_bytes: config.owner_quota_bytes,
        body_bytes_max: config.body_bytes_max.unwrap_or(BODY_BYTES_MAX),
        retain: true,
        ..Options::default()
    }
}

/// What the configuration allows others to do to this host's audits.
fn warn_of_audits(config: &Config, circuits: &CircuitKeys) {
    if let (Some(configured), Ok(Some(provable))) = (config.body_bytes_max, circuits.body_bytes_max())
        && configured > provable
    {
        tracing::warn!(
            body_bytes_max = configured,
            provable,
            "one larger object fails every audit of inventories under the smallest circuit key; leave body_bytes_max out"
        );
    }
    if config.auditors.len() > 1 && config.inventory.epoch_seconds == 0 {
        tracing::warn!(
            "each auditor can have epochs of another decided too early; set inventory.epoch_seconds (docs/operations.md)"
        );
    }
}

/// Counts only: a rebuilt index adopts every object there is.
fn log_report(report: &OpenReport) {
    tracing::info!(
        swept = report.swept,
        index_rebuilt = report.index_rebuilt,
        adopted = report.adopted.len(),
        lost = report.lost.len(),
        superseded = report.superseded,
        damaged = report.damaged.len(),
        foreign = report.foreign.len(),
        "store open"
    );
    if !report.damaged.is_empty() || !report.lost.is_empty() {
        tracing::warn!("objects are damaged or gone; a scrub names them");
    }
}

fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn unix_seconds() -> u64 {
    // A clock before 1970 reads 0: no signature is in its window, nothing is accepted.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}
