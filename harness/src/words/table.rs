//! A table of aligned columns for a terminal.

use std::io::{self, Write};

use super::{JOINT, wrapped};

/// Writes `rows` under `head`, names with commas between them: a column of numbers to the right, any other to the left.
pub(crate) fn write(out: &mut dyn Write, head: &str, rows: &[Vec<String>]) -> io::Result<()> {
    let is_number = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let mut filled = cells.filter(|text| !text.is_empty()).peekable();
        filled.peek().is_some() && filled.all(|text| numeric(text))
    };
    let head = head.split(',').map(String::from).collect();
    let all: Vec<&[String]> =
        std::iter::once::<&Vec<_>>(&head).chain(rows).map(Vec::as_slice).collect();
    aligned(out, "", &all, is_number)
}

/// Writes `rows` after `indent`, two blanks between columns, those that `right` names to the right;
/// a row may be short.
pub(crate) fn aligned(
    out: &mut dyn Write,
    indent: &str,
    rows: &[impl AsRef<[String]>],
    right: impl Fn(usize) -> bool,
) -> io::Result<()> {
    let columns = rows.iter().map(|row| row.as_ref().len()).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.as_ref().get(column));
        cells.map(|text| text.chars().count()).max().unwrap_or(0)
    };
    let looks: Vec<_> = (0..columns).map(|column| (width(column), right(column))).collect();
    for row in rows {
        let cells = row.as_ref().iter().zip(&looks).map(|(text, &(width, right))| {
            if right { format!("{text:>width$}") } else { format!("{text:<width$}") }
        });
        let line = cells.collect::<Vec<_>>().join("  ");
        writeln!(out, "{}", format!("{indent}{line}").trim_end())?;
    }
    Ok(())
}

/// `rows`, the first of which is the head, in lines of `room` columns: where they are wider, the
/// columns in `folds` are made narrower, one after the other, at commas, and in the head at blanks.
/// What does not fit on a line goes on below it.
pub(crate) fn folded(
    rows: &[impl AsRef<[String]>],
    room: usize,
    folds: &[usize],
) -> Vec<Vec<String>> {
    let columns = rows.iter().map(|row| row.as_ref().len()).max().unwrap_or(0);
    let chars = |text: &str| text.chars().count();
    let most = |column: usize, of: &dyn Fn(usize, &str) -> usize| {
        let cells =
            rows.iter().enumerate().filter_map(|(at, row)| Some((at, row.as_ref().get(column)?)));
        cells.map(|(at, text)| of(at, text)).max().unwrap_or(0)
    };
    let mut widths: Vec<_> =
        (0..columns).map(|column| most(column, &|_, text| chars(text))).collect();
    let mut over =
        (widths.iter().sum::<usize>() + 2 * columns.saturating_sub(1)).saturating_sub(room);
    for &column in folds {
        let least = most(column, &|at, text| match at {
            // The head has two lines at most.
            0 => (0..).find(|width| wrapped(text, *width, ("", "")).len() <= 2).unwrap_or(0),
            _ => joined(at, text).split(' ').map(chars).max().unwrap_or(0),
        });
        let less = over.min(widths[column].saturating_sub(least));
        widths[column] -= less;
        over -= less;
    }
    let mut lines = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let cells = row.as_ref().iter().zip(&widths).enumerate();
        let cells: Vec<_> = cells
            .map(|(column, (text, &width))| match folds.contains(&column) {
                true => wrapped(&joined(at, text), width, ("", "")),
                false => vec![text.clone()],
            })
            .collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        let line =
            |line: usize| cells.iter().map(move |cell| cell.get(line).cloned().unwrap_or_default());
        lines.extend((0..height).map(|at| line(at).collect::<Vec<_>>()));
    }
    lines
}

/// A cell of row `at`, with blanks only where it may be folded.
fn joined(at: usize, text: &str) -> String {
    match at {
        0 => text.to_string(),
        _ => text.replace(' ', JOINT).replace(&format!(",{JOINT}"), ", "),
    }
}

fn numeric(text: &str) -> bool {
    let number = text.trim_start_matches(['<', '>', ' ']).trim_end_matches(" %");
    number.bytes().all(|byte| byte.is_ascii_digit() || b".-".contains(&byte))
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_to_the_right_and_words_to_the_left() {
        let mut out = Vec::new();
        let rows = [["kernel", "8", "49.8 %"], ["best-fit", "12", ""], ["x", "0", "< 0.1 %"]];
        let rows = rows.map(|row| row.map(String::from).to_vec());
        super::write(&mut out, "policy,cap,free", &rows).unwrap();
        let text = String::from_utf8(out).unwrap();
        let expected = "policy    cap     free\nkernel      8   49.8 %\nbest-fit   12\nx           \
                        0  < 0.1 %\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn what_is_too_wide_goes_on_below() {
        let rows = [["cap", "why it is so", "then"], ["8", "one 7 %, two 3 %", "9"]];
        let rows = rows.map(|row| row.map(String::from));
        let same: Vec<_> = rows.iter().map(|row| row.to_vec()).collect();
        assert_eq!(super::folded(&rows, 27, &[1]), same);
        let folded = [["cap", "why it is", "then"], ["", "so", ""], ["8", "one 7 %,", "9"]];
        let mut folded: Vec<_> = folded.iter().map(|row| row.map(String::from).to_vec()).collect();
        folded.push(["", "two 3 %", ""].map(String::from).to_vec());
        assert_eq!(super::folded(&rows, 20, &[1]), folded);
        // No narrower than what cannot be folded.
        let least = super::folded(&rows, 1, &[1]);
        assert_eq!(least[0][1], "why it");
        assert_eq!(least.last().unwrap()[1], "two 3 %");
    }

    #[test]
    fn a_row_may_be_short_and_be_indented() {
        let mut out = Vec::new();
        let rows = [vec!["8".to_string(), "a".to_string()], vec!["12".to_string()]];
        super::aligned(&mut out, "  ", &rows, |column| column == 0).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "   8  a\n  12\n");
    }
}
