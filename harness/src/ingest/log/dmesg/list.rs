//! The list of free runs, line by line: `cma_debug_show_areas()` of `mm/cma.c` and what hands and
//! mail programs made of it.

#[cfg(test)]
mod tests;

use super::tail::{self, Tail};
use crate::ingest::log::{FreeRuns, RangeRuns};

/// A list that is being read.
#[derive(Clone, Debug, Default)]
pub(super) struct List {
    pub(super) runs: FreeRuns,
    pub(super) place: Place,
    /// The tail so far, without blanks.
    tail: Vec<u8>,
    /// It was begun in the middle of a sentence.
    pub(super) prose: bool,
}

/// Where in an item the reading is.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum State {
    /// Before one.
    #[default]
    Item,
    /// In its pages.
    Pages,
    /// Past its pages and a blank.
    PagesDone,
    /// Past `@`.
    At,
    /// In its bit.
    Bit,
    /// Past its bit and a blank.
    BitDone,
    /// Past `=`.
    Tail,
}

/// What is put back where a line turns out to be something else.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Place {
    pub(super) state: State,
    /// The number that is being read; what is too large stays too large.
    number: u64,
    pages: u64,
    /// The bit of the last run of this range.
    last: Option<u64>,
    /// Runs that this line added.
    pub(super) added: usize,
    /// The distance from the last run to the first of this line, if it has any.
    pub(super) gap: Option<u64>,
    cut: bool,
    /// Something in it is of no list: whether a run is missing, the sum shows.
    odd: bool,
    /// A comma was read: numbers between commas are no runs without positions.
    comma: bool,
    /// It has `range N:` lines.
    pub(super) ranged: bool,
    unplaced: bool,
    /// Empty records: one follows each range.
    blanks: usize,
    /// Letters of `range` at the end of the line read last.
    word: usize,
}

/// All that is needed to undo a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    place: Place,
    ranges: usize,
    runs: usize,
    tail: usize,
}

/// What precedes the number of a range.
const RANGE: &[u8] = b"range";

/// How the reading of a line ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fed {
    /// At its end; the list may go on.
    End,
    /// With the tail; this many bytes are read.
    Done(usize),
    /// At a byte that is of no list; this many bytes are read.
    Odd(usize),
}

impl Place {
    /// A run at `bit` was read.
    fn pass(&mut self, bit: u64) {
        self.gap = self.gap.or(Some(bit - self.last.unwrap_or(0)));
        self.last = Some(bit);
    }
}

impl List {
    /// A list whose head was read, or one that goes on from lines that are not there.
    pub(super) fn new(head: bool, prose: bool) -> Self {
        let runs = FreeRuns { head, ..FreeRuns::default() };
        Self { runs, prose, ..Self::default() }
    }

    pub(super) fn mark(&self) -> Mark {
        let runs = self.runs.ranges.last().map_or(0, |range| range.runs.len());
        Mark { place: self.place, ranges: self.runs.ranges.len(), runs, tail: self.tail.len() }
    }

    pub(super) fn undo(&mut self, mark: Mark) {
        self.place = mark.place;
        self.runs.ranges.truncate(mark.ranges);
        if let Some(range) = self.runs.ranges.last_mut() {
            range.runs.truncate(mark.runs);
        }
        self.tail.truncate(mark.tail);
    }

