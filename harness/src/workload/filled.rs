//! An area that is full of buffers of one size, and a request that finds no place in it.

use super::Workload;
use super::session::ask;
use crate::op::{Op, Timed};

/// Buffers that stay, one after the other, and then a request again and again, which goes back each
/// time that it was granted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Filled {
    /// Pages of each buffer that stays.
    pub resident: u64,
    /// Pages of the request.
    pub frame: u64,
}

/// A resident every second, then a frame every 40 ms.
const RESIDENT_US: u64 = 1_000_000;
const FRAME_US: u64 = 40_000;

/// Who asks.
const CLIENTS: [&str; 2] = ["resident", "frame"];

impl Filled {
    /// The stream of so many ops whose buffers that stay have at most so many pages.
    pub fn open(self, load_pages: u64, ops: u64) -> Workload {
        let residents = load_pages / self.resident.max(1);
        let ops = (0..ops).map(move |index| {
            let Some(frame) = index.checked_sub(residents) else {
                return Timed { at_us: index * RESIDENT_US, op: ask(index, self.resident, 1) };
            };
            let at_us = residents * RESIDENT_US + frame * FRAME_US;
            let id = residents + frame / 2;
            let is_asked = frame % 2 == 0;
            let op = if is_asked { ask(id, self.frame, 2) } else { Op::Free { id, part: None } };
            Timed { at_us, op }
        });
        Workload::new(CLIENTS.map(String::from).to_vec(), ops)
    }
}
