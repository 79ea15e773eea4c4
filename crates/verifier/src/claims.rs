//! The seven claims, what a verdict can be, and what no verdict shows (spec verdict, clauses V1-V3; `audits/claims.md`).

use serde::{Deserialize, Serialize};

/// One part of the sentence "we store and serve your data, here, and we cannot read it".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Claim {
    /// What the host holds is ciphertext under keys it does not hold.
    Opaque,
    /// Whoever answered could obtain the sampled cells.
    Stored,
    /// Independent probers fetched random ranges on the customer path.
    Served,
    /// Something able to answer is inside a region.
    Resident,
    /// No jurisdiction reaches the key by any path.
    Custody,
    /// Any one provider or jurisdiction can be cut off and data is still recoverable.
    Survivable,
    /// Everything, failures included, is in an append-only witnessed log.
    Logged,
}

/// What the evidence says of a claim. Never a bare "pass".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The evidence holds, on the stated assumptions and numbers.
    Supported,
    /// The evidence says otherwise.
    Refuted,
    /// The evidence does not decide.
    Inconclusive,
}

impl Verdict {
    /// Upper-case word for labels.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Supported => "SUPPORTED",
            Self::Refuted => "REFUTED",
            Self::Inconclusive => "INCONCLUSIVE",
        }
    }
}

impl Claim {
    /// All claims, in the order they are always shown.
    pub const ALL: [Self; 7] = [
        Self::Opaque,
        Self::Stored,
        Self::Served,
        Self::Resident,
        Self::Custody,
        Self::Survivable,
        Self::Logged,
    ];

    /// Its name in policies and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opaque => "opaque",
            Self::Stored => "stored",
            Self::Served => "served",
            Self::Resident => "resident",
            Self::Custody => "custody",
            Self::Survivable => "survivable",
            Self::Logged => "logged",
        }
    }

    /// The question it answers, for someone outside the field.
    #[must_use]
    pub const fn question(self) -> &'static str {
        match self {
            Self::Opaque => "Is what the host holds unreadable to it?",
            Self::Stored => "Does the host still have the data?",
            Self::Served => "Do customers get the data when they ask?",
            Self::Resident => "Is the data where it is said to be?",
            Self::Custody => "Is the key out of any one power\u{2019}s reach?",
            Self::Survivable => "Would the data outlive the loss of a provider?",
            Self::Logged => "Is all of this on a public record that cannot be rewritten?",
        }
    }

    /// What a supported verdict would mean.
    #[must_use]
    pub const fn shows(self) -> &'static str {
        match self {
            Self::Opaque => "what the host holds of an object is ciphertext under keys it does not hold",
            Self::Stored => {
                "whoever answered could obtain the sampled cells between an unpredictable challenge and the time of the answer"
            }
            Self::Served => "independent probers fetched random ranges on the customer path",
            Self::Resident => "something able to answer is inside a region",
            Self::Custody => {
                "no jurisdiction, bloc or parent firm reaches the key by any path; any one may vanish"
            }
            Self::Survivable => {
                "any one provider, jurisdiction or bloc can be cut off and data and keys are still recoverable"
            }
            Self::Logged => {
                "all of the above, failures included, on the announced schedule, is in an append-only witnessed log"
            }
        }
    }

    /// What is not shown even when supported; printed with every verdict.
    #[must_use]
    pub const fn not_shown(self) -> &'static [&'static str] {
        match self {
            Self::Opaque => &[
                "that the owner sealed honestly, unless someone opened the object",
                "that no recipient leaks a key",
                "who anonymous recipients are: they make this claim inconclusive",
            ],
            Self::Stored => &[
                "cells that the sampling missed; the chance is printed for each scope",
                "that the bytes lie with this host: it may have fetched them from elsewhere while answering (relay)",
                "anything between one audit and the next",
                "objects this audit did not name",
            ],
            Self::Served => &["that others were served"],
            Self::Resident => &["that no further copy exists elsewhere"],
            Self::Custody => &["collusion across jurisdictions"],
            Self::Survivable => &["loss of more than the policy allows"],
            Self::Logged => &["what was never scheduled"],
        }
    }
}

impl core::fmt::Display for Claim {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

/// The process exit code over the verdicts of the *required* claims: any refuted 1, else any
/// inconclusive 2, else 0. No required claim at all is 2: nothing was shown (T15).
#[must_use]
pub fn exit_code(required: impl IntoIterator<Item = Verdict>) -> u8 {
    let mut code = None;
    for verdict in required {
        code = match (verdict, code) {
            (Verdict::Refuted, _) | (_, Some(1)) => Some(1),
            (Verdict::Inconclusive, _) | (_, Some(2)) => Some(2),
            (Verdict::Supported, _) => Some(0),
        };
    }
    code.unwrap_or(EXIT_UNUSABLE)
}

/// Exit code of input that cannot be judged at all.
pub const EXIT_UNUSABLE: u8 = 2;
