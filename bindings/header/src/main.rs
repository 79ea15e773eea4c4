//! Makes `c/include/bailiwick.h` of `c/src`: `cargo run --release -p bailiwick-header`; with `--check` it only compares.

use std::process::ExitCode;

fn main() -> ExitCode {
    let c = concat!(env!("CARGO_MANIFEST_DIR"), "/../c");
    let header = format!("{c}/include/bailiwick.h");
    let config = cbindgen::Config::from_file(format!("{c}/cbindgen.toml")).expect("cbindgen.toml is read");
    let made = cbindgen::Builder::new().with_src(format!("{c}/src/lib.rs"));
    let made = ["bytes", "failure", "keys", "objects", "verify"]
        .iter()
        .fold(made, |b, name| b.with_src(format!("{c}/src/{name}.rs")));
    let made = made.with_config(config).generate().expect("c/src is parsed");
    let mut text = Vec::new();
    made.write(&mut text);
    if !std::env::args().any(|a| a == "--check") {
        std::fs::write(&header, text).expect("the header is written");
    } else if std::fs::read(&header).unwrap_or_default() != text {
        eprintln!("{header} is out of date: cargo run --release -p bailiwick-header");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
