//! A record of a case: one act.
//!
//! Bytes: kind; three of a number; then, for an alloc, align, script, linger with client, and the
//! scale of the count; for the others a second number of three bytes and one spare, which for a
//! part says whether it is one by pages. A fill says how often where an alloc says its script.

use cma_policies::Request;

/// Bytes of a record.
pub(super) const BYTES: usize = 8;

/// How the claims of one request end.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Script {
    /// So many of its claims are busy first.
    pub busy: u8,
    /// What becomes of the claims after those.
    pub ending: Ending,
}

/// What becomes of a claim that no script and no pin makes busy.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Ending {
    /// It succeeds.
    #[default]
    Granted,
    /// There is no memory to migrate to.
    NoMemory,
    /// A fatal signal.
    Interrupted,
    /// Busy, for ever.
    Busy,
}

const ENDINGS: [Ending; 8] = {
    use Ending::{Busy, Granted, Interrupted, NoMemory};
    [Granted, Granted, Granted, Granted, NoMemory, Interrupted, Busy, Busy]
};

/// Below this a script byte means that every claim succeeds.
const QUIET: u8 = 128;

/// A free of what was not granted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BadFree {
    /// A page before the area.
    Before,
    /// A page past the area.
    After,
    /// Across the end of a range.
    AcrossEnd,
    /// A page that is free.
    Free,
    /// What was given back last, again.
    Again,
    /// A buffer from its second page on.
    Middle,
    /// A buffer and pages past it.
    TooLong,
    /// Nothing at all, at the start of a buffer.
    Empty,
}

const BAD_FREES: [BadFree; 8] = {
    use BadFree::{AcrossEnd, After, Again, Before, Empty, Free, Middle, TooLong};
    [Before, After, AcrossEnd, Free, Again, Middle, TooLong, Empty]
};

/// Something that happens in a case. Buffers and pins are named by their number modulo how many
/// there are, ranges and pages likewise, so that every number names something.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Act {
    /// A buffer is asked for.
    Alloc {
        /// What is asked for.
        request: Request,
        /// How its claims end.
        script: Script,
        /// Where several requests are under way at once: acts between two steps of this one.
        linger: u8,
    },
    /// The same is asked for again and again: how an area comes to be nearly full.
    Fill {
        /// What is asked for.
        request: Request,
        /// How often; no more often than [`Act::times`] says.
        times: u16,
    },
    /// A live buffer is given back.
    Free {
        /// Which.
        victim: u32,
    },
    /// Of the live buffers, in the order of their pages, one in every `stride` is given back: what
    /// leaves a comb of holes.
    FreeEvery {
        /// At least 1, which is all of them.
        stride: u8,
        /// The first that is given back, modulo the stride.
        phase: u8,
        /// Only buffers of up to 2^this pages and above half of that.
        class: Option<u8>,
    },
    /// A part of a live buffer is given back.
    FreePart {
        /// Which.
        victim: u32,
        /// Which part of it, modulo the number of its parts; by pages with
        /// [`BY_PAGE`](super::BY_PAGE).
        part: u32,
    },
    /// Something that was not granted is given back.
    FreeBadly {
        /// What is wrong with it.
        how: BadFree,
        /// Which buffer, hole or range.
        victim: u32,
        /// By how many pages it is wrong.
        by: u8,
    },
    /// Pages are taken without the bitmap's knowledge.
    Pin {
        /// The first page, from the start of the area.
        at: u32,
        /// How many, less one.
        more: u8,
    },
    /// A pin is let go.
    Unpin {
        /// Which.
        victim: u32,
    },
}

const ALLOC: u8 = 0;
const FILL: u8 = 7;
const FREE: u8 = 8;
const FREE_EVERY: u8 = 11;
const FREE_PART: u8 = 12;
const FREE_BADLY: u8 = 13;
const PIN: u8 = 14;
const UNPIN: u8 = 15;

/// The largest count by the low three bits of its scale, below [`SHAPES`]: most requests are small
/// against the area.
const fn scales(pages: u64) -> [u64; 4] {
    [4, pages / 8 + 1, pages / 2 + 1, pages + 2]
}

/// Scales from here on say a count by its shape.
const SHAPES: u8 = 4;

/// The counts that matter: powers of two and their neighbours, and all of the area but a little.
fn shaped(number: u64, shape: u8, pages: u64) -> u64 {
    let power = 1_u64 << (number % (u64::from(pages.ilog2()) + 1));
    match shape {
        0 => power,
        1 => power + 1,
        2 => (power - 1).max(1),
        _ => pages.saturating_sub(number % 8).max(1),
    }
}

/// A count for an area of so many pages, at least 1: small against it, as large as it, or of a shape
/// that matters.
pub(crate) fn count(number: u32, scale: u8, pages: u64) -> u64 {
    let number = u64::from(number);
    match scale % 8 {
        scale @ 0..SHAPES => 1 + number % scales(pages)[usize::from(scale)],
        shape => shaped(number, shape - SHAPES, pages),
    }
}

/// A number and a scale that say `count`, or else the nearest that can be said.
fn said(count: u64, pages: u64) -> (u32, u8) {
    let largest = scales(pages);
    let plain = largest.iter().position(|most| count <= *most);
    let plain = plain.filter(|_| count <= 1 << 24).map(|scale| (count as u32 - 1, scale as u8));
    // Three bytes do not hold the counts of areas of enormous granules, but some have a shape.
    let shapes = || (0..4).flat_map(|shape| (0..64).map(move |number| (number, shape)));
    let mut shaped =
        shapes().filter(|(number, shape)| shaped(u64::from(*number), *shape, pages) == count);
    let found = plain.or_else(|| shaped.next().map(|(number, shape)| (number, shape + SHAPES)));
    found.unwrap_or(((largest[3].min(1 << 24) - 1) as u32, 3))
}

