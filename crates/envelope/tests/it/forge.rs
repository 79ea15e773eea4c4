//! What an attacker, a careless owner or a key holder makes of an honest object of [`super::maker`].

use bailiwick_protocol::codec::{Canonical as _, Encoder};
use bailiwick_protocol::envelope::Envelope;
use bailiwick_protocol::labels::Label;

use super::maker::{Made, sealed_body};

impl Made {
    /// With a change, signed by the owner as if it were meant.
    pub(crate) fn resigned(&self, change: impl FnOnce(&mut Envelope)) -> Vec<u8> {
        let mut envelope = self.envelope.clone();
        change(&mut envelope);
        self.sign(&envelope)
    }

    /// With a change that the owner did not sign.
    pub(crate) fn unsigned(&self, change: impl FnOnce(&mut Envelope)) -> Vec<u8> {
        let mut envelope = self.envelope.clone();
        change(&mut envelope);
        framed(&envelope.to_bytes(), &self.signature())
    }

    pub(crate) fn signature(&self) -> Vec<u8> {
        let signed = self.signed();
        signed[signed.len() - 64..].to_vec()
    }

    /// Any payload, signed by the owner.
    pub(crate) fn signed_payload(&self, payload: &[u8]) -> Vec<u8> {
        framed(payload, self.owner.sign(Label::EnvelopeSignature, payload).as_bytes())
    }

    /// The payload with a change in its CBOR, signed by the owner.
    pub(crate) fn cbor(&self, change: impl FnOnce(&mut Value)) -> Vec<u8> {
        let mut value = Value::parse(&self.envelope.to_bytes());
        change(&mut value);
        self.signed_payload(&value.encoded())
    }

    /// A body of this plaintext under the object's own key and salt.
    pub(crate) fn body_of(&self, plain: &[u8]) -> Vec<u8> {
        sealed_body(&mut self.envelope.clone(), &self.file_key, plain)
    }
}

/// The array of C5.
pub(crate) fn framed(payload: &[u8], signature: &[u8]) -> Vec<u8> {
    let mut e = Encoder::new();
    e.array(2);
    e.bytes(payload);
    e.bytes(signature);
    e.into_bytes()
}

/// CBOR that can be changed anywhere, also into what is not canonical.
#[derive(Clone, PartialEq)]
pub(crate) enum Value {
    Unsigned(u64),
    Bytes(Vec<u8>),
    List(Vec<Value>),
    Map(Vec<(Value, Value)>),
    /// Encoded already, right or wrong.
    Raw(Vec<u8>),
}

impl Value {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let mut rest = bytes;
        let value = Self::take(&mut rest);
        assert!(rest.is_empty());
        value
    }

    fn take(rest: &mut &[u8]) -> Self {
        let (major, code) = (rest[0] >> 5, rest[0] & 31);
        let wide = if code < 24 { 0 } else { 1 << (code - 24) };
        let number = if wide == 0 {
            u64::from(code)
        } else {
            rest[1..=wide].iter().fold(0, |n, b| n << 8 | u64::from(*b))
        };
        *rest = &rest[1 + wide..];
        match major {
            0 => Self::Unsigned(number),
            2 => {
                let (bytes, after) = rest.split_at(usize::try_from(number).unwrap());
                *rest = after;
                Self::Bytes(bytes.to_vec())
            }
            4 => Self::List((0..number).map(|_| Self::take(rest)).collect()),
            5 => Self::Map((0..number).map(|_| (Self::take(rest), Self::take(rest))).collect()),
            other => panic!("major type {other} is in no envelope"),
        }
    }

    pub(crate) fn encoded(&self) -> Vec<u8> {
        match self {
            Self::Unsigned(n) => head(0, *n),
            Self::Bytes(b) => [head(2, b.len() as u64), b.clone()].concat(),
            Self::List(items) => {
                let items = items.iter().map(Self::encoded);
                [head(4, items.len() as u64)].into_iter().chain(items).collect::<Vec<_>>().concat()
            }
            Self::Map(pairs) => {
                let items = pairs.iter().flat_map(|(k, v)| [k.encoded(), v.encoded()]);
                [head(5, pairs.len() as u64)].into_iter().chain(items).collect::<Vec<_>>().concat()
            }
            Self::Raw(bytes) => bytes.clone(),
        }
    }

    pub(crate) fn pairs(&mut self) -> &mut Vec<(Value, Value)> {
        match self {
            Self::Map(pairs) => pairs,
            _ => panic!("no map"),
        }
    }

    /// The value under these keys; in a list, at this place.
    pub(crate) fn at(&mut self, path: &[u64]) -> &mut Self {
        let Some((key, rest)) = path.split_first() else { return self };
        match self {
            Self::Map(pairs) => {
                pairs.iter_mut().find(|(k, _)| *k == Self::Unsigned(*key)).unwrap().1.at(rest)
            }
            Self::List(items) => items[usize::try_from(*key).unwrap()].at(rest),
            _ => panic!("nothing at {path:?}"),
        }
    }

    /// Under these keys there is this instead.
    pub(crate) fn set(&mut self, path: &[u64], value: Self) {
        *self.at(path) = value;
    }

    pub(crate) fn set_raw(&mut self, path: &[u64], bytes: &[u8]) {
        self.set(path, Self::Raw(bytes.to_vec()));
    }

    /// A pair more, where it belongs in order.
    pub(crate) fn insert(&mut self, path: &[u64], key: u64, value: Self) {
        let pairs = self.at(path).pairs();
        let at = pairs.iter().position(|(k, _)| matches!(k, Self::Unsigned(k) if *k > key));
        pairs.insert(at.unwrap_or(pairs.len()), (Self::Unsigned(key), value));
    }

    pub(crate) fn remove(&mut self, path: &[u64], key: u64) {
        self.at(path).pairs().retain(|(k, _)| *k != Self::Unsigned(key));
    }
}

/// The shortest head.
pub(crate) fn head(major: u8, number: u64) -> Vec<u8> {
    let code = match number {
        0..=23 => return vec![major << 5 | number.to_le_bytes()[0]],
        24..=0xff => 24,
        0x100..=0xffff => 25,
        0x1_0000..=0xffff_ffff => 26,
        _ => 27,
    };
    wide_head(major, number, code)
}

/// A head in the form `code` (24 to 27), whether or not a shorter one would do.
pub(crate) fn wide_head(major: u8, number: u64, code: u8) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let size = 1 << (code - 24);
    [&[major << 5 | code], &bytes[8 - size..]].concat()
}
