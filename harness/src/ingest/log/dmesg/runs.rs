//! Free runs without a head: quoted in a sentence, or the rest of a list whose head is not there.

use super::list::{Fed, List};
use super::open::Open;
use super::{Dmesg, NEAR};
use crate::ingest::log::{Sink, prefix};

/// How far in front of a list a backtick may stand that quotes it.
const SENTENCE: usize = 80;

impl Dmesg {
    /// Reads runs around `hit`, the last digit in front of an `@`: where they end.
    pub(super) fn loose_list(
        &mut self,
        line: &[u8],
        done: usize,
        hit: usize,
        number: u64,
        sink: &mut Sink<'_>,
    ) -> Option<usize> {
        let start = start(line, done, hit)?;
        let ranged = line[start..].starts_with(b"range");
        let body = prefix::body(line);
        let ticked = line[start.saturating_sub(SENTENCE)..start].contains(&b'`');
        let prose = ticked || start > body;
        let near = self.near.is_some_and(|near| number.saturating_sub(near) <= NEAR);
        if prose && !ranged && !near {
            return None;
        }
        let mut list = List::new(false, prose);
        let fed = list.feed(&line[start..]);
        let runs = list.added() + usize::from(list.is_open());
        let plus = line[start] == b'+';
        let end = match fed {
            Fed::Done(used) => start + used,
            Fed::End => line.len(),
            Fed::Odd(used) => {
                let (before, odd) = (line[start + used - 1], line[start + used]);
                // `30@60Hz`, `12@34.com`.
                let attached = before.is_ascii_digit() && odd.is_ascii_alphanumeric()
                    || odd == b'.' && line.get(start + used + 1).is_some_and(u8::is_ascii_graphic);
                if attached {
                    // Nothing, and nothing in it is looked at again.
                    return Some(start + used);
                }
                start + used
            }
        };
        let enough = match (ranged, prose) {
            (true, _) => true,
            (false, true) => ticked || runs > 1,
            (false, false) => plus || runs > 1 || matches!(fed, Fed::Done(_)),
        };
        if !enough {
            return None;
        }
        let origin = self.origin(&line[..start], number);
        match fed {
            Fed::End => self.keep(Open::list(origin, &line[..start], list), sink),
            Fed::Done(_) => self.list(list, &origin, sink),
            Fed::Odd(_) => {
                list.forget_number();
                self.list(list, &origin, sink);
            }
        }
        Some(end)
    }
}

/// Where the runs begin whose first `@` stands behind `hit`: at a number that stands alone.
fn start(line: &[u8], done: usize, hit: usize) -> Option<usize> {
    const FAR: usize = 24;
    let digits = line[done..hit].iter().rev().take(FAR);
    let mut start = hit - digits.take_while(|byte| byte.is_ascii_digit()).count();
    let before = |at: usize| at.checked_sub(1).filter(|at| *at >= done).map(|at| line[at]);
    if before(start) == Some(b'+') {
        start -= 1;
    }
    if !before(start).is_none_or(|byte| b" \t`:(\"|,".contains(&byte)) {
        return None;
    }
    let front = &line[done.max(start.saturating_sub(FAR))..start];
    let range = memchr::memmem::rfind(front, b"range ");
    let all_of_it = |at: &usize| {
        front[at + 6..].iter().all(|byte| byte.is_ascii_digit() || b": ".contains(byte))
    };
    Some(range.filter(all_of_it).map_or(start, |at| start - front.len() + at))
}
