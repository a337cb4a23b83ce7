//! What the acts of a case do to a policy.

use super::field::{Field, Refusal};
use super::goal::Goal;
use crate::codec::{Act, Script};
use crate::op::Timed;

/// What acts came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// The first refusal, where there was one.
    pub refusal: Option<Refusal>,
    /// The least that a fill in the middle of it would need to be refused.
    pub reach: Option<Reach>,
    /// Requests and frees made.
    pub ops: u64,
}

/// A moment from which on requests of one size alone would be refused.
///
/// What holds together all holes of less than that size is what an attack has gained so far: it
/// falls step by step where a refusal comes all at once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Reach {
    /// M of that refusal: at most this.
    pub need: u64,
    /// Behind so many acts.
    pub acts: usize,
    /// Pages of each request.
    pub count: u64,
}

impl Outcome {
    /// M of the first refusal, or else the least in reach; the whole area and n where there is
    /// nothing.
    pub fn least(&self, goal: &Goal) -> u64 {
        let refused = self.refusal.map(|refusal| refusal.need);
        let reach = self.reach.map(|reach| reach.need);
        refused.into_iter().chain(reach).min().unwrap_or(goal.pages + goal.largest)
    }
}

/// Runs `acts` with at most `limit` pages live or asked for, up to the first refusal. Requests
/// above n or above the limit are not made; the goal says how they are aligned. Pages are quiet:
/// scripts, pins, partial and wrong frees do nothing.
pub(crate) fn evaluate(goal: &Goal, acts: &[Act], limit: u64) -> Outcome {
    play(&mut Field::new(goal, limit), acts)
}

/// The same, with the stream that it was.
pub fn played(goal: &Goal, acts: &[Act], limit: u64) -> (Outcome, Vec<Timed>) {
    let mut field = Field::logged(goal, limit);
    let outcome = play(&mut field, acts);
    (outcome, field.into_log())
}

/// `acts` as they are evaluated, so that whoever else runs the case sees the same: requests
/// aligned as the goal says, those above n left out, and so is what does nothing.
pub fn plain(goal: &Goal, acts: &[Act]) -> Vec<Act> {
    let plain = |act: &Act| match *act {
        Act::Alloc { request, .. } => {
            let request = goal.request(request.count())?;
            Some(Act::Alloc { request, script: Script::default(), linger: 0 })
        }
        Act::Fill { request, times } => {
            Some(Act::Fill { request: goal.request(request.count())?, times })
        }
        Act::Free { .. } | Act::FreeEvery { .. } => Some(*act),
        Act::FreePart { .. } | Act::FreeBadly { .. } | Act::Pin { .. } | Act::Unpin { .. } => None,
    };
    acts.iter().filter_map(plain).collect()
}

/// What is in reach of `acts`, made: their beginning and a fill, and the refusal that it gets.
/// Nothing where that needs no less than what they came to, or is above the limit.
pub(crate) fn realised(
    goal: &Goal,
    acts: &[Act],
    limit: u64,
    outcome: &Outcome,
) -> Option<(Vec<Act>, Refusal)> {
    let worse = |reach: &Reach| outcome.refusal.is_none_or(|refusal| reach.need < refusal.need);
    let reach = outcome.reach.filter(|reach| reach.need <= limit).filter(worse)?;
    let mut made = acts[..reach.acts].to_vec();
    made.push(Act::Fill { request: goal.request(reach.count)?, times: u16::MAX });
    let refusal = evaluate(goal, &made, limit).refusal?;
    Some((made, refusal))
}

fn play(field: &mut Field<'_>, acts: &[Act]) -> Outcome {
    let mut reach = None;
    let mut has_freed = false;
    for (at, act) in acts.iter().enumerate() {
        let asks = matches!(act, Act::Alloc { .. } | Act::Fill { .. });
        // Between the last of some frees and the next request there is the most to gain.
        if has_freed && asks {
            reach = least(reach, reached(field, at));
            has_freed = false;
        }
        match *act {
            Act::Alloc { request, .. } => {
                field.ask(request.count());
            }
            Act::Fill { request, times } => {
                let times = Act::times(request, times, field.goal.pages);
                field.fill(request.count(), times);
            }
            Act::Free { victim } => {
                let live = field.buffers();
                if live > 0 {
                    field.free(victim as usize % live);
                    has_freed = true;
                }
            }
            Act::FreeEvery { stride, phase, class } => {
                field.free_every(stride, phase, class);
                has_freed = true;
            }
            Act::FreePart { .. } | Act::FreeBadly { .. } | Act::Pin { .. } | Act::Unpin { .. } => {}
        }
        if field.is_over() {
            break;
        }
    }
    if field.refusal.is_none() {
        reach = least(reach, reached(field, acts.len()));
    }
    Outcome { refusal: field.refusal, reach, ops: field.ops }
}

fn least(first: Option<Reach>, second: Option<Reach>) -> Option<Reach> {
    first.into_iter().chain(second).min()
}

