//! What a proof costs: wall clock, processor time of the prover's threads only, bytes read, memory.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bailiwick_protocol::api::JobCost;
use rustix::time::{ClockId, clock_gettime};

/// Measures one job.
pub(crate) struct Meter<'p> {
    pool: &'p rayon::ThreadPool,
    started: Instant,
    cpu_ns: u64,
    disk_bytes: AtomicU64,
}

/// Processor time of this thread, nanoseconds.
fn thread_cpu_ns() -> u64 {
    let t = clock_gettime(ClockId::ThreadCPUTime);
    u64::try_from(t.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(t.tv_nsec).unwrap_or(0)
}

/// Of the calling thread and the pool's; call from the prover thread.
fn cpu_ns(pool: &rayon::ThreadPool) -> u64 {
    thread_cpu_ns() + pool.broadcast(|_| thread_cpu_ns()).into_iter().sum::<u64>()
}

impl<'p> Meter<'p> {
    pub(crate) fn start(pool: &'p rayon::ThreadPool) -> Self {
        Self { pool, started: Instant::now(), cpu_ns: cpu_ns(pool), disk_bytes: AtomicU64::new(0) }
    }

    pub(crate) fn read(&self, bytes: u64) {
        self.disk_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Without processor time and memory, for a progress report in the middle of parallel work.
    pub(crate) fn so_far(&self) -> JobCost {
        JobCost {
            wall_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            disk_bytes: self.disk_bytes.load(Ordering::Relaxed),
            ..JobCost::default()
        }
    }

    /// Everything; call when the pool is idle.
    pub(crate) fn total(&self) -> JobCost {
        let cpu_ms = cpu_ns(self.pool).saturating_sub(self.cpu_ns) / 1_000_000;
        JobCost { cpu_ms, peak_rss_bytes: peak_rss_bytes(), ..self.so_far() }
    }
}

/// `VmHWM` of this process (proc(5)); 0 where there is none.
fn peak_rss_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kib = line.and_then(|l| l.split_whitespace().next()).and_then(|n| n.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}
