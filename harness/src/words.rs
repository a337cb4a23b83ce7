//! Numbers and texts as they are shown: the one place that rounds, counts, aligns and wraps.

pub(crate) mod csv;
#[cfg(feature = "cli")]
pub(crate) mod table;

#[cfg(feature = "cli")]
use cma_policies::SpecError;
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};

use crate::page::Page;

/// What follows a message that `word` is none of the `known` ones: the nearest of these, where one
/// is near: `; did you mean "best-fit"?`.
pub(crate) fn near<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    // Jaro finds what begins alike, edits find two letters of a short word that changed places.
    const LEAST: (f64, f64) = (0.75, 0.6);
    let word = word.to_lowercase();
    let likeness = |known: &'a str| {
        let other = known.to_lowercase();
        let alike = strsim::jaro(&word, &other);
        let edited = strsim::normalized_damerau_levenshtein(&word, &other);
        (alike > LEAST.0 || edited >= LEAST.1).then_some((alike + edited, known))
    };
    // Of equals the first.
    let best = known.into_iter().filter_map(likeness);
    let best = best.reduce(|best, other| if other.0 > best.0 { other } else { best });
    best.map_or_else(String::new, |(_, known)| format!("; did you mean \"{known}\"?"))
}

/// Why a text names no policy, environment or reaction, and what may be meant.
#[cfg(feature = "cli")]
pub(crate) fn because(error: &SpecError) -> String {
    format!("{}{}", error.why, near(error.word(), error.known.iter().copied()))
}

/// `share` in percent without its unit, to the nearest of this many decimals. What is neither
/// nothing nor the whole is never rounded to it: `< 0.1` and `> 99.9` are said instead.
pub(crate) fn percent_number(share: f64, decimals: usize) -> String {
    let shown = |share: f64| format!("{:.decimals$}", share * 100.0);
    let step = 0.01 / 10_f64.powi(decimals as i32);
    let text = shown(share);
    if share > 0.0 && text == shown(0.0) {
        format!("< {}", shown(step))
    } else if share < 1.0 && text == shown(1.0) {
        format!("> {}", shown(1.0 - step))
    } else {
        text
    }
}

/// The same with its unit: `49.8 %`.
pub(crate) fn percent(share: f64, decimals: usize) -> String {
    format!("{} %", percent_number(share, decimals))
}

/// `part` of `whole` in percent, with one decimal; of nothing 0.
pub(crate) fn percent_of(part: u64, whole: u64) -> String {
    let share = if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    // Of large numbers the quotient may be rounded to the whole.
    percent(if part < whole { share.min(1.0 - f64::EPSILON) } else { share }, 1)
}

/// `1 buffer`, `3 buffers`, `2 policies`.
pub(crate) fn counted(number: u64, what: &str) -> String {
    match what.strip_suffix('y') {
        _ if number == 1 => format!("1 {what}"),
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{number} {stem}ies"),
        _ => format!("{number} {what}s"),
    }
}

/// `is` of one, `are` of several.
pub(crate) const fn is_or_are(number: u64) -> &'static str {
    if number == 1 { "is" } else { "are" }
}

/// `was` of one, `were` of several.
pub(crate) const fn was_or_were(number: u64) -> &'static str {
    if number == 1 { "was" } else { "were" }
}

/// `1 page`, `2 pages`.
pub(crate) fn pages(number: u64) -> String {
    counted(number, "page")
}

/// Pages of this size, and how much that is: `457 pages (1.8 MiB)`, `17 pages (68 KiB)`.
pub(crate) fn pages_of(number: u64, page: Page) -> String {
    format!("{} ({})", pages(number), size_of(number, page))
}

/// How much so many pages of this size are: below a MiB in KiB, which are never rounded.
pub(crate) fn size_of(number: u64, page: Page) -> String {
    match number < page.in_mib() {
        true => format!("{} KiB", number * page.kib()),
        false => mib(number, page),
    }
}

