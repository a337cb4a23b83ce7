//! An error with a place.

use std::fmt;

/// Why an input cannot be read: where, what is wrong there, and what is allowed.
///
/// It reads on from "failed to …": `read a.csv line 12, column 31: count "4x6" is not …`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IngestError {
    /// The file as it was named, or `standard input`.
    pub source: String,
    /// The line, from 1 on; 0 where no line is to blame.
    pub line: u64,
    /// The byte of the line, from 1 on; 0 where the whole line is to blame.
    pub column: u64,
    /// What is wrong, with the offending text, and what is allowed.
    pub why: String,
}

impl IngestError {
    /// An error about all of `source`.
    pub(crate) fn of(source: &str, why: impl fmt::Display) -> Self {
        Self { source: source.to_string(), line: 0, column: 0, why: why.to_string() }
    }
}

impl fmt::Display for IngestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "read {}", self.source)?;
        if self.line > 0 {
            write!(f, " line {}", self.line)?;
        }
        if self.column > 0 {
            write!(f, ", column {}", self.column)?;
        }
        write!(f, ": {}", self.why)
    }
}

impl std::error::Error for IngestError {}

/// `text` in quotes, cut where it is long and with its control characters escaped: what somebody
/// else wrote must neither flood nor steer a terminal.
pub fn quoted(text: &str) -> String {
    const MOST: usize = 60;
    let short: String = text.chars().take(MOST).flat_map(char::escape_debug).collect();
    let more = if text.chars().nth(MOST).is_some() { "…" } else { "" };
    format!("\"{short}{more}\"")
}
