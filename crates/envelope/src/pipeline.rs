//! Three stages over a ring of buffers: read, work, write. With feature `parallel` they overlap on three
//! threads and memory stays that of the ring; without it they take turns on the caller's thread.

/// Runs `read` until it says a buffer is the last, `work` on each buffer in order, then `write`.
///
/// When stages fail, the error of the earliest buffer is returned: a buffer reaches `write` only after
/// those before it passed `work`. A buffer whose `work` failed still reaches `write`, which then sees
/// only what `work` left in it; nothing after it does.
pub(crate) fn run<B: Send, E: Send>(
    ring: Vec<B>,
    mut read: impl FnMut(&mut B) -> Result<Flow, E> + Send,
    mut work: impl FnMut(&mut B) -> Result<(), E>,
    mut write: impl FnMut(&mut B) -> Result<(), E> + Send,
) -> Result<(), E> {
    if cfg!(feature = "parallel") {
        overlapped(ring, read, work, write)
    } else {
        in_turn(ring, &mut read, &mut work, &mut write)
    }
}

/// Whether a buffer is the last.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    More,
    Last,
}

fn in_turn<B, E>(
    ring: Vec<B>,
    read: &mut impl FnMut(&mut B) -> Result<Flow, E>,
    work: &mut impl FnMut(&mut B) -> Result<(), E>,
    write: &mut impl FnMut(&mut B) -> Result<(), E>,
) -> Result<(), E> {
    let mut buffer = ring.into_iter().next().expect("callers pass at least one buffer");
    loop {
        let flow = read(&mut buffer)?;
        let worked = work(&mut buffer);
        write(&mut buffer)?;
        worked?;
        if flow == Flow::Last {
            return Ok(());
        }
    }
}

fn overlapped<B: Send, E: Send>(
    ring: Vec<B>,
    mut read: impl FnMut(&mut B) -> Result<Flow, E> + Send,
    mut work: impl FnMut(&mut B) -> Result<(), E>,
    mut write: impl FnMut(&mut B) -> Result<(), E> + Send,
) -> Result<(), E> {
    use std::sync::mpsc::sync_channel;
    let depth = ring.len();
    let (free, empty) = sync_channel::<B>(depth);
    let (to_work, filled) = sync_channel::<B>(depth);
    let (to_write, worked) = sync_channel::<B>(depth);
    for buffer in ring {
        free.send(buffer).ok();
    }
    // A stage that stops drops its ends of the channels; its neighbours see that and stop too.
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || {
            for mut buffer in empty {
                let flow = read(&mut buffer)?;
                if to_work.send(buffer).is_err() || flow == Flow::Last {
                    break;
                }
            }
            Ok(())
        });
        let writer = scope.spawn(move || {
            for mut buffer in worked {
                write(&mut buffer)?;
                // Refused when the reader is done: the buffer is no longer needed.
                free.send(buffer).ok();
            }
            Ok(())
        });
        let mut outcome = Ok(());
        for mut buffer in filled {
            outcome = work(&mut buffer);
            if to_write.send(buffer).is_err() || outcome.is_err() {
                break;
            }
        }
        drop(to_write);
        let written = join(writer);
        // Only after the writer: the reader may be waiting for a free buffer, which ends when the writer drops `free`.
        let read = join(reader);
        written.and(outcome).and(read)
    })
}

fn join<T>(handle: std::thread::ScopedJoinHandle<'_, T>) -> T {
    handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