/// Pages of this size in MiB without the unit, with a decimal where it says something; what is not
/// nothing is never 0.
pub(crate) fn mib_number(pages: f64, page: Page) -> String {
    let text = format!("{:.1}", pages / page.in_mib() as f64);
    match text.strip_suffix(".0") {
        Some("0") if pages > 0.0 => "< 0.1".to_string(),
        Some(whole) => whole.to_string(),
        None => text,
    }
}

/// The same with the unit: `384 MiB`, `1.2 MiB`.
pub(crate) fn mib(pages: u64, page: Page) -> String {
    format!("{} MiB", mib_number(pages as f64, page))
}

/// The property of a node that makes an area of so many bytes: `size = <0x04000000>`, also for a
/// tree whose sizes have two cells.
#[cfg(feature = "cli")]
pub(crate) fn size_cells(bytes: u64) -> String {
    let low = bytes & 0xffff_ffff;
    match bytes >> 32 {
        0 => format!("`size = <{low:#010x}>` (with two cells `<0x0 {low:#010x}>`)"),
        high => format!("`size = <{high:#x} {low:#010x}>`"),
    }
}

/// Microseconds as seconds, with all decimals and without the unit.
#[cfg(feature = "cli")]
pub(crate) fn seconds(us: u64) -> String {
    format!("{}.{:06}", us / 1_000_000, us % 1_000_000)
}

/// `text` in lines of at most `width` columns, escapes of a terminal not counted. The first line
/// begins with `first`, each further one with `next`; words have one blank between them, and one
/// that is longer gets a line for itself. What is in backticks, a command, is one word, as long as a
/// line has room for it.
pub(crate) fn wrapped(text: &str, width: usize, (first, next): (&str, &str)) -> Vec<String> {
    let room = width.saturating_sub(next.len());
    let text = text.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    let options = Options::new(width)
        .initial_indent(first)
        .subsequent_indent(next)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    let text = joined(&text, room);
    textwrap::wrap(&text, options).iter().map(|line| line.replace(JOINT, " ")).collect()
}

/// A blank at which no line ends.
const JOINT: &str = "\u{a0}";

