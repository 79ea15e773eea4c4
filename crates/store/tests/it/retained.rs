//! Inventories of epochs, and the versions they list: decided once, provable until released, whatever is deleted meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bailiwick_protocol::challenge::Target;
use bailiwick_protocol::ids::AuditorKey;
use bailiwick_store::{CellCheck, DamagedPart, Held, Options, Store, StoreError};

use super::fixture::{Sample, Spec};
use super::forgetful::{Crash, Fate, Forgetful, Op};

const HEAD: &[u8] = b"signed by the host";
const ASKER: AuditorKey = AuditorKey([7; 32]);

fn options() -> Options {
    Options { retain: true, index_batch: 2, ..Options::default() }
}

fn open(fs: &Forgetful) -> Result<Store, StoreError> {
    Store::open_with(Arc::new(fs.clone()), "/s", options())
}

fn sample(object: u8, generation: u64, content: u8) -> Sample {
    Spec { object, generation, content, ..Spec::default() }.seal()
}

fn target(sample: &Sample) -> Target {
    Target::of(&sample.envelope).expect("committed")
}

/// Asserts that the very version can be read to its last byte, with tree and envelope.
fn assert_provable(store: &Store, sample: &Sample, context: &str) {
    let reader = store.open_target(&target(sample)).unwrap_or_else(|e| panic!("{context}: {e}"));
    let reader = reader.unwrap_or_else(|| panic!("{context}: {:?} cannot be proven any more", sample.name()));
    assert!(reader.read_range(0, sample.body.len()).unwrap() == sample.body, "{context}");
    assert_eq!(reader.tree().unwrap().root(), target(sample).root, "{context}");
    assert_eq!(reader.signed_envelope(), sample.signed(), "{context}");
}

/// What an inventory lists is provable after it was replaced and deleted; nobody else sees it; it goes when it is released.
#[test]
fn a_deleted_version_stays_provable_until_it_is_released() {
    let fs = Forgetful::new();
    let store = open(&fs).unwrap();
    let (old, new, other) = (sample(1, 1, 1), sample(1, 2, 2), sample(2, 1, 1));
    for s in [&old, &new, &other] {
        s.put(&store).unwrap();
    }
    // Before anyone says what is wanted everything is kept: here generation 1, replaced by 2.
    assert_provable(&store, &old, "replaced");
    assert_provable(&store, &new, "current");
    let name = new.name();
    store.retain_if(Arc::new(move |n, generation| *n == name && generation == 2));
    assert!(store.delete(&new.name()).unwrap() && store.delete(&other.name()).unwrap());
    assert!(store.get(&new.name()).unwrap().is_none() && store.list(None, 10).unwrap().is_empty());
    let usage = store.usage().total;
    assert_eq!(usage.file_bytes, 0);
    assert!(usage.retained_bytes > 0);
    assert_provable(&store, &new, "deleted");
    assert!(store.open_target(&target(&other)).unwrap().is_none(), "not wanted, so gone");
    assert_eq!(store.release().unwrap(), (1, 1), "generation 1 is not wanted any more");
    assert!(store.open_target(&target(&old)).unwrap().is_none());
    assert_provable(&store, &new, "after a release");
    // A restart forgets nothing and nobody's wish.
    drop(store);
    let store = open(&fs).unwrap();
    assert_provable(&store, &new, "after a restart");
    assert!(store.get(&new.name()).unwrap().is_none(), "a restart brings nothing back");
    store.retain_if(Arc::new(|_, _| false));
    assert_eq!(store.release().unwrap(), (1, 0));
    assert!(store.open_target(&target(&new)).unwrap().is_none());
    assert!(!fs.files().iter().any(|(p, _)| p.starts_with("/s/retained")));
}

