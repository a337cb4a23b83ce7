//! A smaller stream as a file that `replay` reads.

use std::io::Write;

use super::run::drive;
use super::{Error, Subject};
use crate::ingest::{StreamWriter, stated};
use crate::op::Op;
use crate::oracle::Checks;
use crate::replay::{Recorder, Under};
use crate::simulate::Observer;
use crate::words::wrapped;

/// The widest line of a remark, its sign included.
pub(super) const WIDTH: usize = 100;

/// Writes `subject` below these `remarks`: as a stream, or as a recording of what `under` answers
/// where it has pins or claims whose end is known, which a stream cannot say. Returns the environment
/// that it must be run under to show what it shows here, where the one of `under` is not it.
///
/// # Errors
/// Where the output takes no more.
pub fn write(
    subject: &Subject,
    under: &Under<'_>,
    remarks: &[String],
    mut out: impl Write,
) -> Result<Option<&'static str>, Error> {
    for line in remarks.iter().flat_map(|remark| wrapped(remark, WIDTH, ("# ", "# "))) {
        writeln!(out, "{line}").map_err(Error::Output)?;
    }
    let scripted = subject.items.iter().any(|item| item.ending.is_some());
    let pinned = |op: &Op| matches!(op, Op::Pin(_) | Op::Unpin(_));
    if scripted || subject.items.iter().any(|item| pinned(&item.timed.op)) {
        record(subject, under, out)?;
        return Ok(scripted.then_some("scripted"));
    }
    let area = &subject.area;
    let own = [
        ("kernel", under.kernel.name.to_string()),
        ("policy", under.policy.to_string()),
        ("area", area.name().to_string()),
        ("cap", under.cap.to_string()),
    ];
    let pairs = [&own[..], &stated(area)].concat();
    let clients: Vec<_> = subject.clients.iter().map(String::as_str).collect();
    let ops = subject.items.iter().map(|item| item.timed);
    let parts = ops.clone().any(|timed| matches!(timed.op, Op::Free { part: Some(_), .. }));
    let writer = StreamWriter::new(out, &pairs, &clients, parts).map_err(Error::Output)?;
    writer.write_all(ops).map_err(Error::Output)?;
    Ok(None)
}

fn record(subject: &Subject, under: &Under<'_>, out: impl Write) -> Result<(), Error> {
    let mut recorder = Recorder::new(under, out);
    // It ends with what it shows, so a law that is broken there is no failure of the recording.
    let ran = drive(&subject.area, &subject.items, under, Checks::SWEEP, &mut |_, step| {
        recorder.step(step);
        false
    });
    if let Err(error @ Error::Build(_)) = ran {
        return Err(error);
    }
    recorder.end().map_err(Error::Output)
}
