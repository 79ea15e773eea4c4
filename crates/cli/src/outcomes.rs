//! What a command that works on many objects passed over, and what failed.

use std::collections::BTreeMap;

use anyhow::{Context as _, anyhow};

use crate::{Help, say};

/// Why an envelope is left as it is: whoever was to lose access may still have it.
pub(crate) const UNOPENABLE: &str = "no given key opens it";
/// Somebody else's, who signed it.
pub(crate) const FOREIGN: &str = "not an envelope of this owner";

#[derive(Debug, Default, serde::Serialize)]
pub(crate) struct Outcomes {
    /// How many, by why.
    pub(crate) skipped: BTreeMap<&'static str, u64>,
    /// Names of those that no given key opens: whoever was to lose access to them may still have it.
    pub(crate) unopened: Vec<String>,
    /// Each with its name.
    pub(crate) failed: Vec<String>,
}

impl Outcomes {
    /// Counts envelopes of other owners.
    pub(crate) fn foreign(&mut self, n: u64) {
        if n > 0 {
            *self.skipped.entry(FOREIGN).or_default() += n;
        }
    }

    /// Counts one object that was not done, under `name` if it failed or did not open.
    pub(crate) fn add(&mut self, name: impl std::fmt::Display, not_done: anyhow::Result<&'static str>) {
        match not_done {
            Ok(why) => {
                *self.skipped.entry(why).or_default() += 1;
                if why == UNOPENABLE {
                    self.unopened.push(name.to_string());
                }
            }
            Err(e) => {
                // What to do comes after what went wrong.
                let help = e.downcast_ref::<Help>().map(ToString::to_string);
                let causes = e.chain().map(ToString::to_string).filter(|text| Some(text) != help.as_ref());
                let why = causes.chain(help.clone()).collect::<Vec<_>>().join(": ");
                self.failed.push(format!("{name}: {why}"));
            }
        }
    }

    /// A line for each.
    pub(crate) fn say(&self) -> anyhow::Result<()> {
        for (why, n) in &self.skipped {
            say!("skipped   {n}: {why}")?;
        }
        for name in &self.unopened {
            say!("unopened  {name}")?;
        }
        for failure in &self.failed {
            say!("failed    {failure}")?;
        }
        Ok(())
    }

    /// An error when anything failed, or was not opened and had to be, or when nothing was `done` because all is other owners'. `left` says
    /// how what was not done is left.
    pub(crate) fn check(&self, left: &str, skip_unopenable: bool, done: u64) -> anyhow::Result<()> {
        if !self.failed.is_empty() {
            let unopened = match self.unopened.len() {
                n @ 1.. if !skip_unopenable => format!(", {n} more are as they were: {UNOPENABLE}"),
                _ => String::new(),
            };
            return Err(anyhow!("{} object(s) failed{unopened}; {left}", self.failed.len())).context(Help(
                "mend what is said above and run the same command again: what is done is skipped",
            ));
        }
        if done == 0 && !self.skipped.is_empty() && self.skipped.keys().all(|why| *why == FOREIGN) {
            return Err(anyhow!("nothing was done: none is an envelope of this owner; {left}")).context(
                Help("give the owner's key that sealed; `bailiwick inspect` shows owner and recipients"),
            );
        }
        match self.unopened.len() {
            n @ 1.. if !skip_unopenable => {
                Err(anyhow!("{n} object(s) are as they were: {UNOPENABLE}; {left}")).context(Help(
                    "give the keys that open those named above, too, or say --skip-unopenable; `bailiwick inspect` shows their recipients",
                ))
            }
            _ => Ok(()),
        }
    }
}
