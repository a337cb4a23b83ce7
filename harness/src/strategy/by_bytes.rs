//! The same out of bytes, for those who fuzz by type.

use arbitrary::{Arbitrary, Result, Unstructured};
use cma_policies::{Area, Request};

use super::ops::{Kind, Pick, RequestPick};
use super::{Any, Stream, Streams};
use crate::codec::{AREA_BYTES, Case};

/// A request alone is one of an area of so many pages.
const PAGES: u64 = 1 << 12;

/// The most ops of a stream.
const MOST_OPS: usize = 4096;

/// What ops do, by the low four bits of a byte.
const KINDS: [Kind; 16] = {
    use Kind::{Alloc, Free, FreePart, Pin, Unpin};
    [
        Alloc, Alloc, Alloc, Alloc, Alloc, Alloc, Alloc, Free, Free, Free, Free, Free, FreePart,
        FreePart, Pin, Unpin,
    ]
};

impl Arbitrary<'_> for Any<Area> {
    /// The area of a [`Case`] that begins with the bytes.
    fn arbitrary(bytes: &mut Unstructured<'_>) -> Result<Self> {
        let mut header = [0; AREA_BYTES];
        bytes.fill_buffer(&mut header)?;
        Ok(Self(Case::decode(&header).area))
    }

    fn size_hint(_: usize) -> (usize, Option<usize>) {
        (0, Some(AREA_BYTES))
    }
}

impl Arbitrary<'_> for RequestPick {
    fn arbitrary(bytes: &mut Unstructured<'_>) -> Result<Self> {
        let number = u32::arbitrary(bytes)? >> 8;
        let [scale, align, client]: [u8; 3] = bytes.arbitrary()?;
        let align = align.checked_sub(128);
        Ok(Self { number, scale, align, client: u16::from(client) })
    }
}

impl Arbitrary<'_> for Any<Request> {
    fn arbitrary(bytes: &mut Unstructured<'_>) -> Result<Self> {
        let pick = RequestPick::arbitrary(bytes)?;
        Ok(Self(Streams::default().request(pick, PAGES).0))
    }
}

impl Arbitrary<'_> for Pick {
    fn arbitrary(bytes: &mut Unstructured<'_>) -> Result<Self> {
        let kind = Some(KINDS[usize::from(u8::arbitrary(bytes)? % 16)]);
        // Often there is no time between two ops.
        let wait_us = u64::from(u8::arbitrary(bytes)?.saturating_sub(128)) * 20;
        let victim = u32::from(u16::arbitrary(bytes)?);
        Ok(Self { kind, wait_us, victim, request: RequestPick::arbitrary(bytes)? })
    }
}

impl Arbitrary<'_> for Stream {
    /// The stream that all bytes that are left make.
    fn arbitrary(bytes: &mut Unstructured<'_>) -> Result<Self> {
        let Any(area) = bytes.arbitrary()?;
        let mut picks = Vec::new();
        while !bytes.is_empty() && picks.len() < MOST_OPS {
            picks.push(bytes.arbitrary()?);
        }
        let ops = Streams { most_ops: MOST_OPS, ..Streams::default() }.of(&area, &picks);
        Ok(Self { area, ops })
    }

    fn size_hint(_: usize) -> (usize, Option<usize>) {
        (0, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::Op;
    use crate::seed::Seed;

    fn noise(length: usize, seed: u64) -> Vec<u8> {
        let mut draws = Seed::new(seed).child("bytes", 0).rng();
        (0..length).map(|_| draws.below(256) as u8).collect()
    }

    #[test]
    fn bytes_are_areas_requests_and_streams_of_all_kinds() {
        let (mut several, mut off, mut orders) = (0, 0, [0; 2]);
        let mut kinds = [0; 5];
        for seed in 0..400 {
            let bytes = noise(900, seed);
            let mut left = Unstructured::new(&bytes);
            let (Any(area), Any(request)): (Any<Area>, Any<Request>) = left.arbitrary().unwrap();
            several += u32::from(area.ranges().len() > 1);
            let base = area.ranges()[0].pfn.0;
            off += u32::from(!base.is_multiple_of(area.granule()));
            let is_dma = request.align() == cma_policies::dma_align(request.count(), 8);
            orders[usize::from(is_dma)] += 1;
            let stream = Stream::arbitrary(&mut left).unwrap();
            for timed in &stream.ops {
                kinds[match timed.op {
                    Op::Alloc { .. } => 0,
                    Op::Free { part: None, .. } => 1,
                    Op::Free { .. } => 2,
                    Op::Pin(_) => 3,
                    Op::Unpin(_) => 4,
                }] += 1;
            }
        }
        println!("several ranges {several}, off the granule {off}, {orders:?}, ops {kinds:?}");
        assert!(several > 100 && off > 4, "{several} {off}");
        assert!(orders.iter().all(|count| *count > 100), "{orders:?}");
        assert!(kinds.iter().all(|count| *count > 300), "{kinds:?}");
    }

    #[test]
    fn no_bytes_are_the_smallest_of_each() {
        let mut none = Unstructured::new(&[]);
        assert_eq!(none.arbitrary(), Ok(Any(Area::single(0, 1, 0).unwrap())));
        let Any(request) = none.arbitrary::<Any<Request>>().unwrap();
        assert_eq!((request.count(), request.align()), (1, 0));
        assert_eq!(none.arbitrary::<Stream>().unwrap().ops, []);
    }
}
