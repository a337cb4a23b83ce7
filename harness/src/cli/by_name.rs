//! The command line in the name of a stranger's program.

use clap::builder::StyledStr;
use clap::{Arg, Command};

use crate::program::named;

/// `command` and all below it, with `name` in place of `cmalab` in every text.
pub(super) fn called(command: Command, name: &'static str) -> Command {
    let version = |text: &str| -> &'static str { format!("with cmalab {text}").leak() };
    let short = command.get_version().map(version);
    let long = command.get_long_version().map(version);
    let mut command = texts(command).name(name).bin_name(name);
    if let Some(text) = short {
        command = command.version(text);
    }
    if let Some(text) = long {
        command = command.long_version(text);
    }
    command
}

/// The texts of a command, of its arguments and of the commands below it.
fn texts(command: Command) -> Command {
    let of = |text: Option<&StyledStr>| text.map(|text| named(&text.to_string()).into_owned());
    let (about, long) = (of(command.get_about()), of(command.get_long_about()));
    let (after, after_long) = (of(command.get_after_help()), of(command.get_after_long_help()));
    let command = command.mut_args(|arg| {
        let (help, long) = (of(arg.get_help()), of(arg.get_long_help()));
        let arg = help.into_iter().fold(arg, Arg::help);
        long.into_iter().fold(arg, Arg::long_help)
    });
    let command = about.into_iter().fold(command, Command::about);
    let command = long.into_iter().fold(command, Command::long_about);
    let command = after.into_iter().fold(command, Command::after_help);
    let command = after_long.into_iter().fold(command, Command::after_long_help);
    command.mut_subcommands(texts)
}
