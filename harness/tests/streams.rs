//! Streams and recordings as files: what is read, what is refused and where.

use std::io::Write;

use cma_harness::ingest::{Event, Geometry, IngestError, Row, Source, StreamWriter};
use cma_harness::op::{Op, Part, Timed};
use cma_harness::reader::{self, Options};
use cma_harness::seed::Seed;
use cma_policies::{Request, Run};

const STREAM: &str = "at_us,op,id,count,align,client,area\n";
const RECORDING: &str = "# base_pfn=512 pages=64 order_per_bit=0\n\
                         idx,kind,id,count,align,result,retries,free,maxrun,note\n";

fn read(bytes: impl Into<Vec<u8>>) -> Result<Vec<Row>, IngestError> {
    let source = Source::bytes("t", bytes.into());
    reader::open(&source, &Options::default())?.collect()
}

fn error(text: &str) -> String {
    read(text).expect_err(text).to_string()
}

fn ops(text: &str) -> Vec<Op> {
    let rows = read(text).unwrap_or_else(|error| panic!("{error}"));
    let op = |row: &Row| if let Event::Op(op) = row.event { Some(op) } else { None };
    rows.iter().filter_map(op).collect()
}

fn alloc(id: u64, count: u64, align: u32, client: u16, dma: bool) -> Op {
    Op::Alloc { id, request: Request::new(count, align).unwrap().with_client(client), dma }
}

#[test]
fn a_stream_is_read_field_by_field() {
    let text = format!(
        "\u{feff}# pages=1024\r\n{STREAM}0,alloc,1,456,dma,vpu,\n\n# a remark\n\
         5,alloc,2,456,3,\"a, \"\"b\"\"\",x\r\n5,alloc,3,1,0,vpu,main\n9,free,1,,,whoever,\n\
         9,free,2,6,,,\n9,free,2,450,,,\n9,alloc,2,5,dma,,"
    );
    let expected = [
        alloc(1, 456, 8, 0, true),
        alloc(2, 456, 3, 1, false),
        alloc(3, 1, 0, 0, false),
        Op::Free { id: 1, part: None },
        Op::Free { id: 2, part: Some(Part { offset: 0, count: 6 }) },
        Op::Free { id: 2, part: None },
        alloc(2, 5, 3, 2, true),
    ];
    assert_eq!(ops(&text), expected);
    let source = Source::bytes("t", text.into_bytes());
    let mut reader = reader::open(&source, &Options::default()).unwrap();
    assert_eq!(reader.by_ref().count(), 7);
    assert_eq!(reader.clients(), ["vpu", "a, \"b\"", ""]);
    assert_eq!((reader.tally().rows, reader.tally().allocs, reader.tally().dma), (7, 4, 2));
    let warning = "2 areas are named; where there is no area of a name it runs in the default one";
    assert_eq!(reader.warnings(), [warning]);
}

#[test]
fn a_free_without_an_offset_gives_back_the_front_of_what_is_left() {
    let rows = "0,alloc,1,10,0,,\n1,free,1,3,,,\n2,free,1,3,,,\n3,free,1,4,,,\n4,free,1,3,,,\n";
    let part = |offset| Op::Free { id: 1, part: Some(Part { offset, count: 3 }) };
    let whole = Op::Free { id: 1, part: None };
    assert_eq!(ops(&format!("{STREAM}{rows}"))[1..], [part(0), part(3), whole, whole]);
}

