//! The areas of `hugetlb_cma=` and of `crashkernel=…,cma`: lines after those that reserve areas say
//! which of them they are.

use std::sync::Arc;

use super::Teller;
use crate::boot::{Asked, At, Fate, Note, Off, Origin, Reason};

/// As the kernel calls the area of a node of memory.
fn name(node: u32) -> Arc<str> {
    Arc::from(format!("hugetlb{node}"))
}

/// Whether nothing says so far whose it is.
fn is_open(asked: &Asked) -> bool {
    asked.name.is_none() && matches!(asked.origin, Origin::ConfigOrCommandLine | Origin::Numa)
}

impl Teller {
    pub(super) fn hugetlb(&mut self, at: &At, fate: Fate) {
        let known = |asked: &Asked| asked.origin == Origin::Hugetlb;
        if !self.areas.iter().any(known) {
            self.push(at, None, Origin::Hugetlb, fate);
        }
    }

    /// The line before is of the same area, where it is there.
    pub(super) fn hugetlb_placed(&mut self, at: &At, bytes: u64, node: u32) {
        self.settle();
        let same = |asked: &&mut Asked| {
            let open = is_open(asked) || asked.origin == Origin::Hugetlb && asked.name.is_none();
            open && asked.fate == Fate::Placed && asked.bytes == Some(bytes)
        };
        match self.areas.last_mut().filter(same) {
            Some(asked) => {
                (asked.origin, asked.name) = (Origin::Hugetlb, Some(name(node)));
                asked.at(at);
            }
            None => self.of_node(at, node, Fate::Placed).bytes = Some(bytes),
        }
    }

    /// The area of a node of memory, which is new with this fate, or known.
    fn of_node(&mut self, at: &At, node: u32, fate: Fate) -> &mut Asked {
        let name = name(node);
        let known = |asked: &Asked| asked.name.as_ref() == Some(&name);
        let Some(index) = self.areas.iter().position(known) else {
            return self.push(at, Some(name), Origin::Hugetlb, fate);
        };
        self.areas[index].at(at);
        &mut self.areas[index]
    }

    /// The line before is of the same area, where it is there.
    pub(super) fn hugetlb_failed(&mut self, at: &At, node: u32, zones: bool) {
        self.settle();
        let fate = if zones { Fate::Dead(None) } else { Fate::NotPlaced(Reason::Open) };
        let before = |asked: &&mut Asked| match asked.fate {
            Fate::NotPlaced(_) => is_open(asked) && !zones,
            Fate::Placed => is_open(asked) && zones,
            _ => false,
        };
        match self.areas.last_mut().filter(before) {
            Some(asked) => {
                (asked.origin, asked.name) = (Origin::Hugetlb, Some(name(node)));
                asked.fate = if zones { fate } else { asked.fate.clone() };
                asked.at(at);
            }
            None => {
                self.of_node(at, node, fate);
            }
        }
    }

    /// How much of `hugetlb_cma=` is there, beside what is not.
    pub(super) fn hugetlb_in_all(&mut self) {
        let of_command = self.command.as_ref().and_then(|(at, command)| {
            command.hugetlb.filter(|bytes| *bytes > 0).map(|bytes| (at.clone(), bytes))
        });
        let Some((at, total)) = self.hugetlb.clone().or(of_command) else { return };
        let hugetlb = |asked: &&Asked| asked.origin == Origin::Hugetlb;
        let placed: Vec<_> =
            self.areas.iter().filter(hugetlb).filter(|asked| asked.fate == Fate::Placed).collect();
        // Without a name it may be the one that is missing.
        if placed.iter().any(|asked| asked.name.is_none()) {
            return;
        }
        let placed: u64 = placed.iter().filter_map(|asked| asked.bytes).sum();
        for asked in &mut self.areas {
            let missing = matches!(asked.fate, Fate::NotPlaced(_) | Fate::Dead(_));
            if asked.origin == Origin::Hugetlb && missing && (1..total).contains(&placed) {
                asked.notes.push(Note::Of(placed, total));
                asked.at(&at);
            }
        }
    }

