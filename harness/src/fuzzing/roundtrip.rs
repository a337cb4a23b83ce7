//! What the project writes, read back: cases, names, streams, recordings, values, packed files.

mod recording;
mod stream;

use std::io::Write as _;

use cma_policies::{BuildError, Spec, builtin};

use super::Target;
use super::course::Course;
use crate::codec::{Act, Case};
use crate::environment::Pinned;
use crate::kernel::{KERNELS, Kernel};
use crate::op::{Op, Part, Timed};
use crate::oracle::{Checks, Witness};
use crate::simulate::{Answer, step};

pub(super) const TARGET: Target = Target::passes("roundtrip", run);

/// The most ops of a case.
const MOST: usize = 48;

/// Writes all that the case `bytes` can be written as, and reads it back.
///
/// # Panics
/// Where what comes back is not what went in.
pub fn run(bytes: &[u8]) {
    let case = Case::decode(bytes);
    assert_eq!(Case::decode(&case.encode()), case, "a case written and read back");
    let spec = case.policy.spec(&builtin::catalog());
    let named = builtin::catalog().parse(&spec.to_string());
    let named = named.unwrap_or_else(|error| panic!("{spec} is named as no policy is: {error}"));
    assert_eq!(named.to_string(), spec.to_string());
    assert_eq!(format!("{named:?}"), format!("{spec:?}"), "the parameters of {spec}");
    let Ok(course) = Run::new(&case, spec) else { return };
    // A recording has no clients, and without them some policies do other things.
    if course.flags & CLIENTS > 0 {
        stream::check(&course);
    } else {
        recording::check(&course);
    }
}

/// Which way round, by the bits of the last knob, which no policy has.
const NO_PINS: u8 = 1;
const DMA: u8 = 2;
const GZIP: u8 = 4;
const ZSTD: u8 = 8;
const NAMES: u8 = 16;
const CLIENTS: u8 = 32;

/// A case that has been run: what was asked, and what was answered.
struct Run {
    case: Case,
    spec: Spec,
    kernel: &'static Kernel,
    cap: u32,
    flags: u8,
    ops: Vec<Timed>,
    answers: Vec<Answer>,
    /// The clients in the order in which they ask first, which is their number in a stream.
    clients: Vec<u16>,
}

impl Run {
    /// Runs the case through its policy, without what a stream cannot say: wrong frees, parts that
    /// the policy does not take back, and claims that are busy where nothing is pinned.
    fn new(case: &Case, spec: Spec) -> Result<Self, BuildError> {
        let [.., row, cap, flags] = case.policy.knobs;
        let case = case.unfolded(MOST);
        let mut run = Self {
            kernel: &KERNELS[usize::from(row) % KERNELS.len()],
            cap: u32::from(cap % 16),
            flags,
            ops: Vec::new(),
            answers: Vec::new(),
            clients: Vec::new(),
            spec,
            case,
        };
        let mut witness = run.witness()?;
        let mut pages = Pinned::default();
        let mut course = Course::new(&run.case);
        let acts = run.case.acts.clone();
        for act in &acts {
            let is_bad = match act {
                Act::FreeBadly { .. } => true,
                Act::FreePart { .. } => !witness.promises().partial_free,
                _ => false,
            };
            if is_bad || run.is_left_out(act) {
                continue;
            }
            for (op, _) in course.ops(act) {
                let at = run.ops.len() as u64;
                let op = run.said(op, &course);
                let timed = Timed { at_us: at * u64::from(cap) * 1000, op: run.numbered(op) };
                let done = step(at, timed, &mut witness, &mut pages);
                let done = done.unwrap_or_else(|violation| panic!("{}: {violation}", run.spec));
                match (timed.op, done.answer) {
                    (Op::Alloc { id, request, .. }, Answer::Granted(pfn)) => {
                        course.granted(id, cma_policies::Run { pfn, count: request.count() });
                    }
                    (Op::Free { id, part: Some(_) }, Answer::Freed(freed)) => {
                        course.freed(id, Some(freed));
                    }
                    (Op::Free { id, part: None }, Answer::Freed(_)) => course.freed(id, None),
                    (Op::Pin(pin), Answer::Pinned(true)) => course.pins.push(pin),
                    (Op::Unpin(pin), Answer::Pinned(true)) => {
                        course.pins.retain(|other| *other != pin);
                    }
                    _ => {}
                }
                run.answers.push(done.answer);
                run.ops.push(timed);
            }
        }
        Ok(run)
    }

