//! Asking again while a server says "not yet": one rule for nodes and logs.

use std::time::{Duration, Instant};

/// Longest pause between two tries, whatever the server asks for; the shortest is a second.
const PAUSE_SECONDS_MAX: u64 = 60;

/// Calls until the answer is final: `again_after` gives the seconds (the server's `Retry-After`) after which an error may pass, `None`
/// for one that does not. A pause that would end later than `within` from now is not begun, and the error is given.
///
/// # Errors
/// The last call's.
pub fn until_final<T, E>(
    within: Duration,
    mut call: impl FnMut() -> Result<T, E>,
    again_after: impl Fn(&E) -> Option<u64>,
) -> Result<T, E> {
    let begun = Instant::now();
    loop {
        let error = match call() {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let Some(seconds) = again_after(&error) else { return Err(error) };
        let pause = Duration::from_secs(seconds.clamp(1, PAUSE_SECONDS_MAX));
        if begun.elapsed() + pause > within {
            return Err(error);
        }
        std::thread::sleep(pause);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tries(within: u64, errors: &[Option<u64>]) -> (usize, Result<(), Option<u64>>, Duration) {
        let begun = Instant::now();
        let mut left = errors.iter();
        let mut calls = 0;
        let done = until_final(
            Duration::from_secs(within),
            || {
                calls += 1;
                left.next().map_or(Ok(()), |e| Err(*e))
            },
            |e| *e,
        );
        (calls, done, begun.elapsed())
    }

    /// The server's pause is kept, a second at least; an error that does not pass, and a pause beyond the time, end it at once.
    #[test]
    fn the_pause_is_the_servers_and_bounded() {
        let (calls, done, took) = tries(10, &[Some(2)]);
        assert_eq!((calls, done), (2, Ok(())));
        assert!(took >= Duration::from_secs(2), "{took:?}");
        let (calls, done, took) = tries(10, &[Some(0)]);
        assert_eq!((calls, done), (2, Ok(())));
        assert!(took >= Duration::from_secs(1), "{took:?}");
        for (within, error) in [(10, None), (10, Some(11)), (0, Some(0)), (59, Some(u64::MAX))] {
            let (calls, done, took) = tries(within, &[error]);
            assert_eq!((calls, done), (1, Err(error)));
            assert!(took < Duration::from_secs(1), "{took:?}");
        }
    }
}
