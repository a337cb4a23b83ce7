//! The same stream under oath.

use super::field::Refusal;
use super::goal::Goal;
use crate::environment::Quiet;
use crate::op::{Op, Timed};
use crate::oracle::{Checks, Violation, Witness};
use crate::simulate::{Answer, Observer, Step, simulate};

/// The first refusal of a stream that is run through the witness and its model: what a search
/// believed is what happens, or a law is broken.
///
/// # Errors
/// The law that the policy broke.
pub fn confirm(goal: &Goal, stream: &[Timed]) -> Result<Option<Refusal>, Violation> {
    let policy = goal.policy.build(goal.area()).expect("it was built for the goal");
    let mut witness = Witness::new(&goal.area(), policy, Checks::SWEEP);
    let mut watch = Watch::default();
    simulate(stream.iter().copied(), &mut witness, &mut Quiet, &mut [&mut watch])?;
    Ok(watch.refusal)
}

#[derive(Default)]
struct Watch {
    refusal: Option<Refusal>,
    need: u64,
}

impl Observer for Watch {
    fn step(&mut self, step: &Step<'_>) {
        if self.refusal.is_some() {
            return;
        }
        if let Op::Alloc { request, .. } = step.op {
            let count = request.count();
            let model = step.model;
            match (step.answer, step.cause) {
                (Answer::Granted(_), _) => self.need = self.need.max(model.live_pages()),
                (Answer::Refused(_), Some(cause)) => {
                    let need = self.need.max(model.live_pages() + count);
                    self.refusal = Some(Refusal {
                        need,
                        count,
                        op: step.index,
                        free: model.free_pages(),
                        longest: model.longest_run(),
                        usable: model.longest_usable(request.align()),
                        cause,
                    });
                }
                _ => {}
            }
        }
    }
}
