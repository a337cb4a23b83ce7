//! A run as a stream.

use std::io::{self, ErrorKind};

use cma_policies::Area;

use super::{NAMES, Run};
use crate::environment::Pinned;
use crate::ingest::{Source, StreamWriter, stated};
use crate::op::{Op, Timed};
use crate::reader::{self, Options};
use crate::simulate::step;

/// Names of the clients of a case; those of a trace are whatever a task calls itself.
const CLIENTS: [[&str; 4]; 2] =
    [["", "camera", "gpu", "vpu"], ["a,b", "say \"hi\"", "# no remark", "\u{e4}\u{1f4f7} \t x"]];

/// Writes the ops as a stream, reads them, and runs them again.
pub(super) fn check(run: &Run) {
    let names = &CLIENTS[usize::from(run.flags & NAMES > 0)];
    let text = match written(run, names) {
        Ok(text) => text,
        Err(error) => {
            assert!(run.pins() && error.kind() == ErrorKind::Unsupported, "{error}");
            return;
        }
    };
    assert!(!run.pins(), "pins in a stream");
    let source = Source::bytes("stream", run.packed(&text));
    let reader = reader::open(&source, &Options::default());
    let mut reader = reader.unwrap_or_else(|error| panic!("a stream is not read: {error}"));
    let area = reader.area().expect("a stream that states its pages");
    let (ranges, order_per_bit) = (run.case.area.ranges(), run.case.area.order_per_bit());
    assert_eq!(Ok(area), Area::new("odd_name", order_per_bit, ranges).as_ref());
    assert_eq!(reader.cap(), run.cap);
    let rows = reader.by_ref().count();
    let clients: Vec<String> = reader.clients().into_iter().map(str::to_string).collect();
    assert_eq!(rows, run.ops.len(), "rows of a stream");
    let again = reader::open(&source, &Options::default()).expect("it was read before");
    let ops: Vec<Timed> = again
        .ops(run.cap)
        .map(|op| op.map(|(_, timed)| timed).unwrap_or_else(|error| panic!("{error}")))
        .collect();
    compare(run, &ops, |client| clients[usize::from(client)].as_str(), names);
    assert_eq!(answers(run, &ops), run.answers, "answers to {ops:?}");
}

fn written(run: &Run, names: &[&str]) -> io::Result<Vec<u8>> {
    let mut pairs = vec![("area", "odd name".to_string()), ("cap", run.cap.to_string())];
    pairs.extend(stated(&run.case.area));
    let parts = run.ops.iter().any(|timed| matches!(timed.op, Op::Free { part: Some(_), .. }));
    let mut text = Vec::new();
    let writer = StreamWriter::new(&mut text, &pairs, names, parts)?;
    writer.write_all(run.ops.iter().copied())?;
    Ok(text)
}

/// The ops that came back, whose clients have other numbers but the same names.
fn compare<'a>(run: &Run, ops: &[Timed], name: impl Fn(u16) -> &'a str, names: &[&str]) {
    assert_eq!(ops.len(), run.ops.len(), "ops of a stream");
    for (got, right) in ops.iter().zip(&run.ops) {
        assert_eq!(got.at_us, right.at_us);
        match (got.op, right.op) {
            (
                Op::Alloc { id, request, dma },
                Op::Alloc { id: right_id, request: asked, dma: right_dma },
            ) => {
                assert_eq!((id, dma), (right_id, right_dma));
                assert_eq!(request.with_client(0), asked.with_client(0));
                assert_eq!(name(request.client()), names[usize::from(asked.client())]);
            }
            (got, right) => assert_eq!(got, right),
        }
    }
}

/// The answers that these ops get.
pub(super) fn answers(run: &Run, ops: &[Timed]) -> Vec<crate::simulate::Answer> {
    let mut witness = run.witness().expect("it was built before");
    let mut pages = Pinned::default();
    let answer = |(at, timed): (u64, &Timed)| match step(at, *timed, &mut witness, &mut pages) {
        Ok(done) => done.answer,
        Err(violation) => panic!("{}: {violation}", run.spec),
    };
    (0..).zip(ops).map(answer).collect()
}
