//! Somebody else's stream, as an attack.

use super::field::{Asked, Field, Refusal};
use super::goal::Goal;
use crate::op::{Op, Timed};

/// What `ops` come to on the area of the goal, up to the first refusal, and the stream that it was;
/// nothing where nothing is refused. Requests above n, and those that would take what is live above
/// `limit` pages, are not made; the goal says how they are aligned. A buffer is held until the last
/// part of it was given back.
pub(crate) fn followed(goal: &Goal, ops: &[Timed], limit: u64) -> Option<(Refusal, Vec<Timed>)> {
    let mut field = Field::logged(goal, limit);
    // In the order of grants, as the field has them: the id in the stream, and pages that are left.
    let mut held: Vec<(u64, u64)> = Vec::new();
    for timed in ops {
        match timed.op {
            Op::Alloc { id, request, .. } => match field.ask(request.count()) {
                Asked::Granted(_) => held.push((id, request.count())),
                Asked::Refused => break,
                Asked::NotMade => {}
            },
            Op::Free { id, part } => {
                let Some(at) = held.iter().position(|(own, _)| *own == id) else { continue };
                let left = &mut held[at].1;
                *left = part.map_or(0, |part| left.saturating_sub(part.count));
                if *left == 0 {
                    held.remove(at);
                    field.free(at);
                }
            }
            Op::Pin(_) | Op::Unpin(_) => {}
        }
    }
    let refusal = field.refusal?;
    Some((refusal, field.into_log()))
}

#[cfg(test)]
mod tests {
    use cma_policies::{Request, builtin};

    use super::*;
    use crate::cause::Cause;
    use crate::harm::confirm;
    use crate::op::Part;

    fn ask(id: u64, count: u64) -> Timed {
        let request = Request::new(count, 3).expect("pages");
        Timed { at_us: id, op: Op::Alloc { id, request, dma: false } }
    }

    const fn free(id: u64, part: Option<Part>) -> Timed {
        Timed { at_us: 99, op: Op::Free { id, part } }
    }

    #[test]
    fn a_stream_is_followed_to_its_first_refusal() {
        let policy = builtin::catalog().parse("kernel").expect("it is built in");
        let goal = Goal::new(policy, 64).and_then(|goal| goal.with_largest(32)).expect("a goal");
        let part = |offset, count| Some(Part { offset, count });
        let mut ops = vec![ask(9, 33), ask(5, 16), ask(6, 16), ask(7, 16), ask(8, 8)];
        ops.extend([free(9, None), free(6, part(0, 10)), free(5, None), free(6, part(10, 6))]);
        assert_eq!(followed(&goal, &ops, 64), None, "33 pages are above n and not asked for");
        // 16 and 8 stay at 32 and 48; 32 pages are free below them, 8 above.
        ops.extend([ask(1, 31), ask(2, 9), ask(3, 1)]);
        let (refusal, stream) = followed(&goal, &ops, 64).expect("9 pages do not fit");
        let found = (refusal.count, refusal.need, refusal.free, refusal.longest, refusal.cause);
        assert_eq!(found, (9, 64, 9, 8, Cause::Fragmentation));
        assert_eq!(followed(&goal, &ops, 63), None, "9 pages beside 55 are above the limit");
        assert_eq!(confirm(&goal, &stream).expect("no law is broken"), Some(refusal));
    }
}
