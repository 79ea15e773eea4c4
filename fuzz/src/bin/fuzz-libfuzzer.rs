//! One target under libFuzzer, chosen by the variable `FUZZ_TARGET`.
//!
//! ```text
//! cargo run --release -p bailiwick-fuzz --bin fuzz-smoke -- --write-corpus fuzz/corpus
//! RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters" \
//!   cargo build --release -p bailiwick-fuzz --features libfuzzer --bin fuzz-libfuzzer --target x86_64-unknown-linux-gnu
//! FUZZ_TARGET=envelope target/x86_64-unknown-linux-gnu/release/fuzz-libfuzzer fuzz/corpus/envelope -max_total_time=600
//! ```
#![no_main]

use std::sync::LazyLock;

use bailiwick_fuzz::{TARGETS, Target};
use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    TARGETS.iter().find(|t| t.name == name).expect("FUZZ_TARGET names one of the targets of `fuzz-smoke`")
});

fuzz_target!(|data: &[u8]| {
    (TARGET.run)(data);
});
