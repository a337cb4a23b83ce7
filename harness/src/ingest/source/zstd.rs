//! zstd, frame after frame, as far as there is something to read.

use std::error::Error;
use std::io::{self, BufRead, Read};

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder, StreamingDecoder};

use super::PastEnd;

type Raw = Box<dyn BufRead>;
type Frame = StreamingDecoder<Raw, FrameDecoder>;

/// An empty block that ends a frame, and room for a checksum.
const END: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];

/// The zstd frames of an input, one after the other, as `zstd` itself reads them.
pub(super) struct Frames {
    frame: Option<Frame>,
    /// A frame that is cut, and what is said of it past its end.
    cut: Option<(FrameDecoder, Option<io::Error>)>,
    past_end: PastEnd,
}

impl Frames {
    /// The frames of `raw`; what follows them and is none is noted in `past_end`.
    ///
    /// # Errors
    /// Where it does not begin with one.
    pub(super) fn new(raw: Raw, past_end: PastEnd) -> io::Result<Self> {
        Ok(Self { frame: Some(begin(raw)?), cut: None, past_end })
    }

    /// The rest of a frame whose blocks end too early: as far back as later blocks may refer, the
    /// decoder keeps what it has, and gives it where the frame ends.
    fn give_the_rest(&mut self, frame: Frame, error: io::Error) -> io::Result<()> {
        let (_, mut decoder) = frame.into_parts();
        let ended = is_early_end(&error)
            && decoder.decode_blocks(&END[..], BlockDecodingStrategy::All).is_ok();
        if !ended {
            return Err(error);
        }
        self.cut = Some((decoder, Some(early_end())));
        Ok(())
    }
}

impl Read for Frames {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(frame) = &mut self.frame {
            let read = frame.read(buffer);
            if buffer.is_empty() || matches!(read, Ok(1..)) {
                return read;
            }
            let Some(done) = self.frame.take() else { break };
            if let Err(error) = read {
                self.give_the_rest(done, error)?;
                break;
            }
            let mut raw = done.into_inner();
            let rest = raw.fill_buf()?;
            if is_frame(rest) {
                self.frame = Some(begin(raw)?);
            } else if !rest.is_empty() {
                self.past_end.found()?;
            }
        }
        let Some((decoder, error)) = &mut self.cut else { return Ok(0) };
        match decoder.read(buffer)? {
            0 => error.take().map_or(Ok(0), Err),
            read => Ok(read),
        }
    }
}

/// Whether a frame begins here, one that is skipped, or the front of one that is cut.
fn is_frame(rest: &[u8]) -> bool {
    const FRAME: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
    let front = &rest[..rest.len().min(4)];
    let skipped = matches!(front, [0x50..=0x5f, 0x2a, 0x4d, 0x18]);
    skipped || !front.is_empty() && FRAME.starts_with(front)
}

fn begin(raw: Raw) -> io::Result<Frame> {
    Frame::new(raw).map_err(|error| {
        let error = io::Error::other(error);
        if is_early_end(&error) { early_end() } else { error }
    })
}

fn early_end() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "incomplete zstd frame")
}

/// Whether there was nothing more to read, and not something wrong.
fn is_early_end(error: &io::Error) -> bool {
    let mut cause = error.get_ref().map(|error| error as &(dyn Error + 'static));
    while let Some(error) = cause {
        let io = error.downcast_ref::<io::Error>();
        if io.is_some_and(|error| error.kind() == io::ErrorKind::UnexpectedEof) {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    /// Bytes that pack badly: several blocks of 128 KiB.
    fn noise() -> Vec<u8> {
        let mut seed = 7u64;
        let mut byte = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 56) as u8
        };
        (0..500_000).map(|_| byte()).collect()
    }

    fn unpacked(packed: &[u8]) -> (Vec<u8>, Option<io::ErrorKind>) {
        let mut out = Vec::new();
        let frames = Frames::new(Box::new(Cursor::new(packed.to_vec())), PastEnd::default());
        let read = frames.and_then(|mut frames| frames.read_to_end(&mut out));
        (out, read.err().map(|error| error.kind()))
    }

    #[test]
    fn of_a_frame_that_is_cut_every_whole_block_is_read() {
        let plain = noise();
        let packed = compress_to_vec(plain.as_slice(), CompressionLevel::Fastest);
        assert_eq!(unpacked(&packed), (plain.clone(), None));
        let twice = [packed.as_slice(), &packed].concat();
        assert_eq!(unpacked(&twice), ([plain.as_slice(), &plain].concat(), None));
        for cut in [packed.len() - 1, packed.len() * 2 / 3, 200_000] {
            let (out, error) = unpacked(&packed[..cut]);
            assert_eq!(error, Some(io::ErrorKind::UnexpectedEof));
            assert!(plain.starts_with(&out) && out.len() + (128 << 10) >= cut * 9 / 10, "{cut}");
        }
        let (out, error) = unpacked(&packed[..5]);
        assert_eq!((out.len(), error), (0, Some(io::ErrorKind::UnexpectedEof)));
    }

    #[test]
    fn what_is_damaged_is_an_error_of_its_own() {
        let mut packed = compress_to_vec(noise().as_slice(), CompressionLevel::Fastest);
        packed[4] = 0xff;
        assert!(matches!(unpacked(&packed), (_, Some(_))));
    }
}
