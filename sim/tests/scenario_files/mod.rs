//! The scenarios of the repository, those in folders included.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sim::scenario::{self, Plan};

/// All of them, in the order of their paths.
pub(crate) fn scenarios() -> Vec<Plan> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let mut paths: Vec<PathBuf> = Vec::new();
    let mut pending = vec![root];
    while let Some(next) = pending.pop() {
        for entry in fs::read_dir(&next).expect("a readable folder of scenarios") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                paths.push(path);
            }
        }
    }
    paths.sort();
    assert!(paths.len() >= 9, "only {paths:?}");
    paths.iter().map(|path| scenario::load(path, &[]).unwrap_or_else(|errors| panic!("{errors}"))).collect()
}
