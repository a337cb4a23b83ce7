//! A board: its areas, and who goes to which, as `memory-region` in a device tree says.

mod asking;
mod caller;
mod made_by;

use std::collections::BTreeSet;

use cma_policies::{Area, Request, Spec};

pub use asking::{Asking, CallerBy, Inferred, largest_fallback};
pub(crate) use caller::is_gigantic;
pub use caller::{CALLERS, Caller};
pub use made_by::MadeBy;

/// A board: several areas, the first of which is the default one.
#[derive(Clone, Debug)]
pub struct Board {
    /// Its name.
    pub name: String,
    /// Its areas; the first is the one that has `linux,cma-default`. Never empty.
    pub areas: Vec<BoardArea>,
    /// How clients ask where nothing else is said of them.
    pub caller: &'static Caller,
    /// Whether nothing states that, so that a client asks as its trace shows it where that does.
    pub is_caller_open: bool,
    /// How other clients ask, by client.
    pub callers: Vec<(String, &'static Caller)>,
    /// Pages that base and size of each of its areas are multiples of, as its kernel makes them.
    pub step_pages: u64,
}

/// An area of a board.
#[derive(Clone, Debug)]
pub struct BoardArea {
    /// Where it lies.
    pub area: Area,
    /// The clients whose device nodes name it: they use this area and never another. Empty for the
    /// default area, which everybody else uses.
    pub clients: Vec<String>,
    /// Its own policy, whatever the plan compares.
    pub policy: Option<Spec>,
    /// What makes it.
    pub made_by: MadeBy,
}

/// Pages of 2 MiB: a pageblock of kernels with pages of 4 KiB.
const STEP_PAGES: u64 = 512;

/// Where a client goes, and how it asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Way {
    /// Index of the area.
    pub area: usize,
    /// Whether the area is the client's own, so that one-page requests go there too.
    pub private: bool,
    /// How it asks.
    pub caller: &'static Caller,
}

impl Way {
    /// Whether the page allocator serves this request before any area is asked: one page, through
    /// the DMA API (`dma`), for a device without an area of its own. Mirrors
    /// `dma_alloc_contiguous` (kernel/dma/contiguous.c, 5.3 to 6.12).
    pub const fn bypasses(&self, request: Request, dma: bool) -> bool {
        dma && self.caller.skips_one_page && !self.private && request.count() == 1
    }

    /// This way of who is known to ask so by requests that went to an area, as those of a trace did:
    /// single pages of a device with an area of its own too.
    pub const fn shown(self, caller: &'static Caller) -> Self {
        Self { private: true, caller, ..self }
    }

    /// This way, where the stream names the area of that index for the client; the way itself where
    /// it names none that the board has. [`None`]: the board sends the client to another.
    pub fn named(self, area: Option<usize>) -> Option<Self> {
        match area {
            Some(area) if area != self.area && self.private => None,
            Some(area) if area != self.area => Some(Self { area, private: true, ..self }),
            _ => Some(self),
        }
    }
}

impl Board {
    /// A board of one area that everybody uses, without fallback.
    pub fn single(name: &str, area: Area) -> Self {
        let (clients, policy, made_by) = (Vec::new(), None, MadeBy::default());
        let areas = vec![BoardArea { area, clients, policy, made_by }];
        let (name, caller, callers) = (name.to_string(), &CALLERS[0], Vec::new());
        let (is_caller_open, step_pages) = (true, STEP_PAGES);
        Self { name, areas, caller, is_caller_open, callers, step_pages }
    }

    /// Pages of all areas.
    pub fn pages(&self) -> u64 {
        self.areas.iter().map(|area| area.area.pages()).fold(0, u64::saturating_add)
    }

    /// Index of the area of this name.
    pub fn find(&self, area: &str) -> Option<usize> {
        self.areas.iter().position(|own| own.area.name() == area)
    }

    /// Where the client of this name goes. A name on the board means the client of that name, and
    /// where none is of that name all that differ from it by a number at the end: `camera` is
    /// `camera0`, `camera1` …
    pub fn way(&self, client: &str) -> Way {
        let lists = |area: &BoardArea, name: &str| area.clients.iter().any(|own| own == name);
        let area = |name: &str| self.areas.iter().position(|area| lists(area, name));
        let named = |name: &str| self.callers.iter().find(|(own, _)| own == name);
        let own = area(client).or_else(|| area(kind(client)));
        let caller = named(client).or_else(|| named(kind(client)));
        Way {
            area: own.unwrap_or(0),
            private: own.is_some(),
            caller: caller.map_or(self.caller, |(_, caller)| caller),
        }
    }

    /// The ways of clients by number, with how they ask as a trace shows it where the board does not
    /// state it.
    pub fn show(&self, clients: &[String], asking: &Asking, ways: &mut [Way]) {
        for (client, way) in clients.iter().zip(ways).filter(|_| self.is_caller_open) {
            if let Some(shown) = asking.of(client).filter(|_| self.says_nothing_of(client)) {
                *way = way.shown(shown.caller);
            }
        }
    }

    /// Whether its list of callers has nobody who is this client.
    pub fn says_nothing_of(&self, client: &str) -> bool {
        self.callers.iter().all(|(name, _)| name != client && name != kind(client))
    }

    /// The names of clients on this board that mean none of `clients`: mistakes, most likely. In
    /// the order of the board.
    pub fn unknown_clients<'a>(
        &'a self,
        clients: &'a BTreeSet<String>,
    ) -> impl Iterator<Item = &'a str> {
        let listed = self.areas.iter().flat_map(|area| &area.clients);
        let names = listed.chain(self.callers.iter().map(|(name, _)| name));
        let means =
            |name: &String| clients.iter().any(|client| name == client || name == kind(client));
        let mut seen = BTreeSet::new();
        names.filter(move |name| !means(name) && seen.insert(*name)).map(String::as_str)
    }
}

/// A client's name without the number at its end: `camera` of `camera0`.
pub fn kind(client: &str) -> &str {
    client.trim_end_matches(|c: char| c.is_ascii_digit())
}
