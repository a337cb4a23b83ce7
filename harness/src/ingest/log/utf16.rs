//! Byte order marks, as editors and consoles of Windows write them: UTF-16 is read as UTF-8.

use std::io::{self, BufRead, Read};

/// `input` without its byte order mark, from UTF-16 where that says so.
pub(super) fn decoded(mut input: Box<dyn BufRead>) -> io::Result<Box<dyn Read>> {
    let mut mark = Vec::with_capacity(2);
    input.by_ref().take(2).read_to_end(&mut mark)?;
    let big = match mark.as_slice() {
        [0xff, 0xfe] => false,
        [0xfe, 0xff] => true,
        [0xef, 0xbb] => {
            let utf8 = input.fill_buf()?.first() == Some(&0xbf);
            input.consume(usize::from(utf8));
            let front = if utf8 { Vec::new() } else { mark };
            return Ok(Box::new(io::Cursor::new(front).chain(input)));
        }
        _ => return Ok(Box::new(io::Cursor::new(mark).chain(input))),
    };
    Ok(Box::new(Utf16 { input, big, odd: None, high: None, text: Vec::new(), at: 0 }))
}

struct Utf16 {
    input: Box<dyn BufRead>,
    /// The more significant byte comes first.
    big: bool,
    /// A byte whose other half is not read yet.
    odd: Option<u8>,
    /// The first half of a surrogate pair.
    high: Option<u16>,
    text: Vec<u8>,
    at: usize,
}

impl Utf16 {
    fn unit(&mut self, unit: u16) {
        const LOST: char = char::REPLACEMENT_CHARACTER;
        let mut put = |c: char| {
            self.text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        };
        let high = self.high.take();
        if let (Some(high), 0xdc00..=0xdfff) = (high, unit) {
            let pair = char::decode_utf16([high, unit]).next();
            return put(pair.and_then(Result::ok).unwrap_or(LOST));
        }
        if high.is_some() {
            put(LOST);
        }
        match unit {
            // The first half of a pair: the second one may follow.
            0xd800..=0xdbff => self.high = Some(unit),
            _ => put(char::from_u32(u32::from(unit)).unwrap_or(LOST)),
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        self.text.clear();
        self.at = 0;
        while self.text.is_empty() {
            let bytes = self.input.fill_buf()?;
            if bytes.is_empty() {
                return Ok(());
            }
            let bytes = bytes[..bytes.len().min(1 << 14)].to_vec();
            self.input.consume(bytes.len());
            for byte in bytes {
                match self.odd.take() {
                    None => self.odd = Some(byte),
                    Some(first) if self.big => self.unit(u16::from_be_bytes([first, byte])),
                    Some(first) => self.unit(u16::from_le_bytes([first, byte])),
                }
            }
        }
        Ok(())
    }
}

impl Read for Utf16 {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.text.len() {
            self.refill()?;
        }
        let rest = &self.text[self.at..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: Vec<u8>) -> String {
        let mut text = Vec::new();
        let input = Box::new(io::BufReader::with_capacity(3, io::Cursor::new(bytes)));
        decoded(input).expect("opens").read_to_end(&mut text).expect("reads");
        String::from_utf8_lossy(&text).into_owned()
    }

    #[test]
    fn both_orders_and_pairs_are_read() {
        let text = "cma: 4@572…\n\u{1f600}x";
        let units: Vec<u16> = std::iter::once(0xfeff).chain(text.encode_utf16()).collect();
        assert_eq!(read(units.iter().flat_map(|unit| unit.to_le_bytes()).collect()), text);
        assert_eq!(read(units.iter().flat_map(|unit| unit.to_be_bytes()).collect()), text);
    }

    #[test]
    fn what_has_no_mark_is_left_alone() {
        assert_eq!(read(b"cma".to_vec()), "cma");
        assert_eq!(read(b"c".to_vec()), "c");
        assert_eq!(read(b"\xef\xbb\xbfcma".to_vec()), "cma");
        assert_eq!(read(Vec::new()), "");
    }

    #[test]
    fn halves_are_no_panic() {
        assert_eq!(read(vec![0xff, 0xfe, 0x00, 0xd8, b'a', 0, b'b']), "\u{fffd}a");
        assert_eq!(read(vec![0xff, 0xfe, 0x00, 0xdc, b'a', 0]), "\u{fffd}a");
    }
}
