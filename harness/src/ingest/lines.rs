//! Lines of text, numbered, each of bounded length, and the fields of a CSV line.

use std::borrow::Cow;
use std::io::{BufRead, Read};

use super::error::{IngestError, quoted};
use super::source::Source;

/// The most bytes of a line of rows.
pub(super) const LONGEST: usize = 1 << 16;

/// The most fields of a line.
pub(super) const MOST_FIELDS: usize = 256;

/// Reads a source line by line.
pub(super) struct Lines {
    name: String,
    input: Box<dyn BufRead>,
    number: u64,
    longest: usize,
    buffer: Vec<u8>,
}

impl Lines {
    /// The lines of `source`, none longer than `longest` bytes.
    pub(super) fn open(source: &Source, longest: usize) -> Result<Self, IngestError> {
        let input = source.open()?;
        Ok(Self { name: source.name().to_string(), input, number: 0, longest, buffer: Vec::new() })
    }

    /// What the source is called in messages.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The number of the line that was read last, from 1 on.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// An error in the line that was read last, at byte `column` (from 1 on, 0 for all of it).
    pub(super) fn error(&self, column: usize, why: impl Into<String>) -> IngestError {
        let (line, column) = (self.number, column as u64);
        IngestError { source: self.name.clone(), line, column, why: why.into() }
    }

    /// Reads the next line into [`text`](Self::text), without its end. `false` at the end.
    pub(super) fn advance(&mut self) -> Result<bool, IngestError> {
        self.number += 1;
        self.buffer.clear();
        let most = self.longest as u64 + 2;
        let read = self.input.by_ref().take(most).read_until(b'\n', &mut self.buffer);
        if let Err(error) = read {
            return Err(self.error(0, error.to_string()));
        }
        if self.buffer.is_empty() {
            return Ok(false);
        }
        if self.buffer.last() == Some(&b'\n') {
            self.buffer.pop();
        }
        if self.buffer.last() == Some(&b'\r') {
            self.buffer.pop();
        }
        if self.buffer.len() > self.longest {
            let why = format!("the line is longer than the {} bytes allowed", self.longest);
            return Err(self.error(0, why));
        }
        if self.number == 1 && self.buffer.starts_with(b"\xef\xbb\xbf") {
            self.buffer.drain(..3);
        }
        if let Err(error) = str::from_utf8(&self.buffer) {
            let at = error.valid_up_to();
            let why = format!("byte 0x{:02x} is not UTF-8 text", self.buffer[at]);
            return Err(self.error(at + 1, why));
        }
        Ok(true)
    }

    /// The line that was read last.
    pub(super) fn text(&self) -> &str {
        str::from_utf8(&self.buffer).unwrap_or_default()
    }

    /// The next line that is neither empty nor a `#` comment; comments go to `comment`.
    pub(super) fn advance_past(
        &mut self,
        mut comment: impl FnMut(&Self) -> Result<(), IngestError>,
    ) -> Result<bool, IngestError> {
        while self.advance()? {
            if self.text().starts_with('#') {
                comment(self)?;
            } else if !self.text().is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// A field of a line and the byte that it begins at, from 1 on.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Field<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) column: usize,
}

/// Splits a line at its commas; a field in double quotes may hold commas, and
/// double quotes as two of them (RFC 4180, but without line ends inside).
pub(super) fn fields<'a>(lines: &Lines, line: &'a str) -> Result<Vec<Field<'a>>, IngestError> {
    let mut found = Vec::with_capacity(16);
    let mut at = 0;
    loop {
        if found.len() == MOST_FIELDS {
            let why = format!("more than {MOST_FIELDS} fields: {}", quoted(&line[at..]));
            return Err(lines.error(at + 1, why));
        }
        let rest = &line[at..];
        let (text, len) = if rest.starts_with('"') {
            let Some((text, len)) = unquote(rest) else {
                let why = format!("the quotes of {} are not closed", quoted(rest));
                return Err(lines.error(at + 1, why));
            };
            (Cow::Owned(text), len)
        } else {
            let len = rest.find(',').unwrap_or(rest.len());
            (Cow::Borrowed(&rest[..len]), len)
        };
        found.push(Field { text, column: at + 1 });
        at += len;
        match line.as_bytes().get(at) {
            None => return Ok(found),
            Some(b',') => at += 1,
            Some(_) => {
                let why = format!("{} follows closing quotes", quoted(&line[at..]));
                return Err(lines.error(at + 1, why));
            }
        }
    }
}

