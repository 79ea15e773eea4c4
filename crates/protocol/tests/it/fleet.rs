//! Messages about many hosts over time: inventories, schedules, log entries, dossiers.

use bailiwick_protocol::beacon::BeaconRound;
use bailiwick_protocol::bundle::{Bundle, InventoryEvidence, NoAnswer, SignedBundle};
use bailiwick_protocol::challenge::{Challenge, Target};
use bailiwick_protocol::codec::{Canonical, CodecError};
use bailiwick_protocol::dossier::{Dossier, Logged, LoggedAudit, Opened, SignedOpened};
use bailiwick_protocol::envelope::SignedEnvelope;
use bailiwick_protocol::ids::*;
use bailiwick_protocol::inventory::{
    Inventory, InventoryTarget, LeafOpening, Openings, OwnerRange, SignedInventory, SumNode,
};
use bailiwick_protocol::schedule::{
    EpochCommitment, LogEntry, Offered, Outcome, Schedule, ScheduledHost, SignedEpochCommitment,
    SignedOutcome, SignedSchedule, hash_of_nonce,
};
use bailiwick_protocol::signing::Signed;
use proptest::prelude::*;

use super::messages::{bundle, challenge, envelope, key};

fn inventory(epoch: u64) -> Inventory {
    Inventory {
        host: HostKey(key(2).public()),
        epoch,
        root: InventoryRoot([21; 32]),
        leaves: 5,
        cells: 500,
        made_unix_ms: 77,
    }
}

fn leaf(index: u64) -> LeafOpening {
    let target = Target::of(&envelope(&key(3), 1000, 1)).unwrap();
    LeafOpening { index, leaf: target, path: vec![SumNode { hash: [22; 32], cells: 9 }; 3] }
}

fn schedule() -> Schedule {
    let host = |seed| ScheduledHost {
        host: HostKey(key(seed).public()),
        class: ClassId::SMALL,
        vk: VkDigest([11; 32]),
    };
    let mut hosts = vec![host(2), host(5), host(6)];
    hosts.sort_by_key(|h| h.host);
    Schedule {
        auditor: AuditorKey(key(1).public()),
        chain: [23; 32],
        first_epoch: 1,
        epochs: 90,
        first_round: 1000,
        rounds_per_epoch: 28_800,
        answer_ms: 3_600_000,
        hosts,
    }
}

fn commitment() -> EpochCommitment {
    let s = schedule();
    let offered = [
        Offered::Inventory(inventory(3).digest()),
        Offered::Nothing(NoAnswer::TimedOut),
        Offered::Nothing(NoAnswer::NotAsked),
    ];
    EpochCommitment {
        auditor: s.auditor,
        schedule: s.digest(),
        epoch: 3,
        nonce: hash_of_nonce(&Nonce([12; 32])),
        hosts: s.hosts.iter().map(|h| h.host).zip(offered).collect(),
    }
}

fn outcome() -> Outcome {
    let b = SignedBundle::new(&bundle(&key(1), &key(2), &key(3), None), &key(1));
    Outcome {
        auditor: AuditorKey(key(1).public()),
        schedule: schedule().digest(),
        epoch: 3,
        host: HostKey(key(2).public()),
        bundle: b.digest(),
    }
}

fn opened() -> Opened {
    let e = envelope(&key(3), 1000, 1);
    Opened {
        opener: OpenerKey(key(9).public()),
        name: e.name(),
        generation: 1,
        blake3: e.body.blake3,
        root: Some(CellRoot([7; 32])),
        opened_unix_ms: 5,
    }
}

fn entries() -> Vec<LogEntry> {
    let auditor = key(1);
    vec![
        LogEntry::Schedule(SignedSchedule::new(&schedule(), &auditor)),
        LogEntry::Epoch(SignedEpochCommitment::new(&commitment(), &auditor)),
        LogEntry::Outcome(SignedOutcome::new(&outcome(), &auditor)),
    ]
}

