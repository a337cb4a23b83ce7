//! Text that anybody may have written.

use std::fmt;

use crate::report::plain::clean;

/// Text as it may stand in an element or a quoted attribute.
pub(in crate::report) struct Escaped<T>(pub(in crate::report) T);

impl<T: AsRef<str>> fmt::Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        clean(self.0.as_ref()).chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            c => fmt::Write::write_char(f, c),
        })
    }
}
