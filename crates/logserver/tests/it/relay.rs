//! The beacon relayed by a log: what is handed out, and what is not, whatever an upstream answers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use bailiwick_beacon::{BeaconVerifier, ChainInfo, QUICKNET, Round, parse_drand_json};
use bailiwick_logserver::{BeaconRelay, Clock, RelayOptions};
use tower::ServiceExt as _;

use super::stub::stub;

const ROUND_1000: &str = r#"{"round":1000,"randomness":"fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd","signature":"b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"}"#;
/// The signature of round 123 under the number 1000.
const FORGED: &str = r#"{"round":1000,"signature":"b75c69d0b72a5d906e854e808ba7e2accb1542ac355ae486d591aa9d43765482e26cd02df835d3546d23c4b13e0dfc92"}"#;
/// Genuine, and older.
const ROUND_123: &str = r#"{"round":123,"signature":"b75c69d0b72a5d906e854e808ba7e2accb1542ac355ae486d591aa9d43765482e26cd02df835d3546d23c4b13e0dfc92"}"#;
/// A genuine round of the test network quicknet-t.
const OTHER_CHAIN: &str = r#"{"round":5423142,"signature":"96fce8e2f70e2784577c8f2d8bd36af7a4b0dfd73dd91469d8556b36d2973a4f84681a45b1af2ce0511e5a32dd72508f"}"#;

type Asked = Arc<Mutex<Vec<String>>>;

/// An upstream that answers everything alike, and what it was asked.
fn upstream(status: u16, body: &str) -> (String, Asked) {
    let asked = Asked::default();
    let (seen, body) = (Arc::clone(&asked), body.as_bytes().to_vec());
    let base = stub(move |path, _| {
        seen.lock().unwrap().push(path.to_owned());
        (status, "application/json", body.clone())
    });
    (format!("{base}/v2/beacons/quicknet/rounds/{{round}}"), asked)
}

fn published(round: u64) -> u64 {
    QUICKNET.published_at(Round::new(round).unwrap()).unwrap()
}

/// A relay whose clock stands one second after `round`.
fn relay(upstreams: &[&str], round: u64, back: u64) -> (Arc<BeaconRelay>, Arc<AtomicU64>) {
    relay_of(QUICKNET, upstreams, published(round) + 1000, back)
}

fn relay_of(chain: ChainInfo, upstreams: &[&str], now: u64, back: u64) -> (Arc<BeaconRelay>, Arc<AtomicU64>) {
    let upstreams = upstreams.iter().map(|&u| u.to_owned()).collect();
    let options = RelayOptions { chain, upstreams, roots: None, keep: 100, back };
    let time = Arc::new(AtomicU64::new(now));
    let clock: Clock = Arc::new({
        let time = Arc::clone(&time);
        move || time.load(Ordering::SeqCst)
    });
    (Arc::new(BeaconRelay::start(&options, clock).unwrap()), time)
}

