//! The reader's trust anchors of a simulation, as the shipped verifier reads them.

use bailiwick_protocol::ids::{AuditorKey, ClassId, OwnerKey, VkDigest};

use crate::beacon::BeaconChain;
use crate::host::Host;
use crate::log::MemoryLog;

pub(crate) fn text(
    auditor: &AuditorKey,
    owners: &[OwnerKey],
    hosts: &[&Host],
    (class, vk): (ClassId, VkDigest),
    log: &MemoryLog,
    chain: &BeaconChain,
) -> String {
    let principal = |role: &str, name: &str, key: &[u8; 32]| {
        format!("[[principal]]\nrole = \"{role}\"\nname = \"{name}\"\nkey = \"{}\"\n", hex::encode(key))
    };
    let mut text = "version = 1\n".to_owned() + &principal("auditor", "auditor", auditor.as_bytes());
    for (i, owner) in owners.iter().enumerate() {
        text += &principal("owner", &format!("owner {i}"), owner.as_bytes());
    }
    for host in hosts {
        text += &principal("host", host.name(), host.key().as_bytes());
    }
    let ClassId { samples, depth } = class;
    text += &format!(
        "[[verifying_key]]\ndigest = \"{vk}\"\nclass = {{ samples = {samples}, depth = {depth} }}\nprovenance = \"auditor\"\nauditor = \"{}\"\n",
        hex::encode(auditor.as_bytes())
    );
    text += &log.anchors();
    text += &chain.table();
    text
}
