//! Split objects through the real binary: seal, open from any k, wrong shards by name.

mod generations;
mod options;
mod repair;
mod signed;

use std::fs;
use std::path::PathBuf;

use bailiwick_envelope::{Opener, RecipientSecretKey};
use bailiwick_protocol::envelope::Kem;
use bailiwick_protocol::ids::OwnerKey;

use super::program::{Place, data};

pub(super) use repair::signer;

/// `plain` of `len` bytes sealed as k of n shards in folder `s`.
fn sealed(split: &str, len: usize) -> Place {
    let place = Place::with_keys();
    fs::write(place.path("plain"), data(len)).unwrap();
    seal(&place, split, "plain", "s");
    place
}

fn seal(place: &Place, split: &str, input: &str, folder: &str) {
    place.run(&[
        "seal",
        input,
        "-o",
        folder,
        "--owner",
        "owner",
        "--to",
        "to.pub",
        "--shards",
        split,
        "--no-commit",
    ]);
}

const OPEN: [&str; 4] = ["--owner", "owner.pub", "--key", "to"];

fn open<'a>(what: &[&'a str]) -> Vec<&'a str> {
    [&["open"], what, &OPEN, &["-o", "back"]].concat()
}

/// Opens and compares; gives what was said on standard error.
fn opens(place: &Place, what: &[&str]) -> String {
    let out = place.try_run(&open(what));
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.success(), "{what:?}: {said}");
    assert!(fs::read(place.path("back")).unwrap() == fs::read(place.path("plain")).unwrap(), "{what:?}");
    fs::remove_file(place.path("back")).unwrap();
    said
}

/// Refused with `why`, and nothing is left behind.
fn refuses(place: &Place, what: &[&str], why: &str) -> String {
    let said = place.refuse(&open(what), why);
    assert!(!place.path("back").exists());
    assert!(place.names().iter().all(|n| !n.contains("partial")), "{:?}", place.names());
    said
}

fn body(place: &Place, shard: u16) -> PathBuf {
    place.path(&format!("s/{shard:03}.shard"))
}

fn envelope(place: &Place, shard: u16) -> PathBuf {
    place.path(&format!("s/{shard:03}.shard.envelope"))
}

/// Where chunk `index` of a body begins.
fn chunk(index: usize) -> usize {
    56 + index * 16_400
}

fn flip(place: &Place, shard: u16, at: usize) {
    let mut bytes = fs::read(body(place, shard)).unwrap();
    bytes[at] ^= 1;
    fs::write(body(place, shard), bytes).unwrap();
}

/// Sizes around the borders of chunk, stripe and one chunk a shard; any k shards, given as a folder or one by one; k - 1 are refused.
#[test]
fn any_k_shards_open_and_fewer_are_refused() {
    for (i, len) in [0, 1, 3 * 16_384 - 18, 3 * 16_384 - 17, 3 * 16_384 + 5, 700_001].into_iter().enumerate()
    {
        let place = sealed("3/5", len);
        assert_eq!(fs::read_dir(place.path("s")).unwrap().count(), 10);
        assert_eq!(opens(&place, &["s"]), "");
        let all = ["s/000.shard", "s/001.shard", "s/002.shard", "s/003.shard", "s/004.shard"];
        for skip in 0..5 {
            let pick = [all[(i + skip) % 5], all[(i + skip + 1 + i % 2) % 5], all[(i + skip + 3) % 5]];
            let said = opens(&place, &pick);
            assert_eq!(said, "", "{pick:?}");
        }
        let said = refuses(&place, &all[3..], "2 of 5 shards are usable, 3 are needed");
        assert!(said.contains("help:"), "{said}");
        // Every body has the same length: nobody learns who holds the end.
        let sizes: Vec<u64> = (0..5).map(|s| fs::metadata(body(&place, s)).unwrap().len()).collect();
        assert!(sizes.iter().all(|s| *s == sizes[0]), "{sizes:?}");
    }
}

