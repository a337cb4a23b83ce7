//! The command line in the name of a stranger's program.

use clap::Command;
use clap::builder::StyledStr;

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
        let arg = help.into_iter().fold(arg, |arg, text| arg.help(text));
        long.into_iter().fold(arg, |arg, text| arg.long_help(text))
    });
    let command = about.into_iter().fold(command, |command, text| command.about(text));
    let command = long.into_iter().fold(command, |command, text| command.long_about(text));
    let command = after.into_iter().fold(command, |command, text| command.after_help(text));
    let command =
        after_long.into_iter().fold(command, |command, text| command.after_long_help(text));
    command.mut_subcommands(texts)
}
