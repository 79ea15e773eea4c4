//! The honest half: keys, sealing, a node, putting, set-up, audit, verdict, report.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use bailiwick_protocol::envelope::CELL_BYTES;
use bailiwick_protocol::ids::ClassId;
use serde_json::Value;

use super::story::Story;
use super::world::{Node, World};
use crate::audit::{now_unix_ms, os_random};

/// The files inside this program; `demo-data/README.md` says whose they are.
const SHIPPED: [(&str, &[u8]); 4] = [
    ("tzdata.zi", include_bytes!("../../../demo-data/tzdata.zi")),
    ("zone1970.tab", include_bytes!("../../../demo-data/zone1970.tab")),
    ("iso3166.tab", include_bytes!("../../../demo-data/iso3166.tab")),
    ("mldsa_65_verify_test.json", include_bytes!("../../../demo-data/mldsa_65_verify_test.json")),
];

/// What the policy of the demonstration requires.
const POLICY: &str = include_str!("../../../../../audits/profiles/demo.toml");

/// One sealed file. Paths of what the demonstration makes are relative to its directory, as in the commands shown.
#[derive(Debug)]
pub(crate) struct Object {
    /// The plaintext file.
    pub(crate) plain: PathBuf,
    /// Its sealed body.
    pub(crate) body: String,
    /// Its envelope.
    pub(crate) envelope: String,
    /// OWNER/OBJECT/UNIT.
    pub(crate) name: String,
    /// Bytes of the body.
    pub(crate) size: u64,
}

/// Everything the controls start from.
#[derive(Debug)]
pub(crate) struct Scene {
    /// The node, running.
    pub(crate) node: Node,
    /// The host's public key, hexadecimal.
    pub(crate) host: String,
    /// The owner's.
    pub(crate) owner: String,
    /// Digest of the verifying key.
    pub(crate) vk: String,
    /// The smallest pinned class, from small on, that holds every object.
    pub(crate) class: ClassId,
    /// Sealed files, largest last: what the audits are about.
    pub(crate) objects: Vec<Object>,
    /// The demonstration's own object of random bytes, which no audit names.
    pub(crate) marker: Object,
    /// Commands to repeat.
    pub(crate) repeat: Vec<String>,
}

/// The node's directory, and its configuration in it.
pub(crate) const NODE_DIR: &str = "node";
/// The node's configuration.
pub(crate) const NODE_CONFIG: &str = "node/node.toml";
/// Bytes of the demonstration's own object.
const MARKER_BYTES: usize = 8192;

/// The bundle of the honest audit.
pub(crate) const HONEST_BUNDLE: &str = "evidence/honest.bundle";

/// Runs the honest story.
pub(crate) fn run(world: &World, story: &mut Story, plain: Option<Vec<PathBuf>>) -> anyhow::Result<Scene> {
    let (owner, auditor) = keys(world, story)?;
    let mut plain = plain.map_or_else(|| shipped(world), Ok)?;
    plain.push(write_marker(world)?);
    let mut objects = seal(world, story, &plain)?;
    let (node, host) = start(world, story)?;
    put(world, story, &node, &objects)?;
    let marker = objects.pop().context("the marker was sealed last")?;
    objects.sort_by_key(|o| o.size);
    let class = class_for(&objects)?;
    let vk = set_up(world, story, &auditor, class)?;
    let anchors = anchors(&owner, &auditor, &host, &vk, class);
    fs::write(world.path("anchors.toml"), anchors)?;
    fs::write(world.path("policy.toml"), POLICY)?;
    let mut scene = Scene { node, host, owner, vk, class, objects, marker, repeat: Vec::new() };
    story.begin(
        "audit",
        "The auditor draws a challenge over all objects and collects the answer and a few ranges",
    );
    let told = audit(world, story, &scene, HONEST_BUNDLE, &scene.objects)?;
    show_audit(world, story, &told)?;
    judge(world, story)?;
    scene.repeat = open_and_repeat(world, story, &scene)?;
    Ok(scene)
}

fn keys(world: &World, story: &mut Story) -> anyhow::Result<(String, String)> {
    story.begin("keys", "Each principal makes its own key");
    let mut public = Vec::new();
    for (kind, file) in [
        ("owner", "keys/owner"),
        ("recipient", "keys/recipient"),
        ("auditor", "keys/auditor"),
        ("owner", "keys/stranger-owner"),
        ("recipient", "keys/stranger"),
    ] {
        let made = world.tell(story, &["key", "new", kind, "-o", file])?;
        public.push(text(&made, "public")?);
    }
    let distinct: std::collections::BTreeSet<_> = public.iter().collect();
    story.check(
        "keys of five principals",
        format!("{} distinct public keys", distinct.len()),
        distinct.len() == public.len(),
    );
    Ok((public[0].clone(), public[2].clone()))
}

