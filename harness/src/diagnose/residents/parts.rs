//! Sizes that can be in an area: where the search for them begins.

use super::gaps::Class;
use super::row::Word;

/// Sizes that make sums of `words`: what is left of one after or before another, and what
/// several of these are multiples of.
pub(super) fn parts(words: &[Word], cap: u32) -> Vec<u64> {
    const MOST: usize = 24;
    let words: Vec<_> = words.iter().filter(|word| word.cost.is_finite()).collect();
    let slot = 1u64 << cap;
    let mut found = Vec::new();
    let mut slots = Vec::new();
    for word in &words {
        if word.count % slot == 0 {
            slots.push((word.count, 1));
        }
        for other in words.iter().filter(|other| other.count < word.count) {
            let rest = word.count - other.count;
            let fits = rest % (1 << other.align) == 0
                || other.count % (1 << Word::new(rest, cap).align) == 0;
            if fits {
                found.push((rest, 1));
                if rest % slot == 0 {
                    slots.push((rest, 1));
                }
            }
        }
    }
    let slots = top(slots, MOST);
    for (number, (count, _)) in slots.iter().enumerate() {
        found.extend(slots[..number].iter().map(|(other, _)| (gcd(*count, *other), 1)));
    }
    top(found, MOST).into_iter().map(|(count, _)| count).collect()
}

const fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Adds up the weight of equal sizes and keeps the `most` heaviest, smaller ones first among equals.
pub(super) fn top(mut found: Vec<(u64, u64)>, most: usize) -> Vec<(u64, u64)> {
    found.sort_unstable();
    let sum = |same: &[(u64, u64)]| {
        (same[0].0, same.iter().fold(0u64, |sum, (_, weight)| sum.saturating_add(*weight)))
    };
    let mut sums: Vec<_> = found.chunk_by(|a, b| a.0 == b.0).map(sum).collect();
    sums.sort_by_key(|(count, weight)| (std::cmp::Reverse(*weight), *count));
    sums.truncate(most);
    sums
}

/// Sizes that can be: whole gaps, and what can be at their ends.
pub(super) fn candidates(chosen: &[(usize, Class)], cap: u32) -> Vec<Word> {
    const SLOTS: u64 = 64;
    let (mut whole, mut heavy, mut ends) = (Vec::new(), Vec::new(), Vec::new());
    for (_, class) in chosen {
        let (len, phase, times) = (class.len, class.phase, class.times);
        let fits = |start: u64, count: u64| {
            (phase + start) & ((1 << Word::new(count, cap).align) - 1) == 0
        };
        if fits(0, len) {
            whole.push((len, times));
            heavy.push((len, times.saturating_mul(len)));
        }
        let mut push = |start: u64, count: u64| {
            if count > 0 && count < len && fits(start, count) {
                ends.push((count, times));
            }
        };
        for order in 0..cap {
            let last = ((phase + len - 1) >> order << order).saturating_sub(phase);
            push(last, len - last);
        }
        let slot = 1u64 << cap;
        let last = phase + len - 1;
        for back in 0..SLOTS.min(last / slot + 1) {
            let start = ((last / slot) - back) * slot;
            if start > phase {
                push(start - phase, phase + len - start);
                push(0, start - phase);
            }
        }
    }
    let mut counts: Vec<(u64, u64)> = top(whole, 64);
    counts.extend(top(heavy, 32).into_iter().map(|(count, pages)| (count, pages / count)));
    counts.extend(top(ends, 64).into_iter().map(|(count, times)| (count, times.div_ceil(8))));
    counts.sort_unstable_by_key(|(count, times)| (*count, std::cmp::Reverse(*times)));
    counts.dedup_by_key(|(count, _)| *count);
    let all = counts.iter().fold(0u64, |sum, (_, times)| sum.saturating_add(*times));
    let word = |(count, times): (u64, u64)| Word {
        cost: bits(times as f64, all as f64),
        ..Word::new(count, cap)
    };
    counts.into_iter().map(word).collect()
}

/// The bits that say a thing which is `part` of `whole`.
pub(super) fn bits(part: f64, whole: f64) -> f64 {
    libm::log2(whole / part)
}
