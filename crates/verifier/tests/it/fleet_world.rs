//! A fleet: two hosts audited over three epochs on schedule, with log, witnesses, beacon and roster, before it is judged.

use std::collections::BTreeMap;

use bailiwick_possession::challenge::sampled;
use bailiwick_possession::inventory::InventoryTree;
use bailiwick_protocol::bundle::{Answer, Bundle, InventoryEvidence, SignedBundle};
use bailiwick_protocol::challenge::{Challenge, Response, SignedChallenge, SignedResponse, Target};
use bailiwick_protocol::codec::Canonical;
use bailiwick_protocol::dossier::{Dossier, LoggedAudit, Opened, SignedOpened};
use bailiwick_protocol::envelope::{self, Envelope, Kem, RecipientEntry, SignedEnvelope};
use bailiwick_protocol::ids::{AuditorKey, ClassId, HostKey, Nonce, OpenerKey, RosterKey};
use bailiwick_protocol::inventory::{Inventory, SignedInventory};
use bailiwick_protocol::labels::Label;
use bailiwick_protocol::schedule::{
    EpochCommitment, LogEntry, Offered, Outcome, Schedule, ScheduledHost, SignedEpochCommitment,
    SignedOutcome, SignedSchedule, hash_of_nonce,
};
use bailiwick_roster::{Blocs, Country, KeyKind, Parent, Principal, PublicKey, Role, Roster, SignedRoster};
use bailiwick_verifier::{
    Claim, ClaimReport, DossierInputs, FleetReport, ReasonCode, Standing, Unusable, Verdict, verify_dossier,
};

use crate::beacon_chain::{self, published};
use crate::test_log::{self, TestLog};
use crate::world::{
    anchored_key, auditors_trapdoor, envelope, hex, key, principals, set_up_by, signed_envelope,
};

pub(crate) const EPOCHS: u64 = 3;
/// Rounds between epochs: an hour.
pub(crate) const PERIOD: u64 = 3600;
pub(crate) const FIRST_ROUND: u64 = 10_000;
pub(crate) const ANSWER_MS: u64 = 600_000;
pub(crate) const HOSTS: [&str; 2] = ["host", "other host"];

pub(crate) fn round_of(epoch: u64) -> u64 {
    FIRST_ROUND + (epoch - 1) * PERIOD
}

/// Half an hour after the last epoch's round.
pub(crate) fn now() -> u64 {
    published(round_of(EPOCHS)) + 1_800_000
}

pub(crate) const POLICY: &str = r#"version = 1
name = "fleet"
require = ["stored", "logged", "opaque"]
[stored]
lost_fraction = 0.5
min_detection = 0.4
min_detection_month = 0.6
max_age_hours = 24
[logged]
quorum = 2
max_checkpoint_age_hours = 2
[opaque]
opened_by = ["recipient", "auditor"]
forbidden_laws = ["CN"]
"#;

/// One audit before it is signed.
#[derive(Clone)]
pub(crate) struct Audit {
    pub(crate) bundle: Bundle,
    /// What it says in the log; none: not logged.
    pub(crate) outcome: Option<Outcome>,
    /// When the log has it, milliseconds.
    pub(crate) logged_ms: u64,
}

/// Everything before it is signed and logged.
pub(crate) struct FleetScene {
    pub(crate) policy: String,
    pub(crate) anchors: String,
    pub(crate) schedule: Schedule,
    pub(crate) announced_ms: u64,
    /// By epoch: the commitment and when the log has it.
    pub(crate) commitments: Vec<(EpochCommitment, u64)>,
    pub(crate) audits: Vec<Audit>,
    pub(crate) inventories: Vec<SignedInventory>,
    pub(crate) opened: Vec<SignedOpened>,
    pub(crate) roster: Option<Roster>,
    pub(crate) readers_roster: Option<Vec<u8>>,
    pub(crate) log: TestLog,
    /// When the log was last seen, after the last deadline: the auditor announced its next schedule then.
    pub(crate) closed_ms: u64,
    pub(crate) now: u64,
}