fn logged(entry: &LogEntry) -> Logged {
    Logged { entry: entry.to_bytes(), proof: b"c2sp.org/tlog-proof@v1\n".to_vec() }
}

fn audit(seed: u64) -> LoggedAudit {
    let b = Bundle { asked_unix_ms: seed, answered_unix_ms: seed, ..bundle(&key(1), &key(2), &key(3), None) };
    LoggedAudit {
        bundle: SignedBundle::new(&b, &key(1)),
        outcome: (seed.is_multiple_of(2)).then(|| logged(&entries()[2])),
    }
}

fn dossier() -> Dossier {
    let mut d = Dossier {
        roster: Some(b"a roster".to_vec()),
        announced: entries()[..2].iter().map(logged).collect(),
        audits: (1..6).map(audit).collect(),
        inventories: vec![
            SignedInventory::new(&inventory(3), &key(2)),
            SignedInventory::new(&Inventory { cells: 501, ..inventory(3) }, &key(2)),
        ],
        opened: vec![SignedOpened::new(&opened(), &key(9))],
    };
    d.sort();
    d
}

fn round_trip<T: Canonical + PartialEq + std::fmt::Debug>(message: &T) {
    let bytes = message.to_bytes();
    assert!(bytes.len() <= T::BYTES_MAX);
    assert_eq!(&T::from_bytes(&bytes).unwrap(), message);
}

fn refused<T: Canonical + std::fmt::Debug>(message: &T) -> CodecError {
    T::from_bytes(&message.to_bytes()).unwrap_err()
}

#[test]
fn every_message_of_a_fleet_round_trips() {
    round_trip(&inventory(1));
    round_trip(&schedule());
    round_trip(&commitment());
    round_trip(&outcome());
    round_trip(&opened());
    round_trip(&Opened { root: None, ..opened() });
    entries().iter().for_each(round_trip);
    round_trip(&dossier());
    round_trip(&Dossier::default());
    let signed = SignedInventory::new(&inventory(1), &key(2));
    let envelopes = vec![SignedEnvelope::new(&envelope(&key(3), 1000, 1), &key(3)); 2];
    round_trip(&Openings { inventory: signed.clone(), leaves: vec![leaf(0), leaf(4)], envelopes });
    let around = vec![SumNode { hash: [1; 32], cells: 2 }; 4];
    round_trip(&OwnerRange { inventory: signed, first: 3, leaves: vec![leaf(0).leaf; 2], around });
}

/// What is gathered from several copies has one dossier: one proof of an entry, an outcome for a bundle that has one anywhere,
/// whatever the order it came in.
#[test]
fn repeated_evidence_is_sorted_into_one_dossier() {
    let whole = dossier();
    let other_proof = |l: &Logged| Logged { proof: b"made later".to_vec(), ..l.clone() };
    let mut twice = whole.clone();
    twice.announced.extend(whole.announced.iter().map(other_proof));
    twice.inventories.extend(whole.inventories.clone());
    twice.opened.extend(whole.opened.clone());
    let later = |a: &LoggedAudit| LoggedAudit { outcome: a.outcome.as_ref().map(other_proof), ..a.clone() };
    twice.audits.extend(whole.audits.iter().map(later));
    let unlogged = |a: &LoggedAudit| LoggedAudit { outcome: None, ..a.clone() };
    twice.audits.extend(whole.audits.iter().map(unlogged));
    let mut backwards = twice.clone();
    backwards.announced.reverse();
    backwards.audits.reverse();
    for d in [&mut twice, &mut backwards] {
        d.sort();
        round_trip(d);
    }
    assert_eq!(twice, backwards);
    let counts = |d: &Dossier| (d.announced.len(), d.audits.len(), d.inventories.len(), d.opened.len());
    assert_eq!(counts(&twice), counts(&whole));
    let logged = |d: &Dossier| d.audits.iter().filter(|a| a.outcome.is_some()).count();
    assert_eq!((logged(&twice), logged(&whole)), (2, 2));
}

