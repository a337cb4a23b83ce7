//! Lines of bytes, numbered.

use std::io::BufRead;

use super::super::error::IngestError;
use super::super::source::Source;

/// Reads a source line by line, without a look at its encoding.
pub(super) struct RawLines {
    name: String,
    input: Box<dyn BufRead>,
    number: u64,
    buffer: Vec<u8>,
}

impl RawLines {
    /// The lines of `source`.
    pub(super) fn open(source: &Source) -> Result<Self, IngestError> {
        let input = source.open()?;
        Ok(Self { name: source.name().to_string(), input, number: 0, buffer: Vec::new() })
    }

    /// What the source is called in messages.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The number of the line that was read last, from 1 on.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// Reads the next line. `false` at the end.
    pub(super) fn advance(&mut self) -> Result<bool, IngestError> {
        self.buffer.clear();
        self.number += 1;
        let read = self.input.read_until(b'\n', &mut self.buffer).map_err(|error| IngestError {
            source: self.name.clone(),
            line: self.number,
            column: 0,
            why: error.to_string(),
        })?;
        Ok(read > 0)
    }

    /// The line that was read last, with its end.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer
    }
}
