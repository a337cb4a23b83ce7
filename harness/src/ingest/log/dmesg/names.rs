//! Names seen lately, so that a name printed a million times is kept once.

use std::sync::Arc;

/// The most names remembered.
const MOST: usize = 32;

#[derive(Default, Debug)]
pub(super) struct Names {
    seen: Vec<Arc<str>>,
    /// The one that is replaced next.
    next: usize,
}

impl Names {
    /// `name` as text.
    pub(super) fn get(&mut self, name: &[u8]) -> Arc<str> {
        if let Some(known) = self.seen.iter().find(|known| known.as_bytes() == name) {
            return Arc::clone(known);
        }
        let name: Arc<str> = Arc::from(&*String::from_utf8_lossy(name));
        if self.seen.len() < MOST {
            self.seen.push(Arc::clone(&name));
        } else {
            self.seen[self.next] = Arc::clone(&name);
            self.next = (self.next + 1) % MOST;
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_once_and_not_for_ever() {
        let mut names = Names::default();
        assert!(Arc::ptr_eq(&names.get(b"a"), &names.get(b"a")));
        for number in 0..1000 {
            assert_eq!(&*names.get(number.to_string().as_bytes()), number.to_string());
        }
        assert_eq!(names.seen.len(), MOST);
        assert_eq!(&*names.get(b"\xff"), "\u{fffd}");
    }
}