/// How often by its byte.
pub(super) const TIMES: [u16; 8] = [2, 3, 4, 8, 16, 64, 256, u16::MAX];

/// Strides by their byte: mostly every second one.
pub(super) const STRIDES: [u8; 8] = [2, 2, 2, 3, 4, 5, 8, 1];

/// Orders up to 13 by 240 bytes, 14 to 28 by one each, and the largest there is.
const fn align_of(byte: u8) -> u32 {
    match byte {
        0..240 => byte as u32 % 14,
        240..255 => byte as u32 - 240 + 14,
        255 => 63,
    }
}

/// Byte of `order`, or of the nearest that can be said.
const fn align_byte(order: u32) -> u8 {
    match order {
        0..14 => order as u8,
        14..29 => 240 + (order - 14) as u8,
        _ => 255,
    }
}

fn request(number: u32, align: u8, who: u8, scale: u8, pages: u64) -> Request {
    let request = Request::new(count(number, scale, pages), align_of(align));
    request.expect("count >= 1, order < 64").with_client(u16::from(who / 8 % 4))
}

const fn number(low: u8, mid: u8, high: u8) -> u32 {
    u32::from_le_bytes([low, mid, high, 0])
}

impl Act {
    /// How often a fill asks for `request` in an area of so many pages: once more than there is
    /// room for is often enough.
    pub const fn times(request: Request, times: u16, pages: u64) -> u64 {
        let room = pages / request.count() + 1;
        if (times as u64) < room { times as u64 } else { room }
    }

    /// What `raw` means on an area of so many pages.
    pub(super) fn decode(raw: [u8; BYTES], pages: u64) -> Self {
        let [kind, a, b, c, d, e, f, g] = raw;
        let victim = number(a, b, c);
        match kind % 16 {
            FILL => {
                let request = request(victim, d, f, g, pages);
                Self::Fill { request, times: TIMES[usize::from(e % 8)] }
            }
            FREE..FREE_EVERY => Self::Free { victim },
            FREE_EVERY => Self::FreeEvery {
                stride: STRIDES[usize::from(a % 8)],
                phase: b,
                class: c.checked_sub(1),
            },
            FREE_PART => Self::FreePart { victim, part: u32::from_le_bytes([d, e, f, g]) },
            FREE_BADLY => Self::FreeBadly { how: BAD_FREES[usize::from(d % 8)], victim, by: e },
            PIN => Self::Pin { at: victim, more: d % 4 },
            UNPIN => Self::Unpin { victim },
            _ => {
                let request = request(victim, d, f, g, pages);
                let script = match e.checked_sub(QUIET) {
                    None => Script::default(),
                    Some(noise) => {
                        Script { busy: noise % 16, ending: ENDINGS[usize::from(noise / 16)] }
                    }
                };
                Self::Alloc { request, script, linger: (f % 8).saturating_sub(4) }
            }
        }
    }

    /// A record of this act.
    pub(super) fn encode(&self, pages: u64) -> [u8; BYTES] {
        let record = |kind: u8, first: u32, second: [u8; 4]| {
            let [a, b, c, _] = first.to_le_bytes();
            let [d, e, f, g] = second;
            [kind, a, b, c, d, e, f, g]
        };
        match *self {
            Self::Alloc { request, script, linger } => {
                let (first, scale) = said(request.count(), pages);
                let ending = ENDINGS.iter().position(|ending| *ending == script.ending);
                let noise = script.busy.min(15) + 16 * ending.unwrap_or(0) as u8;
                let script = if noise == 0 { 0 } else { QUIET + noise };
                let linger = if linger == 0 { 0 } else { 4 + linger.min(3) };
                let who = (request.client().min(3) as u8) * 8 + linger;
                record(ALLOC, first, [align_byte(request.align()), script, who, scale])
            }
            Self::Fill { request, times } => {
                let (first, scale) = said(request.count(), pages);
                let often = TIMES.iter().position(|most| times <= *most).unwrap_or(7);
                let who = (request.client().min(3) as u8) * 8;
                record(FILL, first, [align_byte(request.align()), often as u8, who, scale])
            }
            Self::FreeEvery { stride, phase, class } => {
                let stride = STRIDES.iter().position(|other| *other == stride).unwrap_or(0);
                let class = class.map_or(0, |class| class.min(254) + 1);
                record(FREE_EVERY, u32::from_le_bytes([stride as u8, phase, class, 0]), [0; 4])
            }
            Self::Free { victim } => record(FREE, victim, [0; 4]),
            Self::FreePart { victim, part } => record(FREE_PART, victim, part.to_le_bytes()),
            Self::FreeBadly { how, victim, by } => {
                let how = BAD_FREES.iter().position(|bad| *bad == how).unwrap_or(0) as u8;
                record(FREE_BADLY, victim, [how, by, 0, 0])
            }
            Self::Pin { at, more } => record(PIN, at, [more, 0, 0, 0]),
            Self::Unpin { victim } => record(UNPIN, victim, [0; 4]),
        }
    }
}