#[test]
fn what_is_wrong_with_a_stream_is_said_with_its_place() {
    let table = [
        ("0,alloc,1,4x6,3,,", "line 2, column 11: count \"4x6\" is not a number"),
        ("0,alloc,1,+4,3,,", "line 2, column 11: count \"+4\" is not a number"),
        ("0,alloc,1,,3,,", "line 2, column 11: count is missing"),
        ("0,alloc,1,4,64,,", "line 2, column 13: align \"64\" is neither an order from 0 to 63"),
        ("0,alloc,1,4,,,", "line 2, column 13: align \"\" is neither"),
        ("0,alloc,1,99999999999999999999,3,,", "column 11: count \"99999999999999999999\""),
        ("5,free,1,,,,\n4,free,1,,,,", "line 3, column 1: at_us 4 is before 5"),
        ("0,alloc,1,4,2,,\n0,alloc,1,4,2,,", "line 3, column 9: id 1 is live already"),
        ("0,alloc,1,4,2,,\n0,free,1,5,,,", "line 3, column 10: count 5: buffer 1 has 4 pages"),
        ("0,alloc,1,4,2,,\n0,free,1,0,,,", "line 3, column 10: count 0: buffer 1 has 4 pages"),
        ("0,alloc,1,4,2,a,x\n1,alloc,2,4,2,a,y", "line 3, column 17: area \"y\" of client \"a\""),
        ("0,grab,1,4,2,,", "line 2, column 3: op \"grab\" is not known; alloc and free are"),
        ("0,alloc,1,4,2,", "line 2: 6 fields where 7 columns are named"),
        ("0,alloc,1,4,2,\"a,", "line 2, column 15: the quotes of \"\\\"a,\" are not closed"),
        ("0,alloc,1,4,2,\"a\"b,", "line 2, column 18: \"b,\" follows closing quotes"),
        ("-1,free,1,,,,", "line 2, column 1: at_us \"-1\" is not a number"),
    ];
    for (rows, expected) in table {
        let message = error(&format!("{STREAM}{rows}\n"));
        assert!(message.starts_with("read t line "), "{message}");
        assert!(message.contains(expected), "{rows}: {message}");
    }
}

#[test]
fn a_file_of_no_known_format_says_what_there_is() {
    for (text, expected) in [
        ("", "read t line 1: no row of column names; a recording has idx,kind,"),
        ("# only=this\n", "no row of column names"),
        ("a,b,c\n1,2,3\n", "line 1, column 1: columns \"a,b,c\" are of no known format"),
        ("at_us,op,id\n", "line 1: column \"count\" is missing; needed are at_us, op"),
        ("idx,kind,id,count,align\n", "the recording states no pages"),
        ("at_us,op,op,id,count,align,client,area\n", "column \"op\" is there twice"),
        ("# pages=12x\n", "line 1, column 9: pages is \"12x\"; a whole number from 0"),
        ("# order_per_bit=64\n", "line 1, column 17: order_per_bit is \"64\""),
        ("# x=y\n# pages=0\nat_us,op\n", "line 2: no area has 0 pages at base_pfn 0"),
        ("# pages=1000000000000000000\nat_us,op\n", "at most 67108864 are allowed"),
        ("# pages=3 order_per_bit=2\nat_us,op\n", "less than a bit has, 4 pages"),
        ("# pages=9 base_pfn=18446744073709551615\nat_us,op\n", "past the last page frame"),
    ] {
        let message = error(text);
        assert!(message.contains(expected), "{text:?}: {message}");
    }
}

#[test]
fn what_is_wrong_with_a_recording_is_said_with_its_place() {
    let table = [
        ("0,pin,62,4,,0,,,,", "line 3, column 7: 4 pages from page 62 on are not inside the area"),
        ("0,pin,1,0,,0,,,,", "column 7: 0 pages from page 1 on"),
        ("0,pin,18446744073709551615,2,,,,,,", "are not inside the area, which has 64"),
        ("0,alloc,1,4,64,0,0,,,", "line 3, column 13: align 64 is too large"),
        ("0,alloc,1,4,2,zero,0,,,", "line 3, column 15: result \"zero\" is no offset"),
        ("0,stat,,,,,,,,\n0,stat,,,,,,,,", "line 4, column 1: idx 0 does not ascend"),
        ("0,alloc,1,4,2,0,0,,,\n1,alloc,1,4,2,4,0,,,", "line 4, column 9: id 1 is live already"),
        ("0,alloc,1,4,2,0,many,,,", "column 17: retries \"many\" is not a number"),
    ];
    for (rows, expected) in table {
        let message = error(&format!("{RECORDING}{rows}\n"));
        assert!(message.contains(expected), "{rows}: {message}");
    }
}

