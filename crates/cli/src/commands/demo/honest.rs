//! The honest half: keys, sealing, a node, putting, set-up, audit, verdict, report.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::story::Story;
use super::world::{Node, World};

/// The files inside this program; `demo-data/README.md` says whose they are.
const SHIPPED: [(&str, &[u8]); 4] = [
    ("tzdata.zi", include_bytes!("../../../demo-data/tzdata.zi")),
    ("zone1970.tab", include_bytes!("../../../demo-data/zone1970.tab")),
    ("iso3166.tab", include_bytes!("../../../demo-data/iso3166.tab")),
    ("mldsa_65_verify_test.json", include_bytes!("../../../demo-data/mldsa_65_verify_test.json")),
];

/// What the policy of the demonstration requires.
const POLICY: &str = include_str!("../../../../../audits/profiles/demo.toml");

/// One sealed file.
#[derive(Debug)]
pub(crate) struct Object {
    /// The plaintext file.
    pub(crate) plain: PathBuf,
    /// Its sealed body.
    pub(crate) body: PathBuf,
    /// Its envelope.
    pub(crate) envelope: PathBuf,
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
    /// Its configuration.
    pub(crate) config: PathBuf,
    /// Public keys by principal, hexadecimal.
    pub(crate) host: String,
    /// The auditor's.
    pub(crate) auditor: String,
    /// The owner's.
    pub(crate) owner: String,
    /// Digest of the verifying key.
    pub(crate) vk: String,
    /// Sealed files, largest last.
    pub(crate) objects: Vec<Object>,
    /// Commands to repeat.
    pub(crate) repeat: Vec<String>,
}

/// Runs the honest story.
pub(crate) fn run(world: &World, story: &mut Story, path: Option<&Path>) -> anyhow::Result<Scene> {
    let (owner, auditor) = keys(world, story)?;
    let mut objects = seal(world, story, &plaintexts(world, path)?)?;
    objects.sort_by_key(|o| o.size);
    let (node, config, host) = start(world, story, &owner, &auditor)?;
    put(world, story, &node, &host, &objects)?;
    let vk = set_up(world, story, &auditor)?;
    write_judgement_files(world, &owner, &auditor, &host, &vk)?;
    let scene = Scene { node, config, host, auditor, owner, vk, objects, repeat: Vec::new() };
    let bundle = world.path("evidence/honest.bundle");
    audit(world, story, &scene, &bundle, &scene.objects.iter().collect::<Vec<_>>())?;
    judge(world, story, &bundle)?;
    let mut scene = scene;
    scene.repeat = open_and_repeat(world, story, &scene, &bundle)?;
    Ok(scene)
}

fn keys(world: &World, story: &mut Story) -> anyhow::Result<(String, String)> {
    story.begin("keys", "Each principal makes its own key");
    let mut public = Vec::new();
    for (kind, name) in [
        ("owner", "owner"),
        ("recipient", "recipient"),
        ("auditor", "auditor"),
        ("owner", "stranger-owner"),
        ("recipient", "stranger"),
    ] {
        let file = world.path("keys").join(name);
        world
            .tell(story, &["key".as_ref(), "new".as_ref(), kind.as_ref(), "-o".as_ref(), file.as_os_str()])?;
        let shown: Value = serde_json::from_slice(&world.run(&[
            "key".as_ref(),
            "show".as_ref(),
            file.as_os_str(),
            "--json".as_ref(),
        ])?)?;
        public.push(text(&shown, "public")?);
    }
    let distinct: std::collections::BTreeSet<_> = public.iter().collect();
    story.check(
        "keys of five principals",
        format!("{} distinct public keys", distinct.len()),
        distinct.len() == 5,
    );
    Ok((public[0].clone(), public[2].clone()))
}

