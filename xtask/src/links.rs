//! Relative links in Markdown lead to files that exist.

use std::path::{Component, Path, PathBuf};

use anyhow::Result;

use crate::repository::Repository;

/// Checks every link of every Markdown file.
pub(crate) fn check(repo: &Repository) -> Result<Vec<String>> {
    let mut out = Vec::new();
    for file in repo.files.iter().filter(|f| f.extension().is_some_and(|e| e == "md")) {
        let text = repo.text(file)?.unwrap_or_default();
        let broken = targets(&text).into_iter().filter(|t| {
            let at = normal(&file.parent().unwrap_or(Path::new("")).join(t));
            !repo.root.join(at).exists()
        });
        out.extend(broken.map(|t| format!("{}: link to {t}, which does not exist", file.display())));
    }
    Ok(out)
}

/// Targets of `](target)` that are relative paths, without their anchors.
fn targets(text: &str) -> Vec<&str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
        .map(|target| target.split('#').next().unwrap_or_default())
        .filter(|t| !t.is_empty() && !t.contains("://") && !t.contains(char::is_whitespace))
        .collect()
}

fn normal(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut out, c| {
        match c {
            Component::ParentDir => {
                out.pop();
            }
            c => out.push(c),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::{normal, targets};
    use std::path::Path;

    #[test]
    fn relative_targets_are_found_and_others_are_not() {
        let text = "[a](b.md) [c](../d/e.md#f) [g](#h) [i](https://j.example/k) `x[0](y z)`";
        assert_eq!(targets(text), ["b.md", "../d/e.md"]);
    }

    #[test]
    fn parents_are_resolved() {
        assert_eq!(normal(Path::new("docs/spec/v1/../../adr/x.md")), Path::new("docs/adr/x.md"));
    }
}
