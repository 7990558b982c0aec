//! Programs as WebAssembly, run by an interpreter: the same bytes and the same inputs are the same run, on every machine.
//!
//! A module for `wasm32-wasip1` (WASI preview 1) with a `_start` function is a program like any other: it reads lines from standard
//! input, writes lines to standard output, sleeps, asks for the time and for random bytes. All of this it gets from its imports, which are
//! ours: time is virtual and stands still while the program runs, entropy comes from the seed. When a call has to wait,
//! for input or for an instant, the interpreter stops in the middle of the call and a later step lets it go on.
//!
//! Invariant: what a program writes is a function of its bytes, its specification, and the inputs with their instants. Its work
//! is limited by fuel, that is by instructions counted, never by a clock; its memory by a number of bytes.
//!
//! ```
//! use sim::kernel::time::{SECOND, Time};
//! use sim::programs::{Ending, Line, Program, wasi::{Code, WasiProgram, WasiSpec}};
//!
//! // A program that says hello and exits with code 7.
//! let module = wat::parse_str(r#"(module
//!     (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
//!     (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
//!     (memory (export "memory") 1)
//!     (data (i32.const 0) "\08\00\00\00\06\00\00\00hello\n")
//!     (func (export "_start")
//!         (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 100)))
//!         (call $exit (i32.const 7))))"#).expect("a module");
//! let mut program = WasiProgram::load(&WasiSpec::new("hello", Code::Bytes(module)));
//! let step = program.step(Time(SECOND), &[]);
//! assert_eq!(step.lines, [Line::Whole(b"hello".to_vec())]);
//! assert_eq!(step.ended, Some(Ending::Exited(7)));
//! ```
//!
//! What is deliberately absent: files, sockets, threads, and other versions of WASI. One thing is left to the machine: the bits
//! of a float that is not a number may differ between kinds of processors, which the standard permits.

mod clock;
mod guest;
mod imports;
mod io;
mod lines;
mod poll;
mod run;
mod system;
#[cfg(test)]
mod tests;

use std::{fmt, path::PathBuf};

use wasmi::{CompilationMode, Config, Engine, Module};

pub use clock::REALTIME_START_NS;
pub use run::WasiProgram;

/// How deep calls may nest: as on a stack of some megabytes.
const RECURSION_DEPTH_MAX: usize = 20_000;
/// Bytes of the interpreter's stack.
const STACK_BYTES_MAX: usize = 16 << 20;

/// What a program is and what it is given.
#[derive(Clone, Debug)]
pub struct WasiSpec {
    /// What it is called in messages, and by itself: argument 0.
    pub name: String,
    /// The program.
    pub code: Code,
    /// Its arguments, after argument 0.
    pub args: Vec<String>,
    /// Its environment, and all of it: nothing is inherited.
    pub env: Vec<(String, String)>,
    /// Where its entropy comes from.
    pub seed: u64,
    /// How much it may do in a step: about as many instructions, and one more for each byte that a call moves. A program that does
    /// more never comes to rest.
    pub fuel_per_step: u64,
    /// How large its memory may become; a program that asks for more is refused.
    pub memory_bytes_max: usize,
    /// How long a line may be.
    pub line_bytes_max: usize,
    /// How much it may write in a step.
    pub step_bytes_max: u64,
}

/// Where a module is.
#[derive(Clone)]
pub enum Code {
    /// In this file.
    File(PathBuf),
    /// Here.
    Bytes(Vec<u8>),
    /// Here, and compiled already: for many programs of one kind.
    Compiled(Compiled),
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "File({})", path.display()),
            Self::Bytes(bytes) => write!(f, "Bytes({} of them)", bytes.len()),
            Self::Compiled(_) => f.write_str("Compiled"),
        }
    }
}

/// A module that was read, checked and compiled.
#[derive(Clone, Debug)]
pub struct Compiled {
    engine: Engine,
    module: Module,
}

impl WasiSpec {
    /// A program without arguments and environment, with seed 0 and generous limits.
    pub fn new(name: &str, code: Code) -> Self {
        Self {
            name: name.to_owned(),
            code,
            args: Vec::new(),
            env: Vec::new(),
            seed: 0,
            fuel_per_step: 1_000_000_000,
            memory_bytes_max: 256 << 20,
            line_bytes_max: 1 << 20,
            step_bytes_max: 16 << 20,
        }
    }
}

impl Code {
    /// Compiles it, or says why this is impossible.
    pub fn compile(&self) -> Result<Compiled, String> {
        match self {
            Self::File(path) => {
                let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
                Compiled::new(&bytes).map_err(|reason| format!("{}: {reason}", path.display()))
            }
            Self::Bytes(bytes) => Compiled::new(bytes),
            Self::Compiled(compiled) => Ok(compiled.clone()),
        }
    }
}

impl Compiled {
    fn new(bytes: &[u8]) -> Result<Self, String> {
        let mut config = Config::default();
        config
            .consume_fuel(true)
            // A function that is compiled when it is first called would be paid for by whoever calls it first.
            .compilation_mode(CompilationMode::Eager)
            .set_max_recursion_depth(RECURSION_DEPTH_MAX)
            .set_max_stack_height(STACK_BYTES_MAX);
        let engine = Engine::new(&config);
        let module = Module::new(&engine, bytes).map_err(|error| format!("not a WebAssembly module: {error}"))?;
        Ok(Self { engine, module })
    }
}
