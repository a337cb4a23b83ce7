//! The model that sweeps judge by is true.

use super::scene::demand;
use super::{Binds, Check, Law, Moment, Scene};
use crate::oracle::name;

pub(super) const LAW: Law = Law {
    name: name::MODEL,
    about: "free, live, available, padding, longest and longest usable pages of the model are the \
            naive reference's",
    binds: Binds::EVERYONE,
    check: Check::Moment(check),
};

fn check(scene: &Scene<'_>) -> Result<(), String> {
    if !matches!(scene.moment, Moment::Granted { .. } | Moment::Freed { .. }) {
        return Ok(());
    }
    let (model, truth) = (scene.model, scene.reference);
    let equal = |what: &str, got: u64, right: u64| {
        demand(got == right, || format!("the model has {got} pages {what}, not {right}"))
    };
    let live = || scene.live.iter().map(|live| live.run);
    let live_pages = live().map(|run| run.count).sum();
    equal("free", model.free_pages(), truth.free_pages())?;
    equal("live", model.live_pages(), live_pages)?;
    equal("available", model.available_pages(), scene.area.pages() - live_pages)?;
    equal("of padding", model.padding_pages(), truth.unheld_pages(live()))?;
    equal("in its longest run", model.longest_run(), truth.longest_run())?;
    // The first orders, one in the middle of every area, and one above it.
    let orders = [0, 1, 2, 3, 5, 8, 12, 40, 63];
    orders.into_iter().zip(truth.longest_usables(orders)).try_for_each(|(order, right)| {
        let got = model.longest_usable(order);
        demand(got == right, || format!("the model has {got} pages usable at {order}, not {right}"))
    })
}
