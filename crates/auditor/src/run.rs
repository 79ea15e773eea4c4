//! Drivers of an engine: one thread that does everything in turn, or workers that ask hosts side by side.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::engine::{Engine, EngineError, Report, Task, perform};
use crate::ports::{Clock, Hosts};

/// Everything that is due now, in this thread: own steps, then each question in turn. For simulations and tests.
///
/// # Errors
/// `EngineError`.
pub fn step(engine: &mut Engine, hosts: &dyn Hosts, clock: &dyn Clock) -> Result<(), EngineError> {
    engine.advance(clock.now_ms())?;
    for task in engine.tasks(clock.now_ms()) {
        engine.settle(perform(hosts, clock, &task))?;
    }
    engine.advance(clock.now_ms())
}

/// Threads that ask hosts, so that a slow one holds up nobody else.
#[derive(Debug)]
pub struct Workers {
    tasks: Option<Sender<Task>>,
    reports: Receiver<Report>,
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    /// `threads` of them, at least one. A question during which `hosts` panics counts as one to an unreachable host.
    #[must_use]
    pub fn new(hosts: &Arc<dyn Hosts>, clock: &Arc<dyn Clock>, threads: usize) -> Self {
        let (tasks, queue) = channel::<Task>();
        let (out, reports) = channel();
        let queue = Arc::new(Mutex::new(queue));
        let threads = (0..threads.max(1))
            .map(|_| {
                let (hosts, clock) = (Arc::clone(hosts), Arc::clone(clock));
                let (queue, out) = (Arc::clone(&queue), out.clone());
                std::thread::spawn(move || {
                    loop {
                        // The lock is held while waiting: one waits for a task, the others for the lock.
                        let task = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                        let Ok(task) = task else { break };
                        if out.send(answered(hosts.as_ref(), clock.as_ref(), &task)).is_err() {
                            break;
                        }
                    }
                })
            })
            .collect();
        Self { tasks: Some(tasks), reports, threads }
    }

    /// Takes what is due, hands questions out, and takes reports back until none comes for `wait`.
    ///
    /// # Errors
    /// `EngineError`.
    pub fn step(&self, engine: &mut Engine, clock: &dyn Clock, wait: Duration) -> Result<(), EngineError> {
        engine.advance(clock.now_ms())?;
        for task in engine.tasks(clock.now_ms()) {
            if let Some(tasks) = &self.tasks {
                // The workers outlive this sender.
                let _ = tasks.send(task);
            }
        }
        match self.reports.recv_timeout(wait) {
            Ok(report) => engine.settle(report)?,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(wait),
        }
        while let Ok(report) = self.reports.try_recv() {
            engine.settle(report)?;
        }
        engine.advance(clock.now_ms())
    }
}

/// What came of a task, whatever happens on the way: without a report the host would never be asked again, nor given up.
fn answered(hosts: &dyn Hosts, clock: &dyn Clock, task: &Task) -> Report {
    // Neither hosts nor clock keep state that a question left half done could break: what they say is verified.
    let perform = || perform(hosts, clock, task);
    catch_unwind(AssertUnwindSafe(perform)).unwrap_or_else(|_| Report::lost(task, clock))
}

impl Drop for Workers {
    fn drop(&mut self) {
        // Workers end when the queue does; one that waits for a host is not waited for.
        self.tasks = None;
        self.threads.clear();
    }
}
