//! A board: its areas, and who goes to which, as `memory-region` in a device tree says.

mod caller;

use cma_policies::{Area, Spec};

pub use caller::{CALLERS, Caller};

/// A board: several areas, the first of which is the default one.
#[derive(Clone, Debug)]
pub struct Board {
    /// Its name.
    pub name: String,
    /// Its areas; the first is the one that has `linux,cma-default`. Never empty.
    pub areas: Vec<BoardArea>,
    /// How clients ask where nothing else is said of them.
    pub caller: &'static Caller,
    /// How other clients ask, by client.
    pub callers: Vec<(String, &'static Caller)>,
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
}

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

impl Board {
    /// A board of one area that everybody uses, without fallback.
    #[must_use]
    pub fn single(name: &str, area: Area) -> Self {
        let area = BoardArea { area, clients: Vec::new(), policy: None };
        let caller = &CALLERS[0];
        Self { name: name.to_string(), areas: vec![area], caller, callers: Vec::new() }
    }

    /// Pages of all areas.
    #[must_use]
    pub fn pages(&self) -> u64 {
        self.areas.iter().map(|area| area.area.pages()).fold(0, u64::saturating_add)
    }

    /// Where the client of this name goes. A name on the board means the client of that name, and
    /// all that differ from it by a number behind it: `camera` is `camera0`, `camera1` …
    #[must_use]
    pub fn way(&self, client: &str) -> Way {
        let means = |name: &str| name == client || name == kind(client);
        let own = |area: &BoardArea| area.clients.iter().any(|name| means(name));
        let private = self.areas.iter().position(own);
        let caller = self.callers.iter().find(|(name, _)| means(name));
        Way {
            area: private.unwrap_or(0),
            private: private.is_some(),
            caller: caller.map_or(self.caller, |(_, caller)| caller),
        }
    }
}

/// A client's name without the number behind it: `camera` of `camera0`.
#[must_use]
pub fn kind(client: &str) -> &str {
    client.trim_end_matches(|c: char| c.is_ascii_digit())
}
