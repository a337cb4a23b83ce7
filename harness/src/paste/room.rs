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
/// is, beside all others as they are. None where the memory or the step is not known.
pub fn most_bytes(board: &Board, area: &str) -> Option<Room> {
    let step = step(board)?;
    let pool = board.pools.iter().find(|pool| pool.is_area() && pool.name == area);
    if let Some((pool, (base, _))) = pool.and_then(|pool| Some((pool, pool.fixed()?))) {
        return after(board, pool, base).map(|(end, what)| Room {
            bytes: end.saturating_sub(base) / step * step,
            why: format!("{area} begins at {base:#x}, and {what} is at {end:#x}"),
        });
    }
    let is_new = pool.is_none() && area != "reserved";
    let fits = |steps: u64| {
        let wanted =
            Wanted { name: area.to_string(), bytes: steps * step, is_new, clients: Vec::new() };
        Some(World::of(board, &Change { areas: vec![wanted], cap: None })?.place().is_ok())
    };
    let rooms = board.rooms_but(None)?;
    let (mut most, mut not) = (0, rooms.iter().map(|(start, end)| end - start).max()? / step + 1);
    while not - most > 1 {
        let middle = most + (not - most) / 2;
        *(if fits(middle)? { &mut most } else { &mut not }) = middle;
    }
    let ranges = if is_new { ranges_of_new(board) } else { pool.and_then(Pool::allowed) };
    let why = match ranges.filter(|ranges| !ranges.is_empty()) {
        Some(ranges) => format!("it may be in {}, beside the other areas there", shown(&ranges)),
        None => "it is the longest piece of the memory that no other area takes, and the kernel \
                 itself takes some of it"
            .to_string(),
    };
    Some(Room { bytes: most * step, why })
}

pub(super) fn shown(pieces: &[Piece]) -> String {
    said(&pieces.iter().map(|(start, end)| (*start, end - start)).collect::<Vec<_>>())
}

/// The end of the room of a pool at a fixed place, and what is there.
pub(super) fn after(board: &Board, pool: &Pool, base: u64) -> Option<(u64, &'static str)> {
    let rooms = board.rooms_but(Some(pool.id))?;
    let (_, end) = rooms.into_iter().find(|(start, end)| (*start..*end).contains(&base))?;
    let is_last = board.memory.as_ref()?.iter().any(|(_, last)| *last == end);
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
    let has_high = memory.iter().any(|(_, end)| *end > LOW);
    has_high.then(|| {
        memory
            .iter()
            .filter(|(start, _)| *start < LOW)
            .map(|(start, end)| (*start, (*end).min(LOW)))
            .collect()
    })
}

/// What is free, and what is to be placed in it, in the order of the kernel.
pub(super) struct World {
    pub(super) free: Vec<Piece>,
    pub(super) asks: Vec<Ask>,
}

impl World {
    /// After a change; none where the memory is not known.
    pub(super) fn of(board: &Board, change: &Change) -> Option<Self> {
        let mut free = board.rooms_but(None)?;
        let step = board.steps.most().unwrap_or(1);
        let wanted =
            |name: &str| change.areas.iter().find(|area| !area.is_new && area.name == name);
        let areas = lint(board).areas;
        let is_dropped = |pool: &&Pool| {
            let own = areas.iter().find(|area| area.asker == Asker::Node(pool.id));
            own.is_some_and(Area::is_bypassed) && wanted(&pool.name).is_none()
        };
        let mut asks = Vec::new();
        for pool in board.pools.iter().filter(|pool| pool.is_area() && !is_dropped(pool)) {
            let bytes = wanted(&pool.name).map(|area| area.bytes).or_else(|| pool.bytes());
            let Some(bytes) = bytes.filter(|bytes| *bytes > 0) else { continue };
            match pool.fixed() {
                Some((base, _)) => free = without(free, (base, base.saturating_add(bytes))),
                None => asks.push(Ask {
                    name: pool.name.clone(),
                    bytes,
                    align: pool.alignment.and_then(Result::ok).unwrap_or(0).max(step),
                    allowed: pool.allowed().filter(|ranges| !ranges.is_empty()),
                }),
            }
        }
        let new = change.areas.iter().filter(|area| area.is_new);
        asks.extend(new.map(|area| Ask {
            name: area.name.clone(),
            bytes: area.bytes,
            align: step,
            allowed: ranges_of_new(board),
        }));
        let kernels =
            areas.iter().filter(|area| matches!(area.asker, Asker::Command | Asker::Config));
        for area in kernels.filter(|area| area.has_memory() || wanted(&area.name).is_some()) {
            let bytes = wanted(&area.name).map(|area| area.bytes).or(area.bytes).unwrap_or(0);
            let size = board.command.as_ref().and_then(|(_, command)| command.cma);
            let base = size.and_then(|size| size.base);
            let limit = size.and_then(|size| size.limit).filter(|limit| *limit > 0);
            let allowed = match base {
                Some(base) => (base, limit.unwrap_or(base.saturating_add(bytes))),
                None => (0, LOW),
            };
            asks.push(Ask {
                name: area.name.clone(),
                bytes,
                align: step,
                allowed: Some(vec![allowed]),
            });
        }
        Some(Self { free, asks })
    }

    /// Places all of them, each at the highest place that is free, as the kernel does.
    ///
    /// # Errors
    /// The first one that has no place.
    pub(super) fn place(&self) -> Result<(), usize> {
        let mut free = self.free.clone();
        for (at, ask) in self.asks.iter().enumerate() {
            let base = ask.highest(&free).ok_or(at)?;
            free = without(free, (base, base + ask.bytes));
        }
        // The kernel itself is somewhere in the memory.
        if free.is_empty() && !self.asks.is_empty() { Err(self.asks.len() - 1) } else { Ok(()) }
    }

    /// What is free after all others but one are placed.
    pub(super) fn beside(&self, which: usize) -> Vec<Piece> {
        let mut free = self.free.clone();
        for (_, ask) in self.asks.iter().enumerate().filter(|(at, _)| *at != which) {
            if let Some(base) = ask.highest(&free) {
                free = without(free, (base, base + ask.bytes));
            }
        }
        free
    }
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
