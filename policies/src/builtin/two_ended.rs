//! Two kinds of buffers grow towards each other from the two ends of the area.

use alloc::boxed::Box;

use crate::catalog::{Entry, Param};
use crate::kit::{Ask, FreeMap, Place, Placed, Search};
use crate::policy::{First, Promises};
use crate::request::Request;

/// One kind of requests takes the lowest aligned fit, the other the highest, so that small or
/// long-lived buffers do not come to lie between large or short-lived ones. Each end uses the
/// whole area. After a busy claim a request goes on from its own end. Of several ranges the bottom
/// is the start of the first in the area's order and the top the end of the last: a request from
/// the top asks the ranges from the last to the first, each from its highest page down.
///
/// `by` says which go to the bottom: `size`, those of at least `2^order` pages; `client`, those of
/// clients below `client`; `parity`, those of even clients.
pub(crate) const ENTRY: Entry = Entry {
    name: "two-ended",
    about: "big requests from the bottom, small ones from the top (or by client)",
    source: "Linux drivers/gpu/drm/drm_mm.c DRM_MM_INSERT_LOW and DRM_MM_INSERT_HIGH, 6.12",
    params: &[
        Param::choice(
            "by",
            &["size", "client", "parity"],
            "size",
            "what decides the end: the size, a client threshold, or even and odd clients",
        ),
        Param::int(
            "order",
            0..=63,
            "8",
            "by=size: requests of at least 2^order pages go to the bottom",
        ),
        Param::int(
            "client",
            0..=65535,
            "1",
            "by=client: clients from this number on go to the top",
        ),
    ],
    build: |area, params| {
        let by = match params.choice("by") {
            "client" => By::Client { first: params.int("client") },
            "parity" => By::Parity,
            _ => By::Size { pages: 1 << params.int("order") },
        };
        let promises = Promises { first: First::EitherEnd, thorough: true, ..Promises::SEARCH };
        Ok(Box::new(Placed::new(area, promises, TwoEnded { by })))
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

#[cfg(test)]
mod tests {
    use crate::builtin::testing::{free_runs, grant, on, request, walk, with_area};
    use crate::{Area, Quiet, Run};

    #[test]
    fn big_ones_are_below_and_small_ones_above() {
        let mut policy = on("two-ended:order=2", 100, 16);
        assert_eq!(grant(&mut *policy, 4, 0), Some(100));
        assert_eq!(grant(&mut *policy, 3, 0), Some(113));
        assert_eq!(grant(&mut *policy, 3, 1), Some(110), "the highest aligned place");
        assert_eq!(grant(&mut *policy, 4, 1), Some(104));
        assert_eq!(free_runs(&*policy), "2@108");
        assert_eq!(grant(&mut *policy, 2, 0), Some(108), "both ends use the whole area");
    }

    #[test]
    fn a_busy_request_goes_on_from_its_own_end() {
        let mut policy = on("two-ended:order=2", 0, 8);
        assert_eq!(walk(&mut *policy, request(5, 1)), [0, 2]);
        assert_eq!(walk(&mut *policy, request(3, 1)), [4, 2, 0]);
    }

    #[test]
    fn the_top_begins_in_the_last_range() {
        let area = Area::new("two", 0, &[Run::new(0, 4), Run::new(10, 4)]).unwrap();
        let mut policy = with_area("two-ended:order=1", area);
        assert_eq!(walk(&mut *policy, request(2, 1)), [0, 2, 10, 12]);
        assert_eq!(walk(&mut *policy, request(1, 1)), [12, 10, 2, 0]);
    }

    #[test]
    fn clients_have_their_ends() {
        for (text, ends) in [
            ("two-ended:by=client", [0, 7, 7, 7]),
            ("two-ended:by=client,client=3", [0, 0, 0, 7]),
            ("two-ended:by=parity", [0, 7, 0, 7]),
        ] {
            for (client, end) in (0..).zip(ends) {
                let mut policy = on(text, 0, 8);
                let request = request(1, 0).with_client(client);
                let at = policy.alloc(request, &mut Quiet).map(|pfn| pfn.0);
                assert_eq!(at, Ok(end), "{text}, client {client}");
            }
        }
    }
}
