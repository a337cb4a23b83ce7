//! One client of a file, or those of its kind.

use std::collections::BTreeMap;

use crate::board::kind;
use crate::ingest::{IngestError, Source, quoted};
use crate::op::Op;
use crate::reader::{self, Options};
use crate::words::near;

/// Names that an error lists at most.
const MOST_NAMES: usize = 20;

/// The client of a name, and where nobody is of that very name all of its kind: as a board takes
/// names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct OfClient {
    /// Their names. Requests that were taken have the index into them as their client.
    pub(super) clients: Vec<String>,
    /// Their numbers in the file, and what they are here.
    numbers: BTreeMap<u16, u16>,
}

impl OfClient {
    /// Reads the file of `source` to its end for who is in it.
    ///
    /// # Errors
    /// Where it cannot be read, or nobody in it is of that name.
    pub(super) fn find(
        source: &Source,
        options: &Options,
        name: &str,
    ) -> Result<Self, IngestError> {
        let mut reader = reader::open(source, options)?;
        for row in reader.by_ref() {
            row?;
        }
        let names = reader.clients();
        Self::among(&names, name).ok_or_else(|| {
            let there: Vec<_> = names.iter().filter(|name| !name.is_empty()).copied().collect();
            let some: Vec<_> = there.iter().take(MOST_NAMES).map(|name| quoted(name)).collect();
            let near = near(name, there.iter().copied());
            let why = match there.len() {
                0 => format!("nobody in it has a name, so client {} is not there", quoted(name)),
                many if many > MOST_NAMES => format!(
                    "no client is named {}; there are {} and {} more{near}",
                    quoted(name),
                    some.join(", "),
                    many - MOST_NAMES
                ),
                _ => {
                    let (name, some) = (quoted(name), some.join(", "));
                    format!("no client is named {name}; there are {some}{near}")
                }
            };
            reader.error(why)
        })
    }

    /// Those of `names`, by number, who are meant by `name`.
    fn among(names: &[&str], name: &str) -> Option<Self> {
        let meant = meant(names, name);
        let clients = meant.iter().map(|number| names[usize::from(*number)].to_string()).collect();
        let numbers = meant.iter().copied().zip(0..).collect();
        (!meant.is_empty()).then_some(Self { clients, numbers })
    }

    /// `op` under the numbers here; none where it is a request of somebody else. Who takes it knows
    /// which buffers are held, and so which frees count.
    pub(super) fn take(&self, op: Op) -> Option<Op> {
        let Op::Alloc { id, request, dma } = op else { return Some(op) };
        let client = *self.numbers.get(&request.client())?;
        Some(Op::Alloc { id, request: request.with_client(client), dma })
    }

    /// The number here of who is `number` in the file.
    pub(super) fn number(&self, number: u16) -> Option<u16> {
        self.numbers.get(&number).copied()
    }
}

/// The numbers of those of `names` who are meant by `name`, ascending.
pub(super) fn meant(names: &[&str], name: &str) -> Vec<u16> {
    let those = |is_meant: &dyn Fn(&str) -> bool| -> Vec<u16> {
        (0..).zip(names).filter(|(_, other)| is_meant(other)).map(|(number, _)| number).collect()
    };
    let exactly = those(&|other| other == name);
    if exactly.is_empty() { those(&|other| kind(other) == name) } else { exactly }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_its_client_and_else_its_kind() {
        let names = ["", "vpu", "vpu1", "camera0", "vpu2", "camera1"];
        let meant = |name| OfClient::among(&names, name).map(|only| only.clients);
        assert_eq!(meant("vpu"), Some(vec!["vpu".to_string()]));
        assert_eq!(meant("camera"), Some(vec!["camera0".to_string(), "camera1".to_string()]));
        assert_eq!(meant("vpu2"), Some(vec!["vpu2".to_string()]));
        assert_eq!(meant("gpu"), None);
        let only = OfClient::among(&names, "camera").unwrap();
        assert_eq!([3, 5, 1].map(|number| only.number(number)), [Some(0), Some(1), None]);
    }
}
