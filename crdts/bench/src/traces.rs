//! Editing traces: what people typed, keystroke by keystroke (see the README beside the data).

use std::{fs::File, io::Read as _, path::Path};

use flate2::read::GzDecoder;
use serde::Deserialize;

/// Replaces some characters at a position.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Patch(
    /// Characters before the edit.
    pub usize,
    /// Characters that are deleted.
    pub usize,
    /// What is inserted.
    pub String,
);

/// What one author did in one go.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Transaction {
    /// Who: only in concurrent traces.
    #[serde(default)]
    pub agent: usize,
    /// The transactions whose merge this one was made on, by index: only in concurrent traces.
    #[serde(default)]
    pub parents: Vec<usize>,
    /// What was done, in order.
    pub patches: Vec<Patch>,
}

/// A trace.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trace {
    /// The name of the file.
    #[serde(skip)]
    pub name: String,
    /// The text in the end, where it does not depend on how concurrent edits are ordered.
    pub end_content: Option<String>,
    /// How many authors there are: only in concurrent traces.
    #[serde(default = "one")]
    pub num_agents: usize,
    /// All transactions; each comes after its parents.
    pub txns: Vec<Transaction>,
}

const fn one() -> usize {
    1
}

impl Trace {
    /// Reads `directory/name.json.gz`. The few characters outside ASCII become question marks: positions are the same for
    /// libraries that count bytes and for those that count characters, and all do the same work.
    pub fn load(directory: &Path, name: &str) -> Result<Self, String> {
        let path = directory.join(format!("{name}.json.gz"));
        let fail = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let file = File::open(&path).map_err(|error| fail(&error))?;
        let mut json = Vec::new();
        GzDecoder::new(file).read_to_end(&mut json).map_err(|error| fail(&error))?;
        let mut trace: Self = serde_json::from_slice(&json).map_err(|error| fail(&error))?;
        let texts = trace.txns.iter_mut().flat_map(|transaction| &mut transaction.patches).map(|patch| &mut patch.2);
        for text in texts.chain(&mut trace.end_content).filter(|text| !text.is_ascii()) {
            *text = text.replace(|character: char| !character.is_ascii(), "?");
        }
        Ok(Self { name: name.into(), ..trace })
    }

    /// How many patches all transactions have together.
    pub fn patches(&self) -> usize {
        self.txns.iter().map(|transaction| transaction.patches.len()).sum()
    }
}
