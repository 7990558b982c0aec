//! Counts the instructions of our hot operations under valgrind, and compares them with the committed counts.
//!
//! A count is the difference between a process that does the work three times and one that does it once, so starting and
//! preparing are not part of it. It is the same in every run of one build on one machine. Other compilers and other C
//! libraries move it, so the file of counts names the compiler.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use crdts_bench::{
    hot::{self, Visitor},
    machine,
    table::number,
};
use serde::{Deserialize, Serialize};

const USAGE: &str = "\
Counts the instructions of the hot operations of `crdts`.

Usage: instructions check            compare with the committed counts; needs valgrind, else it says so and succeeds
       instructions bless            write the counts
       instructions run NAME TIMES   do a piece of work up to three times: what valgrind is pointed at
";

/// How much more than the committed count is too much.
const TOLERANCE: f64 = 0.03;
/// How often the work is done in the longer of the two runs.
const TIMES_MAX: usize = 3;

/// What is committed.
#[derive(Debug, Deserialize, Serialize)]
struct Counts {
    compiler: String,
    /// Instructions of one piece of work, by name.
    instructions: BTreeMap<String, u64>,
}

/// Does one piece of work.
struct Run<'a> {
    name: &'a str,
    times: usize,
    found: bool,
}

impl Visitor for Run<'_> {
    fn visit<S, R>(&mut self, name: &str, _units: usize, prepare: impl Fn() -> S, work: impl Fn(&mut S) -> R) {
        if name != self.name {
            return;
        }
        self.found = true;
        // Prepared alike however often the work is done, and never dropped: neither is to be counted.
        let mut states: Vec<S> = (0..TIMES_MAX).map(|_| prepare()).collect();
        let mut results = Vec::with_capacity(TIMES_MAX);
        for state in states.iter_mut().take(self.times) {
            results.push(std::hint::black_box(work(std::hint::black_box(state))));
        }
        std::mem::forget((states, results));
    }
}

/// The names of all pieces of work, with their units.
#[derive(Default)]
struct Names(Vec<(String, usize)>);

impl Visitor for Names {
    fn visit<S, R>(&mut self, name: &str, units: usize, _prepare: impl Fn() -> S, _work: impl Fn(&mut S) -> R) {
        self.0.push((name.into(), units));
    }
}

/// The instructions of a whole process.
fn instructions(name: &str, times: usize) -> io::Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .args(["run", name, &times.to_string()])
        .output()?;
    let log = String::from_utf8_lossy(&output.stderr);
    let collected = log.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
    collected.filter(|_| output.status.success()).ok_or_else(|| io::Error::other(log.into_owned()))
}

fn count(name: &str) -> io::Result<u64> {
    let (once, often) = (instructions(name, 1)?, instructions(name, TIMES_MAX)?);
    Ok((often - once) / (TIMES_MAX as u64 - 1))
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("instructions.json")
}

fn bless(names: &[(String, usize)]) -> io::Result<()> {
    let mut instructions = BTreeMap::new();
    for (name, _) in names {
        instructions.insert(name.clone(), count(name)?);
    }
    let json = serde_json::to_string_pretty(&Counts { compiler: machine::compiler(), instructions })?;
    std::fs::write(path(), json + "\n")
}

/// Prints every count beside the committed one. Returns whether none is too large.
fn check(names: &[(String, usize)]) -> io::Result<bool> {
    let committed: Counts = serde_json::from_str(&std::fs::read_to_string(path())?)?;
    if committed.compiler != machine::compiler() {
        println!("the committed counts are of {}, this is {}", committed.compiler, machine::compiler());
    }
    let mut is_good = true;
    println!("{:28} {:>14} {:>14} {:>8}  each", "instructions", "committed", "now", "");
    for (name, units) in names {
        let now = count(name)?;
        let each = number(now as f64 / *units as f64);
        let Some(&before) = committed.instructions.get(name) else {
            is_good = false;
            println!("{name:28} {:>14} {now:>14} {:>8}  {each}  not committed: bless it", "", "");
            continue;
        };
        let change = now as f64 / before as f64 - 1.0;
        let verdict = match change {
            change if change > TOLERANCE => "  SLOWER",
            change if change < -TOLERANCE => "  faster: bless it",
            _ => "",
        };
        is_good &= change <= TOLERANCE;
        println!("{name:28} {before:>14} {now:>14} {:>+7.1}%  {each}{verdict}", change * 100.0);
    }
    Ok(is_good)
}

fn run(name: &str, times: &str) -> ExitCode {
    let mut run = Run { name, times: times.parse().unwrap_or(1), found: false };
    hot::all(&mut run);
    if run.found { ExitCode::SUCCESS } else { ExitCode::from(2) }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut names = Names::default();
    let done = match words.as_slice() {
        ["run", name, times] => return run(name, times),
        ["check"] => {
            hot::all(&mut names);
            check(&names.0)
        }
        ["bless"] => {
            hot::all(&mut names);
            bless(&names.0).map(|()| true)
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) if error.kind() == io::ErrorKind::NotFound && words == ["check"] && path().exists() => {
            println!("not checked: valgrind is not installed");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