/// `text` with [`JOINT`] for the blanks in backticks, where what is in them fits into `room`
/// columns together with what adjoins it.
fn joined(text: &str, room: usize) -> String {
    let last = text.split('`').count() - 1;
    let parts = text.split('`').enumerate().map(|(index, part)| {
        let is_command = index % 2 == 1 && index < last;
        match is_command && part.chars().count() + 6 <= room {
            true => part.replace(' ', JOINT),
            false => part.to_string(),
        }
    });
    parts.collect::<Vec<_>>().join("`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_the_whole_is_100_percent_and_nothing_but_nothing_is_0() {
        let table = [
            (28_587, 57_344, "49.9 %"),
            (1, 16, "6.2 %"),
            (9995, 10_000, "> 99.9 %"),
            (9994, 10_000, "99.9 %"),
            (u64::MAX - 1, u64::MAX, "> 99.9 %"),
            (u64::MAX, u64::MAX, "100.0 %"),
            (5, 10_000, "0.1 %"),
            (4, 10_000, "< 0.1 %"),
            (1, u64::MAX, "< 0.1 %"),
            (0, 7, "0.0 %"),
            (0, 0, "0.0 %"),
        ];
        for (part, whole, text) in table {
            assert_eq!(percent_of(part, whole), text, "{part} of {whole}");
        }
        let table = [
            (0.004, 0, "< 1 %"),
            (0.996, 0, "> 99 %"),
            (0.000_04, 2, "< 0.01 %"),
            (0.999_999, 3, "> 99.999 %"),
            (0.123_456, 3, "12.346 %"),
            (1.0, 3, "100.000 %"),
            (1.5, 1, "150.0 %"),
        ];
        for (share, decimals, text) in table {
            assert_eq!(percent(share, decimals), text);
        }
    }

    #[test]
    fn a_command_is_not_broken_where_a_line_has_room_for_it() {
        let lines = |text| wrapped(text, 30, ("", "  "));
        let said = "see with (`echo 1 > /sys/cma/on`), again";
        assert_eq!(lines(said), ["see with", "  (`echo 1 > /sys/cma/on`),", "  again"]);
        // A quote of a log may be longer than a line, and a lone backtick joins nothing.
        let long = "as `one two three four five six seven eight` says";
        assert!(lines(long).iter().all(|line| line.len() <= 30), "{:?}", lines(long));
        let lone = "as `one two three four five six seven eight says";
        assert!(lines(lone).len() > 1 && lines(lone)[0] == "as `one two three four five");
    }

    #[test]
    fn the_nearest_word_is_named_where_one_is_near() {
        let known = ["kernel", "best-fit", "next-fit", "buddy", "zoned", "gpu", "npu", "video"];
        for (word, meant) in [
            ("bestfit", "best-fit"),
            ("best_fit", "best-fit"),
            ("best", "best-fit"),
            ("Kernel", "kernel"),
            ("kernal", "kernel"),
            ("budy", "buddy"),
            ("gpo", "gpu"),
            ("gup", "gpu"),
            ("vedio", "video"),
        ] {
            assert_eq!(near(word, known), format!("; did you mean \"{meant}\"?"), "{word}");
        }
        for word in ["", "hope", "x", "camera", "ブ"] {
            assert_eq!(near(word, known), "", "{word}");
        }
        assert_eq!(near("x", []), "");
    }

    #[test]
    fn one_is_one_and_more_are_several() {
        assert_eq!([0, 1, 2].map(pages), ["0 pages", "1 page", "2 pages"]);
        assert_eq!(counted(1, "policy"), "1 policy");
        assert_eq!(counted(3, "policy"), "3 policies");
        assert_eq!(counted(3, "day"), "3 days");
    }

    #[cfg(feature = "cli")]
    #[test]
    fn a_mib_has_a_decimal_where_it_says_something() {
        let table = [
            (0, "0 MiB"),
            (1, "< 0.1 MiB"),
            (13, "0.1 MiB"),
            (256, "1 MiB"),
            (257, "1 MiB"),
            (300, "1.2 MiB"),
            (163_840, "640 MiB"),
        ];
        for (pages, text) in table {
            assert_eq!(mib(pages, Page::Kib4), text);
        }
        assert_eq!(pages_of(457, Page::Kib4), "457 pages (1.8 MiB)");
        assert_eq!(pages_of(1, Page::Kib4), "1 page (4 KiB)");
        assert_eq!(pages_of(17, Page::Kib16), "17 pages (272 KiB)");
        assert_eq!(pages_of(64, Page::Kib16), "64 pages (1 MiB)");
        assert_eq!(mib(2592, Page::Kib16), "40.5 MiB");
        assert_eq!(mib(1, Page::Kib64), "0.1 MiB");
        assert_eq!(size_cells(5 << 30), "`size = <0x1 0x40000000>`");
        assert_eq!(seconds(1_000_042), "1.000042");
    }

    #[test]
    fn lines_end_at_their_last_column() {
        let word = "x".repeat(49);
        assert_eq!(wrapped(&format!("{word} {word}"), 100, ("", "")).len(), 1, "99 columns");
        assert_eq!(wrapped(&format!("{word} {word}y"), 100, ("", "")).len(), 1, "100 columns");
        let over = format!("{word} {word}yz");
        assert_eq!(wrapped(&over, 100, ("", "> ")), [word.clone(), format!("> {word}yz")]);
        let long = format!("a {}\r\n b-c", "y".repeat(140));
        let expected = ["a".into(), format!("  {}", "y".repeat(140)), "  b-c".into()];
        assert_eq!(wrapped(&long, 100, ("", "  ")), expected);
        let painted = format!("\x1b[1m{word}\x1b[0m {word}y");
        assert_eq!(wrapped(&painted, 100, ("", "")).len(), 1, "colours take no room");
        assert_eq!(wrapped("", 100, ("", "")), [""]);
    }
}
