//! Lines of a boot about areas: each reader takes what is before its phrase and what follows it.

use std::sync::Arc;

use super::super::cursor::Cursor;
use super::super::release;
use super::{size, text_of};
use crate::ingest::log::boot::{Boot, PageFrom};
use crate::ingest::log::{Record, bytes};
use crate::kernel::Arch;

/// The longest name of a node.
const LONGEST_NAME: usize = 64;

type Said = Option<Record>;

fn said(boot: Boot) -> Said {
    Some(Record::Boot(boot))
}

fn name(text: &[u8]) -> Option<Arc<str>> {
    (!text.is_empty() && text.len() <= LONGEST_NAME).then(|| text_of(text))
}

/// The name in quotes that `text` begins with, and what follows it.
fn quoted(text: &[u8]) -> Option<(Arc<str>, &[u8])> {
    let text = text.strip_prefix(b"'")?;
    let end = memchr::memchr(b'\'', &text[..text.len().min(LONGEST_NAME + 1)])?;
    Some((name(&text[..end])?, &text[end + 1..]))
}

fn last_word(text: &[u8]) -> Option<Arc<str>> {
    name(bytes::last_word(text.trim_ascii_end()).1)
}

fn first_word(text: &[u8]) -> Option<Arc<str>> {
    name(text.split(|byte| b" ,\t".contains(byte)).next()?)
}

fn numbers<const N: usize>(text: &[u8], shape: &[u8]) -> Option<[u64; N]> {
    Cursor::new(text, 0, true).numbers(shape).ok()
}

/// `'linux,cma': size 960 MiB`; without the size up to 5.x.
pub(crate) fn not_placed(_: &[u8], after: &[u8]) -> Said {
    let (node, rest) = quoted(after)?;
    let mut c = Cursor::new(rest, 0, true);
    let bytes = c.literal(b":size").ok().and_then(|()| size(&mut c).ok());
    said(Boot::NotPlaced { node, bytes })
}

/// `'vpu@90000000': base 0x90000000, size 16 MiB`
pub(crate) fn taken(_: &[u8], after: &[u8]) -> Said {
    said(Boot::Taken { node: quoted(after)?.0 })
}

pub(crate) fn misaligned(_: &[u8], _: &[u8]) -> Said {
    said(Boot::Misaligned)
}

pub(crate) fn not_set_up(_: &[u8], _: &[u8]) -> Said {
    said(Boot::NotSetUp)
}

/// `node linux,cma`
pub(crate) fn no_match(before: &[u8], _: &[u8]) -> Said {
    said(Boot::NoMatch { node: last_word(before)? })
}

/// `bypass linux,cma`
pub(crate) fn bypassed(before: &[u8], _: &[u8]) -> Said {
    said(Boot::Bypassed { node: Some(last_word(before)?) })
}

pub(crate) fn skipped(_: &[u8], _: &[u8]) -> Said {
    said(Boot::Bypassed { node: None })
}

/// ` at 0x0000000090000000, size 640 MiB`
pub(crate) fn pool(_: &[u8], after: &[u8]) -> Said {
    let (base, bytes) = place(after)?;
    Some(Record::Reserved { area: None, base, bytes })
}

/// ` at 0x000000007e000000, size 32 MiB`, in 7.x `size 32768 KiB`.
pub(crate) fn dma_pool(_: &[u8], after: &[u8]) -> Said {
    let (base, bytes) = place(after)?;
    said(Boot::DmaPool { base, bytes })
}

fn place(after: &[u8]) -> Option<(u64, u64)> {
    let mut c = Cursor::new(after, 0, true);
    let [base] = c.numbers(b"at#,size").ok()?;
    Some((base, size(&mut c).ok()?))
}

pub(crate) fn needs_no_map(_: &[u8], _: &[u8]) -> Said {
    said(Boot::NeedsNoMap)
}

/// `vpu_pool, compatible id shared-dma-pool`
pub(crate) fn initialized(_: &[u8], after: &[u8]) -> Said {
    memchr::memmem::find(after, b"shared-dma-pool")?;
    let node = after.split(|byte| b" \t".contains(byte)).next()?;
    said(Boot::Initialized { node: name(node.strip_suffix(b",")?)? })
}

/// `invalid size`, and `linux,cma' node.`
pub(crate) fn invalid(before: &[u8], after: &[u8]) -> Said {
    memchr::memmem::find(before, b"invalid ")?;
    let property = last_word(before)?;
    let end = memchr::memchr(b'\'', after)?;
    said(Boot::Invalid { node: name(&after[..end])?, property })
}

