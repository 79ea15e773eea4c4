//! Small values, through the program.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::program::{Place, data};

const WHERE: [&str; 7] =
    ["--compact", "--chain", "fabric:trade", "--contract", "invoices", "--function", "Put"];

fn arguments<'a>(first: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [first, &WHERE[..], more].concat()
}

/// Text, hexadecimal and bytes; signed and not; each opens to what was sealed, and says whether anyone could have sealed it.
#[test]
fn small_values_open_in_every_form() {
    let place = Place::with_keys();
    fs::write(place.path("value"), "1,250.00 EUR").unwrap();
    for (i, form) in ["text", "hex", "bytes"].into_iter().enumerate() {
        for signed in [false, true] {
            let (sealed, opened) = (format!("sealed{i}{signed}"), format!("opened{i}{signed}"));
            let mut seal = arguments(&["seal", "value", "--to", "to.pub", "-o", &sealed], &["--form", form]);
            let mut open = arguments(&["open", &sealed, "--key", "to", "-o", &opened], &["--form", form]);
            if signed {
                seal.extend(["--owner", "owner"]);
                open.extend(["--owner", "owner.pub"]);
            }
            let out = place.try_run(&seal);
            assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
            assert_eq!(String::from_utf8_lossy(&out.stderr).contains("anyone could have sealed"), !signed);
            place.run(&open);
            assert_eq!(fs::read(place.path(&opened)).unwrap(), b"1,250.00 EUR");
        }
    }
    assert!(fs::read_to_string(place.path("sealed0false")).unwrap().starts_with("bwc1."));
    assert!(fs::read_to_string(place.path("sealed1false")).unwrap().starts_with("0x"));
    // Through pipes.
    let sealed = place.run_with_input(&arguments(&["seal", "-", "--to", "to.pub"], &[]), b"piped");
    assert!(sealed.status.success());
    let opened = place.run_with_input(&arguments(&["open", "-", "--key", "to"], &[]), &sealed.stdout);
    assert_eq!(opened.stdout, b"piped");
}

/// Moved, unsigned, changed, too large: refused by name, and nothing is written.
#[test]
fn small_values_are_refused_where_they_do_not_belong() {
    let place = Place::with_keys();
    fs::write(place.path("value"), "v").unwrap();
    fs::write(place.path("large"), data(65_537)).unwrap();
    place.run(&arguments(&["seal", "value", "--to", "to.pub", "-o", "sealed"], &["--record", "17"]));
    let open = arguments(&["open", "sealed", "--key", "to", "-o", "out"], &[]);
    let before = place.names();
    place.refuse(&open, "does not open");
    place.refuse(&[&open[..], &["--record", "18"]].concat(), "does not open");
    let mut moved = [&open[..], &["--record", "17"]].concat();
    for (at, other) in [(8, "fabric:other"), (10, "bills"), (12, "Get")] {
        let right = std::mem::replace(&mut moved[at], other);
        place.refuse(&moved, "does not open");
        moved[at] = right;
    }
    place.refuse(&[&moved[..], &["--owner", "owner.pub"]].concat(), "not signed");
    place.refuse(&arguments(&["seal", "large", "--to", "to.pub", "-o", "x"], &[]), "larger than 65536");
    place.refuse(&["seal", "value", "--compact", "--to", "to.pub"], "--chain");
    place.refuse(&["seal", "value", "--to", "to.pub"], "--owner");
    assert_eq!(place.names(), before);
    place.run(&moved);
}

/// A batch as lines of JSON: the header once, values after it; a line that comes twice is refused.
#[test]
fn batches_are_lines_of_json() {
    let place = Place::with_keys();
    let lines =
        "{\"value\":\"21.5\",\"record\":\"a\"}\n{\"hex\":\"ff00\"}\n\n{\"value\":\"ü\",\"record\":\"b\"}\n";
    let seal = arguments(&["seal", "-", "--to", "to.pub", "--owner", "owner"], &["--json-lines"]);
    let sealed = place.run_with_input(&seal, lines.as_bytes());
    assert!(sealed.status.success(), "{}", String::from_utf8_lossy(&sealed.stderr));
    let sealed = String::from_utf8(sealed.stdout).unwrap();
    assert_eq!(sealed.lines().count(), 4);
    let open = arguments(&["open", "-", "--key", "to", "--owner", "owner.pub"], &["--json-lines"]);
    let opened = place.run_with_input(&open, sealed.as_bytes());
    assert!(opened.status.success(), "{}", String::from_utf8_lossy(&opened.stderr));
    assert_eq!(
        String::from_utf8(opened.stdout).unwrap(),
        "{\"value\":\"21.5\",\"record\":\"a\",\"index\":0}\n{\"hex\":\"ff00\",\"index\":1}\n{\"value\":\"ü\",\"record\":\"b\",\"index\":2}\n"
    );
    let twice = format!("{sealed}{}\n", sealed.lines().nth(1).unwrap());
    let refused = place.run_with_input(&open, twice.as_bytes());
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("index 0 comes twice"));
    // One value of the batch alone, its header in a file.
    let field = |line: usize, name: &str| {
        let line: serde_json::Value = serde_json::from_str(sealed.lines().nth(line).unwrap()).unwrap();
        line[name].as_str().unwrap().to_owned()
    };
    fs::write(place.path("header"), field(0, "batch")).unwrap();
    fs::write(place.path("one"), field(1, "value")).unwrap();
    let one = arguments(&["open", "one", "--key", "to", "--owner", "owner.pub"], &["--record", "a"]);
    assert_eq!(place.run(&[&one[..], &["--batch", "header"]].concat()), b"21.5");
    place.refuse(&one, "value of a batch");
}

