//! Who is who where several streams become one.

use super::super::SetupError;
use crate::ingest;

/// The clients of a mix: an equal name is one client, number 0 is nobody.
#[derive(Debug)]
pub(super) struct Clients(ingest::Clients);

impl Clients {
    pub(super) fn new() -> Self {
        let mut clients = ingest::Clients::default();
        clients.number("");
        Self(clients)
    }

    /// The number of the client of this name.
    ///
    /// # Errors
    /// One client more than a request can tell apart.
    pub(super) fn number(&mut self, name: &str) -> Result<u16, SetupError> {
        self.0.number(name).ok_or(SetupError::Clients)
    }

    /// The numbers of a part's clients, by their number in the part. Where it is `called` something
    /// they are that and 0, 1 …; where somebody `nameless` may ask, the number after those with a name.
    ///
    /// # Errors
    /// As [`Clients::number`].
    pub(super) fn of_part(
        &mut self,
        names: &[String],
        called: Option<&str>,
        nameless: bool,
    ) -> Result<Vec<u16>, SetupError> {
        let Some(called) = called else {
            return names.iter().map(|name| self.number(name)).collect();
        };
        let named = names.iter().filter(|name| !name.is_empty()).count();
        let mut next = 0..named;
        let mut number = |name: &String| match (name.is_empty(), nameless) {
            (true, false) => Ok(0),
            (true, true) => self.number(&format!("{called}{named}")),
            (false, _) => self.number(&format!("{called}{}", next.next().unwrap_or(named))),
        };
        names.iter().map(&mut number).collect()
    }

    pub(super) fn into_names(self) -> Vec<String> {
        self.0.names().into_iter().map(String::from).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_are_one_client_and_what_is_called_something_is_not() {
        let mut clients = Clients::new();
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_string()).collect::<Vec<_>>();
        let camera = own(&["", "camera0", "audio0"]);
        assert_eq!(clients.of_part(&camera, None, false), Ok(vec![0, 1, 2]));
        let video = own(&["", "vpu0", "audio0"]);
        assert_eq!(clients.of_part(&video, None, false), Ok(vec![0, 3, 2]));
        assert_eq!(clients.of_part(&camera, Some("second"), false), Ok(vec![0, 4, 5]));
        // Of a file, where a request without a name is somebody's.
        assert_eq!(clients.of_part(&own(&["", "vpu0"]), Some("dsp"), true), Ok(vec![6, 7]));
        assert_eq!(clients.of_part(&own(&["vpu0", ""]), None, true), Ok(vec![3, 0]));
        let names = ["", "camera0", "audio0", "vpu0", "second0", "second1", "dsp1", "dsp0"];
        assert_eq!(clients.into_names(), names);
    }

    #[test]
    fn there_are_as_many_clients_as_a_request_can_tell_apart() {
        let mut clients = Clients::new();
        let names: Vec<_> = (0..65_535).map(|number| format!("c{number}")).collect();
        assert_eq!(clients.of_part(&names, None, true).unwrap().last(), Some(&65_535));
        assert_eq!(clients.number("c7"), Ok(8));
        assert_eq!(clients.number("one more"), Err(SetupError::Clients));
    }
}