/// Of several proofs of one entry the one that dates it earliest is kept, then the one with the most cosignatures, then the least bytes,
/// in whatever order they were gathered. Sizes are numbers, not text.
#[test]
fn the_proof_that_dates_an_entry_earliest_is_kept() {
    let proof = |size: &str, signatures: usize, tail: &str| {
        let lines = "\u{2014} w AAAA\n".repeat(signatures);
        format!("c2sp.org/tlog-proof@v1\nindex 0\n{tail}\n\nlog.example\n{size}\nAAAA\n\n{lines}")
            .into_bytes()
    };
    let best_first = [
        proof("9", 3, "b"),
        proof("9", 2, "a"),
        proof("9", 2, "b"),
        proof("10", 4, "a"),
        b"no proof".to_vec(),
        proof("x", 1, "a"),
    ];
    for (i, better) in best_first.iter().enumerate() {
        for worse in &best_first[i + 1..4.max(i + 1)] {
            let outcome = |p: &Vec<u8>| Logged { entry: entries()[2].to_bytes(), proof: p.clone() };
            let announced = |p: &Vec<u8>| Logged { entry: entries()[0].to_bytes(), proof: p.clone() };
            for pair in [[better, worse], [worse, better]] {
                let mut d = Dossier {
                    announced: pair.map(announced).to_vec(),
                    audits: pair.map(|p| LoggedAudit { outcome: Some(outcome(p)), ..audit(2) }).to_vec(),
                    ..Dossier::default()
                };
                d.sort();
                assert_eq!(d.announced, [announced(better)]);
                assert_eq!(d.audits[0].outcome, Some(outcome(better)));
                assert_eq!(d.audits.len(), 1);
            }
        }
    }
    // What is no proof comes after every proof.
    for text in &best_first[4..] {
        let logged = |p: &Vec<u8>| Logged { entry: entries()[0].to_bytes(), proof: p.clone() };
        let announced = vec![logged(text), logged(&best_first[3])];
        let mut d = Dossier { announced, ..Dossier::default() };
        d.sort();
        assert_eq!(d.announced[0].proof, best_first[3]);
    }
}

#[test]
fn a_challenge_names_objects_or_an_inventory_of_an_epoch_not_both_or_neither() {
    let objects = challenge(&key(1), &key(2), &[envelope(&key(3), 1000, 1)]);
    round_trip(&objects);
    let target = Some(inventory(3).target());
    let beacon = Some(BeaconRound { chain: [1; 32], round: 9, signature: [2; 48] });
    let whole = Challenge { targets: vec![], inventory: target, epoch: 3, beacon, ..objects.clone() };
    round_trip(&whole);
    refused(&Challenge { inventory: target, ..objects.clone() });
    refused(&Challenge { targets: vec![], ..objects });
    refused(&Challenge { epoch: 0, ..whole.clone() });
    assert_eq!(whole.cells_total(), 500);
    assert_ne!(whole.digest(), Challenge { beacon: None, ..whole.clone() }.digest());
}

#[test]
fn a_bundle_carries_the_leaves_its_inventory_was_opened_at_in_order_and_once() {
    let signed = SignedInventory::new(&inventory(3), &key(2));
    let with = |leaves| Bundle {
        inventory: Some(InventoryEvidence { inventory: signed.clone(), leaves }),
        ..bundle(&key(1), &key(2), &key(3), None)
    };
    round_trip(&with(vec![]));
    round_trip(&with(vec![leaf(1), leaf(2)]));
    refused(&with(vec![leaf(2), leaf(1)]));
    refused(&with(vec![leaf(1), leaf(1)]));
}

#[test]
fn inventories_without_leaves_cells_or_epoch_are_refused() {
    for wrong in [
        Inventory { leaves: 0, ..inventory(1) },
        Inventory { cells: 4, ..inventory(1) },
        Inventory { cells: 1 << 63, ..inventory(1) },
        Inventory { leaves: (1 << 32) + 1, cells: 1 << 40, ..inventory(1) },
        inventory(0),
    ] {
        refused(&wrong);
    }
    round_trip(&Inventory { leaves: 1 << 32, cells: (1 << 63) - 1, ..inventory(1) });
}

