//! A session ends with its first refused request.

use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

use super::{Answer, Reaction, Step};
use crate::op::{Op, Timed};
use crate::simulate::left::{Left, give};

/// A session is what one client asks for at one moment: all of it or nothing. With its first
/// refusal the buffers that it got, and has still, go back; what it would ask for later at that
/// moment is not asked for; and whatever the stream gives back of all of them is not given back
/// any more. The next moment is another session.
#[derive(Default)]
pub(super) struct Session {
    at_us: u64,
    /// Client and buffer of each request that was granted at this moment, in order.
    members: Vec<(u16, u64)>,
    /// The place among them of each buffer that the stream has not given back.
    places: FxHashMap<u64, usize>,
    left: Left,
    /// Clients whose session of this moment has ended.
    ended: BTreeSet<u16>,
    /// Buffers of ended sessions, up to their free in the stream.
    gone: Left,
    /// What goes back now.
    giving_back: Vec<u64>,
}

impl Session {
    fn begin_moment(&mut self, at_us: u64) {
        if at_us != self.at_us {
            self.at_us = at_us;
            self.members.clear();
            self.places.clear();
            self.left.clear();
            self.ended.clear();
        }
    }

    /// Takes those out of the members that the stream has given back: a moment may have no end.
    fn forget_gone(&mut self) {
        let mut place = 0;
        let places = &mut self.places;
        let mut kept = 0;
        self.members.retain(|(_, id)| {
            let here = places.get_mut(id).filter(|its| **its == place);
            place += 1;
            here.is_some_and(|its| {
                *its = kept;
                kept += 1;
                true
            })
        });
    }

    /// The session of `client` ends.
    fn end(&mut self, client: u16) {
        self.ended.insert(client);
        let mine =
            self.members.iter().enumerate().filter(|(place, (whose, id))| {
                *whose == client && self.places.get(id) == Some(place)
            });
        let members: Vec<_> = mine.map(|(_, (_, id))| *id).collect();
        for &id in &members {
            self.places.remove(&id);
            if let Some(left) = self.left.remove(&id) {
                self.gone.insert(id, left);
            }
        }
        // Taken from the end on.
        self.giving_back.extend(members.into_iter().rev());
    }
}

impl Reaction for Session {
    fn offer(&mut self, timed: Timed) -> Option<Timed> {
        self.begin_moment(timed.at_us);
        match timed.op {
            Op::Alloc { id, request, .. } => {
                if self.ended.contains(&request.client()) {
                    self.gone.insert(id, request.count());
                    return None;
                }
                self.gone.remove(&id);
            }
            Op::Free { id, part } => {
                if give(&mut self.gone, id, part).is_some() {
                    return None;
                }
                if give(&mut self.left, id, part) == Some(0) {
                    self.places.remove(&id);
                }
            }
            Op::Pin(_) | Op::Unpin(_) => {}
        }
        Some(timed)
    }

    fn answered(&mut self, step: &Step<'_>) -> bool {
        let Op::Alloc { id, request, .. } = step.op else { return false };
        let client = request.client();
        if step.has_failed() {
            self.gone.insert(id, request.count());
            self.end(client);
        } else if step.answer != Answer::IdInUse {
            if self.members.len() > 2 * self.places.len() + 64 {
                self.forget_gone();
            }
            self.places.insert(id, self.members.len());
            self.members.push((client, id));
            self.left.insert(id, request.count());
        }
        false
    }

    fn follow(&mut self) -> Option<Timed> {
        let id = self.giving_back.pop()?;
        Some(Timed { at_us: self.at_us, op: Op::Free { id, part: None } })
    }
}
