//! The quotient polynomial of libsnark's reduction: h with `a·b − c = h·(X^n − 1)`.
//!
//! a, b and c are the polynomials below degree n whose values at the n-th roots of unity are the rows of A z, B z and C z, then for
//! each instance variable a row with its value, 0 and 0. Where the assignment satisfies the system, the values of c are the products
//! of those of a and b: C z need not be computed. And `a·b = l + X^n·h` with `c = l + h`, while modulo `X^n − g^n` the product is
//! `l + g^n·h`; so `h = (a·b mod (X^n − g^n) − c) / (g^n − 1)`, coefficient by coefficient: six transforms where the textbook, which
//! divides on the coset, needs c there too and seven. h does not depend on g.

mod lanes;

use ark_bn254::Fr;
use ark_ff::{FftField, Field, One, Zero};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use rayon::prelude::*;

use crate::matrices::{Evaluations, Matrices, Side};

/// Coefficients of h, n − 1 of them: its degree is at most n − 2.
pub(crate) fn quotient(
    matrices: &Matrices,
    domain: &Radix2EvaluationDomain<Fr>,
    rows: &Evaluations<'_>,
    instance: &[Fr],
) -> Vec<Fr> {
    let constraints = rows.constraints();
    let a = |i: usize| {
        rows.at(Side::A, i).or_else(|| instance.get(i - constraints).copied()).unwrap_or_else(Fr::zero)
    };
    let b = |i: usize| rows.at(Side::B, i).unwrap_or_else(Fr::zero);
    match matrices.transform(domain.log_size_of_group) {
        Some(transform) => lanes::quotient(transform, a, b),
        None => one_at_a_time(domain, a, b),
    }
}

/// The quotient by the transforms of `ark-poly`, for processors without AVX2 and small systems.
fn one_at_a_time(
    domain: &Radix2EvaluationDomain<Fr>,
    a: impl Fn(usize) -> Fr + Sync,
    b: impl Fn(usize) -> Fr + Sync,
) -> Vec<Fr> {
    let n = domain.size();
    let coset = domain.get_coset(Fr::GENERATOR).expect("the generator is not zero");
    let on_coset = |values: &(dyn Fn(usize) -> Fr + Sync)| {
        let mut x: Vec<Fr> = (0..n).into_par_iter().map(values).collect();
        domain.ifft_in_place(&mut x);
        coset.fft_in_place(&mut x);
        x
    };
    let mut c: Vec<Fr> = (0..n).into_par_iter().map(|i| a(i) * b(i)).collect();
    domain.ifft_in_place(&mut c);
    let mut h = on_coset(&a);
    h.par_iter_mut().zip(on_coset(&b)).for_each(|(h, b)| *h *= b);
    coset.ifft_in_place(&mut h);
    let scale = (Fr::GENERATOR.pow([n as u64]) - Fr::one()).inverse().expect("the coset is another one");
    h.par_iter_mut().zip(c).for_each(|(h, c)| *h = (*h - c) * scale);
    h.truncate(n - 1);
    h
}
