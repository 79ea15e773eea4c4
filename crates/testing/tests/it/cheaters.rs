//! Fifty hosts over ninety days, one of each kind of cheat among them, and which mechanism finds it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bailiwick_possession::inventory::{InventoryError, check_owner_range};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::dossier::{Dossier, LoggedAudit};
use bailiwick_protocol::ids::{HostKey, InventoryDigest, OwnerKey};
use bailiwick_protocol::schedule::{LogEntry, Offered};
use bailiwick_testing::stats::binomial_bounds;
use bailiwick_testing::{CLASS, Conduct, Faults, Host, OtherQuestion, PACE, RealProofs, Seed, Simulation};
use bailiwick_verifier::{Claim, HostFacts, ReasonCode, Standing, Verdict, detection};

use super::cast::{CELLS, by_name, holdings, host, only, owner, owners, plan, seed};
use super::junk::{JUNK, OWNED, padded};

const HOSTS: usize = 50;
const DAYS: u64 = 90;
/// Names of drops and the cells of 200 they lost.
const DROPS: [(&str, u64); 5] =
    [("drops-1", 2), ("drops-5", 10), ("drops-10", 20), ("drops-50", 100), ("admits-10", 20)];
/// Who leaves an object out of its inventory, and since when.
const OMITS: [(&str, u64); 2] = [("omits-a", 20), ("omits-b", 50)];
const TWO_INVENTORIES: [(&str, u64); 2] = [("two-faced-a", 30), ("two-faced-b", 60)];

fn cheaters(seed: Seed) -> Vec<Host> {
    let replica = host(seed, "replica");
    let source = replica.key();
    let shares = |name: &str| Host::new(name, seed.key(name), holdings(seed, "replica")).unwrap();
    let relay = |name: &str| {
        let mut host = shares(name).behaving(Conduct::Relays(source));
        host.lose_all();
        host
    };
    let answers = |name: &str, other| host(seed, name).behaving(Conduct::Answers(other));
    let mut padded_drops = padded(seed, "padded-drops").behaving(Conduct::Bluffs);
    padded_drops.lose_owner(&owner(&owners(seed)[0]));
    let mut all = vec![
        relay("relay-a"),
        relay("relay-b"),
        shares("one-disk").behaving(Conduct::Answers(OtherQuestion::OtherHost(source))),
        replica,
        answers("earlier-round", OtherQuestion::EarlierRound),
        answers("other-files", OtherQuestion::OtherFiles),
        answers("other-auditor", OtherQuestion::OtherAuditor),
        padded(seed, "padded-keeps"),
        padded_drops,
        host(seed, "no-inventory").behaving(Conduct::NoInventory),
        host(seed, "silent").behaving(Conduct::Silent),
    ];
    for (name, lost) in DROPS {
        // One says what it lost, the others keep all hashes and bluff.
        let conduct = if name == "admits-10" { Conduct::Honest } else { Conduct::Bluffs };
        let mut host = host(seed, name).behaving(conduct);
        host.lose(lost, &mut seed.stream(&format!("loss of {name}")));
        all.push(host);
    }
    all.extend(TWO_INVENTORIES.map(|(n, epoch)| host(seed, n).behaving(Conduct::TwoInventories { epoch })));
    all.extend(OMITS.map(|(n, from)| host(seed, n).behaving(Conduct::Omits { from })));
    all
}

fn fleet(seed: Seed, real: Option<Arc<RealProofs>>) -> Simulation {
    let mut hosts = cheaters(seed);
    let honest = HOSTS - hosts.len();
    hosts.extend((0..honest).map(|i| host(seed, &format!("honest-{i:02}"))));
    assert_eq!(hosts.len(), HOSTS);
    let mut plan = plan(seed, DAYS, hosts);
    (plan.faults, plan.restart_every, plan.real) = (Faults::new(seed, 5, 2), 151, real);
    let simulation = Simulation::new(plan);
    simulation.run().unwrap();
    simulation
}

