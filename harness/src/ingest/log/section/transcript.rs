//! What was typed at a shell's prompt: which file the next lines are.

use super::super::bytes::number;

/// The most bytes of a prompt.
const LONGEST_PROMPT: usize = 96;

/// The most bytes of a command, and of a directory, that are looked at.
const LONGEST: usize = 1024;

/// The most words of a command.
const MOST_WORDS: usize = 64;

/// What a command does, as far as it matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step<'a> {
    /// Goes to a directory.
    Cd(&'a [u8]),
    /// Prints a file.
    Show(&'a [u8]),
    /// `echo N > alloc`, in the directory of an area.
    Alloc(u64),
}

/// The prompt and the command of a line: `# cat …`, `root@board:~# cat …`, `/ # cat …`,
/// `$ cat …`, or `cat /…` without a prompt.
pub(super) fn command(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.get(..LONGEST).unwrap_or(text);
    if text.starts_with(b"cat /") {
        return Some((&[], text));
    }
    let front = text.get(..LONGEST_PROMPT).unwrap_or(text);
    for at in memchr::memchr2_iter(b'#', b'$', front) {
        let (prompt, rest) = (&text[..at], &text[at + 1..]);
        // Without a blank after it, only at the start of a line.
        let parted = rest.first() == Some(&b' ') || at == 0;
        let rest = rest.trim_ascii_start();
        if parted && is_command(rest) {
            return Some((prompt, rest));
        }
    }
    None
}

/// Commands that print files.
const SHOW: [&[u8]; 6] = [b"cat", b"zcat", b"head", b"tail", b"more", b"less"];

fn is_command(text: &[u8]) -> bool {
    const OTHERS: [&[u8]; 9] =
        [b"cd", b"uname", b"getconf", b"echo", b"sudo", b"adb", b"ssh", b"dmesg", b"ls"];
    let word = text.split(|byte| *byte == b' ').next().unwrap_or_default();
    SHOW.contains(&word) || OTHERS.contains(&word)
}

/// What a command line does, word by word.
pub(super) fn steps(command: &[u8]) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    let mut verb: &[u8] = b"";
    let mut written = None;
    let words = command.split(|byte| matches!(byte, b' ' | b'\t' | b'\'' | b'"'));
    for word in words.filter(|word| !word.is_empty()).take(MOST_WORDS) {
        let ends = word.ends_with(b";");
        let word = word.strip_suffix(b";").unwrap_or(word);
        match word {
            b"|" | b"&&" | b"||" | b"" => verb = b"",
            b"cd" | b"echo" => verb = word,
            _ if SHOW.contains(&word) => verb = word,
            b"uname" => steps.push(Step::Show(b"uname")),
            b"PAGESIZE" | b"PAGE_SIZE" => steps.push(Step::Show(b"getconf PAGESIZE")),
            _ => match verb {
                b"cd" => {
                    steps.push(Step::Cd(word));
                    verb = b"";
                }
                b"echo" if written.is_none() => written = number(word),
                b"echo" if word == b">alloc" || word == b"alloc" => {
                    steps.extend(written.map(Step::Alloc));
                }
                _ if !SHOW.contains(&verb) => {}
                _ if matches!(word[0], b'-' | b'+' | b'0'..=b'9' | b'<' | b'>') => {}
                _ => steps.push(Step::Show(word)),
            },
        }
        if ends {
            verb = b"";
        }
    }
    steps
}

/// The directory that a prompt shows (`root@board:/sys/kernel/debug/cma/vpu`, `/sys/kernel `), if
/// it shows one.
pub(super) fn prompt_directory(prompt: &[u8], cwd: &mut Vec<u8>) {
    let shown = prompt.rsplit(|byte| *byte == b':').next().unwrap_or(prompt).trim_ascii();
    if shown.starts_with(b"/") && !shown.contains(&b' ') {
        cwd.clear();
        cwd.extend_from_slice(shown);
    }
}

/// `cd to` from `cwd`.
pub(super) fn change(cwd: &mut Vec<u8>, to: &[u8]) {
    let next = absolute(cwd, to);
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in next.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    *cwd = parts.iter().flat_map(|part| [b"/", *part].concat()).take(LONGEST).collect();
}

/// A path as seen from `cwd`.
pub(super) fn absolute(cwd: &[u8], path: &[u8]) -> Vec<u8> {
    if path.starts_with(b"/") || cwd.is_empty() {
        return path.to_vec();
    }
    [cwd, b"/", path].concat()
}

/// `a/{b,c}` as the shell expands it; with more than one such list, and without, it is as it is.
pub(super) fn expand(path: &[u8], mut each: impl FnMut(&[u8])) {
    let braces = path.iter().position(|byte| *byte == b'{');
    let list = braces.and_then(|from| {
        let to = path[from..].iter().position(|byte| *byte == b'}')?;
        Some((&path[..from], &path[from + 1..from + to], &path[from + to + 1..]))
    });
    match list {
        Some((front, names, back)) => {
            for name in names.split(|byte| *byte == b',') {
                each(&[front, name, back].concat());
            }
        }
        None => each(path),
    }
}
