//! Who custodians are: the roster, and the powers that reach them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use bailiwick_custody::{Custodian, JurisdictionTest, VerifiedDealing};
use bailiwick_protocol::ids::RosterDigest;
use bailiwick_roster::{Blocs, KeyKind, Principal, Quoted, Role, Roster};

use super::super::roster::{blocs, key, signed_bytes};
use crate::Help;
use crate::audit::now_unix_ms;
use crate::say;

/// Where custodians' names and laws come from.
#[derive(Debug, clap::Args)]
pub(super) struct NetworkArgs {
    /// The signed roster that lists the custodians
    #[arg(long, value_name = "FILE", requires = "roster_authority")]
    roster: Option<PathBuf>,
    /// Public key of its authority, 64 digits or a .pub file
    #[arg(long, value_name = "KEY", requires = "roster")]
    roster_authority: Option<String>,
    /// Jurisdiction blocs, TOML [default: those this program was built with]
    #[arg(long, value_name = "FILE", requires = "roster")]
    blocs: Option<PathBuf>,
}

/// A roster, valid now, with its blocs.
pub(super) struct Network {
    roster: Roster,
    blocs: Blocs,
}

impl NetworkArgs {
    /// The roster, if one was given.
    pub(super) fn read(&self) -> anyhow::Result<Option<Network>> {
        let (Some(path), Some(authority)) = (&self.roster, &self.roster_authority) else { return Ok(None) };
        let authority = key(authority)?;
        let blocs = blocs(self.blocs.as_deref())?;
        let roster = bailiwick_roster::open(&signed_bytes(path)?, &authority, now_unix_ms(), None)
            .with_context(|| format!("{} is not to be used", path.display()))?;
        roster.check_blocs(&blocs).context(Help("give the blocs it was made with with --blocs"))?;
        Ok(Some(Network { roster, blocs }))
    }

    /// The roster, which this command needs.
    pub(super) fn needed(&self) -> anyhow::Result<Network> {
        let network = self.read()?.ok_or_else(|| anyhow!("no roster is given: who are the custodians?"));
        network.context(Help(
            "give --roster and --roster-authority: the dealing names its custodians and their laws from it",
        ))
    }
}

impl Network {
    pub(super) fn digest(&self) -> RosterDigest {
        self.roster.digest()
    }

    /// The custodian with this ristretto255 key, whose keys count now.
    pub(super) fn custodian(&self, point: &[u8; 32]) -> anyhow::Result<&Principal> {
        let found = self.roster.holder(KeyKind::Ristretto255, point);
        let principal =
            found.with_context(|| format!("no principal of the roster has key {}", hex::encode(point)));
        let principal = principal.context(Help(
            "the roster lists custodians by their ristretto255 key, see `bailiwick key show`",
        ))?;
        if principal.role != Role::Custodian {
            return Err(anyhow!(
                "{} is a {} in the roster, not a custodian",
                Quoted(&principal.name),
                principal.role
            ));
        }
        if !principal.is_valid_at(now_unix_ms()) {
            return Err(anyhow!("the roster does not count the keys of {} now", Quoted(&principal.name)));
        }
        Ok(principal)
    }

    /// Every power that reaches it, by any attribute of its own or of those who push code to it.
    pub(super) fn powers(&self, principal: &Principal) -> anyhow::Result<BTreeSet<String>> {
        Ok(self.roster.reach(principal, &self.blocs)?.powers().map(ToString::to_string).collect())
    }