/// `'vpu' has 2 <base size> entries, only the first is used`, after `node `: from 7.x on.
pub(crate) fn first_entry(before: &[u8], _: &[u8]) -> Said {
    let quote = memchr::memchr(b'\'', before)?;
    said(Boot::FirstEntry { node: quoted(&before[quote..])?.0 })
}

/// `…ignores 1`, and `vpu'`: up to 6.x.
pub(crate) fn ignored_entries(_: &[u8], after: &[u8]) -> Said {
    let end = memchr::memchr(b'\'', after)?;
    said(Boot::FirstEntry { node: name(&after[..end])? })
}

/// `linux,cma (0x7e000000--0x80000000)`, and `vpu_pool (0x…--0x…)`.
pub(crate) fn overlap(before: &[u8], after: &[u8]) -> Said {
    let open = memchr::memrchr(b'(', before)?;
    said(Boot::Overlap { node: last_word(&before[..open])?, with: first_word(after)? })
}

/// `2048 MiB`, and ` on node -1` from 6.6 to 6.14.
pub(crate) fn failed(before: &[u8], after: &[u8]) -> Said {
    memchr::memmem::find(before, b"cma: ")?;
    said(Boot::Failed { bytes: size(&mut Cursor::new(after, 0, true)).ok()? })
}

/// `0x60100000 must be aligned to 0x200000 bytes`
pub(crate) fn region(_: &[u8], after: &[u8]) -> Said {
    if let Some([base, step]) = numbers(after, b"#mustbealignedto#bytes") {
        return said(Boot::Unaligned { base, step });
    }
    let [base, boundary] = numbers(after, b"#definedonlow/highmemoryboundary(#)")?;
    said(Boot::Crosses { base, boundary })
}

/// `0x4000000) of region at 0x50000000 exceeds limit (0x52000000)`
pub(crate) fn over_limit(_: &[u8], after: &[u8]) -> Said {
    let [bytes, _, limit] = numbers(after, b"#)ofregionat#exceedslimit(#)")?;
    said(Boot::OverLimit { bytes, limit })
}

pub(crate) fn no_slots(_: &[u8], _: &[u8]) -> Said {
    said(Boot::NoSlots)
}

/// `cma: CMA area hugetlb1`
pub(crate) fn dead(before: &[u8], _: &[u8]) -> Said {
    let front = memchr::memmem::find(before, b"CMA area ")?;
    said(Boot::Dead { area: name(before[front + 9..].trim_ascii())? })
}

/// `cma area should be at least 1024 MiB`, `cma area of node 1 should be …`, `cma area must be a
/// multiple of 1024 MiB`, `invalid node 3 specified`, `reserve 8192 MiB, up to 4096 MiB per node`,
/// `reserved 4096 MiB on node 0`, `reservation failed: err -12, node 0`, `reserved area spans zones:
/// err 0, node 0`; from 7.x on with shares of memory.
pub(crate) fn hugetlb(_: &[u8], after: &[u8]) -> Said {
    let after = &after[..after.len().min(super::LONGEST)];
    let past = |word: &[u8]| Some(&after[memchr::memmem::find(after, word)? + word.len()..]);
    let of = |word: &[u8]| size(&mut Cursor::new(past(word)?, 0, true)).ok();
    let node = |word: &[u8]| {
        let number = past(word)?;
        let end = bytes::span(number, u8::is_ascii_digit);
        bytes::number::<u32>(&number[..end])
    };
    let begins = |word: &[u8]| after.starts_with(word);
    if let Some(bytes) = of(b"at least ").or_else(|| of(b"multiple of ")) {
        return said(Boot::HugetlbOff(bytes));
    }
    let zones = begins(b"reserved area spans zones");
    said(match () {
        () if begins(b"the option isn't supported") => Boot::HugetlbUnknown,
        () if begins(b"invalid percentage") || begins(b"reservation size rounded down to 0") => {
            Boot::HugetlbShare
        }
        () if begins(b"invalid node ") => Boot::HugetlbNode(node(b"invalid node ")?),
        () if zones || begins(b"reservation failed") => {
            Boot::HugetlbFailed { node: node(b", node ")?, zones }
        }
        () if begins(b"reserved ") => {
            Boot::HugetlbPlaced { bytes: of(b"reserved ")?, node: node(b" on node ")? }
        }
        () if begins(b"reserve ") => Boot::Hugetlb(of(b"reserve ")?),
        () => return None,
    })
}

