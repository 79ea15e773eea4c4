//! `bailiwick beacon` against a relay of its own, honest and not.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use super::program::Place;

const ROUND_1000: &str = r#"{"round":1000,"randomness":"fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd","signature":"b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"}"#;
/// The signature of round 123 under the number 1000.
const FORGED: &str = r#"{"round":1000,"signature":"b75c69d0b72a5d906e854e808ba7e2accb1542ac355ae486d591aa9d43765482e26cd02df835d3546d23c4b13e0dfc92"}"#;
/// A genuine round of the test network quicknet-t.
const OTHER_CHAIN: &str = r#"{"round":5423142,"signature":"96fce8e2f70e2784577c8f2d8bd36af7a4b0dfd73dd91469d8556b36d2973a4f84681a45b1af2ce0511e5a32dd72508f"}"#;

/// A relay that answers one request and returns its path.
fn relay(status: &'static str, body: String) -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        while lines.next().is_some_and(|l| l.is_ok_and(|l| !l.is_empty())) {}
        // The program may hang up on an answer that is too long.
        let _ = write!(
            stream,
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        first.split(' ').nth(1).unwrap().to_owned()
    });
    (base, thread)
}

/// What `fetch` says of a relay's answer; nothing may be kept.
fn refused(body: &str, more: &[&str], why: &str) {
    let place = Place::new();
    let (base, thread) = relay("200 OK", body.to_owned());
    let mut arguments = vec!["beacon", "fetch", "--url", &base, "-o", "kept"];
    arguments.extend(more);
    place.refuse(&arguments, why);
    thread.join().unwrap();
    assert!(place.names().is_empty(), "{:?}", place.names());
}

#[test]
fn a_round_is_fetched_kept_and_shown() {
    let place = Place::new();
    let (base, thread) = relay("200 OK", ROUND_1000.to_owned());
    let url = format!("{base}/v2/beacons/quicknet/rounds/{{round}}");
    let fetched = place.run(&["beacon", "fetch", "--url", &url, "--round", "1000", "-o", "kept", "--json"]);
    assert_eq!(thread.join().unwrap(), "/v2/beacons/quicknet/rounds/1000");
    let shown = place.run(&["beacon", "show", "kept", "--json"]);
    assert_eq!(fetched, shown);
    let shown: serde_json::Value = serde_json::from_slice(&shown).unwrap();
    assert_eq!(shown["randomness"], "fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd");
    assert_eq!(shown["published"], "2023-08-23T15:59:24Z");
    // What was kept is what a file may bring again.
    let again = place.run(&["beacon", "fetch", "--file", "kept", "--round", "1000", "--json"]);
    assert_eq!(fetched, again);
    place.refuse(&["beacon", "fetch", "--file", "kept", "-o", "kept"], "exists already");
}

/// A round relayed by a log: asked for by number, or the latest; with its age, unless that was bounded.
#[test]
fn a_round_is_fetched_from_a_log() {
    let place = Place::new();
    for (more, path) in [
        (["--round", "1000"].as_slice(), "/beacon/quicknet/1000"),
        (&[], "/beacon/quicknet/latest"),
        (&["--max-age", "60", "--as-of", "2023-08-23T15:59:44Z"], "/beacon/quicknet/latest"),
    ] {
        let (base, thread) = relay("200 OK", ROUND_1000.to_owned());
        let log = format!("{base}/");
        let fetched = place.run(&[["beacon", "fetch", "--log", &log].as_slice(), more].concat());
        assert_eq!(thread.join().unwrap(), path);
        let text = String::from_utf8(fetched).unwrap();
        assert!(text.contains("round       1000, signature verified"), "{text}");
        let age = text.lines().find_map(|l| l.strip_prefix("published   2023-08-23T15:59:24Z, ")).unwrap();
        let age: u64 = age.strip_suffix(" seconds ago").unwrap().parse().unwrap();
        assert!(if more.contains(&"--as-of") { age == 20 } else { age > 3 * 365 * 86_400 }, "{text}");
    }
    place.refuse(&["beacon", "fetch", "--log", "http://l", "--url", "http://u"], "cannot be used with");
    place.refuse(&["beacon", "fetch"], "required");
}

