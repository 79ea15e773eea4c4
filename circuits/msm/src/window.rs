//! One window: points sorted by digit, summed digit by digit, and the sums weighted by their digits.

use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ff::{AdditiveGroup as _, Zero as _};
use bailiwick_field::base::{Backend, prefetch};

use crate::batch::Batch;
use crate::coordinate::{Coordinate, Point};

/// A key, ascending, and a point.
type Keyed<F> = Vec<(u32, Point<F>)>;

/// How many points before its turn a point is asked for.
const AHEAD: usize = 16;

/// What one thread needs, for one window after another.
pub(crate) struct Scratch<F: Coordinate, B: Backend> {
    batch: Batch<F, B>,
    ends: Vec<u32>,
    order: Vec<u32>,
}

impl<F: Coordinate, B: Backend> Scratch<F, B> {
    pub(crate) fn new(backend: B) -> Self {
        Self { batch: Batch::new(backend), ends: vec![], order: vec![] }
    }

    /// The sum of `digits[i] · bases[i]`, digits of `bits` bits.
    pub(crate) fn window_sum<P>(&mut self, bases: &[Affine<P>], digits: &[i16], bits: usize) -> Projective<P>
    where
        P: SWCurveConfig<BaseField = F>,
    {
        self.sort(digits.len(), (1 << (bits - 1)) + 1, |i| {
            (usize::from(digits[i].unsigned_abs()), digits[i] < 0)
        });
        let (order, ends) = (core::mem::take(&mut self.order), core::mem::take(&mut self.ends));
        let mut buckets = vec![];
        // What has no digit comes first.
        for (key, ends) in (1..).zip(ends.windows(2)) {
            for at in ends[0] as usize..ends[1] as usize {
                if let Some(soon) = order.get(at + AHEAD) {
                    prefetch(&bases[(soon >> 1) as usize]);
                }
                let base = &bases[(order[at] >> 1) as usize];
                let point = Point { x: base.x.pack(), y: base.y.pack_signed(order[at] & 1 == 1) };
                self.add(key, point, &mut buckets);
            }
        }
        (self.order, self.ends) = (order, ends);
        // A key whose points did not fit a batch has several sums; they are in one row and one column.
        self.batch.finish(&mut buckets);
        self.weigh(&buckets, bits)
    }

    /// The sum of `key · point`, keys up to `2^(bits-1)`: they are digits of two again, so that sums of rows and of columns are weighed.
    fn weigh<P: SWCurveConfig<BaseField = F>>(&mut self, buckets: &Keyed<F>, bits: usize) -> Projective<P> {
        let low = bits / 2;
        let mask = (1 << low) - 1;
        let rows = self.sums(buckets.iter().map(|(key, p)| (key >> low, *p)));
        self.sort(buckets.len(), mask as usize + 1, |i| ((buckets[i].0 & mask) as usize, false));
        let order = core::mem::take(&mut self.order);
        let columns = self.sums(order.iter().map(|i| {
            let (key, p) = buckets[(*i >> 1) as usize];
            (key & mask, p)
        }));
        self.order = order;
        let mut sum = weighted(&rows);
        for _ in 0..low {
            sum.double_in_place();
        }
        sum + weighted::<P>(&columns)
    }

    /// Numbers below `n` in ascending order of their keys, which are below `keys`, into `order`, each doubled and with its mark as lowest bit;
    /// where each key ends into `ends`.
    #[expect(clippy::cast_possible_truncation, reason = "fewer than 2^31 points")]
    fn sort(&mut self, n: usize, keys: usize, key: impl Fn(usize) -> (usize, bool)) {
        self.ends.clear();
        self.ends.resize(keys, 0);
        for i in 0..n {
            self.ends[key(i).0] += 1;
        }
        let mut begin = 0;
        for end in &mut self.ends {
            (*end, begin) = (begin, begin + *end);
        }
        self.order.resize(n, 0);
        for i in 0..n {
            let (key, mark) = key(i);
            let end = &mut self.ends[key];
            self.order[*end as usize] = (i as u32) << 1 | u32::from(mark);
            *end += 1;
        }
    }

    /// Sums of the points of each key. Points come by ascending key and are not infinity.
    fn sums(&mut self, points: impl Iterator<Item = (u32, Point<F>)>) -> Keyed<F> {
        let mut sums = vec![];
        for (key, point) in points {
            self.add(key, point, &mut sums);
        }
        self.batch.finish(&mut sums);
        self.merged(sums)
    }

    #[inline]
    fn add(&mut self, key: u32, point: Point<F>, sums: &mut Keyed<F>) {
        if self.batch.is_full() {
            self.batch.finish(sums);
        }
        self.batch.push(key, point);
    }

    /// Keys whose points did not fit a batch have several sums.
    fn merged(&mut self, mut sums: Keyed<F>) -> Keyed<F> {
        while sums.windows(2).any(|w| w[0].0 == w[1].0) {
            let mut merged = vec![];
            for (key, point) in sums {
                self.add(key, point, &mut merged);
            }
            self.batch.finish(&mut merged);
            sums = merged;
        }
        sums
    }
}

/// The sum of `key · point`.
fn weighted<P>(points: &Keyed<P::BaseField>) -> Projective<P>
where
    P: SWCurveConfig,
    P::BaseField: Coordinate,
{
    let (mut running, mut total) = (Projective::<P>::ZERO, Projective::<P>::ZERO);
    let mut points = points.iter().rev().peekable();
    let highest = points.peek().map_or(0, |(key, _)| *key);
    for key in (1..=highest).rev() {
        if let Some((_, p)) = points.next_if(|(k, _)| *k == key) {
            running += Affine::<P>::new_unchecked(Coordinate::unpack(&p.x), Coordinate::unpack(&p.y));
        }
        if !running.is_zero() {
            total += running;
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use ark_bn254::{Fr, G1Affine, G1Projective, g1};
    use ark_ec::{AffineRepr as _, CurveGroup as _, VariableBaseMSM as _};
    use bailiwick_field::base::portable::Scalar;
    use bailiwick_field::base::{Visit, dispatch};

    use super::*;

    struct Window<'a>(&'a [G1Affine], &'a [i16], usize);

    impl Visit for Window<'_> {
        type Out = G1Projective;
        fn visit<B: Backend>(self, backend: B) -> G1Projective {
            Scratch::new(backend).window_sum::<g1::Config>(self.0, self.1, self.2)
        }
    }

    /// As many digits as only the largest sums have: rows of buckets do not fit a batch, the digit -2^15 is among them. By both backends.
    #[test]
    fn windows_of_sixteen_bits() {
        const N: i16 = 18_000;
        let step = (G1Affine::generator() * Fr::from(12_345u64)).into_affine();
        let mut next = G1Projective::from(step);
        let points: Vec<_> = (0..N)
            .map(|_| {
                next += step;
                next
            })
            .collect();
        let bases = G1Projective::normalize_batch(&points);
        let mut digits: Vec<i16> = (0..N).map(|i| if i % 3 == 0 { -i } else { i }).collect();
        digits[7] = i16::MIN;
        let scalars: Vec<_> = digits.iter().map(|d| Fr::from(*d)).collect();
        let wanted = G1Projective::msm(&bases, &scalars).expect("as many of both");
        assert_eq!(dispatch(Window(&bases, &digits, 16)), wanted);
        assert_eq!(Window(&bases, &digits, 16).visit(Scalar), wanted);
    }
}
