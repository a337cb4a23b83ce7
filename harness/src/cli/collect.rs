//! `cmalab collect`: the script for the board.

use std::path::PathBuf;

use clap::Args;

use super::context::Context;
use super::failure::{Exit, Failure};

/// What is printed: it runs where nothing of this project is installed.
const SCRIPT: &str = include_str!("collect/collect.sh");

/// Prints the shell script that gathers on a board what `diagnose` and `replay` read.
///
/// The script writes one text: release, command line, configuration, size of a page, the nodes of
/// reserved-memory and who names them, DMA heaps, kernel log, trace events, debugfs and sysfs of
/// every area, meminfo, vmstat and free blocks. It needs a POSIX shell (dash, busybox) and changes
/// nothing; what is missing is said in the text, with how to switch it on. With `-t SECONDS` it
/// records the CMA trace events for so long, with the counters before and after it, and reads the
/// bitmaps of all areas every tenth of that, a second apart at least, which `view` shows where the
/// kernel has no such events; a signal ends the recording, and what there is of it is written. With
/// `-m` it mounts debugfs and tracefs for the time it runs.
///
/// Examples:
///   cmalab collect | ssh root@board 'sh -s -- -t 60' > board.txt
///   cmalab collect | adb shell 'su 0 sh -s' > board.txt
///   cmalab diagnose board.txt
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Collect {
    /// Writes to this file
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Prints it.
///
/// # Errors
/// Where the output takes no more.
pub(super) fn run(args: &Collect, context: &Context) -> Result<Exit, Failure> {
    context.output(args.out.as_deref(), |out| Ok(out.write_all(SCRIPT.as_bytes())?))?;
    Ok(Exit::Good)
}
