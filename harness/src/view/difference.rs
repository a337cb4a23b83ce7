//! The first answer that differs between two films of the same stream.

use cma_policies::{Pfn, Request};

use super::film::{Film, What};

/// What a request was answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answered {
    /// Granted at this page.
    Granted(Pfn),
    /// Refused.
    Refused,
}

/// Where two films part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Difference {
    /// The op.
    pub op: u64,
    /// When, in microseconds.
    pub at_us: u64,
    /// What was asked for, in the first film.
    pub request: Request,
    /// What each answered.
    pub answers: [Answered; 2],
}

/// The first request whose answers differ; requests that only one of them shows are passed over.
pub fn difference(a: &Film, b: &Film) -> Option<Difference> {
    let (mut a, mut b) = (requests(a).peekable(), requests(b).peekable());
    loop {
        let (one, other) = (*a.peek()?, *b.peek()?);
        let (key, other_key) = ((one.op, one.id), (other.op, other.id));
        if key == other_key {
            if one.answer != other.answer {
                let (op, at_us, request) = (one.op, one.at_us, one.request);
                return Some(Difference {
                    op,
                    at_us,
                    request,
                    answers: [one.answer, other.answer],
                });
            }
            a.next();
            b.next();
        } else if one.op < other.op {
            a.next();
        } else {
            b.next();
        }
    }
}

#[derive(Clone, Copy)]
struct Asked {
    op: u64,
    at_us: u64,
    id: u64,
    request: Request,
    answer: Answered,
}

/// The requests of a film with their answers, from the first op on.
fn requests(film: &Film) -> impl Iterator<Item = Asked> {
    film.events[film.before..].iter().filter_map(|event| {
        let (id, request, answer) = match event.what {
            What::Grant(buffer) => {
                let buffer = &film.buffers[buffer as usize];
                (buffer.id, buffer.request, Answered::Granted(buffer.run.pfn))
            }
            What::Refusal(refusal) => {
                let refusal = &film.refusals[refusal as usize];
                (refusal.id, refusal.request, Answered::Refused)
            }
            What::Free(_) | What::Part(..) => return None,
        };
        Some(Asked { op: event.op, at_us: event.at_us, id, request, answer })
    })
}
