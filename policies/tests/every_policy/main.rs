//! Every built-in policy in small worlds, where everything collides, against a list of pages.

mod world;

use cma_policies::kit::{Split, carve};
use cma_policies::{Area, BuildError, Promises, Request, Run, builtin};

use world::World;

/// Every policy, and variants for small areas that the defaults are too large for.
const SPECS: &[&str] = &[
    "kernel",
    "kernel:row=android,pauses=2",
    "next-fit",
    "best-fit",
    "worst-fit",
    "two-ended:order=2",
    "two-ended:by=client",
    "two-ended:by=parity",
    "buddy",
    "buddy:trim=false",
    "buddy:max_order=3",
    "buddy:max_order=3,extend=true",
    "buddy:max_order=3,extend=true,trim=false",
    "zoned:order=2",
    "zoned:order=2,spill=false",
    "zoned:order=2,share=0.5,mode=on-demand",
    "zoned:order=2,share=0.5,mode=on-demand,spill=false",
    "zoned:order=3,share=1,mode=on-demand",
    "size-class:low=0,step=1",
    "size-class:classes=4,low=1,step=1,ratio=0.5,spill=false",
    "genalloc-best-fit",
    "genalloc-order-align",
];

/// Areas of 1 to 64 bits: aligned and misaligned bases, granules, several ranges that adjoin or not.
fn areas() -> Vec<Area> {
    let mut areas = Vec::new();
    for pages in [1, 2, 3, 5, 8, 13, 31, 32, 33, 63, 64] {
        for base in [0, 1, 7, 0x40200, (1 << 52) - 9] {
            areas.push(Area::single(base, pages, 0).unwrap());
        }
        for (base, order_per_bit) in [(0, 1), (6, 2), (0x106, 3), (512, 10)] {
            areas.push(Area::single(base, pages << order_per_bit, order_per_bit).unwrap());
        }
    }
    for order_per_bit in [0, 2] {
        let run = |pfn: u64, bits: u64| Run::new(pfn, bits << order_per_bit);
        areas.push(
            Area::new("adjoining", order_per_bit, &[run(8, 8), run(8 + (8 << order_per_bit), 24)])
                .unwrap(),
        );
        areas.push(
            Area::new("apart", order_per_bit, &[run(3, 11), run(100, 5), run(201, 20)]).unwrap(),
        );
        let down = [run(201, 20), run(100, 5), run(3, 11)];
        areas.push(Area::new("descending", order_per_bit, &down).unwrap());
        let tail = Run::new(201 - (9 << order_per_bit) - 1, (9 << order_per_bit) + 1);
        let mixed = [run(100, 5), run(201, 20), run(3, 11), tail];
        areas.push(Area::new("mixed, two touch", order_per_bit, &mixed).unwrap());
    }
    areas
}

#[test]
fn every_entry_is_in_the_table() {
    for entry in builtin::ENTRIES {
        assert!(
            SPECS.iter().any(|spec| spec.split(':').next() == Some(entry.name)),
            "{}",
            entry.name
        );
    }
}

#[test]
fn grants_are_inside_disjoint_aligned_and_given_back() {
    let catalog = builtin::catalog();
    let mut worlds = 0;
    for name in SPECS {
        let spec = catalog.parse(name).unwrap();
        for (seed, area) in areas().into_iter().enumerate() {
            match spec.build(area.clone()) {
                Ok(policy) => {
                    worlds += 1;
                    World::new(policy, seed as u64).run(400, name);
                }
                Err(BuildError::Policy(why)) => {
                    assert!(why.contains("would do"), "{name}: {why}");
                }
                Err(error) => panic!("{name} on {area:?}: {error}"),
            }
        }
    }
    assert!(worlds > 1800, "{worlds}");
}

#[test]
fn policies_of_any_kind_stand_side_by_side() {
    let catalog = builtin::catalog();
    for names in [["buddy:trim=false", "next-fit"], ["kernel:row=android", "buddy"]] {
        for seed in 0..20 {
            let area = Area::single(seed, 60, 0).unwrap();
            let parts = carve(&area, &[1.0, 2.0]).unwrap();
            let parts = parts.into_iter().zip(names);
            let parts = parts
                .map(|(part, name)| catalog.parse(name).unwrap().build(part).unwrap())
                .collect();
            let route = |request: Request, step: usize| {
                (step < 2).then_some((step + usize::from(request.client())) % 2)
            };
            let split = Split::new(area, Promises::NONE, parts, route);
            World::new(Box::new(split), seed).run(400, &names.join(" beside "));
        }
    }
}

#[test]
fn every_parameter_at_its_ends_builds_or_says_what_would_do() {
    use cma_policies::Kind;
    let catalog = builtin::catalog();
    for entry in builtin::ENTRIES {
        for param in entry.params {
            let values: Vec<String> = match param.kind {
                Kind::Int { min, max } => vec![min.to_string(), max.to_string()],
                Kind::Float { min, max } => vec![min.to_string(), max.to_string()],
                Kind::Bool => vec!["true".into(), "false".into()],
                Kind::Choice(words) => words.iter().map(ToString::to_string).collect(),
            };
            for value in values {
                let text = format!("{}:{}={value}", entry.name, param.name);
                let spec = catalog.parse(&text).unwrap();
                for (seed, area) in areas().into_iter().enumerate() {
                    match spec.build(area) {
                        Ok(policy) => World::new(policy, seed as u64).run(20, &text),
                        Err(error) => assert!(error.to_string().contains("would do"), "{error}"),
                    }
                }
            }
        }
    }
}
