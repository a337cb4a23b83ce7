//! What room there is for areas where they may be.

use super::text::said;
use super::{Change, Wanted};
use crate::lint::{Area, Asker, Board, Pool, lint, size};

/// The most that an area can have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Room {
    /// Bytes, a multiple of the [`step`].
    pub bytes: u64,
    /// What bounds it.
    pub why: String,
}

/// First byte and end.
pub(super) type Piece = (u64, u64);

/// What an area that the kernel places asks for.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) align: u64,
    /// Where it may be, in the order in which the kernel tries; none: anywhere.
    pub(super) allowed: Option<Vec<Piece>>,
}

/// What the size of every area is a multiple of, on whichever of the kernels that the board may
/// have: none where that is not known.
pub fn step(board: &Board) -> Option<u64> {
    board.steps.most()
}

/// The end of what 32 bits reach: the default area of a parameter is below that.
pub(super) const LOW: u64 = 1 << 32;

/// The most bytes that the area of this name, or a new one where there is none, can have where it
/// is, beside all others as they are. None where the step is not
/// known, or the memory and no node with a place of its own behind it.
pub fn most_bytes(board: &Board, area: &str) -> Option<Room> {
    let step = step(board)?;
    let pool = board.pools.iter().find(|pool| pool.is_area() && pool.name == area);
    match pool.and_then(|pool| Some((pool, pool.fixed()?.0))) {
        Some((pool, base)) => {
            let (end, what) = after(board, pool, base)?;
            let bytes = end.saturating_sub(base) / step * step;
            let why = format!("{area} begins at {base:#x}, and {what} is at {end:#x}");
            Some(Room { bytes, why })
        }
        None => most_placed(board, area, pool, step),
    }
}

/// The same of an area that the kernel places.
fn most_placed(board: &Board, area: &str, pool: Option<&Pool>, step: u64) -> Option<Room> {
    let is_new = pool.is_none() && area != "reserved";
    let wanted = Wanted { name: area.to_string(), is_new, ..Wanted::default() };
    let before = unplaced(board);
    let mut world = World::of(board, &Change { areas: vec![wanted], cap: None })?;
    let at = world.asks.iter().position(|ask| ask.name == area)?;
    let mut fits = |steps: u64| {
        world.asks[at].bytes = steps * step;
        world
            .placed(None)
            .1
            .iter()
            .all(|name| *name != area && before.iter().any(|own| own == name))
    };
    let longest = board.rooms_but(None)?.iter().map(|(start, end)| end - start).max()?;
    let (mut most, mut not) = (0, longest / step + 1);
    while not - most > 1 {
        let middle = most + (not - most) / 2;
        *(if fits(middle) { &mut most } else { &mut not }) = middle;
    }
    let why = match &world.asks[at].allowed {
        Some(ranges) => format!("it may be in {}, beside the other areas there", shown(ranges)),
        None => "that is the longest piece of the memory that no other area takes, and the kernel \
                 itself takes some of it"
            .to_string(),
    };
    Some(Room { bytes: most * step, why })
}

pub(super) fn shown(pieces: &[Piece]) -> String {
    said(
        &pieces.iter().map(|(start, end)| (*start, end.saturating_sub(*start))).collect::<Vec<_>>(),
    )
}

/// The end of the room of a pool at a fixed place, and what is there.
pub(super) fn after(board: &Board, pool: &Pool, base: u64) -> Option<(u64, &'static str)> {
    let end = match board.rooms_but(Some(pool.id)) {
        Some(rooms) => rooms.into_iter().find(|(start, end)| (*start..*end).contains(&base))?.1,
        // What the tree does not state ends at the latest where another node has a place of its own.
        None => board.next_fixed(pool.id, base)?,
    };
    let is_last = board.memory.iter().flatten().any(|(_, last)| *last == end);
    let what = if is_last { "the end of the memory" } else { "another node of /reserved-memory" };
    let border = board.borders().into_iter().find(|border| base < *border && *border < end);
    Some(border.map_or((end, what), |border| (border, "the end of a zone")))
}

/// Where a pool that is not there yet may be: where the default one may; else in memory that 32 bits
/// reach, where there is more.
pub(super) fn ranges_of_new(board: &Board) -> Option<Vec<Piece>> {
    let default = board.pools.iter().find(|pool| pool.is_area() && pool.default);
    if let Some(ranges) = default.and_then(Pool::allowed).filter(|ranges| !ranges.is_empty()) {
        return Some(ranges);
    }
    let memory = board.memory.as_ref()?;
    let low = memory.iter().map(|(start, end)| (*start, (*end).min(LOW)));
    let low: Vec<_> = low.filter(|(start, end)| start < end).collect();
    let has_high = memory.iter().any(|(_, end)| *end > LOW);
    (has_high && !low.is_empty()).then_some(low)
}

/// What is free, and what is to be placed in it, in the order of the kernel.
pub(super) struct World {
    pub(super) free: Vec<Piece>,
    pub(super) asks: Vec<Ask>,
}

