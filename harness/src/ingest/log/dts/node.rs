//! A node, while it is read and as it is said.

use std::sync::Arc;

use super::super::bytes;
use super::value;

/// The longest name of a node or a label.
const LONGEST: usize = 64;

/// The most places of a node.
const MOST_PLACES: usize = 8;

/// A node of `reserved-memory`, as a text states it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Node {
    /// Its name with its address: `vpu@90000000`; the label with `&` of one that is changed here and
    /// stated elsewhere.
    pub name: Arc<str>,
    /// It is stated elsewhere: what is here is new, and nothing else is known.
    pub changes: bool,
    /// Its label.
    pub label: Option<Arc<str>>,
    /// It is a listing: what it has is known, its numbers are not.
    pub listed: bool,
    /// `compatible = "shared-dma-pool"`.
    pub pool: bool,
    /// `reusable`.
    pub reusable: bool,
    /// `no-map`.
    pub no_map: bool,
    /// `linux,cma-default`.
    pub default: bool,
    /// `status` is not `okay`.
    pub disabled: bool,
    /// `alloc-ranges` is there.
    pub ranged: bool,
    /// `reg` is there.
    pub fixed: bool,
    /// `size` in bytes.
    pub size: Option<u64>,
    /// `alignment` in bytes.
    pub alignment: Option<u64>,
    /// `alloc-ranges`: first byte and bytes of each.
    pub ranges: Vec<(u64, u64)>,
    /// `reg`: first byte and bytes of each.
    pub reg: Vec<(u64, u64)>,
    /// The cells of an address, where they are known.
    pub cells: Option<u32>,
    /// `size` has not as many cells as `#size-cells` says.
    pub size_cells_off: bool,
}

/// A device and the areas that are its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Region {
    /// Its name, or its label with `&`.
    pub device: Arc<str>,
    /// The labels (or paths) of `memory-region`.
    pub pools: Vec<Arc<str>>,
}

impl Node {
    /// Whether the kernel makes an area of it.
    pub fn is_area(&self) -> bool {
        self.pool && self.reusable && !self.no_map && !self.disabled
    }

    /// Bytes that it asks for.
    pub fn bytes(&self) -> Option<u64> {
        self.reg.first().map(|(_, bytes)| *bytes).or(self.size)
    }

    /// Whether this changes, by its label, a node of that name: mostly they are alike.
    pub fn labels(&self, name: &str) -> bool {
        let name = name.trim_start_matches('&').split('@').next().unwrap_or_default();
        let label = self.name.strip_prefix('&').filter(|_| self.changes);
        label.is_some_and(|label| name.replace([',', '-'], "_") == label.replace('-', "_"))
    }

    /// Whether `other` is of the same node.
    pub fn is_same(&self, other: &Self) -> bool {
        let label = |change: &Self, node: &Self| {
            let label = change.name.strip_prefix('&').filter(|_| change.changes);
            label.is_some() && node.label.as_deref() == label || change.labels(&node.name)
        };
        self.name == other.name || label(self, other) || label(other, self)
    }

    /// Takes over what a second text states of the same node. Whether that is what counts.
    pub fn merge(&mut self, other: &Self) -> bool {
        match (self.changes, other.changes) {
            (_, true) => self.change(other),
            (true, false) => {
                let change = std::mem::replace(self, other.clone());
                self.change(&change);
            }
            _ if self.listed && !other.listed => *self = other.clone(),
            _ => return false,
        }
        true
    }

    fn change(&mut self, new: &Self) {
        self.size = new.size.or(self.size);
        self.alignment = new.alignment.or(self.alignment);
        (self.default, self.disabled) =
            (self.default || new.default, self.disabled || new.disabled);
        if new.ranged {
            (self.ranged, self.ranges) = (true, new.ranges.clone());
        }
        if new.fixed {
            (self.fixed, self.reg) = (true, new.reg.clone());
        }
    }
}

