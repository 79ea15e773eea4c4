//! Project chores, run as `cargo xtask NAME`. Everything here judges the repository and nothing here ships.
//!
//! - `check-layers`: tiers, forbidden reaches, source rules, links, `crates/README.md` (`--write` regenerates it)
//! - `check-licences`: licences and banned crates of what is built, against `deny.toml`
//! - `assurance`: `docs/assurance.md` against the tests that exist (`--write` regenerates it)

mod assurance;
mod graph;
mod layers;
mod licences;
mod links;
mod members;
mod repository;
mod rust_source;
mod sources;
mod spdx;

use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "usage: cargo xtask check-layers [--write] | check-licences | assurance [--write]";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(violations) if violations.is_empty() => ExitCode::SUCCESS,
        Ok(violations) => {
            for v in &violations {
                eprintln!("violation: {v}");
            }
            eprintln!("{} violations", violations.len());
            ExitCode::FAILURE
        }
        Err(e) => {
            eprintln!("error: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> Result<Vec<String>> {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["check-layers"] => check_layers(false),
        ["check-layers", "--write"] => check_layers(true),
        ["check-licences"] => licences::check(),
        ["assurance"] => assurance::check(false),
        ["assurance", "--write"] => assurance::check(true),
        _ => bail!("{USAGE}"),
    }
}

fn check_layers(write: bool) -> Result<Vec<String>> {
    let repo = repository::Repository::load()?;
    let packages = graph::load(&repo)?;
    let mut violations = layers::violations(&packages, layers::SAME_TIER_EDGES);
    violations.extend(layers::verifier_violations(&repository::tree(&repo, "bailiwick-verifier")?));
    violations.extend(sources::check(&repo, &packages)?);
    violations.extend(links::check(&repo)?);
    violations.extend(members::check(&repo, &packages, write)?);
    if violations.is_empty() {
        println!("layers hold: {} packages, {} tracked files read", packages.len(), repo.files.len());
    }
    Ok(violations)
}
