//! Batches through four stages: read, work, tally, write. With feature `parallel` several threads each carry
//! a batch through all four, so that it stays in one core's cache; all stages but `work` happen in batch
//! order, one at a time. Without the feature batches take turns on the caller's thread. Memory is one batch a thread.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Whether a batch is the last.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    More,
    Last,
}

/// The stages. Errors come out as if batches had been carried one after the other: that of the earliest
/// batch wins. A batch whose `work` failed still reaches `tally` and `write`, which see what `work` left in
/// it; no later one is written.
pub(crate) struct Stages<R, K, T, W> {
    /// In order: fills a batch.
    pub(crate) read: R,
    /// In any order: gets the number of the batch, from 0.
    pub(crate) work: K,
    /// In order.
    pub(crate) tally: T,
    /// In order.
    pub(crate) write: W,
}

/// Carries batches until `read` says one is the last.
pub(crate) fn run<B, E: Send>(
    make: impl Fn() -> B + Sync,
    stages: Stages<
        impl FnMut(&mut B) -> Result<Flow, E> + Send,
        impl Fn(u64, &mut B) -> Result<(), E> + Sync,
        impl FnMut(&B) + Send,
        impl FnMut(&B) -> Result<(), E> + Send,
    >,
) -> Result<(), E> {
    let threads = if cfg!(feature = "parallel") { cores().clamp(2, THREADS_MAX) } else { 1 };
    let line = Line {
        read: Mutex::new(Reading { next: 0, ended: false, f: stages.read }),
        work: stages.work,
        tally: Turn::new(stages.tally),
        write: Turn::new(stages.write),
        error: Mutex::new(None),
        stopped: AtomicBool::new(false),
    };
    if threads == 1 {
        line.carry(make());
    } else {
        std::thread::scope(|scope| {
            for _ in 1..threads {
                // A thread that does not start is not missed: those there are carry all batches, one of them the caller's.
                if std::thread::Builder::new().spawn_scoped(scope, || line.carry(make())).is_err() {
                    break;
                }
            }
            line.carry(make());
        });
    }
    line.error.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}

/// Beyond this the stages that happen in order set the pace.
const THREADS_MAX: usize = 8;

/// One thread a core, at least two so that reading and writing overlap: more threads than cores were measured
/// slower (0.97 s against 0.88 s for 1 GiB on two cores), since each batch then waits for a thread that waits for a core.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

struct Reading<R> {
    next: u64,
    ended: bool,
    f: R,
}

/// A stage that takes batches in order.
struct Turn<F> {
    state: Mutex<TurnState<F>>,
    moved: Condvar,
}

struct TurnState<F> {
    next: u64,
    stopped: bool,
    f: F,
}

impl<F> Turn<F> {
    fn new(f: F) -> Self {
        Self { state: Mutex::new(TurnState { next: 0, stopped: false, f }), moved: Condvar::new() }
    }

    /// Waits for the turn of batch `index` and acts; `act` says whether to go on. False when the line has stopped.
    fn take(&self, index: u64, act: impl FnOnce(&mut F) -> bool) -> bool {
        let mut state = lock(&self.state);
        while state.next != index && !state.stopped {
            state = self.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.stopped {
            return false;
        }
        let go_on = act(&mut state.f);
        state.next += 1;
        state.stopped = !go_on;
        drop(state);
        self.moved.notify_all();
        go_on
    }

    fn stop(&self) {
        lock(&self.state).stopped = true;
        self.moved.notify_all();
    }
}

struct Line<R, K, T, W, E> {
    read: Mutex<Reading<R>>,
    work: K,
    tally: Turn<T>,
    write: Turn<W>,
    error: Mutex<Option<E>>,
    stopped: AtomicBool,
}

impl<R, K, T, W, E> Line<R, K, T, W, E> {
    /// Carries batches, one after the other, until the line ends.
    fn carry<B>(&self, mut batch: B)
    where
        R: FnMut(&mut B) -> Result<Flow, E>,
        K: Fn(u64, &mut B) -> Result<(), E>,
        T: FnMut(&B),
        W: FnMut(&B) -> Result<(), E>,
    {
        let _guard = StopOnPanic(self);
        while !self.stopped.load(Ordering::Relaxed) {
            let (index, read) = {
                let mut reading = lock(&self.read);
                if reading.ended {
                    return;
                }
                let index = reading.next;
                let read = (reading.f)(&mut batch);
                reading.next += 1;
                reading.ended = !matches!(read, Ok(Flow::More));
                (index, read)
            };
            let worked = match &read {
                Ok(_) => (self.work)(index, &mut batch),
                Err(_) => Ok(()),
            };
            let filled = read.is_ok();
            let tallied = self.tally.take(index, |tally| {
                if filled {
                    tally(&batch);
                }
                true
            });
            if !tallied {
                return;
            }
            self.write.take(index, |write| {
                let outcome = read.and_then(|flow| write(&batch).and(worked).map(|()| flow));
                let go_on = matches!(outcome, Ok(Flow::More));
                if let Err(e) = outcome {
                    *lock(&self.error) = Some(e);
                }
                if !go_on {
                    self.stopped.store(true, Ordering::Relaxed);
                }
                go_on
            });
        }
    }
}

/// Lets the other threads end when a stage panics, instead of waiting for a turn that never comes.
struct StopOnPanic<'a, R, K, T, W, E>(&'a Line<R, K, T, W, E>);

impl<R, K, T, W, E> Drop for StopOnPanic<'_, R, K, T, W, E> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stopped.store(true, Ordering::Relaxed);
            self.0.tally.stop();
            self.0.write.stop();
        }
    }
}

/// A poisoned lock belongs to a panic that is already on its way to the caller.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
