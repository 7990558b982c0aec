//! Stores of rows: a file that is a set of rows, in any order while a sweep goes on, and in one order when it is done.
//!
//! The first line says of which scenario the rows are; every further line is a row with its checksum. Two stores of one scenario can be
//! joined in any order, with whatever they have in common: a store is a join-semilattice, keyed by scenario, system and seed. Lines that
//! are cut off or damaged are passed over and counted; everything else is kept.
//!
//! Invariant: for every key there is one row. Two different ones mean that the runs were not the same, which is an error and no choice.
//!
//! What is deliberately absent: locks. A store has one writer.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::row::{Row, sealed, unsealed};
use crate::scenario::{Plan, SystemSpec};

/// The version of the form of stores.
pub const SCHEMA_VERSION: u32 = 1;

/// Of which scenario the rows are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`SCHEMA_VERSION`].
    pub schema: u32,
    /// The version of the program.
    pub tool: String,
    /// The scenario's name.
    pub scenario: String,
    /// The hash of its content.
    pub scenario_hash: String,
    /// The systems, in the order of the file.
    pub systems: Vec<String>,
}

/// What is wrong with a store.
#[derive(Debug)]
pub enum StoreError {
    /// It cannot be read or written.
    Io(PathBuf, io::Error),
    /// It is none, or one of another version.
    Foreign(PathBuf, String),
    /// It is of another scenario.
    Other {
        /// The store.
        path: PathBuf,
        /// What it is of.
        found: Box<Header>,
        /// What was expected.
        expected: Box<Header>,
    },
    /// Two rows of one key differ.
    Conflict(Box<(Row, Row)>),
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Foreign(path, reason) => write!(f, "{} is no store of rows: {reason}", path.display()),
            Self::Other { path, found, expected } if found.scenario_hash == expected.scenario_hash => write!(
                f,
                "{} holds rows of {} by sim {}, and not of {} by sim {}",
                path.display(),
                found.systems.join(", "),
                found.tool,
                expected.systems.join(", "),
                expected.tool
            ),
            Self::Other { path, found, expected } => write!(
                f,
                "{} holds rows of scenario {} with hash {}, and not of {} with hash {}",
                path.display(),
                found.scenario,
                short(&found.scenario_hash),
                expected.scenario,
                short(&expected.scenario_hash)
            ),
            Self::Conflict(rows) => write!(
                f,
                "two runs of {} under seed {} are not the same: {} and {}",
                rows.0.system, rows.0.seed, rows.0.fingerprint, rows.1.fingerprint
            ),
        }
    }
}

fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

impl Header {
    /// The header of rows of these systems.
    pub fn new(plan: &Plan, systems: &[&SystemSpec]) -> Self {
        Self {
            schema: SCHEMA_VERSION,
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            scenario: plan.name.clone(),
            scenario_hash: plan.hash.clone(),
            systems: systems.iter().map(|system| system.name.clone()).collect(),
        }
    }

    fn line(&self) -> String {
        sealed(&serde_json::to_string(self).expect("a header is plain data"))
    }

    /// The place of a row in the order of stores: seeds first, then systems in the order of the file.
    fn place(&self, row: &Row) -> Option<(u64, usize)> {
        let system = self.systems.iter().position(|system| *system == row.system)?;
        Some((row.seed, system))
    }
}

/// What is in a store.
#[derive(Clone, Debug)]
pub struct Rows {
    /// Of which scenario.
    pub header: Header,
    /// The rows, by seed and the number of the system.
    pub rows: BTreeMap<(u64, usize), Row>,
    /// Lines that were damaged or cut off.
    pub damaged: u64,
    /// Do the lines stand in the order of stores, all of them whole, and the last one ended?
    is_clean: bool,
}

impl Rows {
    /// No rows.
    pub fn new(header: Header) -> Self {
        Self { header, rows: BTreeMap::new(), damaged: 0, is_clean: true }
    }

