//! Files of rows that are longer than memory: what is in order is read in order, and what is not is merged.
//!
//! A file is a sequence of segments, each with its rows in order. A finished store has one; every resumption of a sweep that was killed
//! begins another. Merging holds one row of every segment that it reads, so that it needs the memory of a few lines, however many rows
//! there are.
//!
//! Invariant: what comes out of a merge is in order, has each key once, and is the same for any order of the segments.
//!
//! What is deliberately absent: sorting. Nothing writes rows in disorder, and a file that was shuffled by hand is merged in more passes.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    fs::{self, File},
    io::{BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Take, Write},
    path::{Path, PathBuf},
};

use super::{Header, Place, Row, StoreError, header::SCHEMA_VERSION, row::unsealed};

/// The most segments that are read at once.
const SEGMENTS_MAX: usize = 64;

/// A part of a file whose rows stand in order, in bytes.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    path: PathBuf,
    from: u64,
    to: u64,
}

impl Segment {
    /// All of a finished store. Its first line is no row and passed over.
    pub(super) fn whole(path: &Path) -> Self {
        Self { path: path.to_owned(), from: 0, to: u64::MAX }
    }
}

/// What a file holds.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) header: Header,
    pub(super) segments: Vec<Segment>,
    /// Rows.
    pub(super) count: u64,
    /// Lines that were damaged or cut off.
    pub(super) damaged: u64,
    /// Is it a finished store: one segment, no damage, and the last line ended?
    pub(super) is_clean: bool,
    /// The last place of its last segment.
    pub(super) last: Option<Place>,
}

/// Looks through a file.
pub(super) fn scan(path: &Path) -> Result<Scan, StoreError> {
    let io = |error| StoreError::Io(path.to_owned(), error);
    let foreign = |reason: &str| StoreError::Foreign(path.to_owned(), reason.to_owned());
    let mut file = BufReader::new(File::open(path).map_err(io)?);
    let mut line = Vec::new();
    let mut at = file.read_until(b'\n', &mut line).map_err(io)? as u64;
    if at == 0 {
        return Err(foreign("it is empty"));
    }
    let object = text(&line).and_then(unsealed).ok_or_else(|| foreign("its first line is damaged"))?;
    let header: Header = serde_json::from_str(&object).map_err(|error| foreign(&error.to_string()))?;
    if header.schema != SCHEMA_VERSION {
        return Err(foreign(&format!("its form is version {}, and this is {SCHEMA_VERSION}", header.schema)));
    }
    let is_ended = line.ends_with(b"\n");
    let mut found = Scan { header, segments: Vec::new(), count: 0, damaged: 0, is_clean: is_ended, last: None };
    loop {
        line.clear();
        let read = file.read_until(b'\n', &mut line).map_err(io)? as u64;
        if read == 0 {
            return Ok(found);
        }
        let (from, to) = (at, at + read);
        at = to;
        let Some((place, _)) = parse(&found.header, &line) else {
            found.damaged += 1;
            found.is_clean = false;
            continue;
        };
        found.is_clean &= found.last < Some(place) && line.ends_with(b"\n");
        match found.segments.last_mut().filter(|_| found.last < Some(place)) {
            Some(segment) => segment.to = to,
            None => found.segments.push(Segment { path: path.to_owned(), from, to }),
        }
        found.last = Some(place);
        found.count += 1;
    }
}

fn text(line: &[u8]) -> Option<&str> {
    std::str::from_utf8(line).ok().map(|line| line.trim_end_matches('\n'))
}

fn parse(header: &Header, line: &[u8]) -> Option<(Place, Row)> {
    let row: Row = serde_json::from_str(&text(line).and_then(unsealed)?).ok()?;
    Some((header.place(&row)?, row))
}

/// The rows of a segment, in order; damaged lines are passed over.
#[derive(Debug)]
pub(super) struct Reader {
    header: Header,
    path: PathBuf,
    file: BufReader<Take<File>>,
    line: Vec<u8>,
}

impl Reader {
    pub(super) fn open(header: &Header, segment: &Segment) -> Result<Self, StoreError> {
        let io = |error| StoreError::Io(segment.path.clone(), error);
        let mut file = File::open(&segment.path).map_err(io)?;
        file.seek(SeekFrom::Start(segment.from)).map_err(io)?;
        let file = BufReader::new(file.take(segment.to - segment.from));
        Ok(Self { header: header.clone(), path: segment.path.clone(), file, line: Vec::new() })
    }
}

