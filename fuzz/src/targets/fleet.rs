//! Messages about many hosts over time.

use bailiwick_protocol::challenge::Target;
use bailiwick_protocol::codec::Canonical;
use bailiwick_protocol::dossier::{Dossier, Logged, LoggedAudit, Opened, SignedOpened};
use bailiwick_protocol::envelope::SignedEnvelope;
use bailiwick_protocol::ids::{AuditorKey, ClassId, HostKey, InventoryRoot, Nonce, OpenerKey, VkDigest};
use bailiwick_protocol::inventory::{Inventory, LeafOpening, Openings, OwnerRange, SignedInventory, SumNode};
use bailiwick_protocol::schedule::{
    EpochCommitment, LogEntry, Offered, Outcome, Schedule, ScheduledHost, SignedEpochCommitment,
    SignedOutcome, SignedSchedule, hash_of_nonce,
};

use super::messages::{bundle_seeds, canonical, envelopes, key};

pub(super) fn inventory(data: &[u8]) -> bool {
    canonical::<Inventory>(data)
}

pub(super) fn openings(data: &[u8]) -> bool {
    canonical::<Openings>(data)
}

pub(super) fn owner_range(data: &[u8]) -> bool {
    canonical::<OwnerRange>(data)
}

/// Also what each kind of entry signs.
pub(super) fn log_entry(data: &[u8]) -> bool {
    canonical::<LogEntry>(data)
        && LogEntry::from_bytes(data).is_ok_and(|entry| match entry {
            LogEntry::Schedule(s) => schedule(s.payload()),
            LogEntry::Epoch(s) => canonical::<EpochCommitment>(s.payload()),
            LogEntry::Outcome(s) => canonical::<Outcome>(s.payload()),
        })
}

/// What decodes has a round for its first and its last epoch, and for none beside.
fn schedule(data: &[u8]) -> bool {
    let accepted = canonical::<Schedule>(data);
    if let Ok(s) = Schedule::from_bytes(data) {
        assert!(s.round_of(s.first_epoch).is_some() && s.round_of(s.last_epoch()).is_some());
        assert!(s.round_of(s.first_epoch - 1).is_none());
        assert!(s.last_epoch().checked_add(1).is_none_or(|next| s.round_of(next).is_none()));
    }
    accepted
}

pub(super) fn dossier(data: &[u8]) -> bool {
    let accepted = canonical::<Dossier>(data);
    assert!(!accepted || Dossier::is_likely(data), "a dossier that does not look like one");
    accepted
}

pub(super) fn opened(data: &[u8]) -> bool {
    canonical::<Opened>(data)
}

fn inventory_of(cells: u64) -> Inventory {
    let host = HostKey(key(2).public());
    Inventory { host, epoch: 3, root: InventoryRoot([4; 32]), leaves: 2, cells, made_unix_ms: 9 }
}

fn leaves() -> Vec<LeafOpening> {
    let targets = envelopes().into_iter().filter_map(|e| Target::of(&e)).take(1);
    targets
        .map(|leaf| LeafOpening { index: 1, leaf, path: vec![SumNode { hash: [7; 32], cells: 8 }] })
        .collect()
}

fn schedule_of() -> Schedule {
    let host = HostKey(key(2).public());
    Schedule {
        auditor: AuditorKey(key(3).public()),
        chain: [1; 32],
        first_epoch: 1,
        epochs: 90,
        first_round: 7,
        rounds_per_epoch: 28_800,
        answer_ms: 1000,
        hosts: vec![ScheduledHost { host, class: ClassId::SMALL, vk: VkDigest([5; 32]) }],
    }
}

fn entries() -> Vec<LogEntry> {
    let (auditor, schedule) = (AuditorKey(key(3).public()), schedule_of());
    let host = schedule.hosts[0].host;
    let commitment = EpochCommitment {
        auditor,
        schedule: schedule.digest(),
        epoch: 3,
        nonce: hash_of_nonce(&Nonce([6; 32])),
        hosts: vec![(host, Offered::Inventory(inventory_of(70).digest()))],
    };
    let bundle = bailiwick_protocol::ids::BundleDigest([8; 32]);
    let outcome = Outcome { auditor, schedule: schedule.digest(), epoch: 3, host, bundle };
    vec![
        LogEntry::Schedule(SignedSchedule::new(&schedule, &key(3))),
        LogEntry::Epoch(SignedEpochCommitment::new(&commitment, &key(3))),
        LogEntry::Outcome(SignedOutcome::new(&outcome, &key(3))),
    ]
}

fn opened_of() -> Opened {
    let e = &envelopes()[2];
    Opened {
        opener: OpenerKey(key(4).public()),
        name: e.name(),
        generation: e.generation,
        blake3: e.body.blake3,
        root: None,
        opened_unix_ms: 5,
    }
}

pub(super) fn inventory_seeds() -> Vec<Vec<u8>> {
    vec![inventory_of(70).to_bytes()]
}

pub(super) fn openings_seeds() -> Vec<Vec<u8>> {
    let inventory = SignedInventory::new(&inventory_of(70), &key(2));
    let envelopes = vec![SignedEnvelope::new(&envelopes()[2], &key(1))];
    vec![Openings { inventory, leaves: leaves(), envelopes }.to_bytes()]
}

pub(super) fn owner_range_seeds() -> Vec<Vec<u8>> {
    let inventory = SignedInventory::new(&inventory_of(70), &key(2));
    let leaves = leaves().into_iter().map(|l| l.leaf).collect();
    vec![
        OwnerRange { inventory, first: 1, leaves, around: vec![SumNode { hash: [7; 32], cells: 8 }] }
            .to_bytes(),
    ]
}

pub(super) fn log_entry_seeds() -> Vec<Vec<u8>> {
    entries().iter().map(Canonical::to_bytes).collect()
}

pub(super) fn opened_seeds() -> Vec<Vec<u8>> {
    vec![opened_of().to_bytes()]
}

pub(super) fn dossier_seeds() -> Vec<Vec<u8>> {
    let logged = |e: &LogEntry| Logged { entry: e.to_bytes(), proof: b"proof".to_vec() };
    let entries = entries();
    let audits = bundle_seeds().into_iter().enumerate().filter_map(|(i, bytes)| {
        let bundle = Canonical::from_bytes(&bytes).ok()?;
        Some(LoggedAudit { bundle, outcome: (i > 0).then(|| logged(&entries[2])) })
    });
    let mut full = Dossier {
        roster: Some(vec![1; 9]),
        announced: entries[..2].iter().map(logged).collect(),
        audits: audits.collect(),
        inventories: [70, 71].map(|c| SignedInventory::new(&inventory_of(c), &key(2))).into(),
        opened: vec![SignedOpened::new(&opened_of(), &key(4))],
    };
    full.sort();
    vec![full.to_bytes(), Dossier::default().to_bytes()]
}