impl World {
    /// After a change; none where the memory is not known.
    pub(super) fn of(board: &Board, change: &Change) -> Option<Self> {
        let mut world = Self { free: board.rooms_but(None)?, asks: Vec::new() };
        let step = step(board).unwrap_or(1);
        let areas = lint(board).areas;
        let wanted =
            |name: &str| change.areas.iter().find(|area| !area.is_new && area.name == name);
        let bypassed = areas.iter().filter(|area| area.is_bypassed());
        let (kept, dropped): (Vec<_>, Vec<_>) =
            bypassed.map(|area| &*area.name).partition(|name| wanted(name).is_some());
        for pool in pools(board, change) {
            if !pool.is_area() || dropped.contains(&&*pool.name) {
                continue;
            }
            let bytes = wanted(&pool.name).map(|area| area.bytes).or_else(|| pool.bytes());
            world.pool(&pool, bytes.unwrap_or(0), step);
        }
        let new = change.areas.iter().filter(|area| area.is_new);
        let new = new.map(|area| (area, ranges_of_new(board)));
        world.asks.extend(new.map(|(area, allowed)| Ask {
            name: area.name.clone(),
            bytes: area.bytes,
            align: step,
            allowed,
        }));
        // `cma=` goes where its node is to count.
        let by_kernel = |area: &&Area| matches!(area.asker, Asker::Command | Asker::Config);
        for area in areas.iter().filter(by_kernel).filter(|_| kept.is_empty()) {
            let bytes = wanted(&area.name).map(|area| area.bytes);
            let own = area.bytes.filter(|_| area.has_memory());
            world.default(board, area, bytes.or(own).unwrap_or(0));
        }
        Some(world)
    }

    fn pool(&mut self, pool: &Pool, bytes: u64, step: u64) {
        let align = pool.alignment.and_then(Result::ok).unwrap_or(0).max(step);
        let allowed = pool.allowed().filter(|ranges| !ranges.is_empty());
        match pool.fixed() {
            Some((base, _)) => {
                let free = std::mem::take(&mut self.free);
                self.free = without(free, (base, base.saturating_add(bytes)));
            }
            None => self.asks.push(Ask { name: pool.name.clone(), bytes, align, allowed }),
        }
    }

    /// The default area that no node asks for: below 4 GiB, or where the parameter puts it.
    fn default(&mut self, board: &Board, area: &Area, bytes: u64) {
        let size = board.command.as_ref().and_then(|(_, command)| command.cma);
        let limit = size.and_then(|size| size.limit).filter(|limit| *limit > 0);
        let allowed = match size.and_then(|size| size.base) {
            Some(base) => (base, limit.unwrap_or(base.saturating_add(bytes))),
            None => (0, LOW),
        };
        let align = step(board).unwrap_or(1);
        let allowed = Some(vec![allowed]);
        self.asks.push(Ask { name: area.name.clone(), bytes, align, allowed });
    }

    /// What is free after all others but one are placed, each at the highest place that is free, as
    /// the kernel does; and those that have none.
    pub(super) fn placed(&self, but: Option<usize>) -> (Vec<Piece>, Vec<&str>) {
        let (mut free, mut failed) = (self.free.clone(), Vec::new());
        let asks = self.asks.iter().enumerate().filter(|(at, _)| Some(*at) != but);
        for (_, ask) in asks.filter(|(_, ask)| ask.bytes > 0) {
            match ask.highest(&free) {
                Some(base) => free = without(free, (base, base + ask.bytes)),
                None => failed.push(&*ask.name),
            }
        }
        // The kernel itself is somewhere in the memory.
        if let Some(last) = self.asks.last().filter(|_| free.is_empty() && failed.is_empty()) {
            failed.push(&last.name);
        }
        (free, failed)
    }
}

/// The areas that have no place as the board is.
pub(super) fn unplaced(board: &Board) -> Vec<String> {
    let world = World::of(board, &Change::default());
    let failed = world.as_ref().map(|world| world.placed(None).1).unwrap_or_default();
    failed.into_iter().map(str::to_string).collect()
}

/// The pools of a board, and those that a change switches on.
fn pools(board: &Board, change: &Change) -> Vec<Pool> {
    let mut pools = board.pools.clone();
    let known =
        board.tree.as_ref().zip(board.tree.as_ref().and_then(|tree| tree.find("/reserved-memory")));
    let Some((tree, reserved)) = known else { return pools };
    let named = change.areas.iter().filter(|area| !area.is_new);
    let named = named.filter_map(|area| Pool::of(tree, tree.child(reserved, &area.name)?));
    let off: Vec<_> = named.filter(|pool| !tree.node(pool.id).is_available()).collect();
    pools.extend(off);
    pools
}

impl Ask {
    /// The highest place in the first range that has any.
    pub(super) fn highest(&self, free: &[Piece]) -> Option<u64> {
        let all = vec![(0, u64::MAX)];
        let ranges = self.allowed.as_ref().unwrap_or(&all);
        ranges.iter().find_map(|(first, last)| {
            let pieces = free.iter().map(|(start, end)| (*start.max(first), *end.min(last)));
            pieces.filter_map(|piece| self.in_piece(piece)).max()
        })
    }

    /// The highest place in a piece.
    pub(super) fn in_piece(&self, (start, end): Piece) -> Option<u64> {
        let base = end.checked_sub(self.bytes)? / self.align * self.align;
        (base >= start).then_some(base)
    }
}

/// Pieces without another one.
pub(super) fn without(pieces: Vec<Piece>, (start, end): Piece) -> Vec<Piece> {
    let parts = |(first, last): Piece| [(first, last.min(start)), (first.max(end), last)];
    pieces.into_iter().flat_map(parts).filter(|(first, last)| first < last).collect()
}

/// What is in the way of an area, in words.
pub(super) fn reason(board: &Board, name: &str, is_new: bool) -> String {
    let name = if is_new { "" } else { name };
    most_bytes(board, name).map_or_else(
        || "the memory is not known".to_string(),
        |room| format!("at most {} fit; {}", size(room.bytes), room.why),
    )
}

#[cfg(test)]
mod tests;
