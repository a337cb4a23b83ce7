//! The names of the laws: one spelling for the witness, the laws and every report.

/// A proposed run has the pages asked for, whole granules from its start on, in one range.
pub const INSIDE: &str = "inside";
/// No page without a granule is proposed.
pub const TAIL: &str = "tail";
/// No page is granted or proposed twice at once.
pub const DISJOINT: &str = "disjoint";
/// Proposed runs are aligned by the kernel's rule.
pub const ALIGNED: &str = "aligned";
/// No refusal for lack of a place while the policy's own free runs hold one.
pub const COMPLETE: &str = "complete";
/// Every proposal is the one that the naive reference makes.
pub const LOWEST: &str = "lowest";
/// A request's first attempt goes where the policy promises that it goes.
pub const FIRST: &str = "first";
/// Every place is tried before a request is refused as busy, where that is promised.
pub const THOROUGH: &str = "thorough";
/// Nothing is withheld but the rest of last granules.
pub const TIGHT: &str = "tight";
/// The list of free runs is well formed, lists only what is free, and holds every proposal.
pub const FREE_RUNS: &str = "free_runs";
/// A proposal marks its run, a failed attempt unmarks it.
pub const MARKS: &str = "marks";
/// A request for more pages than nobody has is not tried.
pub const COUNTED: &str = "counted";
/// A refused request leaves the free runs as they were.
pub const REFUSAL: &str = "refusal";
/// A refused request changes no later answer.
pub const NO_TRACE: &str = "no_trace";
/// What was granted is taken back.
pub const FREE: &str = "free";
/// What was not granted is not taken back, and says why.
pub const BAD_FREE: &str = "bad_free";
/// Parts of a grant are taken back where that is promised.
pub const PARTIAL_FREE: &str = "partial_free";
/// A refusal says what its claims mean.
pub const MEANING: &str = "meaning";
/// Every request ends, and no place is tried twice in one pass.
pub const TERMINATION: &str = "termination";
/// The same calls get the same answers.
pub const DETERMINISTIC: &str = "deterministic";
/// With everything given back, everything is free.
pub const DRAIN: &str = "drain";
/// Several requests under way at once keep every law.
pub const IN_FLIGHT: &str = "in_flight";
/// Moving the area moves its grants along.
pub const TRANSLATION: &str = "translation";
/// The model that sweeps judge by agrees with the naive reference.
pub const MODEL: &str = "model";
/// The policy can be built for most areas.
pub const BUILDS: &str = "builds";
/// No call panics.
pub const PANIC: &str = "panic";
