//! Dossiers as such: the honest fleet, bytes that are none, evidence of strangers.

use bailiwick_protocol::codec::Canonical;
use bailiwick_protocol::dossier::Dossier;
use bailiwick_verifier::{Claim, ReasonCode as C, Unusable, Verdict, exit_code};

use crate::fleet_world::FleetScene;
use crate::world::key;

use Verdict::{Inconclusive, Supported};

#[test]
fn the_honest_fleet_is_supported() {
    let report = FleetScene::honest().report();
    for (claim, verdict) in [
        (Claim::Opaque, Supported),
        (Claim::Stored, Supported),
        (Claim::Served, Inconclusive),
        (Claim::Resident, Inconclusive),
        (Claim::Custody, Inconclusive),
        (Claim::Survivable, Inconclusive),
        (Claim::Logged, Supported),
    ] {
        assert_eq!(report.claim(claim).verdict, verdict, "{claim}: {:#?}", report.claim(claim).reasons);
    }
    assert_eq!((report.exit_code, report.outcome), (0, Supported));
    assert_eq!((report.fleet.audits.held, report.fleet.audits.total), (6, 6));
    assert_eq!((report.fleet.hosts.len(), report.fleet.objects), (2, 3));
    let log = report.claim(Claim::Logged).numbers.log.unwrap();
    assert_eq!((log.scheduled, log.logged_in_time, log.missing), (6, 6, 0));
}

/// A question fixed by beacon and commitment does not rest on the auditor's honesty.
#[test]
fn scheduled_audits_do_not_assume_an_honest_auditor() {
    let stored = FleetScene::honest().report().claim(Claim::Stored).clone();
    let said = |code: &str| stored.assumptions.iter().any(|a| format!("{:?}", a.code) == code);
    assert!(said("BeaconUnpredictable") && said("WitnessesHonest") && said("OwnersCheckInventory"));
    assert!(!said("AuditorDoesNotCollude"));
}

/// T15: exit codes of dossiers; an empty one supports nothing.
#[test]
fn t15_exit_codes_of_dossiers() {
    let s = FleetScene::honest();
    let empty = s.verify_bytes(&Dossier::default().to_bytes()).unwrap();
    assert_eq!((empty.exit_code, empty.outcome), (2, Inconclusive));
    assert!(empty.claims.iter().all(|c| c.verdict == Inconclusive));
    let codes = empty.claims.iter().filter(|c| c.required).map(|c| c.verdict);
    assert_eq!(exit_code(codes), 2);
    let mut s = FleetScene::honest();
    s.audits.remove(0);
    assert_eq!(s.report().exit_code, 1);
}

/// Extra evidence: a bundle of an auditor nobody anchored, an announcement of a stranger.
#[test]
fn extra_evidence_of_strangers_is_named_and_changes_nothing() {
    let (mut dossier, s) = FleetScene::honest().dossier();
    let extra = s.audits[0].bundle.clone();
    let mut extra = bailiwick_protocol::bundle::Bundle { asked_unix_ms: 1, ..extra };
    extra.auditor.0 = key("mallory").public();
    dossier.audits.push(bailiwick_protocol::dossier::LoggedAudit {
        bundle: bailiwick_protocol::bundle::SignedBundle::new(&extra, &key("mallory")),
        outcome: None,
    });
    dossier.sort();
    let report = s.verify_bytes(&dossier.to_bytes()).unwrap();
    assert_eq!(report.exit_code, 0);
    assert_eq!(report.fleet.ignored[0].code, C::BundleNotByAuditor);
    assert_eq!(report.fleet.audits.total, 6);
}

/// Evidence reordered or repeated is not a dossier; extra evidence that nobody known signed is named and changes nothing.
#[test]
fn t16_reordered_and_repeated_evidence_is_refused() {
    let (dossier, s) = FleetScene::honest().dossier();
    let changes: [fn(&mut Dossier); 6] = [
        |d| d.audits.swap(0, 1),
        |d| d.audits.insert(0, d.audits[0].clone()),
        |d| d.announced.swap(0, 1),
        |d| d.announced.insert(0, d.announced[0].clone()),
        |d| d.opened.swap(0, 1),
        |d| d.opened.insert(0, d.opened[0].clone()),
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let mut bad = dossier.clone();
        change(&mut bad);
        assert!(matches!(s.verify_bytes(&bad.to_bytes()), Err(Unusable::Dossier(_))), "change {i}");
    }
    assert_eq!(s.verify_bytes(&dossier.to_bytes()).unwrap().exit_code, 0);
}

/// T16: every truncation, trailing bytes, deep nesting, announced lengths beyond the input.
#[test]
fn t16_hostile_bytes_are_refused() {
    let (dossier, s) = FleetScene::honest().dossier();
    let good = dossier.to_bytes();
    assert!(Dossier::is_likely(&good));
    for end in (0..good.len()).step_by(97) {
        assert!(matches!(s.verify_bytes(&good[..end]), Err(Unusable::Dossier(_))), "{end}");
    }
    assert!(s.verify_bytes(&[good.as_slice(), b"x"].concat()).is_err());
    assert!(s.verify_bytes(&vec![0x81; 1_000_000]).is_err());
    let mut lengths = good.clone();
    // Up to the contents of the roster.
    for at in 0..25 {
        lengths[at] = 0x9b;
        assert!(s.verify_bytes(&lengths).is_err());
        lengths[at] = good[at];
    }
}
