//! Many compressions at once: eight side by side where the processor can ([`bailiwick_field::poseidon2`]), else one after the other.

#[cfg(feature = "parallel")]
use std::sync::OnceLock;

#[cfg(feature = "parallel")]
use bailiwick_field::modulus::WIDTH as LANES;
#[cfg(feature = "parallel")]
use bailiwick_field::poseidon2::{Constants, Form, Permutations};

use super::{WIDTH, compress};
#[cfg(feature = "parallel")]
use crate::field::DATA_BYTES;
use crate::field::Fr;
use crate::tree::{CELL_BYTES, cell_elements};

/// From this many on, eight side by side (some of them zeros) take less time than one after the other.
#[cfg(feature = "parallel")]
const WORTH_IT: usize = 4;

/// `None` where the processor lacks what it takes.
#[cfg(feature = "parallel")]
fn permutations() -> Option<&'static Permutations> {
    static PERMUTATIONS: OnceLock<Option<Permutations>> = OnceLock::new();
    let made = PERMUTATIONS.get_or_init(|| {
        let p = super::params();
        Permutations::new(&Constants {
            initial: &p.initial,
            partial: &p.partial,
            terminal: &p.terminal,
            diagonal: &p.diagonal,
        })
    });
    made.as_ref()
}

/// [`compress`] of each.
#[must_use]
pub fn compress_all(children: &[[Fr; WIDTH]]) -> Vec<Fr> {
    #[cfg(feature = "parallel")]
    if let Some(permutations) = permutations().filter(|_| children.len() >= WORTH_IT) {
        let eight = |some: &[[Fr; WIDTH]]| {
            permutations.compress(Form::Montgomery, |i, k| some.get(i).map_or([0; 4], |x| x[k].0.0))
        };
        return in_eights(children.chunks(LANES), |some| some.len(), eight);
    }
    children.iter().map(compress).collect()
}

/// Level-1 nodes of consecutive cells, of which the last may be short.
pub(crate) fn hash_cells(bytes: &[u8]) -> Vec<Fr> {
    #[cfg(feature = "parallel")]
    if let Some(permutations) = permutations().filter(|_| bytes.len() > (WORTH_IT - 1) * CELL_BYTES) {
        let eight = |some: &[u8]| {
            permutations.compress(Form::Integer, |i, k| {
                let start = some.len().min(i * CELL_BYTES + k * DATA_BYTES);
                integer(&some[start..some.len().min(start + DATA_BYTES)])
            })
        };
        return in_eights(bytes.chunks(LANES * CELL_BYTES), |some| some.len().div_ceil(CELL_BYTES), eight);
    }
    bytes.chunks(CELL_BYTES).map(|cell| compress(&cell_elements(cell))).collect()
}

/// Of each result of eight, as many as there were inputs.
#[cfg(feature = "parallel")]
fn in_eights<T>(
    groups: impl ExactSizeIterator<Item = T>,
    count: impl Fn(&T) -> usize,
    eight: impl Fn(T) -> [Fr; LANES],
) -> Vec<Fr> {
    let mut out = Vec::with_capacity(groups.len() * LANES);
    for group in groups {
        let n = count(&group);
        out.extend(eight(group).into_iter().take(n));
    }
    out
}

/// At most 31 bytes, little-endian.
#[cfg(feature = "parallel")]
fn integer(bytes: &[u8]) -> [u64; 4] {
    let mut padded = [0; 32];
    padded[..bytes.len()].copy_from_slice(bytes);
    let (words, _) = padded.as_chunks::<8>();
    core::array::from_fn(|i| u64::from_le_bytes(words[i]))
}
