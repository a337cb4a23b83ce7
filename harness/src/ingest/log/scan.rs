//! Which lines are looked at: those with a word that a record can begin with.
//!
//! Two machines: one of few parts, a part of each word, passes over what has none in bulk, and the
//! other one finds the words themselves in the lines that are left.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::messages::{self, Reader, Said};

/// The words of every row, each with the reader of the first row that has it.
static WORDS: LazyLock<Vec<(&str, Reader)>> = LazyLock::new(messages::words);

static MACHINE: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let texts = WORDS.iter().map(|(text, _)| text);
    let mut builder = AhoCorasick::builder();
    let builder = builder.match_kind(MatchKind::LeftmostFirst).kind(Some(AhoCorasickKind::DFA));
    builder.build(texts).expect("a few short patterns")
});

/// What each word has one of, and few other lines have; what begins a run or a node is looked at
/// otherwise. The machine looks at the first bytes of each, as many as the shortest has: the rarer
/// these are, the faster.
#[rustfmt::skip]
const PARTS: &[&str] = &[
    "cma", "Cma", "CMA", "lloc", "q-size", "q size", "mber of a", "_from_contig", "_next_z",
    "rved mem", "rved_mem", "rved-mem", "[mem 0x", "Machine m", "Hugepages", "Page block",
    "-dma-pool", "y-region", "K available (", "ux ", "ux/", "(ARMv", "rmagic", "AGESI", "Boot ", "eboot","ainted", "uname ", "Kernel: ",
    "KernelR", "/modules/", "vmlinuz-", "mmand line", "echo ", "bos ", "kb BOs (", "Objects",
    "LOST", "DROPPED", "\"time\":", "\"MESSAGE\"", "/bitmap", "_pfn", "_per_bit", "xchunk", "==> ",
    "cat /", "Total:", "Free:", "MemAv", "zone ", "C_DEBUG", "tconf ", "ONFIG_", "m-kill",
    "m_dma_c", "tlb b", "DMA mask", "hkernel res", "ID: ", "eo0", "/dma_h",
];

static BULK: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let mut builder = AhoCorasick::builder();
    builder.match_kind(MatchKind::LeftmostFirst).build(PARTS).expect("a few short patterns")
});

/// Where the first part of a word is: what is before it says nothing.
pub(super) fn passed(bytes: &[u8]) -> Option<usize> {
    let found = BULK.find(bytes).map(|found| found.start());
    let before = &bytes[..found.unwrap_or(bytes.len())];
    let begins = |at: &usize| match bytes[*at] {
        b'@' => is_run(&before[..*at]),
        // A node of a device tree is open at the end of its line.
        _ => bytes.get(at + 1).is_none_or(|next| b"\r\n".contains(next)),
    };
    memchr::memchr2_iter(b'@', b'{', before).find(begins).or(found)
}

/// Whether `@` after `before` is that of a free run.
fn is_run(before: &[u8]) -> bool {
    before.last().is_some_and(u8::is_ascii_digit)
}

/// The phrases of a boot, each with its reader.
static PHRASES: LazyLock<(AhoCorasick, Vec<Said>)> = LazyLock::new(|| {
    let phrases = messages::all(|reader| match reader {
        Reader::Phrase(phrase, read) => Some((phrase, read)),
        _ => None,
    });
    let (texts, readers): (Vec<_>, Vec<_>) = phrases.unzip();
    let mut builder = AhoCorasick::builder();
    let built = builder.match_kind(MatchKind::LeftmostFirst).build(texts);
    (built.expect("a few short patterns"), readers)
});

/// The phrases of a boot in `bytes`: where each begins and ends, and who reads what is around it.
pub(super) fn phrases(bytes: &[u8]) -> impl Iterator<Item = (usize, usize, Said)> {
    let (machine, readers) = &*PHRASES;
    machine.find_iter(bytes).map(|hit| (hit.start(), hit.end(), readers[hit.pattern()]))
}

/// Where the first word is.
pub(super) fn wanted(bytes: &[u8]) -> Option<usize> {
    MACHINE.find(bytes).map(|found| found.start())
}

/// The words in `bytes` from left to right, not overlapping: where each begins and ends, and who
/// reads what it leads to.
pub(super) fn hits(bytes: &[u8]) -> impl Iterator<Item = (usize, usize, Reader)> {
    let words = &*WORDS;
    MACHINE.find_iter(bytes).map(|hit| (hit.start(), hit.end(), words[hit.pattern()].1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Above this number the machine has no vectors to pass over what has none of the words.
    #[test]
    fn the_parts_are_few_enough() {
        assert!(PARTS.len() <= 64, "{}", PARTS.len());
    }

    #[test]
    fn what_begins_a_run_or_a_node_is_not_passed() {
        for text in ["x\nnode {\n", "x\nnode {\r\n", "x\nnode {"] {
            assert_eq!(passed(text.as_bytes()), Some(7), "{text}");
        }
        assert_eq!(passed(b"x\n{ }\nmail@x"), None);
        assert_eq!(passed(b"x\n{ }\n2@x"), Some(7));
    }

    /// Words that follow a part of another word in every line, and those of a form, which is at the
    /// start of a text where each line is looked at.
    const EXEMPT: [&str; 5] =
        ["ate from ", "Kernel version:", "Kernel Version:", "Kernel**:", "Kernel:**"];

    #[test]
    fn every_word_has_a_part() {
        for (word, _) in &*WORDS {
            let run = word.as_bytes().strip_suffix(b"@").is_some_and(is_run);
            let node = *word == "{\n";
            assert!(
                run || node
                    || EXEMPT.contains(word)
                    || PARTS.iter().any(|part| word.contains(part)),
                "{word}"
            );
        }
        for part in PARTS {
            assert!(WORDS.iter().any(|(word, _)| word.contains(part)), "{part}");
        }
    }

    #[test]
    fn every_kind_is_found_where_it_is() {
        assert_eq!(wanted(b"nothing here"), None);
        assert_eq!(wanted(b"[    1.0] cma: x"), Some(10));
        let found: Vec<_> = hits(b"at +3072@1024: failed to allocate").collect();
        assert!(matches!(found[..], [(7, 9, Reader::Runs), (22, _, Reader::Driver)]), "{found:?}");
    }
}
