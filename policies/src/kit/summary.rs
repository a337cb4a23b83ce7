//! What a node of the tree knows of the coordinates below it.

/// The largest alignment order with a lane of its own. `CONFIG_CMA_ALIGNMENT` goes up to 12.
pub(super) const MAX_ORDER: u32 = 13;
/// The lane of the free run at the start of a node.
pub(super) const PREFIX: usize = 14;
/// The lane of the free run at its end.
pub(super) const SUFFIX: usize = 15;

/// Which lanes say something of an order up to `c`, for row `c`.
const UP_TO: [[bool; 16]; 16] = {
    let mut rows = [[false; 16]; 16];
    let mut c = 0;
    while c < 16 {
        let mut k = 0;
        while k <= c && k < PREFIX {
            rows[c][k] = true;
            k += 1;
        }
        c += 1;
    }
    rows
};

/// Lanes that are all `other`, but for one.
const fn all_but<T: Copy>(lane: usize, value: T, other: T) -> [T; 16] {
    let mut lanes = [other; 16];
    lanes[lane] = value;
    lanes
}

/// Sixteen lanes of a signed integer, whose maximum is cheap on every x86-64: lane `k` up to 13 is
/// the longest free run from a multiple of `2^k` on, counted to the end of the node; then the free
/// runs at both ends.
macro_rules! summary {
    ($(#[$about:meta])* $name:ident, $lane:ty) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug)]
        pub(super) struct $name(pub(super) [$lane; 16]);

        impl $name {
            /// A node with nothing free.
            pub(super) const USED: Self = Self([0; 16]);

            /// Lane `k` clears the bits below `2^k`.
            const FLOOR: [$lane; 16] = {
                let mut masks = [0; 16];
                let mut k = 0;
                while k < PREFIX {
                    masks[k] = !((1 << k) - 1);
                    k += 1;
                }
                masks
            };

            /// Row `c` keeps the lanes up to order `c`.
            const KEEP: [[$lane; 16]; 16] = {
                let mut rows = [[0; 16]; 16];
                let mut c = 0;
                while c < 16 {
                    let mut k = 0;
                    while k < 16 {
                        rows[c][k] = if UP_TO[c][k] { !0 } else { 0 };
                        k += 1;
                    }
                    c += 1;
                }
                rows
            };

            const NO_SUFFIX: [$lane; 16] = all_but(SUFFIX, 0, !0);
            const NO_PREFIX: [$lane; 16] = all_but(PREFIX, 0, !0);
            const SUFFIX_ONLY: [$lane; 16] = all_but(SUFFIX, !0, 0);

            /// A node of `2^order` coordinates from `start` on, all free.
            #[inline]
            pub(super) fn free(start: usize, order: u32) -> Self {
                let size = 1 << order;
                let aligned = &Self::KEEP[start.trailing_zeros().min(15) as usize];
                let mut lanes = [size; 16];
                for k in 0..PREFIX {
                    lanes[k] &= aligned[k];
                }
                Self(lanes)
            }

            /// Whether a lane differs. Without branches, unlike `!=`: it ends most updates.
            #[inline(always)]
            pub(super) fn differs(&self, other: &Self) -> bool {
                let mut difference = 0;
                for k in 0..16 {
                    difference |= self.0[k] ^ other.0[k];
                }
                difference != 0
            }

            /// The node whose halves, of `2^order` coordinates each, are `left` and `right`.
            ///
            /// Every lane by the same steps, masked, so that it compiles to a few vector
            /// instructions: this is where an update spends its time.
            #[inline(always)]
            pub(super) fn merge(left: &Self, right: &Self, order: u32) -> Self {
                let (l, r) = (&left.0, &right.0);
                let size: $lane = 1 << order;
                let (suffix, prefix) = (l[SUFFIX], r[PREFIX]);
                let end = if prefix == size { size + suffix } else { 0 };
                let mut lanes = [0; 16];
                if l[PREFIX] == size {
                    // The left half is all free: a run from an aligned start of it, its own start
                    // included, goes on into the right half.
                    for k in 0..16 {
                        let across = if l[k] & Self::NO_SUFFIX[k] == 0 { 0 } else { size + prefix };
                        lanes[k] = across.max(r[k] & Self::NO_PREFIX[k]).max(end & Self::SUFFIX_ONLY[k]);
                    }
                } else {
                    // The run across the middle counts from its first multiple of 2^k on. The
                    // middle is one for every k up to the order of a half, and for no larger one;
                    // nor is there one in the run before the middle, which is shorter than a half.
                    let keep = &Self::KEEP[order.min(15) as usize];
                    for k in 0..16 {
                        let across = ((suffix & Self::FLOOR[k]) + prefix) & keep[k];
                        lanes[k] = across
                            .max(l[k] & Self::NO_SUFFIX[k])
                            .max(r[k] & Self::NO_PREFIX[k])
                            .max(end & Self::SUFFIX_ONLY[k]);
                    }
                }
                Self(lanes)
            }
        }
    };
}

summary! {
    /// A node of up to `2^14` coordinates: half the memory and half the work.
    #[repr(align(32))]
    Low, i16
}

summary! {
    /// A node of more coordinates: one cache line.
    #[repr(align(64))]
    High, i32
}

/// The largest order of a [`Low`] node.
pub(super) const LOW_ORDER: u32 = 14;

impl From<Low> for High {
    fn from(low: Low) -> Self {
        // Not `map`, which is not inlined here and costs as much as the merge.
        let mut lanes = [0; 16];
        for (lane, low) in lanes.iter_mut().zip(low.0) {
            *lane = i32::from(low);
        }
        Self(lanes)
    }
}

/// The multiples of `2^order` among the bits of a word; bit 0 alone from order 6 on.
pub(super) const fn aligned(order: u32) -> u64 {
    const MASKS: [u64; 7] = [
        u64::MAX,
        0x5555_5555_5555_5555,
        0x1111_1111_1111_1111,
        0x0101_0101_0101_0101,
        0x0001_0001_0001_0001,
        0x0000_0001_0000_0001,
        1,
    ];
    MASKS[if order < 6 { order as usize } else { 6 }]
}

/// The summary of a word: the longest free runs from multiples of `2^0` to `2^5` on, then the runs
/// at both ends. Larger orders follow from the run at its start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Leaf([u8; 8]);

const PREFIX_ONLY: [i16; 16] = all_but(PREFIX, !0, 0);

impl Leaf {
    pub(super) const USED: Self = Self([0; 8]);
    pub(super) const FREE: Self = Self([64; 8]);

    /// The summary of a word whose set bits are free.
    #[inline]
    pub(super) fn of(word: u64) -> Self {
        if word == 0 {
            return Self::USED;
        }
        if word == u64::MAX {
            return Self::FREE;
        }
        // runs[i]: from which bits on 2^i free bits follow.
        let mut runs = [word; 6];
        for i in 1..6 {
            runs[i] = runs[i - 1] & (runs[i - 1] >> (1 << (i - 1)));
        }
        let mut lanes = [0; 8];
        for (order, lane) in (0..6).zip(lanes.iter_mut()) {
            let mut places = aligned(order);
            let mut length = 0;
            for i in (0..6).rev() {
                let longer = places & (runs[i] >> length);
                if longer != 0 {
                    places = longer;
                    length += 1u32 << i;
                }
            }
            *lane = length as u8;
        }
        lanes[6] = (!word).trailing_zeros() as u8;
        lanes[7] = (!word).leading_zeros() as u8;
        Self(lanes)
    }

    pub(super) const fn prefix(self) -> usize {
        self.0[6] as usize
    }

    pub(super) const fn suffix(self) -> usize {
        self.0[7] as usize
    }

    /// The longest run from a multiple of `2^order` on, for the word at coordinate `start`.
    pub(super) fn usable(self, start: usize, order: u32) -> usize {
        if order < 6 {
            self.0[order as usize] as usize
        } else if start.is_multiple_of(1 << order) {
            self.prefix()
        } else {
            0
        }
    }

    /// The same as a node.
    #[inline(always)]
    pub(super) fn expand(self, start: usize) -> Low {
        let aligned = &Low::KEEP[start.trailing_zeros().min(15) as usize];
        let [prefix, suffix] = [self.0[6], self.0[7]].map(i16::from);
        let mut lanes = [0; 16];
        for k in 0..16 {
            let own = if k < 6 { i16::from(self.0[k]) } else { prefix & aligned[k] };
            lanes[k] = own | prefix & PREFIX_ONLY[k] | suffix & Low::SUFFIX_ONLY[k];
        }
        Low(lanes)
    }
}