async fn get(relay: &Arc<BeaconRelay>, path: &str) -> (StatusCode, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = relay.router().oneshot(request).await.unwrap();
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), 4096).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// Until it is served, or for ten seconds.
async fn served(relay: &Arc<BeaconRelay>, path: &str) -> String {
    for _ in 0..200 {
        let (status, body) = get(relay, path).await;
        if status == StatusCode::OK {
            return body;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{path} is not served")
}

/// Until an upstream was asked `times`, or for ten seconds.
async fn asked(asked: &Asked, times: usize) {
    for _ in 0..200 {
        if asked.lock().unwrap().len() >= times {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("asked {} times", asked.lock().unwrap().len())
}

/// P10: a genuine round is relayed as drand writes it, under its number and as the latest; nothing else is.
#[tokio::test]
async fn p10_a_genuine_round_is_relayed() {
    let (url, seen) = upstream(200, ROUND_1000);
    let (relay, _) = relay(&[&url], 1000, 0);
    assert_eq!(served(&relay, "/beacon/quicknet/1000").await, ROUND_1000);
    assert_eq!(get(&relay, "/beacon/quicknet/latest").await.1, ROUND_1000);
    assert_eq!(seen.lock().unwrap()[..], ["/v2/beacons/quicknet/rounds/1000"], "asked for once");
    for path in ["999", "1001", "01000", "+1000", "0", "-1", "x", "18446744073709551616"] {
        let path = format!("/beacon/quicknet/{path}");
        assert_eq!(get(&relay, &path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(get(&relay, "/beacon/quicknet-t/1000").await.0, StatusCode::NOT_FOUND);
    assert_eq!(seen.lock().unwrap().len(), 1, "readers make it fetch nothing");
}

/// P10: what an upstream answers instead of the round is not relayed, and an honest upstream beside it is enough.
#[tokio::test]
async fn p10_a_forged_round_is_not_relayed() {
    let long = format!("{ROUND_1000}{}", " ".repeat(5000));
    for (what, status, body, why) in [
        ("forged", 200, FORGED, "forged"),
        ("older", 200, ROUND_123, "stale"),
        ("another chain's", 200, OTHER_CHAIN, "other chain"),
        ("another chain's number", 200, &OTHER_CHAIN.replace("5423142", "1000"), "other chain"),
        ("no round", 200, "<html>", "junk"),
        ("too long", 200, &long, "junk"),
        ("an error", 500, ROUND_1000, "status"),
    ] {
        let (url, seen) = upstream(status, body);
        let (alone, _) = relay(&[&url], 1000, 0);
        asked(&seen, 3).await;
        for path in ["1000", "123", "5423142", "latest"] {
            let (status, body) = get(&alone, &format!("/beacon/quicknet/{path}")).await;
            assert_ne!(status, StatusCode::OK, "{what} ({why}): {path}: {body}");
        }
        let (honest, _) = upstream(200, ROUND_1000);
        let (beside, _) = relay(&[&url, &honest], 1000, 0);
        assert_eq!(served(&beside, "/beacon/quicknet/1000").await, ROUND_1000, "{what}");
    }
}

/// P10: of another chain, a round that is genuine there is relayed there alone.
#[tokio::test]
async fn p10_each_chain_has_its_own_path() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../test-vectors/beacon/v1/quicknet-t.json");
    let file: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let digits = |name: &str| hex::decode(file["chain"][name].as_str().unwrap()).unwrap();
    let chain = ChainInfo {
        hash: digits("hash").try_into().unwrap(),
        public_key: digits("public_key").try_into().unwrap(),
        group_hash: digits("group_hash").try_into().unwrap(),
        genesis: file["chain"]["genesis"].as_u64().unwrap(),
        period: 3,
        id: "quicknet-t".into(),
        ..QUICKNET
    };
    let round = parse_drand_json(OTHER_CHAIN.as_bytes(), &chain.hash).unwrap();
    BeaconVerifier::new(chain.clone()).unwrap().verify(&round).unwrap();
    let now = chain.published_at(Round::new(round.round).unwrap()).unwrap() + 1000;
    let (url, _) = upstream(200, OTHER_CHAIN);
    let (relay, _) = relay_of(chain, &[&url], now, 0);
    served(&relay, "/beacon/quicknet-t/5423142").await;
    assert_eq!(get(&relay, "/beacon/quicknet/5423142").await.0, StatusCode::NOT_FOUND);
}

/// P08: a round whose time has not come is neither asked for nor relayed, though an upstream has it.
#[tokio::test]
async fn p08_a_round_from_the_future_is_not_relayed() {
    let (url, seen) = upstream(200, ROUND_1000);
    let (relay, time) = relay(&[&url], 999, 0);
    asked(&seen, 2).await;
    assert_eq!(get(&relay, "/beacon/quicknet/1000").await.0, StatusCode::NOT_FOUND);
    assert!(seen.lock().unwrap().iter().all(|path| path.ends_with("/999")));
    // Its time has come.
    time.store(published(1000) + 1000, Ordering::SeqCst);
    served(&relay, "/beacon/quicknet/1000").await;
}

/// P09: the latest round is not shown as such for ever when upstreams fall silent; under its number it stays.
#[tokio::test]
async fn p09_a_stale_round_is_not_the_latest() {
    let (url, _) = upstream(200, ROUND_1000);
    let (relay, time) = relay(&[&url], 1000, 0);
    served(&relay, "/beacon/quicknet/latest").await;
    time.store(published(1000) + 60_000, Ordering::SeqCst);
    assert_eq!(get(&relay, "/beacon/quicknet/latest").await.0, StatusCode::OK);
    time.store(published(1000) + 60_001, Ordering::SeqCst);
    let (status, body) = get(&relay, "/beacon/quicknet/latest").await;
    assert_eq!((status, body.contains("stale")), (StatusCode::SERVICE_UNAVAILABLE, true), "{body}");
    assert_eq!(get(&relay, "/beacon/quicknet/1000").await.0, StatusCode::OK);
}

/// Rounds that were published while nothing was fetched are fetched afterwards, newest first, as far back as asked for.
#[tokio::test]
async fn rounds_missed_are_fetched_later() {
    let (url, seen) = upstream(200, ROUND_1000);
    let (relay, _) = relay(&[&url], 1002, 3);
    assert_eq!(served(&relay, "/beacon/quicknet/1000").await, ROUND_1000);
    let first = seen.lock().unwrap()[0].clone();
    assert!(first.ends_with("/1002"), "{first}");
    assert_eq!(get(&relay, "/beacon/quicknet/1002").await.0, StatusCode::NOT_FOUND, "it only has 1000");
}

/// Addresses without a place for the number, or of no server, are refused at the start.
#[test]
fn upstreams_need_an_address_with_a_number() {
    for bad in [
        "http://relay",
        "http://relay/latest",
        "relay/{round}",
        "ftp://relay/{round}",
        "https://relay/{round}",
    ] {
        let options =
            RelayOptions { chain: QUICKNET, upstreams: vec![bad.to_owned()], roots: None, keep: 1, back: 0 };
        assert!(BeaconRelay::start(&options, Arc::new(|| 0)).is_err(), "{bad}");
    }
}
