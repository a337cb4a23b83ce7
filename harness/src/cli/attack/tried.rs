//! What is tried beside adversaries and the search.

use std::fs;
use std::path::{Path, PathBuf};

use super::Attack;
use crate::cli::context::is_standard;
use crate::cli::failure::Failure;
use crate::cli::given;
use crate::cli::shrink::bytes;
use crate::codec::Case;
use crate::ingest::{DEFAULT_CAP, Geometry};
use crate::op::Timed;
use crate::reader::Options;
use crate::shrink::Subject;

/// What is tried, by the names of the files.
pub(super) struct Tried {
    pub(super) cases: Vec<(String, Case)>,
    pub(super) stream: Option<(String, Vec<Timed>)>,
}

/// The cases or the stream that `--from` names.
///
/// # Errors
/// What cannot be read, and a folder without a case.
pub(super) fn open(args: &Attack) -> Result<Tried, Failure> {
    let fail = |path: &Path, error: std::io::Error| {
        Failure::because(format_args!("read {}: {error}", path.display()))
    };
    let mut paths: Vec<PathBuf> = args.from.iter().filter(|_| args.case).cloned().collect();
    let from = args.from.as_deref().filter(|_| !args.case);
    let file = from.filter(|path| path.is_file() || is_standard(Some(path)));
    let stream = file.map(stream).transpose()?;
    if let Some(folder) = from.filter(|_| file.is_none()) {
        for entry in fs::read_dir(folder).map_err(|error| fail(folder, error))? {
            paths.push(entry.map_err(|error| fail(folder, error))?.path());
        }
        // A fuzzer's files have no extension.
        let is_case = |path: &Path| path.extension().is_none_or(|end| end == "case");
        paths.retain(|path| path.is_file() && is_case(path));
        if paths.is_empty() {
            let name = folder.display();
            return Err(Failure::because(format_args!("read {name}: no case is in this folder")));
        }
    }
    paths.sort();
    let read = |path: PathBuf| {
        let bytes = bytes(&given::source(&path)?)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok((name, Case::decode(&bytes)))
    };
    Ok(Tried { cases: paths.into_iter().map(read).collect::<Result<_, Failure>>()?, stream })
}

/// The ops of a stream, a recording or a trace. Its area is not asked for: the goal has one.
fn stream(path: &Path) -> Result<(String, Vec<Timed>), Failure> {
    let pages = Geometry { pages: Some(1 << 20), ..Geometry::default() };
    let source = given::source(path)?;
    let read = |geometry| {
        let options = Options { geometry, ..Options::default() };
        Subject::read(&source, &options, DEFAULT_CAP, false, true)
    };
    let subject = read(Geometry::default()).or_else(|_| read(pages))?;
    let ops = subject.items.into_iter().map(|item| item.timed).collect();
    Ok((path.file_name().unwrap_or_default().to_string_lossy().into_owned(), ops))
}
