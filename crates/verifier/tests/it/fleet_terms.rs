//! Terms of *stored* over a fleet: the month, age, what was sampled, what was left open.

use bailiwick_protocol::envelope::Envelope;
use bailiwick_verifier::{Claim, ReasonCode as C, Scope, Standing, Verdict};

use crate::beacon_chain::published;
use crate::fleet_world::{EPOCHS, FleetScene, POLICY, now, object, round_of, standing};

use Verdict::{Inconclusive, Supported};

/// P02: chances of the month are those of its audits together: 1 - (1 - f)^(S·n).
#[test]
fn p02_detection_is_compounded_over_the_month() {
    let report = FleetScene::honest().report();
    for host in &report.fleet.hosts {
        let half = |list: &[bailiwick_verifier::ScopeDetection]| {
            let all = list.iter().find(|s| s.scope == Scope::All).unwrap();
            all.losses.iter().find(|d| d.lost_fraction == 0.5).unwrap().probability
        };
        assert_eq!((half(&host.audit_detection), half(&host.month_detection)), (0.5, 0.875));
        assert_eq!(host.month_audits, EPOCHS);
    }
    let mut s = FleetScene::honest();
    s.policy = POLICY.replace("min_detection_month = 0.6", "min_detection_month = 0.88");
    s.expect(Claim::Stored, Inconclusive, C::DetectionBelowPolicy);
    let mut s = FleetScene::honest();
    s.policy = POLICY.replace("max_age_hours = 24\n", "max_age_hours = 720\nepochs = 4\n");
    s.policy = s.policy.replace("max_checkpoint_age_hours = 2", "max_checkpoint_age_hours = 720");
    s.expect(Claim::Stored, Inconclusive, C::TooFewAudits);
}

/// T13: the last audit that held is too old; a host without any is not shown.
#[test]
fn t13_stale_or_absent_hosts_are_not_shown() {
    let mut s = FleetScene::honest();
    s.now = now() + 24 * 3_600_000;
    s.expect(Claim::Stored, Inconclusive, C::Stale);
    let mut s = FleetScene::honest();
    let host = s.schedule.hosts[0].host;
    s.audits.retain(|a| a.outcome.as_ref().unwrap().host != host);
    s.expect(Claim::Stored, Inconclusive, C::HostNotShown);
}

/// Named objects that no audit sampled are not shown.
#[test]
fn objects_the_policy_names_must_have_been_sampled() {
    let named = |object: &str| {
        let mut s = FleetScene::honest();
        let owner = crate::world::hex("alice");
        s.policy = format!("{POLICY}[[objects]]\nclaims = [\"stored\"]\nobjects = [\"{owner}/{object}\"]\n");
        s
    };
    // Its own host's audits all count; the other host holds nothing that does.
    let c = named(&"77".repeat(16)).report().claim(Claim::Stored).clone();
    assert_eq!(c.verdict, Inconclusive);
    assert!(c.reasons.iter().any(|r| r.code == C::ObjectNotSampled), "{:#?}", c.reasons);
}

/// V32: *supported* says how old the evidence may be, and that of what is named it may be older.
#[test]
fn support_says_how_old_the_evidence_is() {
    let text = |more: &str| {
        let mut s = FleetScene::honest();
        s.policy = format!("{POLICY}{more}");
        s.expect(Claim::Stored, Supported, C::ProofVerifies).reasons[0].text.clone()
    };
    let (alice, bob) = (crate::world::hex("alice"), crate::world::hex("bob"));
    let rule = format!("[[objects]]\nclaims = [\"stored\"]\nowners = [\"{alice}\", \"{bob}\"]\n");
    for text in [text(""), text(&rule)] {
        assert!(text.contains("the newest of each host at most 24.0 h ago"), "{text}");
    }
    assert!(text(&rule).contains("named were sampled within 30 days"), "{}", text(&rule));
    assert!(!text("").contains("named"), "{}", text(""));
}

/// The newest audit is that of the newest round, whatever the digests of the bundles.
#[test]
fn the_cells_shown_are_those_of_the_newest_audit() {
    for step in [7_000, 10_000, 13_000] {
        let report = FleetScene::over_time(|_, epoch| {
            vec![object("alice", 1, step * usize::try_from(epoch).unwrap(), &[Some("reader")])]
        })
        .report();
        for host in &report.fleet.hosts {
            let cells = |list: &[bailiwick_verifier::ScopeDetection]| list[0].cells;
            assert_eq!(cells(&host.month_detection), cells(&host.audit_detection), "{step}");
        }
    }
}

