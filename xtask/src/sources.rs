//! Rules over source text: purity of T0-T3, the one importer of `ark-groth16`, unchecked deserialisation,
//! and machine names in tracked files.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::graph::Package;
use crate::layers::ARK_GROTH16_OWNER;
use crate::repository::Repository;
use crate::rust_source::{without_comments_and_strings, without_tests};

/// Modules of `std` that T0-T3 do without: time, randomness, readers and writers are their arguments.
const STD_NEVER: &[&str] = &["fs", "net", "env", "process"];

/// Words that mean a clock or a global generator.
const WORDS_NEVER: &[&str] =
    &["SystemTime", "Instant", "OsRng", "SysRng", "ThreadRng", "thread_rng", "getrandom", "tokio"];

/// Files that may deserialise without checks, and why.
const UNCHECKED_ALLOWED: &[(&str, &str)] = &[(
    "circuits/groth16/src/proving_key.rs",
    "a proving key is decoded only after its bytes matched the digest the caller trusts; full checks take minutes",
)];

/// Hosts of package registries, in two halves so that this file does not name them.
const REGISTRY_HOSTS: &[(&str, &str)] = &[
    ("crates", ".io"),
    ("pypi", ".org"),
    ("pythonhosted", ".org"),
    ("npmjs", ".org"),
    ("npmjs", ".com"),
    ("proxy.golang", ".org"),
    ("deb.debian", ".org"),
    ("artifactory", "/"),
];

/// Homes of a machine, likewise in halves.
const MACHINE_ROOTS: &[(&str, &str)] = &[("/ro", "ot/"), ("/wo", "rk/"), ("/ho", "me/")];

/// Runs every source rule.
pub(crate) fn check(repo: &Repository, packages: &[Package]) -> Result<Vec<String>> {
    let mut out = Vec::new();
    let mut importers = Vec::new();
    for file in &repo.files {
        let Some(text) = repo.text(file)? else { continue };
        if file.extension().is_some_and(|e| e == "rs") {
            let owner = owner(packages, file);
            let code = without_comments_and_strings(&text);
            if owner.is_some_and(|p| p.tier.is_some_and(|t| t <= 3) && file.starts_with(p.dir.join("src"))) {
                out.extend(impurities(&without_tests(&code)).map(|(n, what)| at(file, n, &what)));
            }
            out.extend(unchecked(file, &code));
            if words(&code).any(|(_, w)| w == "ark_groth16") {
                importers.push(file.clone());
            }
        }
        // A lock file names the registry by construction.
        if file.file_name().is_none_or(|name| name != "Cargo.lock") {
            out.extend(machine_names(&text).map(|(n, what)| at(file, n, &what)));
        }
    }
    out.extend(importer_violations(packages, &importers));
    Ok(out)
}

fn at(file: &Path, line: usize, what: &str) -> String {
    format!("{}:{line}: {what}", file.display())
}

fn owner<'p>(packages: &'p [Package], file: &Path) -> Option<&'p Package> {
    packages.iter().filter(|p| file.starts_with(&p.dir)).max_by_key(|p| p.dir.components().count())
}

/// Words with the line they stand in, counted from 1.
fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    code.lines().enumerate().flat_map(|(n, line)| {
        line.split(|c: char| !(c.is_alphanumeric() || c == '_')).map(move |w| (n + 1, w))
    })
}

/// Uses of a file system, a network, a clock, the environment or a global generator.
fn impurities(code: &str) -> impl Iterator<Item = (usize, String)> {
    let by_word = words(code)
        .filter(|(_, w)| WORDS_NEVER.contains(w))
        .map(|(n, w)| (n, format!("`{w}` in a crate of T0-T3")))
        .collect::<Vec<_>>();
    let by_path = std_modules(code)
        .filter(|(_, m)| STD_NEVER.contains(&m.as_str()))
        .map(|(n, m)| (n, format!("`std::{m}` in a crate of T0-T3")))
        .collect::<Vec<_>>();
    by_word.into_iter().chain(by_path)
}

