//! What came of judging a policy.

use std::fmt;

use cma_policies::Promises;

use crate::codec::Case;
use crate::law::LAWS;
use crate::oracle::{Violation, name};

/// A law that was broken, and how to see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// The law and the numbers.
    pub violation: Violation,
    /// The smallest case found.
    pub case: Option<Case>,
    /// What happens in it, line by line.
    pub lines: Vec<String>,
}

impl Broken {
    /// One without a case of its own.
    pub(super) const fn bare(violation: Violation) -> Self {
        Self { violation, case: None, lines: Vec::new() }
    }
}

/// How one law fared.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// Its name.
    pub law: &'static str,
    /// Cases in which it bound the policy.
    pub cases: u64,
    /// How it was broken.
    pub broken: Option<Broken>,
}

/// How all laws fared. It prints as the verdict, and what breaks a law as a stream to read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// Every law, in order.
    pub verdicts: Vec<Verdict>,
    /// Cases that it was judged on.
    pub cases: u64,
    /// Random areas that the policy could be built for.
    pub areas_built: u64,
    /// Random areas that it could not be built for.
    pub areas_refused: u64,
}

impl Report {
    pub(super) fn new() -> Self {
        let names = LAWS.iter().map(|law| law.name).chain([name::BUILDS, name::PANIC]);
        let verdicts = names.map(|law| Verdict { law, cases: 0, broken: None }).collect();
        Self { verdicts, cases: 0, areas_built: 0, areas_refused: 0 }
    }

    pub(super) fn count(&mut self, promises: Promises) {
        for verdict in &mut self.verdicts {
            let law = LAWS.iter().find(|law| law.name == verdict.law);
            verdict.cases += u64::from(law.is_none_or(|law| (law.binds.binds)(promises)));
        }
    }

    pub(super) fn convict(&mut self, broken: Broken) {
        let law = broken.violation.law;
        let verdict = self.verdicts.iter_mut().find(|verdict| verdict.law == law);
        verdict.expect("every law that can be broken is listed").broken = Some(broken);
    }

    /// What was broken, if anything was.
    pub fn broken(&self) -> Option<&Broken> {
        self.verdicts.iter().find_map(|verdict| verdict.broken.as_ref())
    }

    /// Whether no law was broken.
    pub fn is_clean(&self) -> bool {
        self.broken().is_none()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(broken) = self.broken() else {
            let laws = self.verdicts.iter().filter(|verdict| verdict.cases > 0).count();
            return write!(f, "{laws} laws hold in {} cases", self.cases);
        };
        write!(f, "{}", broken.violation)?;
        let Some(case) = &broken.case else { return Ok(()) };
        write!(f, "\narea of order_per_bit {}:", case.area.order_per_bit())?;
        for range in case.area.ranges() {
            write!(f, " {range}")?;
        }
        for line in &broken.lines {
            write!(f, "\n{line}")?;
        }
        write!(f, "\nbytes of the case: ")?;
        case.encode().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
