//! What the writer of a log counts, in the Prometheus (OpenMetrics) text format. Totals only: no key and no entry is named.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// Counters of one log.
#[derive(Debug)]
pub(crate) struct LogMetrics {
    registry: Mutex<Registry>,
    pub(crate) appended: Counter,
    pub(crate) repeated: Counter,
    pub(crate) busy: Counter,
    pub(crate) unpublished: Counter,
    batch_seconds: Histogram,
    batch_entries: Histogram,
    answer_seconds: Histogram,
    pub(crate) size: Gauge<u64, AtomicU64>,
    pub(crate) published: Gauge<u64, AtomicU64>,
    pub(crate) stopped: Gauge,
}

impl LogMetrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("bailiwick_log");
        let seconds = || Histogram::new(exponential_buckets(0.0005, 2.0, 16));
        let (appended, repeated, busy, unpublished) =
            (Counter::default(), Counter::default(), Counter::default(), Counter::default());
        for (name, help, counter) in [
            ("entries_appended", "Entries added", &appended),
            ("entries_repeated", "Entries handed in that were in the log already", &repeated),
            ("entries_refused_busy", "Entries refused because too many wait", &busy),
            (
                "publications_short_of_quorum",
                "Checkpoints that too few witnesses cosigned in time",
                &unpublished,
            ),
        ] {
            registry.register(name, help, counter.clone());
        }
        let (batch_seconds, answer_seconds) = (seconds(), seconds());
        let help = "Time to make a batch durable, check it again and sign it";
        registry.register_with_unit("batch", help, Unit::Seconds, batch_seconds.clone());
        let help = "Time from handing an entry in to its answer, witnesses included";
        registry.register_with_unit("answer", help, Unit::Seconds, answer_seconds.clone());
        let batch_entries = Histogram::new(exponential_buckets(1.0, 2.0, 14));
        registry.register("batch_entries", "Entries a batch added", batch_entries.clone());
        let (size, published, stopped) = (Gauge::default(), Gauge::default(), Gauge::default());
        registry.register("size", "Entries of the committed checkpoint", size.clone());
        registry.register("published_size", "Entries of the published checkpoint", published.clone());
        registry.register("stopped", "1 when the log signs nothing more", stopped.clone());
        Self {
            registry: Mutex::new(registry),
            appended,
            repeated,
            busy,
            unpublished,
            batch_seconds,
            batch_entries,
            answer_seconds,
            size,
            published,
            stopped,
        }
    }

    /// A batch was made durable and signed.
    pub(crate) fn batch(&self, entries: usize, took: Duration) {
        self.appended.inc_by(entries as u64);
        #[expect(clippy::cast_precision_loss, reason = "a batch has at most 8,192 entries")]
        self.batch_entries.observe(entries as f64);
        self.batch_seconds.observe(took.as_secs_f64());
    }

    pub(crate) fn answered(&self, took: Duration) {
        self.answer_seconds.observe(took.as_secs_f64());
    }

    /// The text.
    pub(crate) fn text(&self) -> String {
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        let mut out = String::new();
        // Writing into a String cannot fail; an empty answer would be noticed by every scraper.
        text::encode(&mut out, &registry).unwrap_or_default();
        out
    }
}