/// `ed: 256 MB in 1 ranges`, `ation failed: 64 MB requested, 0 MB reserved in 0 ranges`, `ation not
/// supported`.
pub(crate) fn crash(_: &[u8], after: &[u8]) -> Said {
    if after.starts_with(b"ation not supported") {
        return said(Boot::CrashUnknown);
    }
    let mib = |number: u64| number.checked_mul(1 << 20);
    if let Some([asked, bytes, ranges]) = numbers(after, b"ationfailed:#MBrequested,#MBreservedin#")
    {
        return said(Boot::Crash { asked: Some(mib(asked)?), bytes: mib(bytes)?, ranges });
    }
    let [bytes, ranges] = numbers(after, b"ed:#MBin#")?;
    said(Boot::Crash { asked: None, bytes: mib(bytes)?, ranges })
}

/// `  node   0`, and `50000000-0x000000005fffffff]`.
pub(crate) fn memory(before: &[u8], after: &[u8]) -> Said {
    let (front, number) = bytes::last_word(before);
    bytes::number::<u32>(number).filter(|_| front.ends_with(b"node"))?;
    let (start, end) = range(after)?;
    said(Boot::Memory { start, end })
}

/// `0000000040000000-0x00000000ffffffff]` of a zone that is not empty.
pub(crate) fn zone(_: &[u8], after: &[u8]) -> Said {
    let (start, end) = range(after)?;
    said(Boot::Zone { start, end })
}

/// First byte and end of `0000000040000000-0x00000000ffffffff]`.
fn range(text: &[u8]) -> Option<(u64, u64)> {
    let dash = memchr::memchr(b'-', text)?;
    let start = u64::from_str_radix(str::from_utf8(&text[..dash]).ok()?, 16).ok()?;
    let [last] = numbers(&text[dash + 1..], b"#]")?;
    (start < last).then_some((start, last.checked_add(1)?))
}

/// `320 MiB at 3c000000` of an area of a parameter or of the configuration, up to 3.16
/// (`drivers/base/dma-contiguous.c`).
pub(crate) fn reserved(_: &[u8], after: &[u8]) -> Said {
    let mut c = Cursor::new(after, 0, true);
    let bytes = size(&mut c).ok()?;
    c.literal(b"at").ok()?;
    let base = c.hex().ok()?;
    Some(Record::Reserved { area: None, base, bytes })
}

/// `Memory: 929696K/1048576`
pub(crate) fn all_memory(before: &[u8], _: &[u8]) -> Said {
    let slash = memchr::memrchr(b'/', before)?;
    let kib: u64 = bytes::number(&before[slash + 1..])?;
    said(Boot::AllMemory(kib.checked_mul(1024)?))
}

/// `u-dma-buf udmabuf@0: `, and ` failed. return=-22`.
pub(crate) fn device_refused(before: &[u8], after: &[u8]) -> Said {
    memchr::memmem::find(after, b"fail")?;
    said(Boot::DeviceRefused { device: device(before)? })
}

/// `foo-video 1e700000.video: `, and `jpegbuffer`.
pub(crate) fn assigned(before: &[u8], after: &[u8]) -> Said {
    said(Boot::Assigned { device: device(before)?, node: first_word(after)? })
}

/// What a line begins with, without stamps: the last two words, as `dev_printk()` puts driver and
/// device.
fn device(before: &[u8]) -> Option<Arc<str>> {
    let before = before.trim_ascii_end();
    let before = before.strip_suffix(b":").unwrap_or(before);
    let (front, last) = bytes::last_word(before);
    let driver = bytes::last_word(front).1;
    let stamp = driver.ends_with(b"]") || driver.ends_with(b":") || driver.is_empty();
    let text = if stamp { last } else { &before[before.len() - last.len() - 1 - driver.len()..] };
    name(text)
}

/// `Raspberry Pi 3 Model B Plus Rev 1.3`
pub(crate) fn model(_: &[u8], after: &[u8]) -> Said {
    said(Boot::Model(name(&after.trim_ascii()[..after.trim_ascii().len().min(LONGEST_NAME)])?))
}

/// `32768 kB` of `Hugepagesize:`. On all three architectures a huge page is what a table of one
/// page holds: pages of 4 KiB have 2 MiB, of 16 KiB 32 MiB, of 64 KiB 512 MiB. With
/// `default_hugepagesz=` it is another.
pub(crate) fn huge_page(_: &[u8], after: &[u8]) -> Said {
    let mut c = Cursor::new(after, 0, true);
    let bytes = match size(&mut c).ok()? >> 20 {
        2 => 4096,
        32 => 16384,
        512 => 65536,
        _ => return None,
    };
    said(Boot::PageBytes(bytes, PageFrom::HugePage))
}

