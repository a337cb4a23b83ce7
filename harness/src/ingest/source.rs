//! Where bytes come from: a file, which can be read again, or standard input; packed or plain.

mod binary;
mod gzip;
mod zstd;

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::error::IngestError;

/// The most that is kept of an input that cannot be read twice, unpacked or not: 1 GiB.
const MOST_BUFFERED: u64 = 1 << 30;

/// An input that can be read any number of times, but for what is made by [`Source::once`].
#[derive(Clone, Debug)]
pub struct Source {
    name: String,
    place: Place,
    /// Counts the bytes that are read, packed as they are.
    counter: Option<Arc<AtomicU64>>,
}

#[derive(Clone, Debug)]
enum Place {
    File(PathBuf),
    Bytes(Arc<[u8]>),
    Once(Once),
}

/// An input that is read as it comes; nothing once it was taken.
#[derive(Clone)]
struct Once(Arc<Mutex<Option<Box<dyn Read + Send>>>>);

/// Whether bytes follow what is packed that are no part of it. Where nobody notes it that is an
/// error.
#[derive(Clone, Default, Debug)]
pub(crate) struct PastEnd(Option<Arc<AtomicBool>>);

impl PastEnd {
    /// One that is noted.
    pub(crate) fn noted() -> Self {
        Self(Some(Arc::default()))
    }

    /// Whether there were any.
    pub(crate) fn is_found(&self) -> bool {
        self.0.as_ref().is_some_and(|found| found.load(Ordering::Relaxed))
    }

    /// There are some.
    fn found(&self) -> io::Result<()> {
        let why = "bytes follow the end of what is packed that are no part of it";
        let noted = self.0.as_ref().ok_or_else(|| io::Error::other(why))?;
        noted.store(true, Ordering::Relaxed);
        Ok(())
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Once")
    }
}

impl Source {
    fn new(name: &str, place: Place) -> Self {
        Self { name: name.to_string(), place, counter: None }
    }

    /// The file at `path`: a regular one, since it may be read more than once.
    pub fn file(path: &Path) -> Self {
        Self::new(&path.display().to_string(), Place::File(path.to_path_buf()))
    }

    /// The file at `path`; what can be read only once, such as a pipe, is kept: at most 1 GiB. A
    /// device has no end, but for the empty one.
    ///
    /// # Errors
    /// Where what is kept cannot be read, or is longer, and a device that is not empty.
    pub fn open_file(path: &Path) -> Result<Self, IngestError> {
        let file = Self::file(path);
        // What is not there is said where the file is opened.
        let Some(kind) = path.metadata().ok().map(|there| there.file_type()) else {
            return Ok(file);
        };
        if kind.is_file() || kind.is_dir() {
            return Ok(file);
        }
        let fail = |why: &dyn fmt::Display| IngestError::of(&file.name, why);
        let pipe = File::open(path).map_err(|error| fail(&error))?;
        if kind.is_block_device() || kind.is_char_device() {
            let first = Self::buffer(&file.name, pipe.take(1))?;
            let empty = matches!(&first.place, Place::Bytes(bytes) if bytes.is_empty());
            let why = "it is a device, which may never end; a file, a pipe or - is read";
            return if empty { Ok(first) } else { Err(fail(&why)) };
        }
        Self::buffer(&file.name, pipe)
    }

    /// These bytes, called `name` in messages.
    pub fn bytes(name: &str, bytes: impl Into<Arc<[u8]>>) -> Self {
        Self::new(name, Place::Bytes(bytes.into()))
    }

    /// `input`, which is read as it comes and kept nowhere: it can be opened once.
    pub fn once(name: &str, input: impl Read + Send + 'static) -> Self {
        Self::new(name, Place::Once(Once(Arc::new(Mutex::new(Some(Box::new(input)))))))
    }

    /// The same, whose bytes are counted in `counter` as they are read.
    pub fn counted(self, counter: Arc<AtomicU64>) -> Self {
        Self { counter: Some(counter), ..self }
    }

