//! The checkout: its tracked files, and what cargo says about it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The checkout this program was built from.
#[derive(Debug)]
pub(crate) struct Repository {
    /// Absolute path of the checkout.
    pub(crate) root: PathBuf,
    /// Tracked and not ignored files, relative, sorted.
    pub(crate) files: Vec<PathBuf>,
}

impl Repository {
    /// Lists the checkout's files.
    pub(crate) fn load() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the workspace")?;
        let listed = output(Command::new("git").current_dir(root).args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]))?;
        let mut files: Vec<PathBuf> = listed
            .split('\0')
            .filter(|f| !f.is_empty())
            .map(PathBuf::from)
            .filter(|f| root.join(f).is_file())
            .collect();
        files.sort();
        files.dedup();
        Ok(Self { root: root.to_path_buf(), files })
    }

    /// Folders of the checkout's workspaces, relative, the main one first: each has a lock file.
    pub(crate) fn workspaces(&self) -> Vec<PathBuf> {
        let locks = self.files.iter().filter(|f| f.file_name().is_some_and(|n| n == "Cargo.lock"));
        let mut folders: Vec<PathBuf> = locks.filter_map(|f| f.parent().map(Path::to_path_buf)).collect();
        folders.sort();
        folders
    }

    /// Text of a file, `None` when it is not UTF-8.
    pub(crate) fn text(&self, file: &Path) -> Result<Option<String>> {
        let bytes = std::fs::read(self.root.join(file)).with_context(|| file.display().to_string())?;
        Ok(String::from_utf8(bytes).ok())
    }

    /// Compares a generated file with what it must be; writes it when `write`.
    pub(crate) fn generated(
        &self,
        file: &str,
        want: &str,
        write: bool,
        command: &str,
    ) -> Result<Option<String>> {
        let path = self.root.join(file);
        if write {
            std::fs::write(&path, want).with_context(|| file.to_owned())?;
            return Ok(None);
        }
        let have = std::fs::read_to_string(&path).unwrap_or_default();
        Ok((have != want).then(|| format!("{file} is out of date: run `{command}`")))
    }
}

/// `cargo metadata` of the main workspace; `extra` as `--no-deps`.
pub(crate) fn metadata(repo: &Repository, extra: &[&str]) -> Result<serde_json::Value> {
    metadata_of(repo, Path::new(""), extra)
}

/// `cargo metadata` of the workspace in `folder`.
pub(crate) fn metadata_of(repo: &Repository, folder: &Path, extra: &[&str]) -> Result<serde_json::Value> {
    let json = output(
        Command::new(cargo())
            .current_dir(repo.root.join(folder))
            .args(["metadata", "--format-version", "1", "--locked"])
            .args(extra),
    )?;
    serde_json::from_str(&json).context("reading cargo metadata")
}

/// One package of a dependency tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Built {
    /// Package name.
    pub(crate) name: String,
    /// Features it is built with.
    pub(crate) features: Vec<String>,
}

/// What is built into `package` on its own, with no features asked for.
pub(crate) fn tree(repo: &Repository, package: &str) -> Result<Vec<Built>> {
    let args = ["-p", package, "-e", "normal", "--no-default-features"];
    Ok(parse_tree(&cargo_tree(repo, Path::new(""), &args)?))
}

/// What is built for the whole workspace in `folder` on this machine, tests included.
pub(crate) fn workspace_tree(repo: &Repository, folder: &Path) -> Result<Vec<Built>> {
    Ok(parse_tree(&cargo_tree(repo, folder, &["--workspace", "-e", "normal,build,dev"])?))
}

fn cargo_tree(repo: &Repository, folder: &Path, args: &[&str]) -> Result<String> {
    output(
        Command::new(cargo())
            .current_dir(repo.root.join(folder))
            .args(["tree", "--locked", "--prefix", "none", "-f", "{p}|{f}"])
            .args(args),
    )
}

fn parse_tree(text: &str) -> Vec<Built> {
    text.lines()
        .filter_map(|line| {
            let (package, features) = line.split_once('|')?;
            let name = package.split_whitespace().next()?.to_owned();
            let features = features.trim_end_matches("(*)").trim();
            let features = features.split(',').filter(|f| !f.is_empty()).map(str::to_owned).collect();
            Some(Built { name, features })
        })
        .collect()
}

/// Host triple of the compiler in use.
pub(crate) fn host() -> Result<String> {
    let text = output(Command::new("rustc").arg("-vV"))?;
    let host = text.lines().find_map(|l| l.strip_prefix("host: ")).context("rustc -vV names no host")?;
    Ok(host.to_owned())
}

fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

fn output(command: &mut Command) -> Result<String> {
    let out = command.output().with_context(|| format!("{command:?}"))?;
    if !out.status.success() {
        bail!("{command:?}: {}\n{}", out.status, String::from_utf8_lossy(&out.stderr));
    }
    String::from_utf8(out.stdout).context("output is not UTF-8")
}

#[cfg(test)]
mod tests {
    use super::parse_tree;

    #[test]
    fn tree_lines_give_name_and_features() {
        let built = parse_tree("a v1.0.0 (/x)|\nb v2.0.0|std,prove\nb v2.0.0|std,prove (*)\n\n[dev]\n");
        assert_eq!(built.len(), 3);
        assert_eq!(built[0].name, "a");
        assert!(built[0].features.is_empty());
        assert_eq!(built[2].features, ["std", "prove"]);
    }
}
