//! `cmalab view`: when and where an area fragments, and who stands in the way, as one page.

mod open;
mod states;

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;

use super::context::{Context, Format, Show, is_standard};
use super::failure::{Exit, Failure};
use super::given::Given;
use super::size::order;
use crate::report::view::{self as shown, View as Seen};

/// When and where an area fragments, and who stands in the way, as one page.
///
/// Writes one HTML file that works from disk: a map of pages over time with every buffer, refusal,
/// hole and client, the state at any moment, the buffers in the way of each refused request and the
/// operation since which it had no place. Prints of the first refusal what the page shows.
///
/// Reads what `replay` reads: a trace (the output of collect.sh too), a recording, a stream; and the
/// bytes of a case of a fuzzer. What a real kernel did is shown as it was; with --policy or --cap
/// what these would have done with the same requests, side by side. All areas that a trace names are
/// shown, or the one of --area. Of texts without events it shows the moments that are known: bitmaps
/// of debugfs, those that `collect.sh -t` read again and again, and the lists of free runs in a kernel
/// log with what was refused.
///
/// Examples:
///   cmalab view board.txt                        # writes view.html
///   cmalab view trace.txt dmesg.txt --area linux,cma -o vpu.html
///   cmalab view dmesg.txt                        # each failure with a list of free runs
///   cmalab view trace.txt --policy recorded,best-fit
///   cmalab view stream.csv --pages 256M --cap 8,4 -o caps.html
///   cmalab view recording.csv.gz --format json   # who blocks, for a script
///   cmalab view fuzz/artifacts/laws/crash-1f2e --case
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct View {
    /// A stream, recording, trace or case, and other texts of a trace's board; "-" is standard input
    #[arg(required = true, value_name = "STREAM")]
    streams: Vec<PathBuf>,
    /// A policy, as `name` or `name:key=value,…`, or `recorded`; several with commas between, or given
    /// several times [default: what is recorded; of a stream the file's, else its kernel's]
    #[arg(long, value_name = "POLICY,…")]
    policy: Vec<String>,
    /// CONFIG_CMA_ALIGNMENT that dma rows follow; several with commas between, or given several times
    /// [default: as recorded]
    #[arg(long, value_name = "ORDER,…", value_delimiter = ',', value_parser = order)]
    cap: Vec<u32>,
    #[command(flatten)]
    given: Given,
    /// The file is the bytes of a case, whatever it looks like
    #[arg(long)]
    case: bool,
    /// Writes the page to this file; "-" is standard output, without the rest [default: view.html;
    /// with --format json or csv no page]
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// The file of the page where none is named.
const PAGE: &str = "view.html";

/// What is shown: which files, in which ways.
pub(super) struct Wish<'a> {
    pub(super) streams: &'a [PathBuf],
    pub(super) policies: &'a [String],
    pub(super) caps: &'a [u32],
    pub(super) given: &'a Given,
    /// The file is the bytes of a case.
    pub(super) is_case: bool,
}

/// Runs it.
///
/// # Errors
/// A file, a name or a number that is wrong, before anything is written.
pub(super) fn run(args: &View, context: &Context) -> Result<Exit, Failure> {
    let wish = Wish {
        streams: &args.streams,
        policies: &args.policy,
        caps: &args.cap,
        given: &args.given,
        is_case: args.case,
    };
    let seen = open::view(&wish, context)?;
    let for_people = matches!(context.format, Format::Text | Format::Html);
    let page = args.out.as_deref().or(for_people.then_some(Path::new(PAGE)));
    if let Some(path) = page {
        not_over(&args.streams, path)?;
        write(&seen, Some(path), context)?;
    }
    if is_standard(page) || context.format == Format::Html {
        return Ok(Exit::Good);
    }
    context.show(None, &[], &Told(&seen))?;
    if let Some(path) = page {
        context.say(&format!("wrote {}", path.display()));
    }
    Ok(Exit::Good)
}

/// The page of what is wished for, to `path` or to standard output.
///
/// # Errors
/// As [`run`].
pub(super) fn page(wish: &Wish<'_>, path: Option<&Path>, context: &Context) -> Result<(), Failure> {
    write(&open::view(wish, context)?, path, context)
}

/// What was read is not written over.
fn not_over(streams: &[PathBuf], path: &Path) -> Result<(), Failure> {
    let same = |stream: &&PathBuf| {
        let both = [stream.as_path(), path].map(|path| path.canonicalize().ok());
        both[0].is_some() && both[0] == both[1]
    };
    match streams.iter().find(same) {
        None => Ok(()),
        Some(stream) => Err(Failure::because(format_args!(
            "write {}: it is what is shown; name another file with -o",
            stream.display()
        ))),
    }
}

fn write(seen: &Seen, path: Option<&Path>, context: &Context) -> Result<(), Failure> {
    let page = shown::html(seen);
    context.output(path, |out| Ok(out.write_all(page.as_bytes())?))
}

/// What is printed beside the page.
struct Told<'a>(&'a Seen);

impl Show for Told<'_> {
    fn text(&self, out: &mut dyn Write) -> std::io::Result<()> {
        shown::text(self.0, out)
    }

    fn json(&self) -> Value {
        shown::json(self.0)
    }

    fn csv(&self) -> (String, Vec<Vec<String>>) {
        shown::csv(self.0)
    }
}
