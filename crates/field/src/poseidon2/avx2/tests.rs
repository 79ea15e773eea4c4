#![expect(unsafe_code, reason = "calls of code for processors that have been asked")]

use super::*;

/// An integer far larger than 64 bits, limb by limb.
fn exact(limbs: &[i64; LIMBS]) -> [i128; 2] {
    // Two halves of 102 bits: enough to compare multiples of p, and no more than i128 takes.
    let low = i128::from(limbs[0]) + (i128::from(limbs[1]) << 51);
    let high = i128::from(limbs[2]) + (i128::from(limbs[3]) << 51);
    [low, high + (low >> 102)]
}

/// `top limb + high / 2^102`, rounded down: the value in units of 2^204.
fn units(limbs: &[i64; LIMBS]) -> i64 {
    let [_, high] = exact(limbs);
    limbs[4] + i64::try_from(high >> 102).expect("carries are small")
}

fn spread(limbs: [i64; LIMBS]) -> Columns {
    limbs.map(|l| [l; WIDTH])
}

/// Around every half multiple of p that a layer can give, with limbs at their edges: at most half of p is left.
#[test]
fn reduction_leaves_half_of_the_modulus() {
    let Some(_) = Avx2::detect() else { return };
    let half = SCALAR.limbs[4] / 2;
    for k in -134..=134i64 {
        for (edge, near) in
            [(1i64 << 57, 0), (-(1 << 57), 0), (1 << 50, 1), (-(1 << 50), -1), (0, 3), (0, -3)]
        {
            let mut limbs = [edge; LIMBS];
            limbs[4] = k * SCALAR.limbs[4] + half + near;
            // SAFETY: the processor was asked.
            let out = unsafe { reduce(spread(limbs)) };
            let out = core::array::from_fn(|j| out[j][3]);
            // A unit is 2^-50 of p; the quotient's error is 2^-42 of p, carries from below 2^7 units.
            assert!(units(&out).abs() <= half + (1 << 9), "{k} {edge} {near}: {}", units(&out));
            // SAFETY: the processor was asked.
            let lanes = unsafe { super::limbs(&spread(out)) };
            assert_eq!(units(&lanes.limbs(5)), units(&out));
            assert_eq!(lanes.element::<Fr>(5), value(&limbs), "{k} {edge} {near}");
        }
    }
}

fn value(limbs: &[i64; LIMBS]) -> Fr {
    let two_51 = Fr::from(1u64 << 51);
    limbs.iter().rev().fold(Fr::from(0u64), |acc, l| {
        let l = if *l < 0 { -Fr::from(l.unsigned_abs()) } else { Fr::from(l.unsigned_abs()) };
        acc * two_51 + l
    })
}

/// States at the table's edge: the layer is the matrix, and leaves half of the modulus.
#[test]
fn the_external_layer_at_its_bounds() {
    let Some(_) = Avx2::detect() else { return };
    let m4 = [[5u64, 7, 1, 3], [4, 6, 1, 1], [1, 3, 5, 7], [1, 1, 4, 6]];
    let top = SCALAR.limbs[4] * 166 / 100;
    let (most, least) = (
        [1i64 << 50, 1 << 50, 1 << 50, 1 << 50, top],
        [-(1i64 << 50), -(1 << 50), -(1 << 50), -(1 << 50), -top],
    );
    for pattern in 0..16u32 {
        let limbs: [[i64; LIMBS]; STATE] =
            core::array::from_fn(|i| if pattern >> (i % 4) & 1 == 1 { most } else { least });
        let mut state: State = limbs.each_ref().map(Lanes::splat);
        // SAFETY: the processor was asked.
        unsafe { external(&mut state) };
        for (i, out) in state.iter().enumerate() {
            let wanted = (0..STATE).fold(Fr::from(0u64), |sum, j| {
                let factor = m4[i % 4][j % 4] * if i / 4 == j / 4 { 2 } else { 1 };
                sum + Fr::from(factor) * value(&limbs[j])
            });
            assert_eq!(out.element::<Fr>(2), wanted, "row {i}");
            assert!(units(&out.limbs(2)).abs() <= SCALAR.limbs[4] / 2 + (1 << 9));
        }
    }
}

/// The last number below 2^50 that is `s` times p, and the low limbs at their edge.
fn at(hundredths: i64, sign: i64) -> [i64; LIMBS] {
    let low = sign * (1i64 << 50);
    [low, low, low, low, sign * (SCALAR.limbs[4] / 100 * hundredths)]
}

/// Products with constants at the largest they are given: one step leaves `1.5 + 0.19 s` and two leave half of p; what is added comes on top.
#[test]
fn products_with_constants_at_their_bounds() {
    let Some(_) = Avx2::detect() else { return };
    let half = SCALAR.limbs[4] / 2;
    let two = Fr::from(2u64);
    let p_half = -two.inverse().expect("not zero");
    for d in
        [Fr::from(0u64), Fr::from(1u64), -Fr::from(1u64), p_half, p_half + Fr::from(1u64), two.pow([203])]
    {
        let (once, twice) = (Factor::new(d, 1), Factor::new(d, 2));
        for (s, sign) in [(247, 1), (247, -1), (0, 1), (0, -1), (118, 1)] {
            for flip in 0..32u32 {
                let limbs = at(s, sign);
                let limbs = core::array::from_fn(|j| if flip >> j & 1 == 1 { -limbs[j] } else { limbs[j] });
                let more = [1i64 << 50, -(1 << 57), 1 << 57, 5, half * sign];
                let x = Lanes::splat(&limbs);
                // SAFETY: the processor was asked.
                let (a, b) = unsafe {
                    (
                        multiply_once(&once, &x, &spread(more), &SCALAR),
                        multiply_twice(&twice, &x, Some(&spread(more)), &SCALAR),
                    )
                };
                let wanted = value(&limbs) * d + value(&more);
                for lane in [0, 7] {
                    assert_eq!(value(&a.limbs(lane)), wanted, "once {s} {sign} {flip}");
                    assert_eq!(value(&b.limbs(lane)), wanted, "twice {s} {sign} {flip}");
                }
                assert!(units(&a.limbs(3)).abs() <= SCALAR.limbs[4] / 100 * 247 + (1 << 10));
                assert!(units(&b.limbs(3)).abs() <= 2 * half + (1 << 10));
                for low in &a.limbs(3)[..LIMBS - 1] {
                    assert!((-(1i64 << 50)..1 << 50).contains(low));
                }
            }
        }
    }
}

/// Constants are the integers of least magnitude: the bounds count on it.
#[test]
fn constants_are_centred() {
    let one = [[Fr::from(1u64); STATE]; 1];
    let constants = Constants {
        initial: &one,
        partial: &[-Fr::from(1u64)],
        terminal: &one,
        diagonal: &[-Fr::from(2u64); STATE],
    };
    let Some(p) = Kernel::new(&constants) else {
        return;
    };
    let half = SCALAR.limbs[4] / 2 + 1;
    for constant in p.partial.iter().chain(p.initial.iter().flatten()) {
        #[expect(clippy::cast_precision_loss, reason = "below 2^50")]
        let half = half as f64;
        assert!(constant[4].abs() <= half);
    }
}

/// On the machines that develop and test this the batched code must be what is tested.
#[test]
fn this_processor_has_what_it_takes() {
    assert!(
        Avx2::detect().is_some() || option_env!("BAILIWICK_NO_AVX2").is_some(),
        "set BAILIWICK_NO_AVX2 when building the tests where it has not"
    );
}
