//! What stands in front of a message: stamps, callers, levels, dates, hosts and quote marks.

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

/// A prefix has no more bytes than this.
pub(super) const LONGEST: usize = 256;

/// What the brackets in `before`, all that stands in front of a message, say. Of two stamps the
/// last one is the kernel's own.
pub(super) fn read(before: &[u8]) -> Prefix<'_> {
    let before = &before[..before.len().min(LONGEST)];
    let mut prefix = Prefix::default();
    let mut at = 0;
    while let Some(open) = memchr::memchr2(b'[', b'(', &before[at..]) {
        at += open;
        // The pid in `kernel[851]:` is the log daemon's.
        let part = at.checked_sub(1).is_some_and(|at| before[at].is_ascii_alphanumeric());
        let used = if part { None } else { bracket(&before[at..], &mut prefix) };
        at += used.unwrap_or(1);
    }
    prefix
}

/// Where the message begins, as far as the prefix can be told from it.
pub(super) fn body(line: &[u8]) -> usize {
    let line = &line[..line.len().min(LONGEST)];
    let mut at = 0;
    loop {
        while line.get(at).is_some_and(|byte| b" \t>|`\"".contains(byte)) {
            at += 1;
        }
        let rest = &line[at..];
        let mut unused = Prefix::default();
        let used = level(rest)
            .or_else(|| bracket(rest, &mut unused))
            .or_else(|| bullet(rest))
            .or_else(|| kernel(rest))
            .or_else(|| facility(rest))
            .or_else(|| date(rest))
            .or_else(|| logcat(rest));
        match used {
            Some(used) => at += used,
            None => return at,
        }
    }
}

/// Where a prefix like `example` ends in `line`: the same signs and words, with any digits for
/// digits. A prefix that says nothing is like none, nor is one that may be a piece of a list.
pub(super) fn like(example: &[u8], line: &[u8]) -> Option<usize> {
    let of_list = |byte: &u8| byte.is_ascii_digit() || b"+@=, \t".contains(byte);
    (!example.iter().all(of_list)).then_some(())?;
    example.iter().any(u8::is_ascii_graphic).then_some(())?;
    let token = |byte: &u8| byte.is_ascii_alphanumeric();
    let blank = |byte: &u8| b" \t".contains(byte);
    let run = |text: &[u8], of: &dyn Fn(&u8) -> bool| text.iter().take_while(|b| of(b)).count();
    let numbered = |text: &[u8]| text.iter().any(u8::is_ascii_digit);
    let (mut i, mut at) = (0, 0);
    while i < example.len() {
        let blanks = run(&example[i..], &blank);
        let found = run(&line[at..], &blank);
        // Numbers are padded with blanks.
        let padded = line.get(at + found).is_some_and(u8::is_ascii_digit);
        if (blanks == 0) != (found == 0) && !padded {
            return None;
        }
        (i, at) = (i + blanks, at + found);
        let len = run(&example[i..], &token);
        if len == 0 {
            if i < example.len() {
                (line.get(at) == Some(&example[i])).then_some(())?;
                (i, at) = (i + 1, at + 1);
            }
            continue;
        }
        let other = run(&line[at..], &token);
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

/// `[   12.345678]`, `[T123]`, `[C2]`, `[ 5]`, `[2: comm: pid]`, a date in brackets, `(2)`: its
/// bytes.
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
        stamp(text, prefix) || caller(text, prefix) || wall_clock(text)
    };
    known.then_some(end + 1)
}

/// `12.345678`, `12.345678@2`, `+0.047` (the time since the line before, which says no time).
fn stamp(text: &[u8], prefix: &mut Prefix<'_>) -> bool {
    let since = text.first().is_some_and(|byte| b"+<".contains(byte));
    let text = text.strip_prefix(b"+").or(text.strip_prefix(b"<")).unwrap_or(text).trim_ascii();
    let text = text.strip_suffix(b">").unwrap_or(text);
    let Some(point) = text.iter().position(|byte| *byte == b'.') else { return false };
    let (whole, rest) = (&text[..point], &text[point + 1..]);
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (fraction, cpu) = rest.split_at(digits);
    let cpu_known = match cpu {
        [] => true,
        [b'@' | b',', cpu @ ..] => number(cpu.trim_ascii()).is_some(),
        _ => false,
    };
    let Some(seconds) = long(whole).filter(|_| (1..=9).contains(&digits) && cpu_known) else {
        return false;
    };
    if !since {
        let micros = (0..6).fold(0u64, |micros, at| {
            micros * 10 + fraction.get(at).map_or(0, |digit| u64::from(digit - b'0'))
        });
        prefix.time_us = Some(seconds.saturating_mul(1_000_000).saturating_add(micros));
        if let [_, cpu @ ..] = cpu {
            prefix.cpu = number(cpu.trim_ascii()).or(prefix.cpu);
        }
    }
    true
}

