//! What was kept as writes to the debugfs files of an area (`mm/cma_debug.c`,
//! `CONFIG_CMA_DEBUGFS`).
//!
//! `echo N > alloc` asks for N pages at order 0 and puts them on a stack; `echo N > free` gives
//! back N pages from the top of it, the front of a block where order_per_bit is 0. Not every stream
//! can be said so, but most states can be built: ascending, a block for each hole and what is live
//! past it, whose front is given back.

mod board;

use cma_policies::{Area, Run};

use super::run::Refusal;
use super::subject::Subject;
use super::write::WIDTH;
use crate::cause::Cause;
use crate::op::Op;
use crate::words::wrapped;

/// A write to one of the two files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Write {
    Alloc(u64),
    Free(u64),
}

/// The lines that bring a board to the refusal, with `notes`: what a reader must know, a sentence
/// each.
fn lines(area: &Area, notes: &[String], writes: &[Write]) -> String {
    let (pages, order) = (area.pages(), area.order_per_bit());
    let mut text = format!(
        "# for an empty area of {pages} pages with order_per_bit {order}, as root,\n\
         # on a kernel with CONFIG_CMA_DEBUGFS while nobody else uses it\n\
         # the folder has the name of the area; before 6.1 it may be cma-NAME\n"
    );
    for line in notes.iter().flat_map(|note| wrapped(note, WIDTH, ("# ", "# "))) {
        text += &format!("{line}\n");
    }
    let folder = folder(area.name());
    for write in writes {
        text += &match write {
            Write::Alloc(pages) => format!("echo {pages} > {folder}/alloc\n"),
            Write::Free(pages) => format!("echo {pages} > {folder}/free\n"),
        };
    }
    text
}

/// The shell lines that bring an empty area to `refusal`, which `subject` ends with: checked against the
/// baseline, the policy of a board.
///
/// # Errors
/// Why it cannot be said, in a sentence.
pub fn debugfs(subject: &Subject, refusal: &Refusal) -> Result<String, String> {
    let area = &subject.area;
    if area.ranges().len() > 1 {
        return Err("an area of several ranges is left to a board's own choice of range".into());
    }
    let request = match refusal.cause {
        Cause::TooLarge | Cause::Exhausted | Cause::Fragmentation => Some(refusal.request.count()),
        Cause::Alignment => None,
        Cause::Interrupted | Cause::Migration | Cause::Busy | Cause::Transient => {
            return Err(format!(
                "debugfs cannot make claims fail, and this refusal is for the cause {}",
                refusal.cause
            ));
        }
        Cause::Policy => {
            return Err("an aligned fit is free, so the kernel's own policy would grant it".into());
        }
    };
    // Where only the longest hole counts, the order of the holes does not.
    let any_order = request.and_then(|_| sorted(area, &refusal.holes));
    let plans = [literal(subject), builder(area, &refusal.holes), any_order];
    let plans = plans.into_iter().flatten().filter_map(|mut writes| {
        writes.extend(request.map(Write::Alloc));
        let likeness = brings(area, &writes, refusal, request.is_some())?;
        Some((likeness, writes))
    });
    // Of two that are as like the first stays.
    if let Some((likeness, writes)) = plans.min_by_key(|(likeness, _)| *likeness) {
        let mut notes = match writes[..] {
            [] => Vec::new(),
            _ => vec![likeness.note().to_string()],
        };
        match request {
            Some(_) => notes.push("the last line fails: cannot allocate memory".to_string()),
            None => {
                let (count, align) = (refusal.request.count(), refusal.request.align());
                notes.push(format!(
                    "a driver that now asks for {count} pages at order {align} is refused; debugfs \
                     asks at order 0"
                ));
                let base = area.ranges()[0].pfn;
                notes.push(format!(
                    "this is so where the base_pfn of the area is {} modulo 2^{align}, as it is of \
                     {base}",
                    base.0 & ((1_u64 << align) - 1)
                ));
            }
        }
        return Ok(lines(area, &notes, &writes));
    }
    Err(match area.order_per_bit() {
        0 => "a block that debugfs would ask for fits into a hole that must stay free".into(),
        order => format!(
            "with order_per_bit {order} debugfs gives back no part of a block, and the last one \
             first"
        ),
    })
}

/// The folder of the area. A name that a shell would take for something else is not written.
fn folder(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_,.@+-".contains(c);
    let name = if !name.is_empty() && name.chars().all(plain) { name } else { "AREA" };
    format!("/sys/kernel/debug/cma/{name}")
}

