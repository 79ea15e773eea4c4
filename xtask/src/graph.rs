//! The workspace's packages and the edges between them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::repository::{self, Repository};

/// One package of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    /// Name in its manifest.
    pub(crate) name: String,
    /// Folder, relative to the checkout.
    pub(crate) dir: PathBuf,
    /// `package.metadata.bailiwick.tier`.
    pub(crate) tier: Option<u64>,
    /// Role in one sentence.
    pub(crate) description: String,
    /// Every dependency, ours and others'.
    pub(crate) dependencies: Vec<Dependency>,
}

/// One line of a dependency table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dependency {
    /// Package depended on.
    pub(crate) name: String,
    /// Only for tests, examples and benches.
    pub(crate) dev: bool,
    /// Behind a feature.
    pub(crate) optional: bool,
}

/// Reads the workspace from its manifests.
pub(crate) fn load(repo: &Repository) -> Result<Vec<Package>> {
    let metadata = repository::metadata(repo, &["--no-deps"])?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let mut packages = packages.iter().map(|p| package(repo, p)).collect::<Result<Vec<_>>>()?;
    packages.sort_by(|a, b| (a.tier, &a.dir).cmp(&(b.tier, &b.dir)));
    Ok(packages)
}

fn package(repo: &Repository, json: &Value) -> Result<Package> {
    let manifest = Path::new(json["manifest_path"].as_str().context("manifest_path")?);
    let dir = manifest.parent().context("manifest has a folder")?;
    let dependencies = json["dependencies"].as_array().context("dependencies")?;
    Ok(Package {
        name: json["name"].as_str().context("name")?.to_owned(),
        dir: dir.strip_prefix(&repo.root).unwrap_or(dir).to_path_buf(),
        tier: json["metadata"]["bailiwick"]["tier"].as_u64(),
        description: json["description"].as_str().unwrap_or_default().to_owned(),
        dependencies: dependencies.iter().map(dependency).collect::<Result<_>>()?,
    })
}

fn dependency(json: &Value) -> Result<Dependency> {
    Ok(Dependency {
        name: json["name"].as_str().context("dependency name")?.to_owned(),
        dev: json["kind"].as_str() == Some("dev"),
        optional: json["optional"].as_bool().unwrap_or(false),
    })
}
