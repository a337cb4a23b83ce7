//! Who goes to which area, and what is asked there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::cells::Configuration;
use super::failed::Failed;
use super::stream::{Checked, Ops, Ready};
use crate::board::{Board, Way};
use crate::ingest::{IngestError, quoted};
use crate::metric::Sizes;
use crate::op::Op;

/// The ways of a stream's clients by number; never empty. What the stream itself names as a
/// client's area is its way, where the board has an area of that name. How a client asks is as the
/// board states it, else as its trace shows it.
pub(super) fn ways(board: &Board, clients: &[String], known: &Checked) -> Vec<Way> {
    let mut ways: Vec<_> = clients.iter().map(|client| board.way(client)).collect();
    for route in &known.routes {
        if let Some(way) = ways.get_mut(usize::from(route.client)) {
            // Where the two differ was said before anything ran.
            *way = way.named(board.find(&route.area)).unwrap_or(*way);
        }
    }
    board.show(clients, &known.asking, &mut ways);
    if ways.is_empty() {
        ways.push(board.way(""));
    }
    ways
}

/// Ops at the start of a stream that show what is asked of each area.
const LOOK: usize = 4096;

/// Sizes to probe each area with, as [`sizes`] finds them at the first cell that asks.
pub(super) fn probed(ready: &Ready, at: &Configuration, board: &Board) -> Result<Sought, Failed> {
    ready.probed.of((at.stream, at.board, at.load), || sizes(ready, at, board))
}

/// Sizes to probe each area with: on a board of one those of the stream, on others the most used of
/// the requests that go there, among the first ops of the stream of the plan's first seed. None for
/// an area that nobody asks.
fn sizes(ready: &Ready, at: &Configuration, board: &Board) -> Result<Vec<Vec<u64>>, Failed> {
    let known = &ready.checked[at.stream];
    if board.areas.len() == 1 {
        return Ok(vec![known.sizes.clone()]);
    }
    let ops = Ops::open(ready, at, ready.plan.seed)?;
    let ways = ways(board, &ops.clients, known);
    let mut sizes = vec![Sizes::default(); board.areas.len()];
    for timed in ops.take(LOOK) {
        let Op::Alloc { request, dma, .. } = timed.op else { continue };
        let way = ways.get(usize::from(request.client())).unwrap_or(&ways[0]);
        if !way.bypasses(request, dma) {
            sizes[way.area].note(request.count());
        }
    }
    Ok(sizes.into_iter().map(Sizes::most_used).collect())
}

/// What streams say about areas against what boards say, and what is strange about the boards.
///
/// # Errors
/// A stream that names an area for a client which a board sends to another; a profile that cannot
/// be made.
pub(super) fn check(ready: &Ready) -> Result<Vec<String>, Failed> {
    let plan = &ready.plan;
    let mut clients = BTreeSet::new();
    let mut looked = None;
    for at in plan.configurations() {
        // Neither pages nor caps change who asks.
        let place = (at.stream, at.board, at.load);
        if at.board.is_none() || looked == Some(place) {
            continue;
        }
        looked = Some(place);
        let (stream, known) = (&plan.streams[at.stream], &ready.checked[at.stream]);
        let board = ready.board(&at);
        check_routes(&board, known, stream.name())?;
        if stream.profile().is_some() {
            clients.extend(Ops::open(ready, &at, plan.seed)?.clients);
        } else {
            clients.extend(known.clients.iter().cloned());
        }
    }
    let mut warnings = Vec::new();
    for board in &plan.boards {
        let unknown = board.unknown_clients(&clients).map(|name| {
            let board = &board.name;
            format!("board {board} names client {}, which no stream has", quoted(name))
        });
        warnings.extend(unknown);
        if board.areas.iter().all(|area| area.policy.is_some()) {
            let board = &board.name;
            warnings.push(format!(
                "every area of board {board} has its own policy: those of the plan change nothing"
            ));
        }
    }
    Ok(warnings)
}

fn check_routes(board: &Board, known: &Checked, source: &str) -> Result<(), IngestError> {
    for route in &known.routes {
        let client = known.clients.get(usize::from(route.client)).map_or("", String::as_str);
        let way = board.way(client);
        if way.named(board.find(&route.area)).is_none() {
            let why = format!(
                "area {} of client {}, which board {} sends to {}; take it out of one of them",
                quoted(&route.area),
                quoted(client),
                board.name,
                quoted(board.areas[way.area].area.name()),
            );
            let (source, line, column) = (source.to_string(), route.line, route.column);
            return Err(IngestError { source, line, column, why });
        }
    }
    Ok(())
}

/// Sizes to probe each area of a board with.
pub(super) type Sought = Arc<Vec<Vec<u64>>>;

/// A stream, a board and a LOAD: neither pages nor caps change who asks for how much.
pub(super) type Place = (usize, Option<usize>, Option<usize>);

/// What was found out.
#[derive(Clone, Default, Debug)]
pub(super) struct Probed(Arc<Mutex<BTreeMap<Place, Sought>>>);

/// Places that are remembered. Cells come place by place, so that few are enough.
const MOST_PLACES: usize = 256;

impl Probed {
    /// What `find` finds for this place, at the first time that it is asked for.
    pub(super) fn of(
        &self,
        place: Place,
        find: impl FnOnce() -> Result<Vec<Vec<u64>>, Failed>,
    ) -> Result<Sought, Failed> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sizes) = known().get(&place) {
            return Ok(Arc::clone(sizes));
        }
        // Two threads may both look, and find the same.
        let sizes = Arc::new(find()?);
        let mut known = known();
        if known.len() >= MOST_PLACES {
            known.pop_first();
        }
        known.insert(place, Arc::clone(&sizes));
        Ok(sizes)
    }
}
