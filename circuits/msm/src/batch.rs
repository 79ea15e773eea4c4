//! Sums of runs of points, by rounds of pairwise additions in affine coordinates.
//!
//! A round adds the points of every run two by two. All its additions are independent, whatever the points are, so all share one inversion
//! (Montgomery's trick, in each of eight lanes, then across the lanes). Sums of equal points, opposite ones and infinity have no
//! slope in the formula of the chord: where one occurs, the product of all denominators is zero, which the inversion shows, and the round
//! begins again with every pair looked at.

use bailiwick_field::base::Backend;
use bailiwick_field::modulus::WIDTH;

use crate::coordinate::{Coordinate, Point};

/// Points summed at once: as many as fit a core's second cache with their denominators.
const POINTS: usize = 8192;

/// Where two points are that are added where there is nothing to add, and where their sum goes; the others follow.
const NOTHING: Pair = Pair { from: 0, to: 2 };
const FIRST: usize = 3;

/// Neighbouring points with one key.
struct Run {
    key: u32,
    start: u32,
    len: u32,
}

/// Points `from` and `from + 1` are added to become point `to`.
#[derive(Clone, Copy)]
struct Pair {
    from: u32,
    to: u32,
}

/// What an addition that is not of a chord does instead.
struct Exception<F: Coordinate> {
    group: usize,
    lane: usize,
    /// Denominator and numerator of the slope.
    slope: [F::Packed; 2],
    /// The result, where the slope does not tell it.
    is: Option<Point<F>>,
}

/// Points in runs, and what is needed to sum them.
pub(crate) struct Batch<F: Coordinate, B: Backend> {
    backend: B,
    points: Vec<Point<F>>,
    runs: Vec<Run>,
    pairs: Vec<Pair>,
    norms: Vec<B::Lanes>,
    /// `products[g]` is that of norms up to `g`.
    products: Vec<B::Lanes>,
    exceptions: Vec<Exception<F>>,
    /// Whether infinity may be among the points.
    infinity: bool,
}

impl<F: Coordinate, B: Backend> Batch<F, B> {
    pub(crate) fn new(backend: B) -> Self {
        let [zero, one] = F::PACKED;
        let mut points = Vec::with_capacity(FIRST + POINTS);
        points.extend([zero, one, one].map(|x| Point { x, y: one }));
        Self {
            backend,
            points,
            runs: vec![],
            pairs: Vec::with_capacity(POINTS / 2),
            norms: Vec::with_capacity(POINTS / 2 / WIDTH),
            products: Vec::with_capacity(POINTS / 2 / WIDTH),
            exceptions: vec![],
            infinity: false,
        }
    }

    /// Whether no more points may be added.
    pub(crate) fn is_full(&self) -> bool {
        self.points.len() >= FIRST + POINTS
    }

    /// Adds a point, not infinity. Points with the same key that come one after another are a run.
    #[expect(clippy::cast_possible_truncation, reason = "at most POINTS")]
    pub(crate) fn push(&mut self, key: u32, point: Point<F>) {
        match self.runs.last_mut() {
            Some(run) if run.key == key => run.len += 1,
            _ => self.runs.push(Run { key, start: self.points.len() as u32, len: 1 }),
        }
        self.points.push(point);
    }

    /// Gives the sum of every run that is not infinity, and leaves nothing.
    pub(crate) fn finish(&mut self, sums: &mut Vec<(u32, Point<F>)>) {
        while self.round() {}
        let sum = |run: &Run| (run.key, self.points[run.start as usize]);
        sums.extend(self.runs.iter().map(sum).filter(|(_, p)| !p.is_infinity()));
        self.points.truncate(FIRST);
        self.runs.clear();
        self.infinity = false;
    }

    /// Whether there was something to add.
    fn round(&mut self) -> bool {
        self.pair_up();
        if self.pairs.is_empty() {
            return false;
        }
        self.multiply_up(self.infinity);
        let inverse = self.products.last().and_then(|p| self.backend.invert(p)).or_else(|| {
            self.multiply_up(true);
            self.products.last().and_then(|p| self.backend.invert(p))
        });
        self.add(inverse.expect("pairs without a slope have been replaced"));
        self.move_odd();
        true
    }

    /// Pairs of all runs. Sums go to the end of their run, so that an addition never overwrites what an earlier one needs: they are made
    /// from the last to the first.
    fn pair_up(&mut self) {
        self.pairs.clear();
        for run in &self.runs {
            let (half, odd) = (run.len / 2, run.len % 2);
            let pair = |i| Pair { from: run.start + odd + 2 * i, to: run.start + run.len - half + i };
            self.pairs.extend((0..half).map(pair));
        }
        self.pairs.resize(self.pairs.len().next_multiple_of(WIDTH), NOTHING);
    }

    /// The point of a run that had no partner goes before the sums.
    fn move_odd(&mut self) {
        for run in &mut self.runs {
            let (half, odd) = (run.len / 2, run.len % 2);
            let start = run.start + run.len - half - odd;
            if odd == 1 {
                self.points[start as usize] = self.points[run.start as usize];
            }
            (run.start, run.len) = (start, half + odd);
        }
    }