#[test]
fn a_schedule_whose_rounds_or_epochs_overflow_or_are_zero_is_refused() {
    let s = schedule();
    for wrong in [
        Schedule { first_epoch: 0, ..s.clone() },
        Schedule { epochs: 0, ..s.clone() },
        Schedule { first_round: 0, ..s.clone() },
        Schedule { rounds_per_epoch: 0, ..s.clone() },
        Schedule { answer_ms: 0, ..s.clone() },
        Schedule { first_epoch: u64::MAX, epochs: 2, ..s.clone() },
        Schedule { rounds_per_epoch: u64::MAX, epochs: 3, ..s.clone() },
        Schedule { first_round: u64::MAX, epochs: 2, ..s.clone() },
    ] {
        assert_eq!(refused(&wrong), CodecError::Invalid("schedule epochs or rounds"));
    }
    round_trip(&Schedule { first_epoch: u64::MAX, epochs: 1, ..s });
}

#[test]
fn hosts_of_a_schedule_and_of_a_commitment_are_sorted_once_each_and_at_least_one() {
    let s = schedule();
    let mut swapped = s.clone();
    swapped.hosts.swap(0, 1);
    let twice = Schedule { hosts: vec![s.hosts[0]; 2], ..s.clone() };
    let none = Schedule { hosts: vec![], ..s.clone() };
    for wrong in [swapped, twice, none] {
        assert_eq!(refused(&wrong), CodecError::Invalid("schedule hosts: empty, unsorted or repeated"));
    }
    let c = commitment();
    let mut swapped = c.clone();
    swapped.hosts.swap(0, 1);
    let twice = EpochCommitment { hosts: vec![c.hosts[0]; 2], ..c.clone() };
    for wrong in [swapped, twice, EpochCommitment { hosts: vec![], ..c }] {
        assert_eq!(refused(&wrong), CodecError::Invalid("epoch hosts: empty, unsorted or repeated"));
    }
    assert_eq!(s.host(&s.hosts[1].host), Some(&s.hosts[1]));
    assert_eq!(s.host(&HostKey([0; 32])), None);
}

#[test]
fn the_round_of_an_epoch_follows_from_the_schedule_alone() {
    let s = schedule();
    assert_eq!(s.round_of(1), Some(1000));
    assert_eq!(s.round_of(90), Some(1000 + 89 * 28_800));
    assert_eq!((s.round_of(0), s.round_of(91)), (None, None));
    assert_eq!(s.last_epoch(), 90);
}

#[test]
fn the_hash_of_a_nonce_is_neither_the_nonce_nor_another_hash_of_it() {
    let nonce = Nonce([12; 32]);
    assert_ne!(hash_of_nonce(&nonce).as_bytes(), nonce.as_bytes());
    assert_ne!(hash_of_nonce(&nonce), hash_of_nonce(&Nonce([13; 32])));
    assert_ne!(hash_of_nonce(&nonce).as_bytes(), blake3::hash(nonce.as_bytes()).as_bytes());
}

/// Bundle with reordered or duplicated evidence: the order of a dossier is canonical.
#[test]
fn a_dossier_with_reordered_or_duplicated_evidence_is_refused() {
    let honest = dossier();
    round_trip(&honest);
    let mut cases = Vec::new();
    for (what, edit) in [
        ("announcements", (|d: &mut Dossier| d.announced.reverse()) as fn(&mut Dossier)),
        ("announcements", |d| d.announced.push(d.announced[1].clone())),
        ("audits", |d| d.audits.swap(0, 4)),
        ("audits", |d| d.audits.push(d.audits[4].clone())),
        ("inventories", |d| d.inventories.reverse()),
        ("inventories", |d| d.inventories.push(d.inventories[1].clone())),
        ("statements of opening", |d| d.opened.push(d.opened[0].clone())),
    ] {
        let mut d = honest.clone();
        edit(&mut d);
        cases.push((what, d));
    }
    for (what, wrong) in cases {
        let error = refused(&wrong).to_string();
        assert!(error.contains(what) && error.contains("unsorted or repeated"), "{error}");
        let mut sorted = wrong;
        sorted.sort();
        assert_eq!(sorted, honest);
    }
}

