//! The one encoding of a roster (clause J8).

use bailiwick_protocol::codec::{Canonical, CodecError, Decoder, Encoder};
use bailiwick_protocol::ids::{BlocsDigest, RosterDigest, RosterKey};
use bailiwick_protocol::labels::Label;
use bailiwick_protocol::limits::ROSTER_BYTES_MAX;
use bailiwick_protocol::signing::SignedMessage;

use crate::country::{Country, Law};
use crate::name::NAME_BYTES_MAX;
use crate::principal::{Coordinates, KEYS_MAX, KeyKind, PUSHERS_MAX, Parent, Principal, PublicKey, Role};
use crate::roster::{PRINCIPALS_MAX, ROSTER_FORMAT, Roster};

impl SignedMessage for Roster {
    const LABEL: Label = Label::RosterSignature;
}

impl Canonical for Roster {
    const WHAT: &'static str = "roster";
    const BYTES_MAX: usize = ROSTER_BYTES_MAX;

    fn encode(&self, e: &mut Encoder) {
        e.map(8 + u64::from(self.previous.is_some()));
        e.u64(0);
        e.u64(ROSTER_FORMAT);
        e.u64(1);
        e.bytes(self.authority.as_bytes());
        e.u64(2);
        e.text(&self.name);
        e.u64(3);
        e.u64(self.number);
        e.u64(4);
        e.u64(self.issued_unix_ms);
        e.u64(5);
        e.u64(self.valid_until_unix_ms);
        if let Some(previous) = &self.previous {
            e.u64(6);
            e.bytes(previous.as_bytes());
        }
        e.u64(7);
        e.bytes(self.blocs.as_bytes());
        e.u64(8);
        e.array(self.principals.len() as u64);
        for p in &self.principals {
            encode_principal(p, e);
        }
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let mut m = d.map("roster")?;
        m.required(d, 0)?;
        let format = d.u64()?;
        if format != ROSTER_FORMAT {
            return Err(CodecError::UnknownVersion { what: "roster", found: format });
        }
        m.required(d, 1)?;
        let authority = RosterKey(d.array()?);
        m.required(d, 2)?;
        let name = text(d, "roster name")?;
        m.required(d, 3)?;
        let number = d.u64()?;
        m.required(d, 4)?;
        let issued_unix_ms = d.u64()?;
        m.required(d, 5)?;
        let valid_until_unix_ms = d.u64()?;
        let previous = if m.optional(d, 6)? { Some(RosterDigest(d.array()?)) } else { None };
        m.required(d, 7)?;
        let blocs = BlocsDigest(d.array()?);
        m.required(d, 8)?;
        let n = d.list("principals", PRINCIPALS_MAX)?;
        let principals = (0..n).map(|_| decode_principal(d)).collect::<Result<_, _>>()?;
        m.end(d)?;
        Self { authority, name, number, issued_unix_ms, valid_until_unix_ms, previous, blocs, principals }
            .checked()
            .map_err(|found| CodecError::Invalid(found.fault.of_roster()))
    }
}

fn text(d: &mut Decoder<'_>, what: &'static str) -> Result<String, CodecError> {
    d.text(what, NAME_BYTES_MAX).map(str::to_owned)
}

fn code<T: core::str::FromStr>(d: &mut Decoder<'_>, what: &'static str) -> Result<T, CodecError> {
    d.text(what, 2)?.parse().map_err(|_| CodecError::Invalid(what))
}

/// Entry `n` of a table whose order is that of the numbers on the wire.
fn of<T: Copy>(table: &[T], n: u64, what: &'static str) -> Result<T, CodecError> {
    usize::try_from(n).ok().and_then(|i| table.get(i)).copied().ok_or(CodecError::Invalid(what))
}

