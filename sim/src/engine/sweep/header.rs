//! Of which scenario rows are, and what can be wrong with a store of them.

use std::{io, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::row::{Row, sealed};
use crate::scenario::{Plan, SystemSpec};

/// The place of a row in the order of stores: the seed, and the number of the system.
pub type Place = (u64, usize);

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

    pub(super) fn line(&self) -> String {
        sealed(&serde_json::to_string(self).expect("a header is plain data"))
    }

    /// The place of a row in the order of stores: seeds first, then systems in the order of the file.
    pub(super) fn place(&self, row: &Row) -> Option<Place> {
        let system = self.systems.iter().position(|system| *system == row.system)?;
        Some((row.seed, system))
    }
}
