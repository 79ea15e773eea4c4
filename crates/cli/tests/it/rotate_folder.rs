//! `rotate` of directories, on what another run left or was made to look so: none of it takes the place of an object, and none is lost.

use std::fs;
use std::path::PathBuf;

use super::program::{Held, Place, data};
use super::rotate::{ROTATE, folder, opens, place};

/// The directory of three objects, sealed anew for `other`, with nothing that tells what was asked: the envelopes are all there is.
fn sealed_anew() -> Place {
    let place = place();
    folder(&place);
    place.run(&ROTATE);
    for body in ["d/a", "d/e/b", "d/e/c"] {
        fs::remove_file(place.path(&format!("{body}.rotated.asked"))).unwrap();
    }
    place
}

/// The same, and the new generation has begun to take places.
fn replacing() -> Place {
    let place = sealed_anew();
    fs::write(marker(&place), b"").unwrap();
    place
}

fn marker(place: &Place) -> PathBuf {
    place.path("d/.bailiwick-rotate-replacing")
}

fn replace() -> Vec<&'static str> {
    [&ROTATE[..], &["--replace"]].concat()
}

/// Runs, and must name an object for this reason.
#[track_caller]
fn failed(place: &Place, arguments: &[&str], why: &str) {
    let out = place.try_run(arguments);
    let text = String::from_utf8(out.stdout).unwrap();
    assert_eq!(out.status.code(), Some(2), "{text}");
    assert!(text.contains(why), "must say {why:?}: {text}");
}

/// The honest twin: all of it is the new generation, and nothing is left.
#[track_caller]
fn done(place: &Place) {
    place.run(&replace());
    for (body, size) in [("d/a", 70_000), ("d/e/b", 5), ("d/e/c", 0)] {
        assert_eq!(opens(place, body, "other"), Some(data(size)), "{body}");
        assert!(!place.path(&format!("{body}.rotated.envelope")).exists());
    }
    assert!(!marker(place).exists());
}

/// Of a pair that is not whole, what has the new names is an object like any other.
#[test]
fn a_new_generation_without_its_old_one_is_an_object() {
    let place = sealed_anew();
    for name in ["d/a", "d/a.envelope"] {
        fs::remove_file(place.path(name)).unwrap();
    }
    let again = ["rotate", "d", "--owner", "owner", "--key", "other", "--to", "to.pub", "--skip-unopenable"];
    let told: serde_json::Value =
        serde_json::from_slice(&place.try_run(&[&again[..], &["--json"]].concat()).stdout).unwrap();
    assert_eq!(told["rotated"], 1, "{told}");
    assert_eq!(opens(&place, "d/a.rotated.rotated", "to"), Some(data(70_000)));
}

/// E13: two copies of one object, each sealed anew, would be two envelopes of one generation.
#[test]
fn e13_an_object_that_is_there_twice_is_not_sealed_anew_twice() {
    let place = place();
    folder(&place);
    for suffix in ["", ".envelope"] {
        fs::copy(place.path(&format!("d/a{suffix}")), place.path(&format!("d/e/copy{suffix}"))).unwrap();
    }
    failed(&place, &replace(), "d/a.envelope, d/e/copy.envelope are of the same unit");
    assert!(!place.path("d/a.rotated").exists() && !place.path("d/e/copy.rotated").exists());
    for name in ["d/e/copy", "d/e/copy.envelope"] {
        fs::remove_file(place.path(name)).unwrap();
    }
    done(&place);
}

/// A next generation that this owner did not sign is none.
#[test]
fn e10_a_next_generation_that_nobody_signed_is_in_the_way() {
    let place = sealed_anew();
    let at = place.path("d/a.rotated.envelope");
    let signed = fs::read(&at).unwrap();
    let mut forged = signed.clone();
    *forged.last_mut().unwrap() ^= 1;
    fs::write(&at, forged).unwrap();
    failed(&place, &replace(), "d/a.rotated.envelope is in the way");
    assert!(opens(&place, "d/a", "to").is_some());
    fs::write(&at, signed).unwrap();
    done(&place);
}