pub(crate) fn key_id(kem: Kem, key: &[u8]) -> [u8; 8] {
    *Label::Fingerprint.hash(&[kem.id().to_le_bytes().as_slice(), key].concat()).first_chunk().unwrap()
}

/// X25519 key of a recipient.
pub(crate) fn x25519(name: &str) -> [u8; 32] {
    *blake3::hash(format!("x25519 of {name}").as_bytes()).as_bytes()
}

/// An object of alice or bob whose recipients are these.
pub(crate) fn object(owner: &str, id: u8, size: usize, recipients: &[Option<&str>]) -> Envelope {
    let mut e = envelope(owner, id, size);
    e.recipients = recipients
        .iter()
        .enumerate()
        .map(|(i, r)| RecipientEntry {
            kem: Kem::X25519,
            key_id: r.map(|r| key_id(Kem::X25519, &x25519(r))),
            enc: vec![u8::try_from(i).unwrap(); 32],
            ciphertext: vec![u8::try_from(i).unwrap(); 48],
            role: envelope::Role::FileKey,
        })
        .collect();
    e
}

pub(crate) fn held_by(host: &str) -> Vec<Envelope> {
    let mut list = match host {
        "host" => {
            vec![object("alice", 1, 20_000, &[Some("reader")]), object("bob", 3, 9_000, &[Some("reader")])]
        }
        _ => vec![object("alice", 2, 30_000, &[Some("reader")])],
    };
    list.sort_by_key(Envelope::name);
    list
}

pub(crate) fn roster_principal(role: Role, name: &str, country: &str, law: &str) -> Principal {
    let mut keys = vec![PublicKey { kind: KeyKind::Ed25519, public: key(name).public().to_vec() }];
    if role == Role::Recipient {
        keys.push(PublicKey { kind: KeyKind::X25519, public: x25519(name).to_vec() });
    }
    if matches!(role, Role::Gateway | Role::Vendor) {
        keys.clear();
    }
    Principal {
        name: name.to_owned(),
        role,
        keys,
        provider: None,
        site: None,
        coordinates: None,
        country: country.parse::<Country>().unwrap(),
        law: law.parse().unwrap(),
        parent: None,
        pushes_code: Vec::new(),
        valid_from_unix_ms: 1,
        valid_until_unix_ms: 4_000_000_000_000,
    }
}

pub(crate) fn roster() -> Roster {
    let mut host = roster_principal(Role::Host, "host", "JP", "US");
    host.provider = Some("Example Cloud".to_owned());
    host.parent = Some(Parent { name: None, law: "US".parse().unwrap() });
    let mut other = roster_principal(Role::Host, "other host", "FR", "CN");
    other.provider = Some("Other Cloud".to_owned());
    let mut principals = vec![
        roster_principal(Role::Owner, "alice", "CH", "CH"),
        roster_principal(Role::Owner, "bob", "NO", "NO"),
        roster_principal(Role::Recipient, "reader", "CH", "CH"),
        host,
        other,
    ];
    principals.sort_by(|a, b| a.name.cmp(&b.name));
    let text = format!(
        "format = 1\nname = \"test roster\"\nnumber = 7\nissued = 1970-01-01T00:00:01Z\nvalid_until = 2096-10-02T00:00:00Z\n\
         [[principal]]\nname = \"alice\"\nrole = \"owner\"\ncountry = \"CH\"\nlaw = \"CH\"\n\
         keys = [{{ kind = \"ed25519\", public = \"{}\" }}]\n",
        hex("alice")
    );
    let mut roster =
        Roster::parse(&text, RosterKey(key("authority").public()), Blocs::shipped().digest()).unwrap();
    roster.principals = principals;
    roster
}

pub(crate) fn nonce(epoch: u64) -> Nonce {
    Nonce(*blake3::hash(format!("nonce {epoch}").as_bytes()).as_bytes())
}

