//! New names for what is left.

use super::cut::Cutter;
use super::subject::Subject;
use crate::op::Op;

impl Cutter<'_> {
    /// Ids and times from 0 on, and nobody in particular who asks: as much of it as keeps the goal.
    pub(super) fn names(&mut self) {
        // Few, and what they bring does not depend on how long the rest took.
        self.limits.tries = self.tries + 4;
        let mut named = self.subject.clone();
        named.name_apart();
        let mut timed = named.clone();
        timed.count_time();
        for best in [nobody(&timed), known(&timed), nobody(&named), known(&named)] {
            if self.accept(&best.area, best.items.iter().copied()) {
                self.subject.clients = best.clients;
                return;
            }
        }
    }
}

/// The same without clients.
fn nobody(subject: &Subject) -> Subject {
    let mut subject = with_clients(subject, |_| 0);
    subject.clients = Vec::new();
    subject
}

/// The same with the clients that are left, numbered as who reads the stream numbers them.
fn known(subject: &Subject) -> Subject {
    let mut seen: Vec<u16> = Vec::new();
    for item in &subject.items {
        if let Op::Alloc { request, .. } = item.timed.op
            && !seen.contains(&request.client())
        {
            seen.push(request.client());
        }
    }
    let place = |client| seen.iter().position(|other| *other == client).unwrap_or(0) as u16;
    let mut known = with_clients(subject, place);
    let name = |client: &u16| subject.clients.get(usize::from(*client)).cloned();
    known.clients = seen.iter().map(|client| name(client).unwrap_or_default()).collect();
    known
}

fn with_clients(subject: &Subject, number: impl Fn(u16) -> u16) -> Subject {
    let mut subject = subject.clone();
    for item in &mut subject.items {
        if let Op::Alloc { request, .. } = &mut item.timed.op {
            *request = request.with_client(number(request.client()));
        }
    }
    subject
}