/// P02, P03, P04, P05, P06, P07 in one fleet: 50 hosts, 90 days, every kind of cheat, each found by the
/// mechanism meant for it and as often as printed; no honest host accused. Judged by the shipped verifier from the dossier alone.
#[test]
fn slow_p02_p03_p04_fifty_hosts_over_ninety_days() {
    let seed = seed("fifty hosts over ninety days", 50);
    let real = Arc::new(RealProofs::every(100).unwrap());
    let simulation = fleet(seed, Some(Arc::clone(&real)));
    let dossier = simulation.dossier().unwrap();
    let report = simulation.judge(&dossier, &Simulation::policy("all", 0.05, 0.5)).unwrap();
    let facts = by_name(&simulation, &report);
    let names = |prefix: &'static str| facts.keys().filter(move |n| n.starts_with(prefix));
    println!("S = {}, {} audits in the dossier", CLASS.samples, dossier.audits.len());

    for name in names("honest-") {
        held_all(name, facts[name]);
    }
    sampling_finds_drops(&facts);
    for name in ["one-disk", "earlier-round", "other-files", "other-auditor"] {
        failed_all(name, facts[name], ReasonCode::ProofDoesNotVerify, "binding of a proof to its challenge");
    }
    failed_all("silent", facts["silent"], ReasonCode::NoSignedAnswer, "deadline after asking again");
    no_inventory_fails_unless_not_asked(&simulation, facts["no-inventory"]);

    // P03: relays pass *stored*, and the claim says that it does not show where the bytes lie; a replica is a claim of its own.
    for name in ["relay-a", "relay-b", "replica"] {
        held_all(name, facts[name]);
    }
    let stored = report.claim(Claim::Stored);
    assert!(stored.not_shown.iter().any(|s| s.contains("relay")));
    let resident = report.claim(Claim::Resident);
    println!("relays hold 90 of 90; replica claim: {:?}, {}", resident.verdict, resident.headline);
    assert_ne!(resident.verdict, Verdict::Supported);

    two_inventories_refute(&report);
    owners_find_omissions(&simulation, &dossier);
    let tally = real.tally();
    println!("proven for real in class tiny: {tally:?}");
    assert!(tally.proven + tally.refused >= 40 && tally.invalid == 0, "{tally:?}");
}

fn line(name: &str, facts: &HostFacts, found: &str) {
    println!(
        "{name:14} held {:2} failed {:2} undecided {:2}: {found}",
        facts.audits.held, facts.audits.failed, facts.audits.undecided
    );
}

#[track_caller]
fn held_all(name: &str, facts: &HostFacts) {
    let a = facts.audits;
    assert_eq!(
        (a.held, a.total, a.missing),
        (DAYS, DAYS, 0),
        "{name}: {a:?} {:?}",
        facts.timeline.iter().find_map(|e| e.why.clone())
    );
}

#[track_caller]
fn failed_all(name: &str, facts: &HostFacts, code: ReasonCode, found: &str) {
    line(name, facts, found);
    assert_eq!((facts.audits.failed, facts.audits.held), (DAYS, 0), "{name}");
    only(facts, code);
}

/// No bundle speaks of it, only the commitments do, and the last day is not due by the newest witnessed checkpoint. An auditor that
/// started again in the second half of the time for inventories says of itself that it did not ask (spec schedule, U7): of those epochs,
/// and of no others, nothing is held against the host.
fn no_inventory_fails_unless_not_asked(simulation: &Simulation, facts: &HostFacts) {
    line("no-inventory", facts, "commitment in the log");
    let restarted = simulation.restarted_ms();
    let too_late = |epoch: &u64| {
        let round = simulation.round_ms(*epoch);
        let commit = round - PACE.commit_ms;
        let fair = (round - PACE.lead_ms).midpoint(commit);
        restarted.iter().any(|at| (fair + 1..=commit).contains(at))
    };
    let unasked: BTreeSet<u64> = (2..DAYS).filter(too_late).collect();
    let undecided: BTreeSet<u64> =
        facts.timeline.iter().filter(|e| e.standing == Standing::Undecided).map(|e| e.epoch).collect();
    assert_eq!(undecided, unasked);
    assert!(unasked.len() < 20, "most days are asked in time: {unasked:?}");
    let a = facts.audits;
    assert_eq!(
        (a.failed + a.undecided, a.undecided, a.held, a.missing),
        (DAYS - 2, unasked.len() as u64, 1, 0)
    );
    only(facts, ReasonCode::NoInventoryOffered);
}

