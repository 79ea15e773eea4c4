//! Jurisdiction blocs: which laws act together, and which are listed together (clauses J12-J15).

use std::collections::BTreeSet;

use bailiwick_protocol::codec::{Canonical, CodecError, Decoder, Encoder};
use bailiwick_protocol::ids::BlocsDigest;
use bailiwick_protocol::labels::Label;
use serde::{Deserialize, Serialize};

use crate::country::{Country, Law};
use crate::fault::{Fault, Field};
use crate::name::{NAME_BYTES_MAX, is_name};

/// Bytes of a file of blocs, at most, as TOML and as CBOR.
pub const BLOCS_BYTES_MAX: usize = 1 << 18;

/// Format of the file.
pub(crate) const BLOCS_FORMAT: u64 = 1;

pub(crate) const BLOCS_MAX: usize = 64;
pub(crate) const MEMBERS_MAX: usize = 256;
const BLOC_NAME_BYTES_MAX: usize = 32;

/// What it means to be in a bloc.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum BlocKind {
    /// Its members are counted as one power: what reaches one is taken to reach all.
    Power = 0,
    /// A list that policies refer to; its members are not one power.
    List = 1,
}

/// Laws under one name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bloc {
    /// Short name, `Five-Eyes`.
    pub name: String,
    /// The name in words.
    pub title: String,
    /// What membership means.
    pub kind: BlocKind,
    /// Countries, and `EU`.
    pub members: BTreeSet<Law>,
}

/// A checked file of blocs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Blocs {
    /// What the file is called.
    pub name: String,
    /// Version number of this file, rising from 1.
    pub number: u64,
    /// The blocs, ascending by name.
    pub blocs: Vec<Bloc>,
}

impl Blocs {
    /// Digest of the canonical bytes: BLAKE3 with the context of [`Label::BlocsDigest`] (clause J14). Comments do not count.
    #[must_use]
    pub fn digest(&self) -> BlocsDigest {
        BlocsDigest(Label::BlocsDigest.hash(&self.to_bytes()))
    }

    /// The blocs this program was built with (`audits/jurisdictions/blocs.toml`).
    #[must_use]
    pub fn shipped() -> Self {
        Self::parse(include_str!("../../../audits/jurisdictions/blocs.toml"))
            .expect("a test reads the shipped file")
    }

    /// The bloc of this name.
    #[must_use]
    pub fn bloc(&self, name: &str) -> Option<&Bloc> {
        self.blocs.iter().find(|b| b.name == name)
    }

    /// The blocs a law belongs to, ascending by name.
    pub fn of(&self, law: Law) -> impl Iterator<Item = &Bloc> {
        self.blocs.iter().filter(move |b| b.members.contains(&law))
    }

    /// What is wrong, in which bloc.
    pub(crate) fn checked(self) -> Result<Self, (Fault, Option<usize>)> {
        if !is_name(&self.name) {
            return Err((Fault::Name(Field::File), None));
        }
        if !(1..=i64::MAX.unsigned_abs()).contains(&self.number) {
            return Err((Fault::Number, None));
        }
        if !(1..=BLOCS_MAX).contains(&self.blocs.len()) {
            return Err((Fault::BlocCount, None));
        }
        for (i, bloc) in self.blocs.iter().enumerate() {
            if let Some(fault) = bloc.fault() {
                return Err((fault, Some(i)));
            }
            if self.blocs.iter().take(i).any(|b| b.name.eq_ignore_ascii_case(&bloc.name)) {
                return Err((Fault::RepeatedBloc, Some(i)));
            }
        }
        match self.blocs.windows(2).position(|w| w[0].name >= w[1].name) {
            Some(i) => Err((Fault::Order, Some(i + 1))),
            None => Ok(self),
        }
    }
}

impl Bloc {
    fn fault(&self) -> Option<Fault> {
        let name = self.name.as_bytes();
        let plain = name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-');
        let country = self.name.parse::<Country>().is_ok();
        if !(2..=BLOC_NAME_BYTES_MAX).contains(&name.len())
            || !plain
            || !name.first().is_some_and(u8::is_ascii_alphabetic)
            || country
        {
            return Some(Fault::BlocName);
        }
        if !is_name(&self.title) {
            return Some(Fault::Name(Field::Title));
        }
        (!(1..=MEMBERS_MAX).contains(&self.members.len())).then_some(Fault::BlocCount)
    }
}

impl Canonical for Blocs {
    const WHAT: &'static str = "blocs";
    const BYTES_MAX: usize = BLOCS_BYTES_MAX;

    fn encode(&self, e: &mut Encoder) {
        e.map(4);
        e.u64(0);
        e.u64(BLOCS_FORMAT);
        e.u64(1);
        e.text(&self.name);
        e.u64(2);
        e.u64(self.number);
        e.u64(3);
        e.array(self.blocs.len() as u64);
        for bloc in &self.blocs {
            e.array(4);
            e.text(&bloc.name);
            e.text(&bloc.title);
            e.u64(bloc.kind as u64);
            let mut codes: Vec<_> = bloc.members.iter().map(Law::as_str).collect();
            codes.sort_unstable();
            e.array(codes.len() as u64);
            for code in codes {
                e.text(code);
            }
        }
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let mut m = d.map("blocs")?;
        m.required(d, 0)?;
        let format = d.u64()?;
        if format != BLOCS_FORMAT {
            return Err(CodecError::UnknownVersion { what: "blocs", found: format });
        }
        m.required(d, 1)?;
        let name = d.text("name", NAME_BYTES_MAX)?.to_owned();
        m.required(d, 2)?;
        let number = d.u64()?;
        m.required(d, 3)?;
        let n = d.list("blocs", BLOCS_MAX)?;
        let blocs = (0..n).map(|_| decode_bloc(d)).collect::<Result<_, _>>()?;
        m.end(d)?;
        Self { name, number, blocs }.checked().map_err(|_| CodecError::Invalid("blocs"))
    }
}

fn decode_bloc(d: &mut Decoder<'_>) -> Result<Bloc, CodecError> {
    d.tuple(4)?;
    let name = d.text("bloc name", BLOC_NAME_BYTES_MAX)?.to_owned();
    let title = d.text("bloc title", NAME_BYTES_MAX)?.to_owned();
    let kind = match d.u64()? {
        0 => BlocKind::Power,
        1 => BlocKind::List,
        _ => return Err(CodecError::Invalid("kind of a bloc")),
    };
    let n = d.list("members", MEMBERS_MAX)?;
    // A repeated member shrinks the set, and the bytes are no longer canonical.
    let member = |_| d.text("member", 2)?.parse().map_err(|_| CodecError::Invalid("member"));
    let members = (0..n).map(member).collect::<Result<_, _>>()?;
    Ok(Bloc { name, title, kind, members })
}
