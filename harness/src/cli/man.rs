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
    as_written(&String::from_utf8(page).expect("a page is text")).into_bytes()
}

/// `page` with its examples as they are written: a page of man is filled and justified, which would
/// break lines of a shell and put blanks into them.
fn as_written(page: &str) -> String {
    let Some((front, rest)) = page.split_once(EXAMPLES) else { return page.to_string() };
    let (examples, back) = rest.split_at(rest.find("\n.SH ").unwrap_or(rest.len()));
    format!("{front}{EXAMPLES}.nf\n{examples}\n.fi{back}")
}

/// The line that examples begin with.
const EXAMPLES: &str = "\nExamples:\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_of_a_page_is_as_it_is_written() {
        let command = crate::cli::command();
        let mut pages = 0;
        for command in command.get_subcommands() {
            let about = command.get_long_about().map(ToString::to_string).unwrap_or_default();
            let Some((_, examples)) = about.split_once("Examples:\n") else { continue };
            let page = String::from_utf8(page(command, "")).unwrap();
            let (_, kept) = page.split_once("\n.nf\n").expect("what is not filled");
            let (kept, _) = kept.split_once("\n.fi\n").expect("its end");
            assert_eq!(kept.lines().count(), examples.lines().count(), "{kept}");
            pages += 1;
        }
        assert!(pages > 10, "{pages}");
        assert_eq!(as_written("a\n.SH B"), "a\n.SH B");
    }
}
