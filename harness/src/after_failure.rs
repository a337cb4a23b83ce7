//! What callers do whose request was refused.
//!
//! It is in every row, since the rates of one stream and policy differ by it several times.

use std::fmt;

use cma_policies::{Param, Params, SpecError};

/// What callers do whose request was refused. A caller that the page allocator served has not
/// failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AfterFailure {
    /// They go on without that buffer, and never ask for it again. Its free in the stream finds
    /// nothing.
    Drop,
    /// They ask again, until it is granted, they would have given it back, or they lose patience.
    /// Each try is a request, at its own time; at one moment the ops of the stream go first. A free
    /// of a part of the buffer ends the wait too.
    Retry {
        /// Microseconds between two tries.
        every_us: u64,
        /// Tries at most, beside the first.
        times: u64,
    },
    /// The session ends: the buffers that its client asked for at the same moment are given back,
    /// and the rest of them is not asked for. Their frees in the stream do not happen any more.
    Session,
    /// They go on with their next request, as one who keeps as much as it is allowed to: some of its
    /// buffers go back at once, and from then on what the stream gives back stays until its
    /// pages are needed: a client never holds more than it held at most in the stream.
    Next {
        /// Buffers of the same client that go back at once; all of them, where it is
        /// [`ALL`](Self::ALL).
        back: u64,
        /// Those that it has had longest go back first, in place of any.
        oldest: bool,
    },
    /// The board starts anew: nothing is granted, and the stream goes on from there. What was
    /// asked for before is not given back any more.
    Reboot,
    /// Clients of a stream that is fitted to a file do what those of the file did, as far as it
    /// shows; others [`Drop`](Self::Drop).
    Fitted,
}

const BACK: &[Param] = &[
    Param::int("back", 0..=AfterFailure::ALL, "0", "buffers that go back at once; 65536: all"),
    Param::int("oldest", 0..=1, "0", "1: those that it has had longest go first; 0: any"),
];

const RETRY: &[Param] = &[
    Param::int("every_ms", 1..=1 << 32, "1000", "milliseconds between two tries"),
    Param::int("times", 1..=AfterFailure::EVER, "10", "tries at most, beside the first"),
    Param::int(
        "every_us",
        0..=1 << 42,
        "0",
        "microseconds between two tries, in place of every_ms",
    ),
];

/// A word for what callers do.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// What they do, in one line.
    pub about: &'static str,
    /// Its parameters.
    pub params: &'static [Param],
    build: fn(&Params) -> AfterFailure,
}

/// Every word for it.
pub const ENTRIES: &[Entry] = &[
    Entry {
        name: "drop",
        about: "go on without that buffer, and never ask for it again",
        params: &[],
        build: |_| AfterFailure::Drop,
    },
    Entry {
        name: "retry",
        about: "ask again until it is granted or would have been given back; each try is a request",
        params: RETRY,
        build: |params| AfterFailure::Retry {
            every_us: match params.int("every_us") {
                0 => params.int("every_ms") * 1000,
                every_us => every_us,
            },
            times: params.int("times"),
        },
    },
    Entry {
        name: "session",
        about: "give back what the same client asked for at the same moment, and skip the rest of it",
        params: &[],
        build: |_| AfterFailure::Session,
    },
    Entry {
        name: "next",
        about: "give some buffers back at once and go on with the next request; what the stream gives \
                back then stays until its pages are needed, so that they hold as much as in it",
        params: BACK,
        build: |params| AfterFailure::Next {
            back: params.int("back"),
            oldest: params.int("oldest") == 1,
        },
    },
    Entry {
        name: "fitted",
        about: "do what the clients of the file did that the stream is fitted to; others drop",
        params: &[],
        build: |_| AfterFailure::Fitted,
    },
    Entry {
        name: "reboot",
        about: "start the board anew with nothing granted, and go on with the stream",
        params: &[],
        build: |_| AfterFailure::Reboot,
    },
];

impl AfterFailure {
    /// What a client may do of which nothing is known: each word as it is without parameters, but for
    /// those that are none of a client's.
    pub const OPEN: [Self; 4] = [
        Self::Drop,
        Self::Retry { every_us: 1_000_000, times: 10 },
        Self::Session,
        Self::Next { back: 0, oldest: false },
    ];

    /// Tries without an end.
    pub const EVER: u64 = 1 << 32;

    /// All buffers of a client.
    pub const ALL: u64 = 1 << 16;

    /// What `text` names: `name` or `name:key=value,key=value`.
    ///
    /// # Errors
    /// An unknown name or key, a key given twice, or a value that is not allowed.
    pub fn parse(text: &str) -> Result<Self, SpecError> {
        let name = text.split_once(':').map_or(text, |(name, _)| name);
        let Some(entry) = ENTRIES.iter().find(|entry| entry.name == name) else {
            let names: Vec<_> = ENTRIES.iter().map(|entry| entry.name).collect();
            let why = format!("after_failure is one of {}", names.join(", "));
            return Err(SpecError { text: text.to_string(), at: 0, why, known: names });
        };
        let params = Params::parse(&format!("after_failure {name}"), entry.params, text)?;
        Ok((entry.build)(&params))
    }

    /// What callers do, in one line that reads on from "callers …".
    ///
    /// # Panics
    /// Never: every kind has an entry.
    pub fn about(&self) -> &'static str {
        let text = self.to_string();
        let name = text.split(':').next().unwrap_or_default();
        ENTRIES.iter().find(|entry| entry.name == name).expect("an entry of this name").about
    }
}

/// What callers do, by client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Callers {
    /// Those of which nothing else is said.
    pub others: AfterFailure,
    /// By the number of the client.
    pub of_client: Vec<AfterFailure>,
}

impl From<AfterFailure> for Callers {
    fn from(others: AfterFailure) -> Self {
        Self { others, of_client: Vec::new() }
    }
}

impl Callers {
    /// What `client` does.
    pub fn of(&self, client: u16) -> AfterFailure {
        self.of_client.get(usize::from(client)).copied().unwrap_or(self.others)
    }
}

impl fmt::Display for AfterFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drop => f.write_str("drop"),
            Self::Retry { every_us, times } if every_us % 1000 == 0 => {
                write!(f, "retry:every_ms={},times={times}", every_us / 1000)
            }
            Self::Retry { every_us, times } => {
                write!(f, "retry:every_us={every_us},times={times}")
            }
            Self::Session => f.write_str("session"),
            Self::Next { back, oldest: false } => write!(f, "next:back={back}"),
            Self::Next { back, oldest: true } => write!(f, "next:back={back},oldest=1"),
            Self::Reboot => f.write_str("reboot"),
            Self::Fitted => f.write_str("fitted"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_as_they_print() {
        for entry in ENTRIES {
            let parsed = AfterFailure::parse(entry.name).unwrap();
            assert_eq!(AfterFailure::parse(&parsed.to_string()), Ok(parsed));
        }
        for open in AfterFailure::OPEN {
            let name = open.to_string();
            let name = name.split(':').next().unwrap();
            assert_eq!(AfterFailure::parse(name), Ok(open));
        }
        for text in ["retry:every_us=300,times=3", "next:back=65536", "next:back=1,oldest=1"] {
            assert_eq!(AfterFailure::parse(text).unwrap().to_string(), text);
        }
        let two = AfterFailure::parse("retry:times=2").unwrap();
        assert_eq!(two, AfterFailure::Retry { every_us: 1_000_000, times: 2 });
        assert!(AfterFailure::parse("reboot:now=1").is_err());
        assert!(AfterFailure::parse("hope").unwrap_err().why.contains("drop, retry"));
    }
}
