//! Measures, and writes `crdts/BENCHMARKS.md`.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use crdts_bench::{counters, machine, memory::Counting, registers, sets, text};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const USAGE: &str = "\
Measures the types of `crdts` against peers and floors, and writes crdts/BENCHMARKS.md.

The feature `all-peers` of the package adds the libraries that are slower by orders of magnitude.

Usage: crdts-bench [--data DIRECTORY] [--only SECTION]

  --data DIRECTORY   where the editing traces are
  --only SECTION     counters, sets, registers, traces or pathologies: print one section and write nothing
";

struct Arguments {
    data: PathBuf,
    only: Option<String>,
}

impl Arguments {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let data = root.join("../../../shared/data/editing-traces");
        let mut arguments = Self { data, only: None };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--data" => arguments.data = value()?.into(),
                "--only" => arguments.only = Some(value()?),
                _ => return Err(format!("unknown argument {word}")),
            }
        }
        Ok(arguments)
    }
}

/// Makes a section from the arguments.
type Section = fn(&Arguments) -> String;

const SECTIONS: [(&str, &str, Section); 5] = [
    ("counters", "Counters", |_| counters::section()),
    ("sets", "Sets", |_| sets::section()),
    ("registers", "Multi-value registers", |_| registers::section()),
    ("traces", "Text: editing traces", |arguments| text::report::traces(&arguments.data)),
    ("pathologies", "Text: pathologies", |_| text::report::pathological()),
];

fn document(arguments: &Arguments) -> String {
    let command =
        if cfg!(feature = "all-peers") { "just bench-crdts --features all-peers" } else { "just bench-crdts" };
    let mut document = include_str!("preface.md")
        .replace("{command}", command)
        .replace("{machine}", &machine::description())
        .replace("{peers}", machine::peers().trim_end())
        .replace("{limit}", &text::work::limit_seconds().to_string());
    for (name, title, section) in SECTIONS {
        eprintln!("{name} ...");
        document += &["\n## ", title, "\n\n", &section(arguments)].concat();
        document.truncate(document.trim_end().len());
        document.push('\n');
    }
    document.push('\n');
    document + include_str!("shortfalls.md")
}

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(error) => {
            eprint!("{error}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    if let Some(only) = &arguments.only {
        let Some((_, _, section)) = SECTIONS.iter().find(|(name, ..)| name == only) else {
            eprint!("unknown section {only}\n\n{USAGE}");
            return ExitCode::from(2);
        };
        print!("{}", section(&arguments));
        return ExitCode::SUCCESS;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../BENCHMARKS.md");
    match std::fs::write(&path, document(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", path.display());
            ExitCode::FAILURE
        }
    }
}
