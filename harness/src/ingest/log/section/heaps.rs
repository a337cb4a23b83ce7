//! `ls /dev/dma_heap`: the heaps of dma-buf (`drivers/dma-buf/dma-heap.c`, 5.6 on), one for each CMA
//! area that has one, by the name of the area.

use super::super::boot::Boot;
use super::super::names::Names;
use super::super::{Record, Sink};

/// The most bytes of a name, and of names.
const LONGEST: usize = 64;
const MOST: usize = 32;

/// A listing that goes on.
#[derive(Debug)]
pub(super) struct Heaps {
    left: usize,
}

impl Heaps {
    /// `ls /dev/dma_heap`, as a command or as the title of a section.
    pub(super) fn begin(command: &[u8]) -> Option<Self> {
        let mut words = command.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let is_list = words.by_ref().take(2).any(|word| word == b"ls");
        let of_heaps = |word: &[u8]| {
            let word = word.strip_suffix(b"/*").or(word.strip_suffix(b"/")).unwrap_or(word);
            word.ends_with(b"/dma_heap")
        };
        (is_list && words.next_back().is_some_and(of_heaps)).then_some(Self { left: MOST })
    }

    /// Reads a line of the listing; whether it is one.
    pub(super) fn line(&mut self, text: &[u8], sink: &mut Sink<'_>, names: &mut Names) -> bool {
        let words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let words: Vec<_> = words.take(MOST).collect();
        let Some((first, last)) = words.first().zip(words.last()) else { return false };
        if *first == b"total" && words.len() == 2 {
            return true;
        }
        // `crw------- 1 root root 252, 1 Nov 29 15:06 linux,cma`
        let is_long = first.len() >= 10 && first.starts_with(b"c") && words.len() > 6;
        let named = if is_long { std::slice::from_ref(last) } else { &words[..] };
        let plain = |name: &&[u8]| {
            let of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b",._-@/".contains(byte);
            name.len() <= LONGEST && name.iter().all(of_name)
        };
        if !named.iter().all(plain) || self.left < named.len() {
            return false;
        }
        self.left -= named.len();
        for name in named {
            let name = name.rsplit(|byte| *byte == b'/').next().unwrap_or(name);
            sink.push(None, None, Record::Boot(Boot::Heap(names.get(name))));
        }
        true
    }
}