#[test]
fn unknown_kinds_and_columns_are_counted_and_skipped() {
    let rows = "0,alloc,1,4,2,0,0,,,,7\n1,move,1,,,,,,,,\n2,move,1,,,,,,,,\n3,stat,,,,,,,,,\n";
    let text = RECORDING.replace("note", "note,colour") + rows;
    let source = Source::bytes("t", text.into_bytes());
    let mut reader = reader::open(&source, &Options::default()).unwrap();
    let rows: Vec<_> = reader.by_ref().map(Result::unwrap).collect();
    assert_eq!((rows.len(), rows[1].event), (2, Event::Look));
    assert_eq!(
        reader.warnings(),
        [
            "unknown columns are ignored: \"colour\"",
            "2 rows of the unknown kind \"move\" are skipped"
        ]
    );
}

#[test]
fn pins_are_counted_from_the_base_and_headers_are_kept() {
    let text = format!("{RECORDING}0,pin,3,2,,0,,,,\n1,unpin,3,2,,-2,,,,\n");
    let run = Run::new(515, 2);
    assert_eq!(ops(&text), [Op::Pin(run), Op::Unpin(run)]);
    let text = format!("# stream=s kernel=6.12.1-x odd=\n# cap=4 kernel=6.1\n{text}");
    let source = Source::bytes("t", text.into_bytes());
    let reader = reader::open(&source, &Options::default()).unwrap();
    let header = reader.header();
    assert_eq!((header.get("kernel"), header.get("odd")), (Some("6.1"), Some("")));
    assert_eq!((header.get("stream"), reader.cap()), (Some("s"), 4));
}

