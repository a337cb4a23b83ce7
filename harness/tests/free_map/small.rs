//! Every map of a few bits, and every search on it.

use cma_policies::kit::FreeMap;

use crate::naive::Naive;

/// A map of `bits` bits of which only those of `pattern`, from `window` on, are free.
fn patterned(bits: u64, origin: u64, window: u64, pattern: u64) -> (FreeMap, Naive) {
    let is_free =
        |bit: u64| bit >= window && bit - window < 64 && pattern >> (bit - window) & 1 == 1;
    let free: Vec<bool> = (0..bits).map(is_free).collect();
    let mut map = FreeMap::new(bits, origin);
    for (bit, free) in (0..).zip(&free) {
        if !free {
            map.set(bit, 1);
        }
    }
    (map, Naive { free, origin })
}

fn check_all(bits: u64, origin: u64, window: u64, width: u32) {
    for pattern in 0..1 << width {
        let (map, naive) = patterned(bits, origin, window, pattern);
        naive.check_state(&map);
        for bit in window..window + u64::from(width) {
            naive.check_place(&map, bit, 1 + pattern % 4);
        }
        for order in 0..4 {
            for count in 1..=u64::from(width) + 1 {
                let wish = naive.wish(count, order);
                let aligned = |place: &u64| (place + origin).is_multiple_of(1 << order);
                let places = (window..bits.min(window + u64::from(width))).filter(aligned);
                let refused: Vec<_> = [None].into_iter().chain(places.map(Some)).collect();
                naive.check_search(&map, wish, &refused);
            }
        }
    }
}

#[test]
fn every_map_of_up_to_nine_bits() {
    for bits in 1..=9 {
        for origin in 0..8 {
            check_all(bits, origin, 0, bits as u32);
        }
    }
}

#[test]
fn every_pattern_of_nine_bits_across_the_border_of_two_words() {
    for origin in [0, 3] {
        check_all(70, origin, 60, 9);
        // The phase moves the border of the words against the bits.
        check_all(70, origin, 57, 9);
    }
}

#[test]
fn every_pattern_of_nine_bits_at_the_end_of_a_map_of_whole_words() {
    check_all(128, 0, 119, 9);
    check_all(192, 0, 125, 9);
}

#[test]
fn first_fit_with_every_offset_and_start() {
    for pattern in 0..1 << 8 {
        let (map, naive) = patterned(8, 5, 0, pattern);
        for order in 0..4 {
            for offset in 0..1 << order {
                for count in 1..=9 {
                    let wish = crate::naive::Wish { bits: count, order, offset };
                    naive.check_search(&map, wish, &[None]);
                }
            }
        }
    }
}