    /// What a dealing says of its custodians and the roster says otherwise.
    pub(super) fn contradictions(&self, dealing: &VerifiedDealing) -> Vec<String> {
        let mut out = Vec::new();
        if dealing.dealing().context.roster != self.digest() {
            out.push(format!(
                "it was dealt against roster {}, this one is {}",
                dealing.dealing().context.roster,
                self.digest()
            ));
        }
        for c in &dealing.dealing().custodians {
            let who = Quoted(&c.name);
            match self.custodian(c.key.point()) {
                Err(e) => out.push(format!("custodian {who}: {e}")),
                Ok(p) if p.name != c.name => {
                    out.push(format!("custodian {who} is called {} in the roster", Quoted(&p.name)));
                }
                Ok(p) => match self.powers(p) {
                    Ok(now) if now == c.attributes => {}
                    Ok(now) => {
                        let differ = quoted(now.symmetric_difference(&c.attributes));
                        out.push(format!("custodian {who}: roster and dealing differ in {differ}"));
                    }
                    Err(e) => out.push(format!("custodian {who}: {e}")),
                },
            }
        }
        out
    }
}

/// One power, as it is reported.
#[derive(serde::Serialize)]
pub(super) struct PowerLine {
    power: String,
    custodians: usize,
    can_compel: bool,
    can_block: bool,
}

/// What the test says, powers that fail it and then those that reach most.
#[derive(serde::Serialize)]
pub(super) struct Powers {
    /// Null when it cannot be judged: no power is known to fail it, and a custodian is under no law that is known.
    pub(super) passes: Option<bool>,
    powers: Vec<PowerLine>,
    /// Custodians under no law that is known.
    without_law: Vec<String>,
}

/// Powers shown, at most, beside those that fail the test.
const SHOWN: usize = 8;

/// Custodians' names, and what reaches them.
pub(super) type Reached<'a> = Vec<(&'a str, BTreeSet<String>)>;

/// By the roster's word if there is one, else by the owner's. Who is no custodian of the roster now is reached by nothing that is known.
pub(super) fn reached<'a>(network: Option<&Network>, dealing: &'a VerifiedDealing) -> Reached<'a> {
    let of = |c: &'a Custodian| match network {
        None => (c.name.as_str(), c.attributes.clone()),
        Some(n) => {
            let known = n.custodian(c.key.point()).and_then(|principal| n.powers(principal));
            (c.name.as_str(), known.unwrap_or_default())
        }
    };
    dealing.dealing().custodians.iter().map(of).collect()
}

impl Powers {
    pub(super) fn of(threshold: usize, reached: &Reached<'_>) -> Self {
        let test = JurisdictionTest::of(threshold, reached.iter().map(|(_, powers)| powers));
        let powers = test
            .powers
            .iter()
            .enumerate()
            .filter(|(i, p)| *i < SHOWN || p.compels || p.blocks)
            .map(|(_, p)| PowerLine {
                power: p.power.clone(),
                custodians: p.custodians.len(),
                can_compel: p.compels,
                can_block: p.blocks,
            })
            .collect();
        let without_law = test.without_law.iter().map(|i| reached[*i].0.to_owned()).collect();
        Self { passes: test.verdict(), powers, without_law }
    }

    pub(super) fn print(&self) -> std::io::Result<()> {
        for p in &self.powers {
            let says = match (p.can_compel, p.can_block) {
                (true, true) => "CAN COMPEL AND BLOCK a recovery",
                (true, false) => "CAN COMPEL a recovery",
                (false, true) => "CAN BLOCK a recovery",
                (false, false) => "can neither compel nor block",
            };
            say!("power      {} reaches {} of them: {says}", Quoted(&p.power), p.custodians)?;
        }
        if !self.without_law.is_empty() {
            say!("NOT JUDGED no law is known of {}: any power may reach them", quoted(&self.without_law))?;
        }
        Ok(())
    }

    /// What fails the test, in words.
    pub(super) fn failing(&self) -> String {
        match self.passes {
            None => format!("no law is known of {}", quoted(&self.without_law)),
            _ => quoted(self.powers.iter().filter(|p| p.can_compel || p.can_block).map(|p| &p.power)),
        }
    }
}

/// Names or powers between quotation marks.
pub(super) fn quoted<'a>(texts: impl IntoIterator<Item = &'a String>) -> String {
    texts.into_iter().map(|t| Quoted(t).to_string()).collect::<Vec<_>>().join(", ")
}
