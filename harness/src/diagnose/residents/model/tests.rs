use super::*;
use crate::seed::Seed;

/// What a pass comes to: bits, and the buffers of each word.
fn passed(gaps: &[(usize, Class)], words: &[Word]) -> (f64, Vec<f64>) {
    let mut model = Model::new(words.to_vec(), 4, 20.0);
    model.fit(&Phases::of(gaps), &mut Tables::default(), 0, f64::INFINITY);
    (model.bits, model.blocks)
}

#[test]
fn gaps_of_one_phase_are_as_likely_as_each_alone() {
    let mut draws = Seed::new(3).child("model", 0).rng();
    let near = |one: f64, other: f64| (one - other).abs() < 1e-6 * (1.0 + one.abs());
    for _ in 0..300 {
        let words: Vec<_> =
            (0..draws.between(1, 6)).map(|_| Word::new(draws.between(1, 40), 4)).collect();
        let mut gap = || {
            let (len, phase) = (draws.between(1, 120), draws.below(3));
            (0, Class { len, phase, times: draws.between(1, 4) })
        };
        let gaps: Vec<_> = (0..6).map(|_| gap()).collect();
        let (bits, blocks) = passed(&gaps, &words);
        let alone: Vec<_> = gaps.iter().map(|gap| passed(&[*gap], &words)).collect();
        assert!(near(bits, alone.iter().map(|(bits, _)| bits).sum()), "{gaps:?} {words:?}");
        for (number, blocks) in blocks.iter().enumerate() {
            let sum = alone.iter().map(|(_, blocks)| blocks[number]).sum();
            assert!(near(*blocks, sum), "{blocks} and {sum} in {gaps:?} {words:?}");
        }
    }
}

#[test]
fn a_gap_of_two_rows_is_as_likely_as_both() {
    // 4 pages: one of 4, or two of 2. All begin and go on with 1/2 where they can.
    let words = [Word::new(2, 4), Word::new(4, 4)];
    let gaps = [(0, Class { len: 4, phase: 0, times: 3 })];
    let (bits, blocks) = passed(&gaps, &words);
    // The second of two is at an order where only words of 2 pages begin.
    let (one, two) = (0.5 * 0.5, 0.5 * 0.5 * 1.0 * 0.5);
    let all = one + two + libm::exp2(-20.0);
    assert!((bits + 3.0 * libm::log2(all)).abs() < 1e-9, "{bits}");
    let right = [3.0 * 2.0 * two / all, 3.0 * one / all];
    assert!(blocks.iter().zip(right).all(|(one, other)| (one - other).abs() < 1e-9));
}
