//! Powers that can compel a principal, and lists of them.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::country::Law;
use crate::name::is_name;

/// Text that names no jurisdiction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a law such as JP or EU, bloc:NAME, list:NAME or firm:NAME")]
pub struct JurisdictionError;

/// Something that reaches principals. Laws, blocs of kind power and firms are *powers*: who may compel, or cut off.
///
/// Text form, unambiguous: `JP`, `EU`, `bloc:Five-Eyes`, `list:EU-adequate`, `firm:Amazon`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Jurisdiction {
    /// One body of law.
    Law(Law),
    /// Laws counted as one power.
    Bloc(String),
    /// Who runs the machines, or who controls the operator.
    Firm(String),
    /// Laws that policies name together; not a power.
    List(String),
}

impl Jurisdiction {
    /// Whether it can compel or cut off by itself.
    #[must_use]
    pub const fn is_power(&self) -> bool {
        !matches!(self, Self::List(_))
    }
}

impl fmt::Display for Jurisdiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Law(law) => law.fmt(f),
            Self::Bloc(name) => write!(f, "bloc:{name}"),
            Self::Firm(name) => write!(f, "firm:{name}"),
            Self::List(name) => write!(f, "list:{name}"),
        }
    }
}

impl fmt::Debug for Jurisdiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Jurisdiction {
    type Err = JurisdictionError;

    fn from_str(text: &str) -> Result<Self, JurisdictionError> {
        let Some((kind, name)) = text.split_once(':') else {
            return text.parse().map(Self::Law).map_err(|_| JurisdictionError);
        };
        if !is_name(name) {
            return Err(JurisdictionError);
        }
        let name = name.to_owned();
        match kind {
            "bloc" => Ok(Self::Bloc(name)),
            "firm" => Ok(Self::Firm(name)),
            "list" => Ok(Self::List(name)),
            _ => Err(JurisdictionError),
        }
    }
}

impl Serialize for Jurisdiction {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Jurisdiction {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}
