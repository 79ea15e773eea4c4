//! Showing a roster, and what changed.

use std::path::Path;

use anyhow::Context as _;
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::ids::RosterDigest;
use bailiwick_protocol::time::rfc3339;
use bailiwick_roster::{Diff, Principal, Quoted, Reach, Role, Roster, ShareBy, Shares, SignedRoster};

use super::{DiffArgs, ShowArgs, blocs, key, signed_bytes, verified};
use crate::Help;
use crate::output::print_json;
use crate::say;

/// Whether somebody vouches for what is shown.
#[derive(Clone, Copy, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
enum Checked {
    Verified,
    NotChecked,
}

impl Checked {
    fn words(self) -> &'static str {
        match self {
            Self::Verified => "verified under the given authority",
            Self::NotChecked => "NOT CHECKED, anybody may have written this (give --authority)",
        }
    }
}

#[derive(serde::Serialize)]
struct Shown<'r> {
    signature: Checked,
    digest: RosterDigest,
    roster: &'r Roster,
    /// Of the hosts, each counted once.
    shares: Vec<Shares>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reach: Option<Reach>,
}

#[derive(serde::Serialize)]
struct Compared {
    signatures: Checked,
    old: RosterDigest,
    new: RosterDigest,
    diff: Diff,
}

fn read(path: &Path, authority: Option<&str>) -> anyhow::Result<(Checked, Roster)> {
    if let Some(authority) = authority {
        return Ok((Checked::Verified, verified(path, &key(authority)?)?));
    }
    let roster = SignedRoster::from_bytes(&signed_bytes(path)?)
        .and_then(|signed| signed.decode_unverified())
        .with_context(|| format!("{} is not a signed roster", path.display()))?;
    Ok((Checked::NotChecked, roster))
}

pub(super) fn show(args: &ShowArgs) -> anyhow::Result<()> {
    let (signature, roster) = read(&args.file, args.authority.as_deref())?;
    let reach = args.reach.as_deref().map(|name| reach(&roster, name, args.blocs.as_deref())).transpose()?;
    let hosts = || roster.of_role(Role::Host).map(|p| (p.name.as_str(), 1));
    let by = [ShareBy::Provider, ShareBy::Country, ShareBy::Law, ShareBy::ParentLaw];
    let shares = by.into_iter().map(|by| roster.shares(by, hosts())).collect();
    let shown = Shown { signature, digest: roster.digest(), roster: &roster, shares, reach };
    if args.json {
        return print_json(&shown);
    }
    print_head(&shown)?;
    for p in &roster.principals {
        say!("{:<12} {}", p.role, describe(p))?;
    }
    for shares in shown.shares.iter().filter(|s| s.total > 0) {
        print_shares(shares)?;
    }
    if let (Some(name), Some(reach)) = (&args.reach, &shown.reach) {
        print_reach(name, reach)?;
    }
    Ok(())
}

fn print_head(shown: &Shown<'_>) -> anyhow::Result<()> {
    let roster = shown.roster;
    say!("roster       {}, number {}", Quoted(&roster.name), roster.number)?;
    say!("authority    {}", roster.authority)?;
    say!("signature    {}", shown.signature.words())?;
    say!("digest       {}", shown.digest)?;
    say!("valid        {} to {}", rfc3339(roster.issued_unix_ms), rfc3339(roster.valid_until_unix_ms))?;
    if let Some(previous) = roster.previous {
        say!("previous     {previous}")?;
    }
    say!("blocs        {}", roster.blocs)?;
    Ok(())
}

/// A principal in one line; every word from the file stands between quotation marks.
fn describe(p: &Principal) -> String {
    let mut out = format!("{} in {}, law {}", Quoted(&p.name), p.country, p.law);
    let mut add = |text: String| {
        out.push_str(", ");
        out.push_str(&text);
    };
    if let Some(parent) = &p.parent {
        let name = parent.name.as_deref().map(|n| format!("{} ", Quoted(n))).unwrap_or_default();
        add(format!("parent {name}law {}", parent.law));
    }
    if let Some(provider) = &p.provider {
        add(format!("provider {}", Quoted(provider)));
    }
    if !p.pushes_code.is_empty() {
        let names: Vec<_> = p.pushes_code.iter().map(|n| Quoted(n).to_string()).collect();
        add(format!("code from {}", names.join(" ")));
    }
    out
}

fn print_shares(shares: &Shares) -> anyhow::Result<()> {
    let by = match shares.by {
        ShareBy::Provider => "provider",
        ShareBy::Country => "country",
        ShareBy::Law => "law",
        _ => "parent law",
    };
    let parts = shares.parts.iter().map(|p| {
        let name = p.name.as_deref().map_or_else(|| "unknown".to_owned(), |n| Quoted(n).to_string());
        format!("{name} {}.{:02} %", p.basis_points / 100, p.basis_points % 100)
    });
    say!("hosts by {by}: {}", parts.collect::<Vec<_>>().join(", "))?;
    Ok(())
}

fn reach(roster: &Roster, name: &str, path: Option<&Path>) -> anyhow::Result<Reach> {
    let principal = roster.principal(name).context("no principal of this name").context(Help(
        "names are written as `bailiwick roster show` lists them, upper and lower case told apart",
    ))?;
    roster.reach(principal, &blocs(path)?).context(Help("give the blocs it was made with with --blocs"))
}

fn print_reach(name: &str, reach: &Reach) -> anyhow::Result<()> {
    say!("reached by   what can compel {} or cut it off, and how it gets there:", Quoted(name))?;
    for (jurisdiction, reasons) in reach.iter() {
        let reasons: Vec<_> = reasons.iter().map(ToString::to_string).collect();
        say!("  {}: {}", Quoted(&jurisdiction.to_string()), reasons.join("; "))?;
    }
    Ok(())
}

pub(super) fn diff(args: &DiffArgs) -> anyhow::Result<()> {
    let authority = args.authority.as_deref();
    let (signatures, old) = read(&args.old, authority)?;
    let (_, new) = read(&args.new, authority)?;
    let compared = Compared {
        signatures,
        old: old.digest(),
        new: new.digest(),
        diff: bailiwick_roster::diff(&old, &new),
    };
    if args.json {
        return print_json(&compared);
    }
    say!("signatures   {}", compared.signatures.words())?;
    say!("old          {}", compared.old)?;
    say!("new          {}", compared.new)?;
    for line in compared.diff.lines() {
        say!("{line}")?;
    }
    if compared.diff.is_empty() {
        say!("no difference")?;
    }
    Ok(())
}
