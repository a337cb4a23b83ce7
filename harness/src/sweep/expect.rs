//! What is expected of streams before they are run: how many ops, and whether they are long enough.

use std::collections::BTreeMap;

use super::failed::Failed;
use super::plan::Length;
use super::stream::{Ops, Ready};
use crate::op::Op;
use crate::span::span;

/// Ops that are looked at: enough for a rate, and over at once.
const LOOKED_AT: usize = 4000;

/// A stream shorter than so many of its longest usual sessions says little about what comes when
/// they have mixed.
const SESSIONS: u64 = 20;

/// Lifetimes below which nothing is called usual.
const ENOUGH: usize = 4;

/// What the first ops of a stream show.
#[derive(Default)]
struct Looked {
    ops: u64,
    /// From the first of them to the last.
    took_us: u64,
    /// The stream ended within them, or its board time did.
    whole: bool,
    /// How long the buffers of each client lived.
    lived_us: BTreeMap<u16, Vec<u64>>,
}

impl Looked {
    fn at(ops: Ops, time_us: u64) -> Self {
        let mut looked = Self::default();
        let mut first_us = None;
        let mut born = BTreeMap::new();
        let mut ops = ops.take(LOOKED_AT);
        looked.whole = true;
        for timed in ops.by_ref() {
            let at_us = timed.at_us - *first_us.get_or_insert(timed.at_us);
            if at_us >= time_us {
                return looked;
            }
            (looked.ops, looked.took_us) = (looked.ops + 1, at_us);
            match timed.op {
                Op::Alloc { id, request, .. } => {
                    born.insert(id, (at_us, request.client()));
                }
                Op::Free { id, .. } => {
                    if let Some((born_us, client)) = born.remove(&id) {
                        looked.lived_us.entry(client).or_default().push(at_us - born_us);
                    }
                }
                Op::Pin(_) | Op::Unpin(_) => {}
            }
        }
        looked.whole = looked.ops < LOOKED_AT as u64;
        looked
    }

    /// The longest usual session: the median lifetime of a client's buffers, of the client that
    /// keeps them for longest. None where nothing was given back.
    fn session_us(&mut self) -> Option<u64> {
        let lived = self.lived_us.values_mut().filter(|lived| lived.len() >= ENOUGH);
        lived
            .map(|lived| {
                lived.sort_unstable();
                lived[lived.len() / 2]
            })
            .max()
    }
}

/// A stream, its board time, and its longest usual session.
pub(super) type Short = (String, u64, u64);

/// Notes how many ops are expected of a cell of a stream whose length is a board time, and gives the
/// stream where it is short. What is without chance is as it is: it is never short.
///
/// # Errors
/// A stream that cannot be opened.
pub(super) fn expect(ready: &mut Ready, stream: usize) -> Result<Option<Short>, Failed> {
    let (its, known) = (&ready.plan.streams[stream], &ready.checked[stream]);
    let time_us = its.length.time_us();
    let asked = known.has_time && (its.is_seeded() || time_us.is_some());
    let first = ready.plan.configurations().find(|at| asked && at.stream == stream);
    let Some(at) = first else { return Ok(None) };
    let ops = Ops::open(ready, &at, ready.plan.seed)?;
    let mut looked = Looked::at(ops, time_us.unwrap_or(u64::MAX));
    let (seen, took_us) = (looked.ops, looked.took_us);
    let length_us = match its.length {
        Length::Time(time_us) => time_us,
        Length::Ops(ops) => scaled(took_us, ops, seen),
        Length::File | Length::Unstated => took_us,
    };
    let session_us = looked.session_us().unwrap_or(0);
    let is_short = its.is_seeded() && length_us < session_us.saturating_mul(SESSIONS);
    let short = is_short.then(|| (its.name().to_string(), length_us, session_us));
    if let Some(time_us) = time_us {
        let ops = if looked.whole { seen } else { scaled(seen, time_us, took_us) };
        ready.checked[stream].ops = ops;
    }
    Ok(short)
}

/// `number * by / of`.
fn scaled(number: u64, by: u64, of: u64) -> u64 {
    let scaled = u128::from(number) * u128::from(by) / u128::from(of.max(1));
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

/// One warning about all streams that are too short.
pub(super) fn too_short(short: &[Short]) -> Option<String> {
    let each = short.iter().map(|(name, length_us, session_us)| {
        let (length, session) = (span(*length_us as f64), span(*session_us as f64));
        format!("{name} {length} ({session})")
    });
    let each: Vec<_> = each.collect();
    (!each.is_empty()).then(|| {
        format!(
            "streams are shorter than {SESSIONS} of their longest usual sessions, and say little \
             about later: {}; state hours or days",
            each.join(", ")
        )
    })
}
