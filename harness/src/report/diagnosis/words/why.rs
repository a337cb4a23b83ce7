//! Why, as a sentence with the numbers.

use std::borrow::Cow;

use crate::diagnose::{AlignFrom, Failure, Fit, Reported, Room, Why};
use crate::words::{counted, is_or_are, pages, was_or_were};

/// Why, in one sentence with the numbers.
pub(in crate::report::diagnosis) fn why(failure: &Failure) -> String {
    let template = template(failure);
    let parts = template.split(['{', '}']).enumerate();
    let filled = parts.map(|(index, part)| match index % 2 {
        0 => Cow::Borrowed(part),
        _ => Cow::Owned(value(failure, part)),
    });
    filled.collect()
}

/// The sentence; what is in braces is a [`value`].
fn template(failure: &Failure) -> &'static str {
    match failure.why {
        Why::Signal => "ret: -4: a fatal signal ended the call",
        Why::NoCount => match failure.incident.reported {
            Reported::List => "a list of free runs alone: no line says what was asked for",
            Reported::Driver => "only a driver reports it, and not how much it asked for",
            _ => "no line says how many pages were asked for",
        },
        Why::TooLarge(_) if super::longest_range(failure).is_some() => {
            "{pages} were asked for, the longest range of the area has {number}"
        }
        Why::TooLarge(_) => "{pages} were asked for, the area has {number}",
        Why::AboveBound if failure.incident.reported == Reported::Driver => {
            "{pages} were asked for, {most}; only a driver reports it: kernels up to 6.14 print no \
             line where more is asked for than the area has"
        }
        Why::AboveBound => "{pages} were asked for, {most}",
        Why::Held => "{held}",
        Why::HeldByTrace { .. } => {
            "the trace shows {held by trace} granted and not given back, of {number} in the area; \
             {pages} were asked for"
        }
        Why::OtherErrno => "ret: {ret} is none of -12, -16 and -4",
        Why::Room => "{room}",
        Why::BusyThenFailed => "{claims} busy, and then the call failed",
        Why::BusyThenFailedNoErrno => "{claims} busy, and then the call failed (no errno is shown)",
        Why::BusyThenDriver => "{claims} busy, and then the driver failed",
        Why::BusyThenOtherPage => {
            "{claims} busy, and then the claim of another page failed otherwise: no memory to \
             migrate to, or a fatal signal (no errno is shown)"
        }
        Why::BusyThenNoMemory => {
            "{claims} busy, and then -12: a claim got no memory to migrate to, unless a vendor's \
             kernel slept and found no place any more"
        }
        Why::NoneGranted => "{claims} busy, none was granted{fits}",
        Why::EveryClaimBusy => {
            "ret: -16 before 6.15: a place was found for {pages}, and every claim was busy{fits}"
        }
        Why::BusyOrNoPlace => {
            "from 6.15 on -16 means busy or no place, and there is no list of free runs"
        }
        Why::BusyOrNoPlaceByKernel => {
            "-16 means busy up to 6.14, busy or no place from 6.15 on; there is no list of free \
             runs and the kernel is not known"
        }
        Why::BusyThoughItFits => "ret: -16, though {room}",
        Why::NoPlaceThoughItFits => {
            "-16 may mean that no place was found, but {room} in a list of another moment"
        }
        Why::SplitByRanges => {
            "no place was busy, so none was found, though in one range of single pages {room}: the \
             area has several ranges, and one ends in these free pages, or bits of several pages \
             (its events state neither)"
        }
        Why::NoRun(_) => {
            "no place was busy, so none was found: {number} pages are available, and no run of \
             {pages} is among them"
        }
        Why::NoRunAligned(_) => {
            "no place was busy, so none was found: {number} pages are available, and no run of \
             {pages} from an aligned page on is among them (fragmentation or alignment)"
        }
        Why::MisalignedByBase => {
            "no place was busy, so none was found, though a run is long enough: {room}"
        }
        Why::AcrossHole => {
            "places were skipped that have pages across a hole of the memmap (skipping incompatible \
             area), which no retry cures"
        }
        Why::BusyOrRoom => "-16 means busy or no place from 6.15 on, and {room}",
        Why::NoMemoryBySign => {
            "ret: -12 from 6.15 on: a claim was made and got no memory to migrate to"
        }
        Why::NoMemoryAtPlace if failure.incident.busy_retries.unwrap_or(0) == 0 => {
            "a place was found and claimed, and the claim got no memory to migrate to"
        }
        Why::NoMemoryAtPlace => {
            "a place was found and claimed after {number of claims} busy, and the claim got no \
             memory to migrate to"
        }
        Why::NoMemoryOrNoPlace if is_one_page(failure) => {
            "-12 means exhausted or migration, and there is no list of free runs"
        }
        Why::NoMemoryOrNoPlace => {
            "-12 means exhausted, fragmentation, alignment or migration, and there is no list of \
             free runs"
        }
        Why::BusyNoMemoryOrNoPlace => {
            "-12 of an Android kernel means exhausted, fragmentation, alignment, migration or busy \
             (after busy claims it searches again, and says -12 where it finds no place then), and \
             there is no list of free runs"
        }
        Why::FitsAtAnotherMoment => "{room}, but the free runs are of another moment",
        Why::NoMemoryAsItFits => "{room}, so a claim was made and got no memory to migrate to",
        Why::FitsAfterwards => "the search found nothing, but {room} a moment later",
        Why::MisalignedAsShown => "{room}; the search found nothing in what the list does not show",
        Why::NoPage(0) => "no page was found for a request of 1 page: none is free",
        Why::NoPage(_) => {
            "no page was found for a request of 1 page: none is free, though {pages counted} are \
             shown"
        }
        Why::NoPlace => {
            "no place was found (exhausted, fragmentation or alignment), and there is no whole \
             list of free runs"
        }
        Why::NotBusy => {
            "a place was found, and the claim failed though it was not busy: no memory to migrate \
             to (no errno is shown)"
        }
        Why::BusyOrNoMemory => {
            "a place was found and the claim failed: busy or migration, no errno is shown"
        }
        Why::FitsNoneBusy => "{room}, and no claim was busy",
        Why::FitsNoErrno => "{room}: busy or migration, no errno is shown",
        Why::Beside { equal: true, .. } => {
            "its line is not in the text; {pages counted} were refused with the same free runs \
             (line {line})"
        }
        Why::Beside { equal: false, .. } => {
            "its line is not in the text; what other lines of this area ask for ({pages counted}, \
             line {line}) does not fit into these free runs either"
        }
        Why::BesideEither => {
            "its line is not in the text, so its size is not known; those that other lines ask for \
             and that do not fit into these free runs are refused for fragmentation or alignment"
        }
        Why::TooLittle { listed: true } => "{no errno}; the list does not show why",
        Why::TooLittle { listed: false } => "{no errno}; there is no list of free runs",
    }
}

