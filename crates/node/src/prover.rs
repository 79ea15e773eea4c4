//! The prover: one challenge at a time, at the lowest priority unless configured otherwise, apart from the threads that serve.

mod cost;
mod jobs;
mod work;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bailiwick_protocol::api::{Job, JobState};
use bailiwick_protocol::challenge::Challenge;
use bailiwick_protocol::ids::ChallengeDigest;
use bailiwick_protocol::signing::SigningKey;
use bailiwick_store::Store;

use crate::circuits::CircuitKeys;
use crate::config::ProofPriority;
use crate::inventories::Inventories;
use crate::metrics::Metrics;
use crate::shares::{Capacity, NoPlace};
pub(crate) use jobs::AnswerState;
use jobs::Jobs;

/// Lowest priority of a Linux thread.
const NICE_LOWEST: i32 = 19;

/// What the prover works with.
pub(crate) struct Parts {
    pub(crate) store: Store,
    pub(crate) circuits: Arc<CircuitKeys>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) key: Arc<SigningKey>,
    pub(crate) inventories: Arc<Inventories>,
}

/// Handle of the prover thread.
pub(crate) struct Prover {
    jobs: Arc<Jobs>,
    stopped: Arc<AtomicBool>,
    /// The threads could not be started.
    broken: Arc<AtomicBool>,
    thread: thread::JoinHandle<()>,
}

/// The lowest priority there is, for this thread and all it makes: nice 19, and the policy `SCHED_IDLE`. With nice alone
/// a prover thread keeps its core for the rest of its slice, milliseconds, while a request waits; the 99th percentile of
/// range GETs then rose to 3.8 times that without a proof.
fn run_when_idle() {
    use thread_priority::{
        NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy,
        thread_native_id,
    };
    // The policy first: setting it also sets nice to 0.
    let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    if let Err(error) = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle) {
        tracing::warn!(?error, "prover competes for the processor");
    }
    if let Err(error) = rustix::process::nice(NICE_LOWEST) {
        tracing::warn!(%error, "prover runs at normal priority");
    }
}

/// Where proofs are made.
struct Pools {
    /// Of as many threads as configured.
    whole: rayon::ThreadPool,
    /// Of one less than there are cores, where `whole` would take all.
    spare: Option<rayon::ThreadPool>,
}

impl Pools {
    fn start(threads: usize, priority: ProofPriority) -> Result<Self, rayon::ThreadPoolBuildError> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let takes_all = threads == 0 || threads >= cores;
        let spare = if takes_all && cores > 1 { Some(pool(cores - 1, priority)?) } else { None };
        Ok(Self { whole: pool(threads, priority)?, spare })
    }

    /// The pool for the next job. A node with many requests keeps a core for them: with a prover thread on each core the
    /// scheduler takes the machine for full (`SIS_UTIL`, sched/fair.c) and leaves a thread that woke beside another
    /// request waiting until the next tick, 4 ms, although a prover thread would give way at once.
    fn of(&self, busy: bool) -> &rayon::ThreadPool {
        self.spare.as_ref().filter(|_| busy).unwrap_or(&self.whole)
    }
}

fn pool(threads: usize, priority: ProofPriority) -> Result<rayon::ThreadPool, rayon::ThreadPoolBuildError> {
    let builder = rayon::ThreadPoolBuilder::new().num_threads(threads);
    if priority == ProofPriority::Normal {
        return builder.thread_name(|i| format!("prover-n-{i}")).build();
    }
    builder
        .thread_name(|i| format!("prover-{i}"))
        // On Linux both are properties of a thread, and threads it makes inherit them. Not for the thread that waits for
        // jobs: it must end at once at shutdown, however busy the machine is.
        .start_handler(|_| run_when_idle())
        .build()
}