    /// All of `input`, which cannot be read twice: at most 1 GiB of it.
    ///
    /// # Errors
    /// Where it cannot be read, or is longer.
    pub fn buffer(name: &str, input: impl Read) -> Result<Self, IngestError> {
        let mut bytes = Vec::new();
        let read = input.take(MOST_BUFFERED + 1).read_to_end(&mut bytes);
        let read = read.map_err(|error| IngestError::of(name, error))?;
        if read as u64 > MOST_BUFFERED {
            let why = "put it into a file, which is read piece by piece";
            return Err(IngestError::of(name, format!("more than {MOST_BUFFERED} bytes; {why}")));
        }
        Ok(Self::bytes(name, bytes))
    }

    /// What it is called in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether `other` is this one: the same file, or the very same bytes.
    pub(crate) fn is(&self, other: &Self) -> bool {
        match (&self.place, &other.place) {
            (Place::File(one), Place::File(other)) => one == other,
            (Place::Bytes(one), Place::Bytes(other)) => Arc::ptr_eq(one, other),
            (Place::Once(one), Place::Once(other)) => Arc::ptr_eq(&one.0, &other.0),
            _ => false,
        }
    }

    /// The file, where it is one.
    pub fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::File(path) => Some(path),
            Place::Bytes(_) | Place::Once(_) => None,
        }
    }

    /// Whether its name is that of a packed file.
    fn is_packed_by_name(&self) -> bool {
        let end = Path::new(&self.name).extension().and_then(|end| end.to_str());
        end.is_some_and(|end| matches!(end, "gz" | "zst" | "zstd"))
    }

    /// Whether it can be opened more than once.
    pub const fn is_repeatable(&self) -> bool {
        !matches!(self.place, Place::Once(_))
    }

    /// The bytes from the start, unpacked where they are gzip or zstd by their first bytes.
    ///
    /// # Errors
    /// Where it cannot be opened, was opened and can be read only once, is no such packed file after
    /// all, or is what some tool writes that is no text.
    pub fn open(&self) -> Result<Box<dyn BufRead>, IngestError> {
        self.open_noting(&PastEnd::default())
    }

    /// The same; of a packed file what follows its end is left out and noted.
    ///
    /// # Errors
    /// The same.
    pub(crate) fn open_noting(&self, past_end: &PastEnd) -> Result<Box<dyn BufRead>, IngestError> {
        let fail = |why: &dyn fmt::Display| IngestError::of(&self.name, why);
        let raw: Box<dyn Read> = match &self.place {
            Place::File(path) => Box::new(regular(path).map_err(|error| fail(&error))?),
            Place::Bytes(bytes) => Box::new(Cursor::new(Arc::clone(bytes))),
            Place::Once(Once(input)) => input
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take()
                .ok_or_else(|| fail(&"it can be read only once"))?,
        };
        let raw = match &self.counter {
            Some(counter) => Box::new(Counted { input: raw, counter: Arc::clone(counter) }),
            None => raw,
        };
        let (head, raw) = head(raw).map_err(|error| fail(&error))?;
        let raw: Box<dyn BufRead> = Box::new(BufReader::new(raw));
        let unpacked: Box<dyn Read> = match head.as_slice() {
            [0x1f, 0x8b, ..] => Box::new(gzip::Members::new(raw, past_end.clone())),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => {
                let frames = zstd::Frames::new(raw, past_end.clone());
                Box::new(frames.map_err(|error| fail(&nothing_unpacked(&error)))?)
            }
            // What the kernel could not unpack itself, of pstore.
            [0x78, 0x01 | 0x9c | 0xda, ..] => Box::new(flate2::bufread::ZlibDecoder::new(raw)),
            [] | [0x1f | 0x28] | [0x28, 0xb5] | [0x28, 0xb5, 0x2f] if self.is_packed_by_name() => {
                let bytes = format_args!("it has {} of its bytes", head.len());
                return Err(fail(&nothing_unpacked(&bytes)));
            }
            _ => {
                let kind = binary::kind(&head);
                return kind.map_or(Ok(raw), |kind| Err(fail(&kind)));
            }
        };
        let (head, unpacked) =
            self::head(unpacked).map_err(|error| fail(&nothing_unpacked(&error)))?;
        match binary::kind(&head) {
            Some(kind) => Err(fail(&format_args!("unpacked, {kind}"))),
            None => Ok(Box::new(BufReader::new(unpacked))),
        }
    }
}

