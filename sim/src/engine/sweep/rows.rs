//! Rows in memory, for as few runs as a gate compares.

use std::collections::BTreeMap;

use super::{Header, Place, Row, StoreError};

/// Rows of one scenario.
#[derive(Clone, Debug)]
pub struct Rows {
    /// Of which scenario.
    pub header: Header,
    /// The rows, by seed and the number of the system.
    pub rows: BTreeMap<Place, Row>,
}

impl Rows {
    /// No rows.
    pub fn new(header: Header) -> Self {
        Self { header, rows: BTreeMap::new() }
    }

    /// Adds a row; one that is there already changes nothing, and neither does one of no system of these.
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
}
