//! `bailiwick demo`: the whole story on one machine, on real files, with every way to cheat tried beside the honest run.

mod controls;
mod damage;
mod forgery;
mod honest;
mod story;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

use story::{Step, Story};

use crate::output::print_json;

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// File or folder to seal [default: a small set of real files inside this program]
    path: Option<PathBuf>,
    /// Where the demonstration keeps its files; it makes `run-N` inside
    #[arg(long, value_name = "DIR", default_value = "bailiwick-demo")]
    dir: PathBuf,
    /// Print each step with its time and outcome as JSON instead of the story
    #[arg(long)]
    json: bool,
}

/// The record of a demonstration.
#[derive(serde::Serialize)]
struct Record<'a> {
    as_it_must: bool,
    seconds: f64,
    directory: String,
    report: String,
    repeat: &'a [String],
    steps: &'a [Step],
}

/// Runs the command. Success only when every step and every control came out as it must.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let plain = args.path.as_deref().map(honest::regular_files).transpose()?;
    let world = world::World::create(&args.dir)?;
    let mut story = Story::new(args.json);
    story.say(
        "bailiwick demo: a developer seals files, a host stores and proves, an auditor verifies offline.",
    );
    story.say("UNAUDITED software; the proving key is made by one party, the auditor of this demonstration.");
    let scene = honest::run(&world, &mut story, plain)?;
    let scene = controls::run(&world, &mut story, scene)?;
    story.end();
    let as_it_must = story.is_as_it_must_be();
    let report = world.path("report.html").display().to_string();
    if args.json {
        print_json(&Record {
            as_it_must,
            seconds: story.seconds(),
            directory: world.root.display().to_string(),
            report,
            repeat: &scene.repeat,
            steps: story.steps(),
        })?;
    } else {
        story.say(&format!("\nRepeat it yourself, in {}:", world.root.display()));
        for line in &scene.repeat {
            story.say(&format!("  {line}"));
        }
        story.say(&format!("The report: {report}"));
        let failed: usize = story.steps().iter().flat_map(|s| &s.checks).filter(|c| !c.as_it_must).count();
        let total: usize = story.steps().iter().map(|s| s.checks.len()).sum();
        story.say(&format!(
            "{} of {total} checks came out as they must, in {:.1} s.",
            total - failed,
            story.seconds()
        ));
    }
    Ok(if as_it_must { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
