//! CSV as every table, stream and recording is written: a field in double quotes where it has a
//! comma, a double quote or a line end, and `\n` at the end of a row.

use std::io::{self, Write};

use csv::Writer;

/// Writes a row. An error of the output keeps its kind: that nobody reads on is none to report.
pub(crate) fn write<W: Write, T: AsRef<[u8]>>(
    writer: &mut Writer<W>,
    row: impl IntoIterator<Item = T>,
) -> io::Result<()> {
    writer.write_record(row).map_err(|error| match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    })
}

/// Writes the names of the columns, with commas between them, and the rows of a table.
pub(crate) fn table<R: AsRef<[String]>>(
    out: &mut dyn Write,
    head: &str,
    rows: impl IntoIterator<Item = R>,
) -> io::Result<()> {
    writeln!(out, "{head}")?;
    let mut writer = Writer::from_writer(out);
    for row in rows {
        write(&mut writer, row.as_ref())?;
    }
    writer.flush()
}

/// A row without its line end.
#[cfg(any(feature = "cli", test))]
pub(crate) fn line<T: AsRef<[u8]>>(fields: impl IntoIterator<Item = T>) -> String {
    let mut row = Vec::new();
    let mut writer = Writer::from_writer(&mut row);
    write(&mut writer, fields).and_then(|()| writer.flush()).expect("memory takes all");
    drop(writer);
    row.pop();
    String::from_utf8_lossy(&row).into_owned()
}

/// What there is of `value` as a field; nothing for none.
pub(crate) fn optional(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_quoted_where_it_must_be() {
        let rows = [["kernel", "#1 \t"], ["zoned:share=0.25,order=8", "a \"b\""], ["", "a\rb\n"]];
        let rows = rows.map(|row| row.map(String::from));
        let mut out = Vec::new();
        table(&mut out, "policy,name", &rows).unwrap();
        let text = "policy,name\nkernel,#1 \t\n\"zoned:share=0.25,order=8\",\"a \"\"b\"\"\"\n,\"a\rb\n\"\n";
        assert_eq!(String::from_utf8(out).unwrap(), text);
        assert_eq!(line(["1", "a,b"]), "1,\"a,b\"");
    }

    #[test]
    fn an_output_that_is_full_is_an_error() {
        let mut full = [0_u8; 4];
        let failed = table(&mut &mut full[..], "policy", [["kernel".to_string()]]);
        assert!(failed.is_err());
    }
}
