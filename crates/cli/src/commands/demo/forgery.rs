//! Answers a dishonest host could sign without holding anything: old proofs, proofs of others, forged proofs.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use bailiwick_groth16::development::forge_with_development_trapdoor;
use bailiwick_groth16::{Proof, VerifyingKey};
use bailiwick_possession::challenge::sampled;
use bailiwick_possession::statement::public_input;
use bailiwick_possession_circuit::class_info;
use bailiwick_protocol::bundle::{Answer, Bundle, SignedBundle};
use bailiwick_protocol::challenge::{Challenge, Response, SignedChallenge, Target};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::SignedEnvelope;
use bailiwick_protocol::ids::{ClassId, HostKey, Nonce, OwnerKey};
use bailiwick_protocol::signing::{Signed, SigningKey};

use super::honest::{
    HONEST_BUNDLE, NODE_CONFIG, Scene, claim_of, class_name, text, verdict, verify, verifying_key,
};
use super::story::Story;
use super::world::World;
use crate::audit::os_random;
use crate::keyfile::{self, Kind};

/// What the honest audit left, and the keys a dishonest host and its accomplices hold.
struct Honest {
    bundle: Bundle,
    challenge: Challenge,
    proof: Vec<u8>,
    auditor: SigningKey,
    host: SigningKey,
}

/// The secret key file that the node's configuration names.
pub(crate) fn host_key_file(world: &World) -> anyhow::Result<PathBuf> {
    let config = bailiwick_node::config::Config::load(&world.path(NODE_CONFIG))?;
    Ok(config.host_key)
}

fn load(world: &World) -> anyhow::Result<Honest> {
    let auditor = keyfile::read_signing_key(&world.path("keys/auditor"), Kind::Auditor)?;
    let host = keyfile::read_signing_key(&host_key_file(world)?, Kind::Host)?;
    let bytes = fs::read(world.path(HONEST_BUNDLE))?;
    let bundle = SignedBundle::from_bytes(&bytes)?.verify(&auditor.public())?;
    let challenge = bundle.challenge.verify(&auditor.public())?;
    let Answer::Response(response) = &bundle.answer else {
        anyhow::bail!("the honest bundle holds no answer")
    };
    let proof = response.verify(&host.public())?.outcome.ok().context("the honest bundle holds no proof")?;
    Ok(Honest { bundle, challenge, proof, auditor, host })
}

impl Honest {
    /// A bundle in which `host` answers `challenge` with `proof`, and everything else is as it should be.
    fn answered(&self, challenge: &Challenge, proof: &[u8], host: &SigningKey) -> Bundle {
        let signed: SignedChallenge = Signed::new(challenge, &self.auditor);
        let response = Response { challenge: challenge.digest(), outcome: Ok(proof.to_vec()) };
        let all = self.challenge.targets.iter().zip(&self.bundle.envelopes);
        let envelopes = all
            .filter(|(t, _)| challenge.targets.contains(t))
            .map(|(_, envelope)| envelope.clone())
            .collect();
        Bundle {
            challenge: signed,
            envelopes,
            answer: Answer::Response(Signed::new(&response, host)),
            ranges: Vec::new(),
            ..self.bundle.clone()
        }
    }
}

