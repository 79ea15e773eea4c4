//! What can be wrong with a roster or a file of blocs, and on which line of a TOML file.

use crate::name::NAME_CHARS_MAX;
use crate::principal::{KEYS_MAX, PUSHERS_MAX};
use crate::roster::PRINCIPALS_MAX;

/// A text a person wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Field {
    /// Name of the roster or of the file of blocs.
    File,
    /// Name of a principal.
    Name,
    /// Who runs the machines.
    Provider,
    /// Which data centre.
    Site,
    /// Name of the operator's parent.
    Parent,
    /// Title of a bloc.
    Title,
}

impl core::fmt::Display for Field {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::File | Self::Name => "name",
            Self::Provider => "provider",
            Self::Site => "site",
            Self::Parent => "parent",
            Self::Title => "title",
        })
    }
}

/// Why values, each well-formed, are no roster or no file of blocs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Version 0, or above what a signed 64-bit integer holds (the largest TOML has).
    #[error("number must be at least 1 and below 2^63")]
    Number,
    /// No principal, or too many.
    #[error("a roster has 1 to {PRINCIPALS_MAX} principals")]
    Count,
    /// Not a name.
    #[error(
        "{0} must be 1 to {NAME_CHARS_MAX} printable characters, words separated by single spaces, no word mixing Latin with Greek or Cyrillic letters"
    )]
    Name(Field),
    /// A roster that ends before it begins, or after the year 9999.
    #[error("valid_until must be later than issued, and before the year 10000")]
    RosterTimes,
    /// A principal that ends before it begins, or after the year 9999.
    #[error("valid_until must be later than valid_from, and before the year 10000")]
    PrincipalTimes,
    /// Two names that differ at most in case.
    #[error("this name, upper and lower case not told apart, already belongs to another principal")]
    RepeatedName,
    /// One key given to two principals, or twice to one.
    #[error("this key is already listed")]
    RepeatedKey,
    /// Too many keys.
    #[error("a principal has at most {KEYS_MAX} keys")]
    KeyCount,
    /// The role needs a key of another kind.
    #[error(
        "owner, host, prober, landmark, auditor and witness need an ed25519 key, a recipient one of x-wing, x25519 or p256, a custodian one of ristretto255"
    )]
    MissingKey,
    /// Bytes that are no key of the stated kind.
    #[error(
        "a key is lower-case hexadecimal: 64 digits for ed25519 (a point of large order), x25519 and ristretto255, 130 for p256 (uncompressed, from 04), 2432 for x-wing"
    )]
    Key,
    /// Above 90 degrees.
    #[error("latitude_microdeg must be between -90000000 and 90000000")]
    Latitude,
    /// Above 180 degrees.
    #[error("longitude_microdeg must be between -180000000 and 180000000")]
    Longitude,
    /// One coordinate without the other.
    #[error("latitude_microdeg and longitude_microdeg come together")]
    HalfCoordinates,
    /// A parent whose law is not stated.
    #[error("parent comes with parent_law")]
    ParentWithoutLaw,
    /// Code pushed by someone who is not listed.
    #[error("pushes_code names somebody who is not a principal of this roster")]
    UnknownPusher,
    /// A principal that names itself.
    #[error("pushes_code names the principal itself")]
    OwnPusher,
    /// One pusher twice.
    #[error("pushes_code names one principal twice")]
    RepeatedPusher,
    /// Too many pushers.
    #[error("pushes_code has at most {PUSHERS_MAX} names")]
    PusherCount,
    /// One firm in two spellings, which would count as two.
    #[error(
        "provider or parent is written here and elsewhere with the same letters, upper and lower case apart: use one spelling"
    )]
    FirmSpelling,
    /// Principals, keys or names not in their canonical order; only bytes can be.
    #[error("entries out of order")]
    Order,
    /// No bloc, or too many.
    #[error("a file has 1 to 64 blocs of 1 to 256 members")]
    BlocCount,
    /// Not a bloc's name.
    #[error("the name of a bloc is 2 to 32 of A-Z a-z 0-9 -, a letter first, and no country's code")]
    BlocName,
    /// Two blocs of one name.
    #[error("this name, upper and lower case not told apart, already belongs to another bloc")]
    RepeatedBloc,
    /// One member twice.
    #[error("this member is already listed")]
    RepeatedMember,
}

/// Why a TOML file is refused. Every variant but the first names the line, from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TomlError {
    /// Longer than the limit.
    #[error("{what}: {bytes} bytes, more than the limit of {max}")]
    TooLong {
        /// Which file.
        what: &'static str,
        /// Bytes found.
        bytes: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// Not TOML, an unknown key, a missing key or a value of the wrong form.
    #[error("{what}, line {line}: {message}")]
    Toml {
        /// Which file.
        what: &'static str,
        /// Where.
        line: usize,
        /// The parser's words, printable.
        message: String,
    },
    /// A format this build does not know.
    #[error("{what}, line {line}: unknown format {found}, this program knows {known}")]
    Format {
        /// Which file.
        what: &'static str,
        /// Where.
        line: usize,
        /// The format found.
        found: u64,
        /// The format known.
        known: u64,
    },
    /// A moment that is not a full UTC date and time.
    #[error(
        "{what}, line {line}: a moment is a date and time in UTC from 1970 on with at most milliseconds, such as 2026-11-22T15:04:05Z"
    )]
    Moment {
        /// Which file.
        what: &'static str,
        /// Where.
        line: usize,
    },
    /// Well-formed values that do not fit together.
    #[error("{what}, line {line}: {fault}{}", first.map(|l| format!(" (line {l})")).unwrap_or_default())]
    Fault {
        /// Which file.
        what: &'static str,
        /// Where.
        line: usize,
        /// What is wrong.
        fault: Fault,
        /// Where the other of two was given first.
        first: Option<usize>,
    },
}

impl Fault {
    /// What a signed roster with this fault is refused for, in few words; the line is a matter of TOML.
    pub(crate) const fn of_roster(self) -> &'static str {
        match self {
            Self::Number => "roster number",
            Self::Count => "number of principals",
            Self::Name(_) => "name in a roster",
            Self::RosterTimes => "validity of the roster",
            Self::PrincipalTimes => "validity of a principal",
            Self::RepeatedName => "name of two principals",
            Self::RepeatedKey => "key listed twice",
            Self::KeyCount | Self::MissingKey | Self::Key => "key of a principal",
            Self::Latitude | Self::Longitude | Self::HalfCoordinates => "coordinates",
            Self::ParentWithoutLaw => "parent law",
            Self::UnknownPusher | Self::OwnPusher | Self::RepeatedPusher | Self::PusherCount => "pushes_code",
            Self::FirmSpelling => "one firm in two spellings",
            Self::Order => "order of entries",
            Self::BlocCount | Self::BlocName | Self::RepeatedBloc | Self::RepeatedMember => "bloc",
        }
    }
}
