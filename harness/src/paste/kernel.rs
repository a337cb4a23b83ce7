//! What is no matter of the tree: lines of a configuration, the command line, what a boot prints.

use super::plan::Plan;
use super::{CannotPaste, Line, Replaced, Wanted};
use crate::kernel::{Release, Sign, Span};
use crate::lint::{Asker, Board, size};

/// The first release whose Kconfig takes a cap of 2 (`kernel/dma/Kconfig`); before, 4 was the least.
const LEAST_OF_2: Release = (5, 0);
const MOST: u32 = 12;

/// The releases that print ` on node -1` after the place of an area.
const ON_NODE: (Release, Release) = ((6, 6), (6, 15));

impl Plan<'_> {
    /// A line of the configuration.
    pub(super) fn set(&mut self, option: &str, before: Option<u64>, after: u64) {
        self.paste.config.push(format!("CONFIG_{option}={after}"));
        self.paste.replaces.push(Replaced {
            what: format!("CONFIG_{option}"),
            before: before.map_or("not known".to_string(), |value| value.to_string()),
            after: after.to_string(),
        });
        let old = match before {
            Some(before) => format!("CONFIG_{option}={before}"),
            None => format!("CONFIG_{option} as it was"),
        };
        self.paste.back.push(format!("set {old}, and build the kernel again"));
    }

    /// The largest alignment of buffers.
    pub(super) fn cap(&mut self, cap: u32) -> Result<(), CannotPaste> {
        let release = self.board.release();
        let least = if release.is_some_and(|release| release < LEAST_OF_2) { 4 } else { 2 };
        if !(least..=MOST).contains(&cap) {
            return Err(CannotPaste::Cap { cap, least, most: MOST });
        }
        if release.is_none() && cap < 4 {
            let note = "CONFIG_CMA_ALIGNMENT takes 2 to 12, and in kernels before 5.x 4 to 12";
            self.paste.notes.push(note.to_string());
        }
        self.set("CMA_ALIGNMENT", self.board.cap.map(u64::from), u64::from(cap));
        let note = "CONFIG_CMA_ALIGNMENT needs a kernel that is built again; no boot prints it: \
                    `zcat /proc/config.gz | grep CMA_ALIGNMENT` on the board says it";
        self.paste.notes.push(note.to_string());
        Ok(())
    }

    /// More slots, where those that there are do not suffice for the new pools.
    pub(super) fn slots(&mut self) {
        let placed = self.areas.iter().filter(|area| area.has_memory()).count();
        let all = (placed + self.edits.fresh.len()) as u64;
        let (slots, is_stated) = self.board.slots();
        if self.edits.fresh.is_empty() || all <= slots {
            return;
        }
        self.set("CMA_AREAS", self.board.config.number("CMA_AREAS"), all);
        if !is_stated {
            let note = format!("CONFIG_CMA_AREAS is taken to be {slots}, as it is without NUMA");
            self.paste.notes.push(note);
        }
    }

    /// The default area that no node asks for.
    pub(super) fn default(&mut self, wanted: &Wanted, asker: Asker) {
        match asker {
            Asker::Config => self.by_config(wanted),
            _ => self.by_line(wanted),
        }
    }

    fn by_config(&mut self, wanted: &Wanted) {
        let mib = wanted.bytes.div_ceil(1 << 20);
        let config = &self.board.config;
        let by_mib = config.is_set("CMA_SIZE_SEL_MBYTES");
        let before = config.number("CMA_SIZE_MBYTES");
        if by_mib == Some(false) {
            self.paste.config.push("CONFIG_CMA_SIZE_SEL_MBYTES=y".to_string());
        }
        self.set("CMA_SIZE_MBYTES", before, mib);
        let note = format!("`cma={mib}M` on the command line does the same without a new kernel");
        self.paste.notes.push(note);
    }

    fn by_line(&mut self, wanted: &Wanted) {
        let word = parameter(wanted.bytes);
        let before = self.board.line.clone();
        let after = match &before {
            Some(line) => with_size(line, &word),
            None => format!("cma={word}"),
        };
        if before.is_none() {
            let note = "the command line is not known: what is shown takes the place of every cma= \
                        in it";
            self.paste.notes.push(note.to_string());
        }
        let old = self.board.command.as_ref().and_then(|(_, command)| command.cma);
        let shown = |bytes: u64| format!("{bytes:#x} ({})", size(bytes));
        self.paste.replaces.push(Replaced {
            what: "cma= on the command line".to_string(),
            before: old.map_or("not known".to_string(), |old| shown(old.bytes)),
            after: shown(wanted.bytes),
        });
        self.line(before, after);
    }

    /// The command line without `cma=`, which keeps the kernel from taking a node.
    pub(super) fn without_parameter(&mut self, node: &str) {
        let Some(line) = self.board.line.clone() else { return };
        let note = format!(
            "the command line has cma=, and while it has the kernel drops the node {node}: it is \
             taken off here"
        );
        self.paste.notes.push(note);
        let is_other = |word: &&str| !word.trim_matches('"').starts_with("cma=");
        let words: Vec<_> = line.split_ascii_whitespace().filter(is_other).collect();
        self.line(Some(line.clone()), words.join(" "));
    }

    fn line(&mut self, before: Option<String>, after: String) {
        let old = before.as_deref().unwrap_or("as it was");
        self.paste.back.push(format!("make the command line again: {old}"));
        self.paste.cmdline = Some(Line { before, after });
    }

    /// What the next boot prints of an area.
    pub(super) fn boot_prints(&mut self, name: &str, bytes: u64, by_node: bool) {
        let (mib, release) = (bytes >> 20, self.board.release());
        let prints = &mut self.paste.boot_prints;
        if by_node {
            prints.push(format!("Reserved memory: created CMA memory pool at 0x…, size {mib} MiB"));
            prints.push(format!(
                "OF: reserved mem: initialized node {name}, compatible id shared-dma-pool"
            ));
        } else {
            let on_node = release.is_some_and(|own| ON_NODE.0 <= own && own < ON_NODE.1);
            let on_node = if on_node { " on node -1" } else { "" };
            prints.push(format!("cma: Reserved {mib} MiB at 0x…{on_node}"));
        }
        for _ in self.given.iter().filter(|(_, pool)| pool == name) {
            prints.push(format!("assigned reserved memory node {name}"));
        }
        let counts = release.map(Span::of).and_then(|span| span.shows(Sign::CountersOfPages));
        if counts == Some(true) {
            let pages = bytes / self.board.page_bytes();
            self.paste.notes.push(format!("/sys/kernel/mm/cma/{name}/total_pages has {pages}"));
        }
    }
}