fn is_one_page(failure: &Failure) -> bool {
    failure.incident.count == Some(1) && failure.align.is_none_or(|(order, _)| order == 0)
}

/// What a name in the braces of a sentence means.
fn value(failure: &Failure, name: &str) -> String {
    let incident = &failure.incident;
    let number = match failure.why {
        Why::TooLarge(number)
        | Why::NoPage(number)
        | Why::NoRun(number)
        | Why::NoRunAligned(number) => number,
        Why::Beside { count, .. } => count,
        Why::HeldByTrace { total, .. } => total,
        _ => incident.busy_retries.unwrap_or(0),
    };
    match name {
        "pages" => pages(incident.count.unwrap_or(0)),
        "pages counted" => pages(number),
        "number" => number.to_string(),
        "line" => match failure.why {
            Why::Beside { line, .. } => line.to_string(),
            _ => incident.line.to_string(),
        },
        "most" => super::bounds::most(failure).unwrap_or_else(|| "the area has fewer".into()),
        "held" => super::bounds::filled(failure)
            .unwrap_or_else(|| "what is held and what was asked for are more than there is".into()),
        "held by trace" => match failure.why {
            Why::HeldByTrace { held, .. } => pages(held),
            _ => pages(0),
        },
        "ret" => incident.ret.unwrap_or(0).to_string(),
        "claims" if number == 1 => "1 claim was".to_string(),
        "claims" => format!("{number} claims were"),
        "number of claims" => counted(number, "claim"),
        "no errno"
            if let (Reported::Driver, Some(most)) =
                (incident.reported, super::bounds::most(failure)) =>
        {
            format!("only a driver reports it, and not every driver asks CMA; {most}")
        }
        "no errno" if incident.reported == Reported::Driver => {
            "only a driver reports it: kernels up to 6.14 say nothing where more is asked for than \
             the area has, and not every driver asks CMA"
                .to_string()
        }
        "no errno" => "no errno is shown".to_string(),
        "fits" if failure.room.is_none_or(|room| room.fit != Fit::Fits) => String::new(),
        "fits" => format!("; {}", room(failure)),
        _ => room(failure),
    }
}

