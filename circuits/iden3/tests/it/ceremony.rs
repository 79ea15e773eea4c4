//! Phase 2: what snarkjs made is accepted and made again byte for byte; each tampering has its name (issue 4).

use std::io::Cursor;

use bailiwick_iden3::ceremony::{
    CeremonyError, Fault, InitialKey, Shape, Verified, beacon, contribute, verify,
};
use bailiwick_iden3::ptau::{Ptau, PtauError};
use bailiwick_iden3::zkey::{ContributionKind, Zkey, ZkeyError};

use super::circuit::matrices;
use super::keys::{
    FINAL, INITIAL, POWERS, contribution_at, exchanged, key, part, powers, rng, section, with,
};

fn checked(bytes: &[u8]) -> Result<Verified, CeremonyError> {
    let mut key = Zkey::open(Cursor::new(bytes))?;
    verify(&mut key, &mut powers(), &matrices(), &mut rng())
}

fn fault(bytes: &[u8]) -> Fault {
    match checked(bytes) {
        Err(CeremonyError::Invalid(fault)) => fault,
        other => panic!("{other:?}"),
    }
}

fn contributed(bytes: &[u8]) -> Vec<u8> {
    let out = Cursor::new(Vec::new());
    let done = contribute(&mut key(bytes), out, "test", b"text", &mut rng(), &mut |_, _| ());
    done.unwrap().0.into_inner()
}

#[test]
fn the_initial_key_is_that_of_snarkjs_byte_for_byte() {
    let initial = InitialKey::build(&mut powers(), &matrices()).unwrap();
    let ours = initial.write(Cursor::new(Vec::new())).unwrap().into_inner();
    assert_eq!(ours, INITIAL);
    assert_eq!(initial.circuit_hash(), &key(INITIAL).contributions().circuit_hash);
}