/// `28M`, `4100K`.
fn parameter(bytes: u64) -> String {
    match bytes.is_multiple_of(1 << 20) {
        true => format!("{}M", bytes >> 20),
        false => format!("{}K", bytes >> 10),
    }
}

/// The command line with another size in its last `cma=`, which is the one that counts; its place
/// stays.
fn with_size(line: &str, size: &str) -> String {
    let mut words: Vec<_> = line.split_ascii_whitespace().map(str::to_string).collect();
    let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
    let is_own = |word: &String| word.trim_matches('"').starts_with("cma=");
    match words[..end].iter().rposition(is_own) {
        Some(at) => {
            let place = words[at].trim_matches('"').split_once('@').map(|(_, place)| place);
            let place = place.map_or(String::new(), |place| format!("@{place}"));
            words[at] = format!("cma={size}{place}");
        }
        None => words.insert(end, format!("cma={size}")),
    }
    words.join(" ")
}

/// Bytes of all areas that have memory, where each is known: as the tree and the command line ask,
/// else as a log of a boot says.
pub(super) fn ram(board: &Board, areas: &[crate::lint::Area]) -> Option<u64> {
    use crate::boot::Fate;
    let asked = areas.iter().filter(|area| area.has_memory());
    if board.tree.is_some() {
        return all(asked.map(|area| area.bytes));
    }
    let has =
        |fate: &Fate| matches!(fate, Fate::Placed | Fate::NotDefault(_) | Fate::NotInEffect(_));
    let told = board.log.as_ref()?.areas.iter().filter(|asked| has(&asked.fate));
    let told: Vec<_> = told.collect();
    (!told.is_empty()).then(|| all(told.iter().map(|asked| asked.bytes)))?
}

/// The sum, where each is known and it is one.
pub(super) fn all(mut bytes: impl Iterator<Item = Option<u64>>) -> Option<u64> {
    bytes.try_fold(0, |all: u64, bytes| all.checked_add(bytes?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_parameter_gets_the_size_and_keeps_its_place() {
        for (line, after) in [
            ("quiet cma=64M", "quiet cma=28M"),
            ("cma=64M quiet cma=32M@1G-2G ro", "cma=64M quiet cma=28M@1G-2G ro"),
            ("quiet -- cma=1", "quiet cma=28M -- cma=1"),
            ("\"cma=64M\" ro", "cma=28M ro"),
            ("", "cma=28M"),
        ] {
            assert_eq!(with_size(line, "28M"), after, "{line}");
        }
        assert_eq!((parameter(28 << 20), parameter(4100 << 10)), ("28M".into(), "4100K".into()));
    }
}
