//! What `--version` says: the version, the commit where it is known, and the kernels.

use std::sync::LazyLock;

use crate::kernel::{KERNELS, Kernel};

/// The version, and the commit it was built from where that is known: of a release build in the
/// project's own repository, or of a package. Nothing else that is written has a commit in it, so
/// that two builds of one version write the same bytes.
pub(super) const SHORT: &str = env!("CMALAB_VERSION");

/// The same, and below it the rows of the table of kernels.
pub(super) fn long() -> &'static str {
    static LONG: LazyLock<String> = LazyLock::new(text);
    &LONG
}

fn text() -> String {
    let width = KERNELS.iter().map(|row| row.name.len()).max().unwrap_or(0);
    let rows = KERNELS.iter().map(|row| format!("  {:width$}  {}\n", row.name, row.about));
    format!(
        "{SHORT}\n\nKernels that it tells apart, each by the first release that behaves so:\n{}\n\
         The newest is {}: later ones are taken to be as it, those between two rows as the older.",
        rows.collect::<String>(),
        Kernel::newest().name
    )
}
