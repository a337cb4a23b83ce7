//! From moments to what happened between them.

use std::collections::BTreeMap;

use cma_policies::{Area, Request, Run};

use super::moments::{Moment, Picture, RangeSeen};
use crate::op::Part;
use crate::timeline::holes;
use crate::view::film::Film;
use crate::words::{counted, is_or_are};

/// The most holes of a bitmap that are told apart.
const MOST_HOLES: usize = 1 << 20;

/// A film of these moments of `area`. Nothing is refused in it above order `most`, up to which it is
/// known where a request may start.
pub(super) fn film(
    (area, most): (Area, u32),
    moments: Vec<Moment>,
    has_time: bool,
    notes: &mut Vec<String>,
) -> Film {
    let mut scene = Scene { film: Film::new(area), live: BTreeMap::new(), next: 0 };
    scene.film.snapshots = true;
    let (mut odd, mut too_high) = (0, 0);
    for (number, moment) in (0..).zip(moments) {
        let at = (moment.time_us.filter(|_| has_time).unwrap_or(number), number);
        match moment.picture.map(|picture| used(&scene.film.area, &picture)) {
            Some(Some(now)) => scene.change(at, &now),
            Some(None) => odd += 1,
            None => {}
        }
        if number == 0 {
            scene.film.before = scene.film.events.len();
        }
        scene.film.ops = number + 1;
        let first_us = scene.film.seen_us.map_or(at.0, |(first_us, _)| first_us);
        scene.film.seen_us = Some((first_us, at.0));
        if let Some((request, cause)) = moment.refused {
            if request.align() > most {
                too_high += 1;
                continue;
            }
            scene.film.refuse(at, scene.next, request, cause);
            scene.next += 1;
        }
    }
    let name = scene.film.area.name();
    if odd > 0 {
        let (states, are) = (counted(odd, "state"), is_or_are(odd));
        notes.push(format!(
            "{states} of {name} cannot be of an area that lies so, and {are} left out"
        ));
    }
    if too_high > 0 {
        let (failures, are) = (counted(too_high, "failure"), is_or_are(too_high));
        notes.push(format!(
            "{failures} of {name} {are} left out: where an order above {most} may start depends on \
             where the area begins; --base-pfn says it"
        ));
    }
    scene.film
}

/// Pages that are not free: each run, and whether only a list does not show that it is free.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Used {
    run: Run,
    is_hidden: bool,
}

/// What is not free, ascending; `None` where the picture is not of this area.
fn used(area: &Area, picture: &Picture) -> Option<Vec<Used>> {
    let order = area.order_per_bit();
    if picture.order_per_bit.is_some_and(|own| own != order) {
        return None;
    }
    let mut all = Vec::new();
    for (number, range) in area.ranges().iter().enumerate() {
        let bits = area.bits(number);
        let end = bits << order;
        let seen = picture.ranges.iter().find(|(known, _)| *known as usize == number);
        // Pages of which it is known whether they are free, from the first one on.
        let (holes, known) = match seen.map(|(_, seen)| seen) {
            Some(RangeSeen::Bits(words)) => {
                let shown = bits.min(words.len() as u64 * 32);
                let (holes, all) = holes(words, shown, order, MOST_HOLES);
                let last = holes.last().map_or(0, |hole| hole.end());
                (holes, if all { shown << order } else { last })
            }
            Some(RangeSeen::Holes(holes, all)) => (holes.clone(), if *all { end } else { 0 }),
            None => (Vec::new(), 0),
        };
        let mut at = 0;
        for hole in holes.iter().map(|hole| (hole.start, hole.end())).chain([(end, end)]) {
            if hole.0 < at || hole.1 > end {
                return None;
            }
            for (from, to, is_hidden) in
                [(at, hole.0.min(known), false), (at.max(known), hole.0, true)]
            {
                if from < to {
                    all.push(Used { run: Run::new(range.pfn.0 + from, to - from), is_hidden });
                }
            }
            at = hole.1;
        }
    }
    all.sort_unstable_by_key(|used| used.run.pfn);
    Some(all)
}

/// A piece of a buffer.
#[derive(Clone, Copy, Debug)]
struct Piece {
    end: u64,
    /// The index of its buffer in the film.
    buffer: usize,
    is_hidden: bool,
}

