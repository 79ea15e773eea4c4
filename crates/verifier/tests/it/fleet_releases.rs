//! Releases on record: whoever was given enough shares is a way to the key; they acquit nobody, being no more than custodians' word.

use bailiwick_custody::{Dealing, ReleaseEntry, ReleaseRecord};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::dossier::Logged;
use bailiwick_protocol::envelope::{Envelope, Kem};
use bailiwick_protocol::labels::Label;
use bailiwick_roster::{Principal, Role};
use bailiwick_verifier::{AssumptionCode, Claim, ReasonCode, Verdict};

use crate::fleet_custodians_left::recipient;
use crate::fleet_custody::{
    CUSTODY, NOTARIES, custody, deal_to_all, nobody, run_by_the_hosts_firm, scene, secret,
};
use crate::fleet_world::{FleetScene, POLICY, held_by, key_id, opened_by, roster_principal, x25519};

use ReasonCode as C;
use Verdict::{Inconclusive, Refuted, Supported};

fn alone(e: &mut Envelope) {
    deal_to_all(e, 3);
    e.recipients.clear();
}

fn fingerprint(name: &str) -> [u8; 32] {
    Label::Fingerprint.hash(&[&Kem::X25519.id().to_le_bytes()[..], &x25519(name)].concat())
}

/// Four of five recover it: two of one firm block.
fn four_of_five(e: &mut Envelope) {
    deal_to_all(e, 4);
    e.recipients.clear();
}

fn record(i: usize, signer: usize, requester: &str) -> ReleaseEntry {
    record_of(held_by("other host").remove(0), alone, i, signer, requester)
}

/// The word of notary `i`, signed by notary `signer`, that it released its share of an object that `dealt` deals.
fn record_of(
    mut e: Envelope,
    dealt: fn(&mut Envelope),
    i: usize,
    signer: usize,
    requester: &str,
) -> ReleaseEntry {
    dealt(&mut e);
    let dealing = Dealing::from_bytes(&e.custody.unwrap().dealing).unwrap();
    let said = ReleaseRecord {
        dealing: dealing.digest(),
        point: u16::try_from(i + 1).unwrap(),
        requester: fingerprint(requester),
        nonce: [u8::try_from(i).unwrap(); 32],
        release: [9; 32],
        released_unix_ms: 1_700_000_000_000,
    };
    said.sign(&secret(NOTARIES[signer].0))
}

#[track_caller]
fn judged(s: FleetScene, records: &[ReleaseEntry], claim: Claim) -> (Verdict, C) {
    let (mut dossier, s) = s.dossier();
    // The proof is the log's business: what custodians signed counts against them either way.
    let logged = |e: &ReleaseEntry| Logged { entry: e.to_bytes(), proof: b"proof".to_vec() };
    dossier.announced.extend(records.iter().map(logged));
    dossier.sort();
    let report = s.verify_bytes(&dossier.to_bytes()).unwrap();
    let c = report.claim(claim);
    (c.verdict, c.reasons[0].code)
}

fn with_heir(role: Role, provider: Option<&'static str>) -> impl Fn(&mut Vec<Principal>) {
    move |list| {
        let mut p = roster_principal(Role::Recipient, "heir", "CH", "CH");
        p.role = role;
        p.provider = provider.map(str::to_owned);
        list.push(p);
    }
}

/// Two of three needed are nothing; three make whoever holds the key a way to it: unknown, known, or in a power's reach.
#[test]
fn enough_releases_to_one_key_are_a_way_to_the_object() {
    assert!(CUSTODY.contains("provider"));
    let three: Vec<_> = (0..3).map(|i| record(i, i, "heir")).collect();
    let on = |people: &dyn Fn(&mut Vec<Principal>), records: &[ReleaseEntry]| {
        judged(custody(alone, people), records, Claim::Custody)
    };
    assert_eq!(on(&nobody, &[]), (Supported, C::KeyShared));
    assert_eq!(on(&nobody, &three[..2]), (Supported, C::KeyShared));
    assert_eq!(on(&nobody, &three), (Inconclusive, C::RecipientUnknown));
    assert_eq!(on(&with_heir(Role::Recipient, None), &three), (Supported, C::KeyShared));
    let of_a_firm = with_heir(Role::Recipient, Some("Heir Cloud"));
    assert_eq!(on(&of_a_firm, &three[..2]), (Supported, C::KeyShared));
    assert_eq!(on(&of_a_firm, &three), (Refuted, C::PowerReachesKey));
    let opaque = |records: &[ReleaseEntry]| {
        judged(scene(alone, with_heir(Role::Vendor, None)), records, Claim::Opaque).0
    };
    assert_ne!(opaque(&three[..2]), Refuted);
    assert_eq!(opaque(&three), Refuted);
}