#[test]
fn splits_at_the_limits_work_and_beyond_are_refused() {
    let place = sealed("1/2", 100_000);
    opens(&place, &["s/001.shard"]);
    fs::remove_dir_all(place.path("s")).unwrap();
    seal(&place, "4/4", "plain", "s");
    opens(&place, &["s"]);
    fs::remove_file(body(&place, 1)).unwrap();
    let said = refuses(&place, &["s"], "3 of 4 shards are usable");
    assert!(said.contains("shard 1 (s/001.shard) is not here, only its envelope is"), "{said}");
    fs::remove_dir_all(place.path("s")).unwrap();
    seal(&place, "200/255", "plain", "s");
    for shard in 30..85 {
        fs::remove_file(body(&place, shard)).unwrap();
    }
    opens(&place, &["s"]);
    for bad in ["0/2", "3/2", "1/1", "2/256", "2"] {
        let out = place.try_run(&["seal", "plain", "--owner", "owner", "--to", "to.pub", "--shards", bad]);
        assert_eq!(out.status.code(), Some(2), "{bad}");
    }
}

/// E06, E07, E10, E12 in shard form: shards that are cut, lengthened, flipped, replaced and moved are named, and the others open the object.
#[test]
fn e06_e12_wrong_shards_are_named_and_the_others_open() {
    let place = sealed("2/6", 100_000);
    let whole: Vec<Vec<u8>> = (0..6).map(|s| fs::read(body(&place, s)).unwrap()).collect();
    // Truncated at a chunk's border, lengthened, another shard's body, an empty file.
    fs::write(body(&place, 0), &whole[0][..chunk(3)]).unwrap();
    fs::write(body(&place, 1), [&whole[1][..], b"more"].concat()).unwrap();
    fs::write(body(&place, 2), &whole[3]).unwrap();
    fs::write(body(&place, 3), b"").unwrap();
    let said = opens(&place, &["s"]);
    for (shard, why) in [
        (0, format!("it has {} bytes, its envelope says {}", chunk(3), whole[0].len())),
        (1, format!("it has {} bytes", whole[1].len() + 4)),
        (2, "it does not begin as its envelope says".to_owned()),
        (3, "it has 0 bytes".to_owned()),
    ] {
        let line = format!("shard {shard} (s/00{shard}.shard) is wrong: {why}");
        assert!(said.contains(&line), "{line:?} in {said}");
    }
    // Now too few are as they were, and shard 2, another's body, cannot be repaired; 1 only is too long and 0 misses most.
    fs::write(body(&place, 4), &whole[5]).unwrap();
    let said = opens(&place, &["s"]);
    assert!(said.contains("shard 1 (s/001.shard) was damaged, none of its blocks was"), "{said}");
    fs::write(body(&place, 1), &whole[5]).unwrap();
    let said = refuses(&place, &["s"], "1 of 6 shards are usable, 2 are needed");
    assert!(said.contains("can be repaired: the shard counts as lost"), "{said}");
}

/// E08, E09, E11 in shard form: chunks swapped, doubled, or another shard's, within a body of the right length.
#[test]
fn e08_e09_e11_moved_chunks_are_named() {
    for kind in ["swap", "double", "other"] {
        let place = sealed("2/3", 200_000);
        let other = fs::read(body(&place, 1)).unwrap();
        let mut bytes = fs::read(body(&place, 0)).unwrap();
        let (a, b) = (chunk(1)..chunk(2), chunk(3)..chunk(4));
        match kind {
            "swap" => {
                let (one, two) = (bytes[a.clone()].to_vec(), bytes[b.clone()].to_vec());
                bytes[a].copy_from_slice(&two);
                bytes[b].copy_from_slice(&one);
            }
            "double" => bytes.copy_within(a, b.start),
            _ => bytes[a.clone()].copy_from_slice(&other[a]),
        }
        fs::write(body(&place, 0), &bytes).unwrap();
        let said = opens(&place, &["s"]);
        let index = if kind == "double" { 3 } else { 1 };
        let line = format!("shard 0 (s/000.shard) is wrong: chunk {index} is not authentic");
        assert!(said.contains(&line), "{said}");
    }
}