#[test]
fn rows_follow_the_cap_that_they_were_recorded_with() {
    let rows = "0,alloc,1,456,8,0,0,,,\n1,alloc,2,5,3,,0,,,\n2,alloc,3,5,2,,0,,,\n";
    let dma = |header: &str, recorded_cap: Option<u32>| {
        let text = format!("# {header}\n{RECORDING}{rows}");
        let options = Options { recorded_cap, ..Options::default() };
        let source = Source::bytes("t", text.into_bytes());
        let rows = reader::open(&source, &options).unwrap();
        let dma = |row: Row| matches!(row.event, Event::Op(Op::Alloc { dma: true, .. }));
        rows.map(|row| dma(row.unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(dma("", None), [true, true, false]);
    assert_eq!(dma("", Some(2)), [false, false, true]);
    assert_eq!(dma("cap=9", Some(2)), [false, true, false]);
}

#[test]
fn packed_files_are_read_as_they_are() {
    let text = format!("# pages=64\n{STREAM}0,alloc,1,4,2,,\n1,free,1,,,,\n");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    let level = ruzstd::encoding::CompressionLevel::Fastest;
    let (front, back) = text.as_bytes().split_at(30);
    let zstd = [front, back].map(|part| ruzstd::encoding::compress_to_vec(part, level)).concat();
    let plain = read(text).unwrap();
    assert_eq!(plain.len(), 2);
    for packed in [gzip, zstd] {
        assert_eq!(read(packed.clone()).unwrap(), plain);
        let cut = read(&packed[..packed.len() - 6]).expect_err("it ends too early");
        assert!(cut.to_string().starts_with("read t"), "{cut}");
    }
}

#[test]
fn a_line_without_end_is_refused_before_it_fills_the_memory() {
    struct Endless;
    impl std::io::Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            buffer.fill(b'7');
            Ok(buffer.len())
        }
    }
    // Packed it is small.
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::copy(&mut std::io::Read::take(Endless, 1 << 26), &mut gzip).unwrap();
    let message = read(gzip.finish().unwrap()).expect_err("a long line").to_string();
    assert_eq!(message, "read t line 1: the line is longer than the 65536 bytes allowed");
}

#[test]
fn more_clients_than_numbers_are_refused() {
    let row = |n: u64| format!("{n},alloc,{n},1,0,c{n},\n");
    let text: String = std::iter::once(STREAM.to_string()).chain((0..65_535).map(row)).collect();
    assert_eq!(read(text.clone()).unwrap().len(), 65_535);
    let message = error(&(text + &row(65_535)));
    assert_eq!(
        message,
        "read t line 65537, column 23: client \"c65535\" is one more than the 65535 allowed"
    );
}

#[test]
fn what_is_written_is_read_back() {
    let ops = [
        Timed { at_us: 0, op: alloc(1, 456, 8, 0, true) },
        Timed { at_us: 3, op: alloc(2, 9, 1, 1, false) },
        Timed { at_us: 3, op: Op::Free { id: 2, part: Some(Part { offset: 4, count: 2 }) } },
        Timed { at_us: 9, op: Op::Free { id: 1, part: None } },
    ];
    let mut bytes = Vec::new();
    let pairs = [("pages", "64".to_string())];
    let mut writer = StreamWriter::new(&mut bytes, &pairs, &["vpu", "a, \"b\""], true).unwrap();
    for op in ops {
        writer.write(op).unwrap();
    }
    let pin = Timed { at_us: 9, op: Op::Pin(Run::new(0, 1)) };
    assert!(writer.write(pin).is_err());
    writer.finish().unwrap();
    let expected = "# pages=64\nat_us,op,id,count,align,client,area,offset\n\
                    0,alloc,1,456,dma,vpu,,\n3,alloc,2,9,1,\"a, \"\"b\"\"\",,\n\
                    3,free,2,2,,,,4\n9,free,1,,,,,\n";
    assert_eq!(String::from_utf8(bytes.clone()).unwrap(), expected);
    let back: Vec<_> = read(bytes).unwrap();
    let back: Vec<_> = back
        .iter()
        .map(|row| match row.event {
            Event::Op(op) => Timed { at_us: row.at_us, op },
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(back, ops);
}

#[test]
fn a_file_without_pages_runs_where_the_caller_gives_them() {
    let source = Source::bytes("t", STREAM.as_bytes());
    let pages = |pages| {
        let geometry = Geometry { pages, base_pfn: Some(7), order_per_bit: None, ranges: None };
        let options = Options { geometry, ..Options::default() };
        let reader = reader::open(&source, &options).unwrap();
        reader.area().map(|area| (area.ranges()[0], area.order_per_bit()))
    };
    assert_eq!(pages(None), None);
    assert_eq!(pages(Some(64)), Some((Run::new(7, 64), 0)));
}

#[test]
fn no_damage_makes_it_panic() {
    let good = [
        format!(
            "# pages=64\n{STREAM}0,alloc,1,4,2,vpu,x\n1,alloc,2,9,dma,\"a,b\",\n2,free,1,2,,,\n"
        ),
        format!("{RECORDING}0,pin,3,2,,0,,,,\n1,alloc,1,9,3,8,1,55,47,\n2,free,1,4,,8,,,,\n"),
    ];
    let alphabet = b"0123456789,\n\r\"-+#= adfkopx\xc3\xff\x00";
    let mut draws = Seed::new(7).child("damage", 0).rng();
    let mut refused = 0;
    for round in 0..20_000 {
        let mut bytes = good[round % good.len()].clone().into_bytes();
        for _ in 0..=draws.below(4) {
            let at = draws.below(bytes.len() as u64) as usize;
            match draws.below(3) {
                0 => bytes[at] = *draws.pick(alphabet),
                1 => bytes.insert(at, *draws.pick(alphabet)),
                _ => bytes.truncate(at.max(1)),
            }
        }
        refused += u64::from(read(bytes).is_err());
    }
    assert!(refused > 5_000, "{refused}");
}