/// Runs the controls on replayed, misdirected and forged proofs.
pub(crate) fn run(world: &World, story: &mut Story, scene: &Scene) -> anyhow::Result<()> {
    let honest = load(world)?;
    story.begin("control-replay", "A host that holds nothing answers with a proof it has seen before");
    let same = honest.answered(&honest.challenge, &honest.proof, &honest.host);
    judge(
        world,
        story,
        &honest,
        "twin",
        "the proof under its own challenge",
        &same,
        "anchors.toml",
        "supported",
    )?;

    let later = Challenge { nonce: Nonce(os_random()?), ..honest.challenge.clone() };
    let replayed = honest.answered(&later, &honest.proof, &honest.host);
    judge(
        world,
        story,
        &honest,
        "attack",
        "the proof under a fresh challenge",
        &replayed,
        "anchors.toml",
        "refuted",
    )?;

    let bytes = fs::read(world.path(&scene.marker.envelope))?;
    let envelope = SignedEnvelope::from_bytes(&bytes)?;
    let target =
        Target::of(&envelope.verify(scene.owner.parse::<OwnerKey>()?.as_bytes())?).context("a commitment")?;
    let other_object = Challenge { targets: vec![target], ..honest.challenge.clone() };
    let misdirected =
        Bundle { envelopes: vec![envelope], ..honest.answered(&other_object, &honest.proof, &honest.host) };
    judge(
        world,
        story,
        &honest,
        "attack",
        "the proof for another object",
        &misdirected,
        "anchors.toml",
        "refuted",
    )?;

    let other_host =
        SigningKey::from_seed(&keyfile::read_secret_of_any_kind(&world.path("keys/stranger-owner"))?);
    let other_key = HostKey(other_host.public());
    let anchors = fs::read_to_string(world.path("anchors.toml"))?;
    let with_other = format!(
        "{anchors}\n[[principal]]\nrole = \"host\"\nname = \"another host\"\nkey = \"{other_key}\"\n"
    );
    fs::write(world.path("anchors-two-hosts.toml"), with_other)?;
    let to_other = Challenge { host: other_key, ..honest.challenge.clone() };
    let borrowed = honest.answered(&to_other, &honest.proof, &other_host);
    judge(
        world,
        story,
        &honest,
        "attack",
        "the proof in another host's mouth",
        &borrowed,
        "anchors-two-hosts.toml",
        "refuted",
    )?;
    development(world, story, &honest, scene.class)
}

/// A proof without data and without a witness, under the key whose trapdoor everybody knows.
fn development(world: &World, story: &mut Story, honest: &Honest, class: ClassId) -> anyhow::Result<()> {
    story.begin("control-development-key", "A proof forged with the trapdoor of a development key");
    let dir = world.path("circuit-keys");
    let made = world.tell(story, &["circuit", "setup", "--class", class_name(class), "--development"])?;
    let digest = text(&made, "vk")?;
    let vk = VerifyingKey::from_bytes(&fs::read(dir.join(format!("{digest}.vk")))?)?;
    let challenge = Challenge { vk: vk.digest(), ..honest.challenge.clone() };
    let circuit = class_info(class).context("the class is pinned")?.circuit;
    let input = public_input(&challenge, &sampled(&challenge, &[])?)?;
    let mut rng = <rand_chacha::ChaCha20Rng as rand_core::SeedableRng>::from_seed(os_random()?);
    let forged = forge_with_development_trapdoor(&circuit, &vk, &[input], &mut rng)?;
    let accepted = vk.prepare().verify(&[input], &Proof::from_bytes(&forged.to_bytes())?).is_ok();
    story.twin(
        "the pairing check alone, which knows nothing of keys",
        if accepted { "accepts it" } else { "refuses it" },
        accepted,
    );
    let anchors = fs::read_to_string(world.path("anchors.toml"))?;
    let with_development =
        format!("{anchors}\n{}provenance = \"development\"\n", verifying_key(&digest, class));
    fs::write(world.path("anchors-development.toml"), with_development)?;
    let bundle = honest.answered(&challenge, &forged.to_bytes(), &honest.host);
    judge(
        world,
        story,
        honest,
        "attack",
        "the verdict, which does",
        &bundle,
        "anchors-development.toml",
        "inconclusive",
    )
}

/// Writes the bundle, has it verified by the program, and compares the verdict on *stored*.
#[expect(clippy::too_many_arguments, reason = "one row of a table of controls")]
fn judge(
    world: &World,
    story: &mut Story,
    honest: &Honest,
    role: &str,
    what: &str,
    bundle: &Bundle,
    anchors: &str,
    expected: &str,
) -> anyhow::Result<()> {
    let name = what.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let path = format!("evidence/{name}.bundle");
    fs::write(world.path(&path), Signed::new(bundle, &honest.auditor).to_bytes())?;
    let (report, code) = verify(world, &path, anchors)?;
    let came_out = verdict(&report, "stored").to_owned();
    let headline = claim_of(&report, "stored").and_then(|c| c["headline"].as_str()).unwrap_or_default();
    let expected_code = match expected {
        "supported" => 0,
        "refuted" => 1,
        _ => 2,
    };
    ensure!(role == "twin" || expected != "supported", "an attack must not be expected to succeed");
    let as_it_must = came_out == expected && code == expected_code;
    let shown = format!("stored {came_out}: {headline}");
    if role == "twin" {
        story.twin(what, shown, as_it_must);
    } else {
        story.attack(what, shown, as_it_must);
    }
    Ok(())
}
