//! The command line: one file per subcommand.
//!
//! What a subcommand gives goes to standard output, what is said about it to standard error. Errors that a user can mend
//! are explained and end with exit code 2; a panic is a bug in `sim`, is said to be one, and ends with 70.
//!
//! Nothing is computed here: subcommands call the engine and show what it returns.

mod advise;
mod check;
mod drive;
mod exit;
mod explain;
mod gate;
mod grid;
mod list;
mod log;
mod merge;
mod node;
mod output;
mod progress;
mod run;
mod scenario;
mod schema;
mod selftest;
mod showing;
mod sweep;
mod trace;
mod zoo;

use std::{ffi::OsString, panic, process::ExitCode};

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};

pub use exit::Exit;
use output::{fail, say};

/// A deterministic simulator of clusters of replicas: the same faults for naive replication, optimistic concurrency
/// control and CRDTs, and what became of each.
#[derive(Debug, Parser)]
#[command(
    name = "sim",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = "Start with `sim run scenarios/partition.toml`. Exit codes: 0 pass, 1 finding, 2 usage, 3 inconclusive, 70 internal error."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// When to use colours; `NO_COLOR` is honoured.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: Color,

    /// Say more: faults, then operations. `RUST_LOG` selects more finely.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,

    /// Say only what went wrong.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one, and it lives as long as the program")]
enum Command {
    Run(run::Run),
    Drive(drive::Drive),
    Sweep(sweep::Sweep),
    Merge(merge::Merge),
    Baseline(gate::WriteBaseline),
    Gate(gate::Gate),
    Trace(trace::Trace),
    Check(check::Check),
    Advise(advise::Advise),
    Node(node::Node),
    Selftest(selftest::Selftest),
    List(list::List),
    Zoo(zoo::Zoo),
    Explain(explain::Explain),
    Schema(schema::Schema),
    /// Print the completions of a shell, to be sourced.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page, in roff.
    Man,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What every subcommand may need to know of the rest of the command line.
#[derive(Clone, Copy, Debug)]
struct Surroundings {
    /// Colours on standard output.
    color: bool,
    /// Colours on standard error.
    error_color: bool,
    quiet: bool,
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let line = arguments.iter().map(|argument| quoted(&argument.to_string_lossy())).collect::<Vec<_>>().join(" ");
    let default_hook = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        default_hook(info);
        fail("this is a bug in sim, not in your scenario; please report it with the message above");
        fail(&format!("reproduce: {line}"));
    }));
    match panic::catch_unwind(|| dispatch(Cli::parse_from(arguments))) {
        Ok(exit) => exit.into(),
        Err(_) => Exit::Internal.into(),
    }
}

fn dispatch(cli: Cli) -> Exit {
    let surroundings = Surroundings {
        color: colored(cli.color, &std::io::stdout()),
        error_color: colored(cli.color, &std::io::stderr()),
        quiet: cli.quiet,
    };
    log::start(cli.verbose, cli.quiet, surroundings.error_color);
    match cli.command {
        Command::Run(run) => run.execute(surroundings),
        Command::Drive(drive) => drive.execute(surroundings),
        Command::Sweep(sweep) => sweep.execute(surroundings),
        Command::Merge(merge) => merge.execute(surroundings),
        Command::Baseline(baseline) => baseline.execute(surroundings),
        Command::Gate(gate) => gate.execute(surroundings),
        Command::Trace(trace) => trace.execute(surroundings),
        Command::Check(check) => check.execute(surroundings),
        Command::Advise(advise) => advise.execute(surroundings),
        Command::Node(node) => node.execute(),
        Command::Selftest(selftest) => selftest.execute(),
        Command::List(list) => list.execute(),
        Command::Zoo(zoo) => zoo.execute(),
        Command::Explain(explain) => explain.execute(surroundings),
        Command::Schema(schema) => schema.execute(),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "sim", &mut script);
            say(&String::from_utf8_lossy(&script))
        }
        Command::Man => {
            let mut page = Vec::new();
            match clap_mangen::Man::new(Cli::command()).render(&mut page) {
                Ok(()) => say(&String::from_utf8_lossy(&page)),
                Err(error) => output::refuse(&format!("cannot render the manual page: {error}"), Exit::Internal),
            }
        }
    }
}

fn colored(color: Color, stream: &impl std::io::IsTerminal) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    }
}

/// An argument as a shell would need it.
fn quoted(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn arguments_are_quoted_for_a_shell() {
        assert_eq!(quoted("scenarios/partition.toml"), "scenarios/partition.toml");
        assert_eq!(quoted("loss='50 %'"), r"'loss='\''50 %'\'''");
        assert_eq!(quoted(""), "''");
    }
}
