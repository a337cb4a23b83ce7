//! Which clients could have a pool of their own.

use std::collections::BTreeSet;

use super::Limits;
use super::survey::{Client, Survey};

/// The most groups that are tried.
const MOST: usize = 4;

/// Groups of clients, by kind, each of which could have a pool of its own: those whose requests are
/// largest, those whose buffers live longest, each cut where the gap to the others is widest; then who
/// has most pages at once. What goes together in size and in time is what strands least of an area
/// that it has alone.
pub(super) fn splits(survey: &Survey, limits: &Limits) -> Vec<Vec<String>> {
    let clients: Vec<&Client> = survey.clients.iter().filter(|one| !one.name.is_empty()).collect();
    let may = |name: &str| limits.may_split(name);
    // All but nothing cannot be split off from nothing.
    if survey.clients.len() < 2 {
        return Vec::new();
    }
    let size = |client: &Client| client.typical_pages() as f64;
    let life = |client: &Client| client.life_us().map_or(f64::MAX, |us| us as f64);
    let mut groups: Vec<Vec<String>> = Vec::new();
    let mut add = |group: Vec<&Client>| {
        let names: BTreeSet<_> = group.into_iter().map(|client| client.name.clone()).collect();
        let names: Vec<_> = names.into_iter().collect();
        let is_part = !names.is_empty() && names.len() < survey.clients.len();
        if is_part && names.iter().all(|name| may(name)) && !groups.contains(&names) {
            groups.push(names);
        }
    };
    for (large, small) in [cut(&clients, size), cut(&clients, life)] {
        add(large);
        add(small);
    }
    let mut by_pages = clients.clone();
    by_pages.sort_by(|a, b| b.most_pages.cmp(&a.most_pages).then_with(|| a.name.cmp(&b.name)));
    by_pages.into_iter().for_each(|client| add(vec![client]));
    groups.truncate(MOST);
    groups
}

/// Those above the widest gap, as a ratio, and those below.
fn cut<'a>(
    clients: &[&'a Client],
    of: impl Fn(&Client) -> f64,
) -> (Vec<&'a Client>, Vec<&'a Client>) {
    let mut sorted = clients.to_vec();
    sorted.sort_by(|a, b| of(b).total_cmp(&of(a)).then_with(|| a.name.cmp(&b.name)));
    let gap = |at: &usize| of(sorted[*at - 1]) / of(sorted[*at]).max(1.0);
    let widest = (1..sorted.len()).max_by(|a, b| gap(a).total_cmp(&gap(b)).then(b.cmp(a)));
    let small = sorted.split_off(widest.unwrap_or(sorted.len()));
    (sorted, small)
}
