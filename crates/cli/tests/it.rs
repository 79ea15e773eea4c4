//! End-to-end tests through the real binary.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the message")]

mod it {
    mod agent;
    mod beacon;
    mod between;
    mod campaign;
    mod circuit;
    mod compact;
    mod controls;
    mod custody;
    mod custody_guards;
    mod custody_paths;
    mod custody_policy;
    mod demo;
    mod destroy;
    mod developer;
    mod directory;
    mod directory_shards;
    mod export;
    mod get;
    mod host;
    mod hostile_size;
    mod inventory;
    mod key_text;
    mod key_vectors;
    mod kit;
    mod leftovers;
    mod log;
    mod meanwhile;
    mod no_network;
    mod node_answers;
    mod one_signer;
    mod passphrase;
    mod placement;
    mod policy;
    mod program;
    mod put;
    mod rewrap;
    mod rewrap_node;
    mod roster;
    mod rotate;
    mod rotate_done;
    mod rotate_folder;
    mod rotate_killed;
    mod shards;
    mod threads;
    mod verdict;
}
