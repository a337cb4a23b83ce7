//! `bitmap`: one line of words of 32 bits in decimal (`debugfs_create_u32_array()`), which a
//! terminal or a mail may have wrapped.

use std::sync::Arc;

use super::super::{Sink, bytes};
use super::area;
use super::path::{File, Target};

/// The most words: an area of 2^27 pages, 512 GiB.
const MOST_WORDS: usize = 1 << 22;

/// Terminals wrap at 80 or more columns, within numbers; people and mails at fewer, at blanks.
const TERMINAL: usize = 79;

/// A line shorter than this was not wrapped.
const SHORTEST_WRAPPED: usize = 40;

/// A bitmap of which more may follow.
pub(super) struct OpenBitmap {
    /// The line that it begins on.
    line: u64,
    target: Target,
    words: Vec<u32>,
    /// The bytes of its longest line so far, and of its last one.
    width: usize,
    last_width: usize,
    /// Its last line ends with a blank.
    parted: bool,
    /// There are more words than any area has.
    overflow: bool,
}

impl OpenBitmap {
    /// Reads the first line of the bitmap of `target`.
    pub(super) fn open(line: u64, raw: &[u8], text: &[u8], target: &Target) -> Option<Self> {
        let (target, words) = (target.clone(), Vec::new());
        let (width, last_width, parted, overflow) = (0, 0, false, false);
        let mut open = Self { line, target, words, width, last_width, parted, overflow };
        open.seen(raw);
        open.add(text, false).then_some(open)
    }

    /// A line that can only be a bitmap, of no known area: words enough, and of all 32 bits.
    pub(super) fn bare(line: u64, raw: &[u8], text: &[u8]) -> Option<Self> {
        const FEWEST: usize = 4;
        const MANY: usize = 8;
        const HALF: u32 = 1 << 16;
        let file = File::Debugfs(area::BITMAP);
        let target = Target { area: None, range: None, file, stamp_us: None };
        let open = Self::open(line, raw, text, &target)?;
        let full = open.words.iter().any(|word| *word >= HALF);
        let empty = open.words.iter().all(|word| *word == 0);
        let fits = open.words.len() >= FEWEST && full || open.words.len() >= MANY && empty;
        fits.then_some(open)
    }

    /// Takes the next line, if it is words too; `raw` is the line with the blanks around it.
    pub(super) fn goes_on(&mut self, raw: &[u8], text: &[u8]) -> bool {
        if self.last_width < SHORTEST_WRAPPED || text.is_empty() {
            return false;
        }
        let at = self.words.len();
        // The rest of a number may begin with zeros.
        let zeros = text.first() == Some(&b'0') && text.get(1).is_some_and(u8::is_ascii_digit);
        if !self.add(text, true) {
            return false;
        }
        let broken = self.last_width >= TERMINAL && self.last_width == self.width;
        let parted = self.parted || raw.first() == Some(&b' ');
        match joined(self.words[at - 1], self.words[at], text) {
            Some(whole) if broken && !parted => {
                self.words[at - 1] = whole;
                self.words.remove(at);
            }
            _ if zeros => {
                self.words.truncate(at);
                return false;
            }
            _ => {}
        }
        self.seen(raw);
        true
    }

    fn seen(&mut self, raw: &[u8]) {
        self.last_width = raw.len();
        self.width = self.width.max(raw.len());
        self.parted = raw.last() == Some(&b' ');
    }

    /// Adds the words of a line, or nothing if it is none.
    fn add(&mut self, text: &[u8], zeros: bool) -> bool {
        let from = self.words.len();
        for word in text.split(|byte| matches!(byte, b' ' | b'\t')) {
            if word.is_empty() {
                continue;
            }
            let Some(word) = word_of(word, zeros && self.words.len() == from) else {
                self.words.truncate(from);
                return false;
            };
            if self.words.len() >= MOST_WORDS {
                self.overflow = true;
            } else {
                self.words.push(word);
            }
        }
        self.words.len() > from
    }

    /// Says what was read; `is_ended`: its last line has an end.
    pub(super) fn close(mut self, sink: &mut Sink<'_>, is_ended: bool) {
        let last = self.words.pop_if(|word| may_be_cut(*word, is_ended));
        if let Some(last) = last.filter(|_| !self.overflow) {
            let why = format!(
                "the bitmap seems to be cut within its last number, {last}, which is left out; what \
                 follows it is not shown: copy the file once more, whole"
            );
            sink.at(self.line).odd(0, why);
        }
        if self.words.is_empty() && !self.overflow {
            return;
        }
        if self.overflow {
            let why = format!("a bitmap of more than {MOST_WORDS} words");
            return sink.at(self.line).odd(0, why);
        }
        let record = self.target.bitmap(Arc::from(self.words));
        sink.at(self.line).push(None, None, record);
    }
}

/// Whether `word` may be the front of a longer number: it begins as the number of a full word does,
/// or the text ends right after its digits.
fn may_be_cut(word: u32, is_ended: bool) -> bool {
    let fronts = std::iter::successors(Some(u32::MAX / 10), |front| Some(front / 10));
    let of_full = fronts.take_while(|front| *front >= 100).any(|front| front == word);
    // A number of ten digits is whole, and none begins with 0.
    of_full || !is_ended && (1..1_000_000_000).contains(&word)
}

fn word_of(text: &[u8], zeros: bool) -> Option<u32> {
    if !zeros && text.len() > 1 && text[0] == b'0' {
        return None;
    }
    bytes::number(text)
}

/// The word of which a line's end has one part and the next line's begin, `text`, the other.
fn joined(front: u32, back: u32, text: &[u8]) -> Option<u32> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let scale = 10u32.checked_pow(u32::try_from(digits).ok()?)?;
    (front != 0).then(|| front.checked_mul(scale)?.checked_add(back))?
}
