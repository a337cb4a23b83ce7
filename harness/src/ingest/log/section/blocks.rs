//! `/proc/pagetypeinfo` and `/proc/buddyinfo` (`mm/vmstat.c`): free blocks of the page allocator by
//! their order.

use super::super::super::Format;
use super::super::bytes::number;
use super::super::{FreeBlocks, Record, Sink};

pub(super) const FORMAT: Format = Format {
    name: "free-blocks",
    about: "free blocks of the page allocator: the rows of CMA in /proc/pagetypeinfo, and \
            /proc/buddyinfo",
    columns: "Node N, zone Z, type CMA, and a number for each order; Node N, zone Z, and the same",
    kernels: "3.5 on",
    written: false,
};

/// A row of `Number of blocks type` has a number for each type, of which there are six; orders are
/// more, on every board.
const FEWEST_ORDERS: usize = 8;

/// The most orders: 2^31 pages.
const MOST_ORDERS: usize = 32;

/// Reads such a row: `Node    0, zone      DMA, type          CMA     14     14 …`.
pub(super) fn line(text: &[u8], sink: &mut Sink<'_>) -> bool {
    let Some(record) = row(text) else { return false };
    sink.push(None, None, Record::FreeBlocks(record));
    true
}

fn row(text: &[u8]) -> Option<FreeBlocks> {
    let mut words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let node = (words.next()? == b"Node").then(|| words.next()?.strip_suffix(b",")).flatten()?;
    let node: u32 = number(node)?;
    let zone = (words.next()? == b"zone").then(|| words.next()).flatten()?;
    let (zone, typed) = zone.strip_suffix(b",").map_or((zone, false), |zone| (zone, true));
    if typed && !(words.next()? == b"type" && words.next()? == b"CMA") {
        return None;
    }
    let blocks: Vec<u64> = words.take(MOST_ORDERS).map(number).collect::<Option<_>>()?;
    let zone = format!("node {node} {}", String::from_utf8_lossy(zone)).into();
    (blocks.len() >= FEWEST_ORDERS).then_some(FreeBlocks { zone, cma: typed, blocks })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_cma_and_of_every_type_are_told_from_others() {
        let cma =
            "Node    0, zone      DMA, type          CMA     14     0   0  0  0  0 0 0 0 12   6 ";
        let found = row(cma.as_bytes()).expect("a row");
        assert_eq!((&*found.zone, found.cma, found.pages()), ("node 0 DMA", true, 12_302));
        assert_eq!(found.largest(), Some((1024, 6)));
        let all = row(b"Node 1, zone   Normal  1 0 0 0 0 0 0 0 0 0 0").expect("a row");
        assert_eq!((all.cma, all.pages(), all.largest()), (false, 1, Some((1, 1))));
        for other in [
            "Node    0, zone      DMA, type      Movable      0      1  0 1 1 1 0 3 5 0 173",
            "Node 0, zone      DMA           46          416            6            0  44 0",
            "Node 0, zone      DMA",
            "Node 0 DMA free:12kB min:1kB",
            "Nodes, zones",
        ] {
            assert_eq!(row(other.as_bytes()), None, "{other}");
        }
    }
}
