//! A record of a case: one act.
//!
//! Bytes: kind; three of a number; then, for an alloc, align, script, linger with client, and the
//! scale of the count; for the others a second number of three bytes and one spare.

use cma_policies::Request;

/// Bytes of a record.
pub(super) const BYTES: usize = 8;

/// How the claims of one request end.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Script {
    /// So many of its claims are busy first.
    pub busy: u8,
    /// What becomes of the claims behind those.
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

const ENDINGS: [Ending; 8] = [
    Ending::Granted,
    Ending::Granted,
    Ending::Granted,
    Ending::Granted,
    Ending::NoMemory,
    Ending::Interrupted,
    Ending::Busy,
    Ending::Busy,
];

/// Below this a script byte means that every claim succeeds.
const QUIET: u8 = 128;

/// A free of what was not granted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BadFree {
    /// A page in front of the area.
    Before,
    /// A page behind the area.
    Behind,
    /// Across the end of a range.
    AcrossEnd,
    /// A page that is free.
    Free,
    /// What was given back last, again.
    Again,
    /// A buffer from its second page on.
    Middle,
    /// A buffer and pages behind it.
    TooLong,
    /// Nothing at all, at the start of a buffer.
    Empty,
}

const BAD_FREES: [BadFree; 8] = [
    BadFree::Before,
    BadFree::Behind,
    BadFree::AcrossEnd,
    BadFree::Free,
    BadFree::Again,
    BadFree::Middle,
    BadFree::TooLong,
    BadFree::Empty,
];

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
    /// A live buffer is given back.
    Free {
        /// Which.
        victim: u32,
    },
    /// A part of a live buffer is given back.
    FreePart {
        /// Which.
        victim: u32,
        /// Which part of it, modulo the number of its parts.
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
    /// Pages are taken behind the bitmap's back.
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
const FREE: u8 = 8;
const FREE_PART: u8 = 12;
const FREE_BADLY: u8 = 13;
const PIN: u8 = 14;
const UNPIN: u8 = 15;

/// The largest count by the low two bits of its scale: most requests are small against the area.
const fn scales(pages: u64) -> [u64; 4] {
    [4, pages / 8 + 1, pages / 2 + 1, pages + 2]
}

/// Orders up to 13 by 240 bytes, 14 to 28 by one each, and the largest there is.
const fn align_of(byte: u8) -> u32 {
    match byte {
        0..240 => byte as u32 % 14,
        240..255 => byte as u32 - 240 + 14,
        255 => 63,
    }
}

const fn number(low: u8, mid: u8, high: u8) -> u32 {
    u32::from_le_bytes([low, mid, high, 0])
}

impl Act {
    /// What `raw` means on an area of so many pages.
    pub(super) fn decode(raw: [u8; BYTES], pages: u64) -> Self {
        let [kind, a, b, c, d, e, f, g] = raw;
        let victim = number(a, b, c);
        let other = number(d, e, f);
        match kind % 16 {
            FREE..FREE_PART => Self::Free { victim },
            FREE_PART => Self::FreePart { victim, part: other },
            FREE_BADLY => Self::FreeBadly { how: BAD_FREES[usize::from(d % 8)], victim, by: e },
            PIN => Self::Pin { at: victim, more: d % 4 },
            UNPIN => Self::Unpin { victim },
            _ => {
                let count = 1 + u64::from(victim) % scales(pages)[usize::from(g % 4)];
                let request = Request::new(count, align_of(d)).expect("count >= 1, order < 64");
                let script = match e.checked_sub(QUIET) {
                    None => Script::default(),
                    Some(noise) => {
                        Script { busy: noise % 16, ending: ENDINGS[usize::from(noise / 16)] }
                    }
                };
                let client = u16::from(f / 8 % 4);
                let linger = (f % 8).saturating_sub(4);
                Self::Alloc { request: request.with_client(client), script, linger }
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
                let largest = scales(pages);
                let scale = largest.iter().position(|most| request.count() <= *most).unwrap_or(3);
                let first = request.count().min(largest[scale]) - 1;
                let align = match request.align() {
                    order @ 0..14 => order as u8,
                    order @ 14..29 => 240 + (order - 14) as u8,
                    _ => 255,
                };
                let ending = ENDINGS.iter().position(|ending| *ending == script.ending);
                let noise = script.busy.min(15) + 16 * ending.unwrap_or(0) as u8;
                let script = if noise == 0 { 0 } else { QUIET + noise };
                let linger = if linger == 0 { 0 } else { 4 + linger.min(3) };
                let who = (request.client().min(3) as u8) * 8 + linger;
                record(ALLOC, first as u32, [align, script, who, scale as u8])
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
