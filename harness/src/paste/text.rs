//! Values and names as a `.dts` has them.

use crate::lint::size;
use crate::tree::{Node, NodeId, Tree};

/// The most cells of an address (`OF_MAX_ADDR_CELLS`, `drivers/of/address.c`): a tree that is damaged
/// can ask for billions.
const MOST_CELLS: u32 = 4;

/// A number in so many cells, the high one first: `0x0 0x1c00000`; none where it does not fit, and
/// where no kernel takes so many.
pub(super) fn cells(value: u64, count: u32) -> Option<String> {
    let (low, high) = (value & 0xffff_ffff, value >> 32);
    match count {
        _ if count > MOST_CELLS => None,
        0 => None,
        1 => (high == 0).then(|| format!("{low:#x}")),
        _ => {
            let zeros = "0x0 ".repeat(count as usize - 2);
            Some(format!("{zeros}{high:#x} {low:#x}"))
        }
    }
}

/// `<0x0 0x40000000 0x0 0x20000000>` of places, each with its first byte and its bytes.
pub(super) fn places(places: &[(u64, u64)], (address, bytes): (u32, u32)) -> Option<String> {
    let one = |(base, len): &(u64, u64)| {
        Some(format!("<{} {}>", cells(*base, address)?, cells(*len, bytes)?))
    };
    Some(places.iter().map(one).collect::<Option<Vec<_>>>()?.join(", "))
}

