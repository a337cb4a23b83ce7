//! Which colour a buffer has: by who asked for it, else by how large it is.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Part, words};
use super::columns::SHADES;
use crate::page::Page;
use crate::report::page::pixels::Colour;
use crate::view::{Buffer, Film};
use crate::words::mib;

/// Colours that stand out on white and on black, for the clients that asked for most or the classes of
/// sizes; then that of all others, and of nobody.
const COLOURS: [[u8; 3]; 8] = [
    [0x3b, 0x6f, 0xb6],
    [0xd0, 0x7a, 0x1e],
    [0x3f, 0x96, 0x57],
    [0x97, 0x5f, 0xc0],
    [0xc4, 0x4f, 0x6c],
    [0x22, 0x91, 0xa0],
    [0x8a, 0x83, 0x2c],
    [0x80, 0x8a, 0x96],
];

/// The colour of what has none of its own.
const OTHERS: usize = COLOURS.len() - 1;

/// The largest sizes in pages of the classes but the last.
const SIZES: [u64; 5] = [1, 16, 64, 256, 1024];

/// What colours mean.
pub(super) struct Looks {
    /// The colours that are used, each with its name.
    pub(super) names: Vec<(usize, String)>,
    /// The colour of each client by its number; none where sizes have them.
    clients: Option<Vec<usize>>,
}

impl Looks {
    /// Those of `film`: of its clients where they can be told apart, else of sizes.
    pub(super) fn of(part: &Part, film: &Film, page: Page) -> Self {
        let mut asked: BTreeMap<u16, u64> = BTreeMap::new();
        for buffer in &film.buffers {
            *asked.entry(buffer.request.client()).or_default() += buffer.run.count;
        }
        let mut named: Vec<(u64, u16, String)> = asked
            .iter()
            .filter_map(|(number, pages)| Some((*pages, *number, words::name(part, *number)?)))
            .collect();
        // One colour would say nothing.
        if named.is_empty() || asked.len() < 2 {
            return Self::of_sizes(film, page);
        }
        named.sort_by_key(|(pages, number, _)| (std::cmp::Reverse(*pages), *number));
        let rest = match (named.len() > OTHERS, asked.len() > named.len()) {
            (true, true) => Some("others, and who is not named"),
            (true, false) => Some("others"),
            (false, true) => Some("who is not named"),
            (false, false) => None,
        };
        named.truncate(OTHERS);
        let mut clients = vec![OTHERS; part.clients.len()];
        for (colour, (_, number, _)) in named.iter().enumerate() {
            clients[usize::from(*number)] = colour;
        }
        let mut names: Vec<_> = named.into_iter().map(|(.., name)| name).enumerate().collect();
        names.extend(rest.map(|rest| (OTHERS, rest.to_string())));
        Self { names, clients: Some(clients) }
    }

    /// The classes of sizes that there are.
    fn of_sizes(film: &Film, page: Page) -> Self {
        let upper = |pages: u64| match pages {
            1 => "1 page".to_string(),
            _ => format!("up to {pages} pages ({})", mib(pages, page)),
        };
        let names = SIZES.into_iter().map(upper).chain(["larger".to_string()]);
        let mut looks = Self { names: names.enumerate().collect(), clients: None };
        let used: BTreeSet<usize> =
            film.buffers.iter().map(|buffer| looks.colour(buffer)).collect();
        looks.names.retain(|(colour, _)| used.contains(colour));
        looks
    }

    /// The colour of a buffer.
    pub(super) fn colour(&self, buffer: &Buffer) -> usize {
        match &self.clients {
            Some(clients) => {
                let own = clients.get(usize::from(buffer.request.client()));
                own.copied().unwrap_or(OTHERS)
            }
            None => SIZES.iter().position(|most| buffer.run.count <= *most).unwrap_or(SIZES.len()),
        }
    }

    /// Nothing, then each colour in all its shades.
    pub(super) fn palette(&self) -> Vec<Colour> {
        let mut palette = vec![[0, 0, 0, 0]];
        for [red, green, blue] in COLOURS {
            let solid = |shade: usize| (shade * 255 / SHADES) as u8;
            palette.extend((1..=SHADES).map(|shade| [red, green, blue, solid(shade)]));
        }
        palette
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_legend_has_the_colours_of_the_picture() {
        for (number, [red, green, blue]) in COLOURS.into_iter().enumerate() {
            let rule = format!(".c{number} {{ fill: #{red:02x}{green:02x}{blue:02x}; }}");
            assert!(super::super::STYLE.contains(&rule), "{rule}");
        }
    }
}
