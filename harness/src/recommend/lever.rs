//! What can be changed, in classes that cost different things.

use cma_policies::Spec;

use super::trial::Config;
use crate::workload::changed::Proposal;

/// Who has to change what. The order is that of what it costs: the first are lines of a text, the last
/// is a kernel of one's own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Class {
    /// Nothing is changed.
    AsIs,
    /// Size and pools: the device tree, or what else makes the areas.
    Tree,
    /// The kernel's configuration.
    Kconfig,
    /// A driver or an application.
    Driver,
    /// A patch of the kernel.
    Patch,
}

impl Class {
    /// Every class, in order.
    pub const ALL: [Self; 5] = [Self::AsIs, Self::Tree, Self::Kconfig, Self::Driver, Self::Patch];

    /// Its name in every format.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AsIs => "as-is",
            Self::Tree => "device-tree",
            Self::Kconfig => "kconfig",
            Self::Driver => "driver",
            Self::Patch => "patch",
        }
    }

    /// Whether the configuration of a board alone does it.
    pub const fn is_configuration(self) -> bool {
        matches!(self, Self::AsIs | Self::Tree | Self::Kconfig)
    }
}

/// One change.
#[derive(Clone, Debug)]
pub enum Lever {
    /// The area has so many pages.
    Size(u64),
    /// `CONFIG_CMA_ALIGNMENT`.
    Cap(u32),
    /// A pool of so many pages of their own for these clients.
    Pool {
        /// Kinds of clients, by name.
        clients: Vec<String>,
        /// Its pages.
        pages: u64,
    },
    /// What a driver or an application does otherwise.
    Driver(Proposal),
    /// Another policy.
    Policy(Spec),
}

impl Lever {
    /// Who has to do it.
    pub const fn class(&self) -> Class {
        match self {
            Self::Size(_) | Self::Pool { .. } => Class::Tree,
            Self::Cap(_) => Class::Kconfig,
            Self::Driver(_) => Class::Driver,
            Self::Policy(_) => Class::Patch,
        }
    }
}

/// The class of several: that of the dearest.
pub fn class_of(levers: &[Lever]) -> Class {
    levers.iter().map(Lever::class).max().unwrap_or(Class::AsIs)
}

/// A board with these changes.
pub(super) fn changed(config: &Config, levers: &[Lever]) -> Config {
    let mut config = config.clone();
    for lever in levers {
        match lever {
            Lever::Size(pages) => config.areas[0].pages = *pages,
            Lever::Cap(cap) => config.cap = *cap,
            Lever::Pool { clients, pages } => {
                let clients = clients.clone();
                config.areas.push(super::Pool { pages: *pages, clients });
            }
            Lever::Driver(proposal) => config.changed.push(proposal.change.clone()),
            Lever::Policy(policy) => config.policy = policy.clone(),
        }
    }
    config
}
