//! A dossier of 10,000 audits, judged whole, beside what cannot be avoided: its batched pairings and the rebuild of its
//! statements. And one bundle from start to verdict. Figures in RESULTS.md.
//!
//! `cargo bench -p bailiwick-benches --bench verify -- [HOSTS EPOCHS]`

#![allow(clippy::unwrap_used, reason = "a bench that cannot go on stops")]
#![allow(dead_code, reason = "the scenes of the verifier's tests hold more than is measured here")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bailiwick_groth16::{Claimed, Proof};
use bailiwick_possession::challenge::sampled;
use bailiwick_possession::statement::public_input;
use bailiwick_protocol::bundle::Answer;
use bailiwick_protocol::codec::Canonical;
use bailiwick_protocol::dossier::{Dossier, LoggedAudit};
use bailiwick_verifier::{Claim, DossierInputs, Inputs, Verdict, verify, verify_dossier};

#[path = "../../crates/verifier/tests/it/beacon_chain.rs"]
mod beacon_chain;
#[path = "../../crates/verifier/tests/it/fleet_many.rs"]
mod fleet_many;
#[path = "../../crates/verifier/tests/it/fleet_world.rs"]
mod fleet_world;
#[path = "../../crates/verifier/tests/it/test_log.rs"]
mod test_log;
#[path = "../../crates/verifier/tests/it/trapdoor.rs"]
mod trapdoor;
#[path = "../../crates/verifier/tests/it/world.rs"]
mod world;

/// Peak resident memory of this process, MiB.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or("0");
    line.split_whitespace().next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn timed<T>(step: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let value = step();
    (value, start.elapsed())
}

/// Processor time of all threads so far: user and system, in ticks of 10 ms (Linux, `USER_HZ` 100).
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<i64> =
        stat.rsplit(')').next().unwrap().split_whitespace().filter_map(|f| f.parse().ok()).collect();
    // After the name and the state letter: field 14 and 15 of proc(5) are the 11th and 12th numbers.
    Duration::from_millis((fields[10] + fields[11]).unsigned_abs() * 10)
}

/// Statement rebuild, decoding of proofs and batched pairings of every audit, with nothing around them.
fn unavoidable(audits: &[LoggedAudit]) -> (Duration, Duration, Duration) {
    use rayon::prelude::*;
    let opened: Vec<_> = audits
        .par_iter()
        .map(|a| {
            let bundle = a.bundle.decode_unverified().unwrap();
            let challenge = bundle.challenge.decode_unverified().unwrap();
            let Answer::Response(r) = &bundle.answer else { panic!("a fleet in which everybody answers") };
            let proof = r.decode_unverified().unwrap().outcome.unwrap();
            (challenge, bundle.inventory.unwrap().leaves, proof)
        })
        .collect();
    let before = cpu();
    let (inputs, rebuild) = timed(|| {
        opened
            .par_iter()
            .map(|(c, leaves, _)| [public_input(c, &sampled(c, leaves).unwrap()).unwrap()])
            .collect::<Vec<_>>()
    });
    let key = world::auditors_trapdoor().verifying_key().prepare();
    let (answers, pairings) = timed(|| {
        let proofs: Vec<Proof> = opened.par_iter().map(|(_, _, p)| Proof::from_bytes(p).unwrap()).collect();
        let batch: Vec<_> =
            inputs.iter().zip(&proofs).map(|(i, proof)| Claimed { inputs: i, proof }).collect();
        key.verify_batch(&batch)
    });
    let spent = cpu() - before;
    assert!(answers.iter().all(Result::is_ok));
    (rebuild, pairings, spent)
}

fn one_audit() -> Duration {
    let scene = world::Scene::honest();
    let bytes = scene.bytes();
    let mut times: Vec<Duration> = (0..9)
        .map(|_| {
            let inputs = Inputs {
                bundle: &bytes,
                policy: &scene.policy,
                anchors: &scene.anchors,
                verifying_keys: &scene.keys,
                now_unix_ms: scene.now,
            };
            let (report, time) = timed(|| verify(&inputs).unwrap());
            assert_eq!(report.outcome, Verdict::Supported);
            time
        })
        .collect();
    times.sort();
    times[4]
}

fn main() {
    let numbers: Vec<u64> = std::env::args().filter_map(|a| a.parse().ok()).collect();
    let (hosts, epochs) = match numbers[..] {
        [hosts, epochs] => (hosts, epochs),
        _ => (50, 200),
    };
    println!("one bundle, bytes to verdict: {:.1} ms", one_audit().as_secs_f64() * 1e3);
    let many = fleet_many::make(hosts, epochs);
    let bytes = many.dossier.to_bytes();
    drop(many.dossier);
    let vk = world::auditors_trapdoor().verifying_key();
    let keys = BTreeMap::from([(vk.digest(), vk.as_bytes().to_vec())]);
    println!(
        "{} audits, {:.1} MB; making them peaked at {} MiB",
        hosts * epochs,
        bytes.len() as f64 / 1e6,
        peak_mib()
    );
    // Linux: writing 5 sets the peak to what is resident now.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let mut ratios = Vec::new();
    for run in 1..=3 {
        let inputs = DossierInputs {
            dossier: &bytes,
            policy: &many.policy,
            anchors: &many.anchors,
            roster: None,
            blocs: None,
            verifying_keys: &keys,
            now_unix_ms: many.now,
        };
        let before = cpu();
        let (report, whole) = timed(|| verify_dossier(&inputs).unwrap());
        let whole_cpu = cpu() - before;
        let peak = peak_mib();
        for claim in [Claim::Stored, Claim::Logged] {
            let c = report.claim(claim);
            assert_eq!(c.verdict, Verdict::Supported, "{:#?}", c.reasons);
        }
        assert_eq!(report.fleet.audits.held, hosts * epochs);
        drop(report);
        let dossier = Dossier::from_bytes(&bytes).unwrap();
        let (rebuild, pairings, least_cpu) = unavoidable(&dossier.audits);
        let ratio = whole_cpu.as_secs_f64() / least_cpu.as_secs_f64();
        println!(
            "run {run}: whole {:.2} s, statements {:.2} s, proofs decoded and paired in batches {:.2} s; processor time {:.2} and {:.2} s: {ratio:.2} times; peak {peak} MiB",
            whole.as_secs_f64(),
            rebuild.as_secs_f64(),
            pairings.as_secs_f64(),
            whole_cpu.as_secs_f64(),
            least_cpu.as_secs_f64()
        );
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    println!("median {:.2} times (bar 1.5)", ratios[1]);
}
