//! Colours and lines of a terminal.

use std::io::{self, Write};

use crate::words;

/// The widest line.
const WIDTH: usize = 100;

/// Colours, or none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint {
    pub(super) color: bool,
}

impl Paint {
    pub(super) fn bold(self, text: &str) -> String {
        self.code("1", text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.code("2", text)
    }

    /// Characters of a picture: what the request could not use and what it would have used
    /// are marked.
    pub(super) fn picture(self, glyphs: impl IntoIterator<Item = char>) -> String {
        let glyphs: Vec<char> = glyphs.into_iter().collect();
        let same = |a: &char, b: &char| code_of(*a) == code_of(*b);
        let pieces = glyphs.chunk_by(same).map(|piece| {
            let text: String = piece.iter().collect();
            code_of(piece[0]).map_or(text.clone(), |code| self.code(code, &text))
        });
        pieces.collect()
    }

    fn code(self, code: &str, text: &str) -> String {
        if self.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }
}

const fn code_of(glyph: char) -> Option<&'static str> {
    match glyph {
        '!' => Some("33"),
        'X' => Some("31;1"),
        'o' | '[' | ']' => Some("32;1"),
        '=' => Some("36"),
        '#' => Some("2"),
        _ => None,
    }
}

/// Writes `text` after `first`, and after `next` from the second line on, in lines of 100 columns.
pub(super) fn wrapped(text: &str, first: &str, next: &str, out: &mut dyn Write) -> io::Result<()> {
    words::wrapped(text, WIDTH, (first, next)).iter().try_for_each(|line| writeln!(out, "{line}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, first: &str, next: &str) -> Vec<String> {
        let mut out = Vec::new();
        wrapped(text, first, next, &mut out).unwrap();
        String::from_utf8(out).unwrap().lines().map(String::from).collect()
    }

    #[test]
    fn lines_end_at_the_hundredth_column() {
        let word = "x".repeat(49);
        assert_eq!(lines(&format!("{word} {word}"), "", "").len(), 1, "99 columns");
        assert_eq!(lines(&format!("{word} {word}y"), "", "").len(), 1, "100 columns");
        assert_eq!(
            lines(&format!("{word} {word}yz"), "", "> "),
            [word.clone(), format!("> {word}yz")]
        );
        let long = "y".repeat(140);
        assert_eq!(
            lines(&format!("a {long} b"), "", "  "),
            ["a".into(), format!("  {long}"), "  b".into()]
        );
    }

    #[test]
    fn colours_take_no_room() {
        let word = "x".repeat(49);
        assert_eq!(lines(&format!("\x1b[1m{word}\x1b[0m {word}y"), "", "").len(), 1);
        let on = Paint { color: true };
        assert_eq!(on.picture("##!".chars()), "\x1b[2m##\x1b[0m\x1b[33m!\x1b[0m");
        assert_eq!(Paint { color: false }.picture("##!".chars()), "##!");
    }
}
