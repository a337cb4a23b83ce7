//! gzip, member after member.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

use super::PastEnd;

type Raw = Box<dyn BufRead>;

/// The gzip members of an input, one after the other, as `gzip` itself reads them.
pub(super) struct Members {
    member: Option<GzDecoder<Raw>>,
    past_end: PastEnd,
}

impl Members {
    /// The members of `raw`; what follows them and is none is noted in `past_end`.
    pub(super) fn new(raw: Raw, past_end: PastEnd) -> Self {
        Self { member: Some(GzDecoder::new(raw)), past_end }
    }
}

impl Read for Members {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let read = member.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let Some(done) = self.member.take() else { break };
            let mut raw = done.into_inner();
            let rest = raw.fill_buf()?;
            if is_member(rest) {
                self.member = Some(GzDecoder::new(raw));
            } else if !rest.is_empty() {
                self.past_end.found()?;
            }
        }
        Ok(0)
    }
}

/// Whether a member begins here, or the front of one that is cut.
fn is_member(rest: &[u8]) -> bool {
    matches!(rest, [0x1f] | [0x1f, 0x8b, ..])
}
