//! `put --envelope-only`: envelopes that are signed already, for objects whose bodies the node holds.

use std::process::ExitCode;

use anyhow::Context as _;
use bailiwick_protocol::ids::OwnerKey;

use super::Args;
use super::sending::replace;
use crate::connect::NodeArgs;
use crate::envelopes::{Known, envelopes};
use crate::keyfile::{self, Kind};
use crate::outcomes::Outcomes;
use crate::output::print_json;
use crate::{progress, say};

#[derive(Debug, Default, serde::Serialize)]
struct Summary {
    replaced: u64,
    already: u64,
    #[serde(flatten)]
    outcomes: Outcomes,
}

/// Runs `put` with `--envelope-only`.
pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let owner = keyfile::read_signing_key(&args.owner, Kind::Owner)?;
    let target = args.envelope.unwrap_or(args.body);
    let mut summary = Summary::default();
    let found = envelopes(&[target], &mut summary.outcomes.failed)?;
    let mut known = Known::read(OwnerKey(owner.public()), found)?;
    let (Some(node), Some(host)) = (args.node, args.host) else {
        anyhow::bail!("say which node with --node and --host");
    };
    let client = NodeArgs::new(node, host, args.roots).connect(owner)?;
    summary.outcomes.foreign(known.foreign);
    for (path, why) in std::mem::take(&mut known.unverified) {
        summary.outcomes.add(path.display(), Err(why));
    }
    let bar = progress::count(known.all().count() as u64, "put");
    for (name, latest) in known.all() {
        let sent = latest.and_then(|latest| {
            replace(&client, name, &latest.bytes).with_context(|| latest.path.display().to_string())
        });
        match sent {
            Ok(true) => summary.replaced += 1,
            Ok(false) => summary.already += 1,
            Err(e) => summary.outcomes.failed.push(format!("{e:#}")),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    if args.json {
        print_json(&summary)?;
    } else {
        say!("replaced {} envelope(s), durable at the node; bodies were not sent", summary.replaced)?;
        if summary.already > 0 {
            say!("{} stored already", summary.already)?;
        }
        summary.outcomes.say()?;
    }
    let done = summary.replaced + summary.already;
    summary.outcomes.check("the node has what it had of them", true, done)?;
    Ok(ExitCode::SUCCESS)
}