/// Envelopes: altered, another owner's, not a shard's, doubled. Each is named; none is counted.
#[test]
fn envelopes_that_are_not_the_owners_are_named() {
    let place = sealed("2/5", 50_000);
    place.run(&["key", "new", "owner", "-o", "stranger"]);
    place.run(&[
        "seal",
        "plain",
        "-o",
        "t",
        "--owner",
        "stranger",
        "--to",
        "to.pub",
        "--shards",
        "2/5",
        "--no-commit",
    ]);
    place.run(&["seal", "plain", "-o", "alone", "--owner", "owner", "--to", "to.pub", "--no-commit"]);
    let mut bytes = fs::read(envelope(&place, 0)).unwrap();
    bytes[100] ^= 1;
    fs::write(envelope(&place, 0), bytes).unwrap();
    fs::copy(place.path("t/001.shard.envelope"), envelope(&place, 1)).unwrap();
    fs::copy(place.path("alone.envelope"), place.path("s/alone.envelope")).unwrap();
    fs::copy(place.path("alone"), place.path("s/alone")).unwrap();
    fs::copy(body(&place, 3), place.path("s/copy")).unwrap();
    fs::copy(envelope(&place, 3), place.path("s/copy.envelope")).unwrap();
    let said = opens(&place, &["s"]);
    for line in [
        "s/000.shard.envelope is not used: envelope",
        "s/001.shard.envelope is not used: envelope",
        "s/alone.envelope is not used: it is not a shard",
        "s/copy is not used: it is shard 3 once more, besides s/003.shard",
    ] {
        assert!(said.contains(line), "{line:?} in {said}");
    }
    // A second copy serves when the first is wrong, and no others are left.
    fs::remove_file(envelope(&place, 2)).unwrap();
    fs::write(body(&place, 3), b"gone").unwrap();
    let said = opens(&place, &["s"]);
    assert!(said.contains("s/003.shard is not used: it has 4 bytes"), "{said}");
    fs::remove_file(envelope(&place, 4)).unwrap();
    refuses(&place, &["s"], "1 of 5 shards are usable, 2 are needed");
    // Keys of someone else.
    let wrong = ["open", "s", "--owner", "owner.pub", "--key", "other", "-o", "back"];
    place.refuse(&wrong, "no shard has an envelope that can be used");
}

/// Shards of another object, another split or another making of the object are not sorted out by counting.
#[test]
fn mixed_sets_are_refused_by_name() {
    let place = sealed("2/4", 50_000);
    seal(&place, "2/4", "plain", "t");
    fs::rename(place.path("t/003.shard"), body(&place, 3)).unwrap();
    fs::rename(place.path("t/003.shard.envelope"), envelope(&place, 3)).unwrap();
    let said = refuses(&place, &["s"], "shards of different sets are mixed: s/000.shard and s/003.shard");
    assert!(said.contains("of object "), "{said}");
    // Without the stranger the rest opens.
    fs::remove_file(envelope(&place, 3)).unwrap();
    opens(&place, &["s"]);
    // Another making of the same object.
    place.run(&[&["repair", "s", "--reissue", "owner", "--to", "to.pub", "-o", "again"][..], &OPEN].concat());
    opens(&place, &["again"]);
    fs::rename(place.path("again/003.shard"), body(&place, 3)).unwrap();
    fs::rename(place.path("again/003.shard.envelope"), envelope(&place, 3)).unwrap();
    let said = refuses(&place, &["s"], "shards of different sets are mixed");
    let named =
        said.contains("generation 1 and generation ") && said.contains(" of the object, whose bodies differ");
    assert!(named, "{said}");
}

