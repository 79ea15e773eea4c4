//! Copies of an accepted answer are not another answer.

use ark_bn254::{Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr as _, CurveGroup as _};
use ark_ff::Field as _;
use ark_serialize::{CanonicalDeserialize as _, CanonicalSerialize as _};
use bailiwick_possession::challenge::sampled;
use bailiwick_possession_circuit::verify;
use bailiwick_protocol::bundle::{Answer, SignedBundle};
use bailiwick_protocol::challenge::Response;
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::dossier::{Dossier, Logged, LoggedAudit};
use bailiwick_protocol::schedule::{LogEntry, Outcome};
use bailiwick_protocol::signing::Signed;
use bailiwick_testing::{NativeProofs, Seed, Simulation};
use bailiwick_verifier::{Claim, ReasonCode, Verdict};

use super::cast::{host, plan, seed};

type Proof = [u8; 128];

fn parts(proof: &Proof) -> (G1Affine, G2Affine, G1Affine) {
    let g1 = |b: &[u8]| G1Affine::deserialize_compressed(b).unwrap();
    (g1(&proof[..32]), G2Affine::deserialize_compressed(&proof[32..96]).unwrap(), g1(&proof[96..]))
}

fn bytes(a: G1Affine, b: G2Affine, c: G1Affine) -> Proof {
    let mut out = Vec::new();
    a.serialize_compressed(&mut out).unwrap();
    b.serialize_compressed(&mut out).unwrap();
    c.serialize_compressed(&mut out).unwrap();
    out.try_into().unwrap()
}

/// (r·A, B/r, C): the same statement, other bytes, made by anyone.
fn rerandomised(proof: &Proof) -> Proof {
    let (a, b, c) = parts(proof);
    let r = Fr::from(12_345u64);
    bytes((a * r).into_affine(), (b * r.inverse().unwrap()).into_affine(), c)
}

/// (-A, -B, C).
fn sign_flipped(proof: &Proof) -> Proof {
    let (a, b, c) = parts(proof);
    bytes((-a.into_group()).into_affine(), (-b.into_group()).into_affine(), c)
}

fn campaign(seed: Seed) -> (Simulation, Dossier) {
    let simulation = Simulation::new(plan(seed, 3, vec![host(seed, "host")]));
    simulation.run().unwrap();
    let dossier = simulation.dossier().unwrap();
    (simulation, dossier)
}

/// A second bundle of the audit, whose answer is a copy of the accepted proof, signed by host and auditor as if it were another.
fn copied(
    seed: Seed,
    simulation: &Simulation,
    audit: &LoggedAudit,
    copy: fn(&Proof) -> Proof,
) -> SignedBundle {
    let mut bundle = audit.bundle.decode_unverified().unwrap();
    let challenge = bundle.challenge.decode_unverified().unwrap();
    let Answer::Response(response) = &bundle.answer else { panic!("answered") };
    let proof = response.decode_unverified().unwrap().outcome.unwrap();
    let proof: Proof = proof.try_into().unwrap();
    let copy = copy(&proof);
    assert_ne!(copy, proof);
    // The copy is a proof: by itself it verifies, so only the round tells it from a second answer.
    let leaves = &bundle.inventory.as_ref().unwrap().leaves;
    let sampled = sampled(&challenge, leaves).unwrap();
    verify(&NativeProofs::new().verifying_key().prepare(), &challenge, &sampled, &copy).unwrap();
    let answer = Response { challenge: challenge.digest(), outcome: Ok(copy.to_vec()) };
    bundle.answer = Answer::Response(Signed::new(&answer, &seed.key("host")));
    Signed::new(&bundle, simulation.auditor())
}

fn a_copy_is_no_second_answer(name: &str, copy: fn(&Proof) -> Proof) {
    let seed = seed(name, 12);
    let (simulation, dossier) = campaign(seed);
    let policy = Simulation::policy("all", 0.5, 0.9);
    let judge = |d: &Dossier| simulation.judge(d, &policy).unwrap();
    let honest = judge(&dossier);
    assert_eq!(honest.fleet.audits.held, 3);
    assert_eq!(honest.claim(Claim::Logged).verdict, Verdict::Supported);

    // Beside the accepted one: the round has its answer, the copy is in no log and counts for nothing.
    let second = copied(seed, &simulation, &dossier.audits[0], copy);
    let mut with = dossier.clone();
    with.audits.push(LoggedAudit { bundle: second.clone(), outcome: None });
    with.sort();
    let report = judge(&with);
    assert_eq!(report.fleet.audits.held, 3, "{name}: not a fourth audit");
    assert_eq!(report.fleet.audits.undecided, 1);
    assert_ne!(report.claim(Claim::Logged).verdict, Verdict::Supported);
    assert_eq!(report.fleet.hosts[0].month_detection, honest.fleet.hosts[0].month_detection);

    // In its place, under the entry of the first: the entry names another bundle.
    let mut instead = dossier.clone();
    instead.audits[0].bundle = second;
    instead.sort();
    let report = judge(&instead);
    assert_eq!(report.fleet.audits.held, 2);
    let logged = report.claim(Claim::Logged);
    assert!(
        logged
            .reasons
            .iter()
            .any(|r| matches!(r.code, ReasonCode::OutcomeMissing | ReasonCode::LogProofRefused))
    );
}

/// Z12 proof_rerandomised_replay: the same round is answered already.
#[test]
fn z12_a_rerandomised_copy_is_no_second_answer() {
    a_copy_is_no_second_answer("rerandomised copy", rerandomised);
}

/// Z13 proof_sign_flip: (-A, -B, C) verifies, and is no second answer either.
#[test]
fn z13_a_sign_flipped_copy_is_no_second_answer() {
    a_copy_is_no_second_answer("sign-flipped copy", sign_flipped);
}

/// Z12: an auditor in league with the host also logs an outcome for the copy: one round must not count twice.
#[test]
fn z12_a_logged_copy_does_not_raise_the_months_figure() {
    let seed = seed("logged copy", 13);
    let (simulation, dossier) = campaign(seed);
    let policy = Simulation::policy("all", 0.01, 0.1);
    let honest = simulation.judge(&dossier, &policy).unwrap();
    let bundle = copied(seed, &simulation, &dossier.audits[0], rerandomised);
    let challenge = bundle.decode_unverified().unwrap().challenge.decode_unverified().unwrap();
    let outcome = Outcome {
        auditor: challenge.auditor,
        schedule: simulation.schedule().digest(),
        epoch: challenge.epoch,
        host: challenge.host,
        bundle: bundle.digest(),
    };
    simulation.clock().set(simulation.round_ms(challenge.epoch) + 20_000);
    let entry = LogEntry::Outcome(Signed::new(&outcome, simulation.auditor())).to_bytes();
    let index = simulation.log().enter(std::slice::from_ref(&entry))[0];
    let logged = Logged { entry, proof: simulation.log().proof_text(index) };
    let mut with = dossier;
    with.audits.push(LoggedAudit { bundle, outcome: Some(logged) });
    with.sort();
    simulation.clock().set(simulation.round_ms(3) + 3_600_000);
    let report = simulation.judge(&with, &policy).unwrap();
    println!("held {} of 3 rounds", report.fleet.audits.held);
    assert!(report.fleet.audits.held <= 3);
    let month =
        |r: &bailiwick_verifier::FleetReport| r.fleet.hosts[0].month_detection[0].losses[0].probability;
    assert!(month(&report) <= month(&honest));
}