    /// A fresh policy, whose free runs are looked at in the end only.
    fn witness(&self) -> Result<Witness, BuildError> {
        let (area, checks) = (&self.case.area, Checks { free_runs_every: 1 << 20 });
        Ok(Witness::new(area, self.spec.build(area.clone())?, checks))
    }

    fn is_left_out(&self, act: &Act) -> bool {
        self.flags & NO_PINS > 0 && matches!(act, Act::Pin { .. } | Act::Unpin { .. })
    }

    /// An op as a file says it: a part that is all that is left is the whole, and what the DMA API
    /// asks for follows the cap.
    fn said(&self, op: Op, course: &Course) -> Op {
        match op {
            Op::Free { id, part: Some(Part { count, .. }) } => {
                let held = course.find(id).expect("a buffer that is held");
                let left: u64 = held.pieces.iter().map(|piece| piece.count).sum();
                if left == count { Op::Free { id, part: None } } else { op }
            }
            Op::Alloc { id, request, .. } if self.flags & DMA > 0 && id % 2 == 0 => {
                Op::Alloc { id, request, dma: true }.with_cap(self.cap)
            }
            other => other,
        }
    }

    /// The same op, whose client has the number that a stream gives it.
    fn numbered(&mut self, op: Op) -> Op {
        let Op::Alloc { id, request, dma } = op else { return op };
        if self.flags & CLIENTS == 0 {
            return Op::Alloc { id, request: request.with_client(0), dma };
        }
        let known = self.clients.iter().position(|client| *client == request.client());
        let number = known.unwrap_or(self.clients.len());
        if known.is_none() {
            self.clients.push(request.client());
        }
        Op::Alloc { id, request: request.with_client(number as u16), dma }
    }

    fn pins(&self) -> bool {
        self.ops.iter().any(|timed| matches!(timed.op, Op::Pin(_) | Op::Unpin(_)))
    }

    /// `text`, packed as the flags say.
    fn packed(&self, text: &[u8]) -> Vec<u8> {
        if self.flags & GZIP > 0 {
            let level = flate2::Compression::fast();
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), level);
            gzip.write_all(text).expect("memory takes all");
            return gzip.finish().expect("memory takes all");
        }
        if self.flags & ZSTD > 0 {
            let level = ruzstd::encoding::CompressionLevel::Fastest;
            return ruzstd::encoding::compress_to_vec(text, level);
        }
        text.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    /// The pages that a recording of a policy has free used to be held against what the policy
    /// shows, which is less where it rounds up or never grants across a border.
    #[test]
    fn every_policy_does_again_what_was_recorded_of_it() {
        let area = cma_policies::Area::single(40, 64, 0).expect("an area");
        let request = cma_policies::Request::new(5, 0).expect("a request");
        let large = cma_policies::Request::new(60, 2).expect("a request");
        let alloc = |request| Act::Alloc { request, script: Default::default(), linger: 0 };
        let acts = vec![alloc(request), alloc(request), Act::Free { victim: 0 }, alloc(large)];
        for which in 0..builtin::ENTRIES.len() {
            let mut case = Case::new(area.clone(), acts.clone());
            case.policy.which = which as u8;
            let run = Run::new(&case, case.policy.spec(&builtin::catalog())).expect("a policy");
            assert!(matches!(run.answers.last(), Some(Answer::Refused(_))), "{}", run.spec);
            recording::check(&run);
        }
    }

    #[test]
    fn random_cases_come_back_in_every_way() {
        let mut draws = Seed::new(5).child("roundtrip", 0).rng();
        let mut flags = [0; 7];
        for _ in 0..400 {
            let case = Case::draw(&mut draws, 40);
            if let Ok(run) = Run::new(&case, case.policy.spec(&builtin::catalog())) {
                flags[6] += u32::from(run.pins());
                for (bit, seen) in flags.iter_mut().take(6).enumerate() {
                    *seen += u32::from(run.flags >> bit & 1);
                }
            }
            super::run(&case.encode());
        }
        assert!(flags.iter().all(|seen| *seen > 30), "{flags:?}");
    }
}