/// First segments after `std::`, those of `std::{a::b, c}` too.
fn std_modules(code: &str) -> impl Iterator<Item = (usize, String)> {
    let mut found = Vec::new();
    for (i, _) in code.match_indices("std::") {
        let word_before = code[..i].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
        if word_before {
            continue;
        }
        let line = code[..i].matches('\n').count() + 1;
        let rest = code[i + "std::".len()..].trim_start();
        match rest.strip_prefix('{') {
            None => found.push((line, first_word(rest))),
            Some(group) => found.extend(group_heads(group).into_iter().map(|w| (line, w))),
        }
    }
    found.into_iter()
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// First words of the entries of a `{…}` group, given the text after its opening brace.
fn group_heads(group: &str) -> Vec<String> {
    let mut heads = Vec::new();
    let mut depth = 0usize;
    let mut entry = true;
    for (i, c) in group.char_indices() {
        match c {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => entry = true,
            c if entry && c.is_alphabetic() => {
                heads.push(first_word(&group[i..]));
                entry = false;
            }
            _ => {}
        }
    }
    heads
}

/// Deserialisation that skips the curve and subgroup checks.
fn unchecked(file: &Path, code: &str) -> Vec<String> {
    if UNCHECKED_ALLOWED.iter().any(|(f, _)| Path::new(f) == file) {
        return Vec::new();
    }
    words(code)
        .filter(|(_, w)| w.starts_with("deserialize") && w.ends_with("_unchecked"))
        .map(|(n, w)| at(file, n, &format!("`{w}` outside the wrapper that checks digests")))
        .chain(
            code.lines()
                .enumerate()
                .filter(|(_, l)| l.contains("Validate::No"))
                .map(|(n, _)| at(file, n + 1, "`Validate::No` outside the wrapper that checks digests")),
        )
        .collect()
}

fn importer_violations(packages: &[Package], importers: &[PathBuf]) -> Vec<String> {
    let Some(wrapper) = packages.iter().find(|p| p.name == ARK_GROTH16_OWNER) else {
        return vec![format!("no package {ARK_GROTH16_OWNER}")];
    };
    let outside = importers.iter().filter(|f| !f.starts_with(&wrapper.dir));
    outside.map(|f| format!("{}: imports ark_groth16, only {ARK_GROTH16_OWNER} may", f.display())).collect()
}

/// Paths of a machine and hosts of package registries.
fn machine_names(text: &str) -> impl Iterator<Item = (usize, String)> {
    let lines = text.lines().enumerate().map(|(n, l)| (n + 1, l));
    lines.flat_map(|(n, line)| {
        let hosts = REGISTRY_HOSTS.iter().map(|(a, b)| format!("{a}{b}"));
        let hosts = hosts.filter(|h| line.contains(h.as_str())).map(|h| format!("names the host {h}"));
        let roots = MACHINE_ROOTS.iter().map(|(a, b)| format!("{a}{b}"));
        let roots = roots.filter(|r| has_path(line, r)).map(|r| format!("absolute path under {r}"));
        hosts.chain(roots).map(|what| (n, what)).collect::<Vec<_>>()
    })
}

/// Whether `root` begins a path in `line`: no path character before it, a name after it.
fn has_path(line: &str, root: &str) -> bool {
    line.match_indices(root).any(|(i, _)| {
        let before = line[..i].chars().next_back();
        let after = line[i + root.len()..].chars().next();
        !before.is_some_and(|c| c.is_alphanumeric() || "/._-{}".contains(c))
            && after.is_some_and(|c| c.is_alphanumeric() || c == '.')
    })
}

#[cfg(test)]
mod tests {
    use super::{importer_violations, impurities, machine_names, unchecked};
    use crate::graph::Package;
    use std::path::Path;

    fn impure(code: &str) -> usize {
        impurities(code).count()
    }

    #[test]
    fn pure_code_passes() {
        assert_eq!(
            impure("use std::io::Read; use core::fmt; fn instant(my_std: u8) { std::{io, fmt::Write} }"),
            0
        );
    }

    #[test]
    fn a_file_a_socket_a_clock_the_environment_and_a_generator_are_found() {
        for code in [
            "std::fs::read(p)",
            "use std::{io, fs::File};",
            "use std::{io::{Read, Write}, net};",
            "std::env::var(x)",
            "std::process::id()",
            "let t = Instant::now();",
            "std::time::SystemTime::now()",
            "rand::rngs::OsRng",
            "getrandom::fill(b)",
        ] {
            assert_eq!(impure(code), 1, "{code}");
        }
    }

    #[test]
    fn unchecked_deserialisation_is_found_and_checked_is_not() {
        let file = Path::new("crates/a/src/b.rs");
        assert_eq!(unchecked(file, "T::deserialize_compressed(b)").len(), 0);
        assert_eq!(unchecked(file, "T::deserialize_compressed_unchecked(b)").len(), 1);
        assert_eq!(unchecked(file, "T::deserialize_with_mode(b, Compress::Yes, Validate::No)").len(), 1);
    }

    #[test]
    fn only_the_wrapper_imports_ark_groth16() {
        let wrapper = Package {
            name: "bailiwick-groth16".to_owned(),
            dir: "circuits/groth16".into(),
            tier: Some(2),
            description: String::new(),
            dependencies: Vec::new(),
        };
        let packages = [wrapper];
        assert!(importer_violations(&packages, &["circuits/groth16/src/engine.rs".into()]).is_empty());
        assert_eq!(importer_violations(&packages, &["crates/node/src/prove.rs".into()]).len(), 1);
    }

    #[test]
    fn machine_paths_and_registry_hosts_are_found() {
        let user = ["see /ho", "me/alice/x"].concat();
        let relative = ["./ho", "me/x and ../wo", "rk/y"].concat();
        let host = ["https://crates", ".io/x"].concat();
        assert_eq!(machine_names(&user).count(), 1);
        assert_eq!(machine_names(&relative).count(), 0);
        assert_eq!(machine_names(&host).count(), 1);
        assert_eq!(machine_names("a registry, /v1/objects/").count(), 0);
    }
}
