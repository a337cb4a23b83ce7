//! Which lines are looked at: those with a word that a record can begin with.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use super::messages::{self, Reader, Said};

/// The words of every row, each with the reader of the first row that has it.
static WORDS: LazyLock<Vec<(&str, Reader)>> = LazyLock::new(messages::words);

static MACHINE: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let texts = WORDS.iter().map(|(text, _)| text);
    let mut builder = AhoCorasick::builder();
    let built = builder.match_kind(MatchKind::LeftmostFirst).build(texts);
    built.expect("a few short patterns")
});

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

/// The words that contain no other: a text without these has none.
static SHORTEST: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let texts = || WORDS.iter().map(|(text, _)| *text);
    let shortest = |text: &&str| !texts().any(|other| other != *text && text.contains(other));
    texts().filter(shortest).collect()
});

static WANTED: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostFirst)
        .build(&*SHORTEST)
        .expect("a few short patterns")
});

/// Where a word is, if there is one.
pub(super) fn wanted(bytes: &[u8]) -> Option<usize> {
    WANTED.find(bytes).map(|found| found.start())
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
    fn the_words_are_few_enough() {
        assert!(SHORTEST.len() <= 64, "{}", SHORTEST.len());
    }

    #[test]
    fn every_kind_is_found_where_it_is() {
        assert_eq!(wanted(b"nothing here"), None);
        assert_eq!(wanted(b"[    1.0] cma: x"), Some(10));
        let found: Vec<_> = hits(b"at +3072@1024: failed to allocate").collect();
        assert!(matches!(found[..], [(7, 9, Reader::Runs), (22, _, Reader::Driver)]), "{found:?}");
    }
}
