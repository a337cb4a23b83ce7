//! A file of ops under a policy: [`run`] measures, [`expect`] compares with what a kernel did.
//!
//! Both read the file as they go, so memory does not grow with the number of rows.

mod expect;
mod explain;
mod record;
mod run;
mod stream;

use cma_policies::{Area, BASELINE, BuildError, Policy, builtin};

pub use expect::{Comparison, FIELDS, Mismatch, expect};
pub use explain::explain;
pub use record::Recorder;
pub(crate) use run::errno;
pub use run::{Failure, OfArea, Refusals, Replayed, Survey, given_back, run, survey};
pub use stream::to_stream;

use crate::environment::{Environment, Spec};
use crate::ingest::IngestError;
use crate::kernel::{KERNELS, Kernel, Sign};
use crate::oracle::Violation;
use crate::reader::Reader;

/// What a file is run under.
#[derive(Clone, Copy, Debug)]
pub struct Under<'a> {
    /// The policy.
    pub policy: &'a cma_policies::Spec,
    /// What the pages do.
    pub environment: &'a Spec,
    /// Where their randomness comes from.
    pub seed: &'a crate::seed::Seed,
    /// Whose errno is printed, and who answers before there is a request.
    pub kernel: &'static Kernel,
    /// The cap that `dma` rows follow.
    pub cap: u32,
}

impl Under<'_> {
    /// The policy, for `area`. The baseline with every parameter at its default searches as the
    /// kernel does, where that one counts the pages that are available: by the newest row of its
    /// own up to that kernel's.
    ///
    /// # Errors
    /// Where its parameters make no policy on this area.
    pub(crate) fn build(&self, area: &Area) -> Result<Box<dyn Policy>, BuildError> {
        let follows = self.policy.is_baseline() && self.kernel.shows(Sign::CountersOfPages);
        let rows = KERNELS.iter().rev().skip_while(|row| *row != self.kernel);
        let named =
            |row: &Kernel| builtin::catalog().parse(&format!("{BASELINE}:row={}", row.name)).ok();
        let own = if follows { rows.filter_map(named).next() } else { None };
        own.as_ref().unwrap_or(self.policy).build(area.clone())
    }
}

/// Why a file cannot be run to its end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// The policy cannot be built for its area.
    #[error("build the policy: {0}")]
    Build(#[from] BuildError),
    /// The policy broke a law.
    #[error("run the policy: {0}")]
    Violation(#[from] Violation),
    /// The recording of it takes no more.
    #[error("write the recording: {0}")]
    Output(#[from] std::io::Error),
}

/// The area of `reader`'s file, which must be known from here on.
pub(crate) fn area(reader: &Reader) -> Result<Area, IngestError> {
    reader.area().cloned().ok_or_else(|| {
        let why = "the stream states no pages; a header \"# base_pfn=… pages=… order_per_bit=…\" \
                   is needed, or --pages";
        reader.error(why)
    })
}

/// The pages of `area` that `under` asks for.
pub(crate) fn pages(under: &Under<'_>, area: &Area, survey: &Survey) -> Box<dyn Environment> {
    let setup = crate::environment::Setup {
        area,
        seed: under.seed,
        script: &survey.script,
        reboots: 0,
        page: survey.paged.page,
    };
    under.environment.build(setup)
}
