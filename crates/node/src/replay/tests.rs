use bailiwick_protocol::http_signature::SignatureParameters;

use super::*;

const NOW: u64 = 1_800_000_000;
const ROOM: Capacity = Capacity { total: 100, each: 60 };

fn request(created: u64, nonce: u8) -> Verified {
    of(1, created, nonce)
}

fn of(key: u8, created: u64, nonce: u8) -> Verified {
    let parameters = SignatureParameters { created, expires: created + 30, nonce: [nonce; 16] };
    Verified { key: [key; 32], parameters }
}

/// A guard and the durable floor beside it, as the server drives them.
struct Node {
    replay: Replay,
    durable: u64,
}

impl Node {
    fn start(durable: u64, now: u64) -> Self {
        Self { replay: Replay::start(durable, now, ROOM), durable }
    }

    fn admit(&mut self, request: &Verified, now: u64) -> Admission {
        match self.replay.admit(request, now) {
            Admission::NeedsFloor(floor) => {
                self.durable = self.durable.max(floor);
                self.replay.reserved(floor);
                self.replay.admit(request, now)
            }
            other => other,
        }
    }

    fn crash(self, now: u64) -> Self {
        Self::start(self.durable, now)
    }
}

/// A04: the same nonce is refused; another is not.
#[test]
fn a04_replay_in_one_process() {
    let mut node = Node::start(0, NOW);
    assert_eq!(node.admit(&request(NOW + 1, 1), NOW + 1), Admission::Accepted);
    assert_eq!(node.admit(&request(NOW + 1, 1), NOW + 1), Admission::Replayed);
    assert_eq!(node.admit(&request(NOW + 2, 1), NOW + 2), Admission::Replayed);
    assert_eq!(node.admit(&request(NOW + 1, 2), NOW + 1), Admission::Accepted);
    let other_key = Verified { key: [2; 32], ..request(NOW + 1, 1) };
    assert_eq!(node.admit(&other_key, NOW + 1), Admission::Accepted);
}

/// A04: what was accepted before a crash is never accepted again, also when the clock was set back; the node becomes usable again.
#[test]
fn a04_replay_after_a_crash_and_a_clock_set_back() {
    for (created, restart) in
        [(NOW + 1, NOW + 1), (NOW + 10, NOW + 1), (NOW + 1, NOW - 1000), (NOW + 1, NOW + 3)]
    {
        let mut node = Node::start(0, NOW);
        assert_eq!(node.admit(&request(created, 1), NOW + 1), Admission::Accepted);
        let mut node = node.crash(restart);
        for now in restart..created + 70 {
            assert_ne!(
                node.admit(&request(created, 1), now),
                Admission::Accepted,
                "{created} {restart} {now}"
            );
        }
        let mut node = node.crash(restart);
        match node.admit(&request(restart, 2), restart) {
            Admission::BelowFloor(wait) => assert!(restart >= NOW && wait <= RETRY_SECONDS_MAX),
            Admission::FloorAhead(seconds) => assert!(restart < NOW && seconds > 1000),
            other => panic!("{other:?}"),
        }
        let after = node.replay.floor + 1;
        assert_eq!(node.admit(&request(after, 2), after), Admission::Accepted);
    }
}

/// A request is accepted only once its second is covered by a durable floor.
#[test]
fn nothing_is_accepted_beyond_the_durable_floor() {
    let replay = Replay::start(0, NOW, ROOM);
    assert_eq!(replay.admit(&request(NOW + 1, 1), NOW + 1), Admission::NeedsFloor(NOW + 3));
    assert_eq!(replay.admit(&request(NOW + 1, 1), NOW + 1), Admission::NeedsFloor(NOW + 3));
    replay.reserved(NOW + 3);
    assert_eq!(replay.admit(&request(NOW + 1, 1), NOW + 1), Admission::Accepted);
    assert_eq!(replay.admit(&request(NOW + 3, 2), NOW + 3), Admission::Accepted);
    assert_eq!(replay.admit(&request(NOW + 4, 3), NOW + 4), Admission::NeedsFloor(NOW + 6));
    assert_eq!(replay.renewal(NOW + 2), None);
    assert_eq!(replay.renewal(NOW + 3), Some(NOW + 5));
    assert_eq!(replay.renewal(NOW + 10), None, "an idle node writes nothing");
    // An orderly end leaves the highest accepted second, and accepts nothing after.
    assert_eq!(replay.close(), NOW + 3);
    assert_eq!(replay.admit(&request(NOW + 3, 4), NOW + 3), Admission::Closed);
}

/// A05: a flood is refused, not remembered at the cost of earlier nonces; room returns with time.
#[test]
fn a05_the_memory_is_bounded_and_never_evicts() {
    let mut node = Node::start(0, NOW);
    let by_half = |nonce: u8| 1 + u8::from(nonce >= 50);
    for nonce in 0..100 {
        assert_eq!(node.admit(&of(by_half(nonce), NOW + 1, nonce), NOW + 1), Admission::Accepted);
    }
    let further = |created| of(3, created, 100);
    assert_eq!(node.admit(&further(NOW + 1), NOW + 1), Admission::NoPlace(NoPlace::Full));
    assert_eq!(node.admit(&of(1, NOW + 1, 0), NOW + 1), Admission::Replayed);
    assert_eq!(node.replay.remembered(), 100);
    assert_eq!(node.admit(&further(NOW + 61), NOW + 61), Admission::NoPlace(NoPlace::Full));
    assert_eq!(node.admit(&further(NOW + 62), NOW + 62), Admission::Accepted);
    assert_eq!(node.replay.remembered(), 1);
}

