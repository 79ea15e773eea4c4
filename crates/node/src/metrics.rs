//! Counters and gauges in the Prometheus (OpenMetrics) text format. Labels are route patterns, never names or keys.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use bailiwick_protocol::api::JobCost;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::load::Load;
use crate::shares::NoPlace;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RouteStatus {
    method: String,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct LimitReason {
    limit: &'static str,
    reason: &'static str,
}

/// Outcome of a job that made a proof.
pub(crate) const PROVED: &str = "proved";

/// What takes places.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UnderWay {
    /// Proof jobs that are not finished.
    pub(crate) jobs: usize,
    pub(crate) nonces: usize,
    pub(crate) uploads: usize,
    /// 0 unless the replay floor keeps every signed request out.
    pub(crate) floor_ahead_seconds: u64,
    /// Cards in the folder of circuit keys.
    pub(crate) unusable_cards: usize,
}

/// What a node counts.
pub(crate) struct Metrics {
    /// Requests of the last seconds.
    pub(crate) load: Load,
    registry: Registry,
    requests: Family<RouteStatus, Counter>,
    request_seconds: Histogram,
    no_place: Family<LimitReason, Counter>,
    nonces: Gauge<u64, AtomicU64>,
    uploads: Gauge<u64, AtomicU64>,
    floor_ahead: Gauge<u64, AtomicU64>,
    unusable_cards: Gauge<u64, AtomicU64>,
    proofs: Family<Outcome, Counter>,
    proof_wall_seconds: Histogram,
    proof_cpu_seconds: Histogram,
    proof_disk_bytes: Histogram,
    peak_rss_bytes: Gauge<u64, AtomicU64>,
    proof_queue: Gauge,
    objects: Gauge<u64, AtomicU64>,
    body_bytes: Gauge<u64, AtomicU64>,
    file_bytes: Gauge<u64, AtomicU64>,
    read_only: Gauge,
    inventory_seconds: Histogram,
    inventory_epoch: Gauge<u64, AtomicU64>,
    inventories_live: Gauge<u64, AtomicU64>,
    inventory_reads: Counter,
    versions_retained: Gauge<u64, AtomicU64>,
    retained_bytes: Gauge<u64, AtomicU64>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("bailiwick");
        let seconds = || Histogram::new(exponential_buckets(0.001, 2.0, 16));
        let long_seconds = || Histogram::new(exponential_buckets(0.01, 2.0, 16));
        let m = Self {
            load: Load::new(),
            requests: Family::default(),
            request_seconds: seconds(),
            no_place: Family::default(),
            nonces: Gauge::default(),
            uploads: Gauge::default(),
            floor_ahead: Gauge::default(),
            unusable_cards: Gauge::default(),
            proofs: Family::default(),
            proof_wall_seconds: long_seconds(),
            proof_cpu_seconds: long_seconds(),
            proof_disk_bytes: Histogram::new(exponential_buckets(65536.0, 2.0, 16)),
            peak_rss_bytes: Gauge::default(),
            proof_queue: Gauge::default(),
            objects: Gauge::default(),
            body_bytes: Gauge::default(),
            file_bytes: Gauge::default(),
            read_only: Gauge::default(),
            inventory_seconds: long_seconds(),
            inventory_epoch: Gauge::default(),
            inventories_live: Gauge::default(),
            inventory_reads: Counter::default(),
            versions_retained: Gauge::default(),
            retained_bytes: Gauge::default(),
            registry: Registry::default(),
        };
        registry.register("http_requests", "Requests by route and status", m.requests.clone());
        registry.register_with_unit(
            "http_request_duration",
            "Time from request head to response head",
            Unit::Seconds,
            m.request_seconds.clone(),
        );
        let help =
            "Signed requests refused for want of a place, by limit; reason key_share: the key had its share";
        registry.register("no_place", help, m.no_place.clone());
        registry.register("replay_nonces", "Nonces remembered", m.nonces.clone());
        registry.register("uploads_at_work", "Uploads whose bodies are being stored", m.uploads.clone());
        let help = "How far the replay floor keeps every signed request out: above 0, see docs/operations.md";
        registry.register_with_unit("replay_floor_ahead", help, Unit::Seconds, m.floor_ahead.clone());
        let help = "Circuit keys whose card cannot be used; the log names them";
        registry.register("circuit_cards_unusable", help, m.unusable_cards.clone());
        registry.register("proofs", "Proof jobs by outcome", m.proofs.clone());
        let seconds = [
            ("proof_wall", "Time a proof took", &m.proof_wall_seconds),
            ("proof_cpu", "Processor time a proof took, all threads", &m.proof_cpu_seconds),
        ];
        for (name, help, histogram) in seconds {
            registry.register_with_unit(name, help, Unit::Seconds, histogram.clone());
        }
        let help = "Bytes of bodies and trees a proof read";
        registry.register_with_unit("proof_disk", help, Unit::Bytes, m.proof_disk_bytes.clone());
        let help = "Highest resident memory of the process";
        registry.register_with_unit("peak_resident_memory", help, Unit::Bytes, m.peak_rss_bytes.clone());
        registry.register("proof_queue", "Challenges waiting or at work", m.proof_queue.clone());
        registry.register("store_objects", "Objects stored", m.objects.clone());
        registry.register_with_unit("store_bodies", "Bytes of bodies", Unit::Bytes, m.body_bytes.clone());
        registry.register_with_unit("store_files", "Bytes of files", Unit::Bytes, m.file_bytes.clone());
        registry.register("store_read_only", "1 after a failed fsync", m.read_only.clone());
        let help = "Time to build an inventory and make it durable";
        registry.register_with_unit("inventory_build", help, Unit::Seconds, m.inventory_seconds.clone());
        registry.register("inventory_epoch", "Epoch of the last inventory made", m.inventory_epoch.clone());
        registry.register("inventories_live", "Inventories that can be proven", m.inventories_live.clone());
        let help = "Replaced and deleted versions kept for live inventories";
        registry.register("versions_retained", help, m.versions_retained.clone());
        let help = "Bytes of their files; they count in the quotas";
        registry.register_with_unit("retained", help, Unit::Bytes, m.retained_bytes.clone());
        let help = "Inventories read from disk, because they were not in memory";
        registry.register("inventory_reads", help, m.inventory_reads.clone());
        Self { registry, ..m }
    }

    pub(crate) fn request(&self, method: &str, route: &str, status: u16, elapsed: Duration) {
        let labels = RouteStatus { method: method.to_owned(), route: route.to_owned(), status };
        self.requests.get_or_create(&labels).inc();
        self.request_seconds.observe(elapsed.as_secs_f64());
    }

    /// An inventory was made.
    pub(crate) fn inventory(&self, elapsed: Duration, live: usize, epoch: u64) {
        self.inventory_seconds.observe(elapsed.as_secs_f64());
        self.inventories_live.set(live as u64);
        self.inventory_epoch.set(epoch);
    }

    pub(crate) fn inventory_read(&self) {
        self.inventory_reads.inc();
    }

    pub(crate) fn retained(&self, versions: u64, live: usize) {
        self.versions_retained.set(versions);
        self.inventories_live.set(live as u64);
    }

    pub(crate) fn no_place(&self, limit: &'static str, why: NoPlace) {
        let reason = match why {
            NoPlace::Full => "full",
            NoPlace::KeyShare => "key_share",
        };
        self.no_place.get_or_create(&LimitReason { limit, reason }).inc();
    }

    pub(crate) fn proof(&self, outcome: &'static str, cost: &JobCost) {
        self.proofs.get_or_create(&Outcome { outcome }).inc();
        self.peak_rss_bytes.set(cost.peak_rss_bytes);
        // What a proof costs is not told by jobs that ended before one was made.
        if outcome != PROVED {
            return;
        }
        self.proof_wall_seconds.observe(Duration::from_millis(cost.wall_ms).as_secs_f64());
        self.proof_cpu_seconds.observe(Duration::from_millis(cost.cpu_ms).as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "a histogram needs no exact bytes")]
        self.proof_disk_bytes.observe(cost.disk_bytes as f64);
    }

    /// The text, with the figures of the store and of what is `under_way` as they are now.
    pub(crate) fn text(&self, store: &bailiwick_store::Store, under_way: UnderWay) -> String {
        self.proof_queue.set(i64::try_from(under_way.jobs).unwrap_or(i64::MAX));
        self.nonces.set(under_way.nonces as u64);
        self.uploads.set(under_way.uploads as u64);
        self.floor_ahead.set(under_way.floor_ahead_seconds);
        self.unusable_cards.set(under_way.unusable_cards as u64);
        let total = store.usage().total;
        self.objects.set(total.objects);
        self.body_bytes.set(total.body_bytes);
        self.file_bytes.set(total.file_bytes);
        self.retained_bytes.set(total.retained_bytes);
        self.read_only.set(i64::from(store.is_read_only()));
        let mut out = String::new();
        // Writing into a String cannot fail; an empty answer would be noticed by every scraper.
        text::encode(&mut out, &self.registry).unwrap_or_default();
        out
    }
}