/// The text of a quoted field at the start of `rest`, and the bytes that it takes with its quotes.
fn unquote(rest: &str) -> Option<(String, usize)> {
    let mut text = String::new();
    let mut at = 1;
    loop {
        let end = at + rest[at..].find('"')?;
        text.push_str(&rest[at..end]);
        if !rest[end + 1..].starts_with('"') {
            return Some((text, end + 1));
        }
        text.push('"');
        at = end + 2;
    }
}

/// The fields of one row, in the order of the names that its format knows.
pub(super) struct Fields<'a> {
    lines: &'a Lines,
    /// One that is not in the file is empty, at byte 0.
    fields: Vec<Field<'a>>,
}

impl Fields<'_> {
    /// The number of the line.
    pub(super) const fn line(&self) -> u64 {
        self.lines.number()
    }

    /// The text of field `at`; empty where there is no such column.
    pub(super) fn text(&self, at: usize) -> &str {
        &self.fields[at].text
    }

    /// The byte that it begins at, from 1 on; 0 where there is no such column.
    pub(super) fn column(&self, at: usize) -> usize {
        self.fields[at].column
    }

    /// An error in it.
    pub(super) fn wrong(&self, at: usize, why: impl Into<String>) -> IngestError {
        self.lines.error(self.column(at), why)
    }

    /// The number in it; none where it is empty.
    pub(super) fn maybe(&self, at: usize, name: &str) -> Result<Option<u64>, IngestError> {
        let text = self.text(at);
        if text.is_empty() {
            return Ok(None);
        }
        let digits = Some(text).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        digits.and_then(|text| text.parse().ok()).map(Some).ok_or_else(|| {
            let why = format!(
                "{name} {} is not a number; a whole number from 0 to {} is allowed",
                quoted(text),
                u64::MAX
            );
            self.wrong(at, why)
        })
    }
}

/// Where in a file the columns are that a format knows.
pub(super) struct Columns {
    /// For each known name its place in a row.
    places: Vec<Option<usize>>,
    /// How many columns there are.
    width: usize,
    unknown: Vec<String>,
}

impl Columns {
    /// The places of `needed` and `optional`, in that order, among `names`.
    pub(super) fn new(
        lines: &Lines,
        names: &[String],
        needed: &[&str],
        optional: &[&str],
    ) -> Result<Self, IngestError> {
        for (index, name) in names.iter().enumerate() {
            if names[..index].contains(name) {
                return Err(lines.error(0, format!("column {} is there twice", quoted(name))));
            }
        }
        let place = |name: &&str| names.iter().position(|column| column == name);
        if let Some(missing) = needed.iter().find(|name| place(name).is_none()) {
            let why = format!("column \"{missing}\" is missing; needed are {}", needed.join(", "));
            return Err(lines.error(0, why));
        }
        let known = |name: &&String| needed.iter().chain(optional).any(|known| known == name);
        Ok(Self {
            places: needed.iter().chain(optional).map(place).collect(),
            width: names.len(),
            unknown: names.iter().filter(|name| !known(name)).cloned().collect(),
        })
    }

    /// The fields of the line that was read last, in the order of the known names.
    pub(super) fn pick<'a>(&self, lines: &'a Lines) -> Result<Fields<'a>, IngestError> {
        let mut fields = fields(lines, lines.text())?;
        if fields.len() != self.width {
            let why = format!("{} fields where {} columns are named", fields.len(), self.width);
            return Err(lines.error(0, why));
        }
        let mut take = |place: usize| std::mem::take(&mut fields[place]);
        let fields = self.places.iter().map(|place| place.map(&mut take).unwrap_or_default());
        Ok(Fields { lines, fields: fields.collect() })
    }

    /// The columns that nobody here knows.
    pub(super) fn warnings(&self) -> Vec<String> {
        if self.unknown.is_empty() {
            return Vec::new();
        }
        let names: Vec<_> = self.unknown.iter().map(|name| quoted(name)).collect();
        vec![format!("unknown columns are ignored: {}", names.join(", "))]
    }
}
