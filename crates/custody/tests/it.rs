//! Integration tests of custody.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the message")]

mod it {
    mod adaptive;
    mod binding;
    mod case;
    mod codec;
    mod hybrid;
    mod jurisdiction;
    mod keys;
    mod points;
    mod recipient;
    mod recover;
    mod release;
    mod replay;
    mod reshare;
    mod shape;
    mod stranger;
    mod vectors;
}
