//! Challenges: proofs that verify, refusals that are signed, and no second draw.

use std::time::{Duration, Instant};

use bailiwick_client::{Client, ClientError};
use bailiwick_node::circuits::{CircuitError, CircuitKeys};
use bailiwick_node::config::ProofPriority;
use bailiwick_possession::challenge::sampled;
use bailiwick_protocol::api::{Job, JobState};
use bailiwick_protocol::challenge::{CannotProve, Challenge, Response, SignedChallenge, Target};
use bailiwick_protocol::ids::{AuditorKey, ClassId, HostKey, Nonce, VkDigest};
use bailiwick_protocol::key_card::KEY_CARD_BYTES_MAX;

use super::reads::flip;
use super::support::{AUDITOR, Node, OWNER, Object, TINY_KEY, key};

pub(super) fn challenge(node: &Node, vk: VkDigest, objects: &[&Object], nonce: u8) -> Challenge {
    let mut targets: Vec<Target> = objects.iter().map(|o| Target::of(&o.envelope).unwrap()).collect();
    targets.sort_by_key(|t| t.name);
    Challenge {
        class: ClassId::TINY,
        vk,
        host: node.host,
        targets,
        inventory: None,
        epoch: 0,
        beacon: None,
        auditor: AuditorKey(key(AUDITOR).public()),
        nonce: Nonce([nonce; 32]),
    }
}

pub(super) fn signed(challenge: &Challenge) -> SignedChallenge {
    SignedChallenge::new(challenge, &key(AUDITOR))
}