/// The least M at which requests of one power of two up to n would be refused from here on, by
/// what the policy says is free.
fn reached(field: &Field<'_>, acts: usize) -> Option<Reach> {
    let goal = field.goal;
    let area = goal.area();
    let orders = goal.largest.ilog2() as usize;
    let mut usable = [0_u64; u64::BITS as usize];
    field.policy.free_runs(&mut |run| {
        for (order, usable) in usable[..=orders].iter_mut().enumerate().skip(1) {
            let align = goal.align.order(1 << order);
            *usable += area.usable(run, align) >> order << order;
        }
    });
    let of_order = |order: usize| {
        let count = 1 << order;
        let need = field.live_pages + usable[order] + count;
        Reach { need: need.max(field.need), acts, count }
    };
    (1..=orders).map(of_order).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::Cause;
    use crate::harm::confirm;
    use cma_policies::{Request, builtin};

    fn goal(text: &str) -> Goal {
        Goal::parse(text, &builtin::catalog()).unwrap()
    }

    fn fill(count: u64) -> Act {
        Act::Fill { request: Request::new(count, 0).unwrap(), times: u16::MAX }
    }

    const COMB: Act = Act::FreeEvery { stride: 2, phase: 0, class: None };

    #[test]
    fn a_comb_of_single_pages_counted_by_hand() {
        // 12 pages live, 6 of them given back; then pairs find pages 12 to 15 only.
        let goal = goal("kernel,16,2");
        let outcome = evaluate(&goal, &[fill(1), COMB, fill(2)], 12);
        let refusal = outcome.refusal.unwrap();
        let expected = Refusal {
            need: 12,
            count: 2,
            op: 12 + 6 + 2,
            free: 16 - 6 - 4,
            longest: 1,
            usable: 1,
            cause: Cause::Fragmentation,
        };
        assert_eq!(refusal, expected);
        assert_eq!(outcome.ops, 20);
        assert!((goal.harm(refusal.need) - 0.25).abs() < 1e-9);
        // Without the last act it is in reach: 6 live, 4 usable, 2 asked.
        let outcome = evaluate(&goal, &[fill(1), COMB], 12);
        assert_eq!(outcome.refusal, None);
        assert_eq!(outcome.reach, Some(Reach { need: 12, acts: 2, count: 2 }));
        assert_eq!(outcome.least(&goal), 12);
        // With a page less the last pair is above the limit.
        let outcome = evaluate(&goal, &[fill(1), COMB, fill(2)], 11);
        assert_eq!(outcome.refusal, None);
    }

    #[test]
    fn requests_above_n_and_above_the_limit_are_not_made_and_the_rest_of_the_format_is_quiet() {
        let request = Request::new(2, 3).unwrap();
        let script = Script { busy: 9, ..Script::default() };
        let acts = [
            Act::Free { victim: 3 },
            Act::Pin { at: 0, more: 3 },
            fill(4),
            Act::Alloc { request, script, linger: 3 },
            Act::FreePart { victim: 0, part: 1 },
            Act::Unpin { victim: 0 },
            fill(1),
        ];
        let (outcome, stream) = played(&goal("kernel,16,2"), &acts, 5);
        assert_eq!((outcome.refusal, outcome.ops), (None, 1 + 3));
        assert_eq!(stream.len(), 4);
    }

    #[test]
    fn aligned_requests_find_fewer_places() {
        // Of ten pages 0 and 9 stay: holes are 1 to 8 and 10 to 15.
        let acts: Vec<_> =
            [fill(1)].into_iter().chain([Act::Free { victim: 1 }].repeat(8)).collect();
        let reach = |align: &str| {
            let goal = goal(&format!("kernel,16,4,{align}"));
            evaluate(&goal, &acts, 10).reach.map(|reach| (reach.need, reach.count))
        };
        // Two fours and one, or four twos and three; the smaller of equals.
        assert_eq!(reach("none"), Some((2 + 14 + 2, 2)));
        // Aligned one four and one.
        assert_eq!(reach("dma:2"), Some((2 + 8 + 4, 4)));
    }

    #[test]
    fn what_is_believed_is_what_is_confirmed_for_every_policy() {
        use crate::codec::Case;
        use crate::codec::mutate::{Part, change};
        use crate::seed::Seed;
        let catalog = builtin::catalog();
        let mut refused = 0;
        for (number, entry) in catalog.entries().iter().enumerate() {
            for pages in [64, 100, 256] {
                for align in ["none", "dma:4"] {
                    let text = format!("{},{pages},8,{align}", entry.name);
                    let Ok(goal) = Goal::parse(&text, &catalog) else { continue };
                    let mut draws = Seed::new(number as u64).child(&text, 0).rng();
                    let mut case = goal.case(&catalog);
                    case.acts = vec![fill(1), COMB, fill(2), COMB, fill(4), COMB, fill(8)];
                    for _ in 0..10 {
                        change(&mut case, &mut draws, |part| part == Part::Acts);
                        let limit = draws.between(pages / 2, pages);
                        let (outcome, stream) = played(&goal, &case.acts, limit);
                        assert_eq!(outcome, evaluate(&goal, &case.acts, limit));
                        let confirmed = confirm(&goal, &stream).expect("no law is broken");
                        assert_eq!(confirmed, outcome.refusal, "{goal}");
                        refused += u32::from(outcome.refusal.is_some());
                        let again = Case::decode(&case.encode());
                        assert_eq!(evaluate(&goal, &again.acts, limit).refusal, outcome.refusal);
                        case = again;
                    }
                }
            }
        }
        assert!(refused > 50, "{refused} refusals");
    }
}