#[test]
fn a_ceremony_of_snarkjs_is_accepted() {
    let verified = checked(FINAL).unwrap();
    let names: Vec<_> = verified.contributions.iter().map(|c| c.name.clone().unwrap()).collect();
    assert_eq!(names, [b"alice".to_vec(), b"bob".to_vec(), b"drand".to_vec()]);
    let ContributionKind::Beacon { value, iterations_log2 } = &verified.contributions[2].kind else {
        panic!("no beacon")
    };
    assert_eq!((value.as_slice(), *iterations_log2), (&(1u8..=32).collect::<Vec<_>>()[..], 10));
    assert_eq!((verified.contributors(), verified.beacon()), (2, Some(value.as_slice())));
    let record = {
        use sha2::{Digest as _, Sha256};
        <[u8; 32]>::from(Sha256::digest(&FINAL[section(FINAL, 10)]))
    };
    assert_eq!(verified.transcript, record);
    // What snarkjs printed when it made the last contribution.
    assert_eq!(hex(&verified.contributions[2].hash), include_str!("../vectors/beacon_hash.txt").trim());
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn the_beacon_is_that_of_snarkjs_byte_for_byte() {
    // The same parameters on the same key leave no freedom. Two contributions are not reproducible, the beacon is.
    const BEFORE: &[u8] = include_bytes!("../vectors/chain_two.zkey");
    let value: Vec<u8> = (1..=32).collect();
    let out =
        beacon(&mut key(BEFORE), Cursor::new(Vec::new()), "drand", (&value, 10), &mut |_, _| ()).unwrap();
    assert_eq!(out.0.into_inner(), FINAL);
    assert_eq!(out.1.number, 3);
}

#[test]
fn our_contributions_are_accepted_and_leave_the_rest_as_it_was() {
    let one = contributed(INITIAL);
    let two = contributed(&one);
    let verified = checked(&two).unwrap();
    assert_eq!(verified.contributions.len(), 2);
    assert_eq!(verified.contributions[0].kind, ContributionKind::Person);
    for kind in [1, 3, 4, 5, 6, 7] {
        assert_eq!(two[section(&two, kind)], INITIAL[section(INITIAL, kind)], "{kind}");
    }
}

#[test]
fn the_text_and_the_generator_both_enter_the_secret() {
    let with_text = |text: &[u8], seed: u64| {
        let mut rng = <rand_chacha::ChaCha20Rng as rand_core::SeedableRng>::seed_from_u64(seed);
        let out =
            contribute(&mut key(INITIAL), Cursor::new(vec![]), "x", text, &mut rng, &mut |_, _| ()).unwrap();
        let bytes = out.0.into_inner();
        key(&bytes).header().delta1
    };
    assert_ne!(with_text(b"", 1), with_text(b"a", 1));
    assert_ne!(with_text(b"a", 1), with_text(b"a", 2));
    assert_eq!(with_text(b"a", 1), with_text(b"a", 1));
}

#[test]
fn names_and_beacons_out_of_range_are_refused() {
    for name in ["", "a\nb", &"é".repeat(65)] {
        let done = contribute(&mut key(INITIAL), Cursor::new(vec![]), name, b"", &mut rng(), &mut |_, _| ());
        assert!(matches!(done, Err(CeremonyError::Name)), "{name:?}");
    }
    for (value, log2) in [(vec![], 10), (vec![1; 256], 10), (vec![1], 9), (vec![1], 25)] {
        let done =
            beacon(&mut key(INITIAL), Cursor::new(vec![]), "x", (&value, log2), &mut |_, _| ()).map(|_| ());
        assert!(matches!(done, Err(CeremonyError::Beacon)), "{log2}");
    }
}

#[test]
fn nobody_contributed() {
    assert_eq!(fault(INITIAL), Fault::NoContribution);
}

#[test]
fn a_changed_hash_breaks_the_chain() {
    for number in 1..=3u32 {
        let at = contribution_at(FINAL, number as usize) + 3 * 64 + 128;
        let byte = part(FINAL, 10, at, 1)[0] ^ 1;
        assert_eq!(fault(&with(FINAL, 10, at, &[byte])), Fault::HashChain { number });
    }
}

#[test]
fn a_contribution_left_out_breaks_the_chain() {
    let range = section(FINAL, 10);
    let (first, second) = (contribution_at(FINAL, 1), contribution_at(FINAL, 2));
    let mut bytes = FINAL.to_vec();
    bytes.drain(range.start + first..range.start + second);
    let length = (range.len() - (second - first)) as u64;
    bytes[range.start - 8..range.start].copy_from_slice(&length.to_le_bytes());
    let bytes = with(&bytes, 10, 64, &2u32.to_le_bytes());
    assert_eq!(fault(&bytes), Fault::HashChain { number: 1 });
}

#[test]
fn a_proof_of_knowledge_of_another_secret_is_refused() {
    let spx = |n| contribution_at(FINAL, n) + 3 * 64;
    let other = part(FINAL, 10, spx(1), 128);
    assert_eq!(fault(&with(FINAL, 10, spx(2), &other)), Fault::ProofOfKnowledge { number: 2 });
}

#[test]
fn a_delta_that_does_not_follow_is_refused() {
    let delta = |n| part(FINAL, 10, contribution_at(FINAL, n), 64);
    let at = contribution_at(FINAL, 1);
    assert_eq!(fault(&with(FINAL, 10, at, &delta(2))), Fault::Delta { number: 1 });
}

#[test]
fn a_contribution_of_one_is_refused() {
    let delta1 = part(INITIAL, 2, 2 * 36 + 12 + 2 * 64 + 2 * 128, 64);
    let at = contribution_at(FINAL, 1);
    assert_eq!(fault(&with(FINAL, 10, at, &delta1)), Fault::Unchanged { number: 1 });
}

#[test]
fn a_delta_at_infinity_is_refused_by_the_reader() {
    let bytes = with(FINAL, 10, contribution_at(FINAL, 1), &[0; 64]);
    assert!(matches!(checked(&bytes), Err(CeremonyError::Zkey(ZkeyError::Point { .. }))));
}

#[test]
fn a_beacon_not_made_from_its_value_is_refused() {
    let parameters = contribution_at(FINAL, 3) + super::keys::CONTRIBUTION;
    // Name (2 + 5 bytes), iterations (2), value (2 + 32).
    let iterations = parameters + 7 + 1;
    let value = iterations + 3;
    assert_eq!(part(FINAL, 10, iterations, 4), [10, 3, 32, 1]);
    assert_eq!(fault(&with(FINAL, 10, value, &[9])), Fault::Beacon { number: 3 });
    assert_eq!(fault(&with(FINAL, 10, iterations, &[11])), Fault::Beacon { number: 3 });
    for iterations_log2 in [9, 25, 64] {
        assert_eq!(
            fault(&with(FINAL, 10, iterations, &[iterations_log2])),
            Fault::BeaconIterations { number: 3, iterations_log2 }
        );
    }
}

/// A beacon's secret is everyone's: a key that only beacons went into is nobody's.
#[test]
fn a_key_of_beacons_alone_is_refused() {
    let alone = beacon(&mut key(INITIAL), Cursor::new(Vec::new()), "drand", (&[7; 32], 10), &mut |_, _| ());
    assert_eq!(fault(&alone.unwrap().0.into_inner()), Fault::NoContribution);
}

/// The iterations of all beacons together have a bound: many in a few bytes must not cost hours.
#[test]
fn beacons_share_a_bound_on_iterations() {
    let closed = |bytes: &[u8], log2| {
        let out = beacon(&mut key(bytes), Cursor::new(Vec::new()), "drand", (&[7; 32], log2), &mut |_, _| ());
        out.unwrap().0.into_inner()
    };
    let within = closed(&closed(INITIAL, 11), 10);
    assert_eq!(fault(&within), Fault::NoContribution, "as far as beacons go, all is well");
    let beyond = closed(&closed(INITIAL, 24), 10);
    assert_eq!(fault(&beyond), Fault::BeaconIterations { number: 2, iterations_log2: 10 });
}

#[test]
fn l_and_h_must_be_divided_by_delta() {
    for kind in [8, 9] {
        let unscaled = part(INITIAL, kind, 0, section(INITIAL, kind).len());
        assert_eq!(fault(&with(FINAL, kind, 0, &unscaled)), Fault::NotScaled { section: kind });
        // One point left as it was, and two exchanged: the sum of all points would not show the latter.
        let one = part(INITIAL, kind, 64, 64);
        assert_eq!(fault(&with(FINAL, kind, 64, &one)), Fault::NotScaled { section: kind });
        assert_eq!(fault(&exchanged(FINAL, kind, [1, 2], 64)), Fault::NotScaled { section: kind });
    }
}

#[test]
fn sections_no_contribution_may_change_are_compared() {
    for (kind, size) in [(3, 64), (5, 64), (6, 64), (7, 128)] {
        let last = section(FINAL, kind).len() / size - 1;
        let bytes = (0..last)
            .find(|i| part(FINAL, kind, i * size, size) != part(FINAL, kind, last * size, size))
            .map(|i| exchanged(FINAL, kind, [i, last], size));
        assert_eq!(fault(&bytes.unwrap()), Fault::Section { section: kind });
    }
    let at = section(FINAL, 4).len() - 1;
    let byte = part(FINAL, 4, at, 1)[0] ^ 1;
    assert_eq!(fault(&with(FINAL, 4, at, &[byte])), Fault::Section { section: 4 });
}

#[test]
fn the_headers_points_are_compared() {
    // alpha1 ‖ beta1 ‖ beta2 ‖ gamma2 ‖ delta1 ‖ delta2 after fields and counts.
    let points = 2 * 36 + 12;
    let [alpha, beta, beta2, gamma, delta1, delta2] =
        [0, 64, 128, 256, 384, 448].map(|offset| points + offset);
    let beta_bytes = part(FINAL, 2, beta, 64);
    let alpha_bytes = part(FINAL, 2, alpha, 64);
    let beta2_bytes = part(FINAL, 2, beta2, 128);
    let gamma_bytes = part(FINAL, 2, gamma, 128);
    for (at, new, element) in [
        (alpha, &beta_bytes, "alpha in G1"),
        (beta, &alpha_bytes, "beta in G1"),
        (beta2, &gamma_bytes, "beta in G2"),
        (gamma, &beta2_bytes, "gamma in G2"),
    ] {
        assert_eq!(fault(&with(FINAL, 2, at, new)), Fault::Header { element });
    }
    assert_eq!(fault(&with(FINAL, 2, delta1, &alpha_bytes)), Fault::Delta1);
    assert_eq!(fault(&with(FINAL, 2, delta2, &beta2_bytes)), Fault::Delta2);
}

#[test]
fn z07_gamma_equal_to_delta_is_refused() {
    let points = 2 * 36 + 12;
    let delta2 = part(FINAL, 2, points + 448, 128);
    let bytes = with(FINAL, 2, points + 256, &delta2);
    assert_eq!(fault(&bytes), Fault::Header { element: "gamma in G2" });
}

#[test]
fn a_ceremony_on_another_initial_key_is_refused() {
    // The hash is that of something else, and everything after it is honest.
    let byte = part(INITIAL, 10, 0, 1)[0] ^ 1;
    let other = contributed(&with(INITIAL, 10, 0, &[byte]));
    assert_eq!(fault(&other), Fault::CircuitHash);
}

#[test]
fn a_key_of_other_counts_costs_nothing_and_is_refused() {
    let mut rng = rng();
    let other =
        bailiwick_groth16::Matrices::synthesize(super::circuit::Chain { start: 1 }).unwrap().without(&[0]);
    // The same counts but for a constraint: the domain stays, the variables too.
    let result = verify(&mut key(FINAL), &mut powers(), &other, &mut rng);
    assert!(matches!(result, Err(CeremonyError::Invalid(Fault::Section { .. }))), "{result:?}");
    let at = 2 * 36;
    let counts = part(FINAL, 2, at, 4)[0];
    let bytes = with(FINAL, 2, at, &[counts - 1]);
    assert!(checked(&bytes).is_err());
}

#[test]
fn powers_that_are_not_prepared_or_too_small_are_refused() {
    const UNPREPARED: &[u8] = include_bytes!("../vectors/power5_unprepared.ptau");
    let mut unprepared = Ptau::open(Cursor::new(UNPREPARED)).unwrap();
    let result = InitialKey::build(&mut unprepared, &matrices());
    assert!(matches!(result, Err(CeremonyError::Ptau(PtauError::NotPrepared))));
    let result = powers().check(6, &mut rng());
    assert!(matches!(result, Err(PtauError::TooSmall { power: 5, needed: 6 })));
    assert_eq!(POWERS.len() > UNPREPARED.len(), powers().is_prepared());
}

/// Counts what is read of powers of tau.
struct Counted(Cursor<&'static [u8]>, std::rc::Rc<std::cell::Cell<usize>>);

impl std::io::Read for Counted {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let n = self.0.read(to)?;
        self.1.set(self.1.get() + n);
        Ok(n)
    }
}

impl std::io::Seek for Counted {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

/// A key of the same counts and other coefficients is refused before a point of the powers of tau is read.
#[test]
fn a_key_of_other_coefficients_is_refused_before_the_rebuilding() {
    let at = section(FINAL, 4).len() - 1;
    let byte = part(FINAL, 4, at, 1)[0] ^ 1;
    let other = with(FINAL, 4, at, &[byte]);
    let run = |bytes: &[u8]| {
        let read = std::rc::Rc::default();
        let mut powers = Ptau::open(Counted(Cursor::new(POWERS), std::rc::Rc::clone(&read))).unwrap();
        read.set(0);
        let result = verify(&mut key(bytes), &mut powers, &matrices(), &mut rng());
        (result, read.get())
    };
    assert!(matches!(run(FINAL), (Ok(_), n) if n > POWERS.len() / 2));
    let (result, read) = run(&other);
    assert!(matches!(result, Err(CeremonyError::Invalid(Fault::Section { section: 4 }))), "{result:?}");
    assert_eq!(read, 0);
}

/// What is compared before a circuit is synthesised: its counts with the key's, its power with that of the powers of tau.
#[test]
fn counts_alone_tell_a_key_and_powers_of_another_circuit() {
    const UNPREPARED: &[u8] = include_bytes!("../vectors/power5_unprepared.ptau");
    let m = matrices();
    let [constraints, variables] = [m.constraints() as u64, m.variables() as u64];
    let public = m.instance_variables() as u64 - 1;
    let shape = |constraints, variables| Shape::new(constraints, variables, public).unwrap();
    let own = shape(constraints, variables);
    assert_eq!(own.is_of(key(FINAL).header()), Ok(()));
    assert!(own.fits(&powers()).is_ok());
    assert_eq!(shape(constraints, variables + 1).is_of(key(FINAL).header()), Err(Fault::Counts));
    assert_eq!(shape(2 * constraints + 9, variables).is_of(key(FINAL).header()), Err(Fault::Counts));
    // And the whole verification says it so, not by a section that cannot fit.
    let other = super::small::matrices();
    let result = verify(&mut key(FINAL), &mut powers(), &other, &mut rng());
    assert!(matches!(result, Err(CeremonyError::Invalid(Fault::Counts))), "{result:?}");
    let result = shape(1 << 5, variables).fits(&powers());
    assert!(matches!(result, Err(CeremonyError::Ptau(PtauError::TooSmall { power: 5, needed: 6 }))));
    let unprepared = Ptau::open(Cursor::new(UNPREPARED)).unwrap();
    assert!(matches!(own.fits(&unprepared), Err(CeremonyError::Ptau(PtauError::NotPrepared))));
    assert!(matches!(Shape::new(1 << 40, 1, 1), Err(CeremonyError::TooLarge)));
}
