//! Whether debugfs files are of the area that a recording or a stream states.

use cma_policies::Area;

use super::scan::Scan;
use crate::ingest::{IngestError, Source};

/// Holds the debugfs files of `snapshot` against the area of a table.
///
/// # Errors
/// Where they cannot be read, are of no area of its name, or state other ranges or pages.
pub(in crate::reader) fn agree(snapshot: &Source, area: &Area) -> Result<(), IngestError> {
    let mut scan = Scan::default();
    scan.read(snapshot, false)?;
    let wrong = |why: String| Err(IngestError::of(snapshot.name(), why));
    let name = area.name();
    let Some((layout, _)) = scan.areas.stated(Some(&name.into()), true) else {
        return wrong(format!("no debugfs file of area {name} is in it, which the rows are about"));
    };
    let stated: Vec<u64> = layout.bases.iter().map(|(_, base)| *base).collect();
    let own: Vec<u64> = area.ranges().iter().map(|range| range.pfn.0).collect();
    if !stated.is_empty() && stated != own {
        return wrong(format!(
            "its ranges of area {name} begin at pfn {}, those of the rows at {}; a snapshot of the \
             same boot is needed",
            listed(&stated),
            listed(&own)
        ));
    }
    match layout.total {
        Some(total) if total != area.pages() => {
            wrong(format!("its area {name} has {total} pages, that of the rows {}", area.pages()))
        }
        _ => Ok(()),
    }
}

fn listed(pfns: &[u64]) -> String {
    pfns.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}
