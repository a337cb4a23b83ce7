//! What a list of free runs begins with, or goes on with; and free runs without a head: quoted in a
//! sentence, or the rest of a list whose head is not there.

use super::cursor::{Cursor, Stop};
use super::list::{Fed, List};
use super::message::{Message, Tools};
use super::open::Open;
use super::{Dmesg, NEAR};
use crate::ingest::log::{Sink, prefix};

/// How far before a list a backtick may be that quotes it.
const SENTENCE: usize = 80;

/// `number of available pages:`, whose first word was read.
pub(crate) fn head(c: &mut Cursor<'_>, _: &mut Tools) -> Result<Message, Stop> {
    c.literal(b"ofavailablepages:")?;
    Ok(Message::list(true))
}

/// The same after a function, where nothing of it was read.
pub(crate) fn head_of_function(c: &mut Cursor<'_>, tools: &mut Tools) -> Result<Message, Stop> {
    c.literal(b"number")?;
    head(c, tools)
}

/// `range 1: …`, `+4@572…` or `=> 357 free …` after `cma:`.
pub(crate) fn piece(c: &mut Cursor<'_>, tools: &mut Tools) -> Result<Message, Stop> {
    let run = matches!(c.peek()?, b'+' | b'=' | b'0'..=b'9');
    let start = c.at;
    let piece = run || c.ident(&mut tools.word).is_ok() && tools.word == b"range";
    goes_on(c, start, piece)
}

/// The same after a function.
pub(crate) fn piece_of_function(c: &mut Cursor<'_>, _: &mut Tools) -> Result<Message, Stop> {
    let start = c.at;
    let run = matches!(c.peek()?, b'+' | b'=');
    let piece = run || c.optional(b"range0:")?;
    goes_on(c, start, piece)
}

fn goes_on(c: &mut Cursor<'_>, start: usize, piece: bool) -> Result<Message, Stop> {
    c.at = start;
    if piece { Ok(Message::list(false)) } else { Err(Stop::No) }
}

impl Dmesg {
    /// Reads runs around `hit`, the last digit before an `@`: where they end.
    pub(super) fn loose_list(
        &mut self,
        line: &[u8],
        done: usize,
        hit: usize,
        sink: &mut Sink<'_>,
    ) -> Option<usize> {
        let start = start(line, done, hit)?;
        let ranged = line[start..].starts_with(b"range");
        let body = prefix::body(line);
        let ticked = line[start.saturating_sub(SENTENCE)..start].contains(&b'`');
        let prose = ticked || start > body;
        let near = self.near.is_some_and(|near| sink.line.saturating_sub(near) <= NEAR);
        if prose && !ranged && !near {
            return None;
        }
        let mut list = List::new(false, prose);
        let fed = list.feed(&line[start..]);
        let runs = list.place.added + usize::from(list.is_open());
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
        let origin = self.origin(&line[..start], sink);
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

/// Where the runs begin whose first `@` follows `hit`: at a number of its own.
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