/// Only custodians speak of their releases: one that signs for others, or twice, says nothing of theirs.
#[test]
fn records_that_custodians_did_not_sign_say_nothing() {
    let forged: Vec<_> = (0..3).map(|i| record(i, 0, "heir")).collect();
    assert_eq!(judged(custody(alone, nobody), &forged, Claim::Custody), (Supported, C::KeyShared));
    let different = [record(0, 0, "heir"), record(1, 1, "heir"), record(2, 2, "other heir")];
    assert_eq!(judged(custody(alone, nobody), &different, Claim::Custody), (Supported, C::KeyShared));
    // Nor do records take anything from what the log shows.
    assert_eq!(judged(custody(alone, nobody), &forged, Claim::Logged).0, Supported);
}

/// V39: a verdict in which such records count says so, and that log proofs of them were not checked; one in which none does, does not.
#[test]
fn verdicts_say_when_records_of_releases_count() {
    let said = |records: &[ReleaseEntry], claim: Claim| {
        let mut s = scene(alone, with_heir(Role::Recipient, Some("Heir Cloud")));
        s.policy = format!("{POLICY}{CUSTODY}[survivable]\nlose = [\"law\"]\n");
        let (mut dossier, s) = s.dossier();
        let logged = |e: &ReleaseEntry| Logged { entry: e.to_bytes(), proof: b"proof".to_vec() };
        dossier.announced.extend(records.iter().map(logged));
        dossier.sort();
        let report = s.verify_bytes(&dossier.to_bytes()).unwrap();
        let c = report.claim(claim).assumptions.iter().find(|a| a.code == AssumptionCode::ReleaseRecordsTrue);
        c.map(|a| a.text.clone())
    };
    let three: Vec<_> = (0..3).map(|i| record(i, i, "heir")).collect();
    let forged: Vec<_> = (0..3).map(|i| record(i, 0, "heir")).collect();
    for claim in [Claim::Opaque, Claim::Custody, Claim::Survivable] {
        let text = said(&three, claim).unwrap();
        assert!(text.contains("log proofs were not checked"), "{text}");
        for none in [&[][..], &three[..2], &forged] {
            assert_eq!(said(none, claim), None, "{claim}");
        }
    }
}

/// Records that four of five released every object to the heir.
fn all_to_the_heir() -> Vec<ReleaseEntry> {
    let envelopes = ["host", "other host"].into_iter().flat_map(held_by);
    envelopes.flat_map(|e| (0..4).map(move |i| record_of(e.clone(), four_of_five, i, i, "heir"))).collect()
}

/// Nothing shows that a release took place: custodians' records do not leave an heir where a power leaves too few custodians.
#[test]
fn records_of_releases_do_not_acquit() {
    let heir = with_heir(Role::Recipient, None);
    let firm = |n: usize| {
        let heir = &heir;
        move |list: &mut Vec<Principal>| {
            heir(list);
            run_by_the_hosts_firm(n)(list);
        }
    };
    let records = all_to_the_heir();
    let on =
        |n: usize, records: &[ReleaseEntry]| judged(custody(four_of_five, firm(n)), records, Claim::Custody);
    assert_eq!(on(0, &records), (Supported, C::KeyShared));
    assert_eq!(on(2, &[]), (Refuted, C::PowerTakesAll));
    assert_eq!(on(2, &records), (Refuted, C::PowerTakesAll));
    let survivable = |n: usize, records: &[ReleaseEntry]| {
        let mut s = scene(four_of_five, firm(n));
        s.policy = format!("{POLICY}[survivable]\nlose = [\"provider\"]\n");
        judged(s, records, Claim::Survivable)
    };
    assert_eq!(survivable(0, &records).0, Inconclusive);
    assert_eq!(survivable(2, &[]), (Refuted, C::PowerTakesAll));
    assert_eq!(survivable(2, &records), (Refuted, C::PowerTakesAll));
}

/// Nor do they make the heir one who may say that it opened the objects.
#[test]
fn records_of_releases_appoint_no_opener() {
    let said_by_the_heir = |each: fn(&mut Envelope)| {
        let mut s = scene(each, with_heir(Role::Recipient, None));
        let envelopes = ["host", "other host"].into_iter().flat_map(held_by);
        s.opened = envelopes
            .map(|mut e| {
                each(&mut e);
                opened_by("heir", &e)
            })
            .collect();
        s
    };
    let named = |e: &mut Envelope| {
        four_of_five(e);
        recipient(e, Some(key_id(Kem::X25519, &x25519("heir"))));
    };
    assert_eq!(judged(said_by_the_heir(named), &[], Claim::Opaque), (Supported, C::Opened));
    let records = all_to_the_heir();
    assert_eq!(judged(said_by_the_heir(four_of_five), &records, Claim::Opaque), (Inconclusive, C::NotOpened));
}