/// The attack the code inside is for: every host deletes the same chunks. Up to the limit the object opens; beyond, every shard is named.
#[test]
fn aligned_deletions_at_every_shard_are_repaired_up_to_the_limit() {
    // 40 data blocks and 3 parity blocks a shard.
    let place = Place::with_keys();
    fs::write(place.path("plain"), data(3 * 40 * 16_384 - 100_000)).unwrap();
    let seal =
        ["seal", "plain", "-o", "s", "--owner", "owner", "--to", "to.pub", "--shards", "3/4", "--no-commit"];
    let sealed = String::from_utf8(place.run(&seal)).unwrap();
    let blocks = (fs::read(body(&place, 0)).unwrap().len() - 56 - 16) / 16_400;
    let limit = blocks - blocks * 15 / 16;
    assert!(limit >= 2, "{blocks}");
    // The limits of both codes are said when they are made.
    assert!(sealed.contains("any 3 of them to open; up to 1 may be lost"), "{sealed}");
    let inside = format!("inside    any {limit} of the {blocks} chunks of a shard may be lost, too");
    assert!(sealed.contains(&inside), "{sealed}");
    let delete = |range: std::ops::Range<usize>| {
        for shard in 0..4 {
            let mut bytes = fs::read(body(&place, shard)).unwrap();
            bytes[chunk(range.start)..chunk(range.end)].fill(0);
            fs::write(body(&place, shard), bytes).unwrap();
        }
    };
    delete(5..5 + limit);
    let said = opens(&place, &["s"]);
    let line = format!("shard 0 (s/000.shard) was damaged; {limit} of its blocks were repaired");
    assert!(said.contains(&line), "{said}");
    // The first 56 bytes are as small a deletion as any.
    for shard in 0..4 {
        let mut bytes = fs::read(body(&place, shard)).unwrap();
        bytes[..56].fill(0);
        fs::write(body(&place, shard), bytes).unwrap();
    }
    opens(&place, &["s"]);
    delete(20..21);
    let said = refuses(&place, &["s"], "0 of 4 shards are usable, 3 are needed");
    for shard in 0..4 {
        let line = format!(
            "chunk 5 is not authentic; {} of the blocks of group 0 are lost, at most {limit} can be repaired",
            limit + 1
        );
        let named = said
            .lines()
            .any(|l| l.contains(&format!("s/00{shard}.shard")) && l.contains("are lost, at most"));
        assert!(named, "{line} in {said}");
    }
}

pub(super) fn owner(place: &Place) -> OwnerKey {
    let owner = fs::read_to_string(place.path("owner.pub")).unwrap();
    let owner = bailiwick_protocol::key_file::KeyFile::parse(&owner).unwrap();
    OwnerKey(owner.public.try_into().unwrap())
}

/// Writes chunk `index` of a shard as one of its readers can: authentic, and saying something else.
pub(super) fn rewrite(place: &Place, shard: u16, index: usize, mut change: impl FnMut(&mut [u8])) {
    rewrite_body(place, &format!("s/{shard:03}.shard"), |at, plain| {
        let before = plain.to_vec();
        if at == index {
            change(plain);
            assert_ne!(plain, before);
        }
    });
}

/// Shows `change` every chunk of a body, and writes what it makes of them.
pub(super) fn rewrite_body(place: &Place, body: &str, mut change: impl FnMut(usize, &mut [u8])) {
    let keys = fs::read_to_string(place.path("to")).unwrap();
    let keys = bailiwick_protocol::key_file::KeyFile::parse(&keys).unwrap();
    let reader = RecipientSecretKey::from_bytes(Kem::XWing, keys.secret.unwrap()).unwrap();
    let envelope = fs::read(place.path(&format!("{body}.envelope"))).unwrap();
    let cipher = Opener::new(&owner(place), &envelope, &[reader]).unwrap().shard_cipher();
    let mut bytes = fs::read(place.path(body)).unwrap();
    for (index, sealed) in bytes[56..].chunks_mut(16_400).enumerate() {
        let mut plain = vec![0; sealed.len() - 16];
        assert!(cipher.open(index as u64, sealed, &mut plain));
        change(index, &mut plain);
        cipher.seal(index as u64, &plain, sealed);
    }
    fs::write(place.path(body), &bytes).unwrap();
}

const REWRITTEN: &str = "shard 0 (s/000.shard) is wrong: its BLAKE3 is not the signed one";

/// Where `what` first stands in `bytes`.
pub(super) fn find(bytes: &[u8], what: &str) -> usize {
    bytes.windows(what.len()).position(|w| w == what.as_bytes()).unwrap()
}