/// `T123`, `C2`, `c2`, `5`, `2: comm: 731`, `1234:comm`, `pid:1,cpu2,comm`.
fn caller<'a>(text: &'a [u8], prefix: &mut Prefix<'a>) -> bool {
    if let [letter, rest @ ..] = text {
        let number = number(rest.trim_ascii());
        match letter {
            b'T' if number.is_some() => {
                prefix.pid = number;
                return true;
            }
            b'C' | b'c' if number.is_some() => {
                prefix.cpu = number;
                return true;
            }
            _ => {}
        }
    }
    if let Some(cpu) = number(text).filter(|_| text.len() <= 3) {
        prefix.cpu = Some(cpu);
        return true;
    }
    let Some(first) = text.iter().position(|byte| *byte == b':') else { return false };
    let last = text.iter().rposition(|byte| *byte == b':').unwrap_or(first);
    let (cpu, pid) = (number(text[..first].trim_ascii()), number(text[last + 1..].trim_ascii()));
    match (cpu, pid) {
        (Some(_), Some(_)) if first < last => {
            let comm = text[first + 1..last].trim_ascii();
            *prefix = Prefix { cpu, pid, comm: Some(comm), ..*prefix };
            true
        }
        (Some(pid), None) if first == last => {
            *prefix = Prefix { pid: Some(pid), comm: Some(&text[first + 1..]), ..*prefix };
            true
        }
        _ => text.starts_with(b"pid:") && vendor(&text[4..], prefix),
    }
}

/// `456,cpu2,kworker/2:1`.
fn vendor<'a>(text: &'a [u8], prefix: &mut Prefix<'a>) -> bool {
    let mut fields = text.splitn(3, |byte| *byte == b',');
    let (Some(pid), Some(cpu)) = (fields.next(), fields.next()) else { return false };
    let pid = number(pid);
    let cpu = cpu.strip_prefix(b"cpu").and_then(number);
    let known = pid.is_some() && cpu.is_some();
    if known {
        *prefix = Prefix { pid, cpu, comm: fields.next(), ..*prefix };
    }
    known
}

/// `Sun Aug  1 14:11:30 2021`, or any time of day.
fn wall_clock(text: &[u8]) -> bool {
    let colons = text.iter().filter(|byte| **byte == b':').count();
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b" :.,+-/".contains(byte);
    colons >= 2 && text.len() <= 40 && text.iter().all(allowed) && text.windows(6).any(clock)
}

/// `14:11:`.
fn clock(text: &[u8]) -> bool {
    matches!(text, [a, b, b':', c, d, b':', ..] if [a, b, c, d].iter().all(|d| d.is_ascii_digit()))
}

/// `<6>`, `<14>`.
fn level(rest: &[u8]) -> Option<usize> {
    let end = rest.iter().take(5).position(|byte| *byte == b'>')?;
    (rest[0] == b'<' && number(&rest[1..end]).is_some()).then_some(end + 1)
}

/// `* `, `- `, `• `.
fn bullet(rest: &[u8]) -> Option<usize> {
    let marks: [&[u8]; 3] = [b"* ", b"- ", "• ".as_bytes()];
    marks.iter().find(|mark| rest.starts_with(mark)).map(|mark| mark.len())
}

/// `kernel:`, `kernel[851]:`.
fn kernel(rest: &[u8]) -> Option<usize> {
    let tail = rest.strip_prefix(b"kernel")?;
    let pid = match tail.first()? {
        b'[' => tail.iter().take(12).position(|byte| *byte == b']')? + 1,
        _ => 0,
    };
    (tail.get(pid) == Some(&b':')).then_some(6 + pid + 1)
}

