//! How those ask whom streams are of, and what of their refusals fails.

use crate::answer::{Summary, SummaryRow};
use crate::board::{Asking, Inferred, largest_fallback};
use crate::page::Page;
use crate::sweep::{Checked, Ready};
use crate::words::{mib, percent};

/// The most kinds of clients that are named, and clients of each.
const NAMED: usize = 4;

/// How clients of these names ask, in words: of each kind who, and what shows it.
pub fn clients_ask<'a>(
    clients: impl IntoIterator<Item = (&'a Asking, &'a str)>,
    page: Page,
) -> Vec<String> {
    let mut kinds: Vec<(Option<Inferred>, Vec<&str>)> = Vec::new();
    for (asking, client) in clients {
        let shown = asking.of(client);
        match kinds.iter_mut().find(|(kind, _)| *kind == shown) {
            Some((_, names)) if !names.contains(&client) => names.push(client),
            Some(_) => {}
            None => kinds.push((shown, vec![client])),
        }
    }
    let is_all = kinds.len() == 1;
    let kind = |(shown, names): &(Option<Inferred>, Vec<&str>)| {
        let who = if is_all { String::new() } else { format!(" of {}", listed(names)) };
        of_kind(*shown, &who, page)
    };
    let mut said: Vec<_> = kinds.iter().take(NAMED).map(kind).collect();
    if kinds.len() > NAMED {
        said.push(format!("and {} more kinds of clients", kinds.len() - NAMED));
    }
    said
}

fn of_kind(shown: Option<Inferred>, who: &str, page: Page) -> String {
    let Some(Inferred { caller, by }) = shown else {
        let most = mib(largest_fallback(page), page);
        return format!(
            "how requests{who} are made is not known: what the area refuses fails to a heap and on \
             32-bit Arm; to dma-direct the page allocator then gives up to {most}"
        );
    };
    let then = match caller.fallback_on(page) {
        0 => "what the area refuses fails".to_string(),
        most => format!(
            "what the area refuses the page allocator gives, up to {}, while it has such a block",
            mib(most, page)
        ),
    };
    format!("requests{who} are taken to be made by {} ({by}): {then}", caller.name)
}

fn listed(names: &[&str]) -> String {
    let named = names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// How the clients of the files of a sweep ask. Nothing where boards state it, no stream is of a file,
/// or nothing was refused.
pub(in crate::report) fn callers_are(ready: &Ready, summary: &Summary) -> Option<String> {
    let refused = summary.rows.iter().flat_map(|row| row.refused).any(|count| count > 0);
    let of_files = ready.checked.iter().filter(|known| known.paged.is_some());
    let is_stated = ready.plan.boards.iter().any(|board| !board.is_caller_open);
    let said = clients_ask(of_files.flat_map(clients), ready.plan.page);
    let said = said.join("; ") + "; caller = … of a board states it otherwise";
    (refused && !is_stated && ready.checked.iter().any(|known| known.paged.is_some()))
        .then_some(said)
}

/// Who asks in a stream: those who have a name, else whoever has none.
fn clients(known: &Checked) -> impl Iterator<Item = (&Asking, &str)> {
    let named = known.clients.iter().map(String::as_str).filter(|name| !name.is_empty());
    let nobody = known.clients.iter().all(String::is_empty).then_some("");
    named.chain(nobody).map(|client| (&known.asking, client))
}

/// What share of the requests of `row` fails, by who asks: where that is not known, and something was
/// refused.
pub(in crate::report) fn both_rates(ready: &Ready, row: &SummaryRow) -> Option<String> {
    let known = &ready.checked[row.at.stream];
    let board = ready.board(&row.at);
    let is_open = |(asking, client): (&Asking, &str)| {
        asking.of(client).is_none() && board.says_nothing_of(client)
    };
    let is_said = !board.is_caller_open || known.paged.is_none() || !row.is_whole();
    let refused: u64 = row.refused.iter().sum();
    if is_said || refused == 0 || !clients(known).any(is_open) {
        return None;
    }
    Some(fails([refused, row.refused_beyond], row.requests, ready.plan.page))
}

/// What share of `requests` fails where `refused` were refused, and so many of them for more pages
/// than the page allocator serves.
pub fn fails([refused, beyond]: [u64; 2], requests: u64, page: Page) -> String {
    let share = |count: u64| percent(count as f64 / requests.max(1) as f64, 2);
    format!(
        "{} of the requests fail where CMA alone is asked; {} where dma-direct asks, to which the page \
         allocator then gives up to {}",
        share(refused),
        share(beyond),
        mib(largest_fallback(page), page)
    )
}
