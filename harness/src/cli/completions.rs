//! `cmalab completions`: what a shell completes.

use clap::Args;
use clap_complete::Shell;

use super::context::Context;
use super::failure::{Exit, Failure};
use crate::program;

/// Prints what makes a shell complete commands, options and their words.
///
/// Examples:
///   cmalab completions bash > ~/.local/share/bash-completion/completions/cmalab
///   cmalab completions zsh > ~/.zfunc/_cmalab    # a folder of $fpath
///   cmalab completions fish > ~/.config/fish/completions/cmalab.fish
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
