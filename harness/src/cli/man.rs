//! `cmalab man`: pages for man(1).

use std::fs;
use std::path::PathBuf;

use clap::{Args, Command};

use super::context::Context;
use super::failure::{Exit, Failure};

/// Prints the page of the program for man(1), or writes it and one for each command into a folder.
///
/// Examples:
///   cmalab man | man -l -
///   cmalab man ~/.local/share/man/man1    # one for each command too
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Man {
    /// The folder; it is made where there is none
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// Writes them.
///
/// # Errors
/// Where the output takes no more, or the folder cannot be made.
pub(super) fn run(args: &Man, context: &Context) -> Result<Exit, Failure> {
    let mut command = super::command().disable_help_subcommand(true);
    command.build();
    let source = format!("{} {}", command.get_name(), command.get_version().unwrap_or_default());
    let Some(folder) = &args.folder else {
        let page = page(&command, &source);
        context.output(None, |out| Ok(out.write_all(&page)?))?;
        return Ok(Exit::Good);
    };
    fs::create_dir_all(folder)
        .map_err(|error| Failure::because(format_args!("write {}: {error}", folder.display())))?;
    for command in std::iter::once(&command).chain(command.get_subcommands()) {
        let page = page(command, &source);
        let name = command.get_display_name().unwrap_or(command.get_name());
        let path = folder.join(format!("{name}.1"));
        context.output(Some(&path), |out| Ok(out.write_all(&page)?))?;
    }
    Ok(Exit::Good)
}

/// `source` is what the page is of, in its last line.
fn page(command: &Command, source: &str) -> Vec<u8> {
    let mut page = Vec::new();
    let man = clap_mangen::Man::new(command.clone()).source(source);
    man.render(&mut page).expect("memory takes all");
    page
}
