//! `cmalab completions`: what a shell completes.

use clap::Args;
use clap_complete::Shell;

use super::context::Context;
use super::failure::{Exit, Failure};
use crate::program;

/// Prints what makes a shell complete commands, options and their words.
///
/// Examples:
///   cmalab completions fish | source        # in ~/.config/fish/config.fish
///   eval "$(cmalab completions bash)"       # in ~/.bashrc
///   source <(cmalab completions zsh)        # in ~/.zshrc, after compinit
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints it.
///
/// # Errors
/// Where the output takes no more.
pub(super) fn run(args: &Completions, context: &Context) -> Result<Exit, Failure> {
    // It is made whole first: its maker panics where an output takes no more.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), program::name(), &mut script);
    context.output(None, |out| Ok(out.write_all(&script)?))?;
    Ok(Exit::Good)
}
