//! Changes of a stream in words, for reports.

use std::fmt;

use super::{Back, Changed, Proposal, Shows};
use crate::words::{counted, pages};

/// Who has to do something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    /// Whoever maintains the driver.
    Driver,
    /// Whoever maintains the program that uses it, or sets its buffers.
    Application,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Driver => "driver",
            Self::Application => "application",
        })
    }
}

/// `trim 257 → 256 pages (client resident)`.
impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let client = match self {
            Self::Trim { client, .. } => client.as_deref(),
            Self::Keep { client } | Self::Fewer { client, .. } | Self::Order { client, .. } => {
                Some(client.as_str())
            }
        };
        match self {
            Self::Trim { from, to, .. } => write!(f, "trim {from} → {}", pages(*to))?,
            Self::Keep { .. } => f.write_str("allocate once and keep")?,
            Self::Fewer { pages: size, most, .. } => {
                write!(f, "at most {} of {}", counted(*most, "buffer"), pages(*size))?;
            }
            Self::Order { back: Back::BeforeAsking { .. }, .. } => {
                f.write_str("give back before asking")?;
            }
            Self::Order { back: Back::OldestFirst, .. } => f.write_str("give the oldest back")?,
            Self::Order { back: Back::NewestFirst, .. } => f.write_str("give the newest back")?,
        }
        match client {
            None => Ok(()),
            Some("") => f.write_str(" (clients without a name)"),
            Some(name) => write!(f, " (client {name})"),
        }
    }
}

impl Changed {
    /// What has to be true for it to be possible.
    pub const fn assumes(&self) -> &'static str {
        match self {
            Self::Trim { .. } => {
                "the pages over the slot are a header, a guard or padding that the device can do \
                 without or have elsewhere"
            }
            Self::Keep { .. } => {
                "the client can use a buffer for something smaller, and nobody else needs its \
                 pages while it is idle; it gets all that it keeps, or does not start"
            }
            Self::Fewer { .. } => {
                "the client works, perhaps with less headroom, with fewer buffers"
            }
            Self::Order { back: Back::BeforeAsking { .. }, .. } => {
                "nothing shows or reads the old buffers any more while the new ones are asked for"
            }
            Self::Order { .. } => "buffers of the same size are as good as each other",
        }
    }

    /// Who has to do it.
    pub const fn who(&self) -> Who {
        match self {
            Self::Trim { .. } => Who::Driver,
            Self::Keep { .. } | Self::Fewer { .. } | Self::Order { .. } => Who::Application,
        }
    }
}

impl Proposal {
    /// What of the stream suggests it, with the numbers.
    pub fn why(&self) -> String {
        match self.shows {
            Shows::Stranded { slot, stranded, live } => format!(
                "each takes a slot of {} and strands {stranded} of them; {} live at once at most",
                pages(slot),
                counted(live, "buffer")
            ),
            Shows::Again { requests, left, pages: held, kept_pages } => format!(
                "{} would be {left} if buffers were kept; that keeps {}, where its clients held \
                 {held} at once at most",
                counted(requests, "request"),
                pages(kept_pages)
            ),
            Shows::Set { buffers, live } => format!(
                "it asks for {} at once, and has had {live} of the size",
                counted(buffers, "equal buffer")
            ),
            Shows::Overlap { pages: held, apart_pages } => format!(
                "a new set is asked for before the old one has gone back: clients hold {} at once \
                 at most, and {apart_pages} were it the other way round",
                pages(held)
            ),
        }
    }
}