/// What a rewriter makes of the metadata and of the length, that cannot be read or reads as another name, stops nobody who has k others: the
/// shard is named, and the name is the owner's.
#[test]
fn rewritten_metadata_and_length_are_named_and_the_others_open() {
    let place = sealed("2/3", 200_000);
    let honest = fs::read(body(&place, 0)).unwrap();
    // Where the length stands: the last eight bytes of what was split.
    let sealed = bailiwick_envelope::verify(&owner(&place), &fs::read(envelope(&place, 0)).unwrap()).unwrap();
    let at = usize::try_from(sealed.shards.unwrap().padded_length).unwrap() - 8;
    let (holder, index, within) = (u16::from((at / 16_384) % 2 == 1), at / 32_768, at % 16_384);
    let honest_holder = fs::read(body(&place, holder)).unwrap();
    rewrite(&place, holder, index, |plain| plain[within..within + 8].fill(0xff));
    let named = format!("shard {holder} (s/00{holder}.shard) is wrong: its BLAKE3 is not the signed one");
    for what in [&["s"][..], &["s", "--range", "0:200000"]] {
        if what.len() == 1 {
            let said = opens(&place, what);
            assert!(said.contains(&named), "{said}");
        } else {
            let out = place.try_run(&open(what));
            let said = String::from_utf8_lossy(&out.stderr).into_owned();
            assert!(out.status.success() && said.contains(&named), "{said}");
            fs::remove_file(place.path("back")).unwrap();
        }
    }
    fs::write(body(&place, holder), honest_holder).unwrap();
    // Junk for metadata.
    rewrite(&place, 0, 0, |plain| plain[..8].fill(0xff));
    let said = opens(&place, &["s"]);
    assert!(said.contains(REWRITTEN), "{said}");
    let out = place.try_run(&[&["open", "s"][..], &OPEN, &["-o", "-"]].concat());
    assert!(out.status.success() && out.stdout == data(200_000));
    fs::write(body(&place, 0), &honest).unwrap();
    // Other names: one that would be a file, one that is taken, one that could be none.
    for name in ["third", "other", "../up"] {
        rewrite(&place, 0, 0, |plain| {
            let at = find(plain, "plain");
            plain[at..at + 5].copy_from_slice(format!("{name:5}").as_bytes());
        });
        let before = place.names();
        fs::remove_file(place.path("plain")).unwrap();
        let out = place.try_run(&[&["open", "s"][..], &OPEN].concat());
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(out.status.success() && said.contains(REWRITTEN), "{said}");
        assert!(fs::read(place.path("plain")).unwrap() == data(200_000));
        assert_eq!(place.names(), before);
        fs::write(body(&place, 0), &honest).unwrap();
    }
    // With no k others the refusal is what it is, and the shard is named.
    fs::remove_file(body(&place, 2)).unwrap();
    rewrite(&place, 0, 0, |plain| plain[..8].fill(0xff));
    let said = refuses(&place, &["s"], "1 of 3 shards are usable, 2 are needed");
    assert!(said.contains("someone who holds its key rewrote it"), "{said}");
}

/// Whoever holds a shard's key can write authentic chunks; the BLAKE3 the owner signed tells, and nothing they wrote comes out.
#[test]
fn a_shard_rewritten_by_a_reader_is_named() {
    let place = sealed("2/3", 200_000);
    rewrite(&place, 0, 2, |plain| plain.fill(7));
    let said = opens(&place, &["s"]);
    assert!(said.contains("shard 0 (s/000.shard) is wrong: its BLAKE3 is not the signed one"), "{said}");
    fs::remove_file(body(&place, 2)).unwrap();
    let said = refuses(&place, &["s"], "1 of 3 shards are usable, 2 are needed");
    assert!(said.contains("someone who holds its key rewrote it"), "{said}");
}

