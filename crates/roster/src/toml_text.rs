//! What both TOML files have in common: bounds, lines of errors, moments.

use bailiwick_protocol::text::printable;
use bailiwick_protocol::time::days_from_civil;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::value::{Datetime, Offset};

use crate::fault::{Fault, TomlError};

/// A TOML file being read.
#[derive(Clone, Copy)]
pub(crate) struct Source<'t> {
    pub(crate) what: &'static str,
    pub(crate) text: &'t str,
}

impl Source<'_> {
    /// Parses after looking at the length.
    pub(crate) fn parse<T: DeserializeOwned>(&self, max: usize) -> Result<T, TomlError> {
        let (what, bytes) = (self.what, self.text.len());
        if bytes > max {
            return Err(TomlError::TooLong { what, bytes, max });
        }
        toml::from_str(self.text).map_err(|e| TomlError::Toml {
            what,
            line: e.span().map_or(1, |s| self.line(s.start)),
            message: printable(e.message()),
        })
    }

    /// The line (from 1) that byte `at` lies on. Only errors ask: it counts from the beginning.
    pub(crate) fn line(&self, at: usize) -> usize {
        1 + self.text.as_bytes().iter().take(at).filter(|b| **b == b'\n').count()
    }

    pub(crate) fn format(&self, found: &Spanned<u64>, known: u64) -> Result<(), TomlError> {
        if *found.get_ref() == known {
            return Ok(());
        }
        let line = self.line(found.span().start);
        Err(TomlError::Format { what: self.what, line, found: *found.get_ref(), known })
    }

    /// A fault at byte `at`, perhaps about two places; the later one is the one reported.
    pub(crate) fn fault(&self, fault: Fault, at: usize, other: Option<usize>) -> TomlError {
        let last = other.map_or(at, |o| o.max(at));
        let first = other.map(|o| self.line(o.min(at)));
        TomlError::Fault { what: self.what, line: self.line(last), fault, first }
    }

    /// Milliseconds since 1970-01-01 UTC.
    pub(crate) fn moment(&self, value: &Spanned<Datetime>) -> Result<u64, TomlError> {
        unix_ms(value.get_ref())
            .ok_or_else(|| TomlError::Moment { what: self.what, line: self.line(value.span().start) })
    }
}

/// Only UTC, so that a moment has one spelling; whole milliseconds; no leap second, which the count cannot express.
fn unix_ms(value: &Datetime) -> Option<u64> {
    let (date, time) = (value.date?, value.time?);
    if value.offset != Some(Offset::Z) {
        return None;
    }
    let days = days_from_civil(date.year, date.month, date.day)?;
    let (second, nanosecond) = (time.second?, time.nanosecond.unwrap_or(0));
    if time.hour > 23 || time.minute > 59 || second > 59 || !nanosecond.is_multiple_of(1_000_000) {
        return None;
    }
    let seconds =
        days * 86_400 + u64::from(time.hour) * 3600 + u64::from(time.minute) * 60 + u64::from(second);
    Some(seconds * 1000 + u64::from(nanosecond / 1_000_000))
}