/// Regular files under `path`, sorted.
pub(crate) fn regular_files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let path = fs::canonicalize(path).with_context(|| format!("cannot open {}", path.display()))?;
    let mut found = Vec::new();
    let mut pending = vec![path.clone()];
    while let Some(p) = pending.pop() {
        let kind = fs::symlink_metadata(&p)?.file_type();
        if kind.is_dir() {
            for entry in fs::read_dir(&p)? {
                pending.push(entry?.path());
            }
        } else if kind.is_file() {
            found.push(p);
        }
    }
    found.sort();
    ensure!(!found.is_empty(), "{} holds no regular file", path.display());
    Ok(found)
}

/// The files inside this program, written out.
fn shipped(world: &World) -> anyhow::Result<Vec<PathBuf>> {
    let dir = world.path("plain");
    fs::create_dir(&dir)?;
    for (name, bytes) in SHIPPED {
        fs::write(dir.join(name), bytes)?;
    }
    Ok(SHIPPED.iter().map(|(name, _)| dir.join(name)).collect())
}

/// Random bytes of the demonstration's own: the user's files may be empty, or all zeros, and the controls need one
/// object whose plaintext can be told from everything else.
fn write_marker(world: &World) -> anyhow::Result<PathBuf> {
    let path = world.path("marker");
    fs::write(&path, os_random::<MARKER_BYTES>()?)?;
    Ok(path)
}

fn seal(world: &World, story: &mut Story, plain: &[PathBuf]) -> anyhow::Result<Vec<Object>> {
    story.begin(
        "seal",
        "The developer seals each file, and a marker of random bytes, on their own machine for one recipient (X-Wing hybrid)",
    );
    let mut objects = Vec::new();
    for (i, file) in plain.iter().enumerate() {
        let body = format!("sealed/{i}.sealed");
        let envelope = format!("{body}.envelope");
        let rest = ["-o", &body, "--owner", "keys/owner", "--to", "keys/recipient.pub"].map(OsStr::new);
        let arguments = [&[OsStr::new("seal"), file.as_os_str()], rest.as_slice()].concat();
        let sealed = world.tell(story, &arguments)?;
        let name = text(&sealed, "name")?;
        let size = fs::metadata(world.path(&body))?.len();
        objects.push(Object { plain: file.clone(), body, envelope, name, size });
    }
    let plain_bytes: u64 = plain.iter().map(|p| fs::metadata(p).map_or(0, |m| m.len())).sum();
    let sealed_bytes: u64 = objects.iter().map(|o| o.size).sum();
    story.check(
        "everything is sealed and committed to",
        format!("{} files, {plain_bytes} bytes, became {sealed_bytes} bytes of ciphertext", objects.len()),
        sealed_bytes > plain_bytes,
    );
    Ok(objects)
}

fn start(world: &World, story: &mut Story) -> anyhow::Result<(Node, String)> {
    story.begin("node", "A host starts a node: a process of its own, with an empty environment, on loopback");
    let made = world.tell(
        story,
        &[
            "node",
            "init",
            NODE_DIR,
            "--owner",
            "keys/owner.pub",
            "--auditor",
            "keys/auditor.pub",
            "--circuit-keys",
            "circuit-keys",
            "--listen",
            "127.0.0.1:0",
        ],
    )?;
    let host = text(&made, "host")?;
    story.command(world.shown(&["node", "run", "--config", NODE_CONFIG]));
    let node = world.start_node(&world.path(NODE_CONFIG))?;
    story.check("the node listens", node.url.clone(), node.url.starts_with("http://127.0.0.1:"));
    Ok((node, host))
}

fn put(world: &World, story: &mut Story, node: &Node, objects: &[Object]) -> anyhow::Result<()> {
    story.begin(
        "put",
        "The developer puts the sealed objects; the node checks each one before it acknowledges",
    );
    for o in objects {
        world.tell(
            story,
            &["put", &o.body, "--owner", "keys/owner", "--node", &node.url, "--host", "node/host.pub"],
        )?;
    }
    let listed =
        world.tell(story, &["ls", "--key", "keys/owner", "--node", &node.url, "--host", "node/host.pub"])?;
    let n = listed.as_array().map_or(0, Vec::len);
    story.check("the node lists what it holds", format!("{n} objects"), n == objects.len());
    Ok(())
}

