//! The Poseidon2 permutation over BN254, width 16 (Grassi, Khovratovich, Schofnegger, Africacrypt 2023), and the compression
//! `C(x) = P(x)[0] + x[0]` of its section 3.2 (Davies-Meyer style feed-forward, 16 elements to 1).
//!
//! `P` is: external layer; 4 full rounds; 57 partial rounds; 4 full rounds. A full round adds 16 constants, raises every element
//! to the fifth power and applies the external layer; a partial round adds one constant to element 0, raises only that element
//! and applies the internal layer.
//!
//! - External layer: the paper's circ(2·M4, M4, M4, M4), M4 = [5 7 1 3; 4 6 1 1; 1 3 5 7; 1 1 4 6].
//! - Internal layer: J + diag(d), J the all-ones matrix: `y_i = d_i · x_i + Σ x`.

mod constants;

use ark_ff::Field;

use crate::field::Fr;

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

/// `P`, in place.
pub fn permute(state: &mut [Fr; WIDTH]) {
    let p = params();
    external(state);
    for rc in &p.initial {
        full_round(state, rc);
    }
    for rc in &p.partial {
        state[0] += rc;
        state[0] = fifth_power(state[0]);
        internal(state, &p.diagonal);
    }
    for rc in &p.terminal {
        full_round(state, rc);
    }
}

/// `C(x) = P(x)[0] + x[0]`: one node of the tree from its 16 children.
#[must_use]
pub fn compress(children: &[Fr; WIDTH]) -> Fr {
    let mut state = *children;
    permute(&mut state);
    state[0] + children[0]
}

fn full_round(state: &mut [Fr; WIDTH], rc: &[Fr; WIDTH]) {
    for (x, c) in state.iter_mut().zip(rc) {
        *x = fifth_power(*x + c);
    }
    external(state);
}

fn fifth_power(x: Fr) -> Fr {
    x.square().square() * x
}

fn internal(state: &mut [Fr; WIDTH], diagonal: &[Fr; WIDTH]) {
    let sum: Fr = state.iter().sum();
    for (x, d) in state.iter_mut().zip(diagonal) {
        *x = *x * d + sum;
    }
}

fn external(state: &mut [Fr; WIDTH]) {
    use ark_ff::AdditiveGroup;
    for q in state.as_chunks_mut::<4>().0 {
        let [a, b, c, d] = *q;
        let (ab, cd) = (a + b, c + d);
        let (t2, t3) = (b.double() + cd, d.double() + ab);
        let (t4, t5) = (cd.double().double() + t3, ab.double().double() + t2);
        *q = [t3 + t5, t5, t2 + t4, t4];
    }
    let sums: [Fr; 4] = core::array::from_fn(|l| state.iter().skip(l).step_by(4).sum());
    for (i, x) in state.iter_mut().enumerate() {
        *x += sums[i % 4];
    }
}
