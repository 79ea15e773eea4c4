//! The matrices by column, and sums over them in the groups.

use std::collections::HashMap;

use ark_bn254::Fr;
use ark_ec::{CurveGroup, VariableBaseMSM};
use ark_ff::{Field, PrimeField};
use bailiwick_groth16::Matrices;
use rayon::prelude::*;

use super::Shape;
use crate::points::Point;

/// Terms from which on a multi-scalar multiplication is faster than one product after the other.
const MSM_FROM: usize = 8;

/// One matrix by column: rows and interned coefficients of column i are at `starts[i]..starts[i + 1]`.
struct Matrix {
    starts: Vec<usize>,
    rows: Vec<u32>,
    values: Vec<u32>,
}

/// A, B and C by column, and their distinct coefficients.
pub(super) struct Columns {
    matrices: [Matrix; 3],
    values: Vec<Fr>,
    columns: usize,
    constraints: usize,
    public: usize,
}

impl Columns {
    pub(super) fn new(matrices: &Matrices, shape: &Shape) -> Self {
        let mut values = Interned::default();
        let by_column = [0, 1, 2].map(|m| Matrix::new(matrices, m, &mut values));
        Self {
            matrices: by_column,
            values: values.values,
            columns: matrices.variables(),
            constraints: shape.constraints as usize,
            public: shape.public as usize,
        }
    }

    /// The terms of A in column `i` over `basis`, with the row that binds a public input.
    pub(super) fn a<P: Point>(&self, i: usize, basis: &[P]) -> Vec<(P, Fr)> {
        let mut out = self.terms(0, i, basis);
        if i <= self.public {
            out.push((basis[self.constraints + i], Fr::ONE));
        }
        out
    }

    /// The terms of B in column `i`.
    pub(super) fn b<P: Point>(&self, i: usize, basis: &[P]) -> Vec<(P, Fr)> {
        self.terms(1, i, basis)
    }

    /// The terms of C in column `i`.
    pub(super) fn c<P: Point>(&self, i: usize, basis: &[P]) -> Vec<(P, Fr)> {
        self.terms(2, i, basis)
    }

    fn terms<P: Point>(&self, m: usize, i: usize, basis: &[P]) -> Vec<(P, Fr)> {
        let matrix = &self.matrices[m];
        let range = matrix.starts[i]..matrix.starts[i + 1];
        let rows = &matrix.rows[range.clone()];
        let values = &matrix.values[range];
        rows.iter().zip(values).map(|(r, v)| (basis[*r as usize], self.values[*v as usize])).collect()
    }

    /// For each column the sum of the terms `of` gives, on all cores.
    pub(super) fn combine<P: Point>(&self, of: impl Fn(usize) -> Vec<(P, Fr)> + Sync) -> Vec<P>
    where
        P::Group: VariableBaseMSM<MulBase = P>,
    {
        let sums: Vec<P::Group> = (0..self.columns).into_par_iter().map(|i| sum(&of(i))).collect();
        P::Group::normalize_batch(&sums)
    }
}

/// Distinct coefficients: a permutation repeats the same few thousand.
#[derive(Default)]
struct Interned {
    ids: HashMap<Fr, u32>,
    values: Vec<Fr>,
}

impl Interned {
    fn id(&mut self, value: Fr) -> u32 {
        *self.ids.entry(value).or_insert_with(|| {
            self.values.push(value);
            u32::try_from(self.values.len() - 1).unwrap_or(u32::MAX)
        })
    }
}

impl Matrix {
    /// Matrix `m` (0: A, 1: B, 2: C) by column: a counting sort.
    fn new(matrices: &Matrices, m: usize, values: &mut Interned) -> Self {
        let columns = matrices.variables();
        let mut starts = vec![0usize; columns + 1];
        for row in matrices.rows() {
            for (_, column) in &row[m] {
                starts[column + 1] += 1;
            }
        }
        for i in 0..columns {
            starts[i + 1] += starts[i];
        }
        let mut next = starts.clone();
        let entries = starts[columns];
        let mut out = Self { starts, rows: vec![0; entries], values: vec![0; entries] };
        for (number, row) in (0u32..).zip(matrices.rows()) {
            for (value, column) in &row[m] {
                let at = next[*column];
                next[*column] += 1;
                (out.rows[at], out.values[at]) = (number, values.id(*value));
            }
        }
        out
    }
}

/// Σ value · point.
fn sum<P: Point>(terms: &[(P, Fr)]) -> P::Group
where
    P::Group: VariableBaseMSM<MulBase = P>,
{
    if terms.len() >= MSM_FROM {
        let (points, values): (Vec<P>, Vec<Fr>) = terms.iter().copied().unzip();
        return P::Group::msm(&points, &values).unwrap_or_default();
    }
    let mut out = P::Group::default();
    for (point, value) in terms {
        if *value == Fr::ONE {
            out += point;
        } else if *value == -Fr::ONE {
            out -= point;
        } else {
            out += point.mul_bigint(value.into_bigint());
        }
    }
    out
}
