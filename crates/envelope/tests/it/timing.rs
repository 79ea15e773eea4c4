//! E36: comparing what is secret takes as long whatever the first difference is. In the manner of dudect (Reparaz, Balasch, Verbauwhede 2017): two classes of
//! input, measured in random order, the slow tail cut off; but judged against a comparison that leaks, measured in the same breath, so that a
//! busy machine makes the test repeat itself and not fail.

use std::hint::black_box;
use std::time::Instant;

use bailiwick_envelope::cobblestone::ChunkKeys;
use bailiwick_protocol::secret::Secret;
use rand_core::Rng as _;

use super::fixture::rng;

/// Calls per measurement, measurements per class, attempts.
const CALLS: u32 = 64;
const ROUNDS: usize = 2000;
const ATTEMPTS: usize = 8;

/// A comparison that stops at the first difference.
#[inline(never)]
fn leaky(a: &[u8], b: &[u8]) -> bool {
    for (x, y) in a.iter().zip(b) {
        if black_box(x != y) {
            return false;
        }
    }
    true
}

/// Mean nanoseconds a call of each class, the slowest half of the measurements cut off.
fn means(mut compare: impl FnMut(usize)) -> [f64; 2] {
    let mut random = rng(1);
    let mut times = [Vec::with_capacity(ROUNDS), Vec::with_capacity(ROUNDS)];
    for _ in 0..2 * ROUNDS {
        let class = (random.next_u32() & 1) as usize;
        let begun = Instant::now();
        for _ in 0..CALLS {
            compare(class);
        }
        times[class].push(begun.elapsed().as_secs_f64());
    }
    times.map(|mut all| {
        all.sort_by(f64::total_cmp);
        let kept = &all[..all.len() / 2];
        1e9 * kept.iter().sum::<f64>() / kept.len() as f64 / f64::from(CALLS)
    })
}

fn difference(means: [f64; 2]) -> f64 {
    (means[0] - means[1]).abs()
}

/// Passes as soon as one attempt shows less than a quarter of what the leaky comparison shows.
fn takes_the_same_time(name: &str, mut compare: impl FnMut(usize)) {
    let right = [0x5a; 32];
    let mut wrong = [right; 2];
    wrong[0][0] ^= 1;
    wrong[1][31] ^= 1;
    let mut seen = Vec::new();
    for _ in 0..ATTEMPTS {
        let leak = difference(means(|class| {
            black_box(leaky(black_box(&right), black_box(&wrong[class])));
        }));
        let ours = difference(means(&mut compare));
        seen.push(format!("{ours:.2} ns beside {leak:.2} ns"));
        // Thirty-one more steps take some nanoseconds on any machine; less, and the measurement says nothing.
        if leak > 2.0 && ours < leak / 4.0 {
            return;
        }
    }
    panic!("{name}: the first difference shows in the time: {}", seen.join(", "));
}

#[test]
fn e36_slow_key_commitment_comparison_takes_the_same_time() {
    let keys = ChunkKeys::derive(&Secret::init_with(|b| *b = [1; 32]), &[2; 24], &[]);
    let mut wrong = [*keys.commitment(); 2];
    wrong[0][0] ^= 1;
    wrong[1][31] ^= 1;
    takes_the_same_time("key commitment", |class| {
        assert!(!black_box(keys.commits(black_box(&wrong[class]))));
    });
}

#[test]
fn e36_slow_secret_comparison_takes_the_same_time() {
    let right = Secret::<32>::init_with(|b| *b = [0x5a; 32]);
    let wrong = [0, 31].map(|at| {
        Secret::<32>::init_with(|b| {
            *b = [0x5a; 32];
            b[at] ^= 1;
        })
    });
    takes_the_same_time("secret", |class| {
        assert!(!black_box(black_box(&right) == black_box(&wrong[class])));
    });
}

/// A short chunk, so that the comparison of its tag is a visible part.
#[test]
fn e36_slow_tag_comparison_takes_the_same_time() {
    let keys = ChunkKeys::derive(&Secret::init_with(|b| *b = [1; 32]), &[2; 24], &[]);
    let mut sealed = [0; 17];
    keys.seal_chunk(0, &mut sealed);
    let mut wrong = [sealed; 2];
    wrong[0][1] ^= 1;
    wrong[1][16] ^= 1;
    takes_the_same_time("tag", |class| {
        let mut plain = [0; 1];
        assert!(black_box(keys.open_chunk(0, black_box(&wrong[class]), &mut plain)).is_err());
    });
}