impl Iterator for Reader {
    type Item = Result<(Place, Row), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.line.clear();
            match self.file.read_until(b'\n', &mut self.line) {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) => return Some(Err(StoreError::Io(self.path.clone(), error))),
            }
            if let Some(found) = parse(&self.header, &self.line) {
                return Some(Ok(found));
            }
        }
    }
}

/// Writes all rows of these segments as a finished store, and says how many there are. The file is there whole, or as it was before.
pub(super) fn merge(header: &Header, mut segments: Vec<Segment>, to: &Path) -> Result<u64, StoreError> {
    let mut passes = Vec::new();
    let merged = loop {
        if segments.len() <= SEGMENTS_MAX {
            break finish(header, &segments, to);
        }
        let path = beside(to, &format!("pass{}", passes.len()));
        passes.push(path.clone());
        match pass(header, &segments, &path) {
            Ok(fewer) => segments = fewer,
            Err(error) => break Err(error),
        }
    };
    // What a pass left behind is of no use to anybody, and no reason to fail.
    for pass in passes {
        drop(fs::remove_file(pass));
    }
    merged
}

/// A file of this name beside another.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(ending);
    path.with_file_name(name)
}

fn finish(header: &Header, segments: &[Segment], to: &Path) -> Result<u64, StoreError> {
    let io = |error| StoreError::Io(to.to_owned(), error);
    let new = beside(to, "new");
    let mut file = BufWriter::new(File::create(&new).map_err(io)?);
    let written = writeln!(file, "{}", header.line()).map_err(io);
    let count = written.and_then(|()| join(header, segments, &mut file, to)).and_then(|(count, _)| {
        file.flush().map_err(io)?;
        fs::rename(&new, to).map_err(io)?;
        Ok(count)
    });
    if count.is_err() {
        drop(fs::remove_file(&new));
    }
    count
}

/// Merges as many segments at once as may be.
fn pass(header: &Header, segments: &[Segment], path: &Path) -> Result<Vec<Segment>, StoreError> {
    let io = |error| StoreError::Io(path.to_owned(), error);
    let mut file = BufWriter::new(File::create(path).map_err(io)?);
    let (mut fewer, mut from) = (Vec::new(), 0);
    for group in segments.chunks(SEGMENTS_MAX) {
        let (_, bytes) = join(header, group, &mut file, path)?;
        fewer.push(Segment { path: path.to_owned(), from, to: from + bytes });
        from += bytes;
    }
    file.flush().map_err(io)?;
    Ok(fewer)
}

/// Writes the rows of these segments in order, each key once. Returns how many rows and bytes that were.
fn join(header: &Header, segments: &[Segment], to: &mut impl Write, path: &Path) -> Result<(u64, u64), StoreError> {
    let mut readers = Vec::with_capacity(segments.len());
    let (mut next, mut rows) = (BinaryHeap::new(), Vec::with_capacity(segments.len()));
    for (number, segment) in segments.iter().enumerate() {
        let mut reader = Reader::open(header, segment)?;
        let first = reader.next().transpose()?;
        next.extend(first.as_ref().map(|(place, _)| Reverse((*place, number))));
        rows.push(first.map(|(_, row)| row));
        readers.push(reader);
    }
    let (mut last, mut count, mut bytes) = (None::<(Place, Row)>, 0, 0);
    while let Some(Reverse((place, number))) = next.pop() {
        let following = readers[number].next().transpose()?;
        next.extend(following.as_ref().map(|(place, _)| Reverse((*place, number))));
        let Some(row) = std::mem::replace(&mut rows[number], following.map(|(_, row)| row)) else { continue };
        match last {
            Some((known, twin)) if known == place && twin != row => {
                return Err(StoreError::Conflict(Box::new((twin, row))));
            }
            Some((known, twin)) if known == place => {
                last = Some((known, twin));
                continue;
            }
            _ => {}
        }
        let line = row.line();
        writeln!(to, "{line}").map_err(|error| StoreError::Io(path.to_owned(), error))?;
        count += 1;
        bytes += line.len() as u64 + 1;
        last = Some((place, row));
    }
    Ok((count, bytes))
}
