//! Tests of beacon rounds: vectors made by others, then one attack a test.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the message")]

mod it {
    mod attacks;
    mod cache;
    mod chain;
    mod json;
    mod oracle;
    mod time;
    mod vectors;
}