fn encode_principal(p: &Principal, e: &mut Encoder) {
    let parent_name = p.parent.as_ref().and_then(|p| p.name.as_deref());
    let optional = [p.provider.is_some(), p.site.is_some(), p.coordinates.is_some(), p.parent.is_some()];
    let present = optional.into_iter().filter(|o| *o).count() as u64 + u64::from(parent_name.is_some());
    e.map(8 + present);
    e.u64(0);
    e.text(&p.name);
    e.u64(1);
    e.u64(p.role as u64);
    e.u64(2);
    e.array(p.keys.len() as u64);
    for key in &p.keys {
        e.array(2);
        e.u64(key.kind as u64);
        e.bytes(&key.public);
    }
    for (key, text) in [(3, &p.provider), (4, &p.site)] {
        if let Some(text) = text {
            e.u64(key);
            e.text(text);
        }
    }
    if let Some(c) = p.coordinates {
        e.u64(5);
        e.array(2);
        e.i64(c.latitude_microdeg.into());
        e.i64(c.longitude_microdeg.into());
    }
    e.u64(6);
    e.text(p.country.as_str());
    e.u64(7);
    e.text(p.law.as_str());
    if let Some(name) = parent_name {
        e.u64(8);
        e.text(name);
    }
    if let Some(parent) = &p.parent {
        e.u64(9);
        e.text(parent.law.as_str());
    }
    e.u64(10);
    e.array(p.pushes_code.len() as u64);
    for name in &p.pushes_code {
        e.text(name);
    }
    e.u64(11);
    e.u64(p.valid_from_unix_ms);
    e.u64(12);
    e.u64(p.valid_until_unix_ms);
}

fn decode_principal(d: &mut Decoder<'_>) -> Result<Principal, CodecError> {
    let mut m = d.map("principal")?;
    m.required(d, 0)?;
    let name = text(d, "principal name")?;
    m.required(d, 1)?;
    let role = of(&Role::ALL, d.u64()?, "role")?;
    m.required(d, 2)?;
    let n = d.list("keys", KEYS_MAX)?;
    let keys = (0..n).map(|_| decode_key(d)).collect::<Result<_, _>>()?;
    let provider = if m.optional(d, 3)? { Some(text(d, "provider")?) } else { None };
    let site = if m.optional(d, 4)? { Some(text(d, "site")?) } else { None };
    let coordinates = if m.optional(d, 5)? { Some(decode_coordinates(d)?) } else { None };
    m.required(d, 6)?;
    let country: Country = code(d, "country")?;
    m.required(d, 7)?;
    let law: Law = code(d, "law")?;
    let parent_name = if m.optional(d, 8)? { Some(text(d, "parent")?) } else { None };
    let parent_law: Option<Law> = if m.optional(d, 9)? { Some(code(d, "parent law")?) } else { None };
    let parent = match (parent_name, parent_law) {
        (name, Some(law)) => Some(Parent { name, law }),
        (None, None) => None,
        (Some(_), None) => return Err(CodecError::Invalid("parent law")),
    };
    m.required(d, 10)?;
    let n = d.list("pushes_code", PUSHERS_MAX)?;
    let pushes_code = (0..n).map(|_| text(d, "pushes_code")).collect::<Result<_, _>>()?;
    m.required(d, 11)?;
    let valid_from_unix_ms = d.u64()?;
    m.required(d, 12)?;
    let valid_until_unix_ms = d.u64()?;
    m.end(d)?;
    Ok(Principal {
        name,
        role,
        keys,
        provider,
        site,
        coordinates,
        country,
        law,
        parent,
        pushes_code,
        valid_from_unix_ms,
        valid_until_unix_ms,
    })
}

fn decode_key(d: &mut Decoder<'_>) -> Result<PublicKey, CodecError> {
    d.tuple(2)?;
    let kind = of(&KeyKind::ALL, d.u64()?, "kind of a key")?;
    let public = d.bytes("key", kind.bytes())?.to_vec();
    Ok(PublicKey { kind, public })
}

fn decode_coordinates(d: &mut Decoder<'_>) -> Result<Coordinates, CodecError> {
    d.tuple(2)?;
    let mut degree = |what| i32::try_from(d.i64()?).map_err(|_| CodecError::Invalid(what));
    Ok(Coordinates { latitude_microdeg: degree("latitude")?, longitude_microdeg: degree("longitude")? })
}