fn sampling_finds_drops(facts: &BTreeMap<String, &HostFacts>) {
    let check = |name: &str, p: f64, code| {
        let facts = facts[name];
        let bounds = binomial_bounds(DAYS, p, 0.99);
        line(name, facts, &format!("sampling, {:.4} % printed, bound {bounds:?}", p * 100.0));
        assert!(bounds.contains(&facts.audits.failed), "{name}: {} outside {bounds:?}", facts.audits.failed);
        assert_eq!(facts.audits.held + facts.audits.failed, DAYS);
        only(facts, code);
    };
    for (name, lost) in DROPS {
        let admits = name == "admits-10";
        let code = if admits { ReasonCode::HostCannotProve } else { ReasonCode::ProofDoesNotVerify };
        check(name, detection(lost as f64 / CELLS as f64, CELLS, CELLS, CLASS.samples).probability, code);
    }
    let p = detection(1.0, OWNED, OWNED + JUNK, CLASS.samples).probability;
    check("padded-drops", p, ReasonCode::ProofDoesNotVerify);
    held_all("padded-keeps", facts["padded-keeps"]);
    assert!(facts["padded-keeps"].cells > facts["honest-00"].cells);
}

/// Two signed inventories of one epoch: a contradiction in the host's own hand refutes *stored* and *logged*, and names the host.
fn two_inventories_refute(report: &bailiwick_verifier::FleetReport) {
    for claim in [Claim::Stored, Claim::Logged] {
        let claim = report.claim(claim);
        assert_eq!(claim.verdict, Verdict::Refuted);
        let two: Vec<&str> = claim
            .reasons
            .iter()
            .filter(|r| r.code == ReasonCode::TwoInventories)
            .map(|r| r.text.as_str())
            .collect();
        assert_eq!(two.len(), TWO_INVENTORIES.len(), "{:#?}", claim.reasons);
        for (name, epoch) in TWO_INVENTORIES {
            assert!(
                two.iter().any(|t| t.contains(name) && t.contains(&format!("epoch {epoch}"))),
                "{name}: {two:?}"
            );
        }
    }
    // Nothing else is wrong with the record: no gap, no late outcome.
    let logged = report.claim(Claim::Logged);
    assert!(logged.reasons.iter().all(|r| r.code == ReasonCode::TwoInventories), "{:#?}", logged.reasons);
}

/// What the log says each host committed to.
fn committed(simulation: &Simulation) -> BTreeMap<(HostKey, u64), InventoryDigest> {
    let mut out = BTreeMap::new();
    for entry in simulation.log().entries() {
        if let Ok(LogEntry::Epoch(signed)) = LogEntry::from_bytes(&entry) {
            let c = signed.verify(&simulation.auditor().public()).unwrap();
            for (host, offered) in &c.hosts {
                if let Offered::Inventory(digest) = offered {
                    out.insert((*host, c.epoch), *digest);
                }
            }
        }
    }
    out
}