/// What small values do not have is refused, and not passed over: generations, passphrases, agents.
#[test]
fn options_that_mean_nothing_to_small_values_are_refused() {
    let place = Place::with_keys();
    fs::write(place.path("value"), "12").unwrap();
    place.run(&arguments(&["seal", "value", "--to", "to.pub", "-o", "sealed"], &[]));
    let open = arguments(&["open", "sealed", "--key", "to", "-o", "-"], &[]);
    assert_eq!(place.run(&open), b"12");
    for more in [["--not-before", "9"], ["--known", "value"], ["--passphrase-file", "value"]] {
        place.refuse(&[&open[..], &more].concat(), "no passphrases and no generations");
    }
    place.run(&["key", "new", "recipient", "--algorithm", "p256", "-o", "token"]);
    place.run(&["key", "agent", "file", "token.pub", "-o", "agent.key"]);
    let agents = arguments(&["open", "sealed", "--key", "agent.key", "-o", "-"], &[]);
    place.refuse(&agents, "agent.key names an agent: agents open objects, not small values");
}

/// What objects have and small values do not is refused when sealing, too: a policy that nothing would name, for one.
#[test]
fn options_of_objects_are_refused_when_small_values_are_sealed() {
    let place = Place::with_keys();
    fs::write(place.path("value"), "12").unwrap();
    fs::write(place.path("words"), "correct horse").unwrap();
    fs::set_permissions(place.path("words"), fs::Permissions::from_mode(0o600)).unwrap();
    let seal = arguments(&["seal", "value", "--owner", "owner", "--to", "to.pub", "-o", "sealed"], &[]);
    for more in [
        &["--policy", "value"][..],
        &["--shards", "2/3"],
        &["--envelope", "e"],
        &["--name", "n"],
        &["--media-type", "text/csv"],
        &["--passphrase-file", "words"],
        &["--also-passphrase"],
        &["--no-commit"],
        &["--no-pad"],
        &["--anonymous"],
        &["--skip-special"],
        &["--copy-hard-links"],
        &["--json"],
    ] {
        let said = place.refuse(&[&seal[..], more].concat(), "no other options of objects fit");
        assert!(!place.path("sealed").exists(), "{more:?}: {said}");
    }
    place.run(&seal);
}

/// An address with EIP-55's capitals is bound as it is written.
#[test]
fn a_checksummed_address_is_pointed_out() {
    let place = Place::with_keys();
    fs::write(place.path("value"), "12").unwrap();
    for (contract, told) in [("0xfB6916095ca1", true), ("0xfb6916095ca1", false), ("Settlement", false)] {
        let bound =
            ["--compact", "--chain", "c", "--contract", contract, "--function", "f", "--to", "to.pub"];
        let out = place.try_run(&[&["seal", "value", "-o", "-"], &bound[..]].concat());
        assert!(out.status.success());
        assert_eq!(String::from_utf8(out.stderr).unwrap().contains("with its capitals"), told, "{contract}");
    }
}

/// As strong as the weakest of those who open it: `seal`, of values too, and `rotate` point out classical keys beside hybrid ones.
#[test]
fn a_mix_of_recipients_is_pointed_out() {
    let place = Place::with_keys();
    fs::write(place.path("value"), "12").unwrap();
    place.run(&["key", "new", "recipient", "--algorithm", "p256", "-o", "token"]);
    let told = |mixed: bool| {
        let to: &[&str] = if mixed { &["to.pub", "token.pub"] } else { &["to.pub", "other.pub"] };
        let to = [&["--to"], to].concat();
        let body = if mixed { "mixed" } else { "hybrid" };
        let object = [&["seal", "value", "--owner", "owner", "-o", body], &to[..]].concat();
        let rotated = [&["rotate", body, "--owner", "owner", "--key", "to"], &to[..]].concat();
        let value = arguments(&["seal", "value", "-o", "-"], &to);
        for command in [object, rotated, value] {
            let out = place.try_run(&command);
            let text = String::from_utf8(out.stderr).unwrap();
            assert!(out.status.success(), "{text}");
            assert_eq!(
                text.contains("note: 1 recipient(s) use x25519 or p256"),
                mixed,
                "{command:?}: {text}"
            );
        }
    };
    told(true);
    told(false);
}