/// K3: the rule does not change between the look at it and the removal of a file: what comes to be wanted meanwhile, put once more and
/// deleted once more, would be lost, its second name being there still.
#[test]
fn k3_the_rule_stays_while_a_version_is_released() {
    let fs = Forgetful::new();
    let store = open(&fs).unwrap();
    let s = sample(1, 1, 1);
    s.put(&store).unwrap();
    store.delete(&s.name()).unwrap();
    store.retain_if(Arc::new(|_, _| false));
    s.put(&store).unwrap();
    let (removing, removal) = std::sync::mpsc::channel();
    let (changed, change) = std::sync::mpsc::channel();
    let seen = Arc::new(AtomicBool::new(false));
    let (too_early, kept_aside) = (Arc::clone(&seen), std::path::PathBuf::from("/s/retained"));
    let change = std::sync::Mutex::new(change);
    fs.judge(move |op, path| {
        if op == Op::Remove && path.starts_with(&kept_aside) {
            removing.send(()).unwrap();
            let early = change.lock().unwrap().recv_timeout(Duration::from_millis(300)).is_ok();
            too_early.store(early, Ordering::SeqCst);
        }
        Fate::Go
    });
    std::thread::scope(|scope| {
        let store = &store;
        scope.spawn(move || {
            removal.recv().unwrap();
            store.retain_if(Arc::new(|_, _| true));
            changed.send(()).ok();
        });
        assert_eq!(store.release().unwrap(), (1, 0));
    });
    assert!(!seen.load(Ordering::SeqCst), "the rule changed while a file went by the old one");
    store.delete(&s.name()).unwrap();
    assert_provable(&store, &s, "wanted when it was deleted");
}

/// K2, A16: versions kept aside count in the quotas of their owner and of all until they are released, over restarts too: a disk holds
/// no more than the quota, however often everything is replaced.
#[test]
fn a16_versions_kept_aside_count_in_the_quotas() {
    let probe = open(&Forgetful::new()).unwrap();
    sample(1, 1, 1).put(&probe).unwrap();
    let one = probe.usage().total.file_bytes;
    for (quota_bytes, owner_quota_bytes) in [(3 * one + 10, u64::MAX), (u64::MAX, 3 * one + 10)] {
        let fs = Forgetful::new();
        let options = Options { quota_bytes, owner_quota_bytes, ..options() };
        let open = || Store::open_with(Arc::new(fs.clone()), "/s", options).unwrap();
        let store = open();
        for generation in 1..=3 {
            sample(1, generation, 1).put(&store).unwrap();
        }
        let used = |store: &Store| {
            let total = store.usage().total;
            (total.file_bytes, total.retained_bytes)
        };
        assert_eq!(used(&store), (one, 2 * one));
        let refused = sample(1, 4, 1).put(&store);
        assert!(matches!(refused, Err(StoreError::QuotaExceeded { .. })), "{refused:?}");
        drop(store);
        let store = open();
        assert_eq!(used(&store), (one, 2 * one), "after a restart");
        assert!(matches!(sample(1, 4, 1).put(&store), Err(StoreError::QuotaExceeded { .. })));
        store.retain_if(Arc::new(|_, generation| generation > 1));
        assert_eq!(store.release().unwrap(), (1, 1));
        assert_eq!(used(&store), (one, one));
        sample(1, 4, 1).put(&store).unwrap();
        store.retain_if(Arc::new(|_, _| false));
        store.release().unwrap();
        assert!(store.delete(&sample(1, 4, 1).name()).unwrap());
        assert_eq!(store.usage().total, bailiwick_store::OwnerUsage::default(), "nothing stays on the books");
        assert!(store.usage().owners.is_empty());
    }
}

/// L7: the whole content id is in the name of a file kept aside. Of a part of it an owner finds two contents that agree (2^32 tries for
/// 16 digits), and the second would be lost.
#[test]
fn l7_a_kept_version_is_named_by_its_whole_content() {
    let fs = Forgetful::new();
    let store = open(&fs).unwrap();
    let s = sample(1, 1, 1);
    s.put(&store).unwrap();
    store.delete(&s.name()).unwrap();
    let path = fs.files().into_iter().find(|(p, _)| p.starts_with("/s/retained")).expect("kept").0;
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    assert!(name.ends_with(&format!("-{}.obj", s.envelope.body.blake3)), "{name}");
    let longest = bailiwick_protocol::ids::Unit { k: 65535, n: 65535, shard: 65534, replica: 65535 };
    assert!(name.len() - s.name().unit.to_string().len() + longest.to_string().len() <= 255, "NAME_MAX");
}