/// Owners look for their objects in the inventory that the log names, every day at every host.
fn owners_find_omissions(simulation: &Simulation, dossier: &Dossier) {
    let committed = committed(simulation);
    assert!(dossier.announced.len() as u64 > DAYS);
    let mut found: BTreeSet<(String, u64)> = BTreeSet::new();
    let mut checks = 0;
    for host in simulation.network().hosts() {
        let owners: BTreeSet<OwnerKey> = host.objects().iter().map(|o| o.target().name.owner).collect();
        for epoch in 1..=DAYS {
            let Some(digest) = committed.get(&(host.key(), epoch)) else { continue };
            for owner in &owners {
                let range = simulation.network().owner_range(&host.key(), epoch, owner).unwrap();
                let inventory = range.inventory.verify(host.key().as_bytes()).unwrap();
                assert_eq!(inventory.digest(), *digest, "the inventory the log names");
                let listed = check_owner_range(&inventory, &range, owner).unwrap();
                let entrusted = host.objects().iter().map(|o| o.target()).filter(|t| t.name.owner == *owner);
                checks += 1;
                if entrusted.into_iter().any(|t| !listed.contains(t)) {
                    found.insert((host.name().to_owned(), epoch));
                }
                // A host that cuts a listed object out of the range instead cannot show that the range is whole.
                if epoch == 1 && listed.len() > 1 {
                    let mut cut = range.clone();
                    cut.leaves.retain(|l| *l != listed[0]);
                    let refused = check_owner_range(&inventory, &cut, owner);
                    assert!(refused.is_err() && refused != Err(InventoryError::Empty), "{refused:?}");
                }
            }
        }
    }
    let expected: BTreeSet<(String, u64)> =
        OMITS.iter().flat_map(|(name, from)| (*from..=DAYS).map(|e| ((*name).to_owned(), e))).collect();
    println!("owners: {checks} ranges looked at, {} days with an object left out", found.len());
    assert_eq!(found, expected);
}

/// T14, P23: an auditor that keeps the failures of one host to itself. The schedule in the log says what there must be: a gap refutes
/// *logged*. The whole dossier is the honest twin.
#[test]
fn t14_failures_kept_out_of_the_record_are_gaps() {
    let seed = seed("hidden failures", 14);
    let mut friend = host(seed, "friend").behaving(Conduct::Bluffs);
    friend.lose(CELLS / 10, &mut seed.stream("loss"));
    let friend_key = friend.key();
    let simulation = Simulation::new(plan(seed, 30, vec![friend, host(seed, "other")]));
    simulation.run().unwrap();
    let policy = Simulation::policy("all", 0.05, 0.5);
    let whole = simulation.dossier().unwrap();
    let report = simulation.judge(&whole, &policy).unwrap();
    assert_eq!(report.claim(Claim::Logged).verdict, Verdict::Supported);
    assert_eq!(report.claim(Claim::Stored).verdict, Verdict::Refuted);
    let failed = by_name(&simulation, &report)["friend"].audits.failed;
    assert!(failed > 10);

    let failures: BTreeSet<u64> = by_name(&simulation, &report)["friend"]
        .timeline
        .iter()
        .filter(|e| e.standing == Standing::Failed)
        .map(|e| e.epoch)
        .collect();
    let hidden = |audit: &LoggedAudit| {
        let bundle = audit.bundle.decode_unverified().unwrap();
        let c = bundle.challenge.decode_unverified().unwrap();
        c.host == friend_key && failures.contains(&c.epoch)
    };
    let mut shown = whole.clone();
    shown.audits.retain(|a| !hidden(a));
    let report = simulation.judge(&shown, &policy).unwrap();
    let logged = report.claim(Claim::Logged);
    assert_eq!((logged.verdict, logged.reasons[0].code), (Verdict::Refuted, ReasonCode::OutcomeMissing));
    assert!(logged.reasons[0].text.contains("friend"));
    // The last epoch is not due yet by the newest checkpoint: whatever is hidden of it is not counted.
    let missing = by_name(&simulation, &report)["friend"].audits.missing;
    println!("{failed} failures hidden, {missing} gaps found");
    assert_eq!(missing, failures.iter().filter(|e| **e < 30).count() as u64);
}
