//! How large the pages of a plan are.

use crate::sweep::Ready;

/// How large a page is, and whether that is known. Nothing where profiles alone are run on pages of 4
/// KiB that nobody speaks of: no number of pages comes from elsewhere.
pub(in crate::report) fn pages_are(ready: &Ready) -> Option<String> {
    let (plan, page) = (&ready.plan, ready.plan.page);
    if plan.is_page_stated {
        return Some(format!("Pages are of {page}"));
    }
    let has_files = ready.checked.iter().any(|known| known.paged.is_some());
    has_files.then(|| {
        format!(
            "Pages are taken to be of {page}: neither the plan states it (page_kib) nor do its files"
        )
    })
}
