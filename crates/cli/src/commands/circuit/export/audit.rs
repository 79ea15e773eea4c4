//! The proof of an evidence bundle, and the public input that its challenge has.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use bailiwick_groth16::Proof;
use bailiwick_possession::challenge::sampled;
use bailiwick_possession_circuit::public::PublicInputs;
use bailiwick_protocol::bundle::{Answer, SignedBundle};
use bailiwick_protocol::codec::Canonical as _;

use super::folder::NewFolder;
use super::{Report, export_key, export_proof, key_of};
use crate::output::read_bounded;

/// Exports what another program needs to check the one proof of a bundle. Signatures are checked under the keys that the bundle itself
/// names, which anyone can arrange: whose word it is, `bailiwick verify` says.
pub(super) fn export(
    path: &Path,
    keys: &Path,
    folder: &mut NewFolder,
    report: &mut Report,
) -> anyhow::Result<()> {
    let not_a_bundle = || format!("{} is not a whole bundle", path.display());
    let signed = SignedBundle::from_bytes(&read_bounded(path, SignedBundle::BYTES_MAX as u64)?)
        .with_context(not_a_bundle)?;
    let auditor = signed.decode_unverified().with_context(not_a_bundle)?.auditor;
    let bundle = signed.verify(auditor.as_bytes()).with_context(not_a_bundle)?;
    let challenge = bundle.challenge.verify(auditor.as_bytes()).context("the challenge in the bundle")?;
    let response = match &bundle.answer {
        Answer::Response(signed) => signed.verify(challenge.host.as_bytes()).context("the host's answer")?,
        Answer::None(why) => bail!("the host gave no answer ({why:?}): there is no proof to export"),
    };
    ensure!(response.challenge == challenge.digest(), "the answer in the bundle is to another challenge");
    let proof = match response.outcome {
        Ok(proof) => Proof::from_bytes(&proof)?,
        Err(why) => bail!("the host says that it cannot prove ({why:?}): there is no proof to export"),
    };
    let leaves = bundle.inventory.as_ref().map_or(&[][..], |i| &i.leaves);
    let inputs = PublicInputs::of(&challenge, &sampled(&challenge, leaves)?)?.to_array();
    let (vk, provenance) = key_of(keys, challenge.vk)?;
    export_key(&vk, provenance, folder, report)?;
    export_proof(&vk, &inputs, &proof, folder, report)
}
