//! Powers over keys and data by the roster: custody, survivable, resident, concentration.

use bailiwick_roster::Role;
use bailiwick_verifier::{Claim, ReasonCode as C, Verdict};

use crate::fleet_world::{FleetScene, POLICY, roster_with};

use Verdict::{Inconclusive, Refuted};

const CUSTODY: &str = "[custody]\nno_single = [\"bloc\"]\n";

#[test]
fn custody_is_refuted_by_a_power_that_reaches_a_key_and_never_supported() {
    let with = |more: &str| {
        let mut s = FleetScene::honest();
        s.policy = format!("{POLICY}{more}");
        s
    };
    // CH and NO are in blocs of their own or none: reached by no bloc but Norway's realm.
    let report = with(CUSTODY).report();
    let custody = report.claim(Claim::Custody);
    let powers: Vec<&str> = custody.numbers.powers.iter().map(|p| p.power.as_str()).collect();
    assert_eq!(powers, ["bloc:NO-with-territories"]);
    let c = with("[custody]\nno_single = [\"law\"]\n").expect(Claim::Custody, Refuted, C::PowerReachesKey);
    assert!(c.reasons.iter().any(|r| r.text.contains("CH reaches the whole key")), "{:#?}", c.reasons);
    with("[custody]\nno_single = [\"provider\"]\n").expect(Claim::Custody, Inconclusive, C::NoSharing);
    let keys = "[custody]\nno_single = [\"provider\"]\n[keys]\nforbidden_laws = [\"CH\"]\n";
    with(keys).expect(Claim::Custody, Refuted, C::PlaceForbidden);
    with(&keys.replace("CH", "CN")).expect(Claim::Custody, Inconclusive, C::NoSharing);
    let allowed = keys.replace("forbidden_laws = [\"CH\"]", "allowed_laws = [\"CH\"]");
    with(&allowed).expect(Claim::Custody, Refuted, C::PlaceForbidden);
    with(&allowed.replace("[\"CH\"]", "[\"CH\", \"NO\"]")).expect(Claim::Custody, Inconclusive, C::NoSharing);
}

#[test]
fn survivable_is_refuted_when_one_loss_takes_all_keys_or_all_hosts() {
    let with = |kinds: &str| {
        let mut s = FleetScene::honest();
        s.policy = format!("{POLICY}[survivable]\nlose = [{kinds}]\n");
        s
    };
    // Every object has one recipient, under Swiss law.
    let c = with("\"law\"").expect(Claim::Survivable, Refuted, C::PowerTakesAll);
    assert!(c.reasons[0].text.contains("with CH every recipient of 3 objects"), "{:#?}", c.reasons);
    // Each object lies at one provider: known copies only, so open.
    let c = with("\"provider\"").expect(Claim::Survivable, Inconclusive, C::PowerTakesAll);
    assert!(c.reasons.iter().any(|r| r.code == C::NoSharing));
    let mut s = with("\"provider\"");
    s.roster = Some(roster_with(|list| {
        for p in list.iter_mut().filter(|p| p.role == Role::Host) {
            p.provider = Some("Example Cloud".to_owned());
        }
    }));
    let c = s.expect(Claim::Survivable, Refuted, C::PowerTakesAll);
    assert!(c.reasons[0].text.contains("every host of the roster"), "{:#?}", c.reasons);
}

/// Data where the policy forbids it, by the reader's own roster.
#[test]
fn resident_is_refuted_by_the_roster_and_never_supported() {
    let with = |law: &str| {
        let mut s = FleetScene::honest();
        s.policy = format!("{POLICY}[data]\nforbidden_laws = [\"{law}\"]\n");
        s
    };
    with("CN").expect(Claim::Resident, Refuted, C::PlaceForbidden);
    with("ZA").expect(Claim::Resident, Inconclusive, C::NoEvidence);
}

#[test]
fn concentration_is_reported() {
    let report = FleetScene::honest().report();
    let by: Vec<String> = report.fleet.concentration.iter().map(|s| format!("{:?}", s.by)).collect();
    assert_eq!(by, ["Provider", "Country", "Law", "ParentLaw"]);
    for s in &report.fleet.concentration {
        assert_eq!(s.total, s.parts.iter().map(|p| p.weight).sum::<u64>());
        assert!(s.largest().unwrap().basis_points >= 5_000, "two hosts: {:?}", s.parts);
    }
}
