//! `cmalab lint`: whether what a board asks of areas is what its kernel does.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::context::{Context, Format, is_standard};
use super::failure::{Exit, Failure};
use super::size::page;
use crate::ingest::{self, IngestError, Source};
use crate::kernel::{Arch, release};
use crate::lint::{Board, Given, RULES, Rule, Severity, lint};
use crate::page::Page;
use crate::report::lint as report;
use crate::tree::{Tree, is_flat};
use crate::words::{csv, near};

/// Holds a device tree, a command line and a kernel configuration against the kernel's rules.
///
/// Reads device trees (.dts, which `dtc` compiles; .dtb; /proc/device-tree or a copy of it), logs
/// of a boot, what the script of `cmalab collect` gathers, kernel configurations and traces, in any
/// mixture: all of them are of one board. Says of each area what this kernel makes of it, with the
/// place, the remedy and the function of the kernel. Exit status 1 where something is an error: the
/// kernel refuses, replaces or passes over what is asked; warnings and notes leave it 0.
///
/// Examples:
///   cmalab lint board.dts
///   cmalab lint /proc/device-tree --cmdline /proc/cmdline --kernel 6.12
///   cmalab lint board.dtb --config .config --arch arm64 --page-kib 16
///   cmalab lint board.txt                # what the script of `cmalab collect` wrote
///   cmalab lint board.dts --format sarif -o board.sarif
///   cmalab lint --explain size-off-step
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Lint {
    /// Device trees, logs, configurations; "-" is standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The kernel's command line, or a file that holds it
    #[arg(long, value_name = "LINE")]
    cmdline: Option<String>,
    /// The kernel's configuration
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The kernel, by release or name, where nothing else says it
    #[arg(long, value_name = "RELEASE", value_parser = kernel)]
    kernel: Option<String>,
    /// KiB of a page: 4, 16 or 64
    #[arg(long, value_name = "KIB", value_parser = page)]
    page_kib: Option<Page>,
    /// The architecture: arm64, arm, x86_64 or riscv64
    #[arg(long, value_name = "NAME", value_parser = arch)]
    arch: Option<Arch>,
    /// Says all of a rule, with an example that it finds and one that it passes
    #[arg(long, value_name = "RULE", value_parser = PossibleValuesParser::new(names()))]
    explain: Option<String>,
    /// Writes to this file
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
}

fn names() -> impl Iterator<Item = &'static str> {
    RULES.iter().map(|rule| rule.name)
}

pub(super) fn kernel(name: &str) -> Result<String, String> {
    let known = release(name).map(|_| name.to_string());
    known.ok_or_else(|| "a release such as 5.15 or 6.12.3-rc1 is allowed".to_string())
}

pub(super) fn arch(name: &str) -> Result<Arch, String> {
    let all = [Arch::Arm64, Arch::Arm, Arch::X86_64, Arch::Riscv64];
    let known = all.into_iter().find(|arch| arch.name() == name);
    known.ok_or_else(|| {
        let near = near(name, all.map(Arch::name));
        format!("arm64, arm, x86_64 and riscv64 are allowed{near}")
    })
}

/// Reads it, and says what is wrong.
///
/// # Errors
/// A file that cannot be read, before anything is written.
pub(super) fn run(args: &Lint, context: &Context) -> Result<Exit, Failure> {
    let out = args.out.as_deref();
    if let Some(rule) = args.explain.as_deref().and_then(named) {
        context.output(out, |out| Ok(report::explain(rule, out)?))?;
        return Ok(Exit::Good);
    }
    let board = Board::read(args.given()?)?;
    if board.is_empty() {
        let files: Vec<_> = args.files.iter().map(|file| file.display().to_string()).collect();
        let why = "no device tree, log of a boot, command line, configuration or trace is in it";
        return Err(Failure::because(format_args!("read {}: {why}", files.join(", "))));
    }
    let found = lint(&board);
    let format = context.format;
    context.output(out, |out| {
        match format {
            Format::Text | Format::Html => report::text(&found, context.color, out)?,
            Format::Json => writeln!(out, "{:#}", report::json(&found))?,
            Format::Sarif => writeln!(out, "{:#}", report::sarif(&found))?,
            Format::Csv => {
                let (head, rows) = report::csv(&found);
                csv::table(out, &head, rows)?;
            }
        }
        Ok(())
    })?;
    Ok(if found.count(Severity::Error) > 0 { Exit::Bad } else { Exit::Good })
}

fn named(name: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.name == name)
}

/// What a file is.
enum Input {
    Tree(Tree),
    Text(Source),
}

impl Lint {
    fn given(&self) -> Result<Given, Failure> {
        let (kernel, arch, page) = (self.kernel.clone(), self.arch, self.page_kib);
        let mut given = Given { kernel, arch, page, ..Given::default() };
        if self.files.is_empty() && self.cmdline.is_none() && self.config.is_none() {
            let why = "lint nothing: name a device tree (.dts, .dtb, /proc/device-tree), a log, \
                       --cmdline or --config";
            return Err(Failure::because(why));
        }
        for path in &self.files {
            match input(path)? {
                Input::Text(text) => given.texts.push(text),
                Input::Tree(tree) if given.tree.is_none() => given.tree = Some(tree),
                Input::Tree(tree) => {
                    let why = format!(
                        "it is a second device tree; a board has one, and {} is it",
                        given.tree.map_or(String::new(), |first| first.source.to_string())
                    );
                    return Err(IngestError {
                        source: tree.source.to_string(),
                        line: 0,
                        column: 0,
                        why,
                    }
                    .into());
                }
            }
        }
        if let Some(config) = &self.config {
            given.texts.push(text(config)?);
        }
        given.cmdline = self.cmdline.as_deref().map(cmdline).transpose()?;
        Ok(given)
    }
}

/// The line itself, or what is in the file of this name.
pub(super) fn cmdline(given: &str) -> Result<(String, String), IngestError> {
    let path = Path::new(given);
    if !path.is_file() {
        return Ok(("--cmdline".to_string(), given.to_string()));
    }
    let line = fs::read(path).map_err(|error| error_of(path, &error))?;
    Ok((given.to_string(), String::from_utf8_lossy(&line).trim_matches(['\0', '\n']).to_string()))
}

fn error_of(path: &Path, why: &dyn std::fmt::Display) -> IngestError {
    IngestError { source: path.display().to_string(), line: 0, column: 0, why: why.to_string() }
}

/// A text that can be read twice.
pub(super) fn text(path: &Path) -> Result<Source, IngestError> {
    let source = Source::open_file(path)?;
    source.open()?;
    Ok(source)
}

fn input(path: &Path) -> Result<Input, IngestError> {
    /// As much as is kept of a text that can be read once.
    const MOST: u64 = 1 << 30;
    if is_standard(Some(path)) {
        let mut bytes = Vec::new();
        let read = io::stdin().lock().take(MOST).read_to_end(&mut bytes);
        read.map_err(|error| error_of(Path::new("standard input"), &error))?;
        return match is_flat(&bytes) {
            true => Ok(Input::Tree(Tree::flat("standard input", &bytes)?)),
            false => Ok(Input::Text(Source::bytes("standard input", bytes))),
        };
    }
    if let Some(tree) = Tree::open(path)? {
        return Ok(Input::Tree(tree));
    }
    Ok(Input::Text(if path.is_dir() { ingest::directory(path)? } else { text(path)? }))
}
