//! fragmentation: 257 pages were asked for; 510 of 1024 are free (49.8 %), but no hole is longer
//! than 255.
//! Written by `cmalab shrink`.

use cma_harness::cause::Cause;
use cma_harness::environment::Spec;
use cma_harness::ingest::Source;
use cma_harness::kernel::Kernel;
use cma_harness::reader::Options;
use cma_harness::replay::Under;
use cma_harness::seed::Seed;
use cma_harness::shrink::Subject;
use cma_policies::builtin;

const POLICY: &str = "kernel";
const ENVIRONMENT: &str = "pinned";
const STREAM: &str = "\
# fragmentation: 257 pages were asked for; 510 of 1024 are free (49.8 %), but no hole is longer than
# 255
# kernel=6.12
# policy=kernel
# area=cma
# cap=8
# base_pfn=0
# pages=1024
# order_per_bit=0
at_us,op,id,count,align,client,area
0,alloc,0,257,dma,,
1,alloc,1,257,dma,,
2,alloc,2,257,dma,,
";

#[test]
fn kernel_refuses_257_pages_with_510_of_1024_free() {
    let policy = &builtin::catalog().parse(POLICY).unwrap();
    let environment = &Spec::parse(ENVIRONMENT).unwrap();
    let (seed, kernel, cap) = (&Seed::new(0), Kernel::find("6.12").unwrap(), 8);
    let under = Under { policy, environment, seed, kernel, cap };
    let source = Source::bytes("shrunk", STREAM.as_bytes());
    let subject = Subject::read(&source, &Options::default(), cap, false, true).unwrap();
    let refusal = subject.last_refusal(&under);
    let refusal = refusal.unwrap().expect("the last request is refused");
    assert_eq!(refusal.cause, Cause::Fragmentation);
    assert_eq!((refusal.request.count(), refusal.request.align()), (257, 8));
    assert_eq!((refusal.free_pages, refusal.area_pages), (510, 1024));
}
