//! What a stream would be if a driver or an application asked otherwise.
//!
//! A change knows the stream and not what became of it: a request may be refused later. Each one is
//! therefore of what is asked, as if all were granted, and what callers do after a refusal is done
//! with the changed stream. [`Changed::ends_with_a_refusal`] names the change for which that is not
//! enough.
//!
//! A client is meant as a board means it: who has the very name, and where nobody has, all of the
//! kind. Requests of others, pins and unpins stay as they are; the ids of others too, but where the
//! stream uses one anew whose buffer now stays.

mod early;
mod fewer;
mod keep;
mod live;
mod proposal;
mod seen;
mod swap;
mod trim;
mod words;

use std::collections::{BTreeSet, VecDeque};

pub use proposal::{Proposal, Shows, proposals};
pub use words::Who;

use super::Workload;
use super::of_client::meant;
use crate::op::Timed;

/// What one client of a trace asks for within this time, in microseconds, is one set.
pub const MOMENT_US: u64 = 10_000;

/// A change of what a driver or an application asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Changed {
    /// Buffers of `from` pages take `to`: a page or a few less each. Where an order follows the
    /// cap, it follows the pages that are left; a stated one stays. LOAD is never more.
    Trim {
        /// Whose; without a name everybody's.
        client: Option<String>,
        /// Pages that are asked for.
        from: u64,
        /// Pages in place of them; at least 1 and at most `from` are taken.
        to: u64,
    },
    /// A client keeps its buffers to the end of the stream: a request takes the smallest that is
    /// idle and has enough pages. Where none has, the largest goes back and one of that size is
    /// asked for in place of it. It has as many buffers as were live at once at most, and asks no
    /// more often than it did. LOAD is never less.
    Keep {
        /// Who.
        client: String,
    },
    /// A client has at most so many buffers of one size at once: it goes on without those beyond.
    /// LOAD is never more.
    Fewer {
        /// Who; each of several on its own.
        client: String,
        /// The size, in pages.
        pages: u64,
        /// Buffers at once at most.
        most: u64,
    },
    /// A client gives its buffers back in another order. What it asks for, and when, stays.
    Order {
        /// Who; each of several on its own.
        client: String,
        /// Which order.
        back: Back,
    },
}

/// In which order buffers go back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Back {
    /// What went back within this time after a request, in microseconds, goes back before it; 0: at
    /// the same moment. LOAD is never more.
    BeforeAsking {
        /// The time.
        within_us: u64,
    },
    /// Of buffers of one size and order, which are as good as each other, the one that it has had
    /// longest. LOAD stays.
    OldestFirst,
    /// The one that it has had shortest. LOAD stays.
    NewestFirst,
}

/// Makes ops of a changed stream from those of a stream, in order.
trait Change {
    fn take(&mut self, timed: Timed, out: &mut VecDeque<Timed>);

    /// Nothing that was taken may come after what is next.
    fn settle(&mut self, out: &mut VecDeque<Timed>) {
        let _ = out;
    }

    /// The stream has ended.
    fn end(&mut self, out: &mut VecDeque<Timed>) {
        let _ = out;
    }
}

impl Changed {
    /// The stream `ops`, whose clients have these names by number, with this change. Memory grows
    /// with what is live at once, never with the number of ops.
    ///
    /// A stream that is watched for some time is cut before it is changed: no op of a client that
    /// keeps what it has may ever come to show that the time is over.
    pub fn apply(
        &self,
        clients: &[String],
        ops: impl Iterator<Item = Timed>,
    ) -> impl Iterator<Item = Timed> {
        Applied { ops, change: self.change(clients), out: VecDeque::new(), has_ended: false }
    }

    /// Whether a run says nothing more once a request of such a client was refused: the stream
    /// takes what was refused as kept, and the client never asks for it again. Such a run is to be judged
    /// by its first failure (`Until::first_failure`), not by a rate.
    pub const fn ends_with_a_refusal(&self) -> bool {
        matches!(self, Self::Keep { .. })
    }

    fn change(&self, clients: &[String]) -> Box<dyn Change> {
        let named = |name: &String| -> BTreeSet<u16> {
            let names: Vec<_> = clients.iter().map(String::as_str).collect();
            meant(&names, name).into_iter().collect()
        };
        match self {
            Self::Trim { client, from, to } => {
                let (whose, to) = (client.as_ref().map(named), (*to).clamp(1, (*from).max(1)));
                Box::new(trim::Trim::new(whose, *from, to))
            }
            Self::Keep { client } => Box::new(keep::Keep::new(Some(named(client)))),
            Self::Fewer { client, pages, most } => {
                Box::new(fewer::Fewer::new(named(client), *pages, *most))
            }
            Self::Order { client, back: Back::BeforeAsking { within_us } } => {
                Box::new(early::Early::new(Some(named(client)), *within_us))
            }
            Self::Order { client, back } => {
                Box::new(swap::Swap::new(named(client), *back == Back::OldestFirst))
            }
        }
    }
}

impl Workload {
    /// This stream with a change, in what was live before it too.
    #[must_use]
    pub fn changed(self, changed: &Changed) -> Self {
        let mut change = changed.change(&self.clients);
        let mut out = VecDeque::new();
        for op in self.before {
            change.take(Timed { at_us: 0, op }, &mut out);
        }
        change.settle(&mut out);
        let before = out.drain(..).map(|timed| timed.op).collect();
        let ops = Applied { ops: self.ops, change, out, has_ended: false };
        Self { clients: self.clients, before, ops: Box::new(ops), failed: self.failed }
    }
}

/// The ops of a changed stream.
struct Applied<I> {
    ops: I,
    change: Box<dyn Change>,
    out: VecDeque<Timed>,
    has_ended: bool,
}

impl<I: Iterator<Item = Timed>> Iterator for Applied<I> {
    type Item = Timed;

    fn next(&mut self) -> Option<Timed> {
        while self.out.is_empty() && !self.has_ended {
            match self.ops.next() {
                Some(timed) => self.change.take(timed, &mut self.out),
                None => {
                    self.change.end(&mut self.out);
                    self.has_ended = true;
                }
            }
        }
        self.out.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::Op;
    use crate::workload::session::ask;

    #[test]
    fn what_was_live_before_changes_too_and_is_asked_for_by_nobody() {
        let free = |id| Timed { at_us: 9, op: Op::Free { id, part: None } };
        let next = Timed { at_us: 9, op: ask(1, 5, 1) };
        let made = |changed: &Changed| {
            let names = vec![String::new(), "vpu".to_string()];
            let made = Workload::of(names, vec![ask(0, 257, 1)], [next, free(0)].into_iter());
            let made = made.changed(changed);
            (made.before().to_vec(), made.collect::<Vec<_>>())
        };
        let client = || "vpu".to_string();
        let trim = Changed::Trim { client: None, from: 257, to: 256 };
        assert_eq!(made(&trim), (vec![ask(0, 256, 1)], vec![next, free(0)]));
        let order = Changed::Order { client: client(), back: Back::BeforeAsking { within_us: 0 } };
        assert_eq!(made(&order), (vec![ask(0, 257, 1)], vec![free(0), next]));
        let keep = Changed::Keep { client: client() };
        assert_eq!(made(&keep), (vec![ask(0, 257, 1)], vec![next, free(0)]));
        let fewer = Changed::Fewer { client: client(), pages: 257, most: 0 };
        assert_eq!(made(&fewer), (vec![], vec![next]));
    }
}
