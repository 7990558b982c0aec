//! The files of a report.
//!
//! Invariant: a reader never sees half a file: each is written beside its place and then renamed. `verdict.json` is removed
//! first and written last, so that where it stands, the files around it are of the same report.
//!
//! Nothing here survives a power failure that the file system does not survive by itself.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use super::{FORMATS, json, model::Report};
use crate::engine::Outcome;

/// Why a report could not be written.
#[derive(Debug)]
pub struct WriteError {
    /// What was attempted, for example `create`.
    pub action: &'static str,
    /// On which file or directory.
    pub path: PathBuf,
    /// What the operating system said.
    pub source: io::Error,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} {}: {}", self.action, self.path.display(), self.source)
    }
}

impl std::error::Error for WriteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Writes the report in every format into `dir`, which is made when it is missing. Returns the files, in the order of
/// [`FORMATS`].
pub fn write_all(report: &Report, dir: &Path) -> Result<Vec<PathBuf>, WriteError> {
    fs::create_dir_all(dir).map_err(failed("create", dir))?;
    let old_verdict = dir.join(json::VERDICT_FORMAT.file);
    match fs::remove_file(&old_verdict) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed("remove", &old_verdict)(error)),
        _ => {}
    }
    FORMATS.iter().map(|format| replace(dir, format.file, (format.render)(report).as_bytes())).collect()
}

/// Writes what the clients of each system invoked and were told, as JSON lines, into `history-SYSTEM.jsonl` in `dir`. Names of systems are
/// letters, digits, `-`, `_` and `.`.
pub fn write_histories(outcomes: &[Outcome], dir: &Path) -> Result<Vec<PathBuf>, WriteError> {
    fs::create_dir_all(dir).map_err(failed("create", dir))?;
    outcomes
        .iter()
        .map(|outcome| {
            let mut lines = Vec::new();
            outcome.history.write_json_lines(&mut lines).map_err(failed("write", dir))?;
            replace(dir, &format!("history-{}.jsonl", outcome.system), &lines)
        })
        .collect()
}

/// Writes a file of its own, in a directory that is made when it is missing.
pub fn write_file(path: &Path, content: &[u8]) -> Result<PathBuf, WriteError> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(dir).map_err(failed("create", dir))?;
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    replace(dir, &file, content)
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> WriteError {
    let path = path.to_owned();
    move |source| WriteError { action, path, source }
}

/// Writes a file beside its place, and renames it.
pub(super) fn replace(dir: &Path, file: &str, content: &[u8]) -> Result<PathBuf, WriteError> {
    replace_with(dir, file, |out| out.write_all(content))
}

/// The same for what is written piece by piece.
pub(super) fn replace_with(
    dir: &Path,
    file: &str,
    write: impl FnOnce(&mut (dyn io::Write + Send)) -> io::Result<()>,
) -> Result<PathBuf, WriteError> {
    let path = dir.join(file);
    let beside = dir.join(format!(".{file}.{}", std::process::id()));
    let written = fs::File::create(&beside).map(io::BufWriter::new).and_then(|mut out| {
        write(&mut out)?;
        io::Write::flush(&mut out)
    });
    let result = written
        .map_err(failed("write", &beside))
        .and_then(|()| fs::rename(&beside, &path).map_err(failed("replace", &path)));
    if result.is_err() {
        // The first error is the one to tell; what is left over is hidden and small.
        let _ = fs::remove_file(&beside);
    }
    result.map(|()| path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::specimen;

    #[test]
    fn all_files_are_written_and_nothing_else_is_left() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let out = dir.path().join("a/b");
        for _ in 0..2 {
            write_all(&specimen::report(), &out).expect("a new directory can be written");
        }
        let mut names: Vec<_> = fs::read_dir(&out)
            .expect("the directory exists")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("names are ASCII"))
            .collect();
        names.sort();
        let expected =
            ["report.html", "report.json", "report.junit.xml", "report.md", "report.svg", "report.txt", "verdict.json"];
        assert_eq!(names, expected);
        let json = fs::read_to_string(out.join("report.json")).expect("it was written");
        assert_eq!(json, json::render(&specimen::report()));
    }

    #[test]
    fn an_error_names_the_path_and_leaves_no_verdict() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        write_all(&specimen::report(), dir.path()).expect("a new directory can be written");
        fs::remove_file(dir.path().join("report.md")).expect("it was written");
        fs::create_dir_all(dir.path().join("report.md/in the way")).expect("a directory can be made");
        let error = write_all(&specimen::report(), dir.path()).expect_err("a directory is in the way");
        assert!(error.to_string().starts_with("cannot replace"), "{error}");
        assert!(error.path.ends_with("report.md"), "{error}");
        assert!(!dir.path().join("verdict.json").exists());

        let file = dir.path().join("report.txt");
        let error = write_all(&specimen::report(), &file).expect_err("a file is no directory");
        assert_eq!(error.action, "create");
    }
}
