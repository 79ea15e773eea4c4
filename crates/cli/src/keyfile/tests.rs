use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::*;

fn made(kind: Kind) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key");
    create(kind, kind.default_algorithm(), &path).unwrap();
    (dir, path)
}

#[test]
fn keys_come_back_as_they_were_made() {
    for kind in [Kind::Owner, Kind::Auditor, Kind::Host, Kind::Roster] {
        let (_dir, path) = made(kind);
        let key = read_signing_key(&path, kind).unwrap();
        let beside = with_suffix(&path, ".pub");
        assert_eq!(key.public(), public_key(beside.to_str().unwrap(), kind).unwrap());
        assert_eq!(key.public(), public_key(&hex::encode(key.public()), kind).unwrap());
    }
    let (_dir, path) = made(Kind::Recipient);
    let public = read_recipient_public(&with_suffix(&path, ".pub")).unwrap();
    assert_eq!(read_recipient_key(&path).unwrap().public(), public);
}

/// E34: created 0600.
#[test]
fn e34_secret_key_files_are_private() {
    let (_dir, path) = made(Kind::Owner);
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
}

/// E34: a secret key others can read is refused, with the command that mends it.
#[test]
fn e34_readable_secret_key_is_refused() {
    for mode in [0o640, 0o604, 0o660, 0o644] {
        let (_dir, path) = made(Kind::Owner);
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let error = format!("{:#}", read_signing_key(&path, Kind::Owner).unwrap_err());
        assert!(error.contains("chmod 600"), "{mode:o}: {error}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        read_signing_key(&path, Kind::Owner).unwrap();
    }
}

/// E34: O_EXCL: neither an existing file nor a symbolic link, dangling or not, is written through.
#[test]
fn e34_existing_files_and_symlinks_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("target");
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(&target, &link).unwrap();
    create(Kind::Owner, Algorithm::Ed25519, &link).unwrap_err();
    assert!(!target.exists(), "written through a dangling link");
    fs::write(&target, b"precious").unwrap();
    create(Kind::Owner, Algorithm::Ed25519, &link).unwrap_err();
    create(Kind::Owner, Algorithm::Ed25519, &target).unwrap_err();
    assert_eq!(fs::read(&target).unwrap(), b"precious");
    create(Kind::Owner, Algorithm::Ed25519, &dir.path().join("fresh")).unwrap();
}

/// A name whose `.pub` is too long for the file system: no secret stays without its public half.
#[test]
fn a_secret_without_its_public_half_does_not_stay() {
    let dir = tempfile::tempdir().unwrap();
    let made = |length: usize| create(Kind::Owner, Algorithm::Ed25519, &dir.path().join("k".repeat(length)));
    made(252).unwrap_err();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    made(200).unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    create(Kind::Owner, Algorithm::Ed25519, std::path::Path::new("-")).unwrap_err();
}

#[test]
fn a_key_of_another_kind_or_a_public_one_is_refused() {
    let (_dir, path) = made(Kind::Owner);
    read_signing_key(&path, Kind::Host).unwrap_err();
    read_recipient_key(&path).unwrap_err();
    read_signing_key(&with_suffix(&path, ".pub"), Kind::Owner).unwrap_err();
}

#[test]
fn mixed_up_halves_and_unknown_lines_are_refused_without_showing_the_secret() {
    let (_dir, path) = made(Kind::Owner);
    let (_other_dir, other) = made(Kind::Owner);
    let good = fs::read_to_string(&path).unwrap();
    let digits = good.lines().find(|l| l.starts_with("secret")).unwrap()[10..74].to_owned();
    let theirs = fs::read_to_string(other).unwrap();
    let swapped = theirs
        .lines()
        .filter(|l| !l.starts_with("secret"))
        .fold(format!("secret = \"{digits}\"\n"), |t, l| t + l + "\n");
    let upper = good.replace("secret = \"", "secret = \"zz");
    for bad in [swapped, format!("{good}extra = \"1\"\n"), format!("{good}secret = \"{digits}\"\n"), upper] {
        fs::write(&path, bad).unwrap();
        let error = format!("{:?}", read_signing_key(&path, Kind::Owner).unwrap_err());
        assert!(!error.contains(&digits), "the error shows the secret");
    }
    fs::write(&path, good).unwrap();
    read_signing_key(&path, Kind::Owner).unwrap();
}