pub(crate) fn inventory_of(host: &str, epoch: u64, held: &[Envelope]) -> (InventoryTree, Inventory) {
    let tree = InventoryTree::new(held.iter().map(|e| Target::of(e).unwrap()).collect()).unwrap();
    let t = tree.target();
    let inventory = Inventory {
        host: HostKey(key(host).public()),
        epoch,
        root: t.root,
        leaves: t.leaves,
        cells: t.cells,
        made_unix_ms: published(round_of(epoch)) - 300_000,
    };
    (tree, inventory)
}

/// Answers a challenge over the inventory with a proof.
pub(crate) fn audit(
    host: &str,
    challenge: &Challenge,
    held: &[Envelope],
    inventory: &Inventory,
    tree: &InventoryTree,
) -> Bundle {
    let leaves = tree.sample(challenge).unwrap();
    let envelopes: Vec<SignedEnvelope> =
        leaves.iter().map(|l| signed(&held[usize::try_from(l.index).unwrap()])).collect();
    let sampled = sampled(challenge, &leaves).unwrap();
    let proof = auditors_trapdoor().forge_sampled(challenge, &sampled);
    let asked = published(round_of(challenge.epoch)) + 2_000;
    Bundle {
        auditor: AuditorKey(key("auditor").public()),
        challenge: SignedChallenge::new(challenge, &key("auditor")),
        envelopes,
        inventory: Some(InventoryEvidence { inventory: SignedInventory::new(inventory, &key(host)), leaves }),
        answer: Answer::Response(SignedResponse::new(
            &Response { challenge: challenge.digest(), outcome: Ok(proof.to_vec()) },
            &key(host),
        )),
        ranges: Vec::new(),
        asked_unix_ms: asked,
        answered_unix_ms: asked + 3_000,
    }
}

/// Signs an envelope of any owner of the tests.
pub(crate) fn signed(e: &Envelope) -> SignedEnvelope {
    match ["mallory"].into_iter().find(|n| key(n).public() == e.owner.0) {
        Some(n) => SignedEnvelope::new(e, &key(n)),
        None => signed_envelope(e),
    }
}

pub(crate) fn challenge(host: &str, epoch: u64, inventory: &Inventory) -> Challenge {
    challenge_with(host, epoch, inventory, beacon_chain::round(round_of(epoch)))
}

pub(crate) fn challenge_with(
    host: &str,
    epoch: u64,
    inventory: &Inventory,
    beacon: bailiwick_protocol::beacon::BeaconRound,
) -> Challenge {
    Challenge {
        class: ClassId::TINY,
        vk: auditors_trapdoor().verifying_key().digest(),
        host: HostKey(key(host).public()),
        targets: Vec::new(),
        inventory: Some(inventory.target()),
        epoch,
        beacon: Some(beacon),
        auditor: AuditorKey(key("auditor").public()),
        nonce: nonce(epoch),
    }
}

pub(crate) fn opened_by(opener: &str, e: &Envelope) -> SignedOpened {
    let said = Opened {
        opener: OpenerKey(key(opener).public()),
        name: e.name(),
        generation: e.generation,
        blake3: e.body.blake3,
        root: e.commitment.as_ref().map(|c| c.root),
        opened_unix_ms: published(FIRST_ROUND),
    };
    SignedOpened::new(&said, &key(opener))
}

impl FleetScene {
    /// Everybody honest; every object opened by its recipient.
    pub(crate) fn honest() -> Self {
        Self::with(held_by)
    }

    /// Hosts that hold, and list in their inventories, these objects.
    pub(crate) fn with(held: impl Fn(&str) -> Vec<Envelope>) -> Self {
        Self::over_time(|host, _| held(host))
    }