/// What the state says, with its numbers.
fn room(failure: &Failure) -> String {
    let Some(room) = failure.room else { return "the free pages are not known".to_string() };
    let Room { need, longest, shown, place, .. } = room;
    let free = room.free.or(room.available).unwrap_or(shown);
    let (count, rounded) = (failure.incident.count.unwrap_or(0), rounded(failure, &room));
    let fit = if failure.why == Why::MisalignedAsShown { Fit::Alignment } else { room.fit };
    match (fit, place) {
        (Fit::Exhausted, _) if let Some((available, free)) = failure.drift() => format!(
            "{available}{} pages are available by the counter of the area, {} were asked for; \
             {free} are free in its bitmap",
            room.total.map(|total| format!(" of {total}")).unwrap_or_default(),
            count
        ),
        (Fit::Fragmentation, _) if let Some((available, free)) = failure.drift() => format!(
            "largest run {longest} < {}; {}",
            if longest < count { count.to_string() } else { format!("{need}{rounded}") },
            super::drifts((available, free))
        ),
        (Fit::Exhausted, _) => {
            let (are, were) = (is_or_are(free), was_or_were(need));
            let free = match room.total {
                Some(total) => format!("{free} of {}", pages(total)),
                None => pages(free),
            };
            format!("{free} {are} free, {need} {were} asked for{rounded}")
        }
        (Fit::Fragmentation, _) => {
            format!("largest run {longest} < {need} <= {free} free{rounded}")
        }
        (Fit::Alignment, Some(_)) => format!("{}{rounded}", reach(&room)),
        (Fit::Alignment, None) => {
            format!("no run has {} from an aligned page on{rounded}", pages(need))
        }
        (Fit::Fits, Some(_)) => format!("{} fit: {}", request(failure), reach(&room)),
        (Fit::Fits, None) => {
            format!("{} fit wherever the area and its runs begin", request(failure))
        }
        (Fit::Base, _) => format!(
            "whether {} fit depends on where the area begins modulo 2^{}: base_pfn is missing",
            request(failure),
            failure.align.map_or(0, |(order, _)| order)
        ),
        (Fit::Positions, _) => {
            format!("a run of {} is long enough, but where it begins is not known", pages(longest))
        }
        (Fit::Missing, _) => match room.free {
            Some(free) => format!(
                "the runs shown hold {shown} of {free} free pages, none of them has room for {}; \
                 the others are missing",
                request(failure)
            ),
            None if let Some(available) = room.available => format!(
                "{} available by the counter of the area, {shown} are shown to be free, and none of \
                 these runs has room for {}; others are missing",
                super::are(available),
                request(failure)
            ),
            None if shown > 0 => {
                let what = super::source_of_runs(failure);
                format!(
                    "no run shown has room for {}, but the {what} is not whole",
                    request(failure)
                )
            }
            None => "the list of free runs is missing".to_string(),
        },
    }
}

fn rounded(failure: &Failure, room: &Room) -> String {
    let count = failure.incident.count.unwrap_or(0);
    if room.need == count {
        return String::new();
    }
    format!(" ({} take whole bits of 2^{} pages)", pages(count), room.order_per_bit)
}

/// `511@58881: aligned start 59136, 59136 + 456 = 59592 > 59392`, with the run as the kernel prints
/// it, but in pages.
fn reach(room: &Room) -> String {
    let (need, Some(place)) = (room.need, room.place) else { return String::new() };
    let (hole, at, last) = (place.hole, place.at, place.hole.end());
    let end = u128::from(at) + u128::from(need);
    let range = place.range.map(|range| format!("range {range}: ")).unwrap_or_default();
    let sign = if end > u128::from(last) { ">" } else { "<=" };
    let (count, start) = (hole.count, hole.start);
    format!("{range}{count}@{start}: aligned start {at}, {at} + {need} = {end} {sign} {last}")
}