/// R2: scrub reads versions kept aside, and names what is damaged in them, but not the current object for it.
#[test]
fn r2_scrub_reads_versions_kept_aside() {
    let fs = Forgetful::new();
    let store = open(&fs).unwrap();
    let (old, new) = (sample(1, 1, 1), sample(1, 2, 2));
    old.put(&store).unwrap();
    new.put(&store).unwrap();
    let scrub = || store.scrub(CellCheck::Recompute, |_| {}, || false).unwrap();
    let clean = scrub();
    assert!(clean.is_clean() && clean.foreign.is_empty());
    assert_eq!(clean.progress.bytes_done, clean.progress.bytes_total, "all of it was read");
    let path = fs.files().into_iter().find(|(p, _)| p.starts_with("/s/retained")).expect("kept").0;
    fs.tamper(&path, |bytes| bytes[60] ^= 1);
    let report = scrub();
    let found: Vec<_> = report.damage.iter().map(|d| (d.name, d.path.clone(), d.part)).collect();
    assert_eq!(found, [(Some(old.name()), path, DamagedPart::Body)]);
    assert!(store.damaged().is_empty(), "the current object is whole");
}

/// Without the option nothing is kept aside.
#[test]
fn a_store_that_does_not_retain_deletes() {
    let store = Store::open_with(Arc::new(Forgetful::new()), "/s", Options::default()).unwrap();
    let s = sample(1, 1, 1);
    s.put(&store).unwrap();
    store.delete(&s.name()).unwrap();
    assert!(store.open_target(&target(&s)).unwrap().is_none());
}

/// Deleted, then put with other content under the same generation: both versions are what they are.
#[test]
fn one_generation_with_two_contents_is_two_versions() {
    let store = open(&Forgetful::new()).unwrap();
    let (a, b) = (sample(1, 1, 1), sample(1, 1, 2));
    a.put(&store).unwrap();
    store.delete(&a.name()).unwrap();
    b.put(&store).unwrap();
    assert_provable(&store, &a, "deleted");
    assert_provable(&store, &b, "current");
    store.delete(&b.name()).unwrap();
    assert_provable(&store, &a, "first");
    assert_provable(&store, &b, "second");
}

/// Damage of a version kept aside says nothing about the current object.
#[test]
fn damage_of_a_kept_version_is_not_damage_of_the_object() {
    let fs = Forgetful::new();
    let store = open(&fs).unwrap();
    let (old, new) = (sample(1, 1, 1), sample(1, 2, 2));
    old.put(&store).unwrap();
    new.put(&store).unwrap();
    let path = fs.files().into_iter().find(|(p, _)| p.starts_with("/s/retained")).expect("kept").0;
    fs.tamper(&path, |bytes| bytes[60] ^= 1);
    let reader = store.open_target(&target(&old)).unwrap().expect("opens");
    assert!(matches!(reader.read_range(0, 100), Err(StoreError::Damaged { .. })));
    assert!(store.damaged().is_empty());
    new.assert_whole(&store);
}

/// An epoch is decided once.
#[test]
fn an_epoch_is_decided_once() {
    let fs = Forgetful::new();
    let store = open(&fs).unwrap();
    let leaves = [target(&sample(1, 1, 1)), target(&sample(2, 7, 1))];
    store.keep_inventory(5, HEAD, &ASKER, &leaves).unwrap();
    let again = store.keep_inventory(5, b"another", &ASKER, &leaves[..1]);
    assert!(matches!(again, Err(StoreError::InventoryExists { epoch: 5 })));
    store.keep_inventory(9, b"later", &ASKER, &leaves[..1]).unwrap();
    drop(store);
    let store = open(&fs).unwrap();
    assert_eq!(store.inventory_head(5).unwrap().as_deref(), Some(HEAD));
    assert_eq!(store.inventory_leaves(5).unwrap(), Some((ASKER, leaves.to_vec())));
    assert_eq!(store.inventories().unwrap(), [(5, true), (9, true)]);
    store.drop_inventory_leaves(5).unwrap();
    assert_eq!(store.inventories().unwrap(), [(5, false), (9, true)]);
    assert_eq!(store.inventory_head(5).unwrap().as_deref(), Some(HEAD), "what was signed stays");
    assert!(store.keep_inventory(5, b"another", &ASKER, &leaves).is_err());
    assert_eq!((store.inventory_head(6).unwrap(), store.inventory_leaves(6).unwrap()), (None, None));
}

/// Rot of what is kept is an error, not another inventory.
#[test]
fn damaged_inventories_are_named() {
    let fs = Forgetful::new();
    let store = open(&fs).unwrap();
    store.keep_inventory(5, HEAD, &ASKER, &[target(&sample(1, 1, 1))]).unwrap();
    fs.tamper("/s/inventories/0000000000000005.leaves".as_ref(), |bytes| bytes.truncate(100));
    assert!(matches!(store.inventory_leaves(5), Err(StoreError::InventoryDamaged { epoch: 5 })));
    fs.tamper("/s/inventories/0000000000000005.head".as_ref(), Vec::clear);
    assert!(matches!(store.inventory_head(5), Err(StoreError::InventoryDamaged { epoch: 5 })));
    assert!(store.keep_inventory(5, HEAD, &ASKER, &[]).is_err(), "a damaged head is still a decision");
}

