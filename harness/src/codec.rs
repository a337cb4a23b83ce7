//! Bytes to cases and back: the one format of corpora, crashes, shrinking and seeded tests.
//!
//! Every byte string is a valid case: a header of [`HEADER`] bytes (missing ones count as 0), then
//! records of [`RECORD`] bytes each (a torn one at the end is dropped). Small worlds dominate. What
//! a record means does not depend on the records before it, so taking any of them away leaves a
//! case. Which policy a case is for is a number, so that every corpus serves every policy.

#[cfg(any(test, feature = "arbitrary"))]
mod arbitrary;
mod choice;
mod comb;
mod geometry;
pub mod mutate;
mod record;

use cma_policies::Area;

pub use choice::Choice;
pub(crate) use comb::rest_of;
pub use comb::{BY_PAGE, comb, part_of};
#[cfg(any(test, feature = "arbitrary", feature = "proptest"))]
pub(crate) use record::count as count_of;
pub use record::{Act, BadFree, Ending, Script};

use crate::seed::Draws;

/// Bytes of the header: the area, the policy, the LOAD limit, two spare.
pub const HEADER: usize = geometry::BYTES + choice::BYTES + 4;
/// Bytes of the area, with which a header begins.
#[cfg(any(test, feature = "arbitrary"))]
pub(crate) const AREA_BYTES: usize = geometry::BYTES;
/// Bytes of a record.
pub const RECORD: usize = record::BYTES;
/// The most records that are read.
pub(crate) const MAX_ACTS: usize = 4096;

/// An area, who allots it, and what happens to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Case {
    /// The area: one to eight ranges, in any order.
    pub area: Area,
    /// The policy.
    pub policy: Choice,
    /// Requests that would take the live pages above this are not made, where it is above 0: a
    /// LOAD in pages.
    pub load_limit: u16,
    /// What happens, in order.
    pub acts: Vec<Act>,
}

impl Case {
    /// The case that `bytes` are. Total: there are no wrong bytes.
    pub fn decode(bytes: &[u8]) -> Self {
        let (header, records) = bytes.split_at(bytes.len().min(HEADER));
        let mut full = [0; HEADER];
        full[..header.len()].copy_from_slice(header);
        let (place, rest) = full.split_first_chunk().expect("the header begins with the area");
        let (policy, rest) = rest.split_first_chunk().expect("then comes the policy");
        let area = geometry::decode(*place);
        let load_limit = u16::from_le_bytes([rest[0], rest[1]]);
        let pages = area.pages();
        let (records, _) = records.as_chunks::<RECORD>();
        let acts = records.iter().take(MAX_ACTS).map(|raw| Act::decode(*raw, pages)).collect();
        Self { area, policy: Choice::decode(*policy), load_limit, acts }
    }

    /// A case of this area and these acts, for the first policy there is, without a limit.
    pub const fn new(area: Area, acts: Vec<Act>) -> Self {
        Self { area, policy: Choice::FIRST, load_limit: 0, acts }
    }

    /// The most pages that may be live at once: [`Self::load_limit`], or no limit at all.
    pub const fn most_live(&self) -> u64 {
        if self.load_limit == 0 { u64::MAX } else { self.load_limit as u64 }
    }

    /// The same case with every fill as so many allocs, up to so many acts in all: for those who
    /// look at each request by itself.
    pub(crate) fn unfolded(&self, most: usize) -> Self {
        let pages = self.area.pages();
        let acts = self.acts.iter().flat_map(|act| {
            let (act, times) = match *act {
                Act::Fill { request, times } => {
                    let plain = Act::Alloc { request, script: Script::default(), linger: 0 };
                    (plain, Act::times(request, times, pages) as usize)
                }
                other => (other, 1),
            };
            std::iter::repeat_n(act, times)
        });
        Self { acts: acts.take(most).collect(), ..self.clone() }
    }

    /// Bytes that [`decode`](Self::decode) makes this case of. Every case that came out of `decode`
    /// has some; of one that was put together by hand, numbers that no byte can say are brought
    /// down to the nearest that can.
    pub fn encode(&self) -> Vec<u8> {
        let header = geometry::encode(&self.area);
        // Counts are read on the area that the header says.
        let pages = geometry::decode(header).pages();
        let mut bytes = header.to_vec();
        bytes.extend(self.policy.encode());
        bytes.extend(self.load_limit.to_le_bytes());
        bytes.extend([0; 2]);
        for act in &self.acts {
            bytes.extend(act.encode(pages));
        }
        bytes
    }

    /// A random case of up to `max_acts` acts; fewer on a large area, where each takes longer.
    pub fn draw(draws: &mut Draws, max_acts: u64) -> Self {
        let records = draws.between(1, max_acts.clamp(1, MAX_ACTS as u64)) as usize;
        let mut case = Self::decode(&noise(draws, HEADER + records * RECORD));
        if case.area.pages() >> case.area.order_per_bit() > 256 {
            case.acts.truncate(16);
        }
        case
    }
}