#[test]
fn a_dossier_is_told_from_a_bundle_by_its_first_bytes() {
    assert!(Dossier::is_likely(&dossier().to_bytes()));
    assert!(Dossier::is_likely(&Dossier::default().to_bytes()));
    assert!(!Dossier::is_likely(&audit(1).bundle.to_bytes()));
    assert!(!Dossier::is_likely(b""));
    assert!(!Dossier::is_likely(&dossier().to_bytes()[..10]));
}

/// A list that announces more entries than there are bytes costs nothing before it is refused.
#[test]
fn announced_lengths_beyond_the_limits_are_refused() {
    let honest = Dossier::default().to_bytes();
    let at = honest.len() - 8;
    assert_eq!(honest[at..at + 2], [3, 0x80]);
    let mut long = honest[..=at].to_vec();
    long.extend([0x9b, 0, 0, 0, 1, 0, 0, 0, 0]);
    long.extend(&honest[at + 2..]);
    assert!(matches!(Dossier::from_bytes(&long), Err(CodecError::TooMany { .. })));
}

/// T06 and P15: what one principal signs for one purpose counts for nobody else and nothing else.
#[test]
fn signatures_of_fleet_messages_bind_signer_and_purpose() {
    let good = SignedOutcome::new(&outcome(), &key(1));
    assert!(good.verify(&key(1).public()).is_ok());
    assert_eq!(good.verify(&key(4).public()), Err(CodecError::BadSignature));
    // The same bytes signed under another label.
    let other: Signed<Schedule> = Signed::new(&schedule(), &key(1));
    let relabelled = [other.to_bytes()].concat();
    let as_epoch = SignedEpochCommitment::from_bytes(&relabelled).unwrap();
    assert_eq!(as_epoch.verify(&key(1).public()), Err(CodecError::BadSignature));
}

proptest! {
    #[test]
    fn a_flipped_bit_of_a_signed_inventory_is_refused(position: prop::sample::Index, bit in 0u8..8) {
        let mut bytes = SignedInventory::new(&inventory(3), &key(2)).to_bytes();
        let at = position.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(SignedInventory::from_bytes(&bytes).and_then(|s| s.verify(&key(2).public())).is_err());
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_are_canonical_when_accepted(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(d) = Dossier::from_bytes(&bytes) { prop_assert_eq!(d.to_bytes(), bytes.clone()); }
        if let Ok(d) = LogEntry::from_bytes(&bytes) { prop_assert_eq!(d.to_bytes(), bytes.clone()); }
        if let Ok(d) = Openings::from_bytes(&bytes) { prop_assert_eq!(d.to_bytes(), bytes); }
    }

    #[test]
    fn schedules_of_every_shape_round_trip(first in 1u64..1 << 40, epochs in 1u64..1 << 20, round in 1u64..1 << 40, each in 1u64..1 << 20, answer in 1u64..) {
        let s = Schedule { first_epoch: first, epochs, first_round: round, rounds_per_epoch: each, answer_ms: answer, ..schedule() };
        prop_assert_eq!(Schedule::from_bytes(&s.to_bytes()).unwrap(), s);
    }

    #[test]
    fn inventory_targets_have_distinct_fixed_forms(a in any::<[u8; 32]>(), leaves in 1u64..1 << 32, more in 0u64..1 << 30) {
        let t = InventoryTarget { root: InventoryRoot(a), leaves, cells: leaves + more };
        let u = InventoryTarget { cells: t.cells + 1, ..t };
        prop_assert_ne!(t.to_fixed(), u.to_fixed());
    }
}
