//! Independent pieces of work on several threads.

use std::num::NonZero;
use std::sync::{Mutex, PoisonError};

/// Threads that work side by side; beyond eight the disk sets the pace.
pub(crate) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get).min(8)
}

/// Does `work` for every item on up to `threads` threads; results in the order of the items. The first error by item wins.
pub(crate) fn in_parallel<T: Send, R: Send, E: Send>(
    threads: usize,
    items: impl IntoIterator<Item = T>,
    work: impl Fn(T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let items: Vec<T> = items.into_iter().collect();
    let count = items.len();
    if threads < 2 || count < 2 {
        return items.into_iter().map(work).collect();
    }
    let queue = Mutex::new(items.into_iter().enumerate());
    let done = Mutex::new(Vec::with_capacity(count));
    let carry = || {
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((i, item)) = next else { return };
            let result = work(item);
            done.lock().unwrap_or_else(PoisonError::into_inner).push((i, result));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.min(count) {
            // A thread that does not start is not missed: the caller carries what others do not.
            if std::thread::Builder::new().spawn_scoped(scope, carry).is_err() {
                break;
            }
        }
        carry();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(i, _)| *i);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::in_parallel;

    #[test]
    fn results_keep_their_order_and_the_first_error_wins() {
        assert_eq!(
            in_parallel(4, 0..100, |i| Ok::<_, ()>(i * 2)).unwrap(),
            (0..100).map(|i| i * 2).collect::<Vec<_>>()
        );
        assert_eq!(in_parallel(4, 0..100, |i| if i % 7 == 3 { Err(i) } else { Ok(()) }), Err(3));
        assert_eq!(in_parallel(4, 0..0, Ok::<i32, ()>).unwrap(), Vec::<i32>::new());
    }
}
