//! Mutations of a byte string, from a seeded generator.

/// xorshift64* (Vigna, 2016): small, repeatable, good enough to choose mutations.
#[derive(Debug, Clone)]
pub struct Generator(u64);

impl Generator {
    /// From any seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        // Zero would stay zero.
        Self(seed | 1)
    }

    /// The next word.
    pub const fn word(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `n`; 0 when `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        if n == 0 { 0 } else { usize::try_from(self.word() % n as u64).unwrap_or(0) }
    }
}

/// Bytes a mutated input has, at most.
pub const LENGTH_MAX: usize = 1 << 20;

/// Values that sit on borders of CBOR headers, lengths and ASCII.
const BORDERS: [u8; 14] = [0, 1, 23, 24, 27, 31, 0x3b, 0x5b, 0x7f, 0x80, 0x9b, 0xbf, 0xc0, 0xff];

/// One to four mutations of `input`; `other` is what splices take from.
#[must_use]
pub fn mutate(input: &[u8], other: &[u8], g: &mut Generator) -> Vec<u8> {
    let mut out = input.to_vec();
    for _ in 0..=g.below(4) {
        once(&mut out, other, g);
    }
    out.truncate(LENGTH_MAX);
    out
}

fn once(out: &mut Vec<u8>, other: &[u8], g: &mut Generator) {
    let at = g.below(out.len());
    match g.below(9) {
        0 if !out.is_empty() => out[at] ^= 1 << g.below(8),
        1 if !out.is_empty() => out[at] = BORDERS[g.below(BORDERS.len())],
        2 if !out.is_empty() => out[at] = g.word().to_le_bytes()[0],
        3 => out.truncate(at),
        4 => out.insert(at, BORDERS[g.below(BORDERS.len())]),
        5 if !out.is_empty() => {
            out.remove(at);
        }
        6 => {
            let word = match g.below(3) {
                0 => u64::MAX,
                1 => 1 << 33,
                _ => g.word(),
            };
            let end = out.len().min(at + 8);
            out[at..end].copy_from_slice(&word.to_be_bytes()[..end - at]);
        }
        7 => {
            let end = (at + g.below(64)).min(out.len());
            let piece = out[at..end].to_vec();
            let to = g.below(out.len() + 1);
            out.splice(to..to, piece);
        }
        _ => {
            let from = g.below(other.len());
            let end = (from + g.below(64)).min(other.len());
            let to = (at + end - from).min(out.len());
            out.splice(at..to, other[from..end].iter().copied());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Generator, mutate};

    #[test]
    fn mutations_repeat_from_a_seed_and_change_the_input() {
        let run = |seed| {
            let mut g = Generator::new(seed);
            (0..100).map(|_| mutate(b"abcdefgh", b"other", &mut g)).collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        assert!(run(7).iter().filter(|m| m.as_slice() != b"abcdefgh").count() > 80);
        let mut g = Generator::new(1);
        assert!((0..1000).all(|_| mutate(b"", b"", &mut g).len() < 64), "empty inputs are mutated, too");
    }
}
