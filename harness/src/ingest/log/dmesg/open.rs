//! Messages that go on with a later line, and lists quoted without a head.

use super::cursor::{Cursor, JOIN, Stop};
use super::grammar;
use super::list::{Fed, List, State};
use super::message::{Message, Parsed};
use super::{Dmesg, Origin, emit};
use crate::ingest::log::{FreeRuns, Record, Sink, Task, prefix, scan};

/// The most bytes of a message that is broken, lists apart.
pub(super) const LONGEST_TEXT: usize = 400;

/// How many messages may be open: more are closed, the oldest first.
const MOST_OPEN: usize = 8;

/// Lines that may come between two pieces of a message.
const REACH: u64 = 24;

/// Lines that may come between two pieces of a list: each CPU may print one at the same time.
const REACH_OF_LIST: u64 = 200;

/// A message that may go on.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) origin: Origin,
    /// The line that it was last read from.
    last: u64,
    /// What precedes it on its line: what goes on with it may have the like.
    before: Vec<u8>,
    kind: Kind,
    /// It is whole unless the next line goes on with it.
    soft: bool,
}

#[derive(Clone, Debug)]
enum Kind {
    Text(Vec<u8>),
    List(Box<List>),
}

impl Open {
    pub(super) fn text(origin: Origin, before: &[u8], text: &[u8], soft: bool) -> Self {
        Self::new(origin, before, Kind::Text(text.to_vec()), soft)
    }

    pub(super) fn list(origin: Origin, before: &[u8], list: List) -> Self {
        let soft = list.is_soft();
        Self::new(origin, before, Kind::List(Box::new(list)), soft)
    }

    fn new(origin: Origin, before: &[u8], kind: Kind, soft: bool) -> Self {
        let before = before[..before.len().min(prefix::LONGEST)].to_vec();
        Self { last: origin.line, origin, before, kind, soft }
    }

    /// Where what may go on with this begins in `line`, at `body` or past it.
    pub(super) fn piece(&self, line: &[u8], body: usize) -> usize {
        prefix::like(&self.before, line).map_or(body, |at| at.max(body))
    }

    fn reach(&self) -> u64 {
        match &self.kind {
            Kind::Text(_) => REACH,
            Kind::List(list) if list.prose => 1,
            Kind::List(_) => REACH_OF_LIST,
        }
    }
}

/// Whether the same task may have printed both: a task that is not known may be any.
fn same(one: Option<&Task>, pid: Option<u32>, cpu: Option<u32>) -> bool {
    let Some(one) = one else { return true };
    match (one.pid, pid, one.cpu, cpu) {
        (Some(one), Some(other), ..) | (_, _, Some(one), Some(other)) => one == other,
        _ => true,
    }
}

impl Dmesg {
    pub(super) fn keep(&mut self, open: Open, sink: &mut Sink<'_>) {
        if self.open.len() == MOST_OPEN {
            self.close(0, sink);
        }
        self.open.push(open);
    }

    /// Nothing goes on with message `index`.
    pub(super) fn close(&mut self, index: usize, sink: &mut Sink<'_>) {
        let Open { origin, before, kind, .. } = self.open.remove(index);
        match kind {
            Kind::List(list) => self.list(*list, &origin, sink),
            Kind::Text(text) => {
                let mut c = Cursor::new(&text, 0, true);
                let message = grammar::message(&mut c, &mut self.tools);
                let parsed = message.map(|message| message.parsed.of(&before));
                if let Ok(Parsed::Records(records)) = parsed {
                    records.into_iter().for_each(|record| emit(&origin, record, sink));
                }
            }
        }
    }

    /// Closes the lists that a new one of `origin` shows to be at their end: those of the same
    /// task, and, where no task is known, those of ranges, which are printed in many short records,
    /// and those of which there is nothing.
    pub(super) fn close_overtaken(&mut self, origin: &Origin, sink: &mut Sink<'_>) {
        let overtaken = |open: &Open| {
            let Kind::List(list) = &open.kind else { return false };
            let begun = list.place.ranged || list.runs.ranges.is_empty();
            match (&open.origin.task, &origin.task) {
                (Some(one), Some(other)) if one.pid.is_some() || other.pid.is_some() => {
                    one.pid == other.pid
                }
                (Some(one), Some(other)) => one.cpu == other.cpu,
                (None, None) => begun && list.runs.head,
                _ => false,
            }
        };
        while let Some(index) = self.open.iter().position(overtaken) {
            let open = &self.open[index];
            if matches!(&open.kind, Kind::List(list) if list.is_nothing()) {
                // A head alone says that a failure has lost its list.
                let Open { origin, .. } = self.open.remove(index);
                let lost = FreeRuns { head: true, cut: true, ..FreeRuns::default() };
                emit(&origin, Record::FreeRuns(lost), sink);
            } else {
                self.close(index, sink);
            }
        }
    }

    /// Closes what this line is too far from.
    pub(super) fn expire(&mut self, sink: &mut Sink<'_>) {
        let line = sink.line;
        let far = |open: &Open| line.saturating_sub(open.last) > open.reach();
        while let Some(index) = self.open.iter().position(far) {
            self.close(index, sink);
        }
    }

