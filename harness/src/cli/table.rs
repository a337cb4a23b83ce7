//! Fields of CSV.

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
    fn a_field_is_quoted_where_it_must_be() {
        assert_eq!(super::quote("kernel"), "kernel");
        assert_eq!(super::quote("zoned:share=0.25,order=8"), "\"zoned:share=0.25,order=8\"");
        assert_eq!(super::quote("a \"b\""), "\"a \"\"b\"\"\"");
    }
}
