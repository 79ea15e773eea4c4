//! `deny.toml` without cargo-deny: licences of every package that may be built here, and banned crates.

use anyhow::{Context, Result};

use crate::repository::{self, Repository};
use crate::spdx;

/// Checks licences and bans, in every workspace of the checkout: what has a `Cargo.lock` is one.
pub(crate) fn check() -> Result<Vec<String>> {
    let repo = Repository::load()?;
    let deny: toml::Table = toml::from_str(&std::fs::read_to_string(repo.root.join("deny.toml"))?)?;
    let allowed = strings(&deny, "licenses", "allow", None)?;
    let excepted = exceptions(&deny)?;
    let banned = strings(&deny, "bans", "deny", Some("crate"))?;
    let host = repository::host()?;
    let workspaces = repo.workspaces();
    let mut checked = 0;
    let mut out = Vec::new();
    for folder in &workspaces {
        let metadata = repository::metadata_of(&repo, folder, &["--filter-platform", &host])?;
        let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
        checked += packages.len();
        out.extend(packages.iter().filter_map(|p| {
            let name = p["name"].as_str()?;
            let more = excepted.iter().filter(|(of, _)| of == name).flat_map(|(_, more)| more);
            let allowed: Vec<String> = allowed.iter().chain(more).cloned().collect();
            licence_violation(name, p["license"].as_str(), &allowed)
        }));
        let built = repository::workspace_tree(&repo, folder)?;
        let built = built.iter().filter(|b| banned.contains(&b.name));
        out.extend(built.map(|b| format!("{} is banned by deny.toml", b.name)));
    }
    out.sort();
    out.dedup();
    if out.is_empty() {
        println!(
            "licences and bans hold: {} workspaces, {checked} packages, {} licences allowed, {} crates banned",
            workspaces.len(),
            allowed.len(),
            banned.len()
        );
    }
    Ok(out)
}

fn licence_violation(name: &str, licence: Option<&str>, allowed: &[String]) -> Option<String> {
    match licence {
        Some(l) if spdx::satisfied(l, allowed) => None,
        Some(l) => Some(format!("{name}: licence {l} is not on the list of deny.toml")),
        None => Some(format!("{name}: states no licence")),
    }
}

/// Crates with further licences of their own.
fn exceptions(deny: &toml::Table) -> Result<Vec<(String, Vec<String>)>> {
    let read = |e: &toml::Value| {
        let more = e.get("allow")?.as_array()?.iter().map(|l| l.as_str().map(str::to_owned));
        Some((e.get("crate")?.as_str()?.to_owned(), more.collect::<Option<Vec<_>>>()?))
    };
    let list = deny.get("licenses").and_then(|s| s.get("exceptions")).and_then(toml::Value::as_array);
    let list = list.context("deny.toml has no list licenses.exceptions")?;
    list.iter().map(read).collect::<Option<_>>().context("deny.toml: an exception without crate or allow")
}

/// The strings of `section.key`, or of the field `field` of its tables.
fn strings(deny: &toml::Table, section: &str, key: &str, field: Option<&str>) -> Result<Vec<String>> {
    let list = deny.get(section).and_then(|s| s.get(key)).and_then(toml::Value::as_array);
    let list = list.with_context(|| format!("deny.toml has no list {section}.{key}"))?;
    list.iter()
        .map(|v| field.map_or(Some(v), |f| v.get(f)).and_then(toml::Value::as_str).map(str::to_owned))
        .collect::<Option<_>>()
        .with_context(|| format!("deny.toml: {section}.{key} holds something that is no string"))
}

#[cfg(test)]
mod tests {
    use super::{exceptions, licence_violation, strings};

    #[test]
    fn an_allowed_licence_passes_another_or_none_does_not() {
        let allowed = ["MIT".to_owned()];
        assert!(licence_violation("a", Some("MIT OR GPL-3.0"), &allowed).is_none());
        assert!(licence_violation("a", Some("GPL-3.0"), &allowed).is_some());
        assert!(licence_violation("a", None, &allowed).is_some());
    }

    #[test]
    fn exceptions_are_read_whole_or_not_at_all() {
        let deny = |list: &str| toml::from_str(&format!("[licenses]\nexceptions = {list}")).unwrap();
        let read = exceptions(&deny(r#"[{ crate = "x", allow = ["MPL-2.0"] }]"#)).unwrap();
        assert_eq!(read, [("x".to_owned(), vec!["MPL-2.0".to_owned()])]);
        assert!(exceptions(&deny(r#"[{ crate = "x" }]"#)).is_err());
        assert!(exceptions(&deny("1")).is_err());
    }

    #[test]
    fn lists_of_deny_toml_are_read_whole_or_not_at_all() {
        let deny = toml::from_str(
            "[licenses]\nallow = [\"MIT\"]\n[bans]\ndeny = [{ crate = \"x\", reason = \"r\" }]",
        )
        .unwrap();
        assert_eq!(strings(&deny, "licenses", "allow", None).unwrap(), ["MIT"]);
        assert_eq!(strings(&deny, "bans", "deny", Some("crate")).unwrap(), ["x"]);
        assert!(strings(&deny, "bans", "deny", None).is_err());
        assert!(strings(&deny, "bans", "allow", None).is_err());
    }
}
