//! A table of aligned columns for a terminal.

use std::io::{self, Write};

/// Writes `rows` under `head`: a column of numbers to the right, any other to the left.
pub(super) fn write(out: &mut dyn Write, head: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    let cell = |row: &Vec<String>, column: usize| row.get(column).cloned().unwrap_or_default();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| cell(row, column).chars().count());
        cells.chain([head[column].chars().count()]).max().unwrap_or(0)
    };
    let is_number = |column: usize| {
        let filled = rows.iter().map(|row| cell(row, column)).filter(|text| !text.is_empty());
        filled.clone().count() > 0 && filled.clone().all(|text| numeric(&text))
    };
    let looks: Vec<_> = (0..head.len()).map(|column| (width(column), is_number(column))).collect();
    let head: Vec<_> = head.iter().map(ToString::to_string).collect();
    for row in [&head].into_iter().chain(rows) {
        let mut line = String::new();
        for (column, (width, right)) in looks.iter().enumerate() {
            let text = cell(row, column);
            let pad = " ".repeat(width - text.chars().count());
            let gap = if column == 0 { "" } else { "  " };
            line += &if *right { format!("{gap}{pad}{text}") } else { format!("{gap}{text}{pad}") };
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn numeric(text: &str) -> bool {
    text.trim_end_matches(" %").bytes().all(|byte| byte.is_ascii_digit() || b".-".contains(&byte))
}

/// `text` as a CSV field.
pub(super) fn quote(text: &str) -> String {
    if text.contains([',', '"', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_string()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_stand_to_the_right_and_words_to_the_left() {
        let mut out = Vec::new();
        let rows = [["kernel", "8", "49.8 %"], ["best-fit", "12", ""]];
        let rows = rows.map(|row| row.map(String::from).to_vec());
        super::write(&mut out, &["policy", "cap", "free"], &rows).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "policy    cap    free\nkernel      8  49.8 %\nbest-fit   12\n");
    }

    #[test]
    fn a_field_is_quoted_where_it_must_be() {
        assert_eq!(super::quote("kernel"), "kernel");
        assert_eq!(super::quote("zoned:share=0.25,order=8"), "\"zoned:share=0.25,order=8\"");
        assert_eq!(super::quote("a\"b"), "\"a\"\"b\"");
    }
}
