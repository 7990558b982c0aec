//! Stores of rows: a file that is a set of rows, in any order while a sweep goes on, and in one order when it is done.
//!
//! The first line says of which scenario the rows are; every further line is a row with its checksum. Two stores of one scenario can be
//! joined in any order, with whatever they have in common: a store is a join-semilattice, keyed by scenario, system and seed. Lines that
//! are cut off or damaged are passed over and counted; everything else is kept.
//!
//! Invariant: for every key there is one row. Two different ones mean that the runs were not the same, which is an error and no choice.
//! Rows stay in the file: memory does not grow with their number.
//!
//! What is deliberately absent: locks. A store has one writer.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

use super::{
    Header, Place, Row, Rows, StoreError,
    segments::{Reader, Segment, merge, scan},
};

/// A finished store: its rows stand in their order.
#[derive(Clone, Debug)]
pub struct Stored {
    path: PathBuf,
    /// Of which scenario.
    pub header: Header,
    /// How many rows.
    pub count: u64,
    /// Lines that were damaged or cut off, and are there no more.
    pub damaged: u64,
}

impl Stored {
    /// Joins stores of one scenario, whatever they have in common, into a new one.
    pub fn join(paths: &[PathBuf], to: &Path) -> Result<Self, StoreError> {
        let (mut header, mut segments, mut damaged) = (None::<Header>, Vec::new(), 0);
        for path in paths {
            let found = scan(path)?;
            match &header {
                Some(header) if found.header != *header => {
                    let (found, expected) = (Box::new(found.header), Box::new(header.clone()));
                    return Err(StoreError::Other { path: path.clone(), found, expected });
                }
                _ => header = Some(found.header),
            }
            segments.extend(found.segments);
            damaged += found.damaged;
        }
        let Some(header) = header else {
            return Err(StoreError::Foreign(to.to_owned(), "there is nothing to join".to_owned()));
        };
        let count = merge(&header, segments, to)?;
        Ok(Self { path: to.to_owned(), header, count, damaged })
    }

    /// Writes rows that are in memory.
    pub fn of(rows: &Rows, path: &Path) -> Result<Self, StoreError> {
        let mut store = Store::open(path, rows.header.clone())?;
        store.append(&rows.rows.values().cloned().collect::<Vec<_>>())?;
        store.finish()
    }

    /// Its rows, in their order, read as they are asked for.
    pub fn rows(&self) -> Result<impl Iterator<Item = Result<Row, StoreError>> + use<>, StoreError> {
        let reader = Reader::open(&self.header, &Segment::whole(&self.path))?;
        Ok(reader.map(|found| found.map(|(_, row)| row)))
    }
}

/// A store that a sweep writes to.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    file: File,
    header: Header,
    /// What was there when it was opened, which is in order.
    known: Vec<Segment>,
    /// The last place written.
    last: Option<Place>,
    is_sorted: bool,
    count: u64,
    damaged: u64,
}

impl Store {
    /// Opens a store to go on with it, or begins one. What is damaged is taken out first.
    pub fn open(path: &Path, header: Header) -> Result<Self, StoreError> {
        let mut damaged = 0;
        if path.exists() {
            let found = scan(path)?;
            if found.header != header {
                let (found, expected) = (Box::new(found.header), Box::new(header));
                return Err(StoreError::Other { path: path.to_owned(), found, expected });
            }
            damaged = found.damaged;
            if !found.is_clean {
                merge(&header, found.segments, path)?;
            }
        } else {
            merge(&header, Vec::new(), path)?;
        }
        let found = scan(path)?;
        let file = OpenOptions::new().append(true).open(path);
        let file = file.map_err(|error| StoreError::Io(path.to_owned(), error))?;
        let (known, last, count) = (found.segments, found.last, found.count);
        Ok(Self { path: path.to_owned(), file, header, known, last, is_sorted: true, count, damaged })
    }

    /// What was there when it was opened.
    pub(super) fn known(&self) -> Result<Known, StoreError> {
        let reader = self.known.first().map(|segment| Reader::open(&self.header, segment)).transpose()?;
        let mut known = Known { reader, next: None };
        known.advance()?;
        Ok(known)
    }

    /// Adds rows that are not there yet, and hands them to the operating system before it returns.
    pub fn append(&mut self, rows: &[Row]) -> Result<(), StoreError> {
        let mut lines = String::new();
        for row in rows {
            let place = self.header.place(row);
            self.is_sorted &= self.last < place;
            self.last = place.or(self.last);
            lines.push_str(&row.line());
            lines.push('\n');
        }
        self.count += rows.len() as u64;
        self.file.write_all(lines.as_bytes()).map_err(|error| StoreError::Io(self.path.clone(), error))
    }

    /// Brings the rows into their order, if they are not.
    pub fn finish(self) -> Result<Stored, StoreError> {
        let Self { path, header, damaged, .. } = self;
        let count = if self.is_sorted { self.count } else { merge(&header, scan(&path)?.segments, &path)? };
        Ok(Stored { path, header, count, damaged })
    }
}

