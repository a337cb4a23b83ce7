//! Of how many cells a number is.

use super::super::pool::{Numbers, space};
use super::super::{Board, Example, Findings, Place, Rule, Severity, area};
use crate::tree::{NodeId, Tree};

const PASSES: Example = Example::of_nodes(pool!("size = <0 0x2000000>"));

pub(super) const RESERVED_MEMORY_CELLS: Rule = Rule {
    name: "reserved-memory-cells",
    severity: Severity::Error,
    about: "`#address-cells` or `#size-cells` of /reserved-memory is not that of the root: the \
            kernel ignores every node in it",
    remedy: "the same `#address-cells` and `#size-cells` as in the root",
    source: "__reserved_mem_check_root(), drivers/of/of_reserved_mem.c",
    releases: "all",
    fails: Example {
        reserved: "#address-cells = <1>;\n#size-cells = <1>;\nranges;\n",
        ..Example::of_nodes(pool!("size = <0x2000000>"))
    },
    passes: PASSES,
    check: reserved_memory_cells,
};

/// `/reserved-memory`, where its tree is whole.
fn reserved(board: &Board) -> Option<(&Tree, NodeId)> {
    let tree = board.tree.as_ref()?;
    Some((tree, tree.find("/reserved-memory")?))
}

fn reserved_memory_cells(board: &Board, found: &mut Findings) {
    let Some((tree, id)) = reserved(board).filter(|(tree, _)| tree.is_whole) else { return };
    let (address, size) = tree.space(Tree::ROOT);
    for (name, root) in [("#address-cells", address), ("#size-cells", size)] {
        let own = tree.node(id).cell(name);
        if own == Some(root) {
            continue;
        }
        let own = own.map_or("is missing".to_string(), |own| format!("is {own}"));
        let message = format!(
            "{name} of /reserved-memory {own} and that of the root is {root}: \
             the kernel ignores every node in it"
        );
        found.add(Place::of(tree, id, Some(name)), message, format!("`{name} = <{root}>;`"));
        all_refused(board, found);
    }
}

fn all_refused(board: &Board, found: &mut Findings) {
    for pool in &board.pools {
        found.becomes(pool, area::REFUSED);
    }
}

pub(super) const RANGES_MISSING: Rule = Rule {
    name: "ranges-missing",
    severity: Severity::Error,
    about: "/reserved-memory has no `ranges`: the kernel ignores every node in it",
    remedy: "`ranges;` in /reserved-memory",
    source: "__reserved_mem_check_root(), drivers/of/of_reserved_mem.c",
    releases: "all",
    fails: Example { reserved: "#address-cells = <2>;\n#size-cells = <2>;\n", ..PASSES },
    passes: PASSES,
    check: ranges_missing,
};

fn ranges_missing(board: &Board, found: &mut Findings) {
    let Some((tree, id)) = reserved(board).filter(|(tree, id)| !tree.node(*id).has("ranges"))
    else {
        return;
    };
    let message = "/reserved-memory has no `ranges`: the kernel ignores every node in it";
    found.add(Place::of(tree, id, None), message, "`ranges;`");
    all_refused(board, found);
}

pub(super) const NUMBER_OF_CELLS: Rule = Rule {
    name: "number-of-cells",
    severity: Severity::Error,
    about: "`size`, `alignment`, `reg` or `alloc-ranges` has not as many cells as the root says",
    remedy: "a `size` of `#size-cells`, an `alignment` of `#address-cells`, each place of both",
    source: "__reserved_mem_alloc_size(), __reserved_mem_reserve_reg(), \
             drivers/of/of_reserved_mem.c",
    releases: "all",
    fails: Example::of_nodes(pool!("size = <0x2000000>")),
    passes: PASSES,
    check: number_of_cells,
};

fn number_of_cells(board: &Board, found: &mut Findings) {
    let Some(tree) = &board.tree else { return };
    let (address, size) = space(tree);
    let each = address.saturating_add(size);
    for pool in &board.pools {
        let whole = |numbers: &Option<Numbers>| match numbers {
            Some(Numbers::Cells(cells)) => Some(*cells),
            _ => None,
        };
        let one = |number: &Option<Result<u64, usize>>| number.and_then(Result::err);
        // `reg` comes first: with it the kernel looks at nothing else.
        let dynamic = pool.reg.is_none();
        let wrong = [
            ("reg", whole(&pool.reg), each, true),
            ("size", one(&pool.size), size, false),
            ("alignment", one(&pool.alignment), address, false),
            ("alloc-ranges", whole(&pool.ranges), each, true),
        ];
        for (name, cells, right, is_list) in wrong {
            let Some(cells) = cells.filter(|_| dynamic || name == "reg") else { continue };
            let many = if is_list { "a multiple of " } else { "" };
            let message = format!(
                "{name} of {} has {}, and the root asks for {many}{right}: the kernel refuses \
                 the node",
                pool.name,
                crate::words::counted(cells as u64, "cell")
            );
            let remedy = format!(
                "give {name} {many}{right} (`#address-cells` {address}, `#size-cells` {size}): \
                 with two cells a number has its high half first, `<0x0 0x2000000>`"
            );
            found.add(board.place(pool, name), message, remedy);
            found.becomes(pool, area::REFUSED);
        }
    }
}