/// How the request is called: `456 pages at order 8`.
fn request(failure: &Failure) -> String {
    let pages = pages(failure.incident.count.unwrap_or(0));
    match failure.align {
        Some((order, AlignFrom::Cap)) => format!("{pages} at order {order} (by the cap)"),
        align => format!("{pages} at order {}", align.map_or(0, |(order, _)| order)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::sample::{misaligned, with};
    use super::*;
    use crate::diagnose::{Hole, Place};

    const ALL: [Why; 44] = [
        Why::AboveBound,
        Why::Held,
        Why::HeldByTrace { held: 7, total: 9 },
        Why::BesideEither,
        Why::Beside { count: 7, line: 5, equal: true },
        Why::Beside { count: 7, line: 5, equal: false },
        Why::SplitByRanges,
        Why::NoRun(7),
        Why::NoRunAligned(7),
        Why::MisalignedByBase,
        Why::AcrossHole,
        Why::Signal,
        Why::NoCount,
        Why::TooLarge(u64::MAX),
        Why::OtherErrno,
        Why::Room,
        Why::BusyThenFailed,
        Why::BusyThenFailedNoErrno,
        Why::BusyThenDriver,
        Why::BusyThenOtherPage,
        Why::BusyThenNoMemory,
        Why::NoneGranted,
        Why::EveryClaimBusy,
        Why::BusyOrNoPlace,
        Why::BusyOrNoPlaceByKernel,
        Why::BusyThoughItFits,
        Why::NoPlaceThoughItFits,
        Why::BusyOrRoom,
        Why::NoMemoryBySign,
        Why::NoMemoryAtPlace,
        Why::NoMemoryOrNoPlace,
        Why::BusyNoMemoryOrNoPlace,
        Why::FitsAtAnotherMoment,
        Why::NoMemoryAsItFits,
        Why::FitsAfterwards,
        Why::MisalignedAsShown,
        Why::NoPage(0),
        Why::NoPage(u64::MAX),
        Why::NoPlace,
        Why::NotBusy,
        Why::BusyOrNoMemory,
        Why::FitsNoneBusy,
        Why::FitsNoErrno,
        Why::TooLittle { listed: false },
    ];

    fn said(why: Why, busy_retries: u64) -> String {
        let failure = with(&misaligned(), |incident| incident.busy_retries = Some(busy_retries));
        super::why(&Failure { why, ..failure })
    }

    #[test]
    fn each_is_a_sentence_of_its_own() {
        for (index, one) in ALL.into_iter().enumerate() {
            let sentence = said(one, 0);
            assert!(!sentence.is_empty() && !sentence.contains(['{', '}']), "{one:?}: {sentence}");
            // What is no name is taken for the room.
            let template = template(&Failure { why: one, ..misaligned() });
            let names = template.split(['{', '}']).skip(1).step_by(2);
            let shows_room = names.clone().all(|name| name == "room" || said_of(name));
            assert!(shows_room, "{template}");
            for other in &ALL[index + 1..] {
                assert!(said(*other, 0) != sentence || *other == Why::MisalignedAsShown, "{one:?}");
            }
        }
    }

    fn said_of(name: &str) -> bool {
        value(&misaligned(), name) != room(&misaligned())
    }

    #[test]
    fn one_is_not_many() {
        assert_eq!(said(Why::NoneGranted, 1), "1 claim was busy, none was granted");
        assert_eq!(said(Why::BusyThenDriver, 2), "2 claims were busy, and then the driver failed");
        let after = "a place was found and claimed after 2 claims busy, and the claim got no memory \
                     to migrate to";
        assert_eq!(said(Why::NoMemoryAtPlace, 2), after);
        let shown =
            "no page was found for a request of 1 page: none is free, though 1 page are shown";
        assert_eq!(said(Why::NoPage(1), 0), shown);
    }

    #[test]
    fn the_errno_is_in_the_reason_or_before_it() {
        for (why, ret) in ALL.into_iter().flat_map(|why| [-12, -16].map(|ret| (why, ret))) {
            let failure = with(&misaligned(), |incident| incident.ret = Some(ret));
            let failure = Failure { why, verdict: None, ..failure };
            let answer = super::super::answer(&failure);
            let before = answer.contains(&format!(" with {ret}; "));
            let reason = super::why(&failure);
            assert!(before || reason.contains("-1"), "{answer}");
            assert!(!before || !reason.contains("means"), "{answer}");
        }
    }

    #[test]
    fn the_room_in_numbers() {
        let place =
            Place { range: Some(1), hole: Hole { start: 4, count: u64::MAX }, at: u64::MAX };
        let room_of = |fit| Room { fit, need: u64::MAX, place: Some(place), ..sample() };
        let said = |fit| room(&Failure { room: Some(room_of(fit)), ..misaligned() });
        let rounded = " (300 pages take whole bits of 2^0 pages)";
        let reach = "range 1: 18446744073709551615@4: aligned start 18446744073709551615, \
                     18446744073709551615 + 18446744073709551615 = 36893488147419103230 > \
                     18446744073709551615";
        assert_eq!(said(Fit::Alignment), format!("{reach}{rounded}"));
        assert_eq!(said(Fit::Fits), format!("300 pages at order 8 fit: {reach}"));
        assert!(said(Fit::Exhausted).starts_with("855 of 2048 pages are free, "));
        assert!(said(Fit::Base).ends_with("modulo 2^8: base_pfn is missing"));
        let cut = Room { free: Some(9000), ..room_of(Fit::Missing) };
        let cut = room(&Failure { room: Some(cut), ..misaligned() });
        assert!(cut.starts_with("the runs shown hold 855 of 9000 free pages"), "{cut}");
    }

    fn sample() -> Room {
        misaligned().room.unwrap()
    }
}
