//! One window: points sorted by digit, summed digit by digit, and the sums weighted by their digits.

use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ff::{AdditiveGroup as _, Zero as _};
use bailiwick_field::base::Backend;

use crate::batch::Batch;
use crate::coordinate::{Coordinate, Point};

/// A key, ascending, and a point.
type Keyed<F> = Vec<(u32, Point<F>)>;

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
        self.sort(digits.len(), (1 << (bits - 1)) + 1, |i| usize::from(digits[i].unsigned_abs()));
        // What has no digit comes first.
        let first = self.ends.first().map_or(0, |e| *e as usize);
        let order = core::mem::take(&mut self.order);
        let points = order[first..].iter().map(|i| {
            let (digit, base) = (digits[*i as usize], &bases[*i as usize]);
            let y = if digit < 0 { -base.y } else { base.y };
            (u32::from(digit.unsigned_abs()), Point { x: base.x.pack(), y: y.pack() })
        });
        let buckets = self.sums(points);
        self.order = order;
        self.weigh(&buckets, bits)
    }

    /// The sum of `key · point`, keys up to `2^(bits-1)`: they are digits of two again, so that sums of rows and of columns are weighed.
    fn weigh<P: SWCurveConfig<BaseField = F>>(&mut self, buckets: &Keyed<F>, bits: usize) -> Projective<P> {
        let low = bits / 2;
        let mask = (1 << low) - 1;
        let rows = self.sums(buckets.iter().map(|(key, p)| (key >> low, *p)));
        self.sort(buckets.len(), mask as usize + 1, |i| (buckets[i].0 & mask) as usize);
        let order = core::mem::take(&mut self.order);
        let columns = self.sums(order.iter().map(|i| {
            let (key, p) = buckets[*i as usize];
            (key & mask, p)
        }));
        self.order = order;
        let mut sum = weighted(&rows);
        for _ in 0..low {
            sum.double_in_place();
        }
        sum + weighted::<P>(&columns)
    }

    /// Numbers below `n` in ascending order of their keys, which are below `keys`, into `order`; where each key ends into `ends`.
    #[expect(clippy::cast_possible_truncation, reason = "fewer than 2^32 points")]
    fn sort(&mut self, n: usize, keys: usize, key: impl Fn(usize) -> usize) {
        self.ends.clear();
        self.ends.resize(keys, 0);
        for i in 0..n {
            self.ends[key(i)] += 1;
        }
        let mut begin = 0;
        for end in &mut self.ends {
            (*end, begin) = (begin, begin + *end);
        }
        self.order.resize(n, 0);
        for i in 0..n {
            let end = &mut self.ends[key(i)];
            self.order[*end as usize] = i as u32;
            *end += 1;
        }
    }

    /// Sums of the points of each key. Points come by ascending key and are not infinity.
    fn sums(&mut self, points: impl Iterator<Item = (u32, Point<F>)>) -> Keyed<F> {
        let mut sums = vec![];
        self.fill(points, &mut sums);
        // Keys whose points did not fit a batch have several sums.
        while sums.windows(2).any(|w| w[0].0 == w[1].0) {
            let parts = core::mem::take(&mut sums);
            self.fill(parts.into_iter(), &mut sums);
        }
        sums
    }

    fn fill(&mut self, points: impl Iterator<Item = (u32, Point<F>)>, sums: &mut Keyed<F>) {
        for (key, point) in points {
            if self.batch.is_full() {
                self.batch.finish(sums);
            }
            self.batch.push(key, point);
        }
        self.batch.finish(sums);
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