/// The ops of the stream themselves, but for the refused one: where their frees come from the top
/// of the stack. Orders are dropped; whether that matters shows when it is checked.
fn literal(subject: &Subject) -> Option<Vec<Write>> {
    let (_, items) = subject.items.split_last()?;
    // What is on the stack: whose, how many pages of it are gone from the front, how many are left.
    let mut stack: Vec<(u64, u64, u64)> = Vec::new();
    let mut writes = Vec::new();
    for item in items {
        match item.timed.op {
            Op::Alloc { id, request, .. } => {
                stack.push((id, 0, request.count()));
                writes.push(Write::Alloc(request.count()));
            }
            Op::Free { id, part } => {
                let (top, gone, left) = *stack.last()?;
                let count = match part {
                    None if top == id => left,
                    Some(part) if top == id && part.offset == gone => part.count,
                    _ => return None,
                };
                stack.pop();
                if count < left {
                    stack.push((id, gone + count, left - count));
                }
                writes.push(Write::Free(count));
            }
            Op::Pin(_) | Op::Unpin(_) => return None,
        }
    }
    Some(writes)
}

/// Holes and what is live past each, ascending: `(free, live)`; the last one may be all free.
fn pairs(area: &Area, holes: &[Run]) -> Vec<(u64, u64)> {
    let range = area.ranges()[0];
    let mut pairs = Vec::new();
    let mut at = range.pfn.0;
    if holes.first().is_none_or(|hole| hole.pfn.0 > at) {
        let end = holes.first().map_or(range.end().0, |hole| hole.pfn.0);
        pairs.push((0, end - at));
    }
    for (index, hole) in holes.iter().enumerate() {
        at = hole.end().0;
        let next = holes.get(index + 1).map_or(range.end().0, |next| next.pfn.0);
        pairs.push((hole.count, next - at));
    }
    pairs
}

/// The holes where they are.
fn builder(area: &Area, holes: &[Run]) -> Option<Vec<Write>> {
    if area.order_per_bit() > 0 && holes.len() > 1 {
        return None;
    }
    Some(written(&pairs(area, holes)))
}

/// The holes from the shortest to the longest: no block fits into one that is there already.
fn sorted(area: &Area, holes: &[Run]) -> Option<Vec<Write>> {
    let pairs = pairs(area, holes);
    let mut free: Vec<u64> = pairs.iter().map(|(free, _)| *free).filter(|free| *free > 0).collect();
    let mut live: Vec<u64> = pairs.iter().map(|(_, live)| *live).filter(|live| *live > 0).collect();
    free.sort_unstable();
    live.sort_unstable();
    // What is live and has no hole before it comes first; a hole with nothing past it last.
    let first = live.len().saturating_sub(free.len());
    let mut ordered: Vec<_> = live.drain(..first).map(|live| (0, live)).collect();
    let past = live.into_iter().chain(std::iter::repeat(0));
    ordered.extend(free.into_iter().zip(past));
    (area.order_per_bit() == 0).then(|| written(&ordered))
}

fn written(pairs: &[(u64, u64)]) -> Vec<Write> {
    let mut writes = Vec::new();
    for (free, live) in pairs.iter().filter(|(_, live)| *live > 0) {
        writes.push(Write::Alloc(free + live));
        writes.extend((*free > 0).then_some(Write::Free(*free)));
    }
    writes
}

/// How like the refusal that is brought about is to the one that was kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Likeness {
    /// The same holes.
    Holes,
    /// Holes of the same sizes, elsewhere.
    Sizes,
    /// As many free pages.
    Pages,
}

impl Likeness {
    const fn note(self) -> &'static str {
        match self {
            Self::Holes => "this leaves the same holes",
            Self::Sizes => "this leaves holes of the same sizes in another order",
            Self::Pages => "this leaves as many free pages in other holes",
        }
    }
}

