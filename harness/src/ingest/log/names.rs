//! Names that recur: areas and tasks.

use std::hash::Hasher;
use std::sync::Arc;

use rustc_hash::FxHasher;

/// The slots of a cache: more than the areas and busy tasks of any board.
const SLOTS: usize = 256;

/// Hands out one `Arc<str>` for each name, mostly: a line must not cost an allocation. Its memory
/// is bounded; a name that was pushed out is made again, and is the same for every comparison.
#[derive(Default, Debug)]
pub(super) struct Names {
    slots: Vec<Option<Arc<str>>>,
}

impl Names {
    /// The name; what is no UTF-8 in it is replaced.
    pub(super) fn get(&mut self, name: &[u8]) -> Arc<str> {
        if self.slots.is_empty() {
            self.slots.resize(SLOTS, None);
        }
        let slot = &mut self.slots[index(name)];
        if let Some(known) = slot
            && known.as_bytes() == name
        {
            return Arc::clone(known);
        }
        let new: Arc<str> = String::from_utf8_lossy(name).into();
        *slot = Some(Arc::clone(&new));
        new
    }

    /// Whether the name was handed out and is still kept.
    pub(super) fn knows(&self, name: &[u8]) -> bool {
        let slot = self.slots.get(index(name)).and_then(Option::as_ref);
        slot.is_some_and(|known| known.as_bytes() == name)
    }
}

fn index(name: &[u8]) -> usize {
    let mut hasher = FxHasher::default();
    hasher.write(name);
    (hasher.finish() % SLOTS as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_is_one_allocation() {
        let mut names = Names::default();
        assert!(!names.knows(b"vpu"));
        let first = names.get(b"vpu");
        assert!(Arc::ptr_eq(&first, &names.get(b"vpu")));
        assert!(names.knows(b"vpu") && !names.knows(b"vp"));
        assert_eq!(&*names.get(b""), "");
        assert_eq!(&*names.get(b"a\xffb"), "a\u{fffd}b");
    }

    #[test]
    fn more_names_than_slots_are_told_apart() {
        let mut names = Names::default();
        for number in 0..4 * SLOTS {
            let name = format!("task-{number}");
            assert_eq!(&*names.get(name.as_bytes()), name);
        }
        assert_eq!(names.slots.len(), SLOTS);
    }
}
