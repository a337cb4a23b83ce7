//! Every case up to a small size.

use cma_policies::{Area, Request, Run};

use crate::codec::{Act, BY_PAGE, BadFree, Case, Ending, Script};

/// All sequences of so many acts on areas of four granules.
pub(super) fn cases(depth: u32) -> impl Iterator<Item = Case> {
    areas().into_iter().flat_map(move |area| {
        let alphabet = alphabet(area.order_per_bit());
        let number = (alphabet.len() as u64).pow(depth);
        (0..number).map(move |mut word| {
            let mut letter = || {
                let at = word % alphabet.len() as u64;
                word /= alphabet.len() as u64;
                alphabet[at as usize]
            };
            Case::new(area.clone(), (0..depth).map(|_| letter()).collect())
        })
    })
}

/// An aligned base, one that is off by one, granules of two pages with a page past the last one,
/// and two ranges that touch, the higher first.
fn areas() -> Vec<Area> {
    let two = [Run::new(4, 2), Run::new(2, 2)];
    let areas = [
        Area::single(0, 4, 0),
        Area::single(1, 4, 0),
        Area::single(3, 9, 1),
        Area::new("two", 0, &two),
    ];
    areas.into_iter().flatten().collect()
}

fn alphabet(order_per_bit: u32) -> Vec<Act> {
    let alloc = |count, align, script, linger| {
        let request = Request::new(count, align).expect("at least a page, a small order");
        Act::Alloc { request, script, linger }
    };
    let quiet = Script::default();
    let unit = 1 << order_per_bit;
    vec![
        alloc(1, 0, quiet, 0),
        alloc(2 * unit, 1 + order_per_bit, quiet, 1),
        alloc(3 * unit - (unit - 1), 0, quiet, 0),
        alloc(1, 1 + order_per_bit, Script { busy: 1, ending: Ending::Granted }, 1),
        alloc(unit, 0, Script { busy: 0, ending: Ending::Busy }, 0),
        Act::Free { victim: 0 },
        Act::Free { victim: 1 },
        Act::FreeBadly { how: BadFree::Again, victim: 0, by: 0 },
        Act::FreePart { victim: 0, part: BY_PAGE | 1 },
    ]
}