/// P10: who relays is not trusted, a log neither: forged, of another chain, of another number, too old.
#[test]
fn p10_what_a_log_relays_is_verified() {
    for (body, more, why) in [
        (FORGED, ["--round", "1000"].as_slice(), "does not verify"),
        (OTHER_CHAIN, &[], "does not verify under the key of chain 52db9ba7"),
        (ROUND_1000, &["--round", "1001"], "not the expected round 1001"),
        (ROUND_1000, &["--max-age", "3600"], "ms allowed"),
    ] {
        let place = Place::new();
        let (base, thread) = relay("200 OK", body.to_owned());
        let fetch = ["beacon", "fetch", "--log", &base, "-o", "kept"];
        place.refuse(&[fetch.as_slice(), more].concat(), why);
        thread.join().unwrap();
        assert!(place.names().is_empty(), "{:?}", place.names());
    }
}

/// P10: a forged signature.
#[test]
fn p10_a_forged_round_is_refused() {
    refused(FORGED, &[], "does not verify");
}

/// P10: a genuine round of another chain, served as ours; and kept under its own chain's name.
#[test]
fn p10_a_round_of_another_chain_is_refused() {
    refused(OTHER_CHAIN, &[], "does not verify under the key of chain 52db9ba7");
    let place = Place::new();
    fs::write(place.path("r.json"), ROUND_1000).unwrap();
    place.run(&["beacon", "fetch", "--file", "r.json", "-o", "kept"]);
    let mut kept = fs::read(place.path("kept")).unwrap();
    kept[3] ^= 1;
    fs::write(place.path("kept"), kept).unwrap();
    place.refuse(&["beacon", "show", "kept"], "not of the expected chain");
}

/// P10: a genuine round of another number than the one asked for.
#[test]
fn p10_another_round_than_the_one_asked_for_is_refused() {
    refused(ROUND_1000, &["--round", "1001"], "not the expected round 1001");
}

/// P08: a number whose time has not come, and a genuine round seen from before its time.
#[test]
fn p08_a_round_from_the_future_is_refused() {
    refused(&ROUND_1000.replace("1000", "1099511627776"), &[], "is not published before");
    refused(ROUND_1000, &["--as-of", "2023-08-23T15:59:23Z"], "is not published before");
    let place = Place::new();
    fs::write(place.path("r.json"), ROUND_1000).unwrap();
    place.run(&["beacon", "fetch", "--file", "r.json", "--as-of", "2023-08-23T15:59:24Z"]);
}

/// P09: a genuine round that is too old.
#[test]
fn p09_a_stale_round_is_refused() {
    refused(ROUND_1000, &["--max-age", "3600"], "ms allowed");
    let place = Place::new();
    fs::write(place.path("r.json"), ROUND_1000).unwrap();
    let at = |time| ["beacon", "fetch", "--file", "r.json", "--max-age", "60", "--as-of", time];
    place.run(&at("2023-08-23T16:00:24Z"));
    place.refuse(&at("2023-08-23T16:00:25Z"), "ms allowed");
}

/// T16: answers that are no round, or longer than one.
#[test]
fn t16_other_answers_are_refused() {
    refused("<html>", &[], "is not a beacon round");
    refused(&format!("{ROUND_1000}{}", " ".repeat(5000)), &[], "bytes at most");
    let place = Place::new();
    let (base, thread) = relay("404 Not Found", ROUND_1000.to_owned());
    place.refuse(&["beacon", "fetch", "--url", &base], "status 404");
    thread.join().unwrap();
    place.refuse(&["beacon", "fetch", "--url", "ftp://relay"], "neither http");
    place.refuse(&["beacon", "fetch", "--url", "https://relay"], "certificates to trust");
    place.refuse(&["beacon", "fetch", "--url", "http://relay/{round}"], "no --round");
}

#[test]
fn the_round_of_a_moment_is_shown() {
    let place = Place::new();
    let round = |at: &str| {
        let out = place.run(&["beacon", "round", "--at", at, "--json"]);
        serde_json::from_slice::<serde_json::Value>(&out).unwrap()
    };
    assert_eq!(round("2023-08-23T15:59:24Z")["round"], 1000);
    assert_eq!(round("2023-08-23T15:59:23Z")["round"], 999);
    assert_eq!(round("1692803367")["round"], 1);
    place.refuse(&["beacon", "round", "--at", "2023-08-23T15:09:26Z"], "before the chain's first round");
}
