//! Negative controls: each way to cheat beside its honest twin.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use bailiwick_envelope::{Opener, RecipientSecretKey};
use bailiwick_protocol::envelope::{CELL_BYTES, Kem};
use bailiwick_protocol::ids::OwnerKey;

use super::honest::{NODE_CONFIG, NODE_DIR, Object, Scene, audit, verdict, verify};
use super::story::Story;
use super::world::World;
use super::{damage, forgery};
use crate::keyfile;
use crate::scan::{FRAGMENT_BYTES, Scan, Scanner};

/// A fragment is taken this often: a plaintext of 2 MB gives about 20,000.
const SCAN_STEP: usize = 97;

/// Runs every control.
pub(crate) fn run(world: &World, story: &mut Story, scene: Scene) -> anyhow::Result<Scene> {
    story.say("\nNow the ways to cheat, each beside its honest twin.");
    keys(world, story, &scene)?;
    scanner(world, story, &scene)?;
    forgery::run(world, story, &scene)?;
    let scene = bit_flip(world, story, scene)?;
    half_deleted(world, story, scene)
}

/// Which of the secrets opens the object: tried as keys of both kinds, whatever they were made for.
fn opens(world: &World, scene: &Scene, object: &Object, secret: &Path) -> anyhow::Result<bool> {
    let owner: OwnerKey = scene.owner.parse()?;
    let envelope = fs::read(world.path(&object.envelope))?;
    let mut keys = Vec::new();
    for kem in [Kem::XWing, Kem::X25519] {
        keys.push(RecipientSecretKey::from_bytes(kem, keyfile::read_secret_of_any_kind(secret)?)?);
    }
    Ok(Opener::new(&owner, &envelope, &keys).is_ok())
}

fn keys(world: &World, story: &mut Story, scene: &Scene) -> anyhow::Result<()> {
    story.begin("control-keys", "Who can read: the recipient, not the host, not another owner or recipient");
    let object = scene.objects.last().context("no object")?;
    let mut check = |attack: bool, who: &str, file: &Path| -> anyhow::Result<()> {
        let opened = opens(world, scene, object, file)?;
        let came_out = if opened { "opens" } else { "does not open" };
        if attack {
            story.attack(who, came_out, !opened);
        } else {
            story.twin(who, came_out, opened);
        }
        Ok(())
    };
    check(false, "the recipient's key", &world.path("keys/recipient"))?;
    check(true, "the node's own key", &forgery::host_key_file(world)?)?;
    check(true, "another owner's key", &world.path("keys/stranger-owner"))?;
    check(true, "another recipient's key", &world.path("keys/stranger"))?;
    check(true, "the auditor's key", &world.path("keys/auditor"))?;
    check(true, "the key of the owner who sealed it (a signing key opens nothing)", &world.path("keys/owner"))
}

fn scanner(world: &World, story: &mut Story, scene: &Scene) -> anyhow::Result<()> {
    story.begin(
        "control-scan",
        "What the host holds: pieces of the plaintext in the node's files, log and memory",
    );
    let mut wanted = Scanner::new();
    for o in scene.objects.iter().chain([&scene.marker]) {
        wanted.add(&fs::read(&o.plain)?, SCAN_STEP);
    }
    let found = |scan: &Scan| match scan.hits.first() {
        Some(hit) => format!("found in {} at byte {}", hit.place, hit.offset),
        None => format!("nothing in {} places, {} bytes", scan.places, scan.bytes),
    };
    let n = wanted.fragments();
    let what = format!("{n} fragments of {FRAGMENT_BYTES} bytes");
    let node_dir = &world.path(NODE_DIR);
    for (place, scan) in [
        ("the node's files", wanted.files(node_dir)?),
        ("the node's log", wanted.files(&world.path("node.log"))?),
        ("the node's memory", wanted.memory(scene.node.pid())?),
    ] {
        story.twin(
            format!("{what} in {place}"),
            found(&scan),
            scan.hits.is_empty() && scan.bytes > 0 && n > 0,
        );
    }
    // That nothing was found means something only if what is there is found: the node must hold its owner's public key.
    let owner: OwnerKey = scene.owner.parse()?;
    let mut known = Scanner::new();
    known.add(&owner.0, 1);
    known.add(scene.owner.as_bytes(), 1);
    let scan = known.memory(scene.node.pid())?;
    story.check(
        "the owner's public key, which the node must hold, in its memory: the same search finds it",
        found(&scan),
        !scan.hits.is_empty(),
    );
    // A host that kept a copy: half a kilobyte of plaintext, not at the beginning, among other bytes.
    let plain = fs::read(&scene.marker.plain)?;
    let at = plain.len() / 2;
    let end = at + 512;
    let planted = node_dir.join("cache.tmp");
    fs::write(&planted, [&[0xa5; 1000], &plain[at..end]].concat())?;
    let scan = wanted.files(node_dir)?;
    fs::remove_file(&planted)?;
    let caught = scan.hits.iter().any(|h| h.place.ends_with("cache.tmp"));
    story.attack("a planted copy of 512 bytes of plaintext among the node's files", found(&scan), caught);
    // A node that logs what it should not: one more line in a copy of its log.
    let planted = world.path("planted.log");
    let log = fs::read(world.path("node.log"))?;
    fs::write(&planted, [&log, b"{\"message\":\"".as_slice(), &plain[at..end], b"\"}\n"].concat())?;
    let scan = wanted.files(&planted)?;
    fs::remove_file(&planted)?;
    story.attack(
        "a line with 512 bytes of plaintext planted in a copy of the node's log",
        found(&scan),
        !scan.hits.is_empty(),
    );
    Ok(())
}

