//! What each client did, act by act.

use std::collections::BTreeMap;

use super::history::Buffer;
use crate::board::kind;

/// The most acts that are looked at: 32 bytes each.
const MOST: usize = 1 << 20;

/// What a client did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Act {
    pub(super) at_us: u64,
    pub(super) client: u16,
    pub(super) did: Did,
}

impl Act {
    /// The number of what it asks for.
    pub(super) fn asks(&self) -> Option<usize> {
        if let Did::Ask { number, .. } = self.did { Some(number) } else { None }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Did {
    /// It asked for this buffer, and got it or not.
    Ask { number: usize, granted: bool },
    /// It gave the last of this buffer back.
    Free { number: usize },
}

/// The acts of a stream, in order.
#[derive(Clone, Default, Debug)]
pub(super) struct Acts(Vec<Act>);

impl Acts {
    pub(super) fn note(&mut self, at_us: u64, client: u16, did: Did) {
        if self.0.len() < MOST {
            self.0.push(Act { at_us, client, did });
        }
    }

    /// The last request was refused: what gives it back is no act.
    pub(super) fn refused(&mut self) {
        self.0.pop_if(|act| matches!(act.did, Did::Free { .. }));
        if let Some(Act { did: Did::Ask { granted, .. }, .. }) = self.0.last_mut() {
            *granted = false;
        }
    }

    /// By kind of client, those of each client.
    pub(super) fn by_kind(&self, clients: &[String]) -> BTreeMap<String, Vec<Vec<Act>>> {
        let mut by_client: BTreeMap<u16, Vec<Act>> = BTreeMap::new();
        for act in &self.0 {
            by_client.entry(act.client).or_default().push(*act);
        }
        let mut kinds: BTreeMap<String, Vec<Vec<Act>>> = BTreeMap::new();
        for (client, acts) in by_client {
            let name = clients.get(usize::from(client)).map_or("", String::as_str);
            kinds.entry(kind(name).to_string()).or_default().push(acts);
        }
        kinds
    }
}

/// The acts of each program of a client, by the pid of who asked.
pub(super) fn by_pid(acts: &[Act], buffers: &[Buffer]) -> Vec<Vec<Act>> {
    let mut programs: BTreeMap<Option<u32>, Vec<Act>> = BTreeMap::new();
    for act in acts {
        let (Did::Ask { number, .. } | Did::Free { number }) = act.did;
        programs.entry(buffers[number].pid).or_default().push(*act);
    }
    programs.into_values().collect()
}
