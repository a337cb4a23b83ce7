//! Planted defects: one expression each, inside the shipped code, to show that the laws convict.
//!
//! Without the feature `mutants` (that is, in every build but the tests of the laws) [`is`] is the
//! constant `false` and nothing of this remains. With it a test turns one on for its own thread by
//! `with`.

/// Makes the list of defects a type and a table.
macro_rules! mutants {
    ($($(#[$about:meta])* $name:ident,)*) => {
        /// A defect that can be planted. The comment at its `mutate!` says what it breaks.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[non_exhaustive]
        pub enum Mutant { $($(#[$about])* $name,)* }

        /// Every mutant, for tests that go through all of them.
        pub const ALL: &[Mutant] = &[$(Mutant::$name,)*];
    };
}

mutants! {
    /// `Area::mask` is half as wide as it should be.
    MaskShort,
    /// `Area::offset` is one bit too large.
    OffsetByOne,
    /// `Area::pages_to_bits` rounds down.
    RoundDown,
    /// A search gives up where all that is left of the map is just long enough.
    EndByOne,
    /// A search resumes at the refused place itself rather than one alignment step on.
    ResumeStays,
    /// A search resumes two alignment steps on.
    ResumeSkips,
    /// A proposed run is not marked, so that it can be proposed again.
    DoubleGrant,
    /// A refused attempt stays marked.
    LeakOnBusy,
    /// A refusal after busy attempts says that there is no memory.
    BusyMeansNoMemory,
    /// Giving back what is not granted is accepted.
    DoubleFree,
    /// The index keeps its old longest runs where bits are freed.
    StaleIndex,
    /// A free clears one bit less than was marked where order_per_bit is above 0.
    FreeShort,
    /// A hole does not begin before a freed run that begins after free bits of its word and goes on
    /// into the next one.
    StaleWord,
    /// The start of a hole is not looked for before a word that is all free.
    ForgetsStart,
    /// A freed hole that ends with the map is one bit short there.
    LastBit,
    /// What a search finds to be the longest of a block is kept as one bit less.
    LowBound,
    /// A search from the top resumes two alignment steps down.
    ResumeSkipsDown,
    /// Of two holes of the same length best fit takes the higher.
    TieHigh,
    /// A block that is reserved brings the bit after it along.
    ZoneBorder,
    /// A row of blocks gives back all of its last one, whose first part is live.
    TrimLive,
    /// A block that is freed does not merge with its left buddy from 64 units on.
    MissedBuddy,
    /// Next fit goes round where a fit ends with the range.
    RoverWraps,
    /// What is left of a grant is forgotten where it is one page.
    LostTail,
    /// A request that spills to the pools of smaller sizes asks its own once more, not the last.
    SpillAgain,
    /// The offset of every range is that of the first.
    RangeBase,
    /// A refusal after a pause says that there is no memory.
    PauseForgets,
    /// In an area of several ranges a run is inside one where its first page is.
    BorderCrossed,
    /// A free run at the end of a range goes on into the one that touches it.
    BorderJoined,
    /// Ranges are searched in the order of their pages.
    RangesAscend,
    /// A search resumes in the first range, wherever the refused place is.
    ResumesInFirst,
    /// A search of several ranges goes on where there is no memory to migrate to.
    OnWithoutMemory,
    /// Pages without a bit are granted.
    TailGranted,
    /// The pages of a failed claim are not counted back.
    CounterLeak,
    /// A piece that begins inside a granule clears only as many as its pages fill.
    PartShort,
}

/// Whether this build has the defects in it, off as they are: then it is no build to time.
pub const COMPILED_IN: bool = cfg!(feature = "mutants");

#[cfg(feature = "mutants")]
mod switch {
    extern crate std;
    use super::Mutant;
    use core::cell::Cell;

    std::thread_local! {
        static ON: Cell<Option<Mutant>> = const { Cell::new(None) };
    }

    /// Whether `mutant` is on in this thread.
    pub fn is(mutant: Mutant) -> bool {
        ON.get() == Some(mutant)
    }

    /// Runs `body` with `mutant` on in this thread, and off again after it, also after a panic.
    pub fn with<T>(mutant: Mutant, body: impl FnOnce() -> T) -> T {
        struct Off;
        impl Drop for Off {
            fn drop(&mut self) {
                ON.set(None);
            }
        }
        let _off = Off;
        ON.set(Some(mutant));
        body()
    }
}

#[cfg(feature = "mutants")]
pub use switch::{is, with};

/// Whether `mutant` is on: never, in a build without the feature `mutants`.
#[cfg(not(feature = "mutants"))]
pub const fn is(_: Mutant) -> bool {
    false
}

/// `mutate!(Name: shipped => mutated)`: the shipped expression, or the planted defect where it is on.
macro_rules! mutate {
    ($mutant:ident: $shipped:expr => $mutated:expr) => {
        if $crate::mutant::is($crate::mutant::Mutant::$mutant) { $mutated } else { $shipped }
    };
}
pub(crate) use mutate;