/// Chance that one audit's draws, with replacement, all miss a lost fraction of the cells.
fn miss(scene: &Scene, lost: f64) -> f64 {
    (1.0 - lost).powi(i32::from(scene.class.samples))
}

#[expect(clippy::cast_precision_loss, reason = "cell counts of a demonstration are small")]
fn fraction(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

fn bit_flip(world: &World, story: &mut Story, scene: Scene) -> anyhow::Result<Scene> {
    story.begin("control-bit-flip", "One bit of one body flips on the host's disk");
    let object = scene.objects.last().context("no object")?;
    let clean = fetch(world, &scene, object)?;
    story.twin("GET before", clean.0, clean.1);
    let Scene { node, host, owner, vk, class, objects, marker, repeat } = scene;
    node.stop()?;
    let object = objects.last().context("no object")?;
    let scrub = ["node", "scrub", "--config", NODE_CONFIG];
    story.command(world.shown(&scrub));
    let before = world.try_run(&scrub)?;
    story.twin("scrub before", last_line(&before.stdout), before.status.success());
    let stored = damage::find(&world.path(NODE_DIR), &world.path(&object.body))?;
    stored.flip(object.size / 3)?;
    let after = world.try_run(&scrub)?;
    story.attack("scrub after", last_line(&after.stdout), after.status.code() == Some(1));
    let node = world.start_node(&world.path(NODE_CONFIG))?;
    let scene = Scene { node, host, owner, vk, class, objects, marker, repeat };
    let object = scene.objects.last().context("no object")?;
    let damaged = fetch(world, &scene, object)?;
    story.attack("GET after", damaged.0, !damaged.1);
    let cells: u64 = scene.objects.iter().map(|o| o.size.div_ceil(CELL_BYTES)).sum();
    let chance = 1.0 - miss(&scene, fraction(1, cells));
    story.say(&format!(
        "               An audit samples {} of {cells} cells: its chance to notice one damaged cell is {:.2} %.",
        scene.class.samples,
        100.0 * chance
    ));
    // Mended: the damage of the next control must be the only one.
    stored.flip(object.size / 3)?;
    let mended = fetch(world, &scene, object)?;
    story.twin("GET with the bit flipped back", mended.0, mended.1);
    Ok(scene)
}

/// Fetches a whole body as a customer would.
fn fetch(world: &World, scene: &Scene, object: &Object) -> anyhow::Result<(String, bool)> {
    let out = world.path("opened/fetched");
    let output = world.try_run(&[
        "get",
        &object.name,
        "-o",
        "opened/fetched",
        "--key",
        "keys/owner",
        "--node",
        &scene.node.url,
        "--host",
        "node/host.pub",
    ])?;
    let whole = output.status.success() && fs::read(&out)? == fs::read(world.path(&object.body))?;
    if output.status.success() {
        fs::remove_file(&out)?;
        return Ok((format!("{} bytes, as sealed", object.size), whole));
    }
    // A refusal must leave nothing under the final name.
    Ok((format!("refused: {}", first_line(&output.stderr)), whole || out.exists()))
}

fn first_line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).lines().next().unwrap_or_default().to_owned()
}

fn last_line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().lines().last().unwrap_or_default().to_owned()
}

fn half_deleted(world: &World, story: &mut Story, scene: Scene) -> anyhow::Result<Scene> {
    story.begin(
        "control-deleted",
        "The host deletes half of a body's blocks and keeps every hash, before the challenge is drawn",
    );
    let object = scene.objects.last().context("no object")?;
    audit(world, story, &scene, "evidence/intact.bundle", [object])?;
    let (report, code) = verify(world, "evidence/intact.bundle", "anchors.toml")?;
    story.twin(
        "stored, with every block in place",
        verdict(&report, "stored"),
        verdict(&report, "stored") == "supported" && code == 0,
    );
    let node_dir = &world.path(NODE_DIR);
    let deleted = damage::find(node_dir, &world.path(&object.body))?.delete_every_second_block()?;
    let lost = fraction(deleted, object.size);
    audit(world, story, &scene, "evidence/deleted.bundle", [object])?;
    let (report, code) = verify(world, "evidence/deleted.bundle", "anchors.toml")?;
    story.say(&format!(
        "               {deleted} of {} bytes deleted: the chance that {} samples all miss is {:.1e} (2^{:.1}).",
        object.size,
        scene.class.samples,
        miss(&scene, lost),
        miss(&scene, lost).log2()
    ));
    story.attack(
        "stored, with half of the blocks gone",
        verdict(&report, "stored"),
        verdict(&report, "stored") == "refuted" && code == 1,
    );
    Ok(scene)
}