    /// Sizes that were tried in vain for `crashkernel=…,cma` by the command line, each the half of
    /// the one before, where the line that ends them is not in the text or states less.
    pub(super) fn crash_of_command(&mut self) {
        let Some((at, command)) = self.command.clone() else { return };
        let Some(total) = command.crash.filter(|total| *total > 0) else { return };
        let other = |bytes: u64| command.cma.is_none_or(|size| !size.may_print(bytes));
        let half = |bytes: u64| (0..64).any(|halves| total >> halves >> 20 == bytes >> 20);
        let in_vain = |asked: &Asked| {
            let failed =
                matches!(asked.fate, Fate::NotPlaced(Reason::Open) | Fate::Refused(Off::Slots));
            failed
                && is_open(asked)
                && asked.asked_bytes.is_some_and(|tried| half(tried) && other(tried))
        };
        let tried: Vec<_> = self.areas.extract_if(.., |asked| in_vain(asked)).collect();
        let Some(least) = tried.iter().filter_map(|asked| asked.asked_bytes).min() else { return };
        let found = |asked: &Asked| match asked.origin {
            Origin::Crash => true,
            // What is found next is the half of what was tried last.
            _ => is_open(asked) && asked.fate == Fate::Placed && asked.bytes == Some(least / 2),
        };
        let index = self.areas.iter().position(found);
        let known = index.map(|index| self.areas.remove(index));
        let (bytes, ranges) =
            known.as_ref().map_or((0, None), |known| (known.bytes.unwrap_or(0), known.ranges));
        let fate = match bytes < total {
            true => Fate::NotPlaced(Reason::Part(bytes)),
            false => Fate::Placed,
        };
        let area = self.push(&at, Some("crashkernel".into()), Origin::Crash, fate);
        let lines = known.into_iter().chain(tried).flat_map(|asked| asked.lines);
        lines.for_each(|line| area.at(&line));
        (area.asked_bytes, area.ranges) = (Some(total), ranges);
        area.bytes = Some(bytes).filter(|bytes| *bytes > 0);
    }

    /// The areas before this line are of `crashkernel=…,cma`: so many that were reserved, and sizes
    /// that were tried in vain, each the half of the one before.
    pub(super) fn crash(&mut self, at: &At, asked: Option<u64>, bytes: u64, ranges: u64) {
        self.settle();
        let known = |asked: &Asked| asked.origin == Origin::Crash;
        if self.areas.iter().any(known) {
            return;
        }
        let total = asked.unwrap_or(bytes);
        let half = |bytes: u64| (0..64).any(|halves| total >> halves >> 20 == bytes >> 20);
        let (mut lines, mut left) = (vec![at.clone()], ranges);
        while let Some(last) = self.areas.pop_if(|last| match last.fate {
            Fate::Placed => is_open(last) && left > 0,
            Fate::NotPlaced(Reason::Open) | Fate::Refused(Off::Slots) => {
                is_open(last) && last.asked_bytes.is_some_and(half)
            }
            _ => false,
        }) {
            let first = last.asked_bytes == Some(total);
            left -= u64::from(last.fate == Fate::Placed);
            lines.extend(last.lines);
            if first {
                break;
            }
        }
        let fate = match asked {
            None => Fate::Placed,
            Some(_) => Fate::NotPlaced(Reason::Part(bytes)),
        };
        let area = self.push(at, Some("crashkernel".into()), Origin::Crash, fate);
        lines.iter().for_each(|line| area.at(line));
        (area.asked_bytes, area.bytes) = (Some(total), Some(bytes).filter(|bytes| *bytes > 0));
        area.ranges = Some(ranges).filter(|ranges| *ranges > 1);
    }
}