/// The smallest pinned class, from small on, that holds every object.
fn class_for(objects: &[Object]) -> anyhow::Result<ClassId> {
    let cells = objects.iter().map(|o| o.size.div_ceil(CELL_BYTES)).max().unwrap_or(0);
    [ClassId::SMALL, ClassId::STANDARD, ClassId::LARGE]
        .into_iter()
        .find(|c| cells <= c.cells_max())
        .context("a file is larger than the largest class holds")
}

/// The class's name on the command line.
pub(crate) fn class_name(class: ClassId) -> &'static str {
    class.name().expect("the demonstration uses pinned classes")
}

fn set_up(world: &World, story: &mut Story, auditor: &str, class: ClassId) -> anyhow::Result<String> {
    story.begin(
        "set-up",
        "The auditor makes its own proving key from the system's randomness and hands it to the host",
    );
    let made = world
        .tell(story, &["circuit", "setup", "--class", class_name(class), "--auditor", "keys/auditor"])?;
    let vk = text(&made, "vk")?;
    story.check(
        "SINGLE-PARTY KEY, for this auditor's evidence only",
        format!("verifying key {}, auditor {}", short(&vk), short(auditor)),
        text(&made, "auditor")? == auditor,
    );
    Ok(vk)
}

/// The trust anchors a skeptic reads.
fn anchors(owner: &str, auditor: &str, host: &str, vk: &str, class: ClassId) -> String {
    let principal = |role: &str, name: &str, key: &str| {
        format!("[[principal]]\nrole = \"{role}\"\nname = \"{name}\"\nkey = \"{key}\"\n\n")
    };
    [
        "# Whose keys this reader believes, and where each verifying key came from.\nversion = 1\n\n"
            .to_owned(),
        principal("owner", "the developer", owner),
        principal("host", "the demonstration's node", host),
        principal("auditor", "the demonstration's auditor", auditor),
        verifying_key(vk, class),
        format!("provenance = \"auditor\"\nauditor = \"{auditor}\"\n"),
    ]
    .concat()
}

/// The beginning of a verifying key's entry in trust anchors; its provenance follows.
pub(crate) fn verifying_key(vk: &str, class: ClassId) -> String {
    let ClassId { samples, depth } = class;
    format!("[[verifying_key]]\ndigest = \"{vk}\"\nclass = {{ samples = {samples}, depth = {depth} }}\n")
}

/// One audit over `objects`, into `bundle`.
pub(crate) fn audit<'o>(
    world: &World,
    story: &mut Story,
    scene: &Scene,
    bundle: &str,
    objects: impl IntoIterator<Item = &'o Object>,
) -> anyhow::Result<Value> {
    let mut arguments = vec![
        "audit",
        "run",
        "--node",
        &scene.node.url,
        "--host",
        "node/host.pub",
        "--auditor",
        "keys/auditor",
        "--vk",
        &scene.vk,
        "--class",
        class_name(scene.class),
        "--owner",
        "keys/owner.pub",
        "-o",
        bundle,
    ];
    for o in objects {
        arguments.extend(["--envelope", &o.envelope]);
    }
    world.tell(story, &arguments)
}

fn show_audit(world: &World, story: &mut Story, told: &Value) -> anyhow::Result<()> {
    let size = fs::metadata(world.path(HONEST_BUNDLE))?.len();
    let answer = text(told, "answer")?;
    let ms = told["answer_ms"].as_u64().unwrap_or_default();
    story.check(
        "the host answered with a proof of 128 bytes",
        format!("{answer} after {ms} ms; bundle of {size} bytes"),
        answer == "proof",
    );
    let count = |field: &str| told["probes"][field].as_u64().unwrap_or_default();
    story.check(
        "random ranges fetched on the customer path",
        format!("{} of {} matched the owner's signed root", count("good"), count("total")),
        count("total") > 0 && count("good") == count("total"),
    );
    Ok(())
}

/// Runs `verify` and gives its JSON and exit code.
pub(crate) fn verify(world: &World, bundle: &str, anchors: &str) -> anyhow::Result<(Value, i32)> {
    let output =
        world.try_run(&["verify", bundle, "--policy", "policy.toml", "--anchors", anchors, "--json"])?;
    let report = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("verify said: {}", String::from_utf8_lossy(&output.stderr)))?;
    Ok((report, output.status.code().unwrap_or(-1)))
}