/// Rows that are asked for in their order.
#[derive(Debug)]
pub(super) struct Known {
    reader: Option<Reader>,
    next: Option<(Place, Row)>,
}

impl Known {
    fn advance(&mut self) -> Result<(), StoreError> {
        self.next = self.reader.as_mut().and_then(Iterator::next).transpose()?;
        Ok(())
    }

    /// The row at this place, which is later than the ones asked for before.
    pub(super) fn at(&mut self, place: Place) -> Result<Option<Row>, StoreError> {
        while self.next.as_ref().is_some_and(|(next, _)| *next < place) {
            self.advance()?;
        }
        match self.next.take() {
            Some((next, row)) if next == place => {
                self.advance()?;
                Ok(Some(row))
            }
            later => {
                self.next = later;
                Ok(None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::sweep::RowVerdict;

    fn header() -> Header {
        Header {
            schema: 1,
            tool: "0".to_owned(),
            scenario: "s".to_owned(),
            scenario_hash: "h".to_owned(),
            systems: vec!["a".to_owned(), "b".to_owned()],
        }
    }

    fn row(seed: u64, system: &str) -> Row {
        let fields = [
            "censored_at_ns",
            "stale_reads",
            "ok",
            "fail",
            "info",
            "messages",
            "bytes",
            "state_bytes",
            "metadata_bytes",
            "conflicts",
            "retries",
            "events",
        ];
        let mut object = serde_json::json!({
            "seed": seed, "system": system, "fingerprint": "f", "verdict": RowVerdict::Pass, "converged": true, "correct": true,
        });
        for field in fields {
            object[field] = seed.into();
        }
        serde_json::from_value(object).expect("a row")
    }

    /// All rows of these seeds, the last first, as no sweep writes them.
    fn backwards(dir: &Path, name: &str, seeds: std::ops::Range<u64>) -> PathBuf {
        let path = dir.join(name);
        let mut store = Store::open(&path, header()).expect("a store");
        for seed in seeds.rev() {
            store.append(&[row(seed, "b"), row(seed, "a")]).expect("room");
        }
        path
    }

    #[test]
    fn rows_in_any_order_become_one_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let whole = dir.path().join("whole");
        let mut store = Store::open(&whole, header()).expect("a store");
        let rows: Vec<Row> = (0..300).flat_map(|seed| [row(seed, "a"), row(seed, "b")]).collect();
        store.append(&rows).expect("room");
        let stored = store.finish().expect("in order");
        assert_eq!((stored.count, stored.damaged), (600, 0));
        assert!(stored.rows().expect("rows").map(|row| row.expect("a row")).eq(rows.iter().cloned()));
        let bytes = std::fs::read(&whole).expect("a file");

        // 600 segments are more than are read at once.
        let shuffled = backwards(dir.path(), "shuffled", 0..300);
        assert_eq!(scan(&shuffled).expect("rows").segments.len(), 600);
        let stored = Store::open(&shuffled, header()).and_then(Store::finish).expect("in order");
        assert_eq!((stored.count, std::fs::read(&shuffled).expect("a file")), (600, bytes.clone()));

        let parts = [(0..120), (100..300), (0..10)].into_iter().enumerate();
        let parts: Vec<PathBuf> = parts.map(|(n, seeds)| backwards(dir.path(), &format!("part{n}"), seeds)).collect();
        for parts in [parts.clone(), parts.into_iter().rev().collect()] {
            let joined = dir.path().join("joined");
            assert_eq!(Stored::join(&parts, &joined).expect("one scenario").count, 600);
            assert_eq!(std::fs::read(&joined).expect("a file"), bytes);
        }
        let left = std::fs::read_dir(dir.path()).expect("a directory").count();
        assert_eq!(left, 6, "nothing is left behind");
    }

    #[test]
    fn rows_that_contradict_each_other_are_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let (one, other) = (backwards(dir.path(), "one", 0..3), dir.path().join("other"));
        let mut changed = row(1, "b");
        changed.bytes += 1;
        Store::open(&other, header()).and_then(|mut store| store.append(&[changed])).expect("a store");
        let joined = Stored::join(&[one, other], &dir.path().join("joined"));
        assert!(matches!(joined, Err(StoreError::Conflict(rows)) if rows.0.seed == 1 && rows.0.system == "b"));
    }

    #[test]
    fn what_is_known_is_found_in_order() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = backwards(dir.path(), "rows", 3..6);
        let store = Store::open(&path, header()).expect("a store");
        let mut known = store.known().expect("rows");
        let found: Vec<bool> =
            (0..8).map(|seed| known.at((seed, 1)).expect("rows").is_some_and(|row| row.system == "b")).collect();
        assert_eq!(found, [false, false, false, true, true, true, false, false]);
    }
}
