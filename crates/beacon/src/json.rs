//! Rounds as drand's HTTP API writes them.
//!
//! `/{chain}/public/{round}` (v1) and `/v2/chains/{chain}/rounds/{round}` (v2) answer one object with `round`, `signature`
//! and, in v1, `randomness`; chained schemes add `previous_signature`. Neither names the chain: it is the reader who
//! asked for one.

use bailiwick_protocol::beacon::BeaconRound;
use bailiwick_protocol::codec::{Canonical as _, CodecError};
use serde::{Deserialize, Serialize};

use crate::round::{Round, TimeError};

/// Bytes of an answer, at most: an honest one has some 230.
pub const DRAND_JSON_BYTES_MAX: usize = 2048;

/// Why bytes are not a round.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// Longer than an answer may be.
    #[error("{len} bytes, more than the {DRAND_JSON_BYTES_MAX} of a beacon round")]
    TooLong {
        /// Bytes found.
        len: usize,
    },
    /// No JSON object of the known fields, each once, with nothing after it.
    #[error("not a drand round: unexpected JSON at line {line}, column {column}")]
    Malformed {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// A field that is not so many lower-case hexadecimal digits.
    #[error("`{field}` is not {digits} lower-case hexadecimal digits")]
    Hex {
        /// The field.
        field: &'static str,
        /// Digits expected.
        digits: usize,
    },
    /// `randomness` is not SHA-256 of `signature`.
    #[error("`randomness` is not the SHA-256 of `signature`")]
    Randomness,
    /// A round of a chained scheme, which this build does not verify.
    #[error("`previous_signature` is there: a round of a chained scheme, which is not supported")]
    Chained,
    /// Round 0.
    #[error(transparent)]
    Round(#[from] TimeError),
    /// Not the canonical encoding of a round.
    #[error(transparent)]
    Codec(#[from] CodecError),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer<'a> {
    round: u64,
    #[serde(borrow)]
    signature: &'a str,
    #[serde(borrow, default)]
    randomness: Option<&'a str>,
    #[serde(borrow, default)]
    previous_signature: Option<&'a str>,
}

#[derive(Serialize)]
struct Written {
    round: u64,
    randomness: String,
    signature: String,
}

/// Reads what drand's HTTP API answers for a round of `chain`. Verifies nothing.
///
/// # Errors
/// `JsonError`, naming what is wrong.
pub fn parse_drand_json(bytes: &[u8], chain: &[u8; 32]) -> Result<BeaconRound, JsonError> {
    if bytes.len() > DRAND_JSON_BYTES_MAX {
        return Err(JsonError::TooLong { len: bytes.len() });
    }
    let answer: Answer<'_> = serde_json::from_slice(bytes)
        .map_err(|e| JsonError::Malformed { line: e.line(), column: e.column() })?;
    if answer.previous_signature.is_some_and(|p| !p.is_empty()) {
        return Err(JsonError::Chained);
    }
    let round = Round::new(answer.round)?.get();
    let round = BeaconRound { chain: *chain, round, signature: digits("signature", answer.signature)? };
    if let Some(text) = answer.randomness
        && digits::<32>("randomness", text)? != round.randomness()
    {
        return Err(JsonError::Randomness);
    }
    Ok(round)
}

/// Reads a round in either form it travels in: canonical CBOR, which names its chain, or drand's JSON, taken as of `chain`.
///
/// # Errors
/// `Codec` for bytes that begin as CBOR, else as [`parse_drand_json`].
pub fn read_round(bytes: &[u8], chain: &[u8; 32]) -> Result<BeaconRound, JsonError> {
    // 0x83, an array of three, begins no JSON text.
    if bytes.first() == Some(&0x83) {
        return Ok(BeaconRound::from_bytes(bytes)?);
    }
    parse_drand_json(bytes, chain)
}

/// Writes a round as drand's HTTP API does; the chain is not part of it.
#[must_use]
pub fn write_drand_json(round: &BeaconRound) -> String {
    let written = Written {
        round: round.round,
        randomness: hex::encode(round.randomness()),
        signature: hex::encode(round.signature),
    };
    serde_json::to_string(&written).expect("a number and two strings always serialise")
}

fn digits<const N: usize>(field: &'static str, text: &str) -> Result<[u8; N], JsonError> {
    let error = JsonError::Hex { field, digits: 2 * N };
    let mut out = [0; N];
    if text.bytes().any(|b| b.is_ascii_uppercase()) || hex::decode_to_slice(text, &mut out).is_err() {
        return Err(error);
    }
    Ok(out)
}
