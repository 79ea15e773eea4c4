//! A slow, obvious cell tree, written from the specification's sentences and sharing nothing with the crate: its hash is
//! another crate's, it recurses from the root and looks at every cell by its position.

use ark_ff::{Field, PrimeField};
use bailiwick_possession::field::Fr;

pub(crate) fn compress(x: &[Fr; 16]) -> Fr {
    taceo_poseidon2::bn254::t16::permutation(x)[0] + x[0]
}

pub(crate) fn label_element(text: &str) -> Fr {
    Fr::from(2u64).pow([248]) + Fr::from_le_bytes_mod_order(&blake3::hash(text.as_bytes()).as_bytes()[..31])
}

pub(crate) fn empty(level: u32) -> Fr {
    match level {
        1 => label_element("bailiwick/v1/empty-cell"),
        _ => compress(&[empty(level - 1); 16]),
    }
}

pub(crate) fn cell(body: &[u8], index: usize) -> [Fr; 16] {
    let mut bytes = [0u8; 496];
    let data = &body[index * 496..body.len().min((index + 1) * 496)];
    bytes[..data.len()].copy_from_slice(data);
    core::array::from_fn(|i| Fr::from_le_bytes_mod_order(&bytes[31 * i..31 * (i + 1)]))
}

pub(crate) fn node(body: &[u8], level: u32, n: usize) -> Fr {
    let first_cell = n * 16usize.pow(level - 1);
    if first_cell * 496 >= body.len() {
        empty(level)
    } else if level == 1 {
        compress(&cell(body, n))
    } else {
        compress(&core::array::from_fn(|i| node(body, level - 1, 16 * n + i)))
    }
}

pub(crate) fn natural_depth(body: &[u8]) -> u32 {
    let cells = body.len().div_ceil(496);
    (1..).find(|d| 16usize.pow(d - 1) >= cells).expect("small bodies")
}

pub(crate) fn root(body: &[u8]) -> Fr {
    node(body, natural_depth(body), 0)
}
