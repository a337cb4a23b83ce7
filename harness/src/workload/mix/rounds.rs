//! A file from its beginning to its end, and again.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::super::Failure;
use super::played::Played;
use crate::ingest::IngestError;
use crate::op::{Op, Timed};
use crate::reader;

/// The rounds of a file.
///
/// At the seam what the round left live is given back, and the next round begins at that moment.
/// What was live before the file began stays where the round did not touch it, and is asked for
/// again at the seam where it did.
pub(super) struct Rounds {
    played: Arc<Played>,
    repeat: bool,
    ops: reader::Ops,
    /// When this round began.
    from_us: u64,
    /// Pages that are left of what is live, by id.
    live: BTreeMap<u64, u64>,
    /// Their pages, were every request granted.
    pub(super) live_pages: u64,
    /// What happens at the seam.
    queue: VecDeque<Timed>,
    failed: Failure,
}

impl Rounds {
    /// The file once, or again and again where `repeat`.
    ///
    /// # Errors
    /// Where it cannot be opened once more.
    pub(super) fn new(
        played: &Arc<Played>,
        repeat: bool,
        failed: &Failure,
    ) -> Result<Self, IngestError> {
        let mut rounds = Self {
            played: Arc::clone(played),
            repeat,
            ops: played.open()?,
            from_us: 0,
            live: BTreeMap::new(),
            live_pages: 0,
            queue: VecDeque::new(),
            failed: Arc::clone(failed),
        };
        for op in &played.before {
            rounds.note(*op);
        }
        Ok(rounds)
    }

    /// Keeps the ledger; none of an op that acts on nothing.
    fn note(&mut self, op: Op) -> Option<Op> {
        match op {
            Op::Alloc { id, .. } if self.live.contains_key(&id) => return None,
            Op::Alloc { id, request, .. } => {
                self.live.insert(id, request.count());
                self.live_pages = self.live_pages.saturating_add(request.count());
            }
            Op::Free { id, part } => {
                let left = self.live.get_mut(&id)?;
                let back = part.map_or(*left, |part| part.count.min(*left));
                *left -= back;
                self.live_pages = self.live_pages.saturating_sub(back);
                if *left == 0 {
                    self.live.remove(&id);
                }
            }
            // Pages of an area that is not that of the mix: a file with pins is none of a mix.
            Op::Pin(_) | Op::Unpin(_) => return None,
        }
        Some(op)
    }

    /// The end of one round and the beginning of the next.
    fn turn(&mut self) -> Result<(), IngestError> {
        let played = Arc::clone(&self.played);
        let at_us = self.from_us.saturating_add(played.end_us);
        let whole: BTreeMap<_, _> = played.before.iter().filter_map(asked).collect();
        let gone = self.live.iter().filter(|(id, left)| whole.get(*id) != Some(*left));
        let gone: Vec<_> = gone.map(|(id, _)| Op::Free { id: *id, part: None }).collect();
        for op in gone.into_iter().chain(played.before.iter().copied()) {
            let op = self.note(op);
            self.queue.extend(op.map(|op| Timed { at_us, op }));
        }
        self.from_us = at_us;
        self.ops = played.open()?;
        Ok(())
    }

    fn fail(&self, error: IngestError) {
        // The first failure ends the stream.
        let _ = self.failed.set(error);
    }
}

/// The buffer that an op asks for, and its pages.
const fn asked(op: &Op) -> Option<(u64, u64)> {
    match op {
        Op::Alloc { id, request, .. } => Some((*id, request.count())),
        _ => None,
    }
}

impl Iterator for Rounds {
    type Item = Timed;

    fn next(&mut self) -> Option<Timed> {
        loop {
            if let Some(timed) = self.queue.pop_front() {
                return Some(timed);
            }
            match self.ops.next() {
                Some(Ok((_, Timed { at_us, op }))) => {
                    let only = self.played.only.as_ref();
                    let Some(op) = only.map_or(Some(op), |only| only.take(op)) else { continue };
                    let Some(op) = self.note(op) else { continue };
                    return Some(Timed { at_us: self.from_us.saturating_add(at_us), op });
                }
                None if self.repeat && self.played.end_us > 0 => {
                    if let Err(error) = self.turn() {
                        self.fail(error);
                        return None;
                    }
                }
                None => return None,
                Some(Err(error)) => {
                    self.fail(error);
                    return None;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Mix, Origin, Part};
    use super::*;
    use crate::ingest::Source;
    use crate::reader::Options;
    use crate::seed::Seed;
    use cma_policies::Request;

    /// What was live before: buffers 100 of 7 pages, 101 of 5 and 102 of 3.
    fn with_before(rows: &str) -> Arc<Played> {
        let text = format!("at_us,op,id,count,align,client,area,offset\n{rows}");
        let source = Source::bytes("s.csv", text.into_bytes());
        let mut played = Played::read(&source, &Options::default(), None).expect("a stream");
        let buffer = |(id, count)| Op::Alloc {
            id,
            request: Request::new(count, 0).expect("pages"),
            dma: false,
        };
        played.before = [(100, 7), (101, 5), (102, 3)].map(buffer).to_vec();
        Arc::new(played)
    }

    fn line(Timed { at_us, op }: Timed) -> String {
        match op {
            Op::Alloc { id, request, .. } => format!("{at_us} ask {id} {}", request.count()),
            Op::Free { id, .. } => format!("{at_us} free {id}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_was_live_before_stays_where_a_round_does_not_touch_it() {
        let rows = "1,alloc,1,9,0,a,,\n2,free,101,,,,,\n3,free,102,,,,,\n";
        let rounds = Rounds::new(&with_before(rows), true, &Failure::default()).expect("it opens");
        assert_eq!(rounds.live_pages, 15);
        let expected = [
            "1 ask 1 9",
            "2 free 101",
            "3 free 102",
            // The seam: 101 and 102 are as they were before, 100 is there still.
            "3 free 1",
            "3 ask 101 5",
            "3 ask 102 3",
            "4 ask 1 9",
            "5 free 101",
            "6 free 102",
        ];
        assert_eq!(rounds.take(9).map(line).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_was_live_before_is_of_nobody_and_goes_by_its_new_id() {
        let rows = "1,alloc,1,9,0,a,,\n2,free,101,,,,,\n";
        let part = |called: &str| Part {
            origin: Origin::File(with_before(rows), false),
            called: Some(called.to_string()),
        };
        let mix = Mix::new(vec![part("x"), part("y")]).expect("a mix");
        let mut made = mix.open(&Seed::new(1), 9).expect("it opens");
        let before: Vec<_> = made.before().iter().map(|op| Timed { at_us: 0, op: *op }).collect();
        let clients = before.iter().filter_map(|timed| match timed.op {
            Op::Alloc { request, .. } => Some(request.client()),
            _ => None,
        });
        assert!(clients.eq([0; 6]), "nobody asked");
        let asked = ["0 ask 0 7", "0 ask 1 5", "0 ask 2 3", "0 ask 3 7", "0 ask 4 5", "0 ask 5 3"];
        assert_eq!(before.into_iter().map(line).collect::<Vec<_>>(), asked);
        let ops: Vec<_> = made.by_ref().map(line).collect();
        assert_eq!(ops, ["1 ask 6 9", "1 ask 7 9", "2 free 1", "2 free 4"]);
        assert_eq!(made.end(), Ok(()));
    }
}