/// Regular files under `path`, or the shipped ones written out.
fn plaintexts(world: &World, path: Option<&Path>) -> anyhow::Result<Vec<PathBuf>> {
    let Some(path) = path else {
        let dir = world.path("plain");
        fs::create_dir(&dir)?;
        for (name, bytes) in SHIPPED {
            fs::write(dir.join(name), bytes)?;
        }
        return Ok(SHIPPED.iter().map(|(name, _)| dir.join(name)).collect());
    };
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

fn seal(world: &World, story: &mut Story, plain: &[PathBuf]) -> anyhow::Result<Vec<Object>> {
    story.begin(
        "seal",
        "The developer seals each file on their own machine, for one recipient (X-Wing hybrid)",
    );
    let mut objects = Vec::new();
    for (i, file) in plain.iter().enumerate() {
        let body = world.path(format!("sealed/{i}.sealed"));
        let envelope = world.path(format!("sealed/{i}.sealed.envelope"));
        let (owner, to) = (world.path("keys/owner"), world.path("keys/recipient.pub"));
        let arguments = [
            "seal".as_ref(),
            file.as_os_str(),
            "-o".as_ref(),
            body.as_os_str(),
            "--envelope".as_ref(),
            envelope.as_os_str(),
            "--owner".as_ref(),
            owner.as_os_str(),
            "--to".as_ref(),
            to.as_os_str(),
        ];
        let sealed = world.tell(story, &arguments)?;
        let name = text(&sealed, "name")?;
        let size = fs::metadata(&body)?.len();
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

fn start(
    world: &World,
    story: &mut Story,
    owner: &str,
    auditor: &str,
) -> anyhow::Result<(Node, PathBuf, String)> {
    story.begin("node", "A host starts a node: a process of its own, with an empty environment, on loopback");
    let dir = world.path("node");
    let keys = world.path("circuit-keys");
    let initialised = world.tell(
        story,
        &[
            "node".as_ref(),
            "init".as_ref(),
            dir.as_os_str(),
            "--owner".as_ref(),
            owner.as_ref(),
            "--auditor".as_ref(),
            auditor.as_ref(),
            "--circuit-keys".as_ref(),
            keys.as_os_str(),
            "--listen".as_ref(),
            "127.0.0.1:0".as_ref(),
        ],
    )?;
    let config = PathBuf::from(text(&initialised, "config")?);
    let host = text(&initialised, "host")?;
    story.command(world.shown(&["node".as_ref(), "run".as_ref(), "--config".as_ref(), config.as_os_str()]));
    let node = world.start_node(&config)?;
    story.check("the node listens", node.url.clone(), node.url.starts_with("http://127.0.0.1:"));
    Ok((node, config, host))
}

fn put(world: &World, story: &mut Story, node: &Node, host: &str, objects: &[Object]) -> anyhow::Result<()> {
    story.begin(
        "put",
        "The developer puts the sealed objects; the node checks each one before it acknowledges",
    );
    let owner = world.path("keys/owner");
    for o in objects {
        world.tell(
            story,
            &[
                "put".as_ref(),
                o.body.as_os_str(),
                "--envelope".as_ref(),
                o.envelope.as_os_str(),
                "--owner".as_ref(),
                owner.as_os_str(),
                "--node".as_ref(),
                node.url.as_ref(),
                "--host".as_ref(),
                host.as_ref(),
            ],
        )?;
    }
    let listed = world.tell(
        story,
        &[
            "ls".as_ref(),
            "--key".as_ref(),
            owner.as_os_str(),
            "--node".as_ref(),
            node.url.as_ref(),
            "--host".as_ref(),
            host.as_ref(),
        ],
    )?;
    let n = listed.as_array().map_or(0, Vec::len);
    story.check("the node lists what it holds", format!("{n} objects"), n == objects.len());
    Ok(())
}

fn set_up(world: &World, story: &mut Story, auditor: &str) -> anyhow::Result<String> {
    story.begin(
        "set-up",
        "The auditor makes its own proving key from the system's randomness and hands it to the host",
    );
    let (dir, key) = (world.path("circuit-keys"), world.path("keys/auditor"));
    let made = world.tell(
        story,
        &[
            "circuit".as_ref(),
            "setup".as_ref(),
            "--class".as_ref(),
            "small".as_ref(),
            "--auditor".as_ref(),
            key.as_os_str(),
            "--dir".as_ref(),
            dir.as_os_str(),
        ],
    )?;
    let vk = text(&made, "vk")?;
    story.check(
        "single-party key, trusted by this auditor only",
        format!("verifying key {}, auditor {}", short(&vk), short(auditor)),
        vk.len() == 64,
    );
    Ok(vk)
}

/// Trust anchors and policy, the two files a skeptic reads.
fn write_judgement_files(
    world: &World,
    owner: &str,
    auditor: &str,
    host: &str,
    vk: &str,
) -> anyhow::Result<()> {
    let anchors = format!(
        "# Whose keys this reader believes, and where each verifying key came from.\nversion = 1\n\n\
         [[principal]]\nrole = \"owner\"\nname = \"the developer\"\nkey = \"{owner}\"\n\n\
         [[principal]]\nrole = \"host\"\nname = \"the demonstration's node\"\nkey = \"{host}\"\n\n\
         [[principal]]\nrole = \"auditor\"\nname = \"the demonstration's auditor\"\nkey = \"{auditor}\"\n\n\
         [[verifying_key]]\ndigest = \"{vk}\"\nclass = {{ samples = 16, depth = 5 }}\nprovenance = \"auditor\"\nauditor = \"{auditor}\"\n"
    );
    fs::write(world.path("anchors.toml"), anchors)?;
    fs::write(world.path("policy.toml"), POLICY)?;
    Ok(())
}

/// One audit over `objects`, into `bundle`.
pub(crate) fn audit(
    world: &World,
    story: &mut Story,
    scene: &Scene,
    bundle: &Path,
    objects: &[&Object],
) -> anyhow::Result<Value> {
    if bundle.ends_with("honest.bundle") {
        story.begin(
            "audit",
            "The auditor draws a challenge over all objects and collects the answer and a few ranges",
        );
    }
    let (key, dir) = (world.path("keys/auditor"), world.path("circuit-keys"));
    let mut arguments: Vec<&std::ffi::OsStr> = vec![
        "audit".as_ref(),
        "run".as_ref(),
        "--node".as_ref(),
        scene.node.url.as_ref(),
        "--host".as_ref(),
        scene.host.as_ref(),
        "--auditor".as_ref(),
        key.as_os_str(),
        "--vk".as_ref(),
        scene.vk.as_ref(),
        "--circuit-keys".as_ref(),
        dir.as_os_str(),
        "--owner".as_ref(),
        scene.owner.as_ref(),
        "-o".as_ref(),
        bundle.as_os_str(),
    ];
    for o in objects {
        arguments.extend(["--envelope".as_ref(), o.envelope.as_os_str()]);
    }
    let told = world.tell(story, &arguments)?;
    if bundle.ends_with("honest.bundle") {
        let size = fs::metadata(bundle)?.len();
        let answer = told["answer"].as_str().unwrap_or_default().to_owned();
        let ms = told["answer_ms"].as_u64().unwrap_or_default();
        story.check(
            "the host answered with a proof",
            format!("{answer} after {ms} ms; bundle of {size} bytes"),
            answer == "proof",
        );
        let good = told["probes"]["good"].as_u64().unwrap_or_default();
        let all = told["probes"]["total"].as_u64().unwrap_or_default();
        story.check(
            "random ranges fetched on the customer path",
            format!("{good} of {all} matched the owner's signed root"),
            all > 0 && good == all,
        );
    }
    Ok(told)
}

/// Runs `verify` and gives its JSON and exit code.
pub(crate) fn verify(world: &World, bundle: &Path, anchors: &str) -> anyhow::Result<(Value, i32)> {
    let (policy, anchors, keys) =
        (world.path("policy.toml"), world.path(anchors), world.path("circuit-keys"));
    let arguments = [
        "verify".as_ref(),
        bundle.as_os_str(),
        "--policy".as_ref(),
        policy.as_os_str(),
        "--anchors".as_ref(),
        anchors.as_os_str(),
        "--keys".as_ref(),
        keys.as_os_str(),
        "--json".as_ref(),
    ];
    let output = world.try_run(&arguments)?;
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

fn judge(world: &World, story: &mut Story, bundle: &Path) -> anyhow::Result<()> {
    story.begin("verify", "Anyone judges the bundle offline, with a policy and their own trust anchors");
    story.command(
        "bailiwick verify evidence/honest.bundle --policy policy.toml --anchors anchors.toml".to_owned(),
    );
    let (report, code) = verify(world, bundle, "anchors.toml")?;
    story.check("stored", verdict(&report, "stored"), verdict(&report, "stored") == "supported" && code == 0);
    let stored = claim_of(&report, "stored").context("no claim stored")?;
    for a in stored["assumptions"].as_array().into_iter().flatten() {
        story.say(&format!("               assumes: {}", a["text"].as_str().unwrap_or_default()));
    }
    let detection = &stored["numbers"]["detection"];
    story.say("               chance that one such audit notices a loss, by lost fraction of all cells:");
    for loss in detection[0]["losses"].as_array().into_iter().flatten() {
        story.say(&format!("                 {loss}"));
    }
    story.check(
        "a detection probability is stated",
        detection[0]["scope"].to_string(),
        detection[0]["losses"].is_array(),
    );
    for claim in ["opaque", "served", "resident", "custody", "survivable", "logged"] {
        let headline = claim_of(&report, claim).and_then(|c| c["headline"].as_str()).unwrap_or_default();
        story.check(
            format!("{claim} (no evidence yet)"),
            format!("{}: {headline}", verdict(&report, claim)),
            verdict(&report, claim) == "inconclusive" && !headline.is_empty(),
        );
    }
    story.begin("report", "The same judgement as a page for people");
    let (html, policy, anchors) =
        (world.path("report.html"), world.path("policy.toml"), world.path("anchors.toml"));
    let arguments = [
        "report".as_ref(),
        bundle.as_os_str(),
        "--policy".as_ref(),
        policy.as_os_str(),
        "--anchors".as_ref(),
        anchors.as_os_str(),
        "--html".as_ref(),
        html.as_os_str(),
    ];
    story.command(world.shown(&arguments));
    world.run(&arguments)?;
    let page = fs::read_to_string(&html)?;
    story.check(
        "a self-contained page",
        format!("{} bytes, {}", page.len(), html.display()),
        page.contains("supported") && !page.contains("<script") && !page.contains("src=\"http"),
    );
    Ok(())
}

/// The recipient opens everything; gives the commands to repeat.
fn open_and_repeat(
    world: &World,
    story: &mut Story,
    scene: &Scene,
    bundle: &Path,
) -> anyhow::Result<Vec<String>> {
    story.begin("open", "The recipient, and nobody at the host, opens what was sealed");
    let secret = world.path("keys/recipient");
    let mut repeat = Vec::new();
    let mut equal = 0;
    for (i, o) in scene.objects.iter().enumerate() {
        let out = world.path(format!("opened/{i}"));
        let arguments = [
            "open".as_ref(),
            o.body.as_os_str(),
            "--envelope".as_ref(),
            o.envelope.as_os_str(),
            "--owner".as_ref(),
            scene.owner.as_ref(),
            "--key".as_ref(),
            secret.as_os_str(),
            "-o".as_ref(),
            out.as_os_str(),
        ];
        world.run(&arguments)?;
        equal += usize::from(fs::read(&out)? == fs::read(&o.plain)?);
        if repeat.is_empty() {
            let again = world.path("opened/again");
            let mut repeated = arguments;
            repeated[9] = again.as_os_str();
            repeat.push(world.shown(&repeated));
            story.command(world.shown(&arguments));
        }
    }
    story.check(
        "opened files equal the originals",
        format!("{equal} of {}", scene.objects.len()),
        equal == scene.objects.len(),
    );
    let (policy, anchors) = (world.path("policy.toml"), world.path("anchors.toml"));
    repeat.insert(
        0,
        world.shown(&[
            "verify".as_ref(),
            bundle.as_os_str(),
            "--policy".as_ref(),
            policy.as_os_str(),
            "--anchors".as_ref(),
            anchors.as_os_str(),
        ]),
    );
    repeat.push(world.shown(&[
        "node".as_ref(),
        "scrub".as_ref(),
        "--config".as_ref(),
        scene.config.as_os_str(),
    ]));
    Ok(repeat)
}

/// A field of a JSON answer that must be text.
pub(crate) fn text(value: &Value, field: &str) -> anyhow::Result<String> {
    value[field].as_str().map(str::to_owned).with_context(|| format!("no `{field}` in {value}"))
}

/// Enough of a key to recognise it.
pub(crate) fn short(key: &str) -> String {
    key.chars().take(16).collect::<String>() + "…"
}
