//! `sim merge`.

use std::path::PathBuf;

use clap::Args;

use super::{Exit, output};
use crate::engine::sweep::{Rows, StoreError};

/// Join the rows of several sweeps of one scenario, such as its shards, in any order.
///
/// Rows that stand in more than one file are kept once. Two rows of one run that differ are an error: runs that should be equal were not.
#[derive(Debug, Args)]
pub(super) struct Merge {
    /// Files that `sim sweep` wrote.
    #[arg(required = true, value_name = "ROWS")]
    files: Vec<PathBuf>,

    /// The file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Merge {
    pub(super) fn execute(&self) -> Exit {
        match self.merge() {
            Ok(rows) => {
                if rows.damaged > 0 {
                    output::fail(&format!("{} damaged lines were left out", rows.damaged));
                }
                let seeds = rows.rows.keys().map(|(seed, _)| seed);
                let (first, last) = (seeds.clone().next(), seeds.clone().next_back());
                let range =
                    first.zip(last).map_or_else(String::new, |(first, last)| format!(", seeds {first} to {last}"));
                output::fail(&format!("{} rows{range} written to {}", rows.rows.len(), self.out.display()));
                if rows.damaged > 0 { Exit::Inconclusive } else { Exit::Pass }
            }
            Err(error @ StoreError::Conflict(_)) => output::refuse(&error.to_string(), Exit::Finding),
            Err(error) => output::refuse(&error.to_string(), Exit::Usage),
        }
    }

    fn merge(&self) -> Result<Rows, StoreError> {
        let mut all: Option<Rows> = None;
        for path in &self.files {
            let rows = Rows::read(path)?;
            match &mut all {
                None => all = Some(rows),
                Some(all) => all.join(path, rows)?,
            }
        }
        let rows = all.unwrap_or_else(|| unreachable!("the command line asks for at least one file"));
        rows.write(&self.out)?;
        Ok(rows)
    }
}