    /// Goes on with a message that is open, where `line` does: where its piece ends, else 0.
    pub(super) fn go_on(&mut self, line: &[u8], sink: &mut Sink<'_>) -> usize {
        let body = prefix::body(line);
        let piece = line[body..].trim_ascii_end();
        if piece.is_empty() {
            return 0;
        }
        for index in (0..self.open.len()).rev() {
            let open = &self.open[index];
            let at = open.piece(line, body);
            let who = prefix::read(&line[..at]);
            if same(open.origin.task.as_ref(), who.pid, who.cpu)
                && let Some(used) = self.go_on_text(index, line, at, sink)
            {
                return used;
            }
        }
        if let Some(used) = self.go_on_list(line, body, sink) {
            return body + used;
        }
        while let Some(index) = self.open.iter().position(|open| open.soft) {
            self.close(index, sink);
        }
        0
    }

    fn go_on_text(
        &mut self,
        index: usize,
        line: &[u8],
        body: usize,
        sink: &mut Sink<'_>,
    ) -> Option<usize> {
        let Self { open, tools, .. } = self;
        let soft = open[index].soft;
        let Kind::Text(text) = &mut open[index].kind else { return None };
        let piece = line[body..].trim_ascii_end();
        let before = text.len();
        let room = (2 * LONGEST_TEXT).saturating_sub(before);
        text.push(JOIN);
        text.extend_from_slice(&piece[..piece.len().min(room)]);
        let mut c = Cursor::new(text, 0, false);
        let read = grammar::message(&mut c, tools);
        let used = c.at.saturating_sub(before + 1);
        match read {
            // Only a line that is nothing but the rest of the number goes on with it.
            Ok(_) if soft && (piece.len() > 2 || used != piece.len()) => {}
            Ok(Message { soft: true, .. }) if used > 0 => {
                open[index].soft = true;
                open[index].last = sink.line;
                return Some(line.len());
            }
            Ok(Message { parsed, .. }) if used > 0 || matches!(parsed, Parsed::List { .. }) => {
                let Open { origin, before, .. } = self.open.remove(index);
                self.near = Some(sink.line);
                let (parsed, at) = (parsed.of(&before), body + used);
                return Some(
                    self.say(parsed, &origin, line, (body, at), sink).unwrap_or(at).max(1),
                );
            }
            Err(Stop::More) if text.len() <= LONGEST_TEXT => {
                open[index].last = sink.line;
                return Some(line.len());
            }
            Ok(_) | Err(_) => {}
        }
        if let Kind::Text(text) = &mut open[index].kind {
            text.truncate(before);
        }
        None
    }

    /// Goes on with the list that the text of `line` from `body` on fits best: the one whose
    /// pages it makes add up, else the one that it follows most closely. How many bytes are of it.
    pub(super) fn go_on_list(
        &mut self,
        line: &[u8],
        body: usize,
        sink: &mut Sink<'_>,
    ) -> Option<usize> {
        let mut best: Option<(bool, u64, usize, usize)> = None;
        for index in 0..self.open.len() {
            let open = &mut self.open[index];
            let at = open.piece(line, body);
            let who = prefix::read(&line[..at]);
            let Kind::List(list) = &mut open.kind else { continue };
            let piece = line[at..].trim_ascii_end();
            if piece.is_empty() || !same(open.origin.task.as_ref(), who.pid, who.cpu) {
                continue;
            }
            let head = strip_head(piece);
            let text = &piece[head..];
            let mark = list.mark();
            let empty = list.is_empty();
            let fed = list.feed(text);
            let fits = fits(list, fed, text, head > 0) && !(empty && list.is_loose(text));
            let adds_up = list.place.state == State::Tail && list.adds_up();
            let gap = list.place.gap.unwrap_or(0);
            list.undo(mark);
            if fits && best.is_none_or(|(sum, near, ..)| (adds_up, near) > (sum, gap)) {
                best = Some((adds_up, gap, index, at + head));
            }
        }
        let (.., index, start) = best?;
        let text = line[start..].trim_ascii_end();
        let open = &mut self.open[index];
        open.last = sink.line;
        let Kind::List(list) = &mut open.kind else { return None };
        let used = match list.feed(text) {
            Fed::Done(used) => {
                self.close(index, sink);
                used
            }
            Fed::End => {
                if text.is_empty() {
                    list.blank();
                }
                open.soft = list.is_soft();
                text.len()
            }
            Fed::Odd(used) => {
                list.something_is_odd();
                used
            }
        };
        Some(start - body + used)
    }
}

/// Whether a line that was fed to a list is a piece of one.
fn fits(list: &List, fed: Fed, text: &[u8], headed: bool) -> bool {
    match fed {
        Fed::Done(_) => true,
        Fed::End => !text.is_empty() || headed,
        // The head is that of another message.
        Fed::Odd(0) if scan::wanted(text).is_some() => false,
        // Something follows the runs: a remark.
        Fed::Odd(_) => {
            list.place.added + usize::from(headed && list.is_open()) > usize::from(!headed)
        }
    }
}

/// The bytes of `cma:` or `cma_alloc:` before a piece of a list.
fn strip_head(piece: &[u8]) -> usize {
    let word = piece.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_');
    let word = word.count();
    if memchr::memmem::find(&piece[..word], b"cma").is_none() {
        return 0;
    }
    let blanks = piece[word..].iter().take_while(|byte| **byte == b' ').count();
    if piece.get(word + blanks) != Some(&b':') {
        return 0;
    }
    let used = word + blanks + 1;
    used + piece[used..].iter().take_while(|byte| **byte == b' ').count()
}
