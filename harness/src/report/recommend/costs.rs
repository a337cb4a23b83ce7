//! What a change costs beside RAM, what it assumes, and what any placement needs.

use cma_policies::dma_align;

use super::Shown;
use crate::page::Page;
use crate::recommend::{Base, Candidate, Client, Found, Lever};
use crate::report::plain::clean;
use crate::report::words::any_placement_needs;
use crate::words::{counted, mib};

/// Clients that are named at most.
const NAMED: usize = 6;

/// What a smaller cap costs: who loses the alignment that requests have now. None where no
/// candidate has one.
pub(super) fn cap(base: &Base, found: &Found) -> Option<(u32, String)> {
    let caps = found.ranked.iter().map(|one| one.config.cap);
    let cap = caps.filter(|cap| *cap < base.cap).min()?;
    let page = base.ground.page;
    let relies = found.survey.clients.iter().filter_map(|client| {
        let loses = |count: &u64| dma_align(*count, base.cap) > cap;
        let sizes: Vec<_> = client.sizes.keys().copied().filter(loses).collect();
        let (least, most) = (sizes.first()?, sizes.last()?);
        let sizes = match least == most {
            true => format!("{least}"),
            false => format!("{least} to {most}"),
        };
        Some(format!("{} ({sizes} pages)", name_of(&client.name)))
    });
    let relies: Vec<_> = relies.take(NAMED).collect();
    let line = format!(
        "buffers begin at multiples of {} then, in every area of the board: a device that needs \
         more (a window, an IOMMU's large pages) fails. Larger requests come from {}",
        bytes((1u64 << cap) * page.bytes()),
        relies.join(", ")
    );
    Some((cap, line))
}

/// Bytes as they are said of an alignment.
fn bytes(bytes: u64) -> String {
    match bytes {
        mib if mib >= 1 << 20 => format!("{} MiB", mib >> 20),
        kib => format!("{} KiB", kib >> 10),
    }
}

fn name_of(client: &str) -> String {
    if client.is_empty() { "a client without a name".to_string() } else { clean(client) }
}

/// What each change of a driver among these assumes, and why it may help.
pub(super) fn drivers(shown: &[Candidate]) -> Vec<String> {
    let (mut said, mut lines) = (Vec::new(), Vec::new());
    for lever in shown.iter().flat_map(|one| &one.levers) {
        let Lever::Driver(proposal) = lever else { continue };
        let name = clean(&proposal.change.to_string());
        if said.contains(&name) {
            continue;
        }
        lines.push(format!(
            "{name}: {}. It is for the {}, and assumes that {}",
            clean(&proposal.why()),
            proposal.change.who(),
            proposal.change.assumes()
        ));
        said.push(name);
    }
    lines
}

/// What the page allocator did for the answer; none where nothing.
pub(super) fn served(found: &Found) -> Option<String> {
    let chosen = found.chosen.or(found.baseline).map(|at| &found.ranked[at]);
    let served = chosen.map_or(0, |one| one.evidence().fell_back);
    (served > 0).then(|| {
        format!(
            "of the streams of this answer the area refused {}, which the page allocator served, as \
             it is taken to do for who asks; it may not always have the blocks: --strict counts \
             them as failures",
            counted(served, "request")
        )
    })
}

/// What any placement needs.
pub(super) fn needs(shown: &Shown<'_>) -> Vec<String> {
    let page = shown.task.base.ground.page;
    let bounds = shown.advice.yardstick.iter().flat_map(|one| any_placement_needs(one, page));
    bounds.chain(shown.advice.found.as_ref().and_then(|found| certified(found, page))).collect()
}

/// What suffices for every stream of this LOAD and largest request, by a theorem on first fit without
/// alignment (Robson, 1977): LOAD times 1 + ceil(log2 n).
fn certified(found: &Found, page: Page) -> Option<String> {
    let survey = &found.survey;
    let largest =
        survey.clients.iter().map(Client::largest).max().filter(|largest| *largest > 0)?;
    let times = u64::from(u64::BITS - (largest - 1).leading_zeros()) + 1;
    let pages = survey.load_pages.checked_mul(times)?;
    Some(format!(
        "certified, whatever comes in whatever order: {} for this LOAD and {largest} pages a request at \
         most, where nothing is aligned (cap 0; Robson, 1977); with alignment no theorem is known",
        mib(pages, page)
    ))
}
