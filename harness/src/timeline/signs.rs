//! What a record shows of the kernel that printed it.

use crate::ingest::log::{Origin, Page, Record};
use crate::kernel::Sign;

/// The signs that `record` shows.
pub(crate) fn signs(record: &Record) -> impl Iterator<Item = Sign> {
    let none = [None, None];
    let found = match record {
        Record::Start { vendor: true, .. } => none,
        Record::Start { origin: Origin::Trace, available, .. } => {
            [Some(if available.is_some() { Sign::StartTotals } else { Sign::StartPlain }), None]
        }
        Record::Start { named, .. } => [named.then_some(Sign::DebugNamed), None],
        Record::Finish { origin: Origin::Trace, page, pfn, errno, alone, .. } => {
            let shape = match (alone, errno) {
                (true, _) => Sign::EventAlone,
                (false, Some(_)) => Sign::FinishErrno,
                (false, None) => Sign::FinishPlain,
            };
            let failed = *page == Page::Null || errno.is_some_and(|errno| errno != 0);
            let of_pfn = |pfn| if pfn == 0 { Sign::PfnZero } else { Sign::PfnTried };
            [Some(shape), pfn.filter(|_| failed).map(of_pfn)]
        }
        Record::Debugfs { range: Some(_), .. } => [Some(Sign::RangesInDebugfs), None],
        Record::Counter { name, .. } => match &**name {
            "total_pages" | "available_pages" => [Some(Sign::CountersOfPages), None],
            "release_pages_success" => [Some(Sign::CounterOfReleases), None],
            _ => none,
        },
        _ => none,
    };
    found.into_iter().flatten()
}
