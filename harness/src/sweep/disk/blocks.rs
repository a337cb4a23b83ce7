//! `cells.csv` read back, configuration by configuration: what is told of a sweep is told of what
//! stands there.

use std::io::{self, BufRead};

use super::row::{Row, cells_header, read_line};
use crate::sweep::{Block, Configuration, Ready};

/// The results that a `cells.csv` holds, one configuration in memory at a time.
pub struct Blocks<'a, R> {
    ready: &'a Ready,
    file: R,
    configurations: Box<dyn Iterator<Item = Configuration> + 'a>,
    /// The number of the first cell of the next configuration.
    first: u64,
    /// The row behind those of the last block.
    next: Option<Row>,
    /// Lines read.
    lines: u64,
}

impl<'a, R: BufRead> Blocks<'a, R> {
    /// The results in `file`, of this plan.
    ///
    /// # Errors
    /// A file that cannot be read or has other columns.
    pub fn new(ready: &'a Ready, file: R) -> io::Result<Self> {
        let configurations = Box::new(ready.plan.configurations());
        let mut blocks = Self { ready, file, configurations, first: 0, next: None, lines: 0 };
        if blocks.line()?.as_deref() != Some(cells_header().as_str()) {
            return Err(blocks.wrong("these are not the columns of this version"));
        }
        blocks.next = blocks.row()?;
        Ok(blocks)
    }

    fn wrong(&self, why: &str) -> io::Error {
        io::Error::other(format!("line {}: {why}", self.lines))
    }

    /// The next line without its end.
    fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        if read_line(&mut self.file, &mut line)? == 0 {
            return Ok(None);
        }
        self.lines += 1;
        let text = String::from_utf8(line).map_err(|_| self.wrong("it is not text"))?;
        let text = text.strip_suffix('\n').ok_or_else(|| self.wrong("it is torn"))?;
        Ok(Some(text.to_string()))
    }

    fn row(&mut self) -> io::Result<Option<Row>> {
        let Some(line) = self.line()? else { return Ok(None) };
        Row::parse_plain(&line).map(Some).ok_or_else(|| self.wrong("it is no row of this version"))
    }

    /// The next configuration.
    fn block(&mut self) -> io::Result<Option<Block>> {
        let Some(at) = self.configurations.next() else {
            let behind = self.next.take();
            return behind.map_or(Ok(None), |_| Err(self.wrong("the plan has no such cell")));
        };
        let plan = &self.ready.plan;
        let seeds = plan.cells_in(&at) / plan.policies.len() as u64;
        let mut values = vec![Vec::new(); plan.policies.len()];
        for (policy, streams) in values.iter_mut().enumerate() {
            let first = self.first + policy as u64 * seeds;
            // The first seeds, without a gap.
            for number in first..first + seeds {
                let Some(row) = self.next.take_if(|row| row.number == number) else { break };
                streams.push(row.values);
                self.next = self.row()?;
            }
        }
        self.first += plan.cells_in(&at);
        let streams = values[0].len();
        // In a race each policy has streams of its own, perhaps none: which ones the plan runs was
        // looked at when the file was made.
        let is_whole = streams as u64 == seeds || plan.stop.is_some() && streams > 0;
        let is_even = is_whole && values.iter().all(|others| others.len() == streams);
        if !is_even && plan.target.is_none() {
            let last = self.first - 1;
            return Err(self.wrong(&format!("a cell up to number {last} is missing before it")));
        }
        Ok(Some(Block { at, values }))
    }
}

impl<R: BufRead> Iterator for Blocks<'_, R> {
    type Item = io::Result<Block>;

    fn next(&mut self) -> Option<Self::Item> {
        self.block().transpose()
    }
}