    /// Reads a store.
    pub fn read(path: &Path) -> Result<Self, StoreError> {
        let io = |error| StoreError::Io(path.to_owned(), error);
        let foreign = |reason: &str| StoreError::Foreign(path.to_owned(), reason.to_owned());
        let mut file = BufReader::new(File::open(path).map_err(io)?);
        let mut line = Vec::new();
        let mut next = |line: &mut Vec<u8>| {
            line.clear();
            file.read_until(b'\n', line).map(|read| read > 0)
        };
        if !next(&mut line).map_err(io)? {
            return Err(foreign("it is empty"));
        }
        let object = text(&line).and_then(unsealed).ok_or_else(|| foreign("its first line is damaged"))?;
        let header: Header = serde_json::from_str(&object).map_err(|error| foreign(&error.to_string()))?;
        if header.schema != SCHEMA_VERSION {
            return Err(foreign(&format!("its form is version {}, and this is {SCHEMA_VERSION}", header.schema)));
        }
        let mut found = Self::new(header);
        let mut last = None;
        while next(&mut line).map_err(io)? {
            let row = text(&line).and_then(unsealed).and_then(|object| serde_json::from_str::<Row>(&object).ok());
            let place = row.as_ref().and_then(|row| found.header.place(row));
            let (Some(row), Some(place)) = (row, place) else {
                found.damaged += 1;
                found.is_clean = false;
                continue;
            };
            found.is_clean &= last < Some(place) && line.ends_with(b"\n");
            last = Some(place);
            found.insert(row)?;
        }
        Ok(found)
    }

    /// Adds a row; one that is there already changes nothing.
    pub fn insert(&mut self, row: Row) -> Result<(), StoreError> {
        let Some(place) = self.header.place(&row) else { return Ok(()) };
        match self.rows.get(&place) {
            Some(known) if *known != row => Err(StoreError::Conflict(Box::new((known.clone(), row)))),
            Some(_) => Ok(()),
            None => {
                self.rows.insert(place, row);
                Ok(())
            }
        }
    }

    /// Adds all rows of another store of the same scenario.
    pub fn join(&mut self, path: &Path, other: Self) -> Result<(), StoreError> {
        if other.header != self.header {
            return Err(StoreError::Other {
                path: path.to_owned(),
                found: Box::new(other.header),
                expected: Box::new(self.header.clone()),
            });
        }
        self.damaged += other.damaged;
        other.rows.into_values().try_for_each(|row| self.insert(row))
    }

    /// Writes all rows in the order of stores. The file is there whole, or as it was before.
    pub fn write(&self, path: &Path) -> Result<(), StoreError> {
        let io = |error| StoreError::Io(path.to_owned(), error);
        let beside = path.with_extension("jsonl.new");
        let mut file = io::BufWriter::new(File::create(&beside).map_err(io)?);
        let mut lines = std::iter::once(self.header.line()).chain(self.rows.values().map(Row::line));
        let written = lines.try_for_each(|line| writeln!(file, "{line}")).and_then(|()| file.flush());
        written.and_then(|()| fs::rename(&beside, path)).map_err(io)
    }
}

fn text(line: &[u8]) -> Option<&str> {
    std::str::from_utf8(line).ok().map(|line| line.trim_end_matches('\n'))
}

/// A store that a sweep writes to.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    file: File,
    /// What is in it.
    pub known: Rows,
    is_sorted: bool,
}

impl Store {
    /// Opens a store to go on with it, or begins one. What is damaged is taken out first.
    pub fn open(path: &Path, header: Header) -> Result<Self, StoreError> {
        let io = |error| StoreError::Io(path.to_owned(), error);
        let known = if path.exists() {
            let known = Rows::read(path)?;
            if known.header != header {
                let (found, expected) = (Box::new(known.header), Box::new(header));
                return Err(StoreError::Other { path: path.to_owned(), found, expected });
            }
            known
        } else {
            Rows::new(header)
        };
        if !known.is_clean || !path.exists() {
            known.write(path)?;
        }
        let file = OpenOptions::new().append(true).open(path).map_err(io)?;
        Ok(Self { path: path.to_owned(), file, known, is_sorted: true })
    }

    /// Adds rows, and hands them to the operating system before it returns.
    pub fn append(&mut self, rows: &[Row]) -> Result<(), StoreError> {
        let mut lines = String::new();
        for row in rows {
            let place = self.known.header.place(row);
            let last = self.known.rows.last_key_value().map(|(place, _)| *place);
            self.is_sorted &= last < place;
            lines.push_str(&row.line());
            lines.push('\n');
            self.known.insert(row.clone())?;
        }
        self.file.write_all(lines.as_bytes()).map_err(|error| StoreError::Io(self.path.clone(), error))
    }

    /// Brings the rows into their order, if they are not.
    pub fn finish(self) -> Result<Rows, StoreError> {
        if !self.is_sorted {
            self.known.write(&self.path)?;
        }
        Ok(self.known)
    }
}
