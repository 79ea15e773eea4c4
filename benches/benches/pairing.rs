//! What a verifier spends on a proof, on one core: the pairing check with a prepared key beside `ark-groth16`'s, a thousand proofs of
//! one circuit in a batch, decoding with its subgroup checks, and statements rebuilt one by one and in batches. Class standard, S=64 D=6.
//!
//! Bars: pairing check 2 ms; batch 0.7 ms a proof; statement 0.1 ms a proof.

#![allow(clippy::unwrap_used, reason = "a bench that cannot go on stops")]

use std::hint::black_box;

use bailiwick_groth16::{Claimed, Fr, Proof, peer};
use bailiwick_possession::challenge::{Sampled, sampled};
use bailiwick_possession::statement::{public_input, public_inputs};
use bailiwick_possession::tree::commit;
use bailiwick_protocol::challenge::{Challenge, Target};
use bailiwick_protocol::ids::{
    AuditorKey, ClassId, ContentId, HostKey, Nonce, ObjectId, OwnerKey, Unit, UnitName, VkDigest,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

#[path = "../../crates/verifier/tests/it/trapdoor.rs"]
mod trapdoor;

const PROOFS: u64 = 1000;

/// Challenges over one object, each its own epoch.
fn challenges() -> Vec<Challenge> {
    let body = vec![7; 200_000];
    let tree = commit([&body]).unwrap();
    let target = Target {
        name: UnitName { owner: OwnerKey([7; 32]), object: ObjectId([1; 16]), unit: Unit::WHOLE },
        generation: 3,
        blake3: ContentId([3; 32]),
        size: tree.size(),
        root: tree.root(),
        cells: tree.cells(),
    };
    let challenge = |epoch| Challenge {
        class: ClassId::STANDARD,
        vk: VkDigest([1; 32]),
        host: HostKey([2; 32]),
        targets: vec![target.clone()],
        inventory: None,
        epoch,
        beacon: None,
        auditor: AuditorKey([4; 32]),
        nonce: Nonce([5; 32]),
    };
    (0..PROOFS).map(challenge).collect()
}

fn bench(c: &mut Criterion) {
    let one_core = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let challenges = challenges();
    let secrets = trapdoor::Trapdoor::new("bench");
    let key = secrets.verifying_key().prepare();
    let bytes: Vec<[u8; 128]> = challenges.iter().map(|c| secrets.forge(c)).collect();
    let proofs: Vec<Proof> = bytes.iter().map(|b| Proof::from_bytes(b).unwrap()).collect();
    let drawn: Vec<Sampled> = challenges.iter().map(|c| sampled(c, &[]).unwrap()).collect();
    let inputs: Vec<[Fr; 1]> =
        challenges.iter().zip(&drawn).map(|(c, s)| [public_input(c, s).unwrap()]).collect();

    let mut group = c.benchmark_group("one-proof");
    group.bench_function("pairing check, ours", |b| {
        b.iter(|| key.verify(&inputs[0], black_box(&proofs[0])).unwrap())
    });
    group.bench_function("pairing check, ark-groth16", |b| {
        b.iter(|| assert!(peer::verify_with_ark(&key, &inputs[0], black_box(&proofs[0]))));
    });
    group.bench_function("decoding", |b| b.iter(|| Proof::from_bytes(black_box(&bytes[0])).unwrap()));
    group.bench_function("draw", |b| b.iter(|| sampled(black_box(&challenges[0]), &[]).unwrap()));
    group.bench_function("statement", |b| {
        b.iter(|| public_input(black_box(&challenges[0]), &drawn[0]).unwrap())
    });
    group.finish();

    let mut group = c.benchmark_group("thousand-proofs");
    group.sample_size(10);
    group.throughput(Throughput::Elements(PROOFS));
    let claimed: Vec<_> =
        inputs.iter().zip(&proofs).map(|(inputs, proof)| Claimed { inputs, proof }).collect();
    group.bench_function("batch of pairings", |b| {
        b.iter(|| {
            one_core.install(|| assert!(key.verify_batch(black_box(&claimed)).iter().all(Result::is_ok)))
        });
    });
    let pairs: Vec<_> = challenges.iter().zip(&drawn).collect();
    group.bench_function("batch of statements", |b| {
        b.iter(|| pairs.chunks(64).map(|some| public_inputs(black_box(some)).len()).sum::<usize>());
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
