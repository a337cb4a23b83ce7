//! What precedes a message: stamps, callers, levels, dates, hosts and quote marks.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::Task;
use super::bytes::{microseconds, number, pattern, span};
use super::names::Names;

/// What a prefix says.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Prefix<'a> {
    /// The kernel's stamp, in microseconds since boot.
    pub(super) time_us: Option<u64>,
    /// The name of the task.
    pub(super) comm: Option<&'a [u8]>,
    /// Its pid.
    pub(super) pid: Option<u32>,
    /// Its CPU.
    pub(super) cpu: Option<u32>,
}

impl Prefix<'_> {
    /// Who printed what follows, where it says so.
    pub(super) fn task(&self, names: &mut Names) -> Option<Task> {
        let Self { comm, pid, cpu, .. } = *self;
        let known = comm.is_some() || pid.is_some() || cpu.is_some();
        known.then(|| Task { comm: comm.map(|comm| names.get(comm)), pid, cpu })
    }
}

/// A prefix has no more bytes than this.
pub(super) const LONGEST: usize = 256;

/// The parts of a prefix that say nothing of the task: a level, a bullet, a date in brackets, the
/// log's name, the facility of `dmesg -x`, a date with the host if `kernel` is next, and the head
/// of logcat (`E/cma ( 198): `, `198   198 E cma     : `). Its tag `cma` may be the only `cma:` of
/// the line: it is left to the message.
static REMARK: LazyLock<Regex> = LazyLock::new(|| {
    let (clock, kernel, end) = (r"\d\d:\d\d:", r"kernel(?:\[[^\]]{0,10}\])?:", r"(?:\s+|$)");
    let (words, digits) = (r"[A-Za-z0-9\x20:.,+/-]*", r"[\d:.,+TZ/-]*");
    let month = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)";
    let date = format!(
        r"(?:\d{digits}:{digits}:{digits} | \d{digits}-{digits}-{digits} | \d\d-\d\d){end}"
    );
    let remark = format!(
        r"(?sx-u)^(?:
            <\d{{1,3}}>
            | (?:[*-]|\xe2\x80\xa2)\x20
            | \[{words}{clock}{words}\]
            | {kernel}
            | (?:kern|user|daemon|syslog)\x20*:?\x20*[a-z]+\x20*:
            | (?:{month}\s+\d+\s+\S*{clock}\S*{end} | {date}(?:{date})?)(?:\S+\s+{kernel})?
            | [A-Z]/\S[^)]{{0,60}}\):
            | \d+\s+\d+\s+[A-Z]\s+(?:(?<tag>cma:?{end})|[^:]{{0,31}}:)
        )"
    );
    pattern(&remark)
});

/// What the brackets in `before`, all that precedes a message, say. Of two stamps the last one is
/// the kernel's own.
pub(super) fn read(before: &[u8]) -> Prefix<'_> {
    let before = &before[..before.len().min(LONGEST)];
    let mut prefix = Prefix::default();
    let quote = span(before, |byte| b" \t>|`\"".contains(byte));
    let mut at = kmsg(&before[quote..], &mut prefix).map_or(0, |used| quote + used);
    while let Some(open) = memchr::memchr2(b'[', b'(', &before[at..]) {
        at += open;
        // The pid in `kernel[851]:` is the log daemon's.
        let part = at.checked_sub(1).is_some_and(|at| before[at].is_ascii_alphanumeric());
        let used = if part { None } else { bracket(&before[at..], &mut prefix) };
        at += used.unwrap_or(1);
    }
    prefix
}

/// Where the message begins, as far as its prefix is known.
pub(super) fn body(line: &[u8]) -> usize {
    let line = &line[..line.len().min(LONGEST)];
    let mut at = 0;
    loop {
        at += span(&line[at..], |byte| b" \t>|`\"".contains(byte));
        let rest = &line[at..];
        let known = bracket(rest, &mut Prefix::default()).or_else(|| remark(rest));
        match known.or_else(|| kmsg(rest, &mut Prefix::default())) {
            Some(used) => at += used,
            None => return at,
        }
    }
}

fn remark(rest: &[u8]) -> Option<usize> {
    let found = REMARK.captures(rest)?;
    Some(found.name("tag").map_or(found.get_match().end(), |tag| tag.start()))
}