/// A range reads the stripes it lies in and says whose word it is.
#[test]
fn a_range_is_read_and_says_whose_word_it_is() {
    let place = sealed("3/5", 300_000);
    let plain = data(300_000);
    fs::remove_file(body(&place, 1)).unwrap();
    for (offset, len) in [(0, 1), (299_999, 1), (49_000, 70_000), (5, 0)] {
        let range = format!("{offset}:{len}");
        let out = place.try_run(&[&open(&["s"])[..], &["--range", &range]].concat());
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(out.status.success() && said.contains("authentic among key holders only"), "{said}");
        assert!(fs::read(place.path("back")).unwrap() == plain[offset..offset + len]);
        fs::remove_file(place.path("back")).unwrap();
    }
    let beyond = [&open(&["s"])[..], &["--range", "299999:2"]].concat();
    place.refuse(&beyond, "the range ends at byte 300001 of 300000");
    // To standard output, and under the sealed name.
    let out = place.run(&[&["open", "s"][..], &OPEN, &["-o", "-"]].concat());
    assert!(out == plain);
    let out = place.run(&[&["open", "s"][..], &OPEN, &["-o", "-", "--range", "7:9"]].concat());
    assert_eq!(out, plain[7..16]);
    fs::remove_file(place.path("plain")).unwrap();
    place.run(&[&["open", "s"][..], &OPEN].concat());
    assert!(fs::read(place.path("plain")).unwrap() == plain);
}

/// One shard alone is not an object, and says so.
#[test]
fn a_shard_by_itself_says_what_it_is() {
    let place = sealed("3/5", 1000);
    refuses(&place, &["s/000.shard"], "shard 0 of an object split 3 of 5");
}

/// Nothing partial keeps the name: of the folder when sealing fails, of the data when opening does.
#[test]
fn a_failed_command_leaves_nothing() {
    let place = sealed("2/3", 1000);
    let before = place.names();
    let again = ["seal", "plain", "-o", "s", "--owner", "owner", "--to", "to.pub", "--shards", "2/3"];
    place.refuse(&again, "exists already");
    let absent = ["seal", "absent", "-o", "u", "--owner", "owner", "--to", "to.pub", "--shards", "2/3"];
    place.refuse(&absent, "absent");
    assert_eq!(place.names(), before);
}

/// From a pipe, whose length is not known, and with storage commitments over each body.
#[test]
fn a_pipe_is_split_and_each_body_is_committed_to() {
    let place = Place::with_keys();
    fs::write(place.path("plain"), data(400_000)).unwrap();
    let arguments =
        ["seal", "-", "-o", "s", "--owner", "owner", "--to", "to.pub", "--shards", "2/3", "--json"];
    let out = place.run_with_input(&arguments, &data(400_000));
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let about: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(
        (about["k"].as_u64(), about["n"].as_u64(), about["data_bytes"].as_u64()),
        (Some(2), Some(3), Some(400_000))
    );
    opens(&place, &["s"]);
    // `commit` over the same body without a commitment gives the same root.
    for shard in about["shards"].as_array().unwrap() {
        let root = shard["root"].as_str().unwrap();
        let body = shard["body"].as_str().unwrap();
        place.refuse(&["commit", body, "--owner", "owner"], "carries a storage commitment already");
        let shown =
            place.run(&["inspect", shard["envelope"].as_str().unwrap(), "--owner", "owner.pub", "--json"]);
        assert!(String::from_utf8(shown).unwrap().contains(root));
    }
}

/// A shard's file key is no other's; and of rollback as much is said as is known.
#[test]
fn shards_open_with_keys_and_say_what_is_known() {
    let place = sealed("2/3", 100);
    fs::write(place.path("fk"), [7; 32]).unwrap();
    fs::set_permissions(place.path("fk"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let by_file_key = ["open", "s", "--owner", "owner.pub", "--key-from-age-output", "fk", "-o", "back"];
    place.refuse(&by_file_key, "every shard has a file key of its own");
    let said = |more: &[&str]| {
        let said = String::from_utf8(place.run(&[&open(&["s"])[..], more].concat())).unwrap();
        fs::remove_file(place.path("back")).unwrap();
        said
    };
    assert!(said(&[]).contains("rollback not excluded"));
    let known = said(&["--known", "s"]);
    assert!(
        known.contains("not older than the envelopes known") && !known.contains("not excluded"),
        "{known}"
    );
}
