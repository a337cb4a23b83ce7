//! Which file a path names.

use std::sync::Arc;

use super::super::messages::{Numbers, number as counter};
use super::super::names::Names;
use super::super::{DebugfsFile, Record, bytes};
use super::area;

/// A file, and what it belongs to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Target {
    /// The area.
    pub(super) area: Option<Arc<str>>,
    /// The range, 6.15 on.
    pub(super) range: Option<u32>,
    /// Which file.
    pub(super) file: File,
    /// When it was read, in microseconds since boot: one of many such readings.
    pub(super) stamp_us: Option<u64>,
}

/// A kind of file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum File {
    /// Of debugfs `cma/AREA/`, by its name.
    Debugfs(&'static str),
    /// Of sysfs `mm/cma/AREA/`, by its name.
    Counter(&'static str),
    /// `/proc/meminfo`.
    Meminfo,
    /// `/proc/vmstat`.
    Vmstat,
    /// A kernel configuration.
    Config,
    /// `/proc/cmdline`.
    CommandLine,
    /// `/proc/version`, or what `uname` prints.
    Version,
    /// What `getconf PAGESIZE` prints.
    PageSize,
}

impl Target {
    /// What a bitmap says: that it is so now, or was so when it was read.
    pub(super) fn bitmap(&self, words: Arc<[u32]>) -> Record {
        match self.stamp_us {
            Some(at_us) => {
                Record::Snapshot { at_us, area: self.area.clone(), range: self.range, words }
            }
            None => self.debugfs(DebugfsFile::Bitmap(words)),
        }
    }

    /// What a file of debugfs says.
    pub(super) fn debugfs(&self, file: DebugfsFile) -> Record {
        Record::Debugfs { area: self.area.clone(), range: self.range, file }
    }
}

impl File {
    /// Whether others may have a file of this name too.
    pub(super) fn is_common(self) -> bool {
        let (Self::Debugfs(name) | Self::Counter(name)) = self else { return false };
        matches!(name, "count" | "used" | "bitmap" | "total_pages" | "available_pages")
    }
}

/// What the last part of `path` says.
pub(super) fn named(path: &[u8]) -> Option<File> {
    let name = path.rsplit(|byte| *byte == b'/').next()?;
    if let Some(name) = area::FILES.into_iter().find(|file| file.as_bytes() == name) {
        return Some(File::Debugfs(name));
    }
    if let Some(counter) = counter(Numbers::Sysfs, |counter| counter.as_bytes() == name) {
        return Some(File::Counter(counter));
    }
    let of_proc = path == name || directory(path).ends_with(b"proc");
    let uname = name == b"uname" || name.starts_with(b"uname -");
    match name {
        b"meminfo" => Some(File::Meminfo),
        b"vmstat" => Some(File::Vmstat),
        b"cmdline" if of_proc => Some(File::CommandLine),
        b"version" if of_proc => Some(File::Version),
        _ if uname => Some(File::Version),
        b"getconf PAGESIZE" | b"getconf PAGE_SIZE" => Some(File::PageSize),
        _ if name == b"config.gz" || name == b".config" || name.starts_with(b"config-") => {
            Some(File::Config)
        }
        _ => None,
    }
}

/// The file that `path` names. What others may have too must be beside `known`, in a relative
/// path, or below something of CMA.
pub(super) fn target(path: &[u8], known: &[u8], names: &mut Names) -> Option<Target> {
    const CMA: &[u8] = b"cma";
    let file = named(path)?;
    let here = directory(path);
    let of_cma = memchr::memmem::find(here, CMA).is_some() || !here.is_empty() && here == known;
    let absolute = path.starts_with(b"/");
    // `/sys/x/count` is anybody's, `in foo bar/count` is prose.
    if !of_cma && (here.contains(&b' ') || absolute && file.is_common()) {
        return None;
    }
    let per_area = matches!(file, File::Debugfs(_) | File::Counter(_));
    if !per_area {
        return Some(Target { area: None, range: None, file, stamp_us: None });
    }
    let (here, range) = range_of(here);
    let area = match file {
        File::Debugfs(_) => area_of(here),
        _ => last_part(here),
    };
    if area.is_some_and(|area| area.contains(&b'*')) {
        return None;
    }
    Some(Target { area: area.map(|area| names.get(area)), range, file, stamp_us: None })
}

/// `snapshot UPTIME PATH` of a bitmap, as the script of `cmalab collect` has it: when it was read, in
/// microseconds, and the path.
pub(super) fn stamped(title: &[u8]) -> Option<(u64, &[u8])> {
    let rest = title.strip_prefix(b"snapshot ")?;
    let blank = memchr::memchr(b' ', rest)?;
    let path = rest[blank..].trim_ascii_start();
    let is_bitmap = named(path) == Some(File::Debugfs(area::BITMAP));
    bytes::microseconds(&rest[..blank]).filter(|_| is_bitmap).map(|at_us| (at_us, path))
}

/// The directory of a path, without a slash at its end.
pub(super) fn directory(path: &[u8]) -> &[u8] {
    let slash = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
    &path[..slash]
}

/// `AREA/ranges/N`: the directory of the area, and N.
fn range_of(here: &[u8]) -> (&[u8], Option<u32>) {
    let Some(number) = last_part(here).and_then(bytes::number) else { return (here, None) };
    let above = directory(here);
    match above.strip_suffix(b"ranges") {
        Some(area) => (area.strip_suffix(b"/").unwrap_or(area), Some(number)),
        None => (here, None),
    }
}

/// The area whose directory in debugfs this is: kernels before 5.x put `cma-` before it.
pub(super) fn area_of(here: &[u8]) -> Option<&[u8]> {
    let part = last_part(here)?;
    let area = part.strip_prefix(b"cma-").unwrap_or(part);
    (!area.is_empty() && area != b"cma").then_some(area)
}

fn last_part(here: &[u8]) -> Option<&[u8]> {
    let part = here.rsplit(|byte| *byte == b'/').next()?;
    (!part.is_empty() && part != b"." && part != b"..").then_some(part)
}