impl Prover {
    /// Starts the thread and its pools of `threads` (0: one per core) at a priority.
    pub(crate) fn start(
        parts: Parts,
        (threads, priority): (usize, ProofPriority),
        queue: Capacity,
    ) -> std::io::Result<Self> {
        let jobs = Arc::new(Jobs::new(queue));
        let stopped = Arc::new(AtomicBool::new(false));
        let broken = Arc::new(AtomicBool::new(false));
        let (jobs_there, stopped_there) = (Arc::clone(&jobs), Arc::clone(&stopped));
        let broken_there = Arc::clone(&broken);
        let thread = thread::Builder::new().name("prover".to_owned()).spawn(move || {
            match Pools::start(threads, priority) {
                Ok(pools) => run(&parts, &pools, &jobs_there, &stopped_there),
                Err(error) => {
                    tracing::error!(%error, "no prover threads: challenges will not be answered");
                    broken_there.store(true, Ordering::Release);
                }
            }
        })?;
        Ok(Self { jobs, stopped, broken, thread })
    }

    /// Whether no challenge will be answered until a restart.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }

    /// Jobs waiting or at work.
    pub(crate) fn unfinished(&self) -> usize {
        self.jobs.unfinished()
    }

    /// Queues a challenge that has been verified, in the share of its auditor; the same one again is the same job, also while it waits.
    pub(crate) fn submit(&self, challenge: Challenge) -> Result<Job, NoPlace> {
        self.jobs.submit(challenge)
    }

    pub(crate) fn job(&self, id: &ChallengeDigest) -> Option<Job> {
        self.jobs.get(id)
    }

    /// The challenge of a job over an inventory.
    pub(crate) fn over_inventory(&self, id: &ChallengeDigest) -> Option<Challenge> {
        self.jobs.over_inventory(id)
    }

    /// Bytes of the signed response, or why there are none yet.
    pub(crate) fn answer(&self, id: &ChallengeDigest) -> Option<AnswerState> {
        self.jobs.answer(id)
    }

    /// Takes no further job; one at work ends with the process, and its auditor asks again.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.jobs.wake();
    }

    /// Like [`Prover::stop`], and gives an idle thread the time to let go of the store: whoever opens it next would find it locked.
    /// Blocks for `patience` at most.
    pub(crate) fn stop_and_wait(&self, patience: Duration) {
        self.stop();
        let deadline = Instant::now() + patience;
        while !self.thread.is_finished() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Prover {
    fn drop(&mut self) {
        self.stop();
    }
}

fn run(parts: &Parts, pools: &Pools, jobs: &Jobs, stopped: &AtomicBool) {
    while let Some((id, challenge)) = jobs.next(|| stopped.load(Ordering::Acquire)) {
        let pool = pools.of(parts.metrics.load.is_busy());
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            work::answer(parts, pool, &challenge, &|state, progress, cost| {
                jobs.update(&id, state, progress, cost)
            })
        }));
        let (state, response, cost, label) = match outcome {
            Ok(done) => match done.response {
                Ok((bytes, label)) => (JobState::Done, Some(bytes), done.cost, label),
                Err(error) => {
                    tracing::error!(job = %id, %error, "proof failed");
                    (JobState::Failed, None, done.cost, "failed")
                }
            },
            Err(_) => {
                tracing::error!(job = %id, "prover panicked");
                (JobState::Failed, None, bailiwick_protocol::api::JobCost::default(), "failed")
            }
        };
        parts.metrics.proof(label, &cost);
        let bailiwick_protocol::api::JobCost { wall_ms, cpu_ms, disk_bytes, peak_rss_bytes } = cost;
        tracing::info!(job = %id, outcome = label, wall_ms, cpu_ms, disk_bytes, peak_rss_bytes, "proof job");
        jobs.finish(&id, state, response, cost);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_node_keeps_a_core_for_its_requests() {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let pools = Pools::start(0, ProofPriority::Idle).unwrap();
        assert_eq!(pools.of(false).current_num_threads(), cores);
        assert_eq!(pools.of(true).current_num_threads(), (cores - 1).max(1));
    }

    #[test]
    fn fewer_threads_than_cores_are_kept_whatever_the_load() {
        let pools = Pools { whole: pool(1, ProofPriority::Normal).unwrap(), spare: None };
        assert_eq!(pools.of(true).current_num_threads(), 1);
    }
}
