//! Policies that a roster shows to be impossible, beside those it does not.

use bailiwick_roster::{Blocs, Role, Roster};
use bailiwick_verifier::{Contradiction as C, Policy, RosterSummary};

use crate::fleet_world::{POLICY, roster, roster_principal};
use crate::world::hex;

fn found(more: &str, roster: &Roster) -> Vec<C> {
    let blocs = Blocs::shipped();
    let policy = Policy::parse(&format!("{}{more}", POLICY.replace("quorum = 2", "quorum = 1"))).unwrap();
    policy.contradictions(&RosterSummary { roster, blocs: &blocs })
}

/// The roster of the fleet, with a witness: hosts in JP under US law and in FR under CN law, a recipient in CH.
fn complete() -> Roster {
    let mut r = roster();
    r.principals.push(roster_principal(Role::Witness, "witness", "CH", "CH"));
    r.principals.sort_by(|a, b| a.name.cmp(&b.name));
    r
}

#[test]
fn a_policy_that_can_be_met_has_no_contradiction() {
    assert_eq!(found("", &complete()), []);
    let both = "[data]\nforbidden_laws = [\"CN\"]\n[keys]\nallowed_laws = [\"CH\", \"US\"]\nforbidden_blocs = [\"Five-Eyes\"]\n";
    assert_eq!(
        found(both, &complete()),
        [],
        "one law outside the blocs, and one host outside the law, are enough"
    );
}

#[test]
fn allowed_laws_that_all_lie_in_forbidden_blocs() {
    for section in ["data", "keys"] {
        let text =
            format!("[{section}]\nallowed_laws = [\"US\", \"GB\"]\nforbidden_blocs = [\"Five-Eyes\"]\n");
        assert!(found(&text, &complete()).contains(&C::LawsInForbiddenBlocs { section }), "{section}");
        let one_left = text.replace("GB", "CH");
        assert!(!found(&one_left, &complete()).contains(&C::LawsInForbiddenBlocs { section }), "{section}");
    }
}

#[test]
fn keys_that_no_recipient_may_hold() {
    for terms in ["allowed_countries = [\"FR\"]", "forbidden_laws = [\"CH\"]"] {
        let text = format!("[keys]\n{terms}\n");
        assert_eq!(found(&text, &complete()), [C::NoRecipientAllowed], "{terms}");
        let mut more = complete();
        more.principals.push(roster_principal(Role::Recipient, "second", "FR", "FR"));
        more.principals.sort_by(|a, b| a.name.cmp(&b.name));
        assert_eq!(found(&text, &more), [], "{terms}");
    }
    // Not its own law but that of whoever pushes code to it.
    let mut pushed = complete();
    pushed.principals.push(roster_principal(Role::Vendor, "vendor", "CN", "CN"));
    pushed.principals.sort_by(|a, b| a.name.cmp(&b.name));
    let text = "[keys]\nforbidden_laws = [\"CN\"]\n";
    assert_eq!(found(text, &pushed), []);
    pushed.principals.iter_mut().find(|p| p.name == "reader").unwrap().pushes_code =
        vec!["vendor".to_owned()];
    assert_eq!(found(text, &pushed), [C::NoRecipientAllowed]);
    pushed.principals.iter_mut().find(|p| p.name == "vendor").unwrap().law = "US".parse().unwrap();
    let only = |laws: &str| found(&format!("[keys]\nallowed_laws = [{laws}]\n"), &pushed);
    assert_eq!(only("\"CH\", \"FR\""), [C::NoRecipientAllowed]);
    assert_eq!(only("\"CH\", \"US\""), []);
}

#[test]
fn a_host_that_must_hold_where_data_may_not_be() {
    let of = |host: &str, law: &str| {
        let policy = POLICY.replace("[stored]", &format!("[stored]\nhosts = [\"{}\"]", hex(host)));
        let policy = policy.replace("quorum = 2", "quorum = 1");
        let policy = Policy::parse(&format!("{policy}[data]\nforbidden_laws = [\"{law}\"]\n")).unwrap();
        policy.contradictions(&RosterSummary { roster: &complete(), blocs: &Blocs::shipped() })
    };
    assert!(matches!(of("other host", "CN")[..], [C::HostForbidden { .. }]), "{:?}", of("other host", "CN"));
    assert_eq!(of("host", "CN"), []);
    assert!(matches!(of("host", "US")[..], [C::HostForbidden { .. }]));
    assert!(matches!(of("nobody", "CN")[..], [C::UnknownHost { .. }]));
}

/// N2: a quorum above the roster's witnesses, a bloc that nobody defined, data that no host may hold.
#[test]
fn n2_what_the_roster_and_its_blocs_do_not_have() {
    let (roster, blocs) = (complete(), Blocs::shipped());
    let of = |policy: &str| {
        let policy = Policy::parse(policy).unwrap();
        policy.contradictions(&RosterSummary { roster: &roster, blocs: &blocs })
    };
    assert_eq!(of(POLICY), [C::Quorum { quorum: 2, witnesses: 1 }]);
    for section in ["data", "keys"] {
        let named = |bloc: &str| found(&format!("[{section}]\nforbidden_blocs = [\"{bloc}\"]\n"), &roster);
        assert_eq!(named("Atlantis"), [C::UnknownBloc { bloc: "Atlantis".to_owned() }], "{section}");
        assert!(!named("Five-Eyes").iter().any(|c| matches!(c, C::UnknownBloc { .. })), "{section}");
    }
    assert_eq!(found("[data]\nallowed_countries = [\"SE\"]\n", &roster), [C::NoHostAllowed]);
    assert_eq!(found("[data]\nallowed_countries = [\"SE\", \"FR\"]\n", &roster), []);
}
