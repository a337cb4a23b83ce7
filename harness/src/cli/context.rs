//! What every subcommand gets: policies, output, looks.

use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;

use clap::{Args, ValueEnum};
use cma_policies::{Catalog, Entry, builtin};
use serde_json::Value;

use super::failure::{Failure, say};
use crate::words::csv;

/// How results are written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(super) enum Format {
    /// For people.
    Text,
    /// One JSON object.
    Json,
    /// Comma-separated values with a header.
    Csv,
    /// One HTML file that works from disk.
    Html,
    /// SARIF 2.1.0, which code hosts show beside the lines.
    Sarif,
}

/// What a command prints.
pub(super) trait Show {
    /// For people.
    fn text(&self, out: &mut dyn Write) -> io::Result<()>;
    /// One object.
    fn json(&self) -> Value;
    /// The names of the columns, with commas between them, and the rows.
    fn csv(&self) -> (String, Vec<Vec<String>>);
}

/// When colours are used.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(super) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The options that every subcommand has.
#[derive(Args, Debug)]
pub(super) struct Common {
    /// How results are written: of these what the command writes, as its own help says
    #[arg(long, value_enum, default_value = "text", global = true)]
    format: Format,
    /// When colours are used
    #[arg(long, value_enum, default_value = "auto", global = true)]
    color: Color,
    /// No progress bar and no warnings
    #[arg(long, short, global = true)]
    quiet: bool,
}

/// What every subcommand gets.
pub(super) struct Context {
    /// The policies that can be named.
    pub(super) catalog: Catalog,
    /// How results are written.
    pub(super) format: Format,
    /// Whether standard output may have colours.
    pub(super) color: bool,
    /// Whether a progress bar may be shown on standard error.
    pub(super) progress: bool,
    quiet: bool,
}

/// Whether this is how standard input and output are named in place of a file.
pub(super) fn is_standard(path: Option<&Path>) -> bool {
    path == Some(Path::new("-"))
}

impl Context {
    pub(super) fn new(common: &Common, entries: &[Entry]) -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            catalog: builtin::catalog().with(entries),
            format: common.format,
            color: match common.color {
                Color::Auto => !no_color && io::stdout().is_terminal(),
                Color::Always => true,
                Color::Never => false,
            },
            progress: !common.quiet && io::stderr().is_terminal(),
            quiet: common.quiet,
        }
    }

    /// Says on standard error what is strange but no failure.
    pub(super) fn warn(&self, what: &str) {
        if !self.quiet {
            say(format_args!("warning: {what}"));
        }
    }

    /// Says on standard error what was done.
    pub(super) fn say(&self, what: &str) {
        if !self.quiet {
            say(format_args!("{what}"));
        }
    }

    /// Writes the report of a command that has results of other kinds too: to `path`, or to
    /// standard output where none of those `results` is. Says whether it was written.
    ///
    /// # Errors
    /// What `write` fails with, and where the output takes no more.
    pub(super) fn report(
        &self,
        path: Option<&Path>,
        results: &[Option<&Path>],
        write: impl FnOnce(&mut dyn Write) -> Result<(), Failure>,
    ) -> Result<bool, Failure> {
        if path.is_none() && results.iter().any(|result| is_standard(*result)) {
            return Ok(false);
        }
        self.output(path, write)?;
        Ok(true)
    }

    /// As [`Context::report`], in the format that is asked for.
    pub(super) fn show(
        &self,
        path: Option<&Path>,
        results: &[Option<&Path>],
        shown: &dyn Show,
    ) -> Result<bool, Failure> {
        self.report(path, results, |out| {
            match self.format {
                // The others are refused before a command runs that does not make them.
                Format::Text | Format::Html | Format::Sarif => shown.text(out)?,
                Format::Json => writeln!(out, "{:#}", shown.json())?,
                Format::Csv => {
                    let (head, rows) = shown.csv();
                    csv::table(out, &head, rows)?;
                }
            }
            Ok(())
        })
    }

    /// Writes a result: to standard output, which "-" names too, or to `path`, which appears whole
    /// or not at all. What is there and is no file, a pipe or a device, is written to as it is.
    ///
    /// # Errors
    /// What `write` fails with, and where the output takes no more.
    pub(super) fn output(
        &self,
        path: Option<&Path>,
        write: impl FnOnce(&mut dyn Write) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let Some(path) = path.filter(|path| !is_standard(Some(path))) else {
            let mut out = BufWriter::new(io::stdout().lock());
            write(&mut out)?;
            return Ok(out.flush()?);
        };
        let fail =
            |error: io::Error| Failure::because(format_args!("write {}: {error}", path.display()));
        if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
            let there = File::options().write(true).open(path).map_err(fail)?;
            let mut out = BufWriter::new(there);
            write(&mut out)?;
            return out.flush().map_err(fail);
        }
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = Path::new(&partial);
        let mut out = BufWriter::new(File::create(partial).map_err(fail)?);
        let written = write(&mut out).and_then(|()| out.flush().map_err(fail));
        drop(out);
        let renamed = written.and_then(|()| fs::rename(partial, path).map_err(fail));
        if renamed.is_err() {
            // The message that matters is the first one.
            let _ = fs::remove_file(partial);
        }
        renamed
    }
}
