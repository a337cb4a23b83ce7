//! Two kinds of buffers grow towards each other from the two ends of the area.

use alloc::boxed::Box;

use crate::catalog::{Entry, Kind, Param};
use crate::kit::{Ask, FreeMap, Place, Placed, Search};
use crate::policy::Promises;
use crate::request::Request;

/// One kind of requests takes the lowest aligned fit, the other the highest, so that small or
/// long-lived buffers do not come to stand between large or short-lived ones. Each end uses the
/// whole area. After a busy claim a request goes on from its own end; one from the top asks the
/// ranges from the last to the first.
///
/// `by` says which go to the bottom: `size`, those of at least `2^order` pages; `client`, those of
/// clients below `client`; `parity`, those of even clients.
pub(crate) const ENTRY: Entry = Entry {
    name: "two-ended",
    about: "big requests from the bottom, small ones from the top (or by client)",
    source: "Linux drivers/gpu/drm/drm_mm.c DRM_MM_INSERT_LOW and DRM_MM_INSERT_HIGH, 6.12",
    params: &[
        Param {
            name: "by",
            kind: Kind::Choice(&["size", "client", "parity"]),
            default: "size",
            about: "what decides the end: the size, a client threshold, or even and odd clients",
        },
        Param {
            name: "order",
            kind: Kind::Int { min: 0, max: 63 },
            default: "8",
            about: "by=size: requests of at least 2^order pages go to the bottom",
        },
        Param {
            name: "client",
            kind: Kind::Int { min: 0, max: 65535 },
            default: "1",
            about: "by=client: clients from this number on go to the top",
        },
    ],
    build: |area, params| {
        let by = match params.choice("by") {
            "client" => By::Client { first: params.int("client") },
            "parity" => By::Parity,
            _ => By::Size { pages: 1 << params.int("order") },
        };
        Ok(Box::new(Placed::new(area, Promises::SEARCH, TwoEnded { by })))
    },
};

enum By {
    Size { pages: u64 },
    Client { first: u64 },
    Parity,
}

struct TwoEnded {
    by: By,
}

impl Place for TwoEnded {
    fn place(&self, map: &FreeMap, search: Search, ask: Ask) -> Option<u64> {
        if self.descends(ask.request) { map.highest_fit(search) } else { map.first_fit(search) }
    }

    fn descends(&self, request: Request) -> bool {
        let client = u64::from(request.client());
        match self.by {
            By::Size { pages } => request.count() < pages,
            By::Client { first } => client >= first,
            By::Parity => !client.is_multiple_of(2),
        }
    }
}