/// D07: a failed fsync decides nothing, and the store takes no further part.
#[test]
fn d07_a_failed_fsync_decides_no_epoch() {
    for failing in 0..4 {
        let fs = Forgetful::new();
        let store = open(&fs).unwrap();
        let mut syncs = 0;
        fs.judge(move |op, _| {
            syncs += u32::from(matches!(op, Op::Sync | Op::SyncDir));
            if syncs == failing + 1 && matches!(op, Op::Sync | Op::SyncDir) {
                Fate::Fail(std::io::ErrorKind::Other)
            } else {
                Fate::Go
            }
        });
        let kept = store.keep_inventory(5, HEAD, &ASKER, &[target(&sample(1, 1, 1))]);
        assert!(matches!(kept, Err(StoreError::SyncFailed { .. })), "fsync {failing}");
        // Whether it has its name already (it has when its folder failed) or not.
        let shown = store.inventory_head(5);
        let hidden =
            if failing == 3 { matches!(shown, Err(StoreError::ReadOnly)) } else { matches!(shown, Ok(None)) };
        assert!(hidden, "fsync {failing}: {shown:?}");
        assert!(matches!(store.keep_inventory(6, HEAD, &ASKER, &[]), Err(StoreError::ReadOnly)));
    }
}

/// D01, N1: a head whose rename was told failed, and happened, is in doubt; the epoch is decided anew with other leaves, and the machine
/// loses power at every operation of that. A head that is there afterwards has the leaves it was signed about.
#[test]
fn d01_other_leaves_never_come_under_a_head_that_was_in_doubt() {
    let (first, second) = ([target(&sample(1, 1, 1))], [target(&sample(2, 1, 1)), target(&sample(3, 1, 1))]);
    let mut decided_anew = 0;
    for die_at in 0u64.. {
        let mut done = false;
        for mode in [Crash::Lost, Crash::Kept, Crash::Killed, Crash::Mixed(die_at), Crash::Mixed(!die_at)] {
            let context = format!("power cut at operation {die_at}, {mode:?}");
            let fs = Forgetful::new();
            let store = open(&fs).unwrap();
            fs.judge(|op, path| match op {
                Op::Rename if path.ends_with("0000000000000005.head") => {
                    Fate::DoneButFail(std::io::ErrorKind::TimedOut)
                }
                _ => Fate::Go,
            });
            let told = store.keep_inventory(5, HEAD, &ASKER, &first);
            assert!(matches!(told, Err(StoreError::Io { .. })), "{told:?}");
            assert_eq!(store.inventory_head(5).unwrap(), None, "shown while it is in doubt");
            let mut count = 0;
            fs.judge(move |op, _| {
                count += u64::from(op.changes());
                if op.changes() && count > die_at { Fate::Die } else { Fate::Go }
            });
            done = store.keep_inventory(5, b"another", &ASKER, &second).is_ok();
            let after = fs.crash(mode);
            drop(store);
            let store = open(&after).unwrap_or_else(|e| panic!("{context}: {e}"));
            let leaves = store.inventory_leaves(5).unwrap().map(|(_, leaves)| leaves);
            match store.inventory_head(5).unwrap().as_deref() {
                None => assert!(!done, "{context}: a decided epoch is forgotten"),
                Some(HEAD) => {
                    assert!(!done && leaves.as_deref() == Some(first.as_slice()), "{context}: {leaves:?}");
                }
                Some(head) => {
                    assert_eq!((head, leaves.as_deref()), (&b"another"[..], Some(&second[..])), "{context}");
                    decided_anew += 1;
                }
            }
        }
        if done {
            break;
        }
    }
    assert!(decided_anew > 5, "only {decided_anew}: the operations were not counted");
}

