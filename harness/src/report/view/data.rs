//! A film as bytes for a script: columns of numbers, each told by what it adds to the one before,
//! then deflated.
//!
//! ```text
//! kind      a byte for each event: 0 grant, 1 free of all that is left, 2 of a part, 3 refusal,
//!           4 live before the start
//! at_us, op a varint each: what is added to the event before; the first to start_us, to 0
//! grants    (kinds 0 and 4) five columns: id, signed, to the one before; page of the area, signed,
//!           to the one before; count; align, a byte; client, 0 for nobody, else its number + 1
//! frees     (kinds 1 and 2) which: so many grants back, 0 the last one
//! parts     (kind 2) two columns: first page within the buffer; count
//! refusals  (kind 3) six columns: id, signed, to the one before; count; align, a byte; client as
//!           above; cause, a byte; so many events back is the one since which there was no place,
//!           one more than there are where there never was one, 0 where there is one
//! ```
//! A varint is LEB128; a signed number is doubled, or doubled and inverted where it is negative.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;

use crate::cause::Cause;
use crate::op::Part;
use crate::view::{Doomed, Film, What};

/// The film from `start_us` on; `client` gives the number of a client on the page, if it has a name.
pub(super) fn deflated(
    film: &Film,
    doomed: &[Doomed],
    start_us: u64,
    client: &dyn Fn(u16) -> Option<usize>,
) -> Vec<u8> {
    let columns = [
        kinds(film),
        times(film, start_us),
        grants(film, client),
        frees(film),
        refusals(film, doomed, client),
    ];
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    for column in columns {
        encoder.write_all(&column).expect("memory takes all");
    }
    encoder.finish().expect("memory takes all")
}

fn kinds(film: &Film) -> Vec<u8> {
    let kind = |(index, what): (usize, What)| match what {
        What::Grant(_) if index < film.before => 4,
        What::Grant(_) => 0,
        What::Free(_) => 1,
        What::Part(..) => 2,
        What::Refusal(_) => 3,
    };
    film.events.iter().map(|event| event.what).enumerate().map(kind).collect()
}

fn times(film: &Film, start_us: u64) -> Vec<u8> {
    let (mut at, mut op) = (Vec::new(), Vec::new());
    let mut last = (start_us, 0);
    for event in &film.events {
        // What was live before has no time of its own.
        let now = (event.at_us.max(last.0), event.op.max(last.1));
        varint(&mut at, now.0 - last.0);
        varint(&mut op, now.1 - last.1);
        last = now;
    }
    [at, op].concat()
}

fn grants(film: &Film, client: &dyn Fn(u16) -> Option<usize>) -> Vec<u8> {
    let mut columns: [Vec<u8>; 5] = Default::default();
    let (mut id, mut page) = (0, 0);
    for buffer in &film.buffers {
        let at = film.area.page_of(buffer.run.pfn).unwrap_or(0);
        signed(&mut columns[0], id, buffer.id);
        signed(&mut columns[1], page, at);
        (id, page) = (buffer.id, at);
        varint(&mut columns[2], buffer.run.count);
        columns[3].push(buffer.request.align() as u8);
        varint(&mut columns[4], numbered(client(buffer.request.client())));
    }
    columns.concat()
}

fn frees(film: &Film) -> Vec<u8> {
    let mut columns: [Vec<u8>; 3] = Default::default();
    let mut grants = 0;
    for event in &film.events {
        match event.what {
            What::Grant(_) => grants += 1,
            What::Free(buffer) => varint(&mut columns[0], grants - 1 - u64::from(buffer)),
            What::Part(buffer, Part { offset, count }) => {
                varint(&mut columns[0], grants - 1 - u64::from(buffer));
                varint(&mut columns[1], offset);
                varint(&mut columns[2], count);
            }
            What::Refusal(_) => {}
        }
    }
    columns.concat()
}

fn refusals(film: &Film, doomed: &[Doomed], client: &dyn Fn(u16) -> Option<usize>) -> Vec<u8> {
    let mut columns: [Vec<u8>; 6] = Default::default();
    let mut id = 0;
    for (refusal, doomed) in film.refusals.iter().zip(doomed) {
        signed(&mut columns[0], id, refusal.id);
        id = refusal.id;
        varint(&mut columns[1], refusal.request.count());
        columns[2].push(refusal.request.align() as u8);
        varint(&mut columns[3], numbered(client(refusal.request.client())));
        let cause = Cause::ALL.iter().position(|cause| *cause == refusal.cause);
        columns[4].push(cause.expect("every cause is in the list") as u8);
        let back = match *doomed {
            Doomed::Never => 0,
            Doomed::Since(event) => u64::from(refusal.event - event),
            Doomed::Always => u64::from(refusal.event) + 1,
        };
        varint(&mut columns[5], back);
    }
    columns.concat()
}

/// The number of a client in a column.
fn numbered(client: Option<usize>) -> u64 {
    client.map_or(0, |number| number as u64 + 1)
}

fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// What `to` adds to `from`.
fn signed(out: &mut Vec<u8>, from: u64, to: u64) {
    let delta = to.wrapping_sub(from) as i64;
    varint(out, ((delta << 1) ^ (delta >> 63)) as u64);
}