/// A05, A15: one key has its share of the memory and no more; another is still served; the share returns with time.
#[test]
fn a15_one_key_does_not_fill_the_memory() {
    let mut node = Node::start(0, NOW);
    for nonce in 0..60 {
        assert_eq!(node.admit(&request(NOW + 1, nonce), NOW + 1), Admission::Accepted);
    }
    assert_eq!(node.admit(&request(NOW + 1, 60), NOW + 1), Admission::NoPlace(NoPlace::KeyShare));
    assert_eq!(node.admit(&request(NOW + 1, 5), NOW + 1), Admission::Replayed, "still remembered");
    assert_eq!(node.admit(&of(2, NOW + 1, 60), NOW + 1), Admission::Accepted, "honest twin");
    assert_eq!(node.admit(&request(NOW + 62, 60), NOW + 62), Admission::Accepted);
}

/// What was forgotten stays outside the window when the clock is set back in a running process.
#[test]
fn a_clock_set_back_does_not_revive_forgotten_requests() {
    let mut node = Node::start(0, NOW);
    assert_eq!(node.admit(&request(NOW + 1, 1), NOW + 1), Admission::Accepted);
    assert_eq!(node.admit(&request(NOW + 100, 2), NOW + 100), Admission::Accepted);
    assert_eq!(node.admit(&request(NOW + 1, 1), NOW + 1), Admission::BelowFloor(1));
    assert_eq!(node.admit(&request(NOW + 1, 3), NOW + 1), Admission::BelowFloor(1), "that second is gone");
    assert_eq!(node.admit(&request(NOW + 100, 2), NOW + 95), Admission::Replayed, "still remembered");
    assert_eq!(node.admit(&request(NOW + 2, 4), NOW + 2), Admission::Accepted, "honest twin");
}

/// A clock that ran a day ahead for a moment locks nobody out once it is right again, and what came before stays spent.
#[test]
fn a_clock_step_forward_and_back_locks_nobody_out() {
    let mut node = Node::start(0, NOW);
    assert_eq!(node.admit(&request(NOW + 1, 1), NOW + 1), Admission::Accepted);
    let ahead = NOW + 86_400;
    assert_eq!(node.admit(&request(ahead, 2), ahead), Admission::Accepted);
    assert_eq!(node.admit(&request(NOW + 5, 3), NOW + 5), Admission::Accepted);
    assert_ne!(node.admit(&request(NOW + 1, 1), NOW + 5), Admission::Accepted, "forgotten meanwhile");
    assert_eq!(node.admit(&request(ahead, 2), ahead), Admission::Replayed);
    assert!(matches!(node.admit(&request(NOW + 5, 3), ahead), Admission::BelowFloor(1)));
}

/// A floor that no right clock leaves behind is told apart from the one of an ordinary restart.
#[test]
fn a04_a_floor_far_ahead_is_named() {
    let mut node = Node::start(NOW + 86_400, NOW);
    assert_eq!(node.admit(&request(NOW + 1, 1), NOW + 1), Admission::FloorAhead(86_399));
    assert_eq!(node.replay.ahead(NOW), Some(86_400));
    let late = NOW + 86_401;
    assert_eq!(node.admit(&request(late, 1), late), Admission::Accepted, "its time has come");
    // The highest floor a right clock leaves: a request 10 s from the future, and the reserve.
    let mut node = Node::start(NOW + WINDOW.future + RESERVE_SECONDS, NOW);
    assert_eq!(node.replay.ahead(NOW), None);
    assert_eq!(node.admit(&request(NOW + 1, 1), NOW), Admission::BelowFloor(13), "honest twin");
}

fn floor_file(dir: &tempfile::TempDir) -> Result<FloorFile, FloorError> {
    FloorFile::open(&bailiwick_store::files::StdFiles, dir.path().join("replay-floor"))
}

#[test]
fn the_floor_file_is_overwritten_in_place_and_damage_is_noticed() {
    use std::os::unix::fs::MetadataExt as _;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("replay-floor");
    let file = floor_file(&dir).unwrap();
    assert_eq!(file.floor(), 0);
    let made = std::fs::metadata(&path).unwrap();
    for floor in [7, NOW, NOW + 1, NOW - 5] {
        file.store(floor).unwrap();
        assert_eq!(floor_file(&dir).unwrap().floor(), floor, "the last one counts, also when it is lower");
    }
    let now = std::fs::metadata(&path).unwrap();
    assert_eq!((made.ino(), made.len()), (now.ino(), now.len()), "no new file, no growth");
    // Written fourth, so in the first slot; torn, the one before it still counts.
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[16] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(floor_file(&dir).unwrap().floor(), NOW + 1);
    bytes[4096 + 40] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    assert!(matches!(floor_file(&dir), Err(FloorError::Damaged { .. })));
    std::fs::write(&path, &bytes[..100]).unwrap();
    assert!(matches!(floor_file(&dir), Err(FloorError::Damaged { .. })));
}