/// `0x40000000 to 0x60000000 (512 MiB)` of places, each with its first byte and its bytes.
pub(super) fn said(places: &[(u64, u64)]) -> String {
    let one = |(base, len): &(u64, u64)| {
        format!("{base:#x} to {:#x} ({})", base.saturating_add(*len), size(*len))
    };
    places.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The value of a property as it is: cells where it is whole cells, else bytes.
pub(super) fn value(node: &Node, name: &str) -> String {
    let bytes = node.get(name).unwrap_or_default();
    if bytes.is_empty() {
        return format!("{name};");
    }
    if node.strings(name).len() == 1 && is_text(bytes) {
        return format!("{name} = \"{}\";", node.strings(name)[0]);
    }
    match node.cells(name) {
        Some(cells) => {
            let cells: Vec<_> = cells.iter().map(|cell| format!("{cell:#x}")).collect();
            format!("{name} = <{}>;", cells.join(" "))
        }
        None => format!("{name} = {};", raw(bytes)),
    }
}

/// Whether bytes are one string that needs no escape.
fn is_text(bytes: &[u8]) -> bool {
    let Some((0, text)) = bytes.split_last() else { return false };
    text.iter().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\'))
}

fn raw(bytes: &[u8]) -> String {
    let bytes: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("[{}]", bytes.join(" "))
}

/// A whole tree as a source with its labels, each value as bytes.
pub(super) fn source(tree: &Tree) -> String {
    let mut text = "/dts-v1/;\n\n".to_string();
    write(tree, Tree::ROOT, 0, &mut text);
    text
}

fn write(tree: &Tree, id: NodeId, depth: usize, text: &mut String) {
    let (node, indent) = (tree.node(id), "\t".repeat(depth));
    let labels: String = node.labels.iter().map(|label| format!("{label}: ")).collect();
    let name = if id == Tree::ROOT { "/" } else { &node.name };
    *text += &format!("{indent}{labels}{name} {{\n");
    for property in &node.properties {
        let value = &property.value;
        let value = if value.is_empty() { String::new() } else { format!(" = {}", raw(value)) };
        *text += &format!("{indent}\t{}{value};\n", property.name);
    }
    for (child, inner) in tree.children(id) {
        // `dtc` makes them of the labels.
        let is_made = matches!(&*inner.name, "__symbols__" | "__fixups__" | "__local_fixups__");
        if id != Tree::ROOT || !is_made {
            write(tree, child, depth + 1, text);
        }
    }
    *text += &format!("{indent}}};\n");
}

/// A name for a comment: what could end it, or a terminal takes for something else, is left out.
pub(super) fn plain(name: &str) -> String {
    let plain = |byte: char| matches!(byte, ' '..='~') && !matches!(byte, '*' | '\\' | '`');
    name.chars().map(|byte| if plain(byte) { byte } else { '?' }).collect()
}

/// A name that is legal for a node, a label and an area at once: letters, digits and `_`, at most
/// 31, the first one a letter.
pub(super) fn legal(name: &str) -> String {
    let plain = |byte: char| if byte.is_ascii_alphanumeric() { byte } else { '_' };
    let name: String = name.chars().map(plain).collect();
    let parts = name.split('_').filter(|part| !part.is_empty());
    let name = parts.collect::<Vec<_>>().join("_").to_ascii_lowercase();
    let begins = name.starts_with(|byte: char| byte.is_ascii_alphabetic());
    let name = if begins { name } else { format!("pool_{name}") };
    name.chars().take(LONGEST).collect::<String>().trim_end_matches('_').to_string()
}

/// The longest name of a node (`dtc` and the specification).
const LONGEST: usize = 31;

/// The name itself where it is free, else with a number.
pub(super) fn free(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let numbered = |number: u32| {
        let number = format!("_{number}");
        let stem: String = name.chars().take(LONGEST - number.len()).collect();
        format!("{stem}{number}")
    };
    let mut all = std::iter::once(name.to_string()).chain((2..).map(numbered));
    all.find(|name| !is_taken(name)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_cells() {
        for (value, count, text) in [
            (0x1c0_0000, 2, Some("0x0 0x1c00000")),
            (0x1_4000_0000, 2, Some("0x1 0x40000000")),
            (0x1c0_0000, 1, Some("0x1c00000")),
            (1 << 32, 1, None),
            (1, 4, Some("0x0 0x0 0x0 0x1")),
            (1, 0, None),
            (1, 5, None),
            // A damaged `#size-cells`: the text had 16 GB.
            (1, u32::MAX, None),
        ] {
            assert_eq!(cells(value, count).as_deref(), text, "{value:#x} {count}");
        }
        let two = places(&[(0x4000_0000, 0x1000), (0, 1)], (2, 1));
        assert_eq!(two.as_deref(), Some("<0x0 0x40000000 0x1000>, <0x0 0x0 0x1>"));
        assert_eq!(said(&[(0x4000_0000, 2 << 20)]), "0x40000000 to 0x40200000 (2 MiB)");
    }

    #[test]
    fn names_are_legal_and_free() {
        for (name, made) in [
            ("vpu", "vpu"),
            ("VPU-enc/0", "vpu_enc_0"),
            ("e5010000.vpu_pool", "e5010000_vpu_pool"),
            ("3d", "pool_3d"),
            ("\u{fc}*/", "pool"),
            ("a_name_of_many_more_letters_than_a_node", "a_name_of_many_more_letters_tha"),
        ] {
            assert_eq!(legal(name), made, "{name}");
        }
        let taken = ["a", "a_2"];
        assert_eq!(free("a", |name| taken.contains(&name)), "a_3");
        let long = "a_name_of_many_more_letters_tha";
        assert_eq!(free(long, |name| name == long), "a_name_of_many_more_letters_t_2");
        assert_eq!(plain("a */ b\n`\u{fc}`"), "a ?/ b????");
    }

    #[test]
    fn values_are_written_as_they_are() {
        let tree = Tree::built(&[
            ("/a", "size", "<0x0 0x2000000>"),
            ("/a", "status", "\"disabled\""),
            ("/a", "reusable", ""),
        ]);
        let node = tree.node(tree.find("/a").unwrap());
        assert_eq!(value(node, "size"), "size = <0x0 0x2000000>;");
        assert_eq!(value(node, "status"), "status = \"disabled\";");
        assert_eq!(value(node, "reusable"), "reusable;");
        assert_eq!(raw(&[0, 0x1f]), "[00 1f]");
    }
}
