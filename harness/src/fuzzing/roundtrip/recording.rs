//! A run as a recording.

use super::Run;
use super::stream::answers;
use crate::environment::{self, Pinned};
use crate::ingest::{Event, Source};
use crate::metric::{Meter, Setting, Value};
use crate::op::{Op, Timed};
use crate::reader::{self, Options};
use crate::replay::{Error, Recorder, Under, expect, survey, to_stream};
use crate::seed::Seed;
use crate::simulate::simulate;

/// Records the ops, reads the recording, holds the policy to it, and makes a stream of it.
pub(super) fn check(run: &Run) {
    let environment = environment::Spec::parse("pinned").expect("an environment");
    let under = Under {
        policy: &run.spec,
        environment: &environment,
        seed: &Seed::new(1),
        kernel: run.kernel,
        cap: run.cap,
    };
    let Some(text) = recorded(run, &under) else { return };
    let source = Source::bytes("recording", run.packed(&text));
    let shown = || String::from_utf8_lossy(&text);
    let options = Options::default();
    let rows: Vec<_> = match reader::open(&source, &options) {
        Ok(reader) => {
            reader.map(|row| row.unwrap_or_else(|e| panic!("{e}\n{}", shown()))).collect()
        }
        Err(error) => panic!("{error}\n{}", shown()),
    };
    assert_eq!(rows.len(), run.ops.len(), "rows of\n{}", shown());
    for (row, timed) in rows.iter().zip(&run.ops) {
        let Event::Op(op) = row.event else { panic!("{row:?} is no op") };
        assert_eq!(plain(op), plain(timed.op), "line {} of\n{}", row.line, shown());
    }
    let survey = survey(&source, &options, under.environment);
    let survey = survey.unwrap_or_else(|error| panic!("{error}\n{}", shown()));
    let found = expect(&source, &options, &survey, None, &under);
    let found = found.unwrap_or_else(|error| panic!("{error}\n{}", shown()));
    assert_eq!(found.mismatches, 0, "{:?} of\n{}", found.first, shown());
    assert_eq!(found.ops, run.ops.len() as u64);
    again(run, &source, &options);
}

/// A recording has no clients, and what follows the cap shows only by its numbers.
const fn plain(op: Op) -> Op {
    match op {
        Op::Alloc { id, request, .. } => {
            Op::Alloc { id, request: request.with_client(0), dma: false }
        }
        other => other,
    }
}

/// The recording of the run; nothing where there are no ops.
fn recorded(run: &Run, under: &Under<'_>) -> Option<Vec<u8>> {
    let mut witness = run.witness().expect("it was built before");
    let mut meter = Meter::new(&Setting::new(&[1, 4], run.cap));
    let mut text = Vec::new();
    let mut recorder = Recorder::new(under, &mut text);
    let ops = run.ops.iter().map(|timed| Timed { op: plain(timed.op), ..*timed });
    let done =
        simulate(ops, &mut witness, &mut Pinned::default(), &mut [&mut recorder, &mut meter]);
    done.unwrap_or_else(|violation| panic!("{}: {violation}", run.spec));
    recorder.end().unwrap_or_else(|error| panic!("{error} on {:?}", run.case.area));
    for value in meter.values() {
        assert_eq!(Value::parse(&value.to_string()), Some(value), "{value} read back");
    }
    (!run.ops.is_empty()).then_some(text)
}

/// The recording as a stream says the same ops, whatever was refused given back at once.
fn again(run: &Run, source: &Source, options: &Options) {
    let mut text = Vec::new();
    match to_stream(source, options, run.kernel.name, &mut text) {
        Ok(()) => assert!(!run.pins(), "pins in a stream"),
        Err(Error::Ingest(error)) => {
            assert!(run.pins(), "{error}");
            return;
        }
        Err(error) => panic!("{error}"),
    }
    let all = |source: &Source| -> Vec<Timed> {
        let reader = reader::open(source, options).unwrap_or_else(|error| panic!("{error}"));
        reader.ops(run.cap).map(|op| op.unwrap_or_else(|error| panic!("{error}")).1).collect()
    };
    let (ops, right) = (all(&Source::bytes("stream", text)), all(source));
    assert_eq!(ops, right, "a recording as a stream");
    assert_eq!(answers(run, &ops), answers(run, &right));
}
