use super::*;

fn read(lines: &[&str]) -> FreeRuns {
    let mut list = List::new(true, false);
    for line in lines {
        match list.feed(line.as_bytes()) {
            Fed::Odd(at) => panic!("{line}: odd at {at}"),
            Fed::End | Fed::Done(_) => {}
        }
    }
    list.finish().expect("a list")
}

fn runs(list: &FreeRuns) -> Vec<(u64, u64)> {
    list.ranges.iter().flat_map(|range| range.runs.clone()).collect()
}

#[test]
fn a_list_broken_anywhere_is_the_same_list() {
    let text = " 3@125+20@172+ 12@236+4@380=> 39 free of 4096 total pages";
    let whole = read(&[text]);
    assert_eq!(runs(&whole), [(3, 125), (20, 172), (12, 236), (4, 380)]);
    assert_eq!((whole.free, whole.total), (Some(39), Some(4096)));
    assert!(whole.is_complete());
    for at in 0..text.len() {
        let (front, back) = text.split_at(at);
        assert_eq!(read(&[front, back]), whole, "{front}|{back}");
        assert_eq!(read(&[&format!("{front} "), &format!("  {back}")]), whole, "{front}|{back}");
    }
}

/// What is read byte by byte takes another way than what is read whole.
#[test]
fn plain_runs_are_read_as_any_other() {
    for text in [
        "3@125+20@172+12@236+",
        "0@1+5@7+",
        "5@7+6@7+9@3+8@90+",
        "5+6+7@8+9@10+",
        "999999999999999999@1+1@999999999999999999+2@1000000000000000000+",
        "99999999999999999999@1+4@9+",
        "1@2,3@4+5@6,7@8+",
        "1@2+3@+4@5+",
        "1@2+@3+4@5+",
    ] {
        let (mut whole, mut bytes) = (List::new(true, false), List::new(true, false));
        let fed = whole.feed(text.as_bytes());
        let odd = (0..text.len()).find(|at| bytes.feed(&text.as_bytes()[*at..=*at]) != Fed::End);
        // A line may not begin with a run before the last one, and a byte is a line here.
        match fed {
            Fed::End if odd.is_none() => assert_eq!(whole.finish(), bytes.finish(), "{text}"),
            Fed::End => assert!(text.contains("6@7+9@3"), "{text}: odd at {odd:?}"),
            Fed::Odd(at) => assert_eq!(odd, Some(at), "{text}"),
            Fed::Done(_) => panic!("{text} has no tail"),
        }
    }
}

#[test]
fn the_number_of_a_range_may_stand_on_the_next_line() {
    let whole = read(&["range 0: 4@8", "range 1: 5@9", "=> 9 free of 64 total pages"]);
    assert_eq!(whole.ranges.len(), 2);
    for (front, back) in [("range", "1: 5@9"), ("ran", "ge 1: 5@9"), ("range ", "  1: 5@9")] {
        let broken = ["range 0: 4@8", front, back, "=> 9 free of 64 total pages"];
        assert_eq!(read(&broken), whole, "{front}|{back}");
    }
    let mut list = List::new(true, false);
    assert_eq!(list.feed(b"range 0: 4@8"), Fed::End);
    assert_eq!(list.feed(b"range"), Fed::End);
    assert_eq!(list.feed(b"of frequencies"), Fed::Odd(0));
}

#[test]
fn a_list_without_positions_has_sizes() {
    let list = read(&["4+7+7", "+8=>26 pages, total: 64 pages"]);
    assert_eq!(runs(&list), [(4, 0), (7, 0), (7, 0), (8, 0)]);
    assert!(list.unplaced && list.is_complete());
    assert_eq!((list.free, list.total), (Some(26), Some(64)));
}

#[test]
fn an_empty_list_is_a_list() {
    let list = read(&[" => 0 free of 64 total pages"]);
    assert_eq!(runs(&list), []);
    assert!(list.is_complete());
    assert_eq!(List::new(true, false).finish(), None);
}

#[test]
fn what_is_left_out_is_told() {
    for text in [
        "1@10+2@13 ... +5@700=> 70 free of 999 total pages",
        "1@10+2@13+...+5@700=> 70 free of 999 total pages",
        "1@10+2@13+5@7... +5@700=> 70 free of 999 total pages",
        "1@10+2@13+[snip]+5@700=> 70 free of 999 total pages",
        "1@10+2@13+5@7 +5@700=> 70 free of 999 total pages",
        "1@10+2@13+5@700",
    ] {
        let list = read(&[text]);
        assert!(list.cut && !list.is_complete(), "{text}");
        assert_eq!(runs(&list)[..2], [(1, 10), (2, 13)], "{text}");
        assert_eq!(runs(&list).last(), Some(&(5, 700)), "{text}");
    }
}

#[test]
fn ranges_have_positions_of_their_own() {
    let list = read(&[
        " ",
        "range 0: 255@257+255@769",
        "range 1: +5@3",
        "",
        "=> 515 free of 2048 total pages",
    ]);
    assert!(list.ranged && list.is_complete());
    let first = RangeRuns { range: 0, runs: vec![(255, 257), (255, 769)] };
    assert_eq!(list.ranges, [first, RangeRuns { range: 1, runs: vec![(5, 3)] }]);
}

#[test]
fn a_line_of_another_list_is_refused_and_undone() {
    let mut list = List::new(true, false);
    assert_eq!(list.feed(b"4@100+9@200+"), Fed::End);
    let mark = list.mark();
    for line in ["7@150+8@300", "7@300 foo", "cma", "range 0:", "7@300@", "7@300. So"] {
        let fed = list.feed(line.as_bytes());
        list.undo(mark);
        if line != "range 0:" {
            assert!(matches!(fed, Fed::Odd(_)), "{line}");
        }
    }
    assert_eq!(list.feed(b"7@300 => 20 free"), Fed::End);
    assert!(list.is_soft() && list.adds_up());
    let list = list.finish().expect("a list");
    assert_eq!((list.free, list.total, list.is_complete()), (Some(20), None, true));
}

#[test]
fn the_tail_ends_where_it_ends() {
    let text = b"4@1=> 4 free of 8 total pages | yes |";
    assert_eq!(List::new(true, false).feed(text), Fed::Done(30));
}

#[test]
fn numbers_too_large_are_left_out() {
    let list = read(&["99999999999999999999@1+4@99999999999999999999999+3@9=> 3 free"]);
    assert_eq!(runs(&list), [(3, 9)]);
    assert!(list.cut);
}