pub(super) fn finish(client: &Client, challenge: &Challenge) -> (Job, Response) {
    let id = client.challenge(&signed(challenge)).unwrap();
    assert_eq!(id, challenge.digest());
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let job = client.job(&id).unwrap();
        match job.state {
            JobState::Done => {
                let response = client.response(&id).unwrap().verify(client.host().as_bytes()).unwrap();
                assert_eq!(response.challenge, id);
                return (job, response);
            }
            JobState::Failed => panic!("{job:?}"),
            _ if Instant::now() > until => panic!("{job:?}"),
            _ => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

fn with_objects(objects: &[&Object]) -> (Node, VkDigest, Client) {
    let node = Node::new(|_| {});
    let vk = node.with_tiny_key();
    let mut node = node;
    node.start();
    let owner = node.client(OWNER);
    for object in objects {
        object.put(&owner).unwrap();
    }
    let auditor = node.client(AUDITOR);
    (node, vk, auditor)
}

/// P20 and the honest case: a proof over one or several objects, smallest body included, verifies; its cost is told;
/// the same challenge again is the same answer.
#[test]
fn p20_honest_proofs_and_one_job_per_challenge() {
    let (small, large) = (Object::new(1, 72), Object::new(2, 100_000));
    let (node, vk, auditor) = with_objects(&[&small, &large]);
    assert_eq!(auditor.host_info().unwrap().circuits[0].vk, vk);
    for objects in [vec![&small], vec![&small, &large]] {
        let challenge = challenge(&node, vk, &objects, 7);
        let (job, response) = finish(&auditor, &challenge);
        let proof = response.outcome.unwrap();
        bailiwick_possession_circuit::verify(
            TINY_KEY.prepared(),
            &challenge,
            &sampled(&challenge, &[]).unwrap(),
            &proof,
        )
        .unwrap();
        assert!((job.progress - 1.0).abs() < f64::EPSILON);
        assert!(job.cost.disk_bytes >= 72 && job.cost.peak_rss_bytes > 0, "{job:?}");
        let (again, same) = finish(&auditor, &challenge);
        assert_eq!((again, same.outcome), (job, Ok(proof)), "not drawn or proven anew");
    }
    let text = String::from_utf8(node.by_hand("GET", "/metrics").send().body).unwrap();
    assert!(text.contains("bailiwick_proofs_total{outcome=\"proved\"} 2"), "{text}");
    assert!(text.contains("bailiwick_proof_cpu_seconds_count 2"), "{text}");
}

/// P01, P16, P17: with a sampled cell damaged the host signs that it cannot, and asking again changes nothing, also
/// after a restart; an undamaged object beside it still proves.
#[test]
fn p01_p16_p17_damaged_cells_are_a_signed_refusal_that_stays() {
    let (damaged, whole) = (Object::new(1, 80_000), Object::new(2, 100_000));
    let (mut node, vk, auditor) = with_objects(&[&damaged, &whole]);
    // One block each, so whatever cell is drawn, it is in the damaged block.
    flip(&node, 80_000, 40_000);
    let of_damaged = challenge(&node, vk, &[&damaged], 1);
    let refusal = Err(CannotProve::CellsUnavailable);
    assert_eq!(finish(&auditor, &of_damaged).1.outcome, refusal);
    assert_eq!(
        finish(&auditor, &of_damaged).1.outcome,
        refusal,
        "containment: the same challenge, the same answer"
    );
    finish(&auditor, &challenge(&node, vk, &[&whole], 1)).1.outcome.unwrap();
    node.stop();
    node.start();
    let auditor = node.client(AUDITOR);
    assert!(matches!(auditor.job(&of_damaged.digest()), Err(ClientError::Refused { status: 404, .. })));
    assert_eq!(finish(&auditor, &of_damaged).1.outcome, refusal, "after a restart the same cells are drawn");
}

/// P01: a host that has lost its proving key too signs the loss of the cells, which is its doing; without a loss it has no answer.
#[test]
fn p01_a_loss_is_signed_though_the_proving_key_is_missing() {
    let (damaged, whole) = (Object::new(1, 80_000), Object::new(2, 100_000));
    let (node, vk, auditor) = with_objects(&[&damaged, &whole]);
    flip(&node, 80_000, 40_000);
    std::fs::remove_file(node.config.circuit_keys_dir.join(format!("{vk}.pk"))).unwrap();
    let lost = finish(&auditor, &challenge(&node, vk, &[&damaged], 1)).1;
    assert_eq!(lost.outcome, Err(CannotProve::CellsUnavailable));
    let id = auditor.challenge(&signed(&challenge(&node, vk, &[&whole], 1))).unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while auditor.job(&id).unwrap().state != JobState::Failed {
        assert!(Instant::now() < until, "{:?}", auditor.job(&id));
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// P18: the proof is fine, because the sampled object is; another range of the scope cannot be fetched.
#[test]
fn p18_proof_fine_and_get_fails() {
    let (whole, damaged) = (Object::new(1, 100_000), Object::new(2, 80_000));
    let (node, vk, auditor) = with_objects(&[&whole, &damaged]);
    flip(&node, 80_000, 40_000);
    // A challenge over both that happens to sample the whole one: what the probes are for.
    let lucky = (0..=255)
        .map(|nonce| challenge(&node, vk, &[&whole, &damaged], nonce))
        .find(|c| sampled(c, &[]).unwrap().slots.iter().all(|s| c.targets[s.target].name == whole.name))
        .unwrap();
    let proof = finish(&auditor, &lucky).1.outcome.unwrap();
    bailiwick_possession_circuit::verify(TINY_KEY.prepared(), &lucky, &sampled(&lucky, &[]).unwrap(), &proof)
        .unwrap();
    let error = auditor.fetch_verified_block(&damaged.envelope, 0).unwrap_err();
    assert!(matches!(error, ClientError::Refused { status: 500, .. }), "{error}");
    assert!(auditor.fetch_verified_block(&whole.envelope, 0).is_ok());
}

/// An object that is not here, or not at that generation, is a signed "unknown", also when only one of many is missing.
#[test]
fn unknown_objects_are_a_signed_refusal() {
    let (held, missing) = (Object::new(1, 5000), Object::new(2, 5000));
    let (node, vk, auditor) = with_objects(&[&held]);
    let unknown = Err(CannotProve::ObjectUnknown);
    assert_eq!(finish(&auditor, &challenge(&node, vk, &[&missing], 1)).1.outcome, unknown);
    assert_eq!(finish(&auditor, &challenge(&node, vk, &[&held, &missing], 1)).1.outcome, unknown);
    let other_generation = Object::of(OWNER, 1, 5000, 2);
    assert_eq!(finish(&auditor, &challenge(&node, vk, &[&other_generation], 1)).1.outcome, unknown);
    finish(&auditor, &challenge(&node, vk, &[&held], 1)).1.outcome.unwrap();
}

/// Challenges for another host, of another auditor, under an unknown key or another class, and with a bad signature are refused.
#[test]
fn challenges_that_are_not_for_this_node() {
    let object = Object::new(1, 5000);
    let (node, vk, auditor) = with_objects(&[&object]);
    let good = challenge(&node, vk, &[&object], 1);
    let code = |signed: &SignedChallenge| match auditor.challenge(signed) {
        Err(ClientError::Refused { status: 422, code, .. }) => code,
        other => panic!("{other:?}"),
    };
    assert_eq!(code(&signed(&Challenge { host: HostKey([9; 32]), ..good.clone() })), "host");
    assert_eq!(code(&signed(&Challenge { auditor: AuditorKey([9; 32]), ..good.clone() })), "auditor");
    assert_eq!(code(&signed(&Challenge { vk: VkDigest([9; 32]), ..good.clone() })), "unknown-circuit");
    assert_eq!(code(&signed(&Challenge { class: ClassId::SMALL, ..good.clone() })), "unknown-circuit");
    assert_eq!(code(&SignedChallenge::new(&good, &key(OWNER))), "challenge");
    let owner = node.client(OWNER);
    assert!(matches!(owner.challenge(&signed(&good)), Err(ClientError::Refused { status: 403, .. })));
    finish(&auditor, &good).1.outcome.unwrap();
    assert!(matches!(owner.response(&good.digest()), Err(ClientError::Refused { status: 403, .. })));
}

/// The queue is bounded: more is refused with Retry-After, and what is queued is answered.
#[test]
fn the_queue_is_bounded() {
    let object = Object::new(1, 5000);
    let node = Node::new(|c| c.limits.proof_queue = 1);
    let vk = node.with_tiny_key();
    let mut node = node;
    node.start();
    object.put(&node.client(OWNER)).unwrap();
    let options = bailiwick_client::ClientOptions { retry_for: Duration::from_secs(3), ..Default::default() };
    let client = Client::new(&format!("http://{}", node.address), node.host, key(AUDITOR), options).unwrap();
    client.list(None, 1).unwrap();
    let challenges: Vec<Challenge> = (0..40).map(|n| challenge(&node, vk, &[&object], n)).collect();
    let asked: Vec<_> = challenges.iter().map(|c| client.challenge(&signed(c))).collect();
    let busy = |r: &Result<_, ClientError>| matches!(r, Err(ClientError::Refused { status: 503, code, .. }) if code == "busy");
    assert!(asked.iter().any(busy), "40 at once fit a queue of 1");
    for (challenge, answer) in challenges.iter().zip(&asked) {
        if answer.is_ok() {
            finish(&client, challenge).1.outcome.unwrap();
        } else {
            assert!(busy(answer), "{answer:?}");
        }
    }
}

/// A key card is read to its limit and no further: a good one, padded beyond it, is no card, and its key is not offered.
#[test]
fn a_key_card_beyond_its_limit_is_refused() {
    let node = Node::new(|_| {});
    let vk = node.with_tiny_key();
    let dir = node.config.circuit_keys_dir.clone();
    let keys = CircuitKeys::new(dir.clone());
    let path = dir.join(format!("{vk}.toml"));
    let card = std::fs::read_to_string(&path).unwrap();
    let padded =
        |length: u64| format!("{card}#{}", "x".repeat(usize::try_from(length).unwrap() - card.len() - 1));
    std::fs::write(&path, padded(KEY_CARD_BYTES_MAX)).unwrap();
    assert_eq!(keys.class(&vk).unwrap(), ClassId::TINY);
    assert_eq!(keys.list().len(), 1);
    std::fs::write(&path, padded(KEY_CARD_BYTES_MAX + 1)).unwrap();
    assert!(matches!(keys.class(&vk), Err(CircuitError::Card { .. })));
    assert!(matches!(keys.load(&vk), Err(CircuitError::Card { .. })));
    // Of this process's start: a list is good for a second.
    assert!(CircuitKeys::new(dir).list().is_empty());
}

/// The card of a key of a scheme this program does not have: said so, and the key is not offered.
#[test]
fn a_key_card_of_an_unknown_scheme_is_refused() {
    let node = Node::new(|_| {});
    let vk = node.with_tiny_key();
    let dir = node.config.circuit_keys_dir.clone();
    let path = dir.join(format!("{vk}.toml"));
    let card = std::fs::read_to_string(&path).unwrap();
    let of_scheme = |number: u64| std::fs::write(&path, format!("scheme = {number}\n{card}")).unwrap();
    of_scheme(1);
    assert_eq!(CircuitKeys::new(dir.clone()).class(&vk).unwrap(), ClassId::TINY);
    of_scheme(9);
    let keys = CircuitKeys::new(dir);
    assert!(matches!(keys.class(&vk), Err(CircuitError::Scheme { scheme: 9, .. })));
    assert!(matches!(keys.load(&vk), Err(CircuitError::Scheme { scheme: 9, .. })));
    assert!(keys.list().is_empty());
}

/// Nice and scheduling policy of this process's threads whose name begins with `prover-` (proc(5), fields 19 and 41).
fn prover_priorities() -> Vec<(i64, i64)> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let of = |dir: std::path::PathBuf| {
        let stat = std::fs::read_to_string(dir.join("stat")).ok()?;
        let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
        let fields: Vec<i64> = rest.split_whitespace().map(|f| f.parse().unwrap_or(0)).collect();
        // Those of other tests have `prover-n-`.
        let at_idle = name.strip_prefix("prover-").is_some_and(|rest| rest.starts_with(char::is_numeric));
        at_idle.then(|| (fields[19 - 3], fields[41 - 3]))
    };
    tasks.filter_map(|t| of(t.path())).collect()
}

/// The prover yields to everything else unless it is told not to: policy `SCHED_IDLE` (5), nice 19, for every thread of its pool.
#[test]
fn prover_threads_have_the_lowest_priority() {
    let mut node = Node::new(|c| c.proof_priority = ProofPriority::default());
    node.start();
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let found = prover_priorities();
        if !found.is_empty() && found.iter().all(|p| *p == (19, 5)) {
            return;
        }
        assert!(Instant::now() < until, "nice and policy of the prover's threads: {found:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
