//! The targets.

mod archive;
mod beacon;
mod bodies;
mod checks;
mod compact;
mod custody;
mod export;
mod fleet;
mod iden3;
mod judgement;
mod keys;
mod messages;
mod requests;
mod roster;
mod shards;
mod text;
mod translog;
mod trees;
mod zk;

/// One public decoder.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Name on the command line.
    pub name: &'static str,
    /// Decodes; true when the bytes were accepted. Panics when a promise of the decoder is broken.
    pub run: fn(&[u8]) -> bool,
    /// Valid inputs to start from.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target { name: "envelope", run: messages::envelope, seeds: messages::envelope_seeds },
    Target {
        name: "signed-envelope",
        run: messages::signed_envelope,
        seeds: messages::signed_envelope_seeds,
    },
    Target { name: "body", run: bodies::body, seeds: bodies::body_seeds },
    Target { name: "opened-envelope", run: bodies::envelope, seeds: bodies::envelope_seeds },
    Target { name: "archive", run: archive::archive, seeds: archive::archive_seeds },
    Target { name: "compact-value", run: compact::value, seeds: compact::value_seeds },
    Target { name: "challenge", run: messages::challenge, seeds: messages::challenge_seeds },
    Target { name: "response", run: messages::response, seeds: messages::response_seeds },
    Target { name: "bundle", run: messages::bundle, seeds: messages::bundle_seeds },
    Target { name: "inventory", run: fleet::inventory, seeds: fleet::inventory_seeds },
    Target { name: "inventory-openings", run: fleet::openings, seeds: fleet::openings_seeds },
    Target { name: "owner-range", run: fleet::owner_range, seeds: fleet::owner_range_seeds },
    Target { name: "log-entry", run: fleet::log_entry, seeds: fleet::log_entry_seeds },
    Target { name: "statement-of-opening", run: fleet::opened, seeds: fleet::opened_seeds },
    Target { name: "dossier", run: fleet::dossier, seeds: fleet::dossier_seeds },
    Target { name: "dossier-judgement", run: checks::dossier, seeds: checks::dossier_judged_seeds },
    Target { name: "inventory-opening", run: checks::opening, seeds: checks::opening_seeds },
    Target { name: "owner-range-check", run: checks::owned, seeds: checks::owned_seeds },
    Target { name: "judgement", run: judgement::judgement, seeds: judgement::judgement_seeds },
    Target { name: "cell-tree", run: trees::cell_tree, seeds: trees::cell_tree_seeds },
    Target { name: "block-path", run: trees::block_path, seeds: trees::block_path_seeds },
    Target { name: "proof", run: zk::proof, seeds: zk::proof_seeds },
    Target { name: "verifying-key", run: zk::verifying_key, seeds: zk::verifying_key_seeds },
    Target { name: "r1cs", run: export::r1cs, seeds: export::r1cs_seeds },
    Target { name: "wtns", run: export::wtns, seeds: export::wtns_seeds },
    Target { name: "snarkjs-key", run: export::key, seeds: export::key_seeds },
    Target { name: "snarkjs-proof", run: export::proof, seeds: export::proof_seeds },
    Target { name: "snarkjs-public", run: export::public, seeds: export::public_seeds },
    Target { name: "zkey", run: iden3::zkey, seeds: iden3::zkey_seeds },
    Target { name: "ptau", run: iden3::ptau, seeds: iden3::ptau_seeds },
    Target { name: "http-signature", run: requests::http_signature, seeds: requests::http_signature_seeds },
    Target { name: "names", run: requests::names, seeds: requests::names_seeds },
    Target { name: "custody-dealing", run: custody::dealing, seeds: custody::dealing_seeds },
    Target { name: "custody-request", run: custody::request, seeds: custody::request_seeds },
    Target { name: "custody-release", run: custody::released, seeds: custody::release_seeds },
    Target { name: "custody-receipt", run: custody::receipt, seeds: custody::receipt_seeds },
    Target { name: "custody-record", run: custody::record, seeds: custody::record_seeds },
    Target { name: "custodian-key", run: custody::custodian_key, seeds: custody::custodian_key_seeds },
    Target { name: "beacon-round", run: beacon::round, seeds: beacon::round_seeds },
    Target { name: "beacon-json", run: beacon::json, seeds: beacon::json_seeds },
    Target { name: "signed-roster", run: roster::signed, seeds: roster::signed_seeds },
    Target { name: "roster-toml", run: roster::text, seeds: roster::text_seeds },
    Target { name: "blocs-toml", run: roster::blocs, seeds: roster::blocs_seeds },
    Target { name: "note", run: translog::note, seeds: translog::note_seeds },
    Target { name: "tlog-proof", run: translog::proof, seeds: translog::proof_seeds },
    Target {
        name: "witness-request",
        run: translog::witness_request,
        seeds: translog::witness_request_seeds,
    },
    Target { name: "tile", run: translog::tile, seeds: translog::tile_seeds },
    Target { name: "key-text", run: keys::key_text, seeds: keys::key_text_seeds },
    Target { name: "agent-line", run: keys::agent_line, seeds: keys::agent_line_seeds },
    Target { name: "key-file", run: keys::key_file, seeds: keys::key_file_seeds },
    Target { name: "placement", run: shards::placement, seeds: shards::placement_seeds },
    Target { name: "policy", run: text::policy, seeds: text::policy_seeds },
    Target { name: "anchors", run: text::anchors, seeds: text::anchors_seeds },
    Target { name: "node-config", run: text::node_config, seeds: text::node_config_seeds },
];

#[cfg(test)]
mod tests {
    use super::TARGETS;

    #[test]
    fn every_seed_is_accepted_and_nothing_is_not() {
        for t in TARGETS {
            let seeds = (t.seeds)();
            assert!(!seeds.is_empty(), "{} has no seeds", t.name);
            for (i, seed) in seeds.iter().enumerate() {
                assert!((t.run)(seed), "{}: seed {i} is refused", t.name);
            }
            assert!(!(t.run)(b""), "{} accepts no bytes at all", t.name);
        }
    }
}