/// Where a prefix like `example` ends in `line`: the same signs and words, with any digits for
/// digits. A prefix that says nothing is like none, nor is one that may be a piece of a list.
pub(super) fn like(example: &[u8], line: &[u8]) -> Option<usize> {
    let of_list = |byte: &u8| byte.is_ascii_digit() || b"+@=, \t".contains(byte);
    (!example.iter().all(of_list)).then_some(())?;
    example.iter().any(u8::is_ascii_graphic).then_some(())?;
    let token = |byte: &u8| byte.is_ascii_alphanumeric();
    let blank = |byte: &u8| b" \t".contains(byte);
    let numbered = |text: &[u8]| text.iter().any(u8::is_ascii_digit);
    let (mut i, mut at) = (0, 0);
    while i < example.len() {
        let blanks = span(&example[i..], blank);
        let found = span(&line[at..], blank);
        // Numbers are padded with blanks.
        let padded = line.get(at + found).is_some_and(u8::is_ascii_digit);
        if (blanks == 0) != (found == 0) && !padded {
            return None;
        }
        (i, at) = (i + blanks, at + found);
        let len = span(&example[i..], token);
        if len == 0 {
            if i < example.len() {
                (line.get(at) == Some(&example[i])).then_some(())?;
                (i, at) = (i + 1, at + 1);
            }
            continue;
        }
        let other = span(&line[at..], token);
        let (one, two) = (&example[i..i + len], &line[at..at + other]);
        let hex = || one.iter().chain(two).all(u8::is_ascii_hexdigit);
        let counts = numbered(one) && numbered(two) || (numbered(one) || numbered(two)) && hex();
        if one != two && !counts {
            return None;
        }
        (i, at) = (i + len, at + other);
    }
    Some(at)
}

/// `6,1234,82156000,-,caller=T7;` of `/dev/kmsg` (`Documentation/ABI/testing/dev-kmsg`): its bytes.
/// The time is in microseconds; a record without a prefix of its own has the flag `c`.
fn kmsg<'a>(text: &'a [u8], prefix: &mut Prefix<'a>) -> Option<usize> {
    const LONGEST: usize = 80;
    if !text.first()?.is_ascii_digit() {
        return None;
    }
    let end = memchr::memchr(b';', &text[..text.len().min(LONGEST)])?;
    let mut fields = text[..end].split(|byte| *byte == b',');
    let mut numbers = fields.by_ref().take(3).map(number::<u64>);
    let [Some(_), Some(_), time_us @ Some(_)] = std::array::from_fn(|_| numbers.next().flatten())
    else {
        return None;
    };
    fields.next().filter(|flag| matches!(flag, [b'-' | b'c' | b'+']))?;
    *prefix = Prefix { time_us, ..*prefix };
    for field in fields {
        let _ = field.strip_prefix(b"caller=").and_then(|who| caller(who, prefix));
    }
    Some(end + 1)
}

/// `[   12.345678]`, `[T123]`, `[C2]`, `[ 5]`, `[2: comm: pid]`, `(2)`: its bytes.
fn bracket<'a>(rest: &'a [u8], prefix: &mut Prefix<'a>) -> Option<usize> {
    let close = match rest.first()? {
        b'[' => b']',
        b'(' => b')',
        _ => return None,
    };
    let end = rest.iter().take(64).position(|byte| *byte == close)?;
    let text = rest[1..end].trim_ascii();
    let known = if close == b')' {
        // MediaTek: `(2)[1234:comm]`.
        let cpu = number(text).filter(|_| text.len() < 4 && rest.get(end + 1) == Some(&b'['));
        prefix.cpu = cpu.or(prefix.cpu);
        cpu.is_some()
    } else {
        stamp(text, prefix) || caller(text, prefix).is_some()
    };
    known.then_some(end + 1)
}

/// `12.345678`, `12.345678@2`, `+0.047` (the time since the line before, which says no time).
fn stamp(text: &[u8], prefix: &mut Prefix<'_>) -> bool {
    let since = text.strip_prefix(b"+").or(text.strip_prefix(b"<"));
    let text = since.unwrap_or(text).trim_ascii();
    let text = text.strip_suffix(b">").unwrap_or(text);
    let at = span(text, |byte| !b"@,".contains(byte));
    let cpu = text.get(at + 1..).map(|cpu| number(cpu.trim_ascii()));
    let time_us = microseconds(&text[..at]);
    let known = time_us.is_some() && cpu != Some(None);
    if known && since.is_none() {
        *prefix = Prefix { time_us, cpu: cpu.flatten().or(prefix.cpu), ..*prefix };
    }
    known
}

