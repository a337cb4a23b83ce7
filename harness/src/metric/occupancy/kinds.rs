//! By what buffers are told apart: who asked for them or, where that is one, their size.

use cma_policies::Request;

use crate::metric::CLASSES;

/// Kinds that are told apart, at most: of more clients the last one is all others.
pub(crate) const MOST_KINDS: usize = 8;

/// The kind of what is granted and nobody's: the rest of a granule.
pub(crate) const NOBODY: u8 = MOST_KINDS as u8;

/// The kind of clients without a name.
const UNNAMED: &str = "no name";

/// Kinds of buffers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Kinds {
    /// One for each class of sizes.
    Sizes,
    /// One for each kind of client.
    Clients {
        /// Their names.
        names: Vec<String>,
        /// The kind of each client, by its number.
        of: Vec<u8>,
    },
}

impl Kinds {
    /// By kind of client where `clients` are of several, else by size. `camera2` and `camera11` are
    /// of one kind.
    pub(crate) fn of_clients(clients: &[String]) -> Self {
        let (mut names, mut of): (Vec<String>, Vec<u8>) = Default::default();
        for client in clients {
            let name = client.trim_end_matches(|c: char| c.is_ascii_digit());
            let name = match (name, client.as_str()) {
                ("", "") => UNNAMED,
                ("", number) => number,
                (name, _) => name,
            };
            let place = names.iter().position(|other| other == name).unwrap_or_else(|| {
                names.push(name.to_string());
                names.len() - 1
            });
            of.push(place.min(MOST_KINDS - 1) as u8);
        }
        if names.iter().filter(|name| *name != UNNAMED).count() < 2 {
            return Self::Sizes;
        }
        if names.len() > MOST_KINDS {
            names.truncate(MOST_KINDS - 1);
            names.push("others".to_string());
        }
        Self::Clients { names, of }
    }

    /// The kind of what a request asks for.
    pub(super) fn of(&self, request: Request) -> u8 {
        match self {
            Self::Sizes => {
                let class = CLASSES.iter().position(|(_, most)| request.count() <= *most);
                class.unwrap_or(CLASSES.len() - 1) as u8
            }
            Self::Clients { of, .. } => {
                of.get(usize::from(request.client())).copied().unwrap_or(MOST_KINDS as u8 - 1)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(clients: &[&str]) -> Kinds {
        Kinds::of_clients(&clients.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn clients_of_a_name_with_another_number_are_of_one_kind() {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let all = names(&["no name", "camera", "vpu", "7"]);
        let all = Kinds::Clients { names: all, of: vec![0, 1, 2, 1, 3] };
        assert_eq!(kinds(&["", "camera2", "vpu", "camera11", "7"]), all);
        for one in [&["camera2", "camera3"][..], &[], &[""], &["", "vpu"]] {
            assert_eq!(kinds(one), Kinds::Sizes, "{one:?}");
        }
    }

    #[test]
    fn of_many_the_last_kind_is_all_others() {
        let letters: Vec<_> = ('a'..='k').map(String::from).collect();
        let Kinds::Clients { names, of } = Kinds::of_clients(&letters) else {
            panic!("no clients")
        };
        assert_eq!(names.join(" "), "a b c d e f g others");
        assert_eq!(of, [0, 1, 2, 3, 4, 5, 6, 7, 7, 7, 7]);
    }

    #[test]
    fn sizes_are_in_their_class() {
        let kind = |count| Kinds::Sizes.of(Request::new(count, 0).unwrap());
        assert_eq!([1, 16, 17, 256, 257, 2048, 2049].map(kind), [0, 0, 1, 1, 2, 2, 3]);
    }
}