/// A node that is being read.
#[derive(Debug, Default)]
pub(super) struct Open {
    pub(super) line: u64,
    name: Vec<u8>,
    label: Vec<u8>,
    address_cells: Option<u32>,
    size_cells: Option<u32>,
    properties: Vec<(&'static str, Vec<u8>)>,
}

/// The properties that are kept.
const KEPT: [&str; 13] = [
    "compatible",
    "reusable",
    "no-map",
    "linux,cma-default",
    "status",
    "size",
    "alignment",
    "alloc-ranges",
    "reg",
    "memory-region",
    "device_type",
    "target",
    "target-path",
];

/// The most bytes of a value.
const LONGEST_VALUE: usize = 1024;

/// Whether `text` can be the name of a node.
fn is_name(text: &[u8]) -> bool {
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || b",._+-@/&#?{}".contains(byte);
    !text.is_empty() && text.len() <= LONGEST && text.iter().all(part)
}

impl Open {
    /// `label: name@1000`, `&label`, `/` before a brace.
    pub(super) fn named(text: &[u8], line: u64) -> Option<Self> {
        let mut parts = text.rsplit(|byte| *byte == b':').map(<[u8]>::trim_ascii);
        // `/omit-if-no-ref/` may come before a name.
        let (front, name) = bytes::last_word(parts.next()?);
        let labels = parts.collect::<Vec<_>>();
        let label = labels.last().copied().unwrap_or_default();
        let good = is_name(name)
            && labels.iter().all(|label| is_name(label))
            && (front.is_empty() || front.starts_with(b"/") && is_name(front));
        good.then(|| Self { line, name: name.to_vec(), label: label.to_vec(), ..Self::default() })
    }

    /// `name = value`, `name`.
    pub(super) fn property(&mut self, text: &[u8]) {
        let equals = memchr::memchr(b'=', text).unwrap_or(text.len());
        let name = bytes::last_word(text[..equals].trim_ascii()).1;
        let value = text.get(equals + 1..).unwrap_or_default().trim_ascii();
        let first = || value::cells(value).and_then(|cells| cells.first().copied());
        match name {
            b"#address-cells" => self.address_cells = first(),
            b"#size-cells" => self.size_cells = first(),
            _ => {}
        }
        let kept = KEPT.into_iter().find(|kept| kept.as_bytes() == name);
        if let Some(kept) = kept
            && self.get(kept).is_none()
        {
            let value = &value[..value.len().min(LONGEST_VALUE)];
            self.properties.push((kept, value.to_vec()));
        }
    }

    fn get(&self, name: &str) -> Option<&[u8]> {
        let found = self.properties.iter().find(|(kept, _)| *kept == name);
        found.map(|(_, value)| &**value)
    }

    fn cells(&self, name: &str) -> Option<Vec<u32>> {
        self.get(name).and_then(value::cells).filter(|cells| !cells.is_empty())
    }

    /// What is changed here and stated elsewhere, by its label (`&vpu`) or the last name of its path:
    /// `&vpu { … }`, `&{/soc/vpu@1} { … }`, and `__overlay__` of a fragment with a target.
    fn changed(&self, parent: Option<&Self>) -> Option<Arc<str>> {
        let last = |path: &[u8]| path.rsplit(|byte| *byte == b'/').next().map(text);
        if let Some(path) = self.name.strip_prefix(b"&{").and_then(|name| name.strip_suffix(b"}")) {
            return last(path);
        }
        if self.name.starts_with(b"&") {
            return Some(text(&self.name));
        }
        let fragment = parent.filter(|_| self.name == b"__overlay__")?;
        match fragment.get("target").map(value::references).as_deref() {
            Some([label, ..]) if label.starts_with(b"{") => {
                last(label.strip_suffix(b"}").unwrap_or(label))
            }
            Some([label, ..]) => Some(text(&[b"&", *label].concat())),
            _ => last(value::string(fragment.get("target-path")?)?),
        }
    }

    /// All memory, where this node states it.
    pub(super) fn memory(&self, parent: Option<&Self>) -> Option<Vec<(u64, u64)>> {
        let of_memory = value::has_string(self.get("device_type")?, b"memory");
        let (address, size) = self.shape(parent);
        let places = self.places("reg", address, size);
        // Where it is 0 the boot loader fills it in.
        let is_known = !places.is_empty() && places.iter().all(|(_, bytes)| *bytes > 0);
        (of_memory && is_known).then_some(places)
    }

