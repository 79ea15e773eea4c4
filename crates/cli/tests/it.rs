//! End-to-end tests through the real binary.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the message")]

mod it {
    mod beacon;
    mod campaign;
    mod circuit;
    mod compact;
    mod controls;
    mod custody;
    mod demo;
    mod developer;
    mod directory;
    mod export;
    mod host;
    mod hostile_size;
    mod inventory;
    mod kit;
    mod log;
    mod no_network;
    mod placement;
    mod policy;
    mod program;
    mod roster;
    mod shards;
    mod verdict;
}
