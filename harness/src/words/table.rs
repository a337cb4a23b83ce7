//! A table of aligned columns for a terminal.

use std::io::{self, Write};

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
    fn a_row_may_be_short_and_be_indented() {
        let mut out = Vec::new();
        let rows = [vec!["8".to_string(), "a".to_string()], vec!["12".to_string()]];
        super::aligned(&mut out, "  ", &rows, |column| column == 0).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "   8  a\n  12\n");
    }
}
