use super::*;
use crate::seed::{Draws, Seed};

const CAP: u32 = 4;

fn some_words(draws: &mut Draws) -> Vec<Word> {
    let mut counts: Vec<u64> = (0..draws.between(1, 6)).map(|_| draws.between(1, 40)).collect();
    counts.sort_unstable();
    counts.dedup();
    let word = |count| Word { cost: draws.below(90) as f64 / 8.0, ..Word::new(count, CAP) };
    counts.into_iter().map(word).collect()
}

fn some_costs(draws: &mut Draws) -> Costs {
    let mut cost = || draws.below(30) as f64 / 8.0;
    Costs {
        unknown: 8.0 + 4.0 * cost(),
        again: cost(),
        change: cost(),
        go_on: [cost(), cost()],
        stop: [cost(), cost()],
    }
}

/// What a row costs.
fn cost_of(row: &Row, phase: u64, words: &[Word], costs: &Costs) -> f64 {
    let (mut at, mut last, mut sum) = (phase, None, 0.0);
    for (left, number) in row.words.iter().enumerate().rev() {
        let word = &words[usize::from(*number)];
        assert!(at.is_multiple_of(1 << word.align), "{row:?} from {phase}");
        at += word.count;
        let slot = is_slot_end(at, CAP);
        sum += match last {
            Some(last) if last == number => costs.again,
            Some(_) => word.cost + costs.change,
            None => word.cost,
        };
        sum += if left == 0 { costs.stop[slot] } else { costs.go_on[slot] };
        last = Some(number);
    }
    sum
}

#[test]
fn gaps_of_one_phase_are_explained_as_each_alone() {
    let mut draws = Seed::new(3).child("rows", 0).rng();
    let (mut explainer, mut kinds) = (Explainer::default(), [0; 3]);
    for _ in 0..2000 {
        let (words, costs) = (some_words(&mut draws), some_costs(&mut draws));
        let phase = draws.below(1 << CAP);
        let some = words[draws.below(words.len() as u64) as usize].count;
        let mut lens: Vec<u64> = (0..draws.between(1, 5)).map(|_| draws.between(1, 150)).collect();
        lens.push(some);
        for rows in [Rows::All, Rows::OfOthers] {
            let all = explainer.explain((phase, &lens), CAP, &words, &costs, rows);
            for (row, len) in all.iter().zip(&lens) {
                let alone =
                    Explainer::default().explain((phase, &[*len]), CAP, &words, &costs, rows);
                assert_eq!(alone, std::slice::from_ref(row), "{len} of {lens:?}");
                let sum: u64 = row.words.iter().map(|n| words[usize::from(*n)].count).sum();
                assert_eq!(sum + row.unknown, *len);
                let cost = cost_of(row, phase, &words, &costs);
                assert!(rows == Rows::OfOthers || cost <= costs.unknown, "{row:?} {cost}");
                assert!(rows == Rows::All || row.words.len() != 1, "{row:?}");
                kinds[row.words.len().min(2)] += 1;
            }
        }
    }
    assert!(kinds.iter().all(|seen| *seen > 100), "{kinds:?}");
}

#[test]
fn the_cheapest_row_is_taken() {
    let word = |count, cost| Word { cost, ..Word::new(count, CAP) };
    let costs =
        Costs { unknown: 30.0, again: 1.0, change: 2.0, go_on: [3.0, 0.5], stop: [1.0, 4.0] };
    let words = [word(4, 2.0), word(8, 9.0), word(16, 7.0)];
    let rows = |len, rows| {
        let lens = [len];
        let found = Explainer::default().explain((0, &lens), CAP, &words, &costs, rows);
        let row = &found[0];
        (row.words.clone(), row.inner_ends, row.unknown)
    };
    // 2 + 3 + 1 + 1 = 7 for two of 4 pages, 10 for one of 8.
    assert_eq!(rows(8, Rows::All), (vec![0, 0], [1, 0], 0));
    assert_eq!(rows(16, Rows::All), (vec![2], [0, 0], 0));
    assert_eq!(rows(16, Rows::OfOthers).0, [0; 4]);
    assert_eq!(rows(4, Rows::OfOthers), (vec![], [0, 0], 4));
    // Past a slot's end: 7 + 0.5 + 2 + 2 + 1.
    assert_eq!(rows(20, Rows::All), (vec![0, 2], [0, 1], 0));
    assert_eq!(rows(17, Rows::All).2, 17);
}
