//! By what buffers are told apart: their size, and who asked for them.

use cma_policies::Request;

use crate::metric::CLASSES;

/// Kinds that are told apart, at most: of more clients the last one is all others.
pub(crate) const MOST_KINDS: usize = 8;

/// The kind of what is granted and nobody's: the rest of a granule.
pub(crate) const NOBODY: u8 = MOST_KINDS as u8;

/// The kind of clients without a name.
const UNNAMED: &str = "no name";

/// By what buffers are told apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum By {
    /// By the class of their size.
    Size,
    /// By the kind of client that asked for them.
    Client,
}

/// Kinds of clients: `camera2` and `camera11` are of one kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Kinds {
    /// Their names.
    pub names: Vec<String>,
    /// The kind of each client, by its number.
    of: Vec<u8>,
}

impl Kinds {
    /// Those of `clients`, by their numbers.
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
        if names.len() > MOST_KINDS {
            names.truncate(MOST_KINDS - 1);
            names.push("others".to_string());
        }
        Self { names, of }
    }

    /// The kind of what a request asks for.
    pub(super) fn of(&self, request: Request, by: By) -> u8 {
        let client = || self.of.get(usize::from(request.client())).copied();
        match by {
            By::Size => {
                let class = CLASSES.iter().position(|(_, most)| request.count() <= *most);
                class.unwrap_or(CLASSES.len() - 1) as u8
            }
            By::Client => client().unwrap_or(MOST_KINDS as u8 - 1),
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
        let found = kinds(&["", "camera2", "vpu", "camera11", "7"]);
        assert_eq!(found.names.join(", "), "no name, camera, vpu, 7");
        assert_eq!(found.of, [0, 1, 2, 1, 3]);
        assert_eq!(kinds(&[]).names.len(), 0);
    }

    #[test]
    fn of_many_the_last_kind_is_all_others() {
        let letters: Vec<_> = ('a'..='k').map(String::from).collect();
        let Kinds { names, of } = Kinds::of_clients(&letters);
        assert_eq!(names.join(" "), "a b c d e f g others");
        assert_eq!(of, [0, 1, 2, 3, 4, 5, 6, 7, 7, 7, 7]);
    }

    #[test]
    fn sizes_are_in_their_class() {
        let kind = |count| kinds(&[]).of(Request::new(count, 0).unwrap(), By::Size);
        assert_eq!([1, 16, 17, 256, 257, 2048, 2049].map(kind), [0, 0, 1, 1, 2, 2, 3]);
    }
}