/// Verdict on one claim of a report.
pub(crate) fn verdict<'v>(report: &'v Value, claim: &str) -> &'v str {
    claim_of(report, claim).and_then(|c| c["verdict"].as_str()).unwrap_or("absent")
}

/// One claim of a report.
pub(crate) fn claim_of<'v>(report: &'v Value, claim: &str) -> Option<&'v Value> {
    report["claims"].as_array()?.iter().find(|c| c["claim"] == claim)
}

const VERIFY: [&str; 6] = ["verify", HONEST_BUNDLE, "--policy", "policy.toml", "--anchors", "anchors.toml"];

fn judge(world: &World, story: &mut Story) -> anyhow::Result<()> {
    story.begin("verify", "Anyone judges the bundle offline, with a policy and their own trust anchors");
    story.command(world.shown(&VERIFY));
    let (report, code) = verify(world, HONEST_BUNDLE, "anchors.toml")?;
    let stored = verdict(&report, "stored");
    story.check("stored", stored, stored == "supported" && code == 0);
    show_stored(story, claim_of(&report, "stored").context("no claim stored")?);
    for claim in ["opaque", "served", "resident", "custody", "survivable", "logged"] {
        let headline = claim_of(&report, claim).and_then(|c| c["headline"].as_str()).unwrap_or_default();
        let verdict = verdict(&report, claim);
        story.check(
            format!("{claim} (no evidence yet)"),
            format!("{verdict}: {headline}"),
            verdict == "inconclusive" && !headline.is_empty(),
        );
    }
    story.begin("report", "The same judgement as a page for people");
    let arguments = [
        "report",
        HONEST_BUNDLE,
        "--policy",
        "policy.toml",
        "--anchors",
        "anchors.toml",
        "--html",
        "report.html",
    ];
    story.command(world.shown(&arguments));
    world.run(&arguments)?;
    let page = fs::read_to_string(world.path("report.html"))?;
    let alone =
        !page.contains("<script") && !page.contains("src=\"http") && page.trim_end().ends_with("</html>");
    story.check("one self-contained page", format!("report.html, {} bytes", page.len()), alone);
    Ok(())
}

/// Assumptions and detection probabilities of *stored*.
fn show_stored(story: &mut Story, stored: &Value) {
    for a in stored["assumptions"].as_array().into_iter().flatten() {
        story.say(&format!("               - {}", a["text"].as_str().unwrap_or_default()));
    }
    let scope = &stored["numbers"]["detection"][0];
    let shown: Vec<String> = scope["losses"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|l| Some((l["lost_fraction"].as_f64()?, l["probability"].as_f64()?)))
        .map(|(lost, p)| format!("{:.0} % lost: {:.4} %", 100.0 * lost, 100.0 * p))
        .collect();
    let n = shown.len();
    story.check("chance that one such audit notices a loss of cells", shown.join(", "), n >= 3);
}

/// The recipient opens everything; gives the commands to repeat.
fn open_and_repeat(world: &World, story: &mut Story, scene: &Scene) -> anyhow::Result<Vec<String>> {
    story.begin("open", "The recipient, and nobody at the host, opens what was sealed");
    let mut equal = 0;
    let mut again = String::new();
    for (i, o) in scene.objects.iter().enumerate() {
        let out = format!("opened/{i}");
        let base = ["open", &o.body, "--owner", "keys/owner.pub", "--key", "keys/recipient", "-o"];
        let arguments = [base.as_slice(), &[&out]].concat();
        story.command(world.shown(&arguments));
        world.run(&arguments)?;
        equal += usize::from(fs::read(world.path(&out))? == fs::read(&o.plain)?);
        again = world.shown(&[base.as_slice(), &["opened/again"]].concat());
    }
    story.check(
        "opened files equal the originals",
        format!("{equal} of {}", scene.objects.len()),
        equal == scene.objects.len(),
    );
    let now = now_unix_ms().to_string();
    Ok(vec![
        world.shown(&[VERIFY.as_slice(), &["--now-ms", &now]].concat()),
        again,
        world.shown(&["node", "scrub", "--config", NODE_CONFIG])
            + "   # finds the deleted blocks: exit code 1",
    ])
}

/// A field of a JSON answer that must be text.
pub(crate) fn text(value: &Value, field: &str) -> anyhow::Result<String> {
    value[field].as_str().map(str::to_owned).with_context(|| format!("no `{field}` in {value}"))
}

/// Enough of a key to recognise it.
pub(crate) fn short(key: &str) -> String {
    key.chars().take(16).collect::<String>() + "…"
}
