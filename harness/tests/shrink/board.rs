//! The writes to debugfs, on a board that knows nothing of this code: one `bool` a page.

use cma_harness::ingest::Source;
use cma_harness::shrink::{Seen, debugfs};

use super::{LIMITS, Setup, corpora};

/// An area of a board with its debugfs: first fit at order 0, a stack of blocks.
struct Board {
    used: Vec<bool>,
    stack: Vec<(usize, usize)>,
}

impl Board {
    /// Runs shell lines. Whether the last one failed; none before it may.
    fn run(&mut self, script: &str) -> bool {
        let lines: Vec<_> = script.lines().filter(|line| !line.starts_with('#')).collect();
        let mut failed = false;
        for line in lines {
            assert!(!failed, "only the last line may fail: {script}");
            let words: Vec<_> = line.split(' ').collect();
            let ["echo", pages, ">", file] = words[..] else { panic!("{line}") };
            let pages: usize = pages.parse().unwrap();
            match file.rsplit('/').next() {
                Some("alloc") => failed = !self.alloc(pages),
                Some("free") => self.free(pages),
                _ => panic!("{line}"),
            }
        }
        failed
    }

    fn alloc(&mut self, pages: usize) -> bool {
        let fits = |at: &usize| self.used[*at..].iter().take(pages).all(|used| !used);
        let Some(at) = (0..(self.used.len() + 1).saturating_sub(pages)).find(fits) else {
            return false;
        };
        self.used[at..at + pages].fill(true);
        self.stack.push((at, pages));
        true
    }

    fn free(&mut self, mut pages: usize) {
        while pages > 0 {
            let Some((at, count)) = self.stack.pop() else { return };
            let gone = pages.min(count);
            self.used[at..at + gone].fill(false);
            pages -= gone;
            if gone < count {
                self.stack.push((at + gone, count - gone));
            }
        }
    }
}

fn check(name: &str, policy: &str, aligned: bool) -> String {
    let setup = Setup::new(policy, 8);
    let subject = setup.read(&Source::file(&corpora().join(name)));
    let goal = setup.goal(&subject).unwrap_or_else(|| panic!("{name} has a refusal"));
    let shrunk = setup.shrunk(&subject, goal, LIMITS);
    let Seen::Refused(refusal) = &shrunk.seen else { panic!("{:?}", shrunk.seen) };
    let script = debugfs(&shrunk.subject, refusal).unwrap();
    let mut board = Board { used: vec![false; refusal.area_pages as usize], stack: Vec::new() };
    assert_eq!(board.run(&script), !aligned, "{name}: {script}");
    let free = board.used.iter().filter(|used| !**used).count();
    assert_eq!(free as u64, refusal.free_pages, "{name}: {script}");
    if aligned {
        let base = shrunk.subject.area.ranges()[0].pfn.0;
        for hole in &refusal.holes {
            let at = (hole.pfn.0 - base) as usize;
            assert!(board.used[at..at + hole.count as usize].iter().all(|used| !used), "{script}");
        }
    }
    script
}

#[test]
fn a_board_gets_to_the_same_refusal() {
    check("recordings/6.12/text/frag.csv.gz", "kernel", false);
    check("recordings/6.12/checker-a1-any.csv.gz", "kernel", true);
    let script = check("recordings/6.12/text/align.csv.gz", "kernel", true);
    assert!(script.contains("debugfs asks at order 0"), "{script}");
}