    /// A device, where it has a `memory-region`.
    pub(super) fn region(&self, parent: Option<&Self>) -> Option<Region> {
        let pools = value::references(self.get("memory-region")?);
        let pools: Vec<_> = pools.into_iter().map(text).collect();
        let device = self.changed(parent).unwrap_or_else(|| text(&self.name));
        (!pools.is_empty()).then_some(Region { device, pools })
    }

    /// A node of an area, where it is one.
    pub(super) fn node(&self, parent: Option<&Self>) -> Option<Node> {
        let compatible = self.get("compatible").unwrap_or_default();
        let pool = value::has_string(compatible, b"shared-dma-pool");
        let of_reserved = parent.is_some_and(|parent| parent.name.starts_with(b"reserved-memory"));
        let has = |name: &&str| self.get(name).is_some();
        let changed = self.changed(parent).filter(|name| {
            // Other nodes have a `size`, too.
            let sized = has(&"size") && (self.name.starts_with(b"&") || name.contains("cma"));
            sized || ["alloc-ranges", "linux,cma-default", "reusable"].iter().any(has)
        });
        let changes = changed.is_some() && !pool;
        if !(pool || of_reserved || changes) {
            return None;
        }
        let (address, size) = self.shape(parent);
        let bytes = self.cells("size");
        let status = self.get("status");
        Some(Node {
            name: changed.unwrap_or_else(|| text(&self.name)),
            changes,
            label: (!self.label.is_empty() && !changes).then(|| text(&self.label)),
            listed: false,
            pool: pool || changes,
            reusable: self.get("reusable").is_some() || changes,
            no_map: self.get("no-map").is_some(),
            default: self.get("linux,cma-default").is_some(),
            disabled: status.is_some_and(|status| memchr::memmem::find(status, b"ok").is_none()),
            ranged: self.get("alloc-ranges").is_some(),
            fixed: self.get("reg").is_some(),
            size: bytes.as_deref().map(value::joined),
            alignment: self.cells("alignment").as_deref().map(value::joined),
            ranges: self.places("alloc-ranges", address, size),
            reg: self.places("reg", address, size),
            cells: parent.and_then(|parent| parent.address_cells),
            size_cells_off: parent
                .and_then(|parent| parent.size_cells)
                .zip(bytes)
                .is_some_and(|(cells, bytes)| bytes.len() as u64 != u64::from(cells)),
        })
    }

    /// The cells of an address and of a size: as its parent states, else as its values show.
    fn shape(&self, parent: Option<&Self>) -> (usize, usize) {
        let stated = |cells: Option<u32>| cells.filter(|cells| (1..=2).contains(cells));
        let address = stated(parent.and_then(|parent| parent.address_cells));
        let size = stated(parent.and_then(|parent| parent.size_cells));
        if let Some((address, size)) = address.zip(size) {
            return (address as usize, size as usize);
        }
        let of_size = self.cells("size").map(|cells| cells.len());
        let places = self.cells("reg").or_else(|| self.cells("alloc-ranges"));
        match (places.map(|cells| cells.len()), of_size) {
            (Some(3), size) => (3 - size.unwrap_or(1), size.unwrap_or(1)),
            (Some(len), _) if len % 4 != 0 => (1, 1),
            (Some(_), Some(1)) => (1, 1),
            // Four cells may be two places of one: the first cell of two is small.
            (Some(_), _) => {
                let first = self.cells("reg").or_else(|| self.cells("alloc-ranges"));
                let high = first.and_then(|cells| cells.first().copied()).unwrap_or(0);
                if high < 0x100 { (2, 2) } else { (1, 1) }
            }
            (None, size) => (size.unwrap_or(1), size.unwrap_or(1)),
        }
    }

    fn places(&self, name: &str, address: usize, size: usize) -> Vec<(u64, u64)> {
        let Some(cells) = self.cells(name) else { return Vec::new() };
        let (address, size) = (address.max(1), size.max(1));
        let places = cells.chunks_exact(address + size).take(MOST_PLACES);
        places
            .map(|cells| (value::joined(&cells[..address]), value::joined(&cells[address..])))
            .collect()
    }
}

fn text(bytes: &[u8]) -> Arc<str> {
    Arc::from(&*String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST)]))
}
