//! The folder of a report.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::super::context::Context;
use super::super::failure::Failure;
use super::again::Again;
use crate::cli::sweep::folder::{COMMAND, overwrites};
use crate::ingest::quoted;
use crate::paste::Checked;
use crate::recommend::Task;
use crate::report::recommend as report;

fn failed(path: &Path, error: &io::Error) -> Failure {
    Failure::because(format_args!("write {}: {error}", path.display()))
}

/// That no finished report of another question, or of a sweep, is there.
pub(super) fn refuse_other(folder: &Path, again: &Again, seed: u64) -> Result<(), Failure> {
    match fs::read_to_string(folder.join(COMMAND)) {
        Ok(line) if !again.is_made_by(&line, seed) => {
            Err(overwrites(folder, &format!("made by {}", quoted(line.trim_end()))))
        }
        _ => Ok(()),
    }
}

/// Makes it, before anything is run.
pub(super) fn make(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| failed(folder, &error))
}

/// Takes out of what is shown where files lie on this machine.
pub(super) fn hide(again: &Again, task: &mut Task, paste: Option<&mut report::Pasted>) {
    let hide = |text: &mut String| *text = again.hidden(text);
    task.works.iter_mut().for_each(|work| hide(&mut work.name));
    let Some(Ok(paste)) = paste.and_then(|pasted| pasted.text.as_mut()) else { return };
    match &mut paste.checked {
        Checked::Held(what) | Checked::Not(what) => hide(what),
        Checked::Failed(wrong) => wrong.iter_mut().for_each(hide),
    }
}

/// Writes the files, each whole or not at all; where COMMAND is, all are.
pub(super) fn write(
    context: &Context,
    folder: &Path,
    shown: &report::Shown<'_>,
    command: &str,
) -> Result<(), Failure> {
    let write = |name: &str, write: &dyn Fn(&mut dyn Write) -> io::Result<()>| {
        let path = folder.join(name);
        context.output(Some(&path), |out| write(out).map_err(|error| failed(&path, &error)))
    };
    write("recommend.txt", &|out| report::text(shown, out))?;
    write("recommend.json", &|out| writeln!(out, "{:#}", report::json(shown)))?;
    let made = shown.paste.and_then(|pasted| pasted.text.as_ref()?.as_ref().ok());
    text(context, &folder.join("append.dts"), made.and_then(|made| made.fragment.as_ref()))?;
    text(context, &folder.join("overlay.dts"), made.and_then(|made| made.overlay.as_ref()))?;
    write("candidates.csv", &|out| report::candidates(shown, out))?;
    write("curve.csv", &|out| report::curve(shown, out))?;
    let page = report::html(shown, command.trim_end());
    write("report.html", &|out| out.write_all(page.as_bytes()))?;
    write(COMMAND, &|out| out.write_all(command.as_bytes()))
}

/// A text to paste; what an answer before left there is no part of this one.
fn text(context: &Context, path: &Path, text: Option<&String>) -> Result<(), Failure> {
    let Some(text) = text else {
        return match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(path, &error)),
            _ => Ok(()),
        };
    };
    context.output(Some(path), |out| {
        out.write_all(text.as_bytes()).map_err(|error| failed(path, &error))
    })
}
