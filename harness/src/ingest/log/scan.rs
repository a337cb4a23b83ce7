//! Which lines are looked at: those with a word that a record can begin with.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

/// What a pattern begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Begins {
    /// A message of the grammar in `dmesg::grammar`, at the word that the pattern stands in.
    Message,
    /// A list of free runs without its head: the pattern is the last digit of a number and `@`.
    Run,
    /// What is found once in a boot log, or said of a task.
    Boot,
    /// A command of a shell.
    Shell,
    /// Perhaps a driver that got no memory.
    Driver,
    /// Something for another reader than dmesg.
    Other,
}

const PATTERNS: &[(&str, Begins)] = &[
    ("CMA memory pool", Begins::Boot),
    ("cma", Begins::Message),
    ("number of a", Begins::Message),
    ("alloc_contig_", Begins::Message),
    ("alloc_from_contig", Begins::Message),
    ("release_from_contig", Begins::Message),
    ("alloc failed,", Begins::Message),
    ("req-size", Begins::Message),
    ("req size", Begins::Message),
    ("bitmap_find_next_z", Begins::Message),
    ("dma alloc", Begins::Message),
    ("0@", Begins::Run),
    ("1@", Begins::Run),
    ("2@", Begins::Run),
    ("3@", Begins::Run),
    ("4@", Begins::Run),
    ("5@", Begins::Run),
    ("6@", Begins::Run),
    ("7@", Begins::Run),
    ("8@", Begins::Run),
    ("9@", Begins::Run),
    ("Linux version ", Begins::Boot),
    ("ainted", Begins::Boot),
    ("reserved mem: ", Begins::Boot),
    ("ernel command line:", Begins::Boot),
    ("echo ", Begins::Shell),
    ("uname ", Begins::Shell),
    ("llocat", Begins::Driver),
    ("lloc f", Begins::Driver),
    ("lloc F", Begins::Driver),
    ("to alloc", Begins::Driver),
    ("CMA", Begins::Other),
    ("Cma", Begins::Other),
    ("LOST", Begins::Other),
    ("EVENTS DROPPED", Begins::Other),
    ("/bitmap", Begins::Other),
    ("alloc_pages_", Begins::Other),
    ("MemTotal:", Begins::Other),
    ("MemFree:", Begins::Other),
    ("MemAvailable:", Begins::Other),
    ("SwapTotal:", Begins::Other),
    ("SwapFree:", Begins::Other),
    ("==> ", Begins::Other),
    ("cat /", Begins::Other),
    ("base_pfn", Begins::Other),
    ("order_per_bit", Begins::Other),
    ("maxchunk", Begins::Other),
];

static MACHINE: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let texts = PATTERNS.iter().map(|(text, _)| text);
    let mut builder = AhoCorasick::builder();
    let built = builder.match_kind(MatchKind::LeftmostFirst).build(texts);
    built.expect("a few short patterns")
});

/// Where the first pattern stands.
pub(super) fn wanted(bytes: &[u8]) -> Option<usize> {
    MACHINE.find(bytes).map(|found| found.start())
}

/// The patterns in `bytes` from left to right, not overlapping: where, and what they begin.
pub(super) fn hits(bytes: &[u8]) -> impl Iterator<Item = (usize, Begins)> {
    MACHINE.find_iter(bytes).map(|found| (found.start(), PATTERNS[found.pattern()].1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_where_it_stands() {
        assert_eq!(wanted(b"nothing here"), None);
        assert_eq!(wanted(b"[    1.0] cma: x"), Some(10));
        let found: Vec<_> = hits(b"at +3072@1024: failed to allocate").collect();
        assert_eq!(found, [(7, Begins::Run), (22, Begins::Driver)]);
    }
}