/// One of another object would take its place, and the object be lost.
#[test]
fn a_next_generation_of_another_object_is_in_the_way() {
    let place = sealed_anew();
    for suffix in [".rotated", ".rotated.envelope"] {
        let at = place.path(&format!("d/a{suffix}"));
        fs::rename(&at, place.path(&format!("a{suffix}"))).unwrap();
        fs::copy(place.path(&format!("d/e/b{suffix}")), at).unwrap();
    }
    failed(&place, &replace(), "d/a.rotated.envelope is in the way: it is generation 2 of");
    assert!(opens(&place, "d/a", "to").is_some());
    for suffix in [".rotated", ".rotated.envelope"] {
        fs::rename(place.path(&format!("a{suffix}")), place.path(&format!("d/a{suffix}"))).unwrap();
    }
    done(&place);
}

/// A copy of the old generation is not the next one, though it is for those that are asked for.
#[test]
fn the_same_generation_is_in_the_way() {
    let place = place();
    folder(&place);
    for suffix in ["", ".envelope"] {
        fs::copy(place.path(&format!("d/a{suffix}")), place.path(&format!("d/a.rotated{suffix}"))).unwrap();
    }
    let same = ["rotate", "d", "--owner", "owner", "--key", "to", "--to", "to.pub"];
    failed(&place, &same, "d/a.rotated.envelope is in the way: it is generation 1 of");
    for suffix in ["", ".envelope"] {
        fs::remove_file(place.path(&format!("d/a.rotated{suffix}"))).unwrap();
        for body in ["d/e/b", "d/e/c"] {
            fs::remove_file(place.path(&format!("{body}.rotated{suffix}"))).unwrap();
        }
    }
    done(&place);
}

/// A next generation whose body is damaged is not done.
#[test]
fn a_next_generation_without_its_body_is_not_done() {
    let place = sealed_anew();
    let at = place.path("d/a.rotated");
    let body = fs::read(&at).unwrap();
    fs::write(&at, vec![0; body.len()]).unwrap();
    failed(&place, &ROTATE, "d/a.rotated is not its body: a second envelope of its generation is not signed");
    fs::write(&at, body).unwrap();
    done(&place);
}

/// Until everything has its place the marker stays, so that nothing is taken for what is still to be sealed anew.
#[test]
fn a_replacement_that_fails_has_begun_all_the_same() {
    let place = sealed_anew();
    let body = place.path("d/e/b");
    fs::rename(&body, place.path("b")).unwrap();
    fs::create_dir_all(body.join("in the way")).unwrap();
    failed(&place, &replace(), "cannot rename d/e/b.rotated");
    assert!(marker(&place).exists());
    place.refuse(&ROTATE, "run the same command with --replace");
    fs::remove_dir_all(&body).unwrap();
    done(&place);
}

/// Another command does not bring to its end what was begun for others.
#[test]
fn a_replacement_goes_on_only_for_those_it_was_begun_for() {
    let place = replacing();
    let others = ["rotate", "d", "--owner", "owner", "--key", "to", "--to", "to.pub", "--replace"];
    failed(&place, &others, "for others than this command says");
    assert!(opens(&place, "d/a", "to").is_some() && marker(&place).exists());
    done(&place);
}

/// A body that became a link since is not replaced.
#[test]
fn a_replacement_that_goes_on_replaces_no_link() {
    let place = replacing();
    let body = place.path("d/a");
    fs::rename(&body, place.path("a")).unwrap();
    std::os::unix::fs::symlink("../a", &body).unwrap();
    failed(&place, &replace(), "d/a is a symbolic link");
    assert!(fs::symlink_metadata(&body).unwrap().is_symlink());
    fs::rename(place.path("a"), body).unwrap();
    done(&place);
}

/// An envelope takes no place without its body, which would be lost with the old one.
#[test]
fn a_replacement_that_goes_on_needs_the_body() {
    let place = replacing();
    let at = place.path("d/a.rotated");
    fs::rename(&at, place.path("a")).unwrap();
    failed(&place, &replace(), "the body of d/a.rotated.envelope is neither d/a.rotated nor d/a");
    assert!(opens(&place, "d/a", "to").is_some());
    fs::rename(place.path("a"), at).unwrap();
    done(&place);
}

/// E13: what another run signs in is not replaced meanwhile.
#[test]
fn e13_a_replacement_that_goes_on_is_alone_in_every_folder() {
    let place = replacing();
    let held = Held::on(&place.path("d/e"));
    failed(&place, &replace(), "another run signs envelopes in d/e");
    assert!(opens(&place, "d/e/b", "to").is_some());
    drop(held);
    done(&place);
}
