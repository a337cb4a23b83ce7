//! What a report says of results: the choice, the sizes, the curves, and who is flagged.

#[path = "findings/by_hand.rs"]
mod by_hand;
#[path = "findings/choice.rs"]
mod choice;
#[path = "findings/dominance.rs"]
mod dominance;
#[path = "findings/ended.rs"]
mod ended;
#[path = "findings/hostile.rs"]
mod hostile;
#[path = "findings/tables.rs"]
mod tables;
#[path = "findings/target.rs"]
mod target;

use std::ops::Deref;

use cma_harness::answer::{Choice, Findings, findings};
use cma_harness::metric::{Value, column};
use cma_harness::report::words;
use cma_harness::sweep::{Block, Cell, Ready, Watch, parse, prepare, run};
use cma_policies::{Catalog, builtin};

struct Nobody;

impl Watch for Nobody {
    fn done(&self, _: usize, _: &Cell, _: &[Value]) {}
}

fn ready_with(catalog: &Catalog, plan: &str) -> Ready {
    prepare(parse("test", plan, catalog).unwrap()).unwrap()
}

fn ready(plan: &str) -> Ready {
    ready_with(&builtin::catalog(), plan)
}

fn blocks(ready: &Ready) -> Vec<Block> {
    run(ready, 2, &Nobody).unwrap().blocks().collect()
}

/// For each stream of a policy of a block the number of its first refused request.
fn first_failures(block: &Block, policy: usize) -> Vec<Option<u64>> {
    let column = column("requests_to_first_failure");
    let values = block.values[policy].iter().map(|values| match values[column] {
        Value::Count(requests) => Some(requests),
        _ => None,
    });
    values.collect()
}

/// A plan with one stream in pages of LOAD on areas of so many MiB.
fn ladder(profile: &str, mib: &[u64], rest: &str) -> String {
    let boards = mib
        .iter()
        .map(|mib| format!("[[boards]]\nname = \"m{mib:03}\"\nareas = [{{ mib = {mib} }}]\n"));
    let boards: String = boards.collect();
    format!(
        "name = \"ladder\"\n{rest}\n{boards}[[streams]]\nprofile = \"{profile}\"\n\
         loads_mib = [64]\nops = 700\n"
    )
}

/// The choice of a plan, and what is said of it.
#[derive(Debug)]
struct Said {
    choice: Choice,
    sentence: String,
    notes: Vec<String>,
}

impl Deref for Said {
    type Target = Choice;

    fn deref(&self) -> &Choice {
        &self.choice
    }
}

fn said(ready: &Ready, found: &Findings) -> Said {
    let choice = found.headline.clone().unwrap();
    let sentence = words::sentence(ready, &found.summary, &choice);
    Said { sentence, notes: words::notes(ready, &choice), choice }
}

fn of(ready: &Ready) -> (Vec<Block>, Findings) {
    let blocks = blocks(ready);
    let found = findings(ready, blocks.clone());
    (blocks, found)
}