    /// Hosts whose objects are others in each epoch.
    pub(crate) fn over_time(held: impl Fn(&str, u64) -> Vec<Envelope>) -> Self {
        let vk = auditors_trapdoor().verifying_key();
        let mut hosts: Vec<ScheduledHost> = HOSTS
            .iter()
            .map(|h| ScheduledHost { host: HostKey(key(h).public()), class: ClassId::TINY, vk: vk.digest() })
            .collect();
        hosts.sort_by_key(|h| h.host);
        let auditor = AuditorKey(key("auditor").public());
        let schedule = Schedule {
            auditor,
            chain: beacon_chain::chain().hash,
            first_epoch: 1,
            epochs: 1000,
            first_round: FIRST_ROUND,
            rounds_per_epoch: PERIOD,
            answer_ms: ANSWER_MS,
            hosts,
        };
        let (mut commitments, mut audits, mut opened) = (Vec::new(), Vec::new(), Vec::new());
        for epoch in 1..=EPOCHS {
            let mut offered = Vec::new();
            for host in HOSTS {
                let objects = held(host, epoch);
                let (tree, inventory) = inventory_of(host, epoch, &objects);
                let c = challenge(host, epoch, &inventory);
                let bundle = audit(host, &c, &objects, &inventory, &tree);
                offered.push((inventory.host, Offered::Inventory(inventory.digest())));
                let logged_ms = published(round_of(epoch)) + 60_000;
                audits.push(Audit { bundle, outcome: None, logged_ms });
                if epoch == 1 {
                    opened.extend(objects.iter().map(|e| opened_by("reader", e)));
                }
            }
            offered.sort_by_key(|(h, _)| *h);
            let c = EpochCommitment {
                auditor,
                schedule: schedule.digest(),
                epoch,
                nonce: hash_of_nonce(&nonce(epoch)),
                hosts: offered,
            };
            commitments.push((c, published(round_of(epoch)) - 120_000));
        }
        let mut scene = Self {
            policy: POLICY.to_owned(),
            anchors: principals()
                + &anchored_key(vk.digest(), &set_up_by("auditor"))
                + &test_log::anchors(&["w1", "w2", "w3"])
                + &format!("[roster]\nauthority = \"{}\"\n", hex("authority"))
                + &beacon_chain::anchors(),
            schedule,
            announced_ms: published(FIRST_ROUND) - 3_600_000,
            commitments,
            audits,
            inventories: Vec::new(),
            opened,
            roster: Some(roster()),
            readers_roster: None,
            log: TestLog::new(),
            closed_ms: published(round_of(EPOCHS)) + ANSWER_MS + 2_000,
            now: now(),
        };
        scene.outcomes();
        scene
    }

    /// Names each bundle as it is now in its outcome.
    pub(crate) fn outcomes(&mut self) {
        let schedule = self.schedule.digest();
        for a in &mut self.audits {
            let c = a.bundle.challenge.decode_unverified().unwrap();
            let bundle = SignedBundle::new(&a.bundle, &key("auditor")).digest();
            a.outcome = Some(Outcome { auditor: c.auditor, schedule, epoch: c.epoch, host: c.host, bundle });
        }
    }

    /// Announces another schedule, to which all commitments and outcomes belong.
    pub(crate) fn reschedule(&mut self, change: impl Fn(&mut Schedule)) {
        change(&mut self.schedule);
        for (c, _) in &mut self.commitments {
            c.schedule = self.schedule.digest();
        }
        self.outcomes();
    }

    /// Names the bundle of one audit, whose challenge is not its auditor's, as if it were.
    pub(crate) fn outcomes_of(&mut self, at: usize, c: &Challenge) {
        let bundle = SignedBundle::new(&self.audits[at].bundle, &key("auditor")).digest();
        let schedule = self.schedule.digest();
        self.audits[at].outcome =
            Some(Outcome { auditor: c.auditor, schedule, epoch: c.epoch, host: c.host, bundle });
    }

