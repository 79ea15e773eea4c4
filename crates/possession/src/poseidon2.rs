//! The Poseidon2 permutation over BN254, width 16 (Grassi, Khovratovich, Schofnegger, Africacrypt 2023), and the compression
//! `C(x) = P(x)[0] + x[0]` of its section 3.2 (Davies-Meyer style feed-forward, 16 elements to 1).
//!
//! `P` is: external layer; 4 full rounds; 57 partial rounds; 4 full rounds. A full round adds 16 constants, raises every element
//! to the fifth power and applies the external layer; a partial round adds one constant to element 0, raises only that element
//! and applies the internal layer.
//!
//! - External layer: the paper's circ(2·M4, M4, M4, M4), M4 = [5 7 1 3; 4 6 1 1; 1 3 5 7; 1 1 4 6].
//! - Internal layer: J + diag(d), J the all-ones matrix: `y_i = d_i · x_i + Σ x`.

mod batch;
mod constants;
mod lazy;

use std::sync::OnceLock;

use lazy::{
    Factor, Lane, Wide, add, add_wide, element, fifth_power, lane, multiply_by, reduce, shift, widen,
};

use crate::field::Fr;
pub use batch::compress_all;
pub(crate) use batch::hash_cells;

/// Elements of the state, and arity of the tree.
pub const WIDTH: usize = 16;
/// Full rounds, half of them before and half after the partial rounds.
pub const FULL_ROUNDS: usize = 8;
/// Partial rounds.
pub const PARTIAL_ROUNDS: usize = 57;

/// The constants of the permutation.
#[derive(Debug)]
pub struct Params {
    /// Constants of the four full rounds before the partial ones.
    pub initial: [[Fr; WIDTH]; FULL_ROUNDS / 2],
    /// Constants of the partial rounds, added to element 0.
    pub partial: [Fr; PARTIAL_ROUNDS],
    /// Constants of the four full rounds after the partial ones.
    pub terminal: [[Fr; WIDTH]; FULL_ROUNDS / 2],
    /// The diagonal of `M_I - J`, so `y_i = diagonal_i · x_i + Σ x`. In the HorizenLabs script this is `MAT_DIAG_M_1`: the
    /// diagonal of `M_I` itself is one more.
    pub diagonal: [Fr; WIDTH],
}

/// The constants.
#[must_use]
pub fn params() -> &'static Params {
    &constants::PARAMS
}

type State = [Lane; WIDTH];

/// `P`, in place.
pub fn permute(state: &mut [Fr; WIDTH]) {
    *state = rounds(state).map(element);
}

/// `C(x) = P(x)[0] + x[0]`: one node of the tree from its 16 children.
#[must_use]
pub fn compress(children: &[Fr; WIDTH]) -> Fr {
    element(rounds(children)[0]) + children[0]
}

/// `P`, every lane below 1.01 p. Bounds in the comments are multiples of the modulus, see [`lazy`].
fn rounds(input: &[Fr; WIDTH]) -> State {
    let (p, diagonal) = (params(), factors());
    let mut state = input.map(lane);
    external(&mut state);
    for rc in &p.initial {
        full_round(&mut state, rc);
    }
    for rc in &p.partial {
        partial_round(&mut state, rc, diagonal);
    }
    for rc in &p.terminal {
        full_round(&mut state, rc);
    }
    state
}

/// The diagonal, prepared for multiplication.
fn factors() -> &'static [Factor; WIDTH] {
    static FACTORS: OnceLock<[Factor; WIDTH]> = OnceLock::new();
    FACTORS.get_or_init(|| params().diagonal.map(Factor::new))
}

/// From below 3.03 to below 1.01.
fn full_round(state: &mut State, rc: &[Fr; WIDTH]) {
    for (x, c) in state.iter_mut().zip(rc) {
        // Below 4.03, then 4.2.
        *x = fifth_power(&add(x, &lane(*c)));
    }
    external(state);
}

/// From below 3.03 to below 3.03: element 0 rises to 4.03 with its constant and to 4.2 by the fifth power; the sum is reduced to
/// 1.01, a product with a factor is below 2.01.
fn partial_round(state: &mut State, rc: &Fr, diagonal: &[Factor; WIDTH]) {
    state[0] = fifth_power(&add(&state[0], &lane(*rc)));
    let sum = state.iter().fold([0; 5], |sum: Wide, x| add_wide(&sum, &widen(x)));
    let sum = reduce(&sum);
    for (x, d) in state.iter_mut().zip(diagonal) {
        *x = add(&multiply_by(x, d), &sum);
    }
}

/// From below 4.2 to below 1.01: a row of the matrix sums to 80, so at most 336 is reduced.
fn external(state: &mut State) {
    let mut wide = [[0; 5]; WIDTH];
    for (out, q) in wide.as_chunks_mut::<4>().0.iter_mut().zip(state.as_chunks::<4>().0) {
        *out = times_m4(&q.each_ref().map(widen));
    }
    let sums: [Wide; 4] =
        core::array::from_fn(|l| wide.iter().skip(l).step_by(4).fold([0; 5], |sum, x| add_wide(&sum, x)));
    for (i, (x, w)) in state.iter_mut().zip(&wide).enumerate() {
        *x = reduce(&add_wide(w, &sums[i % 4]));
    }
}

/// The paper's addition chain for M4 (appendix B).
fn times_m4([a, b, c, d]: &[Wide; 4]) -> [Wide; 4] {
    let (ab, cd) = (add_wide(a, b), add_wide(c, d));
    let (t2, t3) = (add_wide(&shift::<1>(b), &cd), add_wide(&shift::<1>(d), &ab));
    let (t4, t5) = (add_wide(&shift::<2>(&cd), &t3), add_wide(&shift::<2>(&ab), &t2));
    [add_wide(&t3, &t5), t5, add_wide(&t2, &t4), t4]
}
