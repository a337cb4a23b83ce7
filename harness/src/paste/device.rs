//! Devices that the names of clients mean.

use crate::lint::Board;
use crate::tree::{Node, NodeId, Tree};

/// A client and its device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Device {
    /// The client as a trace names it.
    pub client: String,
    /// The node that it means.
    pub found: Found,
}

/// What a name means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// This node.
    Node(NodeId),
    /// One of these: which one is not known.
    Several(Vec<NodeId>),
    /// None that is known: a task, a driver whose devices are called otherwise, a device without a
    /// node.
    Unknown,
}

/// The devices of clients, each in turn. A name means a node where it is that of its device
/// (`e5010000.vpu`), its own, with or without its address, its label, or what is in its `compatible`
/// after the comma; the first of these that has any counts, and two of one kind are none.
pub fn devices(board: &Board, clients: &[String]) -> Vec<Device> {
    let found = |client: &str| match &board.tree {
        Some(tree) => found(tree, client),
        None => Found::Unknown,
    };
    clients.iter().map(|client| Device { client: client.clone(), found: found(client) }).collect()
}

fn found(tree: &Tree, client: &str) -> Found {
    let kinds: [&dyn Fn(&Node) -> bool; 4] = [
        &|node| is_device(&node.name, client),
        &|node| node.name == client || node.labels.iter().any(|label| label == client),
        &|node| base(&node.name) == client,
        &|node| node.strings("compatible").iter().any(|own| tail(own) == client),
    ];
    let of_kind = |is: &dyn Fn(&Node) -> bool| {
        let nodes = tree.nodes().filter(|(id, node)| is(node) && may_be_device(tree, *id));
        nodes.map(|(id, _)| id).collect::<Vec<_>>()
    };
    match kinds.into_iter().map(of_kind).find(|nodes| !nodes.is_empty()).as_deref() {
        None => Found::Unknown,
        Some([id]) => Found::Node(*id),
        Some(nodes) => Found::Several(nodes.to_vec()),
    }
}

/// `e5010000.vpu` is what the kernel calls the device of `vpu@e5010000`
/// (`of_device_make_bus_id()`, `drivers/of/platform.c`).
fn is_device(name: &str, client: &str) -> bool {
    let (name, address) = name.split_once('@').unwrap_or((name, ""));
    let own = client.split_once('.');
    own.is_some_and(|(of, rest)| {
        !address.is_empty()
            && rest == name
            && of.trim_start_matches('0') == address.trim_start_matches('0')
    })
}

fn base(name: &str) -> &str {
    name.split('@').next().unwrap_or(name)
}

fn tail(compatible: &str) -> &str {
    compatible.split_once(',').map_or(compatible, |(_, tail)| tail)
}

/// Whether a node may be one of a device that asks for memory: it is a device at all.
fn may_be_device(tree: &Tree, id: NodeId) -> bool {
    const OTHERS: [&str; 8] = [
        "reserved-memory",
        "memory",
        "cpus",
        "chosen",
        "aliases",
        "__symbols__",
        "psci",
        "firmware",
    ];
    let above = std::iter::successors(Some(id), |id| tree.node(*id).parent());
    let is_other = |id: NodeId| {
        let is_top = tree.node(id).parent() == Some(Tree::ROOT);
        is_top && OTHERS.contains(&base(&tree.node(id).name))
    };
    id != Tree::ROOT && tree.node(id).has("compatible") && !above.into_iter().any(is_other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::Given;

    fn found_in(names: &[&str]) -> Vec<String> {
        let devices_of = [
            ("/soc/vpu@38300000", "compatible", "\"nxp,imx8mm-vpu\", \"hantro,g1\""),
            ("/soc/vpu@38310000", "compatible", "\"nxp,imx8mm-vpu-g2\""),
            ("/soc/csi@32e20000", "compatible", "\"fsl,imx8mm-csi\""),
            ("/soc/isp@1000", "compatible", "\"foo,isp\""),
            ("/soc/bus", "ranges", ""),
            ("/memory@40000000", "compatible", "\"foo,memory\""),
            ("/reserved-memory/vpu_pool", "compatible", "\"shared-dma-pool\""),
        ];
        let labels = [
            ("/__symbols__", "camera", "\"/soc/csi@32e20000\""),
            ("/__symbols__", "vpu_g1", "\"/soc/vpu@38300000\""),
        ];
        let tree = Tree::built(&[&devices_of[..], &labels[..]].concat());
        let board =
            Board::read(Given { tree: Some(tree), ..Given::default() }).expect("it is read");
        let names: Vec<_> = names.iter().map(|name| (*name).to_string()).collect();
        let tree = board.tree.as_ref().expect("it has one");
        let said = |device: Device| match device.found {
            Found::Node(id) => tree.path(id),
            Found::Several(nodes) => format!("one of {}", nodes.len()),
            Found::Unknown => "unknown".to_string(),
        };
        devices(&board, &names).into_iter().map(said).collect()
    }

    #[test]
    fn a_name_means_a_node_for_certain_or_none() {
        for (name, node) in [
            ("38310000.vpu", "/soc/vpu@38310000"),
            ("38310001.vpu", "unknown"),
            ("00001000.isp", "/soc/isp@1000"),
            ("csi@32e20000", "/soc/csi@32e20000"),
            ("vpu_g1", "/soc/vpu@38300000"),
            ("camera", "/soc/csi@32e20000"),
            ("isp", "/soc/isp@1000"),
            ("vpu", "one of 2"),
            ("g1", "/soc/vpu@38300000"),
            ("imx8mm-vpu", "/soc/vpu@38300000"),
            ("imx8mm", "unknown"),
            // No device, and none that asks for memory.
            ("bus", "unknown"),
            ("memory", "unknown"),
            ("vpu_pool", "unknown"),
            ("shared-dma-pool", "unknown"),
            ("vivid", "unknown"),
            ("", "unknown"),
        ] {
            assert_eq!(found_in(&[name]), [node], "{name}");
        }
    }
}
