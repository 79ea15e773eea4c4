//! Where all randomness of a simulation comes from.

use bailiwick_possession::challenge::scale;
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;

/// One number from which everything random follows. Known to everyone: good for tests only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Seed {
    /// Randomness for one purpose; two purposes share nothing.
    #[must_use]
    pub fn stream(self, purpose: &str) -> Stream {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.0.to_le_bytes()).update(purpose.as_bytes());
        Stream(hasher.finalize_xof())
    }

    /// A signing key, by its holder's name.
    #[must_use]
    pub fn key(self, name: &str) -> SigningKey {
        let mut stream = self.stream(&format!("key of {name}"));
        SigningKey::from_seed(&Secret::init_with(|out| stream.fill(out)))
    }
}

impl core::fmt::Display for Seed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// An endless stream of random bytes.
#[derive(Debug)]
pub struct Stream(blake3::OutputReader);

impl Stream {
    /// Fills `out`.
    pub fn fill(&mut self, out: &mut [u8]) {
        self.0.fill(out);
    }

    /// A number below `n`; 0 when `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        let mut word = [0; 16];
        self.fill(&mut word);
        scale(u128::from_le_bytes(word), n)
    }

    /// `count` different numbers below `n`, ascending; all of them when there are no more.
    pub fn distinct(&mut self, count: u64, n: u64) -> Vec<u64> {
        let mut all: Vec<u64> = (0..n).collect();
        let count = count.min(n);
        // Fisher-Yates, as far as needed.
        for i in 0..count {
            let j = i + self.below(n - i);
            all.swap(index(i), index(j));
        }
        all.truncate(index(count));
        all.sort_unstable();
        all
    }
}

/// Numbers here count things in memory.
fn index(n: u64) -> usize {
    usize::try_from(n).expect("counts what is in memory")
}