    /// Whether a run at the end of what was read is not counted yet.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.place.state, State::Bit | State::BitDone)
    }

    /// Whether the tail is whole unless more of it follows on the next line.
    pub(super) fn is_soft(&self) -> bool {
        self.place.state == State::Tail && tail::read(&self.tail).is_some_and(|tail| tail.soft)
    }

    /// A record of it is empty.
    pub(super) fn blank(&mut self) {
        self.place.blanks += 1;
        // That of a range that is not there.
        self.place.odd |= self.place.ranged && self.place.blanks > self.runs.ranges.len();
    }

    /// Something in it is no run.
    pub(super) fn something_is_odd(&mut self) {
        self.forget_number();
        self.place.odd = true;
    }

    /// Whether nothing was read after its head.
    pub(super) fn is_empty(&self) -> bool {
        self.runs.ranges.is_empty() && self.place.state == State::Item
    }

    /// Whether `text`, which it was begun with, is a number that may be anything: sizes without
    /// positions are joined by `+`, or a tail follows them.
    pub(super) fn is_loose(&self, text: &[u8]) -> bool {
        let pages = matches!(self.place.state, State::Pages | State::PagesDone);
        (self.place.unplaced || pages) && !text.iter().any(|byte| b"+=>@".contains(byte))
    }

    /// A number without `@` at the end is of the sentence after the list.
    pub(super) fn forget_number(&mut self) {
        let _ = match self.place.state {
            State::Bit | State::BitDone => self.end_run(),
            _ => None,
        };
        if self.place.state != State::Tail {
            self.place.state = State::Item;
        }
    }

    /// Whether nothing of it was read but its head.
    pub(super) fn is_nothing(&self) -> bool {
        let runs = self.runs.ranges.iter().any(|range| !range.runs.is_empty());
        self.runs.head && !runs && !self.is_open() && self.place.state == State::Item
    }

    /// The pages that its tail states agree with its runs.
    pub(super) fn adds_up(&self) -> bool {
        let tail = tail::read(&self.tail);
        let pending = if self.place.state == State::Bit { self.place.pages } else { 0 };
        tail.and_then(|tail| tail.free) == Some(self.runs.sum().saturating_add(pending))
    }

    /// Reads a line, or the rest of the one that holds the head.
    pub(super) fn feed(&mut self, text: &[u8]) -> Fed {
        self.place.added = 0;
        self.place.gap = None;
        // A number may be broken after a blank: no list has a blank between two digits.
        self.place.state = match self.place.state {
            State::PagesDone => State::Pages,
            State::BitDone => State::Bit,
            state => state,
        };
        let mut at = text.iter().take_while(|byte| b" \t".contains(byte)).count();
        if self.place.state != State::Tail && text.get(at) == Some(&b':') {
            at += 1;
        }
        let word = std::mem::take(&mut self.place.word);
        if word > 0 {
            let next = &text[at..text.len().min(at + 24)];
            let joined = [&RANGE[..word], next].concat();
            match self.range(&joined, 0) {
                Some(used) => at += used - word,
                None => return Fed::Odd(at),
            }
        }
        while at < text.len() {
            if self.place.state == State::Tail {
                return self.feed_tail(text, at);
            }
            if self.place.state == State::Item {
                at += self.plain_runs(&text[at..]);
                if at == text.len() {
                    break;
                }
            }
            match self.byte(text, at) {
                Some(used) => at += used,
                None if !self.prose && closes(&text[at..]) => return Fed::End,
                None => return Fed::Odd(at),
            }
        }
        Fed::End
    }

    /// Reads the runs at the start of `text` that are `N@BIT+` and nothing else, as most of them
    /// are: how many bytes. What is strange in any way is left to [`byte`](Self::byte).
    fn plain_runs(&mut self, text: &[u8]) -> usize {
        let place = &mut self.place;
        let mut used = 0;
        if place.unplaced {
            return used;
        }
        while let Some((pages, bit, len)) = plain_run(&text[used..]) {
            if place.last.is_some_and(|last| bit <= last) {
                break;
            }
            place.pass(bit);
            place.added += 1;
            add(&mut self.runs.ranges, (pages, bit));
            used += len;
        }
        used
    }

    /// Reads what is at `at`: how many bytes, or `None` where that is of no list.
    fn byte(&mut self, text: &[u8], at: usize) -> Option<usize> {
        let byte = text[at];
        let place = &mut self.place;
        match (place.state, byte) {
            (State::Pages | State::Bit, b'0'..=b'9') => {
                let digit = u64::from(byte - b'0');
                place.number = place.number.saturating_mul(10).saturating_add(digit);
            }
            (State::Item | State::BitDone, b'0'..=b'9') => {
                self.end_run()?;
                self.place.number = u64::from(byte - b'0');
                self.place.state = State::Pages;
            }
            (State::At, b'0'..=b'9') => {
                place.number = u64::from(byte - b'0');
                place.state = State::Bit;
            }
            (State::Pages | State::PagesDone, b'@') => {
                place.pages = place.number;
                place.state = State::At;
            }
            (State::Pages, b' ' | b'\t' | b'`') => place.state = State::PagesDone,
            (State::Bit, b' ' | b'\t' | b'`') => place.state = State::BitDone,
            (_, b' ' | b'\t' | b'`' | b'\\') => {}
            (State::At, b'.') => {
                let dots = dots(&text[at..])?;
                self.cut(true);
                return Some(dots);
            }
            (_, b'+' | b',') => {
                self.place.comma |= byte == b',';
                self.end_run()?;
                self.place.state = State::Item;
            }
            (State::At, _) => return None,
            (_, b'=' | b'>') => {
                self.end_run()?;
                self.place.state = State::Tail;
                self.tail.clear();
                return Some(0);
            }
            (state, b'.') => {
                let dots = dots(&text[at..])?;
                // Dots right after a digit may replace more digits.
                self.cut(matches!(state, State::Pages | State::Bit));
                return Some(dots);
            }
            (_, b'r') => return self.range(text, at),
            (_, b'[' | b'(' | b'<') => {
                let used = note(&text[at..])?;
                self.cut(false);
                return Some(used);
            }
            _ => return None,
        }
        Some(1)
    }

    /// Something is left out here; with `broken` in the middle of an item.
    fn cut(&mut self, broken: bool) {
        if !broken {
            let _ = self.end_run();
        }
        self.place.cut = true;
        self.place.state = State::Item;
    }

    /// `range 1: ` at `at`.
    fn range(&mut self, text: &[u8], at: usize) -> Option<usize> {
        if RANGE.starts_with(text[at..].trim_ascii_end()) {
            self.place.word = text[at..].trim_ascii_end().len();
            return Some(text.len() - at);
        }
        let rest = text[at..].strip_prefix(RANGE)?;
        let blanks = rest.iter().take_while(|byte| **byte == b' ').count();
        let digits = rest[blanks..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = str::from_utf8(&rest[blanks..blanks + digits]).ok()?.parse().ok()?;
        let used = blanks + digits;
        (rest.get(used) == Some(&b':')).then_some(())?;
        self.end_run()?;
        if self.runs.ranges.last().is_some_and(|range| range.range >= number) {
            return None;
        }
        self.runs.ranges.push(RangeRuns { range: number, runs: Vec::new() });
        self.place = Place { ranged: true, last: None, state: State::Item, ..self.place };
        Some(5 + used + 1)
    }

    /// The item that was read last is a run. `None` where it cannot be one of this list.
    fn end_run(&mut self) -> Option<()> {
        let place = &mut self.place;
        let run = match place.state {
            State::Item | State::Tail => return Some(()),
            State::Bit | State::BitDone => (place.pages, place.number),
            // A number without `@`: a list without positions, or an item that is cut.
            State::Pages | State::PagesDone if place.last.is_none() => {
                (!place.comma).then_some(())?;
                place.unplaced = true;
                (place.number, 0)
            }
            State::Pages | State::PagesDone | State::At => (0, 0),
        };
        place.state = State::Item;
        if run.0 == 0 || run.0 == u64::MAX || run.1 == u64::MAX {
            place.cut = true;
            return Some(());
        }
        if !place.unplaced {
            match place.last {
                Some(last) if run.1 <= last => {
                    // A line that begins so is of another list; inside a line a number is cut.
                    if place.added == 0 {
                        return None;
                    }
                    place.cut = true;
                }
                _ => place.pass(run.1),
            }
        }
        place.added += 1;
        add(&mut self.runs.ranges, run);
        Some(())
    }

    fn feed_tail(&mut self, text: &[u8], at: usize) -> Fed {
        let before = self.tail.len();
        let spare = tail::LONGEST.saturating_sub(before);
        let bytes = text[at..].iter().filter(|byte| !b" \t`".contains(byte));
        // All of it may be in capitals; a word of another line begins with one.
        let capitals = !text[at..].iter().any(u8::is_ascii_lowercase);
        let plain = |byte: &u8| if capitals { byte.to_ascii_lowercase() } else { *byte };
        self.tail.extend(bytes.take(spare).map(plain));
        // Where nothing of the line is of the tail, the line is another one's.
        let tail = tail::read(&self.tail).filter(|tail| !tail.whole || tail.used > before);
        let Some(Tail { used, whole, .. }) = tail else {
            self.tail.truncate(before);
            return Fed::Odd(at);
        };
        if !whole {
            return if self.tail.len() < tail::LONGEST { Fed::End } else { Fed::Odd(at) };
        }
        let mut left = used.saturating_sub(before);
        let end = text[at..].iter().position(|byte| {
            let counts = !b" \t`".contains(byte);
            let after = counts && left == 0;
            left -= usize::from(counts && left > 0);
            after
        });
        Fed::Done(end.map_or(text.len(), |end| at + end))
    }

    /// The list as far as it was read: `None` where there is nothing in it.
    pub(super) fn finish(mut self) -> Option<FreeRuns> {
        let _ = self.end_run();
        let tail = tail::read(&self.tail);
        let free = tail.and_then(|tail| tail.free);
        let mut runs = self.runs;
        runs.free = free;
        runs.total = tail.and_then(|tail| tail.total);
        runs.ranged = self.place.ranged;
        runs.unplaced = self.place.unplaced;
        let some = runs.ranges.iter().any(|range| !range.runs.is_empty());
        runs.quoted = !runs.head && free.is_none() && self.prose && some;
        let odd = self.place.odd && free != Some(runs.sum());
        runs.cut = self.place.cut || odd || !runs.quoted && (free.is_none() || !runs.head);
        runs.inline &= !runs.is_complete();
        // Numbers alone are no list unless a head says so.
        let real = runs.head || !runs.unplaced;
        ((some && real) || free.is_some()).then_some(runs)
    }
}

