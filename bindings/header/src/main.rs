//! Makes `c/include/bailiwick.h` of `c/src`: `cargo run --release -p bailiwick-header`; with `--check` it only compares.

use std::process::ExitCode;

fn main() -> ExitCode {
    let c = concat!(env!("CARGO_MANIFEST_DIR"), "/../c");
    let header = format!("{c}/include/bailiwick.h");
    let config = cbindgen::Config::from_file(format!("{c}/cbindgen.toml")).expect("cbindgen.toml is read");
    // The modules are followed from there.
    let made = cbindgen::Builder::new().with_src(format!("{c}/src/lib.rs")).with_config(config);
    let made = made.generate().expect("c/src is parsed");
    let mut text = Vec::new();
    made.write(&mut text);
    if let Err(what) = declared_once(&format!("{c}/src"), &String::from_utf8_lossy(&text)) {
        eprintln!("{what}");
        return ExitCode::FAILURE;
    }
    if !std::env::args().any(|a| a == "--check") {
        std::fs::write(&header, text).expect("the header is written");
    } else if std::fs::read(&header).unwrap_or_default() != text {
        eprintln!("{header} is out of date: cargo run --release -p bailiwick-header");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Whether the header declares each function that the sources export, and each once.
fn declared_once(sources: &str, header: &str) -> Result<(), String> {
    let mut exported = 0;
    for file in std::fs::read_dir(sources).expect("c/src is there") {
        let text = std::fs::read_to_string(file.expect("c/src is read").path()).expect("c/src is text");
        for line in text.lines().filter(|l| l.contains("extern \"C\" fn bw_")) {
            let name = line.split("fn ").nth(1).and_then(|rest| rest.split('(').next()).unwrap_or_default();
            let declared = header.lines().filter(|l| !l.starts_with("//") && l.contains(&format!("{name}(")));
            match declared.count() {
                1 => exported += 1,
                n => return Err(format!("the header declares {name} {n} times")),
            }
        }
    }
    if exported == 0 { Err("c/src exports nothing".into()) } else { Ok(()) }
}
