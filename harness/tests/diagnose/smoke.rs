//! Texts that no kernel printed: generated logs with bytes flipped, cut out and doubled.

use std::sync::LazyLock;

use cma_harness::cause::Cause;
use cma_harness::diagnose::{Confidence, Failure, Why};
use cma_harness::seed::Seed;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::capture::{Posted, capture};
use crate::release::Generation;
use crate::scenario::{CAUSES, story};
use crate::score::{found, short};

/// One text of each cause and generation, with its trace.
static TEXTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let mut texts = Vec::new();
    for generation in Generation::ALL {
        for cause in CAUSES {
            let seed = Seed::new(11).child(generation.name(), 0).child(cause.name(), 0);
            let log = capture(story(generation, cause, &seed), Posted::Mangled, &seed);
            texts.push(log.sources.into_iter().flat_map(|(_, bytes)| bytes).collect());
        }
    }
    texts
});

#[derive(Clone, Copy, Debug)]
enum Change {
    Flip(usize, u8),
    Digit(usize, u8),
    Cut(usize, usize),
    Double(usize, usize),
    Line(usize),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<usize>();
    prop_oneof![
        (at, any::<u8>()).prop_map(|(at, byte)| Change::Flip(at, byte)),
        (at, 0..10_u8).prop_map(|(at, digit)| Change::Digit(at, digit)),
        (at, 1..400_usize).prop_map(|(at, length)| Change::Cut(at, length)),
        (at, 1..400_usize).prop_map(|(at, length)| Change::Double(at, length)),
        at.prop_map(Change::Line),
    ]
}

fn changed(mut text: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        let length = text.len().max(1);
        if text.is_empty() {
            break;
        }
        match *change {
            Change::Flip(at, byte) => text[at % length] = byte,
            // What is wrong by a digit still reads well.
            Change::Digit(at, digit) => {
                let digits = text.iter().skip(at % length).position(u8::is_ascii_digit);
                if let Some(next) = digits {
                    text[at % length + next] = b'0' + digit;
                }
            }
            Change::Cut(at, cut) => {
                let (from, to) = (at % length, (at % length).saturating_add(cut).min(length));
                text.drain(from..to);
            }
            Change::Double(at, piece) => {
                let (from, to) = (at % length, (at % length).saturating_add(piece).min(length));
                let piece = text[from..to].to_vec();
                text.splice(to..to, piece);
            }
            Change::Line(at) => text.insert(at % length, b'\n'),
        }
    }
    text
}

/// What must hold of any failure, whatever the text.
fn hold(failure: &Failure) -> Result<(), TestCaseError> {
    let said = short(failure);
    let shown = failure.room.and_then(|room| room.fit.cause());
    prop_assert!(failure.why != Why::Room || failure.verdict == shown, "{}", said);
    let incident = &failure.incident;
    let certain = failure.confidence == Confidence::Certain;
    if let Some(list) = &failure.list {
        prop_assert!(list.largest_usable.is_none_or(|usable| usable <= list.largest_run));
        if let (Some(free), true, None) = (list.free, list.complete, failure.drift()) {
            prop_assert!(list.largest_run <= free, "{} {:?}", said, list);
        }
    }
    let state = incident.state.as_deref();
    let count = incident.count;
    if let (Some(cause), Some(count), Some(state), true) = (failure.verdict, count, state, certain)
    {
        match cause {
            // What is certain rests on the state, where there is one.
            Cause::Alignment => prop_assert!(state.largest_run() >= count, "{}", said),
            Cause::Fragmentation => prop_assert!(state.largest_run() < count, "{}", said),
            Cause::Exhausted => {
                let known = state.free.unwrap_or(state.known_free());
                let free = incident.available.unwrap_or(u64::MAX).min(known);
                prop_assert!(free < count, "{} {}", said, free);
            }
            _ => {}
        }
    }
    let Some(fit) = failure.would_fit else { return Ok(()) };
    prop_assert_eq!(fit.max_align.is_some(), fit.at.is_some(), "{} {:?}", said, fit);
    if let (Some(align), Some(at), Some(count), Some(state)) = (fit.max_align, fit.at, count, state)
    {
        let end = at.checked_add(count);
        let inside = state.holes().any(|(hole, grid)| {
            let aligned = align < 64 && (grid.base().wrapping_add(at)).is_multiple_of(1 << align);
            aligned && hole.start <= at && end.is_some_and(|end| end <= hole.end())
        });
        prop_assert!(inside, "{} {:?} {:?}", said, fit, state);
    }
    if let Some(state) = state {
        prop_assert!(fit.largest_count_at_this_align <= state.largest_run(), "{} {:?}", said, fit);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        rng_seed: RngSeed::Fixed(3),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_text_is_read(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec(change(), 0..24),
    ) {
        let text = changed(TEXTS[which.index(TEXTS.len())].clone(), &changes);
        let (failures, _) = found(&[("changed".to_string(), text)]);
        for failure in &failures {
            hold(failure)?;
        }
    }
}

/// Numbers at the edge of what a number holds, wherever a kernel prints one.
#[test]
fn the_largest_numbers() {
    let most = u64::MAX.to_string();
    for text in TEXTS.iter() {
        let text = String::from_utf8_lossy(text);
        for (key, end) in [
            ("req-size: ", ' '),
            ("@", '+'),
            ("+", '@'),
            ("=> ", ' '),
            (" of ", ' '),
            ("count=", ' '),
        ] {
            let mut pieces = text.split(key);
            let mut changed = pieces.next().unwrap_or_default().to_string();
            for (index, piece) in pieces.enumerate() {
                let digits = piece.find(end).unwrap_or(0);
                let is_number = digits > 0 && piece[..digits].bytes().all(|b| b.is_ascii_digit());
                let rest = if is_number && index % 3 == 0 { &piece[digits..] } else { piece };
                let number = if is_number && index % 3 == 0 { most.as_str() } else { "" };
                changed.push_str(&[key, number, rest].concat());
            }
            let (failures, _) = found(&[("largest".to_string(), changed.into_bytes())]);
            for failure in &failures {
                if let Err(error) = hold(failure) {
                    panic!("{key}: {error}");
                }
            }
        }
    }
}