fn noise(draws: &mut Draws, length: usize) -> Vec<u8> {
    (0..length).map(|_| draws.below(256) as u8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    #[test]
    fn whatever_is_decoded_encodes_to_the_same_case() {
        let mut draws = Seed::new(1).child("codec", 0).rng();
        for _ in 0..2000 {
            let case = Case::draw(&mut draws, 20);
            assert_eq!(Case::decode(&case.encode()), case);
        }
    }

    #[test]
    fn a_corpus_keeps_its_meaning() {
        // Two granules of two pages from page 6 on, one page each busy once and lingering, a free.
        let mut header = [0; HEADER];
        header[..10].copy_from_slice(&[9, 0, 6, 0, 0, 0, 0, 0, 0, 1]);
        header[20..22].copy_from_slice(&[2, 5]);
        header[28] = 30;
        let records = [
            [0, 2, 0, 0, 1, 129, 13, 0],
            [8, 7, 0, 0, 0, 0, 0, 0],
            [7, 1, 0, 0, 0, 4, 0, 4],
            [11, 3, 1, 2, 0, 0, 0, 0],
        ];
        let case = Case::decode(&[&header[..], &records.concat()].concat());
        assert_eq!(case.area, Area::single(6, 4, 1).unwrap());
        let request = cma_policies::Request::new(3, 1).unwrap().with_client(1);
        let script = Script { busy: 1, ending: Ending::Granted };
        let asked = Act::Alloc { request, script, linger: 1 };
        let fill = Act::Fill { request: cma_policies::Request::new(2, 0).unwrap(), times: 16 };
        let comb = Act::FreeEvery { stride: 3, phase: 1, class: Some(1) };
        assert_eq!(case.acts, [asked, Act::Free { victim: 7 }, fill, comb]);
        assert_eq!((case.policy.which, case.policy.knobs[0], case.load_limit), (2, 5, 30));
        assert_eq!((case.most_live(), Case::decode(&[]).most_live()), (30, u64::MAX));
        // Four pages hold two of these, and a third is refused.
        assert_eq!(case.unfolded(99).acts.len(), 1 + 1 + 3 + 1);
        // The plain form of the same number.
        let mut records = records;
        records[2][7] = 0;
        assert_eq!(case.encode(), [&header[..], &records.concat()].concat());
    }

    #[test]
    fn acts_on_an_area_that_no_header_says_come_back() {
        let fill = |count| {
            let request = cma_policies::Request::new(count, 0).unwrap();
            Act::Fill { request, times: u16::MAX }
        };
        let case = Case::new(Area::single(0, 8192, 0).unwrap(), vec![fill(1), fill(1024)]);
        let again = Case::decode(&case.encode());
        assert!(again.area.pages() < 8192);
        assert_eq!(again.acts, case.acts);
    }

    #[test]
    fn no_bytes_and_torn_records_are_cases() {
        assert_eq!(Case::decode(&[]).area, Area::single(0, 1, 0).unwrap());
        for length in 0..HEADER + 2 * RECORD {
            let case = Case::decode(&vec![0xff; length]);
            assert_eq!(case.acts.len(), length.saturating_sub(HEADER) / RECORD);
        }
    }

    #[test]
    fn small_worlds_dominate_and_large_ones_are_reached() {
        let mut draws = Seed::new(2).child("codec", 0).rng();
        let areas: Vec<_> = (0..2000).map(|_| Case::draw(&mut draws, 1).area).collect();
        let bits = |area: &Area| area.pages() >> area.order_per_bit();
        let small = areas.iter().filter(|area| bits(area) <= 64).count();
        assert!(small > 1000, "{small} of 2000");
        assert!(areas.iter().any(|area| bits(area) > 2048));
        assert!(areas.iter().any(|area| (9..=10).contains(&area.order_per_bit())));
        assert!(areas.iter().any(|area| area.order_per_bit() > 20));
        let share = |which: fn(&Area) -> bool| areas.iter().filter(|area| which(area)).count();
        let several = share(|area| area.ranges().len() > 1);
        println!("{several} of 2000 have several ranges");
        assert!((700..1300).contains(&several), "{several} of 2000 have several ranges");
        assert!((2..=8).all(|ranges| areas.iter().any(|area| area.ranges().len() == ranges)));
        let unsorted = |area: &Area| !area.ranges().is_sorted_by_key(|range| range.pfn);
        let touching = |area: &Area| area.ranges().windows(2).any(|two| two[0].end() == two[1].pfn);
        let tails = |area: &Area| !area.ranges()[0].count.is_multiple_of(area.granule());
        let [unsorted, touching, tails] = [share(unsorted), share(touching), share(tails)];
        println!("{unsorted} not ascending, {touching} with a border, {tails} with tails");
        assert!(unsorted > 300 && touching > 150 && tails > 100, "{unsorted} {touching} {tails}");
        let misaligned = |area: &&Area| !area.ranges()[0].pfn.0.is_multiple_of(area.granule());
        assert!(areas.iter().filter(misaligned).count() > 20);
        assert!(areas.iter().any(|area| area.ranges()[0].pfn.0 > 1 << 60));
    }

    #[test]
    fn acts_of_every_kind_are_drawn() {
        let mut draws = Seed::new(3).child("codec", 0).rng();
        let case = Case::decode(&noise(&mut draws, HEADER + (MAX_ACTS + 9) * RECORD));
        assert_eq!(case.acts.len(), MAX_ACTS);
        let has = |which: fn(&Act) -> bool| case.acts.iter().filter(|act| which(act)).count() > 50;
        assert!(has(|act| matches!(act, Act::Alloc { script, .. } if script.busy > 0)));
        assert!(has(|act| matches!(act, Act::Alloc { linger: 1.., .. })));
        assert!(has(|act| matches!(act, Act::Fill { .. })));
        assert!(case.acts.iter().any(|act| matches!(act, Act::Fill { times: u16::MAX, .. })));
        assert!(has(|act| matches!(act, Act::Free { .. })));
        assert!(has(|act| matches!(act, Act::FreeEvery { .. })));
        assert!(has(|act| matches!(act, Act::FreePart { .. })));
        assert!(has(|act| matches!(act, Act::FreeBadly { .. })));
        assert!(has(|act| matches!(act, Act::Pin { .. })));
        assert!(has(|act| matches!(act, Act::Unpin { .. })));
    }
}