/// `T123`, `C2`, `c2`, `5`, `2: comm: 731`, `1234:comm`, `pid:1,cpu2,comm`.
fn caller<'a>(text: &'a [u8], prefix: &mut Prefix<'a>) -> Option<()> {
    let rest = text.get(1..).unwrap_or_default().trim_ascii();
    let ends = |colon: usize| (&text[..colon], &text[colon + 1..]);
    let (pid, cpu, comm) = match (text, number(rest)) {
        ([b'T', ..], Some(pid)) => (Some(pid), prefix.cpu, prefix.comm),
        ([b'C' | b'c', ..], Some(cpu)) => (prefix.pid, Some(cpu), prefix.comm),
        ([b'p', b'i', b'd', b':', vendor @ ..], _) => {
            let mut fields = vendor.splitn(3, |byte| *byte == b',');
            let pid = fields.next().and_then(number)?;
            (Some(pid), Some(number(fields.next()?.strip_prefix(b"cpu")?)?), fields.next())
        }
        _ if text.len() <= 3 && number::<u32>(text).is_some() => {
            (prefix.pid, number(text), prefix.comm)
        }
        _ => {
            let (first, last) = (memchr::memchr(b':', text)?, memchr::memrchr(b':', text)?);
            let ((front, comm), (_, back)) = (ends(first), ends(last));
            let front = number(front.trim_ascii())?;
            match number(back.trim_ascii()) {
                None if first == last => (Some(front), prefix.cpu, Some(comm)),
                Some(pid) if first < last => {
                    (Some(pid), Some(front), Some(text[first + 1..last].trim_ascii()))
                }
                _ => return None,
            }
        }
    };
    *prefix = Prefix { pid, cpu, comm, ..*prefix };
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(line: &str) -> &str {
        &line[body(line.as_bytes())..]
    }

    #[test]
    fn the_message_begins_after_every_prefix() {
        for prefix in [
            "",
            "  ",
            "[   12.345678] ",
            "[   12.345678][  T123] ",
            "[   12.345678] [    C2] ",
            "[   12.345678]  [2:   Binder:702_3:  731] ",
            "[   12.345678@2] ",
            "[ 5] [  T887] [  99.000001] ",
            "[c7] ",
            "<6>",
            "4,1230,82156000,-;",
            "6,1231,82156010,c,caller=T77;",
            "<3>[    1.2] ",
            "[  +0.047] ",
            "[Sun Aug  1 14:11:30 2021] ",
            "Oct 14 20:11:07 board kernel: ",
            "Jul 10 15:02:41 board kernel[851]: [   14.079784] ",
            "2024-07-10T15:02:41.123456+02:00 board kernel: ",
            "2024-07-10 15:02:41 ",
            "kern  :err   : [   12.345678] ",
            "01-11 13:58:41.102   198   198 E kernel  : ",
            "> > [    1.0] ",
            ">| `",
            "* ",
            "<6>[    1.000] (2)[1234:kworker/2:1] ",
        ] {
            let line = format!("{prefix}+7@585+8@632");
            assert_eq!(rest(&line), "+7@585+8@632", "{line}");
        }
    }

    #[test]
    fn a_prefix_nobody_knows_is_found_by_its_example() {
        for (example, line, rest) in [
            ("3,801,512000401,-;", "3,802,512000499,-;+7@585", "+7@585"),
            ("[   99.000001] board kernel: ", "[  100.000001] board kernel: => 5", "=> 5"),
            ("(XEN) ", "(XEN) +7@585", "+7@585"),
            (
                "s=1;i=af3 Mon 2026-11-23 09:00:59 board kernel: ",
                "s=1;i=b04 Mon 2026-11-23 09:01:00 board kernel: 7@585",
                "7@585",
            ),
            ("0x1f ", "0x20    +7@585", "+7@585"),
        ] {
            let at = like(example.as_bytes(), line.as_bytes());
            assert_eq!(at.map(|at| &line[at..]), Some(rest), "{line}");
        }
        for (example, line) in
            [("", "+7@585"), ("  ", "  +7@585"), ("kernel: ", "init: 7"), ("3,8,5,-;", "3,8,5")]
        {
            assert_eq!(like(example.as_bytes(), line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn what_belongs_to_a_message_is_left_to_it() {
        for message in
            ["4+7+7+8", "3@125+20@172", "12:30", "[2ef00, 2f00a) PFNs", "kernels", "=> 5"]
        {
            assert_eq!(rest(message), message);
        }
    }

    #[test]
    fn stamps_and_callers_are_read() {
        let read = |text: &'static str| read(text.as_bytes());
        assert_eq!(read("[   12.345678] ").time_us, Some(12_345_678));
        assert_eq!(read("[   12.3] ").time_us, Some(12_300_000));
        assert_eq!(read("[  +0.047] ").time_us, None);
        assert_eq!(read("[Sun Aug  1 14:11:30 2021] ").time_us, None);
        assert_eq!(read("[99999999999999999999.1]").time_us, None);
        assert_eq!(read("[18446744073709551615.1]").time_us, None);
        assert_eq!(read("[    1.0][  T123] ").pid, Some(123));
        assert_eq!(read("[    1.0][    C2] ").cpu, Some(2));
        let task = read("[   19.7]  [2:   Binder:702_3:  731] ");
        assert_eq!((task.cpu, task.pid), (Some(2), Some(731)));
        assert_eq!(task.comm, Some(&b"Binder:702_3"[..]));
        let journal = Prefix { time_us: Some(14_079_784), ..Prefix::default() };
        assert_eq!(read("kernel[851]: [   14.079784] "), journal);
        assert_eq!(read("[pid:456,cpu2,kworker/2:1]").comm, Some(&b"kworker/2:1"[..]));
        assert_eq!(read("[drm:vc4_bo_create [vc4]] *ERROR* "), Prefix::default());
    }
}