/// `16384` of `getconf -a`, which has it as the first word of its line.
pub(crate) fn page_size(before: &[u8], after: &[u8]) -> Said {
    let bytes = bytes::number(after.trim_ascii()).filter(|_| before.trim_ascii().is_empty())?;
    [4096, 16384, 65536].contains(&bytes).then_some(())?;
    said(Boot::PageBytes(bytes, PageFrom::Getconf))
}

/// ` 9` of `/proc/pagetypeinfo`.
pub(crate) fn block_order(_: &[u8], after: &[u8]) -> Said {
    let order: u32 = bytes::number(after.trim_ascii())?;
    (order < 20).then_some(())?;
    said(Boot::BlockOrder(order))
}

/// The banner of a kernel, after `Linux version `; cut, it has the release and whoever built it, or
/// the architecture alone.
pub(crate) fn compiler(_: &[u8], after: &[u8]) -> Said {
    let after = &after[..after.len().min(super::LONGEST)];
    let by_compiler = arch(after);
    let built = memchr::memmem::rfind(after, b" #");
    let Some(built) = built.filter(|at| after.get(at + 2).is_some_and(u8::is_ascii_digit)) else {
        return cut_banner(after, by_compiler);
    };
    let arch = of_record(by_compiler.as_ref());
    let release = after.split(u8::is_ascii_whitespace).next()?;
    // What a container adds to a line is none of it.
    let end = bytes::span(&after[built..], |byte| !b"\"\\<>`'|".contains(byte));
    let text = [release, after[built..built + end].trim_ascii_end()].concat();
    said(Boot::Began { banner: text_of(&text), arch })
}

/// `6.1.20 (me@here) (gcc` without the number of the build: a word ends with the release.
fn cut_banner(after: &[u8], by_compiler: Said) -> Said {
    let mut words = after.split(u8::is_ascii_whitespace);
    let (release, builder) = (words.next()?, words.next().unwrap_or_default());
    if !builder.starts_with(b"(") || !builder.contains(&b'@') {
        return by_compiler;
    }
    said(Boot::Began {
        banner: text_of(&[release, b" "].concat()),
        arch: of_record(by_compiler.as_ref()),
    })
}

fn of_record(said: Option<&Record>) -> Option<Arch> {
    match said {
        Some(Record::Boot(Boot::Arch(arch))) => Some(*arch),
        _ => None,
    }
}

/// `-- Boot 1234567890abcdef --` and `-- Reboot --` of `journalctl`.
pub(crate) fn another_boot(before: &[u8], after: &[u8]) -> Said {
    let alone = before.trim_ascii().is_empty() && after.trim_ascii_end().ends_with(b"--");
    alone.then_some(Record::Boot(Boot::Ends))
}

/// `reboot: Restarting system`
pub(crate) fn restarts(_: &[u8], _: &[u8]) -> Said {
    said(Boot::Ends)
}

/// ` 0x0000000000 [0x410fd034]` after `Linux on physical CPU`: 64-bit Arm prints what the CPU is.
pub(crate) fn physical_cpu(_: &[u8], after: &[u8]) -> Said {
    let (_, cpu) = after.split_at_checked(memchr::memmem::find(after, b" [0x")?)?;
    (cpu.trim_ascii_end().len() == " [0x410fd034]".len()).then_some(())?;
    said(Boot::Arch(Arch::Arm64))
}

/// `7), cr=10c5387d` after `CPU: ARMv7 Processor [412fc09a] revision 10 (ARMv`: 32-bit Arm alone has
/// `cr` there (`setup_processor()`, `arch/arm/kernel/setup.c`).
pub(crate) fn arm_cpu(_: &[u8], after: &[u8]) -> Said {
    memchr::memmem::find(&after[..after.len().min(16)], b"), cr=")?;
    said(Boot::Arch(Arch::Arm))
}

/// `board 5.10.72 #1 SMP … aarch64 GNU/Linux`
pub(crate) fn machine(_: &[u8], after: &[u8]) -> Said {
    release::linux(after)?;
    arch(after)
}

/// `arm64 6.17.3 Kernel Configuration` after `Linux/`.
pub(crate) fn configured(_: &[u8], after: &[u8]) -> Said {
    release::configured(after)?;
    let arch = match after.split(u8::is_ascii_whitespace).next()? {
        b"arm64" => Arch::Arm64,
        b"arm" => Arch::Arm,
        b"x86" | b"x86_64" => Arch::X86_64,
        b"powerpc" | b"s390" | b"mips" | b"loongarch" | b"i386" => Arch::Other,
        _ => return None,
    };
    said(Boot::Arch(arch))
}

