//! Files of debugfs, sysfs and proc, in whatever way they got into a text: below `==> PATH <==`
//! (`head`, `tail -n +1`, our own script), as `PATH:value` (`grep . -r`), after `cat PATH` at a
//! shell's prompt, or bare where the line says itself what it is.
//!
//! A file ends where a line is none of it: what follows, a kernel log mostly, is read as ever.

mod area;
mod bitmap;
mod blocks;
mod buffers;
mod heaps;
mod path;
mod proc;
#[cfg(test)]
mod tests;
mod transcript;
mod tree;

use std::collections::VecDeque;

use super::super::Format;
use super::super::error::quoted;
use super::dmesg::release;
use super::names::Names;
use super::{Knob, Record, Sink};
use super::{bytes, text};
use bitmap::OpenBitmap;
use buffers::Buffers;
use heaps::Heaps;
use path::{File, Target};
use tree::Tree;

/// Every format of a file that is read out of a text.
pub(super) const FORMATS: &[Format] =
    &[area::DEBUGFS, area::SYSFS, proc::MEMINFO, proc::CONFIG, proc::KERNEL, blocks::FORMAT];

/// Whether a file of this name is one of those.
pub(in crate::ingest) fn is_known_file(name: &str) -> bool {
    // What is packed is no text.
    name != "config.gz" && path::named(name.as_bytes()).is_some()
}

/// The most files of one `cat`.
const MOST_EXPECTED: usize = 64;

/// Reads files out of a text.
#[derive(Default)]
pub(super) struct Sections {
    names: Names,
    /// Where the shell of a transcript is, as far as it is shown.
    cwd: Vec<u8>,
    /// The directory of the file that was read last: what else is in it is of the same kind.
    directory: Vec<u8>,
    /// Names of files without their directory are those of an area's.
    in_area: bool,
    /// The files whose content follows, in order.
    expected: VecDeque<Target>,
    /// A bitmap that may go on in the next line.
    bitmap: Option<OpenBitmap>,
    /// A table of dma-bufs that goes on.
    buffers: Option<Buffers>,
    /// A listing of heaps that goes on.
    heaps: Option<Heaps>,
    tree: Tree,
    /// Room for a line without its colours.
    buffer: Vec<u8>,
}

/// What begins a colour.
const ESCAPE: u8 = 0x1b;