/// Why nothing of a packed file can be read.
fn nothing_unpacked(error: &dyn fmt::Display) -> String {
    format!("it is cut or damaged before anything of it can be unpacked ({error}); copy it again")
}

/// Opens the file at `path`. What is read more than once is nothing that comes and goes: a pipe
/// would be empty the second time, and a device may never end.
fn regular(path: &Path) -> io::Result<File> {
    let kind = path.metadata()?.file_type();
    if kind.is_file() || kind.is_dir() {
        return File::open(path);
    }
    let why = "it is no regular file, and is read more than once; put what it gives into a file";
    Err(io::Error::other(why))
}

/// Counts what is read.
struct Counted {
    input: Box<dyn Read>,
    counter: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.counter.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// The first bytes (fewer where there are no more), and a reader that still begins with them. What
/// fails after some of them fails again where they end.
fn head(mut raw: Box<dyn Read>) -> io::Result<(Vec<u8>, impl Read + 'static)> {
    let mut first = Vec::new();
    let read = raw.by_ref().take(binary::HEAD as u64).read_to_end(&mut first);
    let rest: Box<dyn Read> = match read {
        Ok(_) => raw,
        Err(error) if first.is_empty() => return Err(error),
        Err(error) => Box::new(Failing(Some(error))),
    };
    Ok((first.clone(), Cursor::new(first).chain(rest)))
}

/// What failed, and fails where it is read on.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).expect("memory takes it");
        encoder.finish().expect("memory takes it")
    }

    /// What is unpacked, and whether it is whole and something follows it.
    fn unpacked(packed: &[u8]) -> (Vec<u8>, bool, bool) {
        let (past_end, mut out) = (PastEnd::noted(), Vec::new());
        let mut input = Source::bytes("a.gz", packed).open_noting(&past_end).expect("opens");
        let is_whole = input.read_to_end(&mut out).is_ok();
        (out, is_whole, past_end.is_found())
    }

    #[test]
    fn what_follows_a_whole_packed_file_is_noted_and_what_is_cut_is_not_whole() {
        let zstd = compress_to_vec(&b"text\n"[..], CompressionLevel::Fastest);
        for packed in [gzip(b"text\n"), zstd] {
            let twice = packed.repeat(2);
            assert_eq!(unpacked(&twice), (b"text\ntext\n".to_vec(), true, false));
            for tail in [&b"\0\0\0\0"[..], b"<html>", b"\x0a"] {
                let longer = [&packed[..], tail].concat();
                assert_eq!(unpacked(&longer), (b"text\n".to_vec(), true, true), "{tail:?}");
                let mut out = Vec::new();
                let mut strict = Source::bytes("a.gz", &longer[..]).open().expect("opens");
                assert!(strict.read_to_end(&mut out).is_err());
            }
            let (_, is_whole, follows) = unpacked(&twice[..twice.len() - 3]);
            assert!(!is_whole && !follows);
        }
    }

    #[test]
    fn a_device_without_an_end_is_refused_and_an_empty_one_is_read() {
        let zero = Path::new("/dev/zero");
        let error = Source::open_file(zero).expect_err("it has no end").to_string();
        assert!(error.contains("read /dev/zero: it is a device"), "{error}");
        let error = Source::file(zero).open().err().expect("it has no end").to_string();
        assert!(error.contains("read /dev/zero: it is no regular file"), "{error}");
        let mut text = String::new();
        let null = Source::open_file(Path::new("/dev/null")).expect("it is empty");
        null.open().expect("it is empty").read_to_string(&mut text).expect("no bytes are text");
        assert_eq!(text, "");
    }
}