/// The host whose chances are shown is the one where the policy's loss is noticed least in the policy's scope.
#[test]
fn the_weakest_host_is_weakest_in_the_policys_scope() {
    let mut hosts = crate::fleet_world::HOSTS;
    hosts.sort_by_key(|h| crate::world::key(h).public());
    let mut shown = Vec::new();
    for mixed in hosts {
        let mut s = FleetScene::with(|host| {
            let other = if host == mixed { "bob" } else { "alice" };
            vec![object("alice", 1, 20_000, &[Some("reader")]), object(other, 2, 20_000, &[Some("reader")])]
        });
        s.policy = stored_only().replace("[stored]\n", "[stored]\nscope = \"owner\"\n");
        let report = s.report();
        let key = crate::world::hex(mixed);
        let weakest = report.fleet.hosts.iter().find(|h| h.key.to_string() == key).unwrap();
        let owners = weakest.month_detection.iter().filter(|s| s.scope == Scope::Owner).count();
        shown.push(owners > 1);
        if owners > 1 {
            let numbers = &report.claim(Claim::Stored).numbers;
            assert_eq!(format!("{:?}", numbers.month_detection), format!("{:?}", weakest.month_detection));
        }
    }
    assert!(shown[1], "the seed of the scene must sample both owners: {shown:?}");
}

/// The policy of the scene without its other claims.
fn stored_only() -> String {
    POLICY.replace("require = [\"stored\", \"logged\", \"opaque\"]", "require = [\"stored\"]")
}

/// P16: a host, or its auditor, that lets audits come to nothing picks those that count: one scheduled audit of the month that neither
/// held nor failed, or that the dossier does not show, leaves *stored* open, and adds to no chance.
#[test]
fn p16_audits_left_open_within_the_month_are_not_passed_over() {
    let unrelated = || {
        let mut s = FleetScene::honest();
        s.policy = stored_only().replace("max_age_hours = 24", "max_age_hours = 800");
        s.audits[0].bundle.answer = s.audits[2].bundle.answer.clone();
        s.outcomes();
        s
    };
    let report = unrelated().report();
    let stored = report.claim(Claim::Stored);
    assert_eq!((stored.verdict, stored.reasons[0].code), (Inconclusive, C::AuditsLeftOpen));
    assert!(stored.reasons[0].text.contains("epoch 1"), "{}", stored.reasons[0].text);
    assert_eq!(report.exit_code, 2);
    let months: Vec<u64> = report.fleet.hosts.iter().map(|h| h.month_audits).collect();
    assert_eq!(months.iter().sum::<u64>(), 5);
    // Exactly thirty days after its round it is of the month still, a moment later no more.
    let month = 30 * 24 * 3_600_000;
    for (more, verdict) in [(0, Inconclusive), (1, Supported)] {
        let mut s = unrelated();
        s.now = published(round_of(1)) + month + more;
        assert_eq!(s.report().claim(Claim::Stored).verdict, verdict, "{more}");
    }
    // Left out of the dossier altogether.
    let mut s = FleetScene::honest();
    s.policy = stored_only();
    s.audits.remove(0);
    let report = s.report();
    assert_eq!(report.claim(Claim::Stored).reasons[0].code, C::AuditsLeftOpen);
    assert_eq!(report.exit_code, 2);
}

/// P12: how long an answer took is what witnesses saw, not what the auditor says; a minute is left to enter the outcome.
#[test]
fn p12_the_witnesses_clocks_bound_the_answer() {
    for (seconds, late) in [(159, false), (160, true)] {
        let mut s = FleetScene::honest();
        s.policy =
            stored_only().replace("max_age_hours = 24", "max_age_hours = 24\nmax_answer_seconds = 100");
        s.audits[5].logged_ms = published(round_of(EPOCHS)) + seconds * 1_000;
        let report = s.report();
        assert_eq!(report.fleet.audits.late, u64::from(late), "{seconds}");
        let stored = report.claim(Claim::Stored);
        if late {
            assert_eq!(standing(&report, Standing::Late), [C::AnswerLate]);
            assert_eq!((stored.verdict, stored.reasons[0].code), (Inconclusive, C::AuditsLeftOpen));
        } else {
            assert_eq!(stored.verdict, Supported);
        }
        // In time for its schedule.
        assert_eq!(report.claim(Claim::Logged).verdict, Supported);
    }
    // A policy without a limit: no answer takes longer than evidence is fresh.
    for (seconds, late) in [(7_199, 0), (7_200, 1)] {
        let mut s = FleetScene::honest();
        s.policy = stored_only().replace("max_age_hours = 24", "max_age_hours = 2");
        s.reschedule(|schedule| schedule.answer_ms = 40 * 24 * 3_600_000);
        s.audits[0].logged_ms = published(round_of(1)) + seconds * 1_000;
        assert_eq!(s.report().fleet.audits.late, late, "{seconds}");
    }
}

/// P12: a schedule that gives outcomes longer than the policy lets the log go unseen hides gaps of that time.
#[test]
fn p12_a_deadline_beyond_the_checkpoints_age_is_not_supported() {
    let with = |answer_ms: u64| {
        let mut s = FleetScene::honest();
        s.reschedule(|schedule| schedule.answer_ms = answer_ms);
        s
    };
    let two_hours = 2 * 3_600_000;
    with(two_hours).expect(Claim::Logged, Supported, C::ScheduleComplete);
    let report = with(two_hours + 1).report();
    let logged = report.claim(Claim::Logged);
    assert_eq!(logged.verdict, Inconclusive);
    assert!(logged.reasons.iter().any(|r| r.code == C::DeadlineTooLong), "{:#?}", logged.reasons);
}

