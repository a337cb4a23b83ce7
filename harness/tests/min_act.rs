//! What to do first (`do:`), for small inputs: the same words in text, JSON and the page.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

fn run(path: &Path, format: &str) -> String {
    let mut run = Command::new(env!("CARGO_BIN_EXE_cmalab"));
    let output = run.arg("diagnose").arg(path).args(["--format", format]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The step, which is the second line of the text.
fn step(path: &Path) -> String {
    let object: serde_json::Value = serde_json::from_str(&run(path, "json")).unwrap();
    let said = object["do"].as_str().expect("a step").to_string();
    let text = run(path, "text");
    let lines: Vec<_> = text.lines().skip(1).take_while(|line| !line.is_empty()).collect();
    let shown: Vec<_> = lines.iter().flat_map(|line| line.split_whitespace()).collect();
    assert_eq!(shown.join(" "), format!("do: {said}"), "{text}");
    assert!(run(path, "html").contains("<b>Do: </b>"));
    said
}

fn min(name: &str) -> String {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora/logs/min");
    step(&folder.join(name))
}

/// The JSON of a text.
fn found(text: &str) -> serde_json::Value {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("dmesg.txt");
    fs::write(&path, text).unwrap();
    serde_json::from_str(&run(&path, "json")).unwrap()
}

fn written(text: &str) -> String {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("dmesg.txt");
    fs::write(&path, text).unwrap();
    step(&path)
}

#[test]
fn what_is_known_is_done_and_what_is_not_is_looked_up() {
    for (name, begins) in [
        ("k01b-vb2-old-line-after-busy.txt", "ask again a little later"),
        ("k04a-kernel-bare-uname.txt", "free memory before the request"),
        ("k05a-bound-only-area.txt", "make the area 60 MiB (15360 pages): `cma=60M` on the"),
        ("k06-next-loses-free-runs.txt", "run what `cmalab collect` prints as root"),
        ("k10-one-request-nine-lines.txt", "`grep Cma /proc/meminfo` says how large"),
        ("k11a-boot-node-not-placed.txt", "node linux,cma: ask for less: size = <0x3b000000>"),
        ("k12a-oom-free-is-cma.txt", "`grep Cma /proc/meminfo` while CMA's users are at their"),
        ("k13a-area-is-not-the-devices.txt", "node jpegbuffer: look whether `ls /proc/device-"),
        ("k14-busy-lines-alone.txt", "paste the lines that follow too"),
    ] {
        let said = min(name);
        assert!(said.starts_with(begins), "{name}: {said}");
        // Nothing of it needs another kernel.
        assert!(!said.contains("CONFIG_"), "{name}: {said}");
    }
}

#[test]
fn a_driver_that_names_no_area_may_have_asked_one_that_is_missing() {
    let said = written(
        "[    0.000000] Linux version 6.6.10 (a@b) (aarch64-linux-gnu-gcc) #1 SMP\n\
         [    0.000000] Reserved memory: created CMA memory pool at 0x00000000f8000000, size 256 MiB\n\
         [    0.000000] OF: reserved mem: initialized node linux,cma, compatible id shared-dma-pool\n\
         [    0.300000] cma: CMA area linux,cma could not be activated\n\
         [    9.000000] foo-vpu 38300000.vpu: dma alloc of size 67108864 failed\n\
         CmaTotal:              0 kB\n",
    );
    assert!(said.starts_with("node linux,cma: place it below or above 0x100000000"), "{said}");
}

#[test]
fn an_area_is_made_larger_where_its_size_is_set() {
    let list = "[    9.000100] cma: number of available pages: 7@3=> 7 free of 1024 total pages\n";
    let said = |area: &str| {
        let line = "alloc failed, req-size: 500 pages, ret: -12";
        written(&format!("[    9.000000] cma: cma_alloc: {area}: {line}\n{list}"))
    };
    assert!(said("reserved").contains("`cma=8M` on the command line"));
    assert!(said("vpu_pool").contains("`size = <0x00800000>`"));
}

/// Of lists that came together each is of the area that the boot says is as large.
#[test]
fn lists_go_to_the_areas_that_the_boot_says_are_as_large() {
    let made = |mib, node: &str| {
        format!(
            "[ 0.0] Reserved memory: created CMA memory pool at 0x00000000{mib}000000, size {mib} MiB\n\
             [ 0.0] OF: reserved mem: initialized node {node}, compatible id shared-dma-pool\n"
        )
    };
    let failed = |area: &str, count| {
        format!("[ 9.0] cma: __cma_alloc: {area}: alloc failed, req-size: {count} pages, ret: -12\n")
    };
    let list = "[ 9.0] cma: number of available pages: ";
    let text = format!(
        "[ 0.0] Linux version 6.12.9 (a@b) #1 SMP aarch64\n{}{}{}{}{list}1500@48=> 1500 free of \
         4096 total pages\n{list}511@257=> 511 free of 8192 total pages\n",
        made(32, "linux,cma"),
        made(16, "vpu_mem"),
        failed("linux,cma", 1024),
        failed("vpu_mem", 1000),
    );
    let object = found(&text);
    let of = |area: &str| {
        let all = object["failures"].as_array().unwrap();
        let one = all.iter().find(|one| one["area"] == area).unwrap();
        (one["verdict"].clone(), one["list"]["total"].clone())
    };
    assert_eq!(of("linux,cma"), ("exhausted".into(), 8192.into()));
    assert_eq!(of("vpu_mem"), ("migration".into(), 4096.into()));
}
