//! How a line looks where it was captured.

use cma_harness::seed::Draws;

use crate::board::Line;

/// The prefix of a capture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Style {
    Bare,
    /// As `Bare`, and by hand `cma: ` is gone.
    Stripped,
    /// `cma : `, as transcripts have it.
    Spaced,
    Dmesg,
    Level,
    Caller,
    CallerSpaced,
    Cpu,
    Relative,
    Wall,
    Journal,
    JournalStamped,
    JournalPid,
    Vendor,
    Logcat,
}

impl Style {
    pub(crate) const ALL: [Self; 15] = [
        Self::Dmesg,
        Self::Bare,
        Self::Stripped,
        Self::Spaced,
        Self::Level,
        Self::Caller,
        Self::CallerSpaced,
        Self::Cpu,
        Self::Relative,
        Self::Wall,
        Self::Journal,
        Self::JournalStamped,
        Self::JournalPid,
        Self::Vendor,
        Self::Logcat,
    ];

    pub(crate) const ANDROID: [Self; 4] = [Self::Vendor, Self::Logcat, Self::Cpu, Self::Dmesg];

    /// Whether the prefix has the kernel's own stamp.
    pub(crate) fn has_kernel_clock(self) -> bool {
        !matches!(
            self,
            Self::Bare
                | Self::Stripped
                | Self::Spaced
                | Self::Relative
                | Self::Wall
                | Self::Journal
                | Self::Logcat
        )
    }

    /// Whether the prefix has the task, or its CPU.
    pub(crate) fn has_task(self) -> bool {
        matches!(self, Self::Caller | Self::CallerSpaced | Self::Cpu | Self::Vendor)
    }

    /// The lines as text. Empty records stay: a capture shows them.
    pub(crate) fn text(self, lines: &[Line]) -> String {
        let mut text = String::new();
        let mut before = lines.first().map_or(0, |line| line.at_us);
        for line in lines {
            text.push_str(
                self.line(line, line.at_us - before.min(line.at_us)).trim_end_matches('\n'),
            );
            text.push('\n');
            before = line.at_us;
        }
        text
    }

    fn line(self, line: &Line, since_us: u64) -> String {
        let (task, text) = (line.task, &line.text);
        let (seconds, us) = (line.at_us / 1_000_000, line.at_us % 1_000_000);
        let stamp = format!("[{seconds:5}.{us:06}]");
        let clock =
            format!("{:02}:{:02}:{:02}", 9 + seconds / 3600, seconds / 60 % 60, seconds % 60);
        match self {
            Self::Bare => text.clone(),
            Self::Stripped => text.strip_prefix("cma: ").unwrap_or(text).to_string(),
            Self::Spaced => match text.strip_prefix("cma: ") {
                Some(rest) => format!("cma : {rest}"),
                None => text.clone(),
            },
            Self::Dmesg => format!("{stamp} {text}"),
            Self::Level => {
                format!("<{}>{stamp} {text}", if text.contains("failed") { 3 } else { 6 })
            }
            Self::Caller => format!("{stamp}[{:>6}] {text}", format!("T{}", task.pid)),
            Self::CallerSpaced => format!("{stamp} [{:>6}] {text}", format!("T{}", task.pid)),
            Self::Cpu => format!("{stamp}[c{}] {text}", task.cpu),
            // dmesg says the minute where it is another one.
            Self::Relative if since_us >= 60_000_000 => format!("[Mar 5 {}] {text}", &clock[..5]),
            Self::Relative => {
                let since = format!("+{}", since_us / 1_000_000);
                format!("[{since:>4}.{:06}] {text}", since_us % 1_000_000)
            }
            Self::Wall => format!("[Tue Mar  5 {clock} 2024] {text}"),
            Self::Journal => format!("Mar 05 {clock} imx8 kernel: {text}"),
            Self::JournalStamped => format!("Mar  5 {clock} imx8 kernel: {stamp} {text}"),
            Self::JournalPid => format!("Mar 05 {clock} imx8 kernel[233]: {stamp} {text}"),
            Self::Vendor => {
                format!("{stamp}  [{}:{:>15}:{:>5}] {text}", task.cpu, task.comm, task.pid)
            }
            Self::Logcat => {
                let (tag, rest) = match text.split_once(": ") {
                    Some((tag, rest)) if tag.len() <= 24 && !tag.contains('@') => (tag, rest),
                    _ => ("", text.as_str()),
                };
                let (ms, pid) = (us / 1000, task.pid);
                format!("03-05 {clock}.{ms:03} {pid:>5} {pid:>5} E {tag:<8}: {rest}")
            }
        }
    }
}

/// The container of a trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Container {
    Ftrace,
    TraceCmd,
    Perf,
}

impl Container {
    pub(crate) fn any(draws: &mut Draws) -> Self {
        *draws.pick(&[Self::Ftrace, Self::TraceCmd, Self::Perf])
    }

    pub(crate) fn text(self, events: &[Line]) -> String {
        let mut text = match self {
            Self::Ftrace => {
                let n = events.len();
                format!(
                    "# tracer: nop\n#\n# entries-in-buffer/entries-written: {n}/{n}   #P:4\n#\n\
                     #           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION\n\
                     #              | |         |   |||||     |         |\n"
                )
            }
            Self::TraceCmd => "cpus=4\n".to_string(),
            Self::Perf => String::new(),
        };
        for event in events {
            let (task, at) = (event.task, event.at_us + 21_000);
            let at = format!("{}.{:06}", at / 1_000_000, at % 1_000_000);
            let (name, payload) = event.text.split_once(": ").expect("an event");
            let line = match self {
                Self::Ftrace => format!(
                    "{:>16}-{:<7} [{:03}] .....  {at}: {name}: {payload}",
                    task.comm, task.pid, task.cpu
                ),
                Self::TraceCmd => format!(
                    "{:>16}-{:<5} [{:03}]  {at}: {:<22}{payload}",
                    task.comm,
                    task.pid,
                    task.cpu,
                    format!("{name}:")
                ),
                Self::Perf => format!(
                    "{:>16} {:>5} [{:03}] {at}: cma:{name}: {payload}",
                    task.comm, task.pid, task.cpu
                ),
            };
            text.push_str(&line);
            text.push('\n');
        }
        text
    }
}