/// P12: nor is *stored* by itself, when the schedule gives longer than evidence may be old: missing audits of that time are invisible.
#[test]
fn p12_a_deadline_beyond_the_age_of_evidence_leaves_stored_open() {
    let with = |answer_ms: u64| {
        let mut s = FleetScene::honest();
        s.policy = stored_only();
        s.reschedule(|schedule| schedule.answer_ms = answer_ms);
        s
    };
    let day = 24 * 3_600_000;
    assert_eq!(with(day).report().claim(Claim::Stored).verdict, Supported);
    with(day + 1).expect(Claim::Stored, Inconclusive, C::DeadlineTooLong);
}

/// P02: a policy about any single object is not met by the large ones that the samples found: those never sampled may be smaller.
#[test]
fn p02_any_single_object_needs_all_sampled_or_named() {
    let policy = stored_only()
        .replace("[stored]\n", "[stored]\nscope = \"object\"\n")
        .replace("min_detection = 0.4\n", "min_detection = 0.0001\n")
        .replace("min_detection_month = 0.6\n", "");
    let with = |small: u8| {
        let mut s = FleetScene::with(|host| {
            let mut list = vec![object("alice", 1, 120_000, &[Some("reader")])];
            if host == "host" {
                list.extend((0..small).map(|i| object("bob", 10 + i, 496, &[Some("reader")])));
            }
            list.sort_by_key(Envelope::name);
            list
        });
        s.policy.clone_from(&policy);
        s
    };
    assert_eq!(with(0).report().claim(Claim::Stored).verdict, Supported);
    with(20).expect(Claim::Stored, Inconclusive, C::ObjectNotSampled);
    let mut s = with(20);
    let large = format!("{}/{}", crate::world::hex("alice"), "01".repeat(16));
    s.policy += &format!("[[objects]]\nclaims = [\"stored\"]\nobjects = [\"{large}\"]\n");
    assert_eq!(s.report().claim(Claim::Stored).verdict, Supported);
    // Other scopes say nothing of single objects.
    let mut s = with(20);
    s.policy = policy.replace("scope = \"object\"", "scope = \"all\"");
    assert_eq!(s.report().claim(Claim::Stored).verdict, Supported);
}

/// A policy about any single object, with both hosts' objects by epoch.
fn single_objects(held: impl Fn(u64) -> Vec<u8>) -> FleetScene {
    let mut s = FleetScene::over_time(|host, epoch| match host {
        "host" => held(epoch).into_iter().map(|id| object("alice", id, 20_000, &[Some("reader")])).collect(),
        _ => vec![object("bob", 1, 20_000, &[Some("reader")])],
    });
    s.policy = stored_only()
        .replace("[stored]\n", "[stored]\nscope = \"object\"\n")
        .replace("min_detection = 0.4\n", "min_detection = 0.0001\n")
        .replace("min_detection_month = 0.6\n", "");
    s
}

/// P02: objects that came and went count for none of those that are there now: what was sampled of the newest list itself does.
#[test]
fn p02_turnover_of_objects_does_not_stand_for_those_listed_now() {
    // Three audits of one sample; the scene's seed samples both objects of a list that stays.
    let report = single_objects(|_| vec![1, 2]).report();
    let sampled = |r: &bailiwick_verifier::FleetReport| {
        let c = r.claim(Claim::Stored);
        (c.verdict, c.reasons[0].code)
    };
    assert_eq!(sampled(&report), (Supported, C::ProofVerifies), "the seed of the scene must sample both");
    // Names of three lists, as many as the newest has and more; of its own two, one was sampled.
    let report =
        single_objects(|epoch| if epoch < EPOCHS { vec![u8::try_from(epoch).unwrap()] } else { vec![8, 9] })
            .report();
    assert_eq!(sampled(&report), (Inconclusive, C::ObjectNotSampled));
}

/// P02: a named object that was sampled more than a month ago, and is on no newer list, is not shown any more.
#[test]
fn p02_a_named_object_must_have_been_sampled_within_the_month() {
    let month = 30 * 24 * 3_600_000;
    for (more, shown) in [(0, true), (1, false)] {
        let mut s = single_objects(|epoch| if epoch == 1 { vec![7] } else { vec![8] });
        let name = |id: u8| format!("{}/{}", crate::world::hex("alice"), hex::encode([id; 16]));
        s.policy = s.policy.replace("max_age_hours = 24", "max_age_hours = 800");
        s.policy +=
            &format!("[[objects]]\nclaims = [\"stored\"]\nobjects = [\"{}\", \"{}\"]\n", name(7), name(8));
        s.now = published(round_of(1)) + month + more;
        let reasons = s.report().claim(Claim::Stored).reasons.clone();
        let lost = reasons.iter().any(|r| r.code == C::ObjectNotSampled && r.text.contains(&name(7)));
        assert_eq!(lost, !shown, "{more}: {reasons:#?}");
    }
}
