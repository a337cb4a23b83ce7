//! What `fit --predict` says, and of which areas and runs.

use super::texts::{Bench, DMESG, TRACE};

#[test]
fn an_area_is_predicted_as_a_kernel_makes_it() {
    let bench = Bench::new();
    let args = ["fit", TRACE, DMESG, "--predict", "40,64,96"];
    let (code, out, err) = bench.run(&args);
    assert_eq!(code, Some(0), "{err}");
    // Pageblocks of 16 KiB pages have 32 MiB.
    let said = "no kernel makes an area of 40 MiB, whose size is a multiple of 32 MiB: 64 MiB is \
                predicted, as cma=40M makes it; a node of the device tree is refused";
    assert!(err.contains(said), "{err}");
    let sizes: Vec<_> = out.lines().filter(|line| line.contains(" MiB    8  ")).collect();
    assert_eq!(sizes.len(), 2, "{out}");
    assert!(sizes[0].starts_with("64 MiB") && sizes[1].starts_with("96 MiB"), "{out}");
}

#[test]
fn predictions_are_rows_of_csv_and_of_a_run_as_long_as_is_asked_for() {
    let bench = Bench::new();
    let row = |more: &[&str]| {
        let args = ["fit", TRACE, DMESG, "--predict", "96", "--format", "csv"];
        let out = bench.good(&[&args, more].concat());
        let mut lines = out.lines();
        let head = "area_pages,cap,requests,refused_share,refused_share_low,refused_share_high,\
                    is_wide,reproduces,page_kib";
        assert_eq!(lines.next(), Some(head));
        let fields = |line: &str| line.split(',').map(String::from).collect::<Vec<_>>();
        let rows: Vec<_> = lines.map(fields).collect();
        let [row] = rows.as_slice() else { panic!("{rows:?}") };
        row.clone()
    };
    let file = row(&[]);
    assert_eq!(
        [&file[0], &file[1], &file[2], &file[7], &file[8]],
        ["6144", "8", "1525", "true", "16"]
    );
    let share = |row: &[String], column: usize| row[column].parse::<f64>().unwrap();
    assert!(share(&file, 4) <= share(&file, 3) && share(&file, 3) <= share(&file, 5), "{file:?}");
    let text = bench.good(&["fit", TRACE, DMESG, "--predict", "96", "--predict-requests", "4000"]);
    assert!(text.contains("predicted for one run of 4000 requests (95 %):"), "{text}");
    let long = row(&["--predict-requests", "4000"]);
    assert_eq!(long[2], "4000");
    assert_ne!(long[3], file[3], "a longer run is another one");
}