    /// Signs, logs in order of time and collects.
    pub(crate) fn dossier(mut self) -> (Dossier, Self) {
        let auditor = key("auditor");
        let mut entries: Vec<(u64, Vec<u8>, Option<usize>)> = vec![(
            self.announced_ms,
            LogEntry::Schedule(SignedSchedule::new(&self.schedule, &auditor)).to_bytes(),
            None,
        )];
        let next = Schedule { first_round: FIRST_ROUND + 100_000_000, ..self.schedule.clone() };
        let next = LogEntry::Schedule(SignedSchedule::new(&next, &auditor)).to_bytes();
        entries.push((self.closed_ms, next, None));
        for (c, at) in &self.commitments {
            entries.push((*at, LogEntry::Epoch(SignedEpochCommitment::new(c, &auditor)).to_bytes(), None));
        }
        for (i, a) in self.audits.iter().enumerate() {
            if let Some(o) = &a.outcome {
                let entry = LogEntry::Outcome(SignedOutcome::new(o, &auditor)).to_bytes();
                entries.push((a.logged_ms, entry, Some(i)));
            }
        }
        entries.sort_by_key(|(at, ..)| *at);
        let mut dossier = Dossier::default();
        let mut outcomes = BTreeMap::new();
        for (at, entry, audit) in entries {
            let logged = self.log.enter(&[entry], at / 1000).remove(0);
            match audit {
                Some(i) => drop(outcomes.insert(i, logged)),
                None => dossier.announced.push(logged),
            }
        }
        for (i, a) in self.audits.iter().enumerate() {
            let bundle = SignedBundle::new(&a.bundle, &auditor);
            dossier.audits.push(LoggedAudit { bundle, outcome: outcomes.remove(&i) });
        }
        dossier.roster = self.roster.as_ref().map(|r| SignedRoster::new(r, &key("authority")).to_bytes());
        dossier.inventories = self.inventories.clone();
        dossier.opened = self.opened.clone();
        dossier.sort();
        (dossier, self)
    }

    pub(crate) fn verify(self) -> Result<FleetReport, Unusable> {
        let (dossier, scene) = self.dossier();
        scene.verify_bytes(&dossier.to_bytes())
    }

    pub(crate) fn verify_bytes(&self, dossier: &[u8]) -> Result<FleetReport, Unusable> {
        let vk = auditors_trapdoor().verifying_key();
        verify_dossier(&DossierInputs {
            dossier,
            policy: &self.policy,
            anchors: &self.anchors,
            roster: self.readers_roster.as_deref(),
            blocs: None,
            verifying_keys: &BTreeMap::from([(vk.digest(), vk.as_bytes().to_vec())]),
            now_unix_ms: self.now,
        })
    }

    pub(crate) fn report(self) -> FleetReport {
        self.verify().unwrap()
    }

    /// The claim has this verdict, and this is the first reason.
    #[track_caller]
    pub(crate) fn expect(self, claim: Claim, verdict: Verdict, code: ReasonCode) -> ClaimReport {
        let report = self.report();
        let c = report.claim(claim).clone();
        assert_eq!((c.verdict, c.reasons[0].code), (verdict, code), "{:#?}", c.reasons);
        c
    }
}

/// Replaces the question of one audit by a changed one, which the host answers with a proof.
pub(crate) fn ask_again(s: &mut FleetScene, at: usize, change: impl Fn(&mut Challenge)) {
    let old = s.audits[at].bundle.challenge.decode_unverified().unwrap();
    let host = HOSTS.into_iter().find(|h| key(h).public() == old.host.0).unwrap();
    let held = held_by(host);
    let (tree, inventory) = inventory_of(host, old.epoch, &held);
    let mut new = old;
    change(&mut new);
    s.audits[at].bundle = audit(host, &new, &held, &inventory, &tree);
    s.outcomes();
}

pub(crate) fn standing(r: &FleetReport, s: Standing) -> Vec<ReasonCode> {
    let entries = r.fleet.hosts.iter().flat_map(|h| &h.timeline).filter(|e| e.standing == s);
    entries.filter_map(|e| e.why.as_ref().map(|w| w.code)).collect()
}

pub(crate) fn roster_with(
    change: impl Fn(&mut Vec<bailiwick_roster::Principal>),
) -> bailiwick_roster::Roster {
    let mut r = roster();
    change(&mut r.principals);
    r.principals.sort_by(|a, b| a.name.cmp(&b.name));
    r
}