/// ` "quiet cma=256M", will be passed to user space.`
pub(crate) fn unknown(_: &[u8], after: &[u8]) -> Said {
    let words = after.split(|byte| b" \",".contains(byte));
    words.into_iter().any(|word| word.starts_with(b"cma=")).then_some(())?;
    said(Boot::CmaUnknown)
}

/// The architecture, by the compiler of a banner (`aarch64-linux-gnu-gcc`,
/// `arm-poky-linux-gnueabi-gcc`) or by what `uname -a` prints.
pub(crate) fn arch(text: &[u8]) -> Said {
    const NAMES: [(&[u8], Arch); 6] = [
        (b"aarch64", Arch::Arm64),
        (b"arm64", Arch::Arm64),
        (b"armv7", Arch::Arm),
        (b"armv6", Arch::Arm),
        (b"x86_64", Arch::X86_64),
        (b"amd64", Arch::X86_64),
    ];
    let text = &text[..text.len().min(super::LONGEST)];
    let has = |text: &[u8], name: &[u8]| memchr::memmem::find(text, name).is_some();
    let arm = |word: &[u8]| word.starts_with(b"arm") && has(word, b"linux") && has(word, b"eabi");
    let found = NAMES.iter().find(|(name, _)| has(text, name)).map(|(_, arch)| *arch);
    let mut words = text.split(|byte| b" (/\n".contains(byte));
    let found = found.or_else(|| words.clone().any(arm).then_some(Arch::Arm));
    said(Boot::Arch(found.or_else(|| words.find_map(other))?))
}

/// The architecture of `riscv64-unknown-linux-gnu-gcc`, `powerpc64le-linux-gnu-gcc-12`, `mips`.
fn other(word: &[u8]) -> Option<Arch> {
    const NAMES: [&[u8]; 14] = [
        b"riscv32",
        b"powerpc",
        b"powerpc64",
        b"powerpc64le",
        b"ppc",
        b"ppc64",
        b"ppc64le",
        b"s390x",
        b"mips",
        b"mipsel",
        b"mips64",
        b"mips64el",
        b"loongarch64",
        b"i686",
    ];
    // `user@host` is none.
    let name = word.split(|byte| *byte == b'-').next().filter(|_| !word.contains(&b'@'))?;
    match name {
        b"riscv64" => Some(Arch::Riscv64),
        _ => NAMES.contains(&name.trim_ascii_end()).then_some(Arch::Other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_architecture_is_found_where_a_boot_states_it() {
        let is = |arch| said(Boot::Arch(arch));
        for name in ["poky-linux-gnueabi", "buildroot-linux-uclibcgnueabihf", "linux-gnueabihf"] {
            let text = format!("5.15.71 (oe-user@oe-host) (arm-{name}-gcc (GCC) 11.3.0) #1 SMP");
            assert_eq!(arch(text.as_bytes()), is(Arch::Arm), "{text}");
        }
        for (gcc, of) in [
            ("riscv64-unknown-linux-gnu-gcc", Arch::Riscv64),
            ("powerpc64le-linux-gnu-gcc-12", Arch::Other),
            ("mipsel-openwrt-linux-musl-gcc", Arch::Other),
            ("arm-linux-gnueabihf-gcc", Arch::Arm),
        ] {
            let text = format!("6.6.20 (mips@riscv64) ({gcc} (GCC) 13.2) #1 SMP");
            assert_eq!(arch(text.as_bytes()), is(of), "{text}");
        }
        assert_eq!(arch(b"6.6.20 (mips@riscv64) (gcc (GCC) 13.2) #1 SMP"), None);
        assert_eq!(machine(b"", b"h 6.6.20 #1 SMP x riscv64 GNU/Linux"), is(Arch::Riscv64));
        assert_eq!(arch(b"6.6.20 (charm@linux-eabi) (gcc) #1"), None);
        assert_eq!(physical_cpu(b"", b" 0x0000000000 [0x410fd034]"), is(Arch::Arm64));
        assert_eq!(physical_cpu(b"", b" 0x0"), None);
        assert_eq!(arm_cpu(b"", b"7), cr=10c5387d"), is(Arch::Arm));
        assert_eq!(arm_cpu(b"", b"7)"), None);
        let uname = b"board 5.10.72 #1 SMP PREEMPT Mon aarch64 GNU/Linux";
        assert_eq!(machine(b"", uname), is(Arch::Arm64));
        assert_eq!(machine(b"", b"on aarch64"), None);
        let head = b"arm 6.17.3 Kernel Configuration";
        assert_eq!(configured(b"# ", head), is(Arch::Arm));
    }
}
