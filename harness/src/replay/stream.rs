//! A file written again as a stream.

use std::io::{self, Write};

use super::{Error, area};
use crate::ingest::{self, Event, Source, StreamWriter, stated};
use crate::op::{Op, Timed};
use crate::reader::{self, Options};

/// Writes the ops of `source` as a stream to `out`, before them what was live before a trace
/// began. What a real kernel refused is given back at once, as in a replay.
///
/// # Errors
/// Where it cannot be read or states no area, pins, which a stream cannot hold, and where the
/// output takes no more.
pub fn to_stream(
    source: &Source,
    options: &Options,
    kernel: &str,
    out: impl Write,
) -> Result<(), Error> {
    // The names of all clients and the columns are above the first row.
    let mut reader = reader::open(source, options)?;
    let mut parts = false;
    for row in reader.by_ref() {
        parts |= matches!(row?.event, Event::Op(Op::Free { part: Some(_), .. }));
    }
    let clients = reader.clients();
    let area = area(&reader)?;
    let (name, cap) = (area.name().to_string(), reader.cap().to_string());
    let own = [("kernel", kernel.to_string()), ("area", name), ("cap", cap)];
    let paged: Vec<_> = reader.paged().pair().into_iter().collect();
    let pairs = [&own[..], &paged[..], &stated(&area)].concat();
    let mut writer = StreamWriter::new(out, &pairs, &clients, parts).map_err(unwritable(source))?;
    let again = reader::open(source, options)?;
    let cap = again.cap();
    let before = again.warm_up().into_iter().map(|op| Timed { at_us: 0, op });
    for timed in before.map(Ok).chain(again.ops(cap).map(|op| op.map(|(_, timed)| timed))) {
        writer.write(timed?).map_err(unwritable(source))?;
    }
    writer.finish().map_err(unwritable(source))
}

fn unwritable(source: &Source) -> impl Fn(io::Error) -> Error + '_ {
    move |error| match error.kind() {
        io::ErrorKind::Unsupported => Error::Ingest(ingest::IngestError {
            source: source.name().to_string(),
            line: 0,
            column: 0,
            why: format!("{error}; --record writes a recording"),
        }),
        _ => Error::Output(error),
    }
}
