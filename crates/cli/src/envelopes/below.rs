//! The envelopes below directories.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::is_envelope;
use crate::output::printable;

const ENVELOPES_MAX: usize = 10_000_000;

/// What lies below directories. Symbolic links are not followed: a rename would replace the link and not what it leads to.
#[derive(Debug, Default)]
pub(super) struct Below {
    pub(super) envelopes: BTreeSet<PathBuf>,
    /// Named like envelopes, and no files: links for the most part.
    others: Vec<PathBuf>,
    /// Where it was looked, and the links that may lead to other directories.
    looked: Vec<PathBuf>,
    links: Vec<PathBuf>,
}

impl Below {
    /// Looks through one more directory.
    pub(super) fn look(&mut self, folder: &Path) -> anyhow::Result<()> {
        self.looked.push(folder.to_owned());
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            let entries =
                fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
            for entry in entries {
                let entry = entry?;
                let (path, kind) = (entry.path(), entry.file_type()?);
                if kind.is_dir() {
                    folders.push(path);
                } else if !is_envelope(&path) {
                    self.links.extend(kind.is_symlink().then_some(path));
                } else if kind.is_file() {
                    self.envelopes.insert(path);
                } else {
                    self.others.push(path);
                }
                if self.envelopes.len() + self.others.len() > ENVELOPES_MAX {
                    bail!("more than ten million envelopes: name fewer directories");
                }
            }
        }
        Ok(())
    }

    /// What has the name of an envelope, is no file, and does not lead to an envelope that was found. Links to directories that were not
    /// looked through are named on standard error: nobody can tell whether envelopes were meant to be below them.
    pub(super) fn elsewhere(&self) -> Vec<PathBuf> {
        let whole = |path: &PathBuf| fs::canonicalize(path).ok();
        let looked: Vec<_> = self.looked.iter().filter_map(whole).collect();
        for link in &self.links {
            let leads = whole(link).filter(|to| to.is_dir());
            if leads.is_some_and(|to| !looked.iter().any(|folder| to.starts_with(folder))) {
                let at = printable(&link.display().to_string());
                eprintln!("note: {at} is a symbolic link to a directory, which was not looked through");
            }
        }
        if self.others.is_empty() {
            return Vec::new();
        }
        let found: BTreeSet<_> = self.envelopes.iter().filter_map(whole).collect();
        let led = |path: &&PathBuf| !whole(path).is_some_and(|to| found.contains(&to));
        self.others.iter().filter(led).cloned().collect()
    }
}
