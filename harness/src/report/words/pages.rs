//! How large the pages of a plan are.

use super::doubts::if_larger;
use crate::answer::Choice;
use crate::sweep::Ready;

/// How large a page is, and whether that is known. Nothing where profiles alone are run on pages of 4
/// KiB that nobody speaks of: no number of pages comes from elsewhere. Where it is not known, what an
/// answer would be if they were larger.
pub(in crate::report) fn pages_are(ready: &Ready, choice: Option<&Choice>) -> Option<String> {
    let (plan, page) = (&ready.plan, ready.plan.page);
    if plan.is_page_stated {
        return Some(format!("Pages are of {page}"));
    }
    let has_files = ready.checked.iter().any(|known| known.paged.is_some());
    has_files.then(|| {
        let larger = choice.and_then(|choice| if_larger(ready, choice));
        format!(
            "Pages are taken to be of {page}: neither the plan states it (page_kib) nor do its files{}",
            larger.map(|larger| format!("; {larger}")).unwrap_or_default()
        )
    })
}
