//! A file of blocs as a person writes it (clause J12).

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::blocs::{BLOCS_BYTES_MAX, BLOCS_FORMAT, Bloc, BlocKind, Blocs};
use crate::country::Law;
use crate::fault::{Fault, TomlError};
use crate::toml_text::Source;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: Spanned<u64>,
    name: Spanned<String>,
    number: Spanned<u64>,
    #[serde(default)]
    bloc: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: Spanned<String>,
    title: String,
    kind: BlocKind,
    members: Vec<Spanned<Law>>,
}

impl Blocs {
    /// Reads and checks a file of blocs. They may stand in any order; they are sorted.
    ///
    /// # Errors
    /// `TomlError`, naming the line.
    pub fn parse(text: &str) -> Result<Self, TomlError> {
        let source = Source { what: "blocs", text };
        let file: File = source.parse(BLOCS_BYTES_MAX)?;
        source.format(&file.format, BLOCS_FORMAT)?;
        let mut entries =
            file.bloc.into_iter().map(|e| read_bloc(&source, e)).collect::<Result<Vec<_>, _>>()?;
        entries.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
        let (blocs, spans): (Vec<_>, Vec<usize>) = entries.into_iter().unzip();
        let head = file.name.span().start;
        Self { name: file.name.into_inner(), number: file.number.into_inner(), blocs }.checked().map_err(
            |(fault, bloc)| {
                let at = bloc.and_then(|i| spans.get(i)).copied().unwrap_or(head);
                source.fault(fault, at, None)
            },
        )
    }
}

fn read_bloc(source: &Source<'_>, entry: Entry) -> Result<(Bloc, usize), TomlError> {
    let at = entry.name.span().start;
    let mut members = BTreeMap::new();
    for member in entry.members {
        let here = member.span().start;
        if let Some(first) = members.insert(member.into_inner(), here) {
            return Err(source.fault(Fault::RepeatedMember, here, Some(first)));
        }
    }
    let members = members.into_keys().collect();
    Ok((Bloc { name: entry.name.into_inner(), title: entry.title, kind: entry.kind, members }, at))
}
