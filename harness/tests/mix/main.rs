//! What runs together: one stream merged in time.

mod by_hand;
mod cli;
mod plans;
mod property;

use std::sync::Arc;

use cma_harness::ingest::Source;
use cma_harness::op::{Op, Timed};
use cma_harness::reader::Options;
use cma_harness::workload::mix::{Mix, Origin, Part, Played};
use cma_harness::workload::profile;

/// The rows of a stream as a file.
fn stream(rows: &str) -> Source {
    let text = format!("at_us,op,id,count,align,client,area,offset\n{rows}");
    Source::bytes("s.csv", text.into_bytes())
}

/// These rows, played once or again and again.
fn file(rows: &str, repeat: bool) -> Part {
    let played = Played::read(&stream(rows), &Options::default(), None).expect("a stream");
    Part { origin: Origin::File(Arc::new(played), repeat), called: None }
}

/// A profile with so many pages of LOAD.
fn of_profile(name: &str, pages: u64) -> Part {
    Part { origin: Origin::Profile(profile(name).expect("a profile"), pages), called: None }
}

/// The parts under other names.
fn called(part: Part, name: &str) -> Part {
    Part { called: Some(name.to_string()), ..part }
}

fn mix(parts: &[Part]) -> Mix {
    Mix::new(parts.to_vec()).expect("a mix")
}

/// An op as a line: time, what, id, pages, client.
fn line(timed: &Timed, clients: &[String]) -> String {
    match timed.op {
        Op::Alloc { id, request, .. } => {
            let client = &clients[usize::from(request.client())];
            format!("{} ask {id} {} {client}", timed.at_us, request.count())
        }
        Op::Free { id, part: None } => format!("{} free {id}", timed.at_us),
        Op::Free { id, part: Some(part) } => {
            format!("{} free {id} {}@{}", timed.at_us, part.count, part.offset)
        }
        other => panic!("{other:?}"),
    }
}
