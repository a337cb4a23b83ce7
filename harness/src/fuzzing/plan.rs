//! Any bytes as a plan: what is wrong has its place, what is right is written and read again.

use cma_policies::builtin;

use super::Target;
use crate::sweep::{Plan, PlanError, What, emit, emit_unread, parse, prepare};

pub(super) const TARGET: Target = Target::passes("plan", run);

/// The most cells of a plan that is prepared, and the most granules of its boards: both are what
/// it takes to build every policy on every area.
const CELLS: u64 = 4096;
const GRANULES: u64 = 1 << 12;
const POLICIES: usize = 4;

/// Reads `bytes` as a plan. No file that a plan names is ever opened here.
///
/// # Panics
/// Where an error has no place, or a plan does not come back as it was.
pub fn run(bytes: &[u8]) {
    // What is no text the command line refuses itself.
    let Ok(text) = str::from_utf8(bytes) else { return };
    match parse("fuzz.toml", text, &builtin::catalog()) {
        Ok(plan) => {
            comes_back(&plan, &emit_unread(&plan));
            prepared(plan);
        }
        Err(error) => placed(text, &error),
    }
}

fn comes_back(plan: &Plan, text: &str) {
    let again = parse("again.toml", text, &builtin::catalog());
    let again = again.unwrap_or_else(|error| panic!("{error}\n{text}"));
    // A plan that is written has other places, which it does not show.
    assert_eq!(format!("{again:?}"), format!("{plan:?}"), "read back from\n{text}");
}

/// Prepares a plan that is small and names no file.
fn prepared(plan: Plan) {
    let areas = plan.boards.iter().flat_map(|board| &board.areas);
    let granules: u64 = areas.map(|board| board.area.pages() >> board.area.order_per_bit()).sum();
    let made = plan.streams.iter().all(|stream| {
        let made = match &stream.what {
            What::Profile(_) => true,
            What::Mix(mix) => mix.paths().next().is_none(),
            What::File(_) | What::Fitted(_) | What::Recorded(_) => false,
        };
        made && !stream.own_area && stream.snapshot.is_none()
    });
    let small = plan.cell_count().is_some_and(|cells| cells <= CELLS)
        && granules <= GRANULES
        && plan.policies.len() <= POLICIES;
    if !made || !small {
        return;
    }
    match prepare(plan) {
        Ok(ready) => comes_back(&ready.plan, &emit(&ready)),
        Err(failed) => assert!(!failed.to_string().is_empty()),
    }
}

/// An error names a place in the text, and the text from there on moves the place along.
fn placed(text: &str, error: &PlanError) {
    let message = error.to_string();
    let line = text.split('\n').nth(error.line.wrapping_sub(1));
    let Some(line) = line else { panic!("{message}: there is no such line") };
    let width = line.chars().count() + 1;
    assert!((1..=width).contains(&error.column), "{message}: the line has {width} columns");
    assert!(!error.why.trim().is_empty(), "{message}");
    // A mark of the byte order is one at the beginning only; a key that is missing has no place.
    if text.starts_with('\u{feff}') || error.why.starts_with("missing field") {
        return;
    }
    let moved = parse("fuzz.toml", &format!("\n{text}"), &builtin::catalog());
    let Err(moved) = moved else { panic!("{message}; but not below an empty line") };
    let right = PlanError { line: error.line + 1, ..error.clone() };
    assert_eq!(moved, right, "the place is not that of the text");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::BUILTIN;

    #[test]
    fn plans_that_people_have_written_come_back() {
        run(BUILTIN.as_bytes());
        let small = "name = \"small\"\npolicies = [\"kernel\", \"best-fit\"]\ncaps = [8, 4]\n\
                     [[boards]]\nname = \"b\"\nareas = [{ mib = 16 }]\n\
                     [[streams]]\nprofile = \"gpu\"\nloads = [0.5]\n\
                     [[streams]]\nfit = \"/dev/zero\"\n[[streams]]\nfile = \"/dev/zero\"\n";
        let plan = parse("small", small, &builtin::catalog()).expect("a plan");
        assert_eq!(plan.streams.len(), 3);
        run(small.as_bytes());
        for end in 0..small.len() {
            run(&small.as_bytes()[..end]);
        }
    }
}
