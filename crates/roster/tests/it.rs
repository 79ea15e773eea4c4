//! Integration tests of the roster.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the message")]

mod it {
    mod blocs;
    mod case;
    mod diff;
    mod names;
    mod reach;
    mod seed_network;
    mod share;
    mod signed;
    mod toml;
    mod wire;
}
