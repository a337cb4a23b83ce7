//! Named, splittable seeds: the only randomness there is.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Where a generator comes from. Two seeds with different paths never give the same draws.
///
/// The same seed and path give the same numbers on every machine and for ever (ChaCha8 keyed with
/// the path).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Seed {
    key: [u8; 32],
}

impl Seed {
    /// The root of all seeds of run `number`.
    pub fn new(number: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&number.to_le_bytes());
        Self { key }
    }

    /// The seed of the part `name`, number `index`, of what this seed is for.
    pub fn child(&self, name: &str, index: u64) -> Self {
        // FNV-1a over the name: only the key has to differ, ChaCha mixes it.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in name.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let mut rng = ChaCha8Rng::from_seed(self.key);
        let mut key = [0; 32];
        rng.fill_bytes(&mut key);
        for (at, word) in [(0, hash), (8, index)] {
            for (byte, other) in key[at..at + 8].iter_mut().zip(word.to_le_bytes()) {
                *byte ^= other;
            }
        }
        Self { key }
    }

    /// The generator of this seed.
    pub fn rng(&self) -> Draws {
        Draws(ChaCha8Rng::from_seed(self.key))
    }
}

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub struct Draws(ChaCha8Rng);

impl Draws {
    /// A number below `bound`, all equally likely up to one part in 2^64 / bound. 0 for a bound of 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.0.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// A number in [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// One of `items`.
    ///
    /// # Panics
    /// If there is none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }

    /// An exponentially distributed time with this mean, in microseconds, rounded.
    pub(crate) fn exponential_us(&mut self, mean_us: f64) -> u64 {
        (-libm::log(1.0 - self.unit()) * mean_us) as u64
    }
}
