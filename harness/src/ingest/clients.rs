//! Who asks.

use std::collections::HashMap;
use std::sync::Arc;

/// The names of clients, by number, in order of appearance.
#[derive(Default, Debug)]
pub(crate) struct Clients {
    numbers: HashMap<Arc<str>, u16>,
    names: Vec<Arc<str>>,
}

impl Clients {
    /// The number of `name`; `None` past the last one that there is.
    pub(crate) fn number(&mut self, name: &str) -> Option<u16> {
        if let Some(number) = self.numbers.get(name) {
            return Some(*number);
        }
        let number = u16::try_from(self.names.len()).ok()?;
        let name: Arc<str> = name.into();
        self.numbers.insert(Arc::clone(&name), number);
        self.names.push(name);
        Some(number)
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.names.iter().map(|name| &**name).collect()
    }
}