    /// A coordinate of the first points of a group, or of the second.
    #[inline]
    fn gather(
        &self,
        pairs: &[Pair; WIDTH],
        second: usize,
        which: impl Fn(&Point<F>) -> &F::Packed,
    ) -> F::Wide<B> {
        let at = |i: usize| which(&self.points[pairs[i].from as usize + second]);
        F::load(self.backend, [at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7)])
    }

    /// Products of denominators, group after group.
    fn multiply_up(&mut self, looking: bool) {
        self.norms.clear();
        self.products.clear();
        self.exceptions.clear();
        let pairs = core::mem::take(&mut self.pairs);
        for (group, pairs) in pairs.as_chunks().0.iter().enumerate() {
            let (x1, x2) = (self.gather(pairs, 0, |p| &p.x), self.gather(pairs, 1, |p| &p.x));
            let mut d = F::minus(self.backend, &x2, &x1);
            if looking {
                self.look(group, pairs, &mut d);
            }
            self.norms.push(F::norm(self.backend, &d));
            match self.products.last() {
                Some(p) => self.products.push(self.backend.mul(p, &self.norms[group])),
                None => self.products.push(self.norms[group]),
            }
        }
        self.pairs = pairs;
    }

    /// Finds the exceptions of a group.
    fn look(&mut self, group: usize, pairs: &[Pair; WIDTH], denominators: &mut F::Wide<B>) {
        for (lane, pair) in pairs.iter().enumerate() {
            let at = pair.from as usize;
            let Some((slope, is)) = exception(&self.points[at], &self.points[at + 1]) else { continue };
            self.infinity |= is.is_some_and(|p| p.is_infinity());
            F::replace(self.backend, denominators, lane, &slope[0]);
            self.exceptions.push(Exception { group, lane, slope, is });
        }
    }

    /// All additions, from the last group to the first; `inverse` is that of all denominators' product.
    fn add(&mut self, mut inverse: B::Lanes) {
        let pairs = core::mem::take(&mut self.pairs);
        for (group, pairs) in pairs.as_chunks().0.iter().enumerate().rev() {
            if group == 0 {
                self.add_group(group, pairs, &inverse);
            } else {
                let own = self.backend.mul(&inverse, &self.products[group - 1]);
                self.add_group(group, pairs, &own);
                inverse = self.backend.mul(&inverse, &self.norms[group]);
            }
        }
        self.pairs = pairs;
    }

    #[inline]
    fn add_group(&mut self, group: usize, pairs: &[Pair; WIDTH], inverse: &B::Lanes) {
        let b = self.backend;
        let x1 = self.gather(pairs, 0, |p| &p.x);
        let x2 = self.gather(pairs, 1, |p| &p.x);
        let y1 = self.gather(pairs, 0, |p| &p.y);
        let mut d = F::minus(b, &x2, &x1);
        let mut n = F::minus(b, &self.gather(pairs, 1, |p| &p.y), &y1);
        let exceptions = self.exceptions.iter().rev().take_while(|e| e.group == group).count();
        let exceptions = self.exceptions.len() - exceptions;
        for e in &self.exceptions[exceptions..] {
            F::replace(b, &mut d, e.lane, &e.slope[0]);
            F::replace(b, &mut n, e.lane, &e.slope[1]);
        }
        let q = F::divide(b, &n, &d, inverse);
        let x3 = F::square_minus(b, &q, &x1, &x2);
        let y3 = F::mul_minus(b, &q, &F::minus(b, &x1, &x3), &y1);
        let (x3, y3) = (F::store(b, &x3), F::store(b, &y3));
        for (pair, (x, y)) in pairs.iter().zip(x3.iter().zip(&y3)) {
            self.points[pair.to as usize] = Point { x: *x, y: *y };
        }
        for e in self.exceptions.drain(exceptions..) {
            if let Some(is) = e.is {
                self.points[pairs[e.lane].to as usize] = is;
            }
        }
    }
}

/// The slope of an addition that is not of a chord, and its result where that has none.
#[expect(clippy::type_complexity, reason = "denominator and numerator, result")]
fn exception<F: Coordinate>(p: &Point<F>, q: &Point<F>) -> Option<([F::Packed; 2], Option<Point<F>>)> {
    // Any slope but an infinite one.
    let level = [F::PACKED[1], F::PACKED[0]];
    if p.is_infinity() {
        return Some((level, Some(*q)));
    }
    if q.is_infinity() {
        return Some((level, Some(*p)));
    }
    let x = F::unpack(&p.x);
    if x != F::unpack(&q.x) {
        return None;
    }
    let y = F::unpack(&p.y);
    if y.is_zero() || y != F::unpack(&q.y) {
        return Some((level, Some(Point::INFINITY)));
    }
    // The tangent's, 3 x^2 / 2 y: both curves have a = 0.
    let square = x.square();
    Some(([y.double().pack(), (square.double() + square).pack()], None))
}