/// Work of one process: an object, rewrapped, an inventory of it, then it is rewrapped, replaced and deleted. Returns what was acknowledged: 0 nothing,
/// 1 the inventory, 2 everything.
fn work(fs: &Forgetful, die_at: u64) -> u8 {
    let mut count = 0;
    fs.judge(move |op, _| {
        count += u64::from(op.changes());
        if op.changes() && count > die_at { Fate::Die } else { Fate::Go }
    });
    let mut acknowledged = 0;
    let mut run = || {
        let store = open(fs)?;
        let (old, gone) = (sample(1, 2, 1), sample(2, 1, 1));
        sample(1, 1, 1).put(&store)?;
        old.rewrap(&store)?;
        gone.put(&store)?;
        store.keep_inventory(7, HEAD, &ASKER, &[target(&old), target(&gone)])?;
        acknowledged = 1;
        sample(1, 3, 1).rewrap(&store)?;
        sample(1, 4, 2).put(&store)?;
        store.delete(&gone.name())?;
        sample(2, 1, 9).put(&store)?;
        sample(1, 5, 2).rewrap(&store)?;
        store.delete(&sample(1, 5, 2).name())?;
        acknowledged = 2;
        Ok::<_, StoreError>(())
    };
    if run().is_err() {
        assert!(fs.is_dead(), "fails only because the process died");
    }
    acknowledged
}

/// D01, D05: the machine loses power at every operation. A decided epoch stays decided, the same bytes, with all its leaves, and every
/// version it lists can be proven; an undecided one leaves nothing behind.
#[test]
fn d01_d05_power_cut_at_every_operation_keeps_what_was_signed_provable() {
    let mut points = 0;
    for die_at in 0.. {
        let mut acknowledged = 0;
        // Two names that are not durable yet are kept and lost in all four ways.
        let mixed = (0..8).map(|seed| Crash::Mixed(die_at << 8 | seed));
        for mode in [Crash::Lost, Crash::Kept, Crash::Killed].into_iter().chain(mixed) {
            let context = format!("power cut at operation {die_at}, {mode:?}");
            let fs = Forgetful::new();
            acknowledged = work(&fs, die_at);
            let fs = fs.crash(mode);
            let store = open(&fs).unwrap_or_else(|e| panic!("{context}: {e}"));
            let head = store.inventory_head(7).unwrap();
            assert!(head.is_some() || acknowledged == 0, "{context}: a decided epoch is forgotten");
            let leaves = store.inventory_leaves(7).unwrap();
            assert_eq!(head.is_some(), leaves.is_some(), "{context}");
            if let Some(head) = head {
                assert_eq!(head, HEAD, "{context}");
                assert_eq!(leaves.unwrap().1.len(), 2, "{context}");
                for listed in [sample(1, 2, 1), sample(2, 1, 1)] {
                    assert_provable(&store, &listed, &context);
                }
                let damage = store.scrub(CellCheck::Stored, |_| (), || false).unwrap().damage;
                assert_eq!(damage, [], "{context}");
                // And it stays so when the power fails again right after.
                let again = fs.crash(Crash::Lost);
                drop(store);
                let store = open(&again).unwrap();
                assert_eq!(store.inventory_head(7).unwrap().as_deref(), Some(HEAD), "{context}, twice");
                assert_provable(&store, &sample(2, 1, 1), &format!("{context}, twice"));
            }
            points += 1;
        }
        if acknowledged == 2 {
            break;
        }
    }
    assert!(points > 200, "only {points} crash points: the operations were not counted");
}

/// Everything at first, then what changed, and everything again after a failure.
#[test]
fn changes_are_told_once() {
    let fs = Forgetful::new();
    let store = open(&fs).unwrap();
    let (a, b) = (sample(1, 1, 1), sample(2, 1, 1));
    a.put(&store).unwrap();
    let names = |held: Held| match held {
        Held::All(records) => {
            (true, records.iter().map(|r| (r.name, Some(r.generation))).collect::<Vec<_>>())
        }
        Held::Changed(changes) => {
            (false, changes.into_iter().map(|(n, r)| (n, r.map(|r| r.generation))).collect())
        }
    };
    assert_eq!(names(store.take_changes().unwrap()), (true, vec![(a.name(), Some(1))]));
    assert_eq!(names(store.take_changes().unwrap()), (false, vec![]));
    b.put(&store).unwrap();
    sample(1, 2, 2).put(&store).unwrap();
    store.delete(&b.name()).unwrap();
    assert_eq!(names(store.take_changes().unwrap()), (false, vec![(a.name(), Some(2)), (b.name(), None)]));
    drop(store);
    let store = open(&fs).unwrap();
    assert!(names(store.take_changes().unwrap()).0, "a new process has to look at everything");
}
