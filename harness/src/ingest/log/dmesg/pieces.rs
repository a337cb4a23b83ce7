//! What a list of free runs begins with, or goes on with.

use super::cursor::{Cursor, Stop};
use super::message::{Message, Parsed, Tools};

/// `number of available pages:`, whose first word was read.
pub(crate) fn head(c: &mut Cursor<'_>, _: &mut Tools) -> Result<Message, Stop> {
    c.literal(b"ofavailablepages:")?;
    Ok(Message::new(Parsed::List { head: true }))
}

/// The same after a function, where nothing of it was read.
pub(crate) fn head_of_function(c: &mut Cursor<'_>, tools: &mut Tools) -> Result<Message, Stop> {
    c.literal(b"number")?;
    head(c, tools)
}

/// `range 1: …`, `+4@572…` or `=> 357 free …` after `cma:`.
pub(crate) fn piece(c: &mut Cursor<'_>, tools: &mut Tools) -> Result<Message, Stop> {
    let run = matches!(c.peek()?, b'+' | b'=' | b'0'..=b'9');
    let start = c.at;
    let piece = run || c.ident(&mut tools.word).is_ok() && tools.word == b"range";
    goes_on(c, start, piece)
}

/// The same after a function.
pub(crate) fn piece_of_function(c: &mut Cursor<'_>, _: &mut Tools) -> Result<Message, Stop> {
    let start = c.at;
    let run = matches!(c.peek()?, b'+' | b'=');
    let piece = run || c.optional(b"range0:")?;
    goes_on(c, start, piece)
}

fn goes_on(c: &mut Cursor<'_>, start: usize, piece: bool) -> Result<Message, Stop> {
    c.at = start;
    if piece { Ok(Message::new(Parsed::List { head: false })) } else { Err(Stop::No) }
}
