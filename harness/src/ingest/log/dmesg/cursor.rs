//! A look at a text that may go on: a message broken over lines, joined with [`JOIN`].

/// What is put where a line ended inside a message.
pub(super) const JOIN: u8 = b'\n';

/// Why a text is no whole message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stop {
    /// It is one as far as it goes.
    More,
    /// It is none.
    No,
}

/// Reads a message from left to right. Blanks and line ends count for nothing in fixed texts, and
/// line ends for nothing in numbers: no message has a blank between two digits.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    text: &'a [u8],
    pub(super) at: usize,
    /// Nothing follows the text.
    pub(super) last: bool,
}

const fn blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | JOIN | b'`')
}

/// What was read, if it is there.
pub(super) fn maybe<T>(read: Result<T, Stop>) -> Result<Option<T>, Stop> {
    match read {
        Err(Stop::No) => Ok(None),
        read => read.map(Some),
    }
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(text: &'a [u8], at: usize, last: bool) -> Self {
        Self { text, at, last }
    }

    /// What the end of the text means.
    pub(super) const fn end(&self) -> Stop {
        if self.last { Stop::No } else { Stop::More }
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        &self.text[self.at..]
    }

    pub(super) fn from(&self, from: usize) -> &'a [u8] {
        &self.text[from..]
    }

    pub(super) fn text(&self, from: usize) -> &'a [u8] {
        &self.text[from..self.at]
    }

    /// The next byte that is no blank, which is not passed.
    pub(super) fn peek(&mut self) -> Result<u8, Stop> {
        while let Some(byte) = self.text.get(self.at) {
            if !blank(*byte) {
                return Ok(*byte);
            }
            self.at += 1;
        }
        Err(self.end())
    }

    /// Passes `byte`, where it is next.
    pub(super) fn eat(&mut self, byte: u8) -> Result<bool, Stop> {
        let next = self.peek()? == byte;
        self.at += usize::from(next);
        Ok(next)
    }

    /// Passes `text`, which is written without blanks, in capitals or not. Nothing is passed where it
    /// is not there.
    pub(super) fn literal(&mut self, text: &[u8]) -> Result<(), Stop> {
        let mut at = self.at;
        for (done, byte) in text.iter().enumerate() {
            at += self.text[at..].iter().take_while(|byte| blank(**byte)).count();
            let Some(next) = self.text.get(at) else { return Err(self.end()) };
            if next != byte {
                // After a break inside the text only the very sign goes on with it.
                let broken = done > 0 && self.text[at - 1] == JOIN;
                if broken || !next.eq_ignore_ascii_case(byte) {
                    return Err(Stop::No);
                }
            }
            at += 1;
        }
        self.at = at;
        Ok(())
    }

    /// Passes `text` where it is there.
    pub(super) fn optional(&mut self, text: &[u8]) -> Result<bool, Stop> {
        maybe(self.literal(text)).map(|found| found.is_some())
    }

    /// Passes `text`, which is written without blanks, and in which each `#` is a number: those.
    pub(super) fn numbers<const N: usize>(&mut self, text: &[u8]) -> Result<[u64; N], Stop> {
        let mut numbers = [0; N];
        let mut parts = text.split(|byte| *byte == b'#');
        self.literal(parts.next().unwrap_or_default())?;
        for (number, part) in numbers.iter_mut().zip(parts) {
            *number = self.any_number()?;
            self.literal(part)?;
        }
        Ok(numbers)
    }

    /// The word of letters, digits and `_` that comes next; it may be broken.
    pub(super) fn ident(&mut self, buffer: &mut Vec<u8>) -> Result<(), Stop> {
        const LONGEST: usize = 64;
        buffer.clear();
        self.peek()?;
        while let Some(byte) = self.text.get(self.at) {
            if byte.is_ascii_alphanumeric() || *byte == b'_' {
                buffer.push(*byte);
            } else if *byte != JOIN || !self.word_goes_on() {
                break;
            }
            if buffer.len() > LONGEST {
                return Err(Stop::No);
            }
            self.at += 1;
        }
        if buffer.is_empty() { Err(Stop::No) } else { Ok(()) }
    }

    /// Goes back to the line end inside the word `long` just read, where `word` is all of it up to
    /// there.
    pub(super) fn back_to(&mut self, word: &[u8], long: &mut Vec<u8>) -> bool {
        if !long.starts_with(word) {
            return false;
        }
        let mut at = self.at;
        let mut over = long.len() - word.len();
        while over > 0 {
            at -= 1;
            over -= usize::from(self.text[at] != JOIN);
        }
        let broken = at < self.at && self.text[at - 1] == JOIN;
        if broken {
            self.at = at;
            long.truncate(word.len());
        }
        broken
    }

    fn word_goes_on(&self) -> bool {
        let next = self.text.get(self.at + 1);
        next.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
    }

    fn number_of(&mut self, radix: u32) -> Result<u64, Stop> {
        self.peek()?;
        let mut number: Option<u64> = None;
        let mut at = self.at;
        while let Some(byte) = self.text.get(at) {
            let digit = char::from(*byte).to_digit(radix);
            match digit {
                Some(digit) => {
                    let before = number.unwrap_or(0).saturating_mul(u64::from(radix));
                    number = Some(before.saturating_add(u64::from(digit)));
                    at += 1;
                    self.at = at;
                }
                // A number may be broken; after the break it may be indented.
                None if *byte == JOIN => {
                    at += 1;
                    at += self.text[at..].iter().take_while(|byte| **byte == b' ').count();
                }
                None => break,
            }
        }
        number.ok_or(Stop::No)
    }

    /// A decimal number, at most `u64::MAX`.
    pub(super) fn number(&mut self) -> Result<u64, Stop> {
        self.number_of(10)
    }

    /// A number in hexadecimal digits, with `0x` or without.
    pub(super) fn hex(&mut self) -> Result<u64, Stop> {
        self.optional(b"0x")?;
        self.number_of(16)
    }

    /// Decimal, or hexadecimal after `0x`.
    pub(super) fn any_number(&mut self) -> Result<u64, Stop> {
        if self.optional(b"0x")? { self.number_of(16) } else { self.number() }
    }

    /// Everything up to the `)` that closes what is open, which is passed. At most `most` bytes.
    pub(super) fn parenthesis(&mut self, most: usize) -> Result<&'a [u8], Stop> {
        let mut depth = 0usize;
        let rest = self.rest();
        for (at, byte) in rest.iter().enumerate().take(most) {
            match byte {
                b'(' => depth += 1,
                b')' if depth == 0 => {
                    self.at += at + 1;
                    return Ok(&rest[..at]);
                }
                b')' => depth -= 1,
                _ => {}
            }
        }
        Err(if rest.len() < most { self.end() } else { Stop::No })
    }
}
