//! Random numbers by place and time: the same whoever looks, in whatever order, and no memory.

use crate::seed::Seed;

/// A function that looks random. A page's state is asked for at any place and moment, so it cannot
/// be drawn from a generator one by one: it is a hash, whose key a generator draws.
#[derive(Clone, Copy, Debug)]
pub(super) struct Noise {
    key: u64,
}

impl Noise {
    /// The function of this seed.
    pub(super) fn new(seed: &Seed) -> Self {
        Self { key: seed.rng().below(u64::MAX) }
    }

    /// Its values at one place.
    pub(super) const fn of(self, x: u64) -> Place {
        Place { key: mix(self.key ^ x) }
    }
}

/// The function at one place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    key: u64,
}

impl Place {
    /// 64 random bits of a moment.
    pub(super) const fn at(self, y: u64) -> u64 {
        mix(self.key.wrapping_add(y))
    }
}

/// Number `n` of the random numbers that begin with `bits`.
pub(super) const fn further(bits: u64, n: u64) -> u64 {
    mix(bits.wrapping_add(n))
}

/// The random numbers that begin with `bits`, from number `n` on: [`further`] for less.
pub(super) const fn all_from(bits: u64, n: u64) -> Numbers {
    Numbers { spread: spread(bits.wrapping_add(n)) }
}

/// Random numbers, one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers {
    spread: u64,
}

impl Numbers {
    /// The next `N` of them.
    #[inline(always)]
    pub(super) fn take<const N: usize>(&mut self) -> [u64; N] {
        std::array::from_fn(|_| {
            let number = stir(self.spread);
            // What one more adds to the product.
            self.spread = self.spread.wrapping_add(GOLDEN);
            number
        })
    }
}

/// The part of [0, 1) that `bits` stand for.
pub(super) const fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

/// `bits` as a number below `bound`.
pub(super) const fn below(bits: u64, bound: u64) -> u64 {
    ((bits as u128 * bound as u128) >> 64) as u64
}

/// An odd number, of the golden ratio, so that multiples of neighbours part.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// A bijection of 64 bits in which each bit depends on all: a multiple of [`GOLDEN`], then two
/// rounds of shift and multiply with the constants of Stafford's mix 13.
const fn mix(bits: u64) -> u64 {
    stir(spread(bits))
}

const fn spread(bits: u64) -> u64 {
    bits.wrapping_mul(GOLDEN)
}

const fn stir(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_in_place_and_time_differ_in_half_their_bits() {
        let noise = Noise::new(&Seed::new(1));
        for (dx, dy) in [(1, 0), (0, 1), (64, 0), (0, 64)] {
            let mut ones = [0_u32; 64];
            for n in 0..4096_u64 {
                let (x, y) = (n % 64 * 3, n / 64 * 5);
                let bits = noise.of(x).at(y) ^ noise.of(x + dx).at(y + dy);
                for (bit, ones) in ones.iter_mut().enumerate() {
                    *ones += (bits >> bit & 1) as u32;
                }
            }
            // 2048 expected, with a deviation of 32.
            assert!(ones.iter().all(|ones| ones.abs_diff(2048) < 160), "{dx},{dy}: {ones:?}");
        }
        assert_ne!(noise.of(1).at(2), noise.of(2).at(1));
        assert_ne!(noise.of(1).at(2), Noise::new(&Seed::new(2)).of(1).at(2));
    }

    #[test]
    fn numbers_in_a_row_are_those_one_by_one() {
        let mut numbers = all_from(u64::MAX - 2, 1);
        let first: [u64; 4] = numbers.take();
        let all = first.into_iter().chain(numbers.take::<2>());
        assert!(all.eq((1..7).map(|n| further(u64::MAX - 2, n))));
    }

    #[test]
    fn numbers_stay_below_their_bound() {
        assert_eq!((below(u64::MAX, 10), below(0, 10), below(u64::MAX, 0)), (9, 0, 0));
        assert_eq!(unit(0), 0.0);
        assert!(unit(u64::MAX) < 1.0);
    }
}
