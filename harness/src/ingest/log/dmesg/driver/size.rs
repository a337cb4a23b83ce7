//! How much a driver asked for whose words are in no table: a number counts only where the grammar
//! around it binds it to the words that say that nothing was there.

use std::sync::LazyLock;

use regex::bytes::Regex;

use crate::ingest::log::bytes;

/// How far from the words a number may be.
const NEAR: usize = 64;

/// A number, and the same with its unit.
const BARE: &str = r"(?:0x(?<hex>[0-9a-f]{1,16})|(?<size>[0-9]{1,20}))\b";
const AMOUNT: &str = r"BARE\s*(?<unit>bytes?|[kmg]i?b|[kmg])\b";

/// A word that says that a size follows it.
const BOUND: &str = r"\b(?:size|len|length)(?:\s+of)?\s*[=:]?\s*\(?";

/// What may be between the words that refuse and the number: what the memory is for, in a few words.
const THING: &str = r"\w*[\s:,!.-]*(?:[\w\[\]./*'-]+:?,?\s+){0,5}?";

/// After the words: `4096 bytes`, `8486912 buffer`, `buffer of size 4096`, `[sysmem] size=0x1000`.
static AFTER: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        r"^\w*\s+AMOUNT",
        r"^\w*\s+BARE\s+(?:dma\s+)?buffers?\b",
        r"^THING\(?BOUND(?:AMOUNT)",
        r"^THING\(?BOUND(?:BARE)",
        r"^THING(?:of|for)\s+AMOUNT",
    ]
    .map(compiled)
    .into()
});

/// Before the word that refuses: `alloc of size 4096 failed`, `allocation of 4096 bytes failed`.
static BEFORE: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let ends = r"\)?[\s,:]*$";
    ["AMOUNT", "BOUNDAMOUNT", "BOUNDBARE", r"\(BARE"]
        .map(|number| compiled(&format!(r"alloc\w*\s*\(?(?:of|for|with)?\s*{number}{ends}")))
        .into()
});

fn compiled(text: &str) -> Regex {
    let text = text.replace("THING", THING).replace("BOUND", BOUND);
    let text = text.replace("AMOUNT", AMOUNT).replace("BARE", BARE);
    bytes::pattern(&format!("(?i-u){text}"))
}

/// Words of a sentence about something else: what follows them is not what was asked for.
static PROSE: LazyLock<Regex> = LazyLock::new(|| {
    bytes::pattern(
        r"(?i-u)\b(?:when|after|until|till|since|because|was|were|is|are|i|we|my|our|it|but|though|and|even|only|about|around|than|if|then|so|here|seen|until|raised|set)\b|[.;?]\s",
    )
});

/// The bytes that were asked for; `from` and `to` are where the words begin and end that refuse.
pub(super) fn asked(line: &[u8], from: usize, to: usize) -> Option<u64> {
    let after = &line[to..line.len().min(to + NEAR)];
    let end = PROSE.find(after).map_or(after.len(), |prose| prose.start());
    let after = &after[..end];
    let before = &line[from.saturating_sub(NEAR)..from];
    let after = AFTER.iter().find_map(|pattern| amount(pattern, after));
    after.or_else(|| BEFORE.iter().find_map(|pattern| amount(pattern, before)))
}

fn amount(pattern: &Regex, text: &[u8]) -> Option<u64> {
    let found = pattern.captures(text)?;
    let part = |name| str::from_utf8(found.name(name)?.as_bytes()).ok();
    let hex = |digits| u64::from_str_radix(digits, 16).ok();
    let value = part("hex").and_then(hex).or_else(|| part("size")?.parse().ok())?;
    let order = match part("unit").map(|unit| unit.as_bytes()[0].to_ascii_lowercase()) {
        Some(b'k') => 10,
        Some(b'm') => 20,
        Some(b'g') => 30,
        _ => 0,
    };
    value.checked_mul(1 << order)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words that refuse are marked by `|` before and after them.
    fn asked_of(text: &str) -> Option<u64> {
        let parts: Vec<_> = text.split('|').collect();
        let [before, words, _] = parts[..] else { panic!("{text}") };
        let line = parts.concat();
        asked(line.as_bytes(), before.len(), before.len() + words.len())
    }

    #[test]
    fn a_size_is_bound_by_the_words_around_it() {
        for (text, expected) in [
            ("foo: |could not alloc|ate 16 MiB of memory", Some(16 << 20)),
            ("foo: |failed to alloc|ate 4096 bytes for x", Some(4096)),
            ("foo: |failed to alloc|ate 8486912 buffer.", Some(8_486_912)),
            ("foo: |failed to alloc|ate bitstream buffer of size 3686400", Some(3_686_400)),
            ("foo: |Failed to alloc|ate DMA buffer (size=0x1000)", Some(4096)),
            ("foo: |cannot alloc|ate desc base address table (size 8192 bytes)", Some(8192)),
            ("x: dma_alloc_coherent of size 77824 |failed|", Some(77824)),
            ("x: DMA allocation of 65536 bytes |failed|", Some(65536)),
            ("x: dma_alloc_wc(65536) |failed|", Some(65536)),
            ("x: |DMA alloc FAILED|: [sysmem] size=4096 aligned=4096", Some(4096)),
        ] {
            assert_eq!(asked_of(text), expected, "{text}");
        }
    }

    #[test]
    fn a_number_in_prose_is_none() {
        for text in [
            "CmaTotal was 64 MB when it said |failed to alloc|ate buffer",
            "we |cannot alloc|ate more than 16 MB with size 4096",
            "|alloc failed| messages were seen here until we raised the area with cma= to 192M",
            "it |failed to alloc|ate the buffer. Size of CMA is 64 MB",
            "with 512 MB of RAM |unable to alloc|ate",
            "|Failed to alloc|ate buffer after about 3 minutes of 4096 kB",
            "foo: |failed to alloc|ate ring 4096",
        ] {
            assert_eq!(asked_of(text), None, "{text}");
        }
    }
}