/// `kern  :err   : ` of `dmesg -x`.
fn facility(rest: &[u8]) -> Option<usize> {
    let names: [&[u8]; 4] = [b"kern", b"user", b"daemon", b"syslog"];
    let name = names.iter().find(|name| rest.starts_with(name))?;
    let blanks = |at: usize| rest[at..].iter().take_while(|byte| **byte == b' ').count();
    let mut at = name.len();
    at += blanks(at);
    at += usize::from(rest.get(at) == Some(&b':'));
    at += blanks(at);
    let word = rest[at..].iter().take_while(|byte| byte.is_ascii_lowercase()).count();
    at += word;
    at += blanks(at);
    (word > 0 && rest.get(at) == Some(&b':')).then_some(at + 1)
}

/// The length of the word at `at`, and where the next one begins.
fn word(rest: &[u8], at: usize) -> (&[u8], usize) {
    let tail = rest.get(at..).unwrap_or_default();
    let len = tail.iter().take_while(|byte| !byte.is_ascii_whitespace()).count();
    let blanks = tail[len..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    (&tail[..len], at + len + blanks)
}

/// `Oct 14 20:11:07 host `, `2024-07-10T15:02:41.123+02:00 host `, `2024-07-10 15:02:41 `,
/// `14:11:30.102 `. A host is one where `kernel` follows.
fn date(rest: &[u8]) -> Option<usize> {
    const MONTHS: &[u8] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    let (first, mut at) = word(rest, 0);
    if MONTHS.chunks(3).any(|month| month == first) {
        let (day, next) = word(rest, at);
        number(day)?;
        let (time, next) = word(rest, next);
        time.windows(6).any(clock).then_some(())?;
        at = next;
    } else {
        numeric(first).then_some(())?;
        let (second, next) = word(rest, at);
        if numeric(second) {
            at = next;
        }
    }
    let (_, next) = word(rest, at);
    let host = rest.get(next..).is_some_and(|tail| kernel(tail).is_some());
    Some(if host { next } else { at })
}

/// A date or a time in digits.
fn numeric(word: &[u8]) -> bool {
    let count = |sign: u8| word.iter().filter(|byte| **byte == sign).count();
    word.first().is_some_and(u8::is_ascii_digit)
        && word.iter().all(|byte| byte.is_ascii_digit() || b":.,-+TZ/".contains(byte))
        && (count(b':') >= 2 || count(b'-') >= 2 || logcat_day(word))
}

/// `01-11`.
fn logcat_day(word: &[u8]) -> bool {
    matches!(word, [a, b, b'-', c, d] if [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()))
}

/// `  198   198 E cma     : ` behind a date, or `E/cma ( 198): `.
fn logcat(rest: &[u8]) -> Option<usize> {
    let (pid, next) = word(rest, 0);
    if pid.len() > 2 && pid[1] == b'/' && pid[0].is_ascii_uppercase() {
        let close = rest.iter().take(64).position(|byte| *byte == b')')?;
        return (rest.get(close + 1) == Some(&b':')).then_some(close + 2);
    }
    let (tid, next) = number(pid).map(|_| word(rest, next))?;
    let (priority, next) = number(tid).map(|_| word(rest, next))?;
    matches!(priority, [letter] if letter.is_ascii_uppercase()).then_some(())?;
    // The tag `cma` may be the only `cma:` of the line: it is left to the message.
    let (tag, after) = word(rest, next);
    if tag.strip_suffix(b":").unwrap_or(tag) == b"cma" {
        return Some(next);
    }
    let colon = rest.get(next..)?.iter().take(32).position(|byte| *byte == b':')?;
    Some((next + colon + 1).max(after.min(next)))
}

fn long(digits: &[u8]) -> Option<u64> {
    (!digits.is_empty() && digits.iter().all(u8::is_ascii_digit)).then_some(())?;
    digits.iter().try_fold(0u64, |number, digit| {
        number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
    })
}

fn number(digits: &[u8]) -> Option<u32> {
    long(digits).and_then(|number| u32::try_from(number).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(line: &str) -> &str {
        &line[body(line.as_bytes())..]
    }

    #[test]
    fn the_message_begins_behind_every_prefix() {
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
    fn a_prefix_nobody_knows_is_told_by_its_example() {
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
        assert_eq!(read("[18446744073709551615.1]").time_us, Some(u64::MAX));
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