impl Sections {
    /// Whether the line belongs to a file, and is used up.
    pub(super) fn line(&mut self, raw: &[u8], sink: &mut Sink<'_>) -> bool {
        if memchr::memchr(ESCAPE, raw).is_none() {
            return self.plain(raw, sink);
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        let used = self.plain(text::plain(raw, &mut buffer), sink);
        self.buffer = buffer;
        used
    }

    fn plain(&mut self, raw: &[u8], sink: &mut Sink<'_>) -> bool {
        let text = bytes::trim_quote(raw.trim_ascii_end());
        if let Some(mut open) = self.bitmap.take() {
            if self.expected.is_empty() && open.goes_on(raw, text) {
                self.bitmap = Some(open);
                return true;
            }
            open.close(sink, true);
        }
        if let Some(mut open) = self.buffers.take() {
            if open.line(text, sink, &mut self.names) {
                self.buffers = Some(open).filter(|open| !open.is_done());
                return true;
            }
            open.close(sink);
        }
        if let Some(mut open) = self.heaps.take()
            && open.line(text, sink, &mut self.names)
        {
            self.heaps = Some(open);
            return true;
        }
        if self.tree.is_open() && title(text).is_none() && self.tree.value(text) {
            return true;
        }
        let Some(first) = text.first() else { return false };
        // The most frequent lines by far, of a kernel log: nothing here begins so.
        let logged =
            matches!(first, b'[' | b'<') && !text.get(1).is_some_and(u8::is_ascii_alphabetic);
        if logged {
            self.expected.clear();
            return false;
        }
        self.marker(text, sink) || self.content(raw, text, sink) || self.bare(raw, text, sink)
    }

    /// Whether the content of a file may follow: the next line must be shown to
    /// [`line`](Self::line) first.
    pub(super) fn is_open(&self) -> bool {
        self.bitmap.is_some()
            || self.buffers.is_some()
            || self.heaps.is_some()
            || !self.expected.is_empty()
            || self.tree.is_open()
    }

    /// No line follows; whether the last one has an end.
    pub(super) fn end(&mut self, sink: &mut Sink<'_>, is_ended: bool) {
        if let Some(open) = self.bitmap.take() {
            open.close(sink, is_ended);
        }
        if let Some(open) = self.buffers.take() {
            open.close(sink);
        }
        self.tree.end(sink);
    }

    /// A line that says what follows.
    fn marker(&mut self, text: &[u8], sink: &mut Sink<'_>) -> bool {
        if let Some(title) = title(text) {
            self.expected.clear();
            self.heaps = Heaps::begin(title);
            if let Some((at_us, path)) = path::stamped(title) {
                self.expect_snapshot(at_us, path);
            } else if !self.tree.title(title, sink) {
                self.expect(title);
            }
            return true;
        }
        if let Some(said) = text.strip_prefix(b"# cmalab collect:") {
            if memchr::memmem::find(said, b"the kernel needs CONFIG_CMA_DEBUGFS").is_some() {
                sink.push(None, None, Record::Config(Knob::CmaDebugfs, false));
            }
            return true;
        }
        let Some((prompt, command)) = transcript::command(text) else { return false };
        self.expected.clear();
        transcript::prompt_directory(prompt, &mut self.cwd);
        self.heaps = Heaps::begin(command);
        self.command(command, sink) || self.heaps.is_some()
    }

    fn command(&mut self, command: &[u8], sink: &mut Sink<'_>) -> bool {
        let mut known = false;
        for step in transcript::steps(command) {
            known |= match step {
                transcript::Step::Cd(to) => {
                    transcript::change(&mut self.cwd, to);
                    true
                }
                transcript::Step::Show(file) => {
                    let path = transcript::absolute(&self.cwd, file);
                    let mut found = false;
                    transcript::expand(&path, |path| found |= self.expect(path));
                    found
                }
                // With the directory in its path, it is the kernel log's reader that takes it.
                transcript::Step::Alloc(_) if self.cwd.is_empty() => false,
                transcript::Step::Alloc(count) => {
                    let area = path::area_of(&self.cwd).map(|area| self.names.get(area));
                    sink.push(None, None, Record::DebugfsAlloc { area, count });
                    true
                }
            };
        }
        known
    }

    /// Notes that the content of this file follows. Whether it is one that is known.
    fn expect(&mut self, path: &[u8]) -> bool {
        let Some(target) = self.target(path) else { return false };
        // The others have many lines, each of which says itself what it is.
        let bare = matches!(target.file, File::Meminfo | File::Vmstat | File::Config);
        if !bare && self.expected.len() < MOST_EXPECTED {
            self.expected.push_back(target);
        }
        true
    }

    /// Notes that a bitmap follows as it was at some moment. What is read beside it stays where it is.
    fn expect_snapshot(&mut self, at_us: u64, path: &[u8]) {
        if let Some(target) = path::target(path, &self.directory, &mut self.names) {
            self.expected.push_back(Target { stamp_us: Some(at_us), ..target });
        }
    }

    /// The content of the file that is expected.
    fn content(&mut self, raw: &[u8], text: &[u8], sink: &mut Sink<'_>) -> bool {
        let Some(target) = self.expected.pop_front() else { return false };
        if text.starts_with(b"cat: ") || text.starts_with(b"head: ") {
            return true;
        }
        let read = self.value(&target, raw, text, sink);
        if !read {
            self.expected.clear();
        }
        read
    }

    /// A line that says itself what it is.
    fn bare(&mut self, raw: &[u8], text: &[u8], sink: &mut Sink<'_>) -> bool {
        match text[0] {
            b'C' | b'M' | b'S' | b'n' | b'c' | b'#'
                if proc::line(raw, text, sink, &mut self.names) =>
            {
                true
            }
            b'D' | b'd' if Buffers::begin(text) => {
                self.buffers = Some(Buffers::new(sink.line));
                true
            }
            b'N' if blocks::line(text, sink) => true,
            b'2'..=b'9' if let Some(kernel) = release::alone(text) => {
                sink.push(None, None, kernel);
                true
            }
            b'0'..=b'9' => {
                self.bitmap = OpenBitmap::bare(sink.line, raw, text);
                self.bitmap.is_some()
            }
            _ => self.path_and_value(raw, text, sink),
        }
    }

    /// `PATH:value`, `PATH: value`.
    fn path_and_value(&mut self, raw: &[u8], text: &[u8], sink: &mut Sink<'_>) -> bool {
        // A path may hold a colon: the name of a platform device does.
        const MOST_COLONS: usize = 4;
        const LONGEST_PATH: usize = 512;
        let front = text.get(..LONGEST_PATH).unwrap_or(text);
        // A blank in a path is that of an area's name, below debugfs; elsewhere it is prose, or
        // the date before a line of the kernel's log.
        let blank = memchr::memchr2(b' ', b':', front).is_some_and(|at| front[at] == b' ');
        if blank && front[0] != b'/' {
            return false;
        }
        for colon in memchr::memchr_iter(b':', front).take(MOST_COLONS) {
            let (path, value) = (&text[..colon], text[colon + 1..].trim_ascii_start());
            let Some(file) = path::named(path) else { continue };
            // Without a directory: what `grep . *` prints in the one of an area.
            let alone = !path.contains(&b'/');
            if value.is_empty() || alone && !(matches!(file, File::Debugfs(_)) && self.alone(file))
            {
                continue;
            }
            let Some(target) = self.target(path) else { continue };
            if self.value(&target, raw, value, sink) {
                return true;
            }
        }
        false
    }

    /// Whether a name without a directory is that of a file of debugfs: `count` is, after a
    /// name that nothing else has.
    fn alone(&mut self, file: File) -> bool {
        self.in_area |= !file.is_common();
        self.in_area
    }

    fn target(&mut self, path: &[u8]) -> Option<Target> {
        let target = path::target(path, &self.directory, &mut self.names)?;
        self.directory.clear();
        self.directory.extend_from_slice(path::directory(path));
        Some(target)
    }

    /// Reads `text` as the content of the file.
    fn value(&mut self, target: &Target, raw: &[u8], text: &[u8], sink: &mut Sink<'_>) -> bool {
        match target.file {
            File::Debugfs(area::BITMAP) => {
                self.bitmap = OpenBitmap::open(sink.line, raw, text, target);
                self.bitmap.is_some()
            }
            File::Debugfs(name) => number(text, "the number", sink, |number| {
                Some(target.debugfs(area::file(name, number)?))
            }),
            File::Counter(name) => {
                let name = self.names.get(name.as_bytes());
                let area = target.area.clone();
                number(text, "the counter", sink, |value| {
                    Some(Record::Counter { area, name, value })
                })
            }
            File::Meminfo | File::Vmstat | File::Config => {
                proc::line(text, text, sink, &mut self.names)
            }
            File::CommandLine => proc::command_line(text, sink),
            File::Version => proc::version(text, sink),
            File::PageSize => proc::page_size(text, sink),
        }
    }
}

/// `==> PATH <==`
fn title(text: &[u8]) -> Option<&[u8]> {
    Some(text.strip_prefix(b"==> ")?.strip_suffix(b"<==")?.trim_ascii())
}

/// What a number says: `false` where `text` is none. One that is too large is an error that names
/// `what` it is.
fn number(
    text: &[u8],
    what: &str,
    sink: &mut Sink<'_>,
    record: impl FnOnce(u64) -> Option<Record>,
) -> bool {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return false;
    }
    match bytes::number(text).and_then(record) {
        Some(record) => sink.push(None, None, record),
        None => {
            let text = String::from_utf8_lossy(text.get(..64).unwrap_or(text));
            sink.odd(0, format!("{what} {} is too large", quoted(&text)));
        }
    }
    true
}
