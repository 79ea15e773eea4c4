//! Reading the command line, with a hint where an option that takes several values took what the command needs.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory as _, Parser as _};

use crate::Cli;

/// The command line; ends the process when it is none, or asks for help.
pub(crate) fn parse() -> Cli {
    Cli::try_parse().unwrap_or_else(|mut error| {
        let arguments: Vec<_> =
            std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect();
        if let Some(hint) = hint(&error, &arguments) {
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(hint)]));
        }
        error.exit()
    })
}

/// What is missing has no name of its own, and an option with several values was there that may have taken it.
fn hint(error: &clap::Error, arguments: &[String]) -> Option<String> {
    if error.kind() != ErrorKind::MissingRequiredArgument {
        return None;
    }
    let Some(ContextValue::Strings(missing)) = error.get(ContextKind::InvalidArg) else { return None };
    let missing = missing.iter().find(|argument| argument.starts_with('<'))?;
    let program = Cli::command();
    let option = greedy(&program, arguments)?;
    Some(format!(
        "--{option} takes several values, perhaps this one, too: put {missing} before the options, or after `--`"
    ))
}

/// The name of an option with several values that is among `arguments`.
fn greedy(program: &Command, arguments: &[String]) -> Option<String> {
    let mut command = program;
    for argument in arguments {
        let Some(below) = command.find_subcommand(argument) else { break };
        command = below;
    }
    let several = |arg: &&Arg| !arg.is_positional() && arg.get_num_args().is_some_and(|n| n.max_values() > 1);
    let names = command.get_arguments().filter(several).filter_map(Arg::get_long);
    names.map(str::to_owned).find(|name| arguments.iter().any(|a| a.strip_prefix("--") == Some(name)))
}