/// Adds a run to the last range, or to the only one.
fn add(ranges: &mut Vec<RangeRuns>, run: (u64, u64)) {
    if ranges.is_empty() {
        ranges.push(RangeRuns::default());
    }
    if let Some(range) = ranges.last_mut() {
        range.runs.push(run);
    }
}

/// A run of some pages and its `+` at the start of `text`: pages, bit, and its bytes.
fn plain_run(text: &[u8]) -> Option<(u64, u64, usize)> {
    let (pages, at) = short_number(text, 0)?;
    (pages > 0 && text.get(at) == Some(&b'@')).then_some(())?;
    let (bit, end) = short_number(text, at + 1)?;
    (text.get(end) == Some(&b'+')).then_some((pages, bit, end + 1))
}

/// The number at `from`, of so few digits that none is too large, and where it ends.
fn short_number(text: &[u8], from: usize) -> Option<(u64, usize)> {
    const DIGITS: usize = 18;
    let (mut number, mut at) = (0u64, from);
    while let Some(digit) = text.get(at).map(|byte| byte.wrapping_sub(b'0'))
        && digit < 10
    {
        if at - from == DIGITS {
            return None;
        }
        number = number * 10 + u64::from(digit);
        at += 1;
    }
    (at > from).then_some((number, at))
}

/// What follows a message where a program or a page shows it: a quote that closes, the next
/// cell, a tag, a line end that is spelled out.
fn closes(rest: &[u8]) -> bool {
    const CLOSERS: [&[u8]; 9] = [b"\"", b"'", b"|", b"**", b"^M", b"$", b"</", b"<br", b"[/"];
    CLOSERS.iter().any(|closer| rest.starts_with(closer))
}

/// `...` at the start of `rest`: its bytes.
fn dots(rest: &[u8]) -> Option<usize> {
    let dots = rest.iter().take_while(|byte| **byte == b'.').count();
    (dots > 1).then_some(dots)
}

/// `[snip]`, `(12 more)`, `<...>`: what a hand puts in place of runs.
fn note(rest: &[u8]) -> Option<usize> {
    let close = rest.iter().take(48).position(|byte| b"])>".contains(byte))?;
    let text = rest[1..close].to_ascii_lowercase();
    let words: [&[u8]; 10] =
        [b"snip", b"..", b"cut", b"trunc", b"more", b"omit", b"elid", b"skip", b"remov", b"delet"];
    words.iter().any(|word| memchr::memmem::find(&text, word).is_some()).then_some(close + 1)
}
