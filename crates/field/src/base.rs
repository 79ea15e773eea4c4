//! What addition of affine points needs of the base field: eight elements side by side, whatever the processor.
//!
//! [`Backend`] is the whole of it. Points lie in memory *packed*: a coordinate is four words as arkworks keeps it (the integer `2^256 x`,
//! little end first), except that it need not be below the modulus `p`: any integer up to `(1 + 2^-10) p` will do. Computation
//! has two kinds of eight elements, and a backend is free in their limbs, in its own Montgomery constant `R` and in the bounds between:
//!
//! - a *coordinate* is `2^256 x`, from [`Backend::load`] or one of the operations that end in one;
//! - a *quotient* of two differences of coordinates is `R x`. The `2^256` cancels.
//!
//! Which operations may follow which is written at each; backends prove their bounds for these sequences and no others.
//! [`dispatch`] runs code with the best backend of this processor.

#[cfg(all(target_arch = "x86_64", not(feature = "portable")))]
pub mod avx2;
pub mod ifma;
pub mod portable;

use crate::modulus::WIDTH;

/// A packed element.
pub type Words = [u64; 4];
/// Where eight packed elements are.
pub type Eight<'a> = [&'a Words; WIDTH];

/// Eight elements of the base field at once. A value of an implementing type proves that the processor can.
///
/// The extension is `u^2 = -1`; its elements are `[c0, c1]`. Formulas are those of addition on a short Weierstrass curve:
/// `q = (y2 - y1) / (x2 - x1)`, `x3 = q^2 - x1 - x2`, `y3 = q (x1 - x3) - y1`.
pub trait Backend: Copy + Send + Sync + core::fmt::Debug + 'static {
    /// Eight elements.
    type Lanes: Copy + Send + Sync + core::fmt::Debug;

    /// Eight times zero.
    fn zero(self) -> Self::Lanes;

    /// Coordinates from memory.
    fn load(self, from: Eight<'_>) -> Self::Lanes;

    /// Coordinates to memory: what [`square_minus`](Self::square_minus) and the like gave.
    fn store(self, coordinates: &Self::Lanes) -> [Words; WIDTH];

    /// Puts another coordinate into one lane of loaded coordinates, or of a difference.
    fn replace(self, lanes: &mut Self::Lanes, lane: usize, with: &Words);

    /// The difference of two coordinates.
    fn sub(self, a: &Self::Lanes, b: &Self::Lanes) -> Self::Lanes;

    /// `a b / R`. Factors: products of this function, what [`invert`](Self::invert) gave, differences, norms; of the latter two also both. So
    /// running products of differences or norms, and the way back through them.
    fn mul(self, a: &Self::Lanes, b: &Self::Lanes) -> Self::Lanes;

    /// `R^2 / a` for a product, difference or norm: `mul` of both is `R`. `None` where one of the eight is zero.
    fn invert(self, a: &Self::Lanes) -> Option<Self::Lanes>;

    /// The quotient of a difference `n` by the difference whose inverse (by `invert` and `mul`) is given.
    fn divide(self, n: &Self::Lanes, inverse: &Self::Lanes) -> Self::Lanes {
        self.mul(n, inverse)
    }

    /// `q^2 - a - b`, a coordinate, of a quotient and two coordinates.
    fn square_minus(self, q: &Self::Lanes, a: &Self::Lanes, b: &Self::Lanes) -> Self::Lanes;

    /// `q d - c`, a coordinate, of a quotient, a difference and a coordinate.
    fn mul_minus(self, q: &Self::Lanes, d: &Self::Lanes, c: &Self::Lanes) -> Self::Lanes;

    /// `c0^2 + c1^2` of differences in the extension.
    fn norm(self, d: &[Self::Lanes; 2]) -> Self::Lanes;

    /// [`divide`](Self::divide) in the extension: `n / d`, with the inverse of the norm of `d`.
    fn divide2(self, n: &[Self::Lanes; 2], d: &[Self::Lanes; 2], inverse: &Self::Lanes) -> [Self::Lanes; 2];

    /// [`square_minus`](Self::square_minus) in the extension, of a quotient by [`divide2`](Self::divide2).
    fn square_minus2(
        self,
        q: &[Self::Lanes; 2],
        a: &[Self::Lanes; 2],
        b: &[Self::Lanes; 2],
    ) -> [Self::Lanes; 2];

    /// [`mul_minus`](Self::mul_minus) in the extension, of a quotient by [`divide2`](Self::divide2).
    fn mul_minus2(self, q: &[Self::Lanes; 2], d: &[Self::Lanes; 2], c: &[Self::Lanes; 2])
    -> [Self::Lanes; 2];
}

/// Asks for the cache lines of something that will be read soon. No more than advice.
#[inline]
pub fn prefetch<T>(soon: &T) {
    #[cfg(all(target_arch = "x86_64", not(feature = "portable")))]
    avx2::prefetch(soon);
    #[cfg(not(all(target_arch = "x86_64", not(feature = "portable"))))]
    let _ = soon;
}

/// Code for any backend.
pub trait Visit {
    /// What it gives.
    type Out;
    /// Runs it.
    fn visit<B: Backend>(self, backend: B) -> Self::Out;
}

/// Runs `code` with the best backend of this processor.
pub fn dispatch<V: Visit>(code: V) -> V::Out {
    if let Some(backend) = ifma::Integers::detect() {
        return code.visit(backend);
    }
    #[cfg(all(target_arch = "x86_64", not(feature = "portable")))]
    if let Some(backend) = avx2::Doubles::detect() {
        return code.visit(backend);
    }
    code.visit(portable::Scalar)
}
