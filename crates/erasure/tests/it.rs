//! Tests of both codes.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the message")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "patterns and lengths of tests are small"
)]

mod it {
    mod across;
    mod buffers;
    mod inside;
    mod placement;
    mod shape;
    mod vectors;
}
