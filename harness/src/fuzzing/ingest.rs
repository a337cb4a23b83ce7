//! Any bytes as a recording, a stream, and as what a board prints.

use super::Target;
use crate::cause::Cause;
use crate::diagnose::{Confidence, Failure, Options, Why, diagnose};
use crate::ingest::Source;
use crate::reader;

pub(super) const TARGET: Target = Target::passes("ingest", run);

/// Reads `bytes` in every format, and holds what is said of them to what must hold of any text.
///
/// # Panics
/// If a statement contradicts itself, with its numbers.
pub fn run(bytes: &[u8]) {
    let source = Source::bytes("input", bytes);
    if let Ok(reader) = reader::open(&source, &reader::Options::default()) {
        // A mistake in a row is an answer too.
        let _ = reader.map_while(Result::ok).count();
    }
    let mut visited = 0;
    let said = diagnose(&[source], &Options::default(), &mut |failure| {
        visited += 1;
        check(&failure);
    });
    // Bytes that only look packed cannot be read, which is an error with a place.
    if let Ok(said) = said {
        assert_eq!(said.failures, visited, "failures that were visited and counted");
        assert_eq!(said.areas.len(), said.residents.len(), "areas and their residents");
    }
}

fn check(failure: &Failure) {
    let incident = &failure.incident;
    let shown = failure.room.and_then(|room| room.fit.cause());
    assert!(failure.why != Why::Room || failure.verdict == shown, "{failure:?}");
    // Claims that were busy say why, whatever was asked for; a list without a line is likely that of
    // a request which other lines state; nothing else does.
    let claims = failure.verdict == Some(Cause::Busy);
    let beside = matches!(failure.why, Why::Beside { .. })
        && !incident.beside.is_empty()
        && failure.confidence == Confidence::Likely;
    let said = claims || beside;
    assert!(incident.count.is_some() || failure.verdict.is_none() || said, "{failure:?}");
    let (Some(state), Some(count)) = (&incident.state, incident.count) else { return };
    // A list without positions has sizes only.
    for range in state.ranges.iter().filter(|_| state.placed) {
        for pair in range.holes.windows(2) {
            assert!(pair[0].end() < pair[1].start, "holes {pair:?} in {state:?}");
        }
    }
    if failure.confidence == Confidence::Certain {
        let longest = state.largest_run();
        match failure.verdict {
            Some(Cause::Alignment) => assert!(longest >= count, "{failure:?}"),
            Some(Cause::Fragmentation) => assert!(longest < count, "{failure:?}"),
            Some(Cause::Exhausted) => {
                assert!(state.free.is_none_or(|free| free < count), "{failure:?}");
            }
            _ => {}
        }
    }
    if let Some(at) = failure.would_fit.and_then(|fit| fit.at) {
        let fits = |(hole, _): (crate::diagnose::Hole, cma_policies::Grid)| {
            hole.start <= at && at.checked_add(count).is_some_and(|end| end <= hole.end())
        };
        assert!(state.holes().any(fits), "{count} pages at {at} fit nowhere: {failure:?}");
    }
}
