//! Which kernels can have printed a text: by the shape of its lines, then by what the user says.

use std::fmt;

/// What is known of the kernel.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Era {
    /// The releases that can have printed it, in words: `4.11-5.11`.
    pub name: Option<String>,
    /// Whether -16 is printed where nothing was found (6.15 on): `None` where it stays open.
    pub flipped: Option<bool>,
    /// A vendor's kernel that sleeps and searches again (Android): -12 may follow a busy pass.
    pub vendor_retry: bool,
}

impl fmt::Display for Era {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name.as_deref().unwrap_or("unknown"))
    }
}