/// How `writes` bring an empty area of a board to `refusal`, or to its holes where the request is
/// not among them; `None` where they do not.
fn brings(area: &Area, writes: &[Write], refusal: &Refusal, asked: bool) -> Option<Likeness> {
    let (board, refused) = board::run(area, writes)?;
    let model = board.model();
    let mut holes = Vec::new();
    model.map().for_each_run(&mut |hole| holes.push(hole));
    if !asked {
        return (refused.is_none() && holes == refusal.holes).then_some(Likeness::Holes);
    }
    let (at, cause) = refused?;
    let is_it = at + 1 == writes.len() && cause == refusal.cause;
    if !is_it || model.free_pages() != refusal.free_pages {
        return None;
    }
    let sizes = |holes: &[Run]| {
        let mut sizes: Vec<_> = holes.iter().map(|hole| hole.count).collect();
        sizes.sort_unstable();
        sizes
    };
    Some(if holes == refusal.holes {
        Likeness::Holes
    } else if sizes(&holes) == sizes(&refusal.holes) {
        Likeness::Sizes
    } else {
        Likeness::Pages
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use cma_policies::Request;

    fn holes(list: &[(u64, u64)]) -> Vec<Run> {
        list.iter().map(|(pfn, count)| Run::new(*pfn, *count)).collect()
    }

    fn refused(cause: Cause, count: u64, align: u32, area: &Area, list: &[(u64, u64)]) -> Refusal {
        let holes = holes(list);
        Refusal {
            op: 0,
            request: Request::new(count, align).unwrap(),
            cause,
            errno: None,
            why: String::new(),
            free_pages: holes.iter().map(|hole| hole.count).sum(),
            area_pages: area.pages(),
            holes,
        }
    }

    fn said(area: &Area, refusal: &Refusal) -> Result<String, String> {
        let subject = Subject { area: area.clone(), clients: Vec::new(), items: Vec::new() };
        debugfs(&subject, refusal).map(|said| said.to_string())
    }

    /// The writes, as `2 alloc`.
    fn writes(said: &str) -> Vec<String> {
        let lines = said.lines().filter_map(|line| line.strip_prefix("echo "));
        lines.map(|line| line.replace("> /sys/kernel/debug/cma/cma/", "")).collect()
    }

    #[test]
    fn ascending_holes_are_built_where_they_are() {
        let area = Area::single(512, 64, 0).unwrap();
        let list = [(514, 3), (520, 4), (570, 6)];
        let refusal = refused(Cause::Fragmentation, 7, 0, &area, &list);
        let text = said(&area, &refusal).unwrap();
        // 2 live, 3 free + 3 live, 4 free + 46 live, 6 free at the end: those need no block.
        let right = ["2 alloc", "6 alloc", "3 free", "50 alloc", "4 free", "7 alloc"];
        assert_eq!(writes(&text), right);
        assert!(text.contains("the last line fails"), "{text}");
    }

    #[test]
    fn a_hole_that_would_take_a_later_block_goes_past_it() {
        let area = Area::single(0, 32, 0).unwrap();
        // 10 free, 1 live, 2 free, 1 live, 1 free, 17 live.
        let list = [(0, 10), (11, 2), (14, 1)];
        let refusal = refused(Cause::Fragmentation, 11, 0, &area, &list);
        let there = [builder(&area, &refusal.holes).unwrap(), vec![Write::Alloc(11)]].concat();
        // The block of 3 is put into the hole of 10, and that of 18 past it.
        assert_eq!(brings(&area, &there, &refusal, true), Some(Likeness::Pages));
        let text = said(&area, &refusal).unwrap();
        assert!(text.contains("in another order"), "{text}");
        // The same holes for a request that minds where they are cannot be had.
        let aligned = refused(Cause::Alignment, 8, 4, &area, &list);
        let why = said(&area, &aligned).unwrap_err();
        assert!(why.contains("fits into a hole"), "{why}");
    }

    #[test]
    fn an_alignment_is_prepared_and_asked_for_by_somebody_else() {
        let area = Area::new("linux,cma", 0, &[Run::new(0, 512)]).unwrap();
        let refusal = refused(Cause::Alignment, 255, 8, &area, &[(257, 255)]);
        let text = said(&area, &refusal).unwrap();
        assert!(text.ends_with("\necho 257 > /sys/kernel/debug/cma/linux,cma/alloc\n"), "{text}");
        assert!(text.contains("asks for 255 pages at order 8 is refused"), "{text}");
    }

    #[test]
    fn what_debugfs_cannot_do_is_said() {
        let area = Area::single(0, 64, 2).unwrap();
        let refusal = refused(Cause::Fragmentation, 16, 0, &area, &[(0, 8), (16, 8)]);
        let why = said(&area, &refusal).unwrap_err();
        assert!(why.contains("order_per_bit 2"), "{why}");
        let busy = refused(Cause::Busy, 4, 0, &area, &[(0, 64)]);
        assert!(said(&area, &busy).unwrap_err().contains("cannot make claims fail"));
        let policy = refused(Cause::Policy, 4, 0, &area, &[(0, 64)]);
        assert!(said(&area, &policy).unwrap_err().contains("would grant it"));
    }

    #[test]
    fn a_name_that_a_shell_would_run_is_not_written() {
        assert_eq!(folder("linux,cma"), "/sys/kernel/debug/cma/linux,cma");
        for name in ["", "a b", "$(reboot)", "a;b", "x\ny", "a/../b"] {
            assert_eq!(folder(name), "/sys/kernel/debug/cma/AREA", "{name:?}");
        }
    }
}