struct Scene {
    film: Film,
    /// What is live, by its first page.
    live: BTreeMap<u64, Piece>,
    /// The number of the next buffer or refusal.
    next: u64,
}

impl Scene {
    /// It is so now. What was not shown and is used, or the other way round, is given back and granted
    /// again; then comes what is new, then goes what is free: there is never more room than at a
    /// moment that was seen.
    fn change(&mut self, at: (u64, u64), now: &[Used]) {
        let of = |is_hidden: bool| {
            let alike = now.iter().filter(move |used| used.is_hidden == is_hidden);
            alike.map(|used| (used.run.pfn.0, used.run.end().0)).collect::<Vec<_>>()
        };
        let now = [of(false), of(true)];
        let (mut turned, mut freed, mut new) = (Vec::new(), Vec::new(), Vec::new());
        for is_hidden in [false, true] {
            let (own, other) = (&now[usize::from(is_hidden)], &now[usize::from(!is_hidden)]);
            let alike = self.live.iter().filter(|(_, piece)| piece.is_hidden == is_hidden);
            let live: Vec<_> = alike.map(|(start, piece)| (*start, piece.end)).collect();
            let gone = minus(&live, own);
            let free = minus(&gone, other);
            turned.extend(minus(&gone, &free));
            freed.extend(free);
            new.extend(minus(own, &live).into_iter().map(|run| (run, is_hidden)));
        }
        new.sort_unstable();
        self.give_back(at, &turned);
        for ((from, to), is_hidden) in new {
            self.grant(at, Run::new(from, to - from), is_hidden);
        }
        self.give_back(at, &freed);
    }

    fn grant(&mut self, at: (u64, u64), run: Run, is_hidden: bool) {
        let request = Request::new(run.count, 0).expect("a run has pages, and order 0 is one");
        let request = request.with_client(u16::from(is_hidden));
        let buffer = self.film.buffers.len();
        let piece = Piece { end: run.end().0, buffer, is_hidden };
        self.live.insert(run.pfn.0, piece);
        self.film.grant(at, self.next, request, run);
        self.next += 1;
    }

    /// These pages, each run of which is of one piece, are free.
    fn give_back(&mut self, at: (u64, u64), runs: &[(u64, u64)]) {
        let mut by_buffer: BTreeMap<usize, Vec<(u64, u64)>> = BTreeMap::new();
        for &(from, to) in runs {
            let piece = self.live.range(..=from).next_back();
            let (start, piece) = piece.map(|(start, piece)| (*start, *piece)).expect("it is live");
            self.live.remove(&start);
            if start < from {
                self.live.insert(start, Piece { end: from, ..piece });
            }
            if to < piece.end {
                self.live.insert(to, piece);
            }
            by_buffer.entry(piece.buffer).or_default().push((from, to));
        }
        for (buffer, runs) in by_buffer {
            let (id, start) = (self.film.buffers[buffer].id, self.film.buffers[buffer].run.pfn.0);
            if self.is_gone(buffer) {
                self.film.free(at, id, None);
                continue;
            }
            for (from, to) in runs {
                let part = Part { offset: from - start, count: to - from };
                self.film.free(at, id, Some(part));
            }
        }
    }

    /// Whether nothing is left of a buffer.
    fn is_gone(&self, buffer: usize) -> bool {
        let run = self.film.buffers[buffer].run;
        let mut pieces = self.live.range(run.pfn.0..run.end().0);
        pieces.all(|(_, piece)| piece.buffer != buffer)
    }
}

/// What is in `runs` and not in `others`; both ascend, and runs of each do not overlap.
fn minus(runs: &[(u64, u64)], others: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let mut left = Vec::new();
    let mut next = 0;
    for &(mut from, to) in runs {
        while next < others.len() && others[next].1 <= from {
            next += 1;
        }
        let mut at = next;
        while from < to {
            match others.get(at) {
                Some(&(start, end)) if start < to => {
                    if from < start {
                        left.push((from, start));
                    }
                    from = end;
                    at += 1;
                }
                _ => {
                    left.push((from, to));
                    break;
                }
            }
        }
    }
    left
}
